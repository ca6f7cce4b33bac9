//! `Causal`, what a message has to be, and `Received`, what becomes of one.

use crate::actor::Actor;
use crate::stamp::Stamp;
use crate::storage::Storage;

/// A message that carries the [`Stamp`] of the event of its sending.
pub trait Causal {
    /// The id of a sender.
    type Actor: Actor;
    /// The storage of the stamp's vector.
    type Storage: Storage;

    /// Returns the stamp. It is the same on every call.
    #[must_use]
    fn stamp(&self) -> &Stamp<Self::Actor, Self::Storage>;
}

impl<A: Actor, S: Storage> Causal for Stamp<A, S> {
    type Actor = A;
    type Storage = S;

    fn stamp(&self) -> &Self {
        self
    }
}

impl<A: Actor, S: Storage, P> Causal for (Stamp<A, S>, P) {
    type Actor = A;
    type Storage = S;

    fn stamp(&self) -> &Stamp<A, S> {
        &self.0
    }
}

/// What became of a received message.
#[derive(Debug, PartialEq, Eq, Hash)]
#[must_use]
#[expect(clippy::exhaustive_enums, reason = "a caller has to deal with each of them, and there is no fourth")]
pub enum Received<M> {
    /// Everything that it depends on has been delivered: this is its delivery.
    /// [`pop_ready`](super::CausalBuffer::pop_ready) may now have more.
    Deliver(M),
    /// It waits.
    Waiting,
    /// It was delivered before, or waits already. It has been dropped.
    Duplicate,
}

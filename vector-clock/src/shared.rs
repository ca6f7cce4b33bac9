//! `SharedVectorClock`: one actor's clock for many threads.

use crate::actor::Actor;
use crate::counters::Snapshot;
use crate::dot::Dot;
use crate::error::{Capacity, MergeError, ObserveError, TickError};
use crate::jump::MaxJump;
use crate::stamp::Stamp;
use crate::storage::Storage;
use crate::sync::Mutex;
use crate::vector_clock::VectorClock;
use crate::version_vector::VersionVector;

/// A [`VectorClock`] for many threads: the same verbs, behind a lock.
///
/// It is a lock on purpose. A vector is many words, and with an atomic word for each lane two ticks of one actor can
/// carry vectors that compare as concurrent: the first counts its event, the second counts and reads all lanes, a
/// merge raises a lane, and only then does the first read it. The crate's interleaving tests show that history, and
/// that there is none with the lock.
///
/// # Memory ordering
///
/// A call sees whatever preceded, in its thread, every earlier call that the lock ordered before it: a thread whose
/// `tick` returns a greater counter sees what the thread with the smaller one did before its call.
///
/// # Examples
///
/// ```
/// use vector_clock::{Heap, SharedVectorClock};
///
/// let clock = SharedVectorClock::<u32, Heap>::new(1);
/// let stamps = std::thread::scope(|scope| {
///     let threads = [scope.spawn(|| clock.tick()), scope.spawn(|| clock.tick())];
///     threads.map(|thread| thread.join().map_err(|_| "panicked"))
/// });
/// let [a, b] = stamps;
/// let (a, b) = (a??, b??);
/// assert!(a.happened_before(&b) || b.happened_before(&a));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct SharedVectorClock<A: Actor, S: Storage> {
    actor: A,
    clock: Mutex<VectorClock<A, S>>,
}

impl<A: Actor, S: Storage> SharedVectorClock<A, S> {
    /// Makes the clock of an actor that has had no event and knows of none, with [`MaxJump::DEFAULT`].
    #[must_use]
    pub fn new(actor: A) -> Self {
        VectorClock::new(actor).into()
    }

    /// Makes the clock of an actor that goes on from `vector`, as [`VectorClock::resume`].
    ///
    /// # Errors
    ///
    /// [`Capacity`] when `vector` is full and has no entry of `actor`.
    pub fn resume(actor: A, vector: VersionVector<A, S>) -> Result<Self, Capacity> {
        VectorClock::resume(actor, vector).map(Self::from)
    }

    /// Sets how many events of one actor may be learnt at once.
    #[must_use]
    pub fn with_max_jump(self, max_jump: MaxJump) -> Self {
        self.into_inner().with_max_jump(max_jump).into()
    }

    /// Sets how many entries there may be, as [`VectorClock::with_max_entries`].
    #[must_use]
    pub fn with_max_entries(self, max_entries: usize) -> Self {
        self.into_inner().with_max_entries(max_entries).into()
    }

    /// Returns whose clock it is.
    #[must_use]
    pub const fn actor(&self) -> A {
        self.actor
    }

    /// Returns a copy of all that the actor knows.
    #[must_use]
    pub fn vector(&self) -> VersionVector<A, S> {
        self.clock.lock().vector().clone()
    }

    /// Returns the actor's last event, or `None` before the first.
    #[must_use]
    pub fn last(&self) -> Option<Dot<A>> {
        self.clock.lock().last()
    }

    /// Returns what an operator must see of this clock.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.clock.lock().snapshot()
    }

    /// Counts a local or send event, and returns its stamp.
    ///
    /// # Errors
    ///
    /// As [`VectorClock::tick`], and then the clock is as it was.
    #[doc(alias = "now")]
    #[doc(alias = "new_timestamp")]
    #[doc(alias = "increment")]
    pub fn tick(&self) -> Result<Stamp<A, S>, TickError> {
        self.clock.lock().tick()
    }

    /// Counts a local event that nobody is told of yet, and returns its name alone: no vector is copied.
    ///
    /// # Errors
    ///
    /// As [`VectorClock::tick_dot`], and then the clock is as it was.
    pub fn tick_dot(&self) -> Result<Dot<A>, TickError> {
        self.clock.lock().tick_dot()
    }

    /// Learns all that the sender of a message knew, counts the receipt, and returns the receive event's stamp.
    /// Both or neither.
    ///
    /// # Errors
    ///
    /// As [`VectorClock::observe`], and then the clock is as it was.
    #[doc(alias = "update")]
    #[doc(alias = "receive")]
    #[doc(alias = "witness")]
    pub fn observe<S2: Storage>(&self, remote: &Stamp<A, S2>) -> Result<Stamp<A, S>, ObserveError<A>> {
        self.clock.lock().observe(remote)
    }

    /// Learns all that `remote` knows, without an event here.
    ///
    /// # Errors
    ///
    /// As [`VectorClock::merge`], and then the clock is as it was.
    pub fn merge<S2: Storage>(&self, remote: &VersionVector<A, S2>) -> Result<(), MergeError<A>> {
        self.clock.lock().merge(remote)
    }

    /// Learns a vector that was already agreed on, without a bound, as [`VectorClock::merge_committed`].
    ///
    /// # Errors
    ///
    /// [`Capacity`] when the entries do not fit. The clock is then as it was.
    pub fn merge_committed<S2: Storage>(&self, remote: &VersionVector<A, S2>) -> Result<(), Capacity> {
        self.clock.lock().merge_committed(remote)
    }

    /// Returns the clock, which nobody shares any more.
    #[must_use]
    pub fn into_inner(self) -> VectorClock<A, S> {
        self.clock.into_inner()
    }
}

impl<A: Actor, S: Storage> From<VectorClock<A, S>> for SharedVectorClock<A, S> {
    fn from(clock: VectorClock<A, S>) -> Self {
        Self { actor: clock.actor(), clock: Mutex::new(clock) }
    }
}

//! The stores that keep the records, and what the protocol asks of them.

use core::error::Error;
use core::fmt;

use crate::ResourceId;
use crate::protocol::{Swap, View};

#[cfg(feature = "tokio")]
mod awaited;
#[cfg(feature = "test-engine")]
pub mod conformance;
#[cfg(feature = "etcd")]
pub mod etcd;
#[cfg(all(feature = "file", unix, any(target_has_atomic = "64", feature = "portable-atomic")))]
pub mod file;
#[cfg(all(feature = "test-engine", any(target_has_atomic = "64", feature = "portable-atomic")))]
pub mod memory;
#[cfg(feature = "postgres")]
pub mod postgres;

#[cfg(feature = "tokio")]
pub use awaited::{AsyncEngine, Blocking};

/// A store of records, as a caller that blocks sees it: it loads a record, and swaps it against its version.
///
/// One that is awaited is an `AsyncEngine` (feature `tokio`), or answers the requests of a
/// [`Machine`](crate::protocol::Machine) in a way of its own.
///
/// # What a store must keep
///
/// - A swap lands where [`Swap::lands_on`] says so, in one atomic step with the look at what is stored, and
///   durably before it is acknowledged. A renewal may be less durable, if every lease is over after the crash
///   that takes it back.
/// - A version belongs to one state of the record for ever. It rises with each write, also across deletion and
///   re-creation.
/// - One clock judges every expiry, and does not go back within an era. The end of a live lease never comes
///   nearer. A lease that was called [ended](View::with_ended) stays so.
/// - A record that cannot be read is an error, never a vacant one: a vacant one grants epochs again.
/// - No answer waits for ever: whoever hangs here holds up the renewal of a lease.
pub trait Engine {
    /// What goes wrong in this store.
    type Error: Error + 'static;

    /// Reads the record of a resource, and the issuer's time.
    ///
    /// A resource that was never written is [vacant](crate::protocol::Record::vacant). The realm of such a record is nobody's
    /// yet, and may be another one at the next look: no gate must be made with it.
    ///
    /// # Errors
    ///
    /// Whatever the store says. Nothing changed.
    fn load(&self, resource: &ResourceId) -> Result<View, Self::Error>;

    /// Lets the write land, or not.
    ///
    /// # Errors
    ///
    /// - [`Failure::Definite`]: the write did not land and never will.
    /// - [`Failure::Indeterminate`]: nobody knows.
    fn swap(&self, resource: &ResourceId, swap: &Swap) -> Result<Swapped, Failure<Self::Error>>;
}

impl<E: Engine + ?Sized> Engine for &E {
    type Error = E::Error;

    fn load(&self, resource: &ResourceId) -> Result<View, E::Error> {
        (**self).load(resource)
    }

    fn swap(&self, resource: &ResourceId, swap: &Swap) -> Result<Swapped, Failure<E::Error>> {
        (**self).swap(resource, swap)
    }
}

/// What a store did with a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "there is no third; what nobody knows is a `Failure`")]
#[expect(
    clippy::large_enum_variant,
    reason = "an answer is moved once; without an allocator it cannot be boxed"
)]
pub enum Swapped {
    /// It landed; this is what it left.
    Landed(View),
    /// It did not land and never will: what is stored is not what it was made for.
    Conflict,
}

/// How a write failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no third")]
pub enum Failure<E> {
    /// It did not land and never will.
    Definite(E),
    /// It may have landed, and may land yet.
    Indeterminate(E),
}

impl<E> Failure<E> {
    /// Turns what went wrong into something else. Whether it is definite stays.
    pub fn map<F>(self, why: impl FnOnce(E) -> F) -> Failure<F> {
        match self {
            Self::Definite(cause) => Failure::Definite(why(cause)),
            Self::Indeterminate(cause) => Failure::Indeterminate(why(cause)),
        }
    }
}

impl<E: fmt::Display> fmt::Display for Failure<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Definite(why) => write!(f, "the write did not land: {why}"),
            Self::Indeterminate(why) => write!(f, "the write may have landed: {why}"),
        }
    }
}

impl<E: Error> Error for Failure<E> {}

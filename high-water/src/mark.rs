//! `Mark`: the contract of a durable number that only rises.

use crate::error::RaiseError;

/// A number that survives a crash and never falls.
///
/// The contract needs neither an allocator nor an operating system: a file, a flash chip and a test double
/// keep it alike.
///
/// 1. [`get`](Self::get) is the last acknowledged value. It never falls, within one run or across crashes.
/// 2. After [`raise_to`](Self::raise_to)`(v)` returns `Ok`, every later `get`, in this run or after a crash,
///    is at least `v`.
/// 3. After a crash, `get` is at most the greatest value that `raise_to` was ever called with.
/// 4. An error that is [`Indeterminate`](RaiseError::Indeterminate) poisons: every later raise fails until the
///    mark is opened again, and what is then found is the answer.
pub trait Mark {
    /// The last acknowledged value. Touches no medium.
    fn get(&self) -> u64;

    /// Makes the value durable, if it is above [`get`](Self::get); else does nothing.
    ///
    /// # Errors
    ///
    /// - [`RaiseError::NotRaised`]: the value is what it was, now and after a crash.
    /// - [`RaiseError::Indeterminate`]: a crash may find either; `get` is what it was, and the mark is poisoned.
    fn raise_to(&mut self, value: u64) -> Result<(), RaiseError>;
}

impl<M: Mark + ?Sized> Mark for &mut M {
    fn get(&self) -> u64 {
        (**self).get()
    }

    fn raise_to(&mut self, value: u64) -> Result<(), RaiseError> {
        (**self).raise_to(value)
    }
}

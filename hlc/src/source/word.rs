//! `Word`: the one number that a source keeps, for one owner or shared.

use core::{cell::Cell, fmt};

#[cfg(any(target_has_atomic = "64", feature = "portable-atomic"))]
use crate::sync::{AtomicU64, Ordering, const_fn};

/// How a source keeps its one number: [`Shared`] or [`Owned`]. Sealed: there are these two.
pub trait Word: Access {}

pub(super) mod sealed {
    /// What the sources do with the number.
    #[expect(unnameable_types, reason = "whoever could name it could make a third kind of word")]
    pub trait Access {
        /// Reads it.
        fn load(&self) -> u64;

        /// Replaces it.
        fn store(&self, value: u64);

        /// Replaces it by `next` of it, in one step, and returns the new one; on an error it stays as it was.
        fn try_update<E>(&self, next: impl Fn(u64) -> Result<u64, E>) -> Result<u64, E>;
    }
}
use sealed::Access;

/// Keeps the number in a plain cell: for one owner, on every target. It is not `Sync`.
pub struct Owned {
    value: Cell<u64>,
}

impl Owned {
    pub(super) const fn new(value: u64) -> Self {
        Self { value: Cell::new(value) }
    }
}

impl Word for Owned {}

impl Access for Owned {
    #[inline]
    fn load(&self) -> u64 {
        self.value.get()
    }

    #[inline]
    fn store(&self, value: u64) {
        self.value.set(value);
    }

    #[inline]
    fn try_update<E>(&self, next: impl Fn(u64) -> Result<u64, E>) -> Result<u64, E> {
        let new = next(self.value.get())?;
        self.value.set(new);
        Ok(new)
    }
}

impl fmt::Debug for Owned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Owned").field(&self.load()).finish()
    }
}

/// Keeps the number in an atomic: for threads and interrupt handlers, and usable in a `static`.
///
/// It needs 64-bit atomics, or the feature `portable-atomic`; without them no value of it can be made.
///
/// # Memory ordering
///
/// The number alone is promised: a source that keeps it here publishes nothing to other threads.
pub struct Shared {
    #[cfg(any(target_has_atomic = "64", feature = "portable-atomic"))]
    value: AtomicU64,
    #[cfg(not(any(target_has_atomic = "64", feature = "portable-atomic")))]
    _none: core::convert::Infallible,
}

#[cfg(any(target_has_atomic = "64", feature = "portable-atomic"))]
impl Shared {
    const_fn! {
        pub(super) const fn new(value: u64) -> Self {
            Self { value: AtomicU64::new(value) }
        }
    }
}

#[cfg(any(target_has_atomic = "64", feature = "portable-atomic"))]
impl Word for Shared {}

#[cfg(any(target_has_atomic = "64", feature = "portable-atomic"))]
impl Access for Shared {
    #[inline]
    fn load(&self) -> u64 {
        // ORDERING: Relaxed. Nothing is published: the number alone is promised. No test can go red: there
        // is no promise to break.
        self.value.load(Ordering::Relaxed)
    }

    #[inline]
    fn store(&self, value: u64) {
        // ORDERING: Relaxed. Nothing is published, as in `load`.
        self.value.store(value, Ordering::Relaxed);
    }

    #[inline]
    fn try_update<E>(&self, next: impl Fn(u64) -> Result<u64, E>) -> Result<u64, E> {
        let mut seen = self.load();
        // Ends because each failure is another call's success, or spurious: lock-free, not wait-free.
        loop {
            let new = next(seen)?;
            // ORDERING: Relaxed, twice. Nothing is published, as in `load`; that no update is lost follows
            // from the exchange being one step, and on failure the value is only the next guess.
            match self.value.compare_exchange_weak(seen, new, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Ok(new),
                Err(actual) => seen = actual,
            }
        }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        #[cfg(any(target_has_atomic = "64", feature = "portable-atomic"))]
        return f.debug_tuple("Shared").field(&self.load()).finish();
        #[cfg(not(any(target_has_atomic = "64", feature = "portable-atomic")))]
        return f.debug_struct("Shared").finish_non_exhaustive();
    }
}

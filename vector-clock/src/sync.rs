//! The only door to locks, and to the atomics of the counterexample in `loom_tests`.
//!
//! The gate includes `test`: a user who builds with `--cfg loom` still gets the real lock from this crate.

#[cfg(all(test, loom))]
pub(crate) use self::modelled::{AtomicU64, Mutex, Ordering};
#[cfg(not(all(test, loom)))]
pub(crate) use parking_lot::Mutex;

// Two lines, so that the lints know test code for what it is.
#[cfg(test)]
#[cfg(loom)]
mod modelled {
    pub(crate) use loom::sync::atomic::{AtomicU64, Ordering};

    /// loom's lock with the face of `parking_lot`'s: no poison, a `lock` that cannot fail.
    #[derive(Debug)]
    pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(loom::sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> loom::sync::MutexGuard<'_, T> {
            self.0.lock().unwrap()
        }

        pub(crate) fn into_inner(self) -> T {
            self.0.into_inner().unwrap()
        }
    }
}

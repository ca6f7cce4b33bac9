//! The only door to atomics and locks.
//!
//! The gate includes `test`: a user who builds with `--cfg loom` still gets real atomics from this crate.

#[cfg(all(test, loom))]
pub(crate) use loom::sync::atomic::{AtomicU64, Ordering};

#[cfg(all(not(all(test, loom)), feature = "portable-atomic"))]
pub(crate) use portable_atomic::{AtomicU64, Ordering};

#[cfg(all(not(all(test, loom)), not(feature = "portable-atomic"), target_has_atomic = "64"))]
pub(crate) use core::sync::atomic::{AtomicU64, Ordering};

#[cfg(all(not(all(test, loom)), feature = "parking_lot"))]
pub(crate) use parking_lot::{Condvar, Mutex};

#[cfg(all(test, loom, feature = "parking_lot"))]
pub(crate) use timeless::{Condvar, Mutex};

/// What is used here of `parking_lot`'s interface, over loom's own: no deadline ever passes.
#[cfg(all(test, loom, feature = "parking_lot"))]
mod timeless {
    use std::time::Instant;

    #[derive(Debug)]
    pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

    /// `None` only while its thread waits.
    pub(crate) struct MutexGuard<'m, T>(Option<loom::sync::MutexGuard<'m, T>>);

    #[derive(Debug)]
    pub(crate) struct Condvar(loom::sync::Condvar);

    pub(crate) struct WaitTimeoutResult;

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(loom::sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
            MutexGuard(Some(self.0.lock().unwrap()))
        }
    }

    impl<T> core::ops::Deref for MutexGuard<'_, T> {
        type Target = T;

        fn deref(&self) -> &T {
            self.0.as_ref().unwrap()
        }
    }

    impl<T> core::ops::DerefMut for MutexGuard<'_, T> {
        fn deref_mut(&mut self) -> &mut T {
            self.0.as_mut().unwrap()
        }
    }

    impl Condvar {
        pub(crate) fn new() -> Self {
            Self(loom::sync::Condvar::new())
        }

        pub(crate) fn notify_all(&self) {
            self.0.notify_all();
        }

        pub(crate) fn wait_until<T>(&self, guard: &mut MutexGuard<'_, T>, _: Instant) -> WaitTimeoutResult {
            guard.0 = guard.0.take().map(|guard| self.0.wait(guard).unwrap());
            WaitTimeoutResult
        }
    }

    impl WaitTimeoutResult {
        pub(crate) fn timed_out(&self) -> bool {
            false
        }
    }
}

/// Makes a function `const` except under loom, whose atomics are not made in constants.
macro_rules! const_fn {
    ($(#[$meta:meta])* $vis:vis const fn $($rest:tt)+) => {
        #[cfg(not(all(test, loom)))]
        $(#[$meta])* $vis const fn $($rest)+

        #[cfg(all(test, loom))]
        $(#[$meta])* $vis fn $($rest)+
    };
}
pub(crate) use const_fn;

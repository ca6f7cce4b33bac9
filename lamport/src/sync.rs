//! The only door to atomics.
//!
//! The gate includes `test`: a user who builds with `--cfg loom` still gets real atomics from this crate.

#[cfg(all(test, loom))]
pub(crate) use loom::sync::atomic::{AtomicU64, Ordering};

#[cfg(all(not(all(test, loom)), feature = "portable-atomic"))]
pub(crate) use portable_atomic::{AtomicU64, Ordering};

#[cfg(all(not(all(test, loom)), not(feature = "portable-atomic"), target_has_atomic = "64"))]
pub(crate) use core::sync::atomic::{AtomicU64, Ordering};

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

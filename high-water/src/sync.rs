//! The only door to atomics and locks.
//!
//! The gate includes `test`: a user who builds with `--cfg loom` still gets the real ones from this crate.

#[cfg(all(test, loom))]
pub(crate) use loom::sync::atomic::{AtomicU64, Ordering};

#[cfg(all(not(all(test, loom)), feature = "portable-atomic"))]
pub(crate) use portable_atomic::{AtomicU64, Ordering};

#[cfg(all(not(all(test, loom)), not(feature = "portable-atomic")))]
pub(crate) use core::sync::atomic::{AtomicU64, Ordering};

#[cfg(all(test, loom))]
pub(crate) use loom::sync::{Mutex, MutexGuard};

#[cfg(all(not(all(test, loom)), feature = "std"))]
pub(crate) use std::sync::{Mutex, MutexGuard};

//! The only door to atomics.
//!
//! The gate includes `test`: a user who builds with `--cfg loom` still gets real atomics from this crate.

#[cfg(all(test, loom))]
pub(crate) use loom::sync::atomic::{AtomicU64, Ordering};

#[cfg(not(all(test, loom)))]
pub(crate) use core::sync::atomic::{AtomicU64, Ordering};

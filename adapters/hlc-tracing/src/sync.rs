//! The only door to atomics.

pub(crate) use core::sync::atomic::{AtomicU64, Ordering};

//! Feature `durable`: clocks that hand out nothing above a bound which a [`Mark`](high_water::Mark) has made
//! durable, so that a restart begins above everything ever handed out.
//!
//! The bound is one more test of the rule ([`rule::within`](crate::rule::within)) behind whatever step is taken.

#[cfg(all(feature = "std", any(target_has_atomic = "64", feature = "portable-atomic")))]
mod atomic;
mod block;
mod clock;
mod error;
mod extension;
#[cfg(all(test, loom, feature = "std"))]
mod loom_tests;

#[cfg(all(feature = "std", any(target_has_atomic = "64", feature = "portable-atomic")))]
pub use self::atomic::AtomicDurableClock;
pub use self::{
    block::{Block, BlockOutOfRange},
    clock::DurableClock,
    error::{BoundReached, TickError},
    extension::DurableSnapshot,
};

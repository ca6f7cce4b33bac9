//! Feature `durable`: clocks that issue nothing above a bound which a [`Mark`](high_water::Mark) has made
//! durable, so that a restart begins above everything ever issued.
//!
//! The bound is one more ceiling of the rule ([`rule::step_below`](crate::rule::step_below)); what is here
//! decides where it should be (`reach`, `policy`), raises it (`extension`), and holds it: as a number in the
//! owned clock, as a second atomic word in the shared one.

#[cfg(all(feature = "std", any(target_has_atomic = "64", feature = "portable-atomic")))]
mod atomic;
mod clock;
mod confirmed;
mod error;
mod extension;
#[cfg(all(test, loom, feature = "std"))]
mod loom_tests;
mod policy;
mod reach;
mod snapshot;
mod window;

#[cfg(all(feature = "std", any(target_has_atomic = "64", feature = "portable-atomic")))]
pub use self::atomic::AtomicDurableClock;
pub use self::{
    clock::DurableClock,
    error::{BoundReached, UpkeepError},
    policy::Resume,
    snapshot::DurableSnapshot,
    window::{Window, WindowOutOfRange},
};

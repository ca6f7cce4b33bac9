//! Where physical time comes from.
//!
//! A clock asks its [`Source`] once for each stamp. These read a clock:
//!
//! | source | reads | a reading costs |
//! |---|---|---|
//! | [`SystemSource`] | the operating system's wall clock | that |
//! | [`AnchoredSource`] | a fast [`Counter`], put right by another source in every interval | a counter |
//! | [`CachedSource`] | what another source said last; a [`Ticker`] asks it again | one load |
//! | [`MonotonicSource`] | the time since its first reading | the system's monotonic clock |
//! | [`Widening`] | a hardware counter that wraps | a register |
//! | [`ManualSource`], [`from_fn`] | what a test, or a closure, says | that |
//!
//! These stand before another source and change what it says: [`Offset`] sets it right, [`StepLimit`] refuses its
//! jumps, [`BestEffort`] goes on without it. Those that remember a number have two forms, [`Shared`] and
//! [`Owned`]: the latter needs no atomics.

#[cfg(any(target_has_atomic = "64", feature = "portable-atomic"))]
mod anchored;
mod best_effort;
#[cfg(any(target_has_atomic = "64", feature = "portable-atomic"))]
mod cached;
mod counter;
#[cfg(any(target_has_atomic = "64", feature = "portable-atomic"))]
mod manual;
#[cfg(feature = "std")]
mod monotonic;
mod offset;
mod step_limit;
#[cfg(feature = "std")]
mod system;
#[cfg(all(feature = "std", any(target_has_atomic = "64", feature = "portable-atomic")))]
mod ticker;
#[cfg(any(target_has_atomic = "64", feature = "portable-atomic"))]
mod time_word;
mod widening;
mod word;

#[cfg(any(target_has_atomic = "64", feature = "portable-atomic"))]
pub use self::anchored::AnchoredSource;
#[cfg(any(target_has_atomic = "64", feature = "portable-atomic"))]
pub use self::cached::CachedSource;
#[cfg(feature = "std")]
pub use self::counter::InstantCounter;
#[cfg(feature = "quanta")]
pub use self::counter::QuantaCounter;
#[cfg(any(target_has_atomic = "64", feature = "portable-atomic"))]
pub use self::manual::ManualSource;
#[cfg(feature = "std")]
pub use self::monotonic::MonotonicSource;
#[cfg(feature = "std")]
pub use self::system::SystemSource;
#[cfg(all(feature = "std", any(target_has_atomic = "64", feature = "portable-atomic")))]
pub use self::ticker::Ticker;
pub use self::{
    best_effort::BestEffort,
    counter::Counter,
    offset::Offset,
    step_limit::StepLimit,
    widening::Widening,
    word::{Owned, Shared, Word},
};

use core::fmt;

use crate::{PhysicalTime, SourceError};

/// A physical clock.
///
/// It may be wrong, step in either direction, stand still or fail: the clock above it stays monotonic all
/// the same. What a source owes is only to answer without blocking for long.
pub trait Source {
    /// Reads the time.
    ///
    /// # Errors
    ///
    /// [`SourceError`] where there is no reading. The clock above returns it and stays as it was.
    fn now(&self) -> Result<PhysicalTime, SourceError>;
}

impl<S: Source + ?Sized> Source for &S {
    #[inline]
    fn now(&self) -> Result<PhysicalTime, SourceError> {
        (**self).now()
    }
}

#[cfg(feature = "std")]
impl<S: Source + ?Sized> Source for alloc::sync::Arc<S> {
    #[inline]
    fn now(&self) -> Result<PhysicalTime, SourceError> {
        (**self).now()
    }
}

#[cfg(feature = "std")]
impl<S: Source + ?Sized> Source for alloc::boxed::Box<S> {
    #[inline]
    fn now(&self) -> Result<PhysicalTime, SourceError> {
        (**self).now()
    }
}

/// Makes a source of a closure.
///
/// ```
/// use hlc::{Clock, PhysicalTime, SourceError, source};
///
/// let mut clock = Clock::new(source::from_fn(|| Err(SourceError::Unavailable("no battery"))));
/// assert!(clock.tick().is_err());
/// assert_eq!(clock.last(), None);
/// ```
pub const fn from_fn<F>(read: F) -> FromFn<F>
where
    F: Fn() -> Result<PhysicalTime, SourceError>,
{
    FromFn { read }
}

/// The source that [`from_fn`] makes.
#[derive(Clone, Copy)]
pub struct FromFn<F> {
    read: F,
}

impl<F> Source for FromFn<F>
where
    F: Fn() -> Result<PhysicalTime, SourceError>,
{
    #[inline]
    fn now(&self) -> Result<PhysicalTime, SourceError> {
        (self.read)()
    }
}

impl<F> fmt::Debug for FromFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FromFn").finish_non_exhaustive()
    }
}

//! Where physical time comes from.
//!
//! A clock asks its [`Source`] once for each stamp. The sources here either read a clock
//! ([`SystemSource`], [`AnchoredSource`], [`CachedSource`], [`ManualSource`], [`from_fn`]) or stand before another
//! source and change what it says: [`Widening`] makes a wrapping hardware counter a source, [`Offset`] sets
//! it right, [`BestEffort`] goes on without it, [`StepLimit`] refuses its jumps.

#[cfg(any(target_has_atomic = "64", feature = "portable-atomic"))]
mod manual;
#[cfg(feature = "std")]
mod system;

#[cfg(any(target_has_atomic = "64", feature = "portable-atomic"))]
pub use self::manual::ManualSource;
#[cfg(feature = "std")]
pub use self::system::SystemSource;

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

//! `SharedClock`: what the layers need of a clock.

use alloc::sync::Arc;

use hlc::{AtomicClock, ObserveError, Source, TickError, Timestamp};

/// A clock that the layers share with the rest of the program.
///
/// [`AtomicClock`] is one, over any source; so is a reference to one, and an `Arc`. With the feature `durable`,
/// `hlc::AtomicDurableClock` is one too. A program that keeps a clock for each thread can make its own, which picks.
///
/// The layout is [`Unix48`](hlc::layout::Unix48), because the header's is: whoever reads it has agreed on nothing else.
pub trait SharedClock {
    /// Issues the stamp of a send event.
    ///
    /// # Errors
    ///
    /// [`TickError`]; the clock is then as it was.
    fn tick(&self) -> Result<Timestamp, TickError>;

    /// Records the receipt of a message stamped `remote`, and issues the stamp of that event.
    ///
    /// # Errors
    ///
    /// [`ObserveError`]; the clock is then as it was.
    fn observe(&self, remote: Timestamp) -> Result<Timestamp, ObserveError>;
}

impl<S: Source> SharedClock for AtomicClock<S> {
    #[inline]
    fn tick(&self) -> Result<Timestamp, TickError> {
        Self::tick(self)
    }

    #[inline]
    fn observe(&self, remote: Timestamp) -> Result<Timestamp, ObserveError> {
        Self::observe(self, remote)
    }
}

#[cfg(feature = "durable")]
impl<S: Source, M: high_water::Mark> SharedClock for hlc::AtomicDurableClock<S, M> {
    #[inline]
    fn tick(&self) -> Result<Timestamp, TickError> {
        Self::tick(self)
    }

    #[inline]
    fn observe(&self, remote: Timestamp) -> Result<Timestamp, ObserveError> {
        Self::observe(self, remote)
    }
}

impl<C: SharedClock + ?Sized> SharedClock for &C {
    #[inline]
    fn tick(&self) -> Result<Timestamp, TickError> {
        (**self).tick()
    }

    #[inline]
    fn observe(&self, remote: Timestamp) -> Result<Timestamp, ObserveError> {
        (**self).observe(remote)
    }
}

impl<C: SharedClock + ?Sized> SharedClock for Arc<C> {
    #[inline]
    fn tick(&self) -> Result<Timestamp, TickError> {
        (**self).tick()
    }

    #[inline]
    fn observe(&self, remote: Timestamp) -> Result<Timestamp, ObserveError> {
        (**self).observe(remote)
    }
}

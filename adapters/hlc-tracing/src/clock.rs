//! `SharedClock`: a clock that many threads may ask at once.

use alloc::sync::Arc;

use hlc::{AtomicClock, Packed, Source, TickError, layout::Layout};

/// A clock that many threads may ask at once: where a [`StampTimer`](crate::StampTimer) and a
/// [`StampLayer`](crate::StampLayer) take their stamps from.
///
/// [`AtomicClock`] is one, and so is a `&'static` or an [`Arc`] of one. Give them the clock that stamps and observes the
/// host's messages.
///
/// # The law
///
/// [`last`](Self::last) is at least every stamp that a [`tick`](Self::tick) before it returned, and never falls. Of a
/// clock that breaks it, lines sort in the wrong order; nothing panics.
///
/// # Examples
///
/// A clock behind a lock, which must never be held by code that logs:
///
/// ```
/// use std::sync::Mutex;
///
/// use hlc::{Clock, SourceError, TickError, Timestamp, layout::Unix48, source::SystemSource};
/// use hlc_tracing::SharedClock;
///
/// struct Locked(Mutex<Clock<SystemSource>>);
///
/// impl SharedClock for Locked {
///     type Layout = Unix48;
///
///     fn tick(&self) -> Result<Timestamp, TickError> {
///         let mut clock = self.0.lock().map_err(|_| SourceError::Unavailable("a thread panicked"))?;
///         clock.tick()
///     }
///
///     fn last(&self) -> Option<Timestamp> {
///         self.0.lock().ok()?.last()
///     }
/// }
/// ```
pub trait SharedClock {
    /// How its stamps share 64 bits.
    type Layout: Layout;

    /// Issues the stamp of a local event.
    ///
    /// # Errors
    ///
    /// [`TickError`]; the clock is then as it was.
    fn tick(&self) -> Result<Packed<Self::Layout>, TickError>;

    /// Returns the greatest stamp that it has issued or learnt of, without an event.
    fn last(&self) -> Option<Packed<Self::Layout>>;
}

impl<S: Source, L: Layout> SharedClock for AtomicClock<S, L> {
    type Layout = L;

    fn tick(&self) -> Result<Packed<L>, TickError> {
        self.tick()
    }

    fn last(&self) -> Option<Packed<L>> {
        self.last()
    }
}

#[cfg(feature = "durable")]
impl<S: Source, M: high_water::Mark, L: Layout> SharedClock for hlc::AtomicDurableClock<S, M, L> {
    type Layout = L;

    fn tick(&self) -> Result<Packed<L>, TickError> {
        self.tick()
    }

    fn last(&self) -> Option<Packed<L>> {
        self.last()
    }
}

macro_rules! forwarded {
    ($($pointer:ty),+) => {$(
        impl<C: SharedClock + ?Sized> SharedClock for $pointer {
            type Layout = C::Layout;

            fn tick(&self) -> Result<Packed<C::Layout>, TickError> {
                (**self).tick()
            }

            fn last(&self) -> Option<Packed<C::Layout>> {
                (**self).last()
            }
        }
    )+};
}
forwarded!(&C, Arc<C>);

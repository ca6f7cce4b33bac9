//! `Offset`: a source put right by a known difference.

use core::{fmt, time::Duration};

use super::{
    Source,
    word::{Owned, Shared, Word},
};
use crate::{PhysicalTime, SourceError};

/// Adds an offset to another source: a device without a calendar, set from a peer's timestamp.
///
/// Until it is set it has no reading: a device that does not know the time says so. To let it count from
/// the source's own zero meanwhile, set the offset to 0; to let the clock go on from its last stamp, put a
/// [`BestEffort`](super::BestEffort) before it.
///
/// # What can go wrong
///
/// - **It is set from a lie.** What sets it is trusted: no limit applies. A clock's limit on the skew of
///   received stamps is measured from here, so whoever may set this may move the clock.
/// - **It drifts.** Nothing disciplines it between two settings.
///
/// # Memory ordering
///
/// A reading promises the time alone, in both forms; setting publishes nothing else.
///
/// ```
/// use hlc::{Clock, Timestamp, source::{ManualSource, Offset}};
///
/// // Ten seconds after power-on, far from the year of the stamp that a server sends.
/// let mut device = Clock::new(Offset::new(ManualSource::at_millis(10_000)));
/// assert!(device.tick().is_err(), "nothing is stamped in 1970");
///
/// let from_server = Timestamp::from_parts(1_700_000_000_000, 5)?;
/// device.source().set_from(from_server.physical_time())?;
/// assert!(device.observe(from_server)? > from_server);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub struct Offset<S, W = Shared> {
    source: S,
    /// The bits of a signed number of nanoseconds, or `UNSET`.
    offset: W,
}

/// The one offset that has no opposite.
const UNSET: i64 = i64::MIN;

#[cfg(any(target_has_atomic = "64", feature = "portable-atomic"))]
impl<S> Offset<S> {
    crate::sync::const_fn! {
        /// Makes a source that reads `source` once it is set, by any thread or interrupt handler.
        #[must_use]
        pub const fn new(source: S) -> Self {
            Self { source, offset: Shared::new(UNSET.cast_unsigned()) }
        }
    }
}

impl<S> Offset<S, Owned> {
    /// Makes a source that reads `source` once it is set, for one owner; no atomics are needed.
    #[must_use]
    pub const fn owned(source: S) -> Self {
        Self { source, offset: Owned::new(UNSET.cast_unsigned()) }
    }
}

impl<S, W: Word> Offset<S, W> {
    /// Sets the offset.
    ///
    /// # Units
    ///
    /// Nanoseconds to add to what the source reads, up to 292 years either way; the lowest number there is
    /// counts as the next one.
    pub fn set_nanos(&self, nanos: i64) {
        self.offset.store(nanos.max(UNSET.saturating_add(1)).cast_unsigned());
    }

    /// Returns the offset in nanoseconds, or `None` where it is not set.
    #[must_use]
    pub fn nanos(&self) -> Option<i64> {
        Some(self.offset.load().cast_signed()).filter(|&nanos| nanos != UNSET)
    }

    /// Returns the source under it.
    #[must_use]
    pub const fn source(&self) -> &S {
        &self.source
    }
}

impl<S: Source, W: Word> Offset<S, W> {
    /// Sets the offset so that it is `now` at this moment.
    ///
    /// # Errors
    ///
    /// [`SourceError`]; the offset is then as it was.
    /// - That of the source, where it cannot be read.
    /// - `Unavailable` where the offset would be more than 292 years.
    pub fn set_from(&self, now: PhysicalTime) -> Result<(), SourceError> {
        let own = self.source.now()?;
        self.set_nanos(difference(now, own).ok_or(SourceError::Unavailable("an offset of over 292 years"))?);
        Ok(())
    }
}

/// The nanoseconds from `own` to `now`, where they fit.
fn difference(now: PhysicalTime, own: PhysicalTime) -> Option<i64> {
    let nanos_since = |later: PhysicalTime, earlier| {
        i64::try_from(PhysicalTime::from_duration(later.saturating_since(earlier)).to_nanos()?).ok()
    };
    // One of the two is zero.
    nanos_since(now, own)?.checked_sub(nanos_since(own, now)?)
}

impl<S: Source, W: Word> Source for Offset<S, W> {
    /// # Errors
    ///
    /// - `Unavailable` until the offset is set, or where the sum is past [`PhysicalTime::MAX`].
    /// - `BeforeUnixEpoch` where the sum is before 1970.
    /// - Those of the source.
    #[inline]
    fn now(&self) -> Result<PhysicalTime, SourceError> {
        let Some(nanos) = self.nanos() else {
            return Err(SourceError::Unavailable("the offset has not been set"));
        };
        let (own, by) = (self.source.now()?, Duration::from_nanos(nanos.unsigned_abs()));
        if nanos.is_negative() {
            own.checked_sub(by).ok_or(SourceError::BeforeUnixEpoch)
        } else {
            own.checked_add(by).ok_or(SourceError::Unavailable("the time is past its end"))
        }
    }
}

impl<S: fmt::Debug, W: Word> fmt::Debug for Offset<S, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Offset").field("nanos", &self.nanos()).field("source", &self.source).finish()
    }
}

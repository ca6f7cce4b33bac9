//! `BestEffort`: a source that always has a reading.

use core::convert::Infallible;

use super::{
    Source,
    word::{Owned, Shared, Word},
};
use crate::{PhysicalTime, SourceError};

/// Reads the Unix epoch where another source fails, so that the clock goes on from its last stamp.
///
/// Stamps stay unique and ordered then, and lose their nearness to wall time. The failures do not reach
/// the clock's own counts; they are counted here.
///
/// # What can go wrong
///
/// - **While the source fails, received stamps look 50 years ahead** and are refused for their skew, except
///   those at or below the clock's last: nothing is left to tell an honest stamp from a forged one. A device that
///   must go on receiving takes [`SkewPolicy::Unbounded`](crate::SkewPolicy), which trusts every peer.
/// - **A clock that refuses its own lead** ([`LeadPolicy`](crate::LeadPolicy)) refuses to tick then, and any clock
///   refuses to `reserve`.
/// - **The statistics of the clock** count that lead: `max_lead` is of 50 years from then on, and each `snapshot`
///   asks the source and counts an error more.
///
/// # Memory ordering
///
/// The count is a statistic, in both forms; nothing is published.
///
/// ```
/// use hlc::{Clock, SourceError, Timestamp, source::{self, BestEffort}};
///
/// let broken = source::from_fn(|| Err(SourceError::Unavailable("no battery")));
/// let last = Timestamp::from_parts(1_700_000_000_000, 7)?;
/// let mut clock = Clock::new(BestEffort::new(broken)).resume_after(last);
/// assert_eq!(Some(clock.tick()?), last.checked_next());
/// assert_eq!(clock.source().errors(), 1);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct BestEffort<S, W = Shared> {
    source: S,
    errors: W,
}

#[cfg(any(target_has_atomic = "64", feature = "portable-atomic"))]
impl<S> BestEffort<S> {
    crate::sync::const_fn! {
        /// Makes a source that always has a reading of `source`, for many threads.
        #[must_use]
        pub const fn new(source: S) -> Self {
            Self { source, errors: Shared::new(0) }
        }
    }
}

impl<S> BestEffort<S, Owned> {
    /// Makes a source that always has a reading of `source`, for one owner; no atomics are needed.
    #[must_use]
    pub const fn owned(source: S) -> Self {
        Self { source, errors: Owned::new(0) }
    }
}

impl<S, W: Word> BestEffort<S, W> {
    /// Returns how often the source failed.
    #[must_use]
    pub fn errors(&self) -> u64 {
        self.errors.load()
    }

    /// Returns the source under it.
    #[must_use]
    pub const fn source(&self) -> &S {
        &self.source
    }

    #[cold]
    fn count_error(&self) -> PhysicalTime {
        let Ok(_) = self.errors.try_update(|errors| Ok::<_, Infallible>(errors.saturating_add(1)));
        PhysicalTime::UNIX_EPOCH
    }
}

impl<S: Source, W: Word> Source for BestEffort<S, W> {
    /// # Errors
    ///
    /// None: that is what it is for.
    #[inline]
    fn now(&self) -> Result<PhysicalTime, SourceError> {
        match self.source.now() {
            Ok(time) => Ok(time),
            Err(_) => Ok(self.count_error()),
        }
    }
}

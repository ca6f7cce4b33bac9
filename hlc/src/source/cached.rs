//! `CachedSource`: what another source said last, in one word.

use core::fmt;

use super::{Source, time_word};
use crate::{
    PhysicalTime, SourceError,
    sync::{AtomicU64, Ordering, const_fn},
};

/// Keeps what another source said at the last refresh: reading it is one load.
///
/// Something has to refresh it: a [`Ticker`](super::Ticker), a timer interrupt, a main loop. Between two
/// refreshes time stands still, and the hybrid clock above counts. What is kept is the outcome of the last
/// refresh, be it a time or an error: a clock that cannot be read is not covered up by an old reading.
///
/// # What can go wrong
///
/// - **Nobody refreshes it any more.** Readings stay as they were and nothing shows it, except a lead of the
///   clock above that keeps growing under load, and peers that seem to be ahead. A `Ticker` that ends, by its own
///   panic too, makes readings unavailable instead. A `Ticker` that the system starves cannot.
/// - **More threads refresh it at once.** The last to store wins, so time may go back by what passed between
///   their readings.
///
/// # Units
///
/// Nanoseconds, up to the year 2514; a later time is refused at the refresh.
///
/// # Memory ordering
///
/// A reading promises the time alone; a refresh publishes nothing else.
///
/// ```
/// use hlc::{PhysicalTime, Source, SourceError, source::{CachedSource, ManualSource}};
///
/// static TIME: CachedSource = CachedSource::new();
/// assert!(matches!(TIME.now(), Err(SourceError::Unavailable(_))), "nothing is made up before the first refresh");
///
/// let wall = ManualSource::at_millis(1_000);
/// TIME.refresh(&wall)?;
/// wall.set_millis(2_000);
/// assert_eq!(TIME.now()?, PhysicalTime::from_millis(1_000));
/// # Ok::<(), SourceError>(())
/// ```
pub struct CachedSource {
    /// As `time_word` packs it, or one of the states below.
    word: AtomicU64,
    failed_refreshes: AtomicU64,
}

// No times: their nanoseconds are more than a second.
const UNSET: u64 = u64::MAX;
const FAILED: u64 = u64::MAX - 1;

const _: () = assert!(time_word::unpack(UNSET).is_none() && time_word::unpack(FAILED).is_none());

impl CachedSource {
    const_fn! {
        /// Makes a cache with nothing in it: reading it is an error until the first refresh.
        #[must_use]
        pub const fn new() -> Self {
            Self { word: AtomicU64::new(UNSET), failed_refreshes: AtomicU64::new(0) }
        }
    }

    /// Reads `source` and keeps what it says, be it a time or that there is none. Returns the same.
    ///
    /// # Errors
    ///
    /// The error of `source`, or [`SourceError::Unavailable`] where it reads a time after the year 2514. Readings
    /// are then unavailable until the next refresh that succeeds, and [`failed_refreshes`](Self::failed_refreshes)
    /// is one higher.
    pub fn refresh(&self, source: &(impl Source + ?Sized)) -> Result<PhysicalTime, SourceError> {
        let packed = source.now().and_then(|time| match time_word::pack(time) {
            Some(word) => Ok((time, word)),
            None => {
                Err(SourceError::Unavailable("the time is after the year 2514, which a cache cannot keep"))
            }
        });
        match packed {
            Ok((time, word)) => {
                self.keep(word);
                Ok(time)
            }
            Err(error) => {
                self.keep(FAILED);
                // ORDERING: Relaxed. A statistic; nothing is published.
                self.failed_refreshes.fetch_add(1, Ordering::Relaxed);
                Err(error)
            }
        }
    }

    /// Forgets what was kept: reading is an error until the next refresh.
    pub fn clear(&self) {
        self.keep(UNSET);
    }

    /// Returns how often a refresh found no time.
    #[must_use]
    pub fn failed_refreshes(&self) -> u64 {
        // ORDERING: Relaxed. A statistic; nothing is published.
        self.failed_refreshes.load(Ordering::Relaxed)
    }

    fn keep(&self, word: u64) {
        // ORDERING: Relaxed. Nothing is published: a reading is one number, and no reader infers from it
        // what else was written. No test can go red: there is no promise to break.
        self.word.store(word, Ordering::Relaxed);
    }
}

impl Default for CachedSource {
    fn default() -> Self {
        Self::new()
    }
}

impl Source for CachedSource {
    /// # Errors
    ///
    /// [`SourceError::Unavailable`] before the first refresh, after one that failed, and after
    /// [`clear`](Self::clear).
    #[inline]
    fn now(&self) -> Result<PhysicalTime, SourceError> {
        // ORDERING: Relaxed. Nothing is published, as in `keep`.
        let word = self.word.load(Ordering::Relaxed);
        match time_word::unpack(word) {
            Some(time) => Ok(time),
            None => Err(absent(word)),
        }
    }
}

#[cold]
const fn absent(word: u64) -> SourceError {
    SourceError::Unavailable(match word {
        FAILED => "the last refresh of the cache found no time",
        _ => "the cache has not been refreshed",
    })
}

impl fmt::Debug for CachedSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedSource")
            .field("now", &self.now())
            .field("failed_refreshes", &self.failed_refreshes())
            .finish()
    }
}

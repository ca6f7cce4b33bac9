//! `ManualSource`: a clock that shows what it was set to.

use core::time::Duration;

use super::Source;
use crate::{
    PhysicalTime, SourceError,
    sync::{AtomicU64, Ordering, const_fn},
};

/// A clock that stands still until it is set: for tests and simulations.
///
/// It can be shared between threads and set by any of them, forwards and backwards.
///
/// # Units
///
/// Nanoseconds since the Unix epoch in 64 bits: a time after the year 2554 is kept as its last moment.
///
/// ```
/// use hlc::{Clock, source::ManualSource};
///
/// let source = ManualSource::at_millis(1_000);
/// let mut clock = Clock::new(&source);
/// let before = clock.tick()?;
/// source.set_millis(400);
/// assert!(clock.tick()? > before);
/// # Ok::<(), hlc::TickError>(())
/// ```
#[derive(Debug)]
pub struct ManualSource {
    nanos: AtomicU64,
}

impl ManualSource {
    const_fn! {
        /// Makes a clock that shows `millis` milliseconds since the Unix epoch.
        #[must_use]
        pub const fn at_millis(millis: u64) -> Self {
            Self::at(PhysicalTime::from_millis(millis))
        }
    }

    const_fn! {
        /// Makes a clock that shows `time`.
        #[must_use]
        pub const fn at(time: PhysicalTime) -> Self {
            Self { nanos: AtomicU64::new(to_nanos(time)) }
        }
    }

    /// Sets the clock to `millis` milliseconds since the Unix epoch.
    pub fn set_millis(&self, millis: u64) {
        self.set(PhysicalTime::from_millis(millis));
    }

    /// Sets the clock to `time`.
    pub fn set(&self, time: PhysicalTime) {
        // ORDERING: Relaxed. Nothing is published: a reading is one number, and no reader infers from it
        // what else was written. No test can go red: there is no promise to break.
        self.nanos.store(to_nanos(time), Ordering::Relaxed);
    }

    /// Moves the clock forward by `by`, in one atomic step.
    pub fn advance(&self, by: Duration) {
        let by = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
        // ORDERING: Relaxed, twice. Nothing is published, as in `set`; the read-modify-write alone keeps
        // two advances from becoming one. The loop ends because each failure is another's success.
        let _ = self
            .nanos
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |nanos| Some(nanos.saturating_add(by)));
    }
}

const fn to_nanos(time: PhysicalTime) -> u64 {
    match time.to_nanos() {
        Some(nanos) => nanos,
        None => u64::MAX,
    }
}

impl Source for ManualSource {
    #[inline]
    fn now(&self) -> Result<PhysicalTime, SourceError> {
        // ORDERING: Relaxed. Nothing is published, as in `set`.
        Ok(PhysicalTime::from_nanos(self.nanos.load(Ordering::Relaxed)))
    }
}

//! A clock whose source can fail, and what a test wants to know of it.

use core::sync::atomic::{AtomicBool, Ordering};

use hlc::{AtomicClock, PhysicalTime, Source, SourceError, source::ManualSource};

use crate::calls::NOW_MILLIS;

/// A source that stands still, and fails while it is broken.
#[derive(Debug)]
pub(crate) struct Fragile {
    time: ManualSource,
    is_broken: AtomicBool,
}

impl Fragile {
    pub(crate) fn set_millis(&self, millis: u64) {
        self.time.set_millis(millis);
    }

    pub(crate) fn set_broken(&self, is_broken: bool) {
        self.is_broken.store(is_broken, Ordering::Relaxed);
    }
}

impl Source for Fragile {
    fn now(&self) -> Result<PhysicalTime, SourceError> {
        if self.is_broken.load(Ordering::Relaxed) {
            return Err(SourceError::Unavailable("broken for a test"));
        }
        self.time.now()
    }
}

pub(crate) type Clock = AtomicClock<Fragile>;

/// A clock at `NOW_MILLIS`.
pub(crate) const fn clock() -> Clock {
    let time = ManualSource::at_millis(NOW_MILLIS);
    AtomicClock::new(Fragile { time, is_broken: AtomicBool::new(false) })
}

//! `MonotonicSource`: time that passes, whatever the wall clock does.

use super::{Counter, InstantCounter, Source};
use crate::{PhysicalTime, SourceError};

/// Reads how long ago it was first read in this process, as if that had been in 1970.
///
/// It tells no wall time; it is the reference of a [`StepLimit`](super::StepLimit), or the source under an
/// [`Offset`](super::Offset). It never goes back and is never stepped; it may stand still while the machine is
/// suspended (on Linux it does).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct MonotonicSource {
    counter: InstantCounter,
}

impl MonotonicSource {
    /// Makes the source; nothing is read yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { counter: InstantCounter::new() }
    }
}

impl Source for MonotonicSource {
    /// # Errors
    ///
    /// None: it always has a reading.
    #[inline]
    fn now(&self) -> Result<PhysicalTime, SourceError> {
        Ok(PhysicalTime::from_nanos(self.counter.nanos()))
    }
}

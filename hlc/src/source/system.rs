//! `SystemSource`: the clock of the operating system.

use std::time::SystemTime;

use super::Source;
use crate::{PhysicalTime, SourceError};

/// Reads the operating system's wall clock (`CLOCK_REALTIME` where there is one).
///
/// Operators, NTP and hypervisors step this clock in both directions; the hybrid clock above it stays
/// monotonic. To refuse a forward step, put [`StepLimit`](super::StepLimit) before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SystemSource {
    _private: (),
}

impl SystemSource {
    /// Makes the source; nothing is read yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { _private: () }
    }
}

impl Source for SystemSource {
    /// # Errors
    ///
    /// [`SourceError::BeforeUnixEpoch`] where the system clock is set to a moment before 1970.
    #[inline]
    #[expect(clippy::disallowed_methods, reason = "the one place where wall time is read")]
    fn now(&self) -> Result<PhysicalTime, SourceError> {
        match SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) => Ok(PhysicalTime::from_duration(since)),
            Err(_) => Err(SourceError::BeforeUnixEpoch),
        }
    }
}

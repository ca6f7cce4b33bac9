//! `PhysicalTime`: what a physical clock reads.

use core::time::Duration;

/// Nanoseconds in a second.
pub(crate) const NANOS_PER_SEC: u32 = 1_000_000_000;

/// A reading of a physical clock: time since the Unix epoch, to the nanosecond.
///
/// It is what a [`Source`](crate::Source) returns. Leap seconds are not counted, as in POSIX.
///
/// # Units
///
/// Seconds since 1970-01-01T00:00:00Z and nanoseconds of that second, always below 1,000,000,000. A moment
/// before 1970 cannot be written down: a source that reads one returns
/// [`SourceError::BeforeUnixEpoch`](crate::SourceError::BeforeUnixEpoch).
///
/// ```
/// use hlc::PhysicalTime;
///
/// let time = PhysicalTime::new(1_700_000_000, 250_000_000).ok_or("nanoseconds fill a second")?;
/// assert_eq!(time, PhysicalTime::from_millis(1_700_000_000_250));
/// assert!(PhysicalTime::new(0, 1_000_000_000).is_none());
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct PhysicalTime {
    secs: u64,
    /// Below `NANOS_PER_SEC`; every constructor keeps it so.
    nanos: u32,
}

impl PhysicalTime {
    /// 1970-01-01T00:00:00Z.
    pub const UNIX_EPOCH: Self = Self { secs: 0, nanos: 0 };

    /// The last moment that can be written down.
    pub const MAX: Self = Self { secs: u64::MAX, nanos: NANOS_PER_SEC - 1 };

    /// Makes a reading from seconds and nanoseconds, or returns `None` where `nanos` is a second or more.
    #[must_use]
    #[inline]
    pub const fn new(secs: u64, nanos: u32) -> Option<Self> {
        if nanos < NANOS_PER_SEC { Some(Self { secs, nanos }) } else { None }
    }

    /// Makes a reading from whole seconds since the Unix epoch.
    #[must_use]
    #[inline]
    pub const fn from_secs(secs: u64) -> Self {
        Self { secs, nanos: 0 }
    }

    /// Makes a reading from milliseconds since the Unix epoch.
    #[must_use]
    #[inline]
    pub const fn from_millis(millis: u64) -> Self {
        Self::from_duration(Duration::from_millis(millis))
    }

    /// Makes a reading from microseconds since the Unix epoch.
    #[must_use]
    #[inline]
    pub const fn from_micros(micros: u64) -> Self {
        Self::from_duration(Duration::from_micros(micros))
    }

    /// Makes a reading from nanoseconds since the Unix epoch: up to the year 2554.
    #[must_use]
    #[inline]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self::from_duration(Duration::from_nanos(nanos))
    }

    /// Makes a reading from the time since the Unix epoch.
    #[must_use]
    #[inline]
    pub const fn from_duration(since_epoch: Duration) -> Self {
        Self { secs: since_epoch.as_secs(), nanos: since_epoch.subsec_nanos() }
    }

    /// Returns the time since the Unix epoch.
    #[must_use]
    #[inline]
    pub const fn to_duration(self) -> Duration {
        // Always so; asked again because the compiler does not know it, and would keep a panic for the rest.
        if self.nanos < NANOS_PER_SEC {
            Duration::new(self.secs, self.nanos)
        } else {
            Duration::from_secs(self.secs)
        }
    }

    /// Returns nanoseconds since the Unix epoch, or `None` after the year 2554, when 64 bits are full.
    #[must_use]
    #[inline]
    pub const fn to_nanos(self) -> Option<u64> {
        match self.secs.checked_mul(NANOS_PER_SEC as u64) {
            Some(nanos) => nanos.checked_add(self.nanos as u64),
            None => None,
        }
    }

    /// Returns the whole seconds since the Unix epoch.
    #[must_use]
    #[inline]
    pub const fn secs(self) -> u64 {
        self.secs
    }

    /// Returns the nanoseconds of the current second.
    #[must_use]
    #[inline]
    pub const fn subsec_nanos(self) -> u32 {
        self.nanos
    }

    /// Returns how far this reading is ahead of `other`: zero where it is not.
    #[must_use]
    #[inline]
    pub const fn saturating_since(self, other: Self) -> Duration {
        match self.checked_sub(other.to_duration()) {
            Some(rest) => rest.to_duration(),
            None => Duration::ZERO,
        }
    }

    /// Returns the reading `by` later, or `None` past [`MAX`](Self::MAX).
    #[must_use]
    #[inline]
    pub const fn checked_add(self, by: Duration) -> Option<Self> {
        // Two parts of a second are below 2 * 10^9.
        let nanos = self.nanos.wrapping_add(by.subsec_nanos());
        let (carry, nanos) = match nanos.checked_sub(NANOS_PER_SEC) {
            Some(rest) => (1, rest),
            None => (0, nanos),
        };
        match self.secs.checked_add(by.as_secs()) {
            Some(secs) => match secs.checked_add(carry) {
                Some(secs) => Some(Self { secs, nanos }),
                None => None,
            },
            None => None,
        }
    }

    /// Returns the reading `by` earlier, or `None` before the Unix epoch.
    #[must_use]
    pub const fn checked_sub(self, by: Duration) -> Option<Self> {
        let (borrow, nanos) = match self.nanos.checked_sub(by.subsec_nanos()) {
            Some(rest) => (0, rest),
            // Below a second again: what is missing is less than one.
            None => (1, self.nanos.wrapping_add(NANOS_PER_SEC).wrapping_sub(by.subsec_nanos())),
        };
        match self.secs.checked_sub(by.as_secs()) {
            Some(secs) => match secs.checked_sub(borrow) {
                Some(secs) => Some(Self { secs, nanos }),
                None => None,
            },
            None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nanoseconds_stay_below_a_second_in_every_constructor() {
        for time in [
            PhysicalTime::from_millis(1_999),
            PhysicalTime::from_micros(1_999_999),
            PhysicalTime::from_nanos(1_999_999_999),
            PhysicalTime::from_duration(Duration::new(1, 999_999_999)),
        ] {
            assert_eq!(time.secs(), 1);
            assert!(time.subsec_nanos() < NANOS_PER_SEC);
        }
        assert_eq!(PhysicalTime::new(1, NANOS_PER_SEC), None);
        assert_eq!(PhysicalTime::new(u64::MAX, NANOS_PER_SEC - 1), Some(PhysicalTime::MAX));
    }

    /// `Duration` does the same arithmetic, but for its panics.
    #[test]
    fn sums_and_differences_are_those_of_durations() {
        let parts = [0, 1, 499_999_999, 500_000_000, NANOS_PER_SEC - 1];
        let seconds = [0, 1, 2, u64::MAX / 2, u64::MAX - 1, u64::MAX];
        let all = || seconds.iter().flat_map(|&secs| parts.iter().map(move |&nanos| (secs, nanos)));
        for (secs, nanos) in all() {
            let (time, since_epoch) = (PhysicalTime::new(secs, nanos).unwrap(), Duration::new(secs, nanos));
            assert_eq!(time.to_duration(), since_epoch);
            for (by, part) in all() {
                let by = Duration::new(by, part);
                let of = |duration: Duration| PhysicalTime::from_duration(duration);
                assert_eq!(time.checked_add(by), since_epoch.checked_add(by).map(of), "{time:?} + {by:?}");
                assert_eq!(time.checked_sub(by), since_epoch.checked_sub(by).map(of), "{time:?} - {by:?}");
                assert_eq!(time.saturating_since(of(by)), since_epoch.saturating_sub(by), "{time:?} {by:?}");
            }
        }
    }

    #[test]
    fn nanoseconds_since_the_epoch_end_where_64_bits_are_full() {
        let end = PhysicalTime::from_nanos(u64::MAX);
        assert_eq!(end.to_nanos(), Some(u64::MAX));
        assert_eq!(end.checked_add(Duration::from_nanos(1)).unwrap().to_nanos(), None);
        assert_eq!(PhysicalTime::MAX.checked_add(Duration::from_nanos(1)), None);
        assert_eq!(PhysicalTime::UNIX_EPOCH.checked_sub(Duration::from_nanos(1)), None);
    }
}

//! The two clocks of the protocol: `Moment` is the issuer's, `BootTime` the holder's. They never compare.

use core::time::Duration;

/// A reading of the issuer's clock: an era, and the time within it.
///
/// The one who judges expiry reads it: a server for all its clients, or on one host whichever process looks.
/// An era is one unbroken run of that clock, as a boot id. Moments of two eras have no order, and a lease of
/// another era is over.
///
/// # Units
///
/// Nanoseconds since a beginning that is the engine's choice, and fixed within the era; 584 years fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Moment {
    era: u128,
    nanos: u64,
}

impl Moment {
    /// Makes a reading of an era, in nanoseconds since its beginning.
    #[must_use]
    pub const fn new(era: u128, nanos: u64) -> Self {
        Self { era, nanos }
    }

    /// Returns the era.
    #[must_use]
    pub const fn era(self) -> u128 {
        self.era
    }

    /// Returns the nanoseconds since the beginning of the era.
    #[must_use]
    pub const fn nanos(self) -> u64 {
        self.nanos
    }

    /// Returns the moment `wait` later in the same era.
    ///
    /// # Overflow
    ///
    /// `None` beyond the end of the era's range.
    #[must_use]
    pub fn checked_add(self, wait: Duration) -> Option<Self> {
        let wait = u64::try_from(wait.as_nanos()).ok()?;
        Some(Self { era: self.era, nanos: self.nanos.checked_add(wait)? })
    }

    /// Returns how long it is until `later`, or `None` where that moment has come or is of another era.
    #[must_use]
    pub fn until(self, later: Self) -> Option<Duration> {
        let nanos = later.nanos.checked_sub(self.nanos).filter(|nanos| *nanos > 0)?;
        (self.era == later.era).then_some(Duration::from_nanos(nanos))
    }

    /// Returns the later of two moments of one era, and the first of two that do not compare.
    pub(crate) fn max_of_era(self, other: Self) -> Self {
        if self.until(other).is_some() { other } else { self }
    }
}

/// A reading of the holder's own clock, which must run through suspend: `CLOCK_BOOTTIME` on Linux.
///
/// It counts from any beginning that stays the same for the life of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BootTime(Duration);

impl BootTime {
    /// Makes a reading of the time since the clock's beginning.
    #[must_use]
    pub const fn new(since: Duration) -> Self {
        Self(since)
    }

    /// Returns the time since the clock's beginning.
    #[must_use]
    pub const fn since_start(self) -> Duration {
        self.0
    }

    /// Returns the reading `wait` later.
    ///
    /// # Overflow
    ///
    /// Stays at the greatest reading.
    #[must_use]
    pub const fn saturating_add(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(wait))
    }

    /// Returns how long it is until `later`: zero where that reading has come.
    #[must_use]
    pub const fn until(self, later: Self) -> Duration {
        later.0.saturating_sub(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_that_has_come_or_is_of_another_era_is_not_ahead() {
        let now = Moment::new(7, 100);
        assert_eq!(now.until(Moment::new(7, 101)), Some(Duration::from_nanos(1)));
        for over in [Moment::new(7, 100), Moment::new(7, 99), Moment::new(8, u64::MAX), Moment::new(6, 101)] {
            assert_eq!(now.until(over), None, "{over:?}");
            assert_eq!(now.max_of_era(over), now, "{over:?}");
        }
        assert_eq!(now.max_of_era(Moment::new(7, 101)), Moment::new(7, 101));
    }

    #[test]
    fn the_end_of_the_range_is_none_and_does_not_wrap() {
        let late = Moment::new(0, u64::MAX - 1);
        assert_eq!(late.checked_add(Duration::from_nanos(1)), Some(Moment::new(0, u64::MAX)));
        assert_eq!(late.checked_add(Duration::from_nanos(2)), None);
        assert_eq!(late.checked_add(Duration::MAX), None);
        assert_eq!(BootTime::new(Duration::MAX).saturating_add(Duration::MAX), BootTime::new(Duration::MAX));
    }
}

//! `Ttl`, and the deadline rule.

use core::time::Duration;

use super::BootTime;

/// How long a lease lasts at the issuer, unless it is renewed.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use epoch_fence::protocol::Ttl;
///
/// let ttl = Ttl::new(Duration::from_secs(10)).ok_or("not a time to live")?;
/// assert_eq!(ttl.margin(), Duration::from_millis(1_250));
/// assert_eq!(Ttl::new(Duration::from_millis(499)), None);
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ttl(Duration);

impl Ttl {
    /// The shortest: twice the least margin, so that a holder has something left.
    pub const MIN: Self = Self(Duration::from_millis(500));

    /// The longest: one day. A record whose end is further away is refused as a forgery or rot; else one bad
    /// number would lock everybody out for ever.
    pub const MAX: Self = Self(Duration::from_secs(86_400));

    /// The margin of a short lease: the pauses and roundings that no share of it covers.
    const LEAST_MARGIN: Duration = Duration::from_millis(250);

    /// Makes a time to live, or `None` outside [`MIN`](Self::MIN) and [`MAX`](Self::MAX).
    #[must_use]
    pub fn new(length: Duration) -> Option<Self> {
        (Self::MIN.0 <= length && length <= Self::MAX.0).then_some(Self(length))
    }

    /// Returns the length.
    #[must_use]
    pub const fn get(self) -> Duration {
        self.0
    }

    /// Returns by how much the holder stops earlier than the issuer: an eighth, and at least 250 ms.
    ///
    /// An eighth covers a holder's clock that runs slow by as much against the issuer's.
    #[must_use]
    pub fn margin(self) -> Duration {
        self.0.checked_div(8).unwrap_or(Self::LEAST_MARGIN).max(Self::LEAST_MARGIN)
    }
}

/// Returns until when a holder may believe in its lease: the time at which *this* request was sent, plus what
/// the issuer said was left, minus the [margin](Ttl::margin).
///
/// Counted from the reply, the journey of the reply would be added to the lease, and a holder stopped before it
/// reads the reply would begin a lease that is over.
///
/// It is best effort: a hypervisor that stops the whole machine may stop this clock too. The gate is the
/// guarantee.
///
/// # Overflow
///
/// Stays at the clock's greatest reading; never before `sent`. What the issuer says beyond `ttl` is not
/// believed.
#[must_use]
pub fn deadline(sent: BootTime, remaining: Duration, ttl: Ttl) -> BootTime {
    sent.saturating_add(remaining.min(ttl.get()).saturating_sub(ttl.margin()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(millis: u64) -> BootTime {
        BootTime::new(Duration::from_millis(millis))
    }

    #[test]
    fn the_margin_is_an_eighth_and_at_least_a_quarter_of_a_second() {
        let rows = [(500, 250), (1_999, 250), (2_000, 250), (2_008, 251), (86_400_000, 10_800_000)];
        for (ttl, margin) in rows {
            let ttl = Ttl::new(Duration::from_millis(ttl)).unwrap();
            assert_eq!(ttl.margin(), Duration::from_millis(margin), "{ttl:?}");
        }
        for outside in [0, 499, 86_400_001, u64::MAX] {
            assert_eq!(Ttl::new(Duration::from_millis(outside)), None);
        }
    }

    #[test]
    fn the_deadline_counts_from_the_sending_and_never_believes_more_than_was_asked() {
        let ttl = Ttl::new(Duration::from_secs(8)).unwrap();
        assert_eq!(deadline(at(1_000), Duration::from_secs(8), ttl), at(8_000));
        assert_eq!(deadline(at(1_000), Duration::from_secs(3), ttl), at(3_000));
        assert_eq!(deadline(at(1_000), Duration::from_secs(1), ttl), at(1_000), "nothing is left");
        assert_eq!(deadline(at(1_000), Duration::ZERO, ttl), at(1_000));
        assert_eq!(deadline(at(1_000), Duration::MAX, ttl), at(8_000), "a forged remainder");
        let end = BootTime::new(Duration::MAX);
        assert_eq!(deadline(end, Duration::MAX, ttl), end);
    }
}

//! `MaxAdvance` and `MaxPermits`: what a gate accepts at once.

use core::fmt;
use core::num::NonZeroU32;

use super::word::COUNT_BITS;
use crate::Epoch;

/// How far above a gate's floor the epoch of a token may be.
///
/// It catches rot and forged maxima, which would lock every honest holder out. It is no defence against a
/// forger who counts: whoever can mint tokens can mint the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum MaxAdvance {
    /// At most this many tenures above the floor, and never above [`Epoch::MAX_ISSUED`].
    AtMost(u64),
    /// Any epoch. One forged token can then end the resource's life, since nothing is above [`Epoch::MAX`].
    Unbounded,
}

impl MaxAdvance {
    /// At most 2^32 tenures. Generous because the epochs of some issuers have gaps: those made of an etcd
    /// revision rise with every write to the store.
    pub const DEFAULT: Self = Self::AtMost(1 << 32);

    /// The greatest distance from `floor` that is accepted.
    pub(crate) const fn above(self, floor: Epoch) -> u64 {
        match self {
            Self::AtMost(limit) => {
                let left = Epoch::MAX_ISSUED.get().saturating_sub(floor.get());
                if limit < left { limit } else { left }
            }
            Self::Unbounded => u64::MAX,
        }
    }
}

impl Default for MaxAdvance {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// How many permits of a gate may be alive at one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct MaxPermits(NonZeroU32);

// Callers that are about to be refused are in the count as well, for a few instructions each: the other half
// of the field is theirs.
const _: () = assert!(MaxPermits::MAX.get() < 1 << (COUNT_BITS - 1), "half of the count is left over");

impl MaxPermits {
    /// 65,536 permits.
    pub const DEFAULT: Self = Self::saturating(1 << 16);

    /// 2^21 - 1 permits: half of the count of a gate's word, so that it cannot run over.
    pub const MAX: Self = Self::saturating((1 << 21) - 1);

    /// Makes a bound, or `None` of zero and of what is above [`MAX`](Self::MAX).
    #[must_use]
    pub const fn new(permits: u32) -> Option<Self> {
        match NonZeroU32::new(permits) {
            Some(bound) if permits <= Self::MAX.get() => Some(Self(bound)),
            _ => None,
        }
    }

    /// Returns the number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0.get()
    }

    const fn saturating(permits: u32) -> Self {
        match NonZeroU32::new(permits) {
            Some(permits) => Self(permits),
            None => Self(NonZeroU32::MIN),
        }
    }
}

impl Default for MaxPermits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl fmt::Display for MaxPermits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bounds_are_where_they_are_said_to_be() {
        let of = |permits| MaxPermits::new(permits).map(MaxPermits::get);
        assert_eq!((of(0), of(1)), (None, Some(1)));
        assert_eq!((of(2_097_151), of(2_097_152)), (Some(2_097_151), None));
        assert_eq!((MaxPermits::default().get(), MaxPermits::MAX.get()), (65_536, 2_097_151));
        assert_eq!((MaxPermits::saturating(0).get(), MaxPermits::saturating(7).get()), (1, 7));
        assert_eq!(MaxAdvance::default(), MaxAdvance::AtMost(4_294_967_296));
        let below = Epoch::new(Epoch::MAX_ISSUED.get() - 3).unwrap();
        assert_eq!(MaxAdvance::AtMost(2).above(below), 2);
        assert_eq!(MaxAdvance::AtMost(4).above(below), 3);
        assert_eq!(MaxAdvance::AtMost(4).above(Epoch::MAX), 0);
        assert_eq!(MaxAdvance::Unbounded.above(Epoch::MAX), u64::MAX);
    }
}

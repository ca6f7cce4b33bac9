//! `Wait`: how long an acquire goes on while somebody else holds.

use core::time::Duration;

use super::NotAcquired;
use crate::GrantId;

/// How long [`Issuer::acquire_with`](crate::Issuer::acquire_with) tries while the resource is held or kept for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Wait {
    /// One attempt.
    AtOnce,
    /// Attempts until this long from now, with growing, jittered pauses.
    AtMost(Duration),
}

impl Wait {
    pub(crate) const fn limit(self) -> Duration {
        match self {
            Self::AtOnce => Duration::ZERO,
            Self::AtMost(limit) => limit,
        }
    }
}

/// The shortest pause between two attempts, before jitter.
const LEAST: Duration = Duration::from_millis(20);

/// How often the pause doubles: up to 1.28 s. A release is noticed so much later at most.
const DOUBLINGS: u32 = 6;

/// How long to pause after `round` attempts, the last of which was that of `grant`; `None` when it is not to be tried
/// again.
pub(crate) fn pause_after<E>(
    why: &NotAcquired<E>,
    round: u32,
    left: Duration,
    grant: GrantId,
) -> Option<Duration> {
    let in_the_way = match why {
        NotAcquired::Held { remaining, .. } | NotAcquired::Reserved { remaining, .. } => Some(*remaining),
        NotAcquired::Contended | NotAcquired::Superseded => None,
        NotAcquired::Refused(_)
        | NotAcquired::Failed(_)
        | NotAcquired::Indeterminate(..)
        | NotAcquired::Impossible(_) => return None,
        #[cfg(feature = "getrandom")]
        NotAcquired::Random(_) => return None,
    };
    // The grant of a lost attempt identifies nothing any more; its bits are as random as any.
    let bits = u64::try_from(grant.get() & u128::from(u64::MAX)).unwrap_or(u64::MAX);
    pause(round, in_the_way, left, bits)
}

/// How long to pause after `round` attempts: twice as long each time, no longer than the lease lasts that is in
/// the way, then any length between the half and the whole of it, by the random `bits`. So that those who wait do
/// not come all at once. Not beyond what is `left`; `None` when nothing is.
fn pause(round: u32, in_the_way: Option<Duration>, left: Duration, bits: u64) -> Option<Duration> {
    let grown = LEAST.saturating_mul(1 << round.min(DOUBLINGS));
    let whole = in_the_way.map_or(grown, |remaining| grown.min(remaining)).max(LEAST);
    let half = u64::try_from(whole.as_nanos()).unwrap_or(u64::MAX) >> 1;
    // The upper half of the product is uniform in 0..half.
    let jitter = u64::try_from((u128::from(half).saturating_mul(u128::from(bits))) >> 64).unwrap_or(half);
    let pause = Duration::from_nanos(half.saturating_add(jitter)).min(left);
    (!pause.is_zero()).then_some(pause)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn pauses_double_up_to_a_bound_and_jitter_covers_the_upper_half_of_each() {
        for (round, whole) in [(0, 20), (1, 40), (5, 640), (6, 1_280), (7, 1_280), (u32::MAX, 1_280)] {
            let least = pause(round, None, LONG, 0).unwrap();
            let most = pause(round, None, LONG, u64::MAX).unwrap();
            assert_eq!(least, Duration::from_millis(whole / 2), "round {round}");
            assert!(most < Duration::from_millis(whole), "round {round}");
            assert!(most > Duration::from_millis(whole) - Duration::from_micros(1), "round {round}");
        }
    }

    #[cfg(feature = "getrandom")]
    #[test]
    fn without_randomness_nothing_is_tried_again() {
        let why = NotAcquired::<()>::Random(crate::RandomUnavailable::new(getrandom::Error::UNSUPPORTED));
        let grant = GrantId::from_random_bits(1).unwrap();
        assert_eq!(pause_after(&why, 0, LONG, grant), None);
    }

    #[test]
    fn the_lower_half_of_a_lost_grant_decides_and_what_is_final_is_not_tried_again() {
        use crate::protocol::{Impossible, Refusal};

        let after = |why: NotAcquired<()>, bits| {
            let grant = GrantId::from_random_bits(bits).unwrap();
            pause_after(&why, 0, LONG, grant).map(|pause| pause.as_micros())
        };
        for why in [NotAcquired::Contended, NotAcquired::Superseded] {
            assert_eq!(after(why, 1 << 64), Some(10_000), "{why:?}");
            assert_eq!(after(why, (1 << 64) | (1 << 63)), Some(15_000), "{why:?}");
        }
        let final_ones = [
            NotAcquired::Failed(()),
            NotAcquired::Refused(Refusal::GrantUsed),
            NotAcquired::Impossible(Impossible::NotAsAsked),
        ];
        assert_eq!(final_ones.map(|why| after(why, 1)), [None; 3]);
    }

    #[test]
    fn a_pause_ends_about_when_the_lease_in_the_way_does_and_never_after_the_limit() {
        let soon = Duration::from_millis(100);
        assert!(pause(6, Some(soon), LONG, u64::MAX).unwrap() <= soon);
        assert_eq!(pause(6, Some(LONG), soon, 0), Some(soon));
        assert_eq!(pause(6, Some(LONG), Duration::ZERO, 0), None);
        assert!(pause(0, Some(Duration::ZERO), LONG, 0).unwrap() >= LEAST / 2, "no spinning");
    }
}

//! The rule: what each call does to the one number a clock keeps. Nowhere else is it written.
//!
//! Every function is pure and total: the clock's last time and what happened go in, the new last time or the
//! reason for a refusal comes out. `END` is the last time there is. The clocks use [`WORD_END`]; the tests
//! use the end of a byte, and so can try everything.

use core::num::NonZeroU32;

#[cfg(feature = "durable")]
use crate::BoundReached;
use crate::{EndReserved, Exhausted, JumpExceeded, MaxJump, MergeError, ObserveError, Time};

/// The end of the clocks' own word.
pub(crate) const WORD_END: u64 = Time::MAX.get();

const _: () = assert!(accepted_end::<WORD_END>() == Time::MAX_ACCEPTED.get(), "the rule and the docs agree");

/// The greatest time taken from elsewhere under a bound: half of the range, so that the other half is left
/// for the clock's own events.
const fn accepted_end<const END: u64>() -> u64 {
    END >> 1
}

/// Whether a clock at `last` already knows `remote`: then there is nothing to move, and nothing to refuse.
pub(crate) const fn covers(last: Time, remote: Time) -> bool {
    remote.get() <= last.get()
}

/// `count` events of the clock's own (IR1): they get the times above `last`, up to the returned one.
pub(crate) fn issue<const END: u64>(last: Time, count: NonZeroU32) -> Result<Time, Exhausted> {
    match last.get().checked_add(u64::from(count.get())) {
        Some(next) if next <= END => Ok(Time::new(next)),
        _ => Err(Exhausted::new(last, count)),
    }
}

/// Knowledge that was agreed on elsewhere: the greater of the two, whatever it is.
pub(crate) fn commit(last: Time, remote: Time) -> Time {
    last.max(remote)
}

/// Knowledge from this node's own past: any distance, but not into the half kept for own events.
pub(crate) fn resume<const END: u64>(last: Time, after: Time) -> Result<Time, EndReserved> {
    if !covers(last, after) && after.get() > accepted_end::<END>() {
        return Err(EndReserved::new(after));
    }
    Ok(commit(last, after))
}

/// Knowledge from a peer, checked first (the raising half of IR2).
pub(crate) fn merge<const END: u64>(last: Time, remote: Time, max_jump: MaxJump) -> Result<Time, MergeError> {
    match max_jump {
        MaxJump::Unbounded => Ok(commit(last, remote)),
        MaxJump::AtMost(limit) => {
            // Zero where the clock covers the time, so that no limit refuses it.
            let ahead = remote.get().saturating_sub(last.get());
            if ahead > limit {
                return Err(JumpExceeded::new(ahead, limit).into());
            }
            Ok(resume::<END>(last, remote)?)
        }
    }
}

/// A message from a peer (IR2): its time is merged, and the receive event gets the next one. Both or neither.
pub(crate) fn observe<const END: u64>(
    last: Time,
    remote: Time,
    max_jump: MaxJump,
) -> Result<Time, ObserveError> {
    Ok(issue::<END>(merge::<END>(last, remote, max_jump)?, NonZeroU32::MIN)?)
}

/// What a step may come to, of a clock that may not stand above `bound`: whatever the step, the same test.
#[cfg(feature = "durable")]
pub(crate) const fn within(next: Time, bound: Time) -> Result<Time, BoundReached> {
    if next.get() > bound.get() {
        return Err(BoundReached::new(next, bound));
    }
    Ok(next)
}

/// As [`within`], of a clock that learns. What moves nothing is not refused: where another thread has raised the bound and
/// the clock since, the bound that was loaded is below the clock.
#[cfg(all(feature = "durable", feature = "std", any(target_has_atomic = "64", feature = "portable-atomic")))]
pub(crate) const fn learned(last: Time, next: Time, bound: Time) -> Result<Time, BoundReached> {
    if next.get() == last.get() { Ok(last) } else { within(next, bound) }
}

/// Who moved a clock, as far as [`invariant`] cares.
#[cfg(test)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mover {
    /// The clock's own events.
    Own,
    /// A time from elsewhere, under a bound.
    Bounded,
    /// A time from elsewhere, by a loud choice.
    Unbounded,
}

/// What is true of every step from `before` to `after`, whatever the call: the clock does not go back, stays
/// in its range, and is not brought near the end by anyone but itself.
#[cfg(test)]
pub(crate) const fn invariant<const END: u64>(before: Time, after: Time, mover: Mover) -> bool {
    let never_back = before.get() <= after.get();
    let in_range = after.get() <= END;
    // One above the accepted end, because an observed message is followed by its receive event.
    let keeps_half = match mover {
        Mover::Bounded => {
            after.get() <= before.get().saturating_add(1) || after.get() <= (END / 2).saturating_add(1)
        }
        Mover::Own | Mover::Unbounded => true,
    };
    never_back && in_range && keeps_half
}

/// Every state and every input of a clock whose range ends at 255. The expected numbers are computed in 32
/// bits, from the words of the paper and of the docs, not from the code above.
#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    const END: u64 = 255;
    /// 0 to 127 are accepted from elsewhere.
    const HALF: u64 = 127;

    fn limits() -> impl Iterator<Item = MaxJump> {
        // One more limit than there are distances.
        (0..=END + 1).map(MaxJump::AtMost).chain([MaxJump::Unbounded])
    }

    fn pairs() -> impl Iterator<Item = (u64, u64)> {
        (0..=END).flat_map(|last| (0..=END).map(move |remote| (last, remote)))
    }

    /// Others have raised the bound and then the clock since it was loaded.
    #[cfg(all(
        feature = "durable",
        feature = "std",
        any(target_has_atomic = "64", feature = "portable-atomic")
    ))]
    #[test]
    fn what_the_clock_knows_is_not_refused_at_a_stale_bound() {
        for (last, remote) in pairs() {
            let (last, remote) = (Time::new(last), Time::new(remote));
            for bound in (0..last.get()).map(Time::new) {
                let learned = learned(last, commit(last, remote), bound);
                assert_eq!(learned.is_ok(), covers(last, remote), "{last} {remote} {bound}");
                assert!(learned.is_err() || learned == Ok(last));
            }
        }
    }

    #[test]
    fn own_events_get_the_next_times_or_none_at_all() {
        let mut refused = 0;
        for last in 0..=END {
            for count in (1..=300).chain([u32::MAX]).map(|count| NonZeroU32::new(count).unwrap()) {
                let wanted = last + u64::from(count.get());
                match issue::<END>(Time::new(last), count) {
                    Ok(next) => {
                        assert_eq!(next.get(), wanted, "{last} {count}");
                        assert!(invariant::<END>(Time::new(last), next, Mover::Own));
                    }
                    Err(why) => {
                        assert!(wanted > END, "{last} {count}");
                        assert_eq!((why.after(), why.wanted()), (Time::new(last), count));
                        refused += 1;
                    }
                }
            }
        }
        assert!(refused > 0);
    }

    /// The byte's sums cannot overflow 64 bits; those of the clocks' own word can.
    #[test]
    fn at_the_end_of_the_clocks_own_word_a_sum_that_overflows_is_refused_as_well() {
        for left in 0..=300 {
            let last = Time::new(WORD_END - left);
            for count in (1..=300).chain([u32::MAX]).map(|count| NonZeroU32::new(count).unwrap()) {
                let issued = issue::<WORD_END>(last, count);
                assert_eq!(issued.is_ok(), u64::from(count.get()) <= left, "{left} left, {count} wanted");
            }
            let observed = observe::<WORD_END>(Time::ZERO, last, MaxJump::Unbounded);
            assert_eq!(observed.ok(), last.checked_next());
        }
    }

    #[test]
    fn a_merge_is_the_maximum_or_is_refused_for_a_reason_that_holds() {
        for (last, remote) in pairs() {
            for max_jump in limits() {
                let row = (last, remote, max_jump);
                let (too_far, reserved) = match max_jump {
                    MaxJump::AtMost(limit) => (remote > last + limit, remote > last && remote > HALF),
                    MaxJump::Unbounded => (false, false),
                };
                match merge::<END>(Time::new(last), Time::new(remote), max_jump) {
                    Ok(next) => {
                        assert!(!too_far && !reserved, "{row:?}");
                        assert_eq!(next.get(), last.max(remote), "{row:?}");
                        let mover =
                            if max_jump == MaxJump::Unbounded { Mover::Unbounded } else { Mover::Bounded };
                        assert!(invariant::<END>(Time::new(last), next, mover), "{row:?}");
                    }
                    Err(MergeError::JumpExceeded(why)) => {
                        assert!(too_far, "{row:?}");
                        assert_eq!(MaxJump::AtMost(why.limit()), max_jump);
                        assert_eq!(last + why.ahead(), remote);
                    }
                    #[cfg(feature = "durable")]
                    Err(MergeError::Bound(_)) => panic!("there is no bound"),
                    Err(MergeError::EndReserved(why)) => {
                        assert!(reserved && !too_far, "{row:?}");
                        assert_eq!(why.remote().get(), remote);
                    }
                }
            }
        }
    }

    #[test]
    fn an_observed_message_gets_one_above_the_maximum_or_is_refused_as_its_parts_would_be() {
        let mut exhausted = 0;
        for (last, remote) in pairs() {
            for max_jump in limits() {
                let row = (last, remote, max_jump);
                let merged = merge::<END>(Time::new(last), Time::new(remote), max_jump);
                match (observe::<END>(Time::new(last), Time::new(remote), max_jump), merged) {
                    (Ok(next), Ok(_)) => {
                        assert_eq!(next.get(), last.max(remote) + 1, "{row:?}");
                        let mover =
                            if max_jump == MaxJump::Unbounded { Mover::Unbounded } else { Mover::Bounded };
                        assert!(invariant::<END>(Time::new(last), next, mover), "{row:?}");
                    }
                    (Err(ObserveError::Exhausted(why)), Ok(_)) => {
                        assert_eq!(last.max(remote), END, "{row:?}");
                        assert_eq!(why.after().get(), END);
                        exhausted += 1;
                    }
                    (Err(why), Err(merge)) => assert_eq!(why, merge.into(), "{row:?}"),
                    (observed, merged) => panic!("{row:?}: {observed:?} but {merged:?}"),
                }
            }
        }
        assert!(exhausted > 0);
    }

    #[test]
    fn what_a_clock_covers_is_never_refused() {
        for (last, remote) in pairs().filter(|(last, remote)| remote <= last) {
            let (last, remote) = (Time::new(last), Time::new(remote));
            assert!(covers(last, remote));
            assert_eq!(resume::<END>(last, remote), Ok(last));
            for max_jump in limits() {
                assert_eq!(merge::<END>(last, remote, max_jump), Ok(last));
            }
        }
    }

    #[test]
    fn no_bounded_step_takes_away_the_half_kept_for_own_events() {
        for (last, remote) in pairs().filter(|(last, _)| *last <= HALF) {
            let (last, remote) = (Time::new(last), Time::new(remote));
            let widest = MaxJump::AtMost(u64::MAX);
            let after = [
                merge::<END>(last, remote, widest).unwrap_or(last),
                observe::<END>(last, remote, widest).unwrap_or(last),
                resume::<END>(last, remote).unwrap_or(last),
            ];
            for after in after {
                let left = END - after.get();
                assert!(left >= HALF, "{last:?} {remote:?}: {left} left");
            }
        }
    }

    #[test]
    fn a_resume_goes_any_distance_but_not_into_the_kept_half() {
        for (last, after) in pairs() {
            match resume::<END>(Time::new(last), Time::new(after)) {
                Ok(next) => {
                    assert!(after <= last || after <= HALF);
                    assert_eq!(next.get(), last.max(after));
                    assert!(invariant::<END>(Time::new(last), next, Mover::Bounded));
                }
                Err(why) => {
                    assert!(after > last && after > HALF);
                    assert_eq!(why.remote().get(), after);
                }
            }
        }
    }

    #[cfg(feature = "durable")]
    #[test]
    fn a_step_within_the_bound_is_the_step_and_one_above_it_is_refused_with_what_it_needs() {
        for (last, remote) in pairs() {
            for bound in last..=END {
                let step = observe::<END>(Time::new(last), Time::new(remote), MaxJump::Unbounded);
                let Ok(next) = step else { continue };
                match within(next, Time::new(bound)) {
                    Ok(within) => assert!(within == next && within.get() <= bound),
                    Err(why) => {
                        assert!(next.get() > bound);
                        assert_eq!((why.needed(), why.bound()), (next, Time::new(bound)));
                    }
                }
            }
        }
    }

    #[test]
    fn merges_commute_associate_and_repeat_wherever_nothing_is_refused() {
        let limits = [0, 1, 2, 40, 127, 255].map(MaxJump::AtMost).into_iter().chain([MaxJump::Unbounded]);
        let times: Vec<Time> = (0..=END).step_by(3).chain([HALF, HALF + 1]).map(Time::new).collect();
        for max_jump in limits {
            let merge = |last, remote| merge::<END>(last, remote, max_jump).ok();
            for &last in &times {
                for &a in &times {
                    let Some(with_a) = merge(last, a) else { continue };
                    assert_eq!(merge(with_a, a), Some(with_a));
                    for &b in &times {
                        let Some(with_b) = merge(last, b) else { continue };
                        let (Some(ab), Some(ba)) = (merge(with_a, b), merge(with_b, a)) else {
                            panic!("accepted alone, refused after another: {last:?} {a:?} {b:?} {max_jump:?}")
                        };
                        assert_eq!(ab, ba);
                        assert_eq!(merge(last, a.max(b)), Some(ab));
                    }
                }
            }
        }
    }
}

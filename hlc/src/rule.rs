//! The rule of the clock, written once, on plain words.
//!
//! Both clocks, the model tests and the fuzzers call [`step`]. A word is a packed timestamp, physical time
//! above counter, and zero before the first. On such words the rule of Kulkarni et al. 2014 (figure 5) is
//! short: the next stamp is the greater of "one above everything known" and "physical time, counter zero",
//! because a counter that runs over carries into physical time by the addition itself.
//!
//! The rule knows no units and no layout: [`Event`] brings physical time as a word, and each limit as the
//! greatest word it lets through. `end` is the greatest word there is, so that the whole rule runs at
//! 8-bit width in the tests.

use core::num::NonZeroU32;

/// What happens to a clock. Every limit is inclusive; `u64::MAX` stands for none.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Event {
    /// `count` local events: they get consecutive stamps, and the state becomes the last of them.
    Tick { floor: u64, count: NonZeroU32, lead_ceiling: u64 },
    /// A message with the stamp `remote` arrived: its receipt is an event and gets a stamp.
    Observe { floor: u64, remote: u64, skew_ceiling: u64, lead_ceiling: u64 },
    /// The stamp `remote` became known; nothing happened.
    Merge { remote: u64, skew_ceiling: u64 },
}

#[cfg(feature = "durable")]
impl Event {
    /// Physical time as the event knows it: zero where it does not.
    pub(crate) const fn floor(self) -> u64 {
        match self {
            Self::Tick { floor, .. } | Self::Observe { floor, .. } => floor,
            Self::Merge { .. } => 0,
        }
    }

    /// The same event where physical time is not known: what it needs then, it needs whatever the time is.
    #[cfg(all(feature = "std", any(target_has_atomic = "64", feature = "portable-atomic")))]
    pub(crate) const fn without_time(self) -> Self {
        match self {
            Self::Tick { count, lead_ceiling, .. } => Self::Tick { floor: 0, count, lead_ceiling },
            Self::Observe { remote, skew_ceiling, lead_ceiling, .. } => {
                Self::Observe { floor: 0, remote, skew_ceiling, lead_ceiling }
            }
            Self::Merge { .. } => self,
        }
    }
}

/// Why a step is refused. The state stays as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The successor of the remote stamp is above the ceiling for remote stamps.
    Skew,
    /// The new state would be this word, above the ceiling for the clock's own stamps.
    Lead(u64),
    /// There is no word above the last one, or above the remote one.
    Exhausted,
    /// The new state would be `needed`, above the durable `bound`.
    #[cfg(feature = "durable")]
    Bound { needed: u64, bound: u64 },
}

/// Applies `event` to a clock whose greatest word so far is `last`, and returns the new state.
///
/// Total: every state, event and `end` gives a state or a refusal.
#[inline]
pub(crate) const fn step(last: u64, event: Event, end: u64) -> Result<u64, Refusal> {
    match event {
        Event::Tick { floor, count, lead_ceiling } => issue(last, floor, count, lead_ceiling, end),
        Event::Observe { floor, remote, skew_ceiling, lead_ceiling } => {
            match admit(last, remote, skew_ceiling, end) {
                Ok(known) => issue(known, floor, NonZeroU32::MIN, lead_ceiling, end),
                Err(refusal) => Err(refusal),
            }
        }
        Event::Merge { remote, skew_ceiling } => admit(last, remote, skew_ceiling, end),
    }
}

/// [`step`] of a clock that may not come to stand above `bound`, whatever the event.
///
/// A state within the bound thus stays within it. What moves nothing is not refused: where another thread has raised the
/// bound and the clock since, the bound that was loaded is below the clock.
#[cfg(feature = "durable")]
#[inline]
pub(crate) const fn step_below(last: u64, event: Event, bound: u64, end: u64) -> Result<u64, Refusal> {
    match step(last, event, end) {
        // Asked of the event first: a caller that issues knows it when it is compiled, and need not keep `last`.
        Ok(needed) if needed > bound && !(matches!(event, Event::Merge { .. }) && needed == last) => {
            Err(Refusal::Bound { needed, bound })
        }
        result => result,
    }
}

/// Returns the first of `count` stamps whose last is `new`: what [`step`] of a `Tick` issued.
#[inline]
pub(crate) const fn first_of(new: u64, count: NonZeroU32) -> u64 {
    new.saturating_sub(count.get() as u64).saturating_add(1)
}

/// Holds between any two states of a clock, whatever happened between them.
#[cfg(test)]
pub(crate) const fn invariant(before: u64, after: u64, end: u64) -> bool {
    before <= after && after <= end
}

/// `count` stamps above `known` and not below `floor`: returns the last.
#[inline]
const fn issue(
    known: u64,
    floor: u64,
    count: NonZeroU32,
    lead_ceiling: u64,
    end: u64,
) -> Result<u64, Refusal> {
    // Where `known` is above `floor - 1`, the next stamp is above `known`; else it is the floor itself. A
    // floor of zero is the layout's epoch with counter zero, and zero is no stamp: the next is one.
    let below = if known >= floor { known } else { floor.saturating_sub(1) };
    let Some(new) = below.checked_add(count.get() as u64) else {
        return Err(Refusal::Exhausted);
    };
    if new > end {
        return Err(Refusal::Exhausted);
    }
    if new > lead_ceiling {
        return Err(Refusal::Lead(new));
    }
    Ok(new)
}

/// The greater of `last` and `remote`, where `remote` may be admitted.
///
/// What counts is the remote stamp's successor, the least stamp that its receipt can get: with the counter
/// full at the very limit, the receipt would carry past it, and peers would refuse what we issue.
#[inline]
const fn admit(last: u64, remote: u64, skew_ceiling: u64, end: u64) -> Result<u64, Refusal> {
    if remote <= last {
        return Ok(last);
    }
    if remote >= skew_ceiling && skew_ceiling < end {
        return Err(Refusal::Skew);
    }
    if remote >= end {
        return Err(Refusal::Exhausted);
    }
    Ok(remote)
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "the naive form computes in numbers too wide to overflow")]
mod tests {
    use super::*;

    const END: u64 = 0xff;

    fn count(n: u32) -> NonZeroU32 {
        NonZeroU32::new(n).unwrap()
    }

    /// Others have raised the bound and then the clock since it was loaded.
    #[cfg(feature = "durable")]
    #[test]
    fn what_the_clock_knows_is_not_refused_at_a_stale_bound() {
        for last in 1..=END {
            for remote in 0..END {
                let event = Event::Merge { remote, skew_ceiling: END };
                for bound in 0..last {
                    let stepped = step_below(last, event, bound, END);
                    assert_eq!(stepped.is_ok(), remote <= last, "{last} {remote} {bound}");
                    assert!(stepped.is_err() || stepped == Ok(last));
                }
            }
        }
    }

    /// Every state, physical word, remote word; limits at their edges and off.
    #[test]
    fn at_eight_bits_every_step_is_a_refusal_or_keeps_every_promise() {
        let mut accepted = 0_u64;
        for last in 0..=END {
            for floor in 0..=END {
                for remote in 1..=END {
                    for skew_ceiling in [floor, floor + 9, u64::MAX] {
                        for lead_ceiling in [floor + 3, u64::MAX] {
                            let event = Event::Observe { floor, remote, skew_ceiling, lead_ceiling };
                            let after = step(last, event, END);
                            check_observe(last, floor, remote, skew_ceiling, lead_ceiling, after);
                            accepted += u64::from(after.is_ok());
                        }
                        let after = step(last, Event::Merge { remote, skew_ceiling }, END);
                        check_merge(last, remote, skew_ceiling, after);
                        accepted += u64::from(after.is_ok());
                    }
                }
                for n in [1, 2, 7, 255, 256] {
                    for lead_ceiling in [floor + 3, u64::MAX] {
                        let event = Event::Tick { floor, count: count(n), lead_ceiling };
                        let after = step(last, event, END);
                        check_tick(last, floor, n, lead_ceiling, after);
                        accepted += u64::from(after.is_ok());
                    }
                }
            }
        }
        assert!(accepted > 10_000_000, "{accepted} accepted: the loops above shrank");
    }

    /// What the naive form of the rule says, in arithmetic too wide to overflow.
    fn next(known: u64, floor: u64) -> u64 {
        (known + 1).max(floor)
    }

    fn check_tick(last: u64, floor: u64, n: u32, lead_ceiling: u64, after: Result<u64, Refusal>) {
        let expected = next(last, floor) + u64::from(n) - 1;
        match after {
            Ok(new) => {
                assert_eq!(new, expected);
                assert!(new <= lead_ceiling && new > last && invariant(last, new, END));
                let first = first_of(new, count(n));
                assert!(first > last && first >= floor && first >= 1);
                assert_eq!(new - first + 1, u64::from(n));
            }
            Err(Refusal::Lead(new)) => assert!(new == expected && new > lead_ceiling),
            Err(Refusal::Exhausted) => assert!(expected > END),
            Err(Refusal::Skew) => panic!("a tick has no remote stamp"),
            #[cfg(feature = "durable")]
            Err(Refusal::Bound { .. }) => panic!("there is no bound"),
        }
    }

    fn check_observe(
        last: u64,
        floor: u64,
        remote: u64,
        skew_ceiling: u64,
        lead_ceiling: u64,
        after: Result<u64, Refusal>,
    ) {
        let expected = next(last.max(remote), floor);
        match after {
            Ok(new) => {
                assert_eq!(new, expected);
                assert!(new > last && new > remote && new >= floor && new <= lead_ceiling);
                assert!(remote <= last || remote < skew_ceiling, "successor within the limit");
                assert!(invariant(last, new, END));
            }
            Err(Refusal::Skew) => assert!(remote > last && remote + 1 > skew_ceiling),
            Err(Refusal::Lead(new)) => assert!(new == expected && new > lead_ceiling),
            Err(Refusal::Exhausted) => assert!(expected > END),
            #[cfg(feature = "durable")]
            Err(Refusal::Bound { .. }) => panic!("there is no bound"),
        }
    }

    fn check_merge(last: u64, remote: u64, skew_ceiling: u64, after: Result<u64, Refusal>) {
        match after {
            Ok(new) => {
                assert_eq!(new, last.max(remote));
                assert!(new < END || new == last, "no merge pins the clock at its end");
                let again = step(new, Event::Merge { remote, skew_ceiling }, END);
                assert_eq!(again, Ok(new), "idempotent");
            }
            Err(Refusal::Skew) => assert!(remote > last && remote + 1 > skew_ceiling),
            Err(Refusal::Exhausted) => assert!(remote > last && remote == END),
            Err(Refusal::Lead(_)) => panic!("a merge issues no stamp"),
            #[cfg(feature = "durable")]
            Err(Refusal::Bound { .. }) => panic!("there is no bound"),
        }
    }

    #[test]
    fn at_full_width_the_end_is_refused_and_never_wrapped() {
        let end = u64::MAX;
        let tick =
            |last, n| step(last, Event::Tick { floor: 0, count: count(n), lead_ceiling: u64::MAX }, end);
        assert_eq!(tick(end - 1, 1), Ok(end));
        assert_eq!(tick(end - 1, 2), Err(Refusal::Exhausted));
        assert_eq!(tick(end, 1), Err(Refusal::Exhausted));
        assert_eq!(tick(end - 5, u32::MAX), Err(Refusal::Exhausted));
        let merge = |remote| step(7, Event::Merge { remote, skew_ceiling: u64::MAX }, end);
        assert_eq!(merge(end - 1), Ok(end - 1));
        assert_eq!(merge(end), Err(Refusal::Exhausted));
    }
}

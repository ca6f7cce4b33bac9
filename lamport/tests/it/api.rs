//! What each verb does, at its edges; both clocks are run through the same table.

use core::num::NonZeroU32;
use std::thread;

use lamport::{AtomicClock, Clock, MaxJump, MergeError, ObserveError, Stamp, Time};

/// Defines one test per clock from one body.
macro_rules! for_both_clocks {
    ($($(#[$meta:meta])* fn $name:ident($clock:ident) $body:block)+) => {
        mod owned {
            use super::*;
            $($(#[$meta])* #[test] fn $name() {
                #[expect(clippy::allow_attributes, reason = "one body for a clock by `&mut` and one by `&`")]
                #[allow(unused_mut, reason = "one body for a clock by `&mut` and one by `&`")]
                let mut $clock = Clock::new();
                $body
            })+
        }
        mod atomic {
            use super::*;
            $($(#[$meta])* #[test] fn $name() {
                let $clock = AtomicClock::new();
                $body
            })+
        }
    };
}

const fn t(events: u64) -> Time {
    Time::new(events)
}

fn count(events: u32) -> NonZeroU32 {
    NonZeroU32::new(events).unwrap()
}

for_both_clocks! {
    fn a_new_clock_stands_before_every_event(clock) {
        assert_eq!(clock.last(), Time::ZERO);
        assert_eq!(clock.tick(), Ok(t(1)));
        assert_eq!(clock.last(), t(1));
    }

    fn a_receive_event_is_one_above_the_greater_of_local_and_remote(clock) {
        assert_eq!(clock.observe(t(41)), Ok(t(42)));
        assert_eq!(clock.observe(t(42)), Ok(t(43)), "an equal time is a cause as well");
        assert_eq!(clock.observe(t(7)), Ok(t(44)), "an old message is an event too");
        assert_eq!(clock.observe(Time::ZERO), Ok(t(45)));
    }

    fn a_merge_moves_the_clock_without_an_event(clock) {
        assert_eq!(clock.merge(t(10)), Ok(()));
        assert_eq!(clock.last(), t(10));
        for known in [10, 9, 0] {
            assert_eq!(clock.merge(t(known)), Ok(()));
            assert_eq!(clock.last(), t(10));
        }
        assert_eq!(clock.tick(), Ok(t(11)));
    }

    fn a_forged_maximum_is_refused_counted_and_changes_nothing(clock) {
        assert_eq!(clock.tick(), Ok(t(1)));
        for forged in [Time::MAX, t(u64::MAX - 1), t(u64::MAX - 2), t(1 << 63), Time::MAX_ACCEPTED] {
            let Err(ObserveError::JumpExceeded(why)) = clock.observe(forged) else { panic!("{forged}") };
            assert_eq!((why.ahead(), why.limit()), (forged.get() - 1, 1 << 40));
            assert!(matches!(clock.merge(forged), Err(MergeError::JumpExceeded(again)) if again == why));
        }
        let seen = clock.snapshot();
        assert_eq!((seen.last, seen.jump_exceeded, seen.end_reserved, seen.exhausted), (t(1), 10, 0, 0));
        assert_eq!(clock.tick(), Ok(t(2)), "a refused call spends no time");
    }

    fn the_limit_is_inclusive(clock) {
        assert_eq!(clock.tick(), Ok(t(1)));
        assert!(clock.merge(t((1 << 40) + 2)).is_err());
        assert_eq!(clock.merge(t((1 << 40) + 1)), Ok(()));
        assert_eq!(clock.observe(t((2 << 40) + 1)), Ok(t((2 << 40) + 2)));
    }

    fn a_limit_of_nothing_refuses_only_what_is_ahead(clock) {
        let mut clock = clock.with_max_jump(MaxJump::AtMost(0));
        let clock = &mut clock;
        assert_eq!(clock.tick(), Ok(t(1)));
        assert_eq!(clock.observe(t(1)), Ok(t(2)));
        assert_eq!(clock.merge(t(2)), Ok(()));
        assert!(clock.merge(t(3)).is_err() && clock.observe(t(3)).is_err());
        assert_eq!(clock.last(), t(2));
    }

    fn no_bounded_input_takes_the_clock_into_the_half_kept_for_its_own_events(clock) {
        let mut clock = clock.with_max_jump(MaxJump::AtMost(u64::MAX));
        let clock = &mut clock;
        for forged in [t(1 << 63), t(u64::MAX - 1), Time::MAX] {
            let Err(MergeError::EndReserved(why)) = clock.merge(forged) else { panic!("{forged}") };
            assert_eq!(why.remote(), forged);
            assert!(matches!(clock.observe(forged), Err(ObserveError::EndReserved(_))));
            assert!(matches!(clock.resume_after(forged), Err(why) if why.remote() == forged));
        }
        assert_eq!(clock.snapshot().end_reserved, 9);
        assert_eq!(clock.last(), Time::ZERO);

        // The greatest that is accepted, and what is left after it.
        assert_eq!(clock.observe(Time::MAX_ACCEPTED), Ok(t(1 << 63)));
        assert_eq!(u64::MAX - clock.last().get(), (1 << 63) - 1);
        assert_eq!(clock.tick(), Ok(t((1 << 63) + 1)), "own events go on into it");
        assert_eq!(clock.observe(t(1 << 63)), Ok(t((1 << 63) + 2)), "and what is known is not refused there");
        assert!(clock.observe(t((1 << 63) + 3)).is_err());
    }

    fn a_liar_in_small_steps_is_stopped_at_half_the_range(clock) {
        let mut clock = clock.with_max_jump(MaxJump::AtMost(1 << 58));
        let clock = &mut clock;
        let step = |from: Time| t(from.get() + (1 << 58));
        let accepted = (0..100).take_while(|_| clock.observe(step(clock.last())).is_ok()).count();
        assert_eq!(accepted, 31);
        assert!(clock.last() <= t(1 << 63));
        assert!(clock.tick().is_ok());
    }

    fn committed_input_has_no_bound(clock) {
        clock.merge_committed(t(u64::MAX - 1));
        assert_eq!(clock.last(), t(u64::MAX - 1));
        clock.merge_committed(t(3));
        assert_eq!(clock.last(), t(u64::MAX - 1), "and never lowers");
        assert_eq!(clock.tick(), Ok(Time::MAX));
    }

    fn a_restored_node_goes_on_above_what_it_handed_out(clock) {
        assert_eq!(clock.resume_after(t(1 << 60)), Ok(()), "the jump limit does not apply");
        assert_eq!(clock.tick(), Ok(t((1 << 60) + 1)));
        assert_eq!(clock.resume_after(t(9)), Ok(()));
        assert_eq!(clock.last(), t((1 << 60) + 1), "and never goes back");
        assert_eq!(clock.resume_after(Time::MAX_ACCEPTED), Ok(()));
        assert!(clock.resume_after(t(1 << 63)).is_err());
        clock.resume_after_unbounded(t(1 << 63));
        assert_eq!(clock.tick(), Ok(t((1 << 63) + 1)));
        clock.resume_after_unbounded(t(1));
        assert_eq!(clock.last(), t((1 << 63) + 1));
    }

    fn at_the_end_every_call_for_a_time_is_exhausted_and_none_repeats(clock) {
        clock.resume_after_unbounded(t(u64::MAX - 1));
        assert_eq!(clock.tick(), Ok(Time::MAX));
        for _ in 0..3 {
            let why = clock.tick().unwrap_err();
            assert_eq!((why.after(), why.wanted()), (Time::MAX, count(1)));
            assert!(matches!(clock.observe(t(5)), Err(ObserveError::Exhausted(_))));
            assert!(matches!(clock.observe(Time::MAX), Err(ObserveError::Exhausted(_))));
            assert!(clock.reserve(count(1)).is_err());
            assert_eq!(clock.merge(Time::MAX), Ok(()), "what is known is not refused");
            assert_eq!(clock.last(), Time::MAX);
        }
        assert_eq!(clock.snapshot().exhausted, 12);
    }

    fn a_message_at_the_very_end_is_refused_even_without_a_bound(clock) {
        let mut clock = clock.with_max_jump(MaxJump::Unbounded);
        let clock = &mut clock;
        let why = clock.observe(Time::MAX);
        assert!(matches!(why, Err(ObserveError::Exhausted(why)) if why.after() == Time::MAX));
        assert_eq!(clock.last(), Time::ZERO, "and the merge half is not kept");
        assert_eq!(clock.observe(t(u64::MAX - 1)), Ok(Time::MAX));
    }

    fn a_reserved_run_is_consecutive_and_what_follows_is_above_it(clock) {
        assert_eq!(clock.tick(), Ok(t(1)));
        let times = clock.reserve(count(4)).unwrap();
        assert_eq!(clock.tick(), Ok(t(6)));
        assert_eq!(times.len(), 4);
        assert_eq!(times.collect::<Vec<_>>(), [2, 3, 4, 5].map(t));
    }

    fn a_reserve_that_does_not_fit_spends_nothing(clock) {
        clock.resume_after_unbounded(t(u64::MAX - 3));
        let why = clock.reserve(count(4)).unwrap_err();
        assert_eq!((why.after(), why.wanted()), (t(u64::MAX - 3), count(4)));
        assert!(clock.reserve(NonZeroU32::MAX).is_err());
        let times = clock.reserve(count(3)).unwrap();
        assert_eq!(times.rev().collect::<Vec<_>>(), [u64::MAX, u64::MAX - 1, u64::MAX - 2].map(t));
    }
}

#[test]
fn a_clock_may_be_a_static() {
    static CLOCK: AtomicClock = AtomicClock::new().with_max_jump(MaxJump::AtMost(10));
    assert!(CLOCK.merge(t(11)).is_err());
    assert_eq!(CLOCK.tick(), Ok(t(1)));
}

#[test]
fn four_threads_take_a_million_times_each_and_none_twice() {
    const THREADS: usize = 4;
    const TICKS: usize = 1_000_000;
    let clock = AtomicClock::new();
    let runs: Vec<Vec<Time>> = thread::scope(|scope| {
        let take = || (0..TICKS).map(|_| clock.tick().unwrap()).collect();
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(take)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(runs.iter().all(|run| run.is_sorted_by(|a, b| a < b)), "a thread saw the clock stand or go back");
    let mut given = vec![false; THREADS * TICKS + 1];
    for time in runs.iter().flatten() {
        let seat = usize::try_from(time.get()).unwrap();
        assert!(!core::mem::replace(&mut given[seat], true), "{time} was given twice");
    }
    assert_eq!(given.iter().position(|given| !given), Some(0), "and there is no gap");
    assert_eq!(clock.last(), t(4_000_000));
}

#[test]
fn threads_that_mix_every_verb_share_no_time() {
    let clock = AtomicClock::new();
    let runs: Vec<Vec<Time>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..4_u64)
            .map(|seat| {
                let clock = &clock;
                scope.spawn(move || {
                    let mut run = Vec::new();
                    for round in 0..20_000_u64 {
                        match (round + seat) % 4 {
                            0 => run.push(clock.tick().unwrap()),
                            1 => run.push(clock.observe(t(round * 3)).unwrap()),
                            2 => run.extend(clock.reserve(count(3)).unwrap()),
                            _ => clock.merge(t(round * 5)).unwrap(),
                        }
                    }
                    run
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(runs.iter().all(|run| run.is_sorted_by(|a, b| a < b)));
    let mut all: Vec<Time> = runs.concat();
    let given = all.len();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), given);
}

#[test]
fn nothing_is_before_the_first_time_nor_after_the_last() {
    assert_eq!((Time::ZERO.checked_prev(), Time::MAX.checked_next()), (None, None));
    assert_eq!((Time::MAX.checked_prev(), Time::ZERO.checked_next()), (Some(t(u64::MAX - 1)), Some(t(1))));
}

#[test]
fn stamps_are_ordered_by_time_then_node() {
    let sorted = [t(1).at_node(9), t(2).at_node(0), t(2).at_node(1), t(3).at_node(0)];
    assert!(sorted.is_sorted_by(|a, b| a < b));
    assert_eq!(sorted[2].into_parts(), (t(2), 1));
    assert_eq!((sorted[2].time(), sorted[2].node()), (t(2), &1));
    assert_eq!(Stamp::new(t(2), 1), sorted[2]);
}

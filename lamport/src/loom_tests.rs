//! Every interleaving, and every stale value that the memory model allows.
//!
//! The pattern of the ordering tests: each thread writes a flag of its own with `Relaxed`, calls the clock,
//! and reads the other's flag with `Relaxed`. Only the clock can make the flag visible. Whoever got the
//! greater time must see it. Two threads run unbounded; three run with at most three preemptions.
//!
//! ```text
//! RUSTFLAGS="--cfg loom" CARGO_TARGET_DIR=target/loom cargo test -p lamport --lib --release loom_tests
//! ```
#![cfg(test)] // so that the lints know helper functions for what they are

use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::num::NonZeroU32;
use std::sync::Mutex;

use clock_testing::{Preemptions, explore};
use loom::thread;

use crate::sync::{AtomicU64, Ordering};
use crate::{AtomicClock, MaxJump, ObserveError, Time, Times};

/// A flag that a thread raises before its call. All its accesses are `Relaxed`, so it orders nothing itself.
struct Flag(AtomicU64);

impl Flag {
    fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    fn raise(&self) {
        // ORDERING: Relaxed. Nothing is published: the test asks what the clock publishes. Not library code.
        self.0.store(1, Ordering::Relaxed);
    }

    fn is_up(&self) -> bool {
        // ORDERING: Relaxed. Nothing is published: the test asks what the clock publishes. Not library code.
        self.0.load(Ordering::Relaxed) == 1
    }
}

/// A call that gives times: its least and its greatest.
type Call = fn(&AtomicClock) -> (Time, Time);

fn tick(clock: &AtomicClock) -> (Time, Time) {
    let time = clock.tick().unwrap();
    (time, time)
}

fn observe_five(clock: &AtomicClock) -> (Time, Time) {
    let time = clock.observe(Time::new(5)).unwrap();
    assert!(time > Time::new(5), "a receive event is above its message");
    (time, time)
}

fn reserve_three(clock: &AtomicClock) -> (Time, Time) {
    let mut times: Times = clock.reserve(NonZeroU32::new(3).unwrap()).unwrap();
    (times.next().unwrap(), times.next_back().unwrap())
}

/// Runs two calls on two threads, unbounded, and checks uniqueness, order within the clock, and what is seen.
/// Returns which of the two came first, over all executions.
fn race(first: Call, second: Call) {
    let orders = Arc::new(Mutex::new(BTreeSet::new()));
    let seen = Arc::clone(&orders);
    explore(Preemptions::Unbounded, 60, move || {
        let shared = Arc::new((AtomicClock::new(), Flag::new(), Flag::new()));
        let other = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                let (clock, mine, theirs) = &*shared;
                mine.raise();
                (second(clock), theirs.is_up())
            })
        };
        let (clock, theirs, mine) = &*shared;
        mine.raise();
        let (here, here_sees) = (first(clock), theirs.is_up());
        let (there, there_sees) = other.join().unwrap();

        assert!(here.1 < there.0 || there.1 < here.0, "the runs {here:?} and {there:?} overlap");
        if here.1 < there.0 {
            assert!(there_sees, "the greater time {there:?} does not see what preceded {here:?}");
        } else {
            assert!(here_sees, "the greater time {here:?} does not see what preceded {there:?}");
        }
        assert_eq!(clock.last(), here.1.max(there.1), "a clock stands at the greatest time it gave");
        seen.lock().unwrap().insert(here.1 < there.0);
    });
    assert_eq!(orders.lock().unwrap().len(), 2, "the model tried only one order");
}

#[test]
fn whoever_ticks_later_sees_what_came_before() {
    race(tick, tick);
}

#[test]
fn a_tick_and_an_observe_are_ordered_and_see_each_other() {
    race(tick, observe_five);
}

#[test]
fn two_observes_of_one_message_are_two_events_that_see_each_other() {
    race(observe_five, observe_five);
}

#[test]
fn a_reserved_run_is_one_step_and_is_seen_as_one() {
    race(reserve_three, tick);
    race(reserve_three, reserve_three);
    race(reserve_three, observe_five);
}

#[test]
fn a_merge_is_kept_whatever_ticks_beside_it() {
    explore(Preemptions::Unbounded, 250, || {
        let clock = Arc::new(AtomicClock::new());
        let merger = {
            let clock = Arc::clone(&clock);
            thread::spawn(move || {
                clock.merge(Time::new(5)).unwrap();
                assert!(clock.last() >= Time::new(5));
                clock.tick().unwrap()
            })
        };
        let (first, second) = (clock.tick().unwrap(), clock.tick().unwrap());
        let after = merger.join().unwrap();
        assert!(first < second);
        assert!(after > Time::new(5), "a tick after a merge is above it");
        assert!(after != first && after != second);
        assert_eq!(clock.last(), after.max(second));
    });
}

#[test]
fn two_merges_leave_the_greater() {
    explore(Preemptions::Unbounded, 9, || {
        let clock = Arc::new(AtomicClock::new());
        let merger = {
            let clock = Arc::clone(&clock);
            thread::spawn(move || clock.merge(Time::new(7)).unwrap())
        };
        clock.merge_committed(Time::new(5));
        merger.join().unwrap();
        assert_eq!(clock.last(), Time::new(7));
    });
}

#[test]
fn a_merge_in_between_hides_nothing() {
    // Three threads: at most three preemptions. The merge may stand between the two ticks, and then the later
    // one reads from it; the release of the earlier one must come through.
    let merged_between = Arc::new(Mutex::new(false));
    let seen = Arc::clone(&merged_between);
    explore(Preemptions::AtMost(3), 2_400, move || {
        let shared = Arc::new((AtomicClock::new(), Flag::new()));
        let ticker = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                shared.1.raise();
                shared.0.tick().unwrap()
            })
        };
        let merger = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.0.merge(Time::new(5)).unwrap())
        };
        let later = shared.0.tick().unwrap();
        let flag = shared.1.is_up();
        let earlier = ticker.join().unwrap();
        merger.join().unwrap();
        assert_ne!(earlier, later);
        if earlier < later {
            assert!(flag, "the greater time does not see what preceded the smaller one");
        }
        *seen.lock().unwrap() |= earlier == Time::new(1) && later == Time::new(6);
    });
    assert!(*merged_between.lock().unwrap(), "no execution had the merge between the ticks");
}

#[test]
fn three_threads_share_out_each_time_once() {
    // Three threads: at most three preemptions.
    explore(Preemptions::AtMost(3), 20, || {
        let clock = Arc::new(AtomicClock::new());
        let calls: [Call; 2] = [tick, reserve_three];
        let threads: Vec<_> = calls
            .into_iter()
            .map(|call| {
                let clock = Arc::clone(&clock);
                thread::spawn(move || call(&clock))
            })
            .collect();
        let mut runs: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        runs.push(tick(&clock));
        runs.sort();
        assert!(runs.windows(2).all(|pair| pair[0].1.checked_next() == Some(pair[1].0)), "{runs:?}");
    });
}

/// Both outcomes of the question: may a tick above a merged time miss what preceded the merge?
fn what_a_tick_after_a_merge_sees(start: Time) -> BTreeSet<bool> {
    let outcomes = Arc::new(Mutex::new(BTreeSet::new()));
    let seen = Arc::clone(&outcomes);
    explore(Preemptions::Unbounded, 7, move || {
        // The clock, what precedes the merge, and that the merge has returned.
        let shared = Arc::new((AtomicClock::new(), Flag::new(), Flag::new()));
        shared.0.merge_committed(start);
        let merger = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                shared.1.raise();
                shared.0.merge(Time::new(5)).unwrap();
                shared.2.raise();
            })
        };
        if shared.2.is_up() {
            let later = shared.0.tick().unwrap();
            assert_eq!(later, Time::new(6), "the number is promised");
            seen.lock().unwrap().insert(shared.1.is_up());
        }
        merger.join().unwrap();
    });
    Arc::try_unwrap(outcomes).unwrap().into_inner().unwrap()
}

/// The counterexample for a merge that changed the clock: the tick is above the merged time, was called after
/// the merge had returned, and yet does not see what preceded it.
#[test]
fn a_merge_that_moves_publishes_nothing() {
    assert_eq!(what_a_tick_after_a_merge_sees(Time::ZERO), BTreeSet::from([false, true]));
}

/// The counterexample for the no-op, which no ordering of the read-modify-write could mend: it makes none.
#[test]
fn a_merge_that_moves_nothing_publishes_nothing() {
    assert_eq!(what_a_tick_after_a_merge_sees(Time::new(5)), BTreeSet::from([false, true]));
}

#[test]
fn the_last_time_goes_to_one_caller_and_the_rest_are_refused() {
    explore(Preemptions::Unbounded, 6, || {
        let clock = Arc::new(AtomicClock::new());
        clock.resume_after_unbounded(Time::new(u64::MAX - 1));
        let other = {
            let clock = Arc::clone(&clock);
            thread::spawn(move || clock.tick().ok())
        };
        let mut given = [clock.tick().ok(), other.join().unwrap()];
        given.sort();
        assert_eq!(given, [None, Some(Time::MAX)]);
        assert_eq!(clock.last(), Time::MAX);
        assert_eq!(clock.snapshot().exhausted, 1);
    });
}

#[test]
fn no_refusal_is_lost_from_the_counts() {
    explore(Preemptions::Unbounded, 20, || {
        let clock = Arc::new(AtomicClock::new().with_max_jump(MaxJump::AtMost(2)));
        let other = {
            let clock = Arc::clone(&clock);
            thread::spawn(move || clock.observe(Time::new(9)).is_err())
        };
        assert!(matches!(clock.observe(Time::new(9)), Err(ObserveError::JumpExceeded(_))));
        assert!(other.join().unwrap());
        assert_eq!(clock.snapshot().jump_exceeded, 2);
        assert_eq!(clock.last(), Time::ZERO);
    });
}

/// A stale read may say that a time is too far ahead when the clock has long passed it.
#[test]
fn a_merge_of_what_the_clock_knows_is_not_refused_because_of_a_stale_read() {
    explore(Preemptions::Unbounded, 13, || {
        let shared = Arc::new((AtomicClock::new().with_max_jump(MaxJump::AtMost(5)), Flag::new()));
        let merger = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                shared.0.merge(Time::new(5)).unwrap();
                shared.0.merge(Time::new(8)).unwrap();
                shared.1.raise();
            })
        };
        if shared.1.is_up() {
            assert_eq!(shared.0.merge(Time::new(7)), Ok(()), "the clock stood at 8 before the call");
            assert_eq!(shared.0.snapshot().jump_exceeded, 0);
        }
        merger.join().unwrap();
    });
}

#[test]
fn an_observe_of_what_the_clock_knows_is_not_refused_because_of_a_stale_read() {
    explore(Preemptions::Unbounded, 7, || {
        let shared = Arc::new((AtomicClock::new().with_max_jump(MaxJump::AtMost(5)), Flag::new()));
        let merger = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                shared.0.merge_committed(Time::new(8));
                shared.1.raise();
            })
        };
        if shared.1.is_up() {
            assert_eq!(shared.0.observe(Time::new(7)), Ok(Time::new(9)));
        }
        merger.join().unwrap();
    });
}

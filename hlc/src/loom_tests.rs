//! Every interleaving of two or three threads on one clock.
//!
//! Two threads with one or two operations each are explored without a bound; three threads with at most
//! three preemptions. The physical clock stands still in all of them: the stamps then differ by the rule
//! alone, and time would only add states.

use alloc::{sync::Arc, vec::Vec};
use core::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering as StdOrdering};

use clock_testing::{Preemptions, explore};
use loom::{
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use crate::{AtomicClock, PhysicalTime, Source, SourceError, Timestamp};

/// A physical clock that stands at one second.
struct Still;

impl Source for Still {
    fn now(&self) -> Result<PhysicalTime, SourceError> {
        Ok(PhysicalTime::from_secs(1))
    }
}

/// A clock shared by the threads of one execution, and a flag that one of them raises.
struct Shared {
    clock: AtomicClock<Still>,
    flag: AtomicU64,
}

impl Shared {
    fn new() -> Arc<Self> {
        Arc::new(Self { clock: AtomicClock::new(Still), flag: AtomicU64::new(0) })
    }

    fn raise(&self) {
        // ORDERING: Relaxed. On purpose: only the clock's own orderings may make it visible.
        self.flag.store(1, Ordering::Relaxed);
    }

    fn is_raised(&self) -> bool {
        // ORDERING: Relaxed. On purpose, as in `raise`.
        self.flag.load(Ordering::Relaxed) == 1
    }
}

fn remote(counter: u32) -> Timestamp {
    Timestamp::from_parts(1_000, counter).unwrap()
}

/// A call that issues a stamp.
type Issue = fn(&AtomicClock<Still>) -> Timestamp;

fn tick(clock: &AtomicClock<Still>) -> Timestamp {
    clock.tick().unwrap()
}

fn observe(clock: &AtomicClock<Still>) -> Timestamp {
    clock.observe(remote(5)).unwrap()
}

fn reserve(clock: &AtomicClock<Still>) -> Timestamp {
    clock.reserve(NonZeroU32::new(3).unwrap()).unwrap().next().unwrap()
}

/// All pairs of calls that issue stamps.
const PAIRS: [(Issue, Issue); 6] = [
    (tick, tick),
    (tick, observe),
    (observe, observe),
    (reserve, tick),
    (reserve, observe),
    (reserve, reserve),
];

/// Two threads, two stamps each, every pair of issuing calls. Unbounded.
#[test]
fn no_stamp_is_issued_twice_and_each_threads_stamps_rise() {
    for (first, second) in PAIRS {
        explore(Preemptions::Unbounded, 120, move || {
            let shared = Shared::new();
            let other = Arc::clone(&shared);
            let thread = thread::spawn(move || [second(&other.clock), second(&other.clock)]);
            let mine = [first(&shared.clock), first(&shared.clock)];
            let theirs = thread.join().unwrap();
            assert!(mine[0] < mine[1] && theirs[0] < theirs[1], "rising: {mine:?} {theirs:?}");
            for stamp in mine {
                assert!(!theirs.contains(&stamp), "issued twice: {mine:?} {theirs:?}");
            }
            assert!(shared.clock.last() >= mine.into_iter().chain(theirs).max(), "last is the greatest");
        });
    }
}

/// Two threads that reserve blocks while a third ticks: at most three preemptions.
#[test]
fn blocks_and_ticks_of_three_threads_never_overlap() {
    explore(Preemptions::AtMost(3), 700, || {
        let shared = Shared::new();
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let shared = Arc::clone(&shared);
                thread::spawn(move || {
                    shared.clock.reserve(NonZeroU32::new(4).unwrap()).unwrap().collect::<Vec<_>>()
                })
            })
            .collect();
        let mut stamps = Vec::from([shared.clock.tick().unwrap()]);
        for thread in threads {
            stamps.extend(thread.join().unwrap());
        }
        stamps.sort();
        stamps.dedup();
        assert_eq!(stamps.len(), 9);
    });
}

/// Every pair of issuing calls, two threads, unbounded. Goes red when the exchange is weakened to `Relaxed`,
/// `Acquire` or `Release`.
#[test]
fn whoever_gets_a_greater_stamp_sees_what_came_before_the_smaller() {
    for (first, second) in PAIRS {
        explore(Preemptions::Unbounded, 25, move || {
            let shared = Shared::new();
            let other = Arc::clone(&shared);
            let thread = thread::spawn(move || {
                other.raise();
                first(&other.clock)
            });
            let mine = second(&shared.clock);
            let saw = shared.is_raised();
            let theirs = thread.join().unwrap();
            assert!(mine < theirs || saw, "{mine:?} is above {theirs:?} and did not see the flag");
        });
    }
}

/// Tick, then a merge by another thread, then a tick by a third: at most three preemptions. The merge is
/// `Relaxed`, but a read-modify-write, so the last tick still acquires what the first released. Goes red
/// when the merge becomes a load and a store.
#[test]
fn a_merge_between_two_ticks_does_not_part_them() {
    explore(Preemptions::AtMost(3), 2_500, || {
        let shared = Shared::new();
        let ticking = Arc::clone(&shared);
        let merging = Arc::clone(&shared);
        let first = thread::spawn(move || {
            ticking.raise();
            ticking.clock.tick().unwrap()
        });
        let second = thread::spawn(move || merging.clock.merge(remote(9)).unwrap());
        let mine = shared.clock.tick().unwrap();
        let saw = shared.is_raised();
        let theirs = first.join().unwrap();
        second.join().unwrap();
        assert!(mine < theirs || saw, "{mine:?} is above {theirs:?} and did not see the flag");
    });
}

/// Two threads, unbounded: a merge and a tick, in any order, leave the greater, and the tick after both is
/// above both.
#[test]
fn a_merge_is_never_lost_under_a_tick() {
    explore(Preemptions::Unbounded, 9, || {
        let shared = Shared::new();
        let other = Arc::clone(&shared);
        let thread = thread::spawn(move || other.clock.merge(remote(9)).unwrap());
        let ticked = shared.clock.tick().unwrap();
        thread.join().unwrap();
        let after = shared.clock.tick().unwrap();
        assert!(after > remote(9) && after > ticked);
    });
}

/// The counterexample behind "`merge` promises only the number": there is an execution in which a tick is
/// above what another thread merged, and does not see what that thread did before. Would a promise hold,
/// this test would fail.
#[test]
fn a_merge_publishes_nothing() {
    let seen = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&seen);
    explore(Preemptions::Unbounded, 40, move || {
        let shared = Shared::new();
        let other = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            other.raise();
            other.clock.merge(remote(9)).unwrap();
        });
        let mine = shared.clock.tick().unwrap();
        let saw = shared.is_raised();
        thread.join().unwrap();
        if mine > remote(9) && !saw {
            // ORDERING: Relaxed. Counts executions, which follow each other on one thread.
            counter.fetch_add(1, StdOrdering::Relaxed);
        }
    });
    // ORDERING: Relaxed. As above.
    assert!(seen.load(StdOrdering::Relaxed) > 0, "no execution shows it: could a promise be made?");
}

/// Two threads, unbounded: one clock learns a stamp from far ahead by a committed merge, and the other thread
/// hears so in a way that orders nothing. Goes red when a refusal rests on the first load alone.
#[test]
fn what_the_clock_knows_is_not_refused_because_of_a_stale_read() {
    for use_merge in [false, true] {
        explore(Preemptions::Unbounded, 7, move || {
            let shared = Shared::new();
            let other = Arc::clone(&shared);
            let far = Timestamp::from_parts(60_000, 0).unwrap();
            let thread = thread::spawn(move || {
                other.clock.merge_committed(far).unwrap();
                other.raise();
            });
            if shared.is_raised() {
                let clock = &shared.clock;
                let result = if use_merge { clock.merge(far) } else { clock.observe(far).map(drop) };
                assert_eq!(result, Ok(()));
            }
            thread.join().unwrap();
        });
    }
}

/// Two threads, unbounded: the statistics lose no count.
#[test]
fn refusals_of_two_threads_are_all_counted() {
    explore(Preemptions::Unbounded, 20, || {
        let shared = Shared::new();
        let other = Arc::clone(&shared);
        let refused = |clock: &AtomicClock<Still>| clock.observe(Timestamp::MAX).unwrap_err();
        let thread = thread::spawn(move || refused(&other.clock));
        refused(&shared.clock);
        thread.join().unwrap();
        assert_eq!(shared.clock.snapshot().skew_refusals(), 2);
        assert_eq!(shared.clock.last(), None);
    });
}

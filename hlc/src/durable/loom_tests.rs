//! Every interleaving of threads that issue and extend on one clock.
//!
//! Two threads with one operation each are explored without a bound; three threads with at most three
//! preemptions. The physical clock is at one second throughout.
#![cfg(test)] // so that the lints know helper functions for what they are

use alloc::{sync::Arc, vec::Vec};
use std::sync::OnceLock;

use clock_testing::{Preemptions, explore};
use high_water::{Mark, RaiseError};
use loom::thread;

use crate::{
    AtomicDurableClock, PhysicalTime, Source, SourceError, Timestamp,
    sync::{AtomicU64, Ordering},
};

struct Still;

impl Source for Still {
    fn now(&self) -> Result<PhysicalTime, SourceError> {
        Ok(PhysicalTime::from_secs(1))
    }
}

/// A mark whose raise is a plain, unordered store: whoever sees it raised, sees it through the clock.
struct Probe(Arc<AtomicU64>);

impl Probe {
    fn read(mark: &AtomicU64) -> u64 {
        // ORDERING: Relaxed. On purpose: only the clock's own orderings may make it visible.
        mark.load(Ordering::Relaxed)
    }
}

impl Mark for Probe {
    fn get(&self) -> u64 {
        Self::read(&self.0)
    }

    fn raise_to(&mut self, value: u64) -> Result<(), RaiseError> {
        // ORDERING: Relaxed. On purpose, as in `read`.
        self.0.store(value, Ordering::Relaxed);
        Ok(())
    }
}

/// A clock that stands at its bound, `mark`, and that mark.
fn clock(mark: u64) -> (Arc<AtomicDurableClock<Still, Probe>>, Arc<AtomicU64>) {
    let mark = Arc::new(AtomicU64::new(mark));
    (Arc::new(AtomicDurableClock::new(Still, Probe(Arc::clone(&mark)))), mark)
}

/// A call that issues a stamp, or is refused at the bound.
type Issue = fn(&AtomicDurableClock<Still, Probe>) -> Option<Timestamp>;

const ISSUES: [Issue; 2] =
    [|clock| clock.tick().ok(), |clock| clock.observe(Timestamp::from_parts(1_100, 5).unwrap()).ok()];

/// Two threads, one operation each, unbounded. Goes red when the store or the load of the bound is `Relaxed`,
/// and when the bound is published before the mark is raised.
#[test]
fn a_stamp_is_at_most_the_mark_that_its_taker_sees() {
    static ISSUED: OnceLock<()> = OnceLock::new();
    for issue in ISSUES {
        explore(Preemptions::Unbounded, 40, move || {
            let (clock, mark) = clock(0);
            let extender = {
                let clock = Arc::clone(&clock);
                thread::spawn(move || clock.upkeep().unwrap())
            };
            if let Some(stamp) = issue(&clock) {
                assert!(stamp.to_bits() <= Probe::read(&mark), "issued before it was durable");
                ISSUED.get_or_init(|| ());
            }
            assert!(extender.join().unwrap());
        });
    }
    assert!(ISSUED.get().is_some(), "no interleaving issued a stamp");
}

/// The same for knowledge: a clock must not come to stand above its bound by a merge either. What was agreed on extends
/// the bound by itself, beside an upkeep and a tick: neither may lower it, nor be issued above it.
#[test]
fn a_merge_is_at_most_the_mark_that_its_caller_sees() {
    let remote = Timestamp::from_parts(1_100, 5).unwrap();
    explore(Preemptions::Unbounded, 40, move || {
        let (clock, mark) = clock(0);
        let extender = {
            let clock = Arc::clone(&clock);
            thread::spawn(move || clock.upkeep().unwrap())
        };
        if clock.merge(remote).is_ok() {
            assert!(clock.last().unwrap().to_bits() <= Probe::read(&mark));
        }
        extender.join().unwrap();
    });
    let far = Timestamp::from_parts(9_000, 5).unwrap();
    explore(Preemptions::Unbounded, 12_000, move || {
        let (clock, mark) = clock(0);
        let other = {
            let (clock, mark) = (Arc::clone(&clock), Arc::clone(&mark));
            thread::spawn(move || {
                let _ = clock.upkeep().unwrap();
                // A stale bound refuses it: the clock may be far above that by then.
                if let Ok(stamp) = clock.tick() {
                    assert!(stamp.to_bits() <= Probe::read(&mark), "issued before it was durable");
                }
            })
        };
        clock.merge_committed(far).unwrap();
        assert!(clock.last().unwrap().to_bits() <= Probe::read(&mark));
        other.join().unwrap();
        assert!(clock.last() >= Some(far));
        assert_eq!(clock.snapshot().bound().map(Timestamp::to_bits), Some(Probe::read(&mark)));
    });
}

/// Two threads, unbounded: each learns what was agreed on and extends for it, one far above the other. Goes red when what
/// the clock knows already is held against a bound that was loaded before.
#[test]
fn what_was_agreed_on_is_not_refused_because_of_a_stale_bound() {
    let [near, far] = [1_100, 9_000].map(|millis| Timestamp::from_parts(millis, 5).unwrap());
    explore(Preemptions::Unbounded, 7_000, move || {
        let (clock, mark) = clock(0);
        let other = {
            let clock = Arc::clone(&clock);
            thread::spawn(move || clock.merge_committed(far))
        };
        assert_eq!(clock.merge_committed(near), Ok(()));
        assert_eq!(other.join().unwrap(), Ok(()));
        assert_eq!(clock.last(), Some(far));
        assert!(far.to_bits() <= Probe::read(&mark));
    });
}

/// Three threads, two of which issue two stamps each while one extends: at most three preemptions. The clock begins
/// one stamp below its bound and ahead of physical time, so that some are refused there and some come after the
/// extension.
#[test]
fn no_stamp_is_issued_twice_nor_above_the_mark_while_the_bound_is_raised() {
    static EXTENDED: OnceLock<()> = OnceLock::new();
    explore(Preemptions::AtMost(3), 300_000, || {
        let start = Timestamp::from_parts(2_000, 0).unwrap();
        let (clock, mark) = clock(start.to_bits());
        clock.upkeep().unwrap();
        let bound = clock.snapshot().bound().unwrap();
        assert!(bound > start, "ahead of physical time by a step");
        clock.merge_committed(bound.checked_prev().unwrap()).unwrap();
        let issuers: Vec<_> = (0..2)
            .map(|_| {
                let (clock, mark) = (Arc::clone(&clock), Arc::clone(&mark));
                thread::spawn(move || {
                    let issue = || {
                        let stamp = clock.tick().ok()?;
                        assert!(stamp.to_bits() <= Probe::read(&mark), "{stamp:?} is above the mark");
                        Some(stamp)
                    };
                    [issue(), issue()]
                })
            })
            .collect();
        assert!(clock.upkeep().unwrap());
        let mut issued: Vec<_> =
            issuers.into_iter().flat_map(|issuer| issuer.join().unwrap()).flatten().collect();
        let total = issued.len();
        issued.sort();
        issued.dedup();
        assert_eq!(issued.len(), total, "a stamp was issued twice");
        assert!(issued.first() == Some(&bound), "one stamp was left below the first bound");
        if total > 1 {
            EXTENDED.get_or_init(|| ());
        }
    });
    assert!(EXTENDED.get().is_some(), "no interleaving issued above the first bound");
}

/// Two threads that extend while neither issues: unbounded. The second finds nothing to do.
#[test]
fn of_two_extensions_at_once_one_raises_the_mark() {
    explore(Preemptions::Unbounded, 4, || {
        let (clock, mark) = clock(0);
        let other = {
            let clock = Arc::clone(&clock);
            thread::spawn(move || clock.upkeep().unwrap())
        };
        let mine = clock.upkeep().unwrap();
        let theirs = other.join().unwrap();
        assert!(mine != theirs, "one of them raised it");
        assert_eq!(clock.snapshot().bound().map(Timestamp::to_bits), Some(Probe::read(&mark)));
    });
}

//! Every interleaving of threads that tick and extend on one clock: two threads with one operation each without a
//! bound, three threads with at most three preemptions.
#![cfg(test)] // so that the lints know helper functions for what they are

use alloc::sync::Arc;
use alloc::vec::Vec;
use std::sync::OnceLock;

use clock_testing::{Preemptions, explore};
use high_water::{Mark, RaiseError};
use loom::thread;

use crate::sync::{AtomicU64, Ordering};
use crate::{AtomicDurableClock, Block, Time};

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

/// A clock with blocks of two, and its mark.
fn clock() -> (Arc<AtomicDurableClock<Probe>>, Arc<AtomicU64>) {
    let mark = Arc::new(AtomicU64::new(0));
    let block = Block::new(2).unwrap();
    (Arc::new(AtomicDurableClock::new(Probe(Arc::clone(&mark))).with_block(block)), mark)
}

/// A call that hands out a time or learns one, or is refused at the bound: what the clock then stands at, at least.
type Call = fn(&AtomicDurableClock<Probe>) -> Option<Time>;

const CALLS: [Call; 4] = [
    |clock| clock.tick().ok(),
    |clock| clock.observe(Time::new(1)).ok(),
    |clock| clock.merge(Time::new(1)).ok().map(|()| Time::new(1)),
    // Extends by itself, beside the upkeep.
    |clock| clock.merge_committed(Time::new(9)).ok().map(|()| Time::new(9)),
];

/// Two threads, one operation each, unbounded. Goes red when the store or the load of the bound is `Relaxed`, and
/// when the bound is published before the mark is raised.
#[test]
fn a_time_is_at_most_the_mark_that_its_taker_sees() {
    static TAKEN: OnceLock<()> = OnceLock::new();
    for call in CALLS {
        explore(Preemptions::Unbounded, 28, move || {
            let (clock, mark) = clock();
            let extender = {
                let clock = Arc::clone(&clock);
                thread::spawn(move || clock.upkeep().unwrap())
            };
            if let Some(time) = call(&clock) {
                assert!(time.get() <= Probe::read(&mark), "{time} was handed out before it was durable");
                TAKEN.get_or_init(|| ());
            }
            extender.join().unwrap();
            assert_eq!(clock.snapshot().bound.get(), Probe::read(&mark), "one bound, and it is durable");
        });
    }
    assert!(TAKEN.get().is_some(), "no interleaving handed out a time");
}

/// Two threads, unbounded: each learns what was agreed on and extends for it, one far above the other. Goes red when what
/// the clock knows already is held against a bound that was loaded before.
#[test]
fn what_was_agreed_on_is_not_refused_because_of_a_stale_bound() {
    explore(Preemptions::Unbounded, 230, || {
        let (clock, mark) = clock();
        let other = {
            let clock = Arc::clone(&clock);
            thread::spawn(move || clock.merge_committed(Time::new(9)))
        };
        assert_eq!(clock.merge_committed(Time::new(1)), Ok(()));
        assert_eq!(other.join().unwrap(), Ok(()));
        assert_eq!(clock.last(), Time::new(9));
        assert!(clock.last().get() <= Probe::read(&mark));
    });
}

/// Three threads, two of which tick twice each while one extends: at most three preemptions.
#[test]
fn no_time_is_handed_out_twice_nor_above_the_mark_while_the_bound_is_raised() {
    static EXTENDED: OnceLock<()> = OnceLock::new();
    explore(Preemptions::AtMost(3), 40_000, || {
        let (clock, mark) = clock();
        clock.upkeep().unwrap();
        assert_eq!(clock.tick(), Ok(Time::new(1)));
        let tickers: Vec<_> = (0..2)
            .map(|_| {
                let (clock, mark) = (Arc::clone(&clock), Arc::clone(&mark));
                thread::spawn(move || {
                    let tick = || {
                        let time = clock.tick().ok()?;
                        assert!(time.get() <= Probe::read(&mark), "{time} is above the mark");
                        Some(time)
                    };
                    [tick(), tick()]
                })
            })
            .collect();
        assert!(clock.upkeep().unwrap());
        let mut times: Vec<u64> =
            tickers.into_iter().flat_map(|ticker| ticker.join().unwrap()).flatten().map(Time::get).collect();
        times.sort_unstable();
        let consecutive: Vec<u64> = (2..).take(times.len()).collect();
        assert_eq!(times, consecutive, "each time once");
        if times.len() > 1 {
            EXTENDED.get_or_init(|| ());
        }
    });
    assert!(EXTENDED.get().is_some(), "no interleaving ticked above the first bound");
}

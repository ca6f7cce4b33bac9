//! Every interleaving of threads that draw and extend. Run with `RUSTFLAGS="--cfg loom" cargo test --release
//! -p high-water --lib loom`.

use crate::error::RaiseError;
use crate::mark::Mark;
use crate::reserver::{Reserver, SharedReserver};
use crate::sync::{AtomicU64, Ordering};
use alloc::vec::Vec;
use clock_testing::{Preemptions, explore};
use core::num::NonZeroU64;
use loom::sync::Arc;
use loom::thread;
use std::sync::OnceLock;

const TWO: NonZeroU64 = NonZeroU64::MIN.saturating_add(1);

/// A mark whose raise is a plain, unordered store: whoever sees it raised, sees it through the reserver.
struct Probe(Arc<AtomicU64>);

impl Mark for Probe {
    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn raise_to(&mut self, value: u64) -> Result<(), RaiseError> {
        self.0.store(value, Ordering::Relaxed);
        Ok(())
    }
}

fn reserver(block: NonZeroU64) -> (Arc<SharedReserver<Probe>>, Arc<AtomicU64>) {
    let mark = Arc::new(AtomicU64::new(0));
    let reserver = Reserver::new(Probe(Arc::clone(&mark)), block);
    (Arc::new(SharedReserver::from(reserver)), mark)
}

/// Three threads: two draw, one extends. Preemption bound 3.
#[test]
fn no_number_is_drawn_twice_while_the_block_is_extended() {
    // Outside of the model: whether some interleaving drew from the second block.
    static EXTENDED: OnceLock<()> = OnceLock::new();
    explore(Preemptions::AtMost(3), 60_000, || {
        let (reserver, mark) = reserver(TWO);
        // Half of the first block is gone, so that the extension below is due whenever it comes.
        reserver.upkeep().unwrap();
        assert_eq!(reserver.draw(), Ok(1));
        let drawers: Vec<_> = (0..2)
            .map(|_| {
                let (reserver, mark) = (Arc::clone(&reserver), Arc::clone(&mark));
                thread::spawn(move || {
                    let draw = || {
                        let drawn = reserver.draw().ok()?;
                        assert!(drawn <= mark.load(Ordering::Relaxed), "{drawn} is above the mark");
                        Some(drawn)
                    };
                    [draw(), draw()]
                })
            })
            .collect();
        reserver.upkeep().unwrap();
        let mut drawn: Vec<u64> =
            drawers.into_iter().flat_map(|drawer| drawer.join().unwrap()).flatten().collect();
        drawn.sort_unstable();
        let consecutive: Vec<u64> = (2..).take(drawn.len()).collect();
        assert_eq!(drawn, consecutive, "each number once, and none skipped");
        assert!(!drawn.is_empty(), "a block of two was reserved before");
        if drawn.len() > 1 {
            EXTENDED.get_or_init(|| ());
        }
    });
    assert!(EXTENDED.get().is_some(), "no interleaving drew from the second block");
}

/// Two threads, one operation each, unbounded. Goes red when the store or the load of the bound is `Relaxed`.
#[test]
fn a_number_drawn_is_at_most_the_mark_that_the_drawer_sees() {
    explore(Preemptions::Unbounded, 50, || {
        let (reserver, mark) = reserver(TWO);
        let extender = {
            let reserver = Arc::clone(&reserver);
            thread::spawn(move || reserver.upkeep().unwrap())
        };
        if let Ok(drawn) = reserver.draw() {
            assert!(drawn <= mark.load(Ordering::Relaxed), "drawn before it was durable");
        }
        extender.join().unwrap();
    });
}

/// Two threads, one operation each, unbounded. Goes red when the exchange is weaker than `AcqRel` on either side.
#[test]
fn whoever_draws_a_greater_number_sees_what_came_before_the_smaller() {
    explore(Preemptions::Unbounded, 60, || {
        let (reserver, _) = reserver(TWO);
        reserver.upkeep().unwrap();
        let notes = Arc::new([AtomicU64::new(0), AtomicU64::new(0)]);
        let run = |me: usize| {
            let (reserver, notes) = (Arc::clone(&reserver), Arc::clone(&notes));
            move || {
                notes[me].store(1, Ordering::Relaxed);
                if reserver.draw().unwrap() == 2 {
                    assert_eq!(notes[1 - me].load(Ordering::Relaxed), 1, "what came before 1 is not seen");
                }
            }
        };
        let other = thread::spawn(run(1));
        run(0)();
        other.join().unwrap();
    });
}

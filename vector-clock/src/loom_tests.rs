//! Why the shared clock is a lock. Every test explores all interleavings of its three threads, without a bound.

#![cfg(test)] // so that the lints know helper functions for what they are

use alloc::sync::Arc as Witness;
use alloc::vec::Vec;

use clock_testing::{Preemptions, explore};
use loom::sync::Arc;
use loom::thread;

use crate::shared::SharedVectorClock;
use crate::sync::{AtomicU64, Ordering};
use crate::{Causality, DenseVector, Dot, Fixed, VersionVector};

/// The clock of actor 0 as it must not be built: one atomic word a lane.
struct AtomicLanes([AtomicU64; 2]);

impl AtomicLanes {
    fn tick(&self) -> DenseVector<2> {
        // ORDERING: AcqRel and Acquire. Pairs with `merge` and with itself. Stronger ones would not help: what goes
        // wrong is that two steps are not one. Weaker ones allow the same history and more.
        let own = self.0[0].fetch_add(1, Ordering::AcqRel).wrapping_add(1);
        DenseVector::try_from_counters([own, self.0[1].load(Ordering::Acquire)]).unwrap()
    }

    fn merge(&self, other: u64) {
        // ORDERING: AcqRel. Pairs with the loads in `tick`. The test is about `tick`, whatever this is.
        self.0[1].fetch_max(other, Ordering::AcqRel);
    }
}

/// The answers that some interleaving gave.
#[derive(Default)]
struct Answers(std::sync::Mutex<Vec<Causality>>);

impl Answers {
    fn add(&self, answer: Causality) {
        self.0.lock().unwrap().push(answer);
    }

    fn contain(&self, answer: Causality) -> bool {
        self.0.lock().unwrap().contains(&answer)
    }
}

#[test]
fn two_ticks_of_one_actor_on_atomic_lanes_can_be_concurrent() {
    let answers = Witness::new(Answers::default());
    let seen = Witness::clone(&answers);
    explore(Preemptions::Unbounded, 1_000, move || {
        let clock = Arc::new(AtomicLanes([AtomicU64::new(0), AtomicU64::new(0)]));
        let ticks = [(); 2].map(|()| {
            let clock = Arc::clone(&clock);
            thread::spawn(move || clock.tick())
        });
        clock.merge(1);
        let [a, b] = ticks.map(|tick| tick.join().unwrap());
        seen.add(a.causality(&b));
    });
    assert!(answers.contain(Causality::Concurrent));
}

#[test]
fn two_ticks_of_one_actor_on_the_shared_clock_are_ordered_in_every_interleaving() {
    let answers = Witness::new(Answers::default());
    let seen = Witness::clone(&answers);
    explore(Preemptions::Unbounded, 200, move || {
        let clock = Arc::new(SharedVectorClock::<u8, Fixed<2>>::new(0));
        let ticks = [(); 2].map(|()| {
            let clock = Arc::clone(&clock);
            thread::spawn(move || clock.tick().unwrap())
        });
        let remote = VersionVector::<u8, Fixed<2>>::from_sorted([Dot::try_new(1, 1).unwrap()]).unwrap();
        clock.merge(&remote).unwrap();
        let [a, b] = ticks.map(|tick| tick.join().unwrap());
        assert_eq!(a.causality(&b), a.vector().causality(b.vector()), "names and vectors agree");
        seen.add(a.causality(&b));
    });
    assert!(!answers.contain(Causality::Concurrent));
    assert!(!answers.contain(Causality::Equal), "two events have two names");
    assert!(
        answers.contain(Causality::Before) && answers.contain(Causality::After),
        "both orders were explored"
    );
}

//! What is learned twice is known once: the second merge of a time changes nothing and counts nothing, and a refusal that is
//! asked for again is the same refusal.

use core::fmt::Debug;

use lamport::{AtomicClock, Clock, EndReserved, MaxJump, MergeError, Snapshot, Time};
use proptest::prelude::*;

/// A clock of any kind: owned or shared, plain or durable.
pub(crate) trait Learner {
    /// All that it shows.
    type Shown: PartialEq + Debug;

    fn tick(&mut self) -> Option<Time>;
    fn observe(&mut self, remote: Time) -> Option<Time>;
    fn merge(&mut self, remote: Time) -> Result<(), MergeError>;
    fn merge_committed(&mut self, remote: Time) -> Result<(), MergeError>;
    /// Goes on after a time that this node is known to have reached. A durable clock learns that from its mark.
    fn resume_after(&mut self, after: Time) -> Result<(), EndReserved>;
    /// Whether there was anything to do; `None` where there is nothing to keep up.
    fn upkeep(&mut self) -> Option<bool>;
    fn shown(&self) -> Self::Shown;
    /// What it shows without the counts.
    fn known(&self) -> [Time; 2];
    fn refusals(&self) -> u64;
}

pub(crate) const fn refusals(seen: &Snapshot) -> u64 {
    seen.jump_exceeded + seen.end_reserved + seen.exhausted
}

macro_rules! plain {
    ($($clock:ident),*) => {$(
        impl Learner for $clock {
            type Shown = Snapshot;

            fn tick(&mut self) -> Option<Time> {
                $clock::tick(self).ok()
            }

            fn observe(&mut self, remote: Time) -> Option<Time> {
                $clock::observe(self, remote).ok()
            }

            fn merge(&mut self, remote: Time) -> Result<(), MergeError> {
                $clock::merge(self, remote)
            }

            fn merge_committed(&mut self, remote: Time) -> Result<(), MergeError> {
                $clock::merge_committed(self, remote);
                Ok(())
            }

            fn resume_after(&mut self, after: Time) -> Result<(), EndReserved> {
                $clock::resume_after(self, after)
            }

            fn upkeep(&mut self) -> Option<bool> {
                None
            }

            fn shown(&self) -> Snapshot {
                self.snapshot()
            }

            fn known(&self) -> [Time; 2] {
                [self.last(), Time::ZERO]
            }

            fn refusals(&self) -> u64 {
                refusals(&self.snapshot())
            }
        }
    )*};
}
plain!(Clock, AtomicClock);

#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    Tick,
    Observe(u64),
    Merge(u64),
    Committed(u64),
    Resume(u64),
    Upkeep,
}

/// How far a clock of these tests jumps.
pub(crate) const JUMP: MaxJump = MaxJump::AtMost(50);

pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    // About as far as a clock goes here, just too far, and the end.
    let times = || prop_oneof![8 => 0..120_u64, 1 => 1_000..2_000_u64, 1 => u64::MAX - 2..=u64::MAX];
    let step = prop_oneof![
        3 => Just(Step::Tick),
        1 => times().prop_map(Step::Observe),
        4 => times().prop_map(Step::Merge),
        2 => (0..300_u64).prop_map(Step::Committed),
        2 => times().prop_map(Step::Resume),
        2 => Just(Step::Upkeep),
    ];
    prop::collection::vec(step, 1..40)
}

/// Does `call` once with one clock, and twice with the other.
fn learn<C: Learner, E: PartialEq + Copy + Debug>(
    [once, twice]: [&mut C; 2],
    call: impl Fn(&mut C) -> Result<(), E>,
) {
    let first = call(once);
    assert_eq!(call(twice), first);
    let (shown, known, refusals) = (twice.shown(), twice.known(), twice.refusals());
    assert_eq!(call(twice), first, "the answer is another one");
    if first.is_ok() {
        assert_eq!(twice.shown(), shown, "the second time was not for nothing");
    } else {
        assert_eq!(twice.known(), known);
        assert_eq!(twice.refusals(), refusals + 1, "each refusal is counted");
    }
}

/// Drives two clocks alike, one of them through everything twice that may be done twice.
pub(crate) fn compare<C: Learner>([mut once, mut twice]: [C; 2], steps: &[Step]) {
    for &step in steps {
        let both = [&mut once, &mut twice];
        match step {
            Step::Tick => assert_eq!(twice.tick(), once.tick()),
            Step::Observe(time) => assert_eq!(twice.observe(Time::new(time)), once.observe(Time::new(time))),
            Step::Merge(time) => learn(both, |clock| clock.merge(Time::new(time))),
            Step::Committed(time) => learn(both, |clock| clock.merge_committed(Time::new(time))),
            Step::Resume(time) => learn(both, |clock| clock.resume_after(Time::new(time))),
            Step::Upkeep => {
                let first = once.upkeep();
                assert_eq!(twice.upkeep(), first);
                let shown = twice.shown();
                assert_eq!(twice.upkeep(), first.map(|_| false), "nothing is left to keep up");
                assert_eq!(twice.shown(), shown);
            }
        }
        assert_eq!(twice.known(), once.known(), "{step:?}");
    }
    assert_eq!(twice.tick(), once.tick());
}

proptest! {
    #[test]
    fn a_clock_that_learns_everything_twice_is_as_one_that_learned_it_once(steps in steps()) {
        compare([(); 2].map(|()| Clock::new().with_max_jump(JUMP)), &steps);
        compare([(); 2].map(|()| AtomicClock::new().with_max_jump(JUMP)), &steps);
    }
}

//! What is learned twice is known once: the second merge of a stamp changes nothing and counts nothing, and a refusal that is
//! asked for again is the same refusal.

use core::fmt::Debug;
use core::time::Duration;

use hlc::{
    AtomicClock, Clock, ObserveError, PhysicalTime, Source as _, Timestamp,
    source::{CachedSource, ManualSource, Offset, StepLimit},
};
use proptest::prelude::*;

const START: u64 = 1_800_000_000_000;

/// A clock of any kind: owned or shared, plain or durable.
pub(crate) trait Learner {
    /// All that it shows.
    type Shown: PartialEq + Debug;

    fn tick(&mut self) -> Option<Timestamp>;
    fn observe(&mut self, remote: Timestamp) -> Result<Timestamp, ObserveError>;
    fn merge(&mut self, remote: Timestamp) -> Result<(), ObserveError>;
    fn merge_committed(&mut self, remote: Timestamp) -> Result<(), ObserveError>;
    /// Whether there was anything to do; `None` where there is nothing to keep up.
    fn upkeep(&mut self) -> Option<bool>;
    fn shown(&self) -> Self::Shown;
    /// What it shows without the counts.
    fn known(&self) -> [Option<Timestamp>; 2];
    fn refusals(&self) -> u64;
}

macro_rules! plain {
    ($($clock:ident),*) => {$(
        impl Learner for $clock<&ManualSource> {
            type Shown = hlc::Snapshot<hlc::layout::Unix48>;

            fn tick(&mut self) -> Option<Timestamp> {
                $clock::tick(self).ok()
            }

            fn observe(&mut self, remote: Timestamp) -> Result<Timestamp, ObserveError> {
                $clock::observe(self, remote)
            }

            fn merge(&mut self, remote: Timestamp) -> Result<(), ObserveError> {
                $clock::merge(self, remote)
            }

            fn merge_committed(&mut self, remote: Timestamp) -> Result<(), ObserveError> {
                $clock::merge_committed(self, remote).map_err(ObserveError::Exhausted)
            }

            fn upkeep(&mut self) -> Option<bool> {
                None
            }

            fn shown(&self) -> Self::Shown {
                self.snapshot()
            }

            fn known(&self) -> [Option<Timestamp>; 2] {
                [self.last(), None]
            }

            fn refusals(&self) -> u64 {
                let seen = self.snapshot();
                seen.skew_refusals() + seen.lead_refusals() + seen.exhausted_refusals()
            }
        }
    )*};
}
plain!(Clock, AtomicClock);

#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// Sets the physical clock, in milliseconds around the start.
    Set(i64),
    Tick,
    /// A stamp so many milliseconds from the start, with this counter.
    Observe(i64, u32),
    Merge(i64, u32),
    Committed(i64, u32),
    /// The end of time, or just before it.
    MergeEnd(u64),
    Upkeep,
}

pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let away = || prop_oneof![-2_000_i64..2_000, 499_i64..502];
    let step = prop_oneof![
        2 => (-3_000_i64..3_000).prop_map(Step::Set),
        3 => Just(Step::Tick),
        1 => (away(), 0..3_u32).prop_map(|(away, counter)| Step::Observe(away, counter)),
        4 => (away(), 0..3_u32).prop_map(|(away, counter)| Step::Merge(away, counter)),
        2 => (away(), 0..3_u32).prop_map(|(away, counter)| Step::Committed(away, counter)),
        1 => (0..2_u64).prop_map(Step::MergeEnd),
        2 => Just(Step::Upkeep),
    ];
    prop::collection::vec(step, 1..40)
}

fn at(away: i64, counter: u32) -> Timestamp {
    Timestamp::from_parts(START.checked_add_signed(away).unwrap(), counter).unwrap()
}

/// Does `call` again, which went as `first` says.
fn again<C: Learner>(
    clock: &mut C,
    first: Result<(), ObserveError>,
    call: impl Fn(&mut C) -> Result<(), ObserveError>,
) {
    let (shown, known, refusals) = (clock.shown(), clock.known(), clock.refusals());
    assert_eq!(call(clock), first, "the answer is another one");
    if first.is_ok() {
        assert_eq!(clock.shown(), shown, "the second time was not for nothing");
    } else {
        assert_eq!(clock.known(), known);
        assert_eq!(clock.refusals(), refusals + 1, "each refusal is counted");
    }
}

/// Drives two clocks alike, one of them through everything twice that may be done twice.
pub(crate) fn compare<C: Learner>(source: &ManualSource, [mut once, mut twice]: [C; 2], steps: &[Step]) {
    for &step in steps {
        let learn = |once: &mut C, twice: &mut C, call: &dyn Fn(&mut C) -> Result<(), ObserveError>| {
            let first = call(once);
            assert_eq!(call(twice), first);
            again(twice, first, call);
        };
        match step {
            Step::Set(away) => source.set_millis(START.checked_add_signed(away).unwrap()),
            Step::Tick => assert_eq!(twice.tick(), once.tick()),
            Step::Observe(away, counter) => {
                assert_eq!(twice.observe(at(away, counter)), once.observe(at(away, counter)));
            }
            Step::Merge(away, counter) => {
                learn(&mut once, &mut twice, &|clock| clock.merge(at(away, counter)));
            }
            Step::Committed(away, counter) => {
                learn(&mut once, &mut twice, &|clock| clock.merge_committed(at(away, counter)));
            }
            Step::MergeEnd(below) => {
                let end = Timestamp::from_bits(Timestamp::MAX.to_bits() - below).unwrap();
                learn(&mut once, &mut twice, &|clock| clock.merge(end));
            }
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
        let source = ManualSource::at_millis(START);
        compare(&source, [(); 2].map(|()| Clock::new(&source)), &steps);
        source.set_millis(START);
        compare(&source, [(); 2].map(|()| AtomicClock::new(&source)), &steps);
    }
}

#[test]
fn a_clock_that_is_told_twice_above_what_to_go_on_is_told_once() {
    let source = ManualSource::at_millis(START);
    let last = at(700, 3);
    let mut once = Clock::new(&source).resume_after(last);
    let mut twice = Clock::new(&source).resume_after(last).resume_after(last);
    let shared = AtomicClock::new(&source).resume_after(last).resume_after(last);
    assert_eq!((twice.snapshot(), shared.snapshot()), (once.snapshot(), once.snapshot()));
    let next = once.tick().unwrap();
    assert_eq!((twice.tick(), shared.tick()), (Ok(next), Ok(next)));
}

#[test]
fn a_source_that_is_told_twice_reads_as_if_told_once() {
    let wall = ManualSource::at_millis(START);
    let counter = ManualSource::at_millis(5);
    let time = |millis| Ok(PhysicalTime::from_millis(millis));

    let cached = CachedSource::new();
    for _ in 0..2 {
        assert_eq!(cached.refresh(&wall), time(START));
        assert_eq!((cached.now(), cached.failed_refreshes()), (time(START), 0));
    }
    for _ in 0..2 {
        cached.clear();
        assert!(cached.now().is_err());
        assert_eq!(cached.failed_refreshes(), 0);
    }

    let offset = Offset::new(&counter);
    for _ in 0..2 {
        offset.set_from(PhysicalTime::from_millis(START)).unwrap();
        assert_eq!((offset.now(), offset.nanos()), (time(START), Some(1_799_999_999_995_000_000)));
    }

    let limit = StepLimit::new(&wall, &counter, Duration::from_secs(1));
    assert_eq!(limit.now(), time(START));
    wall.set_millis(START + 60_000);
    assert!(limit.now().is_err());
    for _ in 0..2 {
        assert_eq!(limit.accept_step(), time(START + 60_000));
        assert_eq!(limit.now(), time(START + 60_000));
    }
    wall.set_millis(START + 61_001);
    assert!(limit.now().is_err(), "a step that is accepted twice is one step");
}

//! What a durable clock learns twice it knows once, also where a crash lies between the two.

use clock_testing::{CrashPoints, tally};
use high_water::{FaultMedium, Identity, Mark, MemoryMark, Options};
use hlc::{AtomicDurableClock, DurableClock, ObserveError, Timestamp, source::ManualSource};
use proptest::prelude::*;

use super::START;
use crate::twice::{Learner, Step, compare, steps};

macro_rules! durable {
    ($($clock:ident),*) => {$(
        impl<M: Mark> Learner for $clock<&ManualSource, M> {
            type Shown = hlc::DurableSnapshot<hlc::layout::Unix48>;

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
                $clock::merge_committed(self, remote)
            }

            fn upkeep(&mut self) -> Option<bool> {
                $clock::upkeep(self).ok()
            }

            fn shown(&self) -> Self::Shown {
                self.snapshot()
            }

            fn known(&self) -> [Option<Timestamp>; 2] {
                [self.last(), self.snapshot().bound()]
            }

            fn refusals(&self) -> u64 {
                let (seen, stalls) = (self.snapshot().clock(), self.snapshot().stalls());
                seen.skew_refusals() + seen.lead_refusals() + seen.exhausted_refusals() + stalls
            }
        }
    )*};
}
durable!(DurableClock, AtomicDurableClock);

proptest! {
    #[test]
    fn a_durable_clock_that_learns_everything_twice_is_as_one_that_learned_it_once(steps in steps()) {
        let source = ManualSource::at_millis(START);
        compare(&source, [(); 2].map(|()| DurableClock::new(&source, MemoryMark::new(0))), &steps);
        source.set_millis(START);
        // One that nobody keeps up refuses all of it.
        let shared = || AtomicDurableClock::new(&source, MemoryMark::new(0));
        compare(&source, [shared(), shared()], &steps);
        let kept_up: Vec<Step> = steps.iter().flat_map(|step| [Step::Upkeep, *step]).collect();
        source.set_millis(START);
        compare(&source, [shared(), shared()], &kept_up);
    }
}

fn options() -> Options {
    Options::new(Identity::from_bytes(*b"hlc learns twice"))
}

fn agreed() -> Timestamp {
    Timestamp::from_parts(START + 90_000, 7).unwrap()
}

/// A process begins, and replays the one thing that it has to know, which is far above its bound. What it left on the disk.
fn replay(machine: &FaultMedium, is_shared: bool) -> Option<u64> {
    let source = ManualSource::at_millis(START);
    let mark = options().open_or_create_on(machine).ok()?.into_mark();
    let mark = if is_shared {
        let clock = AtomicDurableClock::new(&source, mark);
        clock.merge_committed(agreed()).ok()?;
        clock.merge_committed(agreed()).unwrap();
        assert!(clock.last() >= Some(agreed()));
        clock.into_mark()
    } else {
        let mut clock = DurableClock::new(&source, mark);
        clock.merge_committed(agreed()).ok()?;
        clock.merge_committed(agreed()).unwrap();
        assert!(clock.last() >= Some(agreed()));
        clock.into_mark()
    };
    Some(mark.get())
}

#[test]
fn what_was_agreed_on_and_is_replayed_after_a_crash_at_any_call_is_learned_once() {
    let mut images = 0;
    for is_shared in [false, true] {
        let once = replay(&FaultMedium::new(), is_shared).unwrap();
        assert!(once >= agreed().to_bits());
        let points = CrashPoints {
            lives: |machine: &FaultMedium| replay(machine, is_shared).unwrap_or(1),
            check: |after: &FaultMedium, _, image: &dyn Fn() -> String| {
                for time in 0..3 {
                    assert_eq!(replay(after, is_shared), Some(once), "{time}: {}", image());
                }
                let mark = options().open_on(after.clone()).unwrap().into_mark();
                let source = ManualSource::at_millis(START);
                let first = DurableClock::new(&source, mark).tick().unwrap();
                assert!(first > agreed(), "{}", image());
            },
        };
        let start = FaultMedium::new();
        drop(options().create_on(start.clone(), 0, b"").unwrap());
        images += points.power_cut_at_every_call(&FaultMedium::new()) + points.every_call_fails(&start);
    }
    tally(format_args!("{images} images after which a clock was told again"));
    assert!(images > 500, "{images}: there were more");
}

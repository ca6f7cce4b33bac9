//! What a durable clock learns twice it knows once, also where a crash lies between the two.

use clock_testing::{CrashPoints, tally};
use high_water::{FaultMedium, Identity, Mark, MemoryMark, Options};
use lamport::{AtomicDurableClock, DurableClock, DurableSnapshot, EndReserved, MergeError, Time};
use proptest::prelude::*;

use super::block;
use crate::twice::{JUMP, Learner, Step, compare, refusals, steps};

macro_rules! durable {
    ($($clock:ident),*) => {$(
        impl<M: Mark> Learner for $clock<M> {
            type Shown = DurableSnapshot;

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
                $clock::merge_committed(self, remote)
            }

            fn resume_after(&mut self, _: Time) -> Result<(), EndReserved> {
                Ok(())
            }

            fn upkeep(&mut self) -> Option<bool> {
                $clock::upkeep(self).ok()
            }

            fn shown(&self) -> DurableSnapshot {
                self.snapshot()
            }

            fn known(&self) -> [Time; 2] {
                [self.last(), self.snapshot().bound]
            }

            fn refusals(&self) -> u64 {
                let seen = self.snapshot();
                refusals(&seen.clock) + seen.stalls
            }
        }
    )*};
}
durable!(DurableClock, AtomicDurableClock);

proptest! {
    #[test]
    fn a_durable_clock_that_learns_everything_twice_is_as_one_that_learned_it_once(steps in steps()) {
        let owned = || DurableClock::new(MemoryMark::new(0)).with_max_jump(JUMP).with_block(block(8));
        compare([owned(), owned()], &steps);
        let shared = || AtomicDurableClock::new(MemoryMark::new(0)).with_max_jump(JUMP).with_block(block(8));
        // One that nobody keeps up refuses most of it.
        compare([shared(), shared()], &steps);
        let kept_up: Vec<Step> = steps.iter().flat_map(|step| [Step::Upkeep, *step]).collect();
        compare([shared(), shared()], &kept_up);
    }
}

fn options() -> Options {
    Options::new(Identity::from_bytes(*b"lamport 2 times!"))
}

const AGREED: Time = Time::new(1_000);

/// A process begins, and replays the one thing that it has to know, which is far above its bound. What it left on the disk.
fn replay(machine: &FaultMedium, is_shared: bool) -> Option<u64> {
    let mark = options().open_or_create_on(machine).ok()?.into_mark();
    let mark = if is_shared {
        let clock = AtomicDurableClock::new(mark).with_block(block(8));
        clock.merge_committed(AGREED).ok()?;
        clock.merge_committed(AGREED).unwrap();
        assert!(clock.last() >= AGREED);
        clock.into_mark()
    } else {
        let mut clock = DurableClock::new(mark).with_block(block(8));
        clock.merge_committed(AGREED).ok()?;
        clock.merge_committed(AGREED).unwrap();
        assert!(clock.last() >= AGREED);
        clock.into_mark()
    };
    Some(mark.get())
}

#[test]
fn what_was_agreed_on_and_is_replayed_after_a_crash_at_any_call_is_learned_once() {
    let mut images = 0;
    for is_shared in [false, true] {
        let once = replay(&FaultMedium::new(), is_shared).unwrap();
        assert!(once >= AGREED.get());
        let points = CrashPoints {
            lives: |machine: &FaultMedium| replay(machine, is_shared).unwrap_or(1),
            check: |after: &FaultMedium, _, image: &dyn Fn() -> String| {
                for time in 0..3 {
                    assert_eq!(replay(after, is_shared), Some(once), "{time}: {}", image());
                }
                let mark = options().open_on(after.clone()).unwrap().into_mark();
                assert!(DurableClock::new(mark).tick().unwrap() > AGREED, "{}", image());
            },
        };
        let start = FaultMedium::new();
        drop(options().create_on(start.clone(), 0, b"").unwrap());
        images += points.power_cut_at_every_call(&FaultMedium::new()) + points.every_call_fails(&start);
    }
    tally(format_args!("{images} images after which a clock was told again"));
    assert!(images > 500, "{images}: there were more");
}

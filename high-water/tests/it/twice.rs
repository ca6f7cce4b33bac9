//! What is asked for twice is done once: the second time writes nothing, and where a crash lies between the two nobody can
//! tell from what is there afterwards.

use crate::flash::{REGION, Small, created};
use crate::{OURS, options, register_at};
use clock_testing::{CrashPoints, tally};
use high_water::{
    FaultMedium, FlashError, FlashMark, Mark, MemoryMark, Options, RaiseError, Register, Reserver, Torn,
};
use proptest::prelude::*;
use std::num::NonZeroU64;

/// A value and its payload.
type State = (u64, Vec<u8>);

/// Something that a process does at its start, and does again if it did not hear how it ended.
struct Errand {
    name: &'static str,
    start: fn() -> FaultMedium,
    run: fn(&FaultMedium) -> Option<Register<FaultMedium>>,
}

fn at_seven() -> FaultMedium {
    let (machine, mut register) = register_at(3);
    register.raise(7, b"seven").unwrap();
    drop(register);
    machine
}

/// With a copy that is rotten and another that is torn off.
fn damaged() -> FaultMedium {
    let machine = at_seven();
    let mut bytes = machine.cached().unwrap();
    bytes.truncate(bytes.len() - 100);
    bytes[20] ^= 1;
    FaultMedium::with_file(&bytes)
}

fn raised(register: Register<FaultMedium>) -> Option<Register<FaultMedium>> {
    let mut register = register;
    register.raise(9, b"nine").ok()?;
    Some(register)
}

const ERRANDS: [Errand; 6] = [
    Errand {
        name: "create it",
        start: FaultMedium::new,
        run: |machine| options().open_or_create_on(machine).ok(),
    },
    Errand {
        name: "create and raise it",
        start: FaultMedium::new,
        run: |machine| raised(options().open_or_create_on(machine).ok()?),
    },
    Errand { name: "open it", start: at_seven, run: |machine| options().open_on(machine.clone()).ok() },
    Errand {
        name: "raise it",
        start: at_seven,
        run: |machine| raised(options().open_on(machine.clone()).ok()?),
    },
    Errand {
        name: "recover it to a floor above it",
        start: damaged,
        run: |machine| options().recover_on(machine.clone(), 9, b"nine").ok(),
    },
    Errand {
        // A floor below it breaks the promise: a copy that cannot be read at the moment is not waited for.
        name: "recover it to where it was",
        start: damaged,
        run: |machine| options().recover_on(machine.clone(), 7, b"seven").ok(),
    },
];

fn state(register: Option<Register<FaultMedium>>) -> Option<State> {
    register.map(|register| (register.get(), register.payload().to_vec()))
}

#[test]
fn an_errand_that_is_run_again_finds_it_done() {
    for errand in ERRANDS {
        let machine = (errand.start)();
        let once = state((errand.run)(&machine));
        assert!(once.is_some(), "{}", errand.name);
        for _ in 0..3 {
            assert_eq!(state((errand.run)(&machine)), once, "{}", errand.name);
        }
    }
}

/// The power is cut, or a call fails, wherever it can; the errand is run again, and twice more.
#[test]
fn an_errand_that_a_crash_interrupts_is_run_again_as_if_it_had_not_been() {
    let mut images = 0;
    for errand in ERRANDS {
        let start = (errand.start)();
        let once = state((errand.run)(&start.process_crash())).unwrap();
        let points = CrashPoints {
            lives: |machine: &FaultMedium| {
                let _interrupted = (errand.run)(machine);
                1
            },
            check: |after: &FaultMedium, _, image: &dyn Fn() -> String| {
                for time in 0..3 {
                    let again = state((errand.run)(after));
                    assert_eq!(again.as_ref(), Some(&once), "{}, {time}: {}", errand.name, image());
                }
                let found = options().open_on(after.clone()).unwrap();
                assert_eq!((found.get(), found.payload()), (once.0, &once.1[..]), "{}", image());
            },
        };
        images += points.power_cut_at_every_call(&start) + points.every_call_fails(&start);
    }
    tally(format_args!("{images} images after which an errand was run again"));
    assert!(images > 1_000, "{images}: there were more");
}

/// A power cut, and another one while the errand is run again.
#[test]
fn an_errand_that_two_crashes_interrupt_is_run_again_as_if_it_had_not_been() {
    let mut images = 0;
    for errand in ERRANDS {
        let start = (errand.start)();
        let whole = start.process_crash();
        let once = state((errand.run)(&whole));
        for call in 0..whole.calls() {
            let machine = start.process_crash();
            machine.fail(call, high_water::Fault::PowerCut);
            let _interrupted = (errand.run)(&machine);
            let points = CrashPoints {
                lives: |machine: &FaultMedium| {
                    let _interrupted = (errand.run)(machine);
                    1
                },
                check: |after: &FaultMedium, _, image: &dyn Fn() -> String| {
                    let again = state((errand.run)(after));
                    assert_eq!(again, once, "{}: {call}, then {}", errand.name, image());
                },
            };
            // One cut of those that the first allows: each other is a start that the test above has tried.
            if let Some(cut) = clock_testing::cuts(&machine).last() {
                images += points.power_cut_at_every_call(&machine.power_cut(cut));
            }
        }
    }
    tally(format_args!("{images} images after two crashes of an errand"));
    assert!(images > 1_000, "{images}: there were more");
}

proptest! {
    /// Of two registers one is asked for everything twice.
    #[test]
    fn a_history_of_raises_that_are_each_repeated_leaves_the_bytes_of_the_one_that_are_not(
        steps in prop::collection::vec((0..12_u64, 0..3_u8), 1..24),
    ) {
        let ((single, mut once), (double, mut twice)) = (register_at(0), register_at(0));
        let mut repeated = 0;
        for (value, payload) in steps {
            let first: Result<(), RaiseError> = once.raise(value, &[payload]);
            prop_assert_eq!(twice.raise(value, &[payload]), first);
            let (bytes, calls) = (double.cached(), double.calls());
            prop_assert_eq!(twice.raise(value, &[payload]), first);
            prop_assert_eq!((double.cached(), double.calls()), (bytes, calls), "the second time touches no file");
            repeated += u64::from(first.is_ok());
        }
        prop_assert_eq!(single.cached(), double.cached());
        let (once, twice) = (once.snapshot(), twice.snapshot());
        prop_assert_eq!((twice.raises, twice.syncs), (once.raises, once.syncs));
        prop_assert_eq!(twice.unchanged, once.unchanged * 2 + once.raises);
        prop_assert_eq!((twice.not_raised, repeated), (once.not_raised * 2, once.raises + once.unchanged));
    }
}

/// Asks for each value twice, and for what is below it; `seen` looks at whatever is behind the mark.
fn raise_twice<M: Mark, S: PartialEq + std::fmt::Debug>(mark: &mut M, seen: impl Fn(&M) -> S) {
    for value in [5, 6, 900, u64::MAX] {
        mark.raise_to(value).unwrap();
        let before = seen(mark);
        for below in [value, value - 1, 0] {
            mark.raise_to(below).unwrap();
        }
        assert_eq!((mark.get(), seen(mark)), (value, before));
    }
}

#[test]
fn every_mark_does_nothing_when_it_is_raised_to_where_it_is_or_below() {
    let (machine, register) = register_at(0);
    raise_twice(&mut register.into_mark(), |_| (machine.cached(), machine.calls()));
    let asked = std::cell::Cell::new(0);
    let script = |_| {
        asked.set(asked.get() + 1);
        high_water::Outcome::Acknowledged
    };
    raise_twice(&mut MemoryMark::scripted(0, script), |_| asked.get());

    let mut flash = created(1);
    for value in [5, 6, 900, u64::MAX] {
        for _ in 0..2 {
            let mut mark = FlashMark::open(&mut flash, REGION, OURS).unwrap();
            mark.raise_to(value).unwrap();
            mark.raise_to(value - 1).unwrap();
        }
        let operations = flash.operations().len();
        FlashMark::open(&mut flash, REGION, OURS).unwrap().raise_to(value).unwrap();
        assert_eq!(flash.operations().len(), operations, "{value}: it was written again");
    }
}

#[test]
fn a_second_upkeep_reserves_nothing_and_touches_no_file() {
    let (machine, register) = register_at(0);
    let mut reserver = Reserver::new(register.into_mark(), NonZeroU64::new(10).unwrap());
    for _ in 0..5 {
        assert_eq!(reserver.upkeep(), Ok(true));
        let before = (machine.cached(), machine.calls(), reserver.snapshot());
        assert_eq!(reserver.upkeep(), Ok(false));
        assert_eq!((machine.cached(), machine.calls(), reserver.snapshot()), before);
        for _ in 0..6 {
            reserver.draw().unwrap();
        }
    }
}

type FlashErrand = fn(&mut Small) -> Result<u64, FlashError>;

fn raise_in_flash(flash: &mut Small) -> Result<u64, FlashError> {
    let mut mark = FlashMark::open(flash, REGION, OURS)?;
    let raised = mark.raise_to(9);
    assert!(raised.is_ok() || mark.get() < 9);
    Ok(mark.get())
}

fn format_flash(flash: &mut Small) -> Result<u64, FlashError> {
    Ok(FlashMark::format(flash, REGION, OURS, 9)?.get())
}

/// The same on flash, where the power goes at any step of a program or an erase.
#[test]
fn an_errand_in_flash_that_a_power_cut_interrupts_is_run_again_as_if_it_had_not_been() {
    const ERRANDS: [(&str, FlashErrand); 2] = [("raise", raise_in_flash), ("format", format_flash)];
    let mut images = 0;
    // With room left in the sector, and with none.
    for filled in 0..4 {
        let mut base = created(1);
        for value in 2..2 + filled {
            FlashMark::open(&mut base, REGION, OURS).unwrap().raise_to(value).unwrap();
        }
        for (name, run) in ERRANDS {
            let mut whole = base.clone();
            assert_eq!(run(&mut whole), Ok(9), "{name}");
            for step in base.steps()..=whole.steps() {
                for torn in [Torn::Clean, Torn::Some(1), Torn::Unstable, Torn::Done, Torn::Unreadable] {
                    let mut flash = base.clone();
                    flash.cut_at(step, torn);
                    let _interrupted = run(&mut flash);
                    let mut after = flash.restarted();
                    images += 1;
                    for _ in 0..2 {
                        assert_eq!(run(&mut after), Ok(9), "{name}: {torn:?} at {step} after {filled}");
                    }
                    let written = after.operations().len();
                    assert_eq!(raise_in_flash(&mut after), Ok(9));
                    assert_eq!(after.operations().len(), written, "{name}: {torn:?} at {step}");
                    assert_eq!(after.violations(), 0);
                }
            }
        }
    }
    tally(format_args!("{images} images of flash after which an errand was run again"));
    assert!(images > 1_000, "{images}: there were more");
}

/// A floor may be said again, whoever says it: it raises nothing and refuses nothing.
#[test]
fn a_floor_that_is_given_at_each_opening_changes_nothing() {
    let machine = at_seven();
    let with_floor = |floor| -> Options { options().at_least(floor) };
    for _ in 0..3 {
        let register = with_floor(7).open_on(machine.clone()).unwrap();
        assert_eq!((register.get(), register.payload()), (7, &b"seven"[..]));
    }
    for _ in 0..3 {
        assert!(with_floor(8).open_on(machine.clone()).is_err());
    }
    assert_eq!(with_floor(7).open_on(machine).unwrap().get(), 7, "what was refused has changed nothing");
}

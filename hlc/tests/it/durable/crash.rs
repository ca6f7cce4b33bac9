//! Every crash point of a clock over a register on the simulated disk.

use clock_testing::{CrashPoints, tally};
use high_water::{FaultMedium, Identity, Options};
use hlc::{AtomicDurableClock, DurableClock, source::ManualSource};

use super::START;

fn options() -> Options {
    Options::new(Identity::from_bytes(*b"hlc crash points"))
}

/// Lives that each issue some stamps while time jumps about, until the machine fails for good. Returns the
/// greatest stamp that the outside world has seen.
fn lives(machine: &FaultMedium, is_shared: bool) -> u64 {
    let source = ManualSource::at_millis(START);
    let mut greatest = 0;
    for life in 0..4_u64 {
        let Ok(register) = options().open_or_create_on(machine) else { continue };
        let mark = register.into_mark();
        let mut issue: Box<dyn FnMut() -> Option<u64>> = if is_shared {
            let clock = AtomicDurableClock::new(&source, mark);
            Box::new(move || {
                let _ = clock.upkeep();
                Some(clock.tick().ok()?.to_bits())
            })
        } else {
            let mut clock = DurableClock::new(&source, mark);
            Box::new(move || Some(clock.tick().ok()?.to_bits()))
        };
        for step in 0..6 {
            // Forward beyond the window, then back by an hour in the middle life.
            let back = if life == 2 { 3_600_000 } else { 0 };
            source.set_millis(START + life * 1_000 + step * 170 - back);
            if let Some(stamp) = issue() {
                assert!(stamp > greatest, "issued again in life {life}");
                greatest = stamp;
            }
        }
    }
    greatest
}

/// A successor on the disk as it is after the crash.
fn check(after: &FaultMedium, greatest: u64, image: &dyn Fn() -> String) {
    let source = ManualSource::at_millis(START - 3_600_000);
    let register = options().open_or_create_on(after).unwrap_or_else(|error| panic!("{error}: {}", image()));
    let mut clock = DurableClock::new(&source, register.into_mark());
    let first = clock.tick().unwrap().to_bits();
    assert!(first > greatest, "{first:x} was issued before, up to {greatest:x}: {}", image());
}

fn crash_points(is_shared: bool) -> CrashPoints<impl Fn(&FaultMedium) -> u64, Check> {
    CrashPoints { lives: move |machine: &FaultMedium| lives(machine, is_shared), check }
}

type Check = fn(&FaultMedium, u64, &dyn Fn() -> String);

#[test]
fn nothing_issued_before_a_power_cut_at_any_call_is_issued_after_it() {
    let images: u64 = [false, true]
        .map(|is_shared| crash_points(is_shared).power_cut_at_every_call(&FaultMedium::new()))
        .iter()
        .sum();
    tally(format_args!("{images} crash images of durable clocks"));
    assert!(images > 1_000, "{images}: there were more");
}

#[test]
fn nothing_is_issued_twice_whatever_call_fails_and_whatever_a_failed_sync_left() {
    // A creation that fails is the register's own matter: here it is there before.
    let start = FaultMedium::new();
    drop(options().create_on(start.clone(), 0, b"").unwrap());
    let images: u64 =
        [false, true].map(|is_shared| crash_points(is_shared).every_call_fails(&start)).iter().sum();
    tally(format_args!("{images} images after failed calls"));
    assert!(images > 1_000, "{images}: there were more");
}

//! Every crash point of a clock over a register on the simulated disk.

use clock_testing::{CrashPoints, tally};
use high_water::{FaultMedium, Identity, Options};
use lamport::{AtomicDurableClock, DurableClock};

use super::block;

fn options() -> Options {
    Options::new(Identity::from_bytes(*b"lamport crashes!"))
}

/// Lives that each hand out some times, until the machine fails for good. Returns the greatest time that the outside
/// world has seen.
fn lives(machine: &FaultMedium, is_shared: bool) -> u64 {
    let mut greatest = 0;
    for life in 0..4 {
        let Ok(register) = options().open_or_create_on(machine) else { continue };
        let mark = register.into_mark();
        let mut tick: Box<dyn FnMut() -> Option<u64>> = if is_shared {
            let clock = AtomicDurableClock::new(mark).with_block(block(2));
            Box::new(move || {
                let _ = clock.upkeep();
                Some(clock.tick().ok()?.get())
            })
        } else {
            let mut clock = DurableClock::new(mark).with_block(block(2));
            Box::new(move || Some(clock.tick().ok()?.get()))
        };
        for _ in 0..6 {
            if let Some(time) = tick() {
                assert!(time > greatest, "handed out again in life {life}");
                greatest = time;
            }
        }
    }
    greatest
}

/// A successor on the disk as it is after the crash.
fn check(after: &FaultMedium, greatest: u64, image: &dyn Fn() -> String) {
    let register = options().open_or_create_on(after).unwrap_or_else(|error| panic!("{error}: {}", image()));
    let mut clock = DurableClock::new(register.into_mark());
    let first = clock.tick().unwrap().get();
    assert!(first > greatest, "{first} was handed out before, up to {greatest}: {}", image());
}

fn crash_points(is_shared: bool) -> CrashPoints<impl Fn(&FaultMedium) -> u64, Check> {
    CrashPoints { lives: move |machine: &FaultMedium| lives(machine, is_shared), check }
}

type Check = fn(&FaultMedium, u64, &dyn Fn() -> String);

#[test]
fn nothing_handed_out_before_a_power_cut_at_any_call_is_handed_out_after_it() {
    let images: u64 = [false, true]
        .map(|is_shared| crash_points(is_shared).power_cut_at_every_call(&FaultMedium::new()))
        .iter()
        .sum();
    tally(format_args!("{images} crash images of durable clocks"));
    assert!(images > 1_000, "{images}: there were more");
}

#[test]
fn nothing_is_handed_out_twice_whatever_call_fails_and_whatever_a_failed_sync_left() {
    // A creation that fails is the register's own matter: here it is there before.
    let start = FaultMedium::new();
    drop(options().create_on(start.clone(), 0, b"").unwrap());
    let images: u64 =
        [false, true].map(|is_shared| crash_points(is_shared).every_call_fails(&start)).iter().sum();
    tally(format_args!("{images} images after failed calls"));
    assert!(images > 1_000, "{images}: there were more");
}

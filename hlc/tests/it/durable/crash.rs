//! Every crash point of a clock over a register on the simulated disk.

use high_water::{Cut, Fate, Fault, FaultMedium, Identity, Options, Unflushed};
use hlc::{AtomicDurableClock, DurableClock, source::ManualSource};

use super::START;

const EIO: i32 = 5;

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

/// Each unflushed change lost, whole, or torn at either end, in every combination.
fn cuts(machine: &FaultMedium) -> Vec<Cut> {
    let mut fates: Vec<Vec<Fate>> = vec![Vec::new()];
    for change in machine.unflushed() {
        let torn = match change {
            Unflushed::Write(len) => vec![Fate::Prefix(len / 16), Fate::Suffix(len / 3)],
            Unflushed::Length | Unflushed::Name | _ => Vec::new(),
        };
        let each = [vec![Fate::Lost, Fate::Whole], torn].concat();
        fates = fates
            .iter()
            .flat_map(|so_far| each.iter().map(|fate| [&so_far[..], &[*fate]].concat()))
            .collect();
    }
    fates.iter().map(|fates| Cut::new(fates)).collect()
}

fn calls(is_shared: bool) -> u64 {
    let machine = FaultMedium::new();
    assert!(lives(&machine, is_shared) > 0);
    machine.calls()
}

#[test]
fn nothing_issued_before_a_power_cut_at_any_call_is_issued_after_it() {
    let mut images = 0_u64;
    for is_shared in [false, true] {
        for call in 0..calls(is_shared) {
            let machine = FaultMedium::new();
            machine.fail(call, Fault::PowerCut);
            let greatest = lives(&machine, is_shared);
            for cut in cuts(&machine) {
                images += 1;
                check(&machine.power_cut(&cut), greatest, &|| format!("{cut:?} at call {call}"));
            }
        }
    }
    println!("{images} crash images of durable clocks");
    assert!(images > 1_000, "{images}: the loops above shrank");
}

#[test]
fn nothing_is_issued_twice_whatever_call_fails_and_whatever_a_failed_sync_left() {
    // A creation that fails is the register's own matter: here it is there before.
    let machine = || {
        let machine = FaultMedium::new();
        drop(options().create_on(machine.clone(), 0, b"").unwrap());
        machine
    };
    let mut images = 0_u64;
    for is_shared in [false, true] {
        let whole = machine();
        lives(&whole, is_shared);
        for call in machine().calls()..whole.calls() {
            let failed = |fate| Fault::SyncFails { errno: EIO, fate };
            let torn = Fault::Torn { bytes: 40, errno: EIO };
            for fault in [Fault::Errno(EIO), torn, failed(Fate::Lost), failed(Fate::Whole)] {
                let machine = machine();
                machine.fail(call, fault);
                let greatest = lives(&machine, is_shared);
                for after in [machine.process_crash(), machine.power_cut(&Cut::new(&[]))] {
                    images += 1;
                    check(&after, greatest, &|| format!("{fault:?} at call {call}"));
                }
            }
        }
    }
    println!("{images} images after failed calls");
    assert!(images > 1_000, "{images}: the loops above shrank");
}

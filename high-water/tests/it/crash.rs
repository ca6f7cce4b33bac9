//! Every crash point: for each call to the medium, for each way in which what was not flushed may or may not
//! have reached the disk, a restart finds at least what was acknowledged and at most what was asked for.

use crate::{OURS, options};
use clock_testing::tally;
use high_water::{
    Cut, Fate, Fault, FaultMedium, Mark, OpenError, Options, RaiseError, Register, Reserver, Unflushed,
};
use std::num::NonZeroU64;
use std::sync::atomic::{AtomicU64, Ordering};

const EINTR: i32 = 4;
const EIO: i32 = 5;
const ENOSPC: i32 = 28;
const EROFS: i32 = 30;

/// What the outside world knows: the caller of a register, and whom it told.
#[derive(Clone, Copy, Debug, Default)]
struct Witness {
    /// Whether somebody was told that the register exists.
    created: bool,
    acknowledged: u64,
    requested: u64,
}

impl Witness {
    /// Reopens after a crash, and checks what is found. `image` says how it was made, for a failure.
    fn check(self, after: &FaultMedium, image: impl Fn() -> String) {
        match options().open_on(after.clone()) {
            Ok(mut register) => {
                let found = register.get();
                assert!(
                    self.acknowledged <= found && found <= self.requested,
                    "found {found}, not in {self:?}, after {}",
                    image()
                );
                assert_eq!(register.payload(), payload(found), "another value's payload after {}", image());
                let next = self.requested + 1;
                register.raise(next, &payload(next)).unwrap();
                assert_eq!(register.get(), next);
            }
            Err(OpenError::NotFound) => {
                assert!(!self.created, "the register is gone after {}", image());
                // Half a creation must not be in the way of a whole one.
                options().create_on(after.clone(), 0, &payload(0)).unwrap();
            }
            Err(error) => panic!("{error} ({error:?}) after {}", image()),
        }
    }
}

fn payload(value: u64) -> Vec<u8> {
    std::iter::repeat_n(value.to_be_bytes(), (value % 33) as usize).flatten().take(256).collect()
}

/// Opens or creates, raises a few times, closes, and again. Ends at the first error that is not a definite
/// refusal: the process is then taken to restart, or to be dead.
fn script(machine: &FaultMedium, lives: u64, raises: u64) -> Witness {
    let mut witness = Witness::default();
    for _ in 0..lives {
        let register = match options().open_on(machine.clone()) {
            Err(OpenError::NotFound) => options().create_on(machine.clone(), 0, &payload(0)),
            result => result,
        };
        let Ok(mut register) = register else { break };
        witness.created = true;
        witness.acknowledged = witness.acknowledged.max(register.get());
        for _ in 0..raises {
            witness.requested += 1;
            let value = witness.requested;
            if register.raise(value, &payload(value)).is_ok() {
                witness.acknowledged = value;
            }
        }
    }
    witness
}

static IMAGES: AtomicU64 = AtomicU64::new(0);

fn count(images: u64) {
    IMAGES.fetch_add(images, Ordering::Relaxed);
}

/// The coarse cuts: each unflushed change lost, whole, or torn in the middle, in every combination.
pub(crate) fn coarse_cuts(machine: &FaultMedium) -> Vec<Cut> {
    machine
        .unflushed()
        .iter()
        .fold(vec![vec![]], |cuts: Vec<Vec<Fate>>, change| {
            let fates = match change {
                Unflushed::Write(len) => {
                    vec![Fate::Lost, Fate::Whole, Fate::Prefix(len / 16), Fate::Suffix(len / 16)]
                }
                _ => vec![Fate::Lost, Fate::Whole],
            };
            let longer = |cut: Vec<Fate>| {
                fates.iter().map(move |fate| [&cut[..], &[*fate]].concat()).collect::<Vec<_>>()
            };
            cuts.into_iter().flat_map(longer).collect()
        })
        .iter()
        .map(|fates| Cut::new(fates))
        .collect()
}

/// The call numbers of a script, on a machine that works.
pub(crate) fn calls<T>(script: impl Fn(&FaultMedium) -> T) -> u64 {
    let machine = FaultMedium::new();
    drop(script(&machine));
    machine.calls()
}

/// The power is cut before every call of a long script; every cut of what is then unflushed is tried: each
/// subset, each torn length of each write, from the front and the back, each order.
fn power_is_cut_at_every_call() -> u64 {
    let mut images = 0;
    let mut last = Vec::new();
    for call in 0..calls(|machine| script(machine, 4, 6)) + 1 {
        let machine = FaultMedium::new();
        machine.fail(call, Fault::PowerCut);
        let witness = script(&machine, 4, 6);
        // A read changes nothing: the images are those of the call before.
        let now = (machine.unflushed(), witness.acknowledged, witness.requested, machine.flushes());
        if std::mem::replace(&mut last, vec![now.clone()]) == [now] {
            continue;
        }
        for cut in machine.cuts() {
            images += 1;
            witness.check(&machine.power_cut(&cut), || format!("{cut:?} at call {call}"));
        }
    }
    images
}

/// The power is cut, and cut again at every call of the reopening.
fn power_is_cut_again_during_the_reopening() -> u64 {
    let mut images = 0;
    for call in 0..calls(|machine| script(machine, 2, 2)) {
        let machine = FaultMedium::new();
        machine.fail(call, Fault::PowerCut);
        let witness = script(&machine, 2, 2);
        for first in coarse_cuts(&machine) {
            let crashed = machine.power_cut(&first);
            for call in 0..=calls_of_opening(&crashed) {
                let again = crashed.process_crash();
                again.fail(call, Fault::PowerCut);
                drop(options().open_on(again.clone()));
                for second in coarse_cuts(&again) {
                    images += 1;
                    witness.check(&again.power_cut(&second), || format!("{first:?}, {second:?} at {call}"));
                }
            }
        }
    }
    images
}

fn calls_of_opening(machine: &FaultMedium) -> u64 {
    let trial = machine.process_crash();
    drop(options().open_on(trial.clone()));
    trial.calls()
}

/// Every sync fails once, with every fate of what was to be written; the cache is then newer than the disk.
/// The process reopens, with the cache as it is or evicted; and the power is cut at every call of that.
fn every_sync_fails_and_the_cache_is_newer_than_the_disk() -> u64 {
    let mut images = 0;
    let fates =
        [Fate::Lost, Fate::Whole, Fate::Prefix(40), Fate::Prefix(300), Fate::Suffix(4), Fate::Suffix(480)];
    for call in 0..calls(|machine| script(machine, 2, 3)) {
        for fate in fates {
            let machine = FaultMedium::new();
            machine.fail(call, Fault::SyncFails { errno: EIO, fate });
            // The script goes on after the failure with its second life.
            let witness = script(&machine, 2, 3);
            for evicted in [false, true] {
                let crashed = machine.process_crash();
                if evicted {
                    crashed.evict();
                }
                witness.check(&crashed.process_crash(), || format!("a failed sync, {fate:?}, at {call}"));
                for again in 0..=calls_of_opening(&crashed) {
                    let reopened = crashed.process_crash();
                    reopened.fail(again, Fault::PowerCut);
                    drop(options().open_on(reopened.clone()));
                    for cut in coarse_cuts(&reopened) {
                        images += 1;
                        let image = || format!("a failed sync, {fate:?}, at {call}; {cut:?} at {again}");
                        witness.check(&reopened.power_cut(&cut), image);
                    }
                }
            }
        }
    }
    images
}

/// Two syncs fail, of two openings in a row or of a raise and an opening; then the power is cut.
fn two_syncs_fail_in_a_row() -> u64 {
    let mut images = 0;
    let fates = [Fate::Lost, Fate::Whole, Fate::Prefix(300)];
    let machine = FaultMedium::new();
    let witness = script(&machine, 2, 3);
    for (first, second, third) in cube(fates) {
        let failing = machine.process_crash();
        let mut witness = witness;
        let mut register = options().open_on(failing.clone()).unwrap();
        failing.fail_next_sync(EIO, first);
        witness.requested += 1;
        register.raise(witness.requested, &payload(witness.requested)).unwrap_err();
        drop(register);
        for fate in [second, third] {
            failing.fail_next_sync(EIO, fate);
            options().open_on(failing.clone()).unwrap_err();
        }
        for call in 0..=calls_of_opening(&failing) {
            let reopened = failing.process_crash();
            reopened.fail(call, Fault::PowerCut);
            drop(options().open_on(reopened.clone()));
            for cut in coarse_cuts(&reopened) {
                images += 1;
                let image = || format!("{first:?}, {second:?}, {third:?}; {cut:?} at {call}");
                witness.check(&reopened.power_cut(&cut), image);
            }
        }
    }
    images
}

fn cube(fates: [Fate; 3]) -> impl Iterator<Item = (Fate, Fate, Fate)> {
    fates
        .into_iter()
        .flat_map(move |a| fates.into_iter().flat_map(move |b| fates.into_iter().map(move |c| (a, b, c))))
}

/// Every call fails once, with every `errno`, also after a part of a write; the process goes on if it can,
/// then is killed, or the power is cut.
fn every_call_fails_with_every_errno() -> u64 {
    let mut images = 0;
    for call in 0..calls(|machine| script(machine, 2, 3)) {
        for errno in [EINTR, EIO, ENOSPC, EROFS] {
            let torn = [0, 1, 100, 511].map(|bytes| Fault::Torn { bytes, errno });
            for fault in [Fault::Errno(errno), Fault::Short(0), Fault::Short(1), Fault::Short(300)]
                .into_iter()
                .chain(torn)
            {
                let machine = FaultMedium::new();
                machine.fail(call, fault);
                let witness = script(&machine, 2, 3);
                images += 1;
                witness.check(&machine.process_crash(), || format!("{fault:?} at {call}, killed"));
                for cut in coarse_cuts(&machine) {
                    images += 1;
                    witness.check(&machine.power_cut(&cut), || format!("{fault:?} at {call}, {cut:?}"));
                }
            }
        }
    }
    images
}

/// One copy rots, each in turn, and then the power is cut at every call of a raise and of an opening.
fn one_copy_rots_before_a_crash() -> u64 {
    let mut images = 0;
    for lives in [1, 2] {
        let machine = FaultMedium::new();
        let before = script(&machine, lives, 3);
        for copy in 0..6 {
            let rotten = machine.process_crash();
            rotten.rot(copy * 16 * 1024 + 40, 0x10);
            let run = |machine: &FaultMedium| {
                let mut witness = before;
                let Ok(mut register) = options().open_on(machine.clone()) else { return witness };
                witness.acknowledged = witness.acknowledged.max(register.get());
                witness.requested += 1;
                if register.raise(witness.requested, &payload(witness.requested)).is_ok() {
                    witness.acknowledged = witness.requested;
                }
                witness
            };
            let calls = {
                let trial = rotten.process_crash();
                run(&trial);
                trial.calls()
            };
            for call in 0..=calls {
                let crashed = rotten.process_crash();
                crashed.fail(call, Fault::PowerCut);
                let witness = run(&crashed);
                for cut in coarse_cuts(&crashed) {
                    images += 1;
                    witness
                        .check(&crashed.power_cut(&cut), || format!("copy {copy} rotten, {cut:?} at {call}"));
                }
            }
        }
    }
    images
}

/// Flushes report success and stop making things durable at flush *n*: what was acknowledged before it counts.
fn flushes_stop_at_every_flush() -> u64 {
    let mut images = 0;
    let flushes = {
        let machine = FaultMedium::new();
        script(&machine, 3, 3);
        machine.flushes()
    };
    for flush in 0..flushes {
        // Up to the flush, to know what was acknowledged by then.
        let honest = FaultMedium::new();
        let mut known = Witness::default();
        let mut call = 0;
        while honest.flushes() <= flush && call < 10_000 {
            let trial = FaultMedium::new();
            trial.fail(call, Fault::PowerCut);
            let witness = script(&trial, 3, 3);
            if trial.flushes() > flush + 1 || trial.struck() == 0 {
                break;
            }
            if trial.flushes() <= flush {
                known = witness;
            }
            call += 1;
        }
        let liar = FaultMedium::new();
        liar.stop_at_flush(flush);
        let all = script(&liar, 3, 3);
        let witness = Witness { requested: all.requested, ..known };
        let none = Cut::new(&[]);
        images += 1;
        witness.check(&liar.power_cut(&none), || format!("no flush from {flush} on"));
    }
    images
}

#[test]
fn every_crash_image_lies_between_what_was_acknowledged_and_what_was_asked_for() {
    let kinds: [(&str, fn() -> u64); 7] = [
        ("power cut at every call", power_is_cut_at_every_call),
        ("power cut again during the reopening", power_is_cut_again_during_the_reopening),
        ("failed sync, cache newer than the disk", every_sync_fails_and_the_cache_is_newer_than_the_disk),
        ("failed syncs in a row", two_syncs_fail_in_a_row),
        ("every errno at every call", every_call_fails_with_every_errno),
        ("rot in one copy", one_copy_rots_before_a_crash),
        ("no flush from n on", flushes_stop_at_every_flush),
    ];
    for (name, kind) in kinds {
        let images = kind();
        println!("{images:>8} {name}");
        assert!(images > 0, "{name}: nothing was tried");
        count(images);
    }
    let images = IMAGES.load(Ordering::Relaxed);
    tally(format_args!("{images} crash images"));
    assert!(images >= 100_000, "only {images} crash images");
}

#[test]
fn nothing_drawn_before_a_crash_is_drawn_after_it() {
    let block = NonZeroU64::new(3).unwrap();
    let draw = |machine: &FaultMedium, issued: &mut Vec<u64>| -> Option<()> {
        let register = options().open_on(machine.clone()).ok()?;
        let mut reserver = Reserver::new(register.into_mark(), block);
        for _ in 0..4 {
            // A failed upkeep leaves what was reserved before.
            let _ = reserver.upkeep();
            issued.push(reserver.draw().ok()?);
            issued.push(reserver.draw().ok()?);
        }
        Some(())
    };
    let base = FaultMedium::new();
    drop(options().create_on(base.clone(), 0, b"").unwrap());
    let calls = {
        let trial = base.process_crash();
        draw(&trial, &mut Vec::new()).unwrap();
        trial.calls()
    };
    let mut tried = 0;
    for call in 0..=calls {
        for fault in [Fault::PowerCut, Fault::Errno(EIO), Fault::SyncFails { errno: EIO, fate: Fate::Lost }] {
            let machine = base.process_crash();
            machine.fail(call, fault);
            let mut before = Vec::new();
            draw(&machine, &mut before);
            assert!(before.is_sorted_by(|a, b| a < b), "{before:?}");
            for cut in coarse_cuts(&machine) {
                let mut after = Vec::new();
                draw(&machine.power_cut(&cut), &mut after).unwrap();
                tried += 1;
                assert!(
                    after.first() > before.last(),
                    "{before:?}, then {after:?}, {fault:?} at {call}, {cut:?}"
                );
            }
        }
    }
    assert!(tried > 100);
}

#[test]
fn a_failed_sync_poisons_and_is_not_retried() {
    let (machine, mut register) = crate::register_at(10);
    let before = machine.flushes();
    machine.fail_next_sync(EIO, Fate::Lost);
    let Err(RaiseError::Indeterminate(fault)) = register.raise(11, b"") else { panic!("acknowledged") };
    assert_eq!((fault.during(), fault.code()), (high_water::Operation::Sync, Some(EIO)));
    assert_eq!(machine.flushes(), before + 1, "one sync, which failed");
    for value in [10, 11, 12] {
        let error = register.raise(value, b"").unwrap_err();
        assert!(!error.is_definite(), "the raise before may have happened, perhaps to this value");
        assert_eq!(error, RaiseError::NotRaised(high_water::NotRaised::Poisoned));
    }
    assert_eq!(machine.flushes(), before + 1, "the sync was tried again");
    assert_eq!(register.get(), 10, "what was acknowledged");
    let counts = register.snapshot();
    assert_eq!((counts.indeterminate, counts.not_raised, counts.raises), (1, 3, 0));
}

#[test]
fn a_failed_write_poisons_too() {
    for errno in [EIO, ENOSPC, EROFS] {
        let (machine, mut register) = crate::register_at(10);
        let calls = {
            let before = machine.calls();
            register.raise(11, b"").unwrap();
            machine.calls() - before
        };
        // The last three calls of a raise are two writes and a sync.
        machine.fail(machine.calls() + calls - 3, Fault::Errno(errno));
        let error = register.raise(12, b"").unwrap_err();
        assert!(matches!(error, RaiseError::Indeterminate(f) if f.code() == Some(errno)), "{error:?}");
        assert!(register.raise(13, b"").is_err());
    }
}

#[test]
fn an_interrupted_or_short_read_or_write_is_gone_on_with() {
    let calls = {
        let (machine, mut register) = crate::register_at(1);
        let before = machine.calls();
        register.raise(2, b"").unwrap();
        before..machine.calls() - 1
    };
    // The first two examine the name and the file, which no signal interrupts.
    for call in calls.skip(2) {
        for fault in [Fault::Errno(EINTR), Fault::Short(1), Fault::Short(511)] {
            let (machine, mut register) = crate::register_at(1);
            machine.fail(call, fault);
            register.raise(2, b"").unwrap();
            assert_eq!(machine.struck(), 1);
            drop(register);
            assert_eq!(options().open_on(machine.power_cut(&Cut::new(&[]))).unwrap().get(), 2);
        }
    }
}

#[test]
fn an_interruption_without_end_is_an_error() {
    let (machine, mut register) = crate::register_at(1);
    for call in 0..5_000 {
        machine.fail(machine.calls() + 1 + call, Fault::Errno(EINTR));
    }
    assert!(register.raise(2, b"").unwrap_err().is_definite());
    assert!(machine.struck() < 5_000);
}

/// The cache shows what the disk does not have. An opening that believed it would lose it in the power cut.
#[test]
fn an_opening_makes_durable_what_it_found_in_the_cache_before_it_tells() {
    let (machine, mut register) = crate::register_at(1);
    machine.fail_next_sync(EIO, Fate::Lost);
    register.raise(2, b"").unwrap_err();
    drop(register);
    let reopened = options().open_on(machine.clone()).unwrap();
    let told = reopened.get();
    drop(reopened);
    for cut in machine.cuts() {
        assert!(options().open_on(machine.power_cut(&cut)).unwrap().get() >= told);
    }
}

/// What a lying disk costs: the value may go back. It is never one that was not asked for, and nothing panics.
#[test]
fn a_disk_that_lies_about_flushes_takes_the_promise_with_it_and_no_more() {
    let machine = FaultMedium::new();
    drop(options().create_on(machine.clone(), 5, b"").unwrap());
    machine.stop_at_flush(0);
    let mut register = options().open_on(machine.clone()).unwrap();
    register.raise(6, b"").unwrap();
    drop(register);
    let found = options().open_on(machine.power_cut(&Cut::new(&[]))).unwrap().get();
    assert_eq!(found, 5, "acknowledged 6");
}

#[test]
fn a_crash_during_a_recovery_leaves_a_register_that_can_be_recovered() {
    let (machine, mut register) = crate::register_at(1);
    register.raise(7, b"").unwrap();
    drop(register);
    let bytes = machine.cached().unwrap();
    let copied = || {
        let machine = FaultMedium::with_file(b"");
        machine.replace(&bytes);
        machine
    };
    let recover = |machine: &FaultMedium| options().recover_on(machine.clone(), 20, b"new");
    let calls = {
        let trial = copied();
        drop(recover(&trial).unwrap());
        trial.calls()
    };
    for call in 0..=calls {
        let machine = copied();
        machine.fail(call, Fault::PowerCut);
        let done = recover(&machine).is_ok();
        for cut in coarse_cuts(&machine) {
            let after = machine.power_cut(&cut);
            match options().open_on(after.clone()) {
                Ok(register) => assert!([7, 20].contains(&register.get())),
                Err(OpenError::Regressed(_)) => assert!(!done),
                Err(error) => panic!("{error} after {cut:?} at {call}"),
            }
            let recovered = options().recover_on(after, 20, b"new").unwrap();
            assert_eq!((recovered.get(), recovered.payload()), (20, &b"new"[..]));
        }
    }
}

#[test]
fn the_mark_of_a_file_is_a_mark() {
    let (_, register) = crate::register_at(3);
    let mut mark = register.into_mark();
    mark.raise_to(2).unwrap();
    assert_eq!(mark.get(), 3, "raising to a lower value is nothing");
    mark.raise_to(8).unwrap();
    assert_eq!(mark.get(), 8);
    let counts = mark.snapshot();
    assert_eq!((counts.unchanged, counts.raises), (1, 1));
    let _: Options = Options::new(OURS);
    let _: fn(&Register) -> u64 = Register::get;
}

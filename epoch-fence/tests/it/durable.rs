//! The gate that remembers: every crash point on a simulated disk, and a real process that is killed.

use core::sync::atomic::{AtomicBool, Ordering};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use epoch_fence::{
    AdoptError, DecodeError, DurableGate, DurableGateError, Epoch, FencingToken, MaxAdvance, MaxPermits,
    NotAdmitted, NotAdopted, Rejected, ResourceId,
};
use high_water::{
    Access, Facts, Fate, FaultMedium, FileId, FileMedium, Medium, NotRaised, Options, RaiseError,
};

use crate::values::{REALM, epoch, ledger, realm, token, token_of};

fn options() -> Options {
    Options::new(DurableGate::identity(ledger())).allow_volatile_file_system()
}

fn open(machine: &FaultMedium) -> DurableGate<FaultMedium> {
    let register = options().open_or_create_on(machine).unwrap();
    DurableGate::new(register, realm(REALM), ledger(), Epoch::FIRST).unwrap()
}

fn refused<M: Medium>(gate: &DurableGate<M>, token: &FencingToken) -> NotAdmitted {
    gate.enter(token).map(drop).unwrap_err()
}

#[test]
fn what_was_admitted_is_remembered_with_its_grant() {
    let machine = FaultMedium::new();
    let gate = open(&machine);
    assert!(gate.run(&token(33), |_| ()).is_ok());
    assert!(gate.run(&token(34), |_| ()).is_ok());
    drop(gate);
    let gate = open(&machine);
    assert_eq!(gate.floor(), epoch(34));
    assert_eq!(refused(&gate, &token(33)), Rejected::Stale { floor: epoch(34) }.into());
    assert_eq!(refused(&gate, &token_of(REALM, 34, 99)), Rejected::Conflict.into());
    let raises = gate.register_snapshot().raises;
    assert_eq!(gate.enter(&token(34)).unwrap().epoch(), epoch(34), "the holder goes on");
    assert_eq!(gate.register_snapshot().raises, raises, "and touches no file");
    assert!(gate.enter(&token(35)).is_ok());
    assert_eq!(gate.register_snapshot().raises, raises + 1, "a newer one is written");
}

#[test]
fn a_durable_gate_has_the_limits_that_it_is_given() {
    let gate = open(&FaultMedium::new()).with_max_advance(MaxAdvance::AtMost(4));
    let gate = gate.with_max_permits(MaxPermits::new(1).unwrap());
    let far = Rejected::TooFarAhead { ahead: 5, limit: 4 };
    assert_eq!(refused(&gate, &token(6)), far.into());
    let permit = gate.enter(&token(5)).unwrap();
    assert_eq!(refused(&gate, &token(5)), Rejected::TooManyPermits { limit: 1 }.into());
    drop(permit);
}

#[test]
fn a_durable_gate_is_sealed_and_its_permits_are_abandoned_like_a_gates() {
    let gate = open(&FaultMedium::new());
    let hung: Vec<_> = (0..3).map(|_| gate.enter(&token(33)).unwrap()).collect();
    let draining = Rejected::Draining { in_flight: 3 };
    assert_eq!(refused(&gate, &token(34)), draining.into());
    assert_eq!((gate.abandon_permits(), gate.abandon_permits()), (3, 0));
    let newer = [gate.enter(&token(34)).unwrap(), gate.enter(&token(34)).unwrap()];
    drop(hung);
    assert_eq!(gate.seal(), 2);
    assert_eq!(refused(&gate, &token(34)), Rejected::Sealed.into());
    drop(newer);
    assert_eq!(gate.seal(), 0);
}

/// Of the torn writes every fifth is tried; the register's own tests try all.
///
/// A holder acts under 33, another under 34; the power fails at any moment in between, and any unflushed bytes are
/// on the disk or not. Afterwards the rule is: what acted is not overtaken from below, nor doubled.
#[test]
fn at_every_crash_point_nobody_older_than_what_acted_is_admitted_again() {
    let mut crashes = 0;
    let mut seen = [0; 3];
    for flushes in 0..3 {
        let machine = FaultMedium::new();
        let Ok(register) = options().create_on(machine.clone(), 0, b"") else { panic!("no fault so far") };
        let gate = DurableGate::new(register, realm(REALM), ledger(), Epoch::FIRST).unwrap();
        let start = machine.flushes();
        machine.stop_at_flush(start + flushes);
        // The crash is at that flush: only what was answered before it was answered at all.
        let answered =
            |number: &u64| gate.run(&token(*number), |_| ()).is_ok() && machine.flushes() <= start + flushes;
        let acted: Vec<_> = [33, 34].into_iter().filter(answered).collect();
        let images: Vec<_> =
            machine.cuts().into_iter().step_by(5).map(|cut| machine.power_cut(&cut)).collect();
        for image in images.into_iter().chain([machine.process_crash()]) {
            crashes += 1;
            let gate = open(&image);
            let last = acted.last().copied().unwrap_or(0);
            for number in [32, 33, 34] {
                let answer = gate.check(&token(number));
                if number < last {
                    assert!(
                        matches!(answer, Err(Rejected::Stale { .. })),
                        "{number} after {acted:?}: {answer:?}"
                    );
                }
                if number == last {
                    // Stale, if the newer one had reached the disk unanswered.
                    let other = gate.check(&token_of(REALM, number, 99));
                    assert!(
                        matches!(other, Err(Rejected::Conflict | Rejected::Stale { .. })),
                        "{acted:?}: {other:?}"
                    );
                }
            }
            assert!(gate.enter(&token(34)).is_ok(), "and the newest goes on");
        }
        seen[acted.len()] += 1;
    }
    assert!(crashes > 20 && seen.iter().all(|&count| count > 0), "{crashes} crashes, {seen:?}");
}

#[test]
fn a_token_that_could_not_be_made_durable_is_not_admitted_and_nobody_older_is() {
    let machine = FaultMedium::new();
    let gate = open(&machine);
    assert!(gate.run(&token(33), |_| ()).is_ok());
    machine.fail_next_sync(5, Fate::Lost);
    let why = refused(&gate, &token(34));
    assert!(matches!(why, NotAdmitted::NotSaved(RaiseError::Indeterminate(_))), "{why:?}");
    assert_eq!(refused(&gate, &token(33)), Rejected::Stale { floor: epoch(34) }.into());
    // Not tried again on the same register: the disk may hold either.
    assert_eq!(refused(&gate, &token(34)), NotAdmitted::NotSaved(NotRaised::Poisoned.into()));
    assert_eq!(gate.snapshot().in_flight, 0, "a failed attempt leaves nothing behind");
    drop(gate);
    let images: Vec<_> = machine.cuts().into_iter().map(|cut| machine.power_cut(&cut)).collect();
    for image in images {
        let gate = open(&image);
        assert!(gate.check(&token(32)).is_err());
        assert!(gate.enter(&token(34)).is_ok());
    }
}

#[test]
fn a_floor_that_is_given_is_remembered_and_never_lowers_what_is_known() {
    let machine = FaultMedium::new();
    let with_floor = |number| {
        let register = options().open_or_create_on(&machine).unwrap();
        DurableGate::new(register, realm(REALM), ledger(), epoch(number)).unwrap()
    };
    assert_eq!(with_floor(10).floor(), epoch(10));
    assert_eq!(with_floor(3).floor(), epoch(10));
    assert!(with_floor(10).enter(&token(10)).is_ok());
    let gate = with_floor(10);
    assert_eq!(refused(&gate, &token_of(REALM, 10, 99)), Rejected::Conflict.into());
    drop(gate);
    let gate = with_floor(11);
    assert_eq!(refused(&gate, &token(10)), Rejected::Stale { floor: epoch(11) }.into());
    assert!(gate.enter(&token(11)).is_ok());
}

#[test]
fn a_realm_that_was_adopted_is_remembered() {
    let machine = FaultMedium::new();
    let gate = open(&machine);
    assert!(gate.run(&token(33), |_| ()).is_ok());
    let too_low = AdoptError::FloorTooLow { least: epoch(35) };
    assert_eq!(gate.adopt(realm(2), epoch(34)), Err(NotAdopted::Refused(too_low)));
    assert!(gate.enter(&token(33)).is_ok(), "a refused adoption changes nothing");
    assert_eq!(gate.adopt(realm(2), epoch(35)), Ok(()));
    assert_eq!(gate.adopt(realm(2), epoch(35)), Ok(()), "once more changes nothing");
    drop(gate);
    let reopen = |bits| {
        let register = options().open_on(machine.clone()).unwrap();
        DurableGate::new(register, realm(bits), ledger(), Epoch::FIRST)
    };
    assert_eq!(reopen(REALM).map(drop), Err(DurableGateError::WrongRealm { found: realm(2) }));
    let gate = reopen(2).unwrap();
    assert_eq!(gate.floor(), epoch(35));
    assert_eq!(refused(&gate, &token(99)), Rejected::WrongRealm.into());
    assert!(gate.enter(&token_of(2, 35, 1)).is_ok());
}

#[test]
fn a_register_that_is_another_resources_or_was_not_written_by_a_gate_is_refused() {
    let make = |payload: &[u8], value, resource| {
        let register = options().create_on(FaultMedium::new(), value, payload).unwrap();
        DurableGate::new(register, realm(REALM), resource, Epoch::FIRST).map(drop)
    };
    assert_eq!(make(b"", 0, ResourceId::of("", "")), Err(DurableGateError::WrongResource));
    let mut good = [0; 33];
    (good[0], good[16], good[32]) = (1, 1, 9);
    assert_eq!(make(&good, 5, ledger()), Ok(()));
    let zero = |field| DurableGateError::Payload(DecodeError::Zero { field });
    assert_eq!(make(&good, 0, ledger()), Err(zero(epoch_fence::Field::Epoch)));
    let length = |found| DurableGateError::Payload(DecodeError::Length { found, expected: 33 });
    assert_eq!(make(b"", 5, ledger()), Err(length(0)));
    assert_eq!(make(&good[..32], 5, ledger()), Err(length(32)));
    assert_eq!(make(&[&good[..], &[0]].concat(), 5, ledger()), Err(length(34)));
    let version = DurableGateError::Payload(DecodeError::Version { found: 2 });
    assert_eq!(make(&[2; 33], 5, ledger()), Err(version));
    good[16] = 0;
    assert_eq!(make(&good, 5, ledger()), Err(zero(epoch_fence::Field::Realm)));
}

/// A file, of which a sync that has succeeded is the last thing that its process does, if it is told so: the token
/// is durable, and was not admitted.
struct KilledAfterSync {
    file: FileMedium,
}

static ARMED: AtomicBool = AtomicBool::new(false);

impl Medium for KilledAfterSync {
    type File = <FileMedium as Medium>::File;

    fn open(&self, access: Access) -> io::Result<Self::File> {
        self.file.open(access)
    }

    fn create(&self) -> io::Result<Self::File> {
        self.file.create()
    }

    fn publish(&self, file: &Self::File) -> io::Result<()> {
        self.file.publish(file)
    }

    fn retract(&self, file: &Self::File) -> io::Result<()> {
        self.file.retract(file)
    }

    fn file_system(&self, file: &Self::File) -> io::Result<high_water::FileSystem> {
        self.file.file_system(file)
    }

    fn unpublish(&self) -> io::Result<()> {
        self.file.unpublish()
    }

    fn sync_directory(&self) -> io::Result<()> {
        self.file.sync_directory()
    }

    fn named(&self) -> io::Result<FileId> {
        self.file.named()
    }

    fn facts(&self, file: &Self::File) -> io::Result<Facts> {
        self.file.facts(file)
    }

    fn try_lock(&self, file: &Self::File) -> io::Result<bool> {
        self.file.try_lock(file)
    }

    fn holder(&self, file: &Self::File) -> Option<u32> {
        self.file.holder(file)
    }

    fn pause(&self, pause: core::time::Duration) {
        self.file.pause(pause);
    }

    fn read_at(&self, file: &Self::File, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read_at(file, offset, buffer)
    }

    fn write_at(&self, file: &Self::File, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        self.file.write_at(file, offset, bytes)
    }

    fn set_len(&self, file: &Self::File, len: u64) -> io::Result<()> {
        self.file.set_len(file, len)
    }

    fn sync(&self, file: &Self::File) -> io::Result<()> {
        self.file.sync(file)?;
        if ARMED.load(Ordering::Relaxed) {
            let pid = std::process::id().to_string();
            Command::new("kill").args(["-9", &pid]).status()?;
            // The signal is on its way; nothing of this process may run on.
            loop {
                std::thread::park();
            }
        }
        Ok(())
    }
}

const CHILD: &str = "EPOCH_FENCE_TEST_GATE";

/// The process that is killed; it does nothing when the test runs by itself.
#[test]
fn the_process_that_is_killed_between_saving_and_admitting() {
    let Some(path) = std::env::var_os(CHILD) else { return };
    let medium = KilledAfterSync { file: FileMedium::at(Path::new(&path)).unwrap() };
    let register = options().open_on(medium).unwrap();
    let gate = DurableGate::new(register, realm(REALM), ledger(), Epoch::FIRST).unwrap();
    gate.run(&token(33), |_| ()).unwrap();
    ARMED.store(true, Ordering::Relaxed);
    let outcome = gate.run(&token(34), |_| ());
    panic!("the process runs on: {outcome:?}");
}

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_process_killed_between_saving_and_admitting_does_not_let_the_older_token_in_again() {
    use std::os::unix::process::ExitStatusExt as _;

    let folder = Folder::new("killed-gate");
    let path = folder.0.join("gate");
    drop(options().create(&path, 0, b"").unwrap());
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "durable::the_process_that_is_killed_between_saving_and_admitting", "--nocapture"])
        .env(CHILD, &path)
        .output()
        .unwrap();
    assert_eq!(child.status.signal(), Some(9), "{}", String::from_utf8_lossy(&child.stderr));
    let register = options().open(&path).unwrap();
    let gate = DurableGate::new(register, realm(REALM), ledger(), Epoch::FIRST).unwrap();
    assert_eq!(refused(&gate, &token(33)), Rejected::Stale { floor: epoch(34) }.into());
    assert_eq!(refused(&gate, &token_of(REALM, 34, 99)), Rejected::Conflict.into());
    assert!(gate.enter(&token(34)).is_ok(), "who asked when it was killed asks again");
    let second = options().open(&path);
    assert!(second.is_err(), "two processes with a gate each would not drain each other: {second:?}");
}

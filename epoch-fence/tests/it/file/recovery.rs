//! An operator's recovery while others write, where little is left, and where it cannot be done.

use core::cell::{Cell, RefCell};
use std::fs;

use epoch_fence::engine::file::{FileError, Host, LogFault};
use epoch_fence::protocol::{Action, Exhausted, Moment, RECOVERY_STRIDE};
use epoch_fence::{Epoch, RealmId, Wait};
use hlc::PhysicalTime;

use super::{Leases, ManualHost, Scratch, anywhere, claim, leases, resource};

/// A machine on which something happens whenever its time is asked for, before it answers.
struct Meddled<'h> {
    host: &'h ManualHost,
    asked: Cell<u32>,
    meddle: RefCell<Box<dyn FnMut(u32) + 'h>>,
}

impl<'h> Meddled<'h> {
    fn new(host: &'h ManualHost, meddle: impl FnMut(u32) + 'h) -> Self {
        Self { host, asked: Cell::new(0), meddle: RefCell::new(Box::new(meddle)) }
    }
}

impl Host for Meddled<'_> {
    fn moment(&self) -> Result<Moment, FileError> {
        let asked = self.asked.get();
        self.asked.set(asked + 1);
        (*self.meddle.borrow_mut())(asked);
        self.host.moment()
    }

    fn wall(&self) -> PhysicalTime {
        self.host.wall()
    }
}

fn realm(bits: u128) -> RealmId {
    RealmId::from_random_bits(bits).unwrap()
}

/// Grants once more, and gives it up.
fn grant(leases: &Leases<'_>) -> Epoch {
    leases.acquire(&claim("h", 8_000), Wait::AtOnce).unwrap().token().epoch()
}

fn epoch(leases: &Leases<'_>) -> u64 {
    leases.current(&resource()).unwrap().record().epoch().unwrap().get()
}

fn remove_logs(leases: &Leases<'_>) {
    for found in fs::read_dir(leases.engine().folder(resource())).unwrap() {
        let path = found.unwrap().path();
        if path.file_name().unwrap().to_str().unwrap().starts_with("log.") {
            fs::remove_file(path).unwrap();
        }
    }
}

#[test]
fn a_recovery_that_others_came_before_begins_again_above_them_and_not_for_ever() {
    let (scratch, host) = (Scratch::new(), ManualHost::new());
    let others = leases(&scratch, &host);
    grant(&others);
    // Between its look and its write.
    let once = Meddled::new(&host, |asked| {
        if asked == 0 {
            grant(&others);
        }
    });
    let directory = anywhere().open_with(scratch.path(), &once).unwrap();
    let view = directory.recover(resource(), realm(2), None).unwrap();
    assert_eq!(view.record().realm(), realm(2));
    assert_eq!(view.record().epoch().unwrap().get(), 2 + RECOVERY_STRIDE, "above what came between");

    // It asks twice in each round: at the look, and at the write that does not land.
    let each_time = Meddled::new(&host, |asked| {
        if asked.is_multiple_of(2) {
            grant(&others);
        }
    });
    let directory = anywhere().open_with(scratch.path(), &each_time).unwrap();
    let why = directory.recover(resource(), realm(3), None).unwrap_err();
    assert_eq!((why, each_time.asked.get()), (FileError::Busy { process: None }, 16));
    assert_eq!(others.current(&resource()).unwrap().record().realm(), realm(2), "nothing was begun");
}

#[test]
fn a_log_that_goes_while_it_is_recovered_is_begun_anew() {
    let (scratch, host) = (Scratch::new(), ManualHost::new());
    let others = leases(&scratch, &host);
    let known = grant(&others).get();
    let meddled = Meddled::new(&host, |asked| {
        if asked == 0 {
            remove_logs(&others);
        }
    });
    let directory = anywhere().open_with(scratch.path(), &meddled).unwrap();
    let view = directory.recover(resource(), realm(2), None).unwrap();
    assert_eq!(view.record().epoch().unwrap().get(), known + RECOVERY_STRIDE);
    assert_eq!(directory.verify(resource(), None).unwrap().entries(), 1, "a log of its own");
}

#[test]
fn a_recovery_that_cannot_be_done_says_why_and_changes_nothing() {
    let (scratch, host) = (Scratch::new(), ManualHost::new());
    let leases = leases(&scratch, &host);
    grant(&leases);
    let before = leases.current(&resource()).unwrap();
    let unchanged = || {
        assert_eq!(leases.current(&resource()).unwrap().record(), before.record());
        leases.engine().verify(resource(), None).unwrap();
    };
    let too_high = FileError::Exhausted(Exhausted::Epoch);
    assert_eq!(leases.engine().recover(resource(), realm(2), Some(Epoch::MAX_ISSUED)), Err(too_high));
    unchanged();

    host.fail_reading(0);
    assert_eq!(leases.engine().recover(resource(), realm(2), None), Err(FileError::UnsupportedPlatform));
    unchanged();

    let record = fs::File::open(leases.engine().folder(resource()).join("record")).unwrap();
    record.lock().unwrap();
    let impatient = anywhere().patience(core::time::Duration::ZERO);
    let refused = impatient.open_with(scratch.path(), &host).unwrap().recover(resource(), realm(2), None);
    assert!(matches!(refused, Err(FileError::Busy { .. })), "{refused:?}");
    record.unlock().unwrap();
    unchanged();

    // Nor of what is damaged.
    remove_logs(&leases);
    assert_eq!(leases.engine().recover(resource(), realm(2), Some(Epoch::MAX_ISSUED)), Err(too_high));
    assert_eq!(leases.current(&resource()), Err(FileError::Log(LogFault::Missing { segment: 1 })));
}

#[test]
fn a_recovery_whose_answer_is_lost_is_asked_for_again_and_done_once() {
    let (scratch, host) = (Scratch::new(), ManualHost::new());
    let leases = leases(&scratch, &host);
    grant(&leases);
    // At the look, at the write, and when it has landed.
    host.fail_reading(2);
    assert_eq!(leases.engine().recover(resource(), realm(2), None), Err(FileError::UnsupportedPlatform));
    leases.engine().recover(resource(), realm(2), None).unwrap();
    let history = leases.engine().history(resource()).unwrap().map(Result::unwrap);
    let recoveries = history.filter(|entry| entry.anchor().action() == Action::Recover);
    assert_eq!(recoveries.count(), 1);
    assert_eq!(epoch(&leases), 1 + RECOVERY_STRIDE);
}

#[test]
fn where_nothing_can_be_read_a_recovery_goes_on_above_what_is_remembered() {
    for (floor, known) in [(None, 0), (Epoch::new(5), 5)] {
        let (scratch, host) = (Scratch::new(), ManualHost::new());
        let leases = leases(&scratch, &host);
        grant(&leases);
        let record = leases.engine().folder(resource()).join("record");
        remove_logs(&leases);
        fs::write(&record, vec![0; fs::read(&record).unwrap().len()]).unwrap();
        let view = leases.engine().recover(resource(), realm(2), floor).unwrap();
        assert_eq!(view.record().realm(), realm(2));
        assert_eq!(view.record().epoch().unwrap().get(), known + RECOVERY_STRIDE);
        grant(&leases);
        leases.engine().verify(resource(), None).unwrap();
    }
}

#[test]
fn a_realm_that_was_begun_and_damaged_is_begun_again_higher_up() {
    let (scratch, host) = (Scratch::new(), ManualHost::new());
    let leases = leases(&scratch, &host);
    grant(&leases);
    leases.engine().recover(resource(), realm(2), None).unwrap();
    remove_logs(&leases);
    let view = leases.engine().recover(resource(), realm(2), None).unwrap();
    assert_eq!(view.record().realm(), realm(2));
    assert_eq!(view.record().epoch().unwrap().get(), 1 + 2 * RECOVERY_STRIDE);
    leases.engine().verify(resource(), None).unwrap();
}

/// Its logs are gone, and its record is cut, so that a look does not show what the register recovers from it.
#[test]
fn a_recovery_is_above_a_version_that_only_a_damaged_record_tells_of() {
    let (scratch, host) = (Scratch::new(), ManualHost::new());
    let leases = leases(&scratch, &host);
    grant(&leases);
    leases.engine().recover(resource(), realm(2), None).unwrap();
    let last = grant(&leases);
    let version = leases.current(&resource()).unwrap().record().version();
    assert!(version.get() > RECOVERY_STRIDE + 1);
    let record = leases.engine().folder(resource()).join("record");
    let bytes = fs::read(&record).unwrap();
    fs::write(&record, &bytes[..bytes.len() - 1]).unwrap();
    remove_logs(&leases);
    let view = leases.engine().recover(resource(), realm(3), Some(last)).unwrap();
    assert!(view.record().version().get() > 2 * RECOVERY_STRIDE, "{view:?}");
    assert_eq!(view.record().epoch().unwrap().get(), last.get() + RECOVERY_STRIDE);
    assert!(grant(&leases) > last);
    leases.engine().verify(resource(), None).unwrap();
}

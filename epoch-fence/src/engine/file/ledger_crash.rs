//! Every crash point of a record with its log, on a simulated disk.
//!
//! A script of grants, renewals and releases is run with one fault in it: a call that fails, a sync that fails, the
//! power cut. Then every way in which the unflushed bytes may have reached the disk is tried. A restart must find at
//! least what was acknowledged and at most what was asked for, a log that goes with it to the last entry, and every
//! entry that was acknowledged.
#![expect(clippy::arithmetic_side_effects, reason = "the numbers of a test are small")]

use alloc::collections::BTreeSet;
use alloc::{format, vec, vec::Vec};

use high_water::{Cut, Fate, Fault, FaultMedium, OpenError, Options};
use hlc::{NodeId, Stamp, Timestamp};

use super::ledger::{Ledger, Written};
use super::segment::{self, Header};
use super::shelf::Shelf;
use super::{FileError, Finding, LogFault, NotVerified, verify};
use crate::audit::{Entry, LogHead, Place};
use crate::engine::Failure;
use crate::protocol::{Command, Moment, Record, Swap, Ttl, View};
use crate::{DurableGate, GrantId, HolderId, RealmId, ResourceId};

const EIO: i32 = 5;
const ENOSPC: i32 = 28;

#[derive(Clone, Debug)]
pub(super) struct Disk(pub(super) FaultMedium);

impl Shelf for Disk {
    type Medium = FaultMedium;

    fn prepare(&self) -> Result<(), FileError> {
        Ok(())
    }

    fn record(&self) -> Result<FaultMedium, FileError> {
        Ok(self.0.named_file(0))
    }

    fn segment(&self, number: u32) -> Result<FaultMedium, FileError> {
        Ok(self.0.named_file(number))
    }

    fn segments(&self) -> Result<Vec<u32>, FileError> {
        Ok((1..8).filter(|number| self.0.named_file(*number).cached().is_some()).collect())
    }
}

pub(super) fn resource() -> ResourceId {
    ResourceId::of("tests", "crash")
}

pub(super) fn ledger(machine: &FaultMedium) -> Ledger<Disk> {
    Ledger::new(Disk(machine.clone()), resource(), Options::new(DurableGate::identity(resource())))
}

pub(super) fn realm() -> RealmId {
    RealmId::from_random_bits(7).unwrap()
}

pub(super) fn after(last: Option<Stamp>) -> Result<Stamp, FileError> {
    let bits = last.map_or(1 << 16, |last| last.timestamp().to_bits() + 1);
    Ok(Timestamp::from_bits(bits).unwrap().at_node(NodeId::new(1).unwrap()))
}

/// The next write of the script, by what is there.
pub(super) fn prepare(stored: Option<Record>, nth: u128) -> Swap {
    let view = View::new(stored.unwrap_or(Record::vacant(realm())), Moment::new(1, 0));
    let ttl = Ttl::MIN;
    let command = match view.record().grant() {
        None => {
            let holder = HolderId::try_new("h").unwrap();
            Command::Acquire { grant: GrantId::from_random_bits(nth + 1).unwrap(), holder, ttl }
        }
        Some(grant) if nth % 3 == 1 => Command::Renew { grant, ttl },
        Some(grant) => Command::Release { grant },
    };
    Swap::prepare(&view, &command).unwrap()
}

pub(super) fn send(ledger: &Ledger<Disk>, swap: &Swap) -> Result<Written, Failure<FileError>> {
    let judge = |stored: &Record| Ok(swap.lands_on(&View::new(*stored, Moment::new(1, 0))));
    ledger.swap(swap, judge, after, |_| Ok(()))
}

/// One write of the script.
pub(super) fn write(ledger: &Ledger<Disk>, nth: u128) -> Result<Record, Failure<FileError>> {
    let stored = ledger.load().map_err(Failure::Definite)?;
    match send(ledger, &prepare(stored, nth))? {
        Written::Landed(record) => Ok(record),
        Written::Conflict(found) => panic!("nobody else is here: {found:?}"),
    }
}

fn version(record: Option<&Record>) -> u64 {
    record.map_or(0, |record| record.version().get())
}

fn head(record: &Record) -> LogHead {
    Entry::of(resource(), *record).unwrap().head()
}

/// What the world outside knows.
#[derive(Clone, Debug, Default)]
struct Witness {
    acknowledged: Option<Record>,
    requested: u64,
}

impl Witness {
    fn check(&self, machine: &FaultMedium, image: &str) {
        let ledger = ledger(machine);
        let found = ledger.load().unwrap_or_else(|why| panic!("{why} ({why:?}) after {image}, {self:?}"));
        let (least, most) = (version(self.acknowledged.as_ref()), self.requested);
        assert!((least..=most).contains(&version(found.as_ref())), "{found:?} after {image}, {self:?}");
        if version(found.as_ref()) == least {
            assert_eq!(found, self.acknowledged, "after {image}");
        }
        // What was told is on the disk, whatever the cache showed. That there was nothing is not: a name that was taken
        // away after a failed sync may come back, of a record that nobody was told of.
        let told = self::ledger(&machine.power_cut(&Cut::new(&[]))).load();
        assert!(found.is_none() || told == Ok(found), "{told:?} after {image}, a look, and the power cut");
        // Every acknowledged entry is in the log, and none is missing: the load has seen to the last.
        let noted = self.acknowledged.as_ref().map(head);
        let verified =
            verify::verify(&ledger, noted).unwrap_or_else(|why| panic!("{why:?} after {image}, {self:?}"));
        assert_eq!(verified.entries(), version(found.as_ref()), "after {image}");
        assert_eq!(verified.missing(), None, "after {image}");
        let next = write(&ledger, 90).unwrap_or_else(|why| panic!("{why:?} after {image}"));
        assert_eq!(next.version().get(), version(found.as_ref()) + 1);
        assert_eq!(verify::verify(&ledger, noted).unwrap().entries(), next.version().get());
        // What the cache showed and the disk did not have was made good before anything was acknowledged.
        let later = self::ledger(&machine.power_cut(&Cut::new(&[])));
        assert_eq!(later.load().as_ref(), Ok(&Some(next)), "after {image}, a write, and the power cut");
        let verified = verify::verify(&later, Some(head(&next)));
        assert_eq!(verified.map(|verified| verified.entries()), Ok(next.version().get()), "after {image}");
    }
}

/// Runs the script; ends like a process that is killed at the first error of which nobody knows what it did.
fn run(machine: &FaultMedium, mut witness: Witness, writes: u128) -> Witness {
    let ledger = ledger(machine);
    for nth in 0..writes {
        witness.requested += 1;
        match write(&ledger, nth) {
            Ok(record) => {
                assert!(version(witness.acknowledged.as_ref()) < record.version().get());
                witness.acknowledged = Some(record);
                witness.requested = record.version().get();
            }
            // Nothing was written, for ever.
            Err(Failure::Definite(_)) => witness.requested = version(witness.acknowledged.as_ref()),
            Err(Failure::Indeterminate(_)) => break,
        }
    }
    witness
}

pub(super) fn faults() -> Vec<Fault> {
    let sync = |fate| Fault::SyncFails { errno: EIO, fate };
    vec![
        Fault::PowerCut,
        Fault::Errno(EIO),
        Fault::Errno(ENOSPC),
        Fault::Torn { bytes: 100, errno: ENOSPC },
        sync(Fate::Lost),
        sync(Fate::Whole),
        sync(Fate::Prefix(40)),
    ]
}

/// Every fault at every call from here on, every cut after it, and the process killed instead.
fn crash_everywhere(from: &FaultMedium, known: &Witness, writes: u128, step: usize) -> usize {
    let calls = {
        let trial = from.process_crash();
        run(&trial, known.clone(), writes);
        trial.calls()
    };
    let mut images = 0;
    for call in 0..calls {
        for fault in faults() {
            let machine = from.process_crash();
            machine.fail(call, fault);
            let witness = run(&machine, known.clone(), writes);
            let name = format!("{fault:?} at call {call}");
            for cut in machine.cuts().into_iter().step_by(step) {
                images += 1;
                witness.check(&machine.power_cut(&cut), &format!("{name}, {cut:?}"));
            }
            images += 1;
            witness.check(&machine.process_crash(), &name);
        }
    }
    images
}

#[test]
fn every_crash_image_has_a_record_between_acknowledged_and_asked_and_the_log_that_goes_with_it() {
    let machine = FaultMedium::new();
    let first = crash_everywhere(&machine, &Witness::default(), 1, 97);
    let known = run(&machine, Witness::default(), 3);
    let later = crash_everywhere(&machine, &known, 2, 41);
    std::println!("{} crash images of a record with its log", first + later);
    assert!(first > 500 && later > 500, "{first} {later}");
}

#[test]
fn room_in_the_log_is_on_the_disk_before_anything_is_promised_of_it() {
    let machine = FaultMedium::new().named_file(1);
    let header = |index| Header { resource: resource(), segment: 1, index, before: LogHead::EMPTY };
    let on_disk = || machine.power_cut(&Cut::new(&[])).cached().map_or(0, |file| file.len());
    segment::make_room(&machine, Place::FIRST, header(0)).unwrap();
    let length = on_disk();
    assert!(length > (Place::HEADER_BYTES + Place::ENTRY_BYTES) as usize);
    let place = Place { segment: 1, offset: u32::try_from(length).unwrap() - 100 };
    segment::make_room(&machine, place, header(7)).unwrap();
    assert!(on_disk() >= length + 400, "{} after {length}", on_disk());
}

/// A file of the log grows, and the crash comes anywhere around it.
#[test]
fn a_log_grows_whatever_crash_comes_between() {
    let machine = FaultMedium::new();
    let length = |machine: &FaultMedium| machine.named_file(1).cached().unwrap().len();
    let mut known = run(&machine, Witness::default(), 1);
    let mut nth = 1;
    // On until the next write makes the file grow.
    loop {
        let trial = machine.process_crash();
        write(&ledger(&trial), nth).unwrap();
        if length(&trial) > length(&machine) {
            break;
        }
        let record = write(&ledger(&machine), nth).unwrap();
        known = Witness { acknowledged: Some(record), requested: record.version().get() };
        nth += 1;
    }
    assert!(nth > 100, "it grew after {nth} writes");
    let images = crash_everywhere(&machine, &known, 1, 97);
    assert!(images > 100, "{images}");
}

/// The second file of the log is begun, and the crash comes anywhere around it.
#[test]
fn a_log_goes_on_in_a_second_file_whatever_crash_comes_between() {
    let machine = FaultMedium::new();
    let ledger = ledger(&machine);
    let mut nth = 0;
    let next_file = loop {
        let record = write(&ledger, nth).unwrap();
        nth += 1;
        let entry = Entry::of(resource(), record).unwrap();
        if entry.next_place().unwrap().segment() == 2 {
            break entry;
        }
    };
    assert!(next_file.anchor().index() > 200);
    let known = Witness { acknowledged: Some(*next_file.record()), requested: u64::try_from(nth).unwrap() };
    let images = crash_everywhere(&machine, &known, 2, 97);
    assert!(images > 200, "{images}");
    let record = machine.named_file(0).cached().unwrap();
    let _on = run(&machine, known, 2);
    let later = machine.named_file(0).cached().unwrap();
    machine.named_file(0).overwrite(&record);
    assert_eq!(ledger.load(), Err(LogFault::Ahead.into()), "it goes on in the second file");
    machine.named_file(0).overwrite(&later);
    let second = machine.named_file(2).cached().unwrap();
    for at in 0..Place::HEADER_BYTES as usize {
        let mut changed = second.clone();
        changed[at] ^= 1;
        machine.named_file(2).overwrite(&changed);
        assert!(matches!(verify::verify(&ledger, None), Err(NotVerified::Damaged(_))), "header byte {at}");
    }
    machine.named_file(2).overwrite(&second);
    let first_of_second = next_file.anchor().index() + 1;
    let verified = verify::verify(&ledger, Some(next_file.head())).unwrap();
    assert_eq!((verified.unread(), verified.noted_at()), (0, Some(first_of_second)));
    // Old files may be moved away.
    high_water::Medium::unpublish(&machine.named_file(1)).unwrap();
    let verified = verify::verify(&ledger, Some(next_file.head())).unwrap();
    assert_eq!((verified.unread(), verified.noted_at()), (first_of_second, Some(first_of_second)));
}

#[test]
fn a_full_disk_is_a_definite_failure_and_nothing_is_written() {
    let machine = FaultMedium::new();
    let before = run(&machine, Witness::default(), 2);
    let ledger = ledger(&machine);
    // The room that was made is used up; the next one needs more.
    let mut last = before.acknowledged.unwrap();
    let mut nth = 2;
    let mut refused = 0;
    while refused == 0 {
        let trial = machine.process_crash();
        let calls = {
            let trial = trial.process_crash();
            write(&self::ledger(&trial), nth).map(|_| trial.calls()).unwrap()
        };
        for call in 0..calls {
            let full = trial.process_crash();
            full.fail(call, Fault::Errno(ENOSPC));
            if let Err(Failure::Definite(FileError::Io { during: super::During::MakingRoom, code })) =
                write(&self::ledger(&full), nth)
            {
                assert_eq!(code, Some(ENOSPC));
                assert_eq!(self::ledger(&full).load().unwrap(), Some(last), "nothing was promised");
                if full.unflushed().iter().any(|left| matches!(left, high_water::Unflushed::Length)) {
                    refused += 1;
                }
            }
        }
        last = write(&ledger, nth).unwrap();
        nth += 1;
        assert!(nth < 1_000, "no file was ever extended");
    }
}

#[test]
fn what_disagrees_is_refused_and_said() {
    let machine = FaultMedium::new();
    let ledger = ledger(&machine);
    let mut files = Vec::new();
    for nth in 0..4 {
        write(&ledger, nth).unwrap();
        files.push((machine.named_file(0).cached().unwrap(), machine.named_file(1).cached().unwrap()));
    }
    let (record, log) = files.last().unwrap().clone();
    let (old_record, old_log) = files[1].clone();
    let put = |record: &[u8], log: &[u8]| {
        machine.named_file(0).overwrite(record);
        machine.named_file(1).overwrite(log);
        (ledger.load(), verify::verify(&ledger, None))
    };
    // Written over in place, so that no inode gives it away.
    let (loaded, verified) = put(&old_record, &log);
    assert_eq!(loaded, Err(LogFault::Ahead.into()));
    assert!(matches!(verified, Err(NotVerified::Damaged(_))), "{verified:?}");
    // The log alone put back: the entries between are gone for good.
    machine.named_file(0).overwrite(&record);
    machine.named_file(1).overwrite(&old_log);
    let verified = verify::verify(&ledger, None);
    let cut = |what| what == Finding::Fault(LogFault::Cut);
    assert!(matches!(verified, Err(NotVerified::Damaged(found)) if cut(found.what())), "{verified:?}");
    let (loaded, verified) = put(&record, &old_log);
    assert!(matches!(verified, Err(NotVerified::Damaged(_))), "{verified:?}");
    // It is cut below what a crash can leave; a load mends the last entry, and verification still finds the hole.
    assert!(loaded.is_ok());
    assert!(matches!(verify::verify(&ledger, None), Err(NotVerified::Damaged(_))));
    let (loaded, _) = put(&record, &log[..200]);
    assert_eq!(loaded, Err(LogFault::Cut.into()));
    // Both put back, whole and in place: nothing within can know.
    assert!(matches!(put(&old_record, &old_log), (Ok(_), Ok(_))));
    machine.named_file(1).delete();
    assert_eq!(ledger.load(), Err(LogFault::Missing { segment: 1 }.into()));
    machine.named_file(1).replace(&log);
    machine.named_file(0).delete();
    assert_eq!(ledger.load(), Err(FileError::RecordMissing));
    machine.named_file(0).replace(&record);
    assert!(matches!(ledger.load(), Err(FileError::Register(OpenError::Regressed(_)))), "a copy");
}

#[test]
fn a_flipped_bit_anywhere_in_the_log_is_found_and_the_sound_part_is_named() {
    let machine = FaultMedium::new();
    let ledger = ledger(&machine);
    let mut ends = BTreeSet::new();
    for nth in 0..4 {
        let record = write(&ledger, nth).unwrap();
        let entry = Entry::of(resource(), record).unwrap();
        ends.insert(entry.anchor().place().offset() as usize + entry.to_bytes().len());
    }
    let log = machine.named_file(1).cached().unwrap();
    let end = *ends.last().unwrap();
    let last_begins = *ends.iter().rev().nth(1).unwrap();
    for at in (0..end).chain([end + 1, log.len() - 1]) {
        let mut changed = log.clone();
        changed[at] ^= 1 << (at % 8);
        machine.named_file(1).overwrite(&changed);
        match verify::verify(&ledger, None) {
            Err(NotVerified::Damaged(damage)) => {
                let sound = ends.iter().filter(|end| **end <= at).count() as u64;
                let header = at < Place::HEADER_BYTES as usize;
                assert_eq!(damage.what() == Finding::Header, header, "byte {at}: {damage}");
                assert_eq!(damage.index(), if header { 0 } else { sound }, "byte {at}: {damage}");
            }
            // Of the last entry a crash may have left anything; it is written again from the record.
            Ok(verified) => {
                assert!((last_begins..end).contains(&at) && verified.missing().is_some(), "byte {at}");
            }
            Err(why) => panic!("byte {at}: {why:?}"),
        }
    }
    for cut in 0..log.len() {
        machine.named_file(1).overwrite(&log[..cut]);
        match verify::verify(&ledger, None) {
            Err(why) => assert!(cut < end, "cut at {cut} of {end}: {why:?}"),
            Ok(verified) => {
                assert!(cut >= last_begins && (cut >= end || verified.missing().is_some()), "cut at {cut}")
            }
        }
    }
}

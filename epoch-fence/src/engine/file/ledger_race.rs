//! What is written, deleted or exchanged while somebody looks: between one call and the next.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::Cell;

use high_water::{Fault, FaultMedium, Options};

use super::ledger::{Ledger, Written};
use super::ledger_crash::{Disk, after, ledger, prepare, realm, resource, send, write};
use super::segment::{self, Header};
use super::shelf::Shelf;
use super::{During, FileError, LogFault, NotVerified, verify};
use crate::DurableGate;
use crate::audit::{Entry, LogHead, Place};
use crate::engine::Failure;
use crate::protocol::{Info, Moment, Record, Tenure, Version, View};

/// A disk whose record is not there for a number of looks, or on which somebody writes at each of so many looks.
#[derive(Clone)]
struct Restless {
    disk: Disk,
    machine: FaultMedium,
    absent: Rc<Cell<u32>>,
    writes: Rc<Cell<u32>>,
}

impl Restless {
    fn ledger(machine: &FaultMedium, absent: u32, writes: u32) -> Ledger<Self> {
        let disk = Disk(machine.clone());
        let [absent, writes] = [absent, writes].map(|times| Rc::new(Cell::new(times)));
        let shelf = Self { disk, machine: machine.clone(), absent, writes };
        Ledger::new(shelf, resource(), Options::new(DurableGate::identity(resource())))
    }
}

/// Takes one of the times that are left; false when none is.
fn take(times: &Cell<u32>) -> bool {
    let left = times.get();
    times.set(left.saturating_sub(1));
    left > 0
}

impl Shelf for Restless {
    type Medium = FaultMedium;

    fn prepare(&self) -> Result<(), FileError> {
        self.disk.prepare()
    }

    fn record(&self) -> Result<FaultMedium, FileError> {
        if take(&self.absent) {
            return Ok(self.machine.named_file(99));
        }
        if take(&self.writes) {
            write(&ledger(&self.machine), u128::from(self.writes.get()) + 50).unwrap();
        }
        self.disk.record()
    }

    fn segment(&self, number: u32) -> Result<FaultMedium, FileError> {
        self.disk.segment(number)
    }

    fn segments(&self) -> Result<Vec<u32>, FileError> {
        self.disk.segments()
    }
}

#[test]
fn a_record_that_appears_while_it_is_looked_for_is_found() {
    let machine = FaultMedium::new();
    let first = write(&ledger(&machine), 0).unwrap();
    assert_eq!(Restless::ledger(&machine, 1, 0).load(), Ok(Some(first)));
    assert_eq!(Restless::ledger(&machine, 2, 0).load(), Err(FileError::RecordMissing), "a log is there");

    // Whoever writes the first record finds that another one was faster.
    let swap = prepare(None, 7);
    let late = Restless::ledger(&machine, 1, 0);
    let judge = |stored: &Record| Ok(swap.lands_on(&View::new(*stored, Moment::new(1, 0))));
    let written = late.swap(&swap, judge, after, |_| Ok(()));
    assert!(matches!(written, Ok(Written::Conflict(None))), "{written:?}");
    assert_eq!(ledger(&machine).load(), Ok(Some(first)));
}

#[test]
fn a_log_that_somebody_goes_on_writing_is_read_again_and_not_taken_for_damaged() {
    let machine = FaultMedium::new();
    write(&ledger(&machine), 0).unwrap();
    for writes in [2, 3, 40] {
        let before = ledger(&machine).load().unwrap().unwrap().version().get();
        let verified = verify::verify(&Restless::ledger(&machine, 0, writes), None).unwrap();
        // The last reading is what it says, though somebody has written behind it.
        assert!(verified.entries() >= before + u64::from(writes.min(17)) - 1, "{writes}: {verified:?}");
        assert_eq!(verified.missing(), None);
    }
}

#[test]
fn a_record_that_no_such_engine_wrote_is_refused() {
    let options = Options::new(DurableGate::identity(resource()));
    let machine = FaultMedium::new();
    let plain = Record::try_new(realm(), Version::new(1), None, Tenure::Free, Info::EMPTY).unwrap();
    drop(options.create_on(machine.named_file(0), 1, plain.to_bytes().as_bytes()).unwrap());
    assert_eq!(ledger(&machine).load(), Err(FileError::NoAnchor), "without an anchor");
    let sent = send(&ledger(&machine), &prepare(Some(plain), 0));
    assert!(matches!(sent, Err(Failure::Definite(FileError::NoAnchor))), "{sent:?}");

    let machine = FaultMedium::new();
    let first = write(&ledger(&machine), 0).unwrap();
    let mut register = options.open_on(machine.named_file(0)).unwrap();
    register.raise(9, first.to_bytes().as_bytes()).unwrap();
    drop(register);
    assert_eq!(ledger(&machine).load(), Err(FileError::NoAnchor), "under another number than its version");
}

#[test]
fn a_log_with_another_write_in_the_place_of_the_records_is_refused() {
    let (machine, other) = (FaultMedium::new(), FaultMedium::new());
    write(&ledger(&machine), 0).unwrap();
    write(&ledger(&other), 5).unwrap();
    machine.named_file(1).overwrite(&other.named_file(1).cached().unwrap());
    assert_eq!(ledger(&machine).load(), Err(LogFault::Forked.into()));
}

#[test]
fn room_is_made_in_the_file_that_belongs_there_and_is_as_long_as_it_was_or_not_at_all() {
    let machine = FaultMedium::new();
    let file = |number| machine.named_file(number);
    let header = |index| Header { resource: resource(), segment: 1, index, before: LogHead::EMPTY };
    segment::make_room(&file(1), Place::FIRST, header(0)).unwrap();
    segment::make_room(&file(1), Place::FIRST, header(0)).unwrap();
    assert_eq!(
        segment::make_room(&file(1), Place::FIRST, header(1)),
        Err(LogFault::Foreign { segment: 1 }.into())
    );
    let whole = file(1).cached().unwrap();
    file(1).overwrite(&whole[..Place::HEADER_BYTES as usize - 1]);
    let cut = segment::make_room(&file(1), Place::FIRST, header(0));
    assert_eq!(cut, Err(LogFault::Foreign { segment: 1 }.into()), "less than a header");

    let place = Place { segment: 2, offset: 500 };
    let gone = segment::make_room(&file(2), place, header(1));
    assert_eq!(gone, Err(LogFault::Missing { segment: 2 }.into()));
    for (length, made) in [(499, Err(LogFault::Cut.into())), (500, Ok(())), (501, Ok(()))] {
        file(2).replace(&vec_of(length));
        assert_eq!(segment::make_room(&file(2), place, header(1)), made, "{length} bytes");
        let grown = file(2).cached().unwrap().len();
        assert_eq!(grown > length, made.is_ok(), "{grown} after {length}");
    }
    // As much as the longest entry needs, and the length of the one behind it.
    let needed = (place.offset + Place::ENTRY_BYTES) as usize + 2;
    for (length, grows) in [(needed - 1, true), (needed, false)] {
        file(2).replace(&vec_of(length));
        segment::make_room(&file(2), place, header(1)).unwrap();
        assert_eq!(file(2).cached().unwrap().len() > length, grows, "{length} bytes");
    }
}

fn vec_of(length: usize) -> Vec<u8> {
    alloc::vec![0; length]
}

#[test]
fn a_log_that_ends_with_the_records_entry_is_whole_and_one_byte_less_is_cut() {
    let machine = FaultMedium::new();
    let first = write(&ledger(&machine), 0).unwrap();
    let entry = Entry::of(resource(), first).unwrap();
    let end = entry.anchor().place().offset() as usize + entry.to_bytes().len();
    let log = machine.named_file(1).cached().unwrap();
    machine.named_file(1).overwrite(&log[..end]);
    assert_eq!(ledger(&machine).load(), Ok(Some(first)));
    machine.named_file(1).overwrite(&log[..end - 1]);
    assert_eq!(ledger(&machine).load(), Err(LogFault::Cut.into()));
}

#[test]
fn a_log_whose_first_files_were_moved_away_is_no_vacant_one() {
    let machine = FaultMedium::new();
    let before = Entry::of(resource(), write(&ledger(&machine), 0).unwrap()).unwrap().head();
    machine.named_file(0).delete();
    machine.named_file(1).delete();
    assert_eq!(verify::verify(&ledger(&machine), None).unwrap().entries(), 0);
    let header = Header { resource: resource(), segment: 2, index: 7, before };
    segment::make_room(&machine.named_file(2), Place::first_of(2), header).unwrap();
    let verified = verify::verify(&ledger(&machine), None);
    assert_eq!(verified, Err(NotVerified::File(FileError::RecordMissing)));
}

#[test]
fn what_the_system_says_of_a_file_of_the_log_is_handed_on() {
    let machine = FaultMedium::new();
    let header = Header { resource: resource(), segment: 1, index: 0, before: LogHead::EMPTY };
    let io = |during, code| FileError::Io { during, code: Some(code) };
    let mut calls = 0;
    // Each call that it takes to make the file.
    loop {
        let disk = machine.process_crash();
        disk.fail(calls, Fault::Errno(28));
        let made = segment::make_room(&disk.named_file(1), Place::FIRST, header);
        if disk.struck() == 0 {
            assert_eq!(made, Ok(()));
            break;
        }
        assert_eq!(made, Err(io(During::MakingRoom, 28)), "call {calls}");
        calls += 1;
    }
    assert!(calls > 4, "{calls}");
    segment::make_room(&machine.named_file(1), Place::FIRST, header).unwrap();
    for (making, code) in [(false, 5), (true, 13)] {
        let disk = machine.process_crash();
        disk.fail(0, Fault::Errno(code));
        if making {
            let made = segment::make_room(&disk.named_file(1), Place::FIRST, header);
            assert_eq!(made, Err(io(During::MakingRoom, code)));
        } else {
            let read = segment::read(&disk.named_file(1), 0, 4);
            assert_eq!(read, Err(io(During::Reading, code)));
        }
    }
}

#[test]
fn a_raise_that_did_not_happen_is_told_from_one_that_nobody_knows_of() {
    let start = FaultMedium::new();
    let first = write(&ledger(&start), 0).unwrap();
    let swap = prepare(Some(first), 1);
    let (mut definite, mut unknown) = (0, 0);
    for call in 0.. {
        let machine = start.process_crash();
        machine.fail(call, Fault::Errno(5));
        let sent = send(&ledger(&machine), &swap);
        if machine.struck() == 0 {
            break;
        }
        match sent {
            Err(Failure::Definite(FileError::Raise(why))) => {
                assert!(why.is_definite(), "call {call}: {why:?}");
                definite += 1;
            }
            Err(Failure::Indeterminate(FileError::Raise(why))) => {
                assert!(!why.is_definite(), "call {call}: {why:?}");
                unknown += 1;
            }
            _ => {}
        }
    }
    assert!(definite > 0 && unknown > 0, "{definite} {unknown}");
}

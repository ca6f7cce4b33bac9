//! What is written, deleted or exchanged while somebody looks: between one call and the next.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::Cell;

use high_water::{FaultMedium, Options};

use super::ledger::{Ledger, Written};
use super::ledger_crash::{Disk, after, ledger, prepare, realm, resource, send, write};
use super::segment::{self, Header};
use super::shelf::Shelf;
use super::{FileError, LogFault, verify};
use crate::DurableGate;
use crate::audit::{LogHead, Place};
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
    assert!(matches!(sent, Err(crate::engine::Failure::Definite(FileError::NoAnchor))), "{sent:?}");

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

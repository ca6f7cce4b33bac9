//! Looking at a register while it is being raised.

use crate::register_at;
use high_water::{
    Access, Facts, FaultFile, FaultMedium, FileId, Medium, OpenError, Record, Register, inspect_on,
};
use std::cell::{Cell, RefCell};
use std::io;
use std::time::Duration;

/// The machine of a register that somebody raises between two reads of the one who looks.
struct Racing<F> {
    machine: FaultMedium,
    register: RefCell<Register<FaultMedium>>,
    reads: Cell<u32>,
    before_read: F,
}

impl<F: Fn(u32, &FaultMedium, &mut Register<FaultMedium>)> Racing<F> {
    fn new(values: &[u64], before_read: F) -> Self {
        let (machine, mut register) = register_at(0);
        for value in values {
            register.raise(*value, b"").unwrap();
        }
        Self { machine, register: RefCell::new(register), reads: Cell::new(0), before_read }
    }
}

impl<F: Fn(u32, &FaultMedium, &mut Register<FaultMedium>)> Medium for Racing<F> {
    type File = FaultFile;

    fn open(&self, access: Access) -> io::Result<FaultFile> {
        self.machine.open(access)
    }

    fn facts(&self, file: &FaultFile) -> io::Result<Facts> {
        self.machine.facts(file)
    }

    fn read_at(&self, file: &FaultFile, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.reads.set(self.reads.get() + 1);
        (self.before_read)(self.reads.get(), &self.machine, &mut self.register.borrow_mut());
        self.machine.read_at(file, offset, buffer)
    }

    fn create(&self) -> io::Result<FaultFile> {
        unreachable!("a reader creates nothing")
    }

    fn publish(&self, _: &FaultFile) -> io::Result<()> {
        unreachable!("a reader creates nothing")
    }

    fn retract(&self, _: &FaultFile) -> io::Result<()> {
        unreachable!("a reader creates nothing")
    }

    fn file_system(&self, file: &FaultFile) -> io::Result<high_water::FileSystem> {
        self.machine.file_system(file)
    }

    fn unpublish(&self) -> io::Result<()> {
        unreachable!("a reader takes nothing away")
    }

    fn sync_directory(&self) -> io::Result<()> {
        unreachable!("a reader makes nothing durable")
    }

    fn named(&self) -> io::Result<FileId> {
        self.machine.named()
    }

    fn try_lock(&self, _: &FaultFile) -> io::Result<bool> {
        unreachable!("a reader needs no lock")
    }

    fn holder(&self, _: &FaultFile) -> Option<u32> {
        unreachable!("a reader needs no lock")
    }

    fn pause(&self, _: Duration) {
        unreachable!("a reader waits for nobody")
    }

    fn write_at(&self, _: &FaultFile, _: u64, _: &[u8]) -> io::Result<usize> {
        unreachable!("a reader writes nothing")
    }

    fn set_len(&self, _: &FaultFile, _: u64) -> io::Result<()> {
        unreachable!("a reader writes nothing")
    }

    fn sync(&self, _: &FaultFile) -> io::Result<()> {
        unreachable!("a reader makes nothing durable")
    }
}

/// The reader has read slots A and B when two raises replace them and a third tears slot C, which had the newest
/// value when it began. One reading alone would show a value from before that.
#[test]
fn a_reader_never_tells_less_than_what_was_acknowledged_before_it_began() {
    let racing = Racing::new(&[1, 2, 3], |read, machine, register| {
        if read == 5 {
            register.raise(4, b"").unwrap();
            register.raise(5, b"").unwrap();
            for copy in [2, 5] {
                machine.rot(copy * 16 * 1024 + Record::LEN as u64 - 1, 1);
            }
        }
    });
    let found = inspect_on(&racing).unwrap();
    assert_eq!((found.record().value(), found.valid_copies()), (5, 4));
}

#[test]
fn a_reader_that_never_gets_two_equal_readings_says_so_and_ends() {
    let racing = Racing::new(&[], |read, _, register| {
        if read % 6 == 0 {
            register.raise(u64::from(read), b"").unwrap();
        }
    });
    assert_eq!(inspect_on(&racing), Err(OpenError::Busy));
    assert!(racing.reads.get() < 10_000);
}

//! What befalls a register while it is held, or while it is being opened: by other writers, and by odd media.

use crate::{options, register_at};
use high_water::{
    Access, Evidence, Facts, Fate, Fault, FaultFile, FaultMedium, FileId, FileSystem, Identity, IoFault,
    Mark, Medium, NotRaised, OpenError, Operation, Options, RaiseError, Register,
};
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const FILE: usize = 6 * 16 * 1024;

/// The bytes of a register of this identity that was raised to 8 with this payload.
fn bytes(identity: [u8; 16], payload: &[u8]) -> Vec<u8> {
    let machine = FaultMedium::new();
    let mut register =
        Options::new(Identity::from_bytes(identity)).create_on(machine.clone(), 3, b"").unwrap();
    register.raise(8, payload).unwrap();
    drop(register);
    machine.cached().unwrap()
}

#[test]
fn whatever_is_written_over_a_held_register_is_found_out_and_nothing_is_raised_any_more() {
    const OURS: [u8; 16] = *b"high-water tests";
    let older = {
        let (machine, register) = register_at(3);
        drop(register);
        machine.cached().unwrap()
    };
    let one_payload = bytes(OURS, b"one");
    let two_writers = [&one_payload[..FILE / 2], &bytes(OURS, b"two")[FILE / 2..]].concat();
    let cases = [
        ("nothing valid", vec![0; FILE], None),
        ("another register", bytes(*b"somebody else's ", b""), None),
        ("two writers", two_writers, None),
        ("its beginning", one_payload[..FILE - 1].to_vec(), None),
        ("its beginning, and more", [&one_payload[..], b"more"].concat(), None),
        ("an older copy", older, Some(3)),
        ("a later one", one_payload, Some(8)),
    ];
    for (name, bytes, found) in cases {
        let (machine, mut register) = register_at(3);
        register.raise(7, b"").unwrap();
        machine.overwrite(&bytes);
        let is_found_out = |raised| match raised {
            Err(RaiseError::NotRaised(NotRaised::Regressed(why))) => {
                (why.evidence(), why.found(), why.known()) == (Evidence::Overwritten, found, Some(7))
            }
            _ => false,
        };
        assert!(is_found_out(register.raise(8, b"")), "{name}");
        assert!(is_found_out(register.raise(9, b"")), "{name}: for good");
        let mut mark = register.into_mark();
        assert!(is_found_out(mark.raise_to(7)), "{name}: nor is it promised what it had");
        assert_eq!((mark.snapshot().not_raised, mark.snapshot().unchanged), (3, 0), "{name}");
        assert!(machine.cached().unwrap() == bytes, "{name}: left alone");
    }
}

/// What a medium says otherwise than the simulated disk.
#[derive(Clone, Copy, PartialEq)]
enum Oddity {
    /// The name leads to another file each time.
    Renamed,
    /// Nothing leads to the file, and yet the name is taken.
    Contrary,
    /// The name is gone once the file is open, or what it leads to is not told.
    Vanished,
    Untold,
    /// It is on a system that has no registers.
    Elsewhere,
    /// Somebody holds the lock of every file, new ones included.
    Locked,
    /// The file system is not known, and has no name.
    Nameless,
    /// What is denied: the sync of the directory, a file to write, a file at all, a look at the name.
    NoSync,
    NoWrite,
    NoRead,
    NoLook,
}

#[derive(Clone)]
struct Odd {
    disk: FaultMedium,
    oddity: Oddity,
    looks: Arc<AtomicU64>,
}

impl Odd {
    fn on(disk: &FaultMedium, oddity: Oddity) -> Self {
        Self { disk: disk.clone(), oddity, looks: Arc::default() }
    }

    fn fails(&self, oddities: &[Oddity], kind: ErrorKind) -> io::Result<()> {
        if oddities.contains(&self.oddity) { Err(kind.into()) } else { Ok(()) }
    }
}

/// Has what a medium must have, and nothing that it need not.
impl Medium for Odd {
    type File = FaultFile;

    fn open(&self, access: Access) -> io::Result<FaultFile> {
        self.fails(&[Oddity::Contrary], ErrorKind::NotFound)?;
        self.fails(&[Oddity::Elsewhere], ErrorKind::Unsupported)?;
        self.fails(&[Oddity::NoRead, Oddity::NoLook], ErrorKind::PermissionDenied)?;
        if access == Access::ReadWrite {
            self.fails(&[Oddity::NoWrite], ErrorKind::PermissionDenied)?;
        }
        self.disk.open(access)
    }

    fn create(&self) -> io::Result<FaultFile> {
        self.fails(&[Oddity::Elsewhere], ErrorKind::Unsupported)?;
        self.fails(&[Oddity::NoLook, Oddity::NoWrite], ErrorKind::PermissionDenied)?;
        self.disk.create()
    }

    fn publish(&self, file: &FaultFile) -> io::Result<()> {
        self.fails(&[Oddity::Contrary], ErrorKind::AlreadyExists)?;
        self.disk.publish(file)
    }

    fn retract(&self, file: &FaultFile) -> io::Result<()> {
        self.disk.retract(file)
    }

    fn unpublish(&self) -> io::Result<()> {
        self.disk.unpublish()
    }

    fn sync_directory(&self) -> io::Result<()> {
        self.fails(&[Oddity::NoSync], ErrorKind::PermissionDenied)?;
        self.disk.sync_directory()
    }

    fn named(&self) -> io::Result<FileId> {
        let look = self.looks.fetch_add(1, Ordering::Relaxed);
        self.fails(&[Oddity::NoLook], ErrorKind::PermissionDenied)?;
        self.fails(&[Oddity::Vanished], ErrorKind::NotFound)?;
        self.fails(&[Oddity::Untold], ErrorKind::Other)?;
        if self.oddity == Oddity::Renamed { Ok(FileId::new(1, look)) } else { self.disk.named() }
    }

    fn facts(&self, file: &FaultFile) -> io::Result<Facts> {
        self.disk.facts(file)
    }

    fn file_system(&self, file: &FaultFile) -> io::Result<FileSystem> {
        let known = self.disk.file_system(file)?;
        Ok(if self.oddity == Oddity::Nameless { FileSystem::Unknown } else { known })
    }

    fn try_lock(&self, file: &FaultFile) -> io::Result<bool> {
        if self.oddity == Oddity::Locked { Ok(false) } else { self.disk.try_lock(file) }
    }

    fn holder(&self, _: &FaultFile) -> Option<u32> {
        Some(4711)
    }

    fn pause(&self, _: Duration) {}

    fn read_at(&self, file: &FaultFile, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.disk.read_at(file, offset, buffer)
    }

    fn write_at(&self, file: &FaultFile, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        self.disk.write_at(file, offset, bytes)
    }

    fn set_len(&self, file: &FaultFile, len: u64) -> io::Result<()> {
        self.disk.set_len(file, len)
    }

    fn sync(&self, file: &FaultFile) -> io::Result<()> {
        self.disk.sync(file)
    }
}

#[test]
fn what_an_odd_medium_says_is_refused_by_its_name_and_never_tried_for_ever() {
    let (machine, register) = register_at(7);
    drop(register);
    let whole = machine.cached().unwrap();
    let open = |oddity| options().open_on(Odd::on(&machine, oddity)).map(|register| register.get());
    let found_or_made =
        |oddity| options().open_or_create_on(&Odd::on(&machine, oddity)).map(|register| register.get());
    assert_eq!(open(Oddity::Renamed), Err(OpenError::Replaced));
    assert_eq!(found_or_made(Oddity::Contrary), Err(OpenError::Replaced));
    assert_eq!(open(Oddity::Contrary), Err(OpenError::NotFound), "a medium has no links unless it says so");
    assert_eq!(open(Oddity::Vanished), Err(OpenError::NotFound));
    assert_eq!(open(Oddity::Untold), Err(OpenError::Io(IoFault::new(Operation::Examine, None))));
    assert_eq!(open(Oddity::Locked), Err(OpenError::Held { process: Some(4711) }));
    assert_eq!(open(Oddity::Elsewhere), Err(OpenError::UnsupportedPlatform));
    assert_eq!(open(Oddity::Nameless), Err(OpenError::UnknownFileSystem { name: None }));
    assert_eq!(open(Oddity::NoSync), Err(OpenError::UnreadableDirectory));
    assert_eq!(open(Oddity::NoWrite), Err(OpenError::ReadOnlyFile));
    assert_eq!(open(Oddity::NoRead), Err(OpenError::UnreadableFile));
    assert_eq!(open(Oddity::NoLook), Err(OpenError::UnsearchableDirectory));
    assert!(machine.cached().unwrap() == whole, "and nothing was written");
    assert_eq!(options().open_on(machine).map(|register| register.get()), Ok(7));
}

#[test]
fn a_creation_that_an_odd_medium_refuses_leaves_nothing_under_the_name() {
    for (oddity, refusal) in [
        (Oddity::Locked, OpenError::Held { process: Some(4711) }),
        (Oddity::Nameless, OpenError::UnknownFileSystem { name: None }),
        (Oddity::Contrary, OpenError::AlreadyExists),
        (Oddity::Elsewhere, OpenError::UnsupportedPlatform),
        (Oddity::NoSync, OpenError::UnreadableDirectory),
        (Oddity::NoWrite, OpenError::ReadOnlyDirectory),
        (Oddity::NoLook, OpenError::UnsearchableDirectory),
    ] {
        let machine = FaultMedium::new();
        let created = options().create_on(Odd::on(&machine, oddity), 0, b"").map(|register| register.get());
        assert_eq!(created, Err(refusal));
        assert!(machine.cached().is_none(), "{refusal}");
        assert_eq!(options().create_on(machine, 5, b"").map(|register| register.get()), Ok(5), "{refusal}");
    }
}

#[test]
fn a_look_at_the_name_that_fails_is_a_fault_for_once_and_no_replacement_for_good() {
    let (machine, mut register) = register_at(7);
    machine.fail(machine.calls(), Fault::Errno(5));
    let fault = NotRaised::Io(IoFault::new(Operation::Examine, Some(5)));
    assert_eq!(register.raise(8, b""), Err(fault.into()));
    assert_eq!(register.raise(8, b""), Ok(()));
    machine.delete();
    assert_eq!(register.raise(9, b""), Err(NotRaised::Replaced.into()));
}

#[test]
fn what_was_done_for_a_register_is_counted_from_its_creation_on() {
    let (machine, mut register) = register_at(7);
    let counts = |register: &Register<FaultMedium>| {
        let counts = register.snapshot();
        [counts.raises, counts.unchanged, counts.not_raised, counts.indeterminate, counts.syncs]
    };
    assert_eq!(counts(&register), [0, 0, 0, 0, 1]);
    register.raise(8, b"").unwrap();
    assert_eq!(counts(&register), [1, 0, 0, 0, 2]);
    register.raise(8, b"").unwrap();
    assert_eq!(counts(&register), [1, 1, 0, 0, 2]);
    register.raise(7, b"").unwrap_err();
    assert_eq!(counts(&register), [1, 1, 1, 0, 2]);
    machine.fail_next_sync(5, Fate::Lost);
    register.raise(9, b"").unwrap_err();
    assert_eq!(counts(&register), [1, 1, 1, 1, 3]);
}

#[test]
fn a_floor_of_zero_is_none_and_one_above_it_forbids_a_beginning_at_zero() {
    let open = |floor| {
        let machine = FaultMedium::new();
        options().at_least(floor).open_or_create_on(&machine).map(|register| register.get())
    };
    assert_eq!(open(0), Ok(0));
    assert!(matches!(open(1), Err(OpenError::Regressed(_))));
}

//! What is refused, each with its own error, on the simulated disk.

use crate::{OURS, options, register_at};
use high_water::{
    Evidence, Fate, Fault, FaultMedium, FileSystem, FileSystemName, Identity, Mark, NotRaised, OpenError,
    Operation, Options, Origin, Payload, RaiseError, Record, WhenHeld, inspect_on,
};
use std::time::Duration;

const CELL: usize = 16 * 1024;
const FILE: usize = 6 * CELL;

/// The bytes of a register that was raised through these values.
fn bytes_at(values: &[u64]) -> Vec<u8> {
    let (machine, mut register) = register_at(0);
    for value in values {
        register.raise(*value, b"payload").unwrap();
    }
    drop(register);
    machine.cached().unwrap()
}

fn open(bytes: &[u8]) -> Result<u64, OpenError> {
    // A file of these bytes as the register's own: the first file on a machine, like the one it was made on.
    options().open_on(FaultMedium::with_file(bytes)).map(|register| register.get())
}

#[test]
fn a_flipped_bit_in_any_byte_of_the_file_is_repaired() {
    let bytes = bytes_at(&[7, 8, 9, 10]);
    let whole = FaultMedium::with_file(&bytes);
    for offset in 0..FILE as u64 {
        let machine = whole.process_crash();
        machine.rot(offset, 1 << (offset % 8));
        let mut register = options().open_on(machine.clone()).unwrap();
        assert_eq!((register.get(), register.payload()), (10, &b"payload"[..]), "byte {offset}");
        let in_a_record = offset % (CELL as u64) < Record::LEN as u64;
        assert_eq!(register.snapshot().damaged_copies, u64::from(in_a_record), "byte {offset}");
        if in_a_record && offset % 61 == 0 {
            for value in 11..14 {
                register.raise(value, b"").unwrap();
            }
            assert_eq!(inspect_on(&machine).unwrap().valid_copies(), 6, "byte {offset} was not repaired");
        }
    }
}

#[test]
fn a_file_without_a_valid_record_is_not_zero() {
    let mut bytes = bytes_at(&[7]);
    for copy in 0..6 {
        bytes[copy * CELL + 45] ^= 1;
    }
    assert_eq!(open(&bytes), Err(OpenError::NoValidRecord));
    assert_eq!(open(&vec![0; FILE]), Err(OpenError::NoValidRecord));
    assert_eq!(open(&vec![0xff; FILE]), Err(OpenError::NoValidRecord));
    let on = |bytes: &[u8]| options().open_or_create_on(&FaultMedium::with_file(bytes)).map(|r| r.get());
    assert_eq!(on(&bytes), Err(OpenError::NoValidRecord), "not created anew");
}

#[test]
fn a_file_of_another_length_is_refused() {
    let bytes = bytes_at(&[7]);
    for len in [0, 1, 511, 512, CELL, FILE / 2, FILE - 1] {
        assert_eq!(open(&bytes[..len]), Err(OpenError::WrongLength { found: len as u64 }));
    }
    let longer = [&bytes[..], &[0]].concat();
    assert_eq!(open(&longer), Err(OpenError::WrongLength { found: FILE as u64 + 1 }));
}

#[test]
fn a_register_of_another_identity_is_refused_and_left_alone() {
    let bytes = bytes_at(&[7]);
    let machine = FaultMedium::with_file(&bytes);
    let other = Options::new(Identity::from_bytes(*b"somebody else's "));
    let expected = OpenError::WrongIdentity { found: OURS };
    assert_eq!(other.open_on(machine.clone()).map(|r| r.get()), Err(expected));
    assert_eq!(other.recover_on(machine.clone(), 9, b"").map(|r| r.get()), Err(expected));
    assert!(machine.cached().unwrap() == bytes);
}

#[test]
fn a_record_of_a_later_version_is_refused_even_beside_valid_ones() {
    let mut bytes = bytes_at(&[7]);
    let cell = &mut bytes[..Record::LEN];
    cell[8] = 2;
    let checksum = crc(&cell[..508]).to_be_bytes();
    cell[508..].copy_from_slice(&checksum);
    assert_eq!(open(&bytes), Err(OpenError::UnknownVersion { found: 2 }));
    let machine = FaultMedium::with_file(&bytes);
    let recovered = options().recover_on(machine, 9, b"").map(|r| r.get());
    assert_eq!(recovered, Err(OpenError::UnknownVersion { found: 2 }));
}

/// The CRC-32 of FORMAT.md, bit by bit, written from its definition.
pub(crate) fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 })
    })
}

#[test]
fn a_record_in_another_slot_s_place_is_refused() {
    let mut bytes = bytes_at(&[7]);
    bytes.copy_within(0..Record::LEN, CELL);
    assert_eq!(open(&bytes), Err(OpenError::Malformed));
}

#[test]
fn two_newest_records_that_differ_are_refused() {
    let (left, right) = (bytes_at(&[7, 8]), {
        let (machine, mut register) = register_at(0);
        register.raise(7, b"payload").unwrap();
        register.raise(8, b"another payload").unwrap();
        drop(register);
        machine.cached().unwrap()
    });
    let mixed = [&left[..FILE / 2], &right[FILE / 2..]].concat();
    assert_eq!(open(&mixed), Err(OpenError::Conflict));
}

#[test]
fn exactly_one_holds_a_register() {
    let (machine, register) = register_at(7);
    let held = |options: Options| options.open_on(machine.clone()).map(|r| r.get());
    assert_eq!(held(options()), Err(OpenError::Held { process: None }));
    let waiting = options().when_held(WhenHeld::WaitUpTo(Duration::from_secs(3600)));
    assert_eq!(held(waiting), Err(OpenError::Held { process: None }), "waiting ends");
    assert_eq!(inspect_on(&machine).unwrap().record().value(), 7, "a reader needs no lock");
    drop(register);
    assert_eq!(held(options()), Ok(7));
}

#[test]
fn file_systems_that_cannot_be_vouched_for_are_allowed_by_name_only() {
    let name = FileSystemName::new("fuse.example");
    let cases: [(FileSystem, OpenError, fn(Options) -> Options); 3] = [
        (FileSystem::Network, OpenError::NetworkFileSystem { name }, Options::allow_network_file_system),
        (FileSystem::Volatile, OpenError::VolatileFileSystem { name }, Options::allow_volatile_file_system),
        (FileSystem::Unknown, OpenError::UnknownFileSystem { name }, Options::allow_unknown_file_system),
    ];
    for (file_system, error, allow) in cases {
        let machine = FaultMedium::with_file(&bytes_at(&[7]));
        machine.set_file_system(file_system);
        machine.set_file_system_name(name.unwrap());
        let open = |options: Options| options.open_on(machine.clone()).map(|r| r.get());
        assert_eq!(open(options()), Err(error));
        assert_eq!(open(allow(options())), Ok(7));
        assert_eq!(open(options().allow_file_system(name.unwrap())), Ok(7));
        for other in ["fuse.exampl", "fuse.example2", "ext4"] {
            let named = options().allow_file_system(FileSystemName::new(other).unwrap());
            assert_eq!(open(named), Err(error), "{other}");
        }
        for (other, _, allow_other) in cases {
            if other != file_system {
                assert_eq!(open(allow_other(options())), Err(error), "{other:?} allows {file_system:?}");
            }
        }
        // One without a name is not allowed by the absence of one.
        let nameless = FaultMedium::with_file(&bytes_at(&[7]));
        nameless.set_file_system(file_system);
        assert!(options().open_on(nameless).is_err());
        let empty = FaultMedium::new();
        empty.set_file_system_name(name.unwrap());
        empty.set_file_system(file_system);
        assert_eq!(options().create_on(empty.clone(), 0, b"").map(|r| r.get()), Err(error));
        assert!(empty.cached().is_none());
    }
}

#[test]
fn what_cannot_be_written_to_is_said_to_be_so() {
    for errno in [13, 30] {
        // The first call of each is the one that the system refuses.
        let machine = FaultMedium::new();
        machine.fail(0, Fault::Errno(errno));
        let created = options().create_on(machine, 0, b"").map(|r| r.get());
        assert_eq!(created, Err(OpenError::ReadOnlyDirectory));
        let machine = FaultMedium::with_file(&bytes_at(&[7]));
        machine.fail(0, Fault::Errno(errno));
        assert_eq!(options().open_on(machine).map(|r| r.get()), Err(OpenError::ReadOnlyFile));
    }
    // That it cannot be read either is said where the system denies that too, and not where a disk fails.
    for (errno, refusal) in [(13, OpenError::UnreadableFile), (5, OpenError::ReadOnlyFile)] {
        let machine = FaultMedium::with_file(&bytes_at(&[7]));
        machine.fail(0, Fault::Errno(13));
        machine.fail(2, Fault::Errno(errno));
        assert_eq!(options().open_on(machine.clone()).map(|r| r.get()), Err(refusal));
        assert_eq!(machine.struck(), 2, "the second was met by the attempt to read it");
    }
}

#[test]
fn a_full_disk_and_a_file_system_without_locks_are_said_to_be_so() {
    const FULL: [i32; 2] = [28, 122]; // ENOSPC, EDQUOT
    const NO_LOCKS: i32 = 95; // EOPNOTSUPP
    let outcomes = |errno| {
        let creation = crate::crash::calls(|machine| options().create_on(machine.clone(), 0, b""));
        let refusal = move |call: u64| {
            let machine = FaultMedium::new();
            machine.fail(call, Fault::Errno(errno));
            options().create_on(machine, 0, b"").err()
        };
        (0..creation).filter_map(refusal)
    };
    for errno in FULL {
        let refusals: Vec<OpenError> = outcomes(errno).collect();
        assert!(
            refusals.len() > 5 && refusals.iter().all(|refusal| matches!(refusal, OpenError::NoSpace { .. })),
            "{refusals:?}"
        );
    }
    // A creation that certainly left nothing left nothing, whatever call failed.
    for errno in [5, 28] {
        let creation = crate::crash::calls(|machine| options().create_on(machine.clone(), 0, b""));
        for call in 0..creation {
            let machine = FaultMedium::new();
            machine.fail(call, Fault::Errno(errno));
            let Err(why) = options().create_on(machine.clone(), 0, b"") else { continue };
            let left = machine.cuts().iter().any(|cut| options().open_on(machine.power_cut(cut)).is_ok())
                || options().open_on(machine).is_ok();
            assert!(why.may_have_created() || !left, "call {call}: {why:?}");
        }
    }
    assert_eq!(outcomes(NO_LOCKS).filter(|refusal| *refusal == OpenError::NoLocks).count(), 1);
}

#[test]
fn a_file_system_without_hard_links_is_said_to_be_so() {
    let publishing = {
        let machine = FaultMedium::new();
        (0..).find(|call| {
            let machine = machine.process_crash();
            machine.fail(*call, Fault::Errno(1));
            options().create_on(machine, 0, b"").err() == Some(OpenError::NoHardLinks)
        })
    };
    assert!(publishing.is_some_and(|call| call < 20));
}

#[test]
fn a_slot_that_cannot_be_read_at_all_is_an_error_and_a_copy_is_not() {
    let machine = FaultMedium::with_file(&bytes_at(&[7, 8, 9]));
    let read = |calls: &[u64]| {
        let machine = machine.process_crash();
        calls.iter().for_each(|call| machine.fail(*call, Fault::Errno(5)));
        options().open_on(machine).map(|register| register.get())
    };
    let first_read = (0..).find(|call| read(&[*call]).is_ok()).unwrap();
    for call in first_read..first_read + 6 {
        assert_eq!(read(&[call]), Ok(9), "one copy");
    }
    for call in [first_read, first_read + 2, first_read + 4] {
        assert!(matches!(read(&[call, call + 1]), Err(OpenError::Io(fault)) if fault.code() == Some(5)));
    }
}

#[test]
fn an_older_copy_put_back_while_open_is_found_before_the_next_raise() {
    let (machine, mut register) = register_at(0);
    register.raise(7, b"").unwrap();
    let older = machine.cached().unwrap();
    register.raise(8, b"").unwrap();
    let newest = machine.cached().unwrap();
    machine.overwrite(&older);
    let error = register.raise(9, b"").unwrap_err();
    let RaiseError::NotRaised(NotRaised::Regressed(regressed)) = error else { panic!("{error:?}") };
    assert_eq!(regressed.evidence(), Evidence::Overwritten);
    assert_eq!((regressed.found(), regressed.known()), (Some(7), Some(8)));
    assert!(machine.cached().unwrap() == older, "nothing was written");
    machine.overwrite(&newest);
    assert_eq!(
        register.raise(9, b""),
        Err(error),
        "refused from then on: others may have acted on what it was"
    );
    assert_eq!(register.get(), 8, "what was acknowledged");
    drop(register);
    machine.overwrite(&older);
    // The operator looks where the values went, and says how far they got.
    let recovered = options().recover_on(machine, 8, b"by hand").unwrap();
    assert_eq!((recovered.get(), recovered.payload()), (8, &b"by hand"[..]));
}

#[test]
fn a_second_writer_that_ignores_the_lock_is_found() {
    let (machine, mut register) = register_at(0);
    register.raise(7, b"").unwrap();
    let crashed = machine.process_crash();
    options().open_on(crashed.clone()).unwrap().raise(20, b"").unwrap();
    machine.overwrite(&crashed.cached().unwrap());
    let error = register.raise(8, b"").unwrap_err();
    assert!(
        matches!(error, RaiseError::NotRaised(NotRaised::Regressed(r)) if r.found() == Some(20)),
        "{error:?}"
    );
}

#[test]
fn a_file_put_in_the_place_of_the_open_one_is_found() {
    let (machine, mut register) = register_at(0);
    register.raise(7, b"").unwrap();
    machine.replace(&machine.cached().unwrap());
    for _ in 0..2 {
        assert_eq!(register.raise(8, b""), Err(RaiseError::NotRaised(NotRaised::Replaced)));
    }
}

#[test]
fn a_file_is_known_by_its_inode_and_where_both_tell_it_by_its_birth() {
    let same = |left: (u64, Option<u64>), right: (u64, Option<u64>)| {
        Origin::new(left.0, left.1).may_be(Origin::new(right.0, right.1))
    };
    assert!(same((1, Some(5)), (1, Some(5))));
    assert!(!same((1, Some(5)), (1, Some(6))), "the number was given out again");
    assert!(!same((1, Some(5)), (2, Some(5))));
    assert!(same((1, Some(5)), (1, None)) && same((1, None), (1, Some(5))) && same((1, None), (1, None)));
    assert!(!same((1, None), (2, None)));
}

#[test]
fn a_copy_of_the_file_is_refused_until_it_is_recovered() {
    let bytes = bytes_at(&[7]);
    let machine = FaultMedium::with_file(b"another file, so that the copy is not the first");
    machine.replace(&bytes);
    assert!(!inspect_on(&machine).unwrap().is_original());
    for attempt in [options().open_on(machine.clone()), options().open_or_create_on(&machine)] {
        let Err(OpenError::Regressed(regressed)) = attempt else { panic!("{attempt:?}") };
        assert_eq!((regressed.evidence(), regressed.found()), (Evidence::Origin, Some(7)));
    }
    drop(options().recover_on(machine.clone(), 5, b"").unwrap());
    assert_eq!(
        options().open_on(machine.clone()).unwrap().get(),
        7,
        "a floor below what is there lowers nothing"
    );
    assert!(inspect_on(&machine).unwrap().is_original());
}

#[test]
fn a_value_below_one_remembered_elsewhere_is_refused() {
    let bytes = bytes_at(&[7]);
    let at_least = |floor| {
        let opened = options().at_least(floor).open_on(FaultMedium::with_file(&bytes));
        opened.map(|register| register.get())
    };
    assert_eq!(at_least(7), Ok(7));
    let Err(OpenError::Regressed(regressed)) = at_least(8) else { panic!() };
    assert_eq!((regressed.evidence(), regressed.known()), (Evidence::Floor, Some(8)));
    let nothing = FaultMedium::new();
    let missing = options().at_least(8).open_or_create_on(&nothing);
    assert!(
        matches!(missing, Err(OpenError::Regressed(_))),
        "a register that was deleted is not created at zero"
    );
    assert!(nothing.cached().is_none());
}

#[test]
fn a_recovery_mends_what_nothing_else_does_and_spares_what_is_no_register() {
    let whole = bytes_at(&[7]);
    let mut damaged = whole.clone();
    (0..6).for_each(|copy| damaged[copy * CELL + 45] ^= 1);
    let mut misplaced = whole.clone();
    misplaced.copy_within(0..Record::LEN, CELL);
    for bytes in [&damaged[..], &whole[..100], &[], &vec![0; FILE], &misplaced] {
        let machine = FaultMedium::with_file(bytes);
        drop(options().recover_on(machine.clone(), 100, b"mended").unwrap());
        let register = options().open_on(machine.clone()).unwrap();
        assert_eq!((register.get(), register.payload()), (100, &b"mended"[..]));
        assert_eq!(inspect_on(&machine).unwrap().valid_copies(), 6);
    }
    let longer = [&whole[..], b"more"].concat();
    let too_long = OpenError::WrongLength { found: FILE as u64 + 4 };
    for (bytes, refusal) in [
        (&b"daemon:x:1:1:daemon:/usr/sbin"[..], OpenError::NotARegister),
        (&vec![b'x'; FILE], OpenError::NotARegister),
        (&vec![0; FILE + 4], OpenError::NotARegister),
        (&longer, too_long),
    ] {
        let machine = FaultMedium::with_file(bytes);
        let recovered = options().recover_on(machine.clone(), 100, b"").map(|r| r.get());
        assert_eq!(recovered, Err(refusal));
        assert!(machine.cached().unwrap() == bytes, "left alone");
    }
}

#[test]
fn the_end_of_the_values_and_the_length_of_payloads_are_typed() {
    let (machine, mut register) = register_at(u64::MAX - 1);
    register.raise(u64::MAX, &[1; Payload::MAX_LEN]).unwrap();
    let too_long = register.raise(u64::MAX, &[1; Payload::MAX_LEN + 1]).unwrap_err();
    assert!(matches!(too_long, RaiseError::NotRaised(NotRaised::PayloadTooLong(e)) if e.given() == 257));
    assert_eq!(register.raise(0, b""), Err(NotRaised::Below(u64::MAX).into()));
    assert_eq!(register.raise(u64::MAX, b""), Err(NotRaised::OtherPayload.into()));
    register.raise(u64::MAX, &[1; Payload::MAX_LEN]).unwrap();
    let mut mark = register.into_mark();
    mark.raise_to(u64::MAX).unwrap();
    drop(mark);
    assert_eq!(options().open_on(machine).unwrap().get(), u64::MAX);
}

/// A forged record at the end of the sequence numbers: no wrap, no panic.
#[test]
fn the_end_of_the_sequence_numbers_is_typed() {
    for behind in 0..4 {
        let mut bytes = bytes_at(&[7]);
        let sequence = u64::MAX - behind;
        let start = (sequence % 3) as usize * CELL;
        let newest = u64::from_be_bytes(bytes[CELL * 2 + 32..][..8].try_into().unwrap());
        assert_eq!(newest, 2);
        bytes.copy_within(0..Record::LEN, start);
        let cell = &mut bytes[start..][..Record::LEN];
        cell[32..40].copy_from_slice(&sequence.to_be_bytes());
        cell[40..48].copy_from_slice(&1000_u64.to_be_bytes());
        let checksum = crc(&cell[..508]).to_be_bytes();
        cell[508..].copy_from_slice(&checksum);
        let machine = FaultMedium::with_file(&bytes);
        match options().open_on(machine) {
            Err(error) => assert_eq!((behind, error), (0, OpenError::Exhausted)),
            Ok(mut register) => {
                assert_eq!(register.get(), 1000);
                let raised: Vec<bool> = (0..4).map(|step| register.raise(1001 + step, b"").is_ok()).collect();
                assert_eq!(raised, (0..4).map(|step| step + 1 < behind).collect::<Vec<_>>());
                assert_eq!(register.raise(2000, b""), Err(NotRaised::Exhausted.into()));
            }
        }
    }
}

/// Puts a record with another sequence number, value and payload byte in a place of a file.
fn forge(bytes: &mut [u8], place: usize, sequence: u64, value: u64, payload: u8) {
    bytes.copy_within(0..Record::LEN, place * CELL);
    let cell = &mut bytes[place * CELL..][..Record::LEN];
    cell[32..40].copy_from_slice(&sequence.to_be_bytes());
    cell[40..48].copy_from_slice(&value.to_be_bytes());
    cell[64] = payload;
    let checksum = crc(&cell[..508]).to_be_bytes();
    cell[508..].copy_from_slice(&checksum);
}

#[test]
fn a_recovery_at_the_end_of_the_sequence_numbers_is_refused() {
    // The last number of all belongs in the first place and in the fourth.
    for payloads in [[1, 1], [1, 2]] {
        let mut bytes = bytes_at(&[7]);
        forge(&mut bytes, 0, u64::MAX, 1000, payloads[0]);
        forge(&mut bytes, 3, u64::MAX, 1000, payloads[1]);
        let machine = FaultMedium::with_file(&bytes);
        let opened = if payloads[0] == payloads[1] { OpenError::Exhausted } else { OpenError::Conflict };
        assert_eq!(open(&bytes), Err(opened));
        assert_eq!(
            options().recover_on(machine.clone(), 2000, b"").map(|r| r.get()),
            Err(OpenError::Exhausted)
        );
        assert!(machine.cached().unwrap() == bytes, "left alone");
    }
}

#[test]
fn a_reader_is_refused_what_an_opening_is() {
    let whole = bytes_at(&[7]);
    let change = |at: usize, byte: u8| {
        let mut bytes = whole.clone();
        bytes[at] = byte;
        let checksum = crc(&bytes[..508]).to_be_bytes();
        bytes[508..512].copy_from_slice(&checksum);
        bytes
    };
    for (bytes, refusal) in [
        (change(8, 2), OpenError::UnknownVersion { found: 2 }),
        (change(9, 0x80), OpenError::Malformed),
        (change(12, 1), OpenError::Malformed),
        (change(500, 1), OpenError::Malformed),
        (vec![0; FILE], OpenError::NoValidRecord),
        (whole[1..].to_vec(), OpenError::WrongLength { found: FILE as u64 - 1 }),
    ] {
        assert_eq!(open(&bytes), Err(refusal));
        assert_eq!(
            inspect_on(&FaultMedium::with_file(&bytes)).map(|found| found.record().value()),
            Err(refusal)
        );
    }
    // To a reader, who expects no identity, a file is the register that its first record names.
    let second = inspect_on(&FaultMedium::with_file(&change(16, b'H'))).map(|found| found.record().value());
    assert_eq!(second, Err(OpenError::WrongIdentity { found: OURS }));
}

#[test]
fn every_refusal_tells_the_operator_what_to_do() {
    let io = high_water::IoFault::new(Operation::Sync, Some(5));
    let name = FileSystemName::new("ext4");
    let errors = [
        (OpenError::NotFound, "create"),
        (OpenError::AlreadyExists, "open"),
        (OpenError::Held { process: Some(4711) }, "process 4711 holds the register; stop it, or wait"),
        (OpenError::Held { process: None }, "stop it, or wait"),
        (OpenError::Busy, "try again"),
        (OpenError::BadPath, "give another one"),
        (OpenError::NoDirectory, "create it, and sync the one above it"),
        (OpenError::DanglingLink, "bring back what it led to, or remove the link"),
        (
            OpenError::NetworkFileSystem { name },
            "(ext4); use a local disk, or allow it by `allow_network_file_system`",
        ),
        (
            OpenError::VolatileFileSystem { name },
            "(ext4) in memory, or mounted to skip syncs; use a disk, or allow",
        ),
        (OpenError::UnknownFileSystem { name }, "ext4, that is not known to keep what it syncs"),
        (OpenError::UnknownFileSystem { name }, "`allow_file_system`"),
        (OpenError::UnknownFileSystem { name: None }, "`allow_unknown_file_system`"),
        (OpenError::NoLocks, "use one that has"),
        (OpenError::UnreadableDirectory, "give this process the right to read it"),
        (OpenError::UnsearchableDirectory, "give this process the right to (`x`)"),
        (OpenError::UnreadableFile, "give this process the right to read it"),
        (OpenError::NoSpace { during: Operation::Write }, "make room, and try again"),
        (OpenError::Exhausted, "create another one, above its value"),
        (OpenError::UnsupportedPlatform, "use one, or another medium"),
        (OpenError::NoHardLinks, "use one that has"),
        (OpenError::ReadOnlyDirectory, "give this process the right"),
        (OpenError::ReadOnlyFile, "give this process the right"),
        (OpenError::NotAFile, "move it away, or give another name"),
        (
            OpenError::WrongLength { found: 3 },
            "has 3 bytes and a register 98304; restore it, or recover it with a floor",
        ),
        (OpenError::WrongLength { found: FILE as u64 + 1 }, "cut it off, or move the file away"),
        (OpenError::NoValidRecord, "recover it with a floor"),
        (OpenError::Conflict, "recover with a floor"),
        (OpenError::Malformed, "recover it with a floor"),
        (OpenError::UnknownVersion { found: 2 }, "open it with the software that wrote it"),
        (OpenError::WrongIdentity { found: OURS }, "put the right file here"),
        (OpenError::Replaced, "find out who"),
        (OpenError::NotARegister, "move it away"),
        (
            OpenError::Io(io),
            "error 5 while syncing the file; nothing acknowledged is lost: look up the error, mend",
        ),
    ];
    let missing = options().at_least(8).open_or_create_on(&FaultMedium::new()).map(|r| r.get()).unwrap_err();
    let fallen = options().at_least(8).open_on(FaultMedium::with_file(&bytes_at(&[7]))).map(|r| r.get());
    let regressed = [
        (missing, "known to have had 8; restore it, or create it at a floor"),
        (fallen.unwrap_err(), "it holds 7, known is 8; recover it with a floor"),
    ];
    let raises = [
        (NotRaised::Poisoned, "open the register again"),
        (NotRaised::Replaced, "put that file back, and open it again with its last value as the floor"),
        (NotRaised::Exhausted, "create another one, above its value"),
    ];
    let opening = errors.into_iter().chain(regressed).map(|(error, advice)| (error.to_string(), advice));
    for (message, advice) in opening.chain(raises.map(|(reason, advice)| (reason.to_string(), advice))) {
        assert!(message.contains(advice), "{message}");
        assert!(!message.ends_with('.') && message.starts_with(|c: char| c.is_lowercase()), "{message}");
    }
}

#[test]
fn a_failed_sync_of_an_opening_tells_nothing() {
    let machine = FaultMedium::with_file(&bytes_at(&[7]));
    machine.fail_next_sync(5, Fate::Lost);
    assert!(matches!(options().open_on(machine.clone()), Err(OpenError::Io(_))));
    assert_eq!(options().open_on(machine).unwrap().get(), 7);
}

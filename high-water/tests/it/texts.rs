//! What people read: the message of each error, and the values in the output of a debugger.
//!
//! That an error of opening tells what to do is held in `refusals`.

use crate::{OURS, options, register_at};
use embedded_storage::nor_flash::NorFlashErrorKind;
use high_water::{
    DrawError, FaultMedium, FileSystemName, FlashError, FlashFault, IoFault, NotRaised, OpenError, Operation,
    Payload, RaiseError, RecordError, RegionError, Regressed,
};

fn assert_reads(table: &[(&dyn core::error::Error, &str)]) {
    for (error, text) in table {
        assert_eq!(error.to_string(), *text, "{error:?}");
    }
}

#[test]
fn a_fault_says_what_was_being_done_and_the_code_of_the_medium() {
    for (during, text) in [
        (Operation::Open, "opening the file"),
        (Operation::Create, "creating a temporary file"),
        (Operation::Publish, "linking the file to its name"),
        (Operation::Retract, "removing the temporary name"),
        (Operation::Examine, "examining the file"),
        (Operation::Lock, "locking the file"),
        (Operation::Read, "reading"),
        (Operation::Write, "writing"),
        (Operation::SetLength, "setting the length of the file"),
        (Operation::Sync, "syncing the file"),
        (Operation::SyncDirectory, "syncing the directory"),
        (Operation::Erase, "erasing"),
        (Operation::Verify, "reading back"),
    ] {
        assert_eq!(during.to_string(), text);
        assert_eq!(IoFault::new(during, Some(5)).to_string(), format!("error 5 while {text}"));
        assert_eq!(IoFault::new(during, None).to_string(), format!("the medium stopped short while {text}"));
    }
}

fn overwritten() -> Regressed {
    let (machine, mut register) = register_at(7);
    machine.overwrite(&[]);
    match register.raise(8, b"") {
        Err(RaiseError::NotRaised(NotRaised::Regressed(regressed))) => regressed,
        other => panic!("{other:?}"),
    }
}

fn copied() -> Regressed {
    let (machine, register) = register_at(7);
    drop(register);
    let copy = machine.cached().unwrap();
    machine.replace(&copy);
    match options().open_on(machine) {
        Err(OpenError::Regressed(regressed)) => regressed,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_raise_that_was_refused_says_why_and_one_that_is_unknown_says_so() {
    const LONG: &str = "payload has 257 bytes, a record holds 256";
    const OVERWRITTEN: &str = "the file was overwritten while it was held, known is 7; recover it with a floor \
                               observed elsewhere";
    const COPIED: &str = "the file is a copy, and may be older than the register it stands for; it holds 7; recover \
                          it with a floor observed elsewhere";
    const IO: &str = "error 5 while writing";
    let long = Payload::new(&[0; 257]).unwrap_err();
    let io = IoFault::new(Operation::Write, Some(5));
    assert_reads(&[
        (&long, LONG),
        (&io, IO),
        (&overwritten(), OVERWRITTEN),
        (&copied(), COPIED),
        (&OpenError::Regressed(copied()), COPIED),
        (&OpenError::PayloadTooLong(long), LONG),
        (&NotRaised::Regressed(overwritten()), OVERWRITTEN),
        (&NotRaised::Below(7), "the register is already at 7"),
        (&NotRaised::OtherPayload, "the register has this value with another payload"),
        (&NotRaised::PayloadTooLong(long), LONG),
        (&NotRaised::Io(io), IO),
        (&RaiseError::from(NotRaised::Below(7)), "not raised: the register is already at 7"),
        (
            &RaiseError::Indeterminate(io),
            "raised or not is unknown: error 5 while writing; open the register again to learn its value",
        ),
        (&DrawError::Spent { left: 3 }, "3 reserved numbers are left; call upkeep"),
        (&DrawError::Exhausted { left: 3 }, "3 numbers are left before the end of them all"),
        (&RecordError::Damaged, "checksum or magic does not match: torn, rotten or never written"),
        (&RecordError::Version(2), "record has version 2, known is 1"),
        (&RecordError::Malformed, "record has a valid checksum and breaks the format"),
    ]);
}

#[test]
fn errors_of_a_mark_in_flash_say_what_the_region_is_and_what_to_do() {
    let region = RegionError::Misaligned { erase_size: 288 };
    const REGION: &str = "the region is not made of whole sectors of 288 bytes";
    assert_reads(&[
        (&region, REGION),
        (&FlashError::from(region), REGION),
        (&RegionError::OutOfBounds { capacity: 9 }, "the region is not within the 9 bytes of the flash"),
        (&RegionError::Sectors { found: 1 }, "the region has 1 sectors; give it 2 to 65535"),
        (
            &RegionError::Unsupported { read_size: 1, write_size: 3, erase_size: 512 },
            "a flash with reads of 1, words of 3 and sectors of 512 bytes is not supported",
        ),
        (
            &FlashError::NotBlank,
            "the region is not erased; open the mark in it, or format it with a floor observed elsewhere",
        ),
        (
            &FlashError::Lost,
            "the newest acknowledged record is damaged; format the region with a floor observed elsewhere",
        ),
        (&FlashError::Exhausted, "the sequence numbers of the mark are used up"),
        (&FlashError::from(IoFault::new(Operation::Erase, Some(5))), "error 5 while erasing"),
        (&FlashFault::PowerCut, "the power is off"),
        (&FlashFault::Failed, "the flash was made to fail"),
        (&FlashFault::Unreadable, "the bytes cannot be read"),
        (&FlashFault::Violation, "a word was programmed that was not erased before"),
        (&FlashFault::Arguments(NorFlashErrorKind::NotAligned), &NorFlashErrorKind::NotAligned.to_string()),
    ]);
}

#[test]
fn values_print_as_what_they_hold() {
    assert_eq!(format!("{OURS:?}"), "Identity(686967682d7761746572207465737473)");
    assert_eq!(format!("{:?}", FileSystemName::new("ext4").unwrap()), "FileSystemName(ext4)");
    assert_eq!(format!("{:?}", Payload::new(&[7, 8]).unwrap()), "Payload([7, 8])");
    let register = options().create_on(FaultMedium::new(), 7, &[8]).unwrap();
    let printed = format!("{register:?}");
    assert!(printed.starts_with("Register { current: Record { identity: Identity(68"), "{printed}");
    assert!(printed.contains("value: 7, payload: Payload([8])"), "{printed}");
    assert!(printed.ends_with("stuck: None, .. }"), "{printed}");
}

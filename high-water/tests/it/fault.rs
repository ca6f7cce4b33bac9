//! The simulated disk and flash themselves: a test tool that is wrong makes every test that uses it wrong.

use embedded_storage::nor_flash::{NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash};
use high_water::{
    Access, Cut, Fate, Fault, FaultFlash, FaultMedium, FileSystem, FileSystemName, FlashFault, Medium,
    Reading, Torn, Unflushed,
};
use std::collections::BTreeSet;
use std::io::ErrorKind;

const EINTR: i32 = 4;

/// A machine with a durable file of zeros, held open.
fn zeros(len: usize) -> (FaultMedium, high_water::FaultFile) {
    let machine = FaultMedium::with_file(&vec![0; len]);
    let file = machine.open(Access::ReadWrite).unwrap();
    (machine, file)
}

fn images(machine: &FaultMedium) -> Vec<Vec<u8>> {
    machine.cuts().iter().map(|cut| machine.power_cut(cut).cached().unwrap()).collect()
}

#[test]
fn of_more_than_six_changes_the_cuts_lose_all_none_all_but_one_or_one() {
    const WRITES: usize = 8;
    let (machine, file) = zeros(WRITES);
    for at in 0..WRITES {
        assert_eq!(machine.write_at(&file, at as u64, &[1]).unwrap(), 1);
    }
    assert_eq!(machine.unflushed(), [Unflushed::Write(1); WRITES]);
    let one = |byte| {
        (0..WRITES).map(move |at| {
            let mut image = vec![1 - byte; WRITES];
            image[at] = byte;
            image
        })
    };
    let expected: BTreeSet<_> = one(0).chain(one(1)).chain([vec![0; WRITES], vec![1; WRITES]]).collect();
    let found = images(&machine);
    assert_eq!((found.len(), found.into_iter().collect::<BTreeSet<_>>()), (2 * WRITES + 2, expected));
}

#[test]
fn of_more_than_six_changes_in_one_place_the_first_or_the_last_may_win() {
    let (machine, file) = zeros(1);
    for byte in 1..=8 {
        machine.write_at(&file, 0, &[byte]).unwrap();
    }
    let mut winners = [0; 9];
    images(&machine).iter().for_each(|image| winners[usize::from(image[0])] += 1);
    // Forwards the last of those that are not lost wins, and backwards the first. Of the subsets one loses all, eight
    // keep one each, one keeps all, and eight all but one.
    assert_eq!(winners, [2, 10, 3, 2, 2, 2, 2, 3, 10]);
    let (machine, file) = zeros(1);
    for byte in 1..=3 {
        machine.write_at(&file, 0, &[byte]).unwrap();
    }
    assert_eq!(machine.cuts().len(), 8 * 6, "every subset in every order");
}

#[test]
fn an_eviction_keeps_what_no_sync_has_covered() {
    let machine = FaultMedium::default();
    assert!(machine.cached().is_none());
    let file = machine.create().unwrap();
    machine.publish(&file).unwrap();
    machine.set_len(&file, 3).unwrap();
    machine.write_at(&file, 1, &[7]).unwrap();
    machine.evict();
    assert_eq!(machine.cached(), Some(vec![0, 7, 0]));
    assert_eq!(machine.len(&file).unwrap(), 3);
    let changes = [Unflushed::Name, Unflushed::Name, Unflushed::Length, Unflushed::Write(1)];
    assert_eq!(machine.unflushed(), changes);
}

#[test]
fn what_no_write_has_reached_reads_as_zeros() {
    let machine = FaultMedium::default();
    let file = machine.create().unwrap();
    machine.set_len(&file, 10_000).unwrap();
    machine.write_at(&file, 8_000, &[7]).unwrap();
    // The bytes are kept in pages of 4096, of which the write has made the first two.
    for (offset, expected) in [(7_999, &[0, 7, 0][..]), (8_190, &[0; 4]), (9_998, &[0; 2])] {
        let mut buffer = [0xff; 4];
        let part = &mut buffer[..expected.len()];
        assert_eq!(machine.read_at(&file, offset, part).unwrap(), expected.len());
        assert_eq!(part, expected, "from {offset}");
    }
    assert_eq!(machine.read_at(&file, 9_999, &mut [0xff; 4]).unwrap(), 1, "and ends with the file");
}

#[test]
fn a_simulated_disk_refuses_what_a_real_one_refuses() {
    let (machine, held) = zeros(4);
    let looking = machine.open(Access::Read).unwrap();
    let kind = |result: std::io::Result<()>| result.unwrap_err().kind();
    assert_eq!(kind(machine.write_at(&looking, 0, &[1]).map(drop)), ErrorKind::PermissionDenied);
    assert_eq!(kind(machine.retract(&held)), ErrorKind::InvalidInput, "it has no temporary name");
    let new = machine.create().unwrap();
    assert_eq!(kind(machine.publish(&new)), ErrorKind::AlreadyExists);
    assert!(machine.try_lock(&held).unwrap() && !machine.try_lock(&looking).unwrap());
    machine.unpublish().unwrap();
    assert_eq!(kind(machine.unpublish()), ErrorKind::NotFound);
    assert_eq!(kind(machine.open(Access::Read).map(drop)), ErrorKind::NotFound);
    // What is not there cannot rot, and is not made by being written over.
    machine.rot(0, 1);
    machine.overwrite(&[9]);
    assert!(machine.cached().is_none());
    let (machine, _held) = zeros(2);
    machine.rot(2, 1);
    assert_eq!(machine.cached(), Some(vec![0; 2]), "nothing is behind the end");
    machine.rot(1, 0b101);
    assert_eq!(machine.cached(), Some(vec![0, 0b101]));
}

#[test]
fn a_simulated_flash_refuses_what_a_real_one_refuses_and_counts_what_breaks_its_rules() {
    let mut flash = FaultFlash::<4, 16>::new(2);
    flash.write(0, &[1, 2, 3, 4]).unwrap();
    let again = flash.write(0, &[0; 4]).unwrap_err();
    assert_eq!((again, again.kind()), (FlashFault::Violation, NorFlashErrorKind::Other));
    assert_eq!((flash.violations(), &flash.bytes()[..4]), (1, &[1, 2, 3, 4][..]));

    for (refused, kind) in [
        (flash.write(2, &[0; 4]), NorFlashErrorKind::NotAligned),
        (flash.write(32, &[0; 4]), NorFlashErrorKind::OutOfBounds),
        (flash.erase(0, 8), NorFlashErrorKind::NotAligned),
        (flash.read(31, &mut [0; 2]), NorFlashErrorKind::OutOfBounds),
    ] {
        assert_eq!(refused, Err(FlashFault::Arguments(kind)));
        assert_eq!(refused.unwrap_err().kind(), kind);
    }
    assert_eq!(flash.violations(), 1, "wrong arguments touch nothing");
    flash.erase(0, 16).unwrap();
    flash.write(0, &[0; 4]).unwrap();
    // What was programmed, refused for its sense, erased and programmed.
    assert_eq!(flash.steps(), 4 + 4 + 16 + 4);

    assert!(!flash.is_off());
    flash.cut_at(flash.steps(), Torn::Clean);
    assert!(!flash.is_off(), "the power goes with the next step");
    assert_eq!(flash.write(4, &[0; 4]), Err(FlashFault::PowerCut));
    assert!(flash.is_off());
    assert_eq!(flash.read(0, &mut [0]), Err(FlashFault::PowerCut));
    let mut after = flash.restarted();
    assert!(!after.is_off());
    after.read(0, &mut [0]).unwrap();
    after.fail_reads(4..5);
    after.fail_operation(after.operations().len());
    assert_eq!(after.read(4, &mut [0]), Err(FlashFault::Unreadable));
    assert_eq!(after.write(8, &[0; 4]), Err(FlashFault::Failed));
    let mut again = after.restarted();
    again.read(4, &mut [0]).unwrap();
    again.write(12, &[0; 4]).unwrap();
    for fault in [FlashFault::PowerCut, FlashFault::Failed, FlashFault::Unreadable] {
        assert_eq!(fault.kind(), NorFlashErrorKind::Other);
    }
}

#[test]
fn names_of_one_machine_share_its_power_and_its_calls_and_not_their_files() {
    let machine = FaultMedium::with_file(&[1]);
    let other = machine.named_file(1);
    assert!(other.cached().is_none());
    other.replace(&[2, 3]);
    assert_eq!((machine.cached(), other.cached()), (Some(vec![1]), Some(vec![2, 3])));
    let calls = machine.calls();
    drop(other.open(Access::Read).unwrap());
    assert_eq!((machine.calls(), other.calls()), (calls + 1, calls + 1));
    machine.delete();
    assert_eq!((machine.cached(), other.cached()), (None, Some(vec![2, 3])));
    let after = other.power_cut(&Cut::new(&[]));
    assert_eq!(after.cached(), Some(vec![2, 3]));
    assert!(after.named_file(0).cached().is_none(), "a deletion is durable");
}

#[test]
fn two_lengths_of_one_file_reach_the_disk_in_either_order() {
    let (machine, file) = zeros(1);
    machine.set_len(&file, 3).unwrap();
    machine.set_len(&file, 2).unwrap();
    let mut lens: Vec<usize> = images(&machine).iter().map(Vec::len).collect();
    lens.sort_unstable();
    assert_eq!(lens, [1, 1, 2, 2, 2, 3, 3, 3], "each of four subsets, forwards and backwards");
}

#[test]
fn a_transfer_that_is_cut_short_or_interrupted_is_repeated_and_not_for_ever() {
    let (machine, file) = zeros(6);
    let next = |ahead, fault| machine.fail(machine.calls() + ahead, fault);
    next(0, Fault::Short(2));
    next(1, Fault::Errno(EINTR));
    next(2, Fault::Short(1));
    machine.write_all(&file, 1, b"abcd").unwrap();
    assert_eq!(machine.cached(), Some(b"\0abcd\0".to_vec()));
    next(0, Fault::Short(2));
    next(1, Fault::Errno(EINTR));
    let mut bytes = [0; 4];
    assert_eq!((machine.read_full(&file, 1, &mut bytes).unwrap(), &bytes), (4, b"abcd"));
    assert_eq!(
        (machine.read_full(&file, 4, &mut bytes).unwrap(), &bytes[..2]),
        (2, &b"d\0"[..]),
        "to the end"
    );

    next(0, Fault::Short(0));
    assert_eq!(machine.write_all(&file, 0, b"x").unwrap_err().kind(), ErrorKind::WriteZero);
    for (interruptions, ends) in [(1_000, false), (1_001, true)] {
        (0..interruptions).for_each(|ahead| next(ahead, Fault::Errno(EINTR)));
        let read = machine.read_full(&file, 0, &mut bytes).map(drop);
        (0..interruptions).for_each(|ahead| next(ahead, Fault::Errno(EINTR)));
        let written = machine.write_all(&file, 0, b"x");
        for outcome in [read, written] {
            assert_eq!(
                outcome.map_err(|error| error.kind()),
                if ends { Err(ErrorKind::Interrupted) } else { Ok(()) }
            );
        }
    }
}

#[test]
fn cuts_are_as_many_as_the_ways_in_which_the_changes_can_be_torn_and_ordered() {
    let cuts = |offsets: [u64; 2]| {
        let (machine, file) = zeros(8);
        for offset in offsets {
            machine.write_at(&file, offset, b"new").unwrap();
        }
        machine.cuts().len()
    };
    // Four subsets; each write torn at two places from either end, the other lost or whole; both torn alike at two.
    const TORN: usize = 4 + 2 * 2 * 2 * 2 + 2;
    assert_eq!(
        [cuts([0, 3]), cuts([3, 0]), cuts([0, 4])],
        [TORN; 3],
        "beside each other: the order says nothing"
    );
    assert_eq!([cuts([0, 2]), cuts([2, 0]), cuts([1, 1])], [TORN * 2; 3]);

    let (machine, file) = zeros(8);
    machine.write_at(&file, 0, b"new").unwrap();
    assert_eq!(machine.cuts().len(), 2 + 2 * 2, "lost, whole, and torn at two places from either end");

    let six = |apart: u64| {
        let (machine, file) = zeros(6);
        for at in 0..6 {
            machine.write_at(&file, at * apart, b"n").unwrap();
        }
        machine.cuts().len()
    };
    assert_eq!(
        (six(1), six(0)),
        (1 << 6, (1 << 6) * 720),
        "up to six, every subset in every order that matters"
    );

    let machine = FaultMedium::new();
    let file = machine.create().unwrap();
    machine.publish(&file).unwrap();
    assert_eq!(machine.cuts().len(), 4, "two names");
    machine.unpublish().unwrap();
    assert_eq!(machine.cuts().len(), 8 * 6, "one of them twice");
}

/// Writes of ones over zeros beside each other, as the bytes of each of them after a cut.
fn torn(writes: usize, len: usize) -> Vec<Vec<u8>> {
    let (machine, file) = zeros(writes * len);
    for write in 0..writes {
        machine.write_at(&file, (write * len) as u64, &vec![1; len]).unwrap();
    }
    let mut found = images(&machine);
    found.sort_unstable();
    found
}

fn sorted(images: impl Iterator<Item = Vec<u8>>) -> Vec<Vec<u8>> {
    let mut images: Vec<_> = images.collect();
    images.sort_unstable();
    images
}

#[test]
fn a_write_is_torn_at_each_byte_from_either_end_while_others_are_lost_or_whole_or_torn_alike() {
    let (lost, whole) = ([0, 0, 0], [1, 1, 1]);
    let parts = [[1, 0, 0], [1, 1, 0], [0, 0, 1], [0, 1, 1]];
    let pair = |left: [u8; 3], right: [u8; 3]| [left, right].concat();
    let untorn = [pair(lost, lost), pair(lost, whole), pair(whole, lost), pair(whole, whole)];
    let one = parts.into_iter().flat_map(|part| {
        [lost, whole].into_iter().flat_map(move |other| [pair(part, other), pair(other, part)])
    });
    let alike = [pair([1, 0, 0], [1, 0, 0]), pair([1, 1, 0], [1, 1, 0])];
    assert_eq!(torn(2, 3), sorted(untorn.into_iter().chain(one).chain(alike)));
}

#[test]
fn of_more_than_six_writes_one_is_torn_while_the_others_are_lost_or_whole_or_one_of_them_is() {
    const WRITES: usize = 7;
    let image = |of: &dyn Fn(usize) -> [u8; 2]| (0..WRITES).flat_map(of).collect::<Vec<u8>>();
    let (lost, whole) = ([0, 0], [1, 1]);
    let all = [image(&|_| lost), image(&|_| whole), image(&|_| [1, 0])];
    let one = (0..WRITES).flat_map(|one| {
        [[lost, whole], [whole, lost]]
            .map(|[this, others]| image(&|write| if write == one { this } else { others }))
    });
    let torn_one = (0..WRITES).flat_map(|one| {
        [[1, 0], [0, 1]].into_iter().flat_map(move |part| {
            let beside =
                |of: &dyn Fn(usize) -> [u8; 2]| image(&|write| if write == one { part } else { of(write) });
            let single = (0..WRITES)
                .filter(move |other| *other != one)
                .map(move |other| beside(&|write| if write == other { whole } else { lost }));
            [beside(&|_| lost), beside(&|_| whole)].into_iter().chain(single).collect::<Vec<_>>()
        })
    });
    assert_eq!(torn(WRITES, 2), sorted(all.into_iter().chain(one).chain(torn_one)));
}

#[test]
fn a_disk_is_of_its_kind_after_a_crash_as_well() {
    let machine = FaultMedium::with_file(b"a file");
    machine.set_file_system(FileSystem::Network);
    let name = FileSystemName::new("nfs").unwrap();
    machine.set_file_system_name(name);
    for after in [machine.process_crash(), machine.power_cut(&Cut::new(&[]))] {
        let file = after.open(Access::Read).unwrap();
        assert_eq!(after.file_system(&file).unwrap(), FileSystem::Network);
        assert_eq!(after.file_system_name(&file), Some(name));
    }
}

#[test]
fn a_cut_of_ones_own_brings_what_it_says_in_the_order_that_it_says() {
    let (machine, file) = zeros(2);
    machine.write_at(&file, 0, &[1, 1]).unwrap();
    machine.write_at(&file, 0, &[2, 2]).unwrap();
    let after = |cut: Cut| machine.power_cut(&cut).cached().unwrap();
    assert_eq!(after(Cut::new(&[Fate::Whole, Fate::Whole])), [2, 2]);
    assert_eq!(after(Cut::new(&[Fate::Whole, Fate::Whole]).in_order(&[1, 0])), [1, 1]);
    assert_eq!(after(Cut::new(&[Fate::Whole, Fate::Prefix(1)])), [2, 1]);
    assert_eq!(after(Cut::new(&[Fate::Whole, Fate::Suffix(1)])), [1, 2]);
    assert_eq!(after(Cut::new(&[Fate::Whole])), [1, 1], "what has no fate is lost");
}

#[test]
fn an_eviction_shows_what_a_failed_sync_has_lost() {
    let (machine, file) = zeros(2);
    machine.write_at(&file, 0, &[1]).unwrap();
    assert_eq!(machine.struck(), 0);
    machine.fail_next_sync(5, Fate::Lost);
    assert_eq!(machine.sync(&file).unwrap_err().raw_os_error(), Some(5));
    assert_eq!(machine.cached(), Some(vec![1, 0]), "the cache calls it clean");
    assert!(machine.unflushed().is_empty());
    machine.evict();
    assert_eq!(machine.cached(), Some(vec![0, 0]));
    machine.fail(machine.calls(), Fault::Errno(5));
    machine.fail(machine.calls() + 1, Fault::Errno(5));
    assert!(machine.sync(&file).is_err() && machine.sync(&file).is_err());
    machine.sync(&file).unwrap();
    assert_eq!(machine.struck(), 2, "faults that were planned for a call");
}

#[test]
fn what_is_stable_reads_the_same_always_and_what_was_interrupted_must_be_erased() {
    let mut flash = FaultFlash::<4, 16>::with_bytes(2, &[1, 2, 3, 4]);
    assert_eq!(flash.write(0, &[0; 4]), Err(FlashFault::Violation), "somebody has programmed it");
    for reading in [Reading::Programmed, Reading::Erased, Reading::Alternating, Reading::Random(7)] {
        flash.set_reading(reading);
        let mut bytes = [0; 4];
        flash.read(0, &mut bytes).unwrap();
        assert_eq!(bytes, [1, 2, 3, 4], "{reading:?}");
    }
    flash.rot(1, 0b11);
    assert_eq!(flash.bytes()[..4], [1, 1, 3, 4]);
    flash.rot(1, 0b11);
    assert_eq!(flash.bytes()[..4], [1, 2, 3, 4], "rot flips");

    flash.cut_at(flash.steps() + 8, Torn::Clean);
    assert_eq!(flash.erase(16, 32), Err(FlashFault::PowerCut));
    let mut after = flash.restarted();
    assert_eq!(after.write(16, &[0; 4]), Err(FlashFault::Violation), "its sector was not erased to the end");
    after.erase(16, 32).unwrap();
    after.write(16, &[0; 4]).unwrap();
}

#[test]
fn what_is_written_over_a_file_is_durable_and_nothing_older_lands_on_it() {
    let (machine, file) = zeros(2);
    machine.write_at(&file, 0, &[1, 1]).unwrap();
    machine.overwrite(&[9, 9]);
    assert!(machine.unflushed().is_empty());
    assert_eq!(images(&machine).into_iter().collect::<BTreeSet<_>>(), BTreeSet::from([vec![9, 9]]));
}

#[test]
fn rot_makes_a_bit_what_it_is_and_leaves_the_others_as_stable_as_they_were() {
    let mut flash = FaultFlash::<4, 16>::with_bytes(1, &[1]);
    flash.rot(0, 0b11);
    flash.cut_at(flash.steps(), Torn::Unstable);
    assert_eq!(flash.write(4, &[0; 4]), Err(FlashFault::PowerCut));
    let mut after = flash.restarted();
    after.rot(4, 0b1);
    let mut read = |reading| {
        after.set_reading(reading);
        let mut bytes = [0; 5];
        after.read(0, &mut bytes).unwrap();
        [bytes[0], bytes[4]]
    };
    assert_eq!(read(Reading::Programmed), [0b10, 0b1]);
    assert_eq!(
        read(Reading::Erased),
        [0b10, 0xff],
        "seven bits are unstable still, and none of the first byte"
    );
}

//! The mark in flash: what it is, what it refuses, what it repairs, what it costs.

use crate::OURS;
use crate::refusals::crc;
use high_water::{
    FaultFlash, FlashError, FlashMark, FlashOperation, Identity, Mark, NotRaised, RaiseError, RegionError,
    Reserver,
};
use std::num::NonZeroU64;

/// Three entries a sector.
pub(crate) type Small = FaultFlash<4, 288>;
pub(crate) const REGION: std::ops::Range<u32> = 0..576;

pub(crate) fn open<const W: usize, const E: usize>(
    flash: &mut FaultFlash<W, E>,
) -> Result<FlashMark<&mut FaultFlash<W, E>>, FlashError> {
    let end = u32::try_from(embedded_storage::nor_flash::ReadNorFlash::capacity(flash)).unwrap();
    FlashMark::open(flash, 0..end, OURS)
}

pub(crate) fn created(value: u64) -> Small {
    let mut flash = Small::new(2);
    FlashMark::create(&mut flash, REGION, OURS, value).unwrap();
    flash
}

/// One field of an entry: a record as FORMAT.md lays it out, by another program.
pub(crate) fn record(identity: Identity, place: (u16, u16), sequence: u32, value: u64) -> [u8; 40] {
    let mut bytes = b"HW\x01\0".to_vec();
    bytes.extend(place.0.to_be_bytes());
    bytes.extend(place.1.to_be_bytes());
    bytes.extend(identity.to_bytes());
    bytes.extend(sequence.to_be_bytes());
    bytes.extend(value.to_be_bytes());
    bytes[3] = bytes[4..].iter().map(|byte| byte.count_zeros() as u8).sum();
    let checksum = crc(&bytes);
    bytes.extend(checksum.to_be_bytes());
    bytes.try_into().unwrap()
}

fn seal(record: &[u8; 40]) -> [u8; 8] {
    let checksum = u32::from_be_bytes(record[36..].try_into().unwrap());
    [checksum.to_be_bytes(), (!checksum).to_be_bytes()].concat().try_into().unwrap()
}

/// Where the four fields of an entry are in a sector of three, with their lengths.
fn fields(sector: usize, entry: usize) -> [(usize, usize); 4] {
    let start = sector * 288;
    [(entry * 40, 40), (120 + entry * 40, 40), (240 + entry * 8, 8), (264 + entry * 8, 8)]
        .map(|(at, len)| (start + at, len))
}

fn image(entries: &[(usize, usize, [u8; 40])]) -> Vec<u8> {
    let mut bytes = vec![0xff; 576];
    for (sector, entry, record) in entries {
        let seal = seal(record);
        for ((at, len), field) in fields(*sector, *entry).into_iter().zip([&record[..], record, &seal, &seal])
        {
            bytes[at..at + len].copy_from_slice(field);
        }
    }
    bytes
}

#[test]
fn an_entry_has_the_bytes_that_the_format_says() {
    let mut flash = created(7);
    let mut mark = open(&mut flash).unwrap();
    mark.raise_to(1_000).unwrap();
    mark.raise_to(1_001).unwrap();
    let expected = image(&[
        (0, 0, record(OURS, (0, 2), 1, 7)),
        (1, 0, record(OURS, (1, 2), 2, 1_000)),
        (1, 1, record(OURS, (1, 2), 2, 1_001)),
    ]);
    assert_eq!(flash.bytes(), expected);
}

#[test]
fn a_mark_rises_and_does_not_fall() {
    let mut flash = created(5);
    let mut mark = open(&mut flash).unwrap();
    assert_eq!(mark.get(), 5);
    for value in [6, 6, 3, 9, 100, u64::MAX, 0] {
        let before = mark.get();
        mark.raise_to(value).unwrap();
        assert_eq!(mark.get(), before.max(value));
    }
    let before = flash.steps();
    assert_eq!(open(&mut flash).unwrap().get(), u64::MAX);
    assert_eq!(flash.steps(), before, "an opening after a quiet end writes nothing");
}

#[test]
fn what_is_no_mark_is_refused_by_its_cause_and_left_alone() {
    let other = Identity::from_bytes(*b"somebody else's!");
    let whole = |identity, place, value| image(&[(0, 0, record(identity, place, 1, value))]);
    let mut version = record(OURS, (0, 2), 1, 5);
    version[2] = 2;
    let checksum = crc(&version[..36]).to_be_bytes();
    version[36..].copy_from_slice(&checksum);
    let mut torn = whole(OURS, (0, 2), 5);
    torn[120..].fill(0xff);
    for (case, bytes, expected) in [
        ("erased", vec![0xff; 576], FlashError::Blank),
        ("zeros", vec![0; 576], FlashError::NoValidRecord),
        (
            "something else",
            (0..576_u32).map(|at| ((at * 167) >> 3) as u8).collect(),
            FlashError::NoValidRecord,
        ),
        ("an interrupted creation", torn, FlashError::NoValidRecord),
        ("another mark", whole(other, (0, 2), 5), FlashError::WrongIdentity { found: other }),
        ("a longer region", whole(OURS, (0, 3), 5), FlashError::OtherRegion { sector: 0, sectors: 3 }),
        ("the end of a region", whole(OURS, (1, 2), 5), FlashError::OtherRegion { sector: 1, sectors: 2 }),
        ("a newer version", image(&[(0, 0, version)]), FlashError::UnknownVersion { found: 2 }),
        ("a region of one sector", whole(OURS, (0, 1), 5), FlashError::Malformed),
        ("a sector outside of its region", whole(OURS, (2, 2), 5), FlashError::Malformed),
    ] {
        let mut flash = Small::with_bytes(2, &bytes);
        assert_eq!(open(&mut flash).unwrap_err(), expected, "{case}");
        assert_eq!((flash.bytes(), flash.steps()), (bytes, 0), "{case}");
        let created = FlashMark::create(&mut flash, REGION, OURS, 1).map(|mark| mark.get());
        let blank = expected == FlashError::Blank;
        assert_eq!(created, if blank { Ok(1) } else { Err(FlashError::NotBlank) }, "{case}");
        let floor = FlashMark::format(&mut flash, REGION, OURS, 3).unwrap().get();
        assert_eq!(floor, 3, "{case}");
        assert_eq!(open(&mut flash).unwrap().get(), 3, "{case}");
        assert_eq!(flash.violations(), 0, "{case}");
        let text = expected.to_string();
        let advice = ["create", "format", "use the", "open it with"];
        assert!(advice.iter().any(|word| text.contains(word)), "{text}");
    }
}

#[test]
fn a_region_that_cannot_hold_a_mark_is_refused() {
    let refused = |region| match FlashMark::open(Small::new(4), region, OURS) {
        Err(FlashError::Region(error)) => error,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(0..288), RegionError::Sectors { found: 1 });
    assert_eq!(refused(288..288), RegionError::Sectors { found: 0 });
    assert_eq!(refused(4..580), RegionError::Misaligned { erase_size: 288 });
    assert_eq!(refused(0..580), RegionError::Misaligned { erase_size: 288 });
    assert_eq!(refused(576..1_440), RegionError::OutOfBounds { capacity: 1_152 });
    #[expect(clippy::reversed_empty_ranges, reason = "what somebody may pass")]
    let reversed = 576..0;
    assert_eq!(refused(reversed), RegionError::OutOfBounds { capacity: 1_152 });
    let unsupported = |error| matches!(error, Err(FlashError::Region(RegionError::Unsupported { .. })));
    let region = 0..1_024;
    assert!(unsupported(FlashMark::open(FaultFlash::<64, 512>::new(2), region.clone(), OURS).map(drop)));
    assert!(unsupported(FlashMark::open(FaultFlash::<3, 512>::new(2), region.clone(), OURS).map(drop)));
    assert!(unsupported(FlashMark::open(FaultFlash::<4, 92>::new(20), region, OURS).map(drop)));
    assert_eq!(FlashMark::<FaultFlash<4, 92>>::RAISES_PER_ERASE, 0);
    assert!(open(&mut FaultFlash::<4, 8>::new(70_000)).is_err(), "too many sectors, too small ones");
}

#[test]
fn a_region_is_blank_where_each_of_its_bytes_is_whatever_lies_beside_it() {
    let region = 288..864;
    for at in 0..1_152 {
        let mut flash = Small::new(4);
        flash.rot(at as usize, 0x10);
        let mut opened = || FlashMark::open(&mut flash, region.clone(), OURS).map(|mark| mark.get());
        let within = region.contains(&at);
        assert_eq!(opened(), Err(if within { FlashError::NoValidRecord } else { FlashError::Blank }), "{at}");
        let created = FlashMark::create(&mut flash, region.clone(), OURS, 1).map(|mark| mark.get());
        assert_eq!(created, if within { Err(FlashError::NotBlank) } else { Ok(1) }, "{at}");
    }
}

#[test]
fn a_mark_keeps_to_its_region() {
    let mut flash = Small::new(6);
    for (region, first) in [(288..864, 100), (864..1_440, 200)] {
        FlashMark::create(&mut flash, region.clone(), OURS, first).unwrap();
        let mut mark = FlashMark::open(&mut flash, region, OURS).unwrap();
        (first..first + 20).for_each(|value| mark.raise_to(value).unwrap());
    }
    for (region, last) in [(288..864, 119), (864..1_440, 219)] {
        assert_eq!(FlashMark::open(&mut flash, region, OURS).unwrap().get(), last);
    }
    let bytes = flash.bytes();
    assert!(bytes[..288].iter().chain(&bytes[1_440..]).all(|byte| *byte == 0xff));
    let erased: Vec<bool> = flash.erases().map(|erases| erases > 0).collect();
    assert_eq!(erased, [false, true, true, true, true, false]);
}

#[test]
fn the_seals_of_another_record_prove_nothing() {
    let [held, other] = [7, 8].map(|value| record(OURS, (0, 2), 1, value));
    let mut bytes = image(&[(0, 0, held)]);
    let value = |bytes: &[u8]| open(&mut Small::with_bytes(2, bytes)).map(|mark| mark.get());
    assert_eq!(value(&bytes), Ok(7));
    // One record is left, which needs a seal to be believed.
    bytes[120..160].fill(0);
    assert_eq!(value(&bytes), Ok(7));
    for (at, len) in &fields(0, 0)[2..] {
        bytes[*at..at + len].copy_from_slice(&seal(&other));
    }
    assert_eq!(value(&bytes), Err(FlashError::NoValidRecord));
}

#[test]
fn every_size_of_words_will_do() {
    fn run<const W: usize, const E: usize>(raises_per_erase: u32) {
        let mut flash = FaultFlash::<W, E>::new(3);
        let region = 0..3 * E as u32;
        let mut mark = FlashMark::create(&mut flash, region, OURS, 0).unwrap();
        assert_eq!(FlashMark::<FaultFlash<W, E>>::RAISES_PER_ERASE, raises_per_erase);
        for value in 1..200 {
            mark.raise_to(value).unwrap();
        }
        assert_eq!(open(&mut flash).unwrap().get(), 199);
        assert_eq!(flash.violations(), 0);
        let programs =
            flash.operations().iter().filter(|done| matches!(done, FlashOperation::Program { .. }));
        assert_eq!(programs.count(), 200 * 4, "each field is programmed at once");
    }
    run::<1, 1024>(10);
    run::<2, 2048>(21);
    run::<4, 4096>(42);
    run::<8, 2048>(21);
    run::<16, 2048>(16);
    run::<32, 4096>(21);
}

#[test]
fn each_sector_is_erased_as_often_as_any_other() {
    for sectors in [2, 3, 7] {
        let mut flash = FaultFlash::<4, 4096>::new(sectors);
        let region = 0..4096 * sectors as u32;
        FlashMark::create(&mut flash, region, OURS, 0).unwrap();
        let before: Vec<u64> = flash.erases().collect();
        let mut mark = open(&mut flash).unwrap();
        for value in 1..=100_000 {
            mark.raise_to(value).unwrap();
        }
        assert_eq!(mark.get(), 100_000);
        let erases: Vec<u64> = flash.erases().zip(before).map(|(after, before)| after - before).collect();
        let (most, least) = (*erases.iter().max().unwrap(), *erases.iter().min().unwrap());
        println!("erases of {sectors} sectors over 100000 raises: {erases:?}, max / min {most} / {least}");
        assert_eq!(erases.iter().sum::<u64>(), 100_000_u64.div_ceil(42), "42 raises an erase");
        assert!(most - least <= 1 && most * 10 <= least * 11, "{erases:?}");
        assert_eq!(flash.violations(), 0);
    }
}

/// Every byte of the region in turn, every field unreadable in turn.
#[test]
fn one_rotten_or_unreadable_field_is_repaired() {
    for raises in [0, 1, 2, 3, 4] {
        let mut flash = created(1);
        let mut mark = open(&mut flash).unwrap();
        for value in 0..raises {
            mark.raise_to(10 + value).unwrap();
        }
        let value = mark.get();
        let check = |mut flash: Small, what: &dyn Fn() -> String| {
            for opening in 0..2 {
                let found = open(&mut flash).map(|mark| mark.get());
                assert_eq!(found, Ok(value), "{}, opening {opening}", what());
            }
            let mut mark = open(&mut flash).unwrap();
            mark.raise_to(value + 1).unwrap();
            assert_eq!(flash.violations(), 0);
        };
        for at in 0..576 {
            for bits in [0x01, 0x80, 0xff] {
                let mut rotten = flash.clone();
                rotten.rot(at, bits);
                check(rotten, &|| format!("{bits:02x} at {at} after {raises} raises"));
            }
        }
        for (at, len) in (0..2).flat_map(|sector| (0..3).flat_map(move |entry| fields(sector, entry))) {
            let mut unreadable = flash.clone();
            unreadable.fail_reads(at as u32..(at + len) as u32);
            let opened = open(&mut unreadable).map(|mark| mark.get());
            // The place to write to may be the one that cannot be read back: no answer then, and nothing lost.
            assert!(opened == Ok(value) || matches!(opened, Err(FlashError::Io(_))), "{opened:?} at {at}");
            check(unreadable.restarted(), &|| format!("unreadable at {at} after {raises} raises"));
        }
    }
}

/// Two records without seals may have been interrupted, and their own sector is erased. If the seals are there and
/// cannot be read, they may have been acknowledged, and it is the other sector.
#[test]
fn what_cannot_be_read_is_not_taken_for_erased() {
    let mut base = created(1);
    open(&mut base).unwrap().raise_to(10).unwrap();
    let repaired = |mut flash: Small| {
        let before = flash.operations().len();
        assert_eq!(open(&mut flash).unwrap().get(), 10);
        flash.operations()[before]
    };
    let [.., seal, second] = fields(1, 0).map(|(at, _)| at as u32);
    let mut unreadable = base.clone();
    unreadable.fail_reads(seal..seal + 8);
    unreadable.fail_reads(second..second + 8);
    let FlashOperation::Erase { offset: 0, .. } = repaired(unreadable) else {
        panic!("the entry was erased")
    };
    let mut bytes = base.bytes();
    bytes[seal as usize..][..8].fill(0xff);
    bytes[second as usize..][..8].fill(0xff);
    let FlashOperation::Erase { offset: 288, .. } = repaired(Small::with_bytes(2, &bytes)) else {
        panic!("what is certain was erased")
    };
}

#[test]
fn an_acknowledged_value_that_is_beyond_repair_is_refused_where_its_sector_shows_it() {
    let mut flash = created(1);
    let mut mark = open(&mut flash).unwrap();
    for value in [10, 11] {
        mark.raise_to(value).unwrap();
    }
    // Both records of the newest entry, the second of its sector.
    let [first, second, ..] = fields(1, 1).map(|(at, _)| at);
    for at in [first, second] {
        flash.rot(at + 30, 0x04);
    }
    assert_eq!(open(&mut flash).unwrap_err(), FlashError::Lost);
    assert_eq!(FlashMark::format(&mut flash, REGION, OURS, 0).unwrap().get(), 10, "what can still be read");
    // Of the first entry of a sector nothing is left that tells it from an interrupted erase: FORMAT.md says so.
    let mut flash = created(1);
    open(&mut flash).unwrap().raise_to(10).unwrap();
    let [first, second, ..] = fields(1, 0).map(|(at, _)| at);
    for at in [first, second] {
        flash.rot(at + 30, 0x04);
    }
    assert_eq!(open(&mut flash).unwrap().get(), 1);
}

#[test]
fn the_sequence_numbers_end_and_do_not_wrap() {
    let bytes = image(&[(0, 0, record(OURS, (0, 2), u32::MAX, 5))]);
    let mut flash = Small::with_bytes(2, &bytes);
    let mut mark = open(&mut flash).unwrap();
    assert_eq!(mark.get(), 5);
    assert_eq!(mark.raise_to(6), Err(RaiseError::NotRaised(NotRaised::Exhausted)));
    flash.rot(30, 1);
    assert_eq!(open(&mut flash).unwrap_err(), FlashError::Exhausted, "no room for the repair");
    assert_eq!(flash.steps(), 0);
}

#[test]
fn after_an_error_the_value_is_what_the_error_says() {
    let script = |flash: &mut Small| -> Vec<(u64, Result<(), RaiseError>)> {
        let mut mark = open(flash).unwrap();
        let results = (1..=7).map(|value| (value * 10, mark.raise_to(value * 10))).collect();
        assert!(mark.get() <= 70);
        results
    };
    let base = created(1);
    let operations = {
        let mut trial = base.clone();
        script(&mut trial);
        trial.operations().len()
    };
    let (mut definite, mut unknown) = (0, 0);
    for number in base.operations().len()..operations {
        let mut flash = base.clone();
        flash.fail_operation(number);
        let results = script(&mut flash);
        let acknowledged =
            results.iter().filter(|(_, result)| result.is_ok()).map(|(value, _)| *value).max().unwrap_or(1);
        let (failed, error) =
            results.iter().find_map(|(value, result)| Some((*value, result.err()?))).unwrap();
        let found = open(&mut flash).unwrap().get();
        if error.is_definite() {
            definite += 1;
            let last = if failed == 70 { 60 } else { 70 };
            assert_eq!(acknowledged, last, "the mark goes on after operation {number} failed");
            assert_eq!(found, last);
        } else {
            unknown += 1;
            let later = results.iter().filter(|(value, _)| *value > failed);
            for (_, result) in later {
                assert_eq!(*result, Err(RaiseError::NotRaised(NotRaised::Poisoned)));
            }
            assert!(found == acknowledged || found == failed, "{found}, {number}");
        }
        assert_eq!(flash.violations(), 0);
    }
    assert!(definite > 7 && unknown > 20, "{definite} and {unknown}");
}

/// A first record that fails is no more than that, although the chip may have taken it.
#[test]
fn a_definite_error_stays_definite_over_a_restart() {
    let mut flash = created(1);
    let mut mark = open(&mut flash).unwrap();
    mark.raise_to(2).unwrap();
    // Its program succeeds and its reading back does not.
    let (at, len) = fields(0, 0)[0];
    let mut failing = flash.clone();
    failing.fail_reads(at as u32..(at + len) as u32);
    let Ok(mut mark) = open(&mut failing) else { panic!("the other copy can be read") };
    let error = mark.raise_to(3).unwrap_err();
    assert!(error.is_definite(), "{error}");
    assert_eq!(mark.get(), 2);
    assert_eq!(open(&mut failing.restarted()).unwrap().get(), 2);
}

#[test]
fn a_worn_cell_that_takes_nothing_is_found_before_anything_is_acknowledged() {
    for (at, len) in fields(1, 0) {
        let mut flash = created(1);
        (at..at + len).for_each(|byte| flash.wear_out(byte));
        let mut mark = open(&mut flash).unwrap();
        let error = mark.raise_to(2).unwrap_err();
        assert!(error.to_string().contains("reading back"), "{error}");
        assert_eq!(mark.get(), 1);
        let found = open(&mut flash).map(|mark| mark.get());
        assert!(matches!(found, Ok(1 | 2) | Err(FlashError::Io(_))), "{found:?}");
    }
}

#[test]
fn numbers_are_reserved_on_a_flash() {
    let mut flash = created(0);
    let block = NonZeroU64::new(100).unwrap();
    let mut before = 0;
    for _ in 0..5 {
        let mut reserver = Reserver::new(open(&mut flash).unwrap(), block);
        for _ in 0..3 {
            reserver.upkeep().unwrap();
            let number = reserver.draw().unwrap();
            assert!(number > before);
            before = number;
        }
    }
    assert!(flash.operations().len() < 60, "a block at a time");
}

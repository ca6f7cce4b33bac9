//! The bytes in flash have not changed, and FORMAT.md says what they are.

use crate::refusals::crc;
use crate::wire::bytes;
use high_water::{FlashRecord, Identity, RecordError};
use proptest::prelude::*;

const VECTORS: &str = include_str!("../vectors/flash.txt");
const FORMAT: &str = include_str!("../../FORMAT.md");

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn meaning(record: &FlashRecord) -> String {
    format!(
        "record identity={} sector={} sectors={} sequence={} value={} seal={}",
        record.identity(),
        record.sector(),
        record.sectors(),
        record.sequence(),
        record.value(),
        hex(&record.seal()),
    )
}

fn read(line: &str) -> [u8; FlashRecord::LEN] {
    bytes(line.split(' ').next().unwrap()).try_into().unwrap()
}

#[test]
fn the_vectors_of_flash_decode_to_what_they_say_and_encode_to_what_they_were() {
    let mut cases = 0;
    for line in VECTORS.lines().filter(|line| !line.starts_with('#')) {
        let (case, _) = line.split_once(" # ").unwrap();
        let (_, expected) = case.split_once(' ').unwrap();
        let found = match FlashRecord::from_bytes(&read(line)) {
            Ok(record) => {
                assert_eq!(record.to_bytes(), read(line), "{line}");
                meaning(&record)
            }
            Err(RecordError::Damaged) => "damaged".to_owned(),
            Err(RecordError::Version(version)) => format!("version {version}"),
            Err(RecordError::Malformed) => "malformed".to_owned(),
            Err(error) => panic!("{error}"),
        };
        assert_eq!(found, expected, "{line}");
        cases += 1;
    }
    assert!(cases >= 16, "{cases} cases");
}

/// The last vector: all its ones are where those of the whole record are, and more, as an interrupted program leaves
/// them; its checksum is right, its value higher.
#[test]
fn a_record_that_was_programmed_in_part_is_refused_although_its_checksum_matches() {
    let line = |end: &str| read(VECTORS.lines().find(|line| line.contains(end)).unwrap());
    let (whole, part) = (line("# the example of"), line("programmed in part"));
    assert!(whole.iter().zip(&part).all(|(whole, part)| whole & part == *whole), "more ones, and no fewer");
    assert_eq!(crc(&part[..36]).to_be_bytes(), part[36..]);
    assert!(part[28..36] > whole[28..36]);
    assert_eq!(FlashRecord::from_bytes(&part), Err(RecordError::Damaged));
}

#[test]
fn the_table_of_the_flash_format_is_the_layout() {
    let section = FORMAT.split("# The region of a flash mark").nth(1).unwrap();
    let row = |line: &str| {
        let mut cells = line.trim_matches('|').split('|').map(str::trim);
        Some((cells.next()?.parse().ok()?, cells.next()?.parse().ok()?, cells.next()?.to_owned()))
    };
    let table: Vec<(usize, usize, String)> =
        section.lines().filter(|line| line.starts_with('|')).filter_map(row).collect();
    let end = table.iter().fold(0, |end, (offset, size, name)| {
        assert_eq!(*offset, end, "{name} does not begin where the one before ends");
        offset + size
    });
    assert_eq!(end, FlashRecord::LEN);
    let example = read(VECTORS.lines().find(|line| line.contains("# the example of")).unwrap());
    let field = |wanted: &str| {
        let (offset, size, _) = table.iter().find(|(_, _, name)| name == wanted).unwrap();
        &example[*offset..offset + size]
    };
    assert_eq!(field("magic"), b"HW");
    assert_eq!(field("version"), [1]);
    assert_eq!(field("sector"), [0, 1]);
    assert_eq!(field("sectors"), [0, 2]);
    assert_eq!(field("identity"), b"orders/epoch/001");
    assert_eq!(field("sequence"), 7_u32.to_be_bytes());
    assert_eq!(field("value"), 1_000_u64.to_be_bytes());
    let zeros: u32 = example[4..36].iter().map(|byte| byte.count_zeros()).sum();
    assert_eq!(field("zeros"), [u8::try_from(zeros).unwrap()]);
    assert_eq!(field("checksum"), crc(&example[..36]).to_be_bytes());

    let dump = section.split("```hex\n").nth(1).unwrap().split("```").next().unwrap();
    let dump: Vec<u8> = dump.lines().flat_map(|line| bytes(&line[5..].replace(' ', ""))).collect();
    let record = FlashRecord::from_bytes(&example).unwrap();
    assert_eq!(record.identity(), Identity::from_bytes(*b"orders/epoch/001"));
    assert_eq!(dump, [&example[..], &record.seal()].concat());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    /// With a right checksum and a right count, so that what lies behind them is reached.
    #[test]
    fn what_is_accepted_in_flash_is_canonical(changes in prop::collection::vec((0..36_usize, any::<u8>()), 0..6)) {
        let mut bytes = read(VECTORS.lines().nth(2).unwrap());
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        let zeros: u32 = bytes[4..36].iter().map(|byte| byte.count_zeros()).sum();
        bytes[3] = u8::try_from(zeros).unwrap_or(u8::MAX);
        let checksum = crc(&bytes[..36]).to_be_bytes();
        bytes[36..].copy_from_slice(&checksum);
        if let Ok(record) = FlashRecord::from_bytes(&bytes) {
            prop_assert_eq!(record.to_bytes(), bytes);
        }
    }

    /// Whatever zeros an interrupted program has not made yet.
    #[test]
    fn no_part_of_a_record_is_a_record(value in any::<u64>(), missing in any::<[u8; 32]>(), lower in any::<[u8; 8]>()) {
        let whole = crate::flash::record(crate::OURS, (1, 2), 9, value);
        let mut part = whole;
        part.iter_mut().zip(missing.iter().chain(&lower)).for_each(|(byte, ones)| *byte |= ones);
        let expected = if part == whole { FlashRecord::from_bytes(&whole) } else { Err(RecordError::Damaged) };
        prop_assert_eq!(FlashRecord::from_bytes(&part), expected);
        // And if its checksum matched.
        let checksum = crc(&part[..36]).to_be_bytes();
        part[36..].copy_from_slice(&checksum);
        if part[..36] != whole[..36] {
            prop_assert!(FlashRecord::from_bytes(&part).is_err());
        }
    }
}

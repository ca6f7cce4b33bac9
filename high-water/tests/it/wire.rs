//! The bytes have not changed, and FORMAT.md says what they are.

use crate::refusals::crc;
use high_water::{Identity, Origin, Record, RecordError};
use proptest::prelude::*;

const VECTORS: &str = include_str!("../vectors/records.txt");
const FORMAT: &str = include_str!("../../FORMAT.md");

pub(crate) fn bytes(hex: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(digit).collect()
}

fn meaning(record: &Record) -> String {
    let payload: String = record.payload().iter().map(|byte| format!("{byte:02x}")).collect();
    let or_dash = |number: Option<u64>| number.map_or("-".to_owned(), |number| number.to_string());
    format!(
        "record identity={} sequence={} value={} payload={} inode={} birth={} opening={}",
        record.identity(),
        record.sequence(),
        record.value(),
        if payload.is_empty() { "-" } else { &payload },
        or_dash(record.origin().map(Origin::inode)),
        or_dash(record.origin().and_then(Origin::birth_nanos)),
        if record.is_opening() { "yes" } else { "no" },
    )
}

#[test]
fn the_vectors_decode_to_what_they_say_and_encode_to_what_they_were() {
    let mut cases = 0;
    for line in VECTORS.lines().filter(|line| !line.starts_with('#')) {
        let (case, _) = line.split_once(" # ").unwrap();
        let (hex, expected) = case.split_once(' ').unwrap();
        let bytes: [u8; Record::LEN] = bytes(hex).try_into().unwrap();
        let found = match Record::from_bytes(&bytes) {
            Ok(record) => {
                assert_eq!(record.to_bytes(), bytes, "{line}");
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
    assert!(cases >= 21, "{cases} cases");
}

/// The rows `| offset | size | name | ...` of the record's table.
fn table() -> Vec<(usize, usize, String)> {
    let row = |line: &str| {
        let mut cells = line.trim_matches('|').split('|').map(str::trim);
        Some((cells.next()?.parse().ok()?, cells.next()?.parse().ok()?, cells.next()?.to_owned()))
    };
    let (file, _) = FORMAT.split_once("# The region of a flash mark").unwrap();
    file.lines().filter(|line| line.starts_with('|')).filter_map(row).collect()
}

#[test]
fn the_table_of_the_format_is_the_layout() {
    let table = table();
    let end = table.iter().fold(0, |end, (offset, size, name)| {
        assert_eq!(*offset, end, "{name} does not begin where the one before ends");
        offset + size
    });
    assert_eq!(end, Record::LEN);
    let offset = |wanted: &str| table.iter().find(|(_, _, name)| name == wanted).unwrap().0;
    let greatest = VECTORS.lines().find(|line| line.ends_with("# the greatest")).unwrap();
    let greatest = bytes(greatest.split(' ').next().unwrap());
    for name in ["identity", "sequence", "value", "inode", "birth", "payload"] {
        assert_eq!(greatest[offset(name)], 0xff, "{name}");
        assert_ne!(
            greatest[offset(name) - 1],
            if name == "identity" { 0xff } else { 0 },
            "{name} begins earlier"
        );
    }
    let checksum = u32::from_be_bytes(greatest[offset("checksum")..].try_into().unwrap());
    assert_eq!(checksum, crc(&greatest[..offset("checksum")]));
}

#[test]
fn the_worked_example_of_the_format_is_a_record() {
    let mut example = [0; Record::LEN];
    let dump = FORMAT.split("```hex\n").nth(1).unwrap().split("```").next().unwrap();
    for line in dump.lines() {
        let (offset, hex) = line.split_once("  ").unwrap();
        let start = usize::from_str_radix(offset, 16).unwrap();
        let hex: String = hex.split(' ').collect();
        example[start..start + hex.len() / 2].copy_from_slice(&bytes(&hex));
    }
    let record = Record::from_bytes(&example).unwrap();
    assert_eq!(record.identity(), Identity::from_bytes(*b"orders/epoch/001"));
    assert_eq!((record.sequence(), record.value()), (7, 1000));
    assert_eq!(record.payload(), b"granted to worker 3");
    assert_eq!(record.origin(), Some(Origin::new(131_099, Some(1_700_000_000_123_456_789))));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    /// With a right checksum, so that what lies behind it is reached.
    #[test]
    fn what_is_accepted_is_canonical(
        changes in prop::collection::vec((0..508_usize, any::<u8>()), 0..4),
        start in 0..6_usize,
    ) {
        let lines: Vec<&str> = VECTORS.lines().filter(|line| !line.starts_with('#')).collect();
        let mut bytes: [u8; Record::LEN] = bytes(lines[start].split(' ').next().unwrap()).try_into().unwrap();
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        let checksum = crc(&bytes[..508]).to_be_bytes();
        bytes[508..].copy_from_slice(&checksum);
        if let Ok(record) = Record::from_bytes(&bytes) {
            prop_assert_eq!(record.to_bytes(), bytes);
        }
    }

    #[test]
    fn any_bytes_are_a_record_or_an_error(bytes in prop::collection::vec(any::<u8>(), Record::LEN)) {
        let bytes: [u8; Record::LEN] = bytes.try_into().unwrap();
        prop_assert_eq!(Record::from_bytes(&bytes), Err(RecordError::Damaged));
    }
}

//! The bytes have not changed, and FORMAT.md tells the truth about them.

use hlc::{
    DecodeError, NodeId, Packed, Stamp, Timestamp,
    layout::{Layout, Micros52, Millis42Y2022, Millis46, Ntp48, Ntp60, Rounding, Secs32, Unix48},
};
use proptest::prelude::*;

use crate::vectors::cases;

const FORMAT: &str = include_str!("../../FORMAT.md");

fn reason(error: DecodeError) -> &'static str {
    match error {
        DecodeError::Length(_) => "length",
        DecodeError::Version(_) => "version",
        DecodeError::ZeroTimestamp => "zero-timestamp",
        DecodeError::NodeId(_) => "node-id",
        _ => "a reason that the vectors do not know",
    }
}

#[test]
fn timestamp_bytes_are_what_they_were() {
    for case in cases(include_str!("../vectors/timestamp.txt")) {
        let Ok(bytes) = <[u8; 8]>::try_from(case.bytes.as_slice()) else {
            assert_eq!(case.refused(), Some("length"), "{}", case.line);
            continue;
        };
        let read = Timestamp::from_bytes(bytes);
        assert_eq!(read.map_err(reason).err(), case.refused(), "{}", case.line);
        if let Ok(timestamp) = read {
            assert_eq!(timestamp, case.timestamp(), "{}", case.line);
            assert_eq!(timestamp.to_bytes(), bytes, "{}", case.line);
        }
    }
}

#[test]
fn stamp_bytes_are_what_they_were() {
    for case in cases(include_str!("../vectors/stamp.txt")) {
        let Ok(bytes) = <[u8; 16]>::try_from(case.bytes.as_slice()) else {
            assert_eq!(case.refused(), Some("length"), "{}", case.line);
            continue;
        };
        let read = Stamp::<NodeId>::from_bytes(bytes);
        assert_eq!(read.map_err(reason).err(), case.refused(), "{}", case.line);
        if let Ok(stamp) = read {
            assert_eq!(stamp, case.stamp(), "{}", case.line);
            assert_eq!(stamp.to_bytes(), bytes, "{}", case.line);
            assert_eq!(Stamp::from_u128(stamp.to_u128()), Ok(stamp));
        }
    }
}

#[test]
fn envelopes_are_what_they_were() {
    for case in cases(include_str!("../vectors/envelope.txt")) {
        let read = Stamp::<NodeId>::from_envelope(&case.bytes);
        assert_eq!(read.map_err(reason).err(), case.refused(), "{}", case.line);
        if let Ok(stamp) = read {
            assert_eq!(stamp, case.stamp(), "{}", case.line);
            assert_eq!(stamp.to_envelope(), case.bytes.as_slice(), "{}", case.line);
        }
    }
}

#[test]
fn an_envelope_of_a_later_version_is_told_from_a_damaged_one() {
    let stamp = Timestamp::MAX.at_node(NodeId::MAX);
    for version in (0..=u8::MAX).filter(|&version| version != Stamp::<NodeId>::ENVELOPE_VERSION) {
        for length in 1..64 {
            let mut bytes = vec![0xff; length];
            bytes[0] = version;
            match Stamp::<NodeId>::from_envelope(&bytes) {
                Err(DecodeError::Version(unknown)) => assert_eq!(unknown.version(), version),
                other => panic!("version {version}, {length} bytes: {other:?}"),
            }
        }
    }
    for length in (0..64).filter(|&length| length != 17) {
        let mut bytes = stamp.to_envelope().to_vec();
        bytes.resize(length, 0);
        match Stamp::<NodeId>::from_envelope(&bytes) {
            Err(DecodeError::Length(wrong)) => assert_eq!((wrong.actual(), wrong.expected()), (length, 17)),
            other => panic!("{length} bytes: {other:?}"),
        }
    }
}

#[test]
fn a_node_id_that_is_refused_is_told() {
    for id in [1 << 58, u64::MAX] {
        let mut bytes = [1; 16];
        bytes[8..].copy_from_slice(&id.to_be_bytes());
        match Stamp::<NodeId>::from_bytes(bytes) {
            Err(DecodeError::NodeId(error)) => assert_eq!(error.id(), id),
            other => panic!("{other:?}"),
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_refused_or_come_back_the_same(
        bytes in any::<[u8; 16]>(),
        envelope in prop::collection::vec(any::<u8>(), 0..20),
    ) {
        if let Ok(stamp) = Stamp::<NodeId>::from_bytes(bytes) {
            prop_assert_eq!(stamp.to_bytes(), bytes);
        }
        if let Ok(id) = NodeId::from_bytes(*bytes.last_chunk().unwrap()) {
            prop_assert_eq!(&id.to_bytes()[..], &bytes[8..]);
        }
        if let Ok(timestamp) = Packed::<Secs32>::from_bytes(*bytes.first_chunk().unwrap()) {
            prop_assert_eq!(&timestamp.to_bytes()[..], &bytes[..8]);
        }
        if let Ok(stamp) = Stamp::<NodeId>::from_envelope(&envelope) {
            prop_assert_eq!(stamp.to_envelope().to_vec(), envelope);
        }
    }

    #[test]
    fn every_stamp_comes_back_from_its_bytes_and_its_envelope(bits in 1..=u64::MAX, id in any::<u64>()) {
        let stamp = Timestamp::from_bits(bits).unwrap().at_node(NodeId::from_random_bits(id));
        prop_assert_eq!(Stamp::from_bytes(stamp.to_bytes()), Ok(stamp));
        prop_assert_eq!(Stamp::from_envelope(&stamp.to_envelope()), Ok(stamp));
        prop_assert_eq!(Timestamp::from_bytes(stamp.timestamp().to_bytes()), Ok(stamp.timestamp()));
        prop_assert_eq!(NodeId::from_bytes(stamp.node().to_bytes()), Ok(*stamp.node()));
    }
}

/// The rows of the first table under the heading `## title`, their cells without back quotes.
pub(crate) fn table(title: &str) -> Vec<Vec<String>> {
    tables(title).swap_remove(0)
}

fn tables(title: &str) -> Vec<Vec<Vec<String>>> {
    let heading = format!("\n## {title}\n");
    let (_, section) = FORMAT.split_once(&heading).unwrap_or_else(|| panic!("no section {title}"));
    let section = section.split("\n## ").next().unwrap();
    // Every other part between fences is a diagram.
    let prose = section.split("```").step_by(2).collect::<String>();
    let is_row = |line: &&str| line.starts_with('|');
    let mut tables = vec![];
    let mut lines = prose.lines();
    while let Some(line) = lines.by_ref().find(is_row) {
        let mut table = vec![];
        let cells = line.matches('|').count();
        for row in lines.by_ref().take_while(is_row).skip(1) {
            assert_eq!(row.matches('|').count(), cells, "{row}");
            let row = row.trim_matches('|').split('|');
            table.push(row.map(|cell| cell.trim().replace('`', "")).collect());
        }
        tables.push(table);
    }
    tables
}

/// `"0 to 2^48-1"`, and a lone number as both ends.
fn range(cell: &str) -> (u128, u128) {
    let number = |text: &str| match text.strip_prefix("2^") {
        Some(power) => (1 << power.strip_suffix("-1").unwrap().parse::<u32>().unwrap()) - 1,
        None => text.parse().unwrap(),
    };
    let (least, greatest) = cell.split_once(" to ").unwrap();
    (number(least), number(greatest))
}

/// Checks that the fields of the table under `title` fill what `encode` makes, in order, and that each carries
/// both ends of its range where the table says. Offsets and sizes count groups of `bits`.
fn check_fields<const N: usize>(title: &str, encode: fn(Stamp) -> [u8; N], bits: usize) {
    let mut end = 0;
    for row in tables(title).into_iter().find(|table| table[0][0] == "0").expect("a table of fields") {
        let [offset, size]: [usize; 2] = [0, 1].map(|cell: usize| row[cell].parse().unwrap());
        let name = row[2].as_str();
        let (least, greatest) = range(&row[4]);
        assert_eq!(offset, end, "{title}: {name} begins where the field before it ends");
        end = offset + size;
        for value in [least, greatest] {
            let encoded = encode(stamp_with(name, value).expect("the ends of the range exist"));
            let all =
                encoded.iter().flat_map(|byte| (0..8).rev().map(move |bit| u128::from(byte >> bit & 1)));
            let field = all.skip(offset * bits).take(size * bits).fold(0, |field, bit| (field << 1) | bit);
            assert_eq!(field, value, "{title}: {name}");
        }
        let full = u128::MAX >> (128 - size * bits);
        let is_end = |past| least == greatest || stamp_with(name, past).is_none();
        assert!(greatest == full || is_end(greatest + 1), "{title}: {name} goes on after its range");
        assert!(least == 0 || is_end(least - 1), "{title}: {name} begins before its range");
    }
    assert_eq!(end * bits, N * 8, "{title}: the fields are all of it");
}

/// The stamp whose field `name` is `value`, or `None` where there is none.
fn stamp_with(name: &str, value: u128) -> Option<Stamp> {
    let value = u64::try_from(value).ok()?;
    let counted =
        |counter: u64| Some(Timestamp::from_parts(1, counter.try_into().ok()?).ok()?.at_node(NodeId::MIN));
    match name {
        "physical" => Some(Timestamp::from_parts(value, 1).ok()?.at_node(NodeId::MIN)),
        "counter" | "counter, low 4 bits" => counted(value),
        "counter, high 12 bits" => counted(value << 4),
        "timestamp" => Some(Timestamp::from_bits(value)?.at_node(NodeId::MIN)),
        "node" => Some(Timestamp::MIN.at_node(NodeId::new(value).ok()?)),
        "version" | "variant" => Some(Timestamp::MIN.at_node(NodeId::MAX)),
        _ => panic!("FORMAT.md has a field {name} that no form has"),
    }
}

#[test]
fn the_field_tables_of_the_format_are_the_forms() {
    check_fields("Timestamp", |stamp| stamp.timestamp().to_bytes(), 8);
    check_fields("Stamp", |stamp| stamp.to_bytes(), 8);
    check_fields("Envelope", |stamp| stamp.to_envelope(), 8);
    #[cfg(feature = "uuid")]
    check_fields("UUID", |stamp| *stamp.to_uuid().as_bytes(), 1);
    assert_eq!(range("1 to 1"), (u128::from(Stamp::<NodeId>::ENVELOPE_VERSION), 1));
    assert_eq!(table("Envelope")[0][4], "1 to 1");
    assert_eq!(Stamp::<NodeId>::ENVELOPE_LEN, Timestamp::MIN.at_node(NodeId::MIN).to_envelope().len());
}

#[test]
fn the_text_table_of_the_format_is_the_text() {
    let mut end = 0;
    for row in table("Text") {
        let [offset, size]: [usize; 2] = [0, 1].map(|cell: usize| row[cell].parse().unwrap());
        assert_eq!(offset, end);
        end = offset + size;
        let (least, greatest) = row[4].split_once(" to ").unwrap();
        let stamps = [Timestamp::MIN.at_node(NodeId::MIN), Timestamp::MAX.at_node(NodeId::MAX)];
        for (stamp, end_of_range) in stamps.into_iter().zip([least, greatest]) {
            assert_eq!(&stamp.to_string()[offset..end], end_of_range, "{}", row[2]);
        }
    }
    assert_eq!(end, Stamp::<NodeId>::TEXT_LEN);
    assert_eq!(Timestamp::MIN.to_text().len(), Timestamp::TEXT_LEN);
}

#[test]
fn the_layout_table_of_the_format_is_the_constants() {
    fn row<L: Layout>() -> Vec<String> {
        let rounding = match L::ROUNDING {
            Rounding::Down => "rounds down",
            Rounding::Up => "rounds up",
        };
        let numbers = [
            u64::from(64 - L::COUNTER_BITS),
            u64::from(L::COUNTER_BITS),
            L::UNITS_PER_SECOND,
            L::EPOCH_UNIX_SECS,
        ];
        let mut row = vec![L::NAME.to_owned()];
        row.extend(numbers.map(|number| number.to_string()));
        row.push(rounding.to_owned());
        row
    }
    let rows = [
        row::<Unix48>(),
        row::<Micros52>(),
        row::<Ntp48>(),
        row::<Ntp60>(),
        row::<Millis46>(),
        row::<Millis42Y2022>(),
        row::<Secs32>(),
    ];
    assert_eq!(tables("Timestamp")[1], rows);
}

#[test]
fn the_worked_examples_of_the_format_come_true() {
    let rows = table("Worked examples");
    for form in ["timestamp", "stamp", "envelope", "text", "UUID"] {
        assert!(rows.iter().any(|row| row[3] == form), "an example of {form}");
    }
    for row in rows {
        let [physical, counter, node]: [u64; 3] = [0, 1, 2].map(|cell: usize| row[cell].parse().unwrap());
        let stamp = crate::vectors::parts::<Unix48>(physical, counter).at_node(NodeId::new(node).unwrap());
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let encoded = match row[3].as_str() {
            "timestamp" => hex(&stamp.timestamp().to_bytes()),
            "stamp" => hex(&stamp.to_bytes()),
            "envelope" => hex(&stamp.to_envelope()),
            "text" => stamp.to_string(),
            #[cfg(feature = "uuid")]
            "UUID" => stamp.to_uuid().to_string(),
            #[cfg(not(feature = "uuid"))]
            "UUID" => row[4].clone(),
            form => panic!("FORMAT.md has an example of {form}"),
        };
        assert_eq!(encoded, row[4], "{} of {physical}, {counter}, {node}", row[3]);
    }
}

#[test]
fn the_errors_that_the_format_names_are_the_errors_there_are() {
    for row in table("What a decoder refuses") {
        let known = ["Length", "Version", "Digit", "Separator", "ZeroTimestamp", "NodeId", "Variant"];
        assert!(known.contains(&row[2].as_str()), "{}", row[2]);
    }
}

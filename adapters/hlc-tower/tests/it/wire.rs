//! The header is read exactly as it is written, and nothing else is.

use hlc::{NodeId, TextError, Timestamp};
use hlc_tower::header::{self, HeaderError};
use http::{HeaderMap, HeaderValue};
use proptest::prelude::*;

use crate::calls::{ahead, full, headers, stamp, values};

/// The error's name in FORMAT.md.
pub(crate) fn reason(error: HeaderError) -> &'static str {
    match error {
        HeaderError::Repeated => "Repeated",
        HeaderError::Oversized(_) => "Oversized",
        HeaderError::NonAscii(_) => "NonAscii",
        HeaderError::Text(TextError::Length(_)) => "Length",
        HeaderError::Text(TextError::Separator) => "Separator",
        HeaderError::Text(TextError::Digit(_)) => "Digit",
        HeaderError::Text(TextError::ZeroTimestamp) => "ZeroTimestamp",
        HeaderError::Text(TextError::NodeId(_)) => "NodeId",
        HeaderError::Text(_) | _ => "a reason that FORMAT.md does not know",
    }
}

/// What FORMAT.md says of one value, written once more in the order of its table.
fn refused_by_the_format(value: &[u8]) -> Option<&'static str> {
    let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let rules: [(&str, &dyn Fn() -> bool); 8] = [
        ("Oversized", &|| value.len() > 33),
        ("NonAscii", &|| !value.is_ascii()),
        ("Length", &|| value.len() < 33),
        ("Separator", &|| value[16] != b'-'),
        ("Digit", &|| !value[..16].iter().all(is_digit)),
        ("ZeroTimestamp", &|| value[..16] == [b'0'; 16]),
        ("Digit", &|| !value[17..].iter().all(is_digit)),
        ("NodeId", &|| value[17] != b'0' || value[18] > b'3'),
    ];
    rules.into_iter().find(|(_, applies)| applies()).map(|(name, _)| name)
}

#[test]
fn values_are_read_and_refused_as_they_were() {
    let mut seen = [0, 0];
    for line in include_str!("../vectors/header.txt").lines().filter(|line| !line.starts_with('#')) {
        let (values, meaning) = line.split_once(' ').expect("hex, then meaning");
        let values: Vec<Vec<u8>> = values.split(',').map(from_hex).collect();
        let read = header::read(&headers(&values));
        if let Some(why) = meaning.strip_prefix("refused=") {
            assert_eq!(read.map_err(reason), Err(why), "{line}");
            seen[1] += 1;
        } else {
            let number = |name: &str| -> u64 {
                let word = meaning.split(' ').find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
                word.and_then(|word| word.parse().ok()).unwrap_or_else(|| panic!("no {name} in {line}"))
            };
            let counter = u32::try_from(number("counter")).unwrap();
            let timestamp = Timestamp::from_parts(number("physical"), counter).unwrap();
            let expected = timestamp.at_node(NodeId::new(number("node")).unwrap());
            assert_eq!(read, Ok(Some(expected)), "{line}");
            seen[0] += 1;
        }
    }
    assert!(seen[0] >= 5 && seen[1] >= 20, "{seen:?} cases");
}

fn from_hex(hex: &str) -> Vec<u8> {
    let hex = if hex == "-" { "" } else { hex };
    let byte = |two: &[u8]| u8::from_str_radix(str::from_utf8(two).unwrap(), 16).unwrap();
    hex.as_bytes().chunks(2).map(byte).collect()
}

/// One row for each thing that is refused, so that none of them can be lost from the vectors unseen.
#[test]
fn everything_but_the_one_form_is_refused_by_its_name() {
    let good = "018bcfe568000007-000000000000002a";
    let joined = format!("{good}, {good}");
    let rows: [(&str, &[u8], &str); 18] = [
        ("empty", b"", "Length"),
        ("short", b"018bcfe568000007-000000000000002", "Length"),
        ("a timestamp alone", b"018bcfe568000007", "Length"),
        ("long", b"018bcfe568000007-000000000000002a0", "Oversized"),
        ("two joined by a comma", joined.as_bytes(), "Oversized"),
        ("an envelope in hex", b"01018bcfe568000007000000000000002a", "Oversized"),
        ("quoted", b"\"018bcfe568000007-000000000000002a\"", "Oversized"),
        ("a parameter", b"018bcfe568000007-000000000000002a;q=1", "Oversized"),
        ("long and non-ASCII", &[0xff; 34], "Oversized"),
        ("short and non-ASCII", "\u{e9}".as_bytes(), "NonAscii"),
        ("non-ASCII", "018bcfe5680000\u{e9}-000000000000002a".as_bytes(), "NonAscii"),
        ("upper case", b"018BCFE568000007-000000000000002a", "Digit"),
        ("plus sign", b"+18bcfe568000007-000000000000002a", "Digit"),
        ("space inside", b"018bcfe568000007- 00000000000002a", "Digit"),
        ("other separator", b"018bcfe568000007_000000000000002a", "Separator"),
        ("zero timestamp", b"0000000000000000-000000000000002a", "ZeroTimestamp"),
        ("node id of 2^58", b"018bcfe568000007-0400000000000000", "NodeId"),
        ("node id of 2^64-1", b"018bcfe568000007-ffffffffffffffff", "NodeId"),
    ];
    for (what, value, expected) in rows {
        assert_eq!(header::read(&headers(&[value])).map_err(reason), Err(expected), "{what}");
    }
    assert_eq!(header::read(&headers(&[good])).map_err(reason), Ok(Some(good.parse().unwrap())));
}

#[test]
fn a_repeated_header_is_refused_whatever_its_values() {
    let good = ahead(0).to_text();
    for values in [vec![&good[..], &good[..]], vec![&good, b""], vec![b"", &good], vec![b"", b"", b""]] {
        assert_eq!(header::read(&headers(&values)), Err(HeaderError::Repeated), "{values:?}");
    }
}

#[test]
fn a_stamp_that_is_written_takes_the_place_of_all_that_was_there() {
    let mut headers = headers(&["", "x", "018bcfe568000007-000000000000002a"]);
    header::insert(&mut headers, ahead(5)).unwrap();
    assert_eq!(values(&headers), [HeaderValue::from_bytes(&ahead(5).to_text()).unwrap()]);
}

#[test]
fn a_map_without_room_is_left_as_it_was() {
    let mut headers = full();
    let before = headers.len();
    assert!(header::insert(&mut headers, ahead(0)).is_err());
    assert_eq!((headers.len(), header::read(&headers)), (before, Ok(None)));
}

#[test]
fn errors_say_what_is_wrong_and_where() {
    let said = |value: &[u8]| header::read(&headers(&[value])).unwrap_err().to_string();
    assert_eq!(said(&[b'0'; 34]), "header hlc-stamp: value of 34 bytes, a stamp has 33");
    assert_eq!(said(b"0\xff"), "header hlc-stamp: byte 1 is outside ASCII");
    assert_eq!(said(b"0"), "header hlc-stamp: 1 bytes where the form has 33");
    let twice = header::read(&headers(&["", ""])).unwrap_err();
    assert_eq!(twice.to_string(), "header hlc-stamp: more than one value");
    let full = header::insert(&mut full(), ahead(0)).unwrap_err();
    assert_eq!(full.to_string(), "message has as many headers as the map can hold");

    let HeaderError::Oversized(error) = header::read(&headers(&[[b'0'; 40]])).unwrap_err() else {
        panic!("40 bytes are no stamp")
    };
    assert_eq!(error.actual(), 40);
    let HeaderError::NonAscii(error) = header::read(&headers(&[b"018b\xff\xff"])).unwrap_err() else {
        panic!("a byte is outside ASCII")
    };
    assert_eq!(error.at(), 4, "the first of them");
}

/// Values that look much like a stamp, and some that do not.
pub(crate) fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => "[0-9a-f]{16}-0[0-3][0-9a-f]{14}".prop_map(String::into_bytes),
        2 => "[0-9a-gA-F +-]{15,17}[-_][0-9a-g]{15,17}".prop_map(String::into_bytes),
        1 => "0{16}-[0-9a-f]{16}".prop_map(String::into_bytes),
        1 => proptest::collection::vec(0x80_u8..=0xff, 0..40),
        1 => proptest::collection::vec(0x20_u8..0x7f, 0..200),
    ]
}

proptest! {
    #[test]
    fn any_value_is_refused_or_is_the_one_form_of_a_stamp(value in value()) {
        let before = headers(&[&value]);
        match header::read(&before) {
            Ok(read) => {
                prop_assert_eq!(refused_by_the_format(&value), None);
                let mut written = HeaderMap::new();
                header::insert(&mut written, read.unwrap()).unwrap();
                prop_assert_eq!(written, before);
            }
            Err(error) => prop_assert_eq!(Some(reason(error)), refused_by_the_format(&value)),
        }
    }

    #[test]
    fn every_stamp_comes_back_from_the_header(bits in 1..=u64::MAX, id in any::<u64>()) {
        let sent = Timestamp::from_bits(bits).unwrap().at_node(NodeId::from_random_bits(id));
        let mut headers = HeaderMap::new();
        header::insert(&mut headers, sent).unwrap();
        prop_assert_eq!(stamp(&headers), sent);
    }
}

//! Through serde: text where people read, integers elsewhere, always validated.

use std::collections::HashMap;

use hlc::{
    NodeId, Packed, Stamp, Timestamp,
    layout::{Micros52, Ntp60, Unix48},
};
use proptest::prelude::*;
use serde_core::{Serialize, de::DeserializeOwned};

use crate::wire::table;

fn example() -> Stamp {
    Timestamp::from_parts(1_700_000_000_000, 7).unwrap().at_node(NodeId::new(42).unwrap())
}

#[test]
fn json_carries_text() {
    let stamp = example();
    let json = |value: &Stamp| serde_json::to_string(value).unwrap();
    assert_eq!(json(&stamp), r#""018bcfe568000007-000000000000002a""#);
    assert_eq!(serde_json::to_string(&stamp.timestamp()).unwrap(), r#""018bcfe568000007""#);
    assert_eq!(serde_json::to_string(stamp.node()).unwrap(), r#""000000000000002a""#);
    assert_eq!(serde_json::from_str::<Stamp>(&json(&stamp)).unwrap(), stamp);
}

#[test]
fn json_keys_and_absent_stamps_work() {
    for (value, json) in [
        (Some(Timestamp::MAX), r#"{"018bcfe568000007-000000000000002a":"ffffffffffffffff"}"#),
        (None, r#"{"018bcfe568000007-000000000000002a":null}"#),
    ] {
        let map = HashMap::from([(example(), value)]);
        assert_eq!(serde_json::to_string(&map).unwrap(), json);
        assert_eq!(serde_json::from_str::<HashMap<Stamp, Option<Timestamp>>>(json).unwrap(), map);
    }
}

#[test]
fn json_refuses_a_number_and_everything_else_that_is_no_text() {
    for json in [
        "1",
        "111264200947924999",
        "1.5",
        "-1",
        "true",
        "null",
        "[1]",
        "[1,2]",
        "{}",
        r#"["018bcfe568000007"]"#,
    ] {
        let timestamp = serde_json::from_str::<Timestamp>(json).unwrap_err().to_string();
        assert!(
            timestamp.contains("expected a timestamp of 16 lower-case hexadecimal digits"),
            "{timestamp}"
        );
        let node = serde_json::from_str::<NodeId>(json).unwrap_err().to_string();
        assert!(node.contains("expected a node id of 16 lower-case hexadecimal digits"), "{node}");
        let stamp = serde_json::from_str::<Stamp>(json).unwrap_err().to_string();
        assert!(stamp.contains("expected a stamp of twice 16 lower-case"), "{stamp}");
    }
}

#[test]
fn json_text_is_validated_as_all_text_is() {
    let refused = |json: &str| serde_json::from_str::<Stamp>(json).unwrap_err().to_string();
    let rows = [
        (r#""018BCFE568000007-000000000000002a""#, "byte 3 is not a lower-case hexadecimal digit"),
        (r#""018bcfe568000007""#, "16 bytes where the form has 33"),
        (r#""0000000000000000-000000000000002a""#, "timestamp is zero"),
        (r#""018bcfe568000007-0400000000000000""#, "does not fit 58 bits"),
        (r#""018bcfe568000007_000000000000002a""#, "not joined by a single '-'"),
        (r#""""#, "0 bytes"),
    ];
    for (json, why) in rows {
        assert!(refused(json).contains(why), "{json}: {}", refused(json));
    }
    assert!(serde_json::from_str::<Timestamp>(r#""0000000000000000""#).is_err());
    assert!(serde_json::from_str::<NodeId>(r#""0400000000000000""#).is_err());
}

#[test]
fn postcard_carries_integers() {
    let stamp = example();
    let bits = postcard::to_allocvec(&stamp.timestamp().to_bits()).unwrap();
    assert_eq!(postcard::to_allocvec(&stamp.timestamp()).unwrap(), bits);
    assert_eq!(postcard::to_allocvec(stamp.node()).unwrap(), [42]);
    assert_eq!(postcard::to_allocvec(&stamp).unwrap(), [bits, vec![42]].concat());
}

#[test]
fn postcard_refuses_what_bytes_refuse() {
    let pair = |timestamp: u64, node: u64| postcard::to_allocvec(&(timestamp, node)).unwrap();
    let read = |bytes: &[u8]| postcard::from_bytes::<Stamp>(bytes);
    assert_eq!(read(&pair(1, 0)), Ok(Timestamp::MIN.at_node(NodeId::MIN)));
    assert!(read(&pair(0, 42)).is_err(), "zero timestamp");
    assert!(read(&pair(1, (1 << 58) - 1)).is_ok());
    assert!(read(&pair(1, 1 << 58)).is_err(), "node id of 2^58");
    assert!(read(&pair(u64::MAX, u64::MAX)).is_err());
    assert!(read(&pair(1, 42)[..1]).is_err(), "half a stamp");
    let one = |number: u64| postcard::to_allocvec(&number).unwrap();
    assert!(postcard::from_bytes::<Timestamp>(&one(0)).is_err());
    assert!(postcard::from_bytes::<NodeId>(&one(1 << 58)).is_err());
    assert_eq!(postcard::from_bytes::<NodeId>(&one((1 << 58) - 1)), Ok(NodeId::MAX));
}

/// What CBOR makes of a value.
fn cbor<T: Serialize>(value: &T) -> Vec<u8> {
    let mut bytes = vec![];
    ciborium::into_writer(value, &mut bytes).unwrap();
    bytes
}

/// The value, and how many bytes were left behind it.
fn from_cbor<T: DeserializeOwned>(mut bytes: &[u8]) -> Option<(T, usize)> {
    let value = ciborium::from_reader(&mut bytes).ok()?;
    Some((value, bytes.len()))
}

#[test]
fn cbor_carries_integers() {
    // RFC 8949: 0x1b and eight bytes, 0x18 and one, an array of two.
    let bits = [&[0x1b][..], &example().timestamp().to_bytes()].concat();
    assert_eq!(cbor(&example().timestamp()), bits);
    assert_eq!(cbor(example().node()), [0x18, 42]);
    assert_eq!(cbor(&example()), [&[0x82][..], &bits, &[0x18, 42]].concat());
}

#[test]
fn cbor_is_refused_with_what_was_expected() {
    let rows: [(&[u8], &str); 4] = [
        (&[0x80], "invalid length 0, expected a pair of a timestamp and a node id"),
        (&[0x81, 1], "invalid length 1, expected a pair of a timestamp and a node id"),
        (&[0x83, 1, 0, 0], "more than a timestamp and a node id"),
        (&[0x82, 0, 0], "timestamp is zero, which stands for none"),
    ];
    for (bytes, expected) in rows {
        let why = ciborium::from_reader::<Stamp, _>(bytes).unwrap_err().to_string();
        assert!(why.contains(expected), "{bytes:x?}: {why}");
    }
}

#[test]
fn cbor_refuses_what_is_no_stamp() {
    let whole =
        |bytes: &[u8]| from_cbor::<Stamp>(bytes).filter(|(_, left)| *left == 0).map(|(stamp, _)| stamp);
    assert_eq!(whole(&[0x82, 1, 0]), Some(Timestamp::MIN.at_node(NodeId::MIN)));
    let text = cbor(&"018bcfe568000007-000000000000002a");
    let ahead_of_its_end = [&[0x9b][..], &[0xff; 8], &[1, 0]].concat();
    let rows: [(&str, &[u8]); 14] = [
        ("nothing", &[]),
        ("a zero timestamp", &[0x82, 0, 0]),
        ("a node id of 2^58", &[0x82, 1, 0x1b, 4, 0, 0, 0, 0, 0, 0, 0]),
        ("a negative number", &[0x82, 0x20, 0]),
        ("a float", &[0x82, 0xf9, 0x3c, 0, 0]),
        ("null", &[0xf6]),
        ("half a pair", &[0x82, 1]),
        ("an array of one", &[0x81, 1]),
        ("an array of three", &[0x83, 1, 0, 0]),
        ("an array that says that it has 2^64-1", &ahead_of_its_end),
        ("a map", &[0xa1, 1, 0]),
        ("the text form", &text),
        ("its sixteen bytes", &[0x50, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]),
        ("one number", &[1]),
    ];
    for (what, bytes) in rows {
        assert_eq!(whole(bytes), None, "{what}");
    }
    assert_eq!(from_cbor::<Timestamp>(&[0]), None);
    assert_eq!(from_cbor::<Timestamp>(&cbor(&"018bcfe568000007")), None);
    assert_eq!(from_cbor::<NodeId>(&cbor(&(1_u64 << 58))), None);
    assert_eq!(from_cbor::<NodeId>(&cbor(&((1_u64 << 58) - 1))), Some((NodeId::MAX, 0)));
}

#[test]
fn the_sizes_of_the_format_are_what_is_written() {
    fn sizes<T: Serialize>(bytes: usize, text: usize, value: &T) -> [usize; 5] {
        let postcard = postcard::to_allocvec(value).unwrap().len();
        [bytes, text, postcard, cbor(value).len(), serde_json::to_string(value).unwrap().len()]
    }
    let rows = table("Sizes");
    for value in ["timestamp", "stamp"] {
        assert!(rows.iter().any(|row| row[3] == value), "a row of a {value}");
    }
    for row in rows {
        let [physical, counter, node]: [u64; 3] = [0, 1, 2].map(|cell: usize| row[cell].parse().unwrap());
        let stamp = crate::vectors::parts::<Unix48>(physical, counter).at_node(NodeId::new(node).unwrap());
        let timestamp = stamp.timestamp();
        let written = match row[3].as_str() {
            "timestamp" => sizes(timestamp.to_bytes().len(), timestamp.to_string().len(), &timestamp),
            "stamp" => sizes(stamp.to_bytes().len(), stamp.to_string().len(), &stamp),
            other => panic!("FORMAT.md has sizes of {other}"),
        };
        assert_eq!(row[4..], written.map(|size| size.to_string()), "{row:?}");
    }
}

proptest! {
    #[test]
    fn cbor_bytes_are_refused_or_mean_a_valid_stamp(
        pair in any::<bool>(),
        bytes in prop::collection::vec(any::<u8>(), 0..24),
    ) {
        let bytes = if pair { [vec![0x82], bytes].concat() } else { bytes };
        if let Some((stamp, _)) = from_cbor::<Stamp>(&bytes) {
            prop_assert!(stamp.node().as_u64() < 1 << 58);
            prop_assert_eq!(from_cbor::<Stamp>(&cbor(&stamp)), Some((stamp, 0)));
        }
    }

    #[test]
    fn every_stamp_of_every_layout_comes_back(bits in 1..=u64::MAX, id in any::<u64>()) {
        let node = NodeId::from_random_bits(id);
        let default = Timestamp::from_bits(bits).unwrap().at_node(node);
        let json = serde_json::to_string(&default).unwrap();
        prop_assert_eq!(serde_json::from_str::<Stamp>(&json).unwrap(), default);
        prop_assert_eq!(postcard::from_bytes::<Stamp>(&postcard::to_allocvec(&default).unwrap()), Ok(default));

        prop_assert_eq!(from_cbor::<Stamp>(&cbor(&default)), Some((default, 0)));
        prop_assert_eq!(from_cbor::<Timestamp>(&cbor(&default.timestamp())), Some((default.timestamp(), 0)));

        let other = Packed::<Micros52>::from_bits(bits).unwrap().at_node(node);
        prop_assert_eq!(
            postcard::from_bytes::<Stamp<NodeId, Micros52>>(&postcard::to_allocvec(&other).unwrap()),
            Ok(other)
        );
        prop_assert_eq!(from_cbor::<Stamp<NodeId, Micros52>>(&cbor(&other)), Some((other, 0)));
        let alone = Packed::<Ntp60>::from_bits(bits).unwrap();
        let json = serde_json::to_string(&alone).unwrap();
        prop_assert_eq!(serde_json::from_str::<Packed<Ntp60>>(&json).unwrap(), alone);
        prop_assert_eq!(postcard::from_bytes::<NodeId>(&postcard::to_allocvec(&node).unwrap()), Ok(node));
    }

    #[test]
    fn postcard_bytes_are_refused_or_mean_a_valid_stamp(bytes in prop::collection::vec(any::<u8>(), 0..24)) {
        if let Ok(stamp) = postcard::from_bytes::<Stamp>(&bytes) {
            prop_assert!(stamp.node().as_u64() < 1 << 58);
            prop_assert!(stamp.timestamp().to_bits() > 0);
        }
    }
}

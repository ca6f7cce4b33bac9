//! Through serde: text where people read, integers elsewhere, always validated.

use std::collections::HashMap;

use hlc::{
    NodeId, Packed, Stamp, Timestamp,
    layout::{Micros52, Ntp60},
};
use proptest::prelude::*;

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

proptest! {
    #[test]
    fn every_stamp_of_every_layout_comes_back(bits in 1..=u64::MAX, id in any::<u64>()) {
        let node = NodeId::from_random_bits(id);
        let default = Timestamp::from_bits(bits).unwrap().at_node(node);
        let json = serde_json::to_string(&default).unwrap();
        prop_assert_eq!(serde_json::from_str::<Stamp>(&json).unwrap(), default);
        prop_assert_eq!(postcard::from_bytes::<Stamp>(&postcard::to_allocvec(&default).unwrap()), Ok(default));

        let other = Packed::<Micros52>::from_bits(bits).unwrap().at_node(node);
        prop_assert_eq!(
            postcard::from_bytes::<Stamp<NodeId, Micros52>>(&postcard::to_allocvec(&other).unwrap()),
            Ok(other)
        );
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

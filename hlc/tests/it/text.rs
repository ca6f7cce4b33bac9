//! Text is read exactly as it is written, and nothing else is.

use core::str::FromStr;

use hlc::{
    NodeId, Packed, PhysicalTime, Stamp, TextError, Timestamp,
    layout::{Micros52, Millis42Y2022, Millis46, Ntp48, Ntp60, Secs32},
};
use proptest::prelude::*;

use crate::vectors::{Case, cases};

fn reason(error: TextError) -> (&'static str, Option<usize>) {
    match error {
        TextError::Length(_) => ("length", None),
        TextError::Digit(bad) => ("digit", Some(bad.at())),
        TextError::Separator => ("separator", None),
        TextError::ZeroTimestamp => ("zero-timestamp", None),
        TextError::NodeId(_) => ("node-id", None),
        _ => ("a reason that the vectors do not know", None),
    }
}

/// Reads the case as bytes and, where it can be a `str`, as one: both must do what the line says.
fn check<T>(case: &Case, from_text: fn(&[u8]) -> Result<T, TextError>, expected: impl Fn(&Case) -> T)
where
    T: FromStr<Err = TextError> + ToString + PartialEq + core::fmt::Debug,
{
    let as_str = str::from_utf8(&case.bytes).ok().map(T::from_str);
    for read in [Some(from_text(&case.bytes)), as_str].into_iter().flatten() {
        match (read, case.refused()) {
            (Ok(value), None) => {
                assert_eq!(value, expected(case), "{}", case.line);
                assert_eq!(value.to_string().as_bytes(), case.bytes, "{}", case.line);
            }
            (Err(error), Some(why)) => {
                let at = (why == "digit").then(|| usize::try_from(case.number("at")).unwrap());
                assert_eq!(reason(error), (why, at), "{}", case.line);
            }
            (read, _) => panic!("{read:?}, but {}", case.line),
        }
    }
}

#[test]
fn texts_are_read_and_refused_as_they_were() {
    for case in cases(include_str!("../vectors/text.txt")) {
        if case.is("timestamp") {
            check(&case, Timestamp::from_text, Case::timestamp);
        } else if case.is("node") {
            check(&case, NodeId::from_text, Case::node);
        } else {
            assert!(case.is("stamp"), "{}", case.line);
            check(&case, Stamp::from_text, Case::stamp);
        }
    }
}

/// One row for each thing that is refused, so that none of them can be lost from the vectors unseen.
#[test]
fn everything_but_the_one_form_is_refused() {
    let rows = [
        ("upper case", "018BCFE568000007-000000000000002a", ("digit", Some(3))),
        ("plus sign", "+18bcfe568000007-000000000000002a", ("digit", Some(0))),
        ("minus sign", "018bcfe568000007--00000000000002a", ("digit", Some(17))),
        ("0x", "0x18bcfe56800007-000000000000002a", ("digit", Some(1))),
        ("leading space", " 18bcfe568000007-000000000000002a", ("digit", Some(0))),
        ("trailing space", "018bcfe568000007-000000000000002 ", ("digit", Some(32))),
        ("space around", " 018bcfe568000007-000000000000002a ", ("length", None)),
        ("line end", "018bcfe568000007-000000000000002a\n", ("length", None)),
        ("short", "018bcfe568000007-000000000000002", ("length", None)),
        ("long", "018bcfe568000007-000000000000002a0", ("length", None)),
        ("empty", "", ("length", None)),
        ("non-ASCII", "018bcfe5680000\u{e9}-000000000000002a", ("digit", Some(14))),
        ("digit of another script", "018bcfe568000007-00000000000000\u{661}", ("digit", Some(31))),
        ("no separator", "018bcfe5680000070000000000000002a", ("separator", None)),
        ("other separator", "018bcfe568000007_000000000000002a", ("separator", None)),
        ("doubled separator", "018bcfe568000007--000000000000002a", ("length", None)),
        ("separator too early", "018bcfe56800000-07000000000000002a", ("length", None)),
        ("zero timestamp", "0000000000000000-000000000000002a", ("zero-timestamp", None)),
        ("node id of 2^58", "018bcfe568000007-0400000000000000", ("node-id", None)),
        ("node id of 2^64-1", "018bcfe568000007-ffffffffffffffff", ("node-id", None)),
    ];
    for (what, text, expected) in rows {
        assert_eq!(text.parse::<Stamp>().map_err(reason), Err(expected), "{what}");
    }
}

#[test]
fn a_digit_is_bad_at_the_same_place_in_every_form() {
    for bad in (0..=u8::MAX).filter(|byte| !matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        for at in (0..33).filter(|&at| at != 16) {
            let mut text = Timestamp::MAX.at_node(NodeId::MAX).to_text();
            text[at] = bad;
            let refused = Err(("digit", Some(at)));
            assert_eq!(
                Stamp::<NodeId>::from_text(&text).map(drop).map_err(reason),
                refused,
                "{bad:#x} at {at}"
            );
            if at < 16 {
                assert_eq!(Timestamp::from_text(&text[..16]).map(drop).map_err(reason), refused);
            }
        }
    }
}

proptest! {
    #[test]
    fn every_stamp_comes_back_from_its_text(bits in 1..=u64::MAX, id in any::<u64>()) {
        let stamp = Timestamp::from_bits(bits).unwrap().at_node(NodeId::from_random_bits(id));
        let timestamp = stamp.timestamp();
        prop_assert_eq!(stamp.to_string(), format!("{:016x}-{:016x}", bits, stamp.node().as_u64()));
        prop_assert_eq!(Stamp::from_text(&stamp.to_text()), Ok(stamp));
        prop_assert_eq!(stamp.encode_text(&mut [0; 33]).to_owned(), stamp.to_string());
        prop_assert_eq!(timestamp.to_string().parse(), Ok(timestamp));
        prop_assert_eq!(timestamp.encode_text(&mut [0; 16]).to_owned(), timestamp.to_string());
        prop_assert_eq!(stamp.node().to_string().parse(), Ok(*stamp.node()));
        prop_assert_eq!(stamp.node().encode_text(&mut [0; 16]).to_owned(), stamp.node().to_string());
    }

    #[test]
    fn any_text_is_refused_or_comes_back_the_same(text in "[0-9a-fA-Fx+ -]{14,18}(-[0-9a-f]{15,17})?") {
        if let Ok(stamp) = text.parse::<Stamp>() {
            prop_assert_eq!(stamp.to_string(), text);
        } else if let Ok(timestamp) = text.parse::<Timestamp>() {
            prop_assert_eq!(timestamp.to_string(), text);
        }
    }
}

#[test]
fn text_fills_a_width_as_text_does() {
    assert_eq!(
        format!("{:>18}|{:<17}|", Timestamp::MIN, NodeId::MIN),
        "  0000000000000001|0000000000000000 |"
    );
    assert_eq!(format!("{:.4}", Timestamp::MAX.at_node(NodeId::MAX)), "ffff");
}

#[test]
fn the_human_form_shows_the_moment_and_the_counter_in_every_layout() {
    let time = PhysicalTime::new(1_709_210_096, 789_012_345).unwrap();
    let human = [
        Timestamp::first_at(time).unwrap().human().to_string(),
        Packed::<Micros52>::first_at(time).unwrap().human().to_string(),
        Packed::<Ntp48>::first_at(time).unwrap().human().to_string(),
        Packed::<Ntp60>::first_at(time).unwrap().human().to_string(),
        Packed::<Millis46>::last_at(time).unwrap().human().to_string(),
        Packed::<Millis42Y2022>::last_at(time).unwrap().human().to_string(),
        Packed::<Secs32>::last_at(time).unwrap().human().to_string(),
    ];
    let expected = [
        "2024-02-29T12:34:56.789Z+0",
        "2024-02-29T12:34:56.789012Z+0",
        "2024-02-29T12:34:56.789016Z+0",
        "2024-02-29T12:34:56.789012343Z+0",
        "2024-02-29T12:34:56.789Z+262143",
        "2024-02-29T12:34:56.789Z+4194303",
        "2024-02-29T12:34:56Z+4294967295",
    ];
    assert_eq!(human, expected);
}

#[test]
fn debug_shows_layout_parts_and_node() {
    let stamp = Timestamp::from_parts(5, 7).unwrap().at_node(NodeId::new(0x2a).unwrap());
    assert_eq!(format!("{stamp:?}"), "Unix48(5, 7)@NodeId(0x2a)");
}

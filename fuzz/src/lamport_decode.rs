//! Every decoder and parser of `lamport`: any bytes are refused, or are the one encoding of a value.

use lamport::{EnvelopeError, Stamp, Time};

use crate::bounds::{Bound, bounded};
use crate::serde_forms::{PLAIN, any_format};

pub fn run(data: &[u8]) {
    bounded(Bound::NOTHING, data.len(), || {
        let text = core::str::from_utf8(data).unwrap_or_default();
        let _parsed = (text.parse::<Time>(), text.parse::<Stamp<u64>>(), Stamp::from_envelope(data));
    });
    text(data);
    bytes(data);
    serde(data);
}

/// What is accepted is 16 lower-case digits (and 16 more after a `-`), and writes back as it was.
fn text(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else { return };
    let is_group = |group: &[u8]| {
        group.len() == Time::TEXT_BYTES && group.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    };
    match text.parse::<Time>() {
        Ok(time) => assert!(is_group(data) && time.to_string() == text),
        Err(_) => assert!(!is_group(data), "a time in its one form was refused"),
    }
    let is_stamp = data.len() == Stamp::<u64>::TEXT_BYTES
        && is_group(&data[..16])
        && data[16] == b'-'
        && is_group(&data[17..]);
    match text.parse::<Stamp<u64>>() {
        Ok(stamp) => assert!(is_stamp && stamp.to_string() == text),
        Err(_) => assert!(!is_stamp, "a stamp in its one form was refused"),
    }
}

fn bytes(data: &[u8]) {
    match Stamp::from_envelope(data) {
        Ok(stamp) => assert_eq!(stamp.to_envelope(), data),
        Err(EnvelopeError::Version { found }) => assert!(found != 1 && data.first() == Some(&found)),
        Err(EnvelopeError::Length { found, expected }) => {
            assert!(found == data.len() && found != expected && data.first().is_none_or(|&v| v == 1));
        }
        Err(why) => panic!("{why}"),
    }
    let Some((&first, rest)) = data.split_first_chunk::<16>() else { return };
    let stamp = Stamp::from_bytes(first);
    assert_eq!(stamp.to_bytes(), first);
    assert_eq!(Time::from_bytes(stamp.time().to_bytes()), stamp.time());
    // Two stamps at a time: value, byte and text order are one.
    if let Some((&second, _)) = rest.split_first_chunk::<16>() {
        let other = Stamp::from_bytes(second);
        assert_eq!(stamp.cmp(&other), first.cmp(&second));
        assert_eq!(stamp.cmp(&other), stamp.to_string().cmp(&other.to_string()));
        assert_eq!(stamp.time().cmp(&other.time()), first[..8].cmp(&second[..8]));
    }
}

fn serde(data: &[u8]) {
    any_format::<Time>(PLAIN, data);
    any_format::<Stamp<u64>>(PLAIN, data);
    if let Ok(time) = postcard::from_bytes::<Time>(data) {
        assert_eq!(postcard::to_allocvec(&time), postcard::to_allocvec(&time.get()));
    }
}

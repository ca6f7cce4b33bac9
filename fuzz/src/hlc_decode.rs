//! Every decoder and parser of `hlc`: any bytes are refused, or are the one encoding of a value.

use hlc::{
    DecodeError, NodeId, Packed, Stamp, StampBytes, Timestamp,
    layout::{Layout, Micros52, Millis42Y2022, Millis46, Ntp48, Ntp60, Secs32, Unix48},
};
use uuid::Uuid;

use crate::bounds::{Bound, bounded};
use crate::serde_forms::{PLAIN, any_format};

pub fn run(data: &[u8]) {
    bounded(Bound::NOTHING, data.len(), || decoded(data));
    text(data);
    bytes(data);
    serde(data);
    uuid(data);
    layout::<Unix48>(data);
    layout::<Micros52>(data);
    layout::<Ntp48>(data);
    layout::<Ntp60>(data);
    layout::<Millis46>(data);
    layout::<Millis42Y2022>(data);
    layout::<Secs32>(data);
}

/// Neither a value nor an error is on the heap.
fn decoded(data: &[u8]) {
    let text = core::str::from_utf8(data).unwrap_or_default();
    let _parsed = (text.parse::<Timestamp>(), text.parse::<Stamp>(), text.parse::<NodeId>());
    let _read = (Timestamp::from_text(data), Stamp::<NodeId>::from_text(data), NodeId::from_text(data));
    let _decoded = Stamp::<NodeId>::from_envelope(data);
    if let Some((&bytes, _)) = data.split_first_chunk::<16>() {
        let _read = (Stamp::<NodeId>::from_bytes(bytes), Stamp::<NodeId>::from_uuid(Uuid::from_bytes(bytes)));
    }
}

/// What is accepted is 16 lower-case digits (and 16 more after a `-`), and writes back as it was.
fn text(data: &[u8]) {
    let digits = |group: &[u8]| group.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let is_timestamp = data.len() == 16 && digits(data) && data.iter().any(|&b| b != b'0');
    match Timestamp::from_text(data) {
        Ok(stamp) => assert!(is_timestamp && stamp.to_text() == data),
        Err(_) => assert!(!is_timestamp),
    }
    match Stamp::<NodeId>::from_text(data) {
        Ok(stamp) => assert_eq!(stamp.to_text(), data),
        Err(_) => {
            let two = data.len() == 33 && data[16] == b'-' && digits(&data[..16]) && digits(&data[17..]);
            let valid = two && data[..16].iter().any(|&b| b != b'0') && &data[17..19] < b"04".as_slice();
            assert!(!valid, "a stamp in its one form was refused");
        }
    }
    if let Ok(text) = core::str::from_utf8(data) {
        assert_eq!(text.parse::<Timestamp>().is_ok(), is_timestamp);
        assert_eq!(text.parse::<Stamp>(), Stamp::from_text(data));
        if let Ok(node) = text.parse::<NodeId>() {
            assert_eq!(node.to_string(), text);
        }
    }
}

fn bytes(data: &[u8]) {
    if let Some((&first, _)) = data.split_first_chunk::<8>()
        && let Ok(node) = NodeId::from_bytes(first)
    {
        assert!(node.to_bytes() == first && node <= NodeId::MAX);
    }
    match Stamp::<NodeId>::from_envelope(data) {
        Ok(stamp) => assert_eq!(stamp.to_envelope(), data),
        Err(DecodeError::Version(error)) => assert_eq!(data.first(), Some(&error.version())),
        Err(DecodeError::Length(error)) => assert!(error.actual() == data.len() && data.len() != 17),
        Err(_) => assert_eq!((data.len(), data.first()), (17, Some(&1))),
    }
    if let Some((&first, rest)) = data.split_first_chunk::<16>() {
        let unchecked = StampBytes::<Unix48>::from_bytes(first);
        assert_eq!(unchecked.to_stamp(), Stamp::from_bytes(first));
        if let Some((&second, _)) = rest.split_first_chunk::<16>() {
            assert_eq!(unchecked.cmp(&StampBytes::from_bytes(second)), first.cmp(&second));
        }
    }
    if let Some((&first, rest)) = data.split_first_chunk::<16>()
        && let Ok(stamp) = Stamp::<NodeId>::from_bytes(first)
    {
        assert_eq!(stamp.to_bytes(), first);
        // Two stamps at a time: value, byte and text order are one.
        if let Some((&second, _)) = rest.split_first_chunk::<16>()
            && let Ok(other) = Stamp::<NodeId>::from_bytes(second)
        {
            assert_eq!(stamp.cmp(&other), first.cmp(&second));
            assert_eq!(stamp.cmp(&other), stamp.to_text().cmp(&other.to_text()));
            assert_eq!(stamp.cmp(&other), Uuid::from(stamp).cmp(&Uuid::from(other)));
        }
    }
}

fn serde(data: &[u8]) {
    any_format::<Stamp>(PLAIN, data);
    any_format::<Timestamp>(PLAIN, data);
    any_format::<Packed<Ntp60>>(PLAIN, data);
    any_format::<NodeId>(PLAIN, data);
}

fn uuid(data: &[u8]) {
    let Some((&bytes, _)) = data.split_first_chunk::<16>() else { return };
    let uuid = Uuid::from_bytes(bytes);
    if let Ok(stamp) = Stamp::<NodeId>::try_from(uuid) {
        assert_eq!(Uuid::from(stamp), uuid);
        assert_eq!(uuid.get_version_num(), 7);
    }
}

/// Conversions between bits, parts and time are total and agree with each other.
fn layout<L: Layout>(data: &[u8]) {
    let Some((&bytes, _)) = data.split_first_chunk::<8>() else { return };
    let Ok(stamp) = Packed::<L>::from_bytes(bytes) else {
        assert_eq!(bytes, [0; 8]);
        return;
    };
    assert_eq!(Packed::from_parts(stamp.physical_units(), stamp.counter()), Ok(stamp));
    let time = stamp.physical_time();
    if let (Some(first), Some(last)) = (Packed::<L>::first_at(time), Packed::<L>::last_at(time)) {
        assert!(first <= stamp && stamp <= last, "a stamp lies in the unit of its physical time");
    }
    if let Some(next) = stamp.checked_next() {
        assert!(next > stamp && next.checked_prev() == Some(stamp));
        assert!(next.duration_since(stamp).is_some() && stamp.duration_since(next).is_none());
    }
    let _ = (stamp.human().to_string(), stamp.to_system_time());
}

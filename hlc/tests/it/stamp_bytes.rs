//! `StampBytes` in a header: no padding, any bytes, checked when it becomes a stamp.

use core::mem::offset_of;

use hlc::{
    DecodeError, NodeId, Stamp, StampBytes, Timestamp,
    layout::{Micros52, Unix48},
};
use proptest::prelude::*;

use crate::vectors::cases;

/// Fields of one byte before and behind it: where padding would be.
#[repr(C)]
struct Header<L: hlc::layout::Layout> {
    kind: u8,
    sent: StampBytes<L>,
    flags: u8,
}

#[test]
fn a_header_has_no_padding_because_of_it() {
    assert_eq!((size_of::<StampBytes>(), align_of::<StampBytes>()), (16, 1));
    assert_eq!((size_of::<Header<Unix48>>(), align_of::<Header<Unix48>>()), (18, 1));
    assert_eq!(offset_of!(Header<Micros52>, sent), 1);
    assert_eq!(offset_of!(Header<Micros52>, flags), 17);
    assert_eq!(size_of::<[StampBytes; 3]>(), 48);
}

#[test]
fn it_becomes_a_stamp_where_bytes_do_and_is_refused_where_they_are() {
    for case in cases(include_str!("../vectors/stamp.txt")) {
        let Ok(bytes) = <[u8; 16]>::try_from(case.bytes.as_slice()) else { continue };
        let unchecked = StampBytes::<Unix48>::from(bytes);
        assert_eq!(<[u8; 16]>::from(unchecked), bytes, "{}", case.line);
        assert_eq!(unchecked.as_bytes(), &bytes);
        assert_eq!(unchecked.as_ref(), bytes);
        match Stamp::try_from(unchecked) {
            Ok(stamp) => {
                assert_eq!((stamp, StampBytes::from(stamp)), (case.stamp(), unchecked), "{}", case.line)
            }
            Err(DecodeError::ZeroTimestamp) => {
                assert_eq!(case.refused(), Some("zero-timestamp"), "{}", case.line)
            }
            Err(DecodeError::NodeId(_)) => assert_eq!(case.refused(), Some("node-id"), "{}", case.line),
            Err(other) => panic!("{other:?}: {}", case.line),
        }
    }
}

#[test]
fn it_can_be_a_constant() {
    const SENT: StampBytes = StampBytes::from_bytes([1; 16]);
    const STAMP: Result<Stamp, DecodeError> = SENT.to_stamp();
    assert_eq!(STAMP.map(|stamp| stamp.to_bytes()), Ok([1; 16]));
    assert_eq!(format!("{SENT:?}"), "StampBytes(01010101010101010101010101010101)");
}

/// Code over any `T: Clone` does not know that it is `Copy`.
#[test]
fn its_clone_has_its_bytes() {
    fn clone_of<T: Clone>(value: &T) -> T {
        value.clone()
    }
    let sent = StampBytes::<Micros52>::from_bytes([7; 16]);
    assert_eq!(clone_of(&sent).to_bytes(), [7; 16]);
}

proptest! {
    #[test]
    fn any_bytes_are_refused_or_come_back_the_same(bytes in any::<[u8; 16]>(), valid in any::<bool>()) {
        let mut bytes = bytes;
        if valid {
            bytes[8] &= 0x03;
        }
        let unchecked = StampBytes::<Micros52>::from_bytes(bytes);
        prop_assert_eq!(unchecked.to_stamp(), Stamp::from_bytes(bytes));
        if let Ok(stamp) = unchecked.to_stamp() {
            prop_assert_eq!(StampBytes::from(stamp).to_bytes(), bytes);
        }
    }

    #[test]
    fn its_order_is_that_of_the_stamps(
        a in (1..=u64::MAX, any::<u64>()),
        b in (1..=u64::MAX, any::<u64>()),
        same in any::<bool>(),
    ) {
        let stamp = |(bits, id)| Timestamp::from_bits(bits).unwrap().at_node(NodeId::from_random_bits(id));
        let (a, b) = (stamp(a), stamp((if same { a.0 } else { b.0 }, b.1)));
        let (x, y) = (StampBytes::from(a), StampBytes::from(b));
        prop_assert_eq!(x.cmp(&y), a.cmp(&b));
        prop_assert_eq!(x.partial_cmp(&y), Some(a.cmp(&b)));
        prop_assert_eq!(x == y, a == b);
    }
}

/// Read in place, out of any bytes at any address.
#[cfg(feature = "zerocopy-0_8")]
#[test]
fn it_is_read_in_place_wherever_it_lies() {
    use hlc::Packed;
    use zerocopy::{FromBytes as _, FromZeros as _, IntoBytes as _};

    let buffer: Vec<u8> = (0..40).collect();
    for start in 0..24 {
        let sent = StampBytes::<Unix48>::ref_from_bytes(&buffer[start..start + 16]).unwrap();
        assert_eq!(sent.as_ref().as_ptr(), buffer[start..].as_ptr(), "not a copy");
        assert_eq!(sent.as_bytes().as_slice(), &buffer[start..start + 16]);
    }
    assert!(StampBytes::<Unix48>::ref_from_bytes(&buffer[..15]).is_err());
    assert!(StampBytes::<Unix48>::ref_from_bytes(&buffer[..17]).is_err());
    let stamp = Packed::<Micros52>::MAX.at_node(NodeId::MAX);
    assert_eq!(zerocopy::IntoBytes::as_bytes(&StampBytes::from(stamp)), stamp.to_bytes());
    let mut zero = StampBytes::<Micros52>::new_zeroed();
    assert_eq!(zero.to_stamp(), Err(DecodeError::ZeroTimestamp));
    zero.as_mut_bytes().copy_from_slice(&stamp.to_bytes());
    assert_eq!(zero.to_stamp(), Ok(stamp));
}

//! A stamp as a UUIDv7, and back.

use ::uuid::{Uuid, Variant};
use hlc::{NodeId, Stamp, Timestamp, UuidError};
use proptest::prelude::*;

use crate::vectors::cases;

#[test]
fn uuids_are_what_they_were() {
    for case in cases(include_str!("../vectors/uuid.txt")) {
        let uuid = Uuid::from_slice(&case.bytes).unwrap();
        match (Stamp::from_uuid(uuid), case.refused()) {
            (Ok(stamp), None) => {
                assert_eq!(stamp, case.stamp(), "{}", case.line);
                assert_eq!(stamp.to_uuid(), uuid, "{}", case.line);
            }
            (Err(UuidError::Variant), Some("variant"))
            | (Err(UuidError::ZeroTimestamp), Some("zero-timestamp")) => {}
            (Err(UuidError::Version(wrong)), Some("version")) => {
                assert_eq!(wrong.version() as u64, case.number("found"), "{}", case.line);
            }
            (read, _) => panic!("{read:?}, but {}", case.line),
        }
    }
}

/// RFC 9562, appendix A.6: the time is 1645557742000 ms; what is read as counter and node was random.
#[test]
fn the_time_of_a_foreign_uuid_is_true_and_the_rest_is_noise() {
    let uuid: Uuid = "017F22E2-79B0-7CC3-98C4-DC0C0C07398F".parse().unwrap();
    let stamp = Stamp::try_from(uuid).unwrap();
    assert_eq!(stamp.timestamp().physical_units(), 1_645_557_742_000);
    assert_eq!(stamp.timestamp().counter(), 0xCC36);
    assert_eq!(Uuid::from(stamp), uuid, "no bit is lost");
}

fn stamps() -> impl Strategy<Value = Stamp> {
    let bits = prop_oneof![1..=u64::MAX, 1..=0x2_ffff_u64, u64::MAX - 0xf_ffff..=u64::MAX];
    (bits, any::<u64>())
        .prop_map(|(bits, id)| Timestamp::from_bits(bits).unwrap().at_node(NodeId::from_random_bits(id)))
}

proptest! {
    #[test]
    fn every_stamp_is_a_uuid_v7_of_its_millisecond_and_comes_back(stamp in stamps()) {
        let uuid = stamp.to_uuid();
        prop_assert_eq!((uuid.get_version_num(), uuid.get_variant()), (7, Variant::RFC4122));
        prop_assert_eq!(Stamp::from_uuid(uuid), Ok(stamp));
        let (secs, nanos) = uuid.get_timestamp().unwrap().to_unix();
        prop_assert_eq!(secs * 1_000 + u64::from(nanos) / 1_000_000, stamp.timestamp().physical_units());
    }

    #[test]
    fn uuids_sort_as_their_stamps(a in stamps(), b in stamps()) {
        prop_assert_eq!(a.to_uuid().cmp(&b.to_uuid()), a.cmp(&b));
        prop_assert_eq!(a.to_uuid().to_string().cmp(&b.to_uuid().to_string()), a.cmp(&b));
    }

    #[test]
    fn any_uuid_is_refused_or_comes_back_the_same(bits in any::<u128>(), as_v7 in any::<bool>()) {
        let v7 = bits & !(0xf << 76) & !(0b11 << 62) | (7 << 76) | (0b10 << 62);
        let uuid = Uuid::from_u128(if as_v7 { v7 } else { bits });
        match Stamp::from_uuid(uuid) {
            Ok(stamp) => prop_assert_eq!(stamp.to_uuid(), uuid),
            Err(_) => prop_assert!(uuid.as_u128() != v7 || v7 >> 80 == 0),
        }
    }
}

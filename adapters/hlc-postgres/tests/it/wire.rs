//! What goes to the server and comes from it, in PostgreSQL's binary format.

use core::error::Error;
use core::fmt::Debug;

use bytes::BytesMut;
use hlc::{
    NodeId, Packed, Stamp, Timestamp, UuidError,
    layout::{Layout, Micros52, Ntp48, Secs32, Unix48},
};
use hlc_postgres::{AboveBigint, BigintTimestamp, NotPositive, UuidStamp, WrongLength};
use postgres_types::{FromSql, IsNull, ToSql, Type};
use proptest::prelude::*;

fn written<T: ToSql>(value: &T, ty: &Type) -> Vec<u8> {
    let mut out = BytesMut::new();
    assert!(matches!(value.to_sql_checked(ty, &mut out), Ok(IsNull::No)));
    out.to_vec()
}

/// Why `raw` is refused.
fn refused<'a, T: FromSql<'a> + Debug, E: Error + Copy + 'static>(ty: &Type, raw: &'a [u8]) -> E {
    let error = T::from_sql(ty, raw).unwrap_err();
    *error.downcast_ref().unwrap_or_else(|| panic!("{error:?}"))
}

fn stamp(bits: u64, id: u64) -> Stamp {
    Timestamp::from_bits(bits).unwrap().at_node(NodeId::from_random_bits(id))
}

#[test]
fn a_stamp_is_its_uuid_and_a_timestamp_its_bits() {
    let example = stamp((1_700_000_000_000 << 16) | 7, 42);
    assert_eq!(written(&UuidStamp::new(example), &Type::UUID), example.to_uuid().as_bytes());
    let timestamp = BigintTimestamp::try_new(example.timestamp()).unwrap();
    assert_eq!(written(&timestamp, &Type::INT8), example.timestamp().to_bytes());
}

#[test]
fn every_other_type_is_refused() {
    let all = [
        Type::BYTEA,
        Type::TEXT,
        Type::INT4,
        Type::INT8,
        Type::NUMERIC,
        Type::TIMESTAMPTZ,
        Type::UUID,
        Type::OID,
    ];
    for ty in all {
        assert_eq!(<UuidStamp as ToSql>::accepts(&ty), ty == Type::UUID, "{ty}");
        assert_eq!(<UuidStamp as FromSql<'_>>::accepts(&ty), ty == Type::UUID, "{ty}");
        assert_eq!(<BigintTimestamp as ToSql>::accepts(&ty), ty == Type::INT8, "{ty}");
        assert_eq!(<BigintTimestamp<Ntp48> as FromSql<'_>>::accepts(&ty), ty == Type::INT8, "{ty}");
    }
    let mut out = BytesMut::new();
    assert!(UuidStamp::new(stamp(1, 0)).to_sql_checked(&Type::TEXT, &mut out).is_err());
    assert!(BigintTimestamp::<Unix48>::MAX.to_sql_checked(&Type::UUID, &mut out).is_err());
    assert!(out.is_empty());
}

#[test]
fn a_timestamp_above_the_end_of_bigint_is_a_typed_error() {
    fn ends<L: Layout>() {
        let end = i64::MAX.cast_unsigned();
        let last = Packed::<L>::from_bits(end).unwrap();
        assert_eq!(BigintTimestamp::try_new(last), Ok(BigintTimestamp::MAX));
        assert_eq!(BigintTimestamp::<L>::MAX.as_i64(), i64::MAX);
        for bits in [end + 1, u64::MAX] {
            let refused: AboveBigint =
                BigintTimestamp::try_from(Packed::<L>::from_bits(bits).unwrap()).unwrap_err();
            assert_eq!(refused.bits(), bits);
        }
        assert_eq!(BigintTimestamp::try_new(Packed::<L>::MIN).map(BigintTimestamp::as_i64), Ok(1));
    }
    ends::<Unix48>();
    ends::<Micros52>();
    ends::<Secs32>();
    let error = BigintTimestamp::try_new(Timestamp::MAX).unwrap_err();
    assert_eq!(error.to_string(), "timestamp ffffffffffffffff is above 2^63-1, the greatest bigint");
}

#[test]
fn a_number_that_is_no_timestamp_is_a_typed_error() {
    for value in [0, -1, i64::MIN] {
        let refused: NotPositive = refused::<BigintTimestamp, _>(&Type::INT8, &value.to_be_bytes());
        assert_eq!(refused.value(), value);
        assert_eq!(refused.to_string(), format!("bigint {value} is no timestamp: those begin at 1"));
    }
    for length in (0..20).filter(|length| *length != 8) {
        let wrong: WrongLength = refused::<BigintTimestamp, _>(&Type::INT8, &[1; 20][..length]);
        assert_eq!((wrong.actual(), wrong.expected()), (length, 8));
        assert_eq!(wrong.to_string(), format!("{length} bytes where the type has 8"));
    }
}

#[test]
fn a_uuid_that_is_no_stamp_is_a_typed_error() {
    let bytes = stamp(1 << 16, 42).to_uuid().into_bytes();
    let with = |at: usize, byte: u8| {
        let mut bytes = bytes;
        bytes[at] = byte;
        refused::<UuidStamp, UuidError>(&Type::UUID, &bytes)
    };
    assert!(matches!(with(6, 0x40), UuidError::Version(wrong) if wrong.version() == 4));
    assert_eq!(with(8, 0x40), UuidError::Variant);
    assert_eq!(with(5, 0), UuidError::ZeroTimestamp);
    assert_eq!(refused::<UuidStamp, UuidError>(&Type::UUID, &[0; 16]), UuidError::Variant);
    for length in (0..40).filter(|length| *length != 16) {
        let wrong: WrongLength = refused::<UuidStamp, _>(&Type::UUID, &[7; 40][..length]);
        assert_eq!((wrong.actual(), wrong.expected()), (length, 16));
    }
}

proptest! {
    #[test]
    fn every_value_comes_back(bits in 1..=u64::MAX, id in any::<u64>()) {
        let stamp = stamp(bits, id);
        let raw = written(&UuidStamp::from(stamp), &Type::UUID);
        prop_assert_eq!(Stamp::from(UuidStamp::from_sql(&Type::UUID, &raw).unwrap()), stamp);
        if let Ok(timestamp) = BigintTimestamp::<Micros52>::try_new(Packed::from_bits(bits).unwrap()) {
            let raw = written(&timestamp, &Type::INT8);
            prop_assert_eq!(BigintTimestamp::<Micros52>::from_sql(&Type::INT8, &raw).unwrap(), timestamp);
            prop_assert_eq!(Packed::from(timestamp).to_bits(), bits);
        } else {
            prop_assert!(bits > i64::MAX.cast_unsigned());
        }
    }

    #[test]
    fn any_bytes_are_refused_or_come_back_the_same(
        mut uuid in any::<[u8; 16]>(),
        seven in any::<bool>(),
        bigint in any::<[u8; 8]>(),
        other in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        if seven {
            uuid[6] = 0x70 | (uuid[6] & 0x0f);
            uuid[8] = 0x80 | (uuid[8] & 0x3f);
        }
        for raw in [uuid.as_slice(), &bigint, &other] {
            if let Ok(stamp) = UuidStamp::from_sql(&Type::UUID, raw) {
                prop_assert_eq!(written(&stamp, &Type::UUID), raw);
            }
            if let Ok(timestamp) = BigintTimestamp::<Unix48>::from_sql(&Type::INT8, raw) {
                prop_assert_eq!(written(&timestamp, &Type::INT8), raw);
            }
        }
    }

    #[test]
    fn the_order_of_the_numbers_is_that_of_the_timestamps(a in 1..=i64::MAX, b in 1..=i64::MAX) {
        let [x, y] = [a, b].map(|value| BigintTimestamp::<Unix48>::from_i64(value).unwrap());
        prop_assert_eq!(x.cmp(&y), a.cmp(&b));
        prop_assert_eq!(x.timestamp().cmp(&y.timestamp()), a.cmp(&b));
    }
}

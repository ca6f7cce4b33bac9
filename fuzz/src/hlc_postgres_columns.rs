//! Columns of `hlc-postgres`: any bytes of a server, under any type, are refused or are the one form of a value.

use bytes::BytesMut;
use core::fmt::Debug;
use hlc::Stamp;
use hlc::layout::{Layout, Micros52, Unix48};
use hlc_postgres::{BigintTimestamp, UuidStamp, WrongLength};
use postgres_types::{FromSql, ToSql, Type};

use crate::bounds::{Bound, bounded};

/// An error of a column is one box.
const COLUMN: Bound = Bound::total(64, 0);

pub fn run(data: &[u8]) {
    column::<UuidStamp>(data, &Type::UUID, 16);
    timestamps::<Unix48>(data);
    timestamps::<Micros52>(data);
    if let Some(stamp) = column::<UuidStamp>(data, &Type::UUID, 16) {
        assert_eq!(data, stamp.stamp().to_uuid().as_bytes());
        assert_eq!(UuidStamp::from(Stamp::from(stamp)), stamp);
    }
}

fn timestamps<L: Layout + Debug + 'static>(data: &[u8]) {
    let read = column::<BigintTimestamp<L>>(data, &Type::INT8, 8);
    let Ok(bytes) = data.try_into() else { return };
    let number = i64::from_be_bytes(bytes);
    assert_eq!(read.map(BigintTimestamp::as_i64), (number > 0).then_some(number));
    match BigintTimestamp::<L>::from_i64(number) {
        Ok(time) => assert_eq!(BigintTimestamp::try_new(time.timestamp()), Ok(time)),
        Err(why) => assert_eq!(why.value(), number),
    }
}

fn column<T>(data: &[u8], of: &Type, length: usize) -> Option<T>
where
    T: for<'a> FromSql<'a> + ToSql + Copy + PartialEq + Debug,
{
    // The other type, and a null, are no values of this one.
    let other = if *of == Type::UUID { Type::INT8 } else { Type::UUID };
    assert!(<T as FromSql>::accepts(of) && !<T as FromSql>::accepts(&other));
    match bounded(COLUMN, data.len(), || T::from_sql(of, data)) {
        Ok(value) => {
            let mut out = BytesMut::new();
            let written = value.to_sql_checked(of, &mut out);
            assert!(written.is_ok() && out == data, "{value:?}");
            assert!(value.to_sql_checked(&other, &mut out).is_err());
            Some(value)
        }
        Err(why) => {
            let wrong = why.downcast_ref::<WrongLength>();
            assert_eq!(
                wrong.map(|wrong| (wrong.actual(), wrong.expected())),
                (data.len() != length).then_some((data.len(), length))
            );
            None
        }
    }
}

//! `BigintTimestamp`: a timestamp in a column of type `bigint`.

use core::{error::Error, num::NonZeroI64};

use bytes::BytesMut;
use hlc::{
    Packed,
    layout::{Layout, Unix48},
};
use postgres_types::{FromSql, IsNull, ToSql, Type, accepts, to_sql_checked};

use crate::{AboveBigint, NotPositive, WrongLength};

/// A timestamp that PostgreSQL keeps as a `bigint`: its bits as a positive number.
///
/// `bigint` has a sign and 64 bits. So that the order of the column is that of the values, a timestamp above 2^63-1 is refused
/// when this is made, before any statement is sent.
///
/// # Examples
///
/// ```
/// use hlc::{Packed, PhysicalTime, Timestamp, layout::Ntp48};
/// use hlc_postgres::BigintTimestamp;
///
/// let stamp = Timestamp::from_parts(1_700_000_000_000, 7)?;
/// assert_eq!(BigintTimestamp::try_new(stamp)?.as_i64(), 111_411_200_000_000_007);
///
/// let in_2039 = Packed::<Ntp48>::first_at(PhysicalTime::from_secs(2_177_452_800)).ok_or("in range")?;
/// assert!(BigintTimestamp::try_new(in_2039).is_err(), "this layout has no sign bit to spare");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BigintTimestamp<L: Layout = Unix48>(Packed<L>);

impl<L: Layout> BigintTimestamp<L> {
    /// The greatest: 2^63-1.
    pub const MAX: Self = Self(Packed::from_nonzero(NonZeroI64::MAX.cast_unsigned()));

    /// Makes one.
    ///
    /// # Errors
    ///
    /// [`AboveBigint`] where the bits of `timestamp` are above 2^63-1.
    #[inline]
    pub const fn try_new(timestamp: Packed<L>) -> Result<Self, AboveBigint> {
        if timestamp.to_bits() <= i64::MAX.cast_unsigned() {
            Ok(Self(timestamp))
        } else {
            Err(AboveBigint::new(timestamp.to_bits()))
        }
    }

    /// Reads the number that [`as_i64`](Self::as_i64) returns.
    ///
    /// # Errors
    ///
    /// [`NotPositive`] where it is zero or negative.
    #[inline]
    pub const fn from_i64(value: i64) -> Result<Self, NotPositive> {
        if value.is_positive()
            && let Some(timestamp) = Packed::from_bits(value.cast_unsigned())
        {
            return Ok(Self(timestamp));
        }
        Err(NotPositive::new(value))
    }

    /// Returns the timestamp.
    #[must_use]
    #[inline]
    pub const fn timestamp(self) -> Packed<L> {
        self.0
    }

    /// Returns the number in the column: 1 to 2^63-1.
    #[must_use]
    #[inline]
    pub const fn as_i64(self) -> i64 {
        self.0.to_bits().cast_signed()
    }
}

impl<L: Layout> TryFrom<Packed<L>> for BigintTimestamp<L> {
    type Error = AboveBigint;

    #[inline]
    fn try_from(timestamp: Packed<L>) -> Result<Self, Self::Error> {
        Self::try_new(timestamp)
    }
}

impl<L: Layout> From<BigintTimestamp<L>> for Packed<L> {
    #[inline]
    fn from(timestamp: BigintTimestamp<L>) -> Self {
        timestamp.0
    }
}

impl<L: Layout> ToSql for BigintTimestamp<L> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.extend_from_slice(&self.as_i64().to_be_bytes());
        Ok(IsNull::No)
    }

    accepts!(INT8);

    to_sql_checked!();
}

/// The error is a [`NotPositive`] where the number is no timestamp.
impl<'a, L: Layout> FromSql<'a> for BigintTimestamp<L> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        let bytes = raw.try_into().map_err(|_| WrongLength::new(raw.len(), size_of::<i64>()))?;
        Ok(Self::from_i64(i64::from_be_bytes(bytes))?)
    }

    accepts!(INT8);
}

//! `UuidStamp`: a stamp in a column of type `uuid`.

use core::error::Error;

use bytes::BytesMut;
use hlc::Stamp;
use postgres_types::{FromSql, IsNull, ToSql, Type, accepts, to_sql_checked};
use uuid::Uuid;

use crate::WrongLength;

/// A stamp that PostgreSQL keeps as a `uuid` of version 7.
///
/// # Examples
///
/// ```no_run
/// # async fn example(client: tokio_postgres::Client, seen: hlc::Stamp) -> Result<(), Box<dyn std::error::Error>> {
/// use hlc_postgres::UuidStamp;
///
/// let since = "SELECT stamp, what FROM events WHERE stamp > $1 ORDER BY stamp LIMIT 100";
/// for row in client.query(since, &[&UuidStamp::new(seen)]).await? {
///     let stamp: UuidStamp = row.try_get(0)?; // checked: anything but a UUIDv7 is an error
///     println!("{}", stamp.stamp());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UuidStamp(Stamp);

impl UuidStamp {
    /// Makes one: every stamp has a UUID.
    #[must_use]
    #[inline]
    pub const fn new(stamp: Stamp) -> Self {
        Self(stamp)
    }

    /// Returns the stamp.
    #[must_use]
    #[inline]
    pub const fn stamp(self) -> Stamp {
        self.0
    }
}

impl From<Stamp> for UuidStamp {
    #[inline]
    fn from(stamp: Stamp) -> Self {
        Self(stamp)
    }
}

impl From<UuidStamp> for Stamp {
    #[inline]
    fn from(stamp: UuidStamp) -> Self {
        stamp.0
    }
}

impl ToSql for UuidStamp {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.extend_from_slice(self.0.to_uuid().as_bytes());
        Ok(IsNull::No)
    }

    accepts!(UUID);

    to_sql_checked!();
}

/// The error is a [`hlc::UuidError`] where the UUID is no stamp: of another version or variant, or with time and counter zero.
impl<'a> FromSql<'a> for UuidStamp {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        let bytes = raw.try_into().map_err(|_| WrongLength::new(raw.len(), size_of::<Uuid>()))?;
        Ok(Self(Stamp::from_uuid(Uuid::from_bytes(bytes))?))
    }

    accepts!(UUID);
}

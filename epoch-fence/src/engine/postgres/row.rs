//! What a statement answered, read as if anybody may have edited the tables.

use alloc::boxed::Box;
use core::error::Error;
use core::time::Duration;
use std::time::SystemTime;

use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Type};

use super::PostgresError;
use crate::protocol::{Info, Moment, Record, RecordError, Tenure, Version, View};
use crate::{Epoch, GrantId, HolderId, RealmId};

/// Where the columns are.
pub(super) mod column {
    pub(crate) const REALM: usize = 0;
    pub(crate) const FLOOR: usize = 1;
    pub(crate) const TIMELINE_KEPT: usize = 2;
    pub(crate) const TIMELINE_FOUND: usize = 3;
    pub(crate) const SYNCHRONOUS_COMMIT: usize = 4;
    pub(crate) const ISOLATION: usize = 5;
    pub(crate) const TOUCHED: usize = 6;
    pub(crate) const ROW_REALM: usize = 7;
    pub(crate) const VERSION: usize = 8;
    pub(crate) const EPOCH: usize = 9;
    pub(crate) const GRANT: usize = 10;
    pub(crate) const HOLDER: usize = 11;
    pub(crate) const RESERVED_FOR: usize = 12;
    pub(crate) const ENDS_AT: usize = 13;
    // Of a load alone.
    pub(crate) const IS_THERE: usize = 14;
    pub(crate) const STANDBY: usize = 15;
    pub(crate) const SYSTEM_KEPT: usize = 16;
    pub(crate) const SYSTEM_FOUND: usize = 17;
    pub(crate) const FSYNC: usize = 18;
    pub(crate) const FULL_PAGE_WRITES: usize = 19;
}

/// The era of every moment: the server's clock is one, and [`View`]s of it compare for as long as the row is there.
const ERA: u128 = 0;

/// From the Unix epoch to that of PostgreSQL, 2000-01-01.
const POSTGRES_EPOCH: u64 = 946_684_800_000_000;

/// Microseconds since 2000-01-01, as the server sends a `timestamptz`; the two infinities are the ends of the range.
struct Micros(i64);

impl<'b> FromSql<'b> for Micros {
    fn from_sql(_: &Type, bytes: &'b [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(i64::from_be_bytes(bytes.try_into()?)))
    }

    fn accepts(of: &Type) -> bool {
        *of == Type::TIMESTAMPTZ
    }
}

impl Micros {
    /// The moment, or the nearest that there is: whoever judges an end only asks on which side of now it is, and how far.
    fn nearest(self) -> Moment {
        let since_unix = i128::from(self.0).saturating_add(i128::from(POSTGRES_EPOCH));
        let nanos = since_unix.saturating_mul(1_000).max(0);
        Moment::new(ERA, u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// The moment, if it can be written down.
    fn exact(self) -> Option<Moment> {
        let moment = self.nearest();
        (0 < moment.nanos() && moment.nanos() < u64::MAX).then_some(moment)
    }
}

/// A moment as a parameter of a statement.
pub(super) fn to_time(moment: Moment) -> Result<SystemTime, PostgresError> {
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_nanos(moment.nanos())).ok_or(PostgresError::Clock)
}

/// A number as a parameter of a statement.
pub(super) fn to_bigint(number: u64) -> Option<i64> {
    i64::try_from(number).ok()
}

/// A column that may be empty.
pub(super) fn maybe<'r, T: FromSql<'r>>(
    row: &'r Row,
    column: usize,
    name: &'static str,
) -> Result<Option<T>, PostgresError> {
    row.try_get(column).map_err(|_| PostgresError::Column { name })
}

/// A column that is never empty.
pub(super) fn always<'r, T: FromSql<'r>>(
    row: &'r Row,
    column: usize,
    name: &'static str,
) -> Result<T, PostgresError> {
    maybe(row, column, name)?.ok_or(PostgresError::Column { name })
}

/// A realm, of a column.
pub(super) fn realm(bytes: &[u8], name: &'static str) -> Result<RealmId, PostgresError> {
    let bytes = bytes.try_into().map_err(|_| PostgresError::Column { name })?;
    RealmId::from_bytes(bytes).map_err(|_| RecordError::ZeroId.into())
}

/// The floor of a namespace: zero is none yet.
pub(super) fn floor(number: i64) -> Result<Option<Epoch>, PostgresError> {
    u64::try_from(number).map(Epoch::new).map_err(|_| PostgresError::Column { name: "realm.floor" })
}

pub(super) fn version(number: i64) -> Result<Version, PostgresError> {
    match u64::try_from(number) {
        Ok(number @ 1..) => Ok(Version::new(number)),
        Ok(0) | Err(_) => Err(PostgresError::Column { name: "lease.version" }),
    }
}

pub(super) fn epoch(number: i64) -> Result<Epoch, PostgresError> {
    let number = u64::try_from(number).ok().and_then(Epoch::new);
    number.ok_or(PostgresError::Column { name: "lease.epoch" })
}

/// When the statement looked.
pub(super) fn now(row: &Row, column: usize) -> Result<Moment, PostgresError> {
    always::<Micros>(row, column, "lease.touched")?.exact().ok_or(PostgresError::Clock)
}

/// The record in a row that is there, as the namespace of `realm` has it.
pub(super) fn record(row: &Row, of: RealmId) -> Result<Record, PostgresError> {
    let written = realm(always(row, column::ROW_REALM, "lease.realm")?, "lease.realm")?;
    let version = version(always(row, column::VERSION, "lease.version")?)?;
    let epoch = maybe(row, column::EPOCH, "lease.epoch")?.map(epoch).transpose()?;
    let tenure = tenure(row)?;
    // A row of another realm is one of the past: nobody has it. It has to make sense all the same.
    Record::try_new(written, version, epoch, tenure, Info::EMPTY)?;
    let tenure = if written == of { tenure } else { Tenure::Free };
    Ok(Record::try_new(of, version, epoch, tenure, Info::EMPTY)?)
}

fn tenure(row: &Row) -> Result<Tenure, PostgresError> {
    let grant = maybe::<&[u8]>(row, column::GRANT, "lease.grant_id")?;
    let holder = maybe::<&str>(row, column::HOLDER, "lease.holder")?;
    let to = maybe::<&str>(row, column::RESERVED_FOR, "lease.reserved_for")?;
    let end = maybe::<Micros>(row, column::ENDS_AT, "lease.ends_at")?;
    match (grant, holder, to, end) {
        (None, None, None, None) => Ok(Tenure::Free),
        (None, None, Some(to), Some(until)) => {
            Ok(Tenure::Reserved { to: holder_of(to)?, until: until.nearest() })
        }
        (Some(grant), Some(holder), None, Some(expiry)) => {
            let bytes = grant.try_into().map_err(|_| PostgresError::Column { name: "lease.grant_id" })?;
            let grant = GrantId::from_bytes(bytes).map_err(|_| RecordError::ZeroId)?;
            Ok(Tenure::Held { grant, holder: holder_of(holder)?, expiry: expiry.nearest() })
        }
        _ => Err(PostgresError::Column { name: "lease.ends_at" }),
    }
}

fn holder_of(text: &str) -> Result<HolderId, RecordError> {
    HolderId::try_new(text).map_err(|_| RecordError::Holder)
}

/// The view that a load or a write answered with.
pub(super) fn view(row: &Row, is_there: bool) -> Result<View, PostgresError> {
    let of = realm(always(row, column::REALM, "realm.realm")?, "realm.realm")?;
    let floor = floor(always(row, column::FLOOR, "realm.floor")?)?;
    let record = if is_there { record(row, of)? } else { Record::vacant(of) };
    Ok(View::new(record, now(row, column::TOUCHED)?).with_epoch_floor(floor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_that_cannot_be_written_down_is_as_far_away_as_can_be_and_on_its_own_side() {
        let rows = [
            (0, POSTGRES_EPOCH * 1_000),
            (1, (POSTGRES_EPOCH + 1) * 1_000),
            (-946_684_800_000_000, 0),
            (-946_684_799_999_999, 1_000),
            (i64::MIN, 0),
            (i64::MAX, u64::MAX),
        ];
        for (micros, nanos) in rows {
            assert_eq!(Micros(micros).nearest(), Moment::new(ERA, nanos), "{micros}");
        }
        for outside in [i64::MIN, i64::MAX, -946_684_800_000_000] {
            assert_eq!(Micros(outside).exact(), None, "{outside}");
        }
    }

    #[test]
    fn a_column_is_taken_for_what_it_was_made_for_alone() {
        assert!(Micros::accepts(&Type::TIMESTAMPTZ));
        for other in [Type::TIMESTAMP, Type::INT8, Type::BYTEA] {
            assert!(!Micros::accepts(&other), "{other}");
        }
        assert_eq!((floor(0).unwrap(), floor(5).unwrap()), (None, Epoch::new(5)));
        let wrong = floor(-1).unwrap_err();
        assert!(matches!(wrong, PostgresError::Column { name: "realm.floor" }), "{wrong}");
        assert_eq!((to_bigint(7), to_bigint(u64::MAX)), (Some(7), None));
    }

    #[test]
    fn a_moment_goes_to_the_server_and_comes_back() {
        for nanos in [1_000, 1_763_000_000_123_456_000, u64::MAX] {
            let time = to_time(Moment::new(ERA, nanos)).unwrap();
            let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap();
            assert_eq!(since.as_nanos(), u128::from(nanos));
        }
    }
}

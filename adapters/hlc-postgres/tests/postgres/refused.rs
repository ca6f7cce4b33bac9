//! Wrong types and wrong rows are typed errors; no row panics.

use core::error::Error;
use core::fmt::Debug;

use hlc::{
    Packed, Timestamp, UuidError,
    layout::{Ntp48, Unix48},
};
use hlc_postgres::{BigintTimestamp, NotPositive, UuidStamp};
use tokio_postgres::types::{FromSql, WrongType};

use crate::stage::Stage;

/// Why the first column of a query's first row is no `T`.
fn cause<T, E>(stage: &Stage, query: &str) -> E
where
    T: for<'a> FromSql<'a> + Debug,
    E: Error + Clone + 'static,
{
    let error = stage.query(query, &[])[0].try_get::<_, T>(0).unwrap_err();
    let cause = error.source().and_then(|source| source.downcast_ref::<E>());
    cause.unwrap_or_else(|| panic!("{query}: {error:?}")).clone()
}

#[test]
fn a_row_that_is_no_value_is_an_error_that_says_why() {
    let Some(stage) = Stage::new("rows") else { return };
    for number in [0, -1, i64::MIN] {
        let why: NotPositive = cause::<BigintTimestamp, _>(&stage, &format!("SELECT '{number}'::bigint"));
        assert_eq!(why.value(), number);
    }
    let random = cause::<UuidStamp, UuidError>(&stage, "SELECT '550e8400-e29b-41d4-a716-446655440000'::uuid");
    assert!(matches!(random, UuidError::Version(wrong) if wrong.version() == 4), "{random}");
    let nil = cause::<UuidStamp, UuidError>(&stage, "SELECT '00000000-0000-0000-0000-000000000000'::uuid");
    assert_eq!(nil, UuidError::Variant);
    let zero = cause::<UuidStamp, UuidError>(&stage, "SELECT '00000000-0000-7000-8000-000000000000'::uuid");
    assert_eq!(zero, UuidError::ZeroTimestamp);
    // In an array as well.
    let rows = stage.query("SELECT ARRAY[1, 0]::bigint[], ARRAY[2, 1]::bigint[]", &[]);
    assert!(rows[0].try_get::<_, Vec<BigintTimestamp>>(0).is_err());
    assert_eq!(rows[0].get::<_, Vec<BigintTimestamp>>(1).len(), 2);
}

#[test]
fn another_type_is_refused_in_both_directions() {
    let Some(stage) = Stage::new("types") else { return };
    let stamp = UuidStamp::new(Timestamp::MIN.at_node(hlc::NodeId::MIN));
    let timestamp = BigintTimestamp::<Unix48>::MAX;
    let is_wrong_type =
        |error: tokio_postgres::Error| error.source().is_some_and(|source| source.is::<WrongType>());
    for ty in ["text", "bytea", "bigint", "integer", "numeric", "timestamptz"] {
        let query = format!("SELECT $1::{ty} IS NULL");
        assert!(is_wrong_type(stage.try_query(&query, &[&stamp]).unwrap_err()), "{ty}");
        assert!(is_wrong_type(
            stage.query(&format!("SELECT NULL::{ty}"), &[])[0].try_get::<_, UuidStamp>(0).unwrap_err()
        ));
    }
    for ty in ["text", "bytea", "uuid", "integer", "smallint", "numeric", "oid"] {
        let query = format!("SELECT $1::{ty} IS NULL");
        assert!(is_wrong_type(stage.try_query(&query, &[&timestamp]).unwrap_err()), "{ty}");
        let row = &stage.query(&format!("SELECT NULL::{ty}"), &[])[0];
        assert!(is_wrong_type(row.try_get::<_, BigintTimestamp>(0).unwrap_err()));
    }
}

#[test]
fn the_ends_and_null_come_back() {
    let Some(stage) = Stage::new("ends") else { return };
    stage.batch("CREATE TABLE ends (n int, stamp uuid, time bigint)");
    let last = Packed::<Ntp48>::from_bits(i64::MAX.cast_unsigned()).unwrap();
    let last = BigintTimestamp::try_new(last).unwrap();
    let stamps = [Timestamp::MIN.at_node(hlc::NodeId::MIN), Timestamp::MAX.at_node(hlc::NodeId::MAX)];
    for (n, stamp) in (0..).zip(stamps) {
        stage.query("INSERT INTO ends VALUES ($1, $2, $3)", &[&n, &UuidStamp::new(stamp), &last]);
    }
    stage.query("INSERT INTO ends VALUES (2, $1, $2)", &[&None::<UuidStamp>, &None::<BigintTimestamp>]);
    let rows = stage.query("SELECT stamp, time FROM ends ORDER BY n", &[]);
    for (row, stamp) in rows.iter().zip(stamps) {
        assert_eq!(row.get::<_, UuidStamp>(0).stamp(), stamp);
        assert_eq!(row.get::<_, BigintTimestamp<Ntp48>>(1), last);
    }
    assert_eq!(rows[2].get::<_, Option<UuidStamp>>(0), None);
    assert_eq!(rows[2].get::<_, Option<BigintTimestamp>>(1), None);
    assert!(rows[2].try_get::<_, UuidStamp>(0).is_err() && rows[2].try_get::<_, BigintTimestamp>(1).is_err());
}

//! What the server says of order is what `Ord` says.

use clock_testing::Dice;
use hlc::{Stamp, Timestamp};
use hlc_postgres::{BigintTimestamp, UuidStamp};

use crate::stage::{Stage, stamps};

const SEED: u64 = 4;

#[test]
fn order_by_a_uuid_column_is_the_order_of_the_stamps() {
    let Some(stage) = Stage::new("order_uuid") else { return };
    let mut stamps = stamps(20_000, &mut Dice::new(SEED));
    assert!(!stamps.is_sorted() && stamps.len() > 10_000, "seed {SEED}");
    stage.batch("CREATE TABLE events (stamp uuid NOT NULL)");
    let column: Vec<_> = stamps.iter().copied().map(UuidStamp::new).collect();
    stage.query("INSERT INTO events SELECT unnest($1::uuid[])", &[&column]);

    let read = |query| -> Vec<Stamp> {
        stage.query(query, &[]).iter().map(|row| row.get::<_, UuidStamp>(0).stamp()).collect()
    };
    assert_eq!(read("SELECT stamp FROM events"), stamps, "as they were written");
    stamps.sort();
    assert_eq!(read("SELECT stamp FROM events ORDER BY stamp"), stamps, "seed {SEED}");
    // And an index has the same order, both ways.
    stage.batch("CREATE INDEX ON events (stamp); SET enable_seqscan = off; SET enable_sort = off");
    assert!(
        stage
            .explain("SELECT stamp FROM events ORDER BY stamp DESC")
            .contains("Scan Backward using events_stamp_idx")
    );
    stamps.reverse();
    assert_eq!(read("SELECT stamp FROM events ORDER BY stamp DESC"), stamps, "seed {SEED}");
}

#[test]
fn order_by_a_bigint_column_is_the_order_of_the_timestamps() {
    let Some(stage) = Stage::new("order_bigint") else { return };
    let stamps = stamps(20_000, &mut Dice::new(SEED));
    let fits = |stamp: &Stamp| BigintTimestamp::try_new(stamp.timestamp()).ok();
    let column: Vec<_> = stamps.iter().filter_map(fits).collect();
    assert!(column.len() > 5_000 && column.len() < stamps.len(), "some are above the end");
    stage.batch("CREATE TABLE events (stamp bigint NOT NULL)");
    stage.query("INSERT INTO events SELECT unnest($1::bigint[])", &[&column]);
    let rows = stage.query("SELECT stamp FROM events ORDER BY stamp", &[]);
    let read: Vec<Timestamp> = rows.iter().map(|row| row.get::<_, BigintTimestamp>(0).timestamp()).collect();
    let mut sorted: Vec<_> = column.iter().map(|stamp| stamp.timestamp()).collect();
    sorted.sort();
    assert_eq!(read, sorted, "seed {SEED}");
}

#[test]
fn the_server_compares_two_stamps_as_ord_does() {
    let Some(stage) = Stage::new("compare") else { return };
    let stamps = stamps(400, &mut Dice::new(SEED));
    let (left, right) = stamps.split_at(stamps.len() / 2);
    let pairs: Vec<_> = left.iter().zip(right).chain(left.iter().zip(left)).collect();
    let [left, right] = [0, 1].map(|side| {
        let side = |pair: &(&Stamp, &Stamp)| UuidStamp::new(if side == 0 { *pair.0 } else { *pair.1 });
        pairs.iter().map(side).collect::<Vec<_>>()
    });
    let query = "SELECT a < b, a = b FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS pair (a, b, n) ORDER BY n";
    for (row, (a, b)) in stage.query(query, &[&left, &right]).iter().zip(pairs) {
        assert_eq!((row.get::<_, bool>(0), row.get::<_, bool>(1)), (a < b, a == b), "{a} {b}");
    }
}

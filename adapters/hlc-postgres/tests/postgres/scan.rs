//! Ranges of stamps are ranges of an index.

use clock_testing::Dice;
use hlc::{NodeId, PhysicalTime, Stamp, Timestamp};
use hlc_postgres::{BigintTimestamp, UuidStamp};

use crate::stage::{Stage, stamps};

const SEED: u64 = 5;

/// A table of events, stamped by three nodes over two seconds: some 20,000 rows, in no order.
fn events(stage: &Stage) -> Vec<Stamp> {
    let mut dice = Dice::new(SEED);
    let mut stamps: Vec<_> = (0..20_000)
        .map(|_| {
            let time = Timestamp::from_parts(1_700_000_000_000 + dice.roll(2_000), 0).unwrap();
            let bits = time.to_bits() + dice.roll(8);
            Timestamp::from_bits(bits).unwrap().at_node(NodeId::new(dice.roll(3)).unwrap())
        })
        .collect();
    let column: Vec<_> = stamps.iter().copied().map(UuidStamp::new).collect();
    stage.batch(
        "CREATE TABLE events (stamp uuid PRIMARY KEY, time bigint NOT NULL, what text NOT NULL DEFAULT 'it')",
    );
    let times: Vec<_> =
        stamps.iter().map(|stamp| BigintTimestamp::try_new(stamp.timestamp()).unwrap()).collect();
    let insert = "INSERT INTO events SELECT * FROM unnest($1::uuid[], $2::bigint[]) ON CONFLICT DO NOTHING";
    stage.query(insert, &[&column, &times]);
    stage.batch("CREATE INDEX events_time ON events (time); ANALYZE events");
    stamps.sort();
    stamps.dedup();
    stamps
}

#[test]
fn everything_since_a_stamp_is_one_range_of_the_index() {
    let Some(stage) = Stage::new("since") else { return };
    let stamps = events(&stage);
    assert!(stamps.len() > 10_000);

    // The planner chooses, with the server's own settings.
    let seen = stamps[stamps.len() / 2].to_uuid();
    let plan = stage
        .explain(&format!("SELECT stamp, what FROM events WHERE stamp > '{seen}' ORDER BY stamp LIMIT 100"));
    assert!(plan.contains("Index Scan using events_pkey on events"), "{plan}");
    assert!(plan.contains(&format!("Index Cond: (stamp > '{seen}'::uuid)")), "{plan}");
    assert!(!plan.contains("Sort") && !plan.contains("Filter"), "{plan}");

    // A reader that goes on from the last stamp that it has seen meets each row once, in order.
    let page = "SELECT stamp FROM events WHERE stamp > $1 ORDER BY stamp LIMIT 1000";
    let mut read = Vec::new();
    let mut seen = UuidStamp::new(Timestamp::MIN.at_node(NodeId::MIN));
    loop {
        let rows = stage.query(page, &[&seen]);
        let Some(last) = rows.last() else { break };
        seen = last.get(0);
        read.extend(rows.iter().map(|row| row.get::<_, UuidStamp>(0).stamp()));
    }
    assert_eq!(read, stamps, "seed {SEED}");
}

#[test]
fn everything_in_a_span_of_time_is_one_range_of_either_index() {
    let Some(stage) = Stage::new("span") else { return };
    let stamps = events(&stage);
    let [from, to] = [1_700_000_000_777, 1_700_000_000_779].map(PhysicalTime::from_millis);
    let (first, last) = (Timestamp::first_at(from).unwrap(), Timestamp::last_at(to).unwrap());
    let within = |stamp: &&Stamp| (from..=to).contains(&stamp.timestamp().physical_time());
    let within: Vec<_> = stamps.iter().filter(within).copied().collect();
    assert!(within.len() > 10, "seed {SEED}");

    let query = "SELECT stamp FROM events WHERE stamp BETWEEN $1 AND $2 ORDER BY stamp";
    let ends = (UuidStamp::new(first.at_node(NodeId::MIN)), UuidStamp::new(last.at_node(NodeId::MAX)));
    let rows = stage.query(query, &[&ends.0, &ends.1]);
    let read: Vec<_> = rows.iter().map(|row| row.get::<_, UuidStamp>(0).stamp()).collect();
    assert_eq!(read, within, "seed {SEED}");
    let (from, to) = (ends.0.stamp().to_uuid(), ends.1.stamp().to_uuid());
    let plan = stage
        .explain(&format!("SELECT what FROM events WHERE stamp BETWEEN '{from}' AND '{to}' ORDER BY stamp"));
    assert!(plan.contains("Index Scan using events_pkey"), "{plan}");

    let ends = [first, last].map(|end| BigintTimestamp::try_new(end).unwrap());
    let query = "SELECT stamp FROM events WHERE time BETWEEN $1 AND $2 ORDER BY stamp";
    let rows = stage.query(query, &[&ends[0], &ends[1]]);
    let read: Vec<_> = rows.iter().map(|row| row.get::<_, UuidStamp>(0).stamp()).collect();
    assert_eq!(read, within, "seed {SEED}");
    let [from, to] = ends.map(BigintTimestamp::as_i64);
    let plan = stage.explain(&format!("SELECT what FROM events WHERE time BETWEEN {from} AND {to}"));
    assert!(plan.contains("events_time") && plan.contains("Index Cond"), "{plan}");
}

#[test]
fn the_time_of_a_stamp_can_be_read_in_sql_as_the_format_says() {
    const FORMAT: &str = include_str!("../../FORMAT.md");
    let Some(stage) = Stage::new("sql") else { return };
    let of_uuid = "('x' || left(replace(stamp::text, '-', ''), 12))::bit(48)::bigint";
    let of_bigint = "stamp >> 16";
    assert!(FORMAT.contains(&of_uuid.replace('|', "\\|")) && FORMAT.contains(of_bigint));
    for stamp in stamps(500, &mut Dice::new(SEED)) {
        let millis = i64::try_from(stamp.timestamp().physical_units()).unwrap();
        let query = format!("SELECT {of_uuid}, stamp::text FROM (SELECT $1::uuid AS stamp) AS one");
        let row = &stage.query(&query, &[&UuidStamp::new(stamp)])[0];
        assert_eq!(row.get::<_, i64>(0), millis, "{stamp}");
        assert_eq!(row.get::<_, String>(1), stamp.to_uuid().to_string());
        if let Ok(timestamp) = BigintTimestamp::try_new(stamp.timestamp()) {
            let query = format!("SELECT {of_bigint} FROM (SELECT $1::bigint AS stamp) AS one");
            assert_eq!(stage.query(&query, &[&timestamp])[0].get::<_, i64>(0), millis, "{stamp}");
        }
    }
    let query = "SELECT to_timestamp((stamp >> 16) / 1000.0) AT TIME ZONE 'UTC' = '2023-11-14 22:13:20' FROM
        (SELECT $1::bigint AS stamp) AS one";
    let stamp = BigintTimestamp::try_new(Timestamp::from_parts(1_700_000_000_000, 7).unwrap()).unwrap();
    assert!(stage.query(query, &[&stamp])[0].get::<_, bool>(0));
}

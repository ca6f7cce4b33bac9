//! Tables that somebody edited by hand.

use epoch_fence::engine::postgres::PostgresError;
use epoch_fence::engine::{AsyncEngine as _, Failure, Swapped};
use epoch_fence::protocol::{Command, RecordError, Refusal, Standing, Swap};

use crate::stage::{Stage, acquire, block_on, grant, land, realm, resource};

/// What keeps people from writing such rows.
const UNGUARDED: &str = "\
DO $$ DECLARE c record; BEGIN \
  FOR c IN SELECT conrelid::regclass AS t, conname FROM pg_constraint \
            WHERE conrelid IN ('epoch_fence.lease'::regclass, 'epoch_fence.realm'::regclass) AND contype = 'c' \
  LOOP EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', c.t, c.conname); END LOOP; \
END $$; \
ALTER TABLE epoch_fence.lease ALTER realm DROP NOT NULL, ALTER version DROP NOT NULL, ALTER touched DROP NOT NULL; \
ALTER TABLE epoch_fence.realm ALTER realm DROP NOT NULL, ALTER floor DROP NOT NULL, ALTER timeline DROP NOT NULL, \
  ALTER system DROP NOT NULL; \
CREATE TABLE public.leases AS SELECT * FROM epoch_fence.lease; \
CREATE TABLE public.realms AS SELECT * FROM epoch_fence.realm";

const AS_IT_WAS: &str = "\
DELETE FROM epoch_fence.lease; DELETE FROM epoch_fence.realm; \
INSERT INTO epoch_fence.realm SELECT * FROM public.realms; \
INSERT INTO epoch_fence.lease SELECT * FROM public.leases";

fn is_column(error: &PostgresError, column: &str) -> bool {
    matches!(error, PostgresError::Column { name } if *name == column)
}

fn is_record(error: &PostgresError, why: RecordError) -> bool {
    matches!(error, PostgresError::Record(found) if *found == why)
}

#[test]
fn a_row_that_makes_no_sense_is_an_error_and_never_vacant() {
    let Some(stage) = Stage::own("hostile") else { return };
    let store = stage.store();
    let held = block_on(land(&store, &resource("r"), acquire(1)));
    let release = Swap::prepare(&held, &Command::Release { grant: grant(1) }).unwrap();
    stage.execute(UNGUARDED);

    type Check = fn(&PostgresError) -> bool;
    let lease: [(&str, Check); 21] = [
        ("version = 0", |e| is_column(e, "lease.version")),
        ("version = -1", |e| is_column(e, "lease.version")),
        ("version = NULL", |e| is_column(e, "lease.version")),
        ("epoch = 0", |e| is_column(e, "lease.epoch")),
        ("epoch = -9223372036854775808", |e| is_column(e, "lease.epoch")),
        ("epoch = NULL", |e| is_record(e, RecordError::Tenure)),
        ("realm = NULL", |e| is_column(e, "lease.realm")),
        ("realm = ''", |e| is_column(e, "lease.realm")),
        ("realm = decode(repeat('00', 16), 'hex')", |e| is_record(e, RecordError::ZeroId)),
        ("realm = decode(repeat('07', 17), 'hex')", |e| is_column(e, "lease.realm")),
        ("grant_id = decode(repeat('00', 16), 'hex')", |e| is_record(e, RecordError::ZeroId)),
        ("grant_id = decode(repeat('07', 15), 'hex')", |e| is_column(e, "lease.grant_id")),
        ("grant_id = NULL", |e| is_column(e, "lease.ends_at")),
        ("holder = NULL", |e| is_column(e, "lease.ends_at")),
        ("holder = ''", |e| is_record(e, RecordError::Holder)),
        ("holder = repeat('x', 65)", |e| is_record(e, RecordError::Holder)),
        ("holder = E'a\\nb'", |e| is_record(e, RecordError::Holder)),
        ("reserved_for = 'somebody'", |e| is_column(e, "lease.ends_at")),
        ("ends_at = NULL", |e| is_column(e, "lease.ends_at")),
        ("touched = 'infinity'", |e| matches!(e, PostgresError::Clock)),
        ("grant_id = NULL, holder = NULL, reserved_for = repeat('x', 65)", |e| {
            is_record(e, RecordError::Holder)
        }),
    ];
    let namespace: [(&str, Check); 10] = [
        ("floor = -1", |e| is_column(e, "realm.floor")),
        ("floor = NULL", |e| is_column(e, "realm.floor")),
        // To the statement, a namespace without a realm is one that is not there.
        ("realm = NULL", |e| matches!(e, PostgresError::NotInitialised)),
        ("realm = ''", |e| is_column(e, "realm.realm")),
        ("realm = decode(repeat('00', 16), 'hex')", |e| is_record(e, RecordError::ZeroId)),
        ("timeline = NULL", |e| is_column(e, "realm.timeline")),
        ("timeline = 'nonsense'", |e| is_column(e, "realm.timeline")),
        ("timeline = ''", |e| is_column(e, "realm.timeline")),
        ("system = NULL", |e| is_column(e, "realm.system")),
        ("system = 1", |e| matches!(e, PostgresError::OtherSystem { kept: 1, .. })),
    ];
    for (table, rows) in [("lease", &lease[..]), ("realm", &namespace[..])] {
        for (edit, is_found) in rows {
            stage.execute(&format!("UPDATE epoch_fence.{table} SET {edit}"));
            let found = block_on(store.load(&resource("r")));
            let Err(why) = found else { panic!("{table} SET {edit}: {found:?}") };
            assert!(is_found(&why), "{table} SET {edit}: {why:?}");
            // A write that was prepared before has the right version or it has not; it is never a panic.
            match block_on(store.swap(&resource("r"), &release)) {
                Ok(Swapped::Landed(view)) => assert_eq!(view.standing(), Standing::Free),
                Ok(Swapped::Conflict) | Err(Failure::Definite(_) | Failure::Indeterminate(_)) => {}
            }
            stage.execute(AS_IT_WAS);
            assert_eq!(block_on(store.load(&resource("r"))).unwrap().record(), held.record(), "{edit}");
        }
    }
}

#[test]
fn an_end_too_far_away_is_refused_until_somebody_evicts() {
    let Some(stage) = Stage::own("hostile_end") else { return };
    let store = stage.store();
    block_on(land(&store, &resource("r"), acquire(1)));
    for end in ["'infinity'", "'294276-01-01'", "clock_timestamp() + interval '2 days'"] {
        stage.execute(&format!("UPDATE epoch_fence.lease SET ends_at = {end}"));
        let view = block_on(store.load(&resource("r"))).unwrap();
        let refused = Swap::prepare(&view, &acquire(2));
        assert!(matches!(refused, Err(Refusal::EndTooFar { .. })), "{end}: {refused:?}");
    }
    block_on(land(&store, &resource("r"), Command::Evict { grant: grant(1) }));
    block_on(land(&store, &resource("r"), acquire(3)));
    for end in ["'-infinity'", "'4713-01-01 BC'", "'epoch'"] {
        stage.execute(&format!("UPDATE epoch_fence.lease SET ends_at = {end}"));
        let view = block_on(store.load(&resource("r"))).unwrap();
        assert_eq!(view.standing(), Standing::Lapsed { grant: grant(3) }, "{end}");
    }
}

#[test]
fn a_row_of_another_realm_is_free_and_its_epochs_go_on() {
    let Some(stage) = Stage::own("hostile_realm") else { return };
    let store = stage.store();
    let held = block_on(land(&store, &resource("r"), acquire(1)));
    stage.execute("UPDATE epoch_fence.lease SET realm = decode(repeat('07', 16), 'hex')");
    let view = block_on(store.load(&resource("r"))).unwrap();
    assert_eq!(view.standing(), Standing::Free);
    assert_eq!(view.record().realm(), realm(1));
    assert_eq!(view.epoch(), held.record().epoch());
    let next = block_on(land(&store, &resource("r"), acquire(2)));
    assert!(next.record().epoch() > held.record().epoch());
    assert_eq!(next.record().realm(), realm(1));
}

#[test]
fn a_resource_whose_row_was_deleted_goes_on_with_greater_epochs_and_versions() {
    let Some(stage) = Stage::own("deleted") else { return };
    let store = stage.store();
    let mut last = None;
    // By an acquire, and by a burn; by a deletion, and by emptying the table.
    for (bits, gone) in (1..).zip([
        "DELETE FROM epoch_fence.lease",
        "TRUNCATE epoch_fence.lease",
        "DELETE FROM epoch_fence.lease",
    ]) {
        let vacant = block_on(store.load(&resource("r"))).unwrap();
        // Under way since before there was a row.
        let late = Swap::prepare(&vacant, &acquire(1_000 + bits)).unwrap();
        if bits == 3 {
            block_on(land(&store, &resource("r"), Command::Burn));
        } else {
            let held = block_on(land(&store, &resource("r"), acquire(bits)));
            let (epoch, version) = (held.record().epoch(), held.record().version());
            assert!(last < Some((epoch, version)), "{last:?} {held:?}");
            assert!(last.is_none_or(|(_, before)| before < version), "{last:?} {held:?}");
            last = Some((epoch, version));
        }
        // A version that was put by hand is none to come back to either.
        stage.execute("UPDATE epoch_fence.lease SET version = version + 1000");
        last =
            last.map(|(epoch, _)| (epoch, block_on(store.load(&resource("r"))).unwrap().record().version()));
        stage.execute(gone);
        assert_eq!(block_on(store.load(&resource("r"))).unwrap().standing(), Standing::Free);
        let sent = block_on(store.swap(&resource("r"), &late)).unwrap();
        assert_eq!(sent, Swapped::Conflict, "{gone}");
    }
}

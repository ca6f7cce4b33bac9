//! Writes that wait for a row which somebody keeps locked.

use core::time::Duration;

use epoch_fence::engine::postgres::{Postgres, PostgresError, Session, Sessions as _};
use epoch_fence::engine::{AsyncEngine as _, Failure, Swapped};
use epoch_fence::protocol::Swap;
use tokio_postgres::Client;

use crate::pool::Pool;
use crate::stage::{Stage, acquire, block_on, land, renew, resource, runtime};

/// A lease, its renewal, and a transaction that keeps its row locked.
fn locked(stage: &Stage) -> (Swap, Client) {
    let held = block_on(land(&stage.store(), &resource("r"), acquire(1)));
    let locker = stage.session();
    block_on(locker.batch_execute("BEGIN; SELECT 1 FROM epoch_fence.lease FOR UPDATE")).unwrap();
    (Swap::prepare(&held, &renew(1)).unwrap(), locker)
}

#[test]
fn a_wait_for_a_row_ends_with_a_definite_failure_and_a_statement_that_is_cut_short_with_an_unknown_one() {
    let Some(stage) = Stage::own("waits") else { return };
    let (renewal, locker) = locked(&stage);
    let of = |setup: &str| Postgres::over(Pool::new(&stage.url, setup), stage.options()).unwrap();
    let patient = of("SET lock_timeout = '200ms'");
    let sent = block_on(patient.swap(&resource("r"), &renewal));
    let Err(Failure::Definite(PostgresError::Refused(why))) = sent else { panic!("{sent:?}") };
    assert_eq!(why.code().map(|code| code.code()), Some("55P03"));
    let hasty = of("SET statement_timeout = '200ms'");
    let sent = block_on(hasty.swap(&resource("r"), &renewal));
    let Err(Failure::Indeterminate(PostgresError::Refused(why))) = sent else { panic!("{sent:?}") };
    assert_eq!(why.code().map(|code| code.code()), Some("57014"));
    block_on(locker.batch_execute("ROLLBACK")).unwrap();
    let sent = block_on(patient.swap(&resource("r"), &renewal)).unwrap();
    assert!(matches!(sent, Swapped::Landed(_)), "neither had landed: {sent:?}");
}

#[test]
fn a_session_that_an_operator_ends_in_the_middle_of_a_write_leaves_it_unknown() {
    let Some(stage) = Stage::own("terminated") else { return };
    let (renewal, locker) = locked(&stage);
    let store = stage.store();
    let sent = runtime().spawn(async move {
        let sent = store.swap(&resource("r"), &renewal).await;
        (sent, store.load(&resource("r")).await)
    });
    stage.wait_for_waiters(1);
    stage.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE datname = current_database() AND wait_event_type = 'Lock'",
    );
    let (sent, loaded) = block_on(sent).unwrap();
    assert!(matches!(sent, Err(Failure::Indeterminate(PostgresError::Lost(_)))), "{sent:?}");
    loaded.unwrap();
    drop(locker);
}

#[test]
fn the_server_gives_up_before_the_client_does() {
    let Some(stage) = Stage::shared("limits") else { return };
    let options = stage.options().request_timeout(Duration::from_secs(8));
    let store = block_on(Postgres::connect(&stage.url, options)).unwrap();
    let shown = block_on(async {
        let lent = store.sessions().lend().await.unwrap();
        let settings = "SELECT current_setting('lock_timeout'), current_setting('statement_timeout'), \
                        current_setting('default_transaction_isolation')";
        let row = Session::client(&lent).query_one(settings, &[]).await.unwrap();
        [0, 1, 2].map(|column| row.get::<_, String>(column))
    });
    assert_eq!(shown, ["6s", "7s", "read committed"]);
}

#[test]
fn a_session_that_lost_its_statements_is_made_anew() {
    let Some(stage) = Stage::shared("statements") else { return };
    let store = stage.store();
    block_on(land(&store, &resource("r"), acquire(1)));
    let lent = block_on(store.sessions().lend()).unwrap();
    block_on(Session::client(&lent).batch_execute("DEALLOCATE ALL")).unwrap();
    block_on(store.load(&resource("r"))).unwrap();
    let again = block_on(store.sessions().lend()).unwrap();
    assert!(!alloc::sync::Arc::ptr_eq(&lent, &again));
    block_on(land(&store, &resource("r"), renew(1)));
}

//! A pool of the caller's.

use alloc::sync::Arc;
use core::cell::Cell;
use core::ops::Deref;
use core::time::Duration;
use std::sync::Mutex;

use epoch_fence::engine::conformance::{self, Subject};
use epoch_fence::engine::postgres::{Postgres, PostgresError, Session, Sessions, UnsafeSetting};
use epoch_fence::engine::{AsyncEngine as _, Failure};
use epoch_fence::protocol::{Standing, Swap};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_postgres::Client;

use crate::stage::{Stage, acquire, block_on, blocking, connect, land, realm, renew, resource};

/// Two clients, each lent to one at a time. It prepares nothing ahead.
#[derive(Clone)]
pub(crate) struct Pool {
    idle: Arc<Mutex<Vec<Client>>>,
    places: Arc<Semaphore>,
}

pub(crate) struct Lent {
    client: Option<Client>,
    pool: Pool,
    _place: OwnedSemaphorePermit,
}

impl Pool {
    /// Of two sessions at a URL, each of which runs this first.
    pub(crate) fn new(url: &str, setup: &str) -> Self {
        let clients = [connect(url), connect(url)];
        for client in &clients {
            block_on(client.batch_execute(setup)).unwrap();
        }
        Self { idle: Arc::new(Mutex::new(clients.into())), places: Arc::new(Semaphore::new(2)) }
    }
}

impl Deref for Lent {
    type Target = Client;

    fn deref(&self) -> &Client {
        self.client.as_ref().unwrap()
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.pool.idle.lock().unwrap().extend(self.client.take());
    }
}

impl Sessions for Pool {
    type Lent = Lent;

    async fn lend(&self) -> Result<Lent, PostgresError> {
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(PostgresError::not_lent)?;
        let client = self.idle.lock().unwrap().pop();
        let client = client.ok_or("no client is left").map_err(PostgresError::not_lent)?;
        Ok(Lent { client: Some(client), pool: self.clone(), _place: place })
    }

    fn client(lent: &Lent) -> &Client {
        lent
    }

    fn discard(&self, mut lent: Lent) {
        lent.client = None;
    }
}

#[test]
fn postgres_conforms_through_a_pool() {
    let Some(stage) = Stage::own("pool") else { return };
    let pool = Pool::new(&stage.url, &stage.options().session_setup());
    stage.store();
    let store = blocking(Postgres::over(pool, stage.options()).unwrap());
    let now = Cell::new(0_i64);
    stage.set_clock(0);
    let advance = |wait: Duration| {
        now.set(now.get() + i64::try_from(wait.as_millis()).unwrap());
        stage.set_clock(now.get());
    };
    assert_eq!(conformance::run(&Subject::new(&store, &store, advance)), Ok(conformance::RULES));
    assert_eq!(store.engine().sessions().idle.lock().unwrap().len(), 2, "both are given back");
}

#[test]
fn a_client_whose_settings_are_changed_between_the_load_and_the_write_lands_nothing() {
    let Some(stage) = Stage::shared("pool_settings") else { return };
    let store = stage.store();
    let pool = Pool::new(&stage.url, &stage.options().session_setup());
    let pooled = Postgres::over(pool.clone(), stage.options()).unwrap();
    block_on(land(&pooled, &resource("held"), acquire(1)));
    let rows = [
        ("SET synchronous_commit = off", UnsafeSetting::SynchronousCommit),
        ("SET default_transaction_isolation = 'repeatable read'", UnsafeSetting::Isolation),
        ("SET default_transaction_isolation = 'serializable'", UnsafeSetting::Isolation),
    ];
    for (setting, wanted) in rows {
        for resource in [resource("new"), resource("held")] {
            let view = block_on(pooled.load(&resource)).unwrap();
            let free = view.standing() == Standing::Free;
            let command = if free { acquire(2) } else { renew(1) };
            let swap = Swap::prepare(&view, &command).unwrap();
            let set = |setting: &str| {
                for client in &*pool.idle.lock().unwrap() {
                    block_on(client.batch_execute(setting)).unwrap();
                }
            };
            set(setting);
            let sent = block_on(pooled.swap(&resource, &swap));
            let Err(Failure::Definite(PostgresError::Setting(found))) = sent else {
                panic!("{setting}: {sent:?}")
            };
            assert_eq!(found, wanted);
            let looked = block_on(pooled.load(&resource));
            let Err(PostgresError::Setting(found)) = looked else { panic!("{setting}: {looked:?}") };
            assert_eq!(found, wanted);
            let unchanged = block_on(store.load(&resource)).unwrap();
            assert_eq!(unchanged.record(), view.record());
            set("RESET synchronous_commit; SET default_transaction_isolation = 'read committed'");
        }
    }
}

#[test]
fn a_pool_that_lends_no_client_is_waited_for_as_long_as_for_a_server() {
    let Some(stage) = Stage::shared("pool_empty") else { return };
    let pool = Pool::new(&stage.url, "");
    let options = stage.options().request_timeout(Duration::from_millis(50));
    let store = Postgres::over(pool.clone(), options).unwrap();
    let view = block_on(stage.store().load(&resource("r"))).unwrap();
    let swap = Swap::prepare(&view, &acquire(1)).unwrap();
    let (one, two) = (block_on(pool.lend()).unwrap(), block_on(pool.lend()).unwrap());
    let load = block_on(store.load(&resource("r")));
    assert!(matches!(load, Err(PostgresError::TimedOut { .. })), "{load:?}");
    let sent = block_on(store.swap(&resource("r"), &swap));
    assert!(matches!(sent, Err(Failure::Definite(PostgresError::TimedOut { .. }))), "{sent:?}");
    drop((one, two));
    pool.places.close();
    let sent = block_on(store.swap(&resource("r"), &swap));
    assert!(matches!(sent, Err(Failure::Definite(PostgresError::NotLent(_)))), "{sent:?}");
}

/// A pool that does not ask whether a client is of any more use.
struct Careless(Pool);

impl Sessions for Careless {
    type Lent = Lent;

    async fn lend(&self) -> Result<Lent, PostgresError> {
        self.0.lend().await
    }

    fn client(lent: &Lent) -> &Client {
        lent
    }
}

#[test]
fn a_client_that_is_of_no_more_use_goes_back_to_a_pool_that_does_not_ask() {
    let Some(stage) = Stage::shared("pool_careless") else { return };
    let pool = Careless(Pool::new(&stage.url, ""));
    let lent = block_on(pool.lend()).unwrap();
    assert_eq!(pool.0.idle.lock().unwrap().len(), 1);
    pool.discard(lent);
    assert_eq!(pool.0.idle.lock().unwrap().len(), 2);
}

/// Somebody holds the tables, so that not even a statement is prepared.
#[test]
fn a_write_whose_statement_could_not_be_prepared_in_time_did_not_land() {
    let Some(stage) = Stage::own("pool_prepares") else { return };
    let view = block_on(stage.store().load(&resource("r"))).unwrap();
    let pool = Pool::new(&stage.url, "");
    let options = stage.options().request_timeout(Duration::from_millis(50));
    let store = Postgres::over(pool.clone(), options).unwrap();
    let other = stage.session();
    block_on(
        other
            .batch_execute("BEGIN; LOCK TABLE epoch_fence.lease, epoch_fence.realm IN ACCESS EXCLUSIVE MODE"),
    )
    .unwrap();
    let load = block_on(store.load(&resource("r")));
    assert!(matches!(load, Err(PostgresError::TimedOut { .. })), "{load:?}");
    let sent = block_on(store.swap(&resource("r"), &Swap::prepare(&view, &acquire(1)).unwrap()));
    assert!(matches!(sent, Err(Failure::Definite(PostgresError::TimedOut { .. }))), "{sent:?}");
    assert_eq!(pool.idle.lock().unwrap().len(), 0, "whoever waits on them is not waited for");
    block_on(other.batch_execute("ROLLBACK")).unwrap();
    assert_eq!(block_on(stage.store().load(&resource("r"))).unwrap().record(), view.record());
}

/// A log of a program has them in it, and not how to come in.
#[test]
fn a_store_and_its_sessions_are_named_in_a_log_without_the_way_to_the_server() {
    let Some(stage) = Stage::shared("named") else { return };
    let store = stage.store();
    let text = format!("{store:?}");
    assert!(text.starts_with("Postgres { options: PostgresOptions { namespace: \"named\""), "{text}");
    assert_eq!(format!("{:?}", store.sessions()), "Session { .. }");
    let lent = block_on(store.sessions().lend()).unwrap();
    let text = format!("{lent:?}");
    assert!(text.starts_with("SharedClient { client: Client"), "{text}");
}

#[test]
fn a_session_prepares_each_statement_once() {
    let Some(stage) = Stage::shared("prepared") else { return };
    let store = stage.store();
    let load = || block_on(store.load(&resource("r"))).unwrap();
    let prepared = || {
        let lent = block_on(store.sessions().lend()).unwrap();
        let count = "SELECT count(*) FROM pg_prepared_statements";
        block_on(Session::client(&lent).query_one(count, &[])).unwrap().get::<_, i64>(0)
    };
    load();
    let once = prepared();
    for _ in 0..5 {
        load();
    }
    assert_eq!(prepared(), once);
}

/// Each look ends the session that it is on.
#[test]
fn a_look_that_loses_its_session_each_time_is_begun_again_once() {
    let Some(stage) = Stage::own("pool_lost") else { return };
    let store = stage.store();
    stage.execute(
        "CREATE SEQUENCE public.looks; \
         CREATE OR REPLACE FUNCTION epoch_fence.clock() RETURNS timestamptz LANGUAGE plpgsql VOLATILE AS $$ BEGIN \
         PERFORM nextval('public.looks'); PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(60); \
         RETURN now(); END $$",
    );
    let lost = block_on(store.load(&resource("r")));
    assert!(matches!(lost, Err(PostgresError::Lost(_))), "{lost:?}");
    let looks = block_on(stage.session().query_one("SELECT last_value FROM public.looks", &[])).unwrap();
    assert_eq!(looks.get::<_, i64>(0), 2);
}

#[test]
fn a_session_outlives_an_error_of_a_statement_and_is_replaced_when_it_lost_what_it_prepared() {
    let Some(stage) = Stage::own("pool_kept") else { return };
    let store = stage.store();
    let process = || {
        let lent = block_on(store.sessions().lend()).unwrap();
        let row = block_on(Session::client(&lent).query_one("SELECT pg_backend_pid()", &[])).unwrap();
        row.get::<_, i32>(0)
    };
    block_on(store.load(&resource("r"))).unwrap();
    let first = process();
    assert_eq!(process(), first);
    let lent = block_on(store.sessions().lend()).unwrap();
    block_on(Session::client(&lent).batch_execute("DEALLOCATE ALL")).unwrap();
    drop(lent);
    block_on(store.load(&resource("r"))).unwrap();
    let second = process();
    assert_ne!(second, first);

    stage.execute(
        "CREATE SEQUENCE public.looks; \
         CREATE OR REPLACE FUNCTION epoch_fence.clock() RETURNS timestamptz LANGUAGE plpgsql VOLATILE AS $$ BEGIN \
         PERFORM nextval('public.looks'); RAISE EXCEPTION 'no time'; END $$",
    );
    let refused = block_on(store.load(&resource("r"))).unwrap_err();
    assert_eq!(refused.to_string(), "the server refused: no time (P0001)");
    let looks = block_on(stage.session().query_one("SELECT last_value FROM public.looks", &[])).unwrap();
    assert_eq!((looks.get::<_, i64>(0), process()), (1, second), "it is asked once");
}

#[test]
fn a_server_on_another_timeline_than_the_one_accepted_is_refused_for_looks_and_writes() {
    let Some(stage) = Stage::own("pool_timeline") else { return };
    let store = stage.store();
    let view = block_on(store.load(&resource("r"))).unwrap();
    let swap = Swap::prepare(&view, &acquire(1)).unwrap();
    stage.execute("UPDATE epoch_fence.realm SET timeline = '0000000F'");
    let looked = block_on(store.load(&resource("r")));
    let Err(PostgresError::Promoted { kept, found }) = looked else { panic!("{looked:?}") };
    assert_eq!((kept.as_str(), found.as_str()), ("0000000F", "00000001"));
    let sent = block_on(store.swap(&resource("r"), &swap));
    assert!(matches!(sent, Err(Failure::Definite(PostgresError::Promoted { .. }))), "{sent:?}");
}

#[test]
fn an_operator_s_call_at_another_isolation_is_refused_with_the_setting() {
    let Some(stage) = Stage::shared("pool_isolation") else { return };
    let before = block_on(stage.store().load(&resource("r"))).unwrap();
    let pool = Pool::new(&stage.url, "SET default_transaction_isolation = 'serializable'");
    let store = Postgres::over(pool, stage.options()).unwrap();
    let refused = block_on(store.recover(realm(2), None));
    assert!(matches!(refused, Err(PostgresError::Setting(UnsafeSetting::Isolation))), "{refused:?}");
    assert_eq!(block_on(stage.store().load(&resource("r"))).unwrap().record(), before.record());
}

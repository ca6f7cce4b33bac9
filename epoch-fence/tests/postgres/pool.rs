//! A pool of the caller's.

use alloc::sync::Arc;
use core::cell::Cell;
use core::ops::Deref;
use core::time::Duration;
use std::sync::Mutex;

use epoch_fence::engine::conformance::{self, Subject};
use epoch_fence::engine::postgres::{Postgres, PostgresError, Sessions, UnsafeSetting};
use epoch_fence::engine::{AsyncEngine as _, Failure};
use epoch_fence::protocol::{Standing, Swap};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_postgres::Client;

use crate::stage::{Stage, acquire, block_on, blocking, connect, land, renew, resource};

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

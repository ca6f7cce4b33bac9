//! `Stage`: a server, a runtime, and a namespace of a test's own.

use core::time::Duration;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;

use clock_testing::NotInstalled;
use clock_testing::postgres::Postgres as Server;
use epoch_fence::engine::postgres::{ISSUER_SQL, Postgres, PostgresError, PostgresOptions};
use epoch_fence::engine::{AsyncEngine, Blocking, Swapped};
use epoch_fence::protocol::{Command, Swap, Ttl, View};
use epoch_fence::{GrantId, HolderId, RealmId, ResourceId};
use tokio::runtime::Runtime;
use tokio_postgres::{Client, NoTls};

/// The runtime of all tests: what lives on it outlives each of them.
pub(crate) fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
    })
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    runtime().block_on(future)
}

/// The server of those tests that leave it as it is.
static SERVER: OnceLock<Result<Mutex<Server>, NotInstalled>> = OnceLock::new();

/// A database of a server, with the schema in it, and a namespace.
pub(crate) struct Stage {
    pub(crate) url: String,
    superuser: Client,
    namespace: String,
}

impl Stage {
    /// A namespace of the database that the tests share. `None`: say so, and return.
    pub(crate) fn shared(namespace: &str) -> Option<Self> {
        static MADE: OnceLock<()> = OnceLock::new();
        let stage = Self { namespace: namespace.to_owned(), ..Self::bare("shared", &MADE)? };
        block_on(stage.open()).unwrap();
        Some(stage)
    }

    /// A database of the test's own, for one that changes the tables or the clock.
    pub(crate) fn own(database: &str) -> Option<Self> {
        let stage = Self::bare(database, &OnceLock::new())?;
        block_on(stage.open()).unwrap();
        Some(stage)
    }

    /// A database, with the schema unless it is there already.
    fn bare(database: &str, made: &OnceLock<()>) -> Option<Self> {
        let server = SERVER.get_or_init(|| Server::start(&[]).map(Mutex::new));
        let server = match server {
            Ok(server) => server.lock().unwrap_or_else(PoisonError::into_inner),
            Err(missing) => {
                missing.not_run();
                return None;
            }
        };
        made.get_or_init(|| {
            server.create_database(database);
            server.execute(database, ISSUER_SQL);
        });
        let url = server.url_of(database);
        Some(Self { superuser: connect(&url), url, namespace: "default".to_owned() })
    }

    pub(crate) fn options(&self) -> PostgresOptions {
        options().namespace(&*self.namespace)
    }

    /// A client of the namespace, which it makes.
    pub(crate) async fn open(&self) -> Result<Postgres, PostgresError> {
        let store = Postgres::connect(&self.url, self.options()).await?;
        store.init_with(realm(1)).await?;
        Ok(store)
    }

    pub(crate) fn store(&self) -> Postgres {
        block_on(self.open()).unwrap()
    }

    pub(crate) fn blocking(&self) -> Blocking<Postgres> {
        blocking(self.store())
    }

    /// Runs statements as the superuser, in one transaction.
    pub(crate) fn execute(&self, statements: &str) {
        block_on(self.superuser.batch_execute(statements)).unwrap();
    }

    /// Waits until so many statements wait for a lock in this database.
    pub(crate) fn wait_for_waiters(&self, number: u32) {
        let waiting = "SELECT count(*) FROM pg_stat_activity \
                       WHERE datname = current_database() AND wait_event_type = 'Lock'";
        let so = (0..6_000).any(|_| {
            thread::sleep(Duration::from_millis(10));
            let row = block_on(self.superuser.query_one(waiting, &[])).unwrap();
            row.get::<_, i64>(0) == i64::from(number)
        });
        assert!(so, "nobody waits");
    }

    /// Another session, of the superuser.
    pub(crate) fn session(&self) -> Client {
        connect(&self.url)
    }

    /// Stops the clock of the leases, in this database, at a moment so many milliseconds after the beginning of a day.
    /// Statements that run already see it too.
    pub(crate) fn set_clock(&self, millis: i64) {
        self.execute(&format!(
            "CREATE TABLE IF NOT EXISTS public.hands (at timestamptz); DELETE FROM public.hands; \
             INSERT INTO public.hands VALUES ('2026-01-01 00:00:00+00'::timestamptz + interval '{millis} ms'); \
             CREATE OR REPLACE FUNCTION epoch_fence.clock() RETURNS timestamptz LANGUAGE plpgsql VOLATILE \
             AS $$ BEGIN RETURN (SELECT h.at FROM public.hands h); END $$"
        ));
    }
}

pub(crate) fn connect(url: &str) -> Client {
    let (client, connection) = block_on(tokio_postgres::connect(url, NoTls)).unwrap();
    runtime().spawn(connection);
    client
}

/// A slow machine is no failure.
pub(crate) fn options() -> PostgresOptions {
    PostgresOptions::new().request_timeout(Duration::from_secs(60))
}

pub(crate) fn blocking<E: AsyncEngine>(engine: E) -> Blocking<E> {
    Blocking::new(engine, runtime().handle().clone())
}

pub(crate) fn realm(bits: u128) -> RealmId {
    RealmId::from_random_bits(bits).unwrap()
}

pub(crate) fn grant(bits: u128) -> GrantId {
    GrantId::from_random_bits(bits).unwrap()
}

pub(crate) fn holder(name: &str) -> HolderId {
    name.parse().unwrap()
}

pub(crate) fn resource(name: &str) -> ResourceId {
    ResourceId::of("tests", name)
}

pub(crate) fn ttl(millis: u64) -> Ttl {
    Ttl::new(Duration::from_millis(millis)).unwrap()
}

/// How long a lease lasts that a test acquires, in milliseconds.
pub(crate) const LEASE: i64 = 3_600_000;

/// An acquire under a grant of these bits.
pub(crate) fn acquire(bits: u128) -> Command {
    Command::Acquire { grant: grant(bits), holder: holder("test"), ttl: lease() }
}

/// A renewal of it.
pub(crate) fn renew(bits: u128) -> Command {
    Command::Renew { grant: grant(bits), ttl: lease() }
}

pub(crate) fn release(bits: u128) -> Command {
    Command::Release { grant: grant(bits) }
}

fn lease() -> Ttl {
    ttl(LEASE.unsigned_abs())
}

/// Loads, writes, and is to land.
pub(crate) async fn land(store: &impl AsyncEngine, resource: &ResourceId, command: Command) -> View {
    let view = store.load(resource).await.unwrap();
    let swap = Swap::prepare(&view, &command).unwrap();
    match store.swap(resource, &swap).await.unwrap() {
        Swapped::Landed(view) => {
            swap.check_landed(&view).unwrap();
            view
        }
        Swapped::Conflict => panic!("{command:?} met another version"),
    }
}

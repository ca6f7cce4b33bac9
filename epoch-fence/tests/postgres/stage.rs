//! `Stage`: a server, a runtime, and a namespace of a test's own.

use core::time::Duration;
use std::sync::{Mutex, OnceLock, PoisonError};

use clock_testing::NotInstalled;
use clock_testing::postgres::Postgres as Server;
use epoch_fence::engine::postgres::{ISSUER_SQL, Postgres, PostgresError, PostgresOptions};
use epoch_fence::engine::{AsyncEngine, Blocking, Swapped};
use epoch_fence::protocol::{Command, Swap, Ttl, View};
use epoch_fence::{GrantId, HolderId, RealmId, ResourceId};
use tokio::runtime::Runtime;

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
    database: String,
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
        let (url, namespace) = (server.url_of(database), "default".to_owned());
        Some(Self { url, database: database.to_owned(), namespace })
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

    /// Runs statements as the superuser.
    pub(crate) fn execute(&self, statements: &str) -> String {
        let Some(Ok(server)) = SERVER.get() else { unreachable!("there is a stage") };
        server.lock().unwrap_or_else(PoisonError::into_inner).execute(&self.database, statements)
    }

    /// Stops the server's clock, in this database, at a moment so many milliseconds after the beginning of a day.
    pub(crate) fn set_clock(&self, millis: i64) {
        self.execute(&format!(
            "CREATE OR REPLACE FUNCTION epoch_fence.clock() RETURNS timestamptz LANGUAGE sql VOLATILE \
             AS $$ SELECT timestamptz '2026-01-01 00:00:00+00' + interval '{millis} ms' $$"
        ));
    }
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

/// An acquire for a minute, under a grant of these bits.
pub(crate) fn acquire(bits: u128) -> Command {
    Command::Acquire { grant: grant(bits), holder: holder("test"), ttl: ttl(60_000) }
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

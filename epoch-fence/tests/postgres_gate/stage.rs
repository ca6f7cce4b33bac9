//! `Stage`: a database with a gate in it, and who comes to it.

use core::fmt;
use core::time::Duration;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Mutex, OnceLock, PoisonError};

use clock_testing::NotInstalled;
use clock_testing::postgres::Postgres as Server;
use epoch_fence::{Epoch, FencingToken, GrantId, PostgresGate, PostgresGateError, RealmId, ResourceId};
use tokio::runtime::Runtime;
use tokio::time::timeout;
use tokio_postgres::{Client, IsolationLevel, NoTls, Transaction};

/// A slow machine is no failure; a test that hangs is one.
pub(crate) const LONG: Duration = Duration::from_secs(120);

pub(crate) const LEVELS: [IsolationLevel; 3] =
    [IsolationLevel::ReadCommitted, IsolationLevel::RepeatableRead, IsolationLevel::Serializable];

/// The server of those tests that leave it as it is.
static SERVER: OnceLock<Result<Mutex<Server>, NotInstalled>> = OnceLock::new();

/// Plays a scene on a database of its own, in which the realm of the tokens is adopted and there is a table for effects.
pub(crate) fn play(database: &str, scene: impl AsyncFnOnce(&Stage)) {
    let Some(stage) = Stage::new(database) else { return };
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        timeout(LONG, async {
            let owner = stage.client("SET lock_timeout = '60s'").await;
            PostgresGate::install(&owner).await.unwrap();
            PostgresGate::adopt(&owner, realm(1), Epoch::FIRST).await.unwrap();
            owner.batch_execute("CREATE TABLE effect (epoch bigint, note text)").await.unwrap();
            scene(&stage).await;
        })
        .await
        .expect("the scene ends");
    });
}

/// A database.
pub(crate) struct Stage {
    pub(crate) url: String,
    database: String,
}

impl Stage {
    /// An empty one. `None`: it was said that nothing is run.
    fn new(database: &str) -> Option<Self> {
        let server = SERVER.get_or_init(|| Server::start(&[]).map(Mutex::new));
        match server {
            Ok(server) => {
                let url = server.lock().unwrap_or_else(PoisonError::into_inner).create_database(database);
                Some(Self { url, database: database.to_owned() })
            }
            Err(missing) => {
                missing.not_run();
                None
            }
        }
    }

    /// A session, after some settings.
    pub(crate) async fn client(&self, settings: &str) -> Client {
        connect(&self.url, settings).await.unwrap()
    }

    /// A session of one who waits patiently and may be idle for long.
    pub(crate) async fn writer(&self) -> Client {
        self.client(PATIENT).await
    }

    /// What `psql` makes of a script: what it prints, and what it complains of. Each statement is a transaction, unless it
    /// says otherwise, and none is left out after an error. The script can run `psql` on the same database.
    pub(crate) fn psql(&self, script: &str) -> (String, String) {
        let Some(Ok(server)) = SERVER.get() else { unreachable!("there is a stage") };
        let server = server.lock().unwrap_or_else(PoisonError::into_inner);
        let mut command = server.psql(&self.database);
        let programs = Path::new(command.get_program()).parent().unwrap();
        let path = format!("{}:/usr/bin:/bin", programs.display());
        command
            .env("PATH", path)
            .env("PGHOST", server.socket_folder())
            .env("PGPORT", server.port().to_string());
        drop(server);
        command.env("PGUSER", "postgres").env("PGDATABASE", &self.database).arg("--set=ON_ERROR_STOP=0");
        let mut psql =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        psql.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
        let output = psql.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (text(output.stdout), text(output.stderr))
    }

    /// How many effects there are.
    pub(crate) async fn effects(&self) -> i64 {
        self.client("").await.query_one("SELECT count(*) FROM effect", &[]).await.unwrap().get(0)
    }

    /// Returns when so many sessions wait for a lock.
    pub(crate) async fn until_waiting(&self, sessions: i64) {
        self.until_waiting_or(sessions, || false).await;
    }

    /// Returns when so many sessions wait for a lock, or it is of no use to wait for that.
    pub(crate) async fn until_waiting_or(&self, sessions: i64, done: impl Fn() -> bool) {
        let looker = self.client("").await;
        let query = "SELECT count(*) FROM pg_stat_activity \
            WHERE datname = current_database() AND wait_event_type = 'Lock'";
        while looker.query_one(query, &[]).await.unwrap().get::<_, i64>(0) < sessions && !done() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// What a session needs that waits and sleeps for as long as the test takes.
pub(crate) const PATIENT: &str = "SET lock_timeout = '60s'; SET idle_in_transaction_session_timeout = '120s'";

/// What a session needs that gives up soon.
pub(crate) const IMPATIENT: &str =
    "SET lock_timeout = '150ms'; SET idle_in_transaction_session_timeout = '120s'";

pub(crate) async fn connect(url: &str, settings: &str) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    drop(tokio::spawn(connection));
    client.batch_execute(settings).await?;
    Ok(client)
}

/// Begins a transaction at a level.
pub(crate) async fn begin(client: &mut Client, level: IsolationLevel) -> Transaction<'_> {
    client.build_transaction().isolation_level(level).start().await.unwrap()
}

/// The effect of whoever has a token.
pub(crate) async fn act(transaction: &Transaction<'_>, token: &FencingToken, note: &str) {
    let epoch = i64::try_from(token.epoch().get()).unwrap();
    transaction.execute("INSERT INTO effect VALUES ($1, $2)", &[&epoch, &note]).await.unwrap();
}

pub(crate) fn realm(bits: u128) -> RealmId {
    RealmId::from_random_bits(bits).unwrap()
}

pub(crate) fn grant(bits: u128) -> GrantId {
    GrantId::from_random_bits(bits).unwrap()
}

pub(crate) fn epoch(number: u64) -> Epoch {
    Epoch::new(number).unwrap()
}

pub(crate) fn ledger() -> ResourceId {
    ResourceId::of("billing", "ledger")
}

pub(crate) fn gate() -> PostgresGate {
    PostgresGate::new(ledger())
}

/// The token of an epoch, under the grant of the same number.
pub(crate) fn token(number: u64) -> FencingToken {
    FencingToken::new(realm(1), ledger(), epoch(number), grant(number.into()))
}

/// The token of the same epoch as [`token`]'s, under another grant.
pub(crate) fn rival(number: u64) -> FencingToken {
    FencingToken::new(realm(1), ledger(), epoch(number), grant(u128::from(number) << 64))
}

/// What a call came to, in a word that can be compared.
pub(crate) fn word<T>(result: Result<T, PostgresGateError>) -> String {
    match result {
        Ok(_) => "admitted".to_owned(),
        Err(PostgresGateError::Database(why)) => {
            why.code().map_or_else(|| why.to_string(), |code| code.code().to_owned())
        }
        Err(why) => name(&why),
    }
}

fn name(of: &impl fmt::Debug) -> String {
    format!("{of:?}").split(' ').next().unwrap_or_default().to_owned()
}

/// The last number of an error's message.
pub(crate) fn code(error: &tokio_postgres::Error) -> &str {
    error.code().map_or("none", |code| code.code())
}

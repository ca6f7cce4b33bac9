//! Leases in a PostgreSQL, beside its advisory locks.

use alloc::sync::Arc;

use clock_testing::postgres::Postgres as Server;
use epoch_fence::SystemClock;
use epoch_fence::engine::postgres::{Postgres, PostgresOptions};
use tokio_postgres::{Client, NoTls};

use crate::lease::{Issuer, once, resource};
use crate::load::{BARE, Load, Measured, Resources};
use crate::{CONTENDERS, Failure};

const STORE: &str = "PostgreSQL";

/// As the record of a lease: a row by its key, a version, a number, two texts and a time; read, and written where it is
/// as it was read. Half of a page stays free, as with leases.
const TABLE: &str = "
CREATE SCHEMA IF NOT EXISTS epoch_fence_load;
CREATE TABLE IF NOT EXISTS epoch_fence_load.bare (
  key bytea PRIMARY KEY, version bigint NOT NULL, epoch bigint NOT NULL, grant_id bytea, holder text, ends_at timestamptz
) WITH (fillfactor = 50)";
const READ: &str = "SELECT version, epoch, grant_id, holder, ends_at, clock_timestamp() FROM epoch_fence_load.bare WHERE key = $1";
const WRITE: &str = "UPDATE epoch_fence_load.bare SET version = version + 1, epoch = epoch + 1, grant_id = $3, holder = $4, \
                     ends_at = clock_timestamp() WHERE key = $1 AND version = $2 RETURNING version, ends_at - clock_timestamp()";

pub(crate) async fn measure(url: Option<&str>, load: &Load) -> Result<Vec<Measured>, Failure> {
    let mut own = None;
    let url = match url {
        Some(url) => url.to_owned(),
        None => match Server::start(&[]) {
            Ok(server) => own.insert(server).url(),
            Err(missing) => {
                missing.not_run();
                return Ok(Vec::new());
            }
        },
    };
    let store = Postgres::connect(&url, PostgresOptions::new().namespace("load")).await?;
    store.migrate().await?;
    store.init().await?;
    let issuer: Arc<Issuer<Postgres>> = Arc::new(Issuer::new(store, SystemClock::new()));
    let mut measured = Vec::new();
    for contenders in CONTENDERS {
        let bare = Arc::new(Bare::connect(&url, contenders).await?);
        let row = |what, resources| Measured::new(STORE, what, contenders, resources);
        let mut rows = [
            row(BARE, Resources::OneEach),
            row("lease", Resources::OneEach),
            row("lease", Resources::One),
            row("advisory lock, not durable", Resources::OneEach),
            row("advisory lock, not durable", Resources::One),
        ];
        for _ in 0..load.turns() {
            for row in &mut rows {
                let (resources, what) = (row.resources, row.what);
                let (bare, issuer) = (Arc::clone(&bare), Arc::clone(&issuer));
                let doing = move |contender| {
                    let (bare, issuer) = (Arc::clone(&bare), Arc::clone(&issuer));
                    async move {
                        match what {
                            BARE => bare.twice(contender).await,
                            "lease" => once(&issuer, resources, contender).await,
                            _ => bare.lock(resources, contender).await,
                        }
                    }
                };
                Load::turn(row, Arc::new(doing)).await?;
            }
        }
        measured.extend(rows);
    }
    Ok(measured)
}

struct Bare {
    /// As the store has it: one session for all.
    shared: Client,
    read: tokio_postgres::Statement,
    write: tokio_postgres::Statement,
    /// An advisory lock is one session's: each has its own.
    sessions: Vec<Client>,
}

async fn connect(url: &str) -> Result<Client, Failure> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

impl Bare {
    async fn connect(url: &str, contenders: usize) -> Result<Self, Failure> {
        let shared = connect(url).await?;
        shared.batch_execute(TABLE).await?;
        for contender in 0..contenders {
            let key = contender.to_be_bytes().to_vec();
            let insert = "INSERT INTO epoch_fence_load.bare VALUES ($1, 1, 1) ON CONFLICT DO NOTHING";
            shared.execute(insert, &[&key]).await?;
        }
        let mut sessions = Vec::new();
        for _ in 0..contenders {
            sessions.push(connect(url).await?);
        }
        let (read, write) = (shared.prepare(READ).await?, shared.prepare(WRITE).await?);
        Ok(Self { shared, read, write, sessions })
    }

    /// Reads and writes, as an acquisition, and again, as a release.
    async fn twice(&self, contender: usize) -> Result<(), Failure> {
        let key = contender.to_be_bytes().to_vec();
        for _ in 0..2 {
            let found = self.shared.query_one(&self.read, &[&key]).await?;
            let version: i64 = found.get(0);
            let grant = version.to_be_bytes().repeat(2);
            let written = self.shared.query(&self.write, &[&key, &version, &grant, &"contender"]).await?;
            if written.len() != 1 {
                return Err("nobody else writes this row".into());
            }
        }
        Ok(())
    }

    async fn lock(&self, resources: Resources, contender: usize) -> Result<(), Failure> {
        let session = self.sessions.get(contender).ok_or("no session")?;
        let key = resource(resources, contender);
        let key = i64::from(key.parse::<i32>().unwrap_or(-1));
        session.query_one("SELECT pg_advisory_lock($1)", &[&key]).await?;
        session.query_one("SELECT pg_advisory_unlock($1)", &[&key]).await?;
        Ok(())
    }
}

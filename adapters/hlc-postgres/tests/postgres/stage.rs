//! `Stage`: the server of all tests, and a session in a schema of a test's own.

use core::ops::Deref;
use std::sync::{Mutex, OnceLock, PoisonError};

use clock_testing::postgres::Postgres;
use clock_testing::{Dice, NotInstalled};
use hlc::{NodeId, Stamp, Timestamp};
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::{Client, NoTls, Row, types::ToSql};

static SERVER: OnceLock<Result<Mutex<Postgres>, NotInstalled>> = OnceLock::new();

/// A session, and the runtime that drives it.
pub(crate) struct Stage {
    client: Client,
    runtime: Runtime,
}

impl Stage {
    /// A session in a new schema. `None`: say so, and return.
    pub(crate) fn new(schema: &str) -> Option<Self> {
        // Nothing here outlives the tests.
        let server = SERVER.get_or_init(|| Postgres::start(&[("fsync", "off")]).map(Mutex::new));
        let server = match server {
            Ok(server) => server.lock().unwrap_or_else(PoisonError::into_inner),
            Err(missing) => {
                missing.not_run();
                return None;
            }
        };
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let (client, connection) = runtime.block_on(tokio_postgres::connect(&server.url(), NoTls)).unwrap();
        runtime.spawn(connection);
        let stage = Self { client, runtime };
        stage.batch(&format!("CREATE SCHEMA {schema}; SET search_path = {schema}"));
        Some(stage)
    }

    pub(crate) fn batch(&self, statements: &str) {
        self.runtime.block_on(self.client.batch_execute(statements)).unwrap();
    }

    pub(crate) fn try_query(
        &self,
        query: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, tokio_postgres::Error> {
        self.runtime.block_on(self.client.query(query, parameters))
    }

    pub(crate) fn query(&self, query: &str, parameters: &[&(dyn ToSql + Sync)]) -> Vec<Row> {
        self.try_query(query, parameters).unwrap_or_else(|error| panic!("{query}: {error:?}"))
    }

    /// The lines of a plan.
    pub(crate) fn explain(&self, query: &str) -> String {
        let rows = self.query(&format!("EXPLAIN (COSTS OFF) {query}"), &[]);
        rows.iter().map(|row| row.get::<_, String>(0) + "\n").collect()
    }
}

impl Deref for Stage {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

/// Distinct stamps in no order: where each field decides the order of some, the ends of every field, and what is anywhere.
pub(crate) fn stamps(count: usize, dice: &mut Dice) -> Vec<Stamp> {
    let mut stamps: Vec<_> = (0..count)
        .map(|_| {
            let bits = match dice.roll(3) {
                // A busy millisecond, and the two around it.
                0 => (1_700_000_000_000 << 16) - 1 + dice.roll(1 << 16) * dice.roll(3),
                1 => [1, 0xf, 0x10, 0xffff, 1 << 16, i64::MAX.cast_unsigned(), 1 << 63, u64::MAX]
                    [usize::try_from(dice.roll(8)).unwrap()],
                _ => dice.roll(u64::MAX) + 1,
            };
            let node =
                [0, 1, 0x3f, 1 << 57, u64::MAX, dice.roll(u64::MAX)][usize::try_from(dice.roll(6)).unwrap()];
            Timestamp::from_bits(bits).unwrap().at_node(NodeId::from_random_bits(node))
        })
        .collect();
    stamps.sort();
    stamps.dedup();
    for last in (1..stamps.len()).rev() {
        let other = dice.roll(u64::try_from(last).unwrap() + 1);
        stamps.swap(last, usize::try_from(other).unwrap());
    }
    stamps
}

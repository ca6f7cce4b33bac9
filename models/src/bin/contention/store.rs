//! `Store`: the store of a run, whichever it is.

use core::error::Error;
use core::fmt;
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use std::path::PathBuf;
use std::thread;

use epoch_fence::engine::etcd::{Etcd, EtcdError, EtcdOptions};
use epoch_fence::engine::file::{Directory, FileError};
use epoch_fence::engine::postgres::{Postgres, PostgresError, PostgresOptions};
use epoch_fence::engine::{AsyncEngine, Blocking, Engine, Failure as NotSwapped, Swapped};
use epoch_fence::protocol::{Swap, View};
use epoch_fence::{Epoch, ResourceId};
use serde::{Deserialize, Serialize};
use tokio::runtime::{Builder, Runtime};

use crate::cast::Kind;
use crate::host::FalseHost;
use crate::{Failure, cast};

/// Between two tries to reach a server, and how many: a minute, which is longer than any fault.
const PAUSE: Duration = Duration::from_millis(20);
const TRIES: u32 = 3_000;

/// The code of gRPC for a service that is away.
const UNAVAILABLE: i32 = 14;

/// Where the records of a run are.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum StorePart {
    File(PathBuf),
    Postgres { url: String },
    Etcd { endpoints: Vec<String> },
}

/// The store of a run, as one of its processes has it.
#[derive(Debug)]
pub(crate) struct Store {
    kept: Kept,
    host: FalseHost,
    /// Whether the next stop comes after the write, not before it.
    after: AtomicBool,
}

#[derive(Debug)]
enum Kept {
    File(Directory<FalseHost>),
    Postgres(Box<Served<Postgres>>),
    Etcd(Box<Served<Etcd>>),
}

/// A store that is awaited, and the threads that its connections live on.
#[derive(Debug)]
struct Served<E> {
    store: Blocking<E>,
    runtime: Runtime,
}

/// What went wrong in a store.
#[derive(Debug)]
pub(crate) enum StoreError {
    File(FileError),
    Postgres(PostgresError),
    Etcd(EtcdError),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(why) => why.fmt(f),
            Self::Postgres(why) => why.fmt(f),
            Self::Etcd(why) => why.fmt(f),
        }
    }
}

impl Error for StoreError {}

impl StoreError {
    /// Whether it may be so while faults happen, and passes with them. Anything else ends the run.
    pub(crate) fn passes(&self) -> bool {
        match self {
            Self::File(why) => matches!(why, FileError::Busy { .. }),
            Self::Postgres(why) => match why {
                PostgresError::Connect(_) | PostgresError::TimedOut { .. } | PostgresError::Lost(_) => true,
                // Too many connections for the moment, a lock or a statement that took too long.
                PostgresError::Refused(why) => {
                    let code = why.code().map_or("", |code| code.code());
                    ["40", "53", "55", "57"].iter().any(|class| code.starts_with(class))
                }
                _ => false,
            },
            Self::Etcd(why) => match why {
                EtcdError::Contended
                | EtcdError::Unsure(_)
                | EtcdError::Unreachable
                | EtcdError::Connection(_)
                | EtcdError::TimedOut { .. } => true,
                // Unavailable: nobody leads, or a majority is away.
                EtcdError::Refused(reply) => reply.code() == UNAVAILABLE,
                _ => false,
            },
        }
    }
}

impl StorePart {
    pub(crate) const fn kind(&self) -> Kind {
        match self {
            Self::File(_) => Kind::File,
            Self::Postgres { .. } => Kind::Postgres,
            Self::Etcd { .. } => Kind::Etcd,
        }
    }

    /// Opens the store, for a process with these clocks; a server that is away is waited for.
    pub(crate) fn open(&self, host: FalseHost) -> Result<Store, Failure> {
        let kept = match self {
            Self::File(folder) => Kept::File(cast::file_options().open_with(folder, host.clone())?),
            Self::Postgres { url } => Kept::Postgres(reach(|runtime| {
                let options = PostgresOptions::new().request_timeout(cast::TO_REQUEST);
                runtime.block_on(Postgres::connect(url, options)).map_err(StoreError::Postgres)
            })?),
            Self::Etcd { endpoints } => {
                let options = EtcdOptions::new(endpoints.clone(), "contention")?.timeout(cast::TO_REQUEST);
                Kept::Etcd(reach(|runtime| {
                    runtime.block_on(options.clone().connect()).map_err(StoreError::Etcd)
                })?)
            }
        };
        Ok(Store { kept, host, after: AtomicBool::new(false) })
    }
}

/// Connects to a server, again and again while it is away.
fn reach<E: AsyncEngine>(
    connect: impl Fn(&Runtime) -> Result<E, StoreError>,
) -> Result<Box<Served<E>>, Failure> {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let mut tries = 0;
    loop {
        match connect(&runtime) {
            Ok(engine) => {
                let store = Blocking::new(engine, runtime.handle().clone());
                return Ok(Box::new(Served { store, runtime }));
            }
            Err(why) if tries >= TRIES || !why.passes() => return Err(why.into()),
            Err(_) => tries = tries.saturating_add(1),
        }
        thread::sleep(PAUSE);
    }
}

impl Store {
    /// Makes the store ready for its first lease, where it has to be made.
    pub(crate) fn begin(&self) -> Result<(), Failure> {
        match &self.kept {
            Kept::File(_) => Ok(()),
            Kept::Postgres(served) => served.runtime.block_on(async {
                let engine = served.store.engine();
                engine.migrate().await?;
                engine.init().await?;
                Ok(())
            }),
            Kept::Etcd(served) => {
                served.runtime.block_on(served.store.engine().init())?;
                Ok(())
            }
        }
    }

    /// Accepts a server that was promoted, by the operator's hand. Returns the floor of the epochs to come.
    pub(crate) fn accept(&self) -> Result<Option<Epoch>, Failure> {
        match &self.kept {
            Kept::Postgres(served) => Ok(served.runtime.block_on(served.store.engine().accept())?),
            Kept::File(_) | Kept::Etcd(_) => Err("nothing there that is promoted".into()),
        }
    }

    /// A swap of a server's record. The process stops itself before it, or when it has landed and nobody knows yet.
    fn served<E: Engine>(
        &self,
        store: &E,
        resource: &ResourceId,
        swap: &Swap,
        into: impl Fn(E::Error) -> StoreError,
    ) -> Result<Swapped, NotSwapped<StoreError>> {
        let after = self.after.fetch_not(Ordering::Relaxed);
        if !after {
            self.host.in_swap();
        }
        let swapped = store.swap(resource, swap);
        if after {
            self.host.in_swap();
        }
        swapped.map_err(|why| failed(why, into))
    }
}

impl Engine for Store {
    type Error = StoreError;

    fn load(&self, resource: &ResourceId) -> Result<View, StoreError> {
        match &self.kept {
            Kept::File(directory) => directory.load(resource).map_err(StoreError::File),
            Kept::Postgres(served) => served.store.load(resource).map_err(StoreError::Postgres),
            Kept::Etcd(served) => served.store.load(resource).map_err(StoreError::Etcd),
        }
    }

    fn swap(&self, resource: &ResourceId, swap: &Swap) -> Result<Swapped, NotSwapped<StoreError>> {
        match &self.kept {
            // It stops itself with the register in its hands.
            Kept::File(directory) => {
                directory.swap(resource, swap).map_err(|why| failed(why, StoreError::File))
            }
            Kept::Postgres(served) => self.served(&served.store, resource, swap, StoreError::Postgres),
            Kept::Etcd(served) => self.served(&served.store, resource, swap, StoreError::Etcd),
        }
    }
}

fn failed<E, F>(why: NotSwapped<E>, into: impl Fn(E) -> F) -> NotSwapped<F> {
    match why {
        NotSwapped::Definite(why) => NotSwapped::Definite(into(why)),
        NotSwapped::Indeterminate(why) => NotSwapped::Indeterminate(into(why)),
    }
}

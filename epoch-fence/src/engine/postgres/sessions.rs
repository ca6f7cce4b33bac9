//! `Sessions`: where the clients come from; and `Session`, the one that this crate brings.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::pin::Pin;
use core::time::Duration;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Mutex as AsyncMutex, oneshot};
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{Client, Config, Error, Socket, Statement};

use super::PostgresError;

/// How long a connection that nobody uses any more may take to say goodbye.
const FAREWELL: Duration = Duration::from_secs(1);

/// Lends clients: one [`Session`], or a pool of the caller's.
///
/// A client must not be within a transaction: a write would then be acknowledged before it is committed. One that is lent
/// is used for one load or one write, and several may be lent at a time.
///
/// # Examples
///
/// For a pool whose clients are dereferenced to [`Client`], as those of `deadpool-postgres` and `bb8-postgres`:
///
/// ```
/// use std::ops::Deref;
/// use epoch_fence::engine::postgres::{PostgresError, Sessions};
/// use tokio_postgres::{Client, Error, Statement};
/// # struct Pool;
/// # struct Pooled(Client);
/// # #[derive(Debug)]
/// # struct PoolError;
/// # impl std::fmt::Display for PoolError {
/// #     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str("no client") }
/// # }
/// # impl std::error::Error for PoolError {}
/// # impl Pool { async fn get(&self) -> Result<Pooled, PoolError> { Err(PoolError) } }
/// # impl Pooled {
/// #     async fn prepare_cached(&self, sql: &str) -> Result<Statement, Error> { self.0.prepare(sql).await }
/// # }
/// # impl Deref for Pooled { type Target = Client; fn deref(&self) -> &Client { &self.0 } }
///
/// struct Leases(Pool);
///
/// impl Sessions for Leases {
///     type Lent = Pooled;
///
///     async fn lend(&self) -> Result<Pooled, PostgresError> {
///         self.0.get().await.map_err(PostgresError::not_lent)
///     }
///
///     fn client(lent: &Pooled) -> &Client {
///         lent
///     }
///
///     // Without this, each statement is prepared anew: a round trip more.
///     async fn prepare(lent: &Pooled, sql: &'static str) -> Result<Statement, Error> {
///         lent.prepare_cached(sql).await
///     }
/// }
/// ```
pub trait Sessions: Send + Sync {
    /// A client that is lent. Dropped, it goes back.
    type Lent: Send + Sync;

    /// Lends a client.
    ///
    /// # Errors
    ///
    /// Whatever there is in the way, as [`PostgresError::not_lent`].
    ///
    /// # Cancel safety
    ///
    /// The future may be dropped at any of its await points. The engine does so when the time is over.
    fn lend(&self) -> impl Future<Output = Result<Self::Lent, PostgresError>> + Send;

    /// Returns the client.
    fn client(lent: &Self::Lent) -> &Client;

    /// Prepares a statement, or finds it where this client has it already.
    ///
    /// # Errors
    ///
    /// What the client says.
    fn prepare(
        lent: &Self::Lent,
        sql: &'static str,
    ) -> impl Future<Output = Result<Statement, Error>> + Send {
        Self::client(lent).prepare(sql)
    }

    /// Takes back a client that is of no more use: its connection broke, or somebody still waits for a reply on it. The
    /// next one that is lent should be another.
    fn discard(&self, lent: Self::Lent) {
        drop(lent);
    }
}

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What makes a connection: the client, and what has to be polled for it.
type Connect = Box<dyn Fn() -> Boxed<Result<(Client, Boxed<()>), Error>> + Send + Sync>;

/// One session, which everybody shares, and which is made anew when it breaks.
///
/// Its requests go one after the other, without waiting for each other's replies.
pub struct Session {
    connect: Connect,
    setup: String,
    live: AsyncMutex<Option<Arc<SharedClient>>>,
}

impl Session {
    /// Takes where to connect to, and what a new connection runs first. Nothing is sent yet.
    pub(super) fn new<T>(config: Config, tls: T, setup: String) -> Self
    where
        T: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
        T::Stream: Send + 'static,
        T::TlsConnect: Send,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        let connect: Connect = Box::new(move || {
            let (config, tls) = (config.clone(), tls.clone());
            Box::pin(async move {
                let (client, connection) = config.connect(tls).await?;
                let driver: Boxed<()> = Box::pin(async move {
                    // Why it ended, the requests on it have heard.
                    let _ended = connection.await;
                });
                Ok((client, driver))
            })
        });
        Self { connect, setup, live: AsyncMutex::new(None) }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}

/// A connection that is there, with what was prepared on it.
pub struct SharedClient {
    client: Client,
    state: Mutex<State>,
    /// Dropped, it tells the driver that nobody is left.
    _in_use: oneshot::Sender<()>,
}

#[derive(Default)]
struct State {
    prepared: Vec<(&'static str, Statement)>,
    /// It is not lent any more.
    spent: bool,
}

impl fmt::Debug for SharedClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedClient").field("client", &self.client).finish_non_exhaustive()
    }
}

impl SharedClient {
    async fn connect(session: &Session) -> Result<Self, Error> {
        let (client, mut driver) = (session.connect)().await?;
        let (in_use, gone) = oneshot::channel::<()>();
        tokio::spawn(async move {
            tokio::select! {
                () = &mut driver => {}
                // A server that is stopped would keep the connection for ever.
                _ = gone => drop(tokio::time::timeout(FAREWELL, driver).await),
            }
        });
        client.batch_execute(&session.setup).await?;
        Ok(Self { client, state: Mutex::default(), _in_use: in_use })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_usable(&self) -> bool {
        !self.client.is_closed() && !self.state().spent
    }

    fn find(&self, sql: &'static str) -> Option<Statement> {
        self.state().prepared.iter().find(|(of, _)| *of == sql).map(|(_, statement)| statement.clone())
    }
}

impl Sessions for Session {
    type Lent = Arc<SharedClient>;

    async fn lend(&self) -> Result<Arc<SharedClient>, PostgresError> {
        // Held while connecting, so that one connects and the others wait; whoever waits has a limit of its own.
        let mut live = self.live.lock().await;
        if let Some(live) = live.as_ref().filter(|live| live.is_usable()) {
            return Ok(Arc::clone(live));
        }
        let fresh = Arc::new(SharedClient::connect(self).await.map_err(PostgresError::Connect)?);
        *live = Some(Arc::clone(&fresh));
        Ok(fresh)
    }

    fn client(lent: &Arc<SharedClient>) -> &Client {
        &lent.client
    }

    async fn prepare(lent: &Arc<SharedClient>, sql: &'static str) -> Result<Statement, Error> {
        if let Some(statement) = lent.find(sql) {
            return Ok(statement);
        }
        let statement = lent.client.prepare(sql).await?;
        // Two at once prepare it twice; the first one in the list is found.
        lent.state().prepared.push((sql, statement.clone()));
        Ok(statement)
    }

    fn discard(&self, lent: Arc<SharedClient>) {
        lent.state().spent = true;
    }
}

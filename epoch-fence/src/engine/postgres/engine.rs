//! `Postgres`: the store.

use alloc::vec::Vec;
use core::fmt;

use tokio::time::{Instant, timeout_at};
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Config, NoTls, Row, Socket};

use super::fate::{self, Fate};
use super::row::{self, always, column, maybe};
use super::{OnPromotion, PostgresError, PostgresOptions, Session, Sessions, ground, statements};
use crate::engine::{AsyncEngine, Failure, Swapped};
use crate::protocol::{Action, Exhausted, Info, Record, Swap, Tenure, Version, View};
use crate::{Epoch, RealmId, ResourceId};

pub(super) type Parameters<'p> = &'p [&'p (dyn ToSql + Sync)];

/// A PostgreSQL server that keeps leases. See [the module](super).
pub struct Postgres<S = Session> {
    pub(super) sessions: S,
    pub(super) options: PostgresOptions,
}

impl Postgres {
    /// Connects to a server without encryption, and checks it.
    ///
    /// A URL with `sslmode=require` is refused: give [`connect_with`](Self::connect_with) a connector. What the URL does
    /// not say is not looked for anywhere else. It may name several hosts, with `target_session_attrs=read-write`: then the
    /// primary is found among them, again with each new session.
    ///
    /// # Errors
    ///
    /// - [`PostgresError::Url`] when the URL is none.
    /// - Those of [`connect_with`](Self::connect_with).
    pub async fn connect(url: &str, options: PostgresOptions) -> Result<Self, PostgresError> {
        let config = url.parse().map_err(|_| PostgresError::Url)?;
        Self::connect_with(config, NoTls, options).await
    }

    /// Connects to a server, by TLS if `tls` can and the configuration asks for it, and checks it.
    ///
    /// It must be called within a tokio runtime, which runs the connection and all that come after it.
    ///
    /// # Errors
    ///
    /// - [`PostgresError::Namespace`].
    /// - Those of [`check`](Self::check).
    pub async fn connect_with<T>(
        config: Config,
        tls: T,
        options: PostgresOptions,
    ) -> Result<Self, PostgresError>
    where
        T: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
        T::Stream: Send + 'static,
        T::TlsConnect: Send,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        let setup = options.session_setup();
        let store = Self::over(Session::new(config, tls, setup), options)?;
        store.check().await?;
        Ok(store)
    }
}

impl<S: Sessions> Postgres<S> {
    /// Takes sessions of any kind. Nothing is sent; [`check`](Self::check) looks at the server.
    ///
    /// # Errors
    ///
    /// - [`PostgresError::Namespace`].
    pub fn over(sessions: S, options: PostgresOptions) -> Result<Self, PostgresError> {
        Ok(Self { sessions, options: options.checked()? })
    }

    /// Returns where the clients come from.
    #[must_use]
    pub const fn sessions(&self) -> &S {
        &self.sessions
    }

    /// Checks whether the server keeps what it acknowledges. The schema need not be there yet.
    ///
    /// Each load looks at most of this again, and each write at what can change between the two.
    ///
    /// # Errors
    ///
    /// - [`PostgresError::Standby`], [`PostgresError::Setting`].
    /// - What connections say: [`PostgresError::Connect`], [`PostgresError::NotLent`], [`PostgresError::TimedOut`],
    ///   [`PostgresError::Lost`], [`PostgresError::Refused`].
    pub async fn check(&self) -> Result<(), PostgresError> {
        let row = self.one(statements::SETTINGS, &[]).await?;
        ground::of_server(&row, &self.options)
    }

    pub(super) fn until(&self) -> Instant {
        let now = Instant::now();
        // A day at most; every clock has that left.
        now.checked_add(self.options.timeout()).unwrap_or(now)
    }

    const fn timed_out(&self) -> PostgresError {
        PostgresError::TimedOut { after: self.options.timeout() }
    }

    pub(super) async fn in_time<T>(
        &self,
        until: Instant,
        what: impl Future<Output = Result<T, PostgresError>>,
    ) -> Result<T, PostgresError> {
        timeout_at(until, what).await.unwrap_or_else(|_| Err(self.timed_out()))
    }

    /// Lends a session back, or throws it away if it is of no more use.
    pub(super) fn settle<T>(
        &self,
        lent: S::Lent,
        ran: Result<Result<T, tokio_postgres::Error>, tokio::time::error::Elapsed>,
    ) -> Result<T, PostgresError> {
        match ran {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(why)) => {
                if fate::is_spent(&why) {
                    self.sessions.discard(lent);
                }
                Err(PostgresError::of_statement(why))
            }
            Err(_) => {
                // Whatever is sent behind a request that nobody answers waits behind it.
                self.sessions.discard(lent);
                Err(self.timed_out())
            }
        }
    }

    /// A session with a statement on it. Nothing of the statement was done.
    async fn ready(
        &self,
        until: Instant,
        sql: &'static str,
    ) -> Result<(S::Lent, tokio_postgres::Statement), PostgresError> {
        let lent = self.in_time(until, self.sessions.lend()).await?;
        match timeout_at(until, S::prepare(&lent, sql)).await {
            Ok(Ok(statement)) => Ok((lent, statement)),
            Ok(Err(why)) => self.settle(lent, Ok(Err(why))),
            Err(elapsed) => self.settle(lent, Err(elapsed)),
        }
    }

    /// The rows of a statement that may be sent twice. A session that broke or lost its statements while nobody looked is no
    /// reason to fail.
    async fn rows(&self, sql: &'static str, parameters: Parameters<'_>) -> Result<Vec<Row>, PostgresError> {
        let until = self.until();
        let mut again = true;
        // It ends, because it begins again once at most.
        loop {
            let ran = match self.ready(until, sql).await {
                Ok((lent, statement)) => {
                    let ran = timeout_at(until, S::client(&lent).query(&statement, parameters)).await;
                    self.settle(lent, ran)
                }
                Err(why) => Err(why),
            };
            match ran {
                Err(PostgresError::Lost(why) | PostgresError::Refused(why))
                    if again && fate::is_spent(&why) =>
                {
                    again = false;
                }
                ran => return ran,
            }
        }
    }

    pub(super) async fn one(
        &self,
        sql: &'static str,
        parameters: Parameters<'_>,
    ) -> Result<Row, PostgresError> {
        self.rows(sql, parameters).await?.pop().ok_or(PostgresError::Reply)
    }

    async fn look(&self, resource: &ResourceId) -> Result<View, PostgresError> {
        let parameters: Parameters<'_> = &[&self.options.name(), &&resource.to_bytes()[..]];
        let row = self.one(statements::LOAD, parameters).await?;
        ground::of_load(&row, &self.options)?;
        row::view(&row, always(&row, column::IS_THERE, "lease.resource")?)
    }

    /// Sends a write. The first error is of before it was sent.
    async fn write(
        &self,
        sql: &'static str,
        parameters: Parameters<'_>,
    ) -> Result<Option<Row>, Failure<PostgresError>> {
        let until = self.until();
        let (lent, statement) = self.ready(until, sql).await.map_err(Failure::Definite)?;
        // It returns when the server is ready for the next statement: after the commit, and not with the rows before it.
        let ran = timeout_at(until, S::client(&lent).query(&statement, parameters)).await;
        let fate = match &ran {
            Ok(Err(why)) => Fate::of(why),
            Ok(Ok(_)) | Err(_) => Fate::Unknown,
        };
        match (self.settle(lent, ran), fate) {
            (Ok(mut rows), _) => Ok(rows.pop()),
            (Err(why), Fate::RolledBack) => Err(Failure::Definite(why)),
            (Err(why), Fate::Unknown) => Err(Failure::Indeterminate(why)),
        }
    }

    async fn change(&self, resource: &ResourceId, swap: &Swap) -> Result<Swapped, Failure<PostgresError>> {
        let (before, next) = (swap.before(), swap.next());
        let tenure = Columns::of(next.tenure()).map_err(Failure::Definite)?;
        let numbers =
            (|| Ok((to_version(before.version())?, to_version(next.version())?, to_maybe(next.epoch())?)))();
        let (seen, version, epoch) = numbers.map_err(Failure::Definite)?;
        let rises = swap.action() == Action::Acquire;
        let (resource, realm) = (resource.to_bytes(), swap.expected_realm().to_bytes());
        let parameters: Parameters<'_> = &[
            &self.options.name(),
            &&resource[..],
            &&realm[..],
            &seen,
            &version,
            &epoch,
            &rises,
            &tenure.grant.as_ref().map(|grant| &grant[..]),
            &tenure.holder,
            &tenure.to,
            &tenure.end,
        ];
        let sql = match swap.action() {
            _ if before.version() == Version::ABSENT => statements::CREATE,
            Action::Renew => statements::RENEW,
            Action::Acquire
            | Action::Burn
            | Action::Release
            | Action::HandOver
            | Action::Evict
            | Action::Recover => statements::CHANGE,
        };
        let Some(row) = self.write(sql, parameters).await? else {
            return Err(Failure::Definite(PostgresError::NotInitialised));
        };
        // What landed and cannot be read has landed, and only a look at it tells what.
        if maybe::<i64>(&row, column::VERSION, "lease.version").map_err(Failure::Indeterminate)?.is_some() {
            return row::view(&row, true).map(Swapped::Landed).map_err(Failure::Indeterminate);
        }
        ground::of_write(&row).map_err(Failure::Definite)?;
        Ok(Swapped::Conflict)
    }

    async fn recover_by(
        &self,
        resource: &ResourceId,
        swap: &Swap,
    ) -> Result<Swapped, Failure<PostgresError>> {
        let (before, next) = (swap.before(), swap.next());
        let numbers =
            (|| Ok((to_version(before.version())?, to_version(next.version())?, to_maybe(next.epoch())?)))();
        let (seen, version, epoch) = numbers.map_err(Failure::Definite)?;
        let parameters: Parameters<'_> = &[
            &self.options.name(),
            &&resource.to_bytes()[..],
            &&swap.expected_realm().to_bytes()[..],
            &seen,
            &&next.realm().to_bytes()[..],
            &epoch,
            &version,
        ];
        let Some(row) = self.write(statements::RECOVER, parameters).await? else {
            return Err(Failure::Indeterminate(PostgresError::Reply));
        };
        recovered(&row, next.realm()).map_err(Failure::Indeterminate)
    }
}

/// What a recovery answered: nulls, where it met another version.
fn recovered(row: &Row, realm: RealmId) -> Result<Swapped, PostgresError> {
    let Some(version) = maybe(row, 0, "lease.version")? else { return Ok(Swapped::Conflict) };
    let epoch = row::epoch(always(row, 1, "lease.epoch")?)?;
    let record = Record::try_new(realm, row::version(version)?, Some(epoch), Tenure::Free, Info::EMPTY)?;
    let view = View::new(record, row::now(row, 2)?).with_epoch_floor(Some(epoch));
    Ok(Swapped::Landed(view))
}

/// A tenure as the columns have it.
#[derive(Default)]
struct Columns<'t> {
    grant: Option<[u8; crate::GrantId::BYTES]>,
    holder: Option<&'t str>,
    to: Option<&'t str>,
    end: Option<std::time::SystemTime>,
}

impl<'t> Columns<'t> {
    fn of(tenure: &'t Tenure) -> Result<Self, PostgresError> {
        Ok(match tenure {
            Tenure::Free => Self::default(),
            Tenure::Reserved { to, until } => {
                Self { to: Some(to.as_str()), end: Some(row::to_time(*until)?), ..Self::default() }
            }
            Tenure::Held { grant, holder, expiry } => Self {
                grant: Some(grant.to_bytes()),
                holder: Some(holder.as_str()),
                to: None,
                end: Some(row::to_time(*expiry)?),
            },
        })
    }
}

fn to_version(version: Version) -> Result<i64, PostgresError> {
    row::to_bigint(version.get()).ok_or(PostgresError::Exhausted(Exhausted::Version))
}

pub(super) fn to_epoch(epoch: u64) -> Result<i64, PostgresError> {
    row::to_bigint(epoch).ok_or(PostgresError::Exhausted(Exhausted::Epoch))
}

fn to_maybe(epoch: Option<Epoch>) -> Result<Option<i64>, PostgresError> {
    epoch.map(|epoch| to_epoch(epoch.get())).transpose()
}

impl<S: Sessions> AsyncEngine for Postgres<S> {
    type Error = PostgresError;

    async fn load(&self, resource: &ResourceId) -> Result<View, PostgresError> {
        match self.look(resource).await {
            Err(PostgresError::Promoted { .. }) if self.options.promotion == OnPromotion::Jump => {
                self.accept().await?;
                self.look(resource).await
            }
            looked => looked,
        }
    }

    async fn swap(&self, resource: &ResourceId, swap: &Swap) -> Result<Swapped, Failure<PostgresError>> {
        match swap.action() {
            Action::Recover => self.recover_by(resource, swap).await,
            Action::Acquire
            | Action::Burn
            | Action::Renew
            | Action::Release
            | Action::HandOver
            | Action::Evict => self.change(resource, swap).await,
        }
    }
}

impl<S> fmt::Debug for Postgres<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres").field("options", &self.options).finish_non_exhaustive()
    }
}

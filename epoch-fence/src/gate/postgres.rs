//! `PostgresGate`: a gate for tables, inside the PostgreSQL that has them.

use core::time::Duration;

use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Error, GenericClient, Row, Transaction};

use super::postgres_error::{self, PostgresGateError};
use crate::{Epoch, FencingToken, RealmId, ResourceId};

/// A century of long years: as good as any time that is longer.
const CENTURY_SECONDS: i64 = 3_162_240_000;

/// The parameters of a call, with their types: the server need not be asked for these first.
type Parameters<'p> = &'p [(&'p (dyn ToSql + Sync), Type)];

/// A gate for tables, inside the PostgreSQL that has them: the permit is a lock of the very transaction that changes them.
///
/// *From the moment [`advance`](Self::advance) has returned for a newer epoch, no transaction that was
/// [admitted](Self::admit) under an older one commits any more.* What such a transaction does outside of this database (a
/// remote call, a file, a message sent before the commit) is not covered, and neither is a transaction that was never
/// admitted.
///
/// The rule is that of a [`Gate`](crate::Gate), written in SQL ([`SQL`](Self::SQL)), which any client can call; this is
/// the same for `tokio-postgres`. A holder advances once, when it has its lease, and is admitted in each of its
/// transactions, at any isolation level. The state is in the database: every process that uses this resource uses the
/// same gate, and a restart of the server forgets nothing.
///
/// The schema is made by its owner, with [`install`](Self::install), and told the issuer's realm, with
/// [`adopt`](Self::adopt). Sessions need `lock_timeout`, and for `admit` also `idle_in_transaction_session_timeout`, both
/// well below the time to live of a lease: without them a paused writer would keep its successor out for ever, and so calls
/// are refused.
///
/// # Cancel safety
///
/// [`advance`](Self::advance), [`adopt`](Self::adopt) and [`prune`](Self::prune) may be dropped and called again: nobody
/// knows then whether they were done, and doing one twice is doing it once. When [`admit`](Self::admit) is dropped, the
/// transaction must be given up, as after an error.
///
/// # Examples
///
/// ```no_run
/// use epoch_fence::{FencingToken, PostgresGate, PostgresGateError, ResourceId};
/// use tokio_postgres::Client;
///
/// async fn pay(db: &mut Client, token: &FencingToken) -> Result<(), PostgresGateError> {
///     let gate = PostgresGate::new(ResourceId::of("billing", "ledger"));
///     gate.advance(db, token).await?; // once, when the lease is new: no older holder commits from here on
///
///     let transaction = db.transaction().await?;
///     gate.admit(&transaction, token).await?; // first in each transaction
///     transaction.execute("UPDATE account SET balance = balance - 30 WHERE id = 1", &[]).await?;
///     transaction.commit().await?;
///     Ok(())
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PostgresGate {
    resource: ResourceId,
}

impl PostgresGate {
    /// The schema, tables and functions of the gate, to be run by the role that shall own them, as one transaction.
    /// What is there already stays as it is. Its head says which rights a writer needs.
    pub const SQL: &str = crate::engine::postgres::GATE_SQL;

    /// Makes the gate of a resource. Nothing is sent.
    #[must_use]
    pub const fn new(resource: ResourceId) -> Self {
        Self { resource }
    }

    /// Returns the resource.
    #[must_use]
    pub const fn resource(&self) -> ResourceId {
        self.resource
    }

    /// Makes the schema, tables and functions, or brings them up to this release, for all resources of the database.
    ///
    /// # Errors
    ///
    /// [`PostgresGateError::Database`]: nothing was made, or after a lost connection perhaps all of it. It may be done
    /// again.
    pub async fn install(client: &Client) -> Result<(), PostgresGateError> {
        client.batch_execute(Self::SQL).await.map_err(PostgresGateError::from)
    }

    /// Makes the gates of this database serve a realm, and no other, for the operator.
    ///
    /// The first time, that is the realm of the issuer, with [`Epoch::FIRST`] for resources that nobody ever changed.
    /// After a recovery of the issuer it is the new one, with the floor that the recovery gave. Permits of the old realm
    /// are waited for, as long as `lock_timeout` says, and nobody is admitted meanwhile. To adopt the realm that is there,
    /// with a floor that is there, changes nothing.
    ///
    /// # Errors
    ///
    /// After each of them the gates serve the realm that they did; after a lost connection nobody knows.
    ///
    /// - [`PostgresGateError::FloorTooLow`] when `floor` is not above every epoch that was admitted.
    /// - [`PostgresGateError::Draining`] while permits are alive.
    /// - [`PostgresGateError::NeverIssued`] when `floor` is above [`Epoch::MAX_ISSUED`].
    /// - [`PostgresGateError::NotAlone`], [`PostgresGateError::TimeoutNotSet`], [`PostgresGateError::NotInstalled`] and
    ///   [`PostgresGateError::Database`].
    pub async fn adopt(client: &Client, realm: RealmId, floor: Epoch) -> Result<(), PostgresGateError> {
        let (realm, floor) = (&realm.to_bytes()[..], number(floor)?);
        let parameters: Parameters<'_> = &[(&realm, Type::BYTEA), (&floor, Type::INT8)];
        ask(client, "SELECT epoch_fence.fence_adopt($1, $2)", parameters).await.map(drop)
    }

    /// Forgets resources that have had their holder for `unused_for` at least, have none now, and are not being changed,
    /// for the operator. Returns how many.
    ///
    /// Older epochs of theirs stay out: the floor for whoever is new rises above them, here and at the issuer, which must
    /// be in the same database and of the same owner. So the holder of another resource that has not advanced yet may find
    /// itself [`Stale`](PostgresGateError::Stale); it acquires again.
    ///
    /// # Errors
    ///
    /// Nothing was forgotten; after a lost connection nobody knows.
    ///
    /// - [`PostgresGateError::NoIssuer`] when the issuer of the realm is not in this database.
    /// - [`PostgresGateError::NotAlone`], [`PostgresGateError::TimeoutNotSet`], [`PostgresGateError::NotInstalled`] and
    ///   [`PostgresGateError::Database`].
    pub async fn prune(client: &Client, unused_for: Duration) -> Result<u64, PostgresGateError> {
        let seconds = i64::try_from(unused_for.as_secs()).unwrap_or(CENTURY_SECONDS).min(CENTURY_SECONDS);
        let parameters: Parameters<'_> = &[(&seconds, Type::INT8)];
        let call = "SELECT epoch_fence.fence_prune(clock_timestamp() - $1 * interval '1 second')";
        let row = ask(client, call, parameters).await?;
        let pruned: i64 = row.map_or(Ok(0), |row| row.try_get(0))?;
        Ok(u64::try_from(pruned).unwrap_or(0))
    }

    /// Raises the gate to the token's epoch, and waits until the last transaction that was admitted under an older one
    /// has ended, as long as `lock_timeout` says.
    ///
    /// A holder calls it when it has got its lease, and again after [`Draining`](PostgresGateError::Draining) and after a
    /// lost connection. It takes two short transactions of their own: the first makes older tokens
    /// [`Stale`](PostgresGateError::Stale) for whoever is not admitted yet, so that the second does not wait for an unending
    /// row of them. It waits `lock_timeout` at most for each of those that are; `statement_timeout` bounds all of it.
    ///
    /// # Errors
    ///
    /// The gate was not raised; after a lost connection nobody knows. After
    /// [`Draining`](PostgresGateError::Draining) older tokens are stale for good, if they are not admitted yet.
    ///
    /// - [`PostgresGateError::Stale`], [`PostgresGateError::Conflict`], [`PostgresGateError::WrongResource`],
    ///   [`PostgresGateError::WrongRealm`], [`PostgresGateError::TooFarAhead`], [`PostgresGateError::NeverIssued`]: the
    ///   token is refused.
    /// - [`PostgresGateError::Draining`]: an older transaction is still open.
    /// - [`PostgresGateError::NotAlone`] when the client is in a transaction that has written already, or whose
    ///   isolation is above READ COMMITTED, be it by `default_transaction_isolation`.
    /// - [`PostgresGateError::TimeoutNotSet`], [`PostgresGateError::NotAdopted`],
    ///   [`PostgresGateError::NotInstalled`] and [`PostgresGateError::Database`].
    pub async fn advance(&self, client: &Client, token: &FencingToken) -> Result<(), PostgresGateError> {
        self.show(client, "SELECT epoch_fence.fence_announce($1, $2, $3, $4)", token).await?;
        self.show(client, "SELECT epoch_fence.fence_advance($1, $2, $3, $4)", token).await
    }

    /// Gives the transaction a permit, which lasts until it ends: no newer epoch gets in before.
    ///
    /// It belongs first into the transaction: what was read before it may be older than what the holders before did. Not
    /// into a nested one, whose end would be the permit's.
    ///
    /// # Errors
    ///
    /// There is no permit, and the transaction can only be rolled back.
    ///
    /// - [`PostgresGateError::Stale`], [`PostgresGateError::Conflict`], [`PostgresGateError::WrongResource`],
    ///   [`PostgresGateError::WrongRealm`], [`PostgresGateError::TooFarAhead`], [`PostgresGateError::NeverIssued`]: the
    ///   token is refused. What it says of its epoch is final: the lease is lost.
    /// - [`PostgresGateError::AdvanceFirst`]: nobody advanced to this epoch, or not before this transaction began.
    /// - [`PostgresGateError::Serialization`]: the gate was raised after this transaction began. Begun again it is
    ///   admitted, or stale.
    /// - [`PostgresGateError::Savepoint`]: the transaction is nested.
    /// - [`PostgresGateError::Draining`]: the gate is being raised, and `lock_timeout` is over.
    /// - [`PostgresGateError::TimeoutNotSet`], [`PostgresGateError::NotAdopted`],
    ///   [`PostgresGateError::NotInstalled`] and [`PostgresGateError::Database`].
    pub async fn admit(
        &self,
        transaction: &Transaction<'_>,
        token: &FencingToken,
    ) -> Result<(), PostgresGateError> {
        self.show(transaction, "SELECT epoch_fence.fence_admit($1, $2, $3, $4)", token).await
    }

    /// Calls a function of a token's parts.
    async fn show(
        &self,
        client: &impl GenericClient,
        call: &str,
        token: &FencingToken,
    ) -> Result<(), PostgresGateError> {
        if token.resource() != self.resource {
            return Err(PostgresGateError::WrongResource);
        }
        let (resource, realm) = (&self.resource.to_bytes()[..], &token.realm().to_bytes()[..]);
        let (epoch, grant) = (number(token.epoch())?, &token.grant().to_bytes()[..]);
        let parameters: Parameters<'_> =
            &[(&resource, Type::BYTEA), (&realm, Type::BYTEA), (&epoch, Type::INT8), (&grant, Type::BYTEA)];
        ask(client, call, parameters).await.map(drop)
    }
}

/// Calls a function, and returns its row.
async fn ask(
    client: &impl GenericClient,
    call: &str,
    parameters: Parameters<'_>,
) -> Result<Option<Row>, PostgresGateError> {
    client.query_typed(call, parameters).await.map(|rows| rows.into_iter().next()).map_err(told)
}

/// An epoch as the signed number of the database.
fn number(epoch: Epoch) -> Result<i64, PostgresGateError> {
    i64::try_from(epoch.get()).map_err(|_| PostgresGateError::NeverIssued)
}

/// What an error of the client means.
fn told(error: Error) -> PostgresGateError {
    let meaning = error
        .as_db_error()
        .and_then(|told| postgres_error::of_sql_state(told.code().code(), told.detail().unwrap_or_default()));
    meaning.unwrap_or_else(|| PostgresGateError::Database(error))
}

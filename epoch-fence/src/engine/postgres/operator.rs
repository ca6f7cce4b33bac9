//! What an operator does with a namespace.

use tokio::time::timeout_at;

use super::engine::{Parameters, to_epoch};
use super::row::{self, always, maybe};
use super::{Postgres, PostgresError, Sessions, statements};
use crate::{Epoch, RealmId};

impl<S: Sessions> Postgres<S> {
    /// Makes the schema, or brings it up to this release: runs [`ISSUER_SQL`](super::ISSUER_SQL), as one transaction.
    ///
    /// It takes the right to create a schema. The role of the session will own it; holders need less, as the file says.
    ///
    /// # Errors
    ///
    /// [`PostgresError`]: nothing was made, or after [`TimedOut`](PostgresError::TimedOut) and
    /// [`Lost`](PostgresError::Lost) perhaps all of it. It may be done again.
    pub async fn migrate(&self) -> Result<(), PostgresError> {
        let until = self.until();
        let lent = self.in_time(until, self.sessions.lend()).await?;
        let ran = timeout_at(until, S::client(&lent).batch_execute(super::ISSUER_SQL)).await;
        self.settle(lent, ran)
    }

    /// Makes the namespace with a new, random realm, unless it is there. Returns the realm that it has.
    ///
    /// A namespace that was there once and is not any more has lost its past: then [`recover`](Self::recover) it
    /// afterwards, above the greatest epoch that anybody remembers.
    ///
    /// # Errors
    ///
    /// [`PostgresError`]: not made, or after [`TimedOut`](PostgresError::TimedOut) and [`Lost`](PostgresError::Lost)
    /// perhaps. It may be done again.
    pub async fn init(&self) -> Result<RealmId, PostgresError> {
        self.init_with(RealmId::random().map_err(PostgresError::Random)?).await
    }

    /// Makes the namespace with this realm, as [`init`](Self::init).
    ///
    /// # Errors
    ///
    /// Those of [`init`](Self::init).
    pub async fn init_with(&self, realm: RealmId) -> Result<RealmId, PostgresError> {
        let row = self.one(statements::INIT, &[&self.options.name(), &&realm.to_bytes()[..]]).await?;
        row::realm(always(&row, 0, "realm.realm")?, "realm.realm")
    }

    /// Accepts the server, by an operator's hand, after a promotion: [`PostgresError::Promoted`].
    ///
    /// Make sure first that the old primary takes no more writes. The realm stays, and so do the leases; the epochs go on
    /// [far above](crate::protocol::RECOVERY_STRIDE) every one there is, so that none is given out again that the old
    /// primary gave out and this server never heard of. Returns that floor, if there is one. Done twice, it is done once.
    ///
    /// Of tables that came into another cluster by a dump, or by `pg_upgrade`, it accepts that as well. A dump is a copy of
    /// the past, and what was granted since may be more than the stride: then [`recover`](Self::recover).
    ///
    /// # Errors
    ///
    /// [`PostgresError`]: not accepted, or after [`TimedOut`](PostgresError::TimedOut) and [`Lost`](PostgresError::Lost)
    /// perhaps. It may be done again.
    pub async fn accept(&self) -> Result<Option<Epoch>, PostgresError> {
        let row = self.one(statements::ACCEPT, &[&self.options.name()]).await?;
        row::floor(maybe(&row, 0, "realm.floor")?.ok_or(PostgresError::NotInitialised)?)
    }

    /// Begins a new realm of the namespace, by an operator's hand, after its leases may have lost a part of their past. It
    /// needs no record that can be read. Returns the floor of the new realm.
    ///
    /// It is what [`Issuer::recover`](crate::Issuer::recover) does with any resource of the namespace. Whoever holds any of
    /// them, holds it no more. The epochs go on [far above](crate::protocol::RECOVERY_STRIDE) every one there is, and above
    /// `floor`: the greatest that anybody remembers, in a token or at a gate. The server is accepted too. Asked for twice
    /// with one realm, it is done once.
    ///
    /// # Errors
    ///
    /// - [`PostgresError::Exhausted`] when no epoch is left above those; nothing was written.
    /// - Any other: not done, or after [`TimedOut`](PostgresError::TimedOut) and [`Lost`](PostgresError::Lost) perhaps. It
    ///   may be done again, with the same realm.
    pub async fn recover(
        &self,
        realm: RealmId,
        floor: Option<Epoch>,
    ) -> Result<Option<Epoch>, PostgresError> {
        let known = to_epoch(floor.map_or(0, Epoch::get))?;
        let parameters: Parameters<'_> = &[&self.options.name(), &&realm.to_bytes()[..], &known];
        let row = self.one(statements::RECOVER_ALL, parameters).await?;
        row::floor(maybe(&row, 0, "realm.floor")?.ok_or(PostgresError::NotInitialised)?)
    }
}

//! `AsyncLease`: a tenure, as a holder has it that awaits.

use core::error::Error;
use core::fmt;
use core::time::Duration;

use super::{AsyncIssuer, KeptLease};
use crate::belief::{Belief, Parting};
use crate::engine::AsyncEngine;
use crate::issuer::BootClock;
use crate::protocol::{BootTime, Granted, Ttl};
use crate::{Ended, FencingToken, HolderId, NotChanged};

/// A tenure over a resource, as its holder has it: what [`Lease`](crate::Lease) is for callers that block.
///
/// It may be [lost](Self::lost) at any moment, without anybody telling. So it permits nothing by itself: send
/// the [token](Self::token) with each request to the resource, whose [`Gate`](crate::Gate) decides.
///
/// Dropped, it lapses by itself, as nobody can be awaited then. A [kept](Self::keep) one is released.
#[must_use = "a lease that is dropped blocks the resource until it lapses"]
pub struct AsyncLease<E, C> {
    issuer: AsyncIssuer<E, C>,
    belief: Belief,
}

impl<E: AsyncEngine, C: BootClock> AsyncLease<E, C> {
    pub(super) const fn new(issuer: AsyncIssuer<E, C>, granted: Granted) -> Self {
        Self { issuer, belief: Belief::new(granted) }
    }

    /// Returns the token to send with each request to the resource. It stays the same through renewals.
    #[must_use]
    pub const fn token(&self) -> FencingToken {
        self.belief.granted().token()
    }

    /// Returns who holds.
    #[must_use]
    pub const fn holder(&self) -> HolderId {
        self.belief.granted().holder()
    }

    /// Returns the reading of the holder's clock at which the lease is lost, unless it is renewed before.
    #[must_use]
    pub const fn deadline(&self) -> BootTime {
        self.belief.granted().deadline()
    }

    /// Returns how long the holder may still believe in its lease: zero when it is lost.
    ///
    /// Best effort, as [`Lease::remaining`](crate::Lease::remaining).
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.belief.remaining(self.issuer.clock().now())
    }

    /// Returns whether the lease is lost, as far as the holder can know. Once it is, it stays so.
    #[must_use]
    pub fn lost(&self) -> bool {
        self.remaining().is_zero()
    }

    /// Moves the end of the lease away, by its own time to live from now.
    ///
    /// # Errors
    ///
    /// Those of [`Lease::renew`](crate::Lease::renew).
    ///
    /// # Cancel safety
    ///
    /// Dropped, it extends nothing, whatever the store may have done; the deadline is as it was.
    pub async fn renew(&mut self) -> Result<Duration, NotChanged<E::Error>> {
        let (clock, tally) = (self.issuer.clock(), self.issuer.tally());
        let renewal = self.belief.renewal(clock.now(), tally)?;
        let change = self.issuer.change(&self.belief.granted().token().resource(), renewal).await;
        self.belief.renewed(change, clock.now(), tally)
    }

    /// Has a task renew the lease well ahead of its end, until it is lost, given up, or dropped.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime, or where that has no timer.
    pub fn keep(self) -> KeptLease<E, C>
    where
        E: 'static,
        C: Send + Sync + 'static,
    {
        KeptLease::new(self)
    }

    /// Ends the lease: whoever comes next need not wait for its end.
    ///
    /// Stop acting first. A permit that is still held at the gate makes the next holder wait there.
    ///
    /// # Errors
    ///
    /// [`NotParted`] when the store does not say that it is over; it can be tried again. Else the lease lapses.
    ///
    /// # Cancel safety
    ///
    /// Dropped, the lease is over for its holder; the store may have been told, or may be yet. Else it lapses.
    pub async fn release(self) -> Result<Ended, NotParted<E, C>> {
        self.issuer.part(Parting::release(*self.belief.granted())).await
    }

    /// Ends the lease and keeps the resource for one successor, who has to acquire it.
    ///
    /// # Errors
    ///
    /// As [`release`](Self::release).
    ///
    /// # Cancel safety
    ///
    /// As [`release`](Self::release).
    pub async fn hand_over(self, to: HolderId, keep: Ttl) -> Result<Ended, NotParted<E, C>> {
        self.issuer.part(Parting::hand_over(*self.belief.granted(), to, keep)).await
    }

    pub(super) const fn issuer(&self) -> &AsyncIssuer<E, C> {
        &self.issuer
    }

    pub(super) const fn granted(&self) -> &Granted {
        self.belief.granted()
    }
}

impl<E, C> fmt::Debug for AsyncLease<E, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncLease").field("belief", &self.belief).finish_non_exhaustive()
    }
}

impl<E: AsyncEngine, C: BootClock> AsyncIssuer<E, C> {
    pub(super) async fn part(&self, parting: Parting) -> Result<Ended, NotParted<E, C>> {
        let change = self.change(&parting.granted().token().resource(), parting.command()).await;
        parting.done(change, self.tally()).map_err(|why| NotParted { issuer: self.clone(), parting, why })
    }
}

/// A lease that its holder gave up, and of which the store does not say that it is over. If nothing else is done
/// it lapses.
#[must_use = "the lease may block the resource until it lapses: try again"]
pub struct NotParted<E: AsyncEngine, C> {
    issuer: AsyncIssuer<E, C>,
    parting: Parting,
    why: NotChanged<E::Error>,
}

impl<E: AsyncEngine, C: BootClock> NotParted<E, C> {
    /// Returns why.
    #[must_use]
    pub const fn why(&self) -> &NotChanged<E::Error> {
        &self.why
    }

    /// Tries again. Done twice, it is as good as done once.
    ///
    /// # Errors
    ///
    /// As the first try.
    ///
    /// # Cancel safety
    ///
    /// As the first try.
    pub async fn retry(self) -> Result<Ended, Self> {
        self.issuer.part(self.parting).await
    }
}

impl<E: AsyncEngine, C> fmt::Debug for NotParted<E, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let token = self.parting.granted().token();
        f.debug_struct("NotParted").field("token", &token).field("why", &self.why).finish_non_exhaustive()
    }
}

impl<E: AsyncEngine, C> fmt::Display for NotParted<E, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not known to be over: {}", self.why)
    }
}

impl<E: AsyncEngine, C> Error for NotParted<E, C> {}

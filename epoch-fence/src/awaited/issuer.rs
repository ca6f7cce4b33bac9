//! `AsyncIssuer`: leases from a store that is awaited.

use alloc::sync::Arc;
use core::fmt;

use super::{AsyncLease, Attempt};
use crate::engine::AsyncEngine;
use crate::issuer::{BootClock, Driven, Outcome, Tally, of_load, of_swap};
use crate::protocol::{
    Acquire, Change, Claim, Command, Granted, Machine, Pending, Progress, Request, Resolve, View,
};
use crate::{
    Epoch, Evicted, GrantId, IssuerSnapshot, NotAcquired, NotChanged, RealmId, Resolution, ResourceId,
    Unresolved, Wait,
};

/// Grants leases from a store, for callers that await: what [`Issuer`](crate::Issuer) is for those that block. A clone
/// is the same issuer.
///
/// The store decides who holds, at most one at a time by its own clock. That is best effort at the holder, which
/// may be stopped and wake up late: let the resource check the token at a [`Gate`](crate::Gate).
///
/// # Examples
///
/// ```no_run
/// use core::time::Duration;
/// use epoch_fence::engine::AsyncEngine;
/// use epoch_fence::protocol::{Claim, Ttl};
/// use epoch_fence::{AsyncIssuer, ResourceId, SystemClock, Wait};
///
/// # async fn reconcile(_: epoch_fence::FencingToken) {}
/// async fn lead(store: impl AsyncEngine + 'static, ttl: Ttl) -> Result<(), Box<dyn core::error::Error>> {
///     let issuer = AsyncIssuer::new(store, SystemClock::new());
///     let claim = Claim::new(ResourceId::of("billing", "ledger"), "db-7, pid 4711".parse()?, ttl);
///     // Renewed in the background from here on.
///     let lease = issuer.acquire(&claim, Wait::AtMost(Duration::from_secs(60))).await?.keep();
///     tokio::select! {
///         () = reconcile(lease.token()) => {}
///         why = lease.loss() => eprintln!("stopped: {why}"),
///     }
///     lease.release().await?;
///     Ok(())
/// }
/// ```
///
/// # Cancel safety
///
/// Each future may be dropped at any of its await points; what that leaves is said at each. A swap that was under way
/// may land later, as after a time-out, and nothing is believed of it.
///
/// # Memory ordering
///
/// None is promised: what is shared is counters.
pub struct AsyncIssuer<E, C> {
    shared: Arc<Shared<E, C>>,
}

struct Shared<E, C> {
    engine: E,
    clock: C,
    tally: Tally,
}

impl<E: AsyncEngine, C: BootClock> AsyncIssuer<E, C> {
    /// Makes an issuer over a store, with the holder's clock. Pauses are those of tokio's timer.
    #[must_use]
    pub fn new(engine: E, clock: C) -> Self {
        Self { shared: Arc::new(Shared { engine, clock, tally: Tally::new() }) }
    }

    /// Returns the store.
    #[must_use]
    pub fn engine(&self) -> &E {
        &self.shared.engine
    }

    pub(super) fn clock(&self) -> &C {
        &self.shared.clock
    }

    pub(super) fn tally(&self) -> &Tally {
        &self.shared.tally
    }

    /// Returns the counts.
    #[must_use]
    pub fn snapshot(&self) -> IssuerSnapshot {
        self.shared.tally.snapshot()
    }

    /// Becomes the holder, with grants of the operating system's randomness.
    ///
    /// # Errors
    ///
    /// Those of [`Issuer::acquire`](crate::Issuer::acquire).
    ///
    /// # Cancel safety
    ///
    /// Dropped, it leaves an attempt that may land and then blocks the resource for one time to live. Where that
    /// matters, keep an [`Attempt`] instead.
    pub async fn acquire(
        &self,
        claim: &Claim,
        wait: Wait,
    ) -> Result<AsyncLease<E, C>, NotAcquired<E::Error>> {
        self.attempt(*claim).acquire(wait).await
    }

    /// Begins to become the holder, with a place for what is left of a future that was dropped. Nothing is sent yet.
    pub fn attempt(&self, claim: Claim) -> Attempt<E, C> {
        Attempt::new(self.clone(), claim)
    }

    /// Tries the very same attempt again, of which nobody knows whether it landed. It lands once at most.
    ///
    /// # Errors
    ///
    /// Those of [`acquire`](Self::acquire).
    ///
    /// # Cancel safety
    ///
    /// Dropped, it leaves the attempt as unknown as it was.
    pub async fn retry(&self, pending: Pending) -> Result<AsyncLease<E, C>, NotAcquired<E::Error>> {
        let driven = self.drive(&pending.claim().resource(), Acquire::retry(pending), |_| {}).await;
        self.tally().acquired(driven).map(|granted| self.lease(granted))
    }

    /// Finds out what became of an attempt, and if it could land yet, sees to it that it never will.
    ///
    /// # Errors
    ///
    /// [`Unresolved`] when the store does not say; it has the attempt, to be resolved again.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it leaves the attempt as unknown as it was: a [`Pending`] is a copy, and may be resolved again.
    pub async fn resolve(
        &self,
        pending: Pending,
    ) -> Result<Resolution<AsyncLease<E, C>>, Unresolved<E::Error>> {
        let driven = self.drive(&pending.claim().resource(), Resolve::new(pending), |_| {}).await;
        Ok(self.tally().resolved(driven)?.map(|granted| self.lease(granted)))
    }

    /// Reads who has the resource. Nothing is written.
    ///
    /// # Errors
    ///
    /// What the store says.
    pub async fn current(&self, resource: &ResourceId) -> Result<View, E::Error> {
        self.engine().load(resource).await
    }

    /// Ends the lease of a grant, by an operator's hand, as [`Issuer::evict`](crate::Issuer::evict).
    ///
    /// # Errors
    ///
    /// [`NotChanged`], as it says.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it may have evicted, or may yet. It may be asked for again.
    pub async fn evict(
        &self,
        resource: &ResourceId,
        grant: GrantId,
    ) -> Result<Evicted, NotChanged<E::Error>> {
        let change = self.change(resource, Command::Evict { grant }).await;
        self.tally().evicted(change)
    }

    /// Begins a new realm, by an operator's hand, as [`Issuer::recover`](crate::Issuer::recover).
    ///
    /// # Errors
    ///
    /// [`NotChanged`], as it says.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it may have recovered, or may yet. Asked for again with the same realm, it is done once.
    pub async fn recover(
        &self,
        resource: &ResourceId,
        realm: RealmId,
        floor: Option<Epoch>,
    ) -> Result<View, NotChanged<E::Error>> {
        let change = self.change(resource, Command::Recover { realm, floor }).await;
        self.tally().recovered(change)
    }

    pub(super) fn lease(&self, granted: Granted) -> AsyncLease<E, C> {
        AsyncLease::new(self.clone(), granted)
    }

    pub(super) async fn change(&self, resource: &ResourceId, command: Command) -> Outcome<E::Error> {
        Tally::changed(self.drive(resource, Change::new(command), |_| {}).await)
    }

    /// The awaiting driver: asks the store what the machine wants, until it is done. Before each question, `before` sees
    /// what is lost with the machine if the future is dropped.
    pub(super) async fn drive<M: Machine>(
        &self,
        resource: &ResourceId,
        mut machine: M,
        mut before: impl FnMut(&M),
    ) -> Driven<M::Outcome, E::Error> {
        let mut last = None;
        loop {
            before(&machine);
            let sent = self.clock().now();
            let (answer, error) = match machine.request() {
                Request::Load => of_load(self.engine().load(resource).await),
                Request::Swap(swap) => of_swap(self.engine().swap(resource, swap).await),
            };
            last = error.or(last);
            match machine.answer(sent, answer) {
                Progress::Ask(next) => machine = next,
                Progress::Done(outcome) => return (outcome, last),
            }
        }
    }
}

impl<E, C> Clone for AsyncIssuer<E, C> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<E: fmt::Debug, C> fmt::Debug for AsyncIssuer<E, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncIssuer").field("engine", &self.shared.engine).finish_non_exhaustive()
    }
}

//! `Attempt`: a way to become the holder that survives the future in which it is tried.

use core::fmt;

use super::{AsyncIssuer, AsyncLease};
use crate::engine::AsyncEngine;
use crate::issuer::{BootClock, pause_after};
use crate::protocol::{Acquire, Claim, Pending};
use crate::{GrantId, NotAcquired, Wait};

/// A way to become the holder that survives the future in which it is tried.
///
/// ```no_run
/// # use core::time::Duration;
/// # use epoch_fence::engine::AsyncEngine;
/// # use epoch_fence::{AsyncIssuer, AsyncLease, Resolution, SystemClock, Wait, protocol::Claim};
/// # async fn f<E: AsyncEngine>(issuer: AsyncIssuer<E, SystemClock>, claim: Claim) -> Option<AsyncLease<E, SystemClock>> {
/// let mut attempt = issuer.attempt(claim);
/// let acquire = attempt.acquire(Wait::AtMost(Duration::from_secs(60)));
/// if let Ok(Ok(lease)) = tokio::time::timeout(Duration::from_secs(1), acquire).await {
///     return Some(lease);
/// }
/// // Out of patience. If it landed in the meantime it is given back; if it may land yet, it never will.
/// match issuer.resolve(attempt.pending()?).await {
///     Ok(Resolution::Granted(lease)) => Some(lease),
///     _ => None,
/// }
/// # }
/// ```
#[must_use = "nothing is sent until it is awaited"]
pub struct Attempt<E, C> {
    issuer: AsyncIssuer<E, C>,
    claim: Claim,
    pending: Option<Pending>,
}

impl<E: AsyncEngine, C: BootClock> Attempt<E, C> {
    pub(super) const fn new(issuer: AsyncIssuer<E, C>, claim: Claim) -> Self {
        Self { issuer, claim, pending: None }
    }

    /// Returns what was wanted.
    #[must_use]
    pub const fn claim(&self) -> &Claim {
        &self.claim
    }

    /// Returns the attempt of which nobody knows whether it landed, or will land yet: one whose future was dropped, or
    /// that came out as [`NotAcquired::Indeterminate`]. `None`: there is none; whatever was sent is known not to hold.
    #[must_use]
    pub const fn pending(&self) -> Option<Pending> {
        self.pending
    }

    /// Becomes the holder. Where an attempt is [pending](Self::pending), that very one is tried again first.
    ///
    /// # Errors
    ///
    /// Those of [`Issuer::acquire`](crate::Issuer::acquire).
    ///
    /// # Cancel safety
    ///
    /// Dropped, it leaves what it sent, if that may have landed, in [`pending`](Self::pending). Call it again, or
    /// [resolve](AsyncIssuer::resolve) that; else it may land, and then blocks the resource for one time to live.
    pub async fn acquire(&mut self, wait: Wait) -> Result<AsyncLease<E, C>, NotAcquired<E::Error>> {
        let until = self.issuer.clock().now().saturating_add(wait.limit());
        let mut round: u32 = 0;
        loop {
            let (grant, machine) = match self.pending {
                Some(pending) => (pending.grant(), Acquire::retry(pending)),
                None => {
                    let grant = GrantId::random().map_err(NotAcquired::Random)?;
                    (grant, Acquire::new(self.claim, grant))
                }
            };
            let kept = &mut self.pending;
            let before = |machine: &Acquire| *kept = machine.pending();
            let driven = self.issuer.drive(&self.claim.resource(), machine, before).await;
            let why = match self.issuer.tally().acquired(driven) {
                Ok(granted) => {
                    self.pending = None;
                    return Ok(self.issuer.lease(granted));
                }
                Err(why) => why,
            };
            // What the store is not to be believed about may have landed all the same.
            if !matches!(why, NotAcquired::Indeterminate(..) | NotAcquired::Impossible(_)) {
                self.pending = None;
            }
            let left = self.issuer.clock().now().until(until);
            // It ends, because what is left gets less with each pause.
            let Some(pause) = pause_after(&why, round, left, grant) else {
                return Err(why);
            };
            tokio::time::sleep(pause).await;
            round = round.saturating_add(1);
        }
    }
}

impl<E: fmt::Debug, C> fmt::Debug for Attempt<E, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempt")
            .field("claim", &self.claim)
            .field("pending", &self.pending)
            .finish_non_exhaustive()
    }
}

//! `KeptLease`: a tenure that a task renews.

use alloc::sync::Arc;
use core::fmt;
use core::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::{AsyncIssuer, AsyncLease, NotParted};
use crate::belief::Parting;
use crate::engine::AsyncEngine;
use crate::issuer::BootClock;
use crate::protocol::{BootTime, Granted, Ttl};
use crate::{Ended, FencingToken, HolderId, NotChanged};

/// The longest sleep before the holder's clock is read again: the timer may stop where that clock runs on, in suspend.
const NAP: Duration = Duration::from_secs(1);

/// The shortest pause after a renewal that did not land.
const LEAST_PAUSE: Duration = Duration::from_millis(20);

/// A tenure over a resource that a task renews, well ahead of its end.
///
/// A third of the time to live after the last renewal that landed comes the next; where it does not land, it is tried
/// again after a twelfth. Whatever is not known to have landed extends nothing. The task runs on the runtime on which the
/// lease began to be kept: if that is blocked or shut down, the lease ends at its deadline.
///
/// A renewal that hangs is given up when the store gives up, and the next one is tried then. So let the store wait for a
/// sixth of the time to live at most: its request timeout is an option of it, and 5 s unless you say so.
///
/// Dropped, it tries once to release, in the background, if the runtime still runs; else it lapses by itself.
#[must_use = "a lease that is dropped is released"]
pub struct KeptLease<E: AsyncEngine + 'static, C: BootClock + Send + Sync + 'static> {
    issuer: AsyncIssuer<E, C>,
    granted: Granted,
    known: watch::Receiver<Known<E::Error>>,
    keeper: JoinHandle<()>,
    runtime: Handle,
    parted: bool,
}

/// What the keeper knows.
#[derive(Debug)]
struct Known<E> {
    deadline: BootTime,
    /// The store said so.
    over: bool,
    /// What became of the last renewal, if it did not land.
    last: Option<Arc<NotChanged<E>>>,
}

/// How a kept lease was lost.
#[derive(Debug)]
#[non_exhaustive]
pub enum Loss<E> {
    /// The store says that it is over.
    Over,
    /// The deadline came, and no renewal was known to have landed.
    Deadline {
        /// What became of the last renewal, if it is known not to have landed, or not known to have.
        last: Option<Arc<NotChanged<E>>>,
    },
}

impl<E> Clone for Loss<E> {
    fn clone(&self) -> Self {
        match self {
            Self::Over => Self::Over,
            Self::Deadline { last } => Self::Deadline { last: last.clone() },
        }
    }
}

impl<E: fmt::Display> fmt::Display for Loss<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Over => f.write_str("the lease is over"),
            Self::Deadline { last: None } => f.write_str("the lease came to its deadline"),
            Self::Deadline { last: Some(last) } => {
                write!(f, "the lease came to its deadline; the last renewal: {last}")
            }
        }
    }
}

impl<E: fmt::Debug + fmt::Display> core::error::Error for Loss<E> {}

impl<E: AsyncEngine + 'static, C: BootClock + Send + Sync + 'static> KeptLease<E, C> {
    pub(super) fn new(lease: AsyncLease<E, C>) -> Self {
        let (issuer, granted) = (lease.issuer().clone(), *lease.granted());
        let (tell, known) = watch::channel(Known { deadline: lease.deadline(), over: false, last: None });
        let keeper = tokio::spawn(keep(lease, tell));
        Self { issuer, granted, known, keeper, runtime: Handle::current(), parted: false }
    }

    /// Returns the token to send with each request to the resource. It stays the same through renewals.
    #[must_use]
    pub const fn token(&self) -> FencingToken {
        self.granted.token()
    }

    /// Returns who holds.
    #[must_use]
    pub const fn holder(&self) -> HolderId {
        self.granted.holder()
    }

    /// Returns the reading of the holder's clock at which the lease is lost, unless it is renewed before.
    #[must_use]
    pub fn deadline(&self) -> BootTime {
        self.known.borrow().deadline
    }

    /// Returns how long the holder may still believe in its lease: zero when it is lost.
    ///
    /// Best effort, as [`Lease::remaining`](crate::Lease::remaining).
    #[must_use]
    pub fn remaining(&self) -> Duration {
        let known = self.known.borrow();
        if known.over { Duration::ZERO } else { self.issuer.clock().now().until(known.deadline) }
    }

    /// Returns whether the lease is lost, as far as the holder can know. Once it is, it stays so.
    #[must_use]
    pub fn lost(&self) -> bool {
        self.remaining().is_zero()
    }

    /// Comes back when the lease is lost, and says how. Stop then: the gate decides about what is already under way.
    ///
    /// Any number of these may be awaited at once, each by itself.
    ///
    /// # Cancel safety
    ///
    /// Dropped, it changes nothing.
    pub async fn loss(&self) -> Loss<E::Error> {
        let mut known = self.known.clone();
        loop {
            let left = {
                let known = known.borrow_and_update();
                if known.over {
                    return Loss::Over;
                }
                let left = self.issuer.clock().now().until(known.deadline);
                if left.is_zero() {
                    return Loss::Deadline { last: known.last.clone() };
                }
                left
            };
            tokio::select! {
                () = sleep(left.min(NAP)) => {}
                // Without a keeper nothing is renewed any more: the deadline it is.
                Ok(()) = known.changed() => {}
            }
        }
    }

    /// Ends the lease, as [`AsyncLease::release`].
    ///
    /// # Errors
    ///
    /// [`NotParted`], as there.
    ///
    /// # Cancel safety
    ///
    /// As there: nobody renews any more.
    pub async fn release(self) -> Result<Ended, NotParted<E, C>> {
        let parting = Parting::release(self.granted);
        self.part(parting).await
    }

    /// Ends the lease and keeps the resource for one successor, as [`AsyncLease::hand_over`].
    ///
    /// # Errors
    ///
    /// As [`release`](Self::release).
    ///
    /// # Cancel safety
    ///
    /// As [`release`](Self::release).
    pub async fn hand_over(self, to: HolderId, keep: Ttl) -> Result<Ended, NotParted<E, C>> {
        let parting = Parting::hand_over(self.granted, to, keep);
        self.part(parting).await
    }

    async fn part(mut self, parting: Parting) -> Result<Ended, NotParted<E, C>> {
        // A renewal that is under way lands before the end or not at all: both are writes on one version.
        self.keeper.abort();
        self.parted = true;
        self.issuer.part(parting).await
    }
}

impl<E: AsyncEngine + 'static, C: BootClock + Send + Sync + 'static> Drop for KeptLease<E, C> {
    fn drop(&mut self) {
        self.keeper.abort();
        if self.parted || self.lost() {
            return;
        }
        let issuer = self.issuer.clone();
        let parting = Parting::release(self.granted);
        // Of a runtime that is shut down, it is dropped at once.
        self.runtime.spawn(async move {
            // One try. If it fails the lease lapses, and there is nobody left to tell.
            let _tried = issuer.part(parting).await;
        });
    }
}

impl<E: AsyncEngine + 'static, C: BootClock + Send + Sync + 'static> fmt::Debug for KeptLease<E, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeptLease").field("granted", &self.granted).finish_non_exhaustive()
    }
}

/// Renews until the lease is lost.
async fn keep<E: AsyncEngine, C: BootClock>(
    mut lease: AsyncLease<E, C>,
    tell: watch::Sender<Known<E::Error>>,
) {
    let part = |parts| lease.granted().ttl().get().checked_div(parts).unwrap_or(LEAST_PAUSE).max(LEAST_PAUSE);
    let (interval, pause) = (part(3), part(12));
    let mut next = lease.issuer().clock().now().saturating_add(interval);
    loop {
        let now = lease.issuer().clock().now();
        let left = now.until(lease.deadline());
        if left.is_zero() {
            return;
        }
        let due = now.until(next);
        if !due.is_zero() {
            sleep(due.min(left).min(NAP)).await;
            continue;
        }
        // One that comes back after the deadline extends nothing; those who await the loss do not wait for it.
        let renewed = lease.renew().await;
        let now = lease.issuer().clock().now();
        match renewed {
            Ok(_) => {
                next = now.saturating_add(interval);
                let deadline = lease.deadline();
                tell.send_modify(|known| *known = Known { deadline, over: false, last: None });
            }
            Err(NotChanged::Lost) => return tell.send_modify(|known| known.over = true),
            Err(why) => {
                next = now.saturating_add(pause);
                tell.send_modify(|known| known.last = Some(Arc::new(why)));
            }
        }
    }
}

//! `Lease`: a tenure, as its holder has it.
#![expect(
    clippy::result_large_err,
    reason = "what could not be ended is given back; without an allocator it cannot be boxed"
)]

use core::error::Error;
use core::fmt;
use core::time::Duration;

use crate::belief::{Belief, Parting};
use crate::engine::Engine;
use crate::issuer::{BootClock, Issuer, NotChanged};
use crate::protocol::{BootTime, Granted, Ttl};
use crate::{FencingToken, HolderId};

/// A tenure over a resource, as its holder has it.
///
/// It may be [lost](Self::lost) at any moment, without anybody telling. So it permits nothing by itself: send
/// the [token](Self::token) with each request to the resource, whose [`Gate`](crate::Gate) decides.
///
/// Dropped, it tries once to release; else it lapses by itself.
#[must_use = "a lease that is dropped is released"]
pub struct Lease<'i, E: Engine, C: BootClock> {
    issuer: &'i Issuer<E, C>,
    belief: Belief,
}

impl<'i, E: Engine, C: BootClock> Lease<'i, E, C> {
    pub(crate) const fn new(issuer: &'i Issuer<E, C>, granted: Granted) -> Self {
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
    /// Best effort. A process that is stopped just after this call knows nothing of the time it was stopped for;
    /// and a hypervisor may stop the clock with the machine.
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
    /// A third of the time to live is a good interval: it leaves time for two more tries.
    ///
    /// # Errors
    ///
    /// - [`NotChanged::Lost`]: the lease is over, and stays so. Stop.
    /// - Any other [`NotChanged`]: nothing is extended, whatever the store may have done; the deadline is as it
    ///   was, and until then the call may be repeated.
    pub fn renew(&mut self) -> Result<Duration, NotChanged<E::Error>> {
        let (issuer, resource) = (self.issuer, self.token().resource());
        let renewal = self.belief.renewal(issuer.clock().now(), issuer.tally())?;
        let change = issuer.change(&resource, renewal);
        self.belief.renewed(change, issuer.clock().now(), issuer.tally())
    }

    /// Ends the lease: whoever comes next need not wait for its end.
    ///
    /// Stop acting first. A permit that is still held at the gate makes the next holder wait there.
    ///
    /// # Errors
    ///
    /// [`NotEnded`] when the store does not say that it is over; it can be tried again. Else the lease lapses.
    pub fn release(self) -> Result<Ended, NotEnded<'i, E, C>> {
        let parting = Parting::release(*self.belief.granted());
        self.part(parting)
    }

    /// Ends the lease and keeps the resource for one successor, who has to acquire it.
    ///
    /// # Errors
    ///
    /// As [`release`](Self::release).
    pub fn hand_over(self, to: HolderId, keep: Ttl) -> Result<Ended, NotEnded<'i, E, C>> {
        let parting = Parting::hand_over(*self.belief.granted(), to, keep);
        self.part(parting)
    }

    fn part(mut self, parting: Parting) -> Result<Ended, NotEnded<'i, E, C>> {
        self.belief.end();
        part(self.issuer, parting)
    }
}

impl<E: Engine, C: BootClock> Drop for Lease<'_, E, C> {
    fn drop(&mut self) {
        if !self.lost() {
            // One try. If it fails the lease lapses, and there is nobody left to tell.
            let _tried = part(self.issuer, Parting::release(*self.belief.granted()));
        }
    }
}

impl<E: Engine, C: BootClock> fmt::Debug for Lease<'_, E, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").field("belief", &self.belief).finish_non_exhaustive()
    }
}

/// How a lease ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a caller must decide on every one")]
pub enum Ended {
    /// The resource is free, and no later epoch began.
    Released,
    /// The resource is kept for the successor, and no later epoch began.
    HandedOver,
    /// The lease was over before, or, after a try of which nobody knew, that try ended it and others came since.
    AlreadyLost,
}

fn part<E: Engine, C: BootClock>(
    issuer: &Issuer<E, C>,
    parting: Parting,
) -> Result<Ended, NotEnded<'_, E, C>> {
    let change = issuer.change(&parting.granted().token().resource(), parting.command());
    parting.done(change, issuer.tally()).map_err(|why| NotEnded { issuer, parting, why })
}

/// A lease that its holder gave up, and of which the store does not say that it is over. If nothing else is done
/// it lapses.
#[must_use = "the lease may block the resource until it lapses: try again"]
pub struct NotEnded<'i, E: Engine, C> {
    issuer: &'i Issuer<E, C>,
    parting: Parting,
    why: NotChanged<E::Error>,
}

impl<E: Engine, C: BootClock> NotEnded<'_, E, C> {
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
    pub fn retry(self) -> Result<Ended, Self> {
        part(self.issuer, self.parting)
    }
}

impl<E: Engine, C> fmt::Debug for NotEnded<'_, E, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NotEnded")
            .field("token", &self.parting.granted().token())
            .field("why", &self.why)
            .finish()
    }
}

impl<E: Engine, C> fmt::Display for NotEnded<'_, E, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not known to be over: {}", self.why)
    }
}

impl<E: Engine, C> Error for NotEnded<'_, E, C> {}

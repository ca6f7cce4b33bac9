//! `Lease`: a tenure, as its holder has it.
#![expect(
    clippy::result_large_err,
    reason = "what could not be ended is given back; without an allocator it cannot be boxed"
)]

use core::error::Error;
use core::fmt;
use core::time::Duration;

use crate::engine::Engine;
use crate::issuer::{BootClock, Count, Issuer, NotChanged};
use crate::protocol::{BootTime, Command, Granted, Tenure, Ttl, View};
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
    granted: Granted,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Believed,
    /// The store said so, or the deadline came during a renewal. For ever.
    Lost,
    /// Given up by the holder, who hears of it by other means.
    Ended,
}

impl<'i, E: Engine, C: BootClock> Lease<'i, E, C> {
    pub(crate) const fn new(issuer: &'i Issuer<E, C>, granted: Granted) -> Self {
        Self { issuer, granted, state: State::Believed }
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
    pub const fn deadline(&self) -> BootTime {
        self.granted.deadline()
    }

    /// Returns how long the holder may still believe in its lease: zero when it is lost.
    ///
    /// Best effort. A process that is stopped just after this call knows nothing of the time it was stopped for;
    /// and a hypervisor may stop the clock with the machine.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        match self.state {
            State::Believed => self.granted.remaining(self.issuer.clock().now()),
            State::Lost | State::Ended => Duration::ZERO,
        }
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
        if self.lost() {
            self.state = State::Lost;
            return Err(self.issuer.counted(NotChanged::Lost));
        }
        let (token, ttl) = (self.granted.token(), self.granted.ttl());
        match self.issuer.change(&token.resource(), Command::Renew { grant: token.grant(), ttl }) {
            Ok((view, sent)) => match self.granted.renewed(&view, sent, self.issuer.clock().now(), ttl) {
                Some(granted) => {
                    self.granted = granted;
                    self.issuer.count(Count::Renewed);
                    Ok(self.remaining())
                }
                None => self.is_lost(),
            },
            Err((NotChanged::Lost, _)) => self.is_lost(),
            Err((why, _)) => Err(self.issuer.counted(why)),
        }
    }

    fn is_lost<T>(&mut self) -> Result<T, NotChanged<E::Error>> {
        self.state = State::Lost;
        Err(self.issuer.counted(NotChanged::Lost))
    }

    /// Ends the lease: whoever comes next need not wait for its end.
    ///
    /// Stop acting first. A permit that is still held at the gate makes the next holder wait there.
    ///
    /// # Errors
    ///
    /// [`NotEnded`] when the store does not say that it is over; it can be tried again. Else the lease lapses.
    pub fn release(mut self) -> Result<Ended, NotEnded<'i, E, C>> {
        self.state = State::Ended;
        let command = Command::Release { grant: self.token().grant() };
        Ending { issuer: self.issuer, token: self.token(), command }.retry()
    }

    /// Ends the lease and keeps the resource for one successor, who has to acquire it.
    ///
    /// # Errors
    ///
    /// As [`release`](Self::release).
    pub fn hand_over(mut self, to: HolderId, keep: Ttl) -> Result<Ended, NotEnded<'i, E, C>> {
        self.state = State::Ended;
        let command = Command::HandOver { grant: self.token().grant(), to, keep };
        Ending { issuer: self.issuer, token: self.token(), command }.retry()
    }
}

impl<E: Engine, C: BootClock> Drop for Lease<'_, E, C> {
    fn drop(&mut self) {
        if !self.lost() {
            let command = Command::Release { grant: self.token().grant() };
            // One try. If it fails the lease lapses, and there is nobody left to tell.
            let _tried = Ending { issuer: self.issuer, token: self.token(), command }.retry();
        }
    }
}

impl<E: Engine, C: BootClock> fmt::Debug for Lease<'_, E, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease")
            .field("granted", &self.granted)
            .field("state", &self.state)
            .finish_non_exhaustive()
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

/// A lease that its holder gave up, and that may not be over.
struct Ending<'i, E, C> {
    issuer: &'i Issuer<E, C>,
    token: FencingToken,
    command: Command,
}

impl<'i, E: Engine, C: BootClock> Ending<'i, E, C> {
    fn retry(self) -> Result<Ended, NotEnded<'i, E, C>> {
        let why = match self.issuer.change(&self.token.resource(), self.command) {
            Ok((view, _)) => {
                self.issuer.count(Count::Released);
                return Ok(self.ended(&view));
            }
            Err((NotChanged::Lost, Some(view))) => {
                let ended = self.ended(&view);
                self.issuer.count(match ended {
                    Ended::AlreadyLost => Count::AlreadyLost,
                    Ended::Released | Ended::HandedOver => Count::Released,
                });
                return Ok(ended);
            }
            Err((why, _)) => self.issuer.counted(why),
        };
        Err(NotEnded { ending: self, why })
    }

    /// What the record says became of the lease.
    fn ended(&self, view: &View) -> Ended {
        let record = view.record();
        let own = record.realm() == self.token.realm() && record.epoch() == Some(self.token.epoch());
        match (*record.tenure(), self.command) {
            (Tenure::Free, Command::Release { .. }) if own => Ended::Released,
            (Tenure::Reserved { to: found, .. }, Command::HandOver { to, .. }) if own && found == to => {
                Ended::HandedOver
            }
            _ => Ended::AlreadyLost,
        }
    }
}

/// A lease that its holder gave up, and of which the store does not say that it is over. If nothing else is done
/// it lapses.
#[must_use = "the lease may block the resource until it lapses: try again"]
pub struct NotEnded<'i, E: Engine, C> {
    ending: Ending<'i, E, C>,
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
        self.ending.retry()
    }
}

impl<E: Engine, C> fmt::Debug for NotEnded<'_, E, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NotEnded").field("token", &self.ending.token).field("why", &self.why).finish()
    }
}

impl<E: Engine, C> fmt::Display for NotEnded<'_, E, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not known to be over: {}", self.why)
    }
}

impl<E: Engine, C> Error for NotEnded<'_, E, C> {}

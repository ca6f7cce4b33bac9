//! `Claim`: what a caller wants to hold. `Granted`: what it got.

use core::time::Duration;

use super::{BootTime, Refusal, Ttl, View, deadline};
use crate::{Epoch, FencingToken, GrantId, HolderId, RealmId, ResourceId};

/// What a caller wants: which resource, for whom, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Claim {
    resource: ResourceId,
    holder: HolderId,
    ttl: Ttl,
    known: Option<(RealmId, Epoch)>,
}

impl Claim {
    /// Makes a claim.
    #[must_use]
    pub const fn new(resource: ResourceId, holder: HolderId, ttl: Ttl) -> Self {
        Self { resource, holder, ttl, known: None }
    }

    /// Remembers an epoch that was seen in a realm, at a gate or in an own token. A store below it lost a part of
    /// its past, and the claim is refused as [`Refusal::Regressed`].
    #[must_use]
    pub const fn with_known_epoch(self, realm: RealmId, epoch: Epoch) -> Self {
        Self { known: Some((realm, epoch)), ..self }
    }

    /// Returns the resource.
    #[must_use]
    pub const fn resource(&self) -> ResourceId {
        self.resource
    }

    /// Returns the holder to be.
    #[must_use]
    pub const fn holder(&self) -> HolderId {
        self.holder
    }

    /// Returns the time to live.
    #[must_use]
    pub const fn ttl(&self) -> Ttl {
        self.ttl
    }

    /// Refuses a store that is behind what the caller remembers.
    pub(crate) fn check(&self, view: &View) -> Result<(), Refusal> {
        match self.known {
            Some((realm, known)) if realm == view.record().realm() && view.epoch() < Some(known) => {
                Err(Refusal::Regressed { found: view.epoch(), known })
            }
            _ => Ok(()),
        }
    }

    /// What the claim got, where the view holds the grant and its lease is live; `sent` is when the request was
    /// sent that the view answers.
    pub(crate) fn granted(&self, view: &View, grant: GrantId, sent: BootTime) -> Option<Granted> {
        let remaining = view.remaining(grant)?;
        let token = FencingToken::new(view.record().realm(), self.resource, view.record().epoch()?, grant);
        Some(Granted {
            token,
            holder: self.holder,
            ttl: self.ttl,
            deadline: deadline(sent, remaining, self.ttl),
        })
    }
}

/// A tenure, as the holder knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Granted {
    token: FencingToken,
    holder: HolderId,
    ttl: Ttl,
    deadline: BootTime,
}

impl Granted {
    /// Returns the token to send with each request to the resource.
    #[must_use]
    pub const fn token(&self) -> FencingToken {
        self.token
    }

    /// Returns who holds.
    #[must_use]
    pub const fn holder(&self) -> HolderId {
        self.holder
    }

    /// Returns the time to live that was asked for.
    #[must_use]
    pub const fn ttl(&self) -> Ttl {
        self.ttl
    }

    /// Returns the reading of the holder's clock at which the lease is lost, unless it is renewed before.
    #[must_use]
    pub const fn deadline(&self) -> BootTime {
        self.deadline
    }

    /// Returns how long the holder may still believe in its lease.
    #[must_use]
    pub const fn remaining(&self, now: BootTime) -> Duration {
        now.until(self.deadline)
    }

    /// Returns the tenure after a renewal that was sent at `sent`, answered with `view` and read at `now`; or
    /// `None` where it is lost: a deadline that has come is final on this side too, whatever the issuer says.
    #[must_use]
    pub fn renewed(&self, view: &View, sent: BootTime, now: BootTime, ttl: Ttl) -> Option<Self> {
        let remaining = view.remaining(self.token.grant()).filter(|_| now < self.deadline)?;
        let later = deadline(sent, remaining, ttl);
        (now < later).then_some(Self { ttl, deadline: later, ..*self })
    }
}

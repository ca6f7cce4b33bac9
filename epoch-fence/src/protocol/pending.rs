//! `Pending`: an attempt of which nobody knows whether it landed.

use super::{Claim, Impossible, Swap, Version, View};
use crate::GrantId;

/// An attempt to acquire of which nobody knows whether it landed, or will land yet.
///
/// It is neither held nor not held. [`Resolve`](super::Resolve) turns it into one of the two;
/// [`Acquire::retry`](super::Acquire::retry) tries the very same attempt again. Dropped, it is still out there:
/// it may land, and then blocks the resource for one time to live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use = "the attempt may land yet: resolve it"]
pub struct Pending {
    claim: Claim,
    grant: GrantId,
    swap: Swap,
}

/// Where a record stands against a pending attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// It holds the grant.
    Landed,
    /// It is as the attempt saw it: the attempt may land yet.
    Before,
    /// It went on, with the same epoch: the attempt did not land, and cannot.
    Beyond,
    /// It went on, with other epochs: the attempt cannot land any more. Whether it did is not written there.
    Overtaken,
}

impl Pending {
    pub(crate) const fn new(claim: Claim, grant: GrantId, swap: Swap) -> Self {
        Self { claim, grant, swap }
    }

    /// Returns what was wanted.
    #[must_use]
    pub const fn claim(&self) -> &Claim {
        &self.claim
    }

    /// Returns the attempt.
    #[must_use]
    pub const fn grant(&self) -> GrantId {
        self.grant
    }

    /// Returns the version on which it lands, if it does.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.swap.expected()
    }

    pub(crate) const fn swap(&self) -> &Swap {
        &self.swap
    }

    /// Compares a record that was read after the attempt was sent.
    pub(crate) fn place(&self, view: &View) -> Result<Place, Impossible> {
        let (record, before) = (view.record(), self.swap.before());
        if record.grant() == Some(self.grant) {
            return Ok(Place::Landed);
        }
        // A new realm begins above everything; within one, versions do not fall.
        if record.realm() != before.realm() {
            return Ok(Place::Overtaken);
        }
        if record.version() < before.version() {
            return Err(Impossible::VersionFell { seen: before.version(), found: record.version() });
        }
        Ok(if record.version() == before.version() {
            Place::Before
        } else if record.epoch() == before.epoch() {
            Place::Beyond
        } else {
            Place::Overtaken
        })
    }
}

//! `View`: a record as it was read, with the issuer's time.

use core::time::Duration;

use super::{Moment, Record, Refusal, Tenure, Ttl};
use crate::{Epoch, GrantId, HolderId};

/// A record as a store answered with it, and the issuer's time at that moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct View {
    record: Record,
    now: Moment,
    epoch_floor: Option<Epoch>,
    ended: bool,
}

/// Who may act on a resource at the moment of a [`View`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "whoever decides by it must decide on each of these")]
pub enum Standing {
    /// Nobody; anybody may acquire.
    Free,
    /// Nobody; only `to` may acquire.
    Reserved {
        /// For whom it is kept.
        to: HolderId,
        /// For how long.
        remaining: Duration,
    },
    /// Nobody any more: the lease is over and nobody came. Anybody may acquire.
    Lapsed {
        /// The grant that was.
        grant: GrantId,
    },
    /// A holder with a live lease.
    Live {
        /// Its grant.
        grant: GrantId,
        /// Who it is.
        holder: HolderId,
        /// How long the lease lasts unless it is renewed.
        remaining: Duration,
    },
}

impl View {
    /// Makes a view of a record and the issuer's time at the reading.
    #[must_use]
    pub const fn new(record: Record, now: Moment) -> Self {
        Self { record, now, epoch_floor: None, ended: false }
    }

    /// Sets the epoch above which the next one must be, where the store knows more than the record: epochs that
    /// a sequence shared by all resources hands out, or a floor that outlives pruned records.
    #[must_use]
    pub const fn with_epoch_floor(self, floor: Option<Epoch>) -> Self {
        Self { epoch_floor: floor, ..self }
    }

    /// Says that the lease in the record is over before its expiry: the store saw the holder die.
    ///
    /// An engine that says so once must say so for as long as the record holds that grant: a burn changes the
    /// version and not the lease, and must not revive it.
    #[must_use]
    pub const fn with_ended(self) -> Self {
        Self { ended: true, ..self }
    }

    /// Returns the record.
    #[must_use]
    pub const fn record(&self) -> &Record {
        &self.record
    }

    /// Returns the issuer's time at the reading.
    #[must_use]
    pub const fn now(&self) -> Moment {
        self.now
    }

    /// Returns the greatest epoch known to be used: that of the record, or the store's floor.
    #[must_use]
    pub fn epoch(&self) -> Option<Epoch> {
        self.record.epoch().max(self.epoch_floor)
    }

    /// Returns who may act at the moment of the view.
    #[must_use]
    pub fn standing(&self) -> Standing {
        match *self.record.tenure() {
            Tenure::Free => Standing::Free,
            Tenure::Reserved { to, until } => match self.now.until(until) {
                Some(remaining) => Standing::Reserved { to, remaining },
                None => Standing::Free,
            },
            Tenure::Held { grant, holder, expiry } => match self.now.until(expiry) {
                Some(remaining) if !self.ended => Standing::Live { grant, holder, remaining },
                _ => Standing::Lapsed { grant },
            },
        }
    }

    /// Returns for how long the lease of `grant` is live, or `None` where it is not.
    #[must_use]
    pub fn remaining(&self, grant: GrantId) -> Option<Duration> {
        match self.standing() {
            Standing::Live { grant: live, remaining, .. } if live == grant => Some(remaining),
            Standing::Free | Standing::Reserved { .. } | Standing::Lapsed { .. } | Standing::Live { .. } => {
                None
            }
        }
    }

    /// Refuses an end that is further away than any command could have put it.
    pub(crate) fn plausible(&self) -> Result<(), Refusal> {
        let end = match *self.record.tenure() {
            Tenure::Free => return Ok(()),
            Tenure::Reserved { until, .. } => until,
            Tenure::Held { expiry, .. } => expiry,
        };
        match self.now.until(end) {
            Some(remaining) if remaining > Ttl::MAX.get() => Err(Refusal::EndTooFar { remaining }),
            _ => Ok(()),
        }
    }
}

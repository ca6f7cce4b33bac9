//! The gates that are compared, under one set of verbs.

use epoch_fence::{
    AdoptError, DurableGate, Epoch, FencingToken, Gate, NotAdmitted, NotAdopted, Permit, RealmId, Rejected,
    Snapshot,
};
use high_water::FaultMedium;

/// A gate in memory or a durable one.
pub(super) trait AnyGate {
    /// `None` where the token is good and could not be made durable.
    fn enter(&self, token: &FencingToken) -> Result<Permit<'_>, Option<Rejected>>;
    fn check(&self, token: &FencingToken) -> Result<(), Rejected>;
    fn adopt(&self, realm: RealmId, floor: Epoch) -> Result<(), Option<AdoptError>>;
    fn seal(&self) -> u32;
    fn abandon(&self) -> u32;
    fn snapshot(&self) -> Snapshot;
    /// Whether it remembers.
    const DURABLE: bool;
}

impl AnyGate for Gate {
    fn enter(&self, token: &FencingToken) -> Result<Permit<'_>, Option<Rejected>> {
        Self::enter(self, token).map_err(Some)
    }
    fn check(&self, token: &FencingToken) -> Result<(), Rejected> {
        Self::check(self, token)
    }
    fn adopt(&self, realm: RealmId, floor: Epoch) -> Result<(), Option<AdoptError>> {
        Self::adopt(self, realm, floor).map_err(Some)
    }
    fn seal(&self) -> u32 {
        Self::seal(self)
    }
    fn abandon(&self) -> u32 {
        self.abandon_permits()
    }
    fn snapshot(&self) -> Snapshot {
        Self::snapshot(self)
    }
    const DURABLE: bool = false;
}

impl AnyGate for DurableGate<FaultMedium> {
    fn enter(&self, token: &FencingToken) -> Result<Permit<'_>, Option<Rejected>> {
        Self::enter(self, token).map_err(|why| match why {
            NotAdmitted::Rejected(why) => Some(why),
            _ => None,
        })
    }
    fn check(&self, token: &FencingToken) -> Result<(), Rejected> {
        Self::check(self, token)
    }
    fn adopt(&self, realm: RealmId, floor: Epoch) -> Result<(), Option<AdoptError>> {
        Self::adopt(self, realm, floor).map_err(|why| match why {
            NotAdopted::Refused(why) => Some(why),
            _ => None,
        })
    }
    fn seal(&self) -> u32 {
        Self::seal(self)
    }
    fn abandon(&self) -> u32 {
        self.abandon_permits()
    }
    fn snapshot(&self) -> Snapshot {
        Self::snapshot(self)
    }
    const DURABLE: bool = true;
}

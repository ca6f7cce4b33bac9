//! `Record`: what a store keeps of one resource.

use super::{Info, Moment, RecordError};
use crate::{Epoch, GrantId, HolderId, RealmId};

/// The number of a state of the record. Each write gives it a greater one, and none is ever used again.
///
/// Zero is the record that was never written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(u64);

impl Version {
    /// The version of a record that was never written.
    pub const ABSENT: Self = Self(0);

    /// The last version there is. Nothing can be written over it.
    pub const MAX: Self = Self(u64::MAX);

    /// Makes a version of its number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Returns the number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Returns the version `writes` later.
    ///
    /// # Overflow
    ///
    /// `None` above [`MAX`](Self::MAX).
    #[must_use]
    pub const fn checked_add(self, writes: u64) -> Option<Self> {
        match self.0.checked_add(writes) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }
}

/// Who has the resource, as the record says it. Whether a lease is still live is a matter of the
/// [view](super::View), which knows the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "an engine that stores columns must store each of these")]
pub enum Tenure {
    /// Nobody.
    Free,
    /// Nobody; but until a moment only one holder may come.
    Reserved {
        /// That holder.
        to: HolderId,
        /// From this moment on the resource is free.
        until: Moment,
    },
    /// A holder, until a moment.
    Held {
        /// The attempt that got it.
        grant: GrantId,
        /// Who made it.
        holder: HolderId,
        /// From this moment on the lease is over, for ever.
        expiry: Moment,
    },
}

/// What a store keeps of one resource. Only records that make sense can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Record {
    realm: RealmId,
    version: Version,
    epoch: Option<Epoch>,
    tenure: Tenure,
    info: Info,
    /// Flags that a later release may have set and this one need not know: kept, and passed on.
    ignorable: u8,
}

impl Record {
    /// Returns the record of a resource that nobody ever held, at [`Version::ABSENT`].
    #[must_use]
    pub const fn vacant(realm: RealmId) -> Self {
        Self {
            realm,
            version: Version::ABSENT,
            epoch: None,
            tenure: Tenure::Free,
            info: Info::EMPTY,
            ignorable: 0,
        }
    }

    /// Makes a record of what a store holds in columns of its own.
    ///
    /// # Errors
    ///
    /// - [`RecordError::EpochRange`] when the epoch is above [`Epoch::MAX_ISSUED`].
    /// - [`RecordError::Tenure`] when there is a tenure without an epoch.
    /// - [`RecordError::Absent`] when the version is [`Version::ABSENT`] and there is something.
    pub fn try_new(
        realm: RealmId,
        version: Version,
        epoch: Option<Epoch>,
        tenure: Tenure,
        info: Info,
    ) -> Result<Self, RecordError> {
        Self { realm, version, epoch, tenure, info, ignorable: 0 }.checked()
    }

    /// Hands the record on if it makes sense.
    fn checked(self) -> Result<Self, RecordError> {
        if let Some(found) = self.epoch.filter(|epoch| *epoch > Epoch::MAX_ISSUED) {
            return Err(RecordError::EpochRange { found });
        }
        if self.epoch.is_none() && self.tenure != Tenure::Free {
            return Err(RecordError::Tenure);
        }
        if self.version == Version::ABSENT && self != Self::vacant(self.realm) {
            return Err(RecordError::Absent);
        }
        Ok(self)
    }

    /// Returns the record with other bytes of the engine's own. Nothing else changes.
    #[must_use]
    pub const fn with_info(self, info: Info) -> Self {
        Self { info, ..self }
    }

    pub(crate) const fn with_version(self, version: Version) -> Self {
        Self { version, ..self }
    }

    pub(crate) const fn with_realm(self, realm: RealmId) -> Self {
        Self { realm, ..self }
    }

    pub(crate) const fn with_epoch(self, epoch: Epoch) -> Self {
        Self { epoch: Some(epoch), ..self }
    }

    pub(crate) const fn with_tenure(self, tenure: Tenure) -> Self {
        Self { tenure, ..self }
    }

    pub(crate) const fn with_ignorable(self, ignorable: u8) -> Self {
        Self { ignorable, ..self }
    }

    /// Returns the realm.
    #[must_use]
    pub const fn realm(&self) -> RealmId {
        self.realm
    }

    /// Returns the version.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.version
    }

    /// Returns the epoch of the latest tenure, or `None` before the first.
    #[must_use]
    pub const fn epoch(&self) -> Option<Epoch> {
        self.epoch
    }

    /// Returns who has the resource, be it over or not.
    #[must_use]
    pub const fn tenure(&self) -> &Tenure {
        &self.tenure
    }

    /// Returns the grant of the tenure, be it over or not.
    #[must_use]
    pub const fn grant(&self) -> Option<GrantId> {
        match self.tenure {
            Tenure::Held { grant, .. } => Some(grant),
            Tenure::Free | Tenure::Reserved { .. } => None,
        }
    }

    /// Returns the engine's own bytes.
    #[must_use]
    pub const fn info(&self) -> &Info {
        &self.info
    }

    pub(crate) const fn ignorable(&self) -> u8 {
        self.ignorable
    }
}

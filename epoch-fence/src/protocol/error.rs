//! Why a record, a step or an answer was refused.

use core::error::Error;
use core::fmt;
use core::time::Duration;

use super::{Info, Ttl, Version};
use crate::{Epoch, HolderId};

/// Why bytes or columns are not a record. Nothing was believed of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum RecordError {
    /// The first byte names a version of the form that this release does not know.
    Form {
        /// The version found.
        found: u8,
    },
    /// A flag is set that a reader must know, and this release does not.
    UnknownCritical {
        /// Those flags, at their places in the byte.
        flags: u8,
    },
    /// The kind of the tenure is none of free, reserved and held.
    Kind {
        /// The kind found.
        found: u8,
    },
    /// The bytes end early, or go on after the end.
    Length {
        /// The bytes found.
        found: usize,
    },
    /// The realm or the grant is zero.
    ZeroId,
    /// The holder is no text that a [`HolderId`] may be.
    Holder,
    /// The epoch is above [`Epoch::MAX_ISSUED`].
    EpochRange {
        /// The epoch found.
        found: Epoch,
    },
    /// There is a tenure, but no epoch.
    Tenure,
    /// The version is [`Version::ABSENT`], but there is something.
    Absent,
    /// More than [`Info::MAX_BYTES`] of the engine's own bytes.
    InfoLength {
        /// The bytes found.
        found: usize,
    },
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form { found } => write!(f, "unknown record form {found}"),
            Self::UnknownCritical { flags } => write!(f, "unknown critical flags {flags:#04x} of a record"),
            Self::Kind { found } => write!(f, "unknown tenure {found}"),
            Self::Length { found } => write!(f, "record of {found} bytes ends early or late"),
            Self::ZeroId => f.write_str("a realm or grant is zero"),
            Self::Holder => f.write_str("a holder is no text of 1 to 64 bytes without control characters"),
            Self::EpochRange { found } => {
                write!(f, "epoch {found} is above {}, the greatest one issued", Epoch::MAX_ISSUED)
            }
            Self::Tenure => f.write_str("a tenure without an epoch"),
            Self::Absent => f.write_str("a record of version 0 that is not empty"),
            Self::InfoLength { found } => {
                write!(f, "{found} bytes of the engine, at most {}", Info::MAX_BYTES)
            }
        }
    }
}

impl Error for RecordError {}

/// A range of numbers that came to its end. The resource stays as it is; go on under another name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Exhausted {
    /// No epoch is left below [`Epoch::MAX_ISSUED`].
    Epoch,
    /// No version is left below [`Version::MAX`].
    Version,
    /// The issuer's clock has no moment left for the end of the lease.
    Clock,
}

impl fmt::Display for Exhausted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Epoch => write!(f, "no epoch is left up to {}", Epoch::MAX_ISSUED),
            Self::Version => write!(f, "no version is left up to {}", Version::MAX.get()),
            Self::Clock => f.write_str("the issuer's clock is at the end of its range"),
        }
    }
}

impl Error for Exhausted {}

/// Why a step is not taken. The record stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// A holder has a live lease.
    Held {
        /// Who it is.
        holder: HolderId,
        /// How long its lease lasts unless it is renewed.
        remaining: Duration,
    },
    /// The last holder handed the resource over to someone else.
    Reserved {
        /// To whom.
        to: HolderId,
        /// For how long it is kept.
        remaining: Duration,
    },
    /// The record holds another grant, or none.
    NotHolder,
    /// The record holds the grant, and its lease is over. That is final, also if nobody came.
    Lapsed,
    /// The record holds the grant already. A grant is one attempt: make a new one.
    GrantUsed,
    /// The record is of the new realm already.
    RealmUsed,
    /// The record is below an epoch that the caller remembers: the store lost a part of its past.
    Regressed {
        /// The epoch found.
        found: Option<Epoch>,
        /// The epoch remembered.
        known: Epoch,
    },
    /// The lease or reservation in the record ends later than any command could have put it: a forgery, or rot.
    /// An operator may evict or recover.
    EndTooFar {
        /// How far away the end is.
        remaining: Duration,
    },
    /// A range came to its end.
    Exhausted(Exhausted),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Held { holder, remaining } => {
                write!(f, "held by {holder} for another {} ms", remaining.as_millis())
            }
            Self::Reserved { to, remaining } => {
                write!(f, "handed over to {to} for another {} ms", remaining.as_millis())
            }
            Self::NotHolder => f.write_str("the record does not hold this grant"),
            Self::Lapsed => f.write_str("the lease of this grant is over"),
            Self::GrantUsed => f.write_str("the record holds this grant already"),
            Self::RealmUsed => f.write_str("the record is of this realm already"),
            Self::Regressed { found: Some(found), known } => {
                write!(f, "the store is at epoch {found}, but {known} was seen: it lost a part of its past")
            }
            Self::Regressed { found: None, known } => {
                write!(f, "the store is empty, but epoch {known} was seen: it lost its past")
            }
            Self::EndTooFar { remaining } => write!(
                f,
                "the end in the record is {} s away, at most {} s are possible; an operator may evict or recover",
                remaining.as_secs(),
                Ttl::MAX.get().as_secs()
            ),
            Self::Exhausted(why) => why.fmt(f),
        }
    }
}

impl Error for Refusal {}

impl From<Exhausted> for Refusal {
    fn from(why: Exhausted) -> Self {
        Self::Exhausted(why)
    }
}

/// What no correct store answers. It is counted apart: a count above zero is a bug, or a store that lost a part
/// of its past.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Impossible {
    /// The version is below one that was seen: a write that is still under way could land after all.
    VersionFell {
        /// The version seen before.
        seen: Version,
        /// The version found.
        found: Version,
    },
    /// A write landed, and what is stored is not what was to be written.
    NotAsAsked,
    /// The answer belongs to another request.
    OtherRequest,
}

impl fmt::Display for Impossible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::VersionFell { seen, found } => {
                write!(f, "version {} after {}: the store lost a part of its past", found.get(), seen.get())
            }
            Self::NotAsAsked => f.write_str("the store holds something else than what was written"),
            Self::OtherRequest => f.write_str("the answer belongs to another request"),
        }
    }
}

impl Error for Impossible {}

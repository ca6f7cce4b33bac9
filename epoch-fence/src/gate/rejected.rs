//! `Rejected` and `AdoptError`: why a gate refused.

use core::error::Error;
use core::fmt;

use crate::Epoch;

/// Why a gate gave no permit. No permit was made, and the effect must not happen.
///
/// A token newer than the gate's tenure leaves its mark even when it is told [`Draining`](Self::Draining):
/// from then on the older ones are [`Stale`](Self::Stale). Every other refusal leaves the gate as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Rejected {
    /// A newer epoch has been here. The holder has lost its tenure: it must stop, and not ask again.
    Stale {
        /// The least epoch that the gate admits.
        floor: Epoch,
    },
    /// The gate admitted another grant under this epoch. Two holders hold one epoch, so the issuer is broken
    /// or was rewound: stop, and tell an operator.
    Conflict,
    /// The token is for another resource.
    WrongResource,
    /// The token is of another realm than the gate's. After a recovery of the issuer the gate must
    /// [adopt](crate::Gate::adopt) the new realm.
    WrongRealm,
    /// The epoch is further above the floor than [`MaxAdvance`](crate::MaxAdvance) allows.
    TooFarAhead {
        /// How many tenures above the floor it is.
        ahead: u64,
        /// How many are allowed.
        limit: u64,
    },
    /// The token is good, and permits of older epochs are still alive. Ask again when they are gone.
    Draining {
        /// How many permits are alive. Zero: another caller is at this moment being admitted.
        in_flight: u32,
    },
    /// The gate was sealed, and admits nobody until the process restarts.
    Sealed,
    /// As many permits as [`MaxPermits`](crate::MaxPermits) allows are alive.
    TooManyPermits {
        /// How many are allowed.
        limit: u32,
    },
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stale { floor } => write!(f, "the token is older than epoch {floor}, the gate's floor"),
            Self::Conflict => f.write_str("another grant was admitted under the token's epoch"),
            Self::WrongResource => f.write_str("the token is for another resource"),
            Self::WrongRealm => f.write_str("the token is of another realm"),
            Self::TooFarAhead { ahead, limit } => {
                write!(f, "the token is {ahead} epochs above the gate's floor, limit {limit}")
            }
            Self::Draining { in_flight } => write!(f, "{in_flight} permits of older epochs are still alive"),
            Self::Sealed => f.write_str("the gate is sealed"),
            Self::TooManyPermits { limit } => write!(f, "{limit} permits are alive, and no more are allowed"),
        }
    }
}

impl Error for Rejected {}

/// Why a gate did not adopt a realm. It keeps the one it had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum AdoptError {
    /// The floor offered is not above every epoch that the gate has admitted or been asked for.
    FloorTooLow {
        /// The least floor that the gate would take.
        least: Epoch,
    },
    /// Permits of the old realm are still alive. Older tokens are refused already; ask again when they are
    /// gone.
    Draining {
        /// How many permits are alive. Zero: another caller is at this moment being admitted.
        in_flight: u32,
    },
    /// The gate was sealed, and changes no more.
    Sealed,
    /// The gate has admitted [`Epoch::MAX`]: no floor is above that.
    Exhausted,
}

impl fmt::Display for AdoptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FloorTooLow { least } => {
                write!(f, "the floor is below epoch {least}, the least for this gate")
            }
            Self::Draining { in_flight } => {
                write!(f, "{in_flight} permits of the old realm are still alive")
            }
            Self::Sealed => f.write_str("the gate is sealed"),
            Self::Exhausted => f.write_str("no epoch is left above those the gate has admitted"),
        }
    }
}

impl Error for AdoptError {}

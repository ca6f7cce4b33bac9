//! What a durable clock refuses beyond what a plain one does.

use core::error::Error;
use core::fmt;

use high_water::RaiseError;

use crate::{Exhausted, MergeError, ObserveError, Time};

/// A durable clock would have come to stand above its bound. The clock did not change, and handed nothing out.
///
/// [`cause`](Self::cause) tells a bound that nobody has raised in time from one that could not be raised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct BoundReached {
    needed: Time,
    bound: Time,
    cause: Option<RaiseError>,
}

impl BoundReached {
    pub(crate) const fn new(needed: Time, bound: Time) -> Self {
        Self { needed, bound, cause: None }
    }

    pub(super) const fn caused_by(self, cause: Option<RaiseError>) -> Self {
        Self { cause, ..self }
    }

    /// Returns the time that the clock would have come to stand at.
    #[must_use]
    pub const fn needed(&self) -> Time {
        self.needed
    }

    /// Returns the bound: the greatest time that may be handed out.
    #[must_use]
    pub const fn bound(&self) -> Time {
        self.bound
    }

    /// Returns why the owned clock could not raise its bound, or `None` from the shared one, which leaves
    /// that to its `upkeep`.
    ///
    /// After [`RaiseError::Indeterminate`] the mark is poisoned: open it again, and make a clock of it.
    #[must_use]
    pub const fn cause(&self) -> Option<RaiseError> {
        self.cause
    }
}

impl fmt::Display for BoundReached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "time {} is above the durable bound {}; ", self.needed, self.bound)?;
        match &self.cause {
            Some(cause) => cause.fmt(f),
            None => f.write_str("call upkeep"),
        }
    }
}

impl Error for BoundReached {}

/// Why a durable clock handed out no time. The clock did not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum TickError {
    /// No time is left.
    Exhausted(Exhausted),
    /// The bound was reached.
    Bound(BoundReached),
}

impl fmt::Display for TickError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exhausted(why) => why.fmt(f),
            Self::Bound(why) => why.fmt(f),
        }
    }
}

impl Error for TickError {}

impl From<Exhausted> for TickError {
    fn from(why: Exhausted) -> Self {
        Self::Exhausted(why)
    }
}

impl From<BoundReached> for TickError {
    fn from(why: BoundReached) -> Self {
        Self::Bound(why)
    }
}

impl From<BoundReached> for ObserveError {
    fn from(why: BoundReached) -> Self {
        Self::Bound(why)
    }
}

impl From<BoundReached> for MergeError {
    fn from(why: BoundReached) -> Self {
        Self::Bound(why)
    }
}

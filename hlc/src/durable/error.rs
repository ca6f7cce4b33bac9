//! What a durable clock refuses beyond what a plain one does.

use core::{error::Error, fmt};

use high_water::RaiseError;

use crate::{Exhausted, ObserveError, SourceError, TickError};

/// A durable clock would have come to stand above its bound. The clock did not change, and issued nothing.
///
/// [`cause`](Self::cause) tells a bound that nobody has raised in time from one that could not be raised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct BoundReached {
    needed: u64,
    bound: u64,
    cause: Option<RaiseError>,
}

impl BoundReached {
    pub(crate) const fn new(needed: u64, bound: u64) -> Self {
        Self { needed, bound, cause: None }
    }

    pub(crate) const fn caused_by(self, cause: Option<RaiseError>) -> Self {
        Self { cause, ..self }
    }

    /// Returns the bits of the stamp that the clock would have come to stand at.
    #[must_use]
    pub const fn needed_bits(&self) -> u64 {
        self.needed
    }

    /// Returns the bits of the bound: the greatest stamp that may be issued. Zero where nothing may.
    #[must_use]
    pub const fn bound_bits(&self) -> u64 {
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
        let Self { needed, bound, cause } = self;
        write!(f, "stamp {needed:016x} is above the durable bound {bound:016x}; the clock did not change; ")?;
        match cause {
            Some(cause) => cause.fmt(f),
            None => f.write_str("call upkeep"),
        }
    }
}

/// Why the bound of a durable clock was not raised. The clock goes on below the bound that it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum UpkeepError {
    /// The source could not tell the time.
    Source(SourceError),
    /// Physical time is past the end of the layout.
    Exhausted(Exhausted),
    /// The mark was not raised, or it is not known whether it was.
    Raise(RaiseError),
}

impl fmt::Display for UpkeepError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source(error) => error.fmt(f),
            Self::Exhausted(error) => error.fmt(f),
            Self::Raise(error) => error.fmt(f),
        }
    }
}

impl Error for BoundReached {}

impl Error for UpkeepError {}

impl From<SourceError> for UpkeepError {
    fn from(cause: SourceError) -> Self {
        Self::Source(cause)
    }
}

impl From<Exhausted> for UpkeepError {
    fn from(cause: Exhausted) -> Self {
        Self::Exhausted(cause)
    }
}

impl From<RaiseError> for UpkeepError {
    fn from(cause: RaiseError) -> Self {
        Self::Raise(cause)
    }
}

/// Errors that may be those of a bound.
pub(super) trait Bounded {
    /// Says why the bound was not raised, where that is what was refused.
    fn caused_by(self, cause: Option<RaiseError>) -> Self;
}

impl Bounded for TickError {
    fn caused_by(self, cause: Option<RaiseError>) -> Self {
        if let Self::Bound(reached) = self { Self::Bound(reached.caused_by(cause)) } else { self }
    }
}

impl Bounded for ObserveError {
    fn caused_by(self, cause: Option<RaiseError>) -> Self {
        if let Self::Bound(reached) = self { Self::Bound(reached.caused_by(cause)) } else { self }
    }
}

//! What an issuer could not do.

use core::error::Error;
use core::fmt;
use core::time::Duration;

use crate::HolderId;
use crate::protocol::{Impossible, Pending, Refusal};

/// Why the caller is not the holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
#[expect(clippy::large_enum_variant, reason = "without an allocator it cannot be boxed")]
pub enum NotAcquired<E> {
    /// Another holder has a live lease. The attempt can land no more.
    Held {
        /// Who it is.
        holder: HolderId,
        /// How long its lease lasts unless it is renewed.
        remaining: Duration,
    },
    /// The last holder handed the resource over to another. The attempt can land no more.
    Reserved {
        /// To whom.
        to: HolderId,
        /// For how long it is kept.
        remaining: Duration,
    },
    /// Others wrote first, and nobody holds. The attempt can land no more; another one may.
    Contended,
    /// The attempt landed, and its lease is over already.
    Superseded,
    /// The record forbids it. The attempt can land no more, and the caller is not the holder.
    Refused(Refusal),
    /// The store did nothing. The attempt did not land and never will.
    Failed(E),
    /// Nobody knows whether the attempt landed, or will yet. It is neither: resolve it.
    Indeterminate(Pending, E),
    /// The store answered what no correct one does. If the attempt landed, it lapses by itself.
    Impossible(Impossible),
    /// The operating system had no randomness for the attempt. Nothing was sent.
    #[cfg(feature = "getrandom")]
    Random(crate::RandomUnavailable),
}

impl<E: fmt::Display> fmt::Display for NotAcquired<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Held { holder, remaining } => {
                Refusal::Held { holder: *holder, remaining: *remaining }.fmt(f)
            }
            Self::Reserved { to, remaining } => Refusal::Reserved { to: *to, remaining: *remaining }.fmt(f),
            Self::Contended => f.write_str("others wrote first"),
            Self::Superseded => f.write_str("granted, and over before it was known"),
            Self::Refused(why) => why.fmt(f),
            Self::Failed(why) => write!(f, "not acquired: {why}"),
            Self::Indeterminate(_, why) => write!(f, "not known whether acquired: {why}"),
            Self::Impossible(why) => why.fmt(f),
            #[cfg(feature = "getrandom")]
            Self::Random(why) => why.fmt(f),
        }
    }
}

impl<E: Error> Error for NotAcquired<E> {}

/// Why an attempt is as unknown as before, and the attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Unresolved<E> {
    pending: Pending,
    why: NotChanged<E>,
}

impl<E> Unresolved<E> {
    pub(crate) const fn new(pending: Pending, why: NotChanged<E>) -> Self {
        Self { pending, why }
    }

    /// Returns the attempt, to be resolved again.
    pub fn into_pending(self) -> Pending {
        self.pending
    }

    /// Returns why it is still unknown.
    #[must_use]
    pub const fn why(&self) -> &NotChanged<E> {
        &self.why
    }
}

impl<E: fmt::Display> fmt::Display for Unresolved<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "still not known whether acquired: {}", self.why)
    }
}

impl<E: Error> Error for Unresolved<E> {}

/// Why a record was not changed, or not known to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotChanged<E> {
    /// The lease is over, and the caller is not the holder. Nothing was written.
    Lost,
    /// The record forbids it. Nothing was written.
    Refused(Refusal),
    /// Others wrote first each time. Nothing was written.
    Contended,
    /// The store did nothing.
    Failed(E),
    /// Nobody knows whether it was written, or will be. It may be asked for again.
    Indeterminate(E),
    /// The store answered what no correct one does.
    Impossible(Impossible),
}

impl<E: fmt::Display> fmt::Display for NotChanged<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost => f.write_str("the lease is lost"),
            Self::Refused(why) => why.fmt(f),
            Self::Contended => f.write_str("others wrote first each time"),
            Self::Failed(why) => write!(f, "nothing was written: {why}"),
            Self::Indeterminate(why) => write!(f, "not known whether it was written: {why}"),
            Self::Impossible(why) => why.fmt(f),
        }
    }
}

impl<E: Error> Error for NotChanged<E> {}

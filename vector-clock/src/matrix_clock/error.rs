//! Why a matrix clock refuses.

use core::error::Error;
use core::fmt;

use crate::causal_buffer::UnknownMember;
use crate::error::{MergeError, ObserveError};

/// Why a matrix clock did not learn what a member knows. It is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MatrixMergeError<A> {
    /// It is about somebody who is not a member.
    UnknownMember(UnknownMember<A>),
    /// The clock's own vector refuses it.
    Merge(MergeError<A>),
}

impl<A: fmt::Debug> fmt::Display for MatrixMergeError<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownMember(error) => error.fmt(f),
            Self::Merge(error) => error.fmt(f),
        }
    }
}

impl<A: fmt::Debug> Error for MatrixMergeError<A> {}

impl<A> From<UnknownMember<A>> for MatrixMergeError<A> {
    fn from(error: UnknownMember<A>) -> Self {
        Self::UnknownMember(error)
    }
}

impl<A> From<MergeError<A>> for MatrixMergeError<A> {
    fn from(error: MergeError<A>) -> Self {
        Self::Merge(error)
    }
}

/// Why a matrix clock did not take a message. It is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MatrixObserveError<A> {
    /// It is from, or about, somebody who is not a member.
    UnknownMember(UnknownMember<A>),
    /// The clock's own vector refuses it.
    Observe(ObserveError<A>),
}

impl<A: fmt::Debug> fmt::Display for MatrixObserveError<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownMember(error) => error.fmt(f),
            Self::Observe(error) => error.fmt(f),
        }
    }
}

impl<A: fmt::Debug> Error for MatrixObserveError<A> {}

impl<A> From<UnknownMember<A>> for MatrixObserveError<A> {
    fn from(error: UnknownMember<A>) -> Self {
        Self::UnknownMember(error)
    }
}

impl<A> From<ObserveError<A>> for MatrixObserveError<A> {
    fn from(error: ObserveError<A>) -> Self {
        Self::Observe(error)
    }
}

/// A member is not known to know all events of one that is to retire. Nothing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NotStable<A> {
    actor: A,
    latest: u64,
    member: A,
    knows: u64,
}

impl<A: Copy> NotStable<A> {
    pub(super) const fn new(actor: A, latest: u64, member: A, knows: u64) -> Self {
        Self { actor, latest, member, knows }
    }

    /// Returns who was to retire.
    #[must_use]
    pub const fn actor(&self) -> A {
        self.actor
    }

    /// Returns how many events it has had, as far as is known here.
    #[must_use]
    pub const fn latest(&self) -> u64 {
        self.latest
    }

    /// Returns a member that may lack some of them.
    #[must_use]
    pub const fn member(&self) -> A {
        self.member
    }

    /// Returns how many of them that member is known to know.
    #[must_use]
    pub const fn knows(&self) -> u64 {
        self.knows
    }
}

impl<A: fmt::Debug> fmt::Display for NotStable<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { actor, latest, member, knows } = self;
        write!(f, "{member:?} is known to know {knows} of the {latest} events of {actor:?}")
    }
}

impl<A: fmt::Debug> Error for NotStable<A> {}

/// Why a member was not taken out. Nothing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RetireError<A> {
    /// There is no such member, or it is the clock's own actor.
    UnknownMember(UnknownMember<A>),
    /// Somebody may lack some of its events.
    NotStable(NotStable<A>),
}

impl<A: fmt::Debug> fmt::Display for RetireError<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownMember(error) => error.fmt(f),
            Self::NotStable(error) => error.fmt(f),
        }
    }
}

impl<A: fmt::Debug> Error for RetireError<A> {}

impl<A> From<UnknownMember<A>> for RetireError<A> {
    fn from(error: UnknownMember<A>) -> Self {
        Self::UnknownMember(error)
    }
}

impl<A> From<NotStable<A>> for RetireError<A> {
    fn from(error: NotStable<A>) -> Self {
        Self::NotStable(error)
    }
}

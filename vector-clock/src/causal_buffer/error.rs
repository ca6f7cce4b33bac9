//! Why a causal buffer refuses.

use core::error::Error;
use core::fmt;

use crate::dot::Dot;
use crate::error::Capacity;

/// A message that the buffer did not take, and why. The buffer is as it was, but for its counts.
#[derive(Clone, PartialEq, Eq)]
pub struct Refused<A, M> {
    reason: RefusedReason<A>,
    message: M,
}

impl<A: Copy, M> Refused<A, M> {
    pub(super) const fn new(reason: RefusedReason<A>, message: M) -> Self {
        Self { reason, message }
    }

    /// Returns why.
    #[must_use]
    pub const fn reason(&self) -> RefusedReason<A> {
        self.reason
    }

    /// Returns the message.
    #[must_use]
    pub fn into_message(self) -> M {
        self.message
    }
}

impl<A: fmt::Debug, M> fmt::Debug for Refused<A, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refused").field("reason", &self.reason).finish_non_exhaustive()
    }
}

impl<A: fmt::Debug, M> fmt::Display for Refused<A, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)
    }
}

impl<A: fmt::Debug, M> Error for Refused<A, M> {}

/// Why a message was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum RefusedReason<A> {
    /// It is from, or depends on, somebody who is not a member.
    UnknownMember(A),
    /// It is more than the quota ahead of its sender's last delivered message. Ask for `needs` first.
    BeyondQuota {
        /// The message of the same sender before it.
        needs: Dot<A>,
        /// How many messages of one sender may wait.
        quota: u64,
    },
    /// It is not ready, and no room is left to wait in. Ask for `needs` first.
    Full {
        /// A message that it waits for.
        needs: Dot<A>,
        /// The room that there is.
        capacity: Capacity,
    },
}

impl<A: fmt::Debug> fmt::Display for RefusedReason<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownMember(actor) => write!(f, "{actor:?} is not a member"),
            Self::BeyondQuota { needs, quota } => {
                write!(f, "message needs {needs:?} and is beyond the {quota} messages that may wait")
            }
            Self::Full { needs, capacity } => write!(f, "message waits for {needs:?}: {capacity}"),
        }
    }
}

impl<A: fmt::Debug> Error for RefusedReason<A> {}

/// Somebody is not a member. Nothing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct UnknownMember<A> {
    actor: A,
}

impl<A: Copy> UnknownMember<A> {
    pub(crate) const fn new(actor: A) -> Self {
        Self { actor }
    }

    /// Returns who.
    #[must_use]
    pub const fn actor(&self) -> A {
        self.actor
    }
}

impl<A: fmt::Debug> fmt::Display for UnknownMember<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is not a member", self.actor)
    }
}

impl<A: fmt::Debug> Error for UnknownMember<A> {}

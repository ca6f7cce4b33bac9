//! What a clock counts: refused calls, by reason.
//!
//! The counts are written on cold paths only, and no guarantee reads them.

use crate::error::{Capacity, MergeError, ObserveError, TickError};

/// What an operator must see of a clock, as plain numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Snapshot {
    /// The counter of the actor's last event; 0 before the first. Its rise over a minute is the rate of events.
    pub last: u64,
    /// How many actors the clock knows an event of. A rise without end: ids are made up faster than they retire.
    pub entries: usize,
    /// Calls refused because a counter was further ahead than [`MaxJump`](crate::MaxJump) allows. Above zero: a
    /// peer lies, or this actor was cut off for long.
    pub jump_exceeded: u64,
    /// Calls refused because they named an event of this actor that it has not had. Above zero: its state was lost,
    /// its id is used twice, or a peer lies.
    pub unissued: u64,
    /// Calls refused because the entries would not fit. Above zero: the storage is too small for the members.
    pub capacity: u64,
    /// Calls refused because the counter is at its end. Above zero: this clock will not tick again.
    pub overflow: u64,
}

/// Why a call was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    JumpExceeded,
    Unissued,
    Capacity,
    Overflow,
}

impl From<&Capacity> for Reason {
    fn from(_: &Capacity) -> Self {
        Self::Capacity
    }
}

impl From<&TickError> for Reason {
    fn from(why: &TickError) -> Self {
        match why {
            TickError::Overflow(_) => Self::Overflow,
            TickError::Capacity(_) => Self::Capacity,
        }
    }
}

impl<A> From<&MergeError<A>> for Reason {
    fn from(why: &MergeError<A>) -> Self {
        match why {
            MergeError::JumpExceeded(_) => Self::JumpExceeded,
            MergeError::Unissued(_) => Self::Unissued,
            MergeError::Capacity(_) => Self::Capacity,
        }
    }
}

impl<A> From<&ObserveError<A>> for Reason {
    fn from(why: &ObserveError<A>) -> Self {
        match why {
            ObserveError::JumpExceeded(_) => Self::JumpExceeded,
            ObserveError::Unissued(_) => Self::Unissued,
            ObserveError::Capacity(_) => Self::Capacity,
            ObserveError::Overflow(_) => Self::Overflow,
        }
    }
}

/// The counts of one clock.
#[derive(Debug)]
pub(crate) struct Counters {
    jump_exceeded: u64,
    unissued: u64,
    capacity: u64,
    overflow: u64,
}

impl Counters {
    pub(crate) const fn new() -> Self {
        Self { jump_exceeded: 0, unissued: 0, capacity: 0, overflow: 0 }
    }

    /// Counts a refusal and hands it on.
    #[cold]
    pub(crate) fn count<E>(&mut self, why: E) -> E
    where
        for<'e> Reason: From<&'e E>,
    {
        let count = match Reason::from(&why) {
            Reason::JumpExceeded => &mut self.jump_exceeded,
            Reason::Unissued => &mut self.unissued,
            Reason::Capacity => &mut self.capacity,
            Reason::Overflow => &mut self.overflow,
        };
        *count = count.saturating_add(1);
        why
    }

    pub(crate) const fn snapshot(&self, last: u64, entries: usize) -> Snapshot {
        Snapshot {
            last,
            entries,
            jump_exceeded: self.jump_exceeded,
            unissued: self.unissued,
            capacity: self.capacity,
            overflow: self.overflow,
        }
    }
}

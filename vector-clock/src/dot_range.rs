//! `DotRange`: the names of consecutive events of one actor.

use core::error::Error;
use core::fmt;

use crate::dot::{Dot, MAX_COUNTER};
use crate::error::CounterRange;

/// Consecutive events of one actor, from `first` to `last`, both included. Never empty.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DotRange<A> {
    // Invariant: 1 <= first <= last <= MAX_COUNTER.
    actor: A,
    first: u64,
    last: u64,
}

impl<A: Copy> DotRange<A> {
    /// Names the events of `actor` from `first` to `last`.
    ///
    /// # Errors
    ///
    /// - [`DotRangeError::Counter`] when one of the two is 0 or above [`MAX_COUNTER`].
    /// - [`DotRangeError::Order`] when `last` is below `first`.
    pub const fn try_new(actor: A, first: u64, last: u64) -> Result<Self, DotRangeError> {
        if first == 0 || first > MAX_COUNTER {
            return Err(DotRangeError::Counter(CounterRange::new(first)));
        }
        if last == 0 || last > MAX_COUNTER {
            return Err(DotRangeError::Counter(CounterRange::new(last)));
        }
        if last < first { Err(DotRangeError::Order) } else { Ok(Self { actor, first, last }) }
    }

    /// Returns whose events they are.
    #[must_use]
    pub const fn actor(&self) -> A {
        self.actor
    }

    /// Returns the counter of the first event.
    #[must_use]
    pub const fn first(&self) -> u64 {
        self.first
    }

    /// Returns the counter of the last event.
    #[must_use]
    pub const fn last(&self) -> u64 {
        self.last
    }

    /// Returns how many events there are, at least 1.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.last.saturating_sub(self.first).saturating_add(1)
    }
}

impl<A: Copy + PartialEq> DotRange<A> {
    /// Returns whether the event is one of them.
    #[must_use]
    pub fn contains(&self, dot: Dot<A>) -> bool {
        self.actor == dot.actor() && (self.first..=self.last).contains(&dot.counter())
    }
}

impl<A: Copy> From<Dot<A>> for DotRange<A> {
    fn from(dot: Dot<A>) -> Self {
        Self { actor: dot.actor(), first: dot.counter(), last: dot.counter() }
    }
}

impl<A: fmt::Debug> fmt::Debug for DotRange<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}:{}..={}", self.actor, self.first, self.last)
    }
}

/// Why two numbers are not the ends of a range of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum DotRangeError {
    /// One of them is not the counter of an event.
    Counter(CounterRange),
    /// The last is below the first.
    Order,
}

impl fmt::Display for DotRangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Counter(error) => error.fmt(f),
            Self::Order => f.write_str("range ends before it begins"),
        }
    }
}

impl Error for DotRangeError {}

//! `Dot`: the name of one event.

use core::fmt;
use core::num::NonZeroU64;

use crate::error::CounterRange;

/// The greatest counter of an event: 2^63 - 1.
///
/// One bit less than a `u64` has, so that the difference of two counters has a sign, and a vector is compared
/// by subtraction. At a billion events per second it lasts 292 years.
pub const MAX_COUNTER: u64 = i64::MAX.unsigned_abs();

/// The name of one event: the `counter`-th event of `actor`.
///
/// The counter is at least 1 and at most [`MAX_COUNTER`]. Dots are ordered by actor, then counter: an order for
/// maps and sets, which says nothing about which event was first.
///
/// # Examples
///
/// ```
/// use vector_clock::{Dot, MAX_COUNTER};
///
/// let dot = Dot::try_new("b", 7)?;
/// assert!(dot > Dot::try_new("a", 8)?);
/// assert!(Dot::try_new("b", 0).is_err() && Dot::try_new("b", MAX_COUNTER + 1).is_err());
/// # Ok::<(), vector_clock::CounterRange>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Dot<A> {
    actor: A,
    counter: NonZeroU64,
}

impl<A: Copy> Dot<A> {
    /// Names the `counter`-th event of `actor`.
    ///
    /// # Errors
    ///
    /// [`CounterRange`] when `counter` is 0 (there is no zeroth event) or above [`MAX_COUNTER`].
    pub const fn try_new(actor: A, counter: u64) -> Result<Self, CounterRange> {
        match NonZeroU64::new(counter) {
            Some(nonzero) if counter <= MAX_COUNTER => Ok(Self { actor, counter: nonzero }),
            Some(_) | None => Err(CounterRange::new(counter)),
        }
    }

    /// Returns whose event it is.
    #[must_use]
    pub const fn actor(&self) -> A {
        self.actor
    }

    /// Returns the how-many-eth event of its actor it is, from 1 to [`MAX_COUNTER`].
    #[must_use]
    pub const fn counter(&self) -> u64 {
        self.counter.get()
    }

    /// Returns the event before this one of the same actor, or `None` before the first.
    #[must_use]
    pub const fn prev(&self) -> Option<Self> {
        match Self::try_new(self.actor, self.counter.get().saturating_sub(1)) {
            Ok(dot) => Some(dot),
            Err(_) => None,
        }
    }

    /// Returns the event after this one of the same actor, or `None` after the last that there is.
    #[must_use]
    pub const fn next(&self) -> Option<Self> {
        match Self::try_new(self.actor, self.counter.get().saturating_add(1)) {
            Ok(dot) => Some(dot),
            Err(_) => None,
        }
    }
}

impl<A: fmt::Debug> fmt::Debug for Dot<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}:{}", self.actor, self.counter)
    }
}

impl<A: fmt::Display> fmt::Display for Dot<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.actor, self.counter)
    }
}

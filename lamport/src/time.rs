//! `Time`, the value and its order, and `Times`, a reserved run of them.

use core::iter::FusedIterator;

use crate::Stamp;

/// A Lamport time: how long the longest chain of causes before an event is, at least.
///
/// If event *a* may have caused event *b*, then *a*'s time is below *b*'s. The converse does not hold: a
/// lower time may belong to an event that nobody heard of. Two events at different nodes may have equal
/// times; [`at_node`](Self::at_node) breaks the tie.
///
/// Every 64-bit number is a time. [`ZERO`](Self::ZERO) is before every event.
///
/// # Units
///
/// Events, not seconds. A time says nothing about a wall clock.
///
/// # Examples
///
/// ```
/// use lamport::Time;
///
/// assert!(Time::new(9) < Time::new(10));
/// // Bytes and text sort as the times do.
/// assert!(Time::new(9).to_bytes() < Time::new(10).to_bytes());
/// assert!(Time::new(9).to_string() < Time::new(10).to_string());
/// assert_eq!(Time::MAX.checked_next(), None);
/// ```
///
/// # Sources
///
/// Lamport 1978, "Time, Clocks, and the Ordering of Events in a Distributed System", rules IR1 and IR2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(u64);

impl Time {
    /// Before every event: what a new clock has [`last`](crate::Clock::last) seen.
    pub const ZERO: Self = Self(0);

    /// The last time there is. A clock that stands here answers [`Exhausted`](crate::Exhausted).
    pub const MAX: Self = Self(u64::MAX);

    /// The greatest time that a clock takes from elsewhere without a loud choice: half of the range, 2^63 -
    /// 1.
    ///
    /// The other half belongs to a clock's own events, one by one. So no accepted message brings a clock near
    /// its end: after one at least 2^63 - 1 times are left, 292 years of an event each nanosecond. The ways
    /// past it are [`MaxJump::Unbounded`](crate::MaxJump::Unbounded),
    /// [`merge_committed`](crate::Clock::merge_committed) and
    /// [`resume_after_unbounded`](crate::Clock::resume_after_unbounded).
    pub const MAX_ACCEPTED: Self = Self(u64::MAX >> 1);

    /// Makes a time of its number.
    #[must_use]
    pub const fn new(events: u64) -> Self {
        Self(events)
    }

    /// Returns the number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Returns the next time, or `None` after the last one there is.
    #[must_use]
    pub const fn checked_next(self) -> Option<Self> {
        match self.0.checked_add(1) {
            Some(next) => Some(Self(next)),
            None => None,
        }
    }

    /// Returns the time before, or `None` before the first one there is.
    #[must_use]
    pub const fn checked_prev(self) -> Option<Self> {
        match self.0.checked_sub(1) {
            Some(previous) => Some(Self(previous)),
            None => None,
        }
    }

    /// Makes the stamp of an event at `node`, with its place in the total order.
    #[must_use]
    pub const fn at_node<N>(self, node: N) -> Stamp<N> {
        Stamp::new(self, node)
    }
}

impl From<u64> for Time {
    fn from(events: u64) -> Self {
        Self(events)
    }
}

impl From<Time> for u64 {
    fn from(time: Time) -> Self {
        time.0
    }
}

/// Consecutive times that nobody else was or will be given: what `reserve` returns.
///
/// It is not `Clone`: a copy would hand out each time twice. Dropping it leaves a gap, which harms nothing.
///
/// The times belong to events at the moment of the call. Once the clock has observed a message, an event that
/// follows it needs a time above the message's, so what is left here is void: drop it and reserve again.
///
/// # Examples
///
/// ```
/// use core::num::NonZeroU32;
/// use lamport::{Clock, Exhausted, Time};
///
/// let mut clock = Clock::new();
/// let times = clock.reserve(NonZeroU32::MIN.saturating_add(2))?;
/// assert!(times.eq([1, 2, 3].map(Time::new)));
/// assert_eq!(clock.tick()?, Time::new(4));
/// # Ok::<(), Exhausted>(())
/// ```
#[derive(Debug)]
#[must_use = "the times are spent whether they are used or not"]
pub struct Times {
    /// The time before the next one. `before + left` never overflows: the rule issued that time.
    before: Time,
    left: u32,
}

impl Times {
    /// The `count` times above `before`, all of which the rule has issued.
    pub(crate) const fn above(before: Time, count: u32) -> Self {
        Self { before, left: count }
    }
}

impl Iterator for Times {
    type Item = Time;

    fn next(&mut self) -> Option<Time> {
        let left = self.left.checked_sub(1)?;
        let time = self.before.checked_next()?;
        (self.before, self.left) = (time, left);
        Some(time)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        // A 16-bit target cannot say more than its `usize` holds.
        usize::try_from(self.left).map_or((usize::MAX, None), |left| (left, Some(left)))
    }
}

impl DoubleEndedIterator for Times {
    fn next_back(&mut self) -> Option<Time> {
        let left = self.left.checked_sub(1)?;
        let time = self.before.get().checked_add(u64::from(self.left))?;
        self.left = left;
        Some(Time(time))
    }
}

impl FusedIterator for Times {}

#[cfg(any(target_pointer_width = "32", target_pointer_width = "64"))]
impl ExactSizeIterator for Times {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_times_of_the_range_come_out_of_both_ends_once() {
        let mut times = Times::above(Time(u64::MAX - 3), 3);
        assert_eq!(times.len(), 3);
        assert_eq!(times.next_back(), Some(Time::MAX));
        assert_eq!(times.next(), Some(Time(u64::MAX - 2)));
        assert_eq!(times.len(), 1);
        assert_eq!(times.next_back(), Some(Time(u64::MAX - 1)));
        assert_eq!((times.next(), times.next_back(), times.len()), (None, None, 0));
    }
}

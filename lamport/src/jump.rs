//! `MaxJump`: how far one message may move a clock.

/// How far ahead of a clock a received time may be.
///
/// A forged or corrupted time near the end of the range would otherwise move the clock there, and the next
/// message that clock sends would move every other one: all of them exhausted, for ever. The comparison is
/// inclusive. A time at or below the clock's [`last`](crate::Clock::last) is never refused, under any policy.
///
/// The default, [`DEFAULT`](Self::DEFAULT), is `AtMost(2^40)`.
///
/// # Examples
///
/// ```
/// use lamport::{Clock, MaxJump, MergeError, Time};
///
/// let mut clock = Clock::new().with_max_jump(MaxJump::AtMost(1_000));
/// clock.merge(Time::new(1_000))?;
/// assert!(matches!(clock.merge(Time::new(2_001)), Err(MergeError::JumpExceeded(_))));
/// assert_eq!(clock.last(), Time::new(1_000));
/// # Ok::<(), MergeError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum MaxJump {
    /// Accepts a time at most this many times ahead of the clock, and not above
    /// [`Time::MAX_ACCEPTED`](crate::Time::MAX_ACCEPTED).
    AtMost(u64),
    /// Accepts every time. One faulty peer can then bring every clock to the end of time in one message.
    Unbounded,
}

impl MaxJump {
    /// `AtMost(2^40)`.
    ///
    /// Wide enough for honest peers: a system that makes a million causally chained events a second needs 12
    /// days of silence towards one node to be that far ahead of it. Narrow enough for the rest: from a new
    /// clock it takes 2^23 forged messages, every one of them accepted, to reach
    /// [`Time::MAX_ACCEPTED`](crate::Time::MAX_ACCEPTED).
    pub const DEFAULT: Self = Self::AtMost(1 << 40);
}

impl Default for MaxJump {
    fn default() -> Self {
        Self::DEFAULT
    }
}

//! `MaxJump`: how far one message may move a counter.

use crate::dot::MAX_COUNTER;

/// How many events of one actor a clock may learn of at once.
///
/// A forged counter near the end of the range would otherwise take the actor's name from it: every event that it
/// really makes would count as known already. The comparison is inclusive, lane by lane, against what the clock
/// knows. A counter that it knows is never refused, under any policy.
///
/// The default, [`DEFAULT`](Self::DEFAULT), is `AtMost(2^40)`.
///
/// # Examples
///
/// ```
/// use vector_clock::{Fixed, MaxJump, MergeError, Dot, VectorClock, VersionVector};
///
/// let mut clock = VectorClock::<u32, Fixed<4>>::new(1).with_max_jump(MaxJump::AtMost(1_000));
/// let forged = VersionVector::<u32, Fixed<4>>::from_sorted([Dot::try_new(2, 1_001)?])?;
/// assert!(matches!(clock.merge(&forged), Err(MergeError::JumpExceeded(_))));
/// assert!(clock.vector().is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum MaxJump {
    /// Accepts at most this many unknown events of each actor.
    AtMost(u64),
    /// Accepts every counter. One faulty peer can then use up the counters of every other actor in one message.
    Unbounded,
}

impl MaxJump {
    /// `AtMost(2^40)`.
    ///
    /// Wide enough for honest peers: an actor that makes a million events a second needs 12 days of silence towards
    /// a clock to be that far ahead of it. Narrow enough for the rest: 2^23 forged messages, every one accepted, to
    /// use up one counter.
    pub const DEFAULT: Self = Self::AtMost(1 << 40);

    /// Whether a clock that knows `known` events of an actor refuses to learn of `claimed`.
    pub(crate) const fn is_exceeded(self, known: u64, claimed: u64) -> bool {
        claimed.saturating_sub(known) > self.limit()
    }

    /// The limit in lanes, where no rise can be above [`MAX_COUNTER`].
    pub(crate) const fn limit(self) -> u64 {
        match self {
            Self::AtMost(limit) if limit < MAX_COUNTER => limit,
            Self::AtMost(_) | Self::Unbounded => MAX_COUNTER,
        }
    }
}

impl Default for MaxJump {
    fn default() -> Self {
        Self::DEFAULT
    }
}

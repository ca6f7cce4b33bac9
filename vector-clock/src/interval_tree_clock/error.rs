//! Why an interval tree clock refuses.

use core::error::Error;
use core::fmt;

use crate::error::Overflow;

/// The clock would have more nodes than its budget allows. Nothing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BudgetExceeded {
    nodes: usize,
    budget: usize,
}

impl BudgetExceeded {
    pub(super) const fn new(nodes: usize, budget: usize) -> Self {
        Self { nodes, budget }
    }

    /// Returns how many nodes the result would have; a decoder, which stops early, returns how many it knew of.
    #[must_use]
    pub const fn nodes(&self) -> usize {
        self.nodes
    }

    /// Returns how many nodes are allowed.
    #[must_use]
    pub const fn budget(&self) -> usize {
        self.budget
    }
}

impl fmt::Display for BudgetExceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} nodes needed, budget {}", self.nodes, self.budget)
    }
}

impl Error for BudgetExceeded {}

/// The other clock has counted further ahead than is plausible. Nothing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EventJump {
    ahead: u64,
    limit: u64,
}

impl EventJump {
    pub(super) const fn new(ahead: u64, limit: u64) -> Self {
        Self { ahead, limit }
    }

    /// Returns by how many events the greatest count of the other clock is above the greatest of this one.
    #[must_use]
    pub const fn ahead(&self) -> u64 {
        self.ahead
    }

    /// Returns how many events ahead were allowed.
    #[must_use]
    pub const fn limit(&self) -> u64 {
        self.limit
    }
}

impl fmt::Display for EventJump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "received clock is {} events ahead, limit {}", self.ahead, self.limit)
    }
}

impl Error for EventJump {}

/// Why an interval tree clock refused. It is as it was, and so is the other one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IntervalTreeError {
    /// The clock owns no part of the interval, so it cannot count events.
    Anonymous,
    /// Both clocks own one part: one of them was copied, restored, or joined before.
    Overlap,
    /// Every place that the clock owns has had its last event.
    Overflow(Overflow),
    /// The result would have too many nodes.
    Budget(BudgetExceeded),
    /// The other clock is too far ahead.
    Jump(EventJump),
}

impl fmt::Display for IntervalTreeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => f.write_str("an anonymous clock counts no events"),
            Self::Overlap => f.write_str("both clocks own one part of the id space"),
            Self::Overflow(error) => error.fmt(f),
            Self::Budget(error) => error.fmt(f),
            Self::Jump(error) => error.fmt(f),
        }
    }
}

impl Error for IntervalTreeError {}

impl From<Overflow> for IntervalTreeError {
    fn from(error: Overflow) -> Self {
        Self::Overflow(error)
    }
}

impl From<BudgetExceeded> for IntervalTreeError {
    fn from(error: BudgetExceeded) -> Self {
        Self::Budget(error)
    }
}

impl From<EventJump> for IntervalTreeError {
    fn from(error: EventJump) -> Self {
        Self::Jump(error)
    }
}

/// Why bytes are not an interval tree clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IntervalTreeDecodeError {
    /// The first byte is not a version that this release reads.
    Version(u8),
    /// The bytes end before the clock does.
    Truncated,
    /// A count is above [`MAX_COUNTER`](crate::MAX_COUNTER).
    Number,
    /// The clock has more nodes than the reader's budget.
    Budget(BudgetExceeded),
    /// The bytes are not those that the clock is written as: there is one form for each clock.
    NotCanonical,
}

impl fmt::Display for IntervalTreeDecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(version) => write!(f, "version {version} is unknown"),
            Self::Truncated => f.write_str("bytes end before the clock does"),
            Self::Number => f.write_str("count is above the greatest counter"),
            Self::Budget(error) => error.fmt(f),
            Self::NotCanonical => f.write_str("bytes are not in canonical form"),
        }
    }
}

impl Error for IntervalTreeDecodeError {}

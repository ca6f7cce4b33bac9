//! `IntervalTreeSnapshot`: what a clock counts. No guarantee reads it.

use super::error::IntervalTreeError;

/// What an operator must see of an interval tree clock, as plain numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct IntervalTreeSnapshot {
    /// How many nodes the clock has now. A rise without end: replicas fork and do not join when they leave.
    pub nodes: usize,
    /// Calls refused because an anonymous clock was to count an event. Above zero: the caller's mistake.
    pub anonymous: u64,
    /// Calls refused because both clocks own one part. Above zero: a clock was copied or restored.
    pub overlap: u64,
    /// Calls refused because every owned place is at its greatest count.
    pub overflow: u64,
    /// Calls refused because the clock would have too many nodes.
    pub budget: u64,
    /// Calls refused because the other clock was too far ahead. Above zero: a peer lies, or was cut off for long.
    pub jump: u64,
}

impl IntervalTreeSnapshot {
    /// Counts a refusal and hands it on.
    #[cold]
    pub(super) fn count<E: Copy + Into<IntervalTreeError>>(&mut self, why: E) -> E {
        let count = match why.into() {
            IntervalTreeError::Anonymous => &mut self.anonymous,
            IntervalTreeError::Overlap => &mut self.overlap,
            IntervalTreeError::Overflow(_) => &mut self.overflow,
            IntervalTreeError::Budget(_) => &mut self.budget,
            IntervalTreeError::Jump(_) => &mut self.jump,
        };
        *count = count.saturating_add(1);
        why
    }
}

//! `BufferSnapshot`: what a buffer counts. No guarantee reads it.

/// What an operator must see of a buffer, as plain numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct BufferSnapshot {
    /// Messages that wait now. A rise without end cannot be; near the limit: something is lost and not asked for.
    pub waiting: usize,
    /// Messages delivered.
    pub delivered: u64,
    /// Messages dropped because they had been delivered or were waiting.
    pub duplicates: u64,
    /// Messages refused because they name somebody who is not a member.
    pub unknown_member: u64,
    /// Messages refused because they were more than the quota ahead.
    pub beyond_quota: u64,
    /// Messages refused because there was no room to wait in.
    pub full: u64,
    /// Work done: vector entries and waiting senders looked at. Over the life of a message that is the entries of its
    /// own vector, and for each of them at most a logarithm of the members.
    pub steps: u64,
}

impl BufferSnapshot {
    /// The counts of a new buffer.
    pub(super) const ZERO: Self = Self {
        waiting: 0,
        delivered: 0,
        duplicates: 0,
        unknown_member: 0,
        beyond_quota: 0,
        full: 0,
        steps: 0,
    };
}

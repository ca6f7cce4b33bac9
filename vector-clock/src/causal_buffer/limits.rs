//! `BufferLimits`: how much a buffer may hold.

/// What a [`CausalBuffer`](super::CausalBuffer) holds at most, beside the capacity of its storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BufferLimits {
    pub(super) members: usize,
    pub(super) waiting: usize,
    pub(super) quota: u64,
}

impl BufferLimits {
    /// 1,024 members, 4,096 waiting messages, 64 of each sender.
    pub const DEFAULT: Self = Self { members: 1_024, waiting: 4_096, quota: 64 };

    /// Sets how many members there may be.
    #[must_use]
    pub const fn with_members(mut self, members: usize) -> Self {
        self.members = members;
        self
    }

    /// Sets how many messages may wait.
    #[must_use]
    pub const fn with_waiting(mut self, waiting: usize) -> Self {
        self.waiting = waiting;
        self
    }

    /// Sets how far a waiting message may be ahead of its sender's last delivered one; so many of each may wait.
    ///
    /// Where `members * quota <= waiting`, no sender can take another one's room.
    #[must_use]
    pub const fn with_quota(mut self, quota: u64) -> Self {
        self.quota = quota;
        self
    }
}

impl Default for BufferLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

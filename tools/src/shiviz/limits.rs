//! `Limits`: what a log may have at most.

/// What a log may have at most: what is read is kept in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    max_bytes: u64,
    max_events: usize,
    max_hosts: usize,
    max_entries: usize,
}

impl Limits {
    /// 256 MiB, two million events, 4,096 hosts, sixteen million entries of clocks.
    #[must_use]
    pub const fn new() -> Self {
        Self { max_bytes: 256 << 20, max_events: 2_000_000, max_hosts: 4_096, max_entries: 16_000_000 }
    }

    /// Sets the most bytes that are read.
    #[must_use]
    pub const fn with_max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Sets the most events, of all executions together.
    #[must_use]
    pub const fn with_max_events(mut self, events: usize) -> Self {
        self.max_events = events;
        self
    }

    /// Sets the most hosts, of all executions together.
    #[must_use]
    pub const fn with_max_hosts(mut self, hosts: usize) -> Self {
        self.max_hosts = hosts;
        self
    }

    /// Sets the most entries of all clocks together.
    #[must_use]
    pub const fn with_max_entries(mut self, entries: usize) -> Self {
        self.max_entries = entries;
        self
    }

    /// Returns the most bytes that are read.
    #[must_use]
    pub const fn max_bytes(&self) -> u64 {
        self.max_bytes
    }

    /// Returns the most events.
    #[must_use]
    pub const fn max_events(&self) -> usize {
        self.max_events
    }

    /// Returns the most hosts.
    #[must_use]
    pub const fn max_hosts(&self) -> usize {
        self.max_hosts
    }

    /// Returns the most entries of all clocks together.
    #[must_use]
    pub const fn max_entries(&self) -> usize {
        self.max_entries
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::new()
    }
}

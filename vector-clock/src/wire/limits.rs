//! `Limits`: how much a decoder believes.

use crate::dot::MAX_COUNTER;
use crate::jump::MaxJump;

/// What a decoder accepts. All of it is checked before anything is allocated.
///
/// | limit | default | refused with |
/// |---|---|---|
/// | `max_entries` | 4,096 | `EntryLimit` |
/// | `max_counter` | [`MAX_COUNTER`] | `CounterLimit` |
/// | `max_jump` | [`MaxJump::DEFAULT`] | `JumpExceeded`, where there is something to jump from |
///
/// # Examples
///
/// ```
/// use vector_clock::{ClockRef, DecodeError, Limits};
///
/// // A claim of a million entries in nine bytes costs a look at five of them.
/// let bytes = [0x01, 0x00, 0xf2, 0x0f, 0x42, 0x40, 0x00, 0x00, 0x00];
/// let refused = ClockRef::parse(&bytes, &Limits::new()).err();
/// assert_eq!(refused, Some(DecodeError::EntryLimit { found: 1_000_000, limit: 4_096 }));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limits {
    max_entries: usize,
    max_counter: u64,
    max_jump: MaxJump,
}

impl Limits {
    /// Returns the defaults of the table above.
    #[must_use]
    pub const fn new() -> Self {
        Self { max_entries: 4_096, max_counter: MAX_COUNTER, max_jump: MaxJump::DEFAULT }
    }

    /// Sets how many entries there may be.
    #[must_use]
    pub const fn with_max_entries(mut self, max_entries: usize) -> Self {
        self.max_entries = max_entries;
        self
    }

    /// Sets how great a counter may be. [`MAX_COUNTER`] holds whatever is set here.
    #[must_use]
    pub const fn with_max_counter(mut self, max_counter: u64) -> Self {
        self.max_counter = max_counter;
        self
    }

    /// Sets how far a counter may be above what is known here, for the decoders that are told what is known, and
    /// how far a [`Delta`](crate::Delta) may raise one.
    #[must_use]
    pub const fn with_max_jump(mut self, max_jump: MaxJump) -> Self {
        self.max_jump = max_jump;
        self
    }

    /// Returns how many entries there may be.
    #[must_use]
    pub const fn max_entries(&self) -> usize {
        self.max_entries
    }

    /// Returns how great a counter may be.
    #[must_use]
    pub const fn max_counter(&self) -> u64 {
        self.max_counter
    }

    /// Returns how far a counter may be above what is known here.
    #[must_use]
    pub const fn max_jump(&self) -> MaxJump {
        self.max_jump
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::new()
    }
}

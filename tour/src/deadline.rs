//! `Deadline`: a moment on the monotonic clock.

use core::time::Duration;
use std::time::Instant;

/// A moment by which something has to be over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    /// Makes the deadline that is `wait` from now.
    #[expect(
        clippy::disallowed_methods,
        reason = "a deadline must not move when a wall clock steps, and no stamp comes of it"
    )]
    pub(crate) fn after(wait: Duration) -> Self {
        Self(Instant::now()).later(wait)
    }

    /// Makes the deadline that is `by` later than this one.
    pub(crate) fn later(self, by: Duration) -> Self {
        // A wait that no clock can hold is none: it is over at once rather than never.
        Self(self.0.checked_add(by).unwrap_or(self.0))
    }

    /// Returns how long it is until then: zero when it has passed.
    pub(crate) fn left(self) -> Duration {
        self.0.saturating_duration_since(Self::after(Duration::ZERO).0)
    }

    /// Returns whether it has passed.
    pub(crate) fn passed(self) -> bool {
        self.left().is_zero()
    }
}

//! `Snapshot`: what an operator must see.

use core::time::Duration;

use crate::{
    Packed,
    layout::{Layout, Unix48},
};

/// The state of a clock and what it has counted, as plain numbers.
///
/// The counts are statistics: each is right, but they are not read at one instant, and no guarantee rests
/// on them. They start at zero with the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Snapshot<L: Layout = Unix48> {
    pub(crate) last: Option<Packed<L>>,
    pub(crate) lead: Option<Duration>,
    pub(crate) max_lead: Duration,
    pub(crate) skew_refusals: u64,
    pub(crate) lead_refusals: u64,
    pub(crate) exhausted_refusals: u64,
    pub(crate) source_errors: u64,
    pub(crate) source_steps: u64,
    pub(crate) carries: u64,
}

impl<L: Layout> Snapshot<L> {
    /// Returns the greatest stamp issued or merged.
    #[must_use]
    pub const fn last(&self) -> Option<Packed<L>> {
        self.last
    }

    /// Returns how far `last` is ahead of the physical clock as it reads now, or `None` where it cannot be
    /// read. In a layout that rounds up, up to one unit of it is rounding.
    #[must_use]
    pub const fn lead(&self) -> Option<Duration> {
        self.lead
    }

    /// Returns the greatest lead at which a stamp was issued.
    ///
    /// A lead within the current unit of the layout does not count.
    #[must_use]
    pub const fn max_lead(&self) -> Duration {
        self.max_lead
    }

    /// Returns how many remote stamps were refused because they were too far ahead. Alert when it rises: a
    /// peer's clock is wrong, or a peer lies.
    #[must_use]
    pub const fn skew_refusals(&self) -> u64 {
        self.skew_refusals
    }

    /// Returns how many stamps were refused because the clock itself would have been too far ahead.
    #[must_use]
    pub const fn lead_refusals(&self) -> u64 {
        self.lead_refusals
    }

    /// Returns how many calls found no stamp left in the layout.
    #[must_use]
    pub const fn exhausted_refusals(&self) -> u64 {
        self.exhausted_refusals
    }

    /// Returns how many calls failed because the physical clock could not be read.
    #[must_use]
    pub const fn source_errors(&self) -> u64 {
        self.source_errors
    }

    /// Returns how many calls failed because the physical clock had stepped forward too far.
    #[must_use]
    pub const fn source_steps(&self) -> u64 {
        self.source_steps
    }

    /// Returns how many calls issued a stamp whose counter ran over into physical time. When it rises
    /// steadily, the layout's counter is too small for the rate.
    #[must_use]
    pub const fn carries(&self) -> u64 {
        self.carries
    }
}

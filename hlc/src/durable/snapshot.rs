//! `DurableSnapshot`: what an operator must see of a durable clock.

use core::time::Duration;

use crate::{
    Packed, PhysicalTime, Snapshot, Source,
    driver::{self, Counted, Stats},
    layout::{Layout, Unix48},
};

/// The state of a durable clock and what it has counted, as plain numbers.
///
/// As with [`Snapshot`], the counts are statistics, and start at zero with the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DurableSnapshot<L: Layout = Unix48> {
    clock: Snapshot<L>,
    bound: Option<Packed<L>>,
    headroom: Option<Duration>,
    stalls: u64,
    extensions: u64,
    not_raised: u64,
    indeterminate: u64,
}

impl<L: Layout> DurableSnapshot<L> {
    pub(super) fn of(stats: &impl Stats, bound: u64, source: &impl Source) -> Self {
        let clock = driver::snapshot::<L>(stats, source);
        let bound = Packed::from_bits(bound);
        // From the later of physical time and the clock itself.
        let headroom = source.now().ok().map(|now| {
            let known = clock.last.map_or(PhysicalTime::UNIX_EPOCH, Packed::physical_time).max(now);
            bound.map_or(Duration::ZERO, |bound| bound.physical_time().saturating_since(known))
        });
        Self {
            clock,
            bound,
            headroom,
            stalls: stats.counted(Counted::BoundRefusal),
            extensions: stats.counted(Counted::Extension),
            not_raised: stats.counted(Counted::NotRaised),
            indeterminate: stats.counted(Counted::Indeterminate),
        }
    }

    /// Returns what every clock shows. `last` is the bound of the life before until the first stamp of this.
    #[must_use]
    pub const fn clock(&self) -> Snapshot<L> {
        self.clock
    }

    /// Returns the greatest stamp that may be issued; no greater one ever was. `None` before the first extension.
    #[must_use]
    pub const fn bound(&self) -> Option<Packed<L>> {
        self.bound
    }

    /// Returns how far the bound is ahead of the clock and of physical time, or `None` where physical time cannot be
    /// read. Alert when it is near zero: nothing is issued beyond it.
    #[must_use]
    pub const fn headroom(&self) -> Option<Duration> {
        self.headroom
    }

    /// Returns how many calls were refused at the bound.
    #[must_use]
    pub const fn stalls(&self) -> u64 {
        self.stalls
    }

    /// Returns how often the bound was raised.
    #[must_use]
    pub const fn extensions(&self) -> u64 {
        self.extensions
    }

    /// Returns how many raises of the mark definitely did not happen.
    #[must_use]
    pub const fn not_raised(&self) -> u64 {
        self.not_raised
    }

    /// Returns how many raises of the mark ended unknown. Alert when it is not zero: the mark is poisoned until it is
    /// opened again.
    #[must_use]
    pub const fn indeterminate(&self) -> u64 {
        self.indeterminate
    }
}

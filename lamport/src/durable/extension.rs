//! `Extension`: the mark, and how it is raised before the bound is.

use high_water::{Mark, RaiseError};

use super::block::Block;
use crate::{MaxJump, Snapshot, Time};

/// What an operator must see of a durable clock, as plain numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct DurableSnapshot {
    /// What every clock shows. `last` is the bound of the life before until the first time of this.
    pub clock: Snapshot,
    /// The greatest time that may be handed out; no greater one ever was.
    pub bound: Time,
    /// Times left below the bound. Near zero, extensions come too late.
    pub left: u64,
    /// Calls refused at the bound.
    pub stalls: u64,
    /// Blocks reserved.
    pub extensions: u64,
    /// Raises of the mark that definitely did not happen.
    pub not_raised: u64,
    /// Raises of the mark that ended unknown. Above zero: the mark is poisoned until it is opened again.
    pub indeterminate: u64,
}

/// What the one who extends needs.
#[derive(Debug)]
pub(super) struct Extension<M> {
    mark: M,
    /// As asked for; [`block`](Self::block) is in force.
    pub(super) asked_block: Block,
    /// The clock's own limit, taken for that of its peers.
    pub(super) max_jump: MaxJump,
    /// What the mark has acknowledged. Kept here as well as in the word of the shared clock, because nobody else
    /// moves it; and an extender that loaded that word before it stores to it would hide from loom that the
    /// store races with those who tick.
    bound: Time,
    /// Why the last extension failed; `None` where it did not.
    failure: Option<RaiseError>,
    extensions: u64,
    not_raised: u64,
    indeterminate: u64,
}

impl<M: Mark> Extension<M> {
    pub(super) fn new(mark: M) -> Self {
        let bound = Time::new(mark.get());
        Self {
            mark,
            asked_block: Block::DEFAULT,
            max_jump: MaxJump::DEFAULT,
            bound,
            failure: None,
            extensions: 0,
            not_raised: 0,
            indeterminate: 0,
        }
    }

    /// The block in force.
    pub(super) const fn block(&self) -> Block {
        self.asked_block.under(self.max_jump)
    }

    pub(super) const fn bound(&self) -> Time {
        self.bound
    }

    pub(super) const fn failure(&self) -> Option<RaiseError> {
        self.failure
    }

    pub(super) fn into_mark(self) -> M {
        self.mark
    }

    /// Reserves a block above `last` where half of the present one is gone. Returns whether it did.
    pub(super) fn upkeep(&mut self, last: Time) -> Result<bool, RaiseError> {
        let left = self.bound.get().saturating_sub(last.get());
        if left > self.block().times() / 2 || self.bound == Time::MAX {
            return Ok(false);
        }
        self.extend_above(last)?;
        Ok(true)
    }

    /// Raises the mark to a block above `last`, then the bound: the other way round, a crash would repeat times.
    #[cold]
    pub(super) fn extend_above(&mut self, last: Time) -> Result<(), RaiseError> {
        let target = last.get().saturating_add(self.block().times());
        let raised = self.mark.raise_to(target);
        self.failure = raised.err();
        let count = match raised {
            Ok(()) => {
                self.bound = Time::new(target);
                &mut self.extensions
            }
            Err(RaiseError::NotRaised(_)) => &mut self.not_raised,
            Err(_) => &mut self.indeterminate,
        };
        *count = count.saturating_add(1);
        raised
    }

    pub(super) fn snapshot(&self, clock: Snapshot, stalls: u64) -> DurableSnapshot {
        DurableSnapshot {
            clock,
            bound: self.bound,
            left: self.bound.get().saturating_sub(clock.last.get()),
            stalls,
            extensions: self.extensions,
            not_raised: self.not_raised,
            indeterminate: self.indeterminate,
        }
    }
}

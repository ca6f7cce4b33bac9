//! `Extension`: the mark, and how it is raised before the bound is.

use high_water::{Mark, RaiseError};

use crate::{driver::Counted, durable::reach::Reach};

/// What the one who extends needs.
#[derive(Debug)]
pub(super) struct Extension<M> {
    mark: M,
    /// The greatest stamp that may be issued: what the mark has acknowledged. Kept here as well as in the word
    /// of the shared clock, because nobody else moves it; and an extender that loaded that word before it
    /// stores to it would hide from loom that the store races with those who issue.
    bound: u64,
    /// Why the last extension failed; `None` where it did not.
    failure: Option<RaiseError>,
}

impl<M: Mark> Extension<M> {
    pub(super) fn new(mark: M) -> Self {
        Self { bound: mark.get(), mark, failure: None }
    }

    pub(super) const fn bound(&self) -> u64 {
        self.bound
    }

    pub(super) const fn failure(&self) -> Option<RaiseError> {
        self.failure
    }

    pub(super) fn into_mark(self) -> M {
        self.mark
    }

    /// Raises mark and bound where less than half of the window is left. Returns whether it did.
    pub(super) fn upkeep(
        &mut self,
        reach: Reach,
        floor: u64,
        last: u64,
        count: impl FnMut(Counted),
    ) -> Result<bool, RaiseError> {
        if !reach.is_due(self.bound, floor, last) {
            return Ok(false);
        }
        self.raise_to(reach.target(floor, last), count)?;
        Ok(true)
    }

    /// Raises the mark, then the bound: the other way round, a crash would repeat stamps.
    #[cold]
    pub(super) fn raise_to(&mut self, target: u64, mut count: impl FnMut(Counted)) -> Result<(), RaiseError> {
        let raised = self.mark.raise_to(target);
        self.failure = raised.err();
        match raised {
            Ok(()) => {
                self.bound = target;
                count(Counted::Extension);
            }
            Err(RaiseError::NotRaised(_)) => count(Counted::NotRaised),
            Err(_) => count(Counted::Indeterminate),
        }
        raised
    }
}

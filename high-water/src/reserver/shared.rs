//! `SharedReserver`: one value for all threads, behind an `Arc` or in a `static`.

use super::{Block, DrawError, Drawer, Reserver, ReserverSnapshot, State};
use crate::error::RaiseError;
use crate::keeper::Kept;
use crate::mark::Mark;
use crate::sync::{Mutex, MutexGuard};
use core::num::NonZeroU32;
use std::sync::PoisonError;

/// A [`Reserver`] that any thread may extend: the extension is behind a lock, a draw is not.
///
/// # Memory ordering
///
/// As of [`Reserver`](Reserver#memory-ordering).
#[derive(Debug)]
pub struct SharedReserver<M> {
    block: Block,
    extender: Mutex<State<M>>,
}

impl<M: Mark> SharedReserver<M> {
    /// As [`Reserver::draw`]: lock-free, and touches no medium.
    ///
    /// # Errors
    ///
    /// As there.
    ///
    /// # Memory ordering
    ///
    /// As there.
    pub fn draw(&self) -> Result<u64, DrawError> {
        self.draw_many(NonZeroU32::MIN)
    }

    /// As [`Reserver::draw_many`].
    ///
    /// # Errors
    ///
    /// As there.
    ///
    /// # Memory ordering
    ///
    /// As there.
    pub fn draw_many(&self, count: NonZeroU32) -> Result<u64, DrawError> {
        Drawer { block: &self.block }.draw_many(count)
    }

    /// As [`Reserver::upkeep`]. Waits for another thread that is at it.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn upkeep(&self) -> Result<bool, RaiseError> {
        self.extender().upkeep(&self.block)
    }

    /// What was done so far. Waits for a thread that extends.
    #[must_use]
    pub fn snapshot(&self) -> ReserverSnapshot {
        self.extender().snapshot(&self.block)
    }

    /// A thread that panicked while extending leaves a mark that keeps its own contract, and a bound that was
    /// not moved: nothing has to be given up.
    fn extender(&self) -> MutexGuard<'_, State<M>> {
        self.extender.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<M: Mark> Kept for SharedReserver<M> {
    fn keep(&self) {
        // What comes of it is in the block, and in the snapshot.
        let _ = self.upkeep();
    }
}

impl<M: Mark> From<Reserver<M>> for SharedReserver<M> {
    fn from(Reserver { block, extender }: Reserver<M>) -> Self {
        Self { block, extender: Mutex::new(extender) }
    }
}

//! `FalseHost`: the clocks of a holder, of which the wall clock lies; and a place to stop in the midst of a swap.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use core::time::Duration;

use epoch_fence::engine::file::{FileError, Host, SystemHost};
use epoch_fence::protocol::Moment;
use hlc::PhysicalTime;
use rustix::process::{Signal, getpid, kill_process};

use crate::message::{self, Said};

/// The host of one holder process. A copy has the same clocks.
#[derive(Clone, Debug)]
pub(crate) struct FalseHost {
    real: SystemHost,
    wall_seconds: Arc<AtomicI64>,
    stop: Arc<AtomicBool>,
}

impl FalseHost {
    pub(crate) fn new(real: SystemHost) -> Self {
        Self { real, wall_seconds: Arc::default(), stop: Arc::default() }
    }

    /// Makes the wall clock wrong by so much.
    pub(crate) fn wall_off_by(&self, seconds: i64) {
        self.wall_seconds.store(seconds, Ordering::Relaxed);
    }

    /// Makes the process stop itself in the midst of its next swap, or not.
    pub(crate) fn stop_in_swap(&self, stop: bool) {
        self.stop.store(stop, Ordering::Relaxed);
    }

    /// Stops the process, if it has to.
    pub(crate) fn in_swap(&self) {
        if self.stop.swap(false, Ordering::Relaxed) {
            // If it cannot be said or done, there is one fault less.
            let _said = message::write(std::io::stdout().lock(), &Said::InSwap);
            let _stopped = kill_process(getpid(), Signal::STOP);
        }
    }
}

impl Host for FalseHost {
    fn moment(&self) -> Result<Moment, FileError> {
        self.real.moment()
    }

    /// The engine reads it for the stamp of an entry: the register is held then, the write was judged, and is not yet
    /// made. That is where a stop hurts most.
    fn wall(&self) -> PhysicalTime {
        self.in_swap();
        let seconds = self.wall_seconds.load(Ordering::Relaxed);
        let by = Duration::from_secs(seconds.unsigned_abs());
        let wall = self.real.wall();
        let moved = if seconds < 0 { wall.checked_sub(by) } else { wall.checked_add(by) };
        moved.unwrap_or(PhysicalTime::UNIX_EPOCH)
    }
}

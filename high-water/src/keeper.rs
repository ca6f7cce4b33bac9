//! `Keeper`: the thread that keeps something ahead of need.

use core::convert::Infallible;
use core::ops::Deref;
use core::time::Duration;
use std::io;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};

/// What a [`Keeper`] keeps: a [`SharedReserver`](crate::SharedReserver), or the shared durable clock of a crate above.
pub trait Kept {
    /// Extends what is due, if anything. What comes of it is seen in the numbers of what is kept.
    fn keep(&self);
}

/// Calls the upkeep of a shared reserver, or of a shared durable clock, once in a period, from a thread of its own.
///
/// Dropping it stops the thread and waits for it. What was reserved can still be used up, and beyond that there are
/// refusals: what stops is seen, and nothing is handed out twice. What an upkeep fails of shows in the snapshot of what
/// is kept; it is tried again in the next period.
///
/// # What can go wrong
///
/// - **The system does not run the thread, or the disk is slow**: there are refusals until it does.
/// - **A raise ends indeterminate**: the mark is poisoned, and the refusals are for good. Open the mark again.
/// - **The mark panics**: the thread ends, and the refusals are for good.
///
/// ```
/// use core::{num::NonZeroU64, time::Duration};
/// use high_water::{Keeper, MemoryMark, Reserver, SharedReserver};
/// use std::sync::Arc;
///
/// let block = NonZeroU64::new(1_000).ok_or("a block has numbers")?;
/// let numbers: Arc<SharedReserver<_>> = Arc::new(Reserver::new(MemoryMark::new(0), block).into());
/// let _keeper = Keeper::start(Arc::clone(&numbers), Duration::from_millis(25))?;
/// assert_eq!(numbers.draw()?, 1);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Keeper {
    /// Nothing is ever sent: the thread ends when this is dropped.
    stop: Option<mpsc::Sender<Infallible>>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    /// Keeps `kept` now, and once in each `period` from a thread of its own. `kept` is an
    /// [`Arc`](alloc::sync::Arc), or a reference to a `static`.
    ///
    /// For a clock with a window a tenth of that is a good period: an extension then has four of them before the bound
    /// is reached. A period of zero keeps one processor busy.
    ///
    /// # Errors
    ///
    /// [`io::Error`] where the system gives no thread.
    ///
    /// That an upkeep fails is no error here: it shows in the snapshot of what is kept.
    pub fn start<K>(kept: K, period: Duration) -> io::Result<Self>
    where
        K: Deref<Target: Kept> + Send + 'static,
    {
        kept.keep();
        let (stop, stopped) = mpsc::channel();
        let thread = thread::Builder::new().name("keeper".into()).spawn(move || {
            while stopped.recv_timeout(period) == Err(RecvTimeoutError::Timeout) {
                kept.keep();
            }
        })?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // An error says that the source or the mark panicked; the bound was not moved then.
            let _ = thread.join();
        }
    }
}

//! `Keeper`: the thread that keeps the bound of an `AtomicDurableClock` ahead.

use core::{convert::Infallible, ops::Deref, time::Duration};
use std::{
    io,
    sync::mpsc::{self, RecvTimeoutError},
    thread::{self, JoinHandle},
};

use high_water::Mark;

use crate::{AtomicDurableClock, Source, layout::Layout};

/// Calls [`upkeep`](AtomicDurableClock::upkeep) of a clock once in a period, from a thread of its own.
///
/// Dropping it stops the thread and waits for it. The clock then issues up to its bound, and refuses beyond: what
/// stops is seen, and nothing is issued twice. What an upkeep fails of shows in the clock's
/// [`snapshot`](AtomicDurableClock::snapshot); it is tried again in the next period.
///
/// # What can go wrong
///
/// - **The system does not run the thread, or the disk is slow**: the clock refuses at its bound until it does.
/// - **A raise ends indeterminate**: the mark is poisoned, and the clock refuses for good. Open the mark again.
///
/// ```
/// use std::{sync::Arc, time::Duration};
/// use high_water::MemoryMark;
/// use hlc::{AtomicDurableClock, Keeper, source::SystemSource};
///
/// let clock = Arc::new(AtomicDurableClock::new(SystemSource::new(), MemoryMark::new(0)));
/// let _keeper = Keeper::start(Arc::clone(&clock), Duration::from_millis(25))?;
/// assert!(clock.tick()? <= clock.snapshot().bound().ok_or("nothing is durable")?);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Keeper {
    /// Nothing is ever sent: the thread ends when this is dropped.
    stop: Option<mpsc::Sender<Infallible>>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    /// Keeps the bound of `clock` now, and once in each `period` from a thread of its own. `clock` is an
    /// [`Arc`](alloc::sync::Arc), or a reference to a `static`.
    ///
    /// A tenth of the clock's window is a good period: an extension then has four of them before the bound is reached.
    /// A period of zero keeps one processor busy.
    ///
    /// # Errors
    ///
    /// [`io::Error`] where the system gives no thread.
    ///
    /// That an upkeep fails is no error here: it shows in the snapshot of the clock.
    pub fn start<C, S, M, L>(clock: C, period: Duration) -> io::Result<Self>
    where
        C: Deref<Target = AtomicDurableClock<S, M, L>> + Send + 'static,
        S: Source,
        M: Mark,
        L: Layout,
    {
        keep(&clock);
        let (stop, stopped) = mpsc::channel();
        let thread = thread::Builder::new().name("hlc-keeper".into()).spawn(move || {
            while stopped.recv_timeout(period) == Err(RecvTimeoutError::Timeout) {
                keep(&clock);
            }
        })?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

fn keep<S: Source, M: Mark, L: Layout>(clock: &AtomicDurableClock<S, M, L>) {
    // What comes of it is in the clock's bound, an error in its counts.
    let _ = clock.upkeep();
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

//! `Ticker`: the thread that keeps a [`CachedSource`] fresh.

use core::{convert::Infallible, ops::Deref, time::Duration};
use std::{
    io,
    sync::mpsc::{self, RecvTimeoutError},
    thread::{self, JoinHandle},
};

use super::{CachedSource, Source};

/// Refreshes a [`CachedSource`] once in a period, from a thread of its own.
///
/// Dropping it stops the thread, waits for it, and clears the cache: from then on readings are errors, for a
/// clock that stands still unnoticed would be worse. A source that panics ends the thread in the same way
/// (in the first refresh, which the caller makes, it panics in the caller). A source that fails is asked again in
/// the next period.
///
/// # What can go wrong
///
/// - **The system does not run the thread**: readings are older than a period, and nothing shows it.
/// - **The source takes long**: so does dropping the ticker.
///
/// ```
/// use std::{sync::Arc, time::Duration};
/// use hlc::{AtomicClock, Source, source::{CachedSource, SystemSource, Ticker}};
///
/// let time = Arc::new(CachedSource::new());
/// let ticker = Ticker::start(Arc::clone(&time), SystemSource::new(), Duration::from_millis(1))?;
/// let clock = AtomicClock::new(Arc::clone(&time));
/// let before = clock.tick()?;
/// assert!(clock.tick()? > before);
/// drop(ticker);
/// assert!(clock.tick().is_err(), "a stopped clock is not read as if it ran");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Ticker {
    /// Nothing is ever sent: the thread ends when this is dropped.
    stop: Option<mpsc::Sender<Infallible>>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    /// Refreshes `cache` from `source` now, and once in each `period` from a thread of its own. `cache` is an
    /// [`Arc`](alloc::sync::Arc), or a reference to a `static`.
    ///
    /// A period of zero keeps one processor busy.
    ///
    /// # Errors
    ///
    /// [`io::Error`] where the system gives no thread. The cache is then cleared.
    ///
    /// That the source fails is no error here: it shows in the cache.
    pub fn start<C, S>(cache: C, source: S, period: Duration) -> io::Result<Self>
    where
        C: Deref<Target = CachedSource> + Send + 'static,
        S: Source + Send + 'static,
    {
        let cache = ClearOnDrop { cache };
        refresh(&cache.cache, &source);
        let (stop, stopped) = mpsc::channel();
        let thread = thread::Builder::new().name("hlc-ticker".into()).spawn(move || {
            let cache = cache;
            while stopped.recv_timeout(period) == Err(RecvTimeoutError::Timeout) {
                refresh(&cache.cache, &source);
            }
        })?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

fn refresh(cache: &CachedSource, source: &impl Source) {
    // What comes of it is in the cache, an error with its count.
    let _ = cache.refresh(source);
}

impl Drop for Ticker {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // An error says that the source panicked; the cache was cleared then.
            let _ = thread.join();
        }
    }
}

/// Clears the cache however the thread ends.
struct ClearOnDrop<C: Deref<Target = CachedSource>> {
    cache: C,
}

impl<C: Deref<Target = CachedSource>> Drop for ClearOnDrop<C> {
    fn drop(&mut self) {
        self.cache.clear();
    }
}

//! `Witness`: reads the record again and again, past the proxies.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use std::thread::{self, JoinHandle};

use epoch_fence::engine::Engine as _;

use crate::evidence::Sample;
use crate::store::Store;
use crate::{Failure, cast};

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(10);

/// A thread that reads the record until it is told to end.
#[derive(Debug)]
pub(crate) struct Witness {
    ends: Arc<AtomicBool>,
    thread: JoinHandle<Vec<Sample>>,
}

impl Witness {
    pub(crate) fn start(store: Store) -> Self {
        let ends = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&ends);
        let thread = thread::spawn(move || {
            let mut samples: Vec<Sample> = Vec::new();
            while !told.load(Ordering::Relaxed) {
                // A server that is away tells nothing, and that is no evidence.
                if let Ok(view) = store.load(&cast::resource()) {
                    let sample = Sample::from(&view);
                    if samples.last() != Some(&sample) {
                        samples.push(sample);
                    }
                }
                thread::sleep(PAUSE);
            }
            samples
        });
        Self { ends, thread }
    }

    /// Returns what it saw.
    pub(crate) fn end(self) -> Result<Vec<Sample>, Failure> {
        self.ends.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| "the witness did not end well".into())
    }
}

//! How one who waits for a drain learns that it is worth asking again.

use std::time::Instant;

use crate::sync::{Condvar, Mutex};

/// A count of moments at which the gate's answer may have changed, and a place to wait for the next.
///
/// Nobody asks the gate while holding the lock, so that it is held for a few instructions only. No moment is
/// missed: one who waits has read the count *before* it asked.
#[derive(Debug)]
pub(super) struct Wakeups {
    count: Mutex<u64>,
    changed: Condvar,
}

impl Wakeups {
    crate::sync::const_fn! {
        pub(super) const fn new() -> Self {
            Self { count: Mutex::new(0), changed: Condvar::new() }
        }
    }

    pub(super) fn count(&self) -> u64 {
        *self.count.lock()
    }

    #[cold]
    pub(super) fn wake(&self) {
        {
            let mut count = self.count.lock();
            *count = count.wrapping_add(1);
        }
        self.changed.notify_all();
    }

    /// Waits until the count is another than `seen`. Returns whether it is, or else the deadline has passed.
    pub(super) fn wait(&self, seen: u64, deadline: Instant) -> bool {
        let mut count = self.count.lock();
        // Ends: at the deadline at the latest.
        while *count == seen {
            if self.changed.wait_until(&mut count, deadline).timed_out() {
                return *count != seen;
            }
        }
        true
    }
}

//! `Renewer`: renews a lease in a thread of its own, because the store may be slow and the deadline is not.

use alloc::sync::Arc;
use core::time::Duration;
use std::io::{self, PipeReader, PipeWriter, Read as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, PoisonError};

use epoch_fence::NotChanged;
use epoch_fence::protocol::Ttl;

use super::plan::Belief;
use crate::exit::say;
use crate::run::Lease;

/// How long a renewal that is under way is waited for, when everything else is over.
const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) struct Renewer {
    stop: Sender<()>,
    stopped: Receiver<Lease>,
    believed: Believed,
}

/// What the renewer knows, and a descriptor that can be read when it knows something new.
pub(crate) struct Believed {
    belief: Arc<Mutex<Belief>>,
    news: PipeReader,
}

impl Believed {
    pub(super) fn get(&self) -> Belief {
        // Whoever panicked with it left one that was believed.
        *self.belief.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the news. Only when there are some: else it would wait for them.
    pub(super) fn heard(&self) {
        let _taken = (&self.news).read(&mut [0; 64]);
    }
}

impl AsFd for Believed {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.news.as_fd()
    }
}

impl Renewer {
    pub(crate) fn start(lease: Lease, ttl: Ttl) -> io::Result<Self> {
        let (news, tell) = io::pipe()?;
        let belief = Arc::new(Mutex::new(Belief::Until(lease.deadline())));
        let (stop, asked) = channel();
        let (done, stopped) = channel();
        let shared = Arc::clone(&belief);
        std::thread::Builder::new().name("renewer".into()).spawn(move || {
            let lease = renew(lease, ttl, &asked, &shared, tell);
            let _nobody_waits = done.send(lease);
        })?;
        Ok(Self { stop, stopped, believed: Believed { belief, news } })
    }

    pub(crate) const fn believed(&self) -> &Believed {
        &self.believed
    }

    /// Renews no more, and gives the lease back; `None` where the store keeps a renewal waiting.
    pub(crate) fn stop(self) -> Option<Lease> {
        let _gone = self.stop.send(());
        self.stopped.recv_timeout(PATIENCE).ok()
    }
}

fn renew(
    mut lease: Lease,
    ttl: Ttl,
    asked: &Receiver<()>,
    belief: &Mutex<Belief>,
    mut tell: PipeWriter,
) -> Lease {
    let share = |parts| ttl.get().checked_div(parts).unwrap_or_default();
    let (usual, after_failure) = (share(3), share(12));
    let (mut wait, mut failed) = (usual, false);
    loop {
        match asked.recv_timeout(wait) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(RecvTimeoutError::Disconnected) => return lease,
        }
        let renewed = lease.renew();
        let lost = matches!(renewed, Err(NotChanged::Lost));
        let next = if lost { Belief::Lost } else { Belief::Until(lease.deadline()) };
        *belief.lock().unwrap_or_else(PoisonError::into_inner) = next;
        let _heard = tell.write(&[0]);
        wait = match renewed {
            Ok(_) => usual,
            Err(_) if lost => return lease,
            Err(why) => {
                if !failed {
                    say(format!("the lease was not renewed, trying on: {why}"));
                }
                after_failure
            }
        };
        failed = wait == after_failure;
    }
}

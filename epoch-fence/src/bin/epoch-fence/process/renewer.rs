//! `Renewer`: renews a lease in a thread of its own, because the store may be slow and the deadline is not.

use alloc::sync::Arc;
use core::fmt::Display;
use core::time::Duration;
use std::io::{self, PipeReader, PipeWriter, Read as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, PoisonError};

use epoch_fence::engine::Engine;
use epoch_fence::protocol::Ttl;
use epoch_fence::{BootClock, NotChanged};

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
            let lease = renew(lease, ttl.get(), &asked, &shared, tell, say);
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

fn renew<'i, E: Engine<Error: Display>, C: BootClock>(
    mut lease: epoch_fence::Lease<'i, E, C>,
    ttl: Duration,
    asked: &Receiver<()>,
    belief: &Mutex<Belief>,
    mut tell: PipeWriter,
    say: impl Fn(String),
) -> epoch_fence::Lease<'i, E, C> {
    let share = |parts| ttl.checked_div(parts).unwrap_or_default();
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

#[cfg(test)]
mod tests {
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

    use super::*;

    #[test]
    fn news_that_were_heard_are_none_any_more() {
        let (news, mut tell) = io::pipe().unwrap();
        let believed = Believed { belief: Arc::new(Mutex::new(Belief::Lost)), news };
        let is_news = || poll(&mut [PollFd::new(believed.as_fd(), PollFlags::POLLIN)], PollTimeout::ZERO);
        assert_eq!(is_news(), Ok(0));
        // Several are one, for who did not listen.
        assert_eq!(tell.write(&[0; 2]).unwrap(), 2);
        assert_eq!(is_news(), Ok(1));
        believed.heard();
        assert_eq!(is_news(), Ok(0), "whoever listens would never sleep again");
    }

    #[cfg(feature = "test-engine")]
    #[test]
    fn renewals_that_fail_in_a_row_are_told_once() {
        use epoch_fence::engine::memory::{Fault, Memory};
        use epoch_fence::protocol::Claim;
        use epoch_fence::{HolderId, Issuer, RealmId, ResourceId, Wait};

        let memory = Memory::new(RealmId::random().unwrap());
        let issuer = Issuer::new(&memory, &memory);
        let claim = Claim::new(ResourceId::of("", "r"), HolderId::try_new("me").unwrap(), Ttl::MIN);
        let lease = issuer.acquire(&claim, Wait::AtOnce).unwrap();
        // Two rows, and one renewal at least in between. The clock of the store stands still: no lease ends.
        let row = [Fault::Refused; 12];
        memory.script(row.into_iter().chain([Fault::None; 2]).chain(row));
        let (stop, asked) = channel();
        let said = Mutex::new(Vec::new());
        let say = |what| said.lock().unwrap().push(what);
        let (_news, tell) = io::pipe().unwrap();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                let belief = Mutex::new(Belief::Lost);
                // As of a much shorter time to live, to have it done soon.
                let lease = renew(lease, Duration::from_millis(24), &asked, &belief, tell, say);
                assert_eq!(*belief.lock().unwrap(), Belief::Until(lease.deadline()));
            });
            // One to acquire, two in between at most, and one behind the second row.
            for _ in 0..60_000 {
                if memory.swaps() > 3 {
                    break;
                }
                std::thread::sleep(Duration::from_millis(1));
            }
            stop.send(()).unwrap();
        });
        let told = "the lease was not renewed, trying on: nothing was written: scripted fault: Refused";
        assert_eq!(said.into_inner().unwrap(), [told; 2]);
    }
}

//! `Havoc`: what happens to the servers and on the way to them, in a thread of its own: a server takes its time to begin
//! again, and meanwhile the parent has to hear the holders.

use core::ops::Range;
use core::time::Duration;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};

use clock_testing::proxy::{Counts, Plan, Proxy};
use epoch_fence::BootClock as _;
use epoch_fence::engine::file::SystemHost;
use fastrand::Rng;

use crate::Failure;
use crate::servers::Servers;
use crate::sightings::Fault;

/// In every write of an acquire there is its holder, whose name begins so; in no read, and in no request for a lease of
/// etcd, without which no write is tried.
const ACQUIRES: &[u8] = b"holder ";

/// For how long it is waited for an acquire.
const TO_COME: Duration = Duration::from_millis(1_500);

/// Something that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    Fault(Fault),
    /// From when until when the store could not write anything, in time since boot.
    Outage(Duration, Duration),
}

/// The thread, until it is told to leave everything well.
#[derive(Debug)]
pub(crate) struct Havoc {
    words: Receiver<Word>,
    /// Its end calms.
    on: Option<Sender<()>>,
    thread: Option<JoinHandle<Servers>>,
    /// What is left when it has ended.
    left: Option<Servers>,
}

impl Havoc {
    /// Lets them be disturbed, or only kept.
    pub(crate) fn start(servers: Servers, disturb: bool, random: Rng) -> Result<Self, Failure> {
        let (to, words) = mpsc::channel();
        let (on, off) = mpsc::channel();
        let clock = SystemHost::new()?;
        let mut storm = Storm { servers, random, clock, to, off };
        let thread = thread::spawn(move || {
            if disturb {
                storm.blow();
            } else {
                while storm.off.recv().is_ok() {}
            }
            storm.servers
        });
        Ok(Self { words, on: Some(on), thread: Some(thread), left: None })
    }

    /// Lets it end with what it is at.
    pub(crate) fn calm(&mut self) {
        self.on = None;
    }

    /// Whether it has ended, and left everything well.
    pub(crate) fn is_calm(&self) -> bool {
        self.left.is_some()
    }

    /// What happened since the last look.
    pub(crate) fn words(&mut self) -> Result<Vec<Word>, Failure> {
        let ended = self.thread.as_ref().is_some_and(JoinHandle::is_finished);
        let mut words = Vec::new();
        while let Ok(word) = self.words.try_recv() {
            words.push(word);
        }
        if ended && let Some(thread) = self.thread.take() {
            self.left = Some(thread.join().map_err(|_| "a server could not be disturbed, or not calmed")?);
            if self.on.is_some() {
                return Err("the servers were left alone too early".into());
            }
        }
        Ok(words)
    }
}

struct Storm {
    servers: Servers,
    random: Rng,
    clock: SystemHost,
    to: Sender<Word>,
    off: Receiver<()>,
}

impl Storm {
    /// All faults, in one order after another, until it is told to end.
    fn blow(&mut self) {
        let mut faults = Vec::new();
        loop {
            if faults.is_empty() {
                faults = Fault::of_servers(self.servers.kind()).to_vec();
                self.random.shuffle(&mut faults);
            }
            let gap = self.millis(500..1_500);
            if !matches!(self.off.recv_timeout(gap), Err(RecvTimeoutError::Timeout)) {
                return;
            }
            if let Some(fault) = faults.pop()
                && self.disturb(fault)
            {
                self.say(Word::Fault(fault));
            }
        }
    }

    fn say(&self, word: Word) {
        // Nobody hears it when the run has failed.
        let _heard = self.to.send(word);
    }

    fn millis(&mut self, range: Range<u64>) -> Duration {
        Duration::from_millis(self.random.u64(range))
    }

    fn pause(&mut self, range: Range<u64>) {
        let pause = self.millis(range);
        thread::sleep(pause);
    }

    fn now(&self) -> Duration {
        self.clock.now().since_start()
    }

    /// Does it, and takes it back. Whether anything happened.
    fn disturb(&mut self, fault: Fault) -> bool {
        let some = self.random.usize(..);
        match fault {
            Fault::ServerPaused => {
                self.servers.pause(0);
                self.outage(100..1_500);
                self.servers.resume(0);
            }
            Fault::ServerKilled => {
                self.servers.kill(0);
                self.outage(0..400);
                self.servers.restart(0);
            }
            Fault::MemberPaused => {
                self.servers.pause(some);
                self.pause(300..2_500);
                self.servers.resume(some);
            }
            Fault::MemberKilled => {
                self.servers.kill(some);
                self.pause(0..1_500);
                self.servers.restart(some);
            }
            Fault::QuorumLost => {
                self.servers.pause(some);
                self.servers.kill(some.wrapping_add(1));
                self.outage(1_000..2_500);
                self.servers.launch(some.wrapping_add(1));
                self.servers.resume(some);
                self.servers.settle(some.wrapping_add(1));
            }
            Fault::ConnectionsCut => {
                for _ in 0..self.random.u32(1..5) {
                    self.each(Proxy::cut);
                    self.pause(5..120);
                }
            }
            Fault::ConnectionsRefused => {
                self.set(Plan::Refuse);
                self.each(Proxy::cut);
                self.pause(50..900);
                self.set(Plan::Pass);
            }
            Fault::MessagesDelayed => {
                let (requests, replies) = (self.millis(0..120), self.millis(0..120));
                self.set(Plan::Delay { requests, replies });
                self.pause(500..1_500);
                self.set(Plan::Pass);
            }
            Fault::RequestsDropped => {
                let worked = self.work(Plan::DropRequests, 30..400, |counts| counts.requests_dropped);
                // Long enough for whoever lost its request to find out, before others are first.
                self.pause(300..900);
                self.set(Plan::Pass);
                return worked;
            }
            Fault::RequestsDeliveredLate => return self.deliver_late(),
            Fault::RepliesDropped => {
                let worked = self.work(Plan::DropReplies, 50..500, |counts| counts.replies_dropped);
                self.pause(100..250);
                self.set(Plan::Pass);
                return worked;
            }
            Fault::HolderPaused
            | Fault::HolderPausedPastItsLease
            | Fault::HolderKilled
            | Fault::HolderStoppedInSwap
            | Fault::HolderKilledInSwap
            | Fault::HolderPausedInEffect
            | Fault::HolderKilledInEffect
            | Fault::WallClockStepped
            | Fault::ResourcePaused
            | Fault::ResourceKilled => return false,
        }
        true
    }

    /// Keeps requests back, lets their clients go, and others overtake them; then delivers them.
    fn deliver_late(&mut self) -> bool {
        let before = self.count(|counts| counts.delivered_late);
        self.work(Plan::HoldRequests, 20..200, |counts| counts.requests_held);
        self.pause(0..50);
        self.each(Proxy::cut);
        self.set(Plan::Pass);
        self.pause(0..1_500);
        self.each(Proxy::release);
        self.pause(100..200);
        self.count(|counts| counts.delivered_late) > before
    }

    /// Lets a plan work on everything for a while, or on the next acquire that comes. Whether it worked.
    fn work(&mut self, plan: Plan, range: Range<u64>, done: fn(&Counts) -> u64) -> bool {
        let before = self.count(done);
        if self.random.u32(0..3) == 0 {
            self.each(|proxy| proxy.set(plan));
            self.pause(range);
        } else {
            self.each(|proxy| proxy.set_for(plan, ACQUIRES));
            let end = self.now().saturating_add(TO_COME);
            while self.now() < end && self.count(done) == before {
                self.pause(5..10);
            }
        }
        self.count(done) > before
    }

    fn count(&self, of: fn(&Counts) -> u64) -> u64 {
        self.servers.proxies().iter().map(|proxy| of(&proxy.counts())).fold(0, u64::saturating_add)
    }

    fn outage(&mut self, range: Range<u64>) {
        let from = self.now();
        self.pause(range);
        let to = self.now();
        self.say(Word::Outage(from, to));
    }

    fn each(&self, act: impl Fn(&Proxy)) {
        self.servers.proxies().iter().for_each(act);
    }

    fn set(&self, plan: Plan) {
        self.each(|proxy| proxy.set(plan));
    }
}

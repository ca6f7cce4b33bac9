//! A service with one clock for all its threads: it survives a restart, and no client can move it far.
//!
//! Requests carry the stamp of their client, answers the stamp of their receipt. The service is stopped as a crash would
//! stop it, without a word to its clock, and goes on an hour behind: its first stamp is above all that it gave out.
//!
//! Run: `cargo run -p hlc --features durable --example service`. `docs/hlc-in-a-service.md` walks through it.
#![expect(clippy::std_instead_of_alloc, reason = "a program with the standard library")]

use core::{error::Error, time::Duration};
use std::{env, fs, path::Path, sync::Arc, thread};

use high_water::{FileMark, Identity, Options};
use hlc::{
    AtomicDurableClock, Clock, Keeper, NodeId, ObserveError, PhysicalTime, Source, SourceError, Stamp,
    TickError, Timestamp, UpkeepError, source::SystemSource,
};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// How often the keeper looks: a tenth of the window.
const PERIOD: Duration = Duration::from_millis(25);
const CLIENTS: u64 = 4;
const REQUESTS: usize = 500;
/// How often a call goes back to the disk by itself before it gives up: a stalled keeper is outlived, a dead disk is not.
const ROUNDS: usize = 16;

/// The wall clock, and by how much it is set back: a service has `SystemSource` alone.
struct Wall {
    real: SystemSource,
    back: Duration,
}

impl Source for Wall {
    fn now(&self) -> Result<PhysicalTime, SourceError> {
        self.real.now()?.checked_sub(self.back).ok_or(SourceError::BeforeUnixEpoch)
    }
}

/// What every thread of the service has a reference to.
struct Service {
    clock: Arc<AtomicDurableClock<Wall, FileMark>>,
    node: NodeId,
    _keeper: Keeper,
}

impl Service {
    fn start(file: &Path, back: Duration, node: NodeId) -> Outcome<Self> {
        // The directory of an example may be in memory, which does not survive a power cut. A service's is not: there, a
        // file system that cannot keep a promise is refused, with its name.
        let options = Options::new(Identity::from_bytes(*b"example/service1"))
            .allow_volatile_file_system()
            .allow_unknown_file_system();
        let mark = options.open_or_create(file)?.into_mark();
        let clock = Arc::new(AtomicDurableClock::new(Wall { real: SystemSource::new(), back }, mark));
        // Once by hand, so that a disk that fails is an error of the start and not of the first request.
        clock.upkeep()?;
        let keeper = Keeper::start(Arc::clone(&clock), PERIOD)?;
        Ok(Self { clock, node, _keeper: keeper })
    }

    /// Answers a request: what it returns goes into the header of the answer.
    fn handle(&self, request: Stamp) -> Result<Stamp, ObserveError> {
        let mut received = self.clock.observe(request.timestamp());
        for _ in 0..ROUNDS {
            // The keeper was late. The thread may wait for the disk itself, or else answer "try again".
            match received {
                Err(ObserveError::Bound(_)) if self.raise_bound().is_ok() => {
                    received = self.clock.observe(request.timestamp());
                }
                _ => break,
            }
        }
        Ok(received?.at_node(self.node))
    }

    /// Stamps something that nobody asked for: a job, a line of the log.
    fn stamp(&self) -> Result<Stamp, TickError> {
        let mut stamp = self.clock.tick();
        for _ in 0..ROUNDS {
            match stamp {
                Err(TickError::Bound(_)) if self.raise_bound().is_ok() => stamp = self.clock.tick(),
                _ => break,
            }
        }
        Ok(stamp?.at_node(self.node))
    }

    fn raise_bound(&self) -> Result<bool, UpkeepError> {
        self.clock.upkeep()
    }
}

/// Sends requests, and returns every stamp of both sides.
fn client(service: &Service, node: NodeId) -> Outcome<Vec<Stamp>> {
    let mut clock = Clock::new(SystemSource::new());
    let mut seen = Vec::new();
    for _ in 0..REQUESTS {
        let asked = clock.tick()?.at_node(node);
        let answered = service.handle(asked)?;
        assert!(answered > asked, "causal: {answered} answers {asked}");
        seen.extend([asked, answered]);
        clock.observe(answered.timestamp())?;
    }
    Ok(seen)
}

fn serve(file: &Path) -> Outcome<()> {
    let service = Service::start(file, Duration::ZERO, NodeId::new(1)?)?;
    let mut seen = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let service = &service;
                scope.spawn(move || client(service, NodeId::new(number | 0x100)?))
            })
            .collect();
        let mut seen = Vec::new();
        for client in clients {
            seen.extend(client.join().map_err(|_| "a client panicked")??);
        }
        Outcome::Ok(seen)
    })?;
    let count = seen.len();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), count, "unique, over all threads and clients");

    // A client that lives in the year 2500, or says so.
    let before = service.clock.last();
    let forged = Timestamp::from_parts(16_725_225_600_000, 0)?.at_node(NodeId::new(0x666)?);
    let refused = service.handle(forged);
    assert!(matches!(refused, Err(ObserveError::Skew(_))), "{refused:?}");
    assert_eq!(service.clock.last(), before, "a refused stamp moves nothing");
    assert_eq!(service.clock.snapshot().clock().skew_refusals(), 1, "and is counted");

    // Dropped as a crash leaves it; the machine comes back with its clock an hour behind.
    let last = service.stamp()?.max(seen.pop().ok_or("no stamps")?);
    drop(service);
    let service = Service::start(file, Duration::from_secs(3_600), NodeId::new(1)?)?;
    let first = service.stamp()?;
    assert!(first > last, "restart-safe: {first} comes after {last}");
    let lead = service.clock.snapshot().clock().lead().ok_or("no time")?;
    assert!(lead > Duration::from_secs(3_000), "and says how far its wall clock is behind: {lead:?}");
    Ok(())
}

fn main() -> Outcome<()> {
    let folder = env::temp_dir().join(format!("hlc-example-service-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let outcome = serve(&folder.join("clock"));
    fs::remove_dir_all(&folder)?;
    outcome
}

#[cfg(test)]
mod tests {
    #[test]
    fn answers_follow_their_requests_and_no_restart_repeats_a_stamp() {
        super::main().unwrap();
    }
}

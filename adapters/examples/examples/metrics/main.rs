//! What the crates count, through the `metrics` crate, under the names of `docs/metrics.md`.
//!
//! `cargo run -p clock-examples --example metrics` prints them as Prometheus reads them.
#![expect(
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    reason = "a program, written as its readers write theirs"
)]

mod board;
mod export;
#[cfg(test)]
mod listed;

use std::{error::Error, io::Write as _};

use board::Board;
use epoch_fence::{Epoch, FencingToken, Gate, GrantId, RealmId, ResourceId};
use export::Export;
use hlc::{AtomicClock, Timestamp, source::SystemSource};
use vector_clock::{Heap, SharedVectorClock};

/// A node of some service: what it keeps, and how it looks at all of it.
struct Node {
    clock: AtomicClock<SystemSource>,
    known: SharedVectorClock<u32, Heap>,
    ledger: Gate,
}

impl Node {
    /// Called before each scrape, or every ten seconds.
    fn export(&self) {
        Export("messages").hlc(&self.clock.snapshot());
        Export("documents").vector_clock(&self.known.snapshot());
        Export("ledger").gate(&self.ledger.snapshot());
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let board: &'static Board = Box::leak(Box::default());
    metrics::set_global_recorder(board).map_err(|_| "there is a recorder already")?;

    let realm = RealmId::from_random_bits(1).ok_or("zero")?;
    let ledger = ResourceId::of("billing", "ledger");
    let node = Node {
        clock: AtomicClock::new(SystemSource::new()),
        known: SharedVectorClock::new(1),
        ledger: Gate::new(realm, ledger, Epoch::FIRST),
    };

    // A day of a service, shortened: an event, a message from a peer in the year 10889, a holder that woke up late.
    node.clock.tick()?;
    node.known.tick()?;
    let forged = node.clock.observe(Timestamp::MAX);
    let grant = |bits| GrantId::from_random_bits(bits).ok_or("zero");
    let [old, new] = [1_u64, 2].map(|epoch| Epoch::new(epoch).unwrap_or(Epoch::FIRST));
    drop(node.ledger.enter(&FencingToken::new(realm, ledger, new, grant(2)?))?);
    let late = node.ledger.enter(&FencingToken::new(realm, ledger, old, grant(1)?));
    assert!(forged.is_err() && late.is_err(), "refused, and counted");

    node.export();
    write!(std::io::stdout().lock(), "{board}")?;
    Ok(())
}

//! `Diary`: what a replica writes down of itself, stamped by a vector clock of its own.
//!
//! A replica's clock counts the writes that it sends. This one counts everything that happens to it, receipts and
//! readings too, so that the run can be drawn. It travels with the messages, and nothing acts on it.

use core::fmt::Write as _;

use hlc::{Source as _, source::SystemSource};
use vector_clock::{Heap, Stamp, VectorClock};

use super::cast::{Entry, Page};
use crate::failure::Failure;

pub(crate) struct Diary {
    clock: VectorClock<u32, Heap>,
}

impl Diary {
    pub(crate) const fn new(replica: u32) -> Self {
        Self { clock: VectorClock::new(replica) }
    }

    /// Writes down what the replica did by itself.
    pub(crate) fn note(&mut self, what: String) -> Result<(Stamp<u32, Heap>, Page), Failure> {
        let stamp = self.clock.tick().map_err(Failure::clock)?;
        let page = page(&stamp, what)?;
        Ok((stamp, page))
    }

    /// Writes down what came of a message.
    pub(crate) fn received(&mut self, sent: &Stamp<u32, Heap>, what: String) -> Result<Page, Failure> {
        let stamp = self.clock.observe(sent).map_err(Failure::clock)?;
        page(&stamp, what)
    }
}

fn page(stamp: &Stamp<u32, Heap>, what: String) -> Result<Page, Failure> {
    let wall = SystemSource::new().now().map_err(Failure::clock)?;
    Ok(Page { stamp: stamp.to_bytes(), wall_nanos: wall.to_nanos().unwrap_or(u64::MAX), what })
}

/// What came of a message, in words.
pub(crate) fn told(entries: &[Entry]) -> String {
    let mut words = String::new();
    for entry in entries {
        if !words.is_empty() {
            words.push_str(", ");
        }
        // Writing to a string does not fail.
        let _ = match entry {
            Entry::Applied { write, .. } => write!(words, "applies #{write}"),
            Entry::Waits { write, .. } => write!(words, "#{write} has to wait"),
            Entry::Dropped { write } => write!(words, "drops a copy of #{write}"),
            Entry::Refused { write, .. } => write!(words, "refuses #{write}"),
            Entry::Read { values } => write!(words, "{}", shown(values)),
        };
    }
    words
}

/// What a client read, in words.
pub(crate) fn shown(values: &[u32]) -> String {
    let mut values = values.to_vec();
    values.sort_unstable();
    let names: Vec<String> = values.iter().map(|write| format!("#{write}")).collect();
    if names.is_empty() { "shows nothing".into() } else { format!("shows {}", names.join(", ")) }
}

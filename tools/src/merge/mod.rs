//! Stamped logs of many hosts, merged into one order in which causes go before their effects.
//!
//! ```
//! use clock_tools::{Input, merge::{Merge, Site, Unwatched}};
//!
//! let mut merge = Merge::new(Site::start());
//! merge.add(Input::over("alice", &b"018bcfe568000000 sends\n018bcfe568030000 goes on\n"[..])?);
//! merge.add(Input::over("bob", &b"018bcfe568010000 receives\n  and says how\n"[..])?);
//! let mut merged = Vec::new();
//! merge.run(&mut merged, &mut Unwatched)?;
//! let order = "\
//! 018bcfe568000000 sends
//! 018bcfe568010000 receives
//!   and says how
//! 018bcfe568030000 goes on
//! ";
//! assert_eq!(String::from_utf8(merged)?, order);
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! # Guarantees
//!
//! - **Causal**: where each log rises, as one of a hybrid logical clock does, all lines come in the order of their stamps,
//!   and so no effect before its cause. Of equal stamps the input that was added first goes first.
//! - **Whole**: every byte of every log comes out, in the order of its log. Only a last line without an end gets one.
//! - **Bounded**: memory is 16 MiB, or 32 KiB for each input where there are more than 512, whatever is in them: a line may
//!   have any length. Its stamp is looked for in its first [`Site::HEAD`] bytes.
//!
//! # What can go wrong
//!
//! **Lines have no stamp**, as those of a stack trace: they stay with the line before them. Those before the first stamp of
//! a log go to the front of the output.
//!
//! **A stamp goes back** behind that of the line before it in its log. Two clocks wrote one log, or the log was put together
//! of pieces. The line follows the one before it at once, and the log goes on from the lesser stamp: the lines of a log
//! never change their order, and those of the others are where they belong. It is told as a [`Finding`].
//!
//! **A stamp is far too great.** Its log waits there until the others are at their ends, and the lines after it come last;
//! the one that follows it goes back.
//!
//! **A log cannot be read on**: its disk fails, or its gzip was cut. It ends there, the others go on.

mod finding;
mod host;
mod key;
mod site;
#[cfg(test)]
mod tests;

use alloc::collections::{BinaryHeap, binary_heap::PeekMut};
use alloc::vec::Vec;
use core::cmp::Reverse;
use std::io::{self, Write};

pub use self::finding::{Finding, GoesBack, LogSummary, Unstamped};
use self::host::Host;
pub use self::site::{BadPattern, Site};
use crate::Input;

/// For the buffers of all logs together. More make no difference: a read of a quarter of a MiB costs no more than its copy.
const ROOM: usize = 16 * 1024 * 1024;
/// For the buffer of one.
const ROOM_OF_ONE: usize = 256 * 1024;

/// Looks on while logs are merged.
pub trait Watch {
    /// Something was found in a log.
    fn found(&mut self, finding: Finding);

    /// So many bytes more were taken from an input: of a gzip, its own.
    fn read(&mut self, bytes: u64);
}

/// Looks at nothing. What was found is in the summaries.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "a name for nothing")]
pub struct Unwatched;

impl Watch for Unwatched {
    fn found(&mut self, _: Finding) {}

    fn read(&mut self, _: u64) {}
}

/// Logs to be merged: each that of one host, in the order in which it was written.
#[derive(Debug)]
pub struct Merge {
    site: Site,
    inputs: Vec<Input>,
}

impl Merge {
    /// Merges nothing yet; in each line of what is added the stamp stands there.
    #[must_use]
    pub const fn new(site: Site) -> Self {
        Self { site, inputs: Vec::new() }
    }

    /// Adds a log.
    pub fn add(&mut self, input: Input) {
        self.inputs.push(input);
    }

    /// Merges them, and says what was in each, in the order in which they were added.
    ///
    /// Small writes are many: `out` had better be buffered.
    ///
    /// # Errors
    ///
    /// That of `out`. What cannot be read is a [`Finding`], and no error.
    pub fn run(self, out: &mut impl Write, watch: &mut impl Watch) -> io::Result<Vec<LogSummary>> {
        let room = ROOM.checked_div(self.inputs.len()).unwrap_or(ROOM_OF_ONE).min(ROOM_OF_ONE);
        let hosts = self.inputs.into_iter().map(|input| Host::new(input, &self.site, room));
        let mut hosts: Vec<Host> = hosts.collect();

        let mut next = BinaryHeap::with_capacity(hosts.len());
        for (index, host) in hosts.iter_mut().enumerate() {
            if let Some(key) = host.begin(out, watch)? {
                next.push(Reverse((key, index)));
            }
            // Lines before the first stamp go first.
            host.flush(out)?;
        }
        let mut open = None;
        while let Some(mut least) = next.peek_mut() {
            let Reverse((_, index)) = *least;
            if let Some(other) = open.replace(index).filter(|other| *other != index)
                && let Some(other) = hosts.get_mut(other)
            {
                other.flush(out)?;
            }
            // Every index in the heap is one of them.
            let Some(host) = hosts.get_mut(index) else { break };
            match host.advance(out, watch)? {
                Some(key) => *least = Reverse((key, index)),
                None => {
                    PeekMut::pop(least);
                }
            }
        }
        out.flush()?;
        Ok(hosts.into_iter().map(Host::into_summary).collect())
    }
}

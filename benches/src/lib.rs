//! What the benchmarks share: inputs that are the same in every run.
//!
//! A figure is a ratio of two rows of one group in one run: ours beside a peer's, or beside the floor, which
//! is the least that any implementation must do. Absolute times are of one machine and one day.

pub mod hot;
pub mod memory;
pub mod vectors;

use hlc::{NodeId, Stamp, Timestamp};

/// Numbers that look random and are the same in every run (a 64-bit LCG, Knuth's constants).
#[derive(Clone, Debug)]
pub struct Numbers {
    state: u64,
}

impl Numbers {
    /// Starts the sequence.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { state: seed }
    }
}

impl Iterator for Numbers {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        self.state =
            self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // The high bits of an LCG are its good ones.
        Some(self.state ^ (self.state >> 33))
    }
}

/// Timestamps of one busy minute in 2026, in no order, some of them equal.
#[must_use]
pub fn timestamps(count: usize) -> Vec<Timestamp> {
    const MINUTE: u64 = 1_790_000_000_000;
    Numbers::new(1)
        .take(count)
        .filter_map(|number| {
            let counter = u32::try_from(number & 0xf).ok()?;
            Timestamp::from_parts(MINUTE.wrapping_add((number >> 8) % 60_000), counter).ok()
        })
        .collect()
}

/// The same timestamps, each with one of a hundred nodes.
#[must_use]
pub fn stamps(count: usize) -> Vec<Stamp> {
    timestamps(count)
        .into_iter()
        .zip(Numbers::new(2))
        .map(|(timestamp, number)| timestamp.at_node(NodeId::from_random_bits(number % 100)))
        .collect()
}

/// The examples of the workspace's own README, run as tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
mod readme {}

//! One binary: every test here uses public names only.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::std_instead_of_core,
    clippy::type_complexity,
    clippy::wildcard_enum_match_arm,
    reason = "a test may panic, its numbers are small, and helpers outside of a `#[test]` are tests as well"
)]

mod acknowledged;
mod api;
mod crash;
mod files;
mod kill;
mod model;
mod names;
mod permissions;
mod readers;
mod refusals;
mod traits;
mod wire;

use high_water::{FaultMedium, Identity, Options, Register};

pub(crate) const OURS: Identity = Identity::from_bytes(*b"high-water tests");

pub(crate) fn options() -> Options {
    Options::new(OURS)
}

/// A register on a simulated disk, at a value.
pub(crate) fn register_at(value: u64) -> (FaultMedium, Register<FaultMedium>) {
    let machine = FaultMedium::new();
    let register = options().create_on(machine.clone(), value, b"").unwrap();
    (machine, register)
}

/// A small generator with a printed seed: tests need no randomness that cannot be repeated.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }
}

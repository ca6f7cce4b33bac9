//! One binary: every test here uses public names only.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    clippy::type_complexity,
    clippy::wildcard_enum_match_arm,
    reason = "a test may panic, its numbers are small, and helpers outside of a `#[test]` are tests as well"
)]

mod acknowledged;
mod api;
mod crash;
mod fault;
mod files;
mod flash;
mod flash_crash;
mod flash_wire;
mod held;
mod kill;
mod model;
mod names;
mod permissions;
mod readers;
mod refusals;
mod stress;
mod texts;
mod torn;
mod traits;
mod twice;
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

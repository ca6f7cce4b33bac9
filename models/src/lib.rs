//! Exhaustive models over the protocol code of `epoch-fence`: not a copy of it, the code itself.
//!
//! - [`fencing`] has no time: a lease may end at any moment. Three holders, a store, a network that loses,
//!   doubles, delays and reorders, crashes of all of them, and a gate.
//! - [`deadline`] has two clocks that run at different rates, and the rule by which a holder stops in time.
//!
//! Each takes a rule of the protocol away by its [`Removed`], to show what the rule is good for: the model then
//! finds what goes wrong. The code under test is never changed for that, only what is done with it.
//!
//! The binary `contention` asks the same of the crate on real processes, files and sockets, under faults.
#![forbid(unsafe_code)]
#![expect(
    clippy::exhaustive_enums,
    clippy::exhaustive_structs,
    clippy::wildcard_enum_match_arm,
    reason = "nobody builds on a model; and it takes every outcome that it does not name the same way"
)]
#![expect(clippy::large_enum_variant, reason = "the large ones are shared between states")]

extern crate alloc;

pub mod deadline;
pub mod fencing;
mod rules;

pub use rules::Removed;

//! What the tests of several members share.
//!
//! Members name it as a dev-dependency by its path alone: a package that is published goes out without it.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::exhaustive_structs,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::must_use_candidate,
    clippy::panic,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    clippy::unwrap_used,
    reason = "a test may panic, its numbers are small, and nobody outside builds on this"
)]

mod crash;
mod dice;
#[cfg(target_os = "linux")]
pub mod etcd;
#[cfg(loom)]
mod exploration;
#[cfg(target_os = "linux")]
mod folder;
#[cfg(unix)]
mod kill;
#[cfg(target_os = "linux")]
pub mod nats;
mod not_installed;
#[cfg(target_os = "linux")]
pub mod postgres;
pub mod proxy;
#[cfg(target_os = "linux")]
mod server;
mod stress;
mod tally;

pub use crash::{CrashPoints, cuts};
pub use dice::Dice;
#[cfg(loom)]
pub use exploration::{Preemptions, explore};
#[cfg(target_os = "linux")]
pub use folder::Folder;
#[cfg(unix)]
pub use kill::{Child, Lives, report};
pub use not_installed::NotInstalled;
pub use stress::{Call, Letters, Notes, Round, UnorderedMark, Worker, check_calls, stress};
pub use tally::tally;

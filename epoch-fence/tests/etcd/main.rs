//! Leases in a real etcd. Where it is not installed each test says so, and passes unless `CLOCKS_REQUIRE_SERVERS` is 1.
#![cfg(target_os = "linux")]
#![expect(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::panic,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    clippy::unwrap_used,
    reason = "a test may panic, and its numbers are small"
)]

mod auth;
mod cancel;
mod cluster;
mod conformance;
mod damage;
mod kept;
mod lease;
mod many;
mod restart;
mod restore;
mod stage;
mod wire;

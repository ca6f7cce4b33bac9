//! `engine::postgres` on real servers. Where PostgreSQL is not installed, a test says that it was not run.
//!
//! No test sleeps for its answer: each waits for what it is about. Leases last an hour, and where one has to end the clock
//! of its database is moved; that clock stands still in between.

#![cfg(target_os = "linux")]
#![cfg(test)] // so that the lints know helper functions for what they are
#![expect(clippy::arithmetic_side_effects, reason = "a test that overflows fails")]

extern crate alloc;

mod clock;
mod conformance;
mod cut;
mod hostile;
mod lease;
mod operator;
mod pool;
mod promotion;
mod race;
mod restart;
mod settings;
mod stage;
mod upgrade;
mod waits;

//! `engine::postgres` on real servers. Where PostgreSQL is not installed, a test says that it was not run.

#![cfg(all(test, target_os = "linux"))]
#![expect(clippy::arithmetic_side_effects, reason = "a test that overflows fails")]

mod conformance;
mod stage;

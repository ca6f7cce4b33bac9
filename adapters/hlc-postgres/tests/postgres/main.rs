//! On a real server. Where PostgreSQL is not installed, a test says that it was not run.

#![cfg(target_os = "linux")]
#![cfg(test)] // so that the lints know helper functions for what they are
#![expect(clippy::arithmetic_side_effects, reason = "a test that overflows fails")]

mod order;
mod refused;
mod scan;
mod stage;

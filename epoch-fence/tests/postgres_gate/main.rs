//! `PostgresGate`, and the SQL below it, on a real server. Where PostgreSQL is not installed, a test says that it was not
//! run.

#![cfg(target_os = "linux")]
#![cfg(test)] // so that the lints know helper functions for what they are
#![expect(clippy::arithmetic_side_effects, reason = "a test that overflows fails")]

extern crate alloc;

mod guide;
mod hammer;
mod operator;
mod order;
mod paused;
mod pruning;
mod psql;
mod savepoint;
mod stage;
mod values;

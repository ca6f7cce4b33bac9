//! The public surface, with only public names.

#![cfg(test)] // so that the lints know helper functions for what they are
#![expect(clippy::arithmetic_side_effects, reason = "a test that overflows fails")]

extern crate alloc;

#[cfg(feature = "file")]
mod audit;
#[cfg(feature = "test-engine")]
mod awaited;
#[cfg(feature = "test-engine")]
mod conformance;
#[cfg(all(unix, feature = "durable"))]
mod durable;
mod errors;
#[cfg(feature = "parking_lot")]
mod fenced;
#[cfg(all(target_os = "linux", feature = "file"))]
mod file;
#[cfg(all(target_os = "linux", feature = "file"))]
mod file_gate;
mod gate;
#[cfg(all(feature = "tokio", feature = "test-engine"))]
mod kept;
mod laws;
#[cfg(feature = "test-engine")]
mod lease;
#[cfg(feature = "test-engine")]
mod memory;
mod model;
mod naive;
mod record;
mod stall;
mod steps;
#[cfg(any(feature = "arbitrary", feature = "proptest"))]
mod strategies;
mod stress;
mod traits;
#[cfg(all(unix, feature = "test-engine", feature = "file"))]
mod twice;
mod upgrade;
mod values;
mod wire;

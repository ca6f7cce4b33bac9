//! The public surface, with only public names.

#![cfg(test)] // so that the lints know helper functions for what they are
#![expect(clippy::arithmetic_side_effects, reason = "a test that overflows fails")]

extern crate alloc;

mod api;
#[cfg(all(feature = "durable", feature = "std"))]
mod durable;
mod errors;
mod laws;
mod model;
#[cfg(any(feature = "arbitrary", feature = "proptest"))]
mod strategies;
mod stress;
mod traits;
mod twice;
mod wire;

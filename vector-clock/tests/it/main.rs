//! The public surface, with only public names: one binary.

#![cfg(test)] // so that the lints know helper functions for what they are
#![expect(clippy::arithmetic_side_effects, reason = "a test that overflows fails")]

extern crate alloc;

mod api;
mod causal_buffer;
#[cfg(feature = "alloc")]
mod dot_set;
#[cfg(feature = "alloc")]
mod dvv;
#[cfg(feature = "alloc")]
mod itc;
#[cfg(feature = "alloc")]
mod itc_paper;
mod laws;
#[cfg(feature = "alloc")]
mod matrix;
mod model;
mod oracle;
#[cfg(feature = "parking_lot")]
mod shared;
#[cfg(any(feature = "arbitrary", feature = "proptest"))]
mod strategies;
#[cfg(all(feature = "alloc", feature = "parking_lot"))]
mod stress;
mod texts;
mod traits;
#[cfg(all(feature = "alloc", feature = "parking_lot"))]
mod twice;
mod wire;

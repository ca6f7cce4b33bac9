//! The public surface of `hlc`, used as a stranger would.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that panics has failed; clippy.toml says so for test functions, but not for what they call"
)]

extern crate alloc;

mod clocks;
#[cfg(all(feature = "durable", feature = "std"))]
mod durable;
mod errors;
mod laws;
mod layouts;
mod limits;
mod model;
mod order;
mod paper;
#[cfg(feature = "serde")]
mod serde;
mod source;
mod stamp_bytes;
#[cfg(any(feature = "arbitrary", feature = "proptest"))]
mod strategies;
mod stress;
mod text;
mod traits;
mod twice;
#[cfg(feature = "uuid")]
mod uuid;
mod vectors;
mod wire;

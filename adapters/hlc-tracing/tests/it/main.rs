//! The public surface of `hlc-tracing`, with the real `tracing` and `tracing-subscriber`.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that panics has failed; clippy.toml says so for test functions, but not for what they call"
)]

extern crate alloc;

mod hosts;
mod log;
mod refused;
mod spans;
mod traits;

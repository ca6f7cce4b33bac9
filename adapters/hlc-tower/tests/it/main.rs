//! The public surface of `hlc-tower`, used as a stranger would.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that panics has failed; clippy.toml says so for test functions, but not for what they call"
)]

extern crate alloc;

mod calls;
mod client;
mod clock;
#[cfg(feature = "durable")]
mod durable;
mod format;
mod hostile;
mod server;
mod together;
mod traits;
mod wire;

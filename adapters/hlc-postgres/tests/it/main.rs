//! The public surface of `hlc-postgres` without a server.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that panics has failed; clippy.toml says so for test functions, but not for what they call"
)]

mod format;
mod wire;

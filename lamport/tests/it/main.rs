//! The public surface, with only public names.

#![cfg(test)] // so that the lints know helper functions for what they are
#![expect(clippy::arithmetic_side_effects, reason = "a test that overflows fails")]

extern crate alloc;

mod api;
mod laws;
mod model;
mod traits;
mod wire;

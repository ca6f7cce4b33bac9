//! Logs with vector clocks, as a program that reads them meets them.

#![cfg(test)] // so that the lints know helper functions for what they are
#![expect(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    reason = "a test that overflows fails, and its numbers are small"
)]

extern crate alloc;

mod browser;
mod diagram;
mod forms;
mod hostile;
mod run;
mod validate;

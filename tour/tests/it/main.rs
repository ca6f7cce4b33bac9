//! The tour as its users meet it: the same binary, its exit status, what it prints, and its processes.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that panics has failed; clippy.toml says so for test functions, but not for what they call"
)]

mod node;
mod options;
mod outcome;
#[cfg(unix)]
mod processes;

use std::process::{Command, Output, Stdio};

/// The binary with `arguments`, its three streams piped or empty.
fn tour(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tour"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs it to its end.
fn run(arguments: &[&str]) -> Output {
    tour(arguments).output().unwrap()
}

/// What it printed, as text.
fn text(stream: &[u8]) -> &str {
    str::from_utf8(stream).unwrap()
}

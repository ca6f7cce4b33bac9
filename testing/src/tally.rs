//! What a run has tried, for whoever reads its output.

use std::fmt::Display;
use std::io::Write as _;

/// Prints a line also if the test passes: the harness shows what a test prints with `println!` only if it fails.
///
/// # Panics
///
/// When the output is closed.
pub fn tally(line: impl Display) {
    std::io::stdout().write_all(format!("\n{line}\n").as_bytes()).unwrap();
}

//! How the program ends: exit codes, and what is said on standard error.

use core::fmt::Display;
use std::io::{self, Write as _};
use std::process::ExitCode;

use clock_tools::ReadError;

use crate::output::finished;

/// All is well.
pub(crate) const DONE: u8 = 0;
/// Done, and something in the input is not as it has to be.
pub(crate) const FOUND: u8 = 1;
/// The command line was not understood.
pub(crate) const USAGE: u8 = 2;
/// An input could not be read, or the output not be written.
pub(crate) const FAILED: u8 = 3;

/// Why the program did not do what was asked: what it says, and its exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    why: String,
}

impl Failure {
    pub(crate) fn new(code: u8, why: impl Display) -> Self {
        Self { code, why: why.to_string() }
    }

    /// With what was being done before it.
    pub(crate) fn during(self, what: impl Display) -> Self {
        Self { why: format!("{what}: {}", self.why), ..self }
    }
}

impl From<io::Error> for Failure {
    fn from(why: io::Error) -> Self {
        Self::new(FAILED, why)
    }
}

impl From<ReadError> for Failure {
    fn from(why: ReadError) -> Self {
        Self::new(FAILED, why)
    }
}

/// Says something on standard error, where it does not disturb what the verb prints.
pub(crate) fn say(what: impl Display) {
    tell(&format!("clocks: {what}\n"));
}

/// Whatever is said may hold what others wrote: names, patterns, values.
pub(crate) fn tell(what: &str) {
    // With standard error closed there is nobody to tell.
    let _told = io::stderr().write_all(plain(what).as_bytes());
}

/// A message of several lines without anything that a terminal obeys.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\n' | '"' | '\'' | '\\' => plain.push(letter),
            _ => plain.extend(letter.escape_debug()),
        }
    }
    plain
}

pub(crate) fn with(result: Result<u8, Failure>) -> ExitCode {
    match result {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            say(&failure.why);
            ExitCode::from(failure.code)
        }
    }
}

/// Ends after a command line that was not understood, or that asked for help.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        return with(finished(error.print(), DONE));
    }
    tell(&error.render().to_string());
    ExitCode::from(USAGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_has_nothing_that_a_terminal_obeys() {
        assert_eq!(plain("it's \"a\\b\"\n\u{1b}\u{202e}\u{e4}"), "it's \"a\\b\"\n\\u{1b}\\u{202e}\u{e4}");
    }
}

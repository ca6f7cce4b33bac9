//! `Place`: where in an input something stands.

use alloc::sync::Arc;
use core::{error::Error, fmt};
use std::io;

/// A line of an input: its name, as it was given, and the number of the line, counted from 1.
///
/// Shown as compilers and editors know it, with whatever a terminal would obey made visible.
///
/// ```
/// use clock_tools::Place;
///
/// assert_eq!(Place::new("a.log", 7).to_string(), "a.log:7");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    input: Arc<str>,
    line: u64,
}

impl Place {
    /// Makes a place; `line` counts from 1.
    #[must_use]
    pub fn new(input: impl Into<Arc<str>>, line: u64) -> Self {
        Self { input: input.into(), line }
    }

    /// Returns the name of the input.
    #[must_use]
    pub fn input(&self) -> &str {
        &self.input
    }

    /// Returns the number of the line, from 1.
    #[must_use]
    pub const fn line(&self) -> u64 {
        self.line
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.input.escape_debug(), self.line)
    }
}

/// An input could not be opened, or not be read on.
#[derive(Debug)]
pub struct ReadError {
    input: Arc<str>,
    line: Option<u64>,
    why: io::Error,
}

impl ReadError {
    /// It could not be opened.
    #[must_use]
    pub fn opening(input: impl Into<Arc<str>>, why: io::Error) -> Self {
        Self { input: input.into(), line: None, why }
    }

    /// It could not be read on, in this line.
    #[must_use]
    pub fn at(place: Place, why: io::Error) -> Self {
        Self { input: place.input, line: Some(place.line), why }
    }

    /// Returns the name of the input.
    #[must_use]
    pub fn input(&self) -> &str {
        &self.input
    }

    /// Returns the line in which reading ended, from 1; `None` where it did not begin.
    #[must_use]
    pub const fn line(&self) -> Option<u64> {
        self.line
    }

    /// Returns what the system or the decoder said.
    #[must_use]
    pub const fn why(&self) -> &io::Error {
        &self.why
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.input.escape_debug().to_string())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.why)
    }
}

impl Error for ReadError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_speak_to_the_terminal() {
        assert_eq!(Place::new("a\u{1b}[2J\n.log", 3).to_string(), "a\\u{1b}[2J\\n.log:3");
        let why = || io::Error::other("gone");
        assert_eq!(ReadError::opening("\u{7}", why()).to_string(), "\\u{7}: gone");
        assert_eq!(ReadError::at(Place::new("a", 9), why()).to_string(), "a:9: gone");
    }
}

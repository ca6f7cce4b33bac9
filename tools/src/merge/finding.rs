//! `Finding`: what is not as it has to be in a log, and where.

use alloc::sync::Arc;
use core::fmt;

use super::key::Shown;
use crate::{Place, ReadError};

/// Something about a log that its reader may want to know.
#[derive(Debug)]
#[non_exhaustive]
pub enum Finding {
    /// A stamp is below the one before it, which no clock does. The line stays where it is among those of its host.
    GoesBack(GoesBack),
    /// Lines have no stamp. They stay with the line before them.
    Unstamped(Unstamped),
    /// The log could not be read on, and ends there.
    Cut(ReadError),
}

/// A stamp below the one before it in the same log.
#[derive(Clone, Debug)]
pub struct GoesBack {
    place: Place,
    stamp: Shown,
    line_before: u64,
    before: Shown,
}

impl GoesBack {
    pub(super) const fn new(place: Place, stamp: Shown, line_before: u64, before: Shown) -> Self {
        Self { place, stamp, line_before, before }
    }

    /// Returns where the stamp is.
    #[must_use]
    pub const fn place(&self) -> &Place {
        &self.place
    }

    /// Returns the stamp, as it stands there.
    #[must_use]
    pub const fn stamp(&self) -> impl fmt::Display + use<> {
        self.stamp
    }

    /// Returns the line of the stamp before, from 1.
    #[must_use]
    pub const fn line_before(&self) -> u64 {
        self.line_before
    }

    /// Returns the stamp before, as it stands there.
    #[must_use]
    pub const fn before(&self) -> impl fmt::Display + use<> {
        self.before
    }
}

impl fmt::Display for GoesBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, stamp, line_before, before } = self;
        write!(f, "{place}: stamp {stamp} goes back behind {before} of line {line_before}")
    }
}

/// Lines without a stamp, one after the other.
#[derive(Clone, Debug)]
pub struct Unstamped {
    place: Place,
    lines: u64,
    after: Option<u64>,
}

impl Unstamped {
    pub(super) const fn new(place: Place, lines: u64, after: Option<u64>) -> Self {
        Self { place, lines, after }
    }

    /// Returns where the first of them is.
    #[must_use]
    pub const fn place(&self) -> &Place {
        &self.place
    }

    /// Returns how many there are.
    #[must_use]
    pub const fn lines(&self) -> u64 {
        self.lines
    }

    /// Returns the line that they stay with, from 1: the last one with a stamp. `None` where there was none, so that they go
    /// to the front.
    #[must_use]
    pub const fn after(&self) -> Option<u64> {
        self.after
    }
}

impl fmt::Display for Unstamped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        match self.lines {
            1 => f.write_str("a line without a stamp")?,
            lines => write!(f, "{lines} lines without a stamp")?,
        }
        match self.after {
            Some(line) => write!(f, ", kept with line {line}"),
            None => f.write_str(", before the first that has one"),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::GoesBack(found) => found.fmt(f),
            Self::Unstamped(found) => found.fmt(f),
            Self::Cut(found) => write!(f, "{found}; the log ends there"),
        }
    }
}

/// What was in a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSummary {
    name: Arc<str>,
    pub(super) lines: u64,
    pub(super) stamped: u64,
    pub(super) unstamped: u64,
    pub(super) goes_back: u64,
    pub(super) is_cut: bool,
}

impl LogSummary {
    pub(super) fn new(name: &Arc<str>) -> Self {
        let name = Arc::clone(name);
        Self { name, lines: 0, stamped: 0, unstamped: 0, goes_back: 0, is_cut: false }
    }

    /// Returns the name of the input.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns how many lines it has.
    #[must_use]
    pub const fn lines(&self) -> u64 {
        self.lines
    }

    /// Returns how many of them have a stamp.
    #[must_use]
    pub const fn stamped(&self) -> u64 {
        self.stamped
    }

    /// Returns how many of them have none.
    #[must_use]
    pub const fn unstamped(&self) -> u64 {
        self.unstamped
    }

    /// Returns how many stamps are below the one before.
    #[must_use]
    pub const fn goes_back(&self) -> u64 {
        self.goes_back
    }

    /// Returns whether it could not be read to its end.
    #[must_use]
    pub const fn is_cut(&self) -> bool {
        self.is_cut
    }
}

//! `Failure`: why a run could not be finished.

use core::{error::Error, fmt};
use std::{io, process::ExitStatus};

/// Why a run could not be finished. Nothing was shown then, neither that a guarantee holds nor that it broke.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The operating system refused something.
    Io { doing: &'static str, error: io::Error },
    /// A child ended before its part was over.
    Ended { child: String, pid: u32, how: Option<ExitStatus> },
    /// A child could not go on, and said why.
    Gave { child: String, pid: u32, why: String },
    /// A line between parent and child was not understood.
    Garbled { from: String, why: String },
    /// Something took longer than it may.
    Late { waiting_for: String },
    /// A part was told, or said, what it did not expect.
    OutOfTurn { what: String },
    /// A clock issued no stamp for an event that needs one.
    Clock { error: Box<dyn Error + Send + Sync> },
    /// A lease was not granted, renewed or read.
    Lease { error: Box<dyn Error + Send + Sync> },
    /// The reports contradict one another, so that no order of events fits them.
    Contradiction { what: String },
}

impl Failure {
    pub(crate) const fn io(doing: &'static str, error: io::Error) -> Self {
        Self::Io { doing, error }
    }

    pub(crate) fn late(waiting_for: impl Into<String>) -> Self {
        Self::Late { waiting_for: waiting_for.into() }
    }

    pub(crate) fn out_of_turn(what: impl fmt::Debug) -> Self {
        // A report can be long; its beginning says which it is.
        Self::OutOfTurn { what: format!("{what:?}").chars().take(80).collect() }
    }

    pub(crate) fn clock(error: impl Error + Send + Sync + 'static) -> Self {
        Self::Clock { error: Box::new(error) }
    }

    pub(crate) fn lease(error: impl Error + Send + Sync + 'static) -> Self {
        Self::Lease { error: Box::new(error) }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { doing, error } => write!(f, "{doing}: {error}"),
            Self::Ended { child, pid, how } => {
                write!(f, "{child} (process {pid}) ended before its part was over")?;
                match how {
                    Some(status) => write!(f, ": {status}"),
                    None => f.write_str(", and could not be waited for"),
                }
            }
            Self::Gave { child, pid, why } => write!(f, "{child} (process {pid}) could not go on: {why}"),
            Self::Garbled { from, why } => write!(f, "a line from {from} was not understood: {why}"),
            Self::Late { waiting_for } => write!(f, "gave up waiting for {waiting_for}"),
            Self::OutOfTurn { what } => write!(f, "out of turn: {what}"),
            Self::Clock { error } => write!(f, "a clock issued no stamp: {error}"),
            Self::Lease { error } => write!(f, "the lease: {error}"),
            Self::Contradiction { what } => write!(f, "the reports contradict one another: {what}"),
        }
    }
}

impl Error for Failure {}

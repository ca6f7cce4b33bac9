//! Why a gate in files did not do what was asked.

use core::error::Error;
use core::fmt;
use std::io;

use high_water::{OpenError, RaiseError};

use crate::engine::file::FileError;
use crate::{AdoptError, DecodeError, Rejected};

/// Why a [`FileGate`](crate::FileGate) did not do what was asked. No permit was made, and the effect must not happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileGateError {
    /// The gate refused the token.
    Rejected(Rejected),
    /// The gate did not adopt the realm, and keeps the one it has.
    NotAdopted(AdoptError),
    /// The gate was never asked before, and there is no record whose realm it could begin in: nobody ever acquired
    /// this resource in this directory.
    NoRecord,
    /// The gate was never asked before, and the record in whose realm it would begin was refused.
    Record(FileError),
    /// The gate's register was refused.
    Register(OpenError),
    /// What is new could not be made durable, or it is not known whether it was.
    NotSaved(RaiseError),
    /// What the register holds was not written by a gate.
    Payload(DecodeError),
    /// The file of the permits is gone, or is another one. Permits on the old one cannot be seen: end every process
    /// that may have one, then [rebuild](crate::FileGate::rebuild) the gate.
    PermitsReplaced,
    /// The system reported an error with the file of the permits.
    Io {
        /// The system's number for it, where it gave one.
        code: Option<i32>,
    },
}

impl fmt::Display for FileGateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejected(why) => why.fmt(f),
            Self::NotAdopted(why) => why.fmt(f),
            Self::NoRecord => f.write_str("nobody ever acquired this resource in this directory"),
            Self::Record(why) => why.fmt(f),
            Self::Register(OpenError::Held { process: Some(process) }) => {
                write!(f, "process {process} is at the gate; if it is stopped, let it go on or kill it")
            }
            Self::Register(why) => write!(f, "the gate's register: {why}"),
            Self::NotSaved(why) => write!(f, "the gate's register: {why}"),
            Self::Payload(why) => write!(f, "the gate's register was not written by a gate: {why}"),
            Self::PermitsReplaced => f.write_str(
                "the file of the gate's permits was deleted or replaced, and permits on it cannot be seen; end every \
                 process that may have one, then rebuild the gate",
            ),
            Self::Io { code: Some(code) } => {
                write!(f, "the file of the gate's permits: {}", io::Error::from_raw_os_error(*code))
            }
            Self::Io { code: None } => f.write_str("the file of the gate's permits could not be used"),
        }
    }
}

impl Error for FileGateError {}

impl From<Rejected> for FileGateError {
    fn from(why: Rejected) -> Self {
        Self::Rejected(why)
    }
}

impl From<OpenError> for FileGateError {
    fn from(why: OpenError) -> Self {
        Self::Register(why)
    }
}

impl From<FileError> for FileGateError {
    fn from(why: FileError) -> Self {
        Self::Record(why)
    }
}

impl From<DecodeError> for FileGateError {
    fn from(why: DecodeError) -> Self {
        Self::Payload(why)
    }
}

impl From<io::Error> for FileGateError {
    fn from(why: io::Error) -> Self {
        Self::Io { code: why.raw_os_error() }
    }
}

//! What goes wrong in a directory of leases.

use core::error::Error;
use core::fmt;

use high_water::{OpenError, RaiseError};

use crate::RandomUnavailable;
use crate::audit::LogHead;
use crate::protocol::{Exhausted, RecordError};

/// What was being done with a log or a directory when the system reported an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum During {
    /// Looking at the directory, or making it.
    Directory,
    /// Reading the log.
    Reading,
    /// Making room in the log for one more entry. A disk that is full says so here, before anything is promised.
    MakingRoom,
    /// Writing an entry of the log.
    Appending,
    /// Making the file by which others see that the holder lives.
    Announcing,
    /// Asking the system for its boot and its time since then.
    Clock,
}

impl fmt::Display for During {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Directory => "looking at the directory",
            Self::Reading => "reading the audit log",
            Self::MakingRoom => "making room in the audit log",
            Self::Appending => "writing to the audit log",
            Self::Announcing => "locking the file that shows the holder to be alive",
            Self::Clock => "asking for the time since boot",
        })
    }
}

/// How a log and its record disagree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LogFault {
    /// The file of the log that the record names is gone.
    Missing {
        /// Its number.
        segment: u32,
    },
    /// The log ends before the place that the record names.
    Cut,
    /// The log goes on behind the record: an older record was put back.
    Ahead,
    /// In the record's place the log has another write.
    Forked,
    /// A file of the log is another one's.
    Foreign {
        /// Its number.
        segment: u32,
    },
}

impl fmt::Display for LogFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { segment } => write!(f, "file {segment} of the audit log is gone"),
            Self::Cut => f.write_str("the audit log was cut"),
            Self::Ahead => {
                f.write_str("the audit log goes on behind the record: an older record was put back")
            }
            Self::Forked => f.write_str("the audit log has another write in the place of the record's"),
            Self::Foreign { segment } => write!(f, "file {segment} of the audit log belongs to another log"),
        }
    }
}

/// Why a directory of leases did not do what was asked. Each says what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileError {
    /// There is no such directory.
    NoDirectory,
    /// Another process is in the midst of a write, for longer than the patience of this one. If it is stopped,
    /// let it go on or kill it.
    Busy {
        /// Which one, where the system tells it.
        process: Option<u32>,
    },
    /// The record's register was refused.
    Register(OpenError),
    /// The write to the record failed.
    Raise(RaiseError),
    /// What the register holds is no record.
    Record(RecordError),
    /// The register holds a record without an anchor, or of another version than the register's number.
    NoAnchor,
    /// The record is gone, and its log is not.
    RecordMissing,
    /// Record and log disagree.
    Log(LogFault),
    /// A number came to its end.
    Exhausted(Exhausted),
    /// The stamps of the log, or the files that it can have, came to their end.
    LogExhausted,
    /// The system reported an error.
    Io {
        /// What was being done.
        during: During,
        /// The system's number for it, where it gave one.
        code: Option<i32>,
    },
    /// The operating system had no randomness for the realm of a new resource.
    Random(RandomUnavailable),
    /// This system has no boot id, or no clock that runs through suspend.
    UnsupportedPlatform,
}

impl FileError {
    pub(super) fn io(during: During) -> impl Fn(std::io::Error) -> Self {
        move |error| Self::Io { during, code: error.raw_os_error() }
    }
}

impl From<OpenError> for FileError {
    fn from(why: OpenError) -> Self {
        if let OpenError::Held { process } = why {
            Self::Busy { process }
        } else if why == OpenError::UnsupportedPlatform {
            Self::UnsupportedPlatform
        } else {
            Self::Register(why)
        }
    }
}

impl From<LogFault> for FileError {
    fn from(why: LogFault) -> Self {
        Self::Log(why)
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoDirectory => f.write_str("there is no such directory; create it"),
            Self::Busy { process: Some(process) } => {
                write!(
                    f,
                    "process {process} is in the midst of a write; if it is stopped, let it go on or kill it"
                )
            }
            Self::Busy { process: None } => {
                f.write_str("another process is in the midst of a write; try again")
            }
            Self::Register(why) => write!(f, "the record: {why}"),
            Self::Raise(why) => write!(f, "the record: {why}"),
            Self::Record(why) => write!(f, "what is stored is no record: {why}; recover the resource"),
            Self::NoAnchor => f.write_str("the record was not written by this engine; recover the resource"),
            Self::RecordMissing => f.write_str(
                "the record is gone, and its audit log is not; put it back, or recover the resource",
            ),
            Self::Log(why) => write!(f, "{why}; find out why, then recover the resource"),
            Self::Exhausted(why) => why.fmt(f),
            Self::LogExhausted => {
                f.write_str("the audit log is at the end of its range; recover the resource")
            }
            Self::Io { during, code: Some(code) } => {
                write!(f, "{} while {during}", std::io::Error::from_raw_os_error(*code))
            }
            Self::Io { during, code: None } => write!(f, "stopped short while {during}"),
            Self::Random(why) => why.fmt(f),
            Self::UnsupportedPlatform => f.write_str(
                "leases in files need a boot id and a clock that runs through suspend, as Linux has them",
            ),
        }
    }
}

impl Error for FileError {}

/// What is wrong with a log, and where. What came before it is as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damage {
    pub(super) segment: u32,
    pub(super) offset: u64,
    pub(super) index: u64,
    pub(super) head: LogHead,
    pub(super) what: Finding,
}

/// What is wrong in one place of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Finding {
    /// The entry does not follow.
    Broken(crate::audit::Broken),
    /// The file's header is not the one that belongs here.
    Header,
    /// There is something behind the last entry.
    Trailing,
    /// Record and log disagree.
    Fault(LogFault),
    /// The head that was noted is none of this log's.
    HeadNotFound,
}

impl Damage {
    /// Returns in which file of the log.
    #[must_use]
    pub const fn segment(&self) -> u32 {
        self.segment
    }

    /// Returns at which byte of the file.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// Returns how many entries before it are sound.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// Returns the head of the sound part.
    #[must_use]
    pub const fn head(&self) -> LogHead {
        self.head
    }

    /// Returns what it is.
    #[must_use]
    pub const fn what(&self) -> Finding {
        self.what
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "entry {}, at byte {} of file {}: ", self.index, self.offset, self.segment)?;
        match self.what {
            Finding::Broken(why) => why.fmt(f),
            Finding::Header => f.write_str("the header of the file is not the one that belongs here"),
            Finding::Trailing => f.write_str("something is behind the last entry"),
            Finding::Fault(why) => why.fmt(f),
            Finding::HeadNotFound => f.write_str("the head that was noted is none of this log's"),
        }
    }
}

impl Error for Damage {}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use super::*;
    use crate::audit::{Broken, EntryError};

    #[test]
    fn damage_is_said_with_its_place() {
        let head = LogHead::EMPTY;
        let damage = |what| Damage { segment: 2, offset: 64, index: 5, head, what };
        let rows = [
            (Finding::Broken(Broken::from(EntryError::Blank)), "no entry"),
            (Finding::Header, "the header of the file is not the one that belongs here"),
            (Finding::Trailing, "something is behind the last entry"),
            (Finding::Fault(LogFault::Cut), "the audit log was cut"),
            (Finding::HeadNotFound, "the head that was noted is none of this log's"),
        ];
        for (what, words) in rows {
            let found = damage(what);
            assert_eq!(found.to_string(), alloc::format!("entry 5, at byte 64 of file 2: {words}"));
            assert_eq!((found.segment(), found.offset(), found.index()), (2, 64, 5));
            assert_eq!((found.head(), found.what()), (head, what));
        }
    }
}

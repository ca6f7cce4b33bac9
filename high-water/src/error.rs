//! The errors of raising and of opening. Each says what state is left, and what can be done.

use crate::file_system::FileSystemName;
use crate::identity::{Identity, PayloadTooLong};
use crate::record::FILE_LEN;
use core::fmt;

/// What was being done when the medium reported an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Operation {
    /// Opening the file.
    Open,
    /// Creating a file under a temporary name.
    Create,
    /// Giving the file its name.
    Publish,
    /// Removing the temporary name.
    Retract,
    /// Asking about the file or its file system.
    Examine,
    /// Locking the file.
    Lock,
    /// Reading.
    Read,
    /// Writing.
    Write,
    /// Setting the length of the file.
    SetLength,
    /// Flushing the file to the disk.
    Sync,
    /// Flushing the directory to the disk.
    SyncDirectory,
    /// Erasing a sector of a flash.
    Erase,
    /// Reading back what was programmed into a flash.
    Verify,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "opening the file",
            Self::Create => "creating a temporary file",
            Self::Publish => "linking the file to its name",
            Self::Retract => "removing the temporary name",
            Self::Examine => "examining the file",
            Self::Lock => "locking the file",
            Self::Read => "reading",
            Self::Write => "writing",
            Self::SetLength => "setting the length of the file",
            Self::Sync => "syncing the file",
            Self::SyncDirectory => "syncing the directory",
            Self::Erase => "erasing",
            Self::Verify => "reading back",
        })
    }
}

/// The medium reported an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct IoFault {
    during: Operation,
    code: Option<i32>,
}

impl IoFault {
    /// An error with the medium's own code, which is `errno` for a file.
    #[must_use]
    pub const fn new(during: Operation, code: Option<i32>) -> Self {
        Self { during, code }
    }

    #[cfg(feature = "std")]
    pub(crate) fn of(during: Operation) -> impl Fn(std::io::Error) -> Self {
        move |error| Self { during, code: error.raw_os_error() }
    }

    /// What was being done.
    #[must_use]
    pub const fn during(self) -> Operation {
        self.during
    }

    /// The medium's own code, which is `errno` for a file; `None` if it gave none.
    #[must_use]
    pub const fn code(self) -> Option<i32> {
        self.code
    }
}

impl fmt::Display for IoFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => write!(f, "error {code} while {}", self.during),
            None => write!(f, "the medium stopped short while {}", self.during),
        }
    }
}

impl core::error::Error for IoFault {}

/// What shows that a register was put back to an older state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Evidence {
    /// The file's inode or time of birth is not the one in its records: it is a copy.
    Origin,
    /// Its value is below one that the caller remembers from elsewhere.
    Floor,
    /// It changed under the lock: what was last written is no longer there.
    Overwritten,
}

/// The register was put back to an older state, or replaced by a copy. Nothing was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Regressed {
    pub(crate) evidence: Evidence,
    pub(crate) found: Option<u64>,
    pub(crate) known: Option<u64>,
}

impl Regressed {
    /// What shows it.
    #[must_use]
    pub const fn evidence(self) -> Evidence {
        self.evidence
    }

    /// The value that the file holds; `None` if it holds none.
    #[must_use]
    pub const fn found(self) -> Option<u64> {
        self.found
    }

    /// The value that it is known to have had; `None` if only the file's origin gives it away.
    #[must_use]
    pub const fn known(self) -> Option<u64> {
        self.known
    }
}

impl fmt::Display for Regressed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Evidence::Floor, None, Some(known)) = (self.evidence, self.found, self.known) {
            return write!(
                f,
                "the register is missing, and known to have had {known}; restore it, or create it at a floor observed \
                 elsewhere"
            );
        }
        let what = match self.evidence {
            Evidence::Origin => "the file is a copy, and may be older than the register it stands for",
            Evidence::Floor => "the register has fallen below a value that it is known to have had",
            Evidence::Overwritten => "the file was overwritten while it was held",
        };
        f.write_str(what)?;
        if let Some(found) = self.found {
            write!(f, "; it holds {found}")?;
        }
        if let Some(known) = self.known {
            write!(f, ", known is {known}")?;
        }
        f.write_str("; recover it with a floor observed elsewhere")
    }
}

impl core::error::Error for Regressed {}

/// Why a raise definitely did not happen. The value is what it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum NotRaised {
    /// An earlier raise ended indeterminate. Open the register again to learn which it was.
    Poisoned,
    /// The file was put back to an older state while it was held.
    Regressed(Regressed),
    /// The name leads to another file than the one that is held, or to none.
    Replaced,
    /// The value is below this one, which the register has already.
    Below(u64),
    /// The register has this value, with another payload.
    OtherPayload,
    /// The payload is too long.
    PayloadTooLong(PayloadTooLong),
    /// The sequence numbers are used up: 2^64 of a file, 2^32 of a flash.
    Exhausted,
    /// The medium reported an error before anything was written that an opening could take for the value.
    Io(IoFault),
}

impl fmt::Display for NotRaised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Poisoned => {
                f.write_str("an earlier raise ended indeterminate; open the register again to learn its value")
            }
            Self::Regressed(regressed) => regressed.fmt(f),
            Self::Replaced => f.write_str(
                "the name no longer leads to the file that is held; put that file back, and open it again with its last \
                 value as the floor",
            ),
            Self::Below(value) => write!(f, "the register is already at {value}"),
            Self::OtherPayload => f.write_str("the register has this value with another payload"),
            Self::PayloadTooLong(error) => error.fmt(f),
            Self::Exhausted => f.write_str(
                "the sequence numbers of the register are used up; create another one, above its value",
            ),
            Self::Io(fault) => fault.fmt(f),
        }
    }
}

impl core::error::Error for NotRaised {}

/// A raise was not acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum RaiseError {
    /// This call wrote nothing that counts. The value is what it was, now and after a crash; except after an earlier raise that
    /// was indeterminate ([`NotRaised::Poisoned`]), which leaves it open until the register is opened again.
    NotRaised(NotRaised),
    /// It may have happened. The mark is poisoned: every later raise fails until it is opened again.
    Indeterminate(IoFault),
}

impl RaiseError {
    /// Whether it is certain that the value is what it was. Not so once the register is poisoned: an earlier raise,
    /// perhaps to this very value, may have happened.
    #[must_use]
    pub const fn is_definite(self) -> bool {
        matches!(self, Self::NotRaised(reason) if !matches!(reason, NotRaised::Poisoned))
    }
}

impl From<NotRaised> for RaiseError {
    fn from(reason: NotRaised) -> Self {
        Self::NotRaised(reason)
    }
}

impl fmt::Display for RaiseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRaised(reason) => write!(f, "not raised: {reason}"),
            Self::Indeterminate(fault) => {
                write!(f, "raised or not is unknown: {fault}; open the register again to learn its value")
            }
        }
    }
}

impl core::error::Error for RaiseError {}

/// A register could not be opened, created, inspected or recovered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenError {
    /// The path cannot be the name of a file: it is empty, ends in `..` or `/`, is too long, or holds a zero byte.
    BadPath,
    /// A directory on the path does not exist, or is none.
    NoDirectory,
    /// There is nothing under this name.
    NotFound,
    /// The name is a symbolic link that leads to nothing.
    DanglingLink,
    /// There is something under this name already. It was not touched.
    AlreadyExists,
    /// Another process, or another place in this one, holds the register.
    Held {
        /// The process, where the system tells it.
        process: Option<u32>,
    },
    /// The file changed so fast that no reading of it agreed with the next one.
    Busy,
    /// The name leads to a directory, a device or the like.
    NotAFile,
    /// The file is on a network file system, where locks and syncs are not what they seem.
    NetworkFileSystem {
        /// Which one, where the system tells it.
        name: Option<FileSystemName>,
    },
    /// The file is on a file system that lives in memory, or was mounted to skip syncs: it does not survive a power
    /// cut.
    VolatileFileSystem {
        /// Which one, where the system tells it.
        name: Option<FileSystemName>,
    },
    /// The file is on a file system that is not known to keep what it syncs.
    UnknownFileSystem {
        /// Which one, where the system tells it.
        name: Option<FileSystemName>,
    },
    /// The file system has no locks, without which two processes could hold the register.
    NoLocks,
    /// The file system has no hard links, without which a register cannot be created whole.
    NoHardLinks,
    /// No file can be made in the directory.
    ReadOnlyDirectory,
    /// The directory cannot be opened for reading, as its sync needs.
    UnreadableDirectory,
    /// A directory on the path may not be searched.
    UnsearchableDirectory,
    /// The file cannot be written to.
    ReadOnlyFile,
    /// The file cannot be read.
    UnreadableFile,
    /// The disk is full, or this user's share of it.
    NoSpace {
        /// What was being done.
        during: Operation,
    },
    /// The file does not have the length of a register: it was truncated or added to, or is something else.
    WrongLength {
        /// Its length, in bytes.
        found: u64,
    },
    /// The file has the length of a register and not one valid record.
    NoValidRecord,
    /// Two valid records contradict each other: two writers were at work.
    Conflict,
    /// A whole record breaks the format, or stands in another one's place.
    Malformed,
    /// A record has a version that this crate does not know.
    UnknownVersion {
        /// The version.
        found: u8,
    },
    /// The register is another one.
    WrongIdentity {
        /// The identity in the file.
        found: Identity,
    },
    /// The register was put back to an older state.
    Regressed(Regressed),
    /// The name led from one file to another, again and again, while the register was being opened.
    Replaced,
    /// No part of the file looks like a register, so that a recovery would destroy something else.
    NotARegister,
    /// The payload is too long.
    PayloadTooLong(PayloadTooLong),
    /// The register's 2^64 sequence numbers are used up.
    Exhausted,
    /// This operating system has no locks and syncs of the kind that the register is built on.
    UnsupportedPlatform,
    /// The medium reported an error. What was acknowledged before is still there.
    Io(IoFault),
}

impl OpenError {
    /// Whether a creation that failed in this way may have left a register under the name, now or after a crash. Else it
    /// is certain that it has not.
    #[must_use]
    pub fn may_have_created(&self) -> bool {
        let after_link =
            |during| matches!(during, Operation::Publish | Operation::SyncDirectory | Operation::Retract);
        matches!(self, Self::UnreadableDirectory)
            || matches!(self, Self::Io(IoFault { during, .. }) | Self::NoSpace { during } if after_link(*during))
    }
}

impl From<IoFault> for OpenError {
    fn from(fault: IoFault) -> Self {
        Self::Io(fault)
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadPath => f.write_str(
                "the path cannot be the name of a file: it is empty, ends in `..` or `/`, is too long, or holds a zero \
                 byte; give another one",
            ),
            Self::NoDirectory => f.write_str(
                "a directory on the path does not exist, or is none; create it, and sync the one above it",
            ),
            Self::DanglingLink => f.write_str(
                "the name is a symbolic link that leads to nothing; bring back what it led to, or remove the link",
            ),
            Self::NotFound => f.write_str(
                "no register under this name; create one, above every value that an earlier one may have had",
            ),
            Self::AlreadyExists => f.write_str("the name is taken; open the register instead of creating it"),
            Self::Held { process: Some(process) } => {
                write!(f, "process {process} holds the register; stop it, or wait for it")
            }
            Self::Held { process: None } => {
                f.write_str("another process holds the register; stop it, or wait for it")
            }
            Self::Busy => f.write_str("the register changed during every reading; try again"),
            Self::NotAFile => f.write_str(
                "the name leads to something that is not a regular file; move it away, or give another name",
            ),
            Self::NetworkFileSystem { name } => write!(
                f,
                "the file is on a network file system{}; use a local disk, or allow it by \
                 `allow_network_file_system`",
                Called(*name)
            ),
            Self::VolatileFileSystem { name } => write!(
                f,
                "the file is on a file system{} in memory, or mounted to skip syncs; use a disk, or allow it by \
                 `allow_volatile_file_system`",
                Called(*name)
            ),
            Self::UnknownFileSystem { name: Some(name) } => write!(
                f,
                "the file is on a file system, {name}, that is not known to keep what it syncs; use one that is, as \
                 ext4 or XFS, or allow this one by `allow_file_system`"
            ),
            Self::UnknownFileSystem { name: None } => f.write_str(
                "cannot tell what file system the file is on; if it is a local disk, allow it by \
                 `allow_unknown_file_system`",
            ),
            Self::NoLocks => f.write_str("the file system has no locks; use one that has"),
            Self::NoHardLinks => f.write_str("the file system has no hard links; use one that has"),
            Self::ReadOnlyDirectory => {
                f.write_str("the directory cannot be written to; give this process the right to create files in it")
            }
            Self::UnreadableDirectory => f.write_str(
                "the directory cannot be opened to sync it; give this process the right to read it",
            ),
            Self::UnsearchableDirectory => f.write_str(
                "a directory on the path may not be searched; give this process the right to (`x`) on each of them",
            ),
            Self::ReadOnlyFile => {
                f.write_str("the file cannot be written to; give this process the right to write to it")
            }
            Self::UnreadableFile => {
                f.write_str("the file cannot be read; give this process the right to read it")
            }
            Self::NoSpace { during } => {
                write!(f, "the disk or the quota is full while {during}; make room, and try again")
            }
            Self::WrongLength { found } => {
                write!(f, "the file has {found} bytes and a register {FILE_LEN}; ")?;
                f.write_str(if *found < FILE_LEN {
                    "restore it, or recover it with a floor observed elsewhere"
                } else {
                    "find out what was added, and cut it off, or move the file away and create a register at a floor \
                     observed elsewhere"
                })
            }
            Self::NoValidRecord => f.write_str(
                "the file has not one valid record; restore it, or recover it with a floor observed elsewhere",
            ),
            Self::Conflict => f.write_str(
                "two records contradict each other; make sure that one process writes at a time, then recover \
                 with a floor observed elsewhere",
            ),
            Self::Malformed => f.write_str(
                "a record breaks the format; the file was edited, or written by other software: restore it, or \
                 recover it with a floor observed elsewhere",
            ),
            Self::UnknownVersion { found } => {
                write!(f, "the register has version {found}; open it with the software that wrote it")
            }
            Self::WrongIdentity { found } => {
                write!(f, "the register is another one, its identity is {found}; put the right file here")
            }
            Self::Regressed(regressed) => regressed.fmt(f),
            Self::Replaced => f.write_str("the name does not stay with one file; find out who replaces it"),
            Self::NotARegister => {
                f.write_str("nothing in the file looks like a register; move it away and create one")
            }
            Self::PayloadTooLong(error) => error.fmt(f),
            Self::Exhausted => f.write_str(
                "the sequence numbers of the register are used up; create another one, above its value",
            ),
            Self::UnsupportedPlatform => f.write_str("registers in files exist on Unix only; use one, or another medium"),
            Self::Io(fault) => {
                write!(f, "{fault}; nothing acknowledged is lost: look up the error, mend its cause, and try again")
            }
        }
    }
}

impl core::error::Error for OpenError {}

/// The name of a file system within a sentence, where there is one.
struct Called(Option<FileSystemName>);

impl fmt::Display for Called {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |name| write!(f, " ({name})"))
    }
}

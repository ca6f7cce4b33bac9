//! What it means that the system refuses: errors of a medium as errors that tell an operator what to do.

use crate::error::{IoFault, OpenError, Operation};
use crate::medium::{Access, Facts, FileKind, Medium};
use std::io::{self, ErrorKind};

/// An error of the medium, and what was being done.
#[derive(Debug)]
pub(super) struct Failure {
    during: Operation,
    error: io::Error,
}

impl Failure {
    pub(super) fn of(during: Operation) -> impl Fn(io::Error) -> Self {
        move |error| Self { during, error }
    }
}

impl From<Failure> for IoFault {
    fn from(Failure { during, error }: Failure) -> Self {
        Self::of(during)(error)
    }
}

impl From<Failure> for OpenError {
    fn from(Failure { during, error }: Failure) -> Self {
        use Operation::{Create, Lock, Open, SyncDirectory};
        match (error.kind(), during) {
            (ErrorKind::Unsupported, Open | Create) => Self::UnsupportedPlatform,
            (ErrorKind::Unsupported, Lock) => Self::NoLocks,
            (ErrorKind::InvalidInput | ErrorKind::InvalidFilename, Open | Create) => Self::BadPath,
            (ErrorKind::NotADirectory, Open | Create) | (ErrorKind::NotFound, Create) => Self::NoDirectory,
            (ErrorKind::ReadOnlyFilesystem, Open) => Self::ReadOnlyFile,
            (ErrorKind::ReadOnlyFilesystem, Create) => Self::ReadOnlyDirectory,
            (ErrorKind::PermissionDenied, SyncDirectory) => Self::UnreadableDirectory,
            (ErrorKind::StorageFull | ErrorKind::QuotaExceeded, during) => Self::NoSpace { during },
            _ => IoFault::of(during)(error).into(),
        }
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the standard library knows more kinds of errors than it can list"
)]
pub(super) fn open<M: Medium>(medium: &M, access: Access) -> Result<M::File, OpenError> {
    medium.open(access).map_err(|error| match error.kind() {
        ErrorKind::NotFound if medium.is_link() => OpenError::DanglingLink,
        ErrorKind::NotFound => OpenError::NotFound,
        ErrorKind::IsADirectory => OpenError::NotAFile,
        ErrorKind::PermissionDenied if is_hidden(medium) => OpenError::UnsearchableDirectory,
        ErrorKind::PermissionDenied => match medium.open(Access::Read) {
            Err(error) if error.kind() == ErrorKind::PermissionDenied => OpenError::UnreadableFile,
            _ => OpenError::ReadOnlyFile,
        },
        _ => Failure { during: Operation::Open, error }.into(),
    })
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the standard library knows more kinds of errors than it can list"
)]
pub(super) fn create<M: Medium>(medium: &M) -> Result<M::File, OpenError> {
    medium.create().map_err(|error| match error.kind() {
        ErrorKind::PermissionDenied if is_hidden(medium) => OpenError::UnsearchableDirectory,
        ErrorKind::PermissionDenied => OpenError::ReadOnlyDirectory,
        _ => Failure { during: Operation::Create, error }.into(),
    })
}

/// Whether a directory on the path may not be searched: what the name leads to cannot even be asked about.
fn is_hidden<M: Medium>(medium: &M) -> bool {
    medium.named().is_err_and(|error| error.kind() == ErrorKind::PermissionDenied)
}

pub(super) fn examine<M: Medium>(medium: &M, file: &M::File) -> Result<Facts, OpenError> {
    let facts = medium.facts(file).map_err(Failure::of(Operation::Examine))?;
    match facts.kind {
        FileKind::Regular => Ok(facts),
        FileKind::Other => Err(OpenError::NotAFile),
    }
}

pub(super) fn sync_directory<M: Medium>(medium: &M) -> Result<(), OpenError> {
    Ok(medium.sync_directory().map_err(Failure::of(Operation::SyncDirectory))?)
}

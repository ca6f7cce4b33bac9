//! The file on which the permits are, each a shared lock.

use alloc::vec::Vec;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use super::FileGateError;
use crate::Epoch;

/// Its name, in the folder of the resource.
const NAME: &str = "gate.permits";

/// The right to act on the resource of a [`FileGate`](crate::FileGate) under one epoch, until it is dropped and every
/// child that inherited it has ended.
///
/// While it is alive, no newer epoch is admitted. So it must live exactly as long as the effect. A permit whose process
/// hangs keeps newer epochs out until the process is ended.
#[derive(Debug)]
#[must_use = "the permit is given back at once unless it is bound to a name"]
pub struct FilePermit {
    file: File,
    epoch: Epoch,
}

impl FilePermit {
    /// Returns the epoch under which it was given.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Has each process that this one starts from now on share the permit: it lives until the last of them has ended,
    /// also if this one is killed.
    ///
    /// A program that closes the descriptors it inherits gives up its share.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn inherit(&self) -> io::Result<()> {
        Ok(rustix::io::fcntl_setfd(&self.file, rustix::io::FdFlags::empty())?)
    }
}

impl AsFd for FilePermit {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// The file, opened by one call. Locks on it are taken only by one who holds the gate's register.
pub(super) struct Permits {
    file: File,
}

impl Permits {
    /// Opens the file that the register names, and no other.
    pub(super) fn open(folder: PathBuf, inode: u64) -> Result<Self, FileGateError> {
        let file = match OpenOptions::new().read(true).open(folder.join(NAME)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(FileGateError::PermitsReplaced);
            }
            Err(error) => return Err(error.into()),
        };
        let permits = Self { file };
        // Permits on another file would not be seen.
        if permits.inode()? == inode { Ok(permits) } else { Err(FileGateError::PermitsReplaced) }
    }

    /// Opens the file, or makes it, durably.
    pub(super) fn open_or_create(folder: PathBuf) -> Result<Self, FileGateError> {
        // Whoever may not write may still have a permit: the lock needs no right to write.
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(folder.join(NAME))?;
        file.sync_all()?;
        File::open(folder)?.sync_all()?;
        Ok(Self { file })
    }

    pub(super) fn inode(&self) -> Result<u64, FileGateError> {
        Ok(self.file.metadata()?.ino())
    }

    /// Whether no permit is alive. If so, the file is locked until this value is dropped or shared.
    pub(super) fn drain(&self) -> Result<bool, FileGateError> {
        locked(self.file.try_lock())
    }

    /// Makes a permit of it; false where somebody else has it locked.
    pub(super) fn share(&self) -> Result<bool, FileGateError> {
        // The kernel lets go before it locks again. Nobody comes in between without the register.
        locked(self.file.try_lock_shared())
    }

    pub(super) fn into_permit(self, epoch: Epoch) -> FilePermit {
        FilePermit { file: self.file, epoch }
    }

    /// Which processes took the permits that are alive, one number for each, as far as the system tells.
    pub(super) fn holders(&self) -> Vec<u32> {
        high_water::lock_holders(&self.file)
    }
}

fn locked(result: Result<(), TryLockError>) -> Result<bool, FileGateError> {
    match result {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

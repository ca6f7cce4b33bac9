//! `FileMedium`: the medium that is a directory of this machine.

#[cfg(unix)]
mod holder;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod mount;
#[cfg(not(unix))]
mod refused;
#[cfg(unix)]
mod super_block;
#[cfg(unix)]
mod unix;

#[cfg(not(unix))]
use refused as system;
#[cfg(unix)]
use unix as system;

use crate::error::{IoFault, OpenError, Operation};
use crate::file_system::FileSystemName;
use crate::medium::{Access, Facts, FileId, FileSystem, Medium};
use alloc::vec::Vec;
use core::time::Duration;
use std::io;
use std::path::{Path, PathBuf};

/// A name in a directory of this machine.
///
/// Exists on every system; on those that are not Unix every attempt to open or create a register is refused
/// with [`OpenError::UnsupportedPlatform`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FileMedium {
    path: PathBuf,
}

impl FileMedium {
    /// Takes a path; a relative one is relative to the directory that is current now.
    ///
    /// # Errors
    ///
    /// [`OpenError::BadPath`] if the path is empty, [`OpenError::NoDirectory`] if it is relative and the current
    /// directory is gone.
    pub fn at(path: &Path) -> Result<Self, OpenError> {
        let path = std::path::absolute(path).map_err(|error| {
            if error.kind() == io::ErrorKind::InvalidInput {
                OpenError::BadPath
            } else if error.kind() == io::ErrorKind::NotFound {
                OpenError::NoDirectory
            } else {
                IoFault::of(Operation::Open)(error).into()
            }
        })?;
        Ok(Self { path })
    }

    /// The absolute path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Returns which processes took the `flock`s that are on a file, one number for each lock, for people to read.
///
/// It is what Linux lists in `/proc/locks`, and there may be more: locks of processes in other namespaces, or all of
/// them where nothing is listed. A lock that a child inherited is listed under the parent that took it.
#[must_use]
pub fn lock_holders(file: &std::fs::File) -> Vec<u32> {
    system::lock_holders(file)
}

/// An open file of a [`FileMedium`].
#[derive(Debug)]
pub struct OpenFile(system::File);

impl Medium for FileMedium {
    type File = OpenFile;

    fn open(&self, access: Access) -> io::Result<OpenFile> {
        system::open(&self.path, access).map(OpenFile)
    }

    fn create(&self) -> io::Result<OpenFile> {
        system::create(&self.path).map(OpenFile)
    }

    fn publish(&self, file: &OpenFile) -> io::Result<()> {
        system::publish(&self.path, &file.0)
    }

    fn retract(&self, file: &OpenFile) -> io::Result<()> {
        system::retract(&file.0)
    }

    fn unpublish(&self) -> io::Result<()> {
        system::unpublish(&self.path)
    }

    fn sync_directory(&self) -> io::Result<()> {
        system::sync_directory(&self.path)
    }

    fn named(&self) -> io::Result<FileId> {
        system::named(&self.path)
    }

    fn is_link(&self) -> bool {
        self.path.is_symlink()
    }

    fn facts(&self, file: &OpenFile) -> io::Result<Facts> {
        system::facts(&file.0)
    }

    fn len(&self, file: &OpenFile) -> io::Result<u64> {
        system::len(&file.0)
    }

    fn file_system(&self, file: &OpenFile) -> io::Result<FileSystem> {
        system::file_system(&file.0)
    }

    fn file_system_name(&self, file: &OpenFile) -> Option<FileSystemName> {
        system::file_system_name(&file.0)
    }

    fn try_lock(&self, file: &OpenFile) -> io::Result<bool> {
        system::try_lock(&file.0)
    }

    fn holder(&self, file: &OpenFile) -> Option<u32> {
        system::holder(&file.0)
    }

    fn pause(&self, pause: Duration) {
        std::thread::sleep(pause);
    }

    fn read_at(&self, file: &OpenFile, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        system::read_at(&file.0, offset, buffer)
    }

    fn write_at(&self, file: &OpenFile, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        system::write_at(&file.0, offset, bytes)
    }

    fn set_len(&self, file: &OpenFile, len: u64) -> io::Result<()> {
        system::set_len(&file.0, len)
    }

    fn sync(&self, file: &OpenFile) -> io::Result<()> {
        system::sync(&file.0)
    }
}

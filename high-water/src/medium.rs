//! `Medium`: what a register asks of the place where it lives.

use crate::file_system::FileSystemName;
use crate::identity::Origin;
use core::time::Duration;
use std::io;

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "every medium has to know what to do with each of them")]
pub enum Access {
    /// To look at it.
    Read,
    /// To hold it.
    ReadWrite,
}

/// What a name leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FileKind {
    /// A regular file.
    Regular,
    /// A directory, a device, a pipe.
    Other,
}

/// What the promises of a file system are worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FileSystem {
    /// A disk of this machine, under a file system that is known to keep what it syncs.
    Local,
    /// Another machine's, or one that may be.
    Network,
    /// Memory, or a mount that was told to skip syncs: it survives a killed process, not a power cut.
    Volatile,
    /// Not known.
    Unknown,
}

/// Tells one file of a machine from all others, as long as it exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    /// The device and the number of the file on it.
    #[must_use]
    pub const fn new(device: u64, inode: u64) -> Self {
        Self { device, inode }
    }
}

/// What a medium knows about an open file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "a medium makes it, so a new field has to break it")]
pub struct Facts {
    /// Which file it is.
    pub id: FileId,
    /// What it is.
    pub kind: FileKind,
    /// Its length, in bytes.
    pub len: u64,
    /// What gives a copy of it away, where there is such a thing.
    pub origin: Option<Origin>,
}

/// A directory with a name in it: all that a register asks of the world.
///
/// [`FileMedium`](crate::FileMedium) is the real one. `FaultMedium` (feature `fault`) fails on request. The
/// register's own code is the same on both.
///
/// The assumptions about what these calls do to a disk are listed in [FORMAT.md](crate::format).
///
/// # Errors
///
/// Every call reports what the system reports. An interrupted read or write may be reported as such; the
/// register repeats it. A sync that reports an error is never repeated.
#[expect(clippy::missing_errors_doc, reason = "said once, above, for all of them")]
pub trait Medium {
    /// An open file. Dropping it gives up its lock.
    type File;

    /// Opens the file that the name leads to: fails with `NotFound` if it leads to nothing, and with `IsADirectory`
    /// if what it leads to cannot be opened because it is no regular file.
    fn open(&self, access: Access) -> io::Result<Self::File>;

    /// Creates an empty file under a temporary name in the same directory.
    fn create(&self) -> io::Result<Self::File>;

    /// Gives a created file the name, by a hard link: fails with `AlreadyExists` if the name is taken.
    fn publish(&self, file: &Self::File) -> io::Result<()>;

    /// Removes the temporary name of a created file.
    fn retract(&self, file: &Self::File) -> io::Result<()>;

    /// Takes the name away again, from a file that nobody was told of: after a failed sync of the directory the name
    /// may be clean in the cache and missing on the disk, and only a new one can be made durable.
    fn unpublish(&self) -> io::Result<()>;

    /// Makes the names in the directory durable.
    fn sync_directory(&self) -> io::Result<()>;

    /// Which file the name leads to now.
    fn named(&self) -> io::Result<FileId>;

    /// Whether the name itself is a symbolic link, wherever it leads. A medium that has none says no.
    fn is_link(&self) -> bool {
        false
    }

    /// What is known about an open file.
    fn facts(&self, file: &Self::File) -> io::Result<Facts>;

    /// The length of an open file. A medium that can tell it for less than all the facts does.
    fn len(&self, file: &Self::File) -> io::Result<u64> {
        Ok(self.facts(file)?.len)
    }

    /// What the file system that an open file is on promises. Asked once an opening: to find out may cost more than
    /// all the rest.
    fn file_system(&self, file: &Self::File) -> io::Result<FileSystem>;

    /// What the system calls the file system that an open file is on, where it tells.
    fn file_system_name(&self, file: &Self::File) -> Option<FileSystemName> {
        let _ = file;
        None
    }

    /// Locks the file for this open file alone, until it is dropped or the process ends; false if somebody else
    /// has it.
    fn try_lock(&self, file: &Self::File) -> io::Result<bool>;

    /// The process that has the lock, where the system tells it.
    fn holder(&self, file: &Self::File) -> Option<u32>;

    /// Waits between two attempts to lock.
    fn pause(&self, pause: Duration);

    /// Reads at an offset, and returns how many bytes it read: fewer than asked for at the end of the file or if
    /// interrupted.
    fn read_at(&self, file: &Self::File, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;

    /// Writes at an offset, and returns how many bytes it wrote.
    fn write_at(&self, file: &Self::File, offset: u64, bytes: &[u8]) -> io::Result<usize>;

    /// Sets the length of the file; what is added reads as zeros.
    fn set_len(&self, file: &Self::File, len: u64) -> io::Result<()>;

    /// Makes everything written to the file durable, its length included.
    fn sync(&self, file: &Self::File) -> io::Result<()>;

    /// Reads at an offset until the buffer is full or the file ends, and returns how many bytes it read.
    fn read_full(&self, file: &Self::File, offset: u64, buffer: &mut [u8]) -> io::Result<usize>
    where
        Self: Sized,
    {
        read_full(self, file, offset, buffer)
    }

    /// Writes at an offset until all bytes are written.
    fn write_all(&self, file: &Self::File, offset: u64, bytes: &[u8]) -> io::Result<()>
    where
        Self: Sized,
    {
        write_all(self, file, offset, bytes)
    }
}

/// How often a read or write that is interrupted, or makes no progress, is repeated.
const PATIENCE: u32 = 1_000;

/// Reads until the buffer is full or the file ends; how many bytes.
pub(crate) fn read_full<M: Medium>(
    medium: &M,
    file: &M::File,
    offset: u64,
    buffer: &mut [u8],
) -> io::Result<usize> {
    let mut patience = PATIENCE;
    let mut done = 0_usize;
    loop {
        let rest = buffer.get_mut(done..).unwrap_or_default();
        if rest.is_empty() {
            return Ok(done);
        }
        match medium.read_at(file, offset.saturating_add(done as u64), rest) {
            Ok(0) => return Ok(done),
            Ok(read) => done = done.saturating_add(read),
            Err(error) if error.kind() == io::ErrorKind::Interrupted && patience > 0 => {
                patience = patience.saturating_sub(1);
            }
            Err(error) => return Err(error),
        }
    }
}

/// Writes until all bytes are written.
pub(crate) fn write_all<M: Medium>(
    medium: &M,
    file: &M::File,
    mut offset: u64,
    mut bytes: &[u8],
) -> io::Result<()> {
    let mut patience = PATIENCE;
    while !bytes.is_empty() {
        let written = match medium.write_at(file, offset, bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => written,
            Err(error) if error.kind() == io::ErrorKind::Interrupted && patience > 0 => {
                patience = patience.saturating_sub(1);
                continue;
            }
            Err(error) => return Err(error),
        };
        bytes = bytes.get(written..).unwrap_or_default();
        offset = offset.saturating_add(written as u64);
    }
    Ok(())
}

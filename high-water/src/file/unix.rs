//! The calls of a Unix system, one for one.

use super::{holder, super_block};
use crate::file_system::FileSystemName;
use crate::identity::Origin;
use crate::medium::{Access, Facts, FileId, FileKind, FileSystem};
use alloc::vec::Vec;
use std::ffi::OsString;
use std::fs::{self, Metadata, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// How many temporary names are tried: leftovers of crashed processes that had our number.
const NAMES: u32 = 1_000;

#[derive(Debug)]
pub(super) struct File {
    file: fs::File,
    temporary: Option<PathBuf>,
}

pub(super) fn open(path: &Path, access: Access) -> io::Result<File> {
    // Without blocking: a pipe under this name would otherwise wait for its other end.
    let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let write = access == Access::ReadWrite;
    let file = OpenOptions::new().read(true).write(write).custom_flags(flags).open(path);
    Ok(File { file: file.map_err(sort)?, temporary: None })
}

/// Gives kinds to errors that have none in the standard library.
fn sort(error: io::Error) -> io::Error {
    match rustix::io::Errno::from_io_error(&error) {
        // A socket, or a device that nobody serves.
        Some(rustix::io::Errno::NXIO | rustix::io::Errno::NODEV) => io::ErrorKind::IsADirectory.into(),
        // A link that leads to itself leads to nothing.
        Some(rustix::io::Errno::LOOP) => io::ErrorKind::NotFound.into(),
        _ => error,
    }
}

pub(super) fn create(path: &Path) -> io::Result<File> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    // With a slash behind it, it can only be the name of a directory: the link would fail.
    if path.as_os_str().as_encoded_bytes().ends_with(b"/") {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    for attempt in 0..NAMES {
        let mut hidden = OsString::from(".");
        hidden.push(name);
        hidden.push(std::format!(".{}-{attempt}.new", std::process::id()));
        let temporary = path.with_file_name(hidden);
        match OpenOptions::new().read(true).write(true).create_new(true).open(&temporary) {
            Ok(file) => return Ok(File { file, temporary: Some(temporary) }),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

pub(super) fn publish(path: &Path, file: &File) -> io::Result<()> {
    match &file.temporary {
        Some(temporary) => fs::hard_link(temporary, path),
        None => Err(io::ErrorKind::InvalidInput.into()),
    }
}

pub(super) fn retract(file: &File) -> io::Result<()> {
    match &file.temporary {
        Some(temporary) => fs::remove_file(temporary),
        None => Err(io::ErrorKind::InvalidInput.into()),
    }
}

pub(super) fn unpublish(path: &Path) -> io::Result<()> {
    fs::remove_file(path)
}

/// Syncs the directory that the file is really in, also if the path leads there by a symbolic link.
pub(super) fn sync_directory(path: &Path) -> io::Result<()> {
    let real = fs::canonicalize(path)?;
    let directory = real.parent().ok_or(io::ErrorKind::InvalidInput)?;
    fs::File::open(directory)?.sync_all()
}

pub(super) fn named(path: &Path) -> io::Result<FileId> {
    fs::metadata(path).map(|metadata| id(&metadata))
}

fn id(metadata: &Metadata) -> FileId {
    FileId::new(metadata.dev(), metadata.ino())
}

pub(super) fn facts(file: &File) -> io::Result<Facts> {
    let metadata = file.file.metadata()?;
    // A time of birth is not known on every file system.
    let birth = metadata.created().ok().and_then(|birth| birth.duration_since(UNIX_EPOCH).ok());
    let birth_nanos = birth.and_then(|birth| u64::try_from(birth.as_nanos()).ok());
    Ok(Facts {
        id: id(&metadata),
        kind: if metadata.is_file() { FileKind::Regular } else { FileKind::Other },
        len: metadata.len(),
        origin: Some(Origin::new(metadata.ino(), birth_nanos)),
    })
}

pub(super) fn len(file: &File) -> io::Result<u64> {
    Ok(file.file.metadata()?.len())
}

pub(super) fn file_system(file: &File) -> io::Result<FileSystem> {
    super_block::file_system(&file.file)
}

pub(super) fn file_system_name(file: &File) -> Option<FileSystemName> {
    super_block::name(&file.file)
}

pub(super) fn try_lock(file: &File) -> io::Result<bool> {
    match file.file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

pub(super) fn holder(file: &File) -> Option<u32> {
    lock_holders(&file.file).first().copied()
}

pub(super) fn lock_holders(file: &fs::File) -> Vec<u32> {
    file.metadata().map_or_else(|_| Vec::new(), |metadata| holder::of(metadata.dev(), metadata.ino()))
}

pub(super) fn read_at(file: &File, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
    file.file.read_at(buffer, offset)
}

pub(super) fn write_at(file: &File, offset: u64, bytes: &[u8]) -> io::Result<usize> {
    file.file.write_at(bytes, offset)
}

pub(super) fn set_len(file: &File, len: u64) -> io::Result<()> {
    file.file.set_len(len)
}

/// `fdatasync`, and on Apple's systems `F_FULLFSYNC`: the standard library knows the difference.
pub(super) fn sync(file: &File) -> io::Result<()> {
    file.file.sync_data()
}

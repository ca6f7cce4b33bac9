//! Systems without the locks, links and syncs of Unix: both ways in are refused, and nothing else is reached.

use crate::file_system::FileSystemName;
use crate::medium::{Access, Facts, FileId, FileSystem};
use std::io;
use std::path::Path;

/// There is none.
#[derive(Debug)]
pub(super) enum File {}

fn refused<T>() -> io::Result<T> {
    Err(io::ErrorKind::Unsupported.into())
}

pub(super) fn open(_: &Path, _: Access) -> io::Result<File> {
    refused()
}

pub(super) fn create(_: &Path) -> io::Result<File> {
    refused()
}

pub(super) fn unpublish(_: &Path) -> io::Result<()> {
    refused()
}

pub(super) fn sync_directory(_: &Path) -> io::Result<()> {
    refused()
}

pub(super) fn named(_: &Path) -> io::Result<FileId> {
    refused()
}

pub(super) fn publish(_: &Path, file: &File) -> io::Result<()> {
    match *file {}
}

pub(super) fn retract(file: &File) -> io::Result<()> {
    match *file {}
}

pub(super) fn facts(file: &File) -> io::Result<Facts> {
    match *file {}
}

pub(super) fn len(file: &File) -> io::Result<u64> {
    match *file {}
}

pub(super) fn file_system(file: &File) -> io::Result<FileSystem> {
    match *file {}
}

pub(super) fn file_system_name(file: &File) -> Option<FileSystemName> {
    match *file {}
}

pub(super) fn try_lock(file: &File) -> io::Result<bool> {
    match *file {}
}

pub(super) fn holder(file: &File) -> Option<u32> {
    match *file {}
}

pub(super) const fn lock_holders(_: &std::fs::File) -> alloc::vec::Vec<u32> {
    alloc::vec::Vec::new()
}

pub(super) fn read_at(file: &File, _: u64, _: &mut [u8]) -> io::Result<usize> {
    match *file {}
}

pub(super) fn write_at(file: &File, _: u64, _: &[u8]) -> io::Result<usize> {
    match *file {}
}

pub(super) fn set_len(file: &File, _: u64) -> io::Result<()> {
    match *file {}
}

pub(super) fn sync(file: &File) -> io::Result<()> {
    match *file {}
}

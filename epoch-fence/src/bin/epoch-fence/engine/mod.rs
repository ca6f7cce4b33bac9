//! The store that keeps the leases: the directory, or a server that spans hosts.

mod address;
#[cfg(feature = "etcd")]
mod etcd;
#[cfg(feature = "postgres")]
mod postgres;
mod remote;
#[cfg(all(feature = "postgres", feature = "tls"))]
mod tls;
#[cfg(any(feature = "etcd", feature = "postgres"))]
mod url;

pub(crate) use address::Address;
pub(crate) use remote::{Remote, RemoteError};

use core::error::Error;
use core::fmt;

use epoch_fence::ResourceId;
use epoch_fence::engine::file::{Directory, FileError};
use epoch_fence::engine::{Engine, Failure, Swapped};
use epoch_fence::protocol::{Swap, View};

/// Whatever keeps the leases.
pub(crate) enum Store {
    /// For the processes of this host.
    File(Directory),
    /// For those of many.
    Remote(Remote),
}

impl Store {
    pub(crate) const fn directory(&self) -> Option<&Directory> {
        match self {
            Self::File(directory) => Some(directory),
            Self::Remote(_) => None,
        }
    }
}

/// What goes wrong with it.
#[derive(Debug)]
pub(crate) enum StoreError {
    File(FileError),
    Remote(RemoteError),
}

impl StoreError {
    /// Whether somebody else is at the store, so that it is worth another try.
    pub(crate) const fn is_busy(&self) -> bool {
        matches!(self, Self::File(FileError::Busy { .. }))
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(why) => why.fmt(f),
            Self::Remote(why) => why.fmt(f),
        }
    }
}

impl Error for StoreError {}

impl Engine for Store {
    type Error = StoreError;

    fn load(&self, resource: &ResourceId) -> Result<View, StoreError> {
        match self {
            Self::File(directory) => directory.load(resource).map_err(StoreError::File),
            Self::Remote(remote) => remote.load(resource).map_err(StoreError::Remote),
        }
    }

    fn swap(&self, resource: &ResourceId, swap: &Swap) -> Result<Swapped, Failure<StoreError>> {
        match self {
            Self::File(directory) => directory.swap(resource, swap).map_err(|why| why.map(StoreError::File)),
            Self::Remote(remote) => remote.swap(resource, swap).map_err(|why| why.map(StoreError::Remote)),
        }
    }
}

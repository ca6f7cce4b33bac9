//! What all processes of a run agree on.

use core::fmt;
use core::time::Duration;

use clap::ValueEnum;
use epoch_fence::engine::file::FileOptions;
use epoch_fence::protocol::Ttl;
use epoch_fence::{HolderId, ResourceId};
use serde::{Deserialize, Serialize};

use crate::Failure;

/// How many processes contend.
pub(crate) const HOLDERS: u32 = 8;

/// How long a holder may wait for a process in the midst of a write of a file.
const PATIENCE: Duration = Duration::from_millis(150);

/// How long a call to a server may take. Short, so that a server that is stopped leaves calls of which nobody knows.
pub(crate) const TO_REQUEST: Duration = Duration::from_millis(700);

/// Which store keeps the records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
pub(crate) enum Kind {
    /// A directory, for the processes of one host.
    File,
    /// A PostgreSQL server.
    Postgres,
    /// A cluster of three etcd servers.
    Etcd,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::File => "file",
            Self::Postgres => "postgres",
            Self::Etcd => "etcd",
        })
    }
}

impl Kind {
    pub(crate) const fn is_server(self) -> bool {
        matches!(self, Self::Postgres | Self::Etcd)
    }

    /// How long a lease lasts. Short, so that pauses past it are many; etcd grants whole seconds.
    pub(crate) const fn ttl(self) -> Duration {
        Duration::from_millis(match self {
            Self::File => 600,
            Self::Postgres => 1_500,
            Self::Etcd => 2_000,
        })
    }

    /// A lease of which less is left is renewed. A holder believes in a new one for 350, 1,250 and 1,750 ms.
    pub(crate) const fn renew_below(self) -> Duration {
        Duration::from_millis(match self {
            Self::File => 250,
            Self::Postgres => 1_100,
            Self::Etcd => 1_500,
        })
    }

    /// How many effects a tenure has at most.
    pub(crate) const fn effects(self) -> u64 {
        match self {
            Self::File => 60,
            Self::Postgres | Self::Etcd => 240,
        }
    }

    /// How long an effect takes that lingers: longer than it takes to find its holder gone, and to take over.
    pub(crate) const fn linger(self) -> Duration {
        Duration::from_millis(match self {
            // A dead holder is found at once.
            Self::File => 400,
            Self::Postgres => 1_800,
            Self::Etcd => 2_600,
        })
    }

    /// Between two faults, in tenths of what they are with files: with longer leases everything takes longer, and
    /// the store has its own.
    pub(crate) const fn tenths(self) -> u64 {
        match self {
            Self::File => 10,
            Self::Postgres => 60,
            Self::Etcd => 80,
        }
    }
}

/// The one resource.
pub(crate) fn resource() -> ResourceId {
    ResourceId::of("contention", "register")
}

pub(crate) fn ttl(kind: Kind) -> Result<Ttl, Failure> {
    Ttl::new(kind.ttl()).ok_or_else(|| "not a time to live".into())
}

pub(crate) fn holder_id(number: u32) -> Result<HolderId, Failure> {
    Ok(HolderId::try_new(&format!("holder {number}"))?)
}

/// The directory for temporary files may be in memory: what is shown is killed processes, not power cuts.
pub(crate) const fn file_options() -> FileOptions {
    FileOptions::new().patience(PATIENCE).allow_volatile_file_system().allow_unknown_file_system()
}

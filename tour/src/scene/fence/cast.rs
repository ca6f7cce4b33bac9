//! What the parent tells holders and resource, what they say, and what holders send to the resource.

use core::{fmt, time::Duration};
use std::path::PathBuf;

use epoch_fence::{
    Epoch, FencingToken, RealmId, ResourceId,
    engine::file::{FileError, FileOptions},
};
use serde::{Deserialize, Serialize};

use super::Sabotage;
use crate::failure::Failure;

/// How long a lease lasts: long enough for a busy machine to start two processes in, and no longer.
pub(crate) const TTL: Duration = Duration::from_millis(1_500);

/// What is locked, and written.
pub(crate) fn ledger() -> ResourceId {
    ResourceId::of("tour", "ledger")
}

/// The directory for temporary files may be in memory: what is shown is a stop, not a power cut.
pub(crate) const fn leases() -> FileOptions {
    FileOptions::new().allow_volatile_file_system().allow_unknown_file_system().allow_network_file_system()
}

pub(crate) fn leases_failed(error: FileError) -> Failure {
    Failure::lease(error)
}

/// The part of a holder.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct HolderPart {
    /// Its name in the leases.
    pub(crate) name: String,
    /// Where the leases are.
    pub(crate) leases: PathBuf,
    /// When it gives up by itself.
    pub(crate) time_limit: Duration,
}

/// The part of the resource.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct ResourcePart {
    /// The realm of its gate.
    pub(crate) realm: RealmId,
    pub(crate) time_limit: Duration,
    pub(crate) sabotage: Option<Sabotage>,
}

/// What the parent tells.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Told {
    Holder(HolderPart),
    Resource(ResourcePart),
    /// Become the holder, and wait for as long as it takes.
    Acquire,
    /// Renew the lease, and say how much of it is left.
    Look,
    /// Send a write to the resource, without another look at the lease.
    Write {
        port: u16,
        text: String,
        /// Another token than the own one.
        under: Option<FencingToken>,
    },
    /// The part is over.
    Finish,
}

/// What holders and resource say.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Said {
    Granted(FencingToken),
    Looked {
        left: Duration,
    },
    /// The resource has answered.
    Answered {
        answer: Answer,
        /// Whether the lease is lost by now, as the holder itself can tell.
        lost: bool,
    },
    Listening {
        port: u16,
    },
    Report(ResourceReport),
}

/// A write, as it is sent to the resource: one frame.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Write {
    pub(crate) token: FencingToken,
    pub(crate) text: String,
}

/// What the resource answers: one frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Answer {
    Applied,
    Stale {
        floor: Epoch,
    },
    /// Any other refusal, in words.
    Refused(String),
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Applied => f.write_str("applied"),
            Self::Stale { floor } => write!(f, "refused: stale, the gate is at epoch {floor}"),
            Self::Refused(why) => write!(f, "refused: {why}"),
        }
    }
}

/// A write that was applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Applied {
    pub(crate) epoch: Epoch,
    pub(crate) text: String,
}

/// What became of the resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ResourceReport {
    /// What the gate let through, in order.
    pub(crate) behind_the_gate: Vec<Applied>,
    /// What a copy without a gate took, in order.
    pub(crate) in_the_open: Vec<Applied>,
    /// How many writes the gate counted as stale.
    pub(crate) stale: u64,
}

//! What all processes of a run agree on.

use core::time::Duration;

use epoch_fence::engine::file::FileOptions;
use epoch_fence::protocol::Ttl;
use epoch_fence::{HolderId, ResourceId};

use crate::Failure;

/// How many processes contend.
pub(crate) const HOLDERS: u32 = 8;

/// How long a lease lasts. Short, so that pauses past it are many.
pub(crate) const TTL: Duration = Duration::from_millis(600);

/// How long a holder may wait for a process in the midst of a write.
const PATIENCE: Duration = Duration::from_millis(150);

/// The one resource.
pub(crate) fn resource() -> ResourceId {
    ResourceId::of("contention", "register")
}

pub(crate) fn ttl() -> Result<Ttl, Failure> {
    Ttl::new(TTL).ok_or_else(|| "not a time to live".into())
}

pub(crate) fn holder_id(number: u32) -> Result<HolderId, Failure> {
    Ok(HolderId::try_new(&format!("holder {number}"))?)
}

/// The directory for temporary files may be in memory: what is shown is killed processes, not power cuts.
pub(crate) const fn file_options() -> FileOptions {
    FileOptions::new().patience(PATIENCE).allow_volatile_file_system().allow_unknown_file_system()
}

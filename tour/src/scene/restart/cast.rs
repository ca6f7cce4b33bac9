//! What parent and node tell each other.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Sabotage;

/// The part of a node in one life.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Part {
    /// Where its bound is kept.
    pub(crate) file: PathBuf,
    /// How far its wall clock is set back.
    pub(crate) seconds_back: u64,
    pub(crate) sabotage: Option<Sabotage>,
}

/// A stamp that the node has issued, and what its wall clock read just before.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Issued {
    pub(crate) wall_micros: u64,
    /// The stamp's bits.
    pub(crate) stamp: u64,
    /// The bits of the durable bound when it was issued.
    pub(crate) bound: u64,
}

//! `Sabotage`: rules broken on purpose, to see that the checks notice.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// What one replica does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
pub(crate) enum Sabotage {
    /// It keeps of concurrent values the one with the latest wall time.
    LastWriterWins,
    /// It applies what arrives as it arrives, without the buffer.
    DeliverAtOnce,
    /// It takes every write for one by a client that has read everything.
    IgnoreContexts,
}

impl Sabotage {
    /// The replica that does it.
    pub(crate) const REPLICA: u32 = 1;
}

//! `Sabotage`: a rule broken on purpose, to see that the checks notice.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// What the node does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
pub(crate) enum Sabotage {
    /// It begins each life without the bound of the one before.
    ForgetBound,
}

//! `Sabotage`: rules broken on purpose, to see that the checks notice.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// What one node does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
pub(crate) enum Sabotage {
    /// It stamps with its wall clock instead of its hybrid clock.
    WallStamps,
    /// It gives a stamp twice.
    RepeatStamps,
    /// It has no limit for the stamps of others.
    TrustEveryone,
    /// It forgets to count what it refuses.
    ForgetRefusals,
    /// It does not write down what it received.
    LoseMessages,
}

impl Sabotage {
    /// The node that does it: the one whose wall clock is behind, so that wrong stamps show.
    pub(crate) const NODE: u32 = 1;
}

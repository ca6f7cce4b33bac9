//! `Sabotage`: a rule broken on purpose, to see that the checks notice.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
pub(crate) enum Sabotage {
    /// The resource applies whatever comes.
    NoGate,
    /// The resource makes its gate anew for each write, without a floor.
    ForgetfulGate,
    /// The second holder writes under the token of the first.
    SharedToken,
}

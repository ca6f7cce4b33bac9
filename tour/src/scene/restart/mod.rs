//! Scene `restart`: a node is killed with SIGKILL, its wall clock is set back, and it is started again on the same
//! file.
//!
//! What it shows: its stamps go on rising, from the first one of each life, although its wall clock reads what it
//! has read before. What it takes for truth is what the node said before it was killed.

mod cast;
mod lives;
mod node;
mod sabotage;
mod summary;

pub(crate) use self::sabotage::Sabotage;

use super::{Outcome, Role, Scene};
use crate::{failure::Failure, stage::Stage};

/// The scene.
pub(crate) const SCENE: Scene =
    Scene { name: "restart", run, roles: &[Role { name: "node", play: node::play }] };

fn run(stage: &Stage<'_>) -> Result<Outcome, Failure> {
    Ok(summary::outcome(&lives::play_all(stage)?))
}

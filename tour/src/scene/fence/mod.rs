//! Scene `fence`: the holder of a lock is stopped past its lease, another one takes over, and the first one wakes.
//!
//! What it shows: the second holder has the next epoch, and the write that the first one sends when it wakes is refused
//! at the resource, by the gate; the same write harms a copy of the resource that has no gate. What it takes for truth
//! is what the resource applied, and the audit log of the leases.

mod cast;
mod holder;
mod play;
mod resource;
mod sabotage;
mod summary;
mod verdict;

pub(crate) use self::sabotage::Sabotage;

use super::{Outcome, Role, Scene};
use crate::{failure::Failure, stage::Stage};

/// The scene.
pub(crate) const SCENE: Scene = Scene {
    name: "fence",
    run,
    roles: &[Role { name: "holder", play: holder::play }, Role { name: "resource", play: resource::play }],
};

fn run(stage: &Stage<'_>) -> Result<Outcome, Failure> {
    Ok(summary::outcome(&play::play(stage)?))
}

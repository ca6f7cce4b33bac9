//! Scene `messages`: processes whose wall clocks lie pass messages with hybrid stamps.
//!
//! What it shows: every effect is stamped after its cause, whatever the wall clocks do, and a peer that sends
//! stamps of the year 2500 moves no clock. What it takes for truth is causality alone: each message names the
//! event of its sending, each node keeps its log in program order, and the parent computes the rest.

mod attack;
mod cast;
mod causality;
mod event;
mod fleet;
mod hostile;
mod inbox;
mod message;
mod node;
mod refusal;
mod sabotage;
mod summary;
mod verdict;
mod wall;

pub(crate) use self::sabotage::Sabotage;

use self::{fleet::Fleet, verdict::Verdict};
use super::{Outcome, Role, Scene};
use crate::{failure::Failure, stage::Stage};

/// The scene.
pub(crate) const SCENE: Scene = Scene {
    name: "messages",
    run,
    roles: &[Role { name: "node", play: node::play }, Role { name: "hostile", play: hostile::play }],
};

fn run(stage: &Stage<'_>) -> Result<Outcome, Failure> {
    let testimony = Fleet::start(stage)?.play()?;
    let verdict = Verdict::of(&testimony)?;
    Ok(summary::outcome(&testimony, &verdict))
}

//! Scene `replicas`: three replicas keep one key while the network between them holds, shuffles and doubles
//! messages.
//!
//! What it shows: values that were written concurrently all survive as siblings, a write by a client that saw them
//! replaces them, and a message that overtakes its cause waits. A replica takes writes into a `DvvSet`, and what
//! it applies comes out of a `CausalBuffer`. Every replica applies a write by the same call, `update` with the
//! context of the client and the replica that took it; that this gives the write the same name everywhere is what
//! causal delivery is for.
//!
//! What it takes for truth is what the replicas say they did, by the numbers that clients gave to their writes. No
//! clock, dot or context has a part in it.
//!
//! Beside that each replica keeps a diary, stamped by a vector clock, from which the run is drawn.

mod cast;
mod diary;
mod drawing;
mod group;
mod history;
mod message;
mod network;
mod replica;
mod round;
mod sabotage;
mod summary;
mod verdict;

pub(crate) use self::sabotage::Sabotage;

use self::{group::Group, verdict::Verdict};
use super::{Outcome, Role, Scene};
use crate::{failure::Failure, stage::Stage};

/// The scene.
pub(crate) const SCENE: Scene = Scene {
    name: "replicas",
    run,
    roles: &[Role { name: "replica", play: replica::play }, Role { name: "network", play: network::play }],
};

fn run(stage: &Stage<'_>) -> Result<Outcome, Failure> {
    let mut group = Group::start(stage)?;
    let tale = round::play_all(&mut group)?;
    let testimony = group.finish()?;
    let verdict = Verdict::of(&testimony);
    // What contradicts itself has no drawing; the verdict says so.
    let is_whole = verdict.drawing.contradiction.is_none();
    let folder = stage.options.out.as_deref();
    let files = is_whole.then(|| verdict.drawing.write(folder)).transpose()?;
    Ok(summary::outcome(&testimony, &verdict, files.as_ref(), &tale))
}

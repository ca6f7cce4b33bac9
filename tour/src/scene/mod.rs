//! Scenes: each shows one thing that wall clocks get wrong and this workspace gets right.
//!
//! A scene is one module here and one line in [`SCENES`].

pub(crate) mod check;
pub(crate) mod fence;
pub(crate) mod messages;
pub(crate) mod replicas;
pub(crate) mod restart;
pub(crate) mod sabotage;

use crate::{failure::Failure, stage::Stage};

/// All scenes, in the order in which they are played.
pub(crate) const SCENES: &[Scene] = &[messages::SCENE, replicas::SCENE, restart::SCENE, fence::SCENE];

/// A scene: what the parent does, and the roles that its children play.
#[derive(Debug)]
pub(crate) struct Scene {
    pub(crate) name: &'static str,
    pub(crate) run: fn(&Stage<'_>) -> Result<Outcome, Failure>,
    pub(crate) roles: &'static [Role],
}

/// What a child of a scene does.
#[derive(Debug)]
pub(crate) struct Role {
    pub(crate) name: &'static str,
    pub(crate) play: fn() -> Result<(), Failure>,
}

/// What a scene showed: the same for people and for programs.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Whether every guarantee held.
    pub(crate) held: bool,
    /// Lines for people; the last says what was shown.
    pub(crate) text: String,
    pub(crate) json: serde_json::Value,
}

/// Returns the names of all scenes.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    SCENES.iter().map(|scene| scene.name)
}

/// Returns the role called `scene/role`.
pub(crate) fn role(name: &str) -> Option<&'static Role> {
    let (scene, role) = name.split_once('/')?;
    let scene = SCENES.iter().find(|known| known.name == scene)?;
    scene.roles.iter().find(|known| known.name == role)
}

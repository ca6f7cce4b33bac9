//! `Stage`: what the parent gives to a scene.

use core::time::Duration;
use std::io::{self, Write as _};

use serde::de::DeserializeOwned;

use crate::{
    children::Children, deadline::Deadline, failure::Failure, options::Options, progress::Progress,
    scene::Scene,
};

/// What a run may take beyond the time that it is asked to send for: starting, draining, reporting on a busy
/// machine.
const ALLOWANCE: Duration = Duration::from_secs(30);

/// Everything that a scene needs from its surroundings.
#[derive(Debug)]
pub(crate) struct Stage<'o> {
    pub(crate) options: &'o Options,
    pub(crate) progress: Progress,
    scene: &'static Scene,
    time_limit: Duration,
    deadline: Deadline,
}

impl<'o> Stage<'o> {
    /// Makes the stage; the scene's time begins.
    pub(crate) fn new(options: &'o Options, scene: &'static Scene) -> Self {
        let time_limit = options.duration().saturating_add(ALLOWANCE);
        Self { options, progress: Progress::new(), scene, time_limit, deadline: Deadline::after(time_limit) }
    }

    /// Returns how long the scene may take in all. Children are told, so that they give up by themselves.
    pub(crate) const fn time_limit(&self) -> Duration {
        self.time_limit
    }

    /// Returns when the scene has to be over.
    pub(crate) const fn deadline(&self) -> Deadline {
        self.deadline
    }

    /// Says on standard error what has happened, where that was asked for.
    pub(crate) fn note(&self, what: &str) {
        if self.options.verbose {
            // It is for people; a run does not fail because nobody listens.
            let _ = writeln!(io::stderr(), "{what}");
        }
    }

    /// Starts a child in a role of this scene, and returns its number: 0 for the first.
    pub(crate) fn start<S>(
        &self,
        children: &mut Children<S>,
        name: &str,
        role: &str,
    ) -> Result<usize, Failure>
    where
        S: DeserializeOwned + Send + 'static,
    {
        let (number, pid) = children.start(name, &format!("{}/{role}", self.scene.name))?;
        self.note(&format!("started {name}, process {pid}"));
        Ok(number)
    }
}

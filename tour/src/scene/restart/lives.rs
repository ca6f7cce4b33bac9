//! `Life`: what a node said between a start and a kill.

use std::{env, fs, path::PathBuf, process};

use super::cast::{Issued, Part};
use crate::{children::Children, failure::Failure, scene::sabotage::Sabotage, stage::Stage};

/// How far the wall clock is set back in each life, in seconds. It is never where it was in the life before.
const SECONDS_BACK: [u64; 4] = [0, 5, 60, 3_600];

/// Stamps that are heard in a life before the kill; what is said until it strikes comes on top.
const LEAST_STAMPS: usize = 500;

/// One life of the node.
#[derive(Debug)]
pub(crate) struct Life {
    pub(crate) seconds_back: u64,
    /// In the order in which it said them; never empty.
    pub(crate) issued: Vec<Issued>,
}

/// The file of the node, removed with the scene.
struct Scratch {
    file: PathBuf,
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.file);
    }
}

/// Lets the node live, kills it, sets its wall clock back, and again.
pub(crate) fn play_all(stage: &Stage<'_>) -> Result<Vec<Life>, Failure> {
    let scratch = Scratch { file: env::temp_dir().join(format!("tour-restart-{}", process::id())) };
    let mut children = Children::<Issued>::new();
    let mut lives = Vec::new();
    for seconds_back in SECONDS_BACK {
        let life = lives.len();
        stage.progress.show(&format!("restart: life {life} of {}", SECONDS_BACK.len()));
        let child = stage.start(&mut children, &format!("node in life {life}"), "node")?;
        let sabotage = stage.options.sabotage.and_then(Sabotage::of_restart);
        children.tell(child, &Part { file: scratch.file.clone(), seconds_back, sabotage })?;
        let mut issued = Vec::new();
        while issued.len() < LEAST_STAMPS {
            issued.push(children.hear(stage.deadline(), "stamps")?.1);
        }
        issued.extend(children.kill(child, stage.deadline())?);
        lives.push(Life { seconds_back, issued });
    }
    Ok(lives)
}

//! What `cargo run` starts: the crates of this workspace at work on real processes.
//!
//! A run is one or more scenes ([`scene`]). A scene starts children, which are this same binary in a role,
//! lets them do something that wall clocks get wrong, and computes from what they report whether every
//! guarantee held. The exit status says so too: 0 held, 1 broken, 2 wrong options, 3 not finished.
#![forbid(unsafe_code)]

extern crate alloc;

mod children;
mod deadline;
mod failure;
mod frame;
mod grouped;
mod line;
mod options;
mod parent;
mod progress;
mod scene;
mod stage;

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use serde_json::json;

use self::{
    failure::Failure,
    options::{Command, Options},
    scene::Outcome,
    stage::Stage,
};

/// A guarantee did not hold.
const BROKEN: u8 = 1;
/// The run could not be finished, so that nothing was shown. (2 is clap's, for wrong options.)
const NOT_FINISHED: u8 = 3;

fn main() -> ExitCode {
    let options = Options::read();
    if let Some(Command::Child { role }) = &options.command {
        return parent::play(role);
    }
    match run(&options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(BROKEN),
        Err(failure) => {
            // Where even standard error is gone, the exit status still tells.
            let _ = writeln!(io::stderr(), "tour: error: {failure}");
            ExitCode::from(NOT_FINISHED)
        }
    }
}

/// Plays the scenes, shows what came of them, and returns whether every guarantee held.
fn run(options: &Options) -> Result<bool, Failure> {
    let mut outcomes = Vec::new();
    for scene in scene::SCENES {
        if options.scene.as_ref().is_none_or(|name| name == scene.name) {
            outcomes.push((scene.name, (scene.run)(&Stage::new(options, scene))?));
        }
    }
    let held = outcomes.iter().all(|(_, outcome)| outcome.held);
    let text = if options.json { to_json(options, &outcomes, held) } else { to_text(&outcomes) };
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|error| Failure::io("writing the summary", error))?;
    Ok(held)
}

fn to_json(options: &Options, outcomes: &[(&str, Outcome)], held: bool) -> String {
    let scenes: Vec<_> =
        outcomes.iter().map(|(name, outcome)| json!({ "scene": name, "outcome": outcome.json })).collect();
    let mut text = json!({ "held": held, "seed": options.seed, "scenes": scenes }).to_string();
    text.push('\n');
    text
}

fn to_text(outcomes: &[(&str, Outcome)]) -> String {
    outcomes.iter().map(|(_, outcome)| outcome.text.as_str()).collect::<Vec<_>>().join("\n")
}

//! `Options`: what the command line says.

use core::time::Duration;
use std::path::PathBuf;

use clap::{
    CommandFactory as _, Parser, Subcommand,
    builder::{PossibleValuesParser, RangedU64ValueParser},
    error::ErrorKind,
};

use crate::scene::{self, sabotage::Sabotage};

/// Starts real processes whose wall clocks lie, which are killed and stopped, and shows what the crates of this
/// workspace make of it.
///
/// Exit status: 0 every guarantee held, 1 one broke, 2 wrong options, 3 the run could not be finished.
#[derive(Debug, Parser)]
#[command(name = "tour", args_conflicts_with_subcommands = true)]
pub(crate) struct Options {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    /// Node processes of the scene `messages`.
    #[arg(long, value_name = "COUNT", default_value_t = 4,
          value_parser = RangedU64ValueParser::<u32>::new().range(3..=16))]
    pub(crate) nodes: u32,

    /// Messages that each node sends: at least two a second.
    #[arg(long, value_name = "COUNT", default_value_t = 1000,
          value_parser = RangedU64ValueParser::<u32>::new().range(2..=20_000))]
    pub(crate) messages: u32,

    /// Seconds over which they are sent.
    #[arg(long, value_name = "SECONDS", default_value_t = 4,
          value_parser = RangedU64ValueParser::<u64>::new().range(1..=300))]
    duration: u64,

    /// Rounds of concurrent writes in the scene `replicas`.
    #[arg(long, value_name = "COUNT", default_value_t = 40,
          value_parser = RangedU64ValueParser::<u32>::new().range(1..=500))]
    pub(crate) rounds: u32,

    /// Chooses who does what and when; what the operating system makes of it is not repeatable.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub(crate) seed: u64,

    /// Play one scene only.
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(scene::names()))]
    pub(crate) scene: Option<String>,

    /// Where the drawing of the scene `replicas` goes [default: target/tour, beside the program's own folder]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) out: Option<PathBuf>,

    /// Print one JSON document on standard output, and nothing else.
    #[arg(long)]
    pub(crate) json: bool,

    /// Say on standard error which processes are started.
    #[arg(long)]
    pub(crate) verbose: bool,

    /// Break a rule on purpose, to see that it is noticed.
    #[arg(long, value_name = "HOW", hide = true, value_parser = Sabotage::parse)]
    pub(crate) sabotage: Option<Sabotage>,
}

/// What this process is, where it is not the parent.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// A child in a role of a scene; its parent talks to it over standard input and output.
    #[command(hide = true)]
    Child {
        /// `scene/role`.
        role: String,
    },
}

/// Below this rate, whole seconds without a message would hide that a wall clock was set back.
const MIN_MESSAGES_PER_SECOND: u64 = 2;

impl Options {
    /// Reads the command line; where it is wrong, says so and ends the process with status 2.
    pub(crate) fn read() -> Self {
        let options = Self::parse();
        let least = options.duration.saturating_mul(MIN_MESSAGES_PER_SECOND);
        if u64::from(options.messages) < least {
            let why = format!("--duration {} needs --messages {least} or more", options.duration);
            Self::command().error(ErrorKind::ValueValidation, why).exit();
        }
        if let (Some(sabotage), Some(scene)) = (options.sabotage, &options.scene)
            && sabotage.scene() != scene
        {
            let why = format!("--sabotage is of the scene {}, which is not played", sabotage.scene());
            Self::command().error(ErrorKind::ArgumentConflict, why).exit();
        }
        options
    }

    pub(crate) const fn duration(&self) -> Duration {
        Duration::from_secs(self.duration)
    }
}

//! Processes that contend for one resource, while other processes pause, kill and restart them, and a checker of what
//! they left: whether the promises of `epoch-fence` held on real processes, files and sockets.
//!
//! Eight holders take leases from one directory, and let effects be applied by a process that holds the resource and
//! its [`DurableGate`](epoch_fence::DurableGate). The parent injects [faults], keeps what everybody says, and
//! [checks](check) it against the resource's journal and the audit log. Without the gate the same run shows what it is
//! good for: the checker must find violations then.
//!
//! Linux, as the file engine is.
#![forbid(unsafe_code)]

extern crate alloc;

mod cast;
mod check;
mod evidence;
mod faults;
mod holder;
mod host;
mod journal;
mod message;
mod report;
mod resource;
mod sightings;
mod troupe;

use core::error::Error;
use core::time::Duration;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::{env, fs, process};

use clap::{Parser, Subcommand, builder::RangedU64ValueParser};

use self::faults::Run;

/// Why a run could not be finished.
type Failure = Box<dyn Error + Send + Sync>;

/// Lets processes contend for one resource while faults happen to them, and checks what came of it.
///
/// Exit status: 0 every promise held, 1 one broke, 2 wrong options, 3 the run could not be finished or showed nothing.
#[derive(Debug, Parser)]
#[command(name = "contention", args_conflicts_with_subcommands = true)]
struct Options {
    #[command(subcommand)]
    command: Option<Command>,

    /// How long faults go on.
    #[arg(long, value_name = "SECONDS", default_value_t = 30,
          value_parser = RangedU64ValueParser::<u64>::new().range(1..=86_400))]
    seconds: u64,

    /// Chooses the faults, and what each process does; what the operating system makes of it is not repeatable.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,

    /// Leave the gate out: the resource applies whatever comes. Violations must show.
    #[arg(long)]
    without_gate: bool,

    /// Where the files go; a folder that is not there yet. It is removed unless a promise broke or the run could not
    /// be finished.
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

/// What this process is, where it is not the parent.
#[derive(Debug, Subcommand)]
enum Command {
    /// A holder; its parent talks to it over standard input and output.
    #[command(hide = true)]
    Holder,
    /// The resource.
    #[command(hide = true)]
    Resource,
}

/// A promise was broken.
const BROKEN: u8 = 1;
/// Nothing was shown. (2 is clap's, for wrong options.)
const NOT_FINISHED: u8 = 3;

fn main() -> ExitCode {
    let options = Options::parse();
    let status = match options.command {
        Some(Command::Holder) => play(holder::play),
        Some(Command::Resource) => play(resource::play),
        None => run(options),
    };
    status.unwrap_or_else(|failure| {
        // Where even standard error is gone, the exit status still tells.
        let _ = writeln!(io::stderr(), "contention: error (process {}): {failure}", process::id());
        ExitCode::from(NOT_FINISHED)
    })
}

/// Plays the role of a child, which ends with its parent: one that is stopped does not see its standard input end.
fn play(role: fn() -> Result<(), Failure>) -> Result<ExitCode, Failure> {
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    role()?;
    Ok(ExitCode::SUCCESS)
}

/// Plays the run, prints what came of it, and says whether every promise held.
fn run(options: Options) -> Result<ExitCode, Failure> {
    let unnamed = || env::temp_dir().join(format!("contention-{}", process::id()));
    let folder = options.folder.unwrap_or_else(unnamed);
    fs::create_dir(&folder)?;
    let run = Run {
        folder: folder.clone(),
        length: Duration::from_secs(options.seconds),
        seed: options.seed,
        gate: !options.without_gate,
    };
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "seed {}: {} holders, {} s, {}",
        run.seed,
        cast::HOLDERS,
        options.seconds,
        if run.gate { "with the gate" } else { "without the gate" },
    )?;
    out.flush()?;
    let (evidence, sightings) = faults::play(&run)?;
    let verdict = check::check(&evidence);
    report::write(&mut out, &evidence, &sightings, &verdict)?;
    let unseen = sightings.unseen(&evidence);
    let status = if !verdict.held() {
        writeln!(out, "\nBroken.")?;
        ExitCode::from(BROKEN)
    } else if !unseen.is_empty() {
        writeln!(out, "\nNothing shown: the run never saw {}.", unseen.join(", "))?;
        ExitCode::from(NOT_FINISHED)
    } else {
        writeln!(out, "\nEvery promise held.")?;
        ExitCode::SUCCESS
    };
    // What broke without the gate is no riddle.
    if verdict.held() || !run.gate {
        fs::remove_dir_all(&folder)?;
    } else {
        writeln!(out, "The files are kept in {}.", folder.display())?;
    }
    out.flush()?;
    Ok(status)
}

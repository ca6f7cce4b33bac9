//! Processes that contend for one resource, while other processes pause, kill and restart them, and a checker of what
//! they left: whether the promises of `epoch-fence` held on real processes, files and sockets.
//!
//! Eight holders take leases from one [store], and let effects be applied by a process that holds the resource and
//! its [`DurableGate`](epoch_fence::DurableGate). The parent injects [faults], keeps what everybody says, and
//! [checks](check) it against the resource's journal. Without the gate the same run shows what it is good for: the
//! checker must find violations then.
//!
//! The store is a directory, whose audit log is evidence too; or servers that the run starts, which it kills and pauses
//! as well, and to which holders come through proxies that drop, delay, hold and cut.
//!
//! Linux, as the file engine is.
#![forbid(unsafe_code)]
#![expect(
    clippy::result_large_err,
    clippy::wildcard_enum_match_arm,
    reason = "an attempt of which nobody knows is moved once; an outcome that is not named ends the run"
)]

extern crate alloc;

mod availability;
mod cast;
mod check;
mod connection;
mod director;
mod evidence;
mod faults;
mod ground;
mod havoc;
mod hearing;
mod holder;
mod host;
mod inject;
mod journal;
mod message;
mod report;
mod resource;
mod scene;
mod servers;
mod sightings;
mod store;
mod troupe;
mod witness;

use core::error::Error;
use core::time::Duration;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::{env, fs, process};

use clap::{Parser, Subcommand, builder::RangedU64ValueParser};
use clock_testing::NotInstalled;

use self::cast::Kind;
use self::faults::Run;
use self::scene::Scene;

/// Why a run could not be finished.
type Failure = Box<dyn Error + Send + Sync>;

/// Lets processes contend for one resource while faults happen to them, and checks what came of it.
///
/// Exit status: 0 every promise held, 1 one broke, 2 wrong options, 3 the run could not be finished or showed nothing, 4
/// the programs of a server are not installed (3 where `CLOCKS_REQUIRE_SERVERS` is 1).
#[derive(Debug, Parser)]
#[command(name = "contention", args_conflicts_with_subcommands = true)]
struct Options {
    #[command(subcommand)]
    command: Option<Command>,

    /// Which store keeps the leases.
    #[arg(long, value_enum, default_value_t = Kind::File)]
    engine: Kind,

    /// How long faults go on. With servers it takes longer where something was not seen yet that must be.
    #[arg(long, value_name = "SECONDS", default_value_t = 30,
          value_parser = RangedU64ValueParser::<u64>::new().range(1..=86_400))]
    seconds: u64,

    /// Chooses the faults, and what each process does; what the operating system makes of it is not repeatable.
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,

    /// Leave the gate out: the resource applies whatever comes. Violations must show.
    #[arg(long)]
    without_gate: bool,

    /// Play a scene in place of a run; those are of PostgreSQL.
    #[arg(long, value_enum, conflicts_with_all = ["seconds", "seed", "without_gate"])]
    scene: Option<Scene>,

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
/// There is no server to be had.
const NOT_INSTALLED: u8 = 4;

fn main() -> ExitCode {
    let options = Options::parse();
    let status = match options.command {
        Some(Command::Holder) => play(holder::play),
        Some(Command::Resource) => play(resource::play),
        None => match options.scene {
            Some(_) if options.engine != Kind::Postgres => Err("scenes are of --engine postgres".into()),
            Some(scene) => play_scene(scene, options.folder),
            None => run(options),
        },
    };
    status.unwrap_or_else(|failure| {
        // Where even standard error is gone, the exit status still tells.
        let _ = writeln!(io::stderr(), "contention: error (process {}): {failure}", process::id());
        let missing =
            failure.is::<NotInstalled>() && env::var("CLOCKS_REQUIRE_SERVERS").as_deref() != Ok("1");
        ExitCode::from(if missing { NOT_INSTALLED } else { NOT_FINISHED })
    })
}

/// Plays the role of a child, which ends with its parent: one that is stopped does not see its standard input end.
fn play(role: fn() -> Result<(), Failure>) -> Result<ExitCode, Failure> {
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    role()?;
    Ok(ExitCode::SUCCESS)
}

/// A folder that is not there yet.
fn new_folder(named: Option<PathBuf>) -> Result<PathBuf, Failure> {
    let folder = named.unwrap_or_else(|| env::temp_dir().join(format!("contention-{}", process::id())));
    fs::create_dir(&folder)?;
    Ok(folder)
}

/// Plays a scene, and says whether everything was found that must be.
fn play_scene(scene: Scene, folder: Option<PathBuf>) -> Result<ExitCode, Failure> {
    let folder = new_folder(folder)?;
    let mut out = io::stdout().lock();
    let held = scene::play(scene, &folder, &mut out);
    fs::remove_dir_all(&folder)?;
    let held = held?;
    writeln!(out, "\n{}", if held { "Every promise held." } else { "Broken." })?;
    out.flush()?;
    Ok(if held { ExitCode::SUCCESS } else { ExitCode::from(BROKEN) })
}

/// Plays the run, prints what came of it, and says whether every promise held.
fn run(options: Options) -> Result<ExitCode, Failure> {
    let folder = new_folder(options.folder)?;
    let run = Run {
        folder: folder.clone(),
        length: Duration::from_secs(options.seconds),
        seed: options.seed,
        gate: !options.without_gate,
        kind: options.engine,
    };
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "seed {}: {} holders on {}, {} s, {}",
        run.seed,
        cast::HOLDERS,
        run.kind,
        options.seconds,
        if run.gate { "with the gate" } else { "without the gate" },
    )?;
    out.flush()?;
    let (evidence, sightings) = faults::play(&run).inspect_err(|_| {
        // What a run leaves that did not begin is an empty folder; any other stays.
        let _empty = fs::remove_dir(&folder);
    })?;
    let verdict = check::check(&evidence);
    report::write(&mut out, run.kind, &evidence, &sightings, &verdict)?;
    let unseen = sightings.unseen(run.kind, &evidence);
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

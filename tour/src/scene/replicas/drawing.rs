//! `Drawing`: the diaries of the replicas as one log of vector clocks, and as a space-time diagram.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process,
};

use clock_tools::{
    diagram::{Diagram, write_html, write_svg},
    shiviz::{self, Builder, Log},
    validate::{Order, validate_log},
};
use serde::Serialize;

use super::{cast::Page, message};
use crate::failure::Failure;

/// The diaries as a log, and whether it can have happened.
#[derive(Debug)]
pub(crate) struct Drawing {
    log: Log,
    first_round: Log,
    pub(crate) events: u64,
    pub(crate) messages: u64,
    /// What contradicts itself, if anything does.
    pub(crate) contradiction: Option<String>,
}

/// Where it is.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Files {
    pub(crate) page: PathBuf,
    pub(crate) picture: PathBuf,
    pub(crate) log: PathBuf,
}

impl Drawing {
    pub(crate) fn of(diary: &[Page], first_round: usize) -> Self {
        let whole = read(diary);
        let first_round = read(diary.get(..first_round).unwrap_or_default());
        let (log, first_round, contradiction) = match (whole, first_round) {
            (Ok(log), Ok(first_round)) => (log, first_round, None),
            (Err(why), _) | (_, Err(why)) => (Log::default(), Log::default(), Some(why)),
        };
        let finding = [&log, &first_round].into_iter().find_map(|log| {
            let report = validate_log(log, Order::Any);
            report.findings().first().map(|finding| format!("page {}: {finding}", finding.line()))
        });
        let contradiction = contradiction.or(finding);
        let diagram = log.executions().first().and_then(|execution| Diagram::new(&log, execution).ok());
        let messages = diagram.map_or(0, |diagram| diagram.messages().len());
        let wide = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        Self { events: wide(log.events()), messages: wide(messages), log, first_round, contradiction }
    }

    /// Writes the files into a folder, or where none is asked for, into `tour` beside the folder of this program:
    /// `target/tour` for one that cargo has built.
    pub(crate) fn write(&self, folder: Option<&Path>) -> Result<Files, Failure> {
        let folder = folder.map_or_else(beside_the_program, |folder| Ok(folder.to_owned()))?;
        fs::create_dir_all(&folder).map_err(|error| Failure::io("making a folder for the drawing", error))?;
        let diagram = |log| Self::diagram(log);
        let page = file(&folder, "replicas.html", |to| {
            write_html("tour: three replicas keep one key", &[diagram(&self.log)?], to)
        })?;
        let picture = file(&folder, "replicas.svg", |to| {
            write_svg("three replicas keep one key: a first round", &diagram(&self.first_round)?, to)
        })?;
        let log = file(&folder, "replicas.log", |to| shiviz::write(&self.log, to).map_err(io::Error::other))?;
        Ok(Files { page, picture, log })
    }

    fn diagram(log: &Log) -> io::Result<Diagram<'_>> {
        let execution = log.executions().first();
        let execution = execution.ok_or_else(|| io::Error::other("nothing happened"))?;
        Diagram::new(log, execution).map_err(io::Error::other)
    }
}

/// The pages as a log. Wall time is told in seconds since the first of them.
fn read(pages: &[Page]) -> Result<Log, String> {
    let start = pages.iter().map(|page| page.wall_nanos).min().unwrap_or_default();
    let mut log = Builder::new();
    for page in pages {
        let stamp = message::decode_stamp(&page.stamp).map_err(|error| error.to_string())?;
        let micros = page.wall_nanos.saturating_sub(start).div_euclid(1_000);
        let wall = format!("{}.{:06}", micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000));
        let name = |replica: u32| format!("replica-{replica}");
        log.stamp(&stamp, name, &page.what, Some(&wall)).map_err(|error| error.to_string())?;
    }
    Ok(log.finish())
}

fn beside_the_program() -> Result<PathBuf, Failure> {
    let program = env::current_exe().map_err(|error| Failure::io("looking for a folder", error))?;
    let build = program.ancestors().nth(2).unwrap_or(Path::new("."));
    Ok(build.join("tour"))
}

/// Writes a file whole or not at all: another run may write the same one. Returns its path, as short as can be.
fn file(
    folder: &Path,
    name: &str,
    write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>,
) -> Result<PathBuf, Failure> {
    let path = folder.join(name);
    let draft = folder.join(format!("{name}.{}", process::id()));
    let mut bytes = Vec::new();
    let written = write(&mut bytes).and_then(|()| fs::write(&draft, &bytes));
    written
        .and_then(|()| fs::rename(&draft, &path))
        .map_err(|error| Failure::io("writing the drawing", error))?;
    let here = env::current_dir().unwrap_or_default();
    Ok(path.strip_prefix(&here).map(Path::to_owned).unwrap_or(path))
}

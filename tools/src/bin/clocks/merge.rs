//! `merge`: the logs of many hosts as one.

use core::num::NonZeroUsize;
use std::io::{self, BufWriter};
use std::path::PathBuf;

use clap::Args;
use clock_tools::Input;
use clock_tools::merge::{Finding, LogSummary, Merge, Site, Watch};
use serde_json::{Value, json};

use crate::exit::{DONE, FAILED, FOUND, Failure, USAGE, say, tell};
use crate::files;
use crate::output::finished;
use crate::progress::Progress;

pub(crate) const HELP: &str = "\
Each FILE is the log of one host, in the order in which it was written; each line begins with its stamp, or has it where \
--field or --pattern says. The output has all lines in the order of their stamps, which puts causes before their effects. \
Of equal stamps the file that is named first goes first.

A stamp has the text form of a stamp or of a timestamp, in any one layout, or that of a UUID of version 7; the first stamp \
of a file decides which. It stands in the first 16 KiB of its line. Lines may have any length, files any size; memory \
stays at some 16 MiB (32 KiB a file above 512 files, and 128 KiB more for each gzip). A gzip is told by how it \
begins. The lines of a file keep their order, whatever is wrong with their stamps:

  no stamp     the line stays with the one before it, as those of a stack trace; before the first stamp of a file it goes \
to the front
  goes back    the line has a lesser stamp than the one before it, which no clock does. It follows that one at once
  cut          the file cannot be read on (its disk fails, its gzip ends in the middle). It ends there; the others go on

Each is told on standard error, with file and line. The status is 1 if a stamp goes back or a file has lines and no stamp, \
and 3 if a file was cut.

Examples:
  clocks merge alice.log bob.log.gz > all.log
  ssh carol cat app.log | clocks merge alice.log bob.log - | less
  clocks merge --field 3 *.log
  clocks merge --pattern '\"at\":\"(?<stamp>[^\"]*)\"' *.json";

#[derive(Args, Debug)]
pub(crate) struct MergeLogs {
    /// The logs; - is the standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// The stamp is the Nth field of its line, from 1, between spaces and tabs
    #[arg(long, value_name = "N", conflicts_with = "pattern")]
    field: Option<NonZeroUsize>,

    /// The character that ends a field, in place of spaces and tabs
    #[arg(long, value_name = "CHAR", requires = "field", value_parser = delimiter)]
    delimiter: Option<u8>,

    /// The stamp is the group (?<stamp>...) of this regular expression, where it matches first
    #[arg(long, value_name = "REGEX", value_parser = Site::pattern)]
    pattern: Option<Site>,

    /// How many places of each kind are told; the rest is counted
    #[arg(long, value_name = "COUNT", default_value = "10")]
    report: u64,

    /// Show no progress, which is shown on a terminal alone
    #[arg(long)]
    no_progress: bool,

    /// Tell what was found as JSON, one document a line
    #[arg(long)]
    json: bool,
}

fn delimiter(text: &str) -> Result<u8, &'static str> {
    match text.as_bytes() {
        [byte] if byte.is_ascii() => Ok(*byte),
        b"\\t" => Ok(b'\t'),
        _ => Err("expected one ASCII character, or \\t"),
    }
}

pub(crate) fn merge(options: &MergeLogs) -> Result<u8, Failure> {
    if options.files.iter().filter(|file| file.as_os_str() == Input::STDIN).count() > 1 {
        return Err(Failure::new(USAGE, "the standard input is one input: - was given twice"));
    }
    if let Some(file) = options.files.iter().find(|file| files::is_output(file)) {
        return Err(Failure::new(USAGE, format!("{} is the output as well", file.display())));
    }
    files::allow(options.files.len());

    let site = match (&options.pattern, options.field) {
        (Some(site), _) => site.clone(),
        (None, Some(field)) => Site::field(field, options.delimiter),
        (None, None) => Site::start(),
    };
    let mut merge = Merge::new(site);
    let mut total = Some(0_u64);
    for file in &options.files {
        let input = Input::open(file).map_err(|why| {
            if files::are_too_many(why.why()) {
                return Failure::new(FAILED, format!("{why}; raise `ulimit -n`, or merge in groups"));
            }
            why.into()
        })?;
        total = total.zip(input.size()).and_then(|(total, size)| total.checked_add(size));
        merge.add(input);
    }

    let mut out = BufWriter::with_capacity(OUT, io::stdout().lock());
    let mut report = Report {
        progress: Progress::new(total, !options.no_progress),
        json: options.json,
        most: options.report,
        places: Counts::default(),
    };
    let merged = merge.run(&mut out, &mut report);
    // What is left in it is lost with the reader, and must not be tried again.
    let (_, _unwritten) = out.into_parts();
    match merged {
        Ok(summaries) => {
            let code = report.end(&summaries);
            finished(Ok(()), code)
        }
        Err(why) => {
            report.progress.clear();
            finished(Err(why), DONE)
        }
    }
}

/// Bytes that are written at once.
const OUT: usize = 256 * 1024;

/// How many places there were of each kind.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    goes_back: u64,
    unstamped: u64,
    cut: u64,
}

/// Tells what is found, and not more of it than was asked for.
#[derive(Debug)]
struct Report {
    progress: Progress,
    json: bool,
    most: u64,
    places: Counts,
}

impl Watch for Report {
    fn found(&mut self, finding: Finding) {
        let (count, most) = match &finding {
            Finding::GoesBack(_) => (&mut self.places.goes_back, self.most),
            Finding::Unstamped(_) => (&mut self.places.unstamped, self.most),
            // There is one of a file.
            Finding::Cut(_) | _ => (&mut self.places.cut, u64::MAX),
        };
        *count = count.saturating_add(1);
        if *count > most {
            return;
        }
        self.progress.clear();
        if self.json { document(&as_json(&finding)) } else { say(finding) }
    }

    fn read(&mut self, bytes: u64) {
        self.progress.add(bytes);
    }
}

fn document(value: &Value) {
    tell(&format!("{value}\n"));
}

fn as_json(finding: &Finding) -> Value {
    match finding {
        Finding::GoesBack(found) => json!({
            "found": "goes_back",
            "input": found.place().input(),
            "line": found.place().line(),
            "stamp": found.stamp().to_string(),
            "line_before": found.line_before(),
            "before": found.before().to_string(),
        }),
        Finding::Unstamped(found) => json!({
            "found": "unstamped",
            "input": found.place().input(),
            "line": found.place().line(),
            "lines": found.lines(),
            "after": found.after(),
        }),
        Finding::Cut(found) => json!({
            "found": "cut",
            "input": found.input(),
            "line": found.line(),
            "why": found.why().to_string(),
        }),
        other => json!({ "found": other.to_string() }),
    }
}

impl Report {
    /// Tells what there was in all, and says how the program ends.
    fn end(&mut self, summaries: &[LogSummary]) -> u8 {
        self.progress.clear();
        let mut strangers = 0_u64;
        for log in summaries.iter().filter(|log| log.lines() > 0 && log.stamped() == 0) {
            strangers = strangers.saturating_add(1);
            if strangers <= self.most && !self.json {
                say(format!(
                    "{}: no line has a stamp; --field and --pattern say where it stands",
                    log.name()
                ));
            }
        }
        let sum = |of: fn(&LogSummary) -> u64| summaries.iter().map(of).fold(0, u64::saturating_add);
        let (goes_back, unstamped) = (sum(LogSummary::goes_back), sum(LogSummary::unstamped));
        if self.json {
            for log in summaries {
                document(&json!({
                    "input": log.name(),
                    "lines": log.lines(),
                    "stamped": log.stamped(),
                    "unstamped": log.unstamped(),
                    "goes_back": log.goes_back(),
                    "cut": log.is_cut(),
                }));
            }
        } else if self.places.goes_back > self.most || self.places.unstamped > self.most {
            say(format!(
                "in all, {goes_back} stamps that go back, and {unstamped} lines without a stamp in {} places",
                self.places.unstamped
            ));
        }
        match (self.places.cut, goes_back, strangers) {
            (0, 0, 0) => DONE,
            (0, ..) => FOUND,
            _ => FAILED,
        }
    }
}

//! What the verbs for logs with vector clocks have in common: how such a log is read.

use std::io::Read as _;
use std::path::PathBuf;

use clap::Args;
use clock_tools::shiviz::{Limits, Log, LogError, Pattern, Reader};
use clock_tools::{Input, Place, ReadError};

use crate::exit::{FAILED, Failure, USAGE};

/// A log, and what it looks like.
#[derive(Args, Debug)]
pub(crate) struct LogOptions {
    /// The log, of at most 256 MiB, or a gzip of one; - is the standard input
    #[arg(value_name = "LOG")]
    pub(crate) log: PathBuf,

    /// What an event looks like, with the groups host, clock and event, and as an option date
    #[arg(long, value_name = "REGEX")]
    pub(crate) parser: Option<String>,

    /// What stands between two executions; its group trace names the one that follows
    #[arg(long, value_name = "REGEX")]
    pub(crate) delimiter: Option<String>,

    /// Whether the log begins with two lines of such expressions
    #[arg(long, value_name = "WHEN", default_value = "auto", value_parser = ["auto", "yes", "no"])]
    pub(crate) header: String,
}

/// The end of the help of each of the verbs.
pub(crate) const HELP: &str = "\
An event is a match of --parser, without one of the first line of the log where it has such a line, and else of ShiViz's \
own, which takes a line with the text and then one with host and clock:

  (?<event>.*)\\n(?<host>\\S*) (?<clock>{.*})

Expressions are those of JavaScript, without look-around and references; ^ and $ match at lines. A clock is a JSON object \
of hosts and counters.";

impl LogOptions {
    pub(crate) fn name(&self) -> String {
        self.log.display().to_string()
    }

    /// Reads the log. The inner error is one of what stands in it.
    pub(crate) fn read(&self) -> Result<Result<Log, LogError>, Failure> {
        let mut reader = Reader::new();
        if let Some(parser) = &self.parser {
            let parser = pattern("--parser", parser)?;
            reader = reader.with_parser(parser).map_err(|why| Failure::new(USAGE, why).during("--parser"))?;
        }
        if let Some(delimiter) = &self.delimiter {
            reader = reader.with_delimiter(pattern("--delimiter", delimiter)?);
        }
        if self.header != "auto" {
            reader = reader.with_header(self.header == "yes");
        }
        let mut bytes = Vec::new();
        // One byte more than is allowed, so that the reader sees that there is more.
        let limit = Limits::new().max_bytes().saturating_add(1);
        let input = Input::open(&self.log)?;
        let read = input.take(limit).read_to_end(&mut bytes);
        read.map_err(|why| ReadError::opening(self.name(), why))?;
        Ok(reader.read(&bytes))
    }

    /// Says why the log is none.
    pub(crate) fn refused(&self, why: &LogError) -> Failure {
        Failure::new(FAILED, self.at(why.line(), why.reason()))
    }

    /// A message about a line of the log.
    pub(crate) fn at(&self, line: Option<u64>, message: impl core::fmt::Display) -> String {
        match line {
            Some(line) => format!("{}: {message}", Place::new(self.name(), line)),
            None => format!("{}: {message}", self.name().escape_debug()),
        }
    }
}

fn pattern(option: &str, text: &str) -> Result<Pattern, Failure> {
    Pattern::parse(text).map_err(|why| Failure::new(USAGE, why).during(option))
}

//! `diagram`: a log of vector clocks as a space-time diagram.

use std::io;

use clap::{Args, ValueEnum};
use clock_tools::diagram::{Diagram, DiagramError, write_html, write_svg};
use clock_tools::shiviz::{Execution, Log};

use crate::exit::{DONE, FAILED, Failure, USAGE};
use crate::output::finished;
use crate::shiviz::LogOptions;

pub(crate) const HELP: &str = "\
The page is one file that asks nothing of a network. It shows for the event under the pointer, or the one that the keys \
have chosen, what was before it, after it and concurrent; it has a search, and draws a hundred thousand events as it draws \
ten. Where --parser has a group date, time, timestamp or wall, wall times stand beside the events, and messages that were \
received before they were sent by these clocks are marked.

The picture has no script. Screen readers find its events as a list.

Examples:
  clocks diagram shiviz.log > diagram.html
  clocks diagram --format svg --title 'What happened' shiviz.log > diagram.svg";

#[derive(Args, Debug)]
pub(crate) struct DrawLog {
    #[command(flatten)]
    pub(crate) log: LogOptions,

    /// A page or a picture
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Html)]
    pub(crate) format: Format,

    /// What stands above it [default: the name of the log]
    #[arg(long, value_name = "TEXT")]
    pub(crate) title: Option<String>,

    /// Draw this execution only; a page has all of them, a picture has one
    #[arg(long, value_name = "LABEL")]
    pub(crate) execution: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Format {
    Html,
    Svg,
}

pub(crate) fn diagram(options: &DrawLog) -> Result<u8, Failure> {
    let log = options.log.read()?.map_err(|why| options.log.refused(&why))?;
    let executions = options.executions(&log)?;
    let mut diagrams = Vec::new();
    for execution in executions {
        diagrams.push(Diagram::new(&log, execution).map_err(|why| options.refused(&why))?);
    }
    let title = options.title.clone().unwrap_or_else(|| options.log.name());
    let out = io::stdout().lock();
    let written = match (options.format, diagrams.as_slice()) {
        (Format::Html, _) => write_html(&title, &diagrams, out),
        (Format::Svg, [diagram]) => write_svg(&title, diagram, out),
        (Format::Svg, _) => {
            let labels: Vec<String> =
                diagrams.iter().map(|diagram| format!("{:?}", diagram.label())).collect();
            let why = format!("a picture has one execution, and the log has {}", labels.join(", "));
            return Err(Failure::new(USAGE, why).during("--execution"));
        }
    };
    finished(written, DONE)
}

impl DrawLog {
    fn executions<'l>(&self, log: &'l Log) -> Result<Vec<&'l Execution>, Failure> {
        let all = log.executions().iter();
        let Some(wanted) = &self.execution else { return Ok(all.collect()) };
        let found: Vec<&Execution> = all.filter(|execution| execution.label() == wanted).collect();
        if found.is_empty() {
            let why = format!("{} has no execution {wanted:?}", self.log.name());
            return Err(Failure::new(USAGE, why).during("--execution"));
        }
        Ok(found)
    }

    fn refused(&self, why: &DiagramError) -> Failure {
        let first = if let DiagramError::Invalid(report) = why { report.findings().first() } else { None };
        let message = match first {
            Some(finding) => {
                let more = "clocks validate shows everything that contradicts itself";
                self.log.at(Some(finding.line()), format!("{finding}; {more}"))
            }
            None => self.log.at(None, why),
        };
        Failure::new(FAILED, message)
    }
}

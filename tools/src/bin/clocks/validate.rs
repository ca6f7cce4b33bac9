//! `validate`: whether a log of vector clocks can have happened.

use std::io::{self, Write as _};

use clap::Args;
use clock_tools::shiviz::Log;
use clock_tools::validate::{Finding, Order, validate_log};
use serde_json::json;

use crate::exit::{DONE, FOUND, Failure};
use crate::options::Form;
use crate::output::{self, finished};
use crate::shiviz::LogOptions;

pub(crate) const HELP: &str = "\
Each line that contradicts the rest is printed with its number and the reason:

  duplicate             the log has this event of this host twice
  gap                   an event of the host between this one and the one before is not in the log
  unknown_event         received before sent: the event knows one that the log does not have
  cycle                 received before sent: the event knows one that knows it
  knowledge_lost        the host knew more before
  knowledge_incomplete  the event knows another one, and not all that was known there
  out_of_order          with --in-order: the event stands before one that it knows
  unreadable            the line is no event; nothing else was looked at

Examples:
  clocks validate shiviz.log
  clocks validate --parser '(?<host>\\S*) (?<clock>{.*})\\n(?<event>.*)' govector.log
  zcat old.log.gz | clocks validate --in-order --json -";

#[derive(Args, Debug)]
pub(crate) struct Validate {
    #[command(flatten)]
    pub(crate) log: LogOptions,

    /// The lines have to be in a causal order: each event behind all that it knows
    #[arg(long)]
    pub(crate) in_order: bool,

    #[command(flatten)]
    pub(crate) form: Form,
}

pub(crate) fn validate(options: &Validate) -> Result<u8, Failure> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let (printed, code) = match options.log.read()? {
        Ok(log) => options.report(&log, &mut out),
        Err(why) if options.form.json => {
            let (line, message) = (why.line(), why.reason().to_string());
            let document =
                json!({ "file": options.log.name(), "line": line, "kind": "unreadable", "message": message });
            (output::json(&mut out, &document), FOUND)
        }
        Err(why) => {
            (writeln!(out, "{}", options.log.at(why.line(), format!("unreadable: {}", why.reason()))), FOUND)
        }
    };
    finished(printed.and_then(|()| out.flush()), code)
}

impl Validate {
    fn report(&self, log: &Log, out: &mut impl io::Write) -> (io::Result<()>, u8) {
        let order = if self.in_order { Order::Causal } else { Order::Any };
        let report = validate_log(log, order);
        let mut printed = report.findings().iter().try_for_each(|finding| self.finding(finding, out));
        let (events, hosts, skipped) = (report.events(), log.hosts().len(), log.skipped());
        let found =
            u64::try_from(report.findings().len()).unwrap_or(u64::MAX).saturating_add(report.omitted());
        if self.form.json {
            let summary = json!({
                "file": self.log.name(), "kind": "summary", "valid": report.is_valid(), "events": events,
                "hosts": hosts, "executions": log.executions().len(), "entries": report.entries(), "found": found,
                "not_shown": report.omitted(), "skipped_lines": skipped.lines(), "first_skipped_line": skipped.first(),
            });
            printed = printed.and_then(|()| output::json(out, &summary));
        } else {
            let verdict = match found {
                0 => "nothing contradicts anything".to_owned(),
                1 => "1 contradiction".to_owned(),
                _ => format!("{found} contradictions, {} of them not shown", report.omitted()),
            };
            let skipped = match (skipped.lines(), skipped.first()) {
                (lines @ 1.., Some(first)) => {
                    format!("; {lines} lines belong to no event, the first is line {first}")
                }
                _ => String::new(),
            };
            let line = self.log.at(None, format!("{events} events of {hosts} hosts: {verdict}{skipped}"));
            printed = printed.and_then(|()| writeln!(out, "{line}"));
        }
        (printed, if report.is_valid() { DONE } else { FOUND })
    }

    fn finding(&self, finding: &Finding, out: &mut impl io::Write) -> io::Result<()> {
        let (line, kind) = (finding.line(), finding.kind().name());
        if self.form.json {
            let document = json!({
                "file": self.log.name(), "line": line, "kind": kind, "host": finding.host(),
                "counter": finding.counter(), "message": finding.to_string(),
            });
            return output::json(out, &document);
        }
        writeln!(out, "{}", self.log.at(Some(line), format!("{kind}: {finding}")))
    }
}

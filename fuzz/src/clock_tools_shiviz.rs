//! Logs of vector clocks in `clock-tools`: any bytes are refused with a line that there is or are a log; a valid log has a
//! diagram whose arrows point down, a page that is no more than its own tags, and comes back from what is written of it.

use std::io::{self, Read};

use clock_tools::diagram::{Diagram, write_html, write_svg};
use clock_tools::shiviz::{Limits, Log, LogErrorReason, Reader, write};
use clock_tools::validate::{Order, validate, validate_log};

use crate::bounds::{Bound, bounded};

/// A character is an event at most, of two: a host, a clock, a text, and its place in tables that double. The expression
/// with which a log is read is compiled anew for each.
const LOG: Bound = Bound::total(1 << 20, 1 << 10).peak(512 << 10, 512);
/// A log may begin with two expressions of its own, each of which may ask for what `clock_tools_pattern` allows one.
const OWN: Bound = Bound::total(192 << 20, 1 << 10).peak(64 << 20, 1 << 10);
/// What is checked and drawn is in proportion to the entries of all clocks, which the log has spelled out.
const DRAWN: Bound = Bound::total(64 << 10, 4 << 10);
/// Looks for more, at the end and whenever the room for it is doubled.
const READS_AT_LEAST: usize = 16;

pub fn run(data: &[u8]) {
    let limits = Limits::new().with_max_bytes(1 << 16).with_max_events(1_000).with_max_hosts(64);
    let reader = Reader::new().with_limits(limits);
    let lines = 1 + data.iter().filter(|byte| **byte == b'\n').count() as u64;
    let bound = if data.windows(3).any(|part| part == b"(?<") { OWN } else { LOG };
    let log = match bounded(bound, data.len(), || reader.read(data)) {
        Ok(log) => log,
        Err(why) => return assert!(why.line().is_none_or(|line| (1..=lines).contains(&line)), "{why}"),
    };
    in_pieces(data, &log, &reader);
    let report = bounded(DRAWN, data.len(), || validate_log(&log, Order::Causal));
    assert!(report.findings().iter().all(|finding| (1..=lines).contains(&finding.line())));
    for execution in log.executions() {
        let is_valid = validate(&log, execution, Order::Any).is_valid();
        let diagram = bounded(DRAWN, data.len(), || Diagram::new(&log, execution));
        assert_eq!(diagram.is_ok(), is_valid);
        if let Ok(diagram) = diagram {
            drawn(&diagram);
        }
    }
    written(&log, reader);
}

/// However few bytes a source gives at a time, it is asked once for each, and a few times more.
fn in_pieces(data: &[u8], log: &Log, reader: &Reader) {
    let (mut reads, mut rest) = (0, data);
    let source = Counting(|buffer: &mut [u8]| {
        reads += 1;
        let size = 7.min(buffer.len());
        rest.read(&mut buffer[..size]).expect("memory is readable")
    });
    let read = reader.read_from(source).expect("memory is readable");
    assert_eq!((read.events(), read.hosts()), (log.events(), log.hosts()));
    assert!(reads <= data.len() / 7 + READS_AT_LEAST, "{reads} reads of {} bytes", data.len());
}

struct Counting<F>(F);

impl<F: FnMut(&mut [u8]) -> usize> Read for Counting<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok((self.0)(buffer))
    }
}

fn drawn(diagram: &Diagram<'_>) {
    assert!(diagram.messages().iter().all(|message| message.send() < message.receive()));
    let (mut page, mut picture) = (Vec::new(), Vec::new());
    write_html("fuzz", &[], &mut page).expect("memory takes everything");
    let tags = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'<').count();
    let empty = tags(&page);
    page.clear();
    write_html(diagram.label(), core::slice::from_ref(diagram), &mut page).expect("memory takes everything");
    assert_eq!(tags(&page), empty, "what a log says is no tag");
    write_svg(diagram.label(), diagram, &mut picture).expect("memory takes everything");
    assert!(!picture.windows(7).any(|part| part == b"<script"));
}

/// What has a place in the form that is written is read as it was.
fn written(log: &Log, reader: Reader) {
    let mut text = Vec::new();
    if write(log, &mut text).is_err() {
        return;
    }
    let names = |log: &Log| -> Vec<(String, u64)> {
        let events = log.executions().iter().flat_map(|execution| execution.events());
        events.map(|event| (log.host(event.host()).to_owned(), event.counter())).collect()
    };
    let limits = Limits::new().with_max_bytes(1 << 24);
    match reader.with_limits(limits).read(&text) {
        Ok(read) => assert_eq!(names(&read), names(log)),
        // Names of executions that differ in their line breaks alone are one name in a line.
        Err(why) => assert!(matches!(why.reason(), LogErrorReason::OtherExecution { .. }), "{why}"),
    }
}

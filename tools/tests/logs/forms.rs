//! The forms of a log that are read, and the one that is written.

use clock_tools::shiviz::{Builder, Log, Pattern, Reader, Writer, write};
use clock_tools::validate::{Order, validate_log};
use proptest::prelude::*;

use super::run::{by_hand, log, run};

/// What the golden logs say, whatever their form.
type Row<'r> = (&'r str, &'r [(&'r str, u64)], &'r str);
const STORY: [Row<'_>; 5] = [
    ("alice", &[("alice", 1)], "asks bob"),
    ("bob", &[("bob", 1)], "reads \"the paper\" {again}"),
    ("bob", &[("bob", 2), ("alice", 1)], "is asked"),
    ("bob", &[("bob", 3), ("alice", 1)], "answers"),
    ("alice", &[("alice", 2), ("bob", 3)], "has its answer"),
];

/// Host, clock and text of an event.
type Told = (String, Vec<(String, u64)>, String);

fn written(log: &Log) -> String {
    let mut text = Vec::new();
    write(log, &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

/// Host, clock and text of each event.
fn told(log: &Log, execution: usize) -> Vec<Told> {
    let execution = &log.executions()[execution];
    let clock = |place| {
        let mut clock: Vec<_> = execution
            .clock(place)
            .iter()
            .map(|entry| (log.host(entry.host()).to_owned(), entry.counter()))
            .collect();
        clock.sort();
        clock
    };
    let events = execution.events().iter().enumerate();
    events
        .map(|(at, event)| (log.host(event.host()).to_owned(), clock(at), event.text().to_owned()))
        .collect()
}

fn story() -> Vec<Told> {
    let sorted = |clock: &[(&str, u64)]| {
        let mut clock: Vec<_> = clock.iter().map(|(host, counter)| ((*host).to_owned(), *counter)).collect();
        clock.sort();
        clock
    };
    STORY.iter().map(|(host, clock, text)| ((*host).to_owned(), sorted(clock), (*text).to_owned())).collect()
}

#[test]
fn golden_logs_of_every_form_tell_one_story() {
    let host_first = Pattern::parse(Reader::HOST_FIRST).unwrap();
    let one_line =
        Pattern::parse(r"^\[(?<time>\d+)\] (?<host>\w+) (?<clock>{[^}]*}) - (?<event>.*)$").unwrap();
    let reader = Reader::new;
    for (what, reader, text, lines, skipped) in [
        ("ShiViz's own", reader(), include_str!("golden/own.log"), [1, 3, 5, 7, 9], 0),
        ("with its expressions", reader(), include_str!("golden/header.log"), [3, 5, 7, 9, 11], 0),
        (
            "host first",
            reader().with_parser(host_first).unwrap(),
            include_str!("golden/host-first.log"),
            [1, 3, 5, 7, 9],
            0,
        ),
        (
            "one line",
            reader().with_parser(one_line).unwrap(),
            include_str!("golden/one-line.log"),
            [2, 3, 4, 6, 7],
            2,
        ),
        ("TLA+", reader(), include_str!("golden/tla.log"), [4, 9, 14, 19, 24], 6),
    ] {
        let log = reader.read(text.as_bytes()).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(told(&log, 0), story(), "{what}");
        let found: Vec<u64> = log.executions()[0].events().iter().map(|event| event.line()).collect();
        assert_eq!(found, lines, "{what}");
        assert_eq!(log.skipped().lines(), skipped, "{what}");
        assert!(validate_log(&log, Order::Causal).is_valid(), "{what}");

        let with_cr = text.replace('\n', "\r\n");
        assert_eq!(reader.read(with_cr.as_bytes()).unwrap(), log, "{what}, with CR LF");
    }
}

#[test]
fn executions_have_their_names_and_know_nothing_of_each_other() {
    let log = Reader::new().read(include_bytes!("golden/executions.log")).unwrap();
    let labels: Vec<&str> = log.executions().iter().map(|execution| execution.label()).collect();
    assert_eq!(labels, ["", "first try", "second try"]);
    assert_eq!(told(&log, 2), story());
    assert!(validate_log(&log, Order::Causal).is_valid());
    let walls: Vec<_> = log.executions()[1].events().iter().map(|event| event.wall()).collect();
    assert_eq!(walls, [Some("10:00:00.5")]);

    let twice = "\n^=== (?<trace>.*) ===$\n=== a ===\nx\na {\"a\":1}\n=== a ===\nx\na {\"a\":1}\n";
    let error = Reader::new().read(twice.as_bytes()).unwrap_err();
    assert_eq!(error.to_string(), "line 6: another execution is called \"a\"");
}

#[test]
fn executions_without_a_name_are_called_by_their_number() {
    let event = "x\na {\"a\":1}\n";
    let unnamed = format!("{event}======\n{event}======\n\n======\n{event}");
    let reader = Reader::new().with_delimiter(Pattern::parse("^=+$").unwrap());
    let log = reader.read(unnamed.as_bytes()).unwrap();
    let labels: Vec<&str> = log.executions().iter().map(|execution| execution.label()).collect();
    assert_eq!(labels, ["", "execution 2", "execution 3"]);

    let many = format!("{event}======\n").repeat(10_001);
    let error = reader.read(many.as_bytes()).unwrap_err();
    assert_eq!(error.to_string(), "line 30000: there are more than 10000 executions");
}

#[test]
fn whether_a_log_begins_with_expressions_can_be_said() {
    let text = b"\n\nx\na {\"a\":1}\n";
    assert_eq!(Reader::new().read(text).unwrap().executions()[0].events()[0].line(), 3);
    // An event that talks of groups, and nothing that would be its own parser.
    let text = b"(?<host>a) (?<clock>{}) (?<event>b)\na {\"a\":1}\n";
    let log = Reader::new().with_header(false).read(text).unwrap();
    assert_eq!(log.executions()[0].events()[0].text(), "(?<host>a) (?<clock>{}) (?<event>b)");
    let error = Reader::new().read(text).unwrap_err();
    assert_eq!(error.to_string(), "the parser finds no event");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_is_read_as_it_was(seed: u64, hosts in 1..6_u32, events in 1..60_usize, is_timed: bool) {
        let mut lines = run(seed, hosts, events);
        if is_timed {
            lines.iter_mut().enumerate().for_each(|(at, line)| line.wall = Some(format!("2025-01-01T00:00:{at:02}")));
        }
        let log = log(&lines);
        let read = Reader::new().read(written(&log).as_bytes()).unwrap();
        prop_assert_eq!(told(&read, 0), told(&log, 0));
        let walls = |log: &Log| -> Vec<_> {
            log.executions()[0].events().iter().map(|event| event.wall().map(str::to_owned)).collect()
        };
        prop_assert_eq!(walls(&read), walls(&log));
        prop_assert!(validate_log(&read, Order::Causal).is_valid());
    }

    /// A text is anything, also what looks like other parts of a log.
    #[test]
    fn no_text_is_read_as_anything_but_a_text(
        texts in prop::collection::vec(
            prop_oneof![
                any::<String>(),
                "[a-z]{0,2} ?\\{[\":,0-9a-z]{0,8}\\}?[ a-z]{0,3}",
                Just("=== b ===".to_owned()),
                Just("(?<host>a) (?<clock>{}) (?<event>b)".to_owned()),
                Just("b {\"b\":1}\nc {\"c\":1}".to_owned()),
                Just("{\"b\":1} {\"c\":1}".to_owned()),
            ],
            1..8,
        ),
        is_timed: bool,
        is_named: bool,
    ) {
        let mut builder = Builder::new();
        if is_named {
            builder.execution("a");
        }
        for (at, text) in texts.iter().enumerate() {
            builder.event("a", [("a", at as u64 + 1)], text, is_timed.then_some("1")).unwrap();
        }
        let text = written(&builder.finish());
        let log = Reader::new().read(text.as_bytes()).unwrap_or_else(|error| panic!("{error} in {text:?}"));
        prop_assert_eq!(log.executions().len(), 1, "{:?}", text);
        prop_assert_eq!(log.skipped().lines(), 0, "{:?}", text);
        let events = log.executions()[0].events();
        prop_assert_eq!(events.len(), texts.len(), "{:?}", text);
        let letters = |text: &str| {
            let text = text.replace('\n', "\\n").replace('\r', "\\r");
            text.chars().filter(|char| !char.is_whitespace()).collect::<String>()
        };
        for (event, text) in events.iter().zip(&texts) {
            prop_assert_eq!(letters(event.text()), letters(text));
        }
    }
}

#[test]
fn what_the_form_has_no_place_for_is_refused_before_anything_is_written() {
    for host in ["", "a b", "a\n", "\u{a0}"] {
        let mut writer = Writer::new(Vec::new());
        assert!(writer.event(host, [(host, 1)], "x", None).is_err(), "{host:?}");
        assert_eq!(writer.into_inner(), b"");
    }
    let mut lines = vec![by_hand(&[("a", 1)], "x")];
    lines[0].wall = Some("10 o'clock".into());
    let error = write(&log(&lines), Vec::new()).unwrap_err();
    assert_eq!(error.to_string(), "a wall time cannot be \"10 o'clock\": white space ends it");
}

#[test]
fn a_host_may_be_called_anything_that_is_one_word() {
    let host = "a\"}\\{:\u{e9}\u{1f600}<";
    let log = log(&[by_hand(&[(host, 1)], "x"), by_hand(&[("b", 1), (host, 1)], "y")]);
    let read = Reader::new().read(written(&log).as_bytes()).unwrap();
    assert_eq!(told(&read, 0), told(&log, 0));
}

//! Logs that mean harm: each ends in a typed error with its line, or in a log.

use clock_tools::shiviz::{EventError, Limits, LogErrorReason, Pattern, Reader};
use clock_tools::validate::{Order, validate_log};
use proptest::prelude::*;

use super::run::{log, run};

fn refused(text: &str) -> String {
    Reader::new().read(text.as_bytes()).unwrap_err().to_string()
}

#[test]
fn what_is_wrong_is_said_with_the_line_of_the_clock() {
    for (text, error) in [
        ("", "the parser finds no event"),
        ("just text\n", "line 1: the parser finds no event"),
        ("x\na {}\n", "line 2: the clock has no entry of the event's own host \"a\""),
        ("x\na {\"b\":1}\n", "line 2: the clock has no entry of the event's own host \"a\""),
        ("x\na {\"a\":0}\n", "line 2: the clock counts no event of \"a\", which is the event's own host"),
        ("x\na {\"a\":1,\"a\":1}\n", "line 2: the clock has two entries of \"a\""),
        ("x\na {\"a\":1,\"b\":2,\"b\":3}\n", "line 2: the clock has two entries of \"b\""),
        ("x\na {\"a\":1,\"\\u0061\":1}\n", "line 2: the clock has two entries of \"a\""),
        (
            "x\na {\"a\":9223372036854775808}\n",
            "line 2: the clock counts 9223372036854775808 events of \"a\", and the most is 9223372036854775807",
        ),
        ("x\na {\"a\":99999999999999999999}\n", "line 2: the clock has a counter above 2^64-1 at byte 5"),
        ("x\na {\"a\":1}\ny\na {\"a\":-1}\n", "line 4: the clock has no whole number at byte 5"),
        ("x\na {\"a\":1.5}\n", "line 2: the clock has no whole number at byte 5"),
        ("x\na {\"a\":{}}\n", "line 2: the clock has no whole number at byte 5"),
        ("x\na {\"a\":1} }\n", "line 2: the clock has no end at byte 8"),
        ("x\n {\"\":1}\n", "line 2: the event has no host"),
        (
            "(?<host>a)(?<clock>b)(?<event>c)(?<event>d)\n\n",
            "line 1: regular expression, column 33: two groups are called event",
        ),
        ("\n(?<trace>(?=a))\n", "line 2: regular expression, column 10: a look-around is not supported"),
    ] {
        assert_eq!(refused(text), error, "{text:?}");
    }
    let parser = Pattern::parse("(?<host>a)?(?<clock>{.*}) (?<event>.*)").unwrap();
    let error = Reader::new().with_parser(parser).unwrap().read(b"\n{} x").unwrap_err();
    assert_eq!(error.to_string(), "line 2: the event has no host: that group matched nothing");
    let error = Reader::new().with_parser(Pattern::parse("(?<host>a)(?<event>b)").unwrap()).unwrap_err();
    assert_eq!(error.reason(), &LogErrorReason::NoGroup { group: "clock" });
    let error = Reader::new().read(b"x\na {\"a\":1}\n\xff\n").unwrap_err();
    assert_eq!((error.line(), error.reason()), (Some(3), &LogErrorReason::NotUtf8));
}

#[test]
fn every_limit_holds_at_its_edge() {
    let text = "x\na {\"a\":1}\ny\nb {\"b\":1,\"a\":1}\n";
    let read = |limits| Reader::new().with_limits(limits).read(text.as_bytes());
    let limits = Limits::new();
    let bytes = text.len() as u64;
    assert!(
        read(limits.with_max_bytes(bytes).with_max_events(2).with_max_hosts(2).with_max_entries(3)).is_ok()
    );
    let reason = |limits| read(limits).unwrap_err().reason().clone();
    assert_eq!(reason(limits.with_max_bytes(bytes - 1)), LogErrorReason::TooLong { limit: bytes - 1 });
    assert_eq!(
        reason(limits.with_max_events(1)),
        LogErrorReason::Event(EventError::TooManyEvents { limit: 1 })
    );
    assert_eq!(
        reason(limits.with_max_hosts(1)),
        LogErrorReason::Event(EventError::TooManyHosts { limit: 1 })
    );
    assert_eq!(
        reason(limits.with_max_entries(2)),
        LogErrorReason::Event(EventError::TooManyEntries { limit: 2 })
    );
    let endless = std::io::repeat(b'x');
    let error = Reader::new().with_limits(limits.with_max_bytes(1_000)).read_from(endless).unwrap_err();
    assert_eq!(error.to_string(), "the log has more than 1000 bytes");
}

#[test]
fn a_refused_event_leaves_the_log_as_it_was() {
    use clock_tools::shiviz::Builder;
    let mut builder = Builder::new();
    builder.event("a", [("a", 1)], "x", None).unwrap();
    for clock in [&[("new", 1)][..], &[("a", 2), ("new", 1), ("new", 2)], &[("a", 0), ("new", 1)]] {
        builder.event("a", clock.iter().copied(), "y", None).unwrap_err();
    }
    let log = builder.finish();
    assert_eq!((log.hosts(), log.events()), (&["a".to_owned()][..], 1));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_bytes_are_a_log_or_an_error_with_a_line_that_there_is(
        start in prop_oneof![Just(""), Just("x\na {\"a\":1}\n"), Just("\n^===$\n"), Just("x\na {\"a\":1,\"")],
        rest in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..60),
            "[a{}\":,0-9\n \\\\u]{0,60}".prop_map(String::into_bytes),
        ],
    ) {
        let bytes = [start.as_bytes(), &rest].concat();
        let lines = bytes.split(|byte| *byte == b'\n').count() as u64;
        match Reader::new().read(&bytes) {
            Ok(log) => {
                let last = log.executions().iter().flat_map(|execution| execution.events()).map(|event| event.line()).max();
                prop_assert!(last.is_some_and(|last| last <= lines));
                let report = validate_log(&log, Order::Causal);
                prop_assert!(report.findings().iter().all(|finding| finding.line() <= lines));
            }
            Err(error) => prop_assert!(error.line().is_none_or(|line| (1..=lines).contains(&line)), "{}", error),
        }
    }

    #[test]
    fn any_text_is_a_pattern_or_an_error_with_a_column_that_there_is(
        pattern in prop_oneof![any::<String>(), r"[\\(\[{}?<>=!:^$.*+|\])a-c0-9,dwsuxbk-]{0,24}"],
    ) {
        match Pattern::parse(&pattern) {
            Ok(parsed) => prop_assert_eq!(parsed.as_str(), &pattern),
            Err(error) => prop_assert!((1..=pattern.chars().count().max(1)).contains(&error.column()), "{}", error),
        }
    }

    /// One byte of a good log, changed.
    #[test]
    fn a_damaged_log_is_refused_or_read(seed: u64, at: prop::sample::Index, byte: u8) {
        let mut text = Vec::new();
        clock_tools::shiviz::write(&log(&run(seed, 3, 12)), &mut text).unwrap();
        let at = at.index(text.len());
        text[at] = byte;
        if let Ok(log) = Reader::new().read(&text) {
            let _report = validate_log(&log, Order::Any);
        }
    }
}

//! What is drawn, and that what a log says stays text.

use alloc::collections::BTreeSet;

use clock_tools::diagram::{Diagram, DiagramError, write_html, write_svg};
use clock_tools::shiviz::Log;
use proptest::prelude::*;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::run::{Line, by_hand, log, run};

fn page(title: &str, log: &Log) -> String {
    let diagrams: Vec<_> =
        log.executions().iter().map(|execution| Diagram::new(log, execution).unwrap()).collect();
    let mut page = Vec::new();
    write_html(title, &diagrams, &mut page).unwrap();
    String::from_utf8(page).unwrap()
}

fn picture(title: &str, log: &Log) -> String {
    let mut picture = Vec::new();
    write_svg(title, &Diagram::new(log, &log.executions()[0]).unwrap(), &mut picture).unwrap();
    String::from_utf8(picture).unwrap()
}

/// What the script of a page gets.
fn data(page: &str) -> Value {
    let (_, rest) = page.split_once("<script type=\"application/json\" id=\"data\">").unwrap();
    serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap()
}

/// Every tag is ended in its turn, every attribute quoted, every reference one that XML has.
fn assert_well_formed(picture: &str) {
    let mut open = Vec::new();
    let mut rest = picture.trim();
    while let Some((text, tag_on)) = rest.split_once('<') {
        assert!(!text.contains('>'), "{text}");
        for reference in text.split('&').skip(1) {
            assert!(
                ["lt;", "gt;", "amp;", "quot;", "#39;"].iter().any(|known| reference.starts_with(known)),
                "{text}"
            );
        }
        let (tag, after) = tag_on.split_once('>').unwrap();
        assert!(tag.matches('"').count().is_multiple_of(2) && !tag.contains('<'), "{tag}");
        match (tag.strip_prefix('/'), tag.strip_suffix('/')) {
            (Some(name), _) => assert_eq!(open.pop(), Some(name), "{text}"),
            (None, Some(_)) => {}
            (None, None) => open.push(tag.split(' ').next().unwrap()),
        }
        rest = after;
    }
    assert!(open.is_empty() && rest.is_empty(), "{open:?} {rest}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn arrows_point_down_and_every_event_is_below_all_that_it_knows(seed: u64, hosts in 1..7_u32, events in 1..80_usize) {
        let mut lines = run(seed, hosts, events);
        let in_order = lines.clone();
        fastrand::Rng::with_seed(seed).shuffle(&mut lines);
        let log = log(&lines);
        let diagram = Diagram::new(&log, &log.executions()[0]).unwrap();
        let rows: Vec<&Line> = diagram.events().map(|event| &lines[event.line() as usize - 1]).collect();
        prop_assert_eq!(rows.len(), lines.len());
        for (row, line) in rows.iter().enumerate() {
            prop_assert!(rows[row + 1..].iter().all(|below| !line.knows(below)), "{:?}", line);
        }
        prop_assert!(diagram.messages().iter().all(|message| message.send() < message.receive()));

        // A log that is in a causal order is drawn in its order.
        let log = super::run::log(&in_order);
        let diagram = Diagram::new(&log, &log.executions()[0]).unwrap();
        prop_assert!(diagram.events().map(|event| event.line()).eq(1..=events as u64));
    }

    /// The definition: an arrow from what is new with an event, and that nothing else new with it knows.
    #[test]
    fn there_is_an_arrow_for_every_direct_cause_and_for_no_other(seed: u64, hosts in 1..6_u32, events in 1..50_usize) {
        let lines = run(seed, hosts, events);
        let mut expected = BTreeSet::new();
        for (at, line) in lines.iter().enumerate() {
            let before = lines[..at].iter().rev().find(|other| other.host == line.host);
            let is_new = |place: &usize| {
                let cause = &lines[*place];
                cause.host != line.host && line.of(&cause.host) == cause.counter() && before.is_none_or(|before| !before.knows(cause))
            };
            let new: Vec<usize> = (0..at).filter(is_new).collect();
            let is_direct = |place: &&usize| new.iter().all(|other| other == *place || !lines[*other].knows(&lines[**place]));
            expected.extend(new.iter().filter(is_direct).map(|place| (*place, at)));
        }
        let log = log(&lines);
        let diagram = Diagram::new(&log, &log.executions()[0]).unwrap();
        let found: BTreeSet<_> = diagram.messages().iter().map(|message| (message.send(), message.receive())).collect();
        prop_assert_eq!(found, expected);
    }

    /// What the page leaves out it computes: counters from the lanes, and who knows whom from the messages.
    #[test]
    fn the_clocks_follow_from_what_is_in_the_page(seed: u64, hosts in 1..6_u32, events in 1..50_usize) {
        let lines = run(seed, hosts, events);
        let data = data(&page("x", &log(&lines)));
        let run = &data["executions"][0];
        let numbers = |key: &str| -> Vec<usize> {
            run[key].as_array().unwrap().iter().map(|number| number.as_u64().unwrap() as usize).collect()
        };
        let (lanes, messages) = (numbers("lanes"), numbers("messages"));
        let names: Vec<&str> = run["hosts"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
        let mut clocks: Vec<Vec<u64>> = Vec::new();
        let mut of_lane = vec![vec![0; names.len()]; names.len()];
        for (row, lane) in lanes.iter().enumerate() {
            let mut clock = of_lane[*lane].clone();
            for message in messages.chunks(2).filter(|message| message[1] == row) {
                clock = clock.iter().zip(&clocks[message[0]]).map(|(one, other)| *one.max(other)).collect();
            }
            clock[*lane] += 1;
            of_lane[*lane] = clock.clone();
            clocks.push(clock);
        }
        for (line, clock) in lines.iter().zip(&clocks) {
            prop_assert_eq!(line.counter(), clock[names.iter().position(|name| *name == line.host).unwrap()]);
            prop_assert!(names.iter().zip(clock).all(|(name, counter)| line.of(name) == *counter));
        }
    }

    #[test]
    fn no_text_of_a_log_becomes_markup_or_script(text: String, host in "[^\\s]{1,9}", title: String, wall: String) {
        let mut line = by_hand(&[(&host, 1)], &text);
        line.wall = Some(wall);
        let log = log(&[line]);
        check_page(&title, &log);
        assert_well_formed(&picture(&title, &log));
    }
}

/// There are as many tags as in a page without any text, and the script gets the text as it was.
fn check_page(title: &str, log: &Log) {
    let page = page(title, log);
    let empty = self::page("", &self::log(&[by_hand(&[("a", 1)], "")]));
    assert_eq!(page.matches('<').count(), empty.matches('<').count(), "{page}");
    let data = data(&page);
    let is_plain = |char: char| !matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if title.chars().all(is_plain) {
        assert_eq!(data["title"], title);
    }
    for (at, event) in log.executions()[0].events().iter().enumerate() {
        if event.text().chars().all(is_plain) {
            assert_eq!(data["executions"][0]["texts"][at], event.text());
        }
    }
}

#[test]
fn what_would_break_out_is_in_the_page_as_data() {
    let hostile = [
        "</script><script>document.title = 'broken'</script>",
        "<!-- <script>",
        "\"'`${}\\\u{2028}\u{2029}\u{0}",
        "<img src=x onerror=alert(1)>",
        "&lt;/script&gt;",
        "]]></title></svg><script>",
    ];
    let lines: Vec<Line> = hostile
        .iter()
        .enumerate()
        .map(|(at, text)| by_hand(&[("a</title>\"", at as u64 + 1)], text))
        .collect();
    let log = log(&lines);
    for title in hostile {
        check_page(title, &log);
        assert_well_formed(&picture(title, &log));
    }
}

#[test]
fn the_page_lets_its_own_script_run_and_asks_nothing_of_a_network() {
    let page = page("x", &log(&run(3, 3, 20)));
    let (_, script) = page.rsplit_once("<script>").unwrap();
    let script = script.split_once("</script>").unwrap().0;
    let digest = base64(&Sha256::digest(script));
    let policy = format!(
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; base-uri 'none'"
    );
    assert!(page.contains(&policy), "the script is now sha256-{digest}");
    for word in ["http:", "https:", "\"//", "'//", "src=", "@import", "url(", "fetch(", "import "] {
        let found = page.replace("http://www.w3.org/2000/svg", "").replace("default-src=", "");
        assert!(!found.contains(word), "{word}");
    }
    let picture = picture("x", &log(&run(3, 3, 20)));
    assert_eq!(picture.matches("http").count(), 1, "the name of SVG");
    assert!(
        !picture.contains("<script")
            && !picture.replace("url(#a)", "").replace("url(#b)", "").contains("url(")
    );
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word = (0..3).fold(0_u32, |word, at| word << 8 | u32::from(chunk.get(at).copied().unwrap_or(0)));
        for digit in 0..4 {
            let letter = LETTERS[(word >> (18 - 6 * digit) & 63) as usize];
            text.push(if digit <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

#[test]
fn a_picture_has_a_name_and_a_list_for_those_who_cannot_see_it() {
    let picture =
        picture("A & B", &log(&[by_hand(&[("a", 1)], "sends"), by_hand(&[("b", 1), ("a", 1)], "receives")]));
    assert_well_formed(&picture);
    for part in [
        "aria-labelledby=\"title desc\"",
        "<title id=\"title\">A &amp; B</title>",
        "2 events of 2 hosts, from top to bottom, and 1 messages between them",
        "<g role=\"list\" aria-label=\"events\">",
        "<g role=\"listitem\" aria-label=\"a, event 1: sends\">",
        "<g role=\"listitem\" aria-label=\"b, event 1: receives\">",
        "prefers-color-scheme:dark",
    ] {
        assert!(picture.contains(part), "{part} in {picture}");
    }
}

#[test]
fn messages_that_arrive_before_they_are_sent_by_wall_time_are_marked() {
    let at = |wall: &str, mut line: Line| {
        line.wall = Some(wall.into());
        line
    };
    let story = |sent: &str, received: &str| {
        let lines = [at(sent, by_hand(&[("a", 1)], "")), at(received, by_hand(&[("b", 1), ("a", 1)], ""))];
        let log = log(&lines);
        let diagram = Diagram::new(&log, &log.executions()[0]).unwrap();
        diagram.messages()[0].is_backwards()
    };
    assert!(story("2025-01-01T10:00:00.5Z", "2025-01-01T10:00:00.499Z"));
    assert!(story("12", "11.5"));
    assert!(!story("11.5", "12") && !story("12", "12"));
    assert!(
        !story("12", "noon") && !story("2025-01-01T10:00:00", "5"),
        "what cannot be compared is not guessed"
    );
    assert!(!story("2025-01-01T10:00:00+02:00", "2025-01-01T09:00:00Z"));
}

#[test]
fn a_log_that_contradicts_itself_has_no_diagram() {
    let log = log(&[by_hand(&[("a", 1), ("b", 1)], ""), by_hand(&[("b", 1), ("a", 1)], "")]);
    let error = Diagram::new(&log, &log.executions()[0]).unwrap_err();
    assert!(matches!(error, DiagramError::Invalid(_)), "{error}");
    assert!(error.to_string().starts_with("the log contradicts itself, first on line 1: "), "{error}");
}

#[test]
fn ten_thousand_events_are_a_page_of_a_megabyte_or_less() {
    let lines = run(5, 12, 10_000);
    let page = page("many", &log(&lines));
    let texts: usize = lines.iter().map(|line| line.text.len()).sum();
    assert!(page.len() < texts + 600_000, "{} with {texts} of texts", page.len());
}

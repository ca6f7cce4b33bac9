//! What `validate` finds, and that it finds nothing else.

use clock_tools::validate::{FindingKind, Order, validate_log};
use proptest::prelude::*;

use super::run::{Line, by_hand, can_have_happened, log, name, run};

/// The kind and line of all findings.
fn found(lines: &[Line], order: Order) -> Vec<(&'static str, u64)> {
    let report = validate_log(&log(lines), order);
    report.findings().iter().map(|finding| (finding.kind().name(), finding.line())).collect()
}

/// The line of a place.
fn at(place: usize) -> u64 {
    place as u64 + 1
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_run_of_real_clocks_is_valid_and_in_order(seed: u64, hosts in 1..7_u32, events in 1..120_usize) {
        prop_assert_eq!(found(&run(seed, hosts, events), Order::Causal), []);
    }

    #[test]
    fn every_deletion_of_a_line_is_found_where_the_log_can_tell(seed: u64, hosts in 1..5_u32, events in 1..40_usize) {
        let lines = run(seed, hosts, events);
        for gone in 0..lines.len() {
            let mut left = lines.clone();
            let deleted = left.remove(gone);
            let found = found(&left, Order::Any);
            let next = left.iter().position(|line| line.host == deleted.host && line.counter() == deleted.counter() + 1);
            // Of its own host the next event shows the gap, of others the first that knows it names what is missing.
            let missing = |line: &&Line| line.host != deleted.host && line.of(&deleted.host) == deleted.counter();
            match next {
                Some(next) => prop_assert!(found.contains(&("gap", at(next))), "{:?} in {:?}", found, left),
                None => prop_assert!(!found.iter().any(|(kind, _)| *kind == "gap"), "{:?}", found),
            }
            match left.iter().position(|line| missing(&line)) {
                Some(first) => {
                    prop_assert!(found.contains(&("unknown_event", at(first))), "{:?} in {:?}", found, left);
                }
                None if next.is_none() => prop_assert_eq!(found, []),
                None => {}
            }
        }
    }

    #[test]
    fn every_swap_of_dependent_lines_is_found_and_no_other(seed: u64, hosts in 1..5_u32, events in 2..30_usize) {
        let lines = run(seed, hosts, events);
        for later in 1..lines.len() {
            for earlier in 0..later {
                let mut swapped = lines.clone();
                swapped.swap(earlier, later);
                let knows_one_behind = |place: usize| {
                    swapped[place + 1..].iter().any(|behind| swapped[place].knows(behind))
                };
                let expected = (0..swapped.len()).any(knows_one_behind);
                let found = found(&swapped, Order::Causal);
                prop_assert_eq!(!found.is_empty(), expected, "{:?} in {:?}", found, swapped);
                prop_assert!(found.iter().all(|(kind, line)| *kind == "out_of_order" && knows_one_behind(*line as usize - 1)));
                // In any order it is the same log.
                prop_assert_eq!(super::validate::found(&swapped, Order::Any), []);
            }
        }
    }

    #[test]
    fn a_line_twice_is_found_with_both_numbers(seed: u64, hosts in 1..5_u32, events in 1..40_usize, which: prop::sample::Index, to: prop::sample::Index) {
        let mut lines = run(seed, hosts, events);
        let copy = lines[which.index(lines.len())].clone();
        lines.insert(to.index(lines.len() + 1), copy.clone());
        let both: Vec<usize> = (0..lines.len()).filter(|place| lines[*place] == copy).collect();
        let report = validate_log(&log(&lines), Order::Any);
        let [finding] = report.findings() else { panic!("{report:?}") };
        prop_assert_eq!(finding.line(), at(both[1]));
        prop_assert_eq!(finding.kind(), &FindingKind::Duplicate { first_line: at(both[0]) });
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// The definition looks at every pair of clocks; the checks look at each entry once.
    #[test]
    fn a_bent_log_is_valid_exactly_when_it_can_have_happened(
        seed: u64, hosts in 2..5_u32, events in 2..40_usize,
        bends in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..5_u8), 1..4),
    ) {
        let mut lines = run(seed, hosts, events);
        for (line, host, how) in bends {
            let place = line.index(lines.len());
            let host = name(host.index(hosts as usize) as u32);
            let count = lines.len();
            let line = &mut lines[place];
            match (line.clock.iter_mut().find(|(known, _)| *known == host), how) {
                (Some((_, counter)), 0) => *counter += 1,
                (Some((_, counter)), 1) if *counter > 1 => *counter -= 1,
                (Some(_), 2) if host != line.host => line.clock.retain(|(known, _)| *known != host),
                (None, 3) => line.clock.push((host, 1)),
                (_, 4) if count > 1 => drop(lines.remove(place)),
                _ => {}
            }
        }
        let found = found(&lines, Order::Any);
        prop_assert_eq!(found.is_empty(), can_have_happened(&lines), "{:?} in {:#?}", found, lines);
    }
}

#[test]
fn each_contradiction_is_named_with_its_line_and_its_reason() {
    type Case<'c> = (&'c str, &'c [Line], &'c [(u64, &'c str)]);
    let cases: [Case<'_>; 9] = [
        (
            "a gap",
            &[by_hand(&[("a", 1)], ""), by_hand(&[("a", 4)], "")],
            &[(2, "event 4 of \"a\" follows event 1: what is between them is not in the log")],
        ),
        (
            "a beginning that is missing",
            &[by_hand(&[("a", 3)], "")],
            &[(1, "event 3 of \"a\" is the first of its host in the log")],
        ),
        (
            "a host that has no event",
            &[by_hand(&[("a", 1), ("b", 2)], "")],
            &[(1, "event 1 of \"a\" knows 2 events of \"b\", and the log has none")],
        ),
        (
            "an event that is not there",
            &[by_hand(&[("a", 1), ("b", 2)], ""), by_hand(&[("b", 1)], "")],
            &[(1, "event 1 of \"a\" knows 2 events of \"b\", and the log has only 1")],
        ),
        (
            "two that know each other",
            &[by_hand(&[("a", 1), ("b", 1)], ""), by_hand(&[("b", 1), ("a", 1)], "")],
            &[
                (1, "event 1 of \"a\" knows event 1 of \"b\" on line 2, which knows it as well"),
                (2, "event 1 of \"b\" knows event 1 of \"a\" on line 1, which knows it as well"),
            ],
        ),
        (
            "knowledge that is lost",
            &[by_hand(&[("b", 1)], ""), by_hand(&[("a", 1), ("b", 1)], ""), by_hand(&[("a", 2)], "")],
            &[(3, "event 2 of \"a\" knows 0 events of \"b\", and its host knew 1 on line 2")],
        ),
        (
            "knowledge that is incomplete",
            &[
                by_hand(&[("b", 1)], ""),
                by_hand(&[("c", 1), ("b", 1)], ""),
                by_hand(&[("a", 1), ("c", 1)], ""),
            ],
            &[(
                3,
                "event 1 of \"a\" knows an event of \"c\" on line 2 that knew 1 events of \"b\", and itself knows 0",
            )],
        ),
        (
            "three that know each other in a ring",
            &[
                by_hand(&[("a", 1), ("b", 1)], ""),
                by_hand(&[("b", 1), ("c", 1)], ""),
                by_hand(&[("c", 1), ("a", 1)], ""),
            ],
            &[
                (
                    1,
                    "event 1 of \"a\" knows an event of \"b\" on line 2 that knew 1 events of \"c\", and itself knows 0",
                ),
                (1, "event 1 of \"a\" knows event 1 of \"b\" on line 2, which knows it by way of 3 events"),
                (
                    2,
                    "event 1 of \"b\" knows an event of \"c\" on line 3 that knew 1 events of \"a\", and itself knows 0",
                ),
                (
                    3,
                    "event 1 of \"c\" knows an event of \"a\" on line 1 that knew 1 events of \"b\", and itself knows 0",
                ),
            ],
        ),
        (
            "a host's lines in another order, which is none",
            &[by_hand(&[("a", 2)], ""), by_hand(&[("a", 1)], "")],
            &[],
        ),
    ];
    for (what, lines, expected) in cases {
        let report = validate_log(&log(lines), Order::Any);
        let found: Vec<_> =
            report.findings().iter().map(|finding| (finding.line(), finding.to_string())).collect();
        let expected: Vec<_> = expected.iter().map(|(line, text)| (*line, (*text).to_owned())).collect();
        assert_eq!(found, expected, "{what}");
    }
}

#[test]
fn the_cost_is_linear_in_the_entries_of_all_clocks() {
    for hosts in [2, 8, 64] {
        let steps = |events| {
            let report = validate_log(&log(&run(7, hosts, events)), Order::Causal);
            assert!(report.is_valid());
            (report.steps(), report.entries() + report.events())
        };
        let [(small, few), (large, many)] = [2_000, 16_000].map(steps);
        assert!(
            small <= 9 * few && large <= 9 * many,
            "{hosts} hosts: {small} for {few}, {large} for {many}"
        );
        // Eight times the log, and no more than that for each entry.
        assert!(
            large * few <= small * many * 11 / 10,
            "{hosts} hosts: {small} for {few}, {large} for {many}"
        );
    }
}

#[test]
fn a_log_made_to_be_expensive_is_not() {
    // Each of the last events receives a message of every host at once, none of which knows of another.
    let hosts = 300;
    let mut lines: Vec<Line> = (0..hosts).map(|host| by_hand(&[(&format!("h{host}"), 1)], "")).collect();
    let all: Vec<(String, u64)> = lines.iter().map(|line| (line.host.clone(), 1)).collect();
    for receiver in 0..hosts {
        let own = format!("r{receiver}");
        let clock = [vec![(own.clone(), 1)], all.clone()].concat();
        lines.push(Line { host: own, clock, text: String::new(), wall: None });
    }
    let report = validate_log(&log(&lines), Order::Any);
    assert!(report.is_valid());
    assert!(report.steps() < 40 * report.entries(), "{} for {}", report.steps(), report.entries());
}

#[test]
fn more_findings_than_anybody_reads_are_counted() {
    let lines: Vec<Line> = (1..=3_000).map(|event| by_hand(&[("a", event * 2)], "")).collect();
    let report = validate_log(&log(&lines), Order::Any);
    assert_eq!((report.findings().len(), report.omitted()), (1_000, 2_000));
    assert_eq!(report.findings()[999].line(), 1_000);
}

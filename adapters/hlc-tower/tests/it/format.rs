//! FORMAT.md, read and compared with the code.

use alloc::collections::BTreeSet;
use core::str::FromStr as _;

use hlc::{NodeId, Stamp, Timestamp};
use hlc_tower::header;
use http::{HeaderMap, HeaderName};

use crate::{
    calls::headers,
    wire::{reason, value},
};

const FORMAT: &str = include_str!("../../FORMAT.md");

fn section(name: &str) -> &'static str {
    let (_, rest) =
        FORMAT.split_once(&format!("\n## {name}\n")).unwrap_or_else(|| panic!("no section {name}"));
    rest.split_once("\n## ").map_or(rest, |(section, _)| section)
}

/// The rows of the section's table, without its head, and without the marks of code.
fn table(name: &str) -> Vec<Vec<String>> {
    let lines = section(name).lines().filter(|line| line.starts_with('|')).skip(2);
    let rows: Vec<Vec<_>> = lines
        .map(|line| line.split('|').map(|cell| cell.trim().trim_matches('`').to_owned()).collect::<Vec<_>>())
        .map(|cells| cells[1..cells.len() - 1].to_vec())
        .collect();
    assert!(!rows.is_empty(), "{name} has a table");
    rows
}

#[test]
fn the_name_in_the_format_is_the_name() {
    let (name, _) = section("Name").trim().trim_start_matches('`').split_once('`').unwrap();
    assert_eq!(header::NAME, HeaderName::from_str(name).unwrap());
}

#[test]
fn the_table_of_the_value_is_the_value() {
    let mut end = 0;
    for row in table("Value") {
        let [offset, size]: [usize; 2] = [0, 1].map(|cell: usize| row[cell].parse().unwrap());
        assert_eq!(offset, end);
        end = offset + size;
        let (least, greatest) = row[4].split_once(" to ").unwrap();
        let stamps = [Timestamp::MIN.at_node(NodeId::MIN), Timestamp::MAX.at_node(NodeId::MAX)];
        for (stamp, end_of_range) in stamps.into_iter().zip([least, greatest]) {
            assert_eq!(&stamp.to_string()[offset..end], end_of_range, "{}", row[2]);
        }
    }
    assert_eq!(end, header::VALUE_LEN);
}

#[test]
fn the_worked_examples_come_true_in_both_directions() {
    let examples = table("Worked examples");
    assert!(examples.len() >= 3);
    for row in examples {
        let [physical, counter, node]: [u64; 3] = [0, 1, 2].map(|cell: usize| row[cell].parse().unwrap());
        let timestamp = Timestamp::from_parts(physical, u32::try_from(counter).unwrap()).unwrap();
        let stamp: Stamp = timestamp.at_node(NodeId::new(node).unwrap());
        assert_eq!(header::read(&headers(&[&row[3]])), Ok(Some(stamp)), "{row:?}");
        let mut written = HeaderMap::new();
        header::insert(&mut written, stamp).unwrap();
        assert_eq!(written, headers(&[&row[3]]), "{row:?}");
    }
    let (_, shown) = section("Worked examples").split_once("hlc-stamp: ").unwrap();
    assert!(header::read(&headers(&[shown.lines().next().unwrap()])).is_ok());
}

#[test]
fn the_errors_that_the_format_names_are_those_that_there_are() {
    use proptest::{strategy::Strategy as _, strategy::ValueTree as _, test_runner::TestRunner};

    let named: BTreeSet<_> = table("What a reader refuses").into_iter().map(|row| row[1].clone()).collect();
    let mut met = BTreeSet::from(["Repeated"]); // of one value there is no such error
    let mut runner = TestRunner::deterministic();
    let values = value();
    for _ in 0..2_000 {
        let value = values.new_tree(&mut runner).unwrap().current();
        if let Err(error) = header::read(&headers(&[value])) {
            met.insert(reason(error));
        }
    }
    met.insert(reason(header::read(&headers(&["018bcfe568000007-0400000000000000"])).unwrap_err()));
    assert!(met.iter().eq(&named), "{met:?}, and in the format {named:?}");
}

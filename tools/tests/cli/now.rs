//! `clocks now`.

use hlc::layout::{Micros52, Secs32};
use hlc::{NodeId, Packed, Stamp, Timestamp};

use crate::stage::{clocks, printed, said};

#[test]
fn the_stamps_of_one_call_rise_and_are_of_the_node_and_the_layout_that_was_asked_for() {
    let printed = printed(&clocks(&["now", "--node", "42", "--count", "1000"]), 0);
    let stamps: Vec<Stamp> = printed.lines().map(|line| line.parse().unwrap()).collect();
    assert_eq!(stamps.len(), 1000);
    assert!(stamps.is_sorted_by(|a, b| a.timestamp() < b.timestamp()));
    assert!(stamps.iter().all(|stamp| *stamp.node() == NodeId::from(42)));
}

#[test]
fn the_three_layouts_tell_one_time() {
    let now = |layout| printed(&clocks(&["now", "--layout", layout]), 0);
    let before: Packed<Secs32> = now("secs32").trim().parse().unwrap();
    let millis: Timestamp = now("Unix48").trim().parse().unwrap();
    let after: Packed<Micros52> = now("MICROS52").trim().parse().unwrap();
    let times = [before.physical_time(), millis.physical_time(), after.physical_time()];
    assert!(times.is_sorted(), "{times:?}");
    assert!(before.physical_time().secs() > 1_700_000_000);
}

#[test]
fn json_is_one_document_a_line() {
    let printed = printed(&clocks(&["now", "--json", "--count", "3"]), 0);
    assert_eq!(printed.lines().count(), 3);
    for line in printed.lines() {
        let document: serde_json::Value = serde_json::from_str(line).unwrap();
        let timestamp: Timestamp = document["text"].as_str().unwrap().parse().unwrap();
        assert_eq!(document["human"], timestamp.human().to_string());
        assert_eq!(document["layout"], "Unix48");
    }
}

#[test]
fn what_it_cannot_do_is_a_mistake_in_the_command_line() {
    for (arguments, word) in [
        (["--count", "0"], "--count"),
        (["--layout", "unix"], "no such layout; there are Unix48"),
        (["--node", "seven"], "expected a number"),
        (["--node", "0400000000000000"], "does not fit 58 bits"),
        (["--node=\u{1b}[2J", "--json"], "\\u{1b}[2J"),
    ] {
        let said = said(&clocks(&[&["now"], &arguments[..]].concat()), 2);
        assert!(said.contains(word), "{arguments:?}: {said}");
    }
}

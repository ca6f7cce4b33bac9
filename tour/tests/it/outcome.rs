//! What a run says, and its exit status.

use serde_json::Value;

use super::{run, text};

/// The numbers of the scene `messages`, after a look at the frame around them.
fn numbers(stdout: &[u8], held: bool) -> Value {
    let document: Value = serde_json::from_slice(stdout).expect("one JSON document and nothing else");
    assert_eq!(document["held"], held, "{document}");
    let [scene] = document["scenes"].as_array().unwrap().as_slice() else { panic!("{document}") };
    assert_eq!(scene["scene"], "messages");
    scene["outcome"].clone()
}

fn broken(outcome: &Value) -> Vec<&str> {
    let checks = outcome["checks"].as_array().unwrap();
    assert_eq!(checks.len(), 6, "{outcome}");
    checks
        .iter()
        .filter(|check| check["held"] == false)
        .map(|check| check["name"].as_str().unwrap())
        .collect()
}

#[test]
fn the_default_run_orders_every_pair_that_wall_time_gets_wrong() {
    let done = run(&["--json"]);
    assert_eq!(done.status.code(), Some(0), "{}{}", text(&done.stderr), text(&done.stdout));
    assert_eq!(text(&done.stderr), "", "progress is for terminals");
    let outcome = numbers(&done.stdout, true);
    assert_eq!(broken(&outcome), [""; 0]);
    let number = |name: &str| outcome[name].as_u64().unwrap_or_else(|| panic!("no {name} in {outcome}"));
    assert_eq!(number("hybrid_wrong_pairs") + number("hybrid_tied_pairs") + number("hybrid_wrong_steps"), 0);
    assert_eq!(number("duplicate_stamps"), 0);
    assert_eq!((number("messages_sent"), number("messages_received")), (4_000, 4_000));
    assert_eq!(number("stamps_issued"), 8_000);
    assert!(number("wall_wrong_pairs") > 100_000, "{outcome}");
    assert!(number("ordered_pairs") > number("wall_wrong_pairs"));
    // One clock was set back by 5 s after it had seen another that is 300 ms ahead.
    assert!((5_000_000..5_400_000).contains(&number("max_lead_micros")), "{outcome}");
    let sum =
        |name: &str| outcome[name].as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum();
    let (sent, refused): (u64, u64) = (sum("hostile_sent"), sum("refusals"));
    assert_eq!(sent, refused);
    assert_eq!(outcome["hostile_sent"].as_object().unwrap().len(), 15, "every attack was made");
    assert_eq!(outcome["refusals"]["skew"], 40);
    assert_eq!(outcome["nodes"].as_array().unwrap().len(), 4);
}

#[test]
fn people_read_the_same_and_a_last_line_that_says_what_was_shown() {
    let done =
        run(&["--nodes", "3", "--messages", "60", "--duration", "1", "--seed", "7", "--scene", "messages"]);
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    assert_eq!(text(&done.stderr), "");
    let shown = text(&done.stdout);
    let row = |name: &str| {
        let line = shown.lines().find(|line| line.trim_start().starts_with(name));
        line.unwrap_or_else(|| panic!("no {name}: {shown}")).trim_start()[name.len()..].trim()
    };
    assert_eq!(row("messages sent"), "180");
    assert_eq!(row("stamps issued twice"), "0");
    assert_eq!(row("in the wrong order by hybrid time"), "0");
    assert!(row("in the wrong order by wall time").ends_with('%'));
    assert!(row("stamp too far ahead").starts_with("30      30"), "{shown}");
    assert!(row("0").starts_with("300 ms ahead"));
    assert!(shown.lines().last().unwrap().starts_with("Shown: "), "{shown}");
    assert!(!shown.contains("BROKEN") && !shown.contains('\x1b'), "{shown}");
}

#[test]
fn a_node_that_breaks_a_rule_is_found_out_and_the_run_fails() {
    for (sabotage, found) in [
        ("wall-stamps", &["Causal"][..]),
        ("repeat-stamps", &["Causal", "Unique"]),
        ("trust-everyone", &["Bounded skew", "Refused and counted", "Delivered"]),
        ("forget-refusals", &["Refused and counted"]),
        ("lose-messages", &["Delivered"]),
    ] {
        let done = run(&["--json", "--messages", "150", "--duration", "1", "--sabotage", sabotage]);
        assert_eq!(done.status.code(), Some(1), "{sabotage}: {}", text(&done.stderr));
        let outcome = numbers(&done.stdout, false);
        for guarantee in found {
            assert!(broken(&outcome).contains(guarantee), "{sabotage}: {outcome}");
        }
    }
    let done = run(&["--messages", "150", "--duration", "1", "--sabotage", "forget-refusals"]);
    assert_eq!(done.status.code(), Some(1));
    assert_eq!(text(&done.stdout).lines().last(), Some("Broken: Refused and counted."));
}

//! What a run says, and its exit status.

use std::{fs, path::Path};

use serde_json::Value;

use super::{run, text};

/// The numbers of the scenes, after a look at the frame around them.
fn numbers<const N: usize>(stdout: &[u8], held: bool, scenes: [&str; N]) -> [Value; N] {
    let document: Value = serde_json::from_slice(stdout).expect("one JSON document and nothing else");
    assert_eq!(document["held"], held, "{document}");
    let played = document["scenes"].as_array().unwrap();
    let names: Vec<_> = played.iter().map(|scene| scene["scene"].as_str().unwrap()).collect();
    assert_eq!(names, scenes, "{document}");
    core::array::from_fn(|at| played[at]["outcome"].clone())
}

/// The value of the row of a table, where one begins with `name`.
fn row<'s>(shown: &'s str, name: &str) -> &'s str {
    let line = shown.lines().find(|line| line.trim_start().starts_with(name));
    line.unwrap_or_else(|| panic!("no {name}: {shown}")).trim_start()[name.len()..].trim()
}

fn broken(outcome: &Value, checks: usize) -> Vec<&str> {
    let all = outcome["checks"].as_array().unwrap();
    assert_eq!(all.len(), checks, "{outcome}");
    all.iter().filter(|check| check["held"] == false).map(|check| check["name"].as_str().unwrap()).collect()
}

#[test]
fn the_default_run_orders_every_pair_that_wall_time_gets_wrong() {
    let done = run(&["--json"]);
    assert_eq!(done.status.code(), Some(0), "{}{}", text(&done.stderr), text(&done.stdout));
    assert_eq!(text(&done.stderr), "", "progress is for terminals");
    let [outcome, replicas, restart, fence] =
        numbers(&done.stdout, true, ["messages", "replicas", "restart", "fence"]);
    assert_eq!(broken(&outcome, 6), [""; 0]);
    assert_eq!(broken(&replicas, 9), [""; 0]);
    assert_eq!(broken(&restart, 4), [""; 0]);
    assert_eq!(broken(&fence, 6), [""; 0]);
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
    let row = |name: &str| row(shown, name);
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
        let done = run(&[
            "--json",
            "--scene",
            "messages",
            "--messages",
            "150",
            "--duration",
            "1",
            "--sabotage",
            sabotage,
        ]);
        assert_eq!(done.status.code(), Some(1), "{sabotage}: {}", text(&done.stderr));
        let [outcome] = numbers(&done.stdout, false, ["messages"]);
        for guarantee in found {
            assert!(broken(&outcome, 6).contains(guarantee), "{sabotage}: {outcome}");
        }
    }
    let done = run(&[
        "--scene",
        "messages",
        "--messages",
        "150",
        "--duration",
        "1",
        "--sabotage",
        "forget-refusals",
    ]);
    assert_eq!(done.status.code(), Some(1));
    assert_eq!(text(&done.stdout).lines().last(), Some("Broken: Refused and counted."));
}

#[test]
fn siblings_survive_until_a_write_has_seen_them_and_effects_wait_for_their_causes() {
    let done = run(&["--json", "--scene", "replicas"]);
    assert_eq!(done.status.code(), Some(0), "{}{}", text(&done.stderr), text(&done.stdout));
    let [outcome] = numbers(&done.stdout, true, ["replicas"]);
    assert_eq!(broken(&outcome, 9), [""; 0]);
    let number = |name: &str| outcome[name].as_u64().unwrap_or_else(|| panic!("no {name} in {outcome}"));
    // In each of 40 rounds two replicas take a write or more each, and then one of them one that has seen all.
    assert!(number("writes") >= 120, "{outcome}");
    assert_eq!(number("writes_applied"), 3 * number("writes"));
    assert!(number("waits") >= 40, "in every round an effect arrives before its cause: {outcome}");
    // Of the concurrent ones of a round, all but one.
    assert_eq!(number("writes_lost_by_wall_time"), number("writes") - 80, "{outcome}");
    assert!((2..=6).contains(&number("most_siblings")), "{outcome}");
    assert!(number("copies_dropped") >= 120, "each round doubles what three links held: {outcome}");
    assert_eq!(number("copies_dropped"), number("copies"));
    assert_eq!(number("messages_arrived"), 2 * number("writes") + number("copies"));
}

#[test]
fn the_first_round_is_told_the_same_for_the_same_seed() {
    let told = |seed: &str| {
        let done = run(&["--scene", "replicas", "--rounds", "1", "--seed", seed]);
        assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
        assert_eq!(text(&done.stderr), "");
        text(&done.stdout).to_owned()
    };
    let shown = told("1");
    assert_eq!(shown, told("1"));
    assert_ne!(shown, told("2"));
    assert_eq!(row(&shown, "that lacked a value"), "0");
    assert_eq!(shown.matches(" takes #").count().to_string(), row(&shown, "writes"));
    assert!(shown.contains(" has arrived, and waits for #"), "{shown}");
    let last: Vec<_> = shown.lines().filter(|line| line.contains(" shows #")).collect();
    let [.., one, two, three] = last.as_slice() else { panic!("{shown}") };
    let value = |line: &str| line.split_once(" shows ").unwrap().1.to_owned();
    assert!(value(one) == value(two) && value(two) == value(three) && !value(one).contains(','), "{shown}");
    assert!(shown.lines().last().unwrap().starts_with("Shown: 3 replicas"), "{shown}");
}

#[test]
fn the_run_is_drawn_into_the_folder_that_was_asked_for() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("tour-drawing-{}", std::process::id()));
    let done = run(&["--json", "--scene", "replicas", "--rounds", "2", "--out", folder.to_str().unwrap()]);
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    let [outcome] = numbers(&done.stdout, true, ["replicas"]);
    let file = |what: &str| fs::read_to_string(outcome["drawing"][what].as_str().unwrap()).unwrap();
    let (page, picture, log) = (file("page"), file("picture"), file("log"));
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 3, "no draft stays");
    fs::remove_dir_all(&folder).unwrap();

    // A line each of text, and of host and clock, behind two lines of expressions.
    let events = outcome["events_drawn"].as_u64().unwrap();
    assert_eq!(log.lines().count() as u64, 2 * events + 2);
    assert!(page.starts_with("<!doctype html>") && page.contains("Content-Security-Policy"), "{page}");
    let drawn = picture.matches("role=\"listitem\"").count() as u64;
    assert!(drawn > 20 && drawn < events, "the first of two rounds: {drawn} of {events}");
    for host in ["replica-0", "replica-1", "replica-2"] {
        assert!(picture.contains(host) && page.contains(host) && log.contains(host), "{host}");
    }
    assert!(picture.contains("has to wait") && picture.contains("drops a copy of #"), "{picture}");
}

#[test]
fn a_replica_that_breaks_a_rule_is_found_out_and_the_run_fails() {
    for (sabotage, found) in [
        ("last-writer-wins", &["Nothing lost"][..]),
        ("ignore-contexts", &["Nothing lost"]),
        (
            "deliver-at-once",
            &["Causal", "Unique", "Copies dropped and counted", "Nothing kept that was replaced"],
        ),
    ] {
        let done = run(&["--json", "--scene", "replicas", "--sabotage", sabotage]);
        assert_eq!(done.status.code(), Some(1), "{sabotage}: {}", text(&done.stderr));
        let [outcome] = numbers(&done.stdout, false, ["replicas"]);
        for guarantee in found {
            assert!(broken(&outcome, 9).contains(guarantee), "{sabotage}: {outcome}");
        }
    }
    let done = run(&["--scene", "replicas", "--rounds", "5", "--sabotage", "last-writer-wins"]);
    assert_eq!(done.status.code(), Some(1));
    assert_eq!(text(&done.stdout).lines().last(), Some("Broken: Nothing lost."));
}

#[test]
fn a_node_that_is_killed_and_set_back_goes_on_above_its_last_stamp() {
    let done = run(&["--json", "--scene", "restart"]);
    assert_eq!(done.status.code(), Some(0), "{}{}", text(&done.stderr), text(&done.stdout));
    let [outcome] = numbers(&done.stdout, true, ["restart"]);
    assert_eq!(broken(&outcome, 4), [""; 0]);
    let lives = outcome["lives"].as_array().unwrap();
    assert_eq!(lives.len(), 4);
    for pair in lives.windows(2) {
        let (last, first) =
            (pair[0]["last_stamp"].as_str().unwrap(), pair[1]["first_stamp"].as_str().unwrap());
        assert!(first > last, "text sorts as stamps do: {outcome}");
        assert!(pair[1]["first_wall_micros"].as_u64() < pair[0]["last_wall_micros"].as_u64(), "{outcome}");
    }
    let shown = run(&["--scene", "restart"]);
    assert!(text(&shown.stdout).lines().last().unwrap().starts_with("Shown: killed 3 times"));
}

#[test]
fn a_node_that_forgets_its_bound_is_found_out() {
    let done = run(&["--json", "--scene", "restart", "--sabotage", "forget-bound"]);
    assert_eq!(done.status.code(), Some(1), "{}", text(&done.stderr));
    let [outcome] = numbers(&done.stdout, false, ["restart"]);
    assert!(broken(&outcome, 4).contains(&"Restart-safe"), "{outcome}");
}

#[test]
fn a_holder_that_is_stopped_past_its_lease_is_refused_at_the_gate_when_it_wakes() {
    let done = run(&["--json", "--scene", "fence"]);
    assert_eq!(done.status.code(), Some(0), "{}{}", text(&done.stderr), text(&done.stdout));
    let [outcome] = numbers(&done.stdout, true, ["fence"]);
    assert_eq!(broken(&outcome, 6), [""; 0]);
    assert_eq!((&outcome["first_epoch"], &outcome["second_epoch"]), (&"1".into(), &"2".into()));
    assert!(outcome["stopped_millis"].as_u64() > outcome["ttl_millis"].as_u64(), "{outcome}");
    assert_eq!(outcome["answers"][2]["Stale"]["floor"], "2", "{outcome}");
    let texts = |of: &str| -> Vec<&str> {
        outcome[of].as_array().unwrap().iter().map(|write| write["text"].as_str().unwrap()).collect()
    };
    assert_eq!(texts("behind_the_gate"), ["first holder, in time", "second holder"]);
    assert_eq!(texts("in_the_open").last(), Some(&"first holder, too late"), "the harm that a gate prevents");
    let shown = run(&["--scene", "fence"]);
    let shown = text(&shown.stdout);
    assert!(
        row(shown, "first holder, too late").starts_with("1  refused: stale, the gate is at epoch 2"),
        "{shown}"
    );
    let last = shown.lines().last().unwrap();
    assert!(last.starts_with("Shown: ") && last.contains("epoch 1 ") && last.contains("epoch 2 "), "{shown}");
}

#[test]
fn a_resource_without_its_gate_or_holders_that_share_a_token_are_found_out() {
    for sabotage in ["no-gate", "forgetful-gate", "shared-token"] {
        let done = run(&["--json", "--scene", "fence", "--sabotage", sabotage]);
        assert_eq!(done.status.code(), Some(1), "{sabotage}: {}", text(&done.stderr));
        let [outcome] = numbers(&done.stdout, false, ["fence"]);
        assert_eq!(broken(&outcome, 6), ["Fenced", "Refused and counted"], "{sabotage}: {outcome}");
    }
}

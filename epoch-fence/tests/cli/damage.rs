//! `verify`, `history` and `recover`, of logs that were changed and records that were lost.

use serde_json::Value;

use crate::stage::{Stage, Talk, code, json, refused, succeeded, text, until};

#[test]
fn a_log_is_verified_up_to_a_head_that_was_noted_and_a_changed_byte_is_found() {
    let stage = Stage::new();
    stage.token();
    let noted = json(&stage.ef(&["verify", "--resource", "r", "--json"]).output().unwrap().stdout);
    assert_eq!((&noted["sound"], &noted["entries"]), (&Value::from(true), &Value::from(2)));
    let head = noted["head"].as_str().unwrap();
    stage.token();
    let verify = |more: &[&str]| {
        let mut command = stage.ef(&["verify", "--resource", "r"]);
        command.args(more);
        command
    };
    let said = succeeded(verify(&["--head", head]).output().unwrap());
    assert!(said.contains("4 entries") && said.contains("the head after 2 of them"), "{said}");
    refused(&mut verify(&["--head", &"1".repeat(64)]), 1, "none of this log's");

    let log = stage.folder().join("log.00000001");
    let good = std::fs::read(&log).unwrap();
    let mut bad = good.clone();
    bad[200] ^= 1;
    std::fs::write(&log, bad).unwrap();
    refused(&mut verify(&[]), 1, "entry 0");
    let output = verify(&["--json"]).output().unwrap();
    assert_eq!((code(&output), &json(&output.stdout)["sound"]), (1, &Value::from(false)));
    refused(&mut stage.ef(&["history", "--resource", "r"]), 1, "entry 0");
    std::fs::write(&log, good).unwrap();
    succeeded(verify(&[]).output().unwrap());
}

#[test]
fn a_recovery_of_a_log_that_is_wrong_in_its_midst_begins_one_that_can_be_verified() {
    let stage = Stage::new();
    stage.token();
    let token = stage.token();
    succeeded(stage.ef(&["guard", "--token", &token, "--", "true"]).output().unwrap());
    let log = stage.folder().join("log.00000001");
    let mut bad = std::fs::read(&log).unwrap();
    bad[200] ^= 1;
    std::fs::write(&log, bad).unwrap();
    refused(&mut stage.ef(&["verify", "--resource", "r"]), 1, "entry 0");
    stage.token(); // the end of the log is as it was
    let line = ["recover", "--resource", "r", "--floor", "0", "--json"];
    let document = json(&stage.ef(&line).output().unwrap().stdout);
    assert_eq!(document["gate_follows"], true);
    let said = succeeded(stage.ef(&["verify", "--resource", "r"]).output().unwrap());
    assert!(said.contains("1 entries"), "{said}");
    let newest = stage.token();
    succeeded(stage.ef(&["guard", "--token", &newest, "--", "true"]).output().unwrap());
    assert_eq!(
        (stage.entries("recover"), stage.entries("acquire")),
        (1, 1),
        "the history is that of the new log"
    );
    // Asked for once more, it is done once.
    let realm = document["realm"].as_str().unwrap();
    let line = ["recover", "--resource", "r", "--floor", "0", "--realm", realm];
    succeeded(stage.ef(&line).output().unwrap());
    assert_eq!(stage.entries("recover"), 1);
}

#[test]
fn a_last_entry_that_is_not_whole_is_said_to_be_missing_and_written_again() {
    let stage = Stage::new();
    stage.token();
    let log = stage.folder().join("log.00000001");
    let good = std::fs::read(&log).unwrap();
    let end = good.iter().rposition(|byte| *byte != 0).unwrap();
    let mut bad = good.clone();
    bad[end] ^= 1;
    std::fs::write(&log, bad).unwrap();
    let said = succeeded(stage.ef(&["verify", "--resource", "r"]).output().unwrap());
    assert!(said.contains("1 entries") && said.contains("missing or not whole"), "{said}");
    stage.token();
    assert!(std::fs::read(&log).unwrap().starts_with(&good[..=end]), "it is not what it was");
}

#[test]
fn a_guard_that_is_ahead_of_its_record_says_so_and_not_that_somebody_was_faster() {
    let stage = Stage::new();
    let old = stage.token();
    let folder = stage.folder();
    let files = ["record", "log.00000001"].map(|name| folder.join(name));
    let before = files.each_ref().map(|file| std::fs::read(file).unwrap());
    let guard = |token: &str| stage.ef(&["guard", "--no-wait", "--token", token, "--", "true"]);
    stage.token();
    succeeded(guard(&stage.token()).output().unwrap());
    let output = guard(&old).output().unwrap();
    assert!(text(&output.stderr).ends_with("a newer holder was here: stop\n"), "{}", text(&output.stderr));
    assert!(!succeeded(stage.ef(&["inspect"]).output().unwrap()).contains("ahead"));
    // Put back in place, record and log together: only the guard knows better.
    files.iter().zip(&before).for_each(|(file, before)| std::fs::write(file, before).unwrap());
    assert!(succeeded(stage.ef(&["inspect"]).output().unwrap()).contains("ahead of the record"));
    refused(&mut guard(&stage.token()), 122, "an operator `epoch-fence recover`");
    succeeded(stage.ef(&["recover", "--resource", "r", "--floor", "0"]).output().unwrap());
    assert!(!succeeded(stage.ef(&["inspect"]).output().unwrap()).contains("ahead"));
    succeeded(guard(&stage.token()).output().unwrap());
}

#[test]
fn a_history_tells_who_held_when_and_its_end_alone_can_be_asked_for() {
    let stage = Stage::new();
    for holder in ["Alice", "Bob"] {
        succeeded(stage.run(&["--holder", holder], "true").output().unwrap());
    }
    let all = succeeded(stage.ef(&["history", "--resource", "r"]).output().unwrap());
    let lines: Vec<&str> = all.lines().collect();
    assert_eq!(lines.len(), 4);
    assert!(
        lines[0].contains("acquire    epoch 1  \"Alice\"") && lines[2].contains("epoch 2  \"Bob\""),
        "{all}"
    );
    assert!(lines.iter().all(|line| line.contains("Z  ")), "no times in {all}");
    let end = succeeded(stage.ef(&["history", "--resource", "r", "--last", "1"]).output().unwrap());
    assert_eq!(end.trim_end(), lines[3]);
    let documents = succeeded(stage.ef(&["history", "--resource", "r", "--json"]).output().unwrap());
    let documents: Vec<Value> = documents.lines().map(|line| json(line.as_bytes())).collect();
    assert_eq!(documents.len(), 4);
    assert_eq!(documents[2]["holder"], "Bob");
    assert_eq!(documents[3]["action"], "release");
    refused(
        stage.ef(&["history", "--resource", "other"]).env("EPOCH_FENCE_DIR", "/no/where"),
        125,
        "/no/where",
    );
}

#[test]
fn a_reader_that_has_enough_is_no_failure() {
    let stage = Stage::new();
    let check = format!("check --json --token {}", stage.token());
    let recover = "recover --resource r --floor 0";
    for line in ["history --resource r", "inspect", "man", "completions bash", &check, recover] {
        let script = format!("{{ \"$EF\" {line}; echo $? >&3; }} 3>&1 >&4 | cat; ");
        // Its standard output is closed at the other end before it writes.
        let script = format!("exec 4>/dev/full; {script}");
        let full = stage.command("sh").args(["-c", &script]).output().unwrap();
        assert_eq!(text(&full.stdout), "125\n", "{line} on a full disk: {}", text(&full.stderr));
        let script = format!("{{ sleep 0.1; \"$EF\" {line}; echo $? >&2; }} | true");
        let closed = stage.command("sh").args(["-c", &script]).output().unwrap();
        assert_eq!(text(&closed.stderr), "0\n", "{line} to nobody");
    }
}

#[test]
fn a_recovery_goes_on_above_what_is_remembered_and_the_guard_follows() {
    let stage = Stage::new();
    let old = stage.token();
    let guard = |token: &str| stage.ef(&["guard", "--no-wait", "--token", token, "--", "true"]);
    succeeded(guard(&old).output().unwrap());
    let line = ["recover", "--resource", "r", "--floor", "5000000", "--json"];
    let document = json(&stage.ef(&line).output().unwrap().stdout);
    assert_eq!(document["gate_follows"], true);
    assert!(document["epoch"].as_u64().unwrap() > 5_000_000);
    let new = stage.token();
    assert_eq!(new.split('-').nth(1), document["realm"].as_str());
    refused(&mut guard(&old), 122, "another realm");
    succeeded(guard(&new).output().unwrap());

    // Of a record that was put back as an older copy; the guard remembers more than the record does.
    let record = stage.folder().join("record");
    let before = std::fs::read(&record).unwrap();
    stage.token();
    std::fs::write(&record, before).unwrap();
    refused(&mut stage.run(&["--no-wait"], "echo BAD"), 125, "recover");
    refused(&mut stage.ef(&["inspect"]), 125, "an older record was put back");
    succeeded(stage.ef(&["recover", "--resource", "r", "--floor", "0"]).output().unwrap());
    let newest = stage.token();
    succeeded(guard(&newest).output().unwrap());
    refused(&mut guard(&new), 122, "another realm");

    // The guard believed a forged token, far above the record's epoch. A recovery goes on above that, too.
    let mut groups: Vec<&str> = newest.split('-').collect();
    groups[3] = "0000000040000000";
    succeeded(guard(&groups.join("-")).output().unwrap());
    refused(&mut guard(&newest), 122, "a newer holder was here");
    succeeded(stage.ef(&["recover", "--resource", "r", "--floor", "0"]).output().unwrap());
    succeeded(guard(&stage.token()).output().unwrap());
}

/// A guarded command that has its permit, and goes on until it is spoken to.
fn inside(stage: &Stage, token: &str) -> Talk {
    let mut command = stage.ef(&["guard", "--token", token, "--", "sh", "-c"]);
    command.arg("echo in; read -r _; true");
    let talk = Talk::start(command);
    talk.hear("in");
    talk
}

#[test]
fn a_recovery_waits_for_the_end_of_the_old_permits_and_then_the_guard_follows() {
    let stage = Stage::new();
    let old = stage.token();
    let first = inside(&stage, &old);
    let mut recovery =
        Talk::start(stage.ef(&["recover", "--resource", "r", "--floor", "0", "--wait", "60s"]));
    let check = || code(&stage.ef(&["check", "--token", &old]).output().unwrap());
    until("the guard was asked to follow", || check() == 122);
    let inspected = succeeded(stage.ef(&["inspect", "--resource", "r"]).output().unwrap());
    assert!(inspected.contains("; it is of another realm: recover\n"), "{inspected}");
    assert!(recovery.is_running());
    assert_eq!(first.end().0, Some(0));
    assert!(recovery.line().ends_with("; the guard follows"));
    assert_eq!(recovery.end().0, Some(0));
}

#[test]
fn a_recovery_repeated_with_its_realm_is_the_same_one_whatever_the_guard_has_seen_since() {
    let stage = Stage::new();
    stage.token();
    let line = ["recover", "--resource", "r", "--floor", "0", "--json"];
    let document = json(&stage.ef(&line).output().unwrap().stdout);
    // There was no guard that could follow.
    assert_eq!(document["gate"], "the guard was never asked, and will begin there");
    assert_eq!(document["gate_follows"], true);
    let token = stage.token();
    succeeded(stage.ef(&["guard", "--token", &token, "--", "true"]).output().unwrap());
    let realm = document["realm"].as_str().unwrap();
    let again = ["recover", "--resource", "r", "--floor", "0", "--realm", realm, "--json"];
    let output = stage.ef(&again).output().unwrap();
    assert_eq!(
        (code(&output), &json(&output.stdout)["realm"]),
        (0, &document["realm"]),
        "{}",
        text(&output.stderr)
    );
    assert_eq!(stage.entries("recover"), 1);
}

#[test]
fn a_recovery_whose_guard_has_old_permits_is_finished_by_repeating_it_with_its_realm() {
    let stage = Stage::new();
    let old = stage.token();
    let first = inside(&stage, &old);
    let output = stage.ef(&["recover", "--resource", "r", "--floor", "0", "--no-wait"]).output().unwrap();
    let said = text(&output.stderr);
    assert_eq!(code(&output), 121, "{said}");
    let realm = said.split("--realm ").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
    refused(&mut stage.ef(&["guard", "--token", &old, "--", "true"]), 122, "a newer holder was here");
    let line = ["recover", "--resource", "r", "--floor", "0", "--realm", &realm];
    let second = Talk::start(stage.ef(&line));
    assert_eq!(first.end().0, Some(0));
    assert!(second.line().contains("the guard follows"));
    assert_eq!(second.end().0, Some(0));
    let recoveries = stage.entries("recover");
    assert_eq!(recoveries, 1, "the same realm twice is one recovery");
    let new = stage.token();
    succeeded(stage.ef(&["guard", "--token", &new, "--", "true"]).output().unwrap());
}

//! Two who want the same thing; and what becomes of one who is stopped, killed, or too slow.

use std::fs::File;

use crate::stage::{Stage, Talk, refused, signal, state, succeeded, until};

/// Tells its process and its epoch, then does what it is told until it is told nothing more.
const OBEYS: &str = "echo $$ $EPOCH_FENCE_EPOCH; while read -r line; do eval \"$line\"; done";

/// Whatever it is told. A shell looks at its signals between two commands: one that comes just before a long sleep would
/// have to wait for its end.
const NEVER_ENDS: &str = "while :; do sleep 0.1; done";

fn holder(stage: &Stage, options: &[&str]) -> (Talk, String, String) {
    let talk = Talk::start(stage.run(options, OBEYS));
    let line = talk.line();
    let (process, epoch) = line.split_once(' ').unwrap();
    (talk, process.into(), epoch.into())
}

#[test]
fn who_comes_second_is_told_who_holds_or_waits_and_gets_the_next_epoch() {
    let stage = Stage::new();
    let (first, _, epoch) = holder(&stage, &["--holder", "Alice"]);
    assert_eq!(epoch, "1");
    refused(&mut stage.run(&["--no-wait"], "echo in"), 121, "held by \"Alice\"; its lease ends in ");
    refused(&mut stage.run(&["--wait", "10ms"], "echo in"), 121, "Alice");
    let mut second = Talk::start(stage.run(&["--wait", "60s"], "echo $EPOCH_FENCE_EPOCH"));
    assert!(second.is_running());
    assert_eq!(first.end().0, Some(0));
    second.hear("2");
    assert_eq!(second.end().0, Some(0));
    assert_eq!((stage.entries("acquire"), stage.entries("release")), (2, 2));
}

#[test]
fn a_lease_is_renewed_for_as_long_as_the_command_runs() {
    let stage = Stage::new();
    let (first, _, _) = holder(&stage, &["--ttl", "1s"]);
    until("the lease would have ended three times", || stage.entries("renew") >= 9);
    refused(&mut stage.run(&["--no-wait"], "echo in"), 121, "held by");
    assert_eq!(first.end().0, Some(0));
    assert_eq!(stage.entries("acquire"), 1);
}

#[test]
fn a_holder_that_was_stopped_past_its_lease_is_refused_at_the_guard_and_stopped_when_it_wakes() {
    let stage = Stage::new();
    let (mut first, command, _) = holder(&stage, &["--ttl", "4s", "--grace", "1500ms"]);
    first.say("$EF guard -- echo first");
    first.hear("first");
    signal(&first.id().to_string(), "STOP");
    // The next one waits for the end of the lease, and is guarded.
    succeeded(stage.run(&["--wait", "60s"], "$EF guard -- true").output().unwrap());
    first.say("$EF guard -- echo BAD; echo $?");
    first.hear("122");
    first.say("$EF check; echo $?");
    first.hear("122");
    first.say(&format!("trap 'echo told' TERM; echo ready; {NEVER_ENDS}"));
    first.hear("ready");
    signal(&first.id().to_string(), "CONT");
    first.hear("told");
    until("the command is killed", || state(&command).is_none());
    let (code, said) = first.end();
    assert_eq!(code, Some(122), "{said}");
    assert!(said.contains("the lease was lost; stopping the command"), "{said}");
}

#[test]
fn a_command_whose_supervisor_was_killed_keeps_others_out_until_it_ends_or_its_lease_does() {
    let stage = Stage::new();
    let (first, command, _) = holder(&stage, &["--ttl", "1h"]);
    signal(&first.id().to_string(), "KILL");
    until("the supervisor is gone", || state(&first.id().to_string()).is_none());
    refused(&mut stage.run(&["--no-wait"], "echo in"), 121, "held by");
    assert!(state(&command).is_some());
    signal(&command, "KILL");
    until("the command is gone", || state(&command).is_none());
    // An hour before the end of the lease.
    let inspected = succeeded(stage.ef(&["inspect"]).output().unwrap());
    assert!(
        inspected.contains("  state     free: the last lease is over or its holder died\n"),
        "{inspected}"
    );
    assert_eq!(succeeded(stage.run(&["--no-wait"], "echo $EPOCH_FENCE_EPOCH").output().unwrap()), "2\n");
    drop(first);
}

#[test]
fn a_lease_that_was_ended_by_hand_is_noticed_and_the_command_stopped() {
    let stage = Stage::new();
    let (first, command, _) = holder(&stage, &["--ttl", "1s"]);
    let other = "0".repeat(31) + "1";
    let said = succeeded(stage.ef(&["evict", "--resource", "r", "--grant", &other]).output().unwrap());
    assert!(said.contains("another grant"), "{said}");
    let said = succeeded(stage.ef(&["evict", "--resource", "r", "--json"]).output().unwrap());
    assert!(said.contains("\"evicted\":true"), "{said}");
    until("the command is stopped", || state(&command).is_none());
    let (code, said) = first.end();
    assert_eq!(code, Some(122), "{said}");
    assert!(!said.contains("trying on"), "what is lost is not renewed: {said}");
    assert_eq!(stage.entries("evict"), 1);
}

#[test]
fn a_command_that_ends_after_another_has_held_was_not_the_holder_until_its_end() {
    let stage = Stage::new();
    // An hour, so that no renewal comes in between.
    let (first, _, _) = holder(&stage, &["--ttl", "1h"]);
    succeeded(stage.ef(&["evict", "--resource", "r"]).output().unwrap());
    stage.token();
    let (code, said) = first.end();
    assert_eq!(code, Some(122), "{said}");
    assert!(said.contains("the lease of epoch 1 was lost"), "{said}");
}

#[test]
fn a_resource_that_cannot_be_given_back_is_said_to_be_and_is_no_failure_of_the_command() {
    let stage = Stage::new();
    let (first, _, _) = holder(&stage, &["--ttl", "1h"]);
    std::fs::rename(stage.leases(), stage.path().join("away")).unwrap();
    let (code, said) = first.end();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("not released: ") && said.contains("; the lease ends by itself in "), "{said}");
}

#[test]
fn a_command_whose_lease_cannot_be_renewed_is_told_before_the_loss_and_killed_at_it() {
    let stage = Stage::new();
    let (mut first, command, _) = holder(&stage, &["--ttl", "4s", "--grace", "1500ms"]);
    first.say(&format!("trap 'echo told' TERM; echo ready; {NEVER_ENDS}"));
    first.hear("ready");
    // Somebody is stopped in the midst of a write.
    let record = File::open(stage.folder().join("record")).unwrap();
    record.lock().unwrap();
    first.hear("told");
    until("the command is killed", || state(&command).is_none());
    let (code, said) = first.end();
    assert_eq!(code, Some(122), "{said}");
    assert!(said.contains("is about to be lost; stopping the command"), "{said}");
}

#[test]
fn a_command_that_ends_when_it_is_told_was_stopped_all_the_same() {
    let stage = Stage::new();
    let (mut first, _, _) = holder(&stage, &["--ttl", "4s", "--grace", "1500ms"]);
    first.say(&format!("trap 'echo told; exit 0' TERM; echo ready; {NEVER_ENDS}"));
    first.hear("ready");
    let record = File::open(stage.folder().join("record")).unwrap();
    record.lock().unwrap();
    first.hear("told");
    // In time for the resource to be given back; but the command did not do its work.
    record.unlock().unwrap();
    let (code, said) = first.end();
    assert_eq!(code, Some(122), "{said}");
}

#[test]
fn what_a_command_leaves_behind_is_stopped_before_the_resource_is_given_back() {
    let stage = Stage::new();
    let script = "sh -c 'trap \"\" TERM; echo $$; exec sleep 1000' & read -r _";
    let mut first = Talk::start(stage.run(&["--ttl", "1s"], script));
    let left_behind = first.line();
    first.say("end");
    let (code, said) = first.end();
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(state(&left_behind), None, "it runs on");
    assert_eq!(stage.entries("release"), 1);
}

#[test]
fn commands_that_begin_a_resource_all_at_once_take_turns() {
    let stage = Stage::new();
    let count = stage.path().join("count");
    for round in 0..8 {
        let name = format!("r{round}");
        std::fs::write(&count, "0\n").unwrap();
        // Not atomic: two at once would count one.
        let script = "read -r n < $COUNT; echo $((n + 1)) > $COUNT";
        let talks: Vec<Talk> = (0..6)
            .map(|_| {
                let line = ["run", "--resource", &name, "--wait", "60s", "--", "sh", "-c", script];
                let mut command = stage.ef(&line);
                command.env("COUNT", &count);
                Talk::start(command)
            })
            .collect();
        for talk in talks {
            let (code, said) = talk.end();
            assert_eq!(code, Some(0), "{said}");
        }
        assert_eq!(std::fs::read_to_string(&count).unwrap(), "6\n");
    }
}

#[test]
fn who_may_wait_waits_also_for_one_that_is_stopped_within_a_write() {
    let stage = Stage::new();
    let token = stage.token();
    succeeded(stage.ef(&["guard", "--token", &token, "--", "true"]).output().unwrap());
    let waiting = |file: &str, command: std::process::Command, hurried: std::process::Command| {
        // As a process that was stopped while it held the file.
        let mut held = stage.command("flock");
        held.arg(stage.folder().join(file)).args(["sh", "-c", "echo held; read -r _; true"]);
        let held = Talk::start(held);
        held.hear("held");
        let mut waits = Talk::start(command);
        let hurried = Talk::start(hurried);
        std::thread::sleep(core::time::Duration::from_secs(3)); // longer than the patience of the directory
        assert!(waits.is_running(), "{file}: {:?}", waits.end());
        // Who may not wait has the patience of the directory, and no more.
        let (code, said) = hurried.end();
        assert_eq!(code, Some(121), "{file}: {said}");
        held.end();
        waits.hear("in");
        assert_eq!(waits.end().0, Some(0));
    };
    let guard = |more: &[&str]| {
        let mut guard = stage.ef(&["guard", "--token", &token]);
        guard.args(more).args(["--", "echo", "in"]);
        guard
    };
    waiting("gate", guard(&[]), guard(&["--no-wait"]));
    waiting("record", stage.run(&[], "echo in"), stage.run(&["--no-wait"], "echo in"));
}

#[test]
fn a_renewal_that_fails_is_told_once_and_the_next_one_makes_good_for_it() {
    let stage = Stage::new();
    // What it says is among what it prints.
    let mut command = stage.command("sh");
    command
        .args(["-c", "exec \"$EF\" run --resource r --ttl 6s -- sh -c 'echo ready; read -r _; true' 2>&1"]);
    let mut first = Talk::start(command);
    first.hear("ready");
    until("it was renewed", || stage.entries("renew") > 0);
    let before = stage.entries("renew");
    let away = stage.path().join("away");
    std::fs::rename(stage.leases(), &away).unwrap();
    let said = first.line();
    assert!(said.contains("the lease was not renewed, trying on: "), "{said}");
    std::fs::rename(&away, stage.leases()).unwrap();
    until("it is renewed again", || stage.entries("renew") > before);
    first.say("end");
    let (code, _) = first.end();
    assert_eq!((code, stage.entries("acquire"), stage.entries("release")), (Some(0), 1, 1));
}

#[test]
fn what_a_command_leaves_behind_has_a_grace_to_put_things_in_order() {
    let stage = Stage::new();
    let behind =
        "trap 'sleep 0.3; echo in order > $NOTE; exit' TERM; echo ready; while :; do sleep 0.1; done";
    let mut command = stage.run(&["--ttl", "60s", "--grace", "20s"], "sh -c \"$BEHIND\" & read -r _; true");
    let note = stage.path().join("note");
    command.env("BEHIND", behind).env("NOTE", &note);
    let first = Talk::start(command);
    first.hear("ready");
    let (code, said) = first.end();
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(std::fs::read_to_string(&note).unwrap(), "in order\n");
}

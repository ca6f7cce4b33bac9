//! `guard` and `check`.

use std::os::unix::ffi::OsStrExt as _;

use crate::stage::{Stage, Talk, code, refused, signal, state, succeeded, text, until};

/// Runs a script under a guard.
fn guard(stage: &Stage, token: &str, options: &[&str], script: &str) -> std::process::Command {
    let mut command = stage.ef(&["guard", "--token", token]);
    command.args(options).args(["--", "sh", "-c", script]);
    command
}

#[test]
fn a_newer_token_waits_for_older_permits_and_shuts_older_ones_out_meanwhile() {
    let stage = Stage::new();
    let old = stage.token();
    let first = Talk::start(guard(&stage, &old, &[], "echo in; read -r _; echo out"));
    first.hear("in");
    let beside = guard(&stage, &old, &["--no-wait"], "true").output().unwrap();
    assert_eq!(code(&beside), 0, "permits of one epoch live together: {}", text(&beside.stderr));
    let new = stage.token();

    let check = |token: &str| stage.ef(&["check", "--token", token]);
    let draining = "permits of older epochs are still alive; `epoch-fence inspect` shows what took them; end those \
                    processes and their children, or wait\n";
    refused(&mut check(&new), 121, draining);
    succeeded(guard(&stage, &old, &["--no-wait"], "true").output().unwrap());
    refused(&mut guard(&stage, &new, &["--no-wait"], "echo BAD"), 121, "still alive");
    refused(&mut guard(&stage, &old, &["--no-wait"], "echo BAD"), 122, "a newer holder was here");
    refused(&mut check(&old), 122, "a newer holder was here");
    let inspected = succeeded(stage.ef(&["inspect", "--resource", "r"]).output().unwrap());
    assert!(inspected.contains("1 permits alive, newer ones wait for their end"), "{inspected}");

    let second = Talk::start(guard(&stage, &new, &["--wait", "60s"], "echo in"));
    assert_eq!(first.end().0, Some(0));
    second.hear("in");
    assert_eq!(second.end().0, Some(0));
    assert_eq!(succeeded(check(&new).output().unwrap()), "");
}

#[test]
fn a_guarded_command_keeps_its_permit_when_the_guard_is_killed() {
    let stage = Stage::new();
    let old = stage.token();
    let first = Talk::start(guard(&stage, &old, &[], "echo $$; read -r _; true"));
    let command = first.line();
    let new = stage.token();
    signal(&first.id().to_string(), "KILL");
    until("the guard is gone", || state(&first.id().to_string()).is_none());
    refused(&mut guard(&stage, &new, &["--no-wait"], "echo BAD"), 121, "still alive");
    signal(&command, "KILL");
    until("the command is gone", || state(&command).is_none());
    succeeded(guard(&stage, &new, &["--no-wait"], "true").output().unwrap());
    refused(&mut guard(&stage, &old, &["--no-wait"], "echo BAD"), 122, "a newer holder was here");
}

#[test]
fn hostile_tokens_are_told_what_they_are_and_lock_nobody_out() {
    let stage = Stage::new();
    let good = stage.token();
    succeeded(guard(&stage, &good, &[], "true").output().unwrap());
    let groups: Vec<&str> = good.split('-').collect();
    let with = |at: usize, group: &str| {
        let mut groups = groups.clone();
        groups[at] = group;
        groups.join("-")
    };
    let other = "0123456789abcdef0123456789abcdef";
    let rows = [
        (with(3, "ffffffffffffffff"), 122, "epochs above the gate's floor"),
        (with(3, "7fffffffffffffff"), 122, "epochs above the gate's floor"),
        (with(1, other), 122, "another realm"),
        (
            with(4, other),
            122,
            "under the token's epoch; two holders have one epoch: stop, and have an operator look at `epoch-fence verify`\n",
        ),
        (with(2, &other.repeat(2)), 125, "nobody ever acquired this resource"),
        (with(3, "0000000000000000"), 125, "the epoch is zero"),
        (with(0, "0200"), 125, "unknown token version"),
        (with(0, "0180"), 125, "unknown critical flags"),
        (good.to_uppercase(), 125, "not a digit"),
        (good[..good.len() - 1].to_owned(), 125, "expected 152"),
        (good.clone() + "\n", 125, "expected 152"),
        (good.repeat(100), 125, "expected 152"),
        (String::new(), 125, "'--token <TOKEN>'"),
        ("\u{1b}[2J\u{202e}-rf /".to_owned(), 125, "--token <TOKEN>"),
    ];
    for (token, expected, word) in rows {
        refused(&mut guard(&stage, &token, &["--no-wait"], "echo BAD"), expected, word);
        refused(&mut stage.ef(&["check", "--token", &token]), expected, word);
        succeeded(guard(&stage, &good, &["--no-wait"], "true").output().unwrap());
    }
    let mut bytes = stage.ef(&["check", "--token"]);
    refused(bytes.arg(std::ffi::OsStr::from_bytes(&[0xff; 152])), 125, "UTF-8");
    refused(&mut stage.ef(&["check"]), 125, "--token");
}

#[test]
fn the_guard_remembers_what_it_has_admitted() {
    let stage = Stage::new();
    let (old, new) = (stage.token(), stage.token());
    succeeded(guard(&stage, &new, &[], "true").output().unwrap());
    // Another process each time: nothing is remembered but in the files.
    refused(&mut guard(&stage, &old, &[], "echo BAD"), 122, "a newer holder was here");
    let document = succeeded(stage.ef(&["inspect", "--resource", "r", "--json"]).output().unwrap());
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    assert_eq!(document[0]["gate"]["floor"], 2);
    assert_eq!(document[0]["gate"]["admitted"], 2);
    assert_eq!(document[0]["gate"]["permits"], 0);
}

#[test]
fn a_guard_without_its_directory_or_record_says_so_and_makes_nothing() {
    let stage = Stage::new();
    let elsewhere = Stage::new();
    let token = elsewhere.token();
    refused(&mut guard(&stage, &token, &[], "echo BAD"), 125, "there is no such directory");
    std::fs::create_dir(stage.leases()).unwrap();
    refused(&mut guard(&stage, &token, &[], "echo BAD"), 125, "is it the directory that `run` uses?");
    refused(&mut stage.ef(&["check", "--token", &token]), 125, "nobody ever acquired this resource");
    assert_eq!(std::fs::read_dir(stage.leases()).unwrap().count(), 0);
}

#[test]
fn permits_on_a_file_that_was_deleted_keep_the_guard_shut_until_it_is_made_anew() {
    let stage = Stage::new();
    let token = stage.token();
    let first = Talk::start(guard(&stage, &token, &[], "echo in; read -r _; true"));
    first.hear("in");
    let new = stage.token();
    std::fs::remove_file(stage.folder().join("gate.permits")).unwrap();
    let made_anew = "then rebuild the gate with `epoch-fence recover --rebuild-gate`\n";
    refused(&mut guard(&stage, &new, &[], "echo BAD"), 125, "deleted or replaced");
    refused(&mut guard(&stage, &new, &[], "echo BAD"), 125, made_anew);
    assert_eq!(first.end().0, Some(0));
    refused(&mut stage.ef(&["recover", "--resource", "r", "--floor", "2"]), 125, "deleted or replaced");
    let line = ["recover", "--resource", "r", "--floor", "2", "--rebuild-gate"];
    assert!(succeeded(stage.ef(&line).output().unwrap()).contains("the guard was made anew"));
    refused(&mut guard(&stage, &new, &[], "echo BAD"), 122, "another realm");
    succeeded(guard(&stage, &stage.token(), &[], "true").output().unwrap());
}

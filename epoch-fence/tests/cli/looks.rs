//! What is shown of a resource, to people and to programs.

use epoch_fence::engine::file::{FileOptions, SystemHost};
use epoch_fence::protocol::{Claim, Ttl};
use epoch_fence::{Ended, HolderId, Issuer, ResourceId, Wait};
use serde_json::Value;

use crate::stage::{Stage, Talk, code, json, refused, succeeded, text};

fn inspected(stage: &Stage, more: &[&str]) -> String {
    succeeded(stage.ef(&["inspect"]).args(more).output().unwrap())
}

fn document(stage: &Stage) -> Value {
    json(inspected(stage, &["--resource", "r", "--json"]).as_bytes())[0].clone()
}

#[test]
fn a_resource_is_shown_with_its_holder_its_guard_and_its_names_for_other_programs() {
    let stage = Stage::new();
    let options = ["--holder", "Alice", "--ttl", "1h"];
    let mut first =
        Talk::start(stage.run(&options, "echo $EPOCH_FENCE_TOKEN; while read -r l; do eval \"$l\"; done"));
    let token = first.line();
    let groups: Vec<&str> = token.split('-').collect();
    let shown = document(&stage);
    let field = |name: &str| shown[name].as_str().unwrap_or_else(|| panic!("no {name} in {shown}"));
    assert_eq!((field("namespace"), field("name"), field("state")), ("", "r", "held"));
    assert_eq!((field("realm"), field("id"), field("grant")), (groups[1], groups[2], groups[4]));
    assert_eq!((field("holder"), &shown["gate"]), ("Alice", &Value::Null));
    assert_eq!((shown["epoch"].as_u64(), shown["version"].as_u64()), (Some(1), Some(1)));
    let left = shown["remaining_ms"].as_u64().unwrap();
    assert!((1_800_000..=3_600_000).contains(&left), "{left} of an hour");
    assert!(field("ends_at").starts_with("20") && field("ends_at").ends_with('Z'), "{shown}");

    let alone = inspected(&stage, &["--resource", "r"]);
    let lines: Vec<&str> = alone.lines().collect();
    assert!(lines[1].starts_with("  state     held by \"Alice\" until 20"), "{alone}");
    assert!(lines[1].ends_with(") unless renewed"), "{alone}");
    let rest = format!(
        "  epoch     1\n  grant     {}\n  guard     never asked\n  realm     {}\n  id        {}",
        groups[4], groups[1], groups[2]
    );
    assert_eq!((lines[0], lines[2..].join("\n")), ("\"r\"", rest));
    // Only a list of all says in which directory they are.
    let folder = format!("{:?}\n\"r\"\n", stage.leases());
    assert!(inspected(&stage, &[]).starts_with(&folder));
    assert!(inspected(&stage, &["--id", groups[2]]).starts_with("\"r\"\n"));

    first.say("$EF guard -- sh -c 'echo $PPID; read -r _'");
    let guard = first.line();
    let shown = document(&stage)["gate"].clone();
    let process: u64 = guard.parse().unwrap();
    assert_eq!((&shown["realm"], &shown["floor"]), (&Value::from(groups[1]), &Value::from(1)));
    assert_eq!((&shown["admitted"], &shown["permits"]), (&Value::from(1), &Value::from(1)));
    assert_eq!(shown["processes"], Value::from(vec![process]));
    let alive = format!(
        "  guard     admits from epoch 1, has admitted epoch 1, 1 permits alive, taken by [{guard}]\n"
    );
    let alone = inspected(&stage, &["--resource", "r"]);
    assert!(alone.contains(&alive), "{alone}");
    first.say("");
    assert_eq!(first.end().0, Some(0));
    let over = "  guard     admits from epoch 1, has admitted epoch 1, no permit alive\n";
    assert!(inspected(&stage, &[]).contains(over));
    let shown = document(&stage);
    assert_eq!(
        (&shown["state"], &shown["holder"], &shown["ends_at"]),
        (&"free".into(), &Value::Null, &Value::Null)
    );
}

#[test]
fn a_resource_that_was_handed_over_is_kept_for_its_successor() {
    let stage = Stage::new();
    let options = FileOptions::new().allow_volatile_file_system().allow_unknown_file_system();
    let issuer = Issuer::new(options.open_or_create(stage.leases()).unwrap(), SystemHost::new().unwrap());
    let ttl = Ttl::new(core::time::Duration::from_secs(3600)).unwrap();
    let claim = Claim::new(ResourceId::of("", "r"), HolderId::try_new("Alice").unwrap(), ttl);
    let lease = issuer.acquire(&claim, Wait::AtOnce).unwrap();
    assert_eq!(lease.hand_over(HolderId::try_new("Bob").unwrap(), ttl).unwrap(), Ended::HandedOver);

    let shown = inspected(&stage, &[]);
    // A program of somebody's own keeps no name beside the record.
    assert!(shown.contains("\n(name not known)\n  state     kept for \"Bob\" until 20"), "{shown}");
    let shown = document(&stage);
    assert_eq!((shown["state"].as_str(), shown["holder"].as_str()), (Some("reserved"), Some("Bob")));
    assert!(shown["remaining_ms"].as_u64().is_some_and(|left| left > 1_800_000), "{shown}");
    let history = succeeded(stage.ef(&["history", "--resource", "r", "--last", "1"]).output().unwrap());
    assert!(history.contains("  hand over  epoch 1  \"Bob\"  process "), "{history}");
    refused(&mut stage.run(&["--no-wait", "--holder", "Carol"], "echo BAD"), 121, "Bob");
    let said = succeeded(stage.ef(&["evict", "--resource", "r"]).output().unwrap());
    assert_eq!(said, "\"r\": nobody holds it, or another grant\n", "there is no grant that could end");
    let epoch =
        succeeded(stage.run(&["--no-wait", "--holder", "Bob"], "echo $EPOCH_FENCE_EPOCH").output().unwrap());
    assert_eq!(epoch, "2\n");
}

#[test]
fn what_cannot_be_read_is_said_in_documents_too_and_does_not_hide_the_others() {
    let stage = Stage::new();
    stage.token();
    let folder = stage.folder();
    let id = folder.file_name().unwrap().to_str().unwrap();
    succeeded(stage.ef(&["run", "--resource", "other", "--", "true"]).output().unwrap());
    std::fs::rename(folder.join("record"), stage.path().join("record")).unwrap();
    let output = stage.ef(&["inspect", "--json"]).output().unwrap();
    assert_eq!(code(&output), 125);
    let all = json(&output.stdout);
    let all = all.as_array().unwrap();
    assert_eq!(all.len(), 2);
    let bad = all.iter().find(|found| found["name"] == "r").unwrap();
    let why = bad["error"].as_str().unwrap();
    assert_eq!(bad["id"], id);
    assert!(why.starts_with("the record is gone, and its audit log is not"), "{why}");
    assert_eq!(text(&output.stderr), format!("epoch-fence: \"r\": {why}\n"));
    assert!(all.iter().any(|found| found["name"] == "other" && found["state"] == "free"));
    let output = stage.ef(&["verify", "--resource", "r", "--json"]).output().unwrap();
    let found = json(&output.stdout);
    assert_eq!(
        (code(&output), &found["sound"], found["why"].as_str()),
        (125, &Value::from(false), Some(why))
    );

    std::fs::rename(stage.path().join("record"), folder.join("record")).unwrap();
    let token = stage.token();
    std::fs::write(folder.join("gate"), "no register").unwrap();
    let shown = inspected(&stage, &["--resource", "r"]);
    assert!(shown.contains("  guard     refuses everybody: the gate's register: "), "{shown}");
    let shown = document(&stage)["gate"].clone();
    assert!(shown["error"].as_str().is_some_and(|why| why.starts_with("the gate's register: ")), "{shown}");
    refused(&mut stage.ef(&["guard", "--token", &token, "--", "echo", "BAD"]), 125, "the gate's register: ");
}

#[test]
fn a_check_answers_programs_with_what_a_guard_would_do() {
    let stage = Stage::new();
    let (old, new) = (stage.token(), stage.token());
    let check = |token: &str| {
        let output = stage.ef(&["check", "--token", token, "--json"]).output().unwrap();
        assert_eq!(text(&output.stderr), "");
        (code(&output), json(&output.stdout))
    };
    succeeded(stage.ef(&["guard", "--token", &new, "--", "true"]).output().unwrap());
    let (status, answer) = check(&new);
    assert_eq!((status, &answer["admitted"], &answer["why"]), (0, &Value::from(true), &Value::Null));
    assert_eq!((&answer["exit_status"], &answer["epoch"]), (&Value::from(0), &Value::from(2)));
    assert_eq!((answer["name"].as_str(), answer["resource"].as_str()), (Some("r"), new.split('-').nth(2)));
    let (status, answer) = check(&old);
    assert_eq!(
        (status, &answer["admitted"], &answer["exit_status"]),
        (122, &Value::from(false), &Value::from(122))
    );
    let why = "epoch 1 is not admitted: the token is older than epoch 2, the gate's floor; a newer holder was here: stop";
    assert_eq!(answer["why"], why);
}

#[test]
fn an_empty_variable_names_no_server_to_one_who_reads_a_history() {
    let stage = Stage::new();
    stage.token();
    for verb in ["history", "verify"] {
        let mut command = stage.ef(&[verb, "--resource", "r"]);
        succeeded(command.env("EPOCH_FENCE_ENGINE", "").output().unwrap());
        refused(command.env("EPOCH_FENCE_ENGINE", "etcd://nowhere:1"), 125, "a server keeps no history");
    }
}

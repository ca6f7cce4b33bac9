//! How the command is run: what it is given, what becomes of its signals, and how it ends.

use std::os::unix::ffi::OsStrExt as _;

use crate::stage::{PROGRAM, Stage, Talk, code, refused, signal, succeeded, text};

#[test]
fn the_exit_code_is_the_commands_own_and_else_says_what_happened() {
    let stage = Stage::new();
    for own in [0, 1, 7, 121, 125, 255] {
        for verb in ["run", "guard"] {
            let script = format!("exit {own}");
            let mut command = stage.run(&[], &format!("$EF guard -- sh -c '{script}'"));
            if verb == "run" {
                command = stage.run(&[], &script);
            }
            let output = command.output().unwrap();
            assert_eq!(code(&output), own, "{verb}: {}", text(&output.stderr));
        }
    }
    assert_eq!(code(&stage.run(&[], "kill -TERM $$").output().unwrap()), 128 + 15);
    assert_eq!(code(&stage.run(&[], "kill -KILL $$").output().unwrap()), 128 + 9);
    let run = |program: &str| stage.ef(&["run", "--resource", "r", "--", program]);
    refused(&mut run("/no/such/command"), 127, "No such file");
    // As a shell: where a folder of the path may not be looked into, it may be in there.
    refused(run("no-such-command-anywhere").env("PATH", "/usr/bin:/bin"), 127, "No such file");
    refused(&mut run("/etc/passwd"), 126, "ermission denied");
    refused(&mut run("/"), 126, "ermission denied");
    let token = stage.token();
    let guard = |program: &str| stage.ef(&["guard", "--token", &token, "--", program]);
    refused(&mut guard("/no/such/command"), 127, "No such file");
    refused(&mut guard("/etc/passwd"), 126, "ermission denied");
}

#[test]
fn a_wrong_command_line_is_the_programs_own_failure() {
    let stage = Stage::new();
    let lines: [&[&str]; 14] = [
        &[],
        &["no-such-verb"],
        &["run"],
        &["run", "--resource", "r"],
        &["run", "--resource", "r", "--ttl", "999ms", "--", "true"],
        &["run", "--resource", "r", "--ttl", "25h", "--", "true"],
        &["run", "--resource", "r", "--ttl", "x", "--", "true"],
        &["run", "--resource", "r", "--grace", "9s", "--", "true"],
        &["run", "--resource", "r", "--holder", "\u{1b}[2J", "--", "true"],
        &["run", "--resource", "r", "--wait", "1s", "--no-wait", "--", "true"],
        &["run", "--resource", "", "--", "true"],
        &["recover", "--resource", "r", "--floor", "-1"],
        &["verify", "--resource", "r", "--head", "0"],
        &["history", "--resource", "r", "--id", "0"],
    ];
    for line in lines {
        let output = stage.ef(line).output().unwrap();
        assert_eq!(code(&output), 125, "{line:?}");
        assert!(!text(&output.stderr).contains('\u{1b}'), "{line:?}");
        assert!(!stage.leases().exists(), "{line:?} made something");
    }
}

#[test]
fn a_command_is_run_as_it_is_with_what_it_has_to_know_in_its_environment() {
    let stage = Stage::new();
    let odd = ["", " ", "$HOME", "*", "a\"b'c", "--", "\u{e4}"];
    let mut command = stage.ef(&["run", "--resource", "r/1 2", "--", "printf", "<%s>"]);
    assert_eq!(succeeded(command.args(odd).output().unwrap()), format!("<{}>", odd.join("><")));
    let mut bytes = stage.ef(&["run", "--resource", "r", "--", "printf", "%s"]);
    let output = bytes.arg(std::ffi::OsStr::from_bytes(&[0xff, 0xfe])).output().unwrap();
    assert_eq!(output.stdout, [0xff, 0xfe]);

    let show =
        "echo $EPOCH_FENCE_EPOCH; echo $EPOCH_FENCE_RESOURCE; echo $EPOCH_FENCE_DIR; echo $EPOCH_FENCE_TOKEN";
    let mut command = stage.ef(&["run", "--resource", "r/1 2", "--", "sh", "-c", show]);
    let shown = succeeded(command.env("EPOCH_FENCE_EPOCH", "an older one").output().unwrap());
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines[..3], ["2", "r/1 2", stage.leases().to_str().unwrap()]);
    let token: epoch_fence::FencingToken = lines[3].parse().unwrap();
    assert_eq!(token.epoch().get(), 2);
    assert_eq!(token.resource(), epoch_fence::ResourceId::of("", "r/1 2"));
}

#[test]
fn what_the_command_line_says_of_the_directory_is_handed_on_in_the_environment() {
    let stage = Stage::new();
    let leases = stage.leases();
    let script =
        "$EF guard -- echo in; echo $EPOCH_FENCE_DIR; echo $EPOCH_FENCE_ALLOW; env | grep -c ^EPOCH_FENCE_";
    let mut command =
        stage.ef(&["run", "--resource", "r", "--allow", "volatile", "--allow", "unknown,network", "--dir"]);
    command.arg(&leases).args(["--", "sh", "-c", script]);
    let output = command.env_remove("EPOCH_FENCE_DIR").env_remove("EPOCH_FENCE_ALLOW").output().unwrap();
    let expected = format!("in\n{}\nvolatile,unknown,network\n5\n", leases.display());
    assert_eq!(succeeded(output), expected);
}

#[test]
fn without_a_directory_on_the_command_line_it_is_the_users_own() {
    let stage = Stage::new();
    let mut command = stage.ef(&["inspect"]);
    command.env_remove("EPOCH_FENCE_DIR").env("XDG_STATE_HOME", stage.path()).env_remove("HOME");
    let output = command.output().unwrap();
    let said = text(&output.stdout) + &text(&output.stderr);
    let own = stage.path().join("epoch-fence");
    assert!(said.contains(own.to_str().unwrap()) || said.contains("/var/lib/epoch-fence"), "{said}");
}

#[test]
fn a_command_begins_with_the_signals_as_they_were() {
    let stage = Stage::new();
    // `grep` is the command itself: a shell would have handlers of its own.
    let command = ["grep", "-E", "^Sig(Blk|Ign|Cgt)", "/proc/self/status"];
    let bare = succeeded(stage.command(command[0]).args(&command[1..]).output().unwrap());
    let run = stage.ef(&["run", "--resource", "r", "--"]).args(command).output().unwrap();
    assert_eq!(succeeded(run), bare);
    let guard = stage.ef(&["guard", "--token", &stage.token(), "--"]).args(command).output().unwrap();
    assert_eq!(succeeded(guard), bare);
}

#[test]
fn signals_are_passed_on_and_the_program_outlives_them_all() {
    let script = "for s in HUP INT QUIT TERM USR1 USR2; do trap \"echo $s\" $s; done; echo ready; \
                  i=0; while test $i -lt 99; do i=$((i+1)); read -r line && test \"$line\" = end && exit 9; done; exit 8";
    let stage = Stage::new();
    for verb in ["run", "guard"] {
        let command = match verb {
            "run" => stage.run(&[], script),
            _ => {
                let mut command = stage.ef(&["guard", "--token", &stage.token(), "--"]);
                command.args(["sh", "-c", script]);
                command
            }
        };
        let mut talk = Talk::start(stage.hearing(&command));
        talk.hear("ready");
        for name in ["HUP", "INT", "QUIT", "TERM", "USR1", "USR2"] {
            signal(&talk.id().to_string(), name);
            talk.say("");
            talk.hear(name);
        }
        talk.say("end");
        assert_eq!(talk.end().0, Some(9), "{verb}");
    }
}

#[test]
fn a_command_of_run_has_a_process_group_of_its_own_and_one_of_guard_shares_it() {
    let stage = Stage::new();
    // The fields behind the name of the program: state, parent, group.
    let group = "set -- $(sed 's/.*) //' /proc/$$/stat); echo $$ $3";
    let shown = succeeded(stage.run(&[], group).output().unwrap());
    let (process, of_group) = shown.trim().split_once(' ').unwrap();
    assert_eq!(process, of_group);
    let script = format!("$EF guard -- sh -c \"$INNER\"; {group}");
    let shown = succeeded(stage.run(&[], &script).env("INNER", group).output().unwrap());
    let groups: Vec<&str> = shown.lines().map(|line| line.split_once(' ').unwrap().1).collect();
    assert_eq!(groups[0], groups[1]);
}

#[test]
fn the_program_needs_nothing_but_itself_to_be_started_by_any_name() {
    let stage = Stage::new();
    let link = stage.path().join("ef");
    std::os::unix::fs::symlink(PROGRAM, &link).unwrap();
    let mut command = stage.command(link);
    let said = succeeded(command.arg("--version").output().unwrap());
    assert_eq!(said, format!("epoch-fence {}\n", env!("CARGO_PKG_VERSION")));
}

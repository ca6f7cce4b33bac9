//! Disks that are full, directories that are gone or read-only.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use crate::stage::{PROGRAM, Stage, Talk, refused, state, succeeded, text, until};

/// Starts the program in a shell with a limit on the size of files, in blocks of 512 bytes: to the program, a disk on
/// which no file can grow. It works for root and others, and in every container.
fn limited(stage: &Stage, blocks: u32, line: &str) -> Command {
    let mut command = stage.command("sh");
    command.args(["-c", &format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$EF\" {line}")]);
    command
}

#[test]
fn on_a_disk_without_room_nothing_is_granted_and_nothing_is_admitted() {
    let stage = Stage::new();
    refused(&mut limited(&stage, 8, "run --resource r -- echo BAD"), 125, "File too large");
    assert!(succeeded(stage.run(&[], "echo $EPOCH_FENCE_EPOCH").output().unwrap()).starts_with('1'));
    let token = stage.token();
    // The record's file does not grow, but that of the guard has to be made.
    let line = format!("guard --token {token} -- echo BAD");
    refused(&mut limited(&stage, 8, &line), 125, "File too large");
    succeeded(stage.ef(&["guard", "--token", &token, "--", "true"]).output().unwrap());
}

#[test]
fn a_limit_on_the_size_of_files_is_a_full_disk_and_kills_nobody() {
    let stage = Stage::new();
    let limited = |line: &str| {
        let mut command = stage.command("sh");
        command.args(["-c", &format!("ulimit -f 8; exec \"$EF\" {line}")]);
        command
    };
    refused(&mut limited("run --resource r -- echo BAD"), 125, "File too large");
    // It left a folder, in which nothing ever was.
    let all = succeeded(stage.ef(&["inspect"]).output().unwrap());
    assert!(all.contains("nothing was ever acquired here"), "{all}");
    refused(&mut stage.ef(&["inspect", "--resource", "r"]), 125, "nobody ever acquired it");
    let token = stage.token();
    refused(&mut limited(&format!("guard --token {token} -- echo BAD")), 125, "File too large");
    // The command has its own limit, and its own signal.
    let blocked = stage.run(&[], "grep SigBlk /proc/self/status").output().unwrap();
    assert!(succeeded(blocked).trim_end().ends_with("0000000000000000"));
}

#[test]
fn the_folder_of_a_resource_is_closed_to_strangers_who_could_lock_its_files() {
    let stage = Stage::new();
    stage.token();
    let mode = std::fs::metadata(stage.folder()).unwrap().permissions().mode();
    assert_eq!(mode & 0o007, 0, "{mode:o}");
    // Whatever the mask lets in: a group, to share it with.
    let shared = stage.path().join("shared");
    let mut command = stage.command("sh");
    command.args(["-c", "umask 002; exec \"$EF\" run --resource r -- true"]).env("EPOCH_FENCE_DIR", &shared);
    succeeded(command.output().unwrap());
    let folder = std::fs::read_dir(&shared).unwrap().next().unwrap().unwrap().path();
    assert_eq!(std::fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o770);
}

#[test]
fn when_the_log_cannot_grow_nothing_is_granted_and_later_all_goes_on() {
    let stage = Stage::new();
    stage.token();
    let log = stage.folder().join("log.00000001");
    let length = std::fs::metadata(&log).unwrap().len();
    let blocks = u32::try_from(length / 512).unwrap().max(192); // the record's file is 96 KiB
    // Until the next entry would not fit.
    let script = format!(
        "trap '' XFSZ; ulimit -f {blocks}; i=0; while test $i -lt 1000 && \"$EF\" run --resource r -- true; \
         do i=$((i+1)); done; exec \"$EF\" run --resource r -- echo BAD"
    );
    refused(stage.command("sh").args(["-c", &script]), 125, "making room in the audit log");
    let before = stage.entries("acquire");
    let epoch = succeeded(stage.run(&[], "echo $EPOCH_FENCE_EPOCH").output().unwrap());
    assert_eq!(epoch.trim().parse::<usize>().unwrap(), before + 1, "an epoch was used up by a refusal");
    succeeded(stage.ef(&["verify", "--resource", "r"]).output().unwrap());
}

#[test]
fn a_directory_that_is_deleted_under_a_holder_stops_it_and_is_begun_anew_in_another_realm() {
    let stage = Stage::new();
    let first = Talk::start(stage.run(&["--ttl", "1s"], "echo $$; echo $EPOCH_FENCE_TOKEN; exec sleep 1000"));
    let (command, old) = (first.line(), first.line());
    std::fs::remove_dir_all(stage.leases()).unwrap();
    until("the command is stopped", || state(&command).is_none());
    let (code, said) = first.end();
    assert_eq!(code, Some(122), "{said}");
    assert!(said.contains("no such directory"), "{said}");
    refused(&mut stage.ef(&["inspect"]), 125, "there is no such directory");
    assert!(!stage.leases().exists(), "what only looks has made it");

    let new = stage.token();
    assert_ne!(old.split('-').nth(1), new.split('-').nth(1), "a new past must be a new realm");
    refused(&mut stage.ef(&["guard", "--token", &old, "--", "echo", "BAD"]), 122, "another realm");
}

#[test]
fn a_place_that_is_no_directory_or_cannot_be_made_is_refused_with_its_name() {
    let stage = Stage::new();
    let file = stage.path().join("file");
    std::fs::write(&file, "").unwrap();
    for path in [file.clone(), file.join("below"), "/proc/epoch-fence".into()] {
        let mut command = stage.run(&["--no-wait"], "echo BAD");
        command.env("EPOCH_FENCE_DIR", &path);
        refused(&mut command, 125, path.to_str().unwrap());
    }
}

#[test]
fn a_directory_in_memory_is_refused_until_it_is_allowed() {
    let stage = Stage::new();
    let memory = Path::new("/dev/shm").join(format!("epoch-fence-cli-{}", std::process::id()));
    let run = |allow: &str| {
        let mut command = stage.run(&[], "$EF guard -- echo in");
        command.env("EPOCH_FENCE_DIR", &memory);
        if allow.is_empty() {
            command.env_remove("EPOCH_FENCE_ALLOW");
        }
        command
    };
    refused(&mut run(""), 125, "--allow tmpfs");
    for allow in ["volatile", "tmpfs", "unknown,tmpfs"] {
        let mut command = run(allow);
        command.env("EPOCH_FENCE_ALLOW", allow);
        assert_eq!(succeeded(command.output().unwrap()), "in\n", "the guard within was not told");
    }
    refused(run("tmpfs").env("EPOCH_FENCE_ALLOW", "two words"), 125, "no file system has such a name");
    std::fs::remove_dir_all(&memory).unwrap();
}

/// The program for a user who is not root, whoever runs the test. Root may write everywhere.
fn as_a_user(stage: &Stage) -> Command {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let root =
        status.lines().any(|line| line.starts_with("Uid:") && line.split_whitespace().nth(2) == Some("0"));
    if !root {
        return stage.command(PROGRAM);
    }
    let mut command = stage.command("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]).arg(copy());
    command
}

/// The program where every user finds it: the folders of a build may be root's own.
fn copy() -> std::path::PathBuf {
    let copy = std::env::temp_dir().join(format!("epoch-fence-cli-{}", std::process::id()));
    if !copy.exists() {
        let new = copy.with_extension("new");
        std::fs::copy(PROGRAM, &new).unwrap();
        std::fs::set_permissions(&new, Permissions::from_mode(0o755)).unwrap();
        std::fs::rename(&new, &copy).unwrap();
    }
    copy
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_directory_that_cannot_be_written_to_can_be_looked_at_and_grants_nothing() {
    let stage = Stage::new();
    // Where every user may look.
    let leases = std::env::temp_dir().join(format!("epoch-fence-cli-read-only-{}", std::process::id()));
    let at_leases = |mut command: Command, line: &[&str]| {
        command.env("EPOCH_FENCE_DIR", &leases).args(line);
        command
    };
    let token = succeeded(
        at_leases(stage.ef(&[]), &["run", "--resource", "r", "--", "sh", "-c", "echo $EPOCH_FENCE_TOKEN"])
            .output()
            .unwrap(),
    );
    let token = token.trim();
    let folder = std::fs::read_dir(&leases).unwrap().next().unwrap().unwrap().path();
    for file in std::fs::read_dir(&folder).unwrap() {
        set_mode(&file.unwrap().path(), 0o444);
    }
    set_mode(&folder, 0o555);
    set_mode(&leases, 0o555);

    let user = |line: &[&str]| at_leases(as_a_user(&stage), line);
    let outcome = std::panic::catch_unwind(|| {
        refused(
            &mut user(&["run", "--resource", "r", "--no-wait", "--", "echo", "BAD"]),
            125,
            "cannot be written",
        );
        refused(
            &mut user(&["run", "--resource", "new", "--no-wait", "--", "echo", "BAD"]),
            125,
            "ermission denied",
        );
        refused(&mut user(&["guard", "--token", token, "--", "echo", "BAD"]), 125, "ermission denied");
        refused(&mut user(&["recover", "--resource", "r", "--floor", "0"]), 125, "cannot be written");
        for line in [
            &["inspect"][..],
            &["history", "--resource", "r"],
            &["verify", "--resource", "r"],
            &["check", "--token", token],
        ] {
            let output = user(line).output().unwrap();
            assert_eq!(output.status.code(), Some(0), "{line:?}: {}", text(&output.stderr));
        }
    });
    set_mode(&leases, 0o755);
    set_mode(&folder, 0o755);
    std::fs::remove_dir_all(&leases).unwrap();
    let _ = std::fs::remove_file(copy());
    outcome.unwrap();
}

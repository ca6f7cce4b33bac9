//! Files and directories that this process may not use: each is told from the others.
//!
//! The superuser may do everything. A test that runs as one goes on in a child that is somebody else.

use crate::files::{Scratch, anywhere};
use high_water::{OpenError, inspect};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// Set for the child: where it works.
const PATH: &str = "HIGH_WATER_TEST_PERMISSIONS";
/// A user who owns nothing: `nobody`, by custom.
const NOBODY: u32 = 65_534;

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn what_this_process_may_not_do_is_told_apart() {
    if let Some(dir) = std::env::var_os(PATH) {
        return check(Path::new(&dir));
    }
    let scratch = Scratch::new();
    let dir = scratch.join("of this test");
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("probe"), b"").unwrap();
    mode(&dir.join("probe"), 0o000);
    if fs::read(dir.join("probe")).is_err() {
        return check(&dir);
    }
    // Somewhere that anybody can reach, and with this very program.
    let open = std::env::temp_dir().join(std::format!("high-water-permissions-{}", std::process::id()));
    fs::create_dir(&open).unwrap();
    mode(&open, 0o777);
    let program = open.join("program");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    mode(&program, 0o755);
    let test = "permissions::what_this_process_may_not_do_is_told_apart";
    let run = Command::new(&program)
        .args([test, "--exact", "--nocapture"])
        .env(PATH, &open)
        .current_dir(&open)
        .uid(NOBODY)
        .gid(NOBODY)
        .output();
    fs::remove_dir_all(&open).unwrap();
    let output = run.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// As a user who is bound by permissions.
fn check(dir: &Path) {
    let closed = dir.join("closed");
    fs::create_dir(&closed).unwrap();
    let register = closed.join("register");
    drop(anywhere().create(&register, 7, b"").unwrap());
    let open = || anywhere().open(&register).map(|register| register.get());
    let create = || anywhere().create(closed.join("new"), 0, b"").map(|register| register.get());
    let open_or_create = |name| anywhere().open_or_create(closed.join(name)).map(|register| register.get());
    let look = || inspect(&register).map(|inspection| inspection.record().value());

    mode(&register, 0o400);
    assert_eq!((open(), look()), (Err(OpenError::ReadOnlyFile), Ok(7)));
    for unreadable in [0o000, 0o200] {
        mode(&register, unreadable);
        assert_eq!((open(), look()), (Err(OpenError::UnreadableFile), Err(OpenError::UnreadableFile)));
    }
    mode(&register, 0o600);

    // Read and search, no change: what is there can be raised, and nothing can be made.
    mode(&closed, 0o500);
    assert_eq!((open(), look()), (Ok(7), Ok(7)));
    assert_eq!(create(), Err(OpenError::ReadOnlyDirectory));
    assert_eq!(open_or_create("new"), Err(OpenError::ReadOnlyDirectory));
    // No search, although the names can be listed and, if it could be searched, changed.
    for unsearchable in [0o000, 0o400, 0o600] {
        mode(&closed, unsearchable);
        assert_eq!(open(), Err(OpenError::UnsearchableDirectory));
        assert_eq!(look(), Err(OpenError::UnsearchableDirectory));
        assert_eq!(create(), Err(OpenError::UnsearchableDirectory));
        assert_eq!(open_or_create("new"), Err(OpenError::UnsearchableDirectory));
    }
    // Change and search, no read: the directory cannot be opened for its sync. Nothing is left behind.
    mode(&closed, 0o300);
    assert_eq!(open(), Err(OpenError::UnreadableDirectory));
    assert_eq!(create(), Err(OpenError::UnreadableDirectory));
    mode(&closed, 0o700);
    assert_eq!(fs::read_dir(&closed).unwrap().count(), 1, "the register alone");
    assert_eq!((open(), create()), (Ok(7), Ok(0)));
}

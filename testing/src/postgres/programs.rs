//! `Programs`: where PostgreSQL's programs are, and as whom they run.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::NotInstalled;
use crate::folder::OwnGroup as _;

/// What a server, its clients and its copies take.
const NEEDED: [&str; 4] = ["initdb", "postgres", "pg_basebackup", "psql"];

/// Where Debian keeps a folder for each version.
const VERSIONS: &str = "/usr/lib/postgresql";

/// The programs of one version.
#[derive(Clone, Debug)]
pub(super) struct Programs {
    folder: PathBuf,
    /// The server refuses to run as root.
    user: Option<User>,
}

/// Another user than the one of the test.
#[derive(Clone, Copy, Debug)]
struct User {
    id: u32,
    group: u32,
}

impl Programs {
    /// Finds them: the first folder in `PATH` that has all of them, or else the newest version that Debian has.
    pub(super) fn find() -> Result<Self, NotInstalled> {
        let path = env::var_os("PATH").unwrap_or_default();
        let folder = env::split_paths(&path).chain(newest_first()).find(|folder| is_whole(folder));
        let missing =
            || NotInstalled { what: "PostgreSQL (initdb, postgres, pg_basebackup, psql)".to_owned() };
        let folder = folder.ok_or_else(missing)?;
        let root = rustix::process::geteuid().is_root();
        let user = if root {
            Some(["postgres", "nobody"].iter().find_map(|name| user(name)).unwrap())
        } else {
            None
        };
        Ok(Self { folder, user })
    }

    /// Begins the command line of one, which works in `folder` and learns nothing from the variables of the test.
    pub(super) fn command(&self, name: &str, folder: &Path) -> Command {
        let mut command = Command::new(self.folder.join(name));
        command.env_clear().envs([("PATH", "/usr/bin:/bin"), ("LC_ALL", "C"), ("TZ", "UTC")]);
        command.current_dir(folder).stdin(Stdio::null()).own_group();
        if let Some(User { id, group }) = self.user {
            command.uid(id).gid(group);
        }
        command
    }

    /// Gives a folder to the user as whom the programs run.
    pub(super) fn give(&self, folder: &Path) {
        if let Some(User { id, group }) = self.user {
            std::os::unix::fs::chown(folder, Some(id), Some(group)).unwrap();
        }
    }
}

/// Runs a command to its end, and returns what it wrote.
///
/// # Panics
///
/// When it fails; the message has what it complained of.
pub(super) fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{complaint}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

fn is_whole(folder: &Path) -> bool {
    NEEDED.iter().all(|name| folder.join(name).is_file())
}

/// The folders of every version that Debian has.
fn newest_first() -> Vec<PathBuf> {
    let entries = fs::read_dir(VERSIONS).into_iter().flatten().flatten();
    let number = |name: &OsStr| name.to_str().and_then(|name| name.parse::<u32>().ok());
    let mut versions: Vec<_> =
        entries.map(|entry| (number(&entry.file_name()), entry.path().join("bin"))).collect();
    versions.sort();
    versions.into_iter().rev().map(|(_, bin)| bin).collect()
}

/// Looks a user up where system users are written down.
fn user(name: &str) -> Option<User> {
    let users = fs::read_to_string("/etc/passwd").ok()?;
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let found = fields.next()? == name;
        let _password = fields.next()?;
        let mut number = || fields.next()?.parse().ok();
        let user = User { id: number()?, group: number()? };
        found.then_some(user)
    })
}

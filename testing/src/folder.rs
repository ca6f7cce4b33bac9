//! `Folder`: a temporary folder for a server, which goes with the test process, and the server with it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{self, Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::process::{Pid, Signal, kill_process};

/// Waits until nobody holds the other end of its input, which is this test process alone; then kills whatever works in
/// the folder, gives back what PostgreSQL keeps outside of its files, and removes the folder.
const GUARDIAN: &str = r#"
trap '' INT TERM HUP QUIT
cat >/dev/null
rounds=0
while [ $rounds -lt 200 ]; do
    found=
    for cwd in $(find /proc/[0-9]*/cwd -maxdepth 0 \( -lname "$1" -o -lname "$1/*" \) 2>/dev/null); do
        process=${cwd#/proc/}
        kill -KILL "${process%/cwd}" 2>/dev/null
        found=1
    done
    [ -n "$found" ] || break
    rounds=$((rounds + 1))
    sleep 0.02
done
for lock in "$1"/*/postmaster.pid; do
    [ -f "$lock" ] && ipcrm -m "$(sed -n '7s/.* //p' "$lock")" 2>/dev/null
done
rm -rf "$1"
"#;

/// A temporary folder, and a guardian that outlives the test process by as long as it takes to clean up.
///
/// When it is dropped, and when the test process ends in any way, every process whose working directory is in the
/// folder is killed, and the folder is removed. A process that a server starts works where the server does, so none is
/// left over, not even one that is stopped.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    guardian: Child,
}

impl Folder {
    /// Makes one. The name is short, because the path of a socket may have no more than a hundred characters.
    ///
    /// # Panics
    ///
    /// When the system gives no folder, or no process for the guardian.
    #[must_use]
    pub fn new(name: &str) -> Self {
        // A counter of this process: nothing is published with it.
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let temporary = std::env::temp_dir().canonicalize().unwrap();
        let path = temporary.join(format!("{name}-{}-{number}", process::id()));
        // First the guardian: a process that is killed in between leaves nothing.
        let guardian = Command::new("sh")
            .args(["-c", GUARDIAN, "guardian"])
            .arg(&path)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .own_group()
            .spawn()
            .unwrap();
        fs::create_dir(&path).unwrap();
        Self { path, guardian }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The processes that work in it now; those of them that have ended and wait to be reaped are not among them.
    ///
    /// # Panics
    ///
    /// When the system does not list its processes.
    #[must_use]
    pub fn processes(&self) -> Vec<u32> {
        let entries = fs::read_dir("/proc").unwrap();
        let numbers = entries.filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
        numbers.filter(|number| self.is_home_of(*number)).collect()
    }

    fn is_home_of(&self, process: u32) -> bool {
        fs::read_link(format!("/proc/{process}/cwd")).is_ok_and(|cwd| cwd.starts_with(&self.path))
    }

    /// Sends a signal to each process that works in the folder. How many there were.
    pub(crate) fn signal(&self, signal: Signal) -> usize {
        let processes = self.processes();
        processes.iter().for_each(|process| send(*process, signal));
        processes.len()
    }

    /// Whether every process in it is stopped.
    pub(crate) fn is_stopped(&self) -> bool {
        self.processes().into_iter().all(is_stopped)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(self.guardian.stdin.take());
        let _ = self.guardian.wait();
    }
}

/// Sends a signal. A process that is gone needs none.
pub(crate) fn send(process: u32, signal: Signal) {
    if let Some(process) = i32::try_from(process).ok().and_then(Pid::from_raw) {
        let _ = kill_process(process, signal);
    }
}

/// Whether a process is stopped by a signal, or gone.
pub(crate) fn is_stopped(process: u32) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{process}/stat")) else { return true };
    let state = stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
    matches!(state, Some('T' | 'Z' | 'X'))
}

/// What a server's processes and their guardian have in common.
pub(crate) trait OwnGroup {
    /// Out of reach of the terminal's keys, which end the test process and, by the guardian, these as well.
    fn own_group(&mut self) -> &mut Self;
}

impl OwnGroup for Command {
    fn own_group(&mut self) -> &mut Self {
        std::os::unix::process::CommandExt::process_group(self, 0)
    }
}

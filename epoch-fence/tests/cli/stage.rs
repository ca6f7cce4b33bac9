//! A directory of leases of a test's own, and processes that are talked to.

use core::sync::atomic::{AtomicU32, Ordering};
use core::time::Duration;
use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};

use serde_json::Value;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_epoch-fence");

/// Longer than anything takes on a machine that does ten other things.
const LIMIT: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(5);

/// A directory for one test, removed with it.
pub(crate) struct Stage(PathBuf);

impl Stage {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("cli-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn leases(&self) -> PathBuf {
        self.0.join("leases")
    }

    /// The folder of the only resource.
    pub(crate) fn folder(&self) -> PathBuf {
        let mut folders = std::fs::read_dir(self.leases()).unwrap().map(|found| found.unwrap().path());
        folders.next().unwrap()
    }

    /// A command that finds the directory, and the program as `$EF`.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env_remove("EPOCH_FENCE_TOKEN")
            .env("EPOCH_FENCE_DIR", self.leases())
            .env("EPOCH_FENCE_ALLOW", "volatile,unknown")
            .env("EF", PROGRAM);
        command
    }

    /// The same line, by somebody who hears what the keys of a terminal send. Whoever starts the tests may ignore that, as
    /// `nohup` and a shell's `&` do: a child inherits it, and a shell cannot even trap it.
    pub(crate) fn hearing(&self, line: &Command) -> Command {
        let mut command = self.command("env");
        command.arg("--default-signal=INT,QUIT,TSTP").arg(line.get_program()).args(line.get_args());
        command
    }

    /// The program.
    pub(crate) fn ef(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(PROGRAM);
        command.args(arguments);
        command
    }

    /// `run` for the resource `r`, with more options, of a shell script.
    pub(crate) fn run(&self, options: &[&str], script: &str) -> Command {
        let mut command = self.ef(&["run", "--resource", "r"]);
        command.args(options).args(["--", "sh", "-c", script]);
        command
    }

    /// Acquires `r` and gives it back; its token.
    pub(crate) fn token(&self) -> String {
        succeeded(self.run(&[], "echo $EPOCH_FENCE_TOKEN").output().unwrap()).trim().to_owned()
    }

    /// The entries of the history of `r` that were of one kind.
    pub(crate) fn entries(&self, action: &str) -> usize {
        let history = self.ef(&["history", "--resource", "r", "--json"]).output().unwrap();
        let of_kind = format!("\"action\":\"{action}\"");
        text(&history.stdout).lines().filter(|line| line.contains(&of_kind)).count()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What it printed, if it ended well.
pub(crate) fn succeeded(output: Output) -> String {
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    text(&output.stdout)
}

pub(crate) fn code(output: &Output) -> i32 {
    let signal = output.status.signal();
    output.status.code().unwrap_or_else(|| panic!("ended by signal {signal:?}: {}", text(&output.stderr)))
}

/// Runs it, and expects an exit code and a word of its message.
pub(crate) fn refused(command: &mut Command, expected: i32, word: &str) {
    let output = command.output().unwrap();
    let said = text(&output.stderr);
    assert_eq!(code(&output), expected, "{command:?}: {said}");
    assert!(said.contains(word), "{command:?}: {word:?} is not in {said:?}");
}

/// Waits until something is so.
pub(crate) fn until(what: &str, mut so: impl FnMut() -> bool) {
    let mut left = LIMIT;
    while !so() {
        assert!(!left.is_zero(), "waited in vain until {what}");
        std::thread::sleep(LOOK);
        left = left.saturating_sub(LOOK);
    }
}

/// A process that is talked to line by line. What is left of it is killed with its group.
pub(crate) struct Talk {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Talk {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (tell, lines) = channel();
        let output = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            output
                .lines()
                .map_while(Result::ok)
                .take_while(|line| tell.send(line.clone()).is_ok())
                .for_each(drop);
        });
        Self { input: child.stdin.take(), child, lines }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The next line that it prints.
    pub(crate) fn line(&self) -> String {
        self.lines.recv_timeout(LIMIT).expect("it printed nothing more")
    }

    pub(crate) fn hear(&self, expected: &str) {
        assert_eq!(self.line(), expected);
    }

    pub(crate) fn say(&mut self, line: &str) {
        writeln!(self.input.as_mut().unwrap(), "{line}").unwrap();
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Its exit code when it ends, and what it said on standard error.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        drop(self.input.take());
        until("it ends", || !self.is_running());
        let status = self.child.wait().unwrap();
        let mut said = String::new();
        // Only what is there: somebody that it left behind may still have the other end.
        let mut errors = BufReader::new(self.child.stderr.take().unwrap());
        let (tell, hear) = channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            while errors.read_line(&mut line).is_ok_and(|read| read > 0) {
                if tell.send(core::mem::take(&mut line)).is_err() {
                    return;
                }
            }
        });
        while let Ok(line) = hear.recv_timeout(Duration::from_secs(1)) {
            said += &line;
        }
        (status.code(), said)
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a JSON document says.
pub(crate) fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or_else(|why| panic!("{why}: {}", text(bytes)))
}

pub(crate) fn signal(process: &str, signal: &str) {
    let sent = Command::new("kill").args(["-s", signal, "--", process]).status().unwrap();
    assert!(sent.success(), "{signal} to {process}");
}

/// The state of a process, as `/proc` says: `T` is stopped, `None` is gone.
pub(crate) fn state(process: &str) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    stat.rsplit(") ").next()?.chars().next().filter(|state| *state != 'Z')
}

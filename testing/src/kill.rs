//! Real crashes: a test runs itself again as a child process, which reports over a pipe until it is killed.

use crate::Dice;
use std::env;
use std::ffi::OsStr;
use std::fmt::Display;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{self, ChildStdout, Command, Stdio};

/// Before each report, to tell it from what the test harness prints.
const MARKER: &str = "@child ";
const SIGKILL: i32 = 9;

/// Reports to the parent, from the child. The line goes out in one write: a pipe takes it whole or not at all.
///
/// # Panics
///
/// When the parent is gone.
pub fn report(what: &str, value: impl Display) {
    std::io::stdout().write_all(format!("\n{MARKER}{what} {value}\n").as_bytes()).unwrap();
}

/// A process that runs one test of this binary.
#[derive(Debug)]
pub struct Child {
    process: process::Child,
    output: BufReader<ChildStdout>,
}

impl Child {
    /// Runs the test of this name, which finds these variables set.
    ///
    /// # Panics
    ///
    /// When the system gives no process.
    #[must_use]
    pub fn run(test: &str, variables: &[(&str, &OsStr)]) -> Self {
        let mut process = Command::new(env::current_exe().unwrap())
            .args([test, "--exact", "--nocapture", "--test-threads=1"])
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        Self { process, output }
    }

    /// Its number.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// What it reports next, and of what value; `None` when it has ended.
    ///
    /// # Panics
    ///
    /// When the pipe cannot be read.
    pub fn next_report(&mut self) -> Option<(String, String)> {
        loop {
            let mut line = String::new();
            if self.output.read_line(&mut line).unwrap() == 0 || !line.ends_with('\n') {
                return None;
            }
            if let Some((what, value)) =
                line.trim_end().strip_prefix(MARKER).and_then(|rest| rest.split_once(' '))
            {
                return Some((what.to_owned(), value.to_owned()));
            }
        }
    }

    /// Kills it. What it had reported by then can still be read.
    ///
    /// # Panics
    ///
    /// When it cannot be killed.
    pub fn kill(&mut self) {
        self.process.kill().unwrap();
    }

    /// Takes away what is left of it.
    ///
    /// # Panics
    ///
    /// When it died of anything but its kill.
    pub fn bury(mut self) {
        assert_eq!(self.process.wait().unwrap().signal(), Some(SIGKILL), "it died of something else");
    }
}

/// A test that fails half-way leaves no process behind, which would keep open what the runner of the tests reads to
/// the end.
impl Drop for Child {
    fn drop(&mut self) {
        // Most have ended by now: then there is nothing to kill.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// How many children to kill, and when.
#[derive(Debug)]
pub struct Lives {
    /// How many.
    pub kills: u64,
    /// Each is killed after fewer reports than this; every fifth before any.
    pub reports: u64,
}

impl Lives {
    /// How many reports there were, and how many children made any. `start` makes the child of a number, `check` is
    /// told the number and the value of each report, in order.
    ///
    /// # Panics
    ///
    /// When a child ends by itself.
    pub fn take(
        &self,
        dice: &mut Dice,
        start: impl Fn(u64) -> Child,
        mut check: impl FnMut(u64, &str),
    ) -> (u64, u64) {
        let (mut reported, mut alive) = (0, 0);
        for number in 0..self.kills {
            let mut child = start(number);
            let wait = if dice.roll(5) == 0 { 0 } else { 1 + dice.roll(self.reports) };
            let before = reported;
            let mut tell = |(_, value): (String, String)| {
                check(number, &value);
                reported += 1;
            };
            for _ in 0..wait {
                tell(child.next_report().expect("the child ended by itself"));
            }
            // Some are killed while they start or open the file.
            (0..dice.roll(300_000)).for_each(|_| core::hint::spin_loop());
            child.kill();
            while let Some(report) = child.next_report() {
                tell(report);
            }
            child.bury();
            alive += u64::from(reported > before);
        }
        (reported, alive)
    }
}

//! The program at a terminal: whose turn it is, Ctrl-C, Ctrl-Z and `fg`.

use core::time::Duration;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use nix::pty::openpty;

use crate::stage::{PROGRAM, Stage, json, signal, state, until};

const LIMIT: Duration = Duration::from_secs(60);
const CTRL_C: &str = "\u{3}";
const CTRL_Z: &str = "\u{1a}";

/// A shell that leads a session on a terminal of its own.
struct Terminal {
    shell: Child,
    keys: File,
    screen: Receiver<Vec<u8>>,
    shown: String,
    /// What was shown before what was last waited for.
    seen: String,
}

impl Terminal {
    fn of(stage: &Stage, shell: &[&str]) -> Self {
        let pair = openpty(None, None).unwrap();
        let mut session = stage.command("setsid");
        session.args(["--ctty", "--"]).args(shell);
        let mut command = stage.hearing(&session);
        let end = || Stdio::from(pair.slave.try_clone().unwrap());
        command.stdin(end()).stdout(end()).stderr(end()).env("PS1", "");
        let shell = command.spawn().unwrap();
        // Else the terminal would stay open when the session is over.
        drop((command, pair.slave));
        let keys = File::from(pair.master);
        let mut output = keys.try_clone().unwrap();
        let (tell, screen) = channel();
        std::thread::spawn(move || {
            let mut piece = [0; 1024];
            while let Ok(length @ 1..) = output.read(&mut piece) {
                if tell.send(piece[..length].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { shell, keys, screen, shown: String::new(), seen: String::new() }
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    /// Stops what has the terminal. One Ctrl-Z may be too early: as a command is lent the terminal, it is told to go on.
    fn stop(&mut self) {
        for _ in 0..LIMIT.as_secs() {
            self.press(CTRL_Z);
            while let Ok(piece) = self.screen.recv_timeout(Duration::from_secs(1)) {
                self.shown += &String::from_utf8_lossy(&piece);
                if self.shown.contains("Stopped") {
                    return self.see("Stopped");
                }
            }
        }
        panic!("nothing is stopped: {:?}", self.shown);
    }

    /// Waits until the screen shows it, and forgets everything up to there.
    fn see(&mut self, expected: &str) {
        while !self.shown.contains(expected) {
            let piece = self.screen.recv_timeout(LIMIT);
            let piece = piece.unwrap_or_else(|why| panic!("{expected:?} is not in {:?}: {why}", self.shown));
            self.shown += &String::from_utf8_lossy(&piece);
        }
        let at = self.shown.find(expected).unwrap();
        self.seen = self.shown.drain(..at).collect();
        self.shown.drain(..expected.len());
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // The session has its number. What a test that failed leaves running in it would run for ever.
        let _ = Command::new("pkill").args(["-KILL", "-s", &self.shell.id().to_string()]).status();
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}

#[test]
fn the_terminal_is_lent_to_the_command_and_taken_back() {
    let stage = Stage::new();
    let script = format!(
        "stty -echo; {PROGRAM} run --resource r -- sh -c 'echo ready; read -r x; echo got $x'; read -r y; echo then $y; \
         {PROGRAM} run --resource r -- {PROGRAM} guard -- sh -c 'read -r z; echo last $z'"
    );
    let mut terminal = Terminal::of(&stage, &["sh", "-c", &script]);
    terminal.see("ready");
    for (line, answer) in [("one\n", "got one"), ("two\n", "then two"), ("three\n", "last three")] {
        terminal.press(line);
        terminal.see(answer);
    }
}

#[test]
fn ctrl_c_ends_the_command_and_then_the_script_that_called_the_program() {
    let stage = Stage::new();
    let script = format!("{PROGRAM} run --resource r -- sh -c 'echo ready; exec sleep 1000'; echo BAD");
    let mut terminal = Terminal::of(&stage, &["sh", "-c", &script]);
    terminal.see("ready");
    terminal.press(CTRL_C);
    until("the script ends", || terminal.shell.try_wait().unwrap().is_some());
    assert_eq!(terminal.shell.wait().unwrap().signal(), Some(2));
    assert!(!terminal.shown.contains("BAD"));
    assert_eq!(stage.entries("release"), 1, "the resource was not given back");
}

#[test]
fn ctrl_c_under_a_guard_ends_the_guarded_command_once() {
    let stage = Stage::new();
    let token = stage.token();
    let script = format!(
        "trap : INT; {PROGRAM} guard --token {token} -- sh -c 'trap \"echo heard\" INT; echo ready; read -r _; read -r _; \
         exit 5'; echo code $?"
    );
    let mut terminal = Terminal::of(&stage, &["sh", "-c", &script]);
    terminal.see("ready");
    terminal.press(CTRL_C);
    terminal.see("heard");
    terminal.press("\n\n");
    terminal.see("code 5");
    assert!(!terminal.seen.contains("heard"), "twice: {}", terminal.seen);
}

#[test]
fn ctrl_z_stops_command_and_program_as_one_job_and_fg_lets_both_go_on() {
    let stage = Stage::new();
    // In a variable, because the line that is typed is on the screen as well.
    let script = "echo ready; read -r x; echo got $x; exec sleep 1000";
    let mut terminal = Terminal::of(&stage, &["env", &format!("SCRIPT={script}"), "bash", "--norc", "-i"]);
    let run = "$EF run --resource r -- sh -c \"$SCRIPT\"";
    terminal.press(&format!("{run}\n"));
    terminal.see("ready");
    terminal.stop();
    let program = holder(&stage);
    assert_eq!(state(&program), Some('T'));
    terminal.press("fg\n");
    terminal.press("one\n");
    terminal.see("got one");
    terminal.press(CTRL_C);
    terminal.press("echo code $?\n");
    terminal.see("code 130");
    // In the background, a command that wants to read waits for its turn, and the program with it.
    terminal.press(&format!("{run} &\n"));
    terminal.see("ready");
    until("the program is stopped with its command", || state(&holder(&stage)) == Some('T'));
    terminal.press("fg\n");
    terminal.press("two\n");
    terminal.see("got two");
    terminal.press(CTRL_C);
}

#[test]
fn a_command_that_is_stopped_by_name_is_no_business_of_the_shell_and_keeps_its_lease() {
    let stage = Stage::new();
    let script =
        format!("{PROGRAM} run --resource r --ttl 1s -- sh -c 'echo at $$; exec sleep 1000'; echo code $?");
    let mut terminal = Terminal::of(&stage, &["sh", "-c", &script]);
    terminal.see("at ");
    terminal.see("\n");
    let command = terminal.seen.trim().to_owned();
    // When it is lent the terminal, it is told to go on.
    until("the command has the terminal", || has_the_terminal(&command));
    until("the command is stopped", || {
        signal(&command, "STOP");
        state(&command) == Some('T')
    });
    let before = stage.entries("renew");
    until("the lease is renewed meanwhile", || stage.entries("renew") > before + 1);
    assert_ne!(state(&holder(&stage)), Some('T'), "the program stopped with it");
    signal(&command, "CONT");
    signal(&command, "TERM");
    terminal.see("code 143");
}

/// Whether it is the turn of the group of a process: the fields behind the name are state, parent, group, session, terminal
/// and the group whose turn it is.
fn has_the_terminal(process: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    fields.len() > 5 && fields[2] == fields[5]
}

/// The process that holds the resource, as it calls itself.
fn holder(stage: &Stage) -> String {
    let shown = stage.ef(&["inspect", "--json"]).output().unwrap();
    let document = json(&shown.stdout);
    document[0]["holder"].as_str().unwrap_or_default().rsplit(' ').next().unwrap().to_owned()
}

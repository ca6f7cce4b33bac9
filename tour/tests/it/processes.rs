//! What becomes of the processes of a run when one of them is killed.

use core::time::Duration;
use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, ChildStderr, Command},
    sync::mpsc,
    thread,
};

use super::tour;

/// How long an end may take on a busy machine. Nothing below would end by itself before.
const TO_END: Duration = Duration::from_secs(10);

/// A run under way.
struct Run {
    parent: Parent,
    /// Name and process id.
    children: Vec<(String, u32)>,
    rest_of_stderr: BufReader<ChildStderr>,
}

/// The parent of a run. A test that fails leaves none behind.
struct Parent(Child);

impl Drop for Parent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a run, and waits until it says `moment`.
fn run_until(moment: &str, options: &[&str]) -> Run {
    let mut parent = Parent(tour(&[&["--verbose", "--json"], options].concat()).spawn().unwrap());
    let mut stderr = BufReader::new(parent.0.stderr.take().unwrap());
    let mut children = Vec::new();
    let mut line = String::new();
    while line.trim_end() != moment {
        line.clear();
        assert_ne!(stderr.read_line(&mut line).unwrap(), 0, "the run ended too early");
        let started = line.trim_end().strip_prefix("started ");
        if let Some((name, pid)) = started.and_then(|started| started.split_once(", process ")) {
            children.push((name.to_owned(), pid.parse().unwrap()));
        }
    }
    Run { parent, children, rest_of_stderr: stderr }
}

/// Sends a signal, and returns whether there was a process to take it.
fn signal(pid: u32, name: &str) -> bool {
    // The shell's own `kill`: a small system has no other.
    let mut kill = Command::new("sh");
    kill.args(["-c", &format!("kill -{name} {pid} 2>/dev/null")]).status().unwrap().success()
}

/// Everything that is still said on standard error, which ends when the last process that holds it has.
fn to_the_end(mut stderr: BufReader<ChildStderr>) -> String {
    let (to, ended) = mpsc::channel();
    thread::spawn(move || {
        let mut rest = String::new();
        let _ = to.send(stderr.read_to_string(&mut rest).map(|_| rest));
    });
    ended.recv_timeout(TO_END).expect("a process outlived the run").unwrap()
}

#[test]
fn a_child_that_is_killed_half_way_ends_the_run_with_its_name_and_no_process_stays() {
    let messages = ("half of the messages are sent", ["--messages", "200", "--duration", "2"], 5);
    let replicas = ("half of the rounds are played", ["--scene", "replicas", "--rounds", "500"], 4);
    for ((moment, options, processes), victim) in
        [(messages, "node 2"), (messages, "hostile peer"), (replicas, "replica 1"), (replicas, "network")]
    {
        let Run { mut parent, children, rest_of_stderr } = run_until(moment, &options);
        assert_eq!(children.len(), processes, "{children:?}");
        let pid = children.iter().find(|(name, _)| name == victim).unwrap().1;
        assert!(signal(pid, "KILL"));
        let said = to_the_end(rest_of_stderr);
        let mut shown = String::new();
        parent.0.stdout.take().unwrap().read_to_string(&mut shown).unwrap();
        assert_eq!(shown, "", "nothing was shown");
        assert_eq!(parent.0.wait().unwrap().code(), Some(3), "{said}");
        let expected =
            format!("tour: error: {victim} (process {pid}) ended before its part was over: signal: 9");
        assert!(said.starts_with(&expected) && said.lines().count() == 1, "{said}");
        for (name, pid) in children {
            assert!(!signal(pid, "0"), "{name} (process {pid}) was left behind");
        }
    }
}

#[test]
fn children_end_with_their_parent_however_it_ends() {
    for name in ["INT", "TERM", "KILL"] {
        // Nodes say how far they are every 15 s, and the hostile peer nothing for 300 s: they do not learn
        // of the end from a pipe that breaks as they speak.
        let Run { mut parent, rest_of_stderr, .. } =
            run_until("the nodes are connected", &["--messages", "600", "--duration", "300"]);
        assert!(signal(parent.0.id(), name));
        assert_eq!(to_the_end(rest_of_stderr), "", "{name}: they go in silence");
        assert!(!parent.0.wait().unwrap().success(), "{name}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_child_that_is_stopped_ends_with_its_parent_as_well() {
    let Run { mut parent, rest_of_stderr, children } =
        run_until("the first holder is stopped", &["--scene", "fence"]);
    assert_eq!(children.len(), 3, "{children:?}");
    assert!(signal(parent.0.id(), "KILL"));
    // Standard error is at its end when nobody holds it: a stopped process would, for ever.
    let _said = to_the_end(rest_of_stderr);
    assert!(!parent.0.wait().unwrap().success());
}

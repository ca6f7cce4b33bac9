//! `Children`: the parent's side of the processes it started.

use core::time::Duration;
use std::{
    env,
    io::{self, BufReader},
    process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender},
    thread,
};

use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{deadline::Deadline, failure::Failure, line};

/// Lines that wait for the parent; beyond them the children wait.
const BACKLOG: usize = 256;

/// How long a child that closed its output may take to be gone.
const TO_EXIT: Duration = Duration::from_secs(2);

/// A line from a child.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Uttered<S> {
    /// What its role has to say.
    Said(S),
    /// It could not go on.
    Failed(String),
}

/// What the thread that listens to a child heard.
enum Heard<S> {
    Line(Uttered<S>),
    Garbled(line::LineError),
    /// The child closed its output: it has ended, or is about to.
    End,
}

/// Running children that say things of type `S`. Dropped, it kills and reaps those that are left: whatever
/// way the parent leaves a scene, no process stays.
#[derive(Debug)]
pub(crate) struct Children<S> {
    list: Vec<Running>,
    heard: Receiver<(usize, Heard<S>)>,
    listener: SyncSender<(usize, Heard<S>)>,
}

#[derive(Debug)]
struct Running {
    name: String,
    process: Child,
    /// Held until the child has ended: the end of its input is what tells it that the parent is gone.
    input: ChildStdin,
    /// Its part is over, so that its end is no failure.
    may_end: bool,
    status: Option<ExitStatus>,
}

impl<S: DeserializeOwned + Send + 'static> Children<S> {
    /// Makes the parent of none.
    pub(crate) fn new() -> Self {
        let (listener, heard) = mpsc::sync_channel(BACKLOG);
        Self { list: Vec::new(), heard, listener }
    }

    /// Starts a child in a role, `scene/role`, and returns its number, 0 for the first, and its process id.
    pub(crate) fn start(&mut self, name: &str, role: &str) -> Result<(usize, u32), Failure> {
        let starting = |error| Failure::io("starting a child", error);
        let mut process = Command::new(env::current_exe().map_err(starting)?)
            .args(["child", role])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(starting)?;
        let (Some(input), Some(output)) = (process.stdin.take(), process.stdout.take()) else {
            let _ = process.kill();
            let _ = process.wait();
            return Err(starting(io::ErrorKind::BrokenPipe.into()));
        };
        let number = self.list.len();
        let pid = process.id();
        self.list.push(Running { name: name.into(), process, input, may_end: false, status: None });
        let listener = self.listener.clone();
        thread::spawn(move || listen(number, output, &listener));
        Ok((number, pid))
    }

    /// Tells a child something.
    pub(crate) fn tell(&mut self, child: usize, what: &impl Serialize) -> Result<(), Failure> {
        let Some(running) = self.list.get_mut(child) else {
            return Err(Failure::out_of_turn(format_args!("there is no child {child}")));
        };
        // A broken pipe means that the child has ended; how it ended is the better error.
        line::write(&mut running.input, what).map_err(|_| running.early_end())
    }

    /// Returns the next thing that any child says, and whose it is.
    pub(crate) fn hear(&mut self, deadline: Deadline, waiting_for: &str) -> Result<(usize, S), Failure> {
        loop {
            let (child, heard) = match self.heard.recv_timeout(deadline.left()) {
                Ok(heard) => heard,
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    return Err(Failure::late(waiting_for));
                }
            };
            let Some(running) = self.list.get_mut(child) else { continue };
            match heard {
                Heard::Line(Uttered::Said(said)) => return Ok((child, said)),
                Heard::Line(Uttered::Failed(why)) => {
                    return Err(Failure::Gave {
                        child: running.name.clone(),
                        pid: running.process.id(),
                        why,
                    });
                }
                Heard::Garbled(line::LineError::Cut | line::LineError::Io(_)) => {
                    return Err(running.early_end());
                }
                Heard::Garbled(error) => {
                    return Err(Failure::Garbled { from: running.name.clone(), why: error.to_string() });
                }
                Heard::End if running.may_end => {}
                Heard::End => return Err(running.early_end()),
            }
        }
    }

    /// Kills a child, with SIGKILL where there are signals, and returns what it had said by then and nobody had
    /// heard.
    pub(crate) fn kill(&mut self, child: usize, deadline: Deadline) -> Result<Vec<S>, Failure> {
        let Some(running) = self.list.get_mut(child) else {
            return Err(Failure::out_of_turn(format_args!("there is no child {child}")));
        };
        running.process.kill().map_err(|error| Failure::io("killing a child", error))?;
        running.may_end = true;
        let mut last_words = Vec::new();
        loop {
            match self.heard.recv_timeout(deadline.left()) {
                Ok((from, Heard::Line(Uttered::Said(said)))) if from == child => last_words.push(said),
                // A line that the kill cut in two was not said.
                Ok((from, _)) if from == child => break,
                Ok(_) => {}
                Err(_) => return Err(Failure::late("the end of a child that was killed")),
            }
        }
        if running.wait(Deadline::after(TO_EXIT)).is_none() {
            return Err(running.early_end());
        }
        Ok(last_words)
    }

    /// Stops a child, with SIGSTOP: it does nothing more until it is resumed, and does not know of it.
    pub(crate) fn stop(&self, child: usize) -> Result<(), Failure> {
        self.signal(child, Signal::STOP)
    }

    /// Lets a child go on that was stopped.
    pub(crate) fn resume(&self, child: usize) -> Result<(), Failure> {
        self.signal(child, Signal::CONT)
    }

    fn signal(&self, child: usize, signal: Signal) -> Result<(), Failure> {
        let Some(running) = self.list.get(child) else {
            return Err(Failure::out_of_turn(format_args!("there is no child {child}")));
        };
        kill_process(Pid::from_child(&running.process), signal)
            .map_err(|error| Failure::io("sending a signal to a child", error.into()))
    }

    /// Takes note that a child's part is over.
    pub(crate) fn release(&mut self, child: usize) {
        if let Some(running) = self.list.get_mut(child) {
            running.may_end = true;
        }
    }

    /// Waits until every child has ended, each of them well.
    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        for running in &mut self.list {
            let status = running.wait(Deadline::after(TO_EXIT));
            if !status.is_some_and(|status| status.success()) {
                return Err(running.early_end());
            }
        }
        Ok(())
    }
}

impl Running {
    /// Waits for the end of the child, or returns `None` where it does not come.
    fn wait(&mut self, deadline: Deadline) -> Option<ExitStatus> {
        while self.status.is_none() && !deadline.passed() {
            self.status = self.process.try_wait().ok()?;
            if self.status.is_none() {
                thread::sleep(Duration::from_millis(2));
            }
        }
        self.status
    }

    fn early_end(&mut self) -> Failure {
        let how = self.wait(Deadline::after(TO_EXIT));
        Failure::Ended { child: self.name.clone(), pid: self.process.id(), how }
    }
}

impl<S> Drop for Children<S> {
    fn drop(&mut self) {
        for running in &mut self.list {
            if running.status.is_none() {
                // One that has ended by itself in the meantime cannot be killed, and is reaped all the same.
                let _ = running.process.kill();
            }
        }
        for running in &mut self.list {
            if running.status.is_none() {
                let _ = running.process.wait();
            }
        }
    }
}

fn listen<S: DeserializeOwned>(number: usize, output: ChildStdout, to: &SyncSender<(usize, Heard<S>)>) {
    let mut from = BufReader::new(output);
    loop {
        let heard = match line::read(&mut from) {
            Ok(Some(uttered)) => Heard::Line(uttered),
            Ok(None) => Heard::End,
            Err(error) => Heard::Garbled(error),
        };
        let is_last = !matches!(heard, Heard::Line(_));
        if to.send((number, heard)).is_err() || is_last {
            return;
        }
    }
}

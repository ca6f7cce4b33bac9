//! `Troupe`: the parent's side of the processes it started.

use core::time::Duration;
use std::env;
use std::io::{self, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;

use epoch_fence::RealmId;
use epoch_fence::protocol::BootTime;
use fastrand::Rng;
use rustix::process::{Pid, Signal, kill_process};
use serde::Serialize;

use crate::message::{self, HolderPart, Order, ResourcePart, Said, Who};
use crate::sightings::Fault;
use crate::store::StorePart;
use crate::{Failure, cast, resource};

/// A process. Dropped, it is killed and reaped, so that none stays.
#[derive(Debug)]
struct Process {
    child: Child,
    /// Its end tells the process that the parent is gone.
    input: ChildStdin,
}

impl Process {
    fn start(role: &str, part: &impl Serialize) -> Result<(Self, ChildStdout), Failure> {
        let mut child = Command::new(env::current_exe()?)
            .arg(role)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let ends = child.stdin.take().zip(child.stdout.take());
        let (mut input, output) = ends.ok_or("a child without pipes")?;
        message::write(&mut input, part)?;
        Ok((Self { child, input }, output))
    }

    fn signal(&self, signal: Signal) -> io::Result<()> {
        Ok(kill_process(Pid::from_child(&self.child), signal)?)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // One that has ended by itself cannot be killed, and is reaped all the same.
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// What is to be done with a process at some moment. Until then no other fault happens to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    Resume,
    Restart,
    Kill(Fault),
    /// Past the lease.
    Stop(Fault),
}

/// A holder or the resource, over all its lives.
#[derive(Debug, Default)]
pub(crate) struct Slot {
    process: Option<Process>,
    life: u32,
    pub(crate) due: Option<(BootTime, Due)>,
    /// It said that it is the holder, and not yet that this is over.
    pub(crate) holds: bool,
    /// It is stopping itself in the midst of a swap.
    pub(crate) in_swap: bool,
}

impl Slot {
    /// Whether a fault may happen to it now.
    pub(crate) const fn is_idle(&self) -> bool {
        self.process.is_some() && self.due.is_none()
    }

    pub(crate) const fn is_running(&self) -> bool {
        self.process.is_some()
    }

    /// Whether it holds and is not stopped.
    pub(crate) fn can_act(&self) -> bool {
        let stopped = matches!(self.due, Some((_, Due::Resume)));
        self.holds && self.process.is_some() && !stopped && !self.in_swap
    }

    pub(crate) const fn life(&self) -> u32 {
        self.life
    }

    pub(crate) fn stop(&self) -> Result<(), Failure> {
        self.signal(Signal::STOP)
    }

    pub(crate) fn resume(&self) -> Result<(), Failure> {
        self.signal(Signal::CONT)
    }

    fn signal(&self, signal: Signal) -> Result<(), Failure> {
        if let Some(process) = &self.process {
            process.signal(signal)?;
        }
        Ok(())
    }

    /// Kills it with SIGKILL, and waits until it is gone with all that it did.
    pub(crate) fn kill(&mut self) {
        self.process = None;
        (self.holds, self.in_swap) = (false, false);
    }

    /// Takes note that a process has ended by itself, and says whether it did so well.
    pub(crate) fn ended(&mut self) -> Result<bool, Failure> {
        let Some(mut process) = self.process.take() else { return Ok(true) };
        (self.holds, self.in_swap) = (false, false);
        Ok(process.child.wait()?.success())
    }

    /// Whether it has ended, which nobody asked of it.
    pub(crate) fn is_gone(&mut self) -> Result<bool, Failure> {
        Ok(match &mut self.process {
            Some(process) => process.child.try_wait()?.is_some(),
            None => false,
        })
    }

    /// Tells a holder something. One that has just ended by itself does not hear it.
    pub(crate) fn tell(&mut self, order: Order) {
        if let Some(process) = &mut self.process {
            let _heard = message::write(&mut process.input, &order);
        }
    }
}

/// What a holder was heard to do.
#[derive(Debug)]
pub(crate) enum Heard {
    Said(Said),
    /// Its output ended, and so did it.
    End,
}

/// All processes of a run.
#[derive(Debug)]
pub(crate) struct Troupe {
    pub(crate) holders: Vec<Slot>,
    pub(crate) resource: Slot,
    heard: Receiver<(Who, Heard)>,
    to: Sender<(Who, Heard)>,
    holder_part: HolderPart,
    resource_part: ResourcePart,
}

impl Troupe {
    pub(crate) fn new(folder: &Path, leases: StorePart, gate: Option<RealmId>) -> Self {
        let (to, heard) = mpsc::channel();
        let socket = folder.join("socket");
        Self {
            holders: (0..cast::HOLDERS).map(|_| Slot::default()).collect(),
            resource: Slot::default(),
            heard,
            to,
            holder_part: HolderPart {
                who: Who { holder: 0, life: 0 },
                leases,
                socket: socket.clone(),
                seed: 0,
            },
            resource_part: ResourcePart {
                socket,
                journal: folder.join("journal"),
                gate: gate.map(|realm| (folder.join("gate"), realm)),
            },
        }
    }

    /// Starts the next life of a holder.
    pub(crate) fn start_holder(&mut self, holder: u32, random: &mut Rng) -> Result<(), Failure> {
        let slot = self.holder(holder)?;
        slot.life = slot.life.saturating_add(1);
        let who = Who { holder, life: slot.life };
        let part = HolderPart { who, seed: random.u64(..), ..self.holder_part.clone() };
        let (process, output) = Process::start("holder", &part)?;
        let to = self.to.clone();
        thread::spawn(move || listen(who, output, &to));
        self.holder(holder)?.process = Some(process);
        Ok(())
    }

    /// Starts the next life of the resource, and waits until it takes requests.
    pub(crate) fn start_resource(&mut self) -> Result<(), Failure> {
        let (process, output) = Process::start("resource", &self.resource_part)?;
        let ready: Option<String> = message::read(&mut BufReader::new(output))?;
        if ready.as_deref() != Some(resource::READY) {
            return Err("the resource did not begin".into());
        }
        self.resource.life = self.resource.life.saturating_add(1);
        self.resource.process = Some(process);
        Ok(())
    }

    pub(crate) fn holder(&mut self, holder: u32) -> Result<&mut Slot, Failure> {
        let slot = usize::try_from(holder).ok().and_then(|at| self.holders.get_mut(at));
        slot.ok_or_else(|| format!("there is no holder {holder}").into())
    }

    /// What any holder says next.
    pub(crate) fn hear(&self, within: Duration) -> Result<Option<(Who, Heard)>, Failure> {
        match self.heard.recv_timeout(within) {
            Ok(heard) => Ok(Some(heard)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err("nobody is left to be heard".into()),
        }
    }
}

fn listen(who: Who, output: ChildStdout, to: &Sender<(Who, Heard)>) {
    let mut from = BufReader::new(output);
    // A line that is none ends it as well: then the run finds a process that ended early.
    while let Ok(Some(said)) = message::read(&mut from) {
        if to.send((who, Heard::Said(said))).is_err() {
            return;
        }
    }
    let _told = to.send((who, Heard::End));
}

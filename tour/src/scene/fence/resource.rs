//! `Resource`: a process that holds what is locked, with a gate before it, and a copy without.

use core::net::Ipv4Addr;
use core::time::Duration;
use std::{
    io::Write as _,
    net::{TcpListener, TcpStream},
    sync::mpsc::{self, SyncSender},
    thread,
};

use epoch_fence::{Epoch, Gate, RealmId, Rejected};

use super::{
    Sabotage,
    cast::{self, Answer, Applied, ResourcePart, ResourceReport, Said, Told, Write},
};
use crate::{
    deadline::Deadline,
    failure::Failure,
    frame::{self, frame},
    parent,
};

/// How long the parent may take to say what the part is, and a holder to send what it connected for.
const PEER_TIME: Duration = Duration::from_secs(10);

/// What happens to the resource.
#[derive(Debug)]
enum Arrival {
    Told(Told),
    Asked(Write, TcpStream),
}

/// Plays the role, from the first word of the parent to the report.
pub(crate) fn play() -> Result<(), Failure> {
    let (to, inbox) = mpsc::sync_channel(4);
    parent::listen(to.clone(), Arrival::Told);
    let Ok(Arrival::Told(Told::Resource(part))) = inbox.recv_timeout(PEER_TIME) else {
        return Err(Failure::out_of_turn("not a part to play"));
    };
    let listening = |error| Failure::io("listening on the loopback interface", error);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(listening)?;
    let port = listener.local_addr().map_err(listening)?.port();
    thread::spawn(move || accept(&listener, &to));
    parent::say(Said::Listening { port })?;
    let mut resource = Resource::new(part);
    let deadline = Deadline::after(part.time_limit);
    loop {
        match inbox.recv_timeout(deadline.left()).map_err(|_| Failure::late("the parent"))? {
            Arrival::Asked(write, mut holder) => {
                let answer = serde_json::to_vec(&resource.take(write)).unwrap_or_default();
                // A holder that is gone does not hear it; what was applied is applied.
                let _heard = holder.write_all(&frame(&answer));
            }
            Arrival::Told(Told::Finish) => return parent::say(Said::Report(resource.report())),
            Arrival::Told(other) => return Err(Failure::out_of_turn(other)),
        }
    }
}

/// Takes one write from each connection. What is none is dropped, and its sender finds out.
fn accept(listener: &TcpListener, to: &SyncSender<Arrival>) {
    for mut holder in listener.incoming().flatten() {
        let Ok(Some(content)) = frame::read(&mut holder, Deadline::after(PEER_TIME)) else { continue };
        let Ok(write) = serde_json::from_slice(&content) else { continue };
        if to.send(Arrival::Asked(write, holder)).is_err() {
            return;
        }
    }
}

#[derive(Debug)]
struct Resource {
    gate: Gate,
    behind_the_gate: Vec<Applied>,
    in_the_open: Vec<Applied>,
    part: ResourcePart,
}

/// A gate before something that nobody has ever written.
const fn new_gate(realm: RealmId, resource: epoch_fence::ResourceId) -> Gate {
    Gate::new(realm, resource, Epoch::FIRST)
}

impl Resource {
    fn new(part: ResourcePart) -> Self {
        let gate = new_gate(part.realm, cast::ledger());
        Self { gate, behind_the_gate: Vec::new(), in_the_open: Vec::new(), part }
    }

    fn take(&mut self, write: Write) -> Answer {
        let applied = Applied { epoch: write.token.epoch(), text: write.text };
        self.in_the_open.push(applied.clone());
        match self.part.sabotage {
            Some(Sabotage::NoGate) => {
                self.behind_the_gate.push(applied);
                return Answer::Applied;
            }
            Some(Sabotage::ForgetfulGate) => self.gate = new_gate(self.part.realm, cast::ledger()),
            Some(Sabotage::SharedToken) | None => {}
        }
        match self.gate.run(&write.token, |_permit| self.behind_the_gate.push(applied)) {
            Ok(()) => Answer::Applied,
            Err(Rejected::Stale { floor }) => Answer::Stale { floor },
            Err(why) => Answer::Refused(why.to_string()),
        }
    }

    fn report(self) -> ResourceReport {
        let stale = self.gate.snapshot().stale;
        ResourceReport { behind_the_gate: self.behind_the_gate, in_the_open: self.in_the_open, stale }
    }
}

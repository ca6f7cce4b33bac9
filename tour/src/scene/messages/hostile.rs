//! The hostile peer: a process that knows the nodes' ports and means them ill.

use core::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};
use std::{
    io::{self, Read as _, Write as _},
    net::{Shutdown, TcpStream},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
};

use hlc::{Clock, Timestamp, source::SystemSource};

use super::{
    attack::{Attack, Attacks, Manner},
    cast::{HostilePart, Said, Told},
    refusal,
};
use crate::{deadline::Deadline, failure::Failure, frame::FRAME_TIME, parent};

/// How often each attack is made on each node, but for those that have to wait for a node to lose patience.
const ROUNDS: u32 = 5;

/// How long a node may take to close a connection that it has refused.
const TO_CLOSE: Duration = FRAME_TIME.saturating_mul(10);

/// The time between two bytes of a frame that drips: often within the time of a frame, and too long for all.
const DRIP: Duration = Duration::from_millis(100);

/// Plays the role, from the first word of the parent to the account of what was sent.
pub(crate) fn play() -> Result<(), Failure> {
    let (to, told) = mpsc::sync_channel(1);
    parent::listen(to, |told: Told| told);
    let part = match told.recv_timeout(TO_CLOSE) {
        Ok(Told::Hostile(part)) => part,
        Ok(other) => return Err(Failure::out_of_turn(other)),
        Err(_) => return Err(Failure::late("a part to play")),
    };
    let mut hostile = Hostile { sent: vec![Attacks::new(); part.ports.len()], part, told };
    let deadline = Deadline::after(hostile.part.time_limit);
    let end = Deadline::after(hostile.part.duration);
    hostile.try_patience(deadline)?;
    for rounds_left in (1..=ROUNDS).rev() {
        for node in 0..hostile.part.ports.len() {
            hostile.attack(node)?;
        }
        hostile.wait(end.left().checked_div(rounds_left).unwrap_or_default())?;
        if deadline.passed() {
            return Err(Failure::late("the end of the attacks"));
        }
    }
    parent::say(Said::Attacked(hostile.sent))
}

struct Hostile {
    part: HostilePart,
    /// What was sent, by node.
    sent: Vec<Attacks>,
    told: Receiver<Told>,
}

/// A connection that is held open, and what may drip on it.
struct Held {
    stream: TcpStream,
    node: usize,
    rest: Vec<u8>,
}

impl Hostile {
    /// Attacks that a node must end by itself, all at once, until it has.
    fn try_patience(&mut self, deadline: Deadline) -> Result<(), Failure> {
        let mut held = Vec::new();
        for node in 0..self.part.ports.len() {
            for attack in Attack::ALL {
                let rest = match attack.manner() {
                    Manner::Whole | Manner::Last => continue,
                    Manner::Stall => Vec::new(),
                    Manner::Drip => vec![0; 64],
                };
                let stream = self.connect(node)?;
                self.send(node, attack, &stream)?;
                held.push(Held { stream, node, rest });
            }
        }
        while !held.is_empty() {
            self.wait(DRIP)?;
            for Held { stream, rest, .. } in &mut held {
                if let Some(byte) = rest.pop() {
                    // The node may have closed it: that is looked at next.
                    let _ = stream.write_all(&[byte]);
                }
            }
            let mut open = Vec::new();
            for one in held {
                if !is_closed(&one.stream, Duration::from_millis(1))? {
                    open.push(one);
                }
            }
            held = open;
            if let Some(Held { node, .. }) = held.first()
                && deadline.passed()
            {
                return Err(Failure::late(format!("node {node} to lose patience")));
            }
        }
        Ok(())
    }

    /// One round of everything else on one node.
    fn attack(&mut self, node: usize) -> Result<(), Failure> {
        let shared = self.connect(node)?;
        for attack in Attack::ALL {
            match attack.manner() {
                Manner::Whole => self.send(node, attack, &shared)?,
                Manner::Last => {
                    let own = self.connect(node)?;
                    self.send(node, attack, &own)?;
                    end(&own, node)?;
                }
                Manner::Stall | Manner::Drip => {}
            }
        }
        end(&shared, node)
    }

    fn connect(&self, node: usize) -> Result<TcpStream, Failure> {
        let connecting = |error| Failure::io("connecting to a node", error);
        let port = self.part.ports.get(node).copied().unwrap_or_default();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let stream = TcpStream::connect_timeout(&address, TO_CLOSE).map_err(connecting)?;
        stream.set_nodelay(true).map_err(connecting)?;
        stream.set_write_timeout(Some(TO_CLOSE)).map_err(connecting)?;
        Ok(stream)
    }

    fn send(&mut self, node: usize, attack: Attack, mut stream: &TcpStream) -> Result<(), Failure> {
        let good: Timestamp = Clock::new(SystemSource::new()).tick().map_err(Failure::clock)?;
        let next = node.saturating_add(1).checked_rem(self.part.ports.len()).unwrap_or_default();
        let victim = u32::try_from(next).unwrap_or_default();
        stream
            .write_all(&attack.bytes(victim, good))
            .map_err(|error| Failure::io("attacking a node", error))?;
        if let Some(sent) = self.sent.get_mut(node) {
            refusal::count(sent, attack);
        }
        Ok(())
    }

    /// Waits. The parent tells nothing more; its end ends this process.
    fn wait(&self, wait: Duration) -> Result<(), Failure> {
        match self.told.recv_timeout(wait) {
            Err(RecvTimeoutError::Timeout) => Ok(()),
            Err(RecvTimeoutError::Disconnected) => Err(Failure::late("a parent that is gone")),
            Ok(told) => Err(Failure::out_of_turn(told)),
        }
    }
}

/// Ends a connection, and waits until the node has closed it too: it has then seen everything.
fn end(stream: &TcpStream, node: usize) -> Result<(), Failure> {
    // Where the node has closed it already, there is nothing to shut down.
    let _ = stream.shutdown(Shutdown::Write);
    if is_closed(stream, TO_CLOSE)? {
        return Ok(());
    }
    Err(Failure::late(format!("node {node} to close a connection that it has refused")))
}

/// Returns whether the node closes the connection within `wait`. A node never sends anything.
fn is_closed(mut stream: &TcpStream, wait: Duration) -> Result<bool, Failure> {
    stream.set_read_timeout(Some(wait)).map_err(|error| Failure::io("waiting for a node", error))?;
    match stream.read(&mut [0]) {
        Ok(0) => Ok(true),
        Ok(_) => Err(Failure::out_of_turn("a node spoke to its enemy")),
        Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
            Ok(false)
        }
        Err(_) => Ok(true),
    }
}

//! `Node`: a process that sends and receives stamped messages, and writes down what happened.

use core::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};
use std::{
    io::Write as _,
    net::{Shutdown, TcpListener, TcpStream},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
};

use hlc::{Clock, PhysicalTime, SkewPolicy, Source as _, Timestamp};

use super::{
    attack::node_id,
    cast::{NodePart, NodeReport, Said, Told},
    event::{Event, EventId, Kind},
    inbox::{self, Arrival},
    message::Message,
    refusal::{self, Refusal, Refusals},
    sabotage::Sabotage,
    wall::Wall,
};
use crate::{deadline::Deadline, failure::Failure, parent};

/// How long connecting and each write may take.
const PEER_TIME: Duration = Duration::from_secs(5);

/// Events in one line to the parent.
const EVENTS_PER_LINE: usize = 200;

/// How many times a node says how far it is.
const PROGRESS_STEPS: u32 = 20;

/// With [`Sabotage::RepeatStamps`], every so many events get the stamp of the one before.
const REPEAT_EVERY: usize = 100;

/// Plays the role, from the first word of the parent to the report.
pub(crate) fn play() -> Result<(), Failure> {
    let (to, inbox) = mpsc::sync_channel(inbox::BACKLOG);
    parent::listen(to.clone(), Arrival::Told);
    let part = match inbox.recv_timeout(PEER_TIME) {
        Ok(Arrival::Told(Told::Node(part))) => part,
        Ok(other) => return Err(Failure::out_of_turn(other)),
        Err(_) => return Err(Failure::late("a part to play")),
    };
    let wall = Wall::new(part.fault);
    let deadline = Deadline::after(part.time_limit);
    let mut node = Node::new(part, &wall, inbox, deadline);

    let listening = |error| Failure::io("listening", error);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(listening)?;
    let port = listener.local_addr().map_err(listening)?.port();
    inbox::accept(listener, to, deadline);
    parent::say(Said::Listening { port })?;

    let Told::Ports(ports) = node.next_told()? else { return Err(Failure::out_of_turn("not the ports")) };
    let peers = node.connect(&ports)?;
    parent::say(Said::Connected)?;

    let Told::Go = node.next_told()? else { return Err(Failure::out_of_turn("not the start")) };
    node.send_all(&peers)?;
    parent::say(Said::AllSent)?;

    let Told::Finish = node.next_told()? else { return Err(Failure::out_of_turn("not the end")) };
    for peer in peers.iter().flatten() {
        peer.shutdown(Shutdown::Write).map_err(|error| Failure::io("closing a connection", error))?;
    }
    node.arrivals_until("the peers to close their connections", |node| node.open == 0)?;
    node.report()
}

struct Node<'w> {
    part: NodePart,
    wall: &'w Wall,
    clock: Clock<&'w Wall>,
    log: Vec<Event>,
    refusals: Refusals,
    /// Connections that others opened and that are not over.
    open: u32,
    told: Option<Told>,
    inbox: Receiver<Arrival>,
    deadline: Deadline,
}

impl<'w> Node<'w> {
    fn new(part: NodePart, wall: &'w Wall, inbox: Receiver<Arrival>, deadline: Deadline) -> Self {
        let policy = if part.sabotage == Some(Sabotage::TrustEveryone) {
            SkewPolicy::Unbounded
        } else {
            SkewPolicy::AtMost(part.skew_limit)
        };
        let clock = Clock::new(wall).with_skew_policy(policy);
        let (log, refusals) = (Vec::new(), Refusals::new());
        Self { part, wall, clock, log, refusals, open: 0, told: None, inbox, deadline }
    }

    /// Connects to every other node, and waits until every other node has connected to this one.
    fn connect(&mut self, ports: &[u16]) -> Result<Vec<Option<TcpStream>>, Failure> {
        let connecting = |error| Failure::io("connecting to a peer", error);
        let mut peers = Vec::new();
        for (node, &port) in (0..).zip(ports) {
            peers.push(if node == self.part.node {
                None
            } else {
                let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
                let stream = TcpStream::connect_timeout(&address, PEER_TIME).map_err(connecting)?;
                stream.set_nodelay(true).map_err(connecting)?;
                stream.set_write_timeout(Some(PEER_TIME)).map_err(connecting)?;
                Some(stream)
            });
        }
        let others = self.part.nodes.saturating_sub(1);
        self.arrivals_until("the peers to connect", |node| node.open >= others)?;
        Ok(peers)
    }

    /// Sends every message in its turn, and takes what arrives in between.
    fn send_all(&mut self, peers: &[Option<TcpStream>]) -> Result<(), Failure> {
        let NodePart { node, messages, duration, seed, .. } = self.part;
        let mut random = fastrand::Rng::with_seed(seed);
        // Each node its own generator, of the one seed.
        let mut random = (0..=node).fold(random.fork(), |_, _| random.fork());
        let others: Vec<_> =
            (0..).zip(peers).filter_map(|(number, peer)| Some((number, peer.as_ref()?))).collect();
        let interval = duration.checked_div(messages).unwrap_or_default();
        let micros = u64::try_from(interval.as_micros()).unwrap_or(u64::MAX);
        let progress_every = messages.div_ceil(PROGRESS_STEPS);
        let start = Deadline::after(Duration::ZERO);
        for sent in 0..messages {
            if sent == messages.div_ceil(2) {
                self.wall.half_way();
            }
            if sent.is_multiple_of(progress_every) {
                parent::say(Said::Progress { sent })?;
            }
            let jitter = Duration::from_micros(random.u64(0..=micros));
            self.arrivals_before(start.later(interval.saturating_mul(sent)).later(jitter))?;
            if let Some(&(to, peer)) = random.choice(&others) {
                self.send(to, peer)?;
            }
        }
        Ok(())
    }

    fn send(&mut self, to: u32, mut peer: &TcpStream) -> Result<(), Failure> {
        let wall = self.read_wall()?;
        let stamp = match self.sabotaged_stamp(wall) {
            Some(stamp) => stamp,
            None => self.clock.tick().map_err(Failure::clock)?,
        };
        let place = u32::try_from(self.log.len()).map_err(|_| Failure::late("the end of a full log"))?;
        let event = EventId { node: self.part.node, place };
        self.write_down(wall, stamp, Kind::Sent { to });
        let message = Message { stamp: stamp.at_node(node_id(self.part.node)), event };
        peer.write_all(&message.to_frame()).map_err(|error| Failure::io("sending to a peer", error))
    }

    fn receive(&mut self, message: Message) -> Result<(), Failure> {
        let Message { stamp, event } = message;
        let is_of_fleet = event.node < self.part.nodes && event.node != self.part.node;
        if !is_of_fleet || *stamp.node() != node_id(event.node) {
            self.refuse(Refusal::Stranger);
            return Ok(());
        }
        let wall = self.read_wall()?;
        match self.clock.observe(stamp.timestamp()) {
            Ok(received) if self.part.sabotage != Some(Sabotage::LoseMessages) => {
                let received = self.sabotaged_stamp(wall).unwrap_or(received);
                self.write_down(wall, received, Kind::Received { cause: event });
            }
            Ok(_) => {}
            Err(error) => self.refuse(error.into()),
        }
        Ok(())
    }

    /// What wall time would have put in place of the stamp.
    fn read_wall(&self) -> Result<PhysicalTime, Failure> {
        self.wall.now().map_err(Failure::clock)
    }

    /// The stamp that a node under sabotage gives, where it gives another than its clock.
    fn sabotaged_stamp(&self, wall: PhysicalTime) -> Option<Timestamp> {
        match self.part.sabotage? {
            Sabotage::WallStamps => Timestamp::first_at(wall),
            Sabotage::RepeatStamps if self.log.len().is_multiple_of(REPEAT_EVERY) => {
                self.log.last().map(|event| event.stamp.timestamp())
            }
            Sabotage::RepeatStamps
            | Sabotage::TrustEveryone
            | Sabotage::ForgetRefusals
            | Sabotage::LoseMessages => None,
        }
    }

    fn write_down(&mut self, wall: PhysicalTime, stamp: Timestamp, kind: Kind) {
        self.log.push(Event {
            wall_nanos: wall.to_nanos().unwrap_or(u64::MAX),
            stamp: stamp.at_node(node_id(self.part.node)),
            kind,
        });
    }

    fn refuse(&mut self, refusal: Refusal) {
        if self.part.sabotage != Some(Sabotage::ForgetRefusals) {
            refusal::count(&mut self.refusals, refusal);
        }
    }

    fn take(&mut self, arrival: Arrival) -> Result<(), Failure> {
        match arrival {
            Arrival::Message(message) => return self.receive(message),
            Arrival::Refused(refusal) => self.refuse(refusal),
            Arrival::Opened => self.open = self.open.saturating_add(1),
            Arrival::Closed => self.open = self.open.saturating_sub(1),
            Arrival::Told(told) if self.told.is_none() => self.told = Some(told),
            Arrival::Told(told) => return Err(Failure::out_of_turn(told)),
            Arrival::Deaf(error) => return Err(Failure::io("accepting connections", error)),
        }
        Ok(())
    }

    /// Takes everything that arrives before `due`, and everything that has arrived when it passes: a node
    /// that is late reads before it writes, so that two late nodes do not wait for each other.
    fn arrivals_before(&mut self, due: Deadline) -> Result<(), Failure> {
        loop {
            match self.inbox.recv_timeout(due.left()) {
                Ok(arrival) => self.take(arrival)?,
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return Err(Failure::late("an inbox that is closed")),
            }
            if self.deadline.passed() {
                return Err(Failure::late("its turn to send"));
            }
        }
        Ok(())
    }

    /// Takes what arrives until `is_done`.
    fn arrivals_until(&mut self, what: &str, is_done: impl Fn(&Self) -> bool) -> Result<(), Failure> {
        while !is_done(self) {
            match self.inbox.recv_timeout(self.deadline.left()) {
                Ok(arrival) => self.take(arrival)?,
                Err(_) => return Err(Failure::late(what)),
            }
        }
        Ok(())
    }

    /// Returns the next thing that the parent tells; what arrives before is taken.
    fn next_told(&mut self) -> Result<Told, Failure> {
        self.arrivals_until("the parent", |node| node.told.is_some())?;
        self.told.take().ok_or_else(|| Failure::late("the parent"))
    }

    fn report(&self) -> Result<(), Failure> {
        for events in self.log.chunks(EVENTS_PER_LINE) {
            parent::say(Said::Events(events.to_vec()))?;
        }
        let snapshot = self.clock.snapshot();
        parent::say(Said::Report(NodeReport {
            refusals: self.refusals.clone(),
            clock_skew_refusals: snapshot.skew_refusals(),
            max_lead: snapshot.max_lead(),
            carries: snapshot.carries(),
        }))
    }
}

//! The lock of Lamport 1978: mutual exclusion with no lock server, from the total order alone.
//!
//! Three nodes, each a thread with a clock of its own, share one resource. The paper asks of a lock that (I)
//! a node which has the resource releases it before another gets it, (II) requests are granted in the order
//! in which they were made, and (III) if every holder releases, every request is granted. The five rules that
//! give this are numbered below as in the paper.
//!
//! A network that is driven by a seed carries the messages. Each link keeps its order, as the paper assumes;
//! across links anything may overtake anything. One seed is one schedule, so a seed that fails once fails
//! again.
//!
//! Run: `cargo run -p lamport --example mutual_exclusion`
#![expect(clippy::std_instead_of_alloc, reason = "a program with the standard library")]

use core::error::Error;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, MutexGuard};
use std::thread;

use lamport::{Clock, Stamp, Time};

type Failure = Box<dyn Error + Send + Sync>;
type NodeId = u64;
type Link = (NodeId, NodeId);

const NODES: [NodeId; 3] = [0, 1, 2];
const REQUESTS_EACH: usize = 4;
/// Far above what any schedule needs. A run that reaches it has lost its liveness.
const MAX_ROUNDS: usize = 100_000;

#[expect(clippy::print_stdout, reason = "a program that shows its result")]
fn main() -> Result<(), Failure> {
    let outcome = run(1978)?;
    for stamp in &outcome.granted {
        println!("{} granted to node {}", stamp.time(), stamp.node());
    }
    println!("{} requests, {} clashes, {} rounds", outcome.requested.len(), outcome.clashes, outcome.rounds);
    outcome.check()
}

/// What a run did.
struct Outcome {
    /// Every request, in no order.
    requested: BTreeSet<Stamp<NodeId>>,
    /// Every grant, in the order in which the resource was taken.
    granted: Vec<Stamp<NodeId>>,
    /// How often a node believed that it may enter while another was inside.
    clashes: usize,
    /// The greatest number of requests that waited at one time.
    contended: usize,
    rounds: usize,
}

impl Outcome {
    /// Checks the three conditions of the paper.
    fn check(&self) -> Result<(), Failure> {
        if self.clashes != 0 {
            return Err("exclusion: a node entered while another was inside".into());
        }
        if !self.granted.is_sorted_by(|earlier, later| earlier < later) {
            return Err("order: a later request was granted first".into());
        }
        if self.granted.len() != NODES.len().saturating_mul(REQUESTS_EACH)
            || !self.granted.iter().eq(&self.requested)
        {
            return Err("liveness: a request was never granted".into());
        }
        Ok(())
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Request,
    Acknowledge,
    Release,
}

/// A message as it travels: what it is, and the stamp of its send event as bytes.
#[derive(Clone, Copy)]
struct Message {
    kind: Kind,
    envelope: [u8; Stamp::<NodeId>::ENVELOPE_BYTES],
}

/// One node's part of the algorithm. No time, no thread, no channel: only the paper's rules.
struct Node {
    id: NodeId,
    clock: Clock,
    /// The requests that this node knows to be open, its own included.
    queue: BTreeSet<Stamp<NodeId>>,
    /// The stamp of the last message from each other node.
    heard: BTreeMap<NodeId, Stamp<NodeId>>,
    own: Option<Stamp<NodeId>>,
}

impl Node {
    fn new(id: NodeId) -> Self {
        let nothing_yet =
            NODES.into_iter().filter(|peer| *peer != id).map(|peer| (peer, Time::ZERO.at_node(peer)));
        Self { id, clock: Clock::new(), queue: BTreeSet::new(), heard: nothing_yet.collect(), own: None }
    }

    fn stamp(&mut self) -> Result<Stamp<NodeId>, Failure> {
        Ok(self.clock.tick()?.at_node(self.id))
    }

    /// Rule 1: put the request on the own queue, and send it to every other node.
    fn request(&mut self) -> Result<(Stamp<NodeId>, Message), Failure> {
        let stamp = self.stamp()?;
        self.queue.insert(stamp);
        self.own = Some(stamp);
        Ok((stamp, Message { kind: Kind::Request, envelope: stamp.to_envelope() }))
    }

    /// Rules 2 and 4: note another's request and acknowledge it; drop what another has released.
    fn receive(&mut self, message: Message) -> Result<Option<(NodeId, Message)>, Failure> {
        let stamp = Stamp::from_envelope(&message.envelope)?;
        self.clock.observe(stamp.time())?;
        self.heard.insert(*stamp.node(), stamp);
        match message.kind {
            Kind::Request => {
                self.queue.insert(stamp);
                let answer = Message { kind: Kind::Acknowledge, envelope: self.stamp()?.to_envelope() };
                Ok(Some((*stamp.node(), answer)))
            }
            Kind::Acknowledge => Ok(None),
            Kind::Release => {
                self.queue.retain(|request| request.node() != stamp.node());
                Ok(None)
            }
        }
    }

    /// Rule 3: take the request off the own queue, and tell every other node.
    fn release(&mut self) -> Result<Message, Failure> {
        if let Some(own) = self.own.take() {
            self.queue.remove(&own);
        }
        Ok(Message { kind: Kind::Release, envelope: self.stamp()?.to_envelope() })
    }

    /// Rule 5: the own request comes first in the total order, and from every other node came something
    /// later, so that nothing before it can be on its way.
    fn may_enter(&self) -> Option<Stamp<NodeId>> {
        let own = self.own?;
        let first = self.queue.first() == Some(&own);
        let nothing_on_its_way = self.heard.values().all(|heard| *heard > own);
        (first && nothing_on_its_way).then_some(own)
    }
}

/// What the schedule tells a node to do.
#[derive(Clone, Copy)]
enum Order {
    Request,
    Receive(Message),
    Leave,
}

/// What a node did in answer.
#[derive(Default)]
struct Report {
    sent: Vec<(Link, Message)>,
    requested: Option<Stamp<NodeId>>,
    entered: bool,
    clashed: bool,
}

/// A node's thread: obeys orders until there are no more. Holds the resource, from one order to a later one,
/// by a guard that no two threads can have.
fn serve(
    id: NodeId,
    resource: &Mutex<Vec<Stamp<NodeId>>>,
    orders: &Receiver<Order>,
    reports: &Sender<Result<Report, Failure>>,
) {
    let mut node = Node::new(id);
    let mut inside = None;
    for order in orders {
        let report = obey(&mut node, &mut inside, resource, order);
        if reports.send(report).is_err() {
            return; // the schedule has ended early
        }
    }
}

fn obey<'r>(
    node: &mut Node,
    inside: &mut Option<MutexGuard<'r, Vec<Stamp<NodeId>>>>,
    resource: &'r Mutex<Vec<Stamp<NodeId>>>,
    order: Order,
) -> Result<Report, Failure> {
    let mut report = Report::default();
    let id = node.id;
    let to_all = |message| NODES.into_iter().filter(move |to| *to != id).map(move |to| ((id, to), message));
    match order {
        Order::Request => {
            let (stamp, message) = node.request()?;
            report.requested = Some(stamp);
            report.sent.extend(to_all(message));
        }
        Order::Receive(message) => {
            report.sent.extend(node.receive(message)?.map(|(to, answer)| ((id, to), answer)));
        }
        Order::Leave => {
            *inside = None;
            report.sent.extend(to_all(node.release()?));
        }
    }
    if inside.is_none()
        && let Some(own) = node.may_enter()
    {
        // Never waits: were another inside, the algorithm would have failed, and that is what is asked here.
        match resource.try_lock() {
            Ok(mut log) => {
                log.push(own);
                *inside = Some(log);
                report.entered = true;
            }
            Err(_) => report.clashed = true,
        }
    }
    Ok(report)
}

/// Runs one schedule. In each round every thread gets at most one order, and the three work at the same time.
fn run(seed: u64) -> Result<Outcome, Failure> {
    let resource = Mutex::new(Vec::new());
    let mut schedule = Schedule::new(seed);
    thread::scope(|scope| {
        let mut threads = Vec::new();
        for id in NODES {
            let (order, orders) = channel();
            let (report, reports) = channel();
            let resource = &resource;
            scope.spawn(move || serve(id, resource, &orders, &report));
            threads.push((id, order, reports));
        }
        while schedule.is_open() {
            let mut busy = Vec::new();
            for (id, order, reports) in &threads {
                if let Some(next) = schedule.choose(*id) {
                    order.send(next)?;
                    busy.push((*id, reports));
                }
            }
            for (id, reports) in busy {
                schedule.note(id, reports.recv()??);
            }
        }
        Ok::<_, Failure>(())
    })?;
    let granted = resource.into_inner().map_err(|_| "a node panicked inside")?;
    Ok(Outcome { granted, ..schedule.outcome })
}

/// The network and the users of the resource, driven by a seed.
struct Schedule {
    random: SplitMix64,
    links: BTreeMap<Link, VecDeque<Message>>,
    /// Requests that each node is still to make.
    to_make: BTreeMap<NodeId, usize>,
    waiting: BTreeSet<NodeId>,
    inside: BTreeSet<NodeId>,
    outcome: Outcome,
}

impl Schedule {
    fn new(seed: u64) -> Self {
        let outcome =
            Outcome { requested: BTreeSet::new(), granted: Vec::new(), clashes: 0, contended: 0, rounds: 0 };
        Self {
            random: SplitMix64(seed),
            links: BTreeMap::new(),
            to_make: NODES.into_iter().map(|id| (id, REQUESTS_EACH)).collect(),
            waiting: BTreeSet::new(),
            inside: BTreeSet::new(),
            outcome,
        }
    }

    /// Begins a round, unless everything is done or the bound is reached.
    fn is_open(&mut self) -> bool {
        self.outcome.rounds = self.outcome.rounds.saturating_add(1);
        let to_do = self.to_make.values().any(|left| *left > 0)
            || self.links.values().any(|link| !link.is_empty())
            || !self.inside.is_empty();
        to_do && self.outcome.rounds < MAX_ROUNDS
    }

    /// Chooses one of all the things that may happen at a node now, nothing included.
    fn choose(&mut self, id: NodeId) -> Option<Order> {
        let mut choices = vec![None];
        if self.inside.contains(&id) {
            choices.push(Some(Choice::Leave));
        } else if !self.waiting.contains(&id) && self.to_make.get(&id).is_some_and(|left| *left > 0) {
            choices.push(Some(Choice::Request));
        }
        let arrived = self.links.iter().filter(|((_, to), link)| *to == id && !link.is_empty());
        choices.extend(arrived.map(|(link, _)| Some(Choice::Deliver(*link))));
        match (*self.random.pick(&choices)?)? {
            Choice::Leave => {
                self.inside.remove(&id);
                Some(Order::Leave)
            }
            Choice::Request => {
                self.to_make.entry(id).and_modify(|left| *left = left.saturating_sub(1));
                self.waiting.insert(id);
                self.outcome.contended = self.outcome.contended.max(self.waiting.len());
                Some(Order::Request)
            }
            Choice::Deliver(link) => self.links.get_mut(&link)?.pop_front().map(Order::Receive),
        }
    }

    fn note(&mut self, id: NodeId, report: Report) {
        for (link, message) in report.sent {
            self.links.entry(link).or_default().push_back(message);
        }
        self.outcome.requested.extend(report.requested);
        if report.entered {
            self.waiting.remove(&id);
            self.inside.insert(id);
        }
        self.outcome.clashes = self.outcome.clashes.saturating_add(usize::from(report.clashed));
    }
}

#[derive(Clone, Copy)]
enum Choice {
    Leave,
    Request,
    Deliver(Link),
}

/// The generator of Steele, Lea and Flood 2014: enough to shuffle, and the same on every machine.
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// One of the choices, or `None` where there is none.
    fn pick<'a, T>(&mut self, choices: &'a [T]) -> Option<&'a T> {
        let count = u64::try_from(choices.len()).ok()?;
        let index = self.next().checked_rem(count)?;
        choices.get(usize::try_from(index).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_schedule_keeps_exclusion_order_and_liveness() {
        let mut fully_contended = 0;
        for seed in 0..300 {
            let outcome = run(seed).unwrap();
            outcome.check().unwrap_or_else(|why| panic!("seed {seed}: {why}"));
            fully_contended += usize::from(outcome.contended == NODES.len());
        }
        assert!(
            fully_contended > 200,
            "only {fully_contended} schedules had all three nodes waiting at once"
        );
    }

    #[test]
    fn one_seed_is_one_schedule_and_two_are_two() {
        let (first, again, other) = (run(7).unwrap(), run(7).unwrap(), run(8).unwrap());
        assert_eq!(first.granted, again.granted);
        assert_eq!(first.rounds, again.rounds);
        assert_ne!((first.granted, first.rounds), (other.granted, other.rounds));
    }
}

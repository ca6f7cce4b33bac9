//! `Fleet`: the nodes and the hostile peer as the parent sees them, and what they said.

use core::time::Duration;

use super::{
    attack::Attacks,
    cast::{HostilePart, NodePart, NodeReport, Said, Told},
    event::Event,
    sabotage::Sabotage,
    wall::Fault,
};
use crate::{children::Children, failure::Failure, scene, stage::Stage};

/// How far ahead a stamp may be in this fleet.
///
/// The default of 500 ms is for fleets whose clocks are right. Here one clock is 300 ms ahead and another
/// 5 s behind in the end, so that an honest stamp is up to 5.3 s ahead: twice that, and the year 2500 is
/// still far out of reach.
pub(crate) const SKEW_LIMIT: Duration = Duration::from_secs(10);

/// What one node said.
#[derive(Debug, Default)]
struct Node {
    port: Option<u16>,
    is_connected: bool,
    sent: u32,
    has_sent_all: bool,
    events: Vec<Event>,
    report: Option<NodeReport>,
}

/// Everything that was said: what the verdict is computed from.
#[derive(Debug)]
pub(crate) struct Testimony {
    pub(crate) faults: Vec<Fault>,
    pub(crate) logs: Vec<Vec<Event>>,
    pub(crate) reports: Vec<NodeReport>,
    /// What the hostile peer sent to each node.
    pub(crate) attacks: Vec<Attacks>,
    pub(crate) skew_limit: Duration,
}

/// Running nodes, and a hostile peer.
pub(crate) struct Fleet<'s> {
    stage: &'s Stage<'s>,
    children: Children<Said>,
    nodes: Vec<Node>,
    hostile: usize,
    attacks: Option<Vec<Attacks>>,
}

impl<'s> Fleet<'s> {
    /// Starts every process, and has each take its part.
    pub(crate) fn start(stage: &'s Stage<'s>) -> Result<Self, Failure> {
        let options = stage.options;
        let sabotage = options.sabotage.and_then(scene::sabotage::Sabotage::of_messages);
        let mut children = Children::new();
        let mut nodes = Vec::new();
        for node in 0..options.nodes {
            let child = stage.start(&mut children, &format!("node {node}"), "node")?;
            nodes.push(Node::default());
            children.tell(
                child,
                &Told::Node(NodePart {
                    node,
                    nodes: options.nodes,
                    messages: options.messages,
                    duration: options.duration(),
                    seed: options.seed,
                    fault: Fault::of_node(node),
                    skew_limit: SKEW_LIMIT,
                    time_limit: stage.time_limit(),
                    sabotage: sabotage.filter(|_| node == Sabotage::NODE),
                }),
            )?;
        }
        let hostile = stage.start(&mut children, "hostile peer", "hostile")?;
        Ok(Self { stage, children, nodes, hostile, attacks: None })
    }

    /// Lets the nodes send, and the hostile peer attack, until all are done, and returns what they said.
    pub(crate) fn play(mut self) -> Result<Testimony, Failure> {
        self.hear_until("the nodes to listen", |fleet| fleet.nodes.iter().all(|node| node.port.is_some()))?;
        let ports: Vec<u16> = self.nodes.iter().filter_map(|node| node.port).collect();
        self.stage.note("the nodes listen");
        self.tell_nodes(&Told::Ports(ports.clone()))?;
        self.hear_until("the nodes to connect", |fleet| fleet.nodes.iter().all(|node| node.is_connected))?;
        self.stage.note("the nodes are connected");
        self.tell_nodes(&Told::Go)?;
        let part = HostilePart {
            ports,
            duration: self.stage.options.duration(),
            time_limit: self.stage.time_limit(),
        };
        self.children.tell(self.hostile, &Told::Hostile(part))?;
        self.hear_until("half of the messages", |fleet| fleet.sent() >= fleet.to_send().div_ceil(2))?;
        self.stage.note("half of the messages are sent");
        self.hear_until("the nodes and the hostile peer to send", |fleet| {
            fleet.attacks.is_some() && fleet.nodes.iter().all(|node| node.has_sent_all)
        })?;
        self.stage.note("everything is sent");
        self.tell_nodes(&Told::Finish)?;
        self.hear_until("the reports", |fleet| fleet.nodes.iter().all(|node| node.report.is_some()))?;
        self.children.finish()?;

        let numbers = 0..self.stage.options.nodes;
        let (logs, reports) = self.nodes.into_iter().map(|node| (node.events, node.report)).unzip();
        let reports: Vec<Option<NodeReport>> = reports;
        Ok(Testimony {
            faults: numbers.map(Fault::of_node).collect(),
            logs,
            reports: reports.into_iter().flatten().collect(),
            attacks: self.attacks.unwrap_or_default(),
            skew_limit: SKEW_LIMIT,
        })
    }

    fn tell_nodes(&mut self, what: &Told) -> Result<(), Failure> {
        for node in 0..self.nodes.len() {
            self.children.tell(node, what)?;
        }
        Ok(())
    }

    fn hear_until(&mut self, waiting_for: &str, is_done: impl Fn(&Self) -> bool) -> Result<(), Failure> {
        while !is_done(self) {
            let (child, said) = self.children.hear(self.stage.deadline(), waiting_for)?;
            self.take(child, said)?;
        }
        Ok(())
    }

    fn take(&mut self, child: usize, said: Said) -> Result<(), Failure> {
        match (self.nodes.get_mut(child), said) {
            (Some(node), Said::Listening { port }) => node.port = Some(port),
            (Some(node), Said::Connected) => node.is_connected = true,
            (Some(node), Said::Progress { sent }) => {
                node.sent = sent;
                self.show_progress();
            }
            (Some(node), Said::AllSent) => {
                node.sent = self.stage.options.messages;
                node.has_sent_all = true;
            }
            (Some(node), Said::Events(mut events)) => node.events.append(&mut events),
            (Some(node), Said::Report(report)) => {
                node.report = Some(report);
                self.children.release(child);
            }
            (None, Said::Attacked(attacks)) => {
                self.attacks = Some(attacks);
                self.children.release(child);
            }
            (_, said) => return Err(Failure::out_of_turn(said)),
        }
        Ok(())
    }

    /// Counts the messages that the nodes have said they have sent.
    fn sent(&self) -> u64 {
        self.nodes.iter().map(|node| u64::from(node.sent)).sum()
    }

    fn to_send(&self) -> u64 {
        let options = self.stage.options;
        u64::from(options.nodes).saturating_mul(options.messages.into())
    }

    fn show_progress(&self) {
        let (nodes, sent, all) = (self.nodes.len(), self.sent(), self.to_send());
        self.stage.progress.show(&format!("{nodes} nodes: {sent} of {all} messages sent"));
    }
}

//! What the parent tells its nodes and its hostile peer, and what they say.

use core::time::Duration;

use serde::{Deserialize, Serialize};

use super::{attack::Attacks, event::Event, refusal::Refusals, sabotage::Sabotage, wall::Fault};

/// Everything that a node has to know before it starts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct NodePart {
    /// The node's number, and the id in its stamps.
    pub(crate) node: u32,
    pub(crate) nodes: u32,
    pub(crate) messages: u32,
    pub(crate) duration: Duration,
    pub(crate) seed: u64,
    pub(crate) fault: Fault,
    pub(crate) skew_limit: Duration,
    /// When it gives up by itself.
    pub(crate) time_limit: Duration,
    pub(crate) sabotage: Option<Sabotage>,
}

/// Everything that the hostile peer has to know.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct HostilePart {
    /// The nodes' ports, by node.
    pub(crate) ports: Vec<u16>,
    pub(crate) duration: Duration,
    pub(crate) time_limit: Duration,
}

/// What the parent tells, in this order.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Told {
    /// To a node: its part. It says `Listening`.
    Node(NodePart),
    /// To a node: the ports of all nodes. It connects to the others, and says `Connected`.
    Ports(Vec<u16>),
    /// To a node: all are connected. It sends, and says `Progress` and then `AllSent`.
    Go,
    /// To the hostile peer: its part. It attacks, and says `Attacked`.
    Hostile(HostilePart),
    /// To a node: nobody sends any more. It closes its connections, takes what is still under way, and says
    /// `Events` and then `Report`.
    Finish,
}

/// What the children say.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Said {
    Listening {
        port: u16,
    },
    Connected,
    Progress {
        sent: u32,
    },
    AllSent,
    /// The next part of the log.
    Events(Vec<Event>),
    Report(NodeReport),
    /// What was sent to each node.
    Attacked(Vec<Attacks>),
}

/// What a node counted.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct NodeReport {
    pub(crate) refusals: Refusals,
    /// The clock's own count of stamps refused for their skew.
    pub(crate) clock_skew_refusals: u64,
    pub(crate) max_lead: Duration,
    /// How many times a counter ran over into physical time.
    pub(crate) carries: u64,
}

//! What the parent tells its replicas and its network, and what they say.

use core::time::Duration;

use serde::{Deserialize, Serialize};

use super::sabotage::Sabotage;

/// How many replicas there are: two to write concurrently, and one to which the news comes in the wrong order.
pub(crate) const REPLICAS: u32 = 3;

/// Everything that a replica has to know before it starts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ReplicaPart {
    /// The replica's number, and the id in its stamps.
    pub(crate) replica: u32,
    /// The network's port.
    pub(crate) port: u16,
    /// When it gives up by itself.
    pub(crate) time_limit: Duration,
    pub(crate) sabotage: Option<Sabotage>,
}

/// Everything that the network has to know.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct NetworkPart {
    pub(crate) seed: u64,
    pub(crate) time_limit: Duration,
}

/// The way from one replica to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Link {
    pub(crate) from: u32,
    pub(crate) to: u32,
}

/// What the parent tells.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Told {
    /// To the network, first: its part. It says `Listening`, and `Joined` when all replicas are connected.
    Network(NetworkPart),
    /// To a replica, first: its part. It connects to the network.
    Replica(ReplicaPart),
    /// To the network: holds back what is sent on this link from now on. It says `Holding`, and then `Kept` for
    /// each message.
    Hold(Link),
    /// To the network: lets go of what it held back, each message twice and all of them shuffled. It says
    /// `Released`.
    Release(Link),
    /// To a replica, from a client: what are the values? It says `Read`.
    Read,
    /// To a replica, from a client: write this. It says `Wrote`.
    Write {
        /// The write's number: the value, and what the parent knows it by.
        write: u32,
        /// What the client was given with the values that it read.
        context: Vec<u8>,
    },
    /// To everybody: nothing more happens. A replica says `Report`.
    Finish,
}

/// What the children say.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Said {
    Listening {
        port: u16,
    },
    Joined,
    Holding,
    Kept,
    Released {
        /// Messages under way again, copies included.
        copies: u64,
    },
    Read {
        reading: Reading,
        page: Page,
    },
    Wrote {
        /// What last-writer-wins would have gone by.
        wall_nanos: u64,
        entries: Vec<Entry>,
        page: Page,
    },
    /// What came of one message that arrived.
    Received {
        entries: Vec<Entry>,
        page: Page,
    },
    Report(ReplicaReport),
}

/// What a client reads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reading {
    /// The numbers of the writes.
    pub(crate) values: Vec<u32>,
    /// For the client's next write.
    pub(crate) context: Vec<u8>,
}

/// One event in the diary of a replica, for the drawing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Page {
    /// The stamp of the diary's clock, in bytes.
    pub(crate) stamp: Vec<u8>,
    /// What the wall clock read.
    pub(crate) wall_nanos: u64,
    pub(crate) what: String,
}

/// Something that happened to a replica, by the numbers of the writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Entry {
    /// It applied a write.
    Applied {
        write: u32,
        /// Why the write has not the name here that it has where it was taken.
        fault: Option<String>,
    },
    /// A write arrived too early, and waits.
    Waits {
        write: u32,
        /// What it can name of the writes that are missing: of this replica those from the first to the last.
        missing: Vec<(u32, u64, u64)>,
    },
    /// A write arrived that had arrived before.
    Dropped { write: u32 },
    /// A write arrived that it did not take.
    Refused { write: u32, why: String },
    /// A client read.
    Read { values: Vec<u32> },
}

/// How a replica ends.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReplicaReport {
    pub(crate) last: Reading,
    /// Messages that still wait.
    pub(crate) waiting: u64,
    /// The buffer's own counts.
    pub(crate) delivered: u64,
    pub(crate) duplicates: u64,
}

//! `Event`: what a node writes down, and what the messages of the fleet name as their cause.

use hlc::Stamp;
use serde::{Deserialize, Serialize};

/// The name of an event: the node that it happened at, and its place in that node's log. No clock has a part
/// in it: this is the real order that stamps are judged by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct EventId {
    pub(crate) node: u32,
    pub(crate) place: u32,
}

/// One event in the log of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Event {
    /// What the node's wall clock read, in nanoseconds since the Unix epoch.
    pub(crate) wall_nanos: u64,
    #[serde(with = "stamp_text")]
    pub(crate) stamp: Stamp,
    pub(crate) kind: Kind,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// A message was sent to this node.
    Sent { to: u32 },
    /// A message was received; the event of its sending is the cause of this one.
    Received { cause: EventId },
}

/// The text form, which sorts as the stamp does.
mod stamp_text {
    use hlc::Stamp;
    use serde::{Deserialize as _, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(stamp: &Stamp, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(stamp)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Stamp, D::Error> {
        String::deserialize(from)?.parse().map_err(de::Error::custom)
    }
}

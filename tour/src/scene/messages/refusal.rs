//! `Refusal`: why a node took no notice of what arrived.

use alloc::collections::BTreeMap;
use core::fmt;

use hlc::{DecodeError, ObserveError};
use serde::{Deserialize, Serialize};

use crate::frame::FrameError;

/// How often each cause was met.
pub(crate) type Refusals = BTreeMap<Refusal, u64>;

/// Why a node took no notice of what arrived. Its clock is then as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Refusal {
    /// The stamp is further ahead than the skew policy allows.
    Skew,
    /// The stamp envelope is of an unknown version.
    Version,
    /// The stamp is zero, which stands for none.
    ZeroStamp,
    /// The node id in the stamp does not fit its bits.
    NodeId,
    /// The header is not as long as a stamp envelope.
    HeaderLength,
    /// The header says that it is longer than the frame that it is in.
    HeaderOverrun,
    /// What follows the header is not the name of an event.
    Body,
    /// The frame says that it is empty, or longer than a frame may be.
    FrameLength,
    /// The connection ended inside a frame.
    Cut,
    /// A frame that was begun was not ended in time.
    Stalled,
    /// The sender is none of the fleet, or two senders are named.
    Stranger,
    /// The node has as many connections as it wants.
    Crowded,
    /// The clock could not take the stamp for a reason of its own.
    Clock,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Skew => "stamp too far ahead",
            Self::Version => "envelope version unknown",
            Self::ZeroStamp => "stamp is zero",
            Self::NodeId => "node id out of range",
            Self::HeaderLength => "header has another length",
            Self::HeaderOverrun => "header longer than frame",
            Self::Body => "body names no event",
            Self::FrameLength => "frame length out of range",
            Self::Cut => "connection cut in a frame",
            Self::Stalled => "frame not ended in time",
            Self::Stranger => "sender not of the fleet",
            Self::Crowded => "too many connections",
            Self::Clock => "clock could not take it",
        })
    }
}

impl From<DecodeError> for Refusal {
    fn from(error: DecodeError) -> Self {
        match error {
            DecodeError::Version(_) => Self::Version,
            DecodeError::ZeroTimestamp => Self::ZeroStamp,
            DecodeError::NodeId(_) => Self::NodeId,
            // Of a header, the length is what is left to be wrong.
            DecodeError::Length(_) | _ => Self::HeaderLength,
        }
    }
}

impl From<FrameError> for Refusal {
    fn from(error: FrameError) -> Self {
        match error {
            FrameError::Length => Self::FrameLength,
            FrameError::Cut => Self::Cut,
            FrameError::Stalled => Self::Stalled,
        }
    }
}

impl From<ObserveError> for Refusal {
    fn from(error: ObserveError) -> Self {
        match error {
            ObserveError::Skew(_) => Self::Skew,
            ObserveError::Source(_) | ObserveError::Lead(_) | ObserveError::Exhausted(_) | _ => Self::Clock,
        }
    }
}

/// Counts one more.
pub(crate) fn count<K: Ord>(counts: &mut BTreeMap<K, u64>, what: K) {
    let count = counts.entry(what).or_default();
    *count = count.saturating_add(1);
}

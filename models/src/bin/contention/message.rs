//! What the processes tell each other: one JSON value a line.

use core::fmt;
use core::time::Duration;
use std::io::{self, BufRead, Write};
use std::path::PathBuf;

use epoch_fence::{Epoch, FencingToken, GrantId, RealmId};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::store::StorePart;

/// The part of a holder in one life.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct HolderPart {
    pub(crate) who: Who,
    pub(crate) leases: StorePart,
    pub(crate) socket: PathBuf,
    pub(crate) seed: u64,
}

/// The part of the resource in one life.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ResourcePart {
    pub(crate) socket: PathBuf,
    pub(crate) journal: PathBuf,
    /// Where the gate keeps its floor, and its realm; `None` leaves the gate out.
    pub(crate) gate: Option<(PathBuf, RealmId)>,
}

/// A process of a holder: its number, and which life it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Who {
    pub(crate) holder: u32,
    pub(crate) life: u32,
}

/// What the parent tells a holder.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) enum Order {
    /// Its wall clock is now wrong by so much.
    WallOffBy { seconds: i64 },
    /// It has to stop in the midst of its next swap.
    StopInSwap,
    /// Its next effect takes long.
    Linger,
    /// Neither of them, if it has not come to that yet.
    Calm,
    /// It has to end its tenure, and itself.
    Finish,
}

/// An effect, as it is asked for and as the journal has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Effect {
    pub(crate) epoch: Epoch,
    pub(crate) grant: GrantId,
    pub(crate) who: Who,
    /// Rises with each effect of a life.
    pub(crate) number: u64,
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { epoch, who: Who { holder, life }, number, .. } = self;
        write!(f, "effect {number} of holder {holder} in life {life}, epoch {epoch}")
    }
}

/// What a holder asks of the resource.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Ask {
    pub(crate) token: FencingToken,
    pub(crate) who: Who,
    pub(crate) number: u64,
    /// How long the effect pauses between its steps.
    pub(crate) pause: Duration,
}

impl Ask {
    pub(crate) const fn effect(&self) -> Effect {
        let Self { token, who, number, .. } = *self;
        Effect { epoch: token.epoch(), grant: token.grant(), who, number }
    }
}

/// What the resource answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Answer {
    /// It was applied, and is durable; the register is now this.
    Applied { value: u64 },
    /// It was not applied.
    Rejected(Rejection),
}

/// Why the gate refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Rejection {
    Stale,
    Draining,
    /// What no run may see: another grant under the epoch, another realm, a register that could not be written.
    Wrong(String),
}

/// What a holder tells the parent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Said {
    Granted(Grant),
    /// It is not the holder, because of this.
    NotGranted(Obstacle),
    Renewed,
    /// A renewal did nothing: it met a process in the midst of a write, or the store could not be reached.
    NotRenewed,
    /// Nobody knows what came of this.
    Unknown(Attempt),
    /// What came of an acquire of which nobody knew.
    Resolved(Outcome),
    Lost,
    /// It is in the midst of a swap, and stops itself.
    InSwap,
    /// It asks for an effect that takes long.
    Lingers,
    Applied {
        effect: Effect,
        value: u64,
    },
    Rejected {
        effect: Effect,
        why: Rejection,
    },
    /// The resource went away before it answered.
    Unanswered,
    Ended(End),
    /// It could not go on.
    Gave(String),
}

/// A tenure, as its holder was told of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Grant {
    pub(crate) token: FencingToken,
    /// When it was asked for, and when the answer was there, in time since boot: one clock for all processes.
    pub(crate) asked: Duration,
    pub(crate) heard: Duration,
}

/// Something that a holder asked of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Attempt {
    Acquire,
    Renew,
    End,
}

/// What became of an acquire of which nobody knew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Outcome {
    Granted,
    /// It never lands.
    NotGranted(GrantId),
    Superseded,
    /// It was tried again, and others were first, or in the way.
    Overtaken,
}

/// Why an attempt was not granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Obstacle {
    Held,
    Reserved,
    Contended,
    Superseded,
    /// A process was in the midst of a write.
    Busy,
    /// The store could not be reached, or did not answer.
    Unreachable,
}

/// How a holder ends a tenure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum End {
    Released,
    HandedOver,
    /// It was over already.
    AlreadyLost,
    /// The store did not say; it lapses.
    Unknown,
    /// It is left to its expiry.
    Left,
    /// The process exits without a word to the store.
    Exit,
}

/// Writes `value` as one line, in one write: a process that is killed leaves whole lines.
pub(crate) fn write(mut out: impl Write, value: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    out.write_all(&line)?;
    out.flush()
}

/// Reads one line, or `None` at the end of the stream or of a line that was cut by it.
pub(crate) fn read<T: DeserializeOwned>(from: &mut impl BufRead) -> io::Result<Option<T>> {
    let mut line = Vec::new();
    from.read_until(b'\n', &mut line)?;
    if line.last() != Some(&b'\n') {
        return Ok(None);
    }
    Ok(Some(serde_json::from_slice(&line)?))
}

//! What the checker may find, and the promise that it breaks.

use core::fmt;

use epoch_fence::{Epoch, GrantId};

use crate::evidence::Sample;
use crate::message::Effect;

/// Something that must never happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Violation {
    /// An effect came after one of a newer epoch.
    Stale { effect: Effect, newer: Epoch },
    /// An effect began while another one was under way.
    Overlap { effect: Effect, under_way: Effect },
    /// An effect read what no single effect wrote, or not what the last one did; or it did not write the next.
    Torn { effect: Effect, read: [u64; 2], wrote: u64, last: u64 },
    /// An effect was done that had not begun, or whose process is gone.
    NotBegun(Effect),
    /// An effect was done twice.
    Twice(Effect),
    /// An effect that was acknowledged is not in the journal, or not with that value.
    Lost { effect: Effect, value: u64 },
    /// One epoch has two grants.
    GrantedTwice { epoch: Epoch, grants: [GrantId; 2] },
    /// One grant has two epochs.
    TwoEpochs { grant: GrantId, epochs: [Epoch; 2] },
    /// In the log an epoch follows that is not above the one before.
    NotRising { epoch: Epoch, before: Epoch },
    /// A grant that a holder had, or under which something was done, is not in the log.
    NotLogged { epoch: Epoch, grant: GrantId },
    /// A grant was asked for after another one was known, and has no greater epoch.
    OutOfOrder { epoch: Epoch, known: Epoch },
    /// A grant was asked for and told while the store could not write anything.
    FromNowhere(Epoch),
    /// A grant was seen of which it was said that it never lands.
    LandedLate { epoch: Epoch, grant: GrantId },
    /// The record went back, or a version of it belongs to two states.
    WentBack { before: Sample, after: Sample },
    /// The engine finds the log not to be as it was written.
    Log(String),
    /// A head that was noted is none of the log's.
    HeadGone(String),
    /// The gate gave a reason that no correct issuer causes.
    Wrong { effect: Effect, why: String },
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stale { effect, newer } => write!(f, "{effect}, after one of epoch {newer}"),
            Self::Overlap { effect, under_way } => write!(f, "{effect}, during {under_way}"),
            Self::Torn { effect, read: [low, high], wrote, last } => {
                write!(f, "{effect}, read {low} and {high} and wrote {wrote}, after {last}")
            }
            Self::NotBegun(effect) => write!(f, "{effect}, done and not begun"),
            Self::Twice(effect) => write!(f, "{effect}, done twice"),
            Self::Lost { effect, value } => write!(f, "{effect}, acknowledged as {value}"),
            Self::GrantedTwice { epoch, grants: [one, other] } => {
                write!(f, "epoch {epoch}, granted as {one} and as {other}")
            }
            Self::TwoEpochs { grant, epochs: [one, other] } => {
                write!(f, "grant {grant}, with epoch {one} and with {other}")
            }
            Self::NotRising { epoch, before } => write!(f, "epoch {epoch}, granted after {before}"),
            Self::NotLogged { epoch, grant } => write!(f, "epoch {epoch}, granted as {grant}"),
            Self::OutOfOrder { epoch, known } => write!(f, "epoch {epoch}, when {known} was known"),
            Self::FromNowhere(epoch) => write!(f, "epoch {epoch}"),
            Self::LandedLate { epoch, grant } => write!(f, "epoch {epoch}, granted as {grant}"),
            Self::WentBack { before, after } => write!(f, "{after:?} after {before:?}"),
            Self::Log(why) => f.write_str(why),
            Self::HeadGone(head) => write!(f, "head {head}"),
            Self::Wrong { effect, why } => write!(f, "{effect}: {why}"),
        }
    }
}

/// A promise, by its name in the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Promise {
    Fenced,
    Whole,
    Once,
    Durable,
    Unique,
    InOrder,
    Stored,
    Final,
    Forward,
    Logged,
    Evidence,
    NoConflict,
}

impl Promise {
    pub(crate) const ALL: [Self; 12] = [
        Self::Fenced,
        Self::Whole,
        Self::Once,
        Self::Durable,
        Self::Unique,
        Self::InOrder,
        Self::Stored,
        Self::Final,
        Self::Forward,
        Self::Logged,
        Self::Evidence,
        Self::NoConflict,
    ];
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fenced => "Fenced: no effect after one of a newer epoch",
            Self::Whole => "Whole: no effect torn by another, none beside another",
            Self::Once => "Once: no effect done twice",
            Self::Durable => "Durable: no acknowledged effect lost",
            Self::Unique => "Unique: no epoch granted twice, and epochs rise",
            Self::InOrder => "In order: a grant asked for when another was known has the greater epoch",
            Self::Stored => "Stored: nothing granted while the store could not write",
            Self::Final => "Final: what was found not to be granted never lands",
            Self::Forward => "Forward: versions and epochs of the record, as they were read, never fall",
            Self::Logged => "Logged: every grant is in the audit log",
            Self::Evidence => "Evidence: the audit log verifies, with every head that was noted",
            Self::NoConflict => "No conflict: the gate never saw two grants under one epoch",
        })
    }
}

impl Violation {
    pub(crate) const fn of(&self) -> Promise {
        match self {
            Self::Stale { .. } => Promise::Fenced,
            Self::Overlap { .. } | Self::Torn { .. } | Self::NotBegun(_) => Promise::Whole,
            Self::Twice(_) => Promise::Once,
            Self::Lost { .. } => Promise::Durable,
            Self::GrantedTwice { .. } | Self::TwoEpochs { .. } | Self::NotRising { .. } => Promise::Unique,
            Self::OutOfOrder { .. } => Promise::InOrder,
            Self::FromNowhere(_) => Promise::Stored,
            Self::LandedLate { .. } => Promise::Final,
            Self::WentBack { .. } => Promise::Forward,
            Self::NotLogged { .. } => Promise::Logged,
            Self::Log(_) | Self::HeadGone(_) => Promise::Evidence,
            Self::Wrong { .. } => Promise::NoConflict,
        }
    }
}

impl Promise {
    /// Whether there is evidence for it, beside a store that keeps a log and one that is a server.
    pub(crate) const fn is_of(self, has_log: bool) -> bool {
        match self {
            Self::Logged | Self::Evidence => has_log,
            Self::Stored | Self::Forward => !has_log,
            Self::Fenced
            | Self::Whole
            | Self::Once
            | Self::Durable
            | Self::Unique
            | Self::InOrder
            | Self::Final
            | Self::NoConflict => true,
        }
    }
}

/// What the checker found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdict(pub(crate) Vec<Violation>);

impl Verdict {
    pub(crate) const fn held(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn against(&self, promise: Promise) -> impl Iterator<Item = &Violation> {
        self.0.iter().filter(move |violation| violation.of() == promise)
    }
}

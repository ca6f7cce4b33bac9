//! `Finding`: a line of a log that contradicts the rest, and how.

use core::fmt;

/// A line that contradicts the rest of its log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub(crate) line: u64,
    pub(crate) host: String,
    pub(crate) counter: u64,
    pub(crate) kind: FindingKind,
}

impl Finding {
    /// Returns the line on which the event begins, from 1.
    #[must_use]
    pub const fn line(&self) -> u64 {
        self.line
    }

    /// Returns the host of the event.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns which event of its host it says it is.
    #[must_use]
    pub const fn counter(&self) -> u64 {
        self.counter
    }

    /// Returns what is wrong.
    #[must_use]
    pub const fn kind(&self) -> &FindingKind {
        &self.kind
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, counter, .. } = self;
        write!(f, "event {counter} of {host:?} ")?;
        match &self.kind {
            FindingKind::Duplicate { first_line } => write!(f, "is on line {first_line} already"),
            FindingKind::Gap { before: None } => f.write_str("is the first of its host in the log"),
            FindingKind::Gap { before: Some(before) } => {
                write!(f, "follows event {before}: what is between them is not in the log")
            }
            FindingKind::UnknownEvent { of, known, there: 0 } => {
                write!(f, "knows {known} events of {of:?}, and the log has none")
            }
            FindingKind::UnknownEvent { of, known, there } => {
                write!(f, "knows {known} events of {of:?}, and the log has only {there}")
            }
            FindingKind::Cycle { of, known, at_line, steps: 2 } => {
                write!(f, "knows event {known} of {of:?} on line {at_line}, which knows it as well")
            }
            FindingKind::Cycle { of, known, at_line, steps } => {
                write!(
                    f,
                    "knows event {known} of {of:?} on line {at_line}, which knows it by way of {steps} events"
                )
            }
            FindingKind::KnowledgeLost { of, before, now, before_line } => {
                write!(f, "knows {now} events of {of:?}, and its host knew {before} on line {before_line}")
            }
            FindingKind::KnowledgeIncomplete { through, through_line, of, known_there, known_here } => {
                write!(
                    f,
                    "knows an event of {through:?} on line {through_line} that knew {known_there} events of {of:?}, and \
                 itself knows {known_here}"
                )
            }
            FindingKind::OutOfOrder { of, known, at_line } => {
                write!(f, "comes before event {known} of {of:?} on line {at_line}, which it knows")
            }
        }
    }
}

/// What is wrong with an event.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FindingKind {
    /// The log has this event of this host already.
    Duplicate {
        /// Where.
        first_line: u64,
    },
    /// The log lacks an event of the host before this one.
    Gap {
        /// The last that it has before; `None` where it has none, and this one is not its first.
        before: Option<u64>,
    },
    /// It is received before it is sent: the event knows one that the log does not have.
    UnknownEvent {
        /// Whose.
        of: String,
        /// Which.
        known: u64,
        /// The last before that which the log has; 0 where it has none.
        there: u64,
    },
    /// It is received before it is sent: the event knows one that knows it.
    Cycle {
        /// The host of the other one.
        of: String,
        /// Which event of it.
        known: u64,
        /// Where it is.
        at_line: u64,
        /// How many events the cycle has.
        steps: u64,
    },
    /// The host knew more before.
    KnowledgeLost {
        /// Whose events.
        of: String,
        /// How many it knew.
        before: u64,
        /// How many it knows.
        now: u64,
        /// Where it knew them.
        before_line: u64,
    },
    /// The event knows another, and not all that was known at that one.
    KnowledgeIncomplete {
        /// The host of the other event.
        through: String,
        /// Where that event is.
        through_line: u64,
        /// Whose events.
        of: String,
        /// How many were known there.
        known_there: u64,
        /// How many are known here.
        known_here: u64,
    },
    /// With [`Order::Causal`](super::Order::Causal): the event stands before one that it knows.
    OutOfOrder {
        /// The host of the other event.
        of: String,
        /// Which event of it.
        known: u64,
        /// Where it is.
        at_line: u64,
    },
}

impl FindingKind {
    /// Returns its name, for programs.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Duplicate { .. } => "duplicate",
            Self::Gap { .. } => "gap",
            Self::UnknownEvent { .. } => "unknown_event",
            Self::Cycle { .. } => "cycle",
            Self::KnowledgeLost { .. } => "knowledge_lost",
            Self::KnowledgeIncomplete { .. } => "knowledge_incomplete",
            Self::OutOfOrder { .. } => "out_of_order",
        }
    }
}

//! `Prefix`: what a line begins with, a stamp or the reason why there is none.

use core::fmt;

use hlc::{
    NodeId, Packed, Stamp,
    layout::{Layout, Unix48},
};

/// Why a line has no stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NoStamp {
    /// The physical clock could not be read.
    Source,
    /// The stamp would have been further ahead of physical time than the clock allows itself.
    Lead,
    /// No timestamp is left in the layout.
    Exhausted,
    /// A durable clock is at its bound.
    Bound,
    /// The line was logged while its thread was reading the clock.
    Nested,
    /// The clock gave a reason that this version does not know.
    Other,
}

impl NoStamp {
    /// Returns the word that the line says.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Lead => "lead",
            Self::Exhausted => "exhausted",
            Self::Bound => "bound",
            Self::Nested => "nested",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for NoStamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl core::error::Error for NoStamp {}

/// What a line begins with: made by [`StampTimer::prefix`](crate::StampTimer::prefix), written by `Display`.
///
/// A stamp, when the clock gave one. If not, then the last stamp that the clock knew, which is a place and not a time: a
/// `!` behind it, which sorts after the blank behind a stamp and before any later stamp; a count, so that such lines keep
/// their order; and the reason.
///
/// ```text
/// 018bcfe568000007-000000000000002a  INFO orders: accepted
/// 018bcfe568000007-000000000000002a!0000000000000001:source  INFO orders: accepted
/// 018bcfe568000007-000000000000002a!0000000000000002:source  WARN orders: the clock cannot be read
/// 018bcfe5680a0000-000000000000002a  INFO orders: accepted
/// ```
///
/// # Examples
///
/// A field of a span that never fails, and costs no tick where the span is not enabled:
///
/// ```
/// use hlc::{AtomicClock, NodeId, source::SystemSource};
/// use hlc_tracing::StampTimer;
///
/// static CLOCK: AtomicClock<SystemSource> = AtomicClock::new(SystemSource::new());
/// static TIMER: StampTimer<&AtomicClock<SystemSource>> = StampTimer::new(&CLOCK, NodeId::MIN);
///
/// let span = tracing::info_span!("order", number = 7, stamp = %TIMER.prefix());
/// assert_eq!(CLOCK.last(), None, "nobody listens here");
/// # drop(span);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Prefix<L: Layout = Unix48> {
    is_human: bool,
    what: What<L>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum What<L: Layout> {
    Stamped(Stamp<NodeId, L>),
    Unstamped { last: Option<Packed<L>>, node: NodeId, count: u64, why: NoStamp },
}

impl<L: Layout> Prefix<L> {
    pub(crate) const fn stamped(stamp: Stamp<NodeId, L>, is_human: bool) -> Self {
        Self { is_human, what: What::Stamped(stamp) }
    }

    pub(crate) const fn unstamped(last: Option<Packed<L>>, node: NodeId, count: u64, why: NoStamp) -> Self {
        Self { is_human: false, what: What::Unstamped { last, node, count, why } }
    }

    /// Returns the stamp, or why there is none.
    ///
    /// # Errors
    ///
    /// [`NoStamp`]: the reason that the line says.
    pub const fn stamp(&self) -> Result<Stamp<NodeId, L>, NoStamp> {
        match self.what {
            What::Stamped(stamp) => Ok(stamp),
            What::Unstamped { why, .. } => Err(why),
        }
    }
}

impl<L: Layout> fmt::Display for Prefix<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.what {
            What::Stamped(stamp) => {
                f.write_str(stamp.encode_text(&mut [0; 33]))?;
                if self.is_human {
                    write!(f, " {}", stamp.timestamp().human())?;
                }
                Ok(())
            }
            What::Unstamped { last, node, count, why } => {
                // Before the first stamp the place is before every stamp: sixteen zeros, which are none.
                let last = last.map_or(0, Packed::to_bits);
                write!(f, "{last:016x}-{node}!{count:016x}:{why}")
            }
        }
    }
}

//! What a layer counts, and the numbers for an operator.

use crate::{
    header::HeaderError,
    sync::{AtomicU64, Ordering},
};

/// The causes that are told apart, as places in `Counts`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Counted {
    Accepted,
    Absent,
    Repeated,
    Oversized,
    NonAscii,
    Malformed,
    TooFarAhead,
    ClockFailure,
    Stamped,
    Kept,
    Replaced,
    Unstamped,
}

impl Counted {
    const KINDS: usize = Self::Unstamped as usize + 1;

    pub(crate) const fn of(error: &HeaderError) -> Self {
        match error {
            HeaderError::Repeated => Self::Repeated,
            HeaderError::Oversized(_) => Self::Oversized,
            HeaderError::NonAscii(_) => Self::NonAscii,
            HeaderError::Text(_) => Self::Malformed,
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Counts {
    counts: [AtomicU64; Counted::KINDS],
}

impl Counts {
    pub(crate) fn count(&self, what: Counted) {
        if let Some(count) = self.counts.get(what as usize) {
            // ORDERING: Relaxed. A statistic; nothing is published.
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn counted(&self, what: Counted) -> u64 {
        // ORDERING: Relaxed. A statistic; nothing is published.
        self.counts.get(what as usize).map_or(0, |count| count.load(Ordering::Relaxed))
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot {
            accepted: self.counted(Counted::Accepted),
            absent: self.counted(Counted::Absent),
            repeated: self.counted(Counted::Repeated),
            oversized: self.counted(Counted::Oversized),
            non_ascii: self.counted(Counted::NonAscii),
            malformed: self.counted(Counted::Malformed),
            too_far_ahead: self.counted(Counted::TooFarAhead),
            clock_failures: self.counted(Counted::ClockFailure),
            stamped: self.counted(Counted::Stamped),
            kept: self.counted(Counted::Kept),
            replaced: self.counted(Counted::Replaced),
            unstamped: self.counted(Counted::Unstamped),
        }
    }
}

/// What a layer and all services made from it have counted, as plain numbers.
///
/// They are statistics: each is right, but they are not read at one instant, and no guarantee rests on them. They start
/// at zero with the layer. What the clock itself has counted is in its own `snapshot`.
///
/// What comes in (requests of a server, answers of a client) is counted once by what it carried: `accepted`, `absent`,
/// `repeated`, `oversized`, `non_ascii`, `malformed` or `too_far_ahead`; or, where its stamp could not be observed for a
/// cause of the clock's own, in `clock_failures` alone. What goes out is counted once: `stamped`, `kept` or `unstamped`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Snapshot {
    accepted: u64,
    absent: u64,
    repeated: u64,
    oversized: u64,
    non_ascii: u64,
    malformed: u64,
    too_far_ahead: u64,
    clock_failures: u64,
    stamped: u64,
    kept: u64,
    replaced: u64,
    unstamped: u64,
}

impl Snapshot {
    /// Returns how many messages came with a stamp that was observed.
    #[must_use]
    pub const fn accepted(&self) -> u64 {
        self.accepted
    }

    /// Returns how many came without the header.
    #[must_use]
    pub const fn absent(&self) -> u64 {
        self.absent
    }

    /// Returns how many came with the header more than once.
    #[must_use]
    pub const fn repeated(&self) -> u64 {
        self.repeated
    }

    /// Returns how many came with a value longer than a stamp.
    #[must_use]
    pub const fn oversized(&self) -> u64 {
        self.oversized
    }

    /// Returns how many came with a byte outside ASCII.
    #[must_use]
    pub const fn non_ascii(&self) -> u64 {
        self.non_ascii
    }

    /// Returns how many came with a value that is no text form of a stamp, for another cause than these.
    #[must_use]
    pub const fn malformed(&self) -> u64 {
        self.malformed
    }

    /// Returns how many came with a stamp further ahead than the clock's limits let through. Alert when it rises: a
    /// sender's clock is wrong, or a sender lies.
    #[must_use]
    pub const fn too_far_ahead(&self) -> u64 {
        self.too_far_ahead
    }

    /// Returns how many times the clock gave a message that came in no stamp, for a cause of its own. A message that had
    /// none that was observed is counted by that as well.
    #[must_use]
    pub const fn clock_failures(&self) -> u64 {
        self.clock_failures
    }

    /// Returns how many messages went out with a stamp of the layer's.
    #[must_use]
    pub const fn stamped(&self) -> u64 {
        self.stamped
    }

    /// Returns how many responses went out with the stamp that their handler had given them.
    #[must_use]
    pub const fn kept(&self) -> u64 {
        self.kept
    }

    /// Returns how many messages that went out had the header already, and the layer took it away: of a response because
    /// it was not one stamp of the layer's node from between the receipt and now, of a request always.
    #[must_use]
    pub const fn replaced(&self) -> u64 {
        self.replaced
    }

    /// Returns how many messages went out without a stamp, or would have and were not sent, because the clock gave none
    /// or the message had no room for one more header.
    #[must_use]
    pub const fn unstamped(&self) -> u64 {
        self.unstamped
    }
}

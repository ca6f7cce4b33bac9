//! What a clock counts: refused calls, by reason.
//!
//! The counts are written on cold paths only, and no guarantee reads them.

use crate::{EndReserved, Exhausted, JumpExceeded, MergeError, ObserveError, Time};

/// What an operator must see of a clock, as plain numbers.
///
/// From an [`AtomicClock`](crate::AtomicClock) each number is read by itself, not all of them at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Snapshot {
    /// The clock's last time. Its rise over a minute is the rate of events; watch for sudden jumps.
    pub last: Time,
    /// Calls refused because a time was further ahead than [`MaxJump`](crate::MaxJump) allows. Above zero: a
    /// peer lies, or this node was cut off for long.
    pub jump_exceeded: u64,
    /// Calls refused because a time was above [`Time::MAX_ACCEPTED`]. Above zero: a peer or a storage lies.
    pub end_reserved: u64,
    /// Calls refused because no time was left. Above zero: this clock will not issue again.
    pub exhausted: u64,
}

/// Why a call was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    JumpExceeded,
    EndReserved,
    Exhausted,
    #[cfg(feature = "durable")]
    Bound,
}

impl From<&JumpExceeded> for Reason {
    fn from(_: &JumpExceeded) -> Self {
        Self::JumpExceeded
    }
}

impl From<&EndReserved> for Reason {
    fn from(_: &EndReserved) -> Self {
        Self::EndReserved
    }
}

impl From<&Exhausted> for Reason {
    fn from(_: &Exhausted) -> Self {
        Self::Exhausted
    }
}

impl From<&MergeError> for Reason {
    fn from(why: &MergeError) -> Self {
        match why {
            MergeError::JumpExceeded(why) => why.into(),
            MergeError::EndReserved(why) => why.into(),
            #[cfg(feature = "durable")]
            MergeError::Bound(_) => Self::Bound,
        }
    }
}

#[cfg(feature = "durable")]
impl From<&crate::TickError> for Reason {
    fn from(why: &crate::TickError) -> Self {
        match why {
            crate::TickError::Exhausted(why) => why.into(),
            crate::TickError::Bound(_) => Self::Bound,
        }
    }
}

impl From<&ObserveError> for Reason {
    fn from(why: &ObserveError) -> Self {
        match why {
            ObserveError::JumpExceeded(why) => why.into(),
            ObserveError::EndReserved(why) => why.into(),
            ObserveError::Exhausted(why) => why.into(),
            #[cfg(feature = "durable")]
            ObserveError::Bound(_) => Self::Bound,
        }
    }
}

/// The counts of a clock with one owner.
#[derive(Debug)]
pub(crate) struct Counters {
    jump_exceeded: u64,
    end_reserved: u64,
    exhausted: u64,
    #[cfg(feature = "durable")]
    stalls: u64,
}

impl Counters {
    pub(crate) const fn new() -> Self {
        Self {
            jump_exceeded: 0,
            end_reserved: 0,
            exhausted: 0,
            #[cfg(feature = "durable")]
            stalls: 0,
        }
    }

    /// Counts a refusal and hands it on.
    #[cold]
    pub(crate) fn count<E>(&mut self, why: E) -> E
    where
        for<'e> Reason: From<&'e E>,
    {
        let count = match Reason::from(&why) {
            Reason::JumpExceeded => &mut self.jump_exceeded,
            Reason::EndReserved => &mut self.end_reserved,
            Reason::Exhausted => &mut self.exhausted,
            #[cfg(feature = "durable")]
            Reason::Bound => &mut self.stalls,
        };
        *count = count.saturating_add(1);
        why
    }

    /// Calls refused at the bound.
    #[cfg(feature = "durable")]
    pub(crate) const fn stalls(&self) -> u64 {
        self.stalls
    }

    pub(crate) const fn snapshot(&self, last: Time) -> Snapshot {
        Snapshot {
            last,
            jump_exceeded: self.jump_exceeded,
            end_reserved: self.end_reserved,
            exhausted: self.exhausted,
        }
    }
}

#[cfg(any(target_has_atomic = "64", feature = "portable-atomic"))]
pub(crate) use shared::SharedCounters;

#[cfg(any(target_has_atomic = "64", feature = "portable-atomic"))]
mod shared {
    use super::{Reason, Snapshot};
    use crate::Time;
    use crate::sync::{AtomicU64, Ordering, const_fn};

    /// The counts of a clock that many threads use.
    #[derive(Debug)]
    pub(crate) struct SharedCounters {
        jump_exceeded: AtomicU64,
        end_reserved: AtomicU64,
        exhausted: AtomicU64,
        #[cfg(feature = "durable")]
        stalls: AtomicU64,
    }

    impl SharedCounters {
        const_fn! {
            pub(crate) const fn new() -> Self {
                Self {
                    jump_exceeded: AtomicU64::new(0),
                    end_reserved: AtomicU64::new(0),
                    exhausted: AtomicU64::new(0),
                    #[cfg(feature = "durable")]
                    stalls: AtomicU64::new(0),
                }
            }
        }

        /// Counts a refusal and hands it on.
        #[cold]
        pub(crate) fn count<E>(&self, why: E) -> E
        where
            for<'e> Reason: From<&'e E>,
        {
            let count = match Reason::from(&why) {
                Reason::JumpExceeded => &self.jump_exceeded,
                Reason::EndReserved => &self.end_reserved,
                Reason::Exhausted => &self.exhausted,
                #[cfg(feature = "durable")]
                Reason::Bound => &self.stalls,
            };
            // ORDERING: Relaxed. Nothing is published: a count is read for people, and no guarantee rests on
            // it. That no refusal is lost comes from the one atomic step. A count wraps after 2^64 refusals,
            // which is 584 years of one each nanosecond.
            // Nothing weaker exists; `loom_tests::no_refusal_is_lost_from_the_counts` covers the one step.
            count.fetch_add(1, Ordering::Relaxed);
            why
        }

        /// Calls refused at the bound.
        #[cfg(all(feature = "durable", feature = "std"))]
        pub(crate) fn stalls(&self) -> u64 {
            // ORDERING: Relaxed. A statistic; nothing is published. Nothing weaker exists.
            self.stalls.load(Ordering::Relaxed)
        }

        pub(crate) fn snapshot(&self, last: Time) -> Snapshot {
            // ORDERING: Relaxed. Nothing is published; the numbers are not promised to be of one moment.
            // Nothing weaker exists.
            let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
            Snapshot {
                last,
                jump_exceeded: read(&self.jump_exceeded),
                end_reserved: read(&self.end_reserved),
                exhausted: read(&self.exhausted),
            }
        }
    }
}

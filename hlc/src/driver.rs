//! What each verb does, once, for both clocks.
//!
//! A verb reads the source, makes an [`Event`] of it, has a [`Cell`] apply the rule, and looks at what came
//! of it. The two cells, one of plain words and one of atomics, differ only in how a word is replaced.

use core::{num::NonZeroU32, time::Duration};

use crate::{
    Exhausted, ObserveError, Packed, PhysicalTime, Reservation, Snapshot, Source, SourceError, TickError,
    layout::Layout,
    limits::{Limits, ahead},
    rule::{self, Event, Refusal},
};

/// What a clock counts, on cold paths only.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Counted {
    SkewRefusal,
    LeadRefusal,
    ExhaustedRefusal,
    SourceError,
    SourceStep,
    Carry,
    #[cfg(feature = "durable")]
    BoundRefusal,
    #[cfg(feature = "durable")]
    Extension,
    #[cfg(feature = "durable")]
    NotRaised,
    #[cfg(feature = "durable")]
    Indeterminate,
}

impl Counted {
    #[cfg(not(feature = "durable"))]
    const LAST: Self = Self::Carry;
    #[cfg(feature = "durable")]
    const LAST: Self = Self::Indeterminate;

    /// How many kinds there are.
    pub(crate) const KINDS: usize = Self::LAST as usize + 1;
}

/// What learns of a stamp that was agreed on.
pub(crate) trait Knowledge {
    /// Replaces the last word by [`rule::step`] of it and an [`Event::Merge`], and returns the new one. Promises nothing
    /// about memory.
    fn apply_merge(&mut self, event: Event) -> Result<u64, Refusal>;

    /// Counts one more of `what`.
    fn count(&mut self, what: Counted);
}

/// The state of a clock: the last word, and the statistics beside it.
pub(crate) trait Cell: Knowledge {
    /// The last word; zero before the first.
    fn last(&self) -> u64;

    /// Replaces the last word by [`rule::step`] of it and `event`, and returns the new one.
    fn apply(&mut self, event: Event) -> Result<u64, Refusal>;

    /// The same in one attempt: `None` where that is not enough; nothing has changed then.
    fn attempt(&mut self, event: Event) -> Option<u64>;

    /// Raises the greatest lead to `nanos`, where it is lower.
    fn raise_max_lead(&mut self, nanos: u64);
}

/// The same state, read.
pub(crate) trait Stats {
    /// The last word; zero before the first.
    fn last(&self) -> u64;

    /// How often `what` was counted.
    fn counted(&self, what: Counted) -> u64;

    /// The greatest lead in nanoseconds.
    fn max_lead(&self) -> u64;
}

#[inline]
pub(crate) fn tick<L: Layout>(
    cell: impl Cell,
    source: &impl Source,
    limits: &Limits,
) -> Result<Packed<L>, TickError> {
    let mut cell = cell;
    let now = read(&mut cell, source)?;
    // What happens nearly always is short enough to become a part of the caller; it ends in calls of the rest, so that
    // it has nothing to save and restore. On small processors its length counts for more.
    if cfg!(target_has_atomic = "64")
        && let Some(event) = limits.tick_unlimited::<L>(now)
        && let Some(new) = cell.attempt(event)
    {
        return Ok(issued(&mut cell, event, new, now));
    }
    tick_slowly(cell, limits, now)
}

/// A tick under a limit of the clock's own, beside other callers, or that is refused.
#[inline(never)]
fn tick_slowly<L: Layout>(
    cell: impl Cell,
    limits: &Limits,
    now: PhysicalTime,
) -> Result<Packed<L>, TickError> {
    let mut cell = cell;
    let event = limits.tick::<L>(now).map_err(|error| refuse_end(&mut cell, error))?;
    match cell.apply(event) {
        Ok(new) => Ok(issued(&mut cell, event, new, now)),
        Err(refusal) => Err(refuse_tick::<L>(&mut cell, limits, refusal, now, false)),
    }
}

#[inline]
pub(crate) fn reserve<L: Layout>(
    cell: impl Cell,
    source: &impl Source,
    limits: &Limits,
    count: NonZeroU32,
) -> Result<Reservation<L>, TickError> {
    let mut cell = cell;
    let now = read(&mut cell, source)?;
    let event = limits.reserve::<L>(now, count).map_err(|error| refuse_end(&mut cell, error))?;
    match cell.apply(event) {
        Ok(new) => {
            let last: Packed<L> = issued(&mut cell, event, new, now);
            Ok(Reservation::new(rule::first_of(last.to_bits(), count), count.get()))
        }
        Err(refusal) => Err(refuse_tick::<L>(&mut cell, limits, refusal, now, true)),
    }
}

#[inline]
pub(crate) fn observe<L: Layout>(
    cell: impl Cell,
    source: &impl Source,
    limits: &Limits,
    remote: Packed<L>,
) -> Result<Packed<L>, ObserveError> {
    let mut cell = cell;
    let now = read(&mut cell, source)?;
    let event = limits.observe(now, remote).map_err(|error| refuse_end(&mut cell, error))?;
    match cell.apply(event) {
        Ok(new) => Ok(issued(&mut cell, event, new, now)),
        Err(refusal) => Err(refuse_remote(&mut cell, limits, refusal, now, remote)),
    }
}

#[inline]
pub(crate) fn merge<L: Layout>(
    cell: impl Cell,
    source: &impl Source,
    limits: &Limits,
    remote: Packed<L>,
) -> Result<(), ObserveError> {
    if remote.to_bits() <= cell.last() {
        return Ok(());
    }
    merge_newer(cell, source, limits, remote)
}

#[inline(never)]
fn merge_newer<L: Layout>(
    cell: impl Cell,
    source: &impl Source,
    limits: &Limits,
    remote: Packed<L>,
) -> Result<(), ObserveError> {
    let mut cell = cell;
    let now = read(&mut cell, source)?;
    match cell.apply_merge(limits.merge(now, remote)) {
        Ok(_) => Ok(()),
        Err(refusal) => Err(refuse_remote(&mut cell, limits, refusal, now, remote)),
    }
}

#[inline]
pub(crate) fn merge_committed<L: Layout>(
    knowledge: impl Knowledge,
    remote: Packed<L>,
) -> Result<(), Refusal> {
    let mut knowledge = knowledge;
    let event = Event::Merge { remote: remote.to_bits(), skew_ceiling: u64::MAX };
    match knowledge.apply_merge(event) {
        Ok(_) => Ok(()),
        Err(refusal) => {
            knowledge.count(counted(refusal));
            Err(refusal)
        }
    }
}

/// Reads everything an operator must see; the lead is measured now, or unknown where the source fails.
pub(crate) fn snapshot<L: Layout>(stats: &impl Stats, source: &impl Source) -> Snapshot<L> {
    let last = stats.last();
    Snapshot {
        last: Packed::from_bits(last),
        lead: source.now().ok().map(|now| ahead::<L>(last, now)),
        max_lead: Duration::from_nanos(stats.max_lead()),
        skew_refusals: stats.counted(Counted::SkewRefusal),
        lead_refusals: stats.counted(Counted::LeadRefusal),
        exhausted_refusals: stats.counted(Counted::ExhaustedRefusal),
        source_errors: stats.counted(Counted::SourceError),
        source_steps: stats.counted(Counted::SourceStep),
        carries: stats.counted(Counted::Carry),
    }
}

#[inline]
fn read(cell: &mut impl Cell, source: &impl Source) -> Result<PhysicalTime, SourceError> {
    source.now().inspect_err(|error| count_source_error(cell, error))
}

#[cold]
fn count_source_error(cell: &mut impl Cell, error: &SourceError) {
    cell.count(match error {
        SourceError::Stepped(_) => Counted::SourceStep,
        SourceError::BeforeUnixEpoch | SourceError::Unavailable(_) => Counted::SourceError,
    });
}

/// Makes the new word a stamp, after a look at whether it left the unit of physical time.
#[inline]
fn issued<L: Layout>(cell: &mut impl Cell, event: Event, new: u64, now: PhysicalTime) -> Packed<L> {
    let (floor, count) = match event {
        Event::Tick { floor, count, .. } => (floor, count),
        Event::Observe { floor, .. } => (floor, NonZeroU32::MIN),
        Event::Merge { .. } => (u64::MAX, NonZeroU32::MIN),
    };
    if new > floor | u64::from(Packed::<L>::MAX_COUNTER) {
        note_lead::<L>(cell, floor, count, new, now);
    }
    // The rule never gives zero: a new stamp is above another word.
    Packed::from_bits(new).unwrap_or(Packed::MIN)
}

#[cold]
fn note_lead<L: Layout>(cell: &mut impl Cell, floor: u64, count: NonZeroU32, new: u64, now: PhysicalTime) {
    let below = rule::first_of(new, count).saturating_sub(1).max(floor);
    if new >> L::COUNTER_BITS > below >> L::COUNTER_BITS {
        cell.count(Counted::Carry);
    }
    let lead = ahead::<L>(new, now).as_nanos();
    cell.raise_max_lead(u64::try_from(lead).unwrap_or(u64::MAX));
}

#[cold]
fn refuse_end(cell: &mut impl Cell, error: Exhausted) -> Exhausted {
    cell.count(Counted::ExhaustedRefusal);
    error
}

#[cold]
fn refuse_tick<L: Layout>(
    cell: &mut impl Cell,
    limits: &Limits,
    refusal: Refusal,
    now: PhysicalTime,
    is_block: bool,
) -> TickError {
    cell.count(counted(refusal));
    limits.explain_tick::<L>(refusal, now, is_block)
}

#[cold]
fn refuse_remote<L: Layout>(
    cell: &mut impl Cell,
    limits: &Limits,
    refusal: Refusal,
    now: PhysicalTime,
    remote: Packed<L>,
) -> ObserveError {
    cell.count(counted(refusal));
    limits.explain_observe(refusal, now, remote)
}

const fn counted(refusal: Refusal) -> Counted {
    match refusal {
        Refusal::Skew => Counted::SkewRefusal,
        Refusal::Lead(_) => Counted::LeadRefusal,
        Refusal::Exhausted => Counted::ExhaustedRefusal,
        #[cfg(feature = "durable")]
        Refusal::Bound { .. } => Counted::BoundRefusal,
    }
}

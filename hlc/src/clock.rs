//! `Clock`: one owner, `&mut self`.

use core::{fmt, num::NonZeroU32};

use crate::{
    Exhausted, LeadPolicy, ObserveError, Packed, Reservation, SkewPolicy, Snapshot, Source, TickError,
    driver::{self, Cell, Counted, Knowledge, Stats},
    layout::{Layout, Unix48},
    limits::Limits,
    rule::{self, Event, Refusal},
};

/// A hybrid logical clock with one owner. It needs no atomics, so it runs on every target.
///
/// For a clock shared between threads, see [`AtomicClock`](crate::AtomicClock); the verbs are the same.
///
/// ```
/// use hlc::{Clock, source::ManualSource};
///
/// let source = ManualSource::at_millis(1_000);
/// let (mut alice, mut bob) = (Clock::new(&source), Clock::new(&source));
/// let sent = alice.tick()?;
/// let received = bob.observe(sent)?;
/// assert!(received > sent, "an effect is stamped after its cause");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub struct Clock<S, L: Layout = Unix48> {
    state: State,
    limits: Limits,
    source: S,
    layout: core::marker::PhantomData<L>,
}

/// The last word and the statistics, as plain numbers.
#[derive(Clone, Debug)]
pub(crate) struct State {
    last: u64,
    counts: [u64; Counted::KINDS],
    max_lead_nanos: u64,
}

impl<S> Clock<S> {
    /// Makes a clock in the default layout, [`Unix48`], with the default limits: peers at most 500 ms ahead,
    /// its own lead reported.
    #[must_use]
    pub const fn new(source: S) -> Self {
        Self::with_layout(source)
    }
}

impl<S, L: Layout> Clock<S, L> {
    /// Makes a clock in layout `L`, with the default limits.
    ///
    /// ```
    /// use hlc::{Clock, layout::Micros52, source::ManualSource};
    ///
    /// let mut clock = Clock::<_, Micros52>::with_layout(ManualSource::at_millis(2));
    /// assert_eq!(clock.tick()?.physical_units(), 2_000);
    /// # Ok::<(), hlc::TickError>(())
    /// ```
    #[must_use]
    pub const fn with_layout(source: S) -> Self {
        Self { state: State::at(0), limits: Limits::DEFAULT, source, layout: core::marker::PhantomData }
    }

    /// Sets how far ahead of the physical clock a received stamp may be.
    #[must_use]
    pub const fn with_skew_policy(mut self, policy: SkewPolicy) -> Self {
        self.limits.skew = policy;
        self
    }

    /// Sets how far ahead of the physical clock the clock's own stamps may be.
    #[must_use]
    pub const fn with_lead_policy(mut self, policy: LeadPolicy) -> Self {
        self.limits.lead = policy;
        self
    }

    /// Starts the clock after `last`: every stamp will be above it. The way in for a restarted node that has
    /// kept its last stamp. A lower `last` than the clock's own changes nothing.
    ///
    /// No limit is applied: what is resumed from is trusted. After [`Packed::MAX`], every call returns
    /// [`Exhausted`].
    #[must_use]
    pub const fn resume_after(mut self, last: Packed<L>) -> Self {
        if last.to_bits() > self.state.last {
            self.state.last = last.to_bits();
        }
        self
    }

    /// Returns the physical clock.
    #[must_use]
    pub const fn source(&self) -> &S {
        &self.source
    }

    /// Returns the greatest stamp issued or merged, or `None` before the first. No event.
    #[must_use]
    pub const fn last(&self) -> Option<Packed<L>> {
        Packed::from_bits(self.state.last)
    }

    /// Merges a stamp that was already agreed on, without looking at the physical clock: deterministic, so
    /// that replicas which apply one log get one state. No event.
    ///
    /// # Errors
    ///
    /// [`Exhausted`] where `remote` is the layout's last timestamp, after which nothing could be issued, and above
    /// the clock, which is then as it was.
    #[inline]
    pub fn merge_committed(&mut self, remote: Packed<L>) -> Result<(), Exhausted> {
        driver::merge_committed(&mut self.state, remote).map_err(|_| Exhausted::new())
    }
}

impl<S: Source, L: Layout> Clock<S, L> {
    /// Issues the stamp of a local or send event: above every stamp issued, observed or merged before, and
    /// not below physical time.
    ///
    /// # Errors
    ///
    /// [`TickError`]; the clock is then as it was.
    /// - `Source`: the physical clock could not be read.
    /// - `Lead`: the stamp would be further ahead of physical time than the [`LeadPolicy`] allows.
    /// - `Exhausted`: no timestamp is left in the layout.
    ///
    /// # Overflow
    ///
    /// A full counter carries into physical time. At the layout's end the call is refused; nothing wraps.
    #[inline]
    #[doc(alias("now", "new_timestamp", "increment"))]
    pub fn tick(&mut self) -> Result<Packed<L>, TickError> {
        driver::tick(&mut self.state, &self.source, &self.limits)
    }

    /// Issues `count` consecutive stamps in one step.
    ///
    /// # Errors
    ///
    /// As [`tick`](Self::tick); also `Lead` where the last of them would be further ahead of physical time
    /// than the [`SkewPolicy`] accepts from peers. The clock is then as it was.
    #[inline]
    pub fn reserve(&mut self, count: NonZeroU32) -> Result<Reservation<L>, TickError> {
        driver::reserve(&mut self.state, &self.source, &self.limits, count)
    }

    /// Records that a message stamped `remote` was received, and issues the stamp of that receive event:
    /// above `remote`, and above everything as [`tick`](Self::tick) does.
    ///
    /// A stamp at or below [`last`](Self::last) is never refused for its skew.
    ///
    /// # Errors
    ///
    /// [`ObserveError`]; the clock is then as it was.
    /// - `Skew`: `remote` is further ahead of physical time than the [`SkewPolicy`] allows.
    /// - `Source`, `Lead`, `Exhausted`: as for `tick`.
    #[inline]
    #[doc(alias("update", "receive", "witness"))]
    pub fn observe(&mut self, remote: Packed<L>) -> Result<Packed<L>, ObserveError> {
        driver::observe(&mut self.state, &self.source, &self.limits, remote)
    }

    /// Makes every later stamp come after `remote`, without an event of its own: for knowledge that is not
    /// a message, such as the stamps found in a snapshot.
    ///
    /// Idempotent, commutative and associative wherever nothing is refused. A stamp at or below
    /// [`last`](Self::last) costs one compare and reads no source.
    ///
    /// # Errors
    ///
    /// [`ObserveError`]; the clock is then as it was.
    /// - `Skew`: `remote` is further ahead of physical time than the [`SkewPolicy`] allows.
    /// - `Source`: the physical clock could not be read.
    /// - `Exhausted`: `remote` is the layout's last timestamp, and above the clock.
    #[inline]
    pub fn merge(&mut self, remote: Packed<L>) -> Result<(), ObserveError> {
        driver::merge(&mut self.state, &self.source, &self.limits, remote)
    }

    /// Reads the state, the lead and the counts. It reads the source once; no event.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot<L> {
        driver::snapshot(&self.state, &self.source)
    }
}

impl State {
    /// A clock that stands at a word and has counted nothing.
    pub(crate) const fn at(last: u64) -> Self {
        Self { last, counts: [0; Counted::KINDS], max_lead_nanos: 0 }
    }

    /// Replaces the last word by a rule's outcome.
    #[inline]
    pub(crate) fn step(&mut self, rule: impl Fn(u64) -> Result<u64, Refusal>) -> Result<u64, Refusal> {
        self.last = rule(self.last)?;
        Ok(self.last)
    }
}

impl Knowledge for &mut State {
    #[inline]
    fn apply_merge(&mut self, event: Event) -> Result<u64, Refusal> {
        self.apply(event)
    }

    fn count(&mut self, what: Counted) {
        if let Some(count) = self.counts.get_mut(what as usize) {
            *count = count.saturating_add(1);
        }
    }
}

impl Cell for &mut State {
    #[inline]
    fn last(&self) -> u64 {
        self.last
    }

    #[inline]
    fn apply(&mut self, event: Event) -> Result<u64, Refusal> {
        self.step(|last| rule::step(last, event, u64::MAX))
    }

    #[inline]
    fn attempt(&mut self, event: Event) -> Option<u64> {
        self.apply(event).ok()
    }

    fn raise_max_lead(&mut self, nanos: u64) {
        self.max_lead_nanos = self.max_lead_nanos.max(nanos);
    }
}

impl Stats for State {
    fn last(&self) -> u64 {
        self.last
    }

    fn counted(&self, what: Counted) -> u64 {
        self.counts.get(what as usize).copied().unwrap_or_default()
    }

    fn max_lead(&self) -> u64 {
        self.max_lead_nanos
    }
}

impl<S: fmt::Debug, L: Layout> fmt::Debug for Clock<S, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clock")
            .field("last", &self.last())
            .field("limits", &self.limits)
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

//! `AtomicClock`: many threads, `&self`, one word.
//!
//! The promise to the user: whoever gets a greater stamp from `tick`, `observe` or `reserve` sees what
//! preceded the call that returned the smaller one. All of these replace one word, and the modification
//! order of that word is the order of the stamps; so each must release what came before it and acquire
//! what came before the others: `AcqRel` on the exchange, and nothing on the load that prepares it. A
//! `merge` between two of them is a read-modify-write too, and so continues the release sequence; it
//! may be Relaxed itself because it promises only the number.

use core::{fmt, num::NonZeroU32};

use crate::{
    Exhausted, LeadPolicy, ObserveError, Packed, Reservation, SkewPolicy, Snapshot, Source, TickError,
    driver::{self, Cell, Counted, Knowledge, Stats},
    layout::{Layout, Unix48},
    limits::Limits,
    rule::{self, Event, Refusal},
    sync::{AtomicU64, Ordering, const_fn},
};

/// A hybrid logical clock shared between threads: one lock-free word.
///
/// The constructors are `const`, so it can be a `static`. Where one clock is contended by many cores, one
/// clock a thread, each with its own node id, scales without bound: `examples/clock_per_thread.rs`. Clocks that
/// different threads use lie in lines of the cache of their own, as by `#[repr(align(128))]`, or they slow each
/// other down.
///
/// # Memory ordering
///
/// If `tick`, `observe` or `reserve` returns a greater stamp than another such call did, it sees what that
/// caller did before its call: the exchange is a read-modify-write with acquire and release. `merge`,
/// `merge_committed` and `last` promise only the number: they publish nothing and see nothing.
///
/// ```
/// use hlc::{AtomicClock, source::SystemSource};
/// use std::thread;
///
/// static CLOCK: AtomicClock<SystemSource> = AtomicClock::new(SystemSource::new());
///
/// let threads: Vec<_> = (0..4).map(|_| thread::spawn(|| CLOCK.tick())).collect();
/// let mut stamps = Vec::new();
/// for thread in threads {
///     stamps.push(thread.join().map_err(|_| "a thread ended early")??);
/// }
/// stamps.sort();
/// stamps.dedup();
/// assert_eq!(stamps.len(), 4, "no stamp is issued twice");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub struct AtomicClock<S, L: Layout = Unix48> {
    state: State,
    limits: Limits,
    source: S,
    layout: core::marker::PhantomData<L>,
}

/// The one word that every guarantee rests on, and the statistics, which none does.
pub(crate) struct State {
    last: AtomicU64,
    counts: [AtomicU64; Counted::KINDS],
    max_lead_nanos: AtomicU64,
}

impl<S> AtomicClock<S> {
    const_fn! {
        /// Makes a clock in the default layout, [`Unix48`], with the default limits: peers at most 500 ms
        /// ahead, its own lead reported.
        #[must_use]
        pub const fn new(source: S) -> Self {
            Self::with_layout(source)
        }
    }
}

impl<S, L: Layout> AtomicClock<S, L> {
    const_fn! {
        /// Makes a clock in layout `L`, with the default limits.
        #[must_use]
        pub const fn with_layout(source: S) -> Self {
            Self {
                state: State::at(0),
                limits: Limits::DEFAULT,
                source,
                layout: core::marker::PhantomData,
            }
        }
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
    /// kept its last stamp. A lower `last` than the clock's own changes nothing. For a clock in a `static`,
    /// [`merge_committed`](Self::merge_committed) does the same.
    ///
    /// No limit is applied: what is resumed from is trusted. After [`Packed::MAX`], every call returns
    /// [`Exhausted`].
    #[must_use]
    pub fn resume_after(self, last: Packed<L>) -> Self {
        // ORDERING: Relaxed. Nothing is published: the clock has one owner here, and what hands it to
        // other threads orders this before them. No test can go red.
        self.state.last.fetch_max(last.to_bits(), Ordering::Relaxed);
        self
    }

    /// Returns the physical clock.
    #[must_use]
    pub const fn source(&self) -> &S {
        &self.source
    }

    /// Returns the greatest stamp issued or merged, or `None` before the first. No event.
    ///
    /// # Memory ordering
    ///
    /// Promises the number alone.
    #[must_use]
    #[inline]
    pub fn last(&self) -> Option<Packed<L>> {
        Packed::from_bits(Stats::last(&self.state))
    }

    /// Merges a stamp that was already agreed on, without looking at the physical clock: deterministic, so
    /// that replicas which apply one log get one state. No event.
    ///
    /// # Errors
    ///
    /// [`Exhausted`] where `remote` is the layout's last timestamp, after which nothing could be issued, and above
    /// the clock, which is then as it was.
    ///
    /// # Memory ordering
    ///
    /// Promises the number alone.
    #[inline]
    pub fn merge_committed(&self, remote: Packed<L>) -> Result<(), Exhausted> {
        driver::merge_committed(&self.state, remote).map_err(|_| Exhausted::new())
    }
}

impl<S: Source, L: Layout> AtomicClock<S, L> {
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
    ///
    /// # Memory ordering
    ///
    /// Acquire and release, as the type's documentation says. An error promises nothing.
    #[inline]
    #[doc(alias("now", "new_timestamp", "increment"))]
    pub fn tick(&self) -> Result<Packed<L>, TickError> {
        driver::tick(&self.state, &self.source, &self.limits)
    }

    /// Issues `count` consecutive stamps in one atomic step.
    ///
    /// # Errors
    ///
    /// As [`tick`](Self::tick); also `Lead` where the last of them would be further ahead of physical time
    /// than the [`SkewPolicy`] accepts from peers. The clock is then as it was.
    ///
    /// # Memory ordering
    ///
    /// As [`tick`](Self::tick).
    #[inline]
    pub fn reserve(&self, count: NonZeroU32) -> Result<Reservation<L>, TickError> {
        driver::reserve(&self.state, &self.source, &self.limits, count)
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
    ///
    /// # Memory ordering
    ///
    /// As [`tick`](Self::tick).
    #[inline]
    #[doc(alias("update", "receive", "witness"))]
    pub fn observe(&self, remote: Packed<L>) -> Result<Packed<L>, ObserveError> {
        driver::observe(&self.state, &self.source, &self.limits, remote)
    }

    /// Makes every later stamp come after `remote`, without an event of its own: for knowledge that is not
    /// a message, such as the stamps found in a snapshot.
    ///
    /// Idempotent, commutative and associative wherever nothing is refused. A stamp at or below
    /// [`last`](Self::last) costs one load, one compare and one branch, and reads no source.
    ///
    /// # Errors
    ///
    /// [`ObserveError`]; the clock is then as it was.
    /// - `Skew`: `remote` is further ahead of physical time than the [`SkewPolicy`] allows.
    /// - `Source`: the physical clock could not be read.
    /// - `Exhausted`: `remote` is the layout's last timestamp, and above the clock.
    ///
    /// # Memory ordering
    ///
    /// Promises the number alone: what the caller did before is *not* made visible to whoever gets a
    /// greater stamp. To hand data over, send it with a `tick`.
    #[inline]
    pub fn merge(&self, remote: Packed<L>) -> Result<(), ObserveError> {
        driver::merge(&self.state, &self.source, &self.limits, remote)
    }

    /// Reads the state, the lead and the counts. It reads the source once; no event.
    ///
    /// # Memory ordering
    ///
    /// Promises the numbers alone, each read at its own instant.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot<L> {
        driver::snapshot(&self.state, &self.source)
    }
}

impl State {
    /// Steps from `last`, or from the word itself where that guess was stale and led to a refusal: what the
    /// clock already knows is never refused.
    #[inline]
    fn step_from(&self, last: &mut u64, rule: &impl Fn(u64) -> Result<u64, Refusal>) -> Result<u64, Refusal> {
        // Ends because each failure found another, greater word.
        loop {
            match rule(*last) {
                Ok(new) => return Ok(new),
                // ORDERING: Relaxed, twice. Nothing is published: a refusal promises nothing about memory. A
                // read-modify-write, because only that reads the newest word: with the load alone,
                // `loom_tests::what_the_clock_knows_is_not_refused_because_of_a_stale_read` fails.
                Err(refusal) => {
                    match self.last.compare_exchange(*last, *last, Ordering::Relaxed, Ordering::Relaxed) {
                        Ok(_) => return Err(refusal),
                        Err(actual) => *last = actual,
                    }
                }
            }
        }
    }

    /// One round of [`issue`](Self::issue): `None` where it needs more, or is refused.
    #[inline]
    pub(crate) fn issue_once(&self, rule: impl FnOnce(u64) -> Result<u64, Refusal>) -> Option<u64> {
        // ORDERING: Relaxed. Only a first guess for the exchange below, which acquires.
        let last = self.last.load(Ordering::Relaxed);
        let new = rule(last).ok()?;
        // ORDERING: AcqRel, and Relaxed on failure: as in `issue`, for the same tests.
        self.last.compare_exchange_weak(last, new, Ordering::AcqRel, Ordering::Relaxed).ok().map(|_| new)
    }

    /// Replaces the last word by a rule's outcome, which is issued.
    #[inline]
    pub(crate) fn issue(&self, rule: impl Fn(u64) -> Result<u64, Refusal>) -> Result<u64, Refusal> {
        // ORDERING: Relaxed. Only a first guess for the exchange below, which acquires.
        let mut last = self.last.load(Ordering::Relaxed);
        // Ends because each failure is another call's success, or spurious: lock-free, not wait-free.
        loop {
            let new = self.step_from(&mut last, &rule)?;
            // ORDERING: AcqRel. Pairs with itself in every other `tick`, `observe` and `reserve`: whoever
            // gets a greater stamp also sees what we did before this call. Acquire weakened, or release:
            // `loom_tests::whoever_gets_a_greater_stamp_sees_what_came_before_the_smaller` fails.
            // ORDERING: Relaxed on failure. The value is only the next guess.
            match self.last.compare_exchange_weak(last, new, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return Ok(new),
                Err(actual) => last = actual,
            }
        }
    }

    /// The same for an outcome that is not issued.
    #[inline]
    pub(crate) fn raise(&self, rule: impl Fn(u64) -> Result<u64, Refusal>) -> Result<u64, Refusal> {
        // ORDERING: Relaxed. Only a first guess for the exchange below.
        let mut last = self.last.load(Ordering::Relaxed);
        // Ends because each failure raised the word, until it is at or above what is merged; or spurious.
        loop {
            let new = self.step_from(&mut last, &rule)?;
            if new == last {
                return Ok(new);
            }
            // ORDERING: Relaxed. Nothing is published: a merge promises only the number. Being a
            // read-modify-write it continues the release sequence of the tick before it:
            // `loom_tests::a_merge_between_two_ticks_does_not_part_them`.
            // ORDERING: Relaxed on failure. The value is only the next guess.
            match self.last.compare_exchange_weak(last, new, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Ok(new),
                Err(actual) => last = actual,
            }
        }
    }

    const_fn! {
        /// A clock that stands at a word and has counted nothing.
        pub(crate) const fn at(last: u64) -> Self {
            Self {
                last: AtomicU64::new(last),
                // Spelled out, because loom's atomics are neither constants nor `Copy`.
                counts: [
                    AtomicU64::new(0),
                    AtomicU64::new(0),
                    AtomicU64::new(0),
                    AtomicU64::new(0),
                    AtomicU64::new(0),
                    AtomicU64::new(0),
                    #[cfg(feature = "durable")]
                    AtomicU64::new(0),
                    #[cfg(feature = "durable")]
                    AtomicU64::new(0),
                    #[cfg(feature = "durable")]
                    AtomicU64::new(0),
                    #[cfg(feature = "durable")]
                    AtomicU64::new(0),
                ],
                max_lead_nanos: AtomicU64::new(0),
            }
        }
    }
}

impl Knowledge for &State {
    #[inline]
    fn apply_merge(&mut self, event: Event) -> Result<u64, Refusal> {
        self.raise(|last| rule::step(last, event, u64::MAX))
    }

    fn count(&mut self, what: Counted) {
        if let Some(count) = self.counts.get(what as usize) {
            // ORDERING: Relaxed. A statistic; nothing is published.
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Cell for &State {
    #[inline]
    fn last(&self) -> u64 {
        // ORDERING: Relaxed. Nothing is published: a no-op merge promises only the number.
        // `loom_tests::a_merge_publishes_nothing` shows the execution that a promise would forbid.
        self.last.load(Ordering::Relaxed)
    }

    #[inline]
    fn apply(&mut self, event: Event) -> Result<u64, Refusal> {
        self.issue(|last| rule::step(last, event, u64::MAX))
    }

    #[inline]
    fn attempt(&mut self, event: Event) -> Option<u64> {
        self.issue_once(|last| rule::step(last, event, u64::MAX))
    }

    fn raise_max_lead(&mut self, nanos: u64) {
        // ORDERING: Relaxed. A statistic; nothing is published.
        self.max_lead_nanos.fetch_max(nanos, Ordering::Relaxed);
    }
}

impl Stats for State {
    #[inline]
    fn last(&self) -> u64 {
        // ORDERING: Relaxed. Nothing is published: `last` promises only the number.
        self.last.load(Ordering::Relaxed)
    }

    fn counted(&self, what: Counted) -> u64 {
        // ORDERING: Relaxed. A statistic; nothing is published.
        self.counts.get(what as usize).map_or(0, |count| count.load(Ordering::Relaxed))
    }

    fn max_lead(&self) -> u64 {
        // ORDERING: Relaxed. A statistic; nothing is published.
        self.max_lead_nanos.load(Ordering::Relaxed)
    }
}

impl<S: fmt::Debug, L: Layout> fmt::Debug for AtomicClock<S, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AtomicClock")
            .field("last", &self.last())
            .field("limits", &self.limits)
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

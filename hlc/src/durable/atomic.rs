//! `AtomicDurableClock`: many threads, `&self`, two words.
//!
//! Two words, where the rule of the house is one, because they have two writers: those who issue move `last`,
//! the one who extends moves `bound`. Both only rise, and a stale `bound` is a lower one, so that the argument
//! never needs a consistent pair:
//!
//! - unique, monotonic, causal: as for a plain clock, from the exchange of `last` alone;
//! - at most the mark: `last` comes to stand at or below a `bound` that was loaded, and every `bound` was stored
//!   after the mark had acknowledged it.
//!
//! The promise about memory, from which the orderings of the second word follow: whoever comes to stand above an
//! older bound sees the raise of the mark that allows it. Acquire on the load, Release on the store.

use core::{fmt, num::NonZeroU32, time::Duration};
use std::sync::PoisonError;

use high_water::{Kept, Mark, RaiseError};

use crate::{
    DurableSnapshot, LeadPolicy, ObserveError, Packed, PhysicalTime, Reservation, Resume, SkewPolicy, Source,
    TickError, UpkeepError,
    atomic::State as Issued,
    driver::{self, Cell, Counted, Knowledge, Stats},
    durable::{
        confirmed::Confirmed,
        error::Bounded as _,
        extension::Extension,
        policy::{self, Policy},
        window::Window,
    },
    layout::{Layout, Unix48},
    rule::{self, Event, Refusal},
    sync::{AtomicU64, Mutex, MutexGuard, Ordering},
};

/// A hybrid logical clock that survives a restart, shared between threads.
///
/// It is a [`DurableClock`](crate::DurableClock) whose stamps never wait for the disk: above the bound it
/// refuses with [`BoundReached`](crate::BoundReached). Somebody has to call [`upkeep`](Self::upkeep), once before
/// the first stamp and then more often than twice in a window: a [`Keeper`](crate::Keeper), or a loop of your own.
///
/// # Memory ordering
///
/// As of [`AtomicClock`](crate::AtomicClock#memory-ordering); and whoever gets a stamp above an older bound sees
/// the raise of the mark that allows it.
///
/// ```
/// use high_water::MemoryMark;
/// use hlc::{AtomicDurableClock, TickError, source::ManualSource};
///
/// let wall = ManualSource::at_millis(1_000_000);
/// let clock = AtomicDurableClock::new(&wall, MemoryMark::new(0));
/// assert!(matches!(clock.tick(), Err(TickError::Bound(_))), "nothing is issued before it is durable");
/// clock.upkeep()?;
/// let before = clock.tick()?;
///
/// wall.set_millis(400_000); // the process dies, and the wall clock is set back
/// let mark = clock.into_mark().restart();
/// let clock = AtomicDurableClock::new(&wall, mark);
/// clock.upkeep()?;
/// assert!(clock.tick()? > before);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub struct AtomicDurableClock<S, M, L: Layout = Unix48> {
    state: State,
    extension: Mutex<Extension<M>>,
    /// The bound of the life before, at which this one began.
    resumed: u64,
    policy: Policy,
    source: S,
    layout: core::marker::PhantomData<L>,
}

/// The state of a plain clock, and the bound that it stays below.
struct State {
    issued: Issued,
    bound: AtomicU64,
    /// The greatest word that was needed and refused at the bound, and by nothing else, since the last upkeep: a hint
    /// for the one who extends.
    wanted: AtomicU64,
}

impl<S, M: Mark> AtomicDurableClock<S, M> {
    /// Makes a clock in the default layout, [`Unix48`], that goes on above `mark`, with the default limits, a
    /// window of 250 ms and [`Resume::AtOnce`].
    ///
    /// The mark belongs to this clock from now on: nobody else may raise it or issue from it. It has to be one of
    /// this clock's layout, or new at zero.
    #[must_use]
    pub fn new(source: S, mark: M) -> Self {
        Self::with_layout(source, mark)
    }
}

impl<S, M: Mark, L: Layout> AtomicDurableClock<S, M, L> {
    /// Makes a clock in layout `L`; else as [`new`](AtomicDurableClock::new).
    #[must_use]
    pub fn with_layout(source: S, mark: M) -> Self {
        let extension = Extension::new(mark);
        let resumed = extension.bound();
        Self {
            state: State {
                issued: Issued::at(resumed),
                bound: AtomicU64::new(resumed),
                wanted: AtomicU64::new(0),
            },
            extension: Mutex::new(extension),
            resumed,
            policy: Policy::DEFAULT,
            source,
            layout: core::marker::PhantomData,
        }
    }

    /// Sets how far ahead of the physical clock a received stamp may be.
    #[must_use]
    pub const fn with_skew_policy(mut self, policy: SkewPolicy) -> Self {
        self.policy.set_skew(policy);
        self
    }

    /// Sets how far ahead of the physical clock the clock's own stamps may be.
    #[must_use]
    pub const fn with_lead_policy(mut self, policy: LeadPolicy) -> Self {
        self.policy.set_lead(policy);
        self
    }

    /// Sets how the clock goes on after a restart.
    #[must_use]
    pub const fn with_resume(mut self, resume: Resume) -> Self {
        self.policy.resume = resume;
        self
    }

    /// Sets how far ahead of physical time the bound is kept. What is in force may be less:
    /// [`window`](Self::window).
    #[must_use]
    pub const fn with_window(mut self, window: Window) -> Self {
        self.policy.asked_window = window;
        self
    }

    /// Returns how far ahead of physical time the bound is kept: what was asked for, or less under
    /// [`Resume::AtOnce`].
    #[must_use]
    pub fn window(&self) -> Duration {
        self.policy.window()
    }

    /// Returns the physical clock.
    #[must_use]
    pub const fn source(&self) -> &S {
        &self.source
    }

    /// Returns the greatest stamp issued or merged; before that the bound of the life before, or `None` where
    /// there was none. No event.
    ///
    /// # Memory ordering
    ///
    /// Promises the number alone.
    #[must_use]
    #[inline]
    pub fn last(&self) -> Option<Packed<L>> {
        Packed::from_bits(Stats::last(&self.state.issued))
    }

    /// Merges a stamp that was already agreed on, without looking at the physical clock. Above the bound it raises
    /// the bound first, and waits for the disk. No event.
    ///
    /// # Errors
    ///
    /// [`ObserveError`]; the clock is then as it was.
    /// - `Exhausted`: `remote` is the layout's last timestamp, and above the clock.
    /// - `Bound`: `remote` is above the bound, which could not be raised; [`cause`](crate::BoundReached::cause) says
    ///   why.
    ///
    /// # Memory ordering
    ///
    /// Promises the number alone.
    pub fn merge_committed(&self, remote: Packed<L>) -> Result<(), ObserveError> {
        let now = PhysicalTime::UNIX_EPOCH; // for the words of a skew refusal, which a committed merge has not
        let mut failure = None;
        driver::merge_committed(Committed { clock: self, failure: &mut failure }, remote)
            .map_err(|refusal| self.policy.limits().explain_observe(refusal, now, remote))
            .map_err(|error| error.caused_by(failure))
    }

    /// Raises the bound to cover what was agreed on, unless another thread just did.
    fn extend_to(&self, event: Event, needed: u64) -> Result<(), RaiseError> {
        let mut extension = self.extension();
        if extension.bound() < needed {
            let target = self.policy.reach::<L>(self.resumed).target(event.floor(), needed);
            extension.raise_to(target, |what| (&self.state.issued).count(what))?;
            self.publish(&extension);
        }
        Ok(())
    }

    /// Gives the mark back, to be opened again after an indeterminate raise.
    #[must_use]
    pub fn into_mark(self) -> M {
        self.extension.into_inner().unwrap_or_else(PoisonError::into_inner).into_mark()
    }

    /// A thread that panicked while extending leaves a mark that keeps its own contract, and a bound that was
    /// not moved: nothing has to be given up.
    fn extension(&self) -> MutexGuard<'_, Extension<M>> {
        self.extension.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Publishes the bound that the mark has acknowledged.
    fn publish(&self, extension: &Extension<M>) {
        // ORDERING: Release. Pairs with the load in `State::bound`.
        // Publishes the raise of the mark to those who issue below the new bound. A store suffices: the lock
        // makes its writers one.
        // Weaker: `durable::loom_tests::a_stamp_is_at_most_the_mark_that_its_taker_sees` fails.
        self.state.bound.store(extension.bound(), Ordering::Release);
    }
}

impl<S: Source, M: Mark, L: Layout> AtomicDurableClock<S, M, L> {
    /// Issues the stamp of a local or send event, as [`AtomicClock::tick`](crate::AtomicClock::tick) does.
    /// Touches no disk and waits for nobody.
    ///
    /// # Errors
    ///
    /// [`TickError`]; the clock is then as it was.
    /// - `Bound`: the stamp would be above the bound; the next [`upkeep`](Self::upkeep) raises it.
    /// - `Source`, `Exhausted`: as for a plain clock.
    /// - `Lead`: so too; and under [`Resume::WaitForPhysical`], physical time has not reached the bound yet.
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
        let limits = self.policy.limits_at(Stats::last(&self.state.issued), self.resumed);
        driver::tick(&self.state, &self.source, limits)
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
        let limits = self.policy.limits_at(Stats::last(&self.state.issued), self.resumed);
        driver::reserve(&self.state, &self.source, limits, count)
    }

    /// Records that a message stamped `remote` was received, and issues the stamp of that receive event, as
    /// [`AtomicClock::observe`](crate::AtomicClock::observe) does.
    ///
    /// # Errors
    ///
    /// [`ObserveError`]; the clock is then as it was.
    /// - `Skew`: `remote` is further ahead of physical time than the [`SkewPolicy`] allows.
    /// - `Bound`: no limit refuses it, and it is above the bound. The next [`upkeep`](Self::upkeep) covers it, within
    ///   the [`SkewPolicy`]: try again then.
    /// - `Source`, `Lead`, `Exhausted`: as for `tick`.
    ///
    /// # Memory ordering
    ///
    /// As [`tick`](Self::tick).
    #[inline]
    #[doc(alias("update", "receive", "witness"))]
    pub fn observe(&self, remote: Packed<L>) -> Result<Packed<L>, ObserveError> {
        let limits = self.policy.limits_at(Stats::last(&self.state.issued), self.resumed);
        driver::observe(&self.state, &self.source, limits, remote)
    }

    /// Makes every later stamp come after `remote`, as [`AtomicClock::merge`](crate::AtomicClock::merge) does.
    ///
    /// # Errors
    ///
    /// [`ObserveError`]; the clock is then as it was.
    /// - `Skew`: `remote` is further ahead of physical time than the [`SkewPolicy`] allows.
    /// - `Bound`: no limit refuses it, and it is above the bound. The next [`upkeep`](Self::upkeep) covers it, within
    ///   the [`SkewPolicy`]: try again then.
    /// - `Source`, `Exhausted`: as for a plain clock.
    ///
    /// # Memory ordering
    ///
    /// Promises the number alone.
    #[inline]
    pub fn merge(&self, remote: Packed<L>) -> Result<(), ObserveError> {
        let limits = self.policy.limits_at(Stats::last(&self.state.issued), self.resumed);
        driver::merge(&self.state, &self.source, limits, remote)
    }

    /// Raises the bound where less than half of the window is left, or where a call was refused at it, and returns
    /// whether it did. It waits for the disk, and for another thread that is at it; those who issue do not.
    ///
    /// # Errors
    ///
    /// [`UpkeepError`]; the clock goes on below the bound it has.
    pub fn upkeep(&self) -> Result<bool, UpkeepError> {
        let mut extension = self.extension();
        let now = Confirmed::<_, L>::new(&self.source, extension.bound()).now()?;
        let floor = policy::floor::<L>(now)?;
        if self.policy.waits(Stats::last(&self.state.issued), self.resumed) && floor <= self.resumed {
            return Ok(false);
        }
        // Held to the limit once more: the one who was refused may have had a wrong reading.
        let wanted = self.state.take_wanted().min(self.policy.limits().skew_ceiling::<L>(now));
        let last = Stats::last(&self.state.issued).max(wanted);
        let count = |what| (&self.state.issued).count(what);
        let raised = extension.upkeep(self.policy.reach::<L>(self.resumed), floor, last, count)?;
        if raised {
            self.publish(&extension);
        }
        Ok(raised)
    }

    /// Reads the state, the lead, the headroom and the counts. No event.
    ///
    /// # Memory ordering
    ///
    /// Promises the numbers alone, each read at its own instant.
    #[must_use]
    pub fn snapshot(&self) -> DurableSnapshot<L> {
        DurableSnapshot::of(&self.state.issued, self.state.bound(), &self.source)
    }
}

impl State {
    #[inline]
    fn bound(&self) -> u64 {
        // ORDERING: Acquire. Pairs with the store in `publish`.
        // Whoever comes to stand above an older bound sees the mark raised. A stale bound is a lower one, and
        // only refuses.
        // Weaker: `durable::loom_tests::a_stamp_is_at_most_the_mark_that_its_taker_sees` fails.
        self.bound.load(Ordering::Acquire)
    }

    fn take_wanted(&self) -> u64 {
        // ORDERING: Relaxed. A hint; nothing is published. No test can go red: one that is missed is noted again.
        self.wanted.swap(0, Ordering::Relaxed)
    }

    #[inline]
    fn below(&self, event: Event, step: impl FnOnce(u64) -> Result<u64, Refusal>) -> Result<u64, Refusal> {
        step(self.bound()).inspect_err(|refusal| self.note(event, *refusal))
    }

    /// Notes what the event needs by itself: physical time is what the one who extends reads.
    #[cold]
    fn note(&self, event: Event, refusal: Refusal) {
        if let Refusal::Bound { .. } = refusal
            && let Ok(needed) = rule::step(Stats::last(&self.issued), event.without_time(), u64::MAX)
        {
            // ORDERING: Relaxed. A hint; nothing is published, as in `take_wanted`.
            self.wanted.fetch_max(needed, Ordering::Relaxed);
        }
    }

    fn merge(&self, event: Event, bound: u64) -> Result<u64, Refusal> {
        self.issued.raise(|last| rule::step_below(last, event, bound, u64::MAX))
    }
}

impl Knowledge for &State {
    #[inline]
    fn apply_merge(&mut self, event: Event) -> Result<u64, Refusal> {
        self.below(event, |bound| self.merge(event, bound))
    }

    fn count(&mut self, what: Counted) {
        (&self.issued).count(what);
    }
}

impl Cell for &State {
    #[inline]
    fn last(&self) -> u64 {
        Stats::last(&self.issued)
    }

    #[inline]
    fn apply(&mut self, event: Event) -> Result<u64, Refusal> {
        self.below(event, |bound| self.issued.issue(|last| rule::step_below(last, event, bound, u64::MAX)))
    }

    #[inline]
    fn attempt(&mut self, event: Event) -> Option<u64> {
        let bound = self.bound();
        self.issued.issue_once(|last| rule::step_below(last, event, bound, u64::MAX))
    }

    fn raise_max_lead(&mut self, nanos: u64) {
        (&self.issued).raise_max_lead(nanos);
    }
}

/// The state for what was agreed on: above the bound it raises that first, so that a refusal leaves nothing behind.
struct Committed<'a, S, M, L: Layout> {
    clock: &'a AtomicDurableClock<S, M, L>,
    failure: &'a mut Option<RaiseError>,
}

impl<S, M: Mark, L: Layout> Knowledge for Committed<'_, S, M, L> {
    fn apply_merge(&mut self, event: Event) -> Result<u64, Refusal> {
        let state = &self.clock.state;
        match state.merge(event, state.bound()) {
            Err(Refusal::Bound { needed, .. }) => {
                *self.failure = self.clock.extend_to(event, needed).err();
                state.merge(event, state.bound())
            }
            result => result,
        }
    }

    fn count(&mut self, what: Counted) {
        (&self.clock.state.issued).count(what);
    }
}

impl<S: Source, M: Mark, L: Layout> Kept for AtomicDurableClock<S, M, L> {
    fn keep(&self) {
        // What comes of it is in the bound, an error in the counts.
        let _ = self.upkeep();
    }
}

impl<S: fmt::Debug, M: Mark, L: Layout> fmt::Debug for AtomicDurableClock<S, M, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AtomicDurableClock")
            .field("last", &self.last())
            .field("bound", &Packed::<L>::from_bits(self.state.bound()))
            .field("policy", &self.policy)
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::source::ManualSource;
    use high_water::MemoryMark;

    /// Two who merge what was agreed on race for the lock; the second finds the bound where it wants it.
    #[test]
    fn a_bound_that_another_thread_just_raised_is_not_raised_again() {
        let clock = AtomicDurableClock::new(ManualSource::at_millis(1_000), MemoryMark::new(0));
        clock.upkeep().unwrap();
        let (raised, bound) = (clock.snapshot(), clock.state.bound());
        let merge = |remote| Event::Merge { remote, skew_ceiling: u64::MAX };
        for covered in [bound, 1] {
            clock.extend_to(merge(covered), covered).unwrap();
            assert_eq!(clock.snapshot(), raised);
        }
        clock.extend_to(merge(bound + 1), bound + 1).unwrap();
        assert_eq!(clock.snapshot().extensions(), 2);
    }
}

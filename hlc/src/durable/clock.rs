//! `DurableClock`: one owner, `&mut self`.

use core::{fmt, num::NonZeroU32, time::Duration};

use high_water::Mark;

use crate::{
    DurableSnapshot, LeadPolicy, ObserveError, Packed, PhysicalTime, Reservation, Resume, SkewPolicy, Source,
    TickError, UpkeepError,
    clock::State as Issued,
    driver::{self, Cell, Counted, Knowledge, Stats},
    durable::{
        confirmed::Confirmed,
        error::Bounded as _,
        extension::Extension,
        policy::{self, Policy},
        reach::Reach,
        window::Window,
    },
    layout::{Layout, Unix48},
    rule::{self, Event, Refusal},
};

/// A hybrid logical clock that survives a restart: after it, every stamp is above every one issued before.
///
/// It issues only below a bound that its [`Mark`] has made durable: at most the [`window`](Self::window) ahead
/// of physical time. [`upkeep`](Self::upkeep) raises the bound ahead of need; where nobody calls it, the stamp
/// that needs more raises it and waits for the disk, once in a window or once after being idle.
///
/// For threads, see [`AtomicDurableClock`](crate::AtomicDurableClock).
///
/// ```
/// use high_water::MemoryMark;
/// use hlc::{DurableClock, source::ManualSource};
///
/// let wall = ManualSource::at_millis(1_000_000);
/// let mut clock = DurableClock::new(&wall, MemoryMark::new(0));
/// let before = clock.tick()?;
///
/// wall.set_millis(400_000); // the process dies, and the wall clock is set back
/// let mark = clock.into_mark().restart();
/// let mut clock = DurableClock::new(&wall, mark);
/// assert!(clock.tick()? > before);
/// # Ok::<(), hlc::TickError>(())
/// ```
///
/// # What a peer sees
///
/// The first stamp after a restart is at most the window ahead of physical time as it was at the last extension;
/// or, on a clock that was itself ahead, an eighth of the window (and at least 65,536 stamps) above the greatest
/// stamp it knew. Peers with a skew limit of twice the window or more accept it. A life that ends at once takes
/// the clock on by those 65,536 stamps, which in the default layout is a millisecond.
pub struct DurableClock<S, M, L: Layout = Unix48> {
    state: State<M>,
    policy: Policy,
    source: S,
    layout: core::marker::PhantomData<L>,
}

/// The state of a plain clock, never above the bound of the extension.
struct State<M> {
    issued: Issued,
    extension: Extension<M>,
    /// The bound of the life before, at which this one began.
    resumed: u64,
    reach: Reach,
}

impl<S, M: Mark> DurableClock<S, M> {
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

impl<S, M: Mark, L: Layout> DurableClock<S, M, L> {
    /// Makes a clock in layout `L`; else as [`new`](DurableClock::new).
    #[must_use]
    pub fn with_layout(source: S, mark: M) -> Self {
        let extension = Extension::new(mark);
        let resumed = extension.bound();
        let policy = Policy::DEFAULT;
        let state =
            State { issued: Issued::at(resumed), extension, resumed, reach: policy.reach::<L>(resumed) };
        Self { state, policy, source, layout: core::marker::PhantomData }
    }

    fn with_policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self.state.reach = policy.reach::<L>(self.state.resumed);
        self
    }

    /// Sets how far ahead of the physical clock a received stamp may be.
    #[must_use]
    pub fn with_skew_policy(self, policy: SkewPolicy) -> Self {
        let mut all = self.policy;
        all.set_skew(policy);
        self.with_policy(all)
    }

    /// Sets how far ahead of the physical clock the clock's own stamps may be.
    #[must_use]
    pub fn with_lead_policy(self, policy: LeadPolicy) -> Self {
        let mut all = self.policy;
        all.set_lead(policy);
        self.with_policy(all)
    }

    /// Sets how the clock goes on after a restart.
    #[must_use]
    pub fn with_resume(self, resume: Resume) -> Self {
        let mut policy = self.policy;
        policy.resume = resume;
        self.with_policy(policy)
    }

    /// Sets how far ahead of physical time the bound is kept. What is in force may be less:
    /// [`window`](Self::window).
    #[must_use]
    pub fn with_window(self, window: Window) -> Self {
        let mut policy = self.policy;
        policy.asked_window = window;
        self.with_policy(policy)
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
    #[must_use]
    pub fn last(&self) -> Option<Packed<L>> {
        Packed::from_bits(self.state.issued.last())
    }

    /// Merges a stamp that was already agreed on, without looking at the physical clock. Above the bound it raises
    /// the bound first. No event.
    ///
    /// # Errors
    ///
    /// [`ObserveError`]; the clock is then as it was.
    /// - `Exhausted`: `remote` is the layout's last timestamp, and above the clock.
    /// - `Bound`: `remote` is above the bound, which could not be raised.
    pub fn merge_committed(&mut self, remote: Packed<L>) -> Result<(), ObserveError> {
        let merged = driver::merge_committed(&mut self.state, remote);
        let now = PhysicalTime::UNIX_EPOCH; // for the words of a skew refusal, which a committed merge has not
        merged
            .map_err(|refusal| self.policy.limits().explain_observe(refusal, now, remote))
            .map_err(|error| error.caused_by(self.state.extension.failure()))
    }

    /// Gives the mark back, to be opened again after an indeterminate raise.
    #[must_use]
    pub fn into_mark(self) -> M {
        self.state.extension.into_mark()
    }
}

impl<S: Source, M: Mark, L: Layout> DurableClock<S, M, L> {
    /// Issues the stamp of a local or send event, as [`Clock::tick`](crate::Clock::tick) does.
    ///
    /// Above the bound it raises the bound first, and waits for the disk.
    ///
    /// # Errors
    ///
    /// [`TickError`]; the clock is then as it was.
    /// - `Bound`: the bound could not be raised; [`cause`](crate::BoundReached::cause) says why.
    /// - `Source`, `Exhausted`: as for a plain clock.
    /// - `Lead`: so too; and under [`Resume::WaitForPhysical`], physical time has not reached the bound yet.
    ///
    /// # Overflow
    ///
    /// A full counter carries into physical time. At the layout's end the call is refused; nothing wraps.
    #[inline]
    #[doc(alias("now", "new_timestamp", "increment"))]
    pub fn tick(&mut self) -> Result<Packed<L>, TickError> {
        let limits = self.policy.limits_at(self.state.issued.last(), self.state.resumed);
        let source = Confirmed::<_, L>::new(&self.source, self.state.extension.bound());
        driver::tick(&mut self.state, &source, limits)
            .map_err(|error| error.caused_by(self.state.extension.failure()))
    }

    /// Issues `count` consecutive stamps in one step.
    ///
    /// # Errors
    ///
    /// As [`tick`](Self::tick); also `Lead` where the last of them would be further ahead of physical time
    /// than the [`SkewPolicy`] accepts from peers. The clock is then as it was.
    #[inline]
    pub fn reserve(&mut self, count: NonZeroU32) -> Result<Reservation<L>, TickError> {
        let limits = self.policy.limits_at(self.state.issued.last(), self.state.resumed);
        let source = Confirmed::<_, L>::new(&self.source, self.state.extension.bound());
        driver::reserve(&mut self.state, &source, limits, count)
            .map_err(|error| error.caused_by(self.state.extension.failure()))
    }

    /// Records that a message stamped `remote` was received, and issues the stamp of that receive event, as
    /// [`Clock::observe`](crate::Clock::observe) does. Above the bound it raises the bound first.
    ///
    /// # Errors
    ///
    /// [`ObserveError`]; the clock is then as it was.
    /// - `Skew`: `remote` is further ahead of physical time than the [`SkewPolicy`] allows. The bound was not
    ///   raised for it.
    /// - `Bound`, `Source`, `Lead`, `Exhausted`: as for `tick`.
    #[inline]
    #[doc(alias("update", "receive", "witness"))]
    pub fn observe(&mut self, remote: Packed<L>) -> Result<Packed<L>, ObserveError> {
        let limits = self.policy.limits_at(self.state.issued.last(), self.state.resumed);
        let source = Confirmed::<_, L>::new(&self.source, self.state.extension.bound());
        driver::observe(&mut self.state, &source, limits, remote)
            .map_err(|error| error.caused_by(self.state.extension.failure()))
    }

    /// Makes every later stamp come after `remote`, as [`Clock::merge`](crate::Clock::merge) does. Above the
    /// bound it raises the bound first.
    ///
    /// # Errors
    ///
    /// [`ObserveError`]; the clock is then as it was.
    /// - `Skew`: `remote` is further ahead of physical time than the [`SkewPolicy`] allows.
    /// - `Bound`: the bound could not be raised.
    /// - `Source`, `Exhausted`: as for a plain clock.
    #[inline]
    pub fn merge(&mut self, remote: Packed<L>) -> Result<(), ObserveError> {
        let limits = self.policy.limits_at(self.state.issued.last(), self.state.resumed);
        let source = Confirmed::<_, L>::new(&self.source, self.state.extension.bound());
        driver::merge(&mut self.state, &source, limits, remote)
            .map_err(|error| error.caused_by(self.state.extension.failure()))
    }

    /// Raises the bound where less than half of the window is left, and returns whether it did. Call it more
    /// often than twice in a window, from where waiting for the disk does no harm.
    ///
    /// # Errors
    ///
    /// [`UpkeepError`]; the clock goes on below the bound it has.
    pub fn upkeep(&mut self) -> Result<bool, UpkeepError> {
        let floor =
            policy::floor::<L>(Confirmed::<_, L>::new(&self.source, self.state.extension.bound()).now()?)?;
        let State { issued, extension, reach, resumed } = &mut self.state;
        let last = issued.last();
        if self.policy.waits(last, *resumed) && floor <= *resumed {
            return Ok(false);
        }
        Ok(extension.upkeep(*reach, floor, last, |what| (&mut *issued).count(what))?)
    }

    /// Reads the state, the lead, the headroom and the counts. No event.
    #[must_use]
    pub fn snapshot(&self) -> DurableSnapshot<L> {
        DurableSnapshot::of(&self.state.issued, self.state.extension.bound(), &self.source)
    }
}

impl<M: Mark> Knowledge for &mut State<M> {
    #[inline]
    fn apply_merge(&mut self, event: Event) -> Result<u64, Refusal> {
        self.apply(event)
    }

    fn count(&mut self, what: Counted) {
        (&mut self.issued).count(what);
    }
}

impl<M: Mark> Cell for &mut State<M> {
    #[inline]
    fn last(&self) -> u64 {
        self.issued.last()
    }

    #[inline]
    fn apply(&mut self, event: Event) -> Result<u64, Refusal> {
        let bound = self.extension.bound();
        match self.issued.step(|last| rule::step_below(last, event, bound, u64::MAX)) {
            Err(Refusal::Bound { needed, .. }) => self.extend_and_apply(event, needed),
            result => result,
        }
    }

    #[inline]
    fn attempt(&mut self, event: Event) -> Option<u64> {
        let bound = self.extension.bound();
        self.issued.step(|last| rule::step_below(last, event, bound, u64::MAX)).ok()
    }

    fn raise_max_lead(&mut self, nanos: u64) {
        (&mut self.issued).raise_max_lead(nanos);
    }
}

impl<M: Mark> State<M> {
    #[cold]
    fn extend_and_apply(&mut self, event: Event, needed: u64) -> Result<u64, Refusal> {
        let Self { issued, extension, reach, .. } = self;
        // What came of it is in the bound, and an error in the extension, for the caller.
        let _ = extension.raise_to(reach.target(event.floor(), needed), |what| (&mut *issued).count(what));
        let bound = extension.bound();
        issued.step(|last| rule::step_below(last, event, bound, u64::MAX))
    }
}

impl<S: fmt::Debug, M: Mark, L: Layout> fmt::Debug for DurableClock<S, M, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DurableClock")
            .field("last", &self.last())
            .field("bound", &Packed::<L>::from_bits(self.state.extension.bound()))
            .field("policy", &self.policy)
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

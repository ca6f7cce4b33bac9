//! `AtomicClock`: many threads, `&self`, one word.
//!
// The orderings, derived from the promise in the type's docs:
//
// 1. All state that a guarantee rests on is `word`. So what is said about numbers (unique, never back, above
//    what was observed) follows from each call being one read-modify-write of it, at any ordering.
// 2. `tick`, `observe` and `reserve` promise that the greater result sees what preceded the smaller one's
//    call. The call with the smaller result must release, the one with the greater must acquire, and each
//    call may be either: AcqRel on success.
// 3. Between the two, other calls may have written the word. Each of them is a read-modify-write, and those
//    continue a release sequence at any ordering. That is why `raise` may be Relaxed without breaking 2, and
//    why no call ever stores to the word.
// 4. `merge` promises the number alone. Its no-op is a load and cannot publish; a promise that held for some
//    merges only would be a trap, so none is made: Relaxed.
// 5. A failed exchange gave nothing out: Relaxed. What a load says may be stale, so nothing is answered from
//    it but the no-op of `merge`, which stays true as the clock rises. A refusal is an exchange too, of the
//    last time for itself: "a time at or below `last` is never refused" is about the newest `last` there is.

use core::convert::Infallible;
use core::num::NonZeroU32;

use crate::counters::SharedCounters;
use crate::rule::{self, WORD_END};
use crate::sync::{AtomicU64, Ordering, const_fn};
use crate::{EndReserved, Exhausted, MaxJump, MergeError, ObserveError, Snapshot, Time, Times};

/// A Lamport clock that many threads share.
///
/// It has the verbs of [`Clock`](crate::Clock) and the same rule. Its state is one atomic word, and its
/// constructors are `const`, so that it may be a `static`. Statistics are separate words, written when a call
/// is refused.
///
/// # Memory ordering
///
/// If a [`tick`](Self::tick), [`observe`](Self::observe) or [`reserve`](Self::reserve) returns a greater time
/// than another of them did, its caller also sees everything that preceded the other call.
/// [`merge`](Self::merge), its siblings and [`last`](Self::last) promise only the number.
///
/// # Examples
///
/// ```
/// use lamport::AtomicClock;
///
/// static CLOCK: AtomicClock = AtomicClock::new();
///
/// let other = std::thread::spawn(|| CLOCK.tick());
/// let mine = CLOCK.tick()?;
/// assert!(other.join().is_ok_and(|other| other.is_ok_and(|other| other != mine)));
/// # Ok::<(), lamport::Exhausted>(())
/// ```
#[derive(Debug)]
pub struct AtomicClock {
    word: AtomicU64,
    max_jump: MaxJump,
    counters: SharedCounters,
}

impl AtomicClock {
    const_fn! {
        /// Makes a clock that has seen no event, with [`MaxJump::DEFAULT`].
        ///
        /// A node that ran before, or joins others that did, goes on with
        /// [`resume_after`](Self::resume_after).
        #[must_use]
        pub const fn new() -> Self {
            Self { word: AtomicU64::new(0), max_jump: MaxJump::DEFAULT, counters: SharedCounters::new() }
        }
    }

    const_fn! {
        /// Sets how far one received time may move the clock.
        #[must_use]
        pub const fn with_max_jump(mut self, max_jump: MaxJump) -> Self {
            self.max_jump = max_jump;
            self
        }
    }

    /// Counts a local or send event, and returns its time: one above the clock's last.
    ///
    /// # Errors
    ///
    /// - [`Exhausted`] when the clock stands at [`Time::MAX`]. It stays there.
    ///
    /// # Memory ordering
    ///
    /// Sees what preceded every `tick`, `observe` and `reserve` that returned a smaller time.
    #[doc(alias = "now")]
    #[doc(alias = "new_timestamp")]
    #[doc(alias = "increment")]
    #[inline]
    pub fn tick(&self) -> Result<Time, Exhausted> {
        self.publish(|last| rule::issue::<WORD_END>(last, NonZeroU32::MIN))
            .map(|(_, next)| next)
            .map_err(|why| self.counters.count(why))
    }

    /// Counts the receipt of a message stamped `remote`, and returns the receive event's time: one above the
    /// greater of the clock's last and `remote`.
    ///
    /// # Errors
    ///
    /// After each of them the clock is as it was.
    ///
    /// - [`ObserveError::JumpExceeded`] when `remote` is further ahead than [`MaxJump`] allows.
    /// - [`ObserveError::EndReserved`] when `remote` is ahead and above [`Time::MAX_ACCEPTED`], unless the
    ///   policy is [`MaxJump::Unbounded`].
    /// - [`ObserveError::Exhausted`] when no time is left for the receive event.
    ///
    /// # Memory ordering
    ///
    /// Sees what preceded every `tick`, `observe` and `reserve` that returned a smaller time.
    #[doc(alias = "update")]
    #[doc(alias = "receive")]
    #[doc(alias = "witness")]
    #[inline]
    pub fn observe(&self, remote: Time) -> Result<Time, ObserveError> {
        self.publish(|last| rule::observe::<WORD_END>(last, remote, self.max_jump))
            .map(|(_, next)| next)
            .map_err(|why| self.counters.count(why))
    }

    /// Learns that `remote` was reached elsewhere, without an event here: every later time is above it.
    ///
    /// Idempotent; commutative and associative wherever nothing is refused. A time at or below
    /// [`last`](Self::last) changes nothing, and costs one load, one compare and one branch.
    ///
    /// # Errors
    ///
    /// After each of them the clock is as it was.
    ///
    /// - [`MergeError::JumpExceeded`] when `remote` is further ahead than [`MaxJump`] allows.
    /// - [`MergeError::EndReserved`] when `remote` is ahead and above [`Time::MAX_ACCEPTED`], unless the
    ///   policy is [`MaxJump::Unbounded`].
    ///
    /// # Memory ordering
    ///
    /// None is promised. A later `tick` is above `remote`, but need not see what this caller did before.
    #[inline]
    pub fn merge(&self, remote: Time) -> Result<(), MergeError> {
        if rule::covers(self.last(), remote) {
            return Ok(());
        }
        self.merge_ahead(remote)
    }

    // Out of line, so that the no-op above is all that is inlined.
    #[inline(never)]
    fn merge_ahead(&self, remote: Time) -> Result<(), MergeError> {
        self.raise(|last| rule::merge::<WORD_END>(last, remote, self.max_jump))
            .map_err(|why| self.counters.count(why))
    }

    /// Merges a time that was already agreed on, without any bound: an entry of a replicated log, say, that
    /// every replica must apply alike.
    ///
    /// # Overflow
    ///
    /// [`Time::MAX`] is accepted. The clock is then exhausted, so this is not for input that one peer alone
    /// chose.
    ///
    /// # Memory ordering
    ///
    /// None is promised, as for [`merge`](Self::merge).
    pub fn merge_committed(&self, remote: Time) {
        let Ok(()) = self.raise(|last| Ok::<_, Infallible>(rule::commit(last, remote)));
    }

    /// Reserves `count` consecutive times in one atomic step, for as many events that happen now.
    ///
    /// See [`Times`] for what a later [`observe`](Self::observe) does to those not yet used.
    ///
    /// # Errors
    ///
    /// - [`Exhausted`] when fewer than `count` times are left. None is spent.
    ///
    /// # Memory ordering
    ///
    /// Sees what preceded every `tick`, `observe` and `reserve` that returned a smaller time.
    #[inline]
    pub fn reserve(&self, count: NonZeroU32) -> Result<Times, Exhausted> {
        self.publish(|last| rule::issue::<WORD_END>(last, count))
            .map(|(before, _)| Times::above(before, count.get()))
            .map_err(|why| self.counters.count(why))
    }

    /// Brings a new or restored node to where it must go on: every later time is above `after`.
    ///
    /// `after` is the greatest time that this node handed out before it stopped, or, for a node that joins,
    /// one that a trusted member names. [`MaxJump`] does not apply. It never lowers the clock.
    ///
    /// # Errors
    ///
    /// - [`EndReserved`] when `after` is ahead and above [`Time::MAX_ACCEPTED`]: more likely rot than time.
    ///   The clock is as it was. [`resume_after_unbounded`](Self::resume_after_unbounded) goes there all the
    ///   same.
    ///
    /// # Memory ordering
    ///
    /// None is promised, as for [`merge`](Self::merge).
    pub fn resume_after(&self, after: Time) -> Result<(), EndReserved> {
        self.raise(|last| rule::resume::<WORD_END>(last, after)).map_err(|why| self.counters.count(why))
    }

    /// Resumes after any time at all, the last one included.
    ///
    /// # Overflow
    ///
    /// After [`Time::MAX`] the clock is exhausted. Only for a time that this node is known to have reached.
    ///
    /// # Memory ordering
    ///
    /// None is promised, as for [`merge`](Self::merge).
    pub fn resume_after_unbounded(&self, after: Time) {
        self.merge_committed(after);
    }

    /// Returns the greatest time that the clock gave or learned, [`Time::ZERO`] before the first. No event.
    ///
    /// # Memory ordering
    ///
    /// None is promised: the number says nothing about what its giver did before.
    #[must_use]
    #[inline]
    pub fn last(&self) -> Time {
        // ORDERING: Relaxed. Nothing is published to a reader of the number alone: `last` and the no-op of
        // `merge` promise none. Coherence gives what they do promise: no caller reads below what it saw
        // before.
        // Nothing weaker exists; `loom_tests::a_merge_that_moves_nothing_publishes_nothing` shows the price.
        Time::new(self.word.load(Ordering::Relaxed))
    }

    /// Returns the clock's numbers for an operator.
    ///
    /// # Memory ordering
    ///
    /// None is promised, nor that the numbers are of one moment.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.counters.snapshot(self.last())
    }

    /// Moves the clock by a rule whose result is handed out; returns the last times before and after.
    ///
    /// The loop ends: an exchange fails because another call moved the word meanwhile (or spuriously, on some
    /// targets), so some caller always finishes. There is no bound for one caller.
    #[inline]
    fn publish<E>(&self, step: impl Fn(Time) -> Result<Time, E>) -> Result<(Time, Time), E> {
        let mut last = self.last();
        loop {
            let (next, answer) = match step(last) {
                Ok(next) => (next, Ok((last, next))),
                Err(why) => (last, Err(why)),
            };
            // ORDERING: AcqRel. Pairs with itself in every other `tick`, `observe` and `reserve` on this
            // clock. Release shows whoever gets a greater time what this caller did before; Acquire shows
            // this caller the same of whoever got a smaller one.
            // Weaker: `loom_tests::whoever_ticks_later_sees_what_came_before` fails, as do its siblings.
            let published = Ordering::AcqRel;
            // ORDERING: Relaxed on failure. Nothing is published: the value read is an input for the next
            // round, whose own exchange acquires. Nothing weaker exists.
            let failed = Ordering::Relaxed;
            match self.word.compare_exchange_weak(last.get(), next.get(), published, failed) {
                Ok(_) => return answer,
                Err(now) => last = Time::new(now),
            }
        }
    }

    /// Raises the clock by a rule that hands nothing out.
    ///
    /// The loop ends for the same reason as in `publish`, and earlier once another call has raised the word
    /// high enough.
    fn raise<E>(&self, step: impl Fn(Time) -> Result<Time, E>) -> Result<(), E> {
        let mut last = self.last();
        loop {
            let (next, answer) = match step(last) {
                Ok(next) if next == last => return Ok(()),
                Ok(next) => (next, Ok(())),
                Err(why) => (last, Err(why)),
            };
            // ORDERING: Relaxed, both. Nothing is published: the docs promise the number alone. As a
            // read-modify-write it keeps the release sequence of every earlier `tick`, which
            // `loom_tests::a_merge_in_between_hides_nothing` covers; a plain store would not.
            // Nothing weaker exists; `loom_tests::a_merge_that_moves_publishes_nothing` shows the price.
            let unpublished = Ordering::Relaxed;
            match self.word.compare_exchange_weak(last.get(), next.get(), unpublished, unpublished) {
                Ok(_) => return answer,
                Err(now) => last = Time::new(now),
            }
        }
    }
}

impl Default for AtomicClock {
    fn default() -> Self {
        Self::new()
    }
}

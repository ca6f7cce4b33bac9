//! `AtomicDurableClock`: many threads, `&self`, two words.
//!
// The orderings of the first word are those of `AtomicClock`. The second, `bound`, has another writer: the one who
// extends. Both only rise, and a stale `bound` is a lower one, so that no argument needs a consistent pair:
//
// 1. Unique, never back, above what was observed: from the exchange of the clock's word alone.
// 2. At most the mark: the clock comes to stand at or below a `bound` that was loaded, and every `bound` was
//    stored after the mark had acknowledged it.
// 3. Whoever comes to stand above an older bound is promised to see the raise of the mark that allows it: the load
//    acquires, the store releases.

use core::num::NonZeroU32;
use std::sync::PoisonError;

use high_water::{Kept, Mark, RaiseError};

use super::block::Block;
use super::extension::{DurableSnapshot, Extension};
use crate::rule::{self, WORD_END};
use crate::sync::{AtomicU64, Mutex, MutexGuard, Ordering};
use crate::{AtomicClock, BoundReached, MaxJump, MergeError, ObserveError, TickError, Time, Times};

/// A Lamport clock that survives a restart, shared by threads.
///
/// It is a [`DurableClock`](crate::DurableClock) whose times never wait for the disk: above the bound it refuses
/// with [`BoundReached`]. Somebody has to call [`upkeep`](Self::upkeep), once before the first time and then more
/// often than half a block is used up: a [`Keeper`](crate::Keeper), or a loop of your own.
///
/// # Memory ordering
///
/// As of [`AtomicClock`](AtomicClock#memory-ordering); and whoever gets a time above an older bound sees the raise
/// of the mark that allows it.
///
/// # Examples
///
/// ```
/// use high_water::MemoryMark;
/// use lamport::AtomicDurableClock;
///
/// let clock = AtomicDurableClock::new(MemoryMark::new(0));
/// assert!(clock.tick().is_err(), "nothing is handed out before it is durable");
/// clock.upkeep()?;
/// let before = clock.tick()?;
///
/// let mark = clock.into_mark().restart(); // the process dies
/// let clock = AtomicDurableClock::new(mark);
/// clock.upkeep()?;
/// assert!(clock.tick()? > before);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct AtomicDurableClock<M> {
    /// Never above `bound`.
    clock: AtomicClock,
    bound: AtomicU64,
    /// The greatest time that was refused at the bound, and by nothing else: a hint for the one who extends.
    wanted: AtomicU64,
    extension: Mutex<Extension<M>>,
}

impl<M: Mark> AtomicDurableClock<M> {
    /// Makes a clock that goes on above `mark`, with [`MaxJump::DEFAULT`] and blocks of 65,536 times.
    ///
    /// The mark belongs to this clock from now on: nobody else may raise it or hand out from it.
    #[must_use]
    pub fn new(mark: M) -> Self {
        let extension = Extension::new(mark);
        let bound = extension.bound();
        let clock = AtomicClock::new();
        clock.merge_committed(bound);
        let (bound, wanted) = (AtomicU64::new(bound.get()), AtomicU64::new(0));
        Self { clock, bound, wanted, extension: Mutex::new(extension) }
    }

    /// Sets how far one received time may move the clock.
    #[must_use]
    pub fn with_max_jump(mut self, max_jump: MaxJump) -> Self {
        self.clock = self.clock.with_max_jump(max_jump);
        self.extension().max_jump = max_jump;
        self
    }

    /// Sets how many times a block has: one sync for each, and at most as many skipped at a crash. What is in force may
    /// be less: [`block`](Self::block).
    #[must_use]
    pub fn with_block(self, block: Block) -> Self {
        self.extension().asked_block = block;
        self
    }

    /// Returns how many times a block has: as many as were asked for, or half of the [`MaxJump`] if that is less. Waits
    /// for a thread that extends.
    #[must_use]
    pub fn block(&self) -> Block {
        self.extension().block()
    }

    /// Counts a local or send event, as [`AtomicClock::tick`] does. Touches no disk and waits for nobody.
    ///
    /// # Errors
    ///
    /// After each of them the clock is as it was.
    ///
    /// - [`TickError::Bound`] when the block is used up; the next [`upkeep`](Self::upkeep) reserves another.
    /// - [`TickError::Exhausted`] when the clock stands at [`Time::MAX`].
    ///
    /// # Memory ordering
    ///
    /// As promised for the [type](Self#memory-ordering).
    #[doc(alias = "now")]
    #[doc(alias = "new_timestamp")]
    #[doc(alias = "increment")]
    #[inline]
    pub fn tick(&self) -> Result<Time, TickError> {
        self.publish(|last| Ok(rule::issue::<WORD_END>(last, NonZeroU32::MIN)?))
            .map(|(_, next)| next)
            .map_err(|why| self.clock.counters.count(why))
    }

    /// Counts the receipt of a message, as [`AtomicClock::observe`] does.
    ///
    /// # Errors
    ///
    /// As [`AtomicClock::observe`], and [`ObserveError::Bound`] when no limit refuses `remote` and it is above the
    /// bound: the next [`upkeep`](Self::upkeep) covers it, within the [`MaxJump`]. The clock is as it was.
    ///
    /// # Memory ordering
    ///
    /// As promised for the [type](Self#memory-ordering).
    #[doc(alias = "update")]
    #[doc(alias = "receive")]
    #[doc(alias = "witness")]
    #[inline]
    pub fn observe(&self, remote: Time) -> Result<Time, ObserveError> {
        self.publish(|last| rule::observe::<WORD_END>(last, remote, self.clock.max_jump))
            .map(|(_, next)| next)
            .map_err(|why| self.clock.counters.count(why))
    }

    /// Learns that `remote` was reached elsewhere, as [`AtomicClock::merge`] does.
    ///
    /// # Errors
    ///
    /// As [`AtomicClock::merge`], and [`MergeError::Bound`] when no limit refuses `remote` and it is above the bound:
    /// the next [`upkeep`](Self::upkeep) covers it, within the [`MaxJump`]. The clock is as it was.
    ///
    /// # Memory ordering
    ///
    /// None is promised.
    pub fn merge(&self, remote: Time) -> Result<(), MergeError> {
        if rule::covers(self.last(), remote) {
            return Ok(());
        }
        let bound = self.bound();
        self.clock
            .raise(|last| {
                let next = rule::merge::<WORD_END>(last, remote, self.clock.max_jump)?;
                rule::learned(last, next, bound).map_err(|why| self.note(why).into())
            })
            .map_err(|why| self.clock.counters.count(why))
    }

    /// Merges a time that was already agreed on, without any limit but the bound, which it raises first: it may wait for
    /// the disk.
    ///
    /// # Errors
    ///
    /// [`MergeError::Bound`] when the bound could not be raised; [`cause`](BoundReached::cause) says why. The clock is as
    /// it was.
    ///
    /// # Memory ordering
    ///
    /// None is promised.
    pub fn merge_committed(&self, remote: Time) -> Result<(), MergeError> {
        // Not left to an upkeep: under no limit, what is refused must not move the bound later.
        let failure = rule::within(remote, self.bound()).err().and_then(|_| self.extend_to(remote).err());
        let bound = self.bound();
        self.clock
            .raise(|last| rule::learned(last, rule::commit(last, remote), bound))
            .map_err(|why: BoundReached| self.clock.counters.count(why.caused_by(failure).into()))
    }

    /// Raises the bound above what was agreed on, unless another thread just did.
    fn extend_to(&self, remote: Time) -> Result<(), RaiseError> {
        let mut extension = self.extension();
        if extension.bound() < remote {
            extension.extend_above(remote)?;
            self.publish_bound(&extension);
        }
        Ok(())
    }

    /// Reserves `count` consecutive times in one atomic step, for as many events that happen now.
    ///
    /// # Errors
    ///
    /// As [`tick`](Self::tick). None is spent.
    ///
    /// # Memory ordering
    ///
    /// As promised for the [type](Self#memory-ordering).
    pub fn reserve(&self, count: NonZeroU32) -> Result<Times, TickError> {
        self.publish(|last| Ok(rule::issue::<WORD_END>(last, count)?))
            .map(|(before, _)| Times::above(before, count.get()))
            .map_err(|why| self.clock.counters.count(why))
    }

    /// Reserves the next block where half of this one is gone, or where a call was refused at the bound, and returns
    /// whether it did. It waits for the disk, and for another thread that is at it; those who tick do not.
    ///
    /// # Errors
    ///
    /// That of the mark. The clock goes on below the bound it has.
    pub fn upkeep(&self) -> Result<bool, RaiseError> {
        let mut extension = self.extension();
        // ORDERING: Relaxed. A hint; nothing is published. No test can go red: a stale one is covered later.
        let wanted = Time::new(self.wanted.load(Ordering::Relaxed));
        let raised = extension.upkeep(self.last().max(wanted))?;
        if raised {
            self.publish_bound(&extension);
        }
        Ok(raised)
    }

    fn publish_bound(&self, extension: &Extension<M>) {
        // ORDERING: Release. Pairs with the load in `bound`.
        // Publishes the raise of the mark to those who come to stand below the new bound. A store suffices: the lock
        // makes its writers one.
        // Weaker: `durable::loom_tests::a_time_is_at_most_the_mark_that_its_taker_sees` fails.
        self.bound.store(extension.bound().get(), Ordering::Release);
    }

    /// Returns the greatest time that the clock gave or learned; before that the bound of the life before. No event.
    ///
    /// # Memory ordering
    ///
    /// None is promised.
    #[must_use]
    #[inline]
    pub fn last(&self) -> Time {
        self.clock.last()
    }

    /// Returns the clock's numbers for an operator. Waits for a thread that extends.
    ///
    /// # Memory ordering
    ///
    /// None is promised, nor that the numbers are of one moment.
    #[must_use]
    pub fn snapshot(&self) -> DurableSnapshot {
        self.extension().snapshot(self.clock.snapshot(), self.clock.counters.stalls())
    }

    /// Gives the mark back, to be opened again after an indeterminate raise.
    #[must_use]
    pub fn into_mark(self) -> M {
        self.extension.into_inner().unwrap_or_else(PoisonError::into_inner).into_mark()
    }

    #[inline]
    fn publish<E: From<BoundReached>>(
        &self,
        rule: impl Fn(Time) -> Result<Time, E>,
    ) -> Result<(Time, Time), E> {
        let bound = self.bound();
        self.clock.publish(|last| self.within(rule(last)?, bound))
    }

    #[inline]
    fn within<E: From<BoundReached>>(&self, next: Time, bound: Time) -> Result<Time, E> {
        rule::within(next, bound).map_err(|why| self.note(why).into())
    }

    #[cold]
    fn note(&self, why: BoundReached) -> BoundReached {
        // ORDERING: Relaxed. A hint; nothing is published, as in `upkeep`.
        self.wanted.fetch_max(why.needed().get(), Ordering::Relaxed);
        why
    }

    #[inline]
    fn bound(&self) -> Time {
        // ORDERING: Acquire. Pairs with the store in `publish_bound`.
        // Whoever comes to stand above an older bound sees the mark raised. A stale bound is a lower one, and
        // only refuses.
        // Weaker: `durable::loom_tests::a_time_is_at_most_the_mark_that_its_taker_sees` fails.
        Time::new(self.bound.load(Ordering::Acquire))
    }

    /// A thread that panicked while extending leaves a mark that keeps its own contract, and a bound that was
    /// not moved: nothing has to be given up.
    fn extension(&self) -> MutexGuard<'_, Extension<M>> {
        self.extension.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<M: Mark> Kept for AtomicDurableClock<M> {
    fn keep(&self) {
        // What comes of it is in the bound, an error in the counts.
        let _ = self.upkeep();
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use high_water::MemoryMark;

    /// Two who merge what was agreed on race for the lock; the second finds the bound where it wants it.
    #[test]
    fn a_bound_that_another_thread_just_raised_is_not_raised_again() {
        let clock = AtomicDurableClock::new(MemoryMark::new(0));
        clock.upkeep().unwrap();
        let raised = clock.snapshot();
        for covered in [raised.bound, Time::new(1)] {
            clock.extend_to(covered).unwrap();
            assert_eq!(clock.snapshot(), raised);
        }
        clock.extend_to(raised.bound.checked_next().unwrap()).unwrap();
        assert_eq!(clock.snapshot().extensions, 2);
    }
}

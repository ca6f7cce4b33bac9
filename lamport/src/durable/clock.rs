//! `DurableClock`: one owner, `&mut self`.

use core::num::NonZeroU32;

use high_water::{Mark, RaiseError};

use super::block::Block;
use super::extension::{DurableSnapshot, Extension};
use crate::rule::{self, WORD_END};
use crate::{BoundReached, Clock, MaxJump, MergeError, ObserveError, TickError, Time, Times};

/// A Lamport clock that survives a restart: after it, every time is above every one handed out before.
///
/// It hands out only what a block covers that its [`Mark`] has made durable. [`upkeep`](Self::upkeep) reserves the
/// next block when half of this one is gone; where nobody calls it, the time that needs more reserves it and
/// waits for the disk, once in a block. What a crash leaves of a block is skipped.
///
/// For threads, see [`AtomicDurableClock`](crate::AtomicDurableClock).
///
/// # Examples
///
/// ```
/// use high_water::MemoryMark;
/// use lamport::DurableClock;
///
/// let mut clock = DurableClock::new(MemoryMark::new(0));
/// let before = clock.tick()?;
///
/// let mark = clock.into_mark().restart(); // the process dies
/// let mut clock = DurableClock::new(mark);
/// assert!(clock.tick()? > before);
/// # Ok::<(), lamport::TickError>(())
/// ```
#[derive(Debug)]
pub struct DurableClock<M> {
    /// Never above the bound of the extension.
    clock: Clock,
    extension: Extension<M>,
}

impl<M: Mark> DurableClock<M> {
    /// Makes a clock that goes on above `mark`, with [`MaxJump::DEFAULT`] and blocks of 65,536 times.
    ///
    /// The mark belongs to this clock from now on: nobody else may raise it or hand out from it.
    #[must_use]
    pub fn new(mark: M) -> Self {
        let extension = Extension::new(mark);
        let mut clock = Clock::new();
        clock.merge_committed(extension.bound());
        Self { clock, extension }
    }

    /// Sets how far one received time may move the clock.
    #[must_use]
    pub fn with_max_jump(mut self, max_jump: MaxJump) -> Self {
        self.clock = self.clock.with_max_jump(max_jump);
        self.extension.max_jump = max_jump;
        self
    }

    /// Sets how many times a block has: one sync for each, and at most as many skipped at a crash. What is in force may
    /// be less: [`block`](Self::block).
    #[must_use]
    pub const fn with_block(mut self, block: Block) -> Self {
        self.extension.asked_block = block;
        self
    }

    /// Returns how many times a block has: as many as were asked for, or half of the [`MaxJump`] if that is less.
    #[must_use]
    pub const fn block(&self) -> Block {
        self.extension.block()
    }

    /// Counts a local or send event, as [`Clock::tick`] does. Above the bound it raises the bound first.
    ///
    /// # Errors
    ///
    /// After each of them the clock is as it was.
    ///
    /// - [`TickError::Bound`] when the bound could not be raised; [`cause`](BoundReached::cause) says why.
    /// - [`TickError::Exhausted`] when the clock stands at [`Time::MAX`].
    #[doc(alias = "now")]
    #[doc(alias = "new_timestamp")]
    #[doc(alias = "increment")]
    #[inline]
    pub fn tick(&mut self) -> Result<Time, TickError> {
        let next = self.step(|last| Ok(rule::issue::<WORD_END>(last, NonZeroU32::MIN)?));
        next.map_err(|why| self.clock.counters.count(why))
    }

    /// Counts the receipt of a message, as [`Clock::observe`] does. Above the bound it raises the bound first.
    ///
    /// # Errors
    ///
    /// As [`Clock::observe`], and [`ObserveError::Bound`] when the bound could not be raised. The clock is as it was;
    /// what [`MaxJump`] refuses has not raised the bound either.
    #[doc(alias = "update")]
    #[doc(alias = "receive")]
    #[doc(alias = "witness")]
    pub fn observe(&mut self, remote: Time) -> Result<Time, ObserveError> {
        let max_jump = self.clock.max_jump;
        self.step(|last| rule::observe::<WORD_END>(last, remote, max_jump))
            .map_err(|why| self.clock.counters.count(why))
    }

    /// Learns that `remote` was reached elsewhere, as [`Clock::merge`] does. Above the bound it raises the bound first.
    ///
    /// # Errors
    ///
    /// As [`Clock::merge`], and [`MergeError::Bound`] when the bound could not be raised. The clock is as it was.
    pub fn merge(&mut self, remote: Time) -> Result<(), MergeError> {
        let max_jump = self.clock.max_jump;
        self.step(|last| rule::merge::<WORD_END>(last, remote, max_jump))
            .map(drop)
            .map_err(|why| self.clock.counters.count(why))
    }

    /// Merges a time that was already agreed on, without any limit but the bound, which it raises first.
    ///
    /// # Errors
    ///
    /// [`MergeError::Bound`] when the bound could not be raised. The clock is as it was.
    pub fn merge_committed(&mut self, remote: Time) -> Result<(), MergeError> {
        self.step(|last| Ok(rule::commit(last, remote)))
            .map(drop)
            .map_err(|why: MergeError| self.clock.counters.count(why))
    }

    /// Reserves `count` consecutive times for as many events that happen now.
    ///
    /// # Errors
    ///
    /// As [`tick`](Self::tick). None is spent.
    pub fn reserve(&mut self, count: NonZeroU32) -> Result<Times, TickError> {
        let before = self.clock.last();
        self.step(|last| Ok(rule::issue::<WORD_END>(last, count)?))
            .map(|_| Times::above(before, count.get()))
            .map_err(|why| self.clock.counters.count(why))
    }

    /// Reserves the next block where half of this one is gone, and returns whether it did. Call it from where
    /// waiting for the disk does no harm.
    ///
    /// # Errors
    ///
    /// That of the mark. The clock goes on below the bound it has.
    pub fn upkeep(&mut self) -> Result<bool, RaiseError> {
        self.extension.upkeep(self.clock.last())
    }

    /// Returns the greatest time that the clock gave or learned; before that the bound of the life before. No event.
    #[must_use]
    pub const fn last(&self) -> Time {
        self.clock.last()
    }

    /// Returns the clock's numbers for an operator.
    #[must_use]
    pub fn snapshot(&self) -> DurableSnapshot {
        self.extension.snapshot(self.clock.snapshot(), self.clock.counters.stalls())
    }

    /// Gives the mark back, to be opened again after an indeterminate raise.
    #[must_use]
    pub fn into_mark(self) -> M {
        self.extension.into_mark()
    }

    #[inline]
    fn step<E: From<BoundReached>>(&mut self, rule: impl Fn(Time) -> Result<Time, E>) -> Result<Time, E> {
        let next = rule(self.clock.last)?;
        if rule::within(next, self.extension.bound()).is_err() {
            // What came of it is in the bound, and an error in the extension.
            let _ = self.extension.extend_above(next);
        }
        let within = rule::within(next, self.extension.bound());
        self.clock.last = within.map_err(|why| why.caused_by(self.extension.failure()))?;
        Ok(next)
    }
}

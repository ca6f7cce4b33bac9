//! `Clock`: one owner, `&mut self`, no atomics.

use core::num::NonZeroU32;

use crate::counters::Counters;
use crate::rule::{self, WORD_END};
use crate::{EndReserved, Exhausted, MaxJump, MergeError, ObserveError, Snapshot, Time, Times};

/// A Lamport clock with one owner.
///
/// It has the verbs of [`AtomicClock`](crate::AtomicClock) and the same rule, takes `&mut self`, and runs on
/// every target. It is not `Clone`: two clocks that go on from one state give the same times twice.
///
/// # Examples
///
/// ```
/// use lamport::{Clock, ObserveError};
///
/// let (mut alice, mut bob) = (Clock::new(), Clock::new());
/// let sent = alice.tick()?;
/// let received = bob.observe(sent)?;
/// assert!(sent < received);
/// # Ok::<(), ObserveError>(())
/// ```
#[derive(Debug)]
pub struct Clock {
    last: Time,
    max_jump: MaxJump,
    counters: Counters,
}

impl Clock {
    /// Makes a clock that has seen no event, with [`MaxJump::DEFAULT`].
    ///
    /// A node that ran before, or joins others that did, goes on with [`resume_after`](Self::resume_after).
    #[must_use]
    pub const fn new() -> Self {
        Self { last: Time::ZERO, max_jump: MaxJump::DEFAULT, counters: Counters::new() }
    }

    /// Sets how far one received time may move the clock.
    #[must_use]
    pub const fn with_max_jump(mut self, max_jump: MaxJump) -> Self {
        self.max_jump = max_jump;
        self
    }

    /// Counts a local or send event, and returns its time: one above the clock's last.
    ///
    /// # Errors
    ///
    /// - [`Exhausted`] when the clock stands at [`Time::MAX`]. It stays there.
    #[doc(alias = "now")]
    #[doc(alias = "new_timestamp")]
    #[doc(alias = "increment")]
    pub fn tick(&mut self) -> Result<Time, Exhausted> {
        match rule::issue::<WORD_END>(self.last, NonZeroU32::MIN) {
            Ok(next) => Ok(self.advance(next)),
            Err(why) => Err(self.counters.count(why)),
        }
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
    #[doc(alias = "update")]
    #[doc(alias = "receive")]
    #[doc(alias = "witness")]
    pub fn observe(&mut self, remote: Time) -> Result<Time, ObserveError> {
        match rule::observe::<WORD_END>(self.last, remote, self.max_jump) {
            Ok(next) => Ok(self.advance(next)),
            Err(why) => Err(self.counters.count(why)),
        }
    }

    /// Learns that `remote` was reached elsewhere, without an event here: every later time is above it.
    ///
    /// Idempotent; commutative and associative wherever nothing is refused. A time at or below
    /// [`last`](Self::last) changes nothing.
    ///
    /// # Errors
    ///
    /// After each of them the clock is as it was.
    ///
    /// - [`MergeError::JumpExceeded`] when `remote` is further ahead than [`MaxJump`] allows.
    /// - [`MergeError::EndReserved`] when `remote` is ahead and above [`Time::MAX_ACCEPTED`], unless the
    ///   policy is [`MaxJump::Unbounded`].
    pub fn merge(&mut self, remote: Time) -> Result<(), MergeError> {
        match rule::merge::<WORD_END>(self.last, remote, self.max_jump) {
            Ok(next) => {
                self.advance(next);
                Ok(())
            }
            Err(why) => Err(self.counters.count(why)),
        }
    }

    /// Merges a time that was already agreed on, without any bound: an entry of a replicated log, say, that
    /// every replica must apply alike.
    ///
    /// # Overflow
    ///
    /// [`Time::MAX`] is accepted. The clock is then exhausted, so this is not for input that one peer alone
    /// chose.
    pub fn merge_committed(&mut self, remote: Time) {
        self.advance(rule::commit(self.last, remote));
    }

    /// Reserves `count` consecutive times for as many events that happen now.
    ///
    /// See [`Times`] for what a later [`observe`](Self::observe) does to those not yet used.
    ///
    /// # Errors
    ///
    /// - [`Exhausted`] when fewer than `count` times are left. None is spent.
    pub fn reserve(&mut self, count: NonZeroU32) -> Result<Times, Exhausted> {
        match rule::issue::<WORD_END>(self.last, count) {
            Ok(next) => {
                let before = self.last;
                self.advance(next);
                Ok(Times::above(before, count.get()))
            }
            Err(why) => Err(self.counters.count(why)),
        }
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
    /// # Examples
    ///
    /// ```
    /// use lamport::{Clock, Time};
    ///
    /// let mut clock = Clock::new();
    /// clock.resume_after(Time::new(1 << 50))?;
    /// assert!(clock.tick()? > Time::new(1 << 50));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn resume_after(&mut self, after: Time) -> Result<(), EndReserved> {
        match rule::resume::<WORD_END>(self.last, after) {
            Ok(next) => {
                self.advance(next);
                Ok(())
            }
            Err(why) => Err(self.counters.count(why)),
        }
    }

    /// Resumes after any time at all, the last one included.
    ///
    /// # Overflow
    ///
    /// After [`Time::MAX`] the clock is exhausted. Only for a time that this node is known to have reached.
    pub fn resume_after_unbounded(&mut self, after: Time) {
        self.advance(rule::commit(self.last, after));
    }

    /// Returns the greatest time that the clock gave or learned, [`Time::ZERO`] before the first. No event.
    #[must_use]
    pub const fn last(&self) -> Time {
        self.last
    }

    /// Returns the clock's numbers for an operator.
    #[must_use]
    pub const fn snapshot(&self) -> Snapshot {
        self.counters.snapshot(self.last)
    }

    fn advance(&mut self, next: Time) -> Time {
        self.last = next;
        next
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

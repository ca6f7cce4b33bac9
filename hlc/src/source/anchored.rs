//! `AnchoredSource`: a fast counter, put right by the wall clock again and again.
//!
//! The promise to the user is a bound on each reading, and it rests on two words that belong together: the
//! time at the anchor, and the window of the counter in which it may be used. They are read as under a
//! sequence lock that no reader waits for: window, time, window again. A writer takes the window away
//! before it changes the time and gives a new one after, so a time is used only in its own window:
//!
//! - not an older time: the first load of the window acquires from the store that opened it, and that store
//!   releases the time written before it;
//! - not a newer time: the load of the time acquires from the store that wrote it, and that store releases
//!   the exchange that took the old window away; the second load of the window then cannot find it.

use core::{fmt, time::Duration};

use super::{Counter, Source, time_word};
use crate::{
    PhysicalTime, SourceError,
    physical_time::NANOS_PER_SEC,
    sync::{AtomicU64, Ordering, const_fn},
};

/// A fast counter, anchored to a wall clock again in every interval.
///
/// Most readings cost a counter and three loads. The first one after an interval asks the wall clock
/// itself, and anchors the counter to what that said. Which of several threads anchors does not matter:
/// meanwhile the others ask the wall clock for themselves, so nobody waits, and a thread that is stopped in
/// the middle of anchoring harms nobody.
///
/// # Guarantees
///
/// - **Bounded skew**, always: a reading is not below what the wall clock said at its anchor, and less than an
///   interval above it. An anchor is used for one interval, measured with the counter.
/// - **Bounded skew**, while the wall clock is not stepped: a reading is within *e + rate x (interval + e)* of
///   what the wall clock says in the same moment, where *e* is the [`tolerance`](Self::tolerance) and twice the
///   greatest difference between the counters of two threads, and *rate* is by how much the wall clock runs
///   faster or slower than the counter. With the defaults, counters that agree, and 500 parts per million
///   between the two, that is about 15 us.
/// - After a step of the wall clock, a reading is also off by that step, for at most one interval.
/// - **Monotonic**: no. Readings go back where the wall clock does, and between threads whose counters differ.
///   The hybrid clock above ratchets.
/// - **Progress**: no reading waits for another.
///
/// # What can go wrong
///
/// - **The counter differs between threads** by more than the bound can bear: the difference is in it twice. A
///   thread whose counter is behind the anchor, or an interval or more ahead, asks the wall clock.
/// - **The counter goes back or starts again**: it is then before its anchor, and is anchored again.
/// - **The counter's rate is wrong**: by a tenth, say, and the reading is off by a tenth of an interval at its
///   end. Where it is far too slow, so is the interval: the first bound above is in the counter's time.
/// - **The machine is suspended** and the counter stands still meanwhile: that is a step of the wall clock by the
///   length of the suspension, and holds on for what is left of the interval.
/// - **The wall clock cannot be read**: readings go on to the end of the interval, then they fail too.
/// - **The wall clock takes longer to read than the tolerance**, always: nothing is ever anchored, and each
///   reading asks it. Nothing is wrong but the speed.
/// - **A thread is killed, or the process forked, in the middle of anchoring**: as before. The copy of the source
///   in the child process asks the wall clock from then on.
///
/// After the year 2514 every reading asks the wall clock.
///
/// # Memory ordering
///
/// A reading promises the time alone; it publishes nothing of what the caller did.
///
/// ```
/// use core::{cell::Cell, time::Duration};
/// use hlc::{Source, source::{AnchoredSource, ManualSource}};
///
/// let nanos = Cell::new(0);
/// let wall = ManualSource::at_millis(5_000);
/// let source = AnchoredSource::new(|| nanos.get(), &wall).with_interval(Duration::from_millis(10));
/// let anchor = source.now()?;
///
/// wall.set_millis(3_600_000);
/// nanos.set(9_000_000);
/// assert_eq!(source.now()?, anchor.checked_add(Duration::from_millis(9)).ok_or("late")?);
/// nanos.set(10_000_000);
/// assert_eq!(source.now()?, wall.now()?, "a step is found after one interval");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub struct AnchoredSource<C, S> {
    anchor: Anchor,
    /// From 1 to `MAX_INTERVAL`.
    interval_nanos: u64,
    tolerance_nanos: u64,
    counter: C,
    source: S,
}

impl<C, S> AnchoredSource<C, S> {
    /// The interval of a new source: 10 ms.
    pub const DEFAULT_INTERVAL: Duration = Duration::from_millis(10);

    /// The longest interval: 1 s.
    pub const MAX_INTERVAL: Duration = Duration::from_secs(1);

    /// The tolerance of a new source: 10 us, which is enough for a wall clock behind a system call, and too
    /// little for a thread that loses the processor in the middle.
    pub const DEFAULT_TOLERANCE: Duration = Duration::from_micros(10);

    const_fn! {
        /// Makes a source that reads `counter` and is anchored to `source`; nothing is read yet.
        #[must_use]
        pub const fn new(counter: C, source: S) -> Self {
            Self {
                anchor: Anchor::new(),
                interval_nanos: clamp(Self::DEFAULT_INTERVAL),
                tolerance_nanos: clamp(Self::DEFAULT_TOLERANCE),
                counter,
                source,
            }
        }
    }

    /// Sets for how long an anchor is used: at least 1 ns, at most [`MAX_INTERVAL`](Self::MAX_INTERVAL), and
    /// what is outside counts as the nearer of the two.
    #[must_use]
    pub const fn with_interval(mut self, interval: Duration) -> Self {
        self.interval_nanos = clamp(interval);
        self
    }

    /// Sets how long reading the wall clock may take, by the counter, for the result to be an anchor: at least
    /// 1 ns, at most 1 s, and what is outside counts as the nearer of the two.
    #[must_use]
    pub const fn with_tolerance(mut self, tolerance: Duration) -> Self {
        self.tolerance_nanos = clamp(tolerance);
        self
    }

    /// Returns for how long an anchor is used.
    #[must_use]
    pub const fn interval(&self) -> Duration {
        Duration::from_nanos(self.interval_nanos)
    }

    /// Returns how long reading the wall clock may take for the result to be an anchor.
    #[must_use]
    pub const fn tolerance(&self) -> Duration {
        Duration::from_nanos(self.tolerance_nanos)
    }

    /// Returns the counter.
    #[must_use]
    pub const fn counter(&self) -> &C {
        &self.counter
    }

    /// Returns the wall clock.
    #[must_use]
    pub const fn source(&self) -> &S {
        &self.source
    }
}

/// From 1 ns to 1 s, so that one carry makes a time of an anchor and what passed since.
const fn clamp(length: Duration) -> u64 {
    if length.as_secs() > 0 {
        NANOS_PER_SEC as u64
    } else if length.is_zero() {
        1
    } else {
        length.subsec_nanos() as u64
    }
}

impl<C: Counter, S: Source> Source for AnchoredSource<C, S> {
    /// # Errors
    ///
    /// Those of the wall clock, where it had to be asked. The anchor is then as it was.
    #[inline]
    fn now(&self) -> Result<PhysicalTime, SourceError> {
        match self.anchor.read(self.counter.nanos(), self.interval_nanos) {
            Ok(time) => Ok(time),
            Err(seen) => self.ask(seen),
        }
    }
}

impl<C: Counter, S: Source> AnchoredSource<C, S> {
    /// Asks the wall clock, and makes what it says the anchor where nothing came between.
    #[cold]
    fn ask(&self, seen: u64) -> Result<PhysicalTime, SourceError> {
        let before = self.counter.nanos();
        let time = self.source.now()?;
        let after = self.counter.nanos();
        // Between the two the wall clock was read; when, is known no better than their distance.
        if after.checked_sub(before).is_some_and(|taken| taken <= self.tolerance_nanos) {
            self.anchor.replace(seen, after, time, self.interval_nanos);
        }
        Ok(time)
    }
}

/// A time, and the window of the counter in which it may be used.
///
/// `limit` is the end of the window plus one: the window is that many below it, less the interval.
///
/// | `limit` | state | leaves it |
/// |---|---|---|
/// | `UNSET` | no anchor yet | `replace` takes it: `LOCKED` |
/// | `LOCKED` | one thread writes `time` | that thread alone: to a window |
/// | 2 and above | a window, `time` belongs to it | `replace` takes it: `LOCKED` |
pub(super) struct Anchor {
    limit: AtomicU64,
    /// As `time_word` packs it.
    time: AtomicU64,
}

/// No counter is two or more below either, so neither has a window.
const UNSET: u64 = 0;
const LOCKED: u64 = 1;

impl Anchor {
    const_fn! {
        pub(super) const fn new() -> Self {
            Self { limit: AtomicU64::new(UNSET), time: AtomicU64::new(0) }
        }
    }

    /// The time at `counter`, or the limit that was found where that has no window with `counter` in it.
    #[inline]
    pub(super) fn read(&self, counter: u64, interval: u64) -> Result<PhysicalTime, u64> {
        // ORDERING: Acquire. Pairs with: the last store in `replace`. Makes the time that belongs to this
        // window visible, here and to the thread's own `replace`. Weaker:
        // `source::anchored::loom_tests::a_new_window_is_not_read_with_an_old_time` fails.
        let limit = self.limit.load(Ordering::Acquire);
        // One comparison for all: a counter before the window gives a number far above, one at its end or
        // after it the interval or one more.
        let elapsed = interval.wrapping_add(1).wrapping_sub(limit.saturating_sub(counter));
        if elapsed >= interval {
            return Err(limit);
        }
        // ORDERING: Acquire. Pairs with: the store of the time in `replace`. Makes it visible, where this is
        // a newer time, that the window was taken away before. Weaker:
        // `source::anchored::loom_tests::an_old_window_is_not_read_with_a_new_time` fails.
        let time = self.time.load(Ordering::Acquire);
        // ORDERING: Relaxed. Nothing is acquired: the load above already made visible what this must see.
        // No weaker one exists.
        if self.limit.load(Ordering::Relaxed) != limit {
            return Err(limit);
        }
        time_word::unpack_later(time, elapsed).ok_or(limit)
    }

    /// Makes `time` the anchor, in the window that begins at `counter`, unless the limit is no longer `seen`
    /// or is being replaced, or the numbers are at their end. The window then stays as it was.
    ///
    /// The window is counted from the measurement: a thread that is stopped in here opens it too late, not
    /// for too long.
    pub(super) fn replace(&self, seen: u64, counter: u64, time: PhysicalTime, interval: u64) {
        let Some(limit) = counter.checked_add(interval).and_then(|end| end.checked_add(1)) else { return };
        let Some(time) = time_word::pack(time) else { return };
        if seen == LOCKED {
            return;
        }
        // ORDERING: Acquire. Pairs with: the last store of another `replace`. Puts its store of the time
        // before ours in modification order. The load that gave `seen` did so already, unless a counter that
        // went back gave two windows one limit. No test can go red: loom puts each store after all that
        // ran before it.
        // ORDERING: Relaxed on failure. Nothing is done with the value.
        if self.limit.compare_exchange(seen, LOCKED, Ordering::Acquire, Ordering::Relaxed).is_err() {
            return;
        }
        // ORDERING: Release. Pairs with: the load of the time in `read`. Whoever reads the new time finds
        // that the old window was taken away. Weaker:
        // `source::anchored::loom_tests::an_old_window_is_not_read_with_a_new_time` fails.
        self.time.store(time, Ordering::Release);
        // ORDERING: Release. Pairs with: the first load in `read`. Whoever finds the new window reads the
        // new time. Weaker: `source::anchored::loom_tests::a_new_window_is_not_read_with_an_old_time` fails.
        self.limit.store(limit, Ordering::Release);
    }
}

impl<C: fmt::Debug, S: fmt::Debug> fmt::Debug for AnchoredSource<C, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnchoredSource")
            .field("interval", &self.interval())
            .field("tolerance", &self.tolerance())
            .field("counter", &self.counter)
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_anchor_that_is_unset_or_locked_has_no_window_for_any_counter() {
        for state in [UNSET, LOCKED] {
            let anchor = Anchor { limit: AtomicU64::new(state), time: AtomicU64::new(0) };
            for interval in [1, 2, 10_000_000, clamp(Duration::MAX)] {
                for counter in [
                    0,
                    1,
                    2,
                    interval - 1,
                    interval,
                    interval + 1,
                    u64::MAX - interval,
                    u64::MAX - 1,
                    u64::MAX,
                ] {
                    assert_eq!(anchor.read(counter, interval), Err(state), "{counter}, {interval}");
                }
            }
        }
    }
}

#[cfg(all(test, loom))]
#[path = "loom_tests.rs"]
mod loom_tests;

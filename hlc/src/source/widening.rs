//! `Widening`: a hardware counter that wraps, made one that does not.

use core::{
    convert::Infallible,
    fmt,
    num::{NonZeroU32, NonZeroU64},
};

use super::{
    Source,
    word::{Owned, Shared, Word},
};
use crate::{PhysicalTime, SourceError, physical_time::NANOS_PER_SEC};

/// Counts on where a 32-bit hardware counter wraps: time since the counter was at zero.
///
/// That is read as time since 1970, until an [`Offset`](super::Offset) puts it right. A counter of fewer bits
/// has to be shifted to the left, and its frequency with it.
///
/// # Guarantees
///
/// - **Monotonic**: a reading is not below one that returned before it began.
/// - **Progress**: in the [`Shared`] form no reading waits for another; it may be used in an interrupt handler
///   that interrupts a reading.
///
/// # What can go wrong
///
/// - **It is not read often enough.** Between two readings at most [`MAX_TICKS_UNREAD`](Self::MAX_TICKS_UNREAD)
///   may pass, fifteen sixteenths of a wrap: 67 minutes at 1 MHz, 23 seconds at 168 MHz. After longer, whole
///   wraps are missing from every later reading. *Nothing detects that*: 32 bits do not show how often they
///   wrapped. Read it from a timer interrupt that comes at least twice in a wrap.
/// - **The counter goes back**, by less than a sixteenth of a wrap, because two cores read it out of order or
///   its register is not stable: the last reading stands, no wrap is counted.
/// - **The device resets**: the count starts again from zero, and so does this.
///
/// # Overflow
///
/// At the end of 64 bits it stands still: 584,942 years at 1 MHz, 136 years at the highest frequency there is.
///
/// # Memory ordering
///
/// A reading promises the time alone, in both forms.
///
/// ```
/// use core::{cell::Cell, num::NonZeroU32};
/// use hlc::{PhysicalTime, Source, SourceError, source::Widening};
///
/// let register = Cell::new(u32::MAX);
/// let timer = Widening::owned(|| register.get(), NonZeroU32::new(1_000_000).ok_or("no frequency")?);
/// let before = timer.now()?;
/// register.set(0);
/// assert_eq!(timer.now()?, PhysicalTime::from_micros(1 << 32));
/// assert!(timer.now()? > before, "the register wrapped, time did not");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub struct Widening<C, W = Shared> {
    read_ticks: C,
    ticks_per_sec: NonZeroU32,
    /// The highest count of ticks that was read, or `UNREAD`.
    last: W,
}

/// No count: a counter that is first read far from zero has not gone back.
const UNREAD: u64 = u64::MAX;

/// A counter this much below the last reading, or less, has gone back rather than around.
const MAX_TICKS_BACK: u32 = u32::MAX >> 4;

#[cfg(any(target_has_atomic = "64", feature = "portable-atomic"))]
impl<C> Widening<C> {
    crate::sync::const_fn! {
        /// Makes a source of the counter that `read_ticks` reads, for threads and interrupt handlers.
        #[must_use]
        pub const fn new(read_ticks: C, ticks_per_sec: NonZeroU32) -> Self {
            Self { read_ticks, ticks_per_sec, last: Shared::new(UNREAD) }
        }
    }
}

impl<C> Widening<C, Owned> {
    /// Makes a source of the counter that `read_ticks` reads, for one owner; no atomics are needed.
    #[must_use]
    pub const fn owned(read_ticks: C, ticks_per_sec: NonZeroU32) -> Self {
        Self { read_ticks, ticks_per_sec, last: Owned::new(UNREAD) }
    }
}

impl<C, W> Widening<C, W> {
    /// How many ticks may pass between two readings.
    pub const MAX_TICKS_UNREAD: u32 = u32::MAX - MAX_TICKS_BACK;
}

const LOW_HALF: u64 = 0xffff_ffff;

/// The count whose lower half is `ticks`, after `last` was read.
const fn widen(last: u64, ticks: u32) -> u64 {
    if last == UNREAD {
        return ticks as u64;
    }
    let passed = ticks.wrapping_sub((last & LOW_HALF) as u32);
    if passed > u32::MAX - MAX_TICKS_BACK {
        return last;
    }
    match last.checked_add(passed as u64) {
        Some(count) if count != UNREAD => count,
        _ => UNREAD - 1,
    }
}

/// The time that `ticks` take.
///
/// Two divisions of 64 bits: hundreds of instructions each where the processor has none.
#[expect(clippy::cast_possible_truncation, reason = "nanoseconds of one second, as said below")]
fn time_of(ticks: u64, ticks_per_sec: NonZeroU32) -> PhysicalTime {
    let per_sec = NonZeroU64::from(ticks_per_sec);
    let (secs, rest) = (ticks / per_sec, ticks % per_sec);
    // `rest` is below `per_sec` and that below 2^32, so the product is below 2^62, and the quotient below 10^9.
    let nanos = rest.wrapping_mul(u64::from(NANOS_PER_SEC)) / per_sec;
    PhysicalTime::new(secs, nanos as u32).unwrap_or(PhysicalTime::from_secs(secs))
}

impl<C: Fn() -> u32, W: Word> Source for Widening<C, W> {
    /// # Errors
    ///
    /// None: it always has a reading.
    #[inline]
    fn now(&self) -> Result<PhysicalTime, SourceError> {
        // The counter is read after the word, again at each attempt: a reading that was interrupted for long
        // would otherwise be taken for one that is nearly a wrap later than the word.
        let Ok(count) = self.last.try_update(|last| Ok::<_, Infallible>(widen(last, (self.read_ticks)())));
        Ok(time_of(count, self.ticks_per_sec))
    }
}

impl<C, W: fmt::Debug> fmt::Debug for Widening<C, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Widening")
            .field("ticks_per_sec", &self.ticks_per_sec)
            .field("last", &self.last)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A wrap in 16 steps of every size, from every start near the edges.
    #[test]
    fn any_number_of_ticks_up_to_the_limit_is_counted_as_that_many() {
        let limit = Widening::<fn() -> u32>::MAX_TICKS_UNREAD;
        assert_eq!(limit, 0xf000_0000, "fifteen sixteenths of a wrap");
        for start in [0, 1, 7, (1 << 32) - 1, 1 << 32, (5 << 32) + 0x7fff_ffff, (9 << 32) - 1] {
            for passed in [0, 1, 2, 1 << 31, limit - 1, limit].into_iter().chain((0..16).map(|k| k << 28)) {
                let count: u64 = start + u64::from(passed);
                assert_eq!(widen(start, (count & 0xffff_ffff) as u32), count, "{start} and {passed} ticks");
            }
            for back in [1, 2, MAX_TICKS_BACK - 1, MAX_TICKS_BACK] {
                let ticks = ((start & 0xffff_ffff) as u32).wrapping_sub(back);
                assert_eq!(widen(start, ticks), start, "{back} ticks back from {start}");
            }
        }
        assert_eq!(widen(UNREAD - 3, 7), UNREAD - 1, "the count stands still at its end");
        assert_eq!(widen(UNREAD - 1, u32::MAX), UNREAD - 1);
    }

    #[test]
    fn ticks_become_time_without_overflow_at_every_frequency() {
        for hz in [1, 3, 32_768, 1_000_000, 168_000_000, u32::MAX] {
            let hz = NonZeroU32::new(hz).unwrap();
            for ticks in [0, 1, 2, u64::from(hz.get()) - 1, u64::from(hz.get()), u64::MAX] {
                let exact = u128::from(ticks) * 1_000_000_000 / u128::from(hz.get());
                let time = time_of(ticks, hz);
                let nanos = u128::from(time.secs()) * 1_000_000_000 + u128::from(time.subsec_nanos());
                assert_eq!(nanos, exact, "{ticks} ticks at {hz} Hz");
            }
        }
    }
}

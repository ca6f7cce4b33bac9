//! `Counter`: what is faster to read than the wall clock, and the counters there are.

#[cfg(feature = "std")]
use std::{sync::OnceLock, time::Instant};

/// A fast counter of nanoseconds, for [`AnchoredSource`](super::AnchoredSource). A closure that returns a
/// `u64` is one.
///
/// It counts from any moment, at about one a nanosecond. It should not go back on one thread, and should
/// agree between threads; the source above it says what it costs where it does not.
pub trait Counter {
    /// Reads the counter.
    ///
    /// # Units
    ///
    /// Nanoseconds since a moment that stays the same while the process lives.
    fn nanos(&self) -> u64;
}

impl<F: Fn() -> u64> Counter for F {
    #[inline]
    fn nanos(&self) -> u64 {
        self()
    }
}

/// The moment from which every [`InstantCounter`] counts: the first reading in the process.
#[cfg(feature = "std")]
static ORIGIN: OnceLock<Instant> = OnceLock::new();

/// The standard library's monotonic clock as a counter: the same on all threads, it never goes back.
///
/// On many systems it is read just as the wall clock is, and saves little; the feature `quanta` brings a
/// faster one. It may stand still while the machine is suspended (on Linux it does).
///
/// # Units
///
/// Nanoseconds since the first reading in the process; it stands still at its end, after 584 years.
#[cfg(feature = "std")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct InstantCounter {
    _private: (),
}

#[cfg(feature = "std")]
impl InstantCounter {
    /// Makes the counter; nothing is read yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { _private: () }
    }
}

#[cfg(feature = "std")]
impl Counter for InstantCounter {
    #[inline]
    #[expect(clippy::disallowed_methods, reason = "the one place where the monotonic clock is read")]
    fn nanos(&self) -> u64 {
        let now = Instant::now();
        let since = now.saturating_duration_since(*ORIGIN.get_or_init(|| now));
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
    }
}

/// The processor's cycle counter, scaled to nanoseconds by the crate `quanta`.
///
/// It is the time stamp counter on `x86_64` where that is invariant, the system counter on `AArch64`, and
/// elsewhere the system's monotonic clock. Reading it is a few nanoseconds.
///
/// # What can go wrong
///
/// - **The rate is a measurement**, taken once a process over a millisecond or less: it is commonly off by
///   some 10 to 100 parts per million, and by far more for the whole life of the process where the thread
///   was interrupted in the middle of it. `AnchoredSource` bounds both by its interval.
/// - **It may differ between sockets**, or go back when a virtual machine moves to another host.
/// - **A suspended machine** may stop it, or start it again from zero.
///
/// It has no `const` constructor, because making it measures; a `static` holds it in a `LazyLock`:
///
/// ```
/// use std::sync::LazyLock;
/// use hlc::{AtomicClock, source::{AnchoredSource, QuantaCounter, SystemSource}};
///
/// type Fast = AnchoredSource<QuantaCounter, SystemSource>;
/// static CLOCK: LazyLock<AtomicClock<Fast>> = LazyLock::new(|| {
///     AtomicClock::new(AnchoredSource::new(QuantaCounter::new(), SystemSource::new()))
/// });
///
/// let before = CLOCK.tick()?;
/// assert!(CLOCK.tick()? > before);
/// # Ok::<(), hlc::TickError>(())
/// ```
#[cfg(feature = "quanta")]
#[derive(Clone, Debug)]
pub struct QuantaCounter {
    clock: quanta::Clock,
    /// What 2^32 ticks of the counter take: a scale that needs no division, nor a call.
    nanos_per_2_32_ticks: u64,
}

#[cfg(feature = "quanta")]
impl QuantaCounter {
    /// Makes the counter. The first one in a process measures the counter's rate, and takes up to 200 ms for
    /// it, as a rule below one.
    #[must_use]
    pub fn new() -> Self {
        let clock = quanta::Clock::new();
        let nanos_per_2_32_ticks = clock.delta_as_nanos(0, 1 << u32::BITS);
        Self { clock, nanos_per_2_32_ticks }
    }
}

#[cfg(feature = "quanta")]
impl Default for QuantaCounter {
    fn default() -> Self {
        Self::new()
    }
}

/// What `ticks` take. The nanoseconds wrap where 64 bits end, 584 years after the ticks began.
#[cfg(feature = "quanta")]
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "that is the wrap")]
fn scale(ticks: u64, nanos_per_2_32_ticks: u64) -> u64 {
    let product = u128::from(ticks).wrapping_mul(u128::from(nanos_per_2_32_ticks));
    (product >> u32::BITS) as u64
}

#[cfg(feature = "quanta")]
impl Counter for QuantaCounter {
    #[inline]
    fn nanos(&self) -> u64 {
        scale(self.clock.raw(), self.nanos_per_2_32_ticks)
    }
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::*;

    #[test]
    fn the_monotonic_clock_does_not_go_back() {
        let counter = InstantCounter::new();
        let before = counter.nanos();
        assert!(counter.nanos() >= before);
    }

    #[cfg(feature = "quanta")]
    #[test]
    fn the_counter_of_the_processor_goes_on() {
        let counter = QuantaCounter::new();
        let before = counter.nanos();
        std::thread::sleep(core::time::Duration::from_millis(1));
        assert!(counter.nanos() > before);
    }

    #[cfg(feature = "quanta")]
    #[test]
    fn ticks_are_scaled_as_the_library_scales_them() {
        let counter = QuantaCounter::new();
        for ticks in [0, 1, 1_000, 1_000_000_007, 1 << 32, 1 << 40, 1 << 52] {
            let nanos = scale(ticks, counter.nanos_per_2_32_ticks);
            // A scale that is rounded down to 31 bits or more.
            let rounding = 1 + (ticks >> 30);
            let expected = counter.clock.delta_as_nanos(0, ticks);
            assert!(expected.abs_diff(nanos) <= rounding, "{ticks} ticks: {nanos} ns, {expected} ns");
        }
    }
}

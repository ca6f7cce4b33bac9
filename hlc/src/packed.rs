//! `Packed`: physical time and counter in one word.

use core::{
    cmp, fmt,
    hash::{Hash, Hasher},
    marker::PhantomData,
    num::NonZeroU64,
    str::FromStr,
    time::Duration,
};

use crate::{
    DecodeError, PartsOutOfRange, PhysicalTime, Stamp, TextError,
    layout::{Layout, Rounding, Unix48},
    physical_time::NANOS_PER_SEC,
    text,
};

/// A hybrid timestamp: 64 bits, milliseconds since 1970 above a 16-bit counter ([`Unix48`]).
pub type Timestamp = Packed<Unix48>;

/// A hybrid timestamp in layout `L`: physical time in the high bits, a counter in the low bits.
///
/// Integer order, byte order (big-endian) and text order are one, and extend causal order among stamps of
/// clocks that exchange messages. Zero is not a timestamp, so that `Option<Packed<L>>` has 8 bytes too.
///
/// [`Timestamp`] is the alias for the default layout.
///
/// ```
/// use hlc::{PhysicalTime, Timestamp};
///
/// let stamp = Timestamp::from_parts(1_700_000_000_000, 7)?;
/// assert_eq!(stamp.to_string(), "018bcfe568000007");
/// assert_eq!(stamp.to_bits(), (1_700_000_000_000 << 16) | 7);
/// assert_eq!(stamp.physical_time(), PhysicalTime::from_secs(1_700_000_000));
/// assert_eq!(stamp.human().to_string(), "2023-11-14T22:13:20.000Z+7");
/// # Ok::<(), hlc::PartsOutOfRange>(())
/// ```
pub struct Packed<L: Layout = Unix48> {
    bits: NonZeroU64,
    layout: PhantomData<L>,
}

impl<L: Layout> Packed<L> {
    /// The least timestamp: the layout's epoch with counter one.
    pub const MIN: Self = Self::from_nonzero(NonZeroU64::MIN);

    /// The greatest timestamp. Nothing comes after it.
    pub const MAX: Self = Self::from_nonzero(NonZeroU64::MAX);

    /// The greatest value of the counter.
    pub const MAX_COUNTER: u32 = u32::MAX >> (32 - Self::counter_bits());

    /// The greatest physical time, in units of the layout since its epoch.
    pub const MAX_PHYSICAL_UNITS: u64 = u64::MAX >> Self::counter_bits();

    /// Bytes of the text form.
    pub const TEXT_LEN: usize = 16;

    /// The layout's counter bits; to name them is to check the layout's constants.
    const fn counter_bits() -> u32 {
        const {
            assert!(L::COUNTER_BITS >= 1 && L::COUNTER_BITS <= 32, "a counter has 1 to 32 bits");
            assert!(L::UNITS_PER_SECOND >= 1 && L::UNITS_PER_SECOND <= 1 << 32, "1 to 2^32 units a second");
            L::COUNTER_BITS
        }
    }

    /// Makes a timestamp from its bits, or returns `None` for zero.
    #[must_use]
    #[inline]
    pub const fn from_bits(bits: u64) -> Option<Self> {
        match NonZeroU64::new(bits) {
            Some(bits) => Some(Self::from_nonzero(bits)),
            None => None,
        }
    }

    /// Makes a timestamp from bits that are known not to be zero.
    #[must_use]
    #[inline]
    pub const fn from_nonzero(bits: NonZeroU64) -> Self {
        // Naming it checks the layout's constants: every value comes through here.
        let _ = Self::counter_bits();
        Self { bits, layout: PhantomData }
    }

    /// Returns the bits.
    #[must_use]
    #[inline]
    pub const fn to_bits(self) -> u64 {
        self.bits.get()
    }

    /// Makes a timestamp from physical time, in units of the layout since its epoch, and a counter.
    ///
    /// # Errors
    ///
    /// [`PartsOutOfRange`] where either does not fit its field, or both are zero.
    pub const fn from_parts(physical_units: u64, counter: u32) -> Result<Self, PartsOutOfRange> {
        if physical_units <= Self::MAX_PHYSICAL_UNITS
            && counter <= Self::MAX_COUNTER
            && let Some(stamp) = Self::from_bits((physical_units << Self::counter_bits()) | counter as u64)
        {
            return Ok(stamp);
        }
        Err(PartsOutOfRange::new(physical_units, counter))
    }

    /// Returns physical time, in units of the layout since its epoch.
    #[must_use]
    #[inline]
    pub const fn physical_units(self) -> u64 {
        self.to_bits() >> Self::counter_bits()
    }

    /// Returns the counter.
    #[must_use]
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the mask leaves at most 32 bits")]
    pub const fn counter(self) -> u32 {
        (self.to_bits() & Self::MAX_COUNTER as u64) as u32
    }

    /// Returns physical time: the beginning of the stamp's unit.
    ///
    /// Where a unit does not begin on a nanosecond, as in [`Ntp48`](crate::layout::Ntp48) and
    /// [`Ntp60`](crate::layout::Ntp60), it is the nanosecond beside it that a clock puts in the same unit:
    /// the next one in a layout that rounds readings down, the one before in a layout that rounds them up.
    /// So [`first_at`](Self::first_at) of it is the first stamp of this very unit, for every unit of a
    /// nanosecond or more, and it errs to the same side of the reading as the unit itself.
    #[must_use]
    #[expect(clippy::arithmetic_side_effects, reason = "units per second are checked not to be zero")]
    pub const fn physical_time(self) -> PhysicalTime {
        let units = self.physical_units();
        let secs = L::EPOCH_UNIX_SECS.saturating_add(units / L::UNITS_PER_SECOND);
        // Below 2^32 units of a second, times 10^9: below 2^62. The quotient is at most 10^9.
        let scaled = (units % L::UNITS_PER_SECOND).wrapping_mul(NANOS_PER_SEC as u64);
        let nanos = match L::ROUNDING {
            Rounding::Down => scaled.div_ceil(L::UNITS_PER_SECOND),
            Rounding::Up => scaled / L::UNITS_PER_SECOND,
        };
        // Only where a unit is shorter than a nanosecond is the next nanosecond another second's.
        #[expect(clippy::cast_possible_truncation, reason = "at most 10^9, as said above")]
        match PhysicalTime::new(secs, nanos as u32) {
            Some(time) => time,
            None => PhysicalTime::from_secs(secs.saturating_add(1)),
        }
    }

    /// Returns physical time as a `SystemTime`, or `None` where the platform cannot hold it.
    #[cfg(feature = "std")]
    #[must_use]
    pub fn to_system_time(self) -> Option<std::time::SystemTime> {
        std::time::SystemTime::UNIX_EPOCH.checked_add(self.physical_time().to_duration())
    }

    /// Returns the next timestamp, or `None` after the last. The counter carries into physical time.
    #[must_use]
    pub const fn checked_next(self) -> Option<Self> {
        match self.bits.checked_add(1) {
            Some(bits) => Some(Self::from_nonzero(bits)),
            None => None,
        }
    }

    /// Returns the timestamp before, or `None` before the first.
    #[must_use]
    #[expect(clippy::arithmetic_side_effects, reason = "never zero, so one less is never below zero")]
    pub const fn checked_prev(self) -> Option<Self> {
        Self::from_bits(self.to_bits() - 1)
    }

    /// Returns the least timestamp of the unit that `time` lies in, or `None` past the layout's end.
    ///
    /// With [`last_at`](Self::last_at) it makes range scans over stamps stored as keys: everything stamped
    /// from `a` to `b` lies in `first_at(a)..=last_at(b)`. The unit is the one that a clock of this layout
    /// puts a reading of `time` in, so a layout that rounds up is asked for the unit that comes next.
    #[must_use]
    pub const fn first_at(time: PhysicalTime) -> Option<Self> {
        match Self::floor(time) {
            Some(0) => Some(Self::MIN),
            Some(bits) => Self::from_bits(bits),
            None => None,
        }
    }

    /// Returns the greatest timestamp of the unit that `time` lies in, or `None` past the layout's end.
    #[must_use]
    pub const fn last_at(time: PhysicalTime) -> Option<Self> {
        match Self::floor(time) {
            Some(bits) => Self::from_bits(bits | Self::MAX_COUNTER as u64),
            None => None,
        }
    }

    /// Returns the physical time between two timestamps, or `None` where `earlier` is the later one.
    ///
    /// Counters do not count: timestamps of one unit are no time apart.
    #[must_use]
    pub const fn duration_since(self, earlier: Self) -> Option<Duration> {
        if self.to_bits() < earlier.to_bits() {
            return None;
        }
        Some(self.physical_time().saturating_since(earlier.physical_time()))
    }

    /// Joins the timestamp with the node that made it.
    #[must_use]
    #[inline]
    pub const fn at_node<N>(self, node: N) -> Stamp<N, L> {
        Stamp::new(self, node)
    }

    /// The word of a reading, rounded as the layout says, with counter zero; `None` past the layout's end.
    #[inline]
    pub(crate) const fn floor(time: PhysicalTime) -> Option<u64> {
        let (units, is_exact) = match Self::units(time) {
            Some(units) => units,
            None => return None,
        };
        let units = match L::ROUNDING {
            Rounding::Up if !is_exact => units.wrapping_add(1),
            Rounding::Up | Rounding::Down => units,
        };
        if units > Self::MAX_PHYSICAL_UNITS {
            return None;
        }
        Some(units << Self::counter_bits())
    }

    /// The greatest word whose physical time is at or below `time`: exactly, not to the nanosecond. The
    /// greatest of all past the layout's end.
    #[inline]
    pub(crate) const fn ceiling(time: PhysicalTime) -> u64 {
        match Self::units(time) {
            Some((units, _)) => (units << Self::counter_bits()) | Self::MAX_COUNTER as u64,
            None => u64::MAX,
        }
    }

    /// The words between two moments this far apart, in whole units: zero where they are less than one apart.
    #[cfg(feature = "durable")]
    #[expect(clippy::arithmetic_side_effects, reason = "below 2^94, times at most 2^32")]
    pub(crate) fn span(duration: Duration) -> u64 {
        let units = duration.as_nanos() * u128::from(L::UNITS_PER_SECOND) / u128::from(NANOS_PER_SEC);
        let max = Self::MAX_PHYSICAL_UNITS;
        u64::try_from(units).map_or(max, |units| units.min(max)) << Self::counter_bits()
    }

    /// Whole units from the layout's epoch to `time`, and whether they are all of it; zero for a time before
    /// the epoch, `None` past the end.
    #[inline]
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "divisors are units per second, checked not to be zero"
    )]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "nanoseconds of a unit are at most those of a second"
    )]
    const fn units(time: PhysicalTime) -> Option<(u64, bool)> {
        if time.secs() < L::EPOCH_UNIX_SECS {
            return Some((0, true));
        }
        let secs = time.secs().wrapping_sub(L::EPOCH_UNIX_SECS);
        // Past this test the product below stays under the greatest unit, 63 bits.
        if secs > Self::MAX_PHYSICAL_UNITS / L::UNITS_PER_SECOND {
            return None;
        }
        let nanos = time.subsec_nanos();
        let second = NANOS_PER_SEC as u64;
        let (part, is_exact) = if second.is_multiple_of(L::UNITS_PER_SECOND) {
            // In 32 bits, where it fits them: a division of 64 is hundreds of instructions on a small processor.
            let per_unit = const { (NANOS_PER_SEC as u64 / L::UNITS_PER_SECOND) as u32 };
            ((nanos / per_unit) as u64, nanos.is_multiple_of(per_unit))
        } else {
            // Below 2^30, times at most 2^32.
            let scaled = (nanos as u64).wrapping_mul(L::UNITS_PER_SECOND);
            (scaled / second, scaled.is_multiple_of(second))
        };
        let units = secs.wrapping_mul(L::UNITS_PER_SECOND).wrapping_add(part);
        if units > Self::MAX_PHYSICAL_UNITS { None } else { Some((units, is_exact)) }
    }
}

/// Text.
impl<L: Layout> Packed<L> {
    /// Returns the 16 lower-case hex digits, as ASCII bytes.
    ///
    /// Sorted as text is sorted as values. For a `&str`, see [`encode_text`](Self::encode_text).
    #[must_use]
    #[inline]
    pub const fn to_text(self) -> [u8; 16] {
        text::hex16(self.to_bits())
    }

    /// Writes the 16 lower-case hex digits into `buffer`, and returns them.
    #[inline]
    pub fn encode_text(self, buffer: &mut [u8; 16]) -> &str {
        *buffer = self.to_text();
        text::as_str(buffer)
    }

    /// Reads exactly the form that [`to_text`](Self::to_text) writes.
    ///
    /// # Errors
    ///
    /// [`TextError`] where `text` is not 16 lower-case hexadecimal digits, or all of them are zero.
    #[inline]
    pub fn from_text(text: &[u8]) -> Result<Self, TextError> {
        let digits = text::exactly::<16>(text)?;
        Self::from_bits(text::parse_hex16(digits)?).ok_or(TextError::ZeroTimestamp)
    }
}

/// Wire.
impl<L: Layout> Packed<L> {
    /// Returns the eight bytes, big-endian: the frozen sort key.
    #[must_use]
    #[inline]
    pub const fn to_bytes(self) -> [u8; 8] {
        self.to_bits().to_be_bytes()
    }

    /// Reads the eight bytes that [`to_bytes`](Self::to_bytes) makes.
    ///
    /// # Errors
    ///
    /// [`DecodeError::ZeroTimestamp`] where all are zero.
    #[inline]
    pub const fn from_bytes(bytes: [u8; 8]) -> Result<Self, DecodeError> {
        match Self::from_bits(u64::from_be_bytes(bytes)) {
            Some(stamp) => Ok(stamp),
            None => Err(DecodeError::ZeroTimestamp),
        }
    }
}

// By hand, because a derive would ask all these traits of `L`, and to spell out that all of them are the
// word's own.

impl<L: Layout> Clone for Packed<L> {
    #[inline]
    fn clone(&self) -> Self {
        *self
    }
}

impl<L: Layout> Copy for Packed<L> {}

impl<L: Layout> PartialEq for Packed<L> {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.bits == other.bits
    }
}

impl<L: Layout> Eq for Packed<L> {}

impl<L: Layout> PartialOrd for Packed<L> {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<L: Layout> Ord for Packed<L> {
    #[inline]
    fn cmp(&self, other: &Self) -> cmp::Ordering {
        self.bits.cmp(&other.bits)
    }
}

impl<L: Layout> Hash for Packed<L> {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bits.hash(state);
    }
}

impl<L: Layout> fmt::Display for Packed<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(text::as_str(&self.to_text()))
    }
}

impl<L: Layout> fmt::Debug for Packed<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({}, {})", L::NAME, self.physical_units(), self.counter())
    }
}

impl<L: Layout> FromStr for Packed<L> {
    type Err = TextError;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::from_text(s.as_bytes())
    }
}

impl<L: Layout> From<Packed<L>> for NonZeroU64 {
    fn from(stamp: Packed<L>) -> Self {
        stamp.bits
    }
}

impl<L: Layout> From<NonZeroU64> for Packed<L> {
    fn from(bits: NonZeroU64) -> Self {
        Self::from_nonzero(bits)
    }
}

#[cfg(all(test, feature = "durable"))]
mod tests {
    use super::*;
    use crate::layout::Ntp48;

    #[test]
    fn a_span_is_of_whole_units_and_ends_with_the_layout() {
        let second = Duration::from_secs(1);
        assert_eq!(Timestamp::span(second), 1_000 << 16);
        assert_eq!(Timestamp::span(Duration::from_nanos(1_999_999)), 1 << 16);
        assert_eq!(Timestamp::span(Duration::from_nanos(999_999)), 0);
        let whole = Packed::<Ntp48>::MAX_PHYSICAL_UNITS << 16;
        let end = Duration::from_secs(1 << 32);
        assert_eq!(Packed::<Ntp48>::span(end - second), whole - (0xffff << 16));
        for longer in [end, end + second, Duration::MAX] {
            assert_eq!(Packed::<Ntp48>::span(longer), whole, "{longer:?}");
        }
    }
}

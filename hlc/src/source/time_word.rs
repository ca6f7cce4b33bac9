//! A time in one word, so that reading it is one load, some shifts, and no division.
//!
//! ```text
//!  63                                  30 29                            0
//! +--------------------------------------+-------------------------------+
//! | seconds since the Unix epoch         | nanoseconds of that second    |
//! +--------------------------------------+-------------------------------+
//! ```
//!
//! A word whose low field is a second or more is no time, and free to mean something else.

use crate::{PhysicalTime, physical_time::NANOS_PER_SEC};

const NANOS_BITS: u32 = 30;
const NANOS_MASK: u64 = (1 << NANOS_BITS) - 1;
/// The first second that does not fit: in the year 2514.
const SECS_END: u64 = 1 << (u64::BITS - NANOS_BITS);

const _: () = assert!(NANOS_PER_SEC as u64 <= NANOS_MASK, "every nanosecond fits its field");

/// Packs `time`, or returns `None` after the year 2514.
#[inline]
pub(super) const fn pack(time: PhysicalTime) -> Option<u64> {
    if time.secs() < SECS_END { Some(time.secs() << NANOS_BITS | time.subsec_nanos() as u64) } else { None }
}

/// The time in `word`, or `None` where it is no time.
#[inline]
pub(super) const fn unpack(word: u64) -> Option<PhysicalTime> {
    PhysicalTime::new(word >> NANOS_BITS, (word & NANOS_MASK) as u32)
}

/// The time in `word` and `nanos` later, or `None` where it is no time or `nanos` is a second or more.
#[inline]
pub(super) const fn unpack_later(word: u64, nanos: u64) -> Option<PhysicalTime> {
    let secs = word >> NANOS_BITS;
    let sum = (word & NANOS_MASK).saturating_add(nanos);
    // One carry is enough, and spares the hot path a division.
    let (secs, sum) = match sum.checked_sub(NANOS_PER_SEC as u64) {
        Some(rest) => (secs.saturating_add(1), rest),
        None => (secs, sum),
    };
    if sum < NANOS_PER_SEC as u64 { PhysicalTime::new(secs, (sum & NANOS_MASK) as u32) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(secs: u64, nanos: u32) -> PhysicalTime {
        PhysicalTime::new(secs, nanos).unwrap()
    }

    #[test]
    fn a_time_comes_back_out_of_its_word_up_to_the_last_that_fits() {
        for time in
            [time(0, 0), time(0, 999_999_999), time(1_700_000_000, 1), time(SECS_END - 1, 999_999_999)]
        {
            assert_eq!(unpack(pack(time).unwrap()), Some(time));
            assert_eq!(unpack_later(pack(time).unwrap(), 0), Some(time));
        }
        assert_eq!(pack(PhysicalTime::from_secs(SECS_END)), None);
        assert_eq!(pack(PhysicalTime::MAX), None);
    }

    #[test]
    fn a_word_with_a_second_of_nanoseconds_is_no_time() {
        assert_eq!(unpack(u64::MAX), None);
        assert_eq!(unpack(u64::from(NANOS_PER_SEC)), None);
        assert!(unpack(u64::from(NANOS_PER_SEC - 1)).is_some());
    }

    #[test]
    fn later_carries_into_the_seconds_once() {
        let word = pack(time(5, 999_999_999)).unwrap();
        assert_eq!(unpack_later(word, 1), Some(time(6, 0)));
        assert_eq!(unpack_later(word, 999_999_999), Some(time(6, 999_999_998)));
        let last = pack(time(SECS_END - 1, 999_999_999)).unwrap();
        assert_eq!(unpack_later(last, 1), Some(time(SECS_END, 0)), "the sum may be later than what is kept");
        assert_eq!(unpack_later(word, u64::MAX), None);
    }
}

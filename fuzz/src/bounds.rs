//! How much memory an input may take: what a call allocates is counted, thread by thread, and held to a line that its
//! target states.

use allocation_counter::{AllocationInfo, measure};

/// A line above what a call may allocate: so many bytes, and so many more for each byte of the input.
///
/// A list that doubles when it is full allocates up to four times what it holds in the end, and holds up to three times
/// of it at one moment, while it is copied: most of a factor is that.
#[derive(Clone, Copy, Debug)]
pub struct Bound {
    total: Line,
    peak: Line,
}

#[derive(Clone, Copy, Debug)]
struct Line {
    fixed: u64,
    per_byte: u64,
}

impl Line {
    const fn at(self, bytes_in: u64) -> u64 {
        self.fixed + self.per_byte * bytes_in
    }
}

impl Bound {
    /// The call allocates nothing, whatever the input.
    pub const NOTHING: Self = Self::total(0, 0);

    /// All allocations of the call, freed or not, add up to no more than this.
    #[must_use]
    pub const fn total(fixed: u64, per_byte: u64) -> Self {
        let line = Line { fixed, per_byte };
        Self { total: line, peak: line }
    }

    /// At no moment is more allocated than this.
    #[must_use]
    pub const fn peak(self, fixed: u64, per_byte: u64) -> Self {
        Self { peak: Line { fixed, per_byte }, ..self }
    }

    /// Whether the count keeps below the line, for an input of so many bytes.
    #[must_use]
    pub const fn holds(&self, bytes_in: usize, info: &AllocationInfo) -> bool {
        let bytes_in = bytes_in as u64;
        info.bytes_total <= self.total.at(bytes_in) && info.bytes_max <= self.peak.at(bytes_in)
    }
}

/// Does the call, and asserts that it allocates no more than the bound allows for an input of so many bytes.
#[track_caller]
pub fn bounded<T>(bound: Bound, bytes_in: usize, call: impl FnOnce() -> T) -> T {
    let mut done = None;
    let info = measure(|| done = Some(call()));
    let (total, peak) = (info.bytes_total, info.bytes_max);
    assert!(bound.holds(bytes_in, &info), "{total} bytes, {peak} at once, for {bytes_in}: above {bound:?}");
    done.expect("it was called")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_allocated_is_counted_although_it_was_freed() {
        assert_eq!(bounded(Bound::NOTHING, 0, || 7), 7);
        assert_eq!(bounded(Bound::total(0, 1), 100, || vec![0_u8; 100]).len(), 100);
        let twice = Bound::total(0, 2).peak(0, 1);
        bounded(twice, 100, || (0..2).for_each(|_| drop(core::hint::black_box(vec![0_u8; 100]))));
    }

    #[test]
    #[should_panic(expected = "101 bytes, 101 at once, for 100")]
    fn one_byte_above_the_line_is_found() {
        bounded(Bound::total(0, 1), 100, || core::hint::black_box(vec![0_u8; 101]));
    }

    #[test]
    #[should_panic(expected = "300 bytes, 200 at once, for 100")]
    fn what_is_held_at_one_moment_has_a_line_of_its_own() {
        bounded(Bound::total(0, 3).peak(0, 1), 100, || {
            let kept = vec![0_u8; 100];
            (0..2).for_each(|_| drop(core::hint::black_box(vec![0_u8; 100])));
            kept
        });
    }
}

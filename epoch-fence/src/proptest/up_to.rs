//! `UpTo`: numbers that test something, and shrink to zero.

use ::proptest::{
    arbitrary::any,
    num::u64::BinarySearch,
    strategy::{NewTree, Strategy, ValueTree},
    test_runner::TestRunner,
};

/// Numbers from zero to a greatest one.
///
/// Of four, one is near zero, one near the end, one of any magnitude, and one anywhere: spread evenly alone, next to all
/// would be of the greatest magnitude, and neither end would ever be seen. All of them shrink to zero by halves, also
/// those near the end: `prop_oneof` of ranges would shrink those to the beginning of their range.
#[derive(Clone, Copy, Debug)]
pub(super) struct UpTo(pub(super) u64);

impl UpTo {
    /// How near is near.
    const NEAR: u64 = 8;

    fn pick(self, choice: u32, bits: u64) -> u64 {
        let Self(end) = self;
        let below = |count: u64| bits.checked_rem(count).unwrap_or(bits);
        match choice % 4 {
            0 => below(Self::NEAR).min(end),
            1 => end.saturating_sub(below(Self::NEAR)),
            2 => (bits >> (choice / 4 % u64::BITS)).min(end),
            // Of 2^64 numbers there are one too many to count them.
            _ => below(end.wrapping_add(1)),
        }
    }
}

impl Strategy for UpTo {
    type Tree = BinarySearch;
    type Value = u64;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Self> {
        let (choice, bits) = any::<(u32, u64)>().new_tree(runner)?.current();
        Ok(BinarySearch::new(self.pick(choice, bits)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_four_numbers_one_is_near_each_end_one_of_any_magnitude_and_one_anywhere() {
        let hundred = UpTo(100);
        let rows = [
            // Near zero, and not beyond the end.
            (hundred, 0, 13, 5),
            (hundred, 4, 8, 0),
            (UpTo(3), 0, 13, 3),
            // Near the end, and not below zero.
            (hundred, 1, 13, 95),
            (hundred, 5, 8, 100),
            (UpTo(3), 1, 13, 0),
            // By so many bits less: of 64 shifts each in turn.
            (hundred, 2, 77, 77),
            (hundred, 2, u64::MAX, 100),
            (hundred, 2 + 4 * 60, u64::MAX, 15),
            (hundred, 2 + 4 * 63, u64::MAX, 1),
            (hundred, 2 + 4 * 64, 77, 77),
            // Anywhere, the end as well.
            (hundred, 3, 100, 100),
            (hundred, 3, 101, 0),
            (hundred, 7, 205, 3),
            (UpTo(u64::MAX), 3, u64::MAX, u64::MAX),
        ];
        for (up_to, choice, bits, picked) in rows {
            assert_eq!(up_to.pick(choice, bits), picked, "{up_to:?}, {choice}, {bits}");
        }
    }
}

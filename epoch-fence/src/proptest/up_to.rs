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

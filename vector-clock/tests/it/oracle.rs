//! The causal-history oracle: what a clock stands for, kept as the set of the events themselves.

#![cfg_attr(
    not(feature = "alloc"),
    expect(dead_code, reason = "without an allocator only the causal buffer is left to test")
)]

use alloc::collections::BTreeSet;

use vector_clock::Causality;

/// The events that somebody knows of. Comparison is inclusion of sets, and nothing else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct History<E: Ord>(BTreeSet<E>);

impl<E: Ord + Clone> History<E> {
    pub(crate) fn new() -> Self {
        Self(BTreeSet::new())
    }

    pub(crate) fn record(&mut self, event: E) {
        assert!(self.0.insert(event), "an event happens once");
    }

    pub(crate) fn learn(&mut self, other: &Self) {
        self.0.extend(other.0.iter().cloned());
    }

    pub(crate) fn knows(&self, event: &E) -> bool {
        self.0.contains(event)
    }

    pub(crate) fn events(&self) -> impl Iterator<Item = &E> {
        self.0.iter()
    }

    pub(crate) fn is_within(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }

    pub(crate) fn causality(&self, other: &Self) -> Causality {
        match (self.is_within(other), other.is_within(self)) {
            (true, true) => Causality::Equal,
            (true, false) => Causality::Before,
            (false, true) => Causality::After,
            (false, false) => Causality::Concurrent,
        }
    }
}

impl<E: Ord> FromIterator<E> for History<E> {
    fn from_iter<I: IntoIterator<Item = E>>(events: I) -> Self {
        Self(events.into_iter().collect())
    }
}

/// Repeatable choices: `SplitMix64`, so that a seed in a failure message is all that is needed to see it again.
#[derive(Debug)]
pub(crate) struct Choices(u64);

impl Choices {
    pub(crate) fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % u64::try_from(bound).unwrap()).unwrap()
    }

    pub(crate) fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }
}

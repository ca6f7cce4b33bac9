//! `Block`: the numbers that are reserved and not yet drawn, as two atomic words.
//!
//! Two words, where the rule of the house is one, because they have two writers: those who draw move `next`, the
//! one who extends moves `bound`. Both only rise, and a stale `bound` is a lower one, so that the argument never
//! needs a consistent pair:
//!
//! - unique: `next` is moved by compare-exchange only, and each range belongs to the move that made it;
//! - at most the mark: a draw ends at or below a `bound` that was stored, and every `bound` was stored after
//!   the mark had been raised to it.
//!
//! The promise about memory, from which the orderings follow: a draw that returns greater numbers sees what
//! preceded the draw that returned smaller ones, and the raise of the mark that covers them.

use crate::sync::{AtomicU64, Ordering};
use core::num::NonZeroU64;

#[derive(Debug)]
pub(super) struct Block {
    /// The last number that was drawn.
    next: AtomicU64,
    /// The last number that may be.
    bound: AtomicU64,
    /// The greatest number that a refused draw asked for: a hint for the one who extends.
    wanted: AtomicU64,
    /// Draws that found nothing left. No guarantee reads it.
    stalls: AtomicU64,
}

impl Block {
    /// Nothing reserved, above a mark.
    pub(super) fn above(mark: u64) -> Self {
        let (next, bound) = (AtomicU64::new(mark), AtomicU64::new(mark));
        Self { next, bound, wanted: AtomicU64::new(mark), stalls: AtomicU64::new(0) }
    }

    /// Draws consecutive numbers; the first of them, or `None` if fewer are left.
    #[inline]
    pub(super) fn draw(&self, count: NonZeroU64) -> Option<u64> {
        // ORDERING: Acquire. Pairs with the store in `extend_to`.
        // Whoever draws above an older bound sees the mark raised.
        // Weaker: `loom_tests::a_number_drawn_is_at_most_the_mark_that_the_drawer_sees` fails.
        let bound = self.bound.load(Ordering::Acquire);
        // ORDERING: Relaxed. Nothing is published to this load: the exchange below decides.
        // None can fail: a stale number only costs a round.
        let mut last = self.next.load(Ordering::Relaxed);
        // Ends for the system: an exchange that fails has found that another draw has succeeded (or failed
        // spuriously), and `last` rises with every round of that kind until nothing is left.
        loop {
            let Some(end) = last.checked_add(count.get()).filter(|end| *end <= bound) else {
                self.note(last.saturating_add(count.get()));
                return None;
            };
            // ORDERING: AcqRel; Relaxed on failure. Pairs with itself in every other draw.
            // Whoever draws a greater number sees what we did before this call; a failure publishes nothing.
            // Weaker: `loom_tests::whoever_draws_a_greater_number_sees_what_came_before_the_smaller` fails.
            match self.next.compare_exchange_weak(last, end, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return last.checked_add(1),
                Err(found) => last = found,
            }
        }
    }

    #[cold]
    fn note(&self, end: u64) {
        // ORDERING: Relaxed, both. A hint and a statistic; nothing is published.
        // None can fail: a draw that still finds too few is noted again.
        self.wanted.fetch_max(end, Ordering::Relaxed);
        self.stalls.fetch_add(1, Ordering::Relaxed);
    }

    /// Allows numbers up to a bound. Only after the mark was raised to it, and by one caller at a time.
    pub(super) fn extend_to(&self, bound: u64) {
        // ORDERING: Release. Pairs with the load in `draw`.
        // Publishes the raise of the mark to those who draw under the new bound.
        // Weaker: `loom_tests::a_number_drawn_is_at_most_the_mark_that_the_drawer_sees` fails.
        self.bound.store(bound, Ordering::Release);
    }

    /// The last number that was drawn, at some moment during the call.
    pub(super) fn drawn(&self) -> u64 {
        // ORDERING: Relaxed. Nothing is published to this load.
        // None can fail: a stale number is a lower one, and only makes the next block shorter.
        self.next.load(Ordering::Relaxed)
    }

    /// The greatest number that a refused draw asked for.
    pub(super) fn wanted(&self) -> u64 {
        // ORDERING: Relaxed. A hint; nothing is published.
        // None can fail: a stale one is covered later.
        self.wanted.load(Ordering::Relaxed)
    }

    /// How many numbers are left, and whether they are the last: a hint, from two words at two moments.
    pub(super) fn left(&self) -> (u64, bool) {
        // ORDERING: Relaxed, here and in `drawn`. Nothing is published.
        // None can fail: no guarantee reads it; `draw` decides.
        let bound = self.bound.load(Ordering::Relaxed);
        (bound.saturating_sub(self.drawn()), bound == u64::MAX)
    }

    pub(super) fn stalls(&self) -> u64 {
        // ORDERING: Relaxed. A statistic.
        // None can fail: no guarantee reads it.
        self.stalls.load(Ordering::Relaxed)
    }
}

//! `Reservation`: consecutive timestamps taken in one step.

use core::{fmt, iter::FusedIterator, marker::PhantomData};

use crate::{
    Packed,
    layout::{Layout, Unix48},
};

/// Consecutive timestamps that belong to their taker: an iterator over them.
///
/// Made by `reserve` of a clock. They are the stamps of events at the moment of that call. After a later
/// `observe` of the same clock, those that are left no longer follow what was observed: drop them and
/// reserve again. It cannot be cloned, or stamps would be taken twice.
///
/// ```
/// use core::num::NonZeroU32;
/// use hlc::{Clock, source::ManualSource};
///
/// let mut clock = Clock::new(ManualSource::at_millis(5));
/// let block = clock.reserve(NonZeroU32::MIN.saturating_add(63))?;
/// assert_eq!(block.len(), 64);
/// assert_eq!(block.last(), clock.last());
/// # Ok::<(), hlc::TickError>(())
/// ```
#[derive(PartialEq, Eq, Hash)]
pub struct Reservation<L: Layout = Unix48> {
    next: u64,
    left: u32,
    layout: PhantomData<L>,
}

impl<L: Layout> Reservation<L> {
    #[inline]
    pub(crate) const fn new(first: u64, count: u32) -> Self {
        Self { next: first, left: count, layout: PhantomData }
    }
}

impl<L: Layout> Iterator for Reservation<L> {
    type Item = Packed<L>;

    #[inline]
    fn next(&mut self) -> Option<Packed<L>> {
        self.left = self.left.checked_sub(1)?;
        let stamp = Packed::from_bits(self.next);
        // After the last stamp of the layout this is zero, and `left` is too.
        self.next = self.next.wrapping_add(1);
        stamp
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        // A pointer may be narrower than the count.
        let left = usize::try_from(self.left);
        (left.unwrap_or(usize::MAX), left.ok())
    }

    fn last(self) -> Option<Packed<L>> {
        let steps = u64::from(self.left.checked_sub(1)?);
        Packed::from_bits(self.next.wrapping_add(steps))
    }
}

impl<L: Layout> ExactSizeIterator for Reservation<L> {}

impl<L: Layout> FusedIterator for Reservation<L> {}

impl<L: Layout> fmt::Debug for Reservation<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let next = Packed::<L>::from_bits(self.next);
        f.debug_struct("Reservation").field("next", &next).field("left", &self.left).finish()
    }
}

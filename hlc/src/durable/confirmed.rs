//! `Confirmed`: a physical clock that is asked twice before a durable bound follows it.

use core::marker::PhantomData;

use crate::{Packed, PhysicalTime, Source, SourceError, layout::Layout};

/// A source whose readings above a bound are the lesser of two.
///
/// A bound outlives the process. What one reading alone claims must not move it: a reading within the bound moves it by
/// a window at most, and one above it needs a second that says as much.
#[derive(Debug)]
pub(super) struct Confirmed<'a, S, L> {
    source: &'a S,
    bound: u64,
    layout: PhantomData<L>,
}

impl<'a, S: Source, L: Layout> Confirmed<'a, S, L> {
    #[inline]
    pub(super) const fn new(source: &'a S, bound: u64) -> Self {
        Self { source, bound, layout: PhantomData }
    }

    #[cold]
    fn confirm(&self, first: PhysicalTime) -> Result<PhysicalTime, SourceError> {
        Ok(first.min(self.source.now()?))
    }
}

impl<S: Source, L: Layout> Source for Confirmed<'_, S, L> {
    #[inline]
    fn now(&self) -> Result<PhysicalTime, SourceError> {
        let first = self.source.now()?;
        if Packed::<L>::floor(first).is_some_and(|floor| floor <= self.bound) {
            return Ok(first);
        }
        self.confirm(first)
    }
}

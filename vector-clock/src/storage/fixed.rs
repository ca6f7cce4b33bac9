//! `Fixed`: an array inside the value, no allocator.

use core::fmt;

use super::{FixedSlots, Lanes, Storage};
use crate::actor::Plain;
use crate::error::Capacity;
use crate::sealed::Sealed;

/// Storage for at most `N` entries, inside the value itself. No allocator. An `N` of 0 does not compile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a name, of which no value is ever made")]
pub enum Fixed<const N: usize> {}

impl<const N: usize> Sealed for Fixed<N> {}

impl<const N: usize> Storage for Fixed<N> {
    type Lanes<T: Plain> = FixedLanes<T, N>;
    type Slots<T> = FixedSlots<T, N>;
}

/// A list of at most `N` integers in an array.
#[derive(Clone, Copy)]
pub struct FixedLanes<T, const N: usize> {
    len: usize,
    lanes: [T; N],
}

impl<T, const N: usize> Sealed for FixedLanes<T, N> {}

impl<T: Plain, const N: usize> Lanes<T> for FixedLanes<T, N> {
    const EMPTY: Self = {
        assert!(N > 0, "a clock needs room for its own entry");
        Self { len: 0, lanes: [T::ZERO; N] }
    };

    fn capacity_limit() -> usize {
        N
    }

    fn as_slice(&self) -> &[T] {
        self.lanes.get(..self.len).unwrap_or_default()
    }

    fn as_mut_slice(&mut self) -> &mut [T] {
        self.lanes.get_mut(..self.len).unwrap_or_default()
    }

    fn with_room_for(len: usize) -> Result<Self, Capacity> {
        if len <= N { Ok(Self::EMPTY) } else { Err(Capacity::new(len, N)) }
    }

    fn insert(&mut self, index: usize, value: T) -> Result<(), Capacity> {
        let index = index.min(self.len);
        self.push(value)?;
        // It has what was just pushed; said so that no panic is left for a tail that is empty.
        if let Some(tail) = self.as_mut_slice().get_mut(index..).filter(|tail| !tail.is_empty()) {
            tail.rotate_right(1);
        }
        Ok(())
    }

    fn push(&mut self, value: T) -> Result<(), Capacity> {
        let grown = self.len.saturating_add(1);
        let free = self.lanes.get_mut(self.len).ok_or(Capacity::new(grown, N))?;
        *free = value;
        self.len = grown;
        Ok(())
    }

    fn remove(&mut self, index: usize) {
        if let Some(tail) = self.as_mut_slice().get_mut(index..).filter(|tail| !tail.is_empty()) {
            tail.rotate_left(1);
            self.len = self.len.saturating_sub(1);
        }
    }

    fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }
}

impl<T: Plain, const N: usize> fmt::Debug for FixedLanes<T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_slice().fmt(f)
    }
}

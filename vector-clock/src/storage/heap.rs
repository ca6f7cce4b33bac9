//! `Heap`: growing arrays.

use alloc::vec::Vec;

use super::{Lanes, Storage};
use crate::actor::Plain;
use crate::error::Capacity;
use crate::sealed::Sealed;

/// Storage that grows, in `Vec`s. Bounded only by memory: give decoders limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a name, of which no value is ever made")]
pub enum Heap {}

impl Sealed for Heap {}

impl Storage for Heap {
    type Lanes<T: Plain> = Vec<T>;
    type Slots<T> = Vec<T>;
}

impl<T> Sealed for Vec<T> {}

impl<T: Plain> Lanes<T> for Vec<T> {
    const EMPTY: Self = Self::new();

    fn capacity_limit() -> usize {
        usize::MAX
    }

    fn as_slice(&self) -> &[T] {
        self
    }

    fn as_mut_slice(&mut self) -> &mut [T] {
        self
    }

    fn with_room_for(len: usize) -> Result<Self, Capacity> {
        Ok(Self::with_capacity(len))
    }

    fn insert(&mut self, index: usize, value: T) -> Result<(), Capacity> {
        Self::insert(self, index.min(self.len()), value);
        Ok(())
    }

    fn push(&mut self, value: T) -> Result<(), Capacity> {
        Self::push(self, value);
        Ok(())
    }

    fn remove(&mut self, index: usize) {
        if index < self.len() {
            Self::remove(self, index);
        }
    }

    fn truncate(&mut self, len: usize) {
        Self::truncate(self, len);
    }
}

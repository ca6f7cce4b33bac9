//! `Slab`: slots that are used again.

use crate::error::Capacity;
use crate::storage::{Slots, Storage};

/// Values in slots. A slot keeps its number as long as it is used; free slots are a list through themselves.
pub(super) struct Slab<T, S: Storage> {
    slots: S::Slots<Slot<T>>,
    free: Option<usize>,
    used: usize,
}

pub(super) enum Slot<T> {
    Free(Option<usize>),
    Used(T),
}

impl<T, S: Storage> Slab<T, S> {
    pub(super) const fn new() -> Self {
        Self { slots: <S::Slots<Slot<T>>>::EMPTY, free: None, used: 0 }
    }

    pub(super) const fn len(&self) -> usize {
        self.used
    }

    pub(super) fn get(&self, at: usize) -> Option<&T> {
        match self.slots.get(at)? {
            Slot::Used(value) => Some(value),
            Slot::Free(_) => None,
        }
    }

    pub(super) fn get_mut(&mut self, at: usize) -> Option<&mut T> {
        match self.slots.get_mut(at)? {
            Slot::Used(value) => Some(value),
            Slot::Free(_) => None,
        }
    }

    /// Is there room for one more, where at most `limit` are allowed?
    pub(super) fn check_room(&self, limit: usize) -> Result<(), Capacity> {
        let needed = self.used.saturating_add(1);
        let capacity = limit.min(<S::Lanes<u64> as crate::storage::Lanes<u64>>::capacity_limit());
        if needed <= capacity { Ok(()) } else { Err(Capacity::new(needed, capacity)) }
    }

    /// Puts a value into a free slot, and returns which.
    pub(super) fn insert(&mut self, value: T) -> Result<usize, Capacity> {
        let at = match self.free {
            None => self.slots.push(Slot::Used(value))?,
            Some(at) => {
                let slot = self.slots.get_mut(at);
                self.free = match slot.map(|slot| core::mem::replace(slot, Slot::Used(value))) {
                    Some(Slot::Free(next)) => next,
                    Some(Slot::Used(_)) | None => None,
                };
                at
            }
        };
        self.used = self.used.saturating_add(1);
        Ok(at)
    }

    /// Takes the value out and frees its slot.
    pub(super) fn take(&mut self, at: usize) -> Option<T> {
        let slot = self.slots.get_mut(at)?;
        match core::mem::replace(slot, Slot::Free(self.free)) {
            Slot::Used(value) => {
                self.free = Some(at);
                self.used = self.used.saturating_sub(1);
                Some(value)
            }
            Slot::Free(next) => {
                *slot = Slot::Free(next);
                None
            }
        }
    }
}

//! `Slots`: places for values of any type.

use crate::error::Capacity;
use crate::sealed::Sealed;

/// A list of values of any type, which only grows. Sealed.
pub trait Slots<T>: Sealed {
    /// The empty list.
    const EMPTY: Self;

    /// Returns how many values there are.
    fn len(&self) -> usize;

    /// Returns whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the value at `index`.
    fn get(&self, index: usize) -> Option<&T>;

    /// Returns the value at `index`, to be changed in place.
    fn get_mut(&mut self, index: usize) -> Option<&mut T>;

    /// Puts `value` at the end, and returns where that is.
    ///
    /// # Errors
    ///
    /// [`Capacity`] when the list is full. It is then as it was, and the value is dropped.
    fn push(&mut self, value: T) -> Result<usize, Capacity>;
}

/// At most `N` values in an array.
#[derive(Debug)]
pub struct FixedSlots<T, const N: usize> {
    // Invariant: the first `len` are there.
    slots: [Option<T>; N],
    len: usize,
}

impl<T, const N: usize> Sealed for FixedSlots<T, N> {}

impl<T, const N: usize> Slots<T> for FixedSlots<T, N> {
    const EMPTY: Self = Self { slots: [const { None }; N], len: 0 };

    fn len(&self) -> usize {
        self.len
    }

    fn get(&self, index: usize) -> Option<&T> {
        self.slots.get(index)?.as_ref()
    }

    fn get_mut(&mut self, index: usize) -> Option<&mut T> {
        self.slots.get_mut(index)?.as_mut()
    }

    fn push(&mut self, value: T) -> Result<usize, Capacity> {
        let (at, grown) = (self.len, self.len.saturating_add(1));
        *self.slots.get_mut(at).ok_or(Capacity::new(grown, N))? = Some(value);
        self.len = grown;
        Ok(at)
    }
}

#[cfg(feature = "alloc")]
impl<T> Slots<T> for alloc::vec::Vec<T> {
    const EMPTY: Self = Self::new();

    fn len(&self) -> usize {
        Self::len(self)
    }

    fn get(&self, index: usize) -> Option<&T> {
        self.as_slice().get(index)
    }

    fn get_mut(&mut self, index: usize) -> Option<&mut T> {
        self.as_mut_slice().get_mut(index)
    }

    fn push(&mut self, value: T) -> Result<usize, Capacity> {
        let at = Self::len(self);
        Self::push(self, value);
        Ok(at)
    }
}

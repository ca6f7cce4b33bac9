//! Where the entries of a vector lie: [`Fixed`] arrays, or `Heap` with the feature `alloc`.
//!
//! A storage is named, not made: `VersionVector<u32, Fixed<8>>` keeps at most eight entries inside itself.

mod fixed;
#[cfg(feature = "alloc")]
mod heap;
mod slots;

use core::fmt::Debug;

pub use fixed::{Fixed, FixedLanes};
#[cfg(feature = "alloc")]
pub use heap::Heap;
pub use slots::{FixedSlots, Slots};

use crate::actor::Plain;
use crate::error::Capacity;
use crate::sealed::Sealed;

/// A kind of storage. Sealed: [`Fixed`] and `Heap` are all there are.
pub trait Storage: Sealed + Sized + 'static {
    /// The list that holds one array of plain integers.
    type Lanes<T: Plain>: Lanes<T>;

    /// The list that holds values of any other type.
    type Slots<T>: Slots<T>;
}

/// A list of plain integers. Sealed.
pub trait Lanes<T: Plain>: Clone + Debug + Sealed {
    /// The empty list.
    const EMPTY: Self;

    /// Returns how many integers it can hold at most.
    fn capacity_limit() -> usize;

    /// Returns what is in it.
    fn as_slice(&self) -> &[T];

    /// Returns what is in it, to be changed in place.
    fn as_mut_slice(&mut self) -> &mut [T];

    /// Returns an empty list that will hold `len` integers without growing.
    ///
    /// # Errors
    ///
    /// [`Capacity`] when it can never hold that many.
    fn with_room_for(len: usize) -> Result<Self, Capacity>;

    /// Puts `value` before the one at `index`, or at the end when there is none.
    ///
    /// # Errors
    ///
    /// [`Capacity`] when the list is full. It is then as it was.
    fn insert(&mut self, index: usize, value: T) -> Result<(), Capacity>;

    /// Puts `value` at the end.
    ///
    /// # Errors
    ///
    /// [`Capacity`] when the list is full. It is then as it was.
    fn push(&mut self, value: T) -> Result<(), Capacity>;

    /// Takes the integer at `index` out, or does nothing when there is none.
    fn remove(&mut self, index: usize);

    /// Keeps the first `len` integers.
    fn truncate(&mut self, len: usize);
}

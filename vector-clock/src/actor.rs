//! `Actor`: what may be the id of a clock's owner.

use core::fmt::Debug;
use core::hash::Hash;

use crate::sealed::Sealed;

/// An id of something that makes events: a node, a replica, a process.
///
/// A vector keeps not the ids but their [`Key`](Self::Key)s, which are plain integers, in an array of their own.
/// Two vectors with the same members are then found to be so by one comparison of memory, whatever newtype the
/// ids wear. All unsigned integers from `u8` to `u128` are actors, and so is `[u8; 16]` (a UUID's bytes).
///
/// # The law
///
/// For all ids `a`, `b`: `from_key(a.to_key()) == Some(a)`, and `a < b` exactly when `a.to_key() < b.to_key()`.
/// An implementation that breaks it gets wrong answers from its own vectors; nothing panics and no other
/// vector is touched.
///
/// # Examples
///
/// ```
/// use vector_clock::Actor;
///
/// #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
/// struct ReplicaId(u32);
///
/// impl Actor for ReplicaId {
///     type Key = u32;
///     fn to_key(self) -> u32 {
///         self.0
///     }
///     fn from_key(key: u32) -> Option<Self> {
///         Some(Self(key))
///     }
/// }
/// ```
pub trait Actor: Copy + Ord + Hash + Debug {
    /// The plain integer that stands for the id in memory and on the wire.
    type Key: Plain;

    /// Returns the integer that stands for this id.
    #[must_use]
    fn to_key(self) -> Self::Key;

    /// Returns the id that the integer stands for, or `None` when there is no such id.
    ///
    /// Every key that arrives from outside passes through here before it is stored.
    #[must_use]
    fn from_key(key: Self::Key) -> Option<Self>;
}

/// A plain unsigned integer, `u8` to `u128`: what lies in the arrays of a vector. Sealed.
pub trait Plain: Copy + Ord + Hash + Debug + Send + Sync + Unpin + Sealed + 'static {
    /// Zero.
    const ZERO: Self;

    /// Returns the same number with 128 bits.
    #[must_use]
    fn to_u128(self) -> u128;

    /// Returns the same number in this type, or `None` when it does not fit.
    #[must_use]
    fn from_u128(wide: u128) -> Option<Self>;
}

macro_rules! plain {
    ($($int:ty),+) => {$(
        impl Sealed for $int {}

        impl Plain for $int {
            const ZERO: Self = 0;

            fn to_u128(self) -> u128 {
                u128::from(self)
            }

            fn from_u128(wide: u128) -> Option<Self> {
                wide.try_into().ok()
            }
        }

        impl Actor for $int {
            type Key = Self;

            fn to_key(self) -> Self {
                self
            }

            fn from_key(key: Self) -> Option<Self> {
                Some(key)
            }
        }
    )+};
}
plain!(u8, u16, u32, u64, u128);

impl Actor for [u8; 16] {
    type Key = u128;

    fn to_key(self) -> u128 {
        u128::from_be_bytes(self)
    }

    fn from_key(key: u128) -> Option<Self> {
        Some(key.to_be_bytes())
    }
}

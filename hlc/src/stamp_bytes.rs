//! `StampBytes`: the bytes of a stamp, as a field of somebody else's header.

use core::{cmp, fmt, hash, marker::PhantomData};

use crate::{
    DecodeError, NodeId, Stamp,
    layout::{Layout, Unix48},
};

/// The 16 bytes of a stamp that nobody has checked yet: a field for a binary header of your own.
///
/// It has the size, the alignment and the bits of `[u8; 16]`, so that a `repr(C)` struct has no padding because of it,
/// wherever it stands. Any 16 bytes are a value: a header can be read in place, and the stamp in it is checked when it
/// becomes a [`Stamp`], by [`to_stamp`](Self::to_stamp) or `TryFrom`. Until then it is nothing that a clock takes.
///
/// The order is that of the bytes, which for valid stamps is the order of the stamps. As [`FORMAT.md`](crate::format) says,
/// bytes do not carry their layout; here the type does.
///
/// With the feature `zerocopy-0_8` it has that library's traits: `FromBytes`, `IntoBytes`, `Unaligned`, `Immutable`,
/// `KnownLayout`.
///
/// # Examples
///
/// ```
/// use hlc::{DecodeError, NodeId, Stamp, StampBytes, Timestamp};
///
/// #[repr(C)]
/// struct Header {
///     kind: u8,
///     sent: StampBytes,
///     length: [u8; 4],
/// }
/// assert_eq!((size_of::<Header>(), align_of::<Header>()), (21, 1));
///
/// let stamp = Timestamp::from_parts(1_700_000_000_000, 7)?.at_node(NodeId::new(42)?);
/// let header = Header { kind: 1, sent: stamp.into(), length: [0; 4] };
/// assert_eq!(Stamp::try_from(header.sent)?, stamp);
///
/// let forged: StampBytes = [0; 16].into();
/// assert_eq!(Stamp::try_from(forged), Err(DecodeError::ZeroTimestamp));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[repr(transparent)]
#[cfg_attr(
    feature = "zerocopy-0_8",
    derive(
        zerocopy::FromBytes,
        zerocopy::Immutable,
        zerocopy::IntoBytes,
        zerocopy::KnownLayout,
        zerocopy::Unaligned
    )
)]
pub struct StampBytes<L: Layout = Unix48> {
    bytes: [u8; 16],
    layout: PhantomData<L>,
}

const _: () = assert!(
    size_of::<StampBytes>() == 16 && align_of::<StampBytes>() == 1,
    "a header that holds one has no padding because of it"
);

impl<L: Layout> StampBytes<L> {
    /// Takes any 16 bytes, unchecked.
    #[must_use]
    #[inline]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self { bytes, layout: PhantomData }
    }

    /// Returns the bytes.
    #[must_use]
    #[inline]
    pub const fn to_bytes(self) -> [u8; 16] {
        self.bytes
    }

    /// Returns the bytes, where they are.
    #[must_use]
    #[inline]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.bytes
    }

    /// Checks the bytes, and returns the stamp that they are.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] where the timestamp is zero or the node id is 2^58 or more.
    #[inline]
    pub const fn to_stamp(self) -> Result<Stamp<NodeId, L>, DecodeError> {
        Stamp::<NodeId, L>::from_bytes(self.bytes)
    }
}

impl<L: Layout> From<Stamp<NodeId, L>> for StampBytes<L> {
    #[inline]
    fn from(stamp: Stamp<NodeId, L>) -> Self {
        Self::from_bytes(stamp.to_bytes())
    }
}

impl<L: Layout> TryFrom<StampBytes<L>> for Stamp<NodeId, L> {
    type Error = DecodeError;

    #[inline]
    fn try_from(bytes: StampBytes<L>) -> Result<Self, Self::Error> {
        bytes.to_stamp()
    }
}

impl<L: Layout> From<[u8; 16]> for StampBytes<L> {
    #[inline]
    fn from(bytes: [u8; 16]) -> Self {
        Self::from_bytes(bytes)
    }
}

impl<L: Layout> From<StampBytes<L>> for [u8; 16] {
    #[inline]
    fn from(bytes: StampBytes<L>) -> Self {
        bytes.bytes
    }
}

impl<L: Layout> AsRef<[u8]> for StampBytes<L> {
    #[inline]
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

// By hand, because a derive would ask all these traits of `L`; all of them are the bytes' own.

impl<L: Layout> Clone for StampBytes<L> {
    #[inline]
    fn clone(&self) -> Self {
        *self
    }
}

impl<L: Layout> Copy for StampBytes<L> {}

impl<L: Layout> PartialEq for StampBytes<L> {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl<L: Layout> Eq for StampBytes<L> {}

impl<L: Layout> PartialOrd for StampBytes<L> {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<L: Layout> Ord for StampBytes<L> {
    #[inline]
    fn cmp(&self, other: &Self) -> cmp::Ordering {
        self.bytes.cmp(&other.bytes)
    }
}

impl<L: Layout> hash::Hash for StampBytes<L> {
    #[inline]
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.bytes.hash(state);
    }
}

/// The bytes in hexadecimal, whether they are a stamp or not.
impl<L: Layout> fmt::Debug for StampBytes<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StampBytes({:032x})", u128::from_be_bytes(self.bytes))
    }
}

//! `NodeId`: who made a stamp.

use core::{fmt, str::FromStr};

use crate::{DecodeError, NodeIdOutOfRange, TextError, text};

/// The name of a node, below 2^58.
///
/// Two nodes with one name can make equal stamps: give each node its own, from configuration or from 58
/// random bits ([`from_random_bits`](Self::from_random_bits)). The bound lets a [`Stamp`](crate::Stamp) fit the 122 free bits of a
/// UUIDv7.
///
/// ```
/// use hlc::NodeId;
///
/// assert_eq!(NodeId::new(7)?.to_string(), "0000000000000007");
/// assert!(NodeId::new(1 << 58).is_err());
/// # Ok::<(), hlc::NodeIdOutOfRange>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(u64);

impl NodeId {
    /// The bits that a node id has.
    pub const BITS: u32 = 58;

    /// The least node id, zero.
    pub const MIN: Self = Self(0);

    /// The greatest node id, 2^58 - 1.
    pub const MAX: Self = Self((1 << Self::BITS) - 1);

    /// Makes a node id from a number.
    ///
    /// # Errors
    ///
    /// [`NodeIdOutOfRange`] where `id` is 2^58 or more.
    pub const fn new(id: u64) -> Result<Self, NodeIdOutOfRange> {
        if id <= Self::MAX.0 { Ok(Self(id)) } else { Err(NodeIdOutOfRange::new(id)) }
    }

    /// Makes a node id from the low 58 of 64 random bits.
    ///
    /// Among 1,000 nodes, two get the same name with a probability below 2^-39 (birthday bound).
    #[must_use]
    pub const fn from_random_bits(bits: u64) -> Self {
        Self(bits & Self::MAX.0)
    }

    /// Returns the number.
    #[must_use]
    #[inline]
    pub const fn as_u64(self) -> u64 {
        self.0
    }

    /// Returns the 16 lower-case hex digits, as ASCII bytes.
    #[must_use]
    #[inline]
    pub const fn to_text(self) -> [u8; 16] {
        text::hex16(self.0)
    }

    /// Writes the 16 lower-case hex digits into `buffer`, and returns them.
    #[inline]
    pub fn encode_text(self, buffer: &mut [u8; 16]) -> &str {
        *buffer = self.to_text();
        text::as_str(buffer)
    }

    /// Reads exactly the form that [`to_text`](Self::to_text) writes.
    ///
    /// # Errors
    ///
    /// [`TextError`] where `text` is not 16 lower-case hexadecimal digits, or the number is 2^58 or more.
    #[inline]
    pub fn from_text(text: &[u8]) -> Result<Self, TextError> {
        let digits = text::exactly::<16>(text)?;
        Ok(Self::new(text::parse_hex16(digits)?)?)
    }

    /// Returns the eight bytes, big-endian.
    #[must_use]
    #[inline]
    pub const fn to_bytes(self) -> [u8; 8] {
        self.0.to_be_bytes()
    }

    /// Reads the eight bytes that [`to_bytes`](Self::to_bytes) makes.
    ///
    /// # Errors
    ///
    /// [`DecodeError::NodeId`] where the number is 2^58 or more.
    #[inline]
    pub const fn from_bytes(bytes: [u8; 8]) -> Result<Self, DecodeError> {
        match Self::new(u64::from_be_bytes(bytes)) {
            Ok(id) => Ok(id),
            Err(error) => Err(DecodeError::NodeId(error)),
        }
    }
}

impl TryFrom<u64> for NodeId {
    type Error = NodeIdOutOfRange;

    fn try_from(id: u64) -> Result<Self, Self::Error> {
        Self::new(id)
    }
}

impl From<NodeId> for u64 {
    fn from(id: NodeId) -> Self {
        id.0
    }
}

impl From<u32> for NodeId {
    fn from(id: u32) -> Self {
        Self(u64::from(id))
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(text::as_str(&self.to_text()))
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeId({:#x})", self.0)
    }
}

impl FromStr for NodeId {
    type Err = TextError;

    /// Reads exactly the form that `Display` writes: 16 lower-case hex digits.
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::from_text(s.as_bytes())
    }
}

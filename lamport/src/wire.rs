//! To and from bytes, as FORMAT.md says.

use crate::{EnvelopeError, Stamp, Time};

/// The version of the envelope, in its first byte.
const VERSION: u8 = 1;

const _: () = assert!(Stamp::<u64>::BYTES == Time::BYTES + size_of::<u64>(), "a stamp is a time and a node");
const _: () = assert!(Stamp::<u64>::ENVELOPE_BYTES == Stamp::<u64>::BYTES + size_of::<u8>(), "and a version");

impl Time {
    /// The length of the byte form.
    pub const BYTES: usize = 8;

    /// Returns the eight bytes, which sort as the times do.
    ///
    /// The layout is frozen, and carries no version: see [`format`](crate::format).
    #[must_use]
    pub const fn to_bytes(self) -> [u8; Self::BYTES] {
        self.get().to_be_bytes()
    }

    /// Reads a time from its bytes. All of them are times.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self::new(u64::from_be_bytes(bytes))
    }
}

impl Stamp<u64> {
    /// The length of the byte form.
    pub const BYTES: usize = 16;

    /// The length of an envelope of the current version.
    pub const ENVELOPE_BYTES: usize = 17;

    /// Returns the sixteen bytes, which sort as the stamps do: a key for an ordered store.
    ///
    /// The layout is frozen, and carries no version: see [`format`](crate::format).
    #[must_use]
    pub const fn to_bytes(self) -> [u8; Self::BYTES] {
        let [t0, t1, t2, t3, t4, t5, t6, t7] = self.time().to_bytes();
        let [n0, n1, n2, n3, n4, n5, n6, n7] = self.node().to_be_bytes();
        [t0, t1, t2, t3, t4, t5, t6, t7, n0, n1, n2, n3, n4, n5, n6, n7]
    }

    /// Reads a stamp from its bytes. All of them are stamps.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        let [t0, t1, t2, t3, t4, t5, t6, t7, n0, n1, n2, n3, n4, n5, n6, n7] = bytes;
        Self::new(
            Time::from_bytes([t0, t1, t2, t3, t4, t5, t6, t7]),
            u64::from_be_bytes([n0, n1, n2, n3, n4, n5, n6, n7]),
        )
    }

    /// Returns the envelope for a message: a version byte and [`to_bytes`](Self::to_bytes).
    ///
    /// # Examples
    ///
    /// ```
    /// use lamport::{EnvelopeError, Stamp, Time};
    ///
    /// let stamp = Time::new(7).at_node(3);
    /// let mut envelope = stamp.to_envelope();
    /// assert_eq!(Stamp::from_envelope(&envelope), Ok(stamp));
    ///
    /// envelope[0] = 2;
    /// assert_eq!(Stamp::from_envelope(&envelope), Err(EnvelopeError::Version { found: 2 }));
    /// ```
    #[must_use]
    pub const fn to_envelope(self) -> [u8; Self::ENVELOPE_BYTES] {
        let [b0, b1, b2, b3, b4, b5, b6, b7, b8, b9, b10, b11, b12, b13, b14, b15] = self.to_bytes();
        [VERSION, b0, b1, b2, b3, b4, b5, b6, b7, b8, b9, b10, b11, b12, b13, b14, b15]
    }

    /// Reads a stamp from an envelope, which is all of `bytes`.
    ///
    /// The stamp is a peer's claim: `observe` or `merge` decides whether a clock believes it.
    ///
    /// # Errors
    ///
    /// - [`EnvelopeError::Version`] when the first byte is no known version. This is looked at first, since
    ///   another version may have another length.
    /// - [`EnvelopeError::Length`] when there are too few or too many bytes.
    pub fn from_envelope(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        let length = EnvelopeError::Length { found: bytes.len(), expected: Self::ENVELOPE_BYTES };
        match bytes.split_first() {
            Some((&VERSION, stamp)) => stamp.try_into().map(Self::from_bytes).map_err(|_| length),
            Some((&found, _)) => Err(EnvelopeError::Version { found }),
            None => Err(length),
        }
    }
}

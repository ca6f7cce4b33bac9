//! Whose register it is, and what belongs to its value.

use core::fmt;

/// Sixteen bytes that name a register: the application, the node, the resource.
///
/// It is written into every record and compared at every opening, so that one register's file put in another
/// one's place is refused. It is a name, not a secret.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity([u8; 16]);

impl Identity {
    /// Names a register.
    ///
    /// ```
    /// # use high_water::Identity;
    /// const CLOCK: Identity = Identity::from_bytes(*b"orders/clock/007");
    /// assert_ne!(CLOCK, Identity::from_bytes(*b"orders/clock/008"));
    /// ```
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes as they are in the file.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0
    }
}

impl fmt::Display for Identity {
    /// 32 lower-case hex digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({self})")
    }
}

/// Which file a record was written to: a copy of the file is another file, and is found out by this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    inode: u64,
    birth_nanos: Option<u64>,
}

impl Origin {
    /// The file's number on its file system, and its time of birth where the system tells it.
    ///
    /// # Units
    ///
    /// `birth_nanos` is in nanoseconds since the Unix epoch.
    #[must_use]
    pub const fn new(inode: u64, birth_nanos: Option<u64>) -> Self {
        Self { inode, birth_nanos }
    }

    /// The file's number on its file system.
    #[must_use]
    pub const fn inode(self) -> u64 {
        self.inode
    }

    /// The file's time of birth, in nanoseconds since the Unix epoch.
    #[must_use]
    pub const fn birth_nanos(self) -> Option<u64> {
        self.birth_nanos
    }

    /// Whether both can be the same file. A time of birth that one of them lacks says nothing.
    #[must_use]
    pub fn may_be(self, other: Self) -> bool {
        let births = self.birth_nanos.zip(other.birth_nanos);
        self.inode == other.inode && births.is_none_or(|(left, right)| left == right)
    }
}

/// Up to 256 bytes that belong to a value, without an allocator.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Payload {
    bytes: [u8; Self::MAX_LEN],
    len: u16,
}

impl Payload {
    /// The longest payload, in bytes.
    pub const MAX_LEN: usize = 256;

    /// No bytes.
    pub const EMPTY: Self = Self { bytes: [0; Self::MAX_LEN], len: 0 };

    /// Copies the bytes.
    ///
    /// # Errors
    ///
    /// [`PayloadTooLong`] above [`MAX_LEN`](Self::MAX_LEN) bytes.
    pub fn new(payload: &[u8]) -> Result<Self, PayloadTooLong> {
        let too_long = PayloadTooLong { given: payload.len() };
        let mut new = Self::EMPTY;
        new.bytes.get_mut(..payload.len()).ok_or(too_long)?.copy_from_slice(payload);
        new.len = u16::try_from(payload.len()).map_err(|_| too_long)?;
        Ok(new)
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len.into()).unwrap_or(&self.bytes)
    }

    /// The bytes, followed by zeros.
    pub(crate) const fn padded(&self) -> &[u8; Self::MAX_LEN] {
        &self.bytes
    }

    pub(crate) const fn len(&self) -> u16 {
        self.len
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Payload").field(&self.as_bytes()).finish()
    }
}

/// A payload has more bytes than a record can hold. Nothing was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct PayloadTooLong {
    given: usize,
}

impl PayloadTooLong {
    /// How many bytes were given.
    #[must_use]
    pub const fn given(self) -> usize {
        self.given
    }
}

impl fmt::Display for PayloadTooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "payload has {} bytes, a record holds {}", self.given, Payload::MAX_LEN)
    }
}

impl core::error::Error for PayloadTooLong {}

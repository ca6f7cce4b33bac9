//! `LogHead`: what a whole log comes down to.

use core::fmt;
use core::str::FromStr;

use sha2::{Digest, Sha256};

use crate::{DecodeError, ResourceId, text};

/// Begins what is hashed, so that no other use of SHA-256 gives the same hash. Part of the format.
const DOMAIN: &[u8; 24] = b"epoch-fence audit entry\n";

/// The hash of an entry, and through it of all entries before: noted elsewhere, it fixes the past.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LogHead([u8; Self::BYTES]);

impl LogHead {
    /// The length of the byte form.
    pub const BYTES: usize = 32;

    /// The head of a log without entries.
    pub const EMPTY: Self = Self([0; Self::BYTES]);

    /// Makes a head of its bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; Self::BYTES] {
        self.0
    }

    /// The head after one more entry, whose record holds the head before it.
    pub(super) fn of(resource: ResourceId, record: &[u8]) -> Self {
        let hash = Sha256::new().chain_update(DOMAIN).chain_update(resource.to_bytes()).chain_update(record);
        Self(hash.finalize().into())
    }
}

impl fmt::Display for LogHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        text::write_hex(f, &self.0)
    }
}

impl FromStr for LogHead {
    type Err = DecodeError;

    /// Parses exactly what `Display` writes: 64 lower-case digits.
    fn from_str(text: &str) -> Result<Self, DecodeError> {
        text::from_hex(text.as_bytes(), 0).map(Self)
    }
}

//! `Info`: the bytes of a record that belong to the engine.

use core::fmt;
use core::hash::{Hash, Hasher};

use super::RecordError;
use crate::bytes::copy;

/// Bytes of the engine's own, kept in the record: the anchor of an audit log, say. The protocol does not look at
/// them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Info {
    // Zero beyond the length, so that the derived equality is that of the bytes.
    bytes: [u8; Self::MAX_BYTES],
    length: u16,
}

impl Info {
    /// The greatest length in bytes.
    pub const MAX_BYTES: usize = 256;

    /// No bytes.
    pub const EMPTY: Self = Self { bytes: [0; Self::MAX_BYTES], length: 0 };

    /// Keeps the bytes.
    ///
    /// # Errors
    ///
    /// - [`RecordError::InfoLength`] when there are more than [`MAX_BYTES`](Self::MAX_BYTES).
    pub fn try_new(bytes: &[u8]) -> Result<Self, RecordError> {
        let mut info = Self::EMPTY;
        match (info.bytes.get_mut(..bytes.len()), u16::try_from(bytes.len())) {
            (Some(place), Ok(length)) => {
                copy(bytes, place);
                info.length = length;
                Ok(info)
            }
            _ => Err(RecordError::InfoLength { found: bytes.len() }),
        }
    }

    /// Returns the bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or_default()
    }

    /// Returns how many bytes there are.
    pub(crate) const fn length(&self) -> u16 {
        self.length
    }
}

impl Default for Info {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl Hash for Info {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl fmt::Debug for Info {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Info").field(&self.as_bytes()).finish()
    }
}

//! `HolderId`: who holds, for people.

use core::fmt;
use core::str::FromStr;

use crate::HolderIdError;
use crate::bytes::copy;

/// Who holds a lease, as an operator will read it: a host and a process, say.
///
/// One to 64 bytes of UTF-8 without control characters, so that it fits a record and cannot rewrite the
/// terminal that shows it. It is no identity: nothing is decided by it but whom a hand-over was meant for.
/// [`GrantId`](crate::GrantId) is the identity.
///
/// # Examples
///
/// ```
/// use epoch_fence::{HolderId, HolderIdError};
///
/// let holder: HolderId = "db-7.example, pid 4711".parse()?;
/// assert_eq!(holder.as_str(), "db-7.example, pid 4711");
/// assert_eq!(HolderId::try_new("\u{1b}[2J"), Err(HolderIdError::Control { at: 0 }));
/// # Ok::<(), HolderIdError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HolderId {
    // Filled up with zeros, which no id contains: so the derived order is that of the text.
    bytes: [u8; Self::MAX_BYTES],
    length: u8,
}

impl HolderId {
    /// The greatest length in bytes.
    pub const MAX_BYTES: usize = 64;

    /// Makes an id of a text.
    ///
    /// # Errors
    ///
    /// - [`HolderIdError::Length`] when the text is empty or longer than [`MAX_BYTES`](Self::MAX_BYTES).
    /// - [`HolderIdError::Control`] when it has a control character.
    pub fn try_new(text: &str) -> Result<Self, HolderIdError> {
        let wrong_length = HolderIdError::Length { found: text.len(), limit: Self::MAX_BYTES };
        let mut bytes = [0; Self::MAX_BYTES];
        let (place, length) = match (bytes.get_mut(..text.len()), u8::try_from(text.len())) {
            (Some(place), Ok(length)) if length > 0 => (place, length),
            _ => return Err(wrong_length),
        };
        if let Some((at, _)) = text.char_indices().find(|(_, letter)| letter.is_control()) {
            return Err(HolderIdError::Control { at });
        }
        copy(text.as_bytes(), place);
        Ok(Self { bytes, length })
    }

    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let text = self.bytes.get(..usize::from(self.length)).unwrap_or_default();
        // The bytes were copied from a `str`, so nothing is replaced.
        core::str::from_utf8(text).unwrap_or_default()
    }
}

impl fmt::Debug for HolderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HolderId").field(&self.as_str()).finish()
    }
}

impl fmt::Display for HolderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for HolderId {
    type Err = HolderIdError;

    fn from_str(text: &str) -> Result<Self, HolderIdError> {
        Self::try_new(text)
    }
}

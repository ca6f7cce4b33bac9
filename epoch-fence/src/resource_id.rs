//! `ResourceId`: what a gate stands before.

use core::fmt;
use core::str::FromStr;

use sha2::{Digest, Sha256};

use crate::{DecodeError, text};

/// Begins what is hashed, so that no other use of SHA-256 gives the same id. Part of the format.
const DOMAIN: &[u8; 24] = b"epoch-fence resource id\n";

/// Which resource a token is for: a hash of a namespace and a name.
///
/// Two resources under one id would share their epochs, so the hash is one for which nobody can make a
/// collision, and the namespace is framed by its length: `("a", "bc")` and `("ab", "c")` differ. Names are
/// bytes of any length. They are hashed as they are: no case is folded, no Unicode form is changed.
///
/// # Examples
///
/// ```
/// use epoch_fence::ResourceId;
///
/// let ledger = ResourceId::of("billing", "ledger/2026");
/// assert_ne!(ledger, ResourceId::of("billingledger", "/2026"));
/// assert_eq!(ledger.to_string().parse(), Ok(ledger));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceId([u8; Self::BYTES]);

impl ResourceId {
    /// The length of the byte form.
    pub const BYTES: usize = 32;

    /// The length of the text in bytes.
    pub const TEXT_BYTES: usize = 64;

    /// Makes the id of a namespace and a name.
    #[must_use]
    pub fn of(namespace: impl AsRef<[u8]>, name: impl AsRef<[u8]>) -> Self {
        let (namespace, name) = (namespace.as_ref(), name.as_ref());
        // No slice is longer than 2^63 - 1 bytes.
        let length = u64::try_from(namespace.len()).unwrap_or(u64::MAX);
        let hash = Sha256::new()
            .chain_update(DOMAIN)
            .chain_update(length.to_be_bytes())
            .chain_update(namespace)
            .chain_update(name);
        Self(hash.finalize().into())
    }

    /// Makes an id of its bytes. All of them are ids.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; Self::BYTES] {
        self.0
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        text::write_hex(f, &self.0)
    }
}

impl FromStr for ResourceId {
    type Err = DecodeError;

    /// Parses exactly what `Display` writes: 64 lower-case digits.
    fn from_str(text: &str) -> Result<Self, DecodeError> {
        text::from_hex(text.as_bytes(), 0).map(Self)
    }
}

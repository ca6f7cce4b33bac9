//! `RealmId` and `GrantId`: random 128-bit identities.

use core::fmt;
use core::num::NonZeroU128;
use core::str::FromStr;

#[cfg(feature = "getrandom")]
use crate::RandomUnavailable;
use crate::{DecodeError, Field, text};

macro_rules! random_id {
    ($(#[$meta:meta])* $name:ident, $field:expr) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(NonZeroU128);

        impl $name {
            /// The length of the byte form.
            pub const BYTES: usize = 16;

            /// The length of the text in bytes.
            pub const TEXT_BYTES: usize = 32;

            /// Makes an id of random bits, or `None` of zero: then draw again.
            ///
            /// The bits must come from a generator that no other process, thread or run repeats. A counter or
            /// a clock is no such source.
            #[must_use]
            pub const fn from_random_bits(bits: u128) -> Option<Self> {
                match NonZeroU128::new(bits) {
                    Some(bits) => Some(Self(bits)),
                    None => None,
                }
            }

            /// Makes a new id from the operating system's randomness.
            ///
            /// # Errors
            ///
            /// - [`RandomUnavailable`] when the system has none to give, as early at boot. No id was made.
            #[cfg(feature = "getrandom")]
            pub fn random() -> Result<Self, RandomUnavailable> {
                let mut bytes = [0; Self::BYTES];
                getrandom::fill(&mut bytes).map_err(RandomUnavailable::new)?;
                // Zero is one draw of 2^128; it is mapped rather than drawn again, so that no loop is left.
                Ok(Self::nearest(u128::from_be_bytes(bytes)))
            }

            /// The id of these bits; zero becomes one.
            #[cfg(any(
                feature = "arbitrary",
                feature = "getrandom",
                feature = "portable-atomic",
                feature = "proptest",
                target_has_atomic = "64"
            ))]
            pub(crate) const fn nearest(bits: u128) -> Self {
                match Self::from_random_bits(bits) {
                    Some(id) => id,
                    None => Self(NonZeroU128::MIN),
                }
            }

            /// Returns the number.
            #[must_use]
            pub const fn get(self) -> u128 {
                self.0.get()
            }

            /// Returns the sixteen bytes, which sort as the numbers do.
            #[must_use]
            pub const fn to_bytes(self) -> [u8; Self::BYTES] {
                self.0.get().to_be_bytes()
            }

            /// Reads an id from its bytes.
            ///
            /// # Errors
            ///
            /// - [`DecodeError::Zero`] when all bytes are zero.
            pub const fn from_bytes(bytes: [u8; Self::BYTES]) -> Result<Self, DecodeError> {
                match Self::from_random_bits(u128::from_be_bytes(bytes)) {
                    Some(id) => Ok(id),
                    None => Err(DecodeError::Zero { field: $field }),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:032x}", self.0.get())
            }
        }

        impl FromStr for $name {
            type Err = DecodeError;

            /// Parses exactly what `Display` writes: 32 lower-case digits, no sign, no prefix, no space.
            fn from_str(text: &str) -> Result<Self, DecodeError> {
                Self::from_bytes(text::from_hex(text.as_bytes(), 0)?)
            }
        }
    };
}

random_id! {
    /// One unbroken history of an issuer.
    ///
    /// An issuer that may have lost part of its past (a restored backup, a promoted standby) goes on under a
    /// new realm. A gate refuses every other realm, whatever the epoch, until it
    /// [adopts](crate::Gate::adopt) that one.
    RealmId, Field::Realm
}

random_id! {
    /// One attempt to become the holder, and its identity.
    ///
    /// The caller makes it once, before the first try, and sends the same one with every retry. Two tokens of
    /// one epoch with different grants are a conflict: two holders that each believe to be the only one.
    GrantId, Field::Grant
}

//! The errors of the values.

use core::error::Error;
use core::fmt;

/// A part of a token that has a range of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Field {
    /// The realm.
    Realm,
    /// The epoch.
    Epoch,
    /// The grant.
    Grant,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Realm => "realm",
            Self::Epoch => "epoch",
            Self::Grant => "grant",
        })
    }
}

/// Why bytes or a text are not the value that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum DecodeError {
    /// The first byte names a version that this release does not know.
    Version {
        /// The version found.
        found: u8,
    },
    /// A flag is set that a reader must know, and this release does not.
    UnknownCritical {
        /// Those flags, at their places in the byte.
        flags: u8,
    },
    /// The form has another length.
    Length {
        /// The bytes found.
        found: usize,
        /// The bytes of such a form.
        expected: usize,
    },
    /// A part is zero that never is.
    Zero {
        /// Which part.
        field: Field,
    },
    /// A number is above 2^64 - 1.
    Range {
        /// Which part.
        field: Field,
    },
    /// A byte is no digit of the form's base, or a leading zero.
    Digit {
        /// Its offset in bytes.
        at: usize,
    },
    /// A byte between two groups of digits is not `-`.
    Separator {
        /// Its offset in bytes.
        at: usize,
    },
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version { found } => write!(f, "unknown token version {found}"),
            Self::UnknownCritical { flags } => write!(f, "unknown critical flags {flags:#04x}"),
            Self::Length { found, expected } => write!(f, "{found} bytes, expected {expected}"),
            Self::Zero { field } => write!(f, "the {field} is zero"),
            Self::Range { field } => write!(f, "the {field} is above 2^64 - 1"),
            Self::Digit { at } => write!(f, "byte {at} is not a digit of this form"),
            Self::Separator { at } => write!(f, "byte {at} is not `-`"),
        }
    }
}

impl Error for DecodeError {}

/// Why a text is not the id of a holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum HolderIdError {
    /// The text is empty or too long.
    Length {
        /// The bytes found.
        found: usize,
        /// The greatest length in bytes.
        limit: usize,
    },
    /// The text has a control character.
    Control {
        /// Its offset in bytes.
        at: usize,
    },
}

impl fmt::Display for HolderIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { found, limit } => write!(f, "holder id of {found} bytes, expected 1 to {limit}"),
            Self::Control { at } => write!(f, "control character at byte {at} of a holder id"),
        }
    }
}

impl Error for HolderIdError {}

/// The operating system had no randomness to give. No id was made.
#[cfg(feature = "getrandom")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RandomUnavailable {
    why: getrandom::Error,
}

#[cfg(feature = "getrandom")]
impl RandomUnavailable {
    pub(crate) const fn new(why: getrandom::Error) -> Self {
        Self { why }
    }
}

#[cfg(feature = "getrandom")]
impl fmt::Display for RandomUnavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no randomness from the operating system: {}", self.why)
    }
}

#[cfg(feature = "getrandom")]
impl Error for RandomUnavailable {}

#[cfg(all(test, feature = "getrandom"))]
mod tests {
    use alloc::string::ToString as _;

    use super::*;

    #[test]
    fn a_system_without_randomness_is_said_to_have_none() {
        let why = getrandom::Error::UNSUPPORTED;
        let words = alloc::format!("no randomness from the operating system: {why}");
        let why = RandomUnavailable::new(why);
        assert_eq!(why.to_string(), words);
        assert_eq!(crate::NotAcquired::<RandomUnavailable>::Random(why).to_string(), words);
        #[cfg(all(unix, feature = "file"))]
        assert_eq!(crate::engine::file::FileError::Random(why).to_string(), words);
        #[cfg(feature = "etcd")]
        {
            let error = crate::engine::etcd::EtcdError::Random(why);
            assert_eq!(
                (error.to_string(), error.source().unwrap().to_string()),
                (words.clone(), words.clone())
            );
        }
        #[cfg(feature = "postgres")]
        {
            let error = crate::engine::postgres::PostgresError::Random(why);
            assert_eq!((error.to_string(), error.source().unwrap().to_string()), (words.clone(), words));
        }
    }
}

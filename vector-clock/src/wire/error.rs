//! Why bytes are not a clock, and why a clock does not become bytes.

use core::error::Error;
use core::fmt;

use crate::error::{Capacity, EntryError, JumpExceeded};

/// Why bytes were refused. Nothing was allocated, and nothing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum DecodeError {
    /// The bytes end before the value does.
    Truncated,
    /// The first byte is no version that this crate reads.
    Version {
        /// That byte.
        found: u8,
    },
    /// The second byte has a critical bit that this crate does not know, or two kinds at once.
    Flags {
        /// That byte.
        found: u8,
    },
    /// The envelope holds another kind of value than the one asked for: a clock, a stamp or a delta.
    Kind,
    /// An integer is not in its shortest form.
    Overlong,
    /// An integer does not fit its field, or an id is above 2^128 - 1.
    TooWide,
    /// Consecutive ids are written one by one, or fewer than two are said to be consecutive.
    NotCanonical,
    /// There are more entries than [`Limits`](super::Limits) allow.
    EntryLimit {
        /// How many there are said to be.
        found: u64,
        /// How many there may be.
        limit: usize,
    },
    /// A counter is above what [`Limits`](super::Limits) allow.
    CounterLimit {
        /// The counter.
        found: u64,
        /// How great it may be.
        limit: u64,
    },
    /// A counter is too far above what is known here. The actor is its key, with 128 bits.
    JumpExceeded(JumpExceeded<u128>),
    /// An entry is not one of a vector of this type.
    Entry(EntryError),
    /// The event's entry is said to be where there is none.
    Place {
        /// The place, from 0.
        found: u64,
        /// How many entries there are.
        entries: usize,
    },
    /// Bytes are left after the value.
    Trailing {
        /// How many.
        bytes: usize,
    },
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("bytes end before the value does"),
            Self::Version { found } => write!(f, "version {found} is not known"),
            Self::Flags { found } => {
                write!(f, "flags {found:#04x} have an unknown critical bit or two kinds")
            }
            Self::Kind => f.write_str("envelope holds another kind of value"),
            Self::Overlong => f.write_str("integer is not in its shortest form"),
            Self::TooWide => f.write_str("integer does not fit its field"),
            Self::NotCanonical => f.write_str("dense flag does not agree with the ids"),
            Self::EntryLimit { found, limit } => write!(f, "{found} entries, limit {limit}"),
            Self::CounterLimit { found, limit } => write!(f, "counter {found}, limit {limit}"),
            Self::JumpExceeded(error) => error.fmt(f),
            Self::Entry(error) => error.fmt(f),
            Self::Place { found, entries } => write!(f, "event's entry at place {found} of {entries}"),
            Self::Trailing { bytes } => write!(f, "{bytes} bytes are left after the value"),
        }
    }
}

impl Error for DecodeError {}

impl From<EntryError> for DecodeError {
    fn from(error: EntryError) -> Self {
        Self::Entry(error)
    }
}

impl From<Capacity> for DecodeError {
    fn from(error: Capacity) -> Self {
        Self::Entry(error.into())
    }
}

impl From<JumpExceeded<u128>> for DecodeError {
    fn from(error: JumpExceeded<u128>) -> Self {
        Self::JumpExceeded(error)
    }
}

/// The buffer is shorter than the encoded value. What is in it then is not a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct BufferTooSmall {
    needed: usize,
    found: usize,
}

impl BufferTooSmall {
    pub(crate) const fn new(needed: usize, found: usize) -> Self {
        Self { needed, found }
    }

    /// Returns how many bytes the value takes.
    #[must_use]
    pub const fn needed(&self) -> usize {
        self.needed
    }

    /// Returns how many bytes the buffer has.
    #[must_use]
    pub const fn found(&self) -> usize {
        self.found
    }
}

impl fmt::Display for BufferTooSmall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes needed, buffer has {}", self.needed, self.found)
    }
}

impl Error for BufferTooSmall {}

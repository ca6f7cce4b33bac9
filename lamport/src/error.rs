//! Error types. After each of them the clock is as it was.

use core::error::Error;
use core::fmt;
use core::num::NonZeroU32;

#[cfg(feature = "durable")]
use crate::BoundReached;
use crate::Time;

/// No time is left: the range ends at [`Time::MAX`]. The clock did not change, and every later call that
/// needs a new time fails too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Exhausted {
    after: Time,
    wanted: NonZeroU32,
}

impl Exhausted {
    pub(crate) const fn new(after: Time, wanted: NonZeroU32) -> Self {
        Self { after, wanted }
    }

    /// Returns the time above which new ones were wanted: the greater of the clock's last and the observed
    /// one.
    #[must_use]
    pub const fn after(&self) -> Time {
        self.after
    }

    /// Returns how many times were wanted.
    #[must_use]
    pub const fn wanted(&self) -> NonZeroU32 {
        self.wanted
    }
}

impl fmt::Display for Exhausted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "time exhausted: {} wanted after {}, the range ends at {}",
            self.wanted,
            self.after,
            Time::MAX
        )
    }
}

impl Error for Exhausted {}

/// A remote time was further ahead of the clock than [`MaxJump`](crate::MaxJump) allows. The clock did not
/// change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct JumpExceeded {
    ahead: u64,
    limit: u64,
}

impl JumpExceeded {
    pub(crate) const fn new(ahead: u64, limit: u64) -> Self {
        Self { ahead, limit }
    }

    /// Returns how many times the remote one was ahead of the clock.
    #[must_use]
    pub const fn ahead(&self) -> u64 {
        self.ahead
    }

    /// Returns how many times ahead it may be.
    #[must_use]
    pub const fn limit(&self) -> u64 {
        self.limit
    }
}

impl fmt::Display for JumpExceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "remote time is {} ahead of the local clock, limit {}", self.ahead, self.limit)
    }
}

impl Error for JumpExceeded {}

/// A time from elsewhere was above [`Time::MAX_ACCEPTED`], in the half of the range that belongs to a clock's
/// own events. The clock did not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct EndReserved {
    remote: Time,
}

impl EndReserved {
    pub(crate) const fn new(remote: Time) -> Self {
        Self { remote }
    }

    /// Returns the refused time.
    #[must_use]
    pub const fn remote(&self) -> Time {
        self.remote
    }
}

impl fmt::Display for EndReserved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "remote time {} is above {}, the greatest accepted one", self.remote, Time::MAX_ACCEPTED)
    }
}

impl Error for EndReserved {}

/// Why a merge was refused. The clock did not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum MergeError {
    /// The remote time was too far ahead of the clock.
    JumpExceeded(JumpExceeded),
    /// The remote time was in the half of the range that belongs to a clock's own events.
    EndReserved(EndReserved),
    /// A durable clock's bound is below the remote time. Plain clocks have none.
    #[cfg(feature = "durable")]
    Bound(BoundReached),
}

impl fmt::Display for MergeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::JumpExceeded(why) => why.fmt(f),
            Self::EndReserved(why) => why.fmt(f),
            #[cfg(feature = "durable")]
            Self::Bound(why) => why.fmt(f),
        }
    }
}

impl Error for MergeError {}

impl From<JumpExceeded> for MergeError {
    fn from(why: JumpExceeded) -> Self {
        Self::JumpExceeded(why)
    }
}

impl From<EndReserved> for MergeError {
    fn from(why: EndReserved) -> Self {
        Self::EndReserved(why)
    }
}

/// Why a message was not observed. The clock did not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ObserveError {
    /// The remote time was too far ahead of the clock.
    JumpExceeded(JumpExceeded),
    /// The remote time was in the half of the range that belongs to a clock's own events.
    EndReserved(EndReserved),
    /// No time is left for the receive event.
    Exhausted(Exhausted),
    /// A durable clock's bound is below what the receive event needs. Plain clocks have none.
    #[cfg(feature = "durable")]
    Bound(BoundReached),
}

impl fmt::Display for ObserveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::JumpExceeded(why) => why.fmt(f),
            Self::EndReserved(why) => why.fmt(f),
            Self::Exhausted(why) => why.fmt(f),
            #[cfg(feature = "durable")]
            Self::Bound(why) => why.fmt(f),
        }
    }
}

impl Error for ObserveError {}

impl From<MergeError> for ObserveError {
    fn from(why: MergeError) -> Self {
        match why {
            MergeError::JumpExceeded(why) => Self::JumpExceeded(why),
            MergeError::EndReserved(why) => Self::EndReserved(why),
            #[cfg(feature = "durable")]
            MergeError::Bound(why) => Self::Bound(why),
        }
    }
}

impl From<Exhausted> for ObserveError {
    fn from(why: Exhausted) -> Self {
        Self::Exhausted(why)
    }
}

/// Why bytes are not an envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum EnvelopeError {
    /// The first byte names a version that this release does not know.
    Version {
        /// The version found.
        found: u8,
    },
    /// The envelope of this version has another length.
    Length {
        /// The bytes found.
        found: usize,
        /// The bytes of an envelope.
        expected: usize,
    },
}

impl fmt::Display for EnvelopeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version { found } => write!(f, "unknown envelope version {found}"),
            Self::Length { found, expected } => write!(f, "envelope of {found} bytes, expected {expected}"),
        }
    }
}

impl Error for EnvelopeError {}

/// Why a string is not the text of a time or stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum TextError {
    /// The text has another length.
    Length {
        /// The bytes found.
        found: usize,
        /// The bytes of such a text.
        expected: usize,
    },
    /// A byte is none of `0` to `9` and `a` to `f`.
    Digit {
        /// Its offset in bytes.
        at: usize,
    },
    /// The byte between the two groups of digits is not `-`.
    Separator {
        /// Its offset in bytes.
        at: usize,
    },
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { found, expected } => write!(f, "text of {found} bytes, expected {expected}"),
            Self::Digit { at } => write!(f, "byte {at} is not a lower-case hexadecimal digit"),
            Self::Separator { at } => write!(f, "byte {at} is not `-`"),
        }
    }
}

impl Error for TextError {}

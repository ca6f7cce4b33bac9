//! What can be refused, and the numbers that say why.

use core::{error::Error, fmt, time::Duration};

#[cfg(feature = "durable")]
use crate::BoundReached;

/// A node id of 2^58 or more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct NodeIdOutOfRange {
    id: u64,
}

impl NodeIdOutOfRange {
    pub(crate) const fn new(id: u64) -> Self {
        Self { id }
    }

    /// Returns the number that was given.
    #[must_use]
    pub const fn id(&self) -> u64 {
        self.id
    }
}

impl fmt::Display for NodeIdOutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "node id {:#x} does not fit 58 bits", self.id)
    }
}

/// A physical time or a counter that does not fit its field, or both zero, which is no timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct PartsOutOfRange {
    physical_units: u64,
    counter: u32,
}

impl PartsOutOfRange {
    pub(crate) const fn new(physical_units: u64, counter: u32) -> Self {
        Self { physical_units, counter }
    }

    /// Returns the physical time that was given, in units of the layout since its epoch.
    #[must_use]
    pub const fn physical_units(&self) -> u64 {
        self.physical_units
    }

    /// Returns the counter that was given.
    #[must_use]
    pub const fn counter(&self) -> u32 {
        self.counter
    }
}

impl fmt::Display for PartsOutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { physical_units, counter } = self;
        write!(f, "physical time {physical_units} and counter {counter} are no timestamp of this layout")
    }
}

/// Bytes or text of another length than the form has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct WrongLength {
    actual: usize,
    expected: usize,
}

impl WrongLength {
    pub(crate) const fn new(actual: usize, expected: usize) -> Self {
        Self { actual, expected }
    }

    /// Returns the number of bytes that were given.
    #[must_use]
    pub const fn actual(&self) -> usize {
        self.actual
    }

    /// Returns the number of bytes that the form has.
    #[must_use]
    pub const fn expected(&self) -> usize {
        self.expected
    }
}

impl fmt::Display for WrongLength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes where the form has {}", self.actual, self.expected)
    }
}

/// An envelope whose version this code does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct UnknownVersion {
    version: u8,
}

impl UnknownVersion {
    pub(crate) const fn new(version: u8) -> Self {
        Self { version }
    }

    /// Returns the version byte that was found.
    #[must_use]
    pub const fn version(&self) -> u8 {
        self.version
    }
}

impl fmt::Display for UnknownVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "stamp envelope of version {}, this code reads version 1", self.version)
    }
}

/// A character that is no lower-case hexadecimal digit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct BadDigit {
    at: usize,
}

impl BadDigit {
    pub(crate) const fn new(at: usize) -> Self {
        Self { at }
    }

    /// Returns the byte offset of the character.
    #[must_use]
    pub const fn at(&self) -> usize {
        self.at
    }
}

impl fmt::Display for BadDigit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "byte {} is not a lower-case hexadecimal digit", self.at)
    }
}

/// Why bytes are not a timestamp or a stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum DecodeError {
    /// Not as many bytes as the form has.
    Length(WrongLength),
    /// The version byte of an envelope is unknown.
    Version(UnknownVersion),
    /// All eight bytes of the timestamp are zero: "no timestamp" is not a timestamp.
    ZeroTimestamp,
    /// The node id does not fit its 58 bits.
    NodeId(NodeIdOutOfRange),
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length(error) => error.fmt(f),
            Self::Version(error) => error.fmt(f),
            Self::ZeroTimestamp => f.write_str(ZERO),
            Self::NodeId(error) => error.fmt(f),
        }
    }
}

/// Why text is not a timestamp, a node id or a stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum TextError {
    /// Not as many bytes as the form has.
    Length(WrongLength),
    /// A character is no lower-case hexadecimal digit.
    Digit(BadDigit),
    /// The seventeenth character of a stamp is not `-`.
    Separator,
    /// All digits of the timestamp are zero: "no timestamp" is not a timestamp.
    ZeroTimestamp,
    /// The node id does not fit its 58 bits.
    NodeId(NodeIdOutOfRange),
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length(error) => error.fmt(f),
            Self::Digit(error) => error.fmt(f),
            Self::Separator => f.write_str("timestamp and node id are not joined by a single '-'"),
            Self::ZeroTimestamp => f.write_str(ZERO),
            Self::NodeId(error) => error.fmt(f),
        }
    }
}

/// A UUID of another version than 7.
#[cfg(feature = "uuid")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct WrongUuidVersion {
    version: usize,
}

#[cfg(feature = "uuid")]
impl WrongUuidVersion {
    pub(crate) const fn new(version: usize) -> Self {
        Self { version }
    }

    /// Returns the version that was found.
    #[must_use]
    pub const fn version(&self) -> usize {
        self.version
    }
}

#[cfg(feature = "uuid")]
impl fmt::Display for WrongUuidVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UUID of version {}, only version 7 holds a stamp", self.version)
    }
}

/// Why a UUID is not a stamp.
#[cfg(feature = "uuid")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum UuidError {
    /// The variant is not that of RFC 9562, so that there is no version.
    Variant,
    /// The version is not 7.
    Version(WrongUuidVersion),
    /// Milliseconds and counter are zero: "no timestamp" is not a timestamp.
    ZeroTimestamp,
}

#[cfg(feature = "uuid")]
impl fmt::Display for UuidError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variant => f.write_str("UUID variant is not that of RFC 9562"),
            Self::Version(error) => error.fmt(f),
            Self::ZeroTimestamp => f.write_str(ZERO),
        }
    }
}

const ZERO: &str = "timestamp is zero, which stands for none";

/// A physical clock went forward by more than it may between two readings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Stepped {
    step: Duration,
    max_step: Duration,
}

impl Stepped {
    pub(crate) const fn new(step: Duration, max_step: Duration) -> Self {
        Self { step, max_step }
    }

    /// Returns how much further the clock went than the time that passed.
    #[must_use]
    pub const fn step(&self) -> Duration {
        self.step
    }

    /// Returns the greatest step that is let through.
    #[must_use]
    pub const fn max_step(&self) -> Duration {
        self.max_step
    }
}

impl fmt::Display for Stepped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "physical clock stepped forward by {:?}, limit {:?}", self.step, self.max_step)
    }
}

/// Why a [`Source`](crate::Source) could not tell the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum SourceError {
    /// The clock reads a moment before 1970-01-01T00:00:00Z.
    BeforeUnixEpoch,
    /// The clock went forward by more than its [`StepLimit`](crate::source::StepLimit) allows.
    Stepped(Stepped),
    /// The clock has not been set yet, or cannot be read. The text says which, for people.
    Unavailable(&'static str),
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BeforeUnixEpoch => f.write_str("physical clock reads a moment before 1970"),
            Self::Stepped(error) => error.fmt(f),
            Self::Unavailable(why) => write!(f, "physical clock unavailable: {why}"),
        }
    }
}

/// A remote stamp was too far ahead of the local physical clock. The clock did not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct SkewExceeded {
    ahead: Duration,
    limit: Duration,
}

impl SkewExceeded {
    pub(crate) const fn new(ahead: Duration, limit: Duration) -> Self {
        Self { ahead, limit }
    }

    /// Returns how far ahead the stamp that the clock would next have issued is.
    #[must_use]
    pub const fn ahead(&self) -> Duration {
        self.ahead
    }

    /// Returns how far ahead a stamp may be.
    #[must_use]
    pub const fn limit(&self) -> Duration {
        self.limit
    }
}

impl fmt::Display for SkewExceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "remote stamp is {:?} ahead of the local physical clock, limit {:?}; the clock did not change",
            self.ahead, self.limit
        )
    }
}

/// The clock's own stamp would have been too far ahead of its physical clock. The clock did not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct LeadExceeded {
    lead: Duration,
    limit: Duration,
}

impl LeadExceeded {
    pub(crate) const fn new(lead: Duration, limit: Duration) -> Self {
        Self { lead, limit }
    }

    /// Returns how far ahead of physical time the stamp would have been.
    #[must_use]
    pub const fn lead(&self) -> Duration {
        self.lead
    }

    /// Returns how far ahead it may be.
    #[must_use]
    pub const fn limit(&self) -> Duration {
        self.limit
    }
}

impl fmt::Display for LeadExceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "stamp would be {:?} ahead of the physical clock, limit {:?}; the clock did not change",
            self.lead, self.limit
        )
    }
}

/// The layout has no timestamp left: `last`, a remote stamp or physical time is at its end. The clock did not
/// change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Exhausted {
    _private: (),
}

impl Exhausted {
    pub(crate) const fn new() -> Self {
        Self { _private: () }
    }
}

impl fmt::Display for Exhausted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no timestamp is left at the end of the layout; the clock did not change")
    }
}

/// Why a clock issued no stamp for a local event. The clock did not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum TickError {
    /// The source could not tell the time.
    Source(SourceError),
    /// The stamp would have been further ahead of physical time than the clock allows itself.
    Lead(LeadExceeded),
    /// The layout has no timestamp left.
    Exhausted(Exhausted),
    /// A durable clock's bound was reached. Plain clocks have none.
    #[cfg(feature = "durable")]
    Bound(BoundReached),
}

impl fmt::Display for TickError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source(error) => error.fmt(f),
            Self::Lead(error) => error.fmt(f),
            Self::Exhausted(error) => error.fmt(f),
            #[cfg(feature = "durable")]
            Self::Bound(error) => error.fmt(f),
        }
    }
}

/// Why a clock refused a remote stamp. The clock did not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ObserveError {
    /// The source could not tell the time.
    Source(SourceError),
    /// The remote stamp is further ahead of local physical time than the [`SkewPolicy`](crate::SkewPolicy) allows.
    Skew(SkewExceeded),
    /// The receive event's stamp would have been further ahead than the clock allows itself.
    Lead(LeadExceeded),
    /// The layout has no timestamp left above the remote stamp.
    Exhausted(Exhausted),
    /// A durable clock's bound is below what the remote stamp needs. Plain clocks have none.
    #[cfg(feature = "durable")]
    Bound(BoundReached),
}

impl fmt::Display for ObserveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source(error) => error.fmt(f),
            Self::Skew(error) => error.fmt(f),
            Self::Lead(error) => error.fmt(f),
            Self::Exhausted(error) => error.fmt(f),
            #[cfg(feature = "durable")]
            Self::Bound(error) => error.fmt(f),
        }
    }
}

macro_rules! from {
    ($($cause:ident => $($error:ident::$variant:ident),+;)+) => {$($(
        impl From<$cause> for $error {
            fn from(cause: $cause) -> Self {
                Self::$variant(cause)
            }
        }
    )+)+};
}
from! {
    WrongLength => DecodeError::Length, TextError::Length;
    BadDigit => TextError::Digit;
    NodeIdOutOfRange => DecodeError::NodeId, TextError::NodeId;
    UnknownVersion => DecodeError::Version;
    SourceError => TickError::Source, ObserveError::Source;
    LeadExceeded => TickError::Lead, ObserveError::Lead;
    Exhausted => TickError::Exhausted, ObserveError::Exhausted;
    SkewExceeded => ObserveError::Skew;
}

macro_rules! errors {
    ($($name:ident),+ $(,)?) => {$(impl Error for $name {})+};
}
errors!(
    NodeIdOutOfRange,
    PartsOutOfRange,
    WrongLength,
    UnknownVersion,
    BadDigit,
    DecodeError,
    TextError,
    Stepped,
    SourceError,
    SkewExceeded,
    LeadExceeded,
    Exhausted,
    TickError,
    ObserveError,
);

#[cfg(feature = "uuid")]
impl From<WrongUuidVersion> for UuidError {
    fn from(cause: WrongUuidVersion) -> Self {
        Self::Version(cause)
    }
}

#[cfg(feature = "uuid")]
errors!(WrongUuidVersion, UuidError);

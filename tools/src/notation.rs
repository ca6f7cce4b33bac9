//! `Notation`: the forms in which stamps are written, and how they are read.

use core::num::{NonZeroU64, ParseIntError};
use core::{error::Error, fmt, str::FromStr};

use hlc::layout::Layout;
use hlc::{
    DecodeError, NodeId, Packed, PartsOutOfRange, PhysicalTime, Stamp, TextError, Timestamp, UuidError,
};
use uuid::Uuid;

use crate::{AnyLayout, AnyStamp, ForLayout};

/// A form in which a timestamp, or a stamp, is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notation {
    /// The text forms of `hlc`: 16 lower-case hexadecimal digits, of a stamp 33 characters.
    Text,
    /// Hexadecimal digits, in either case: after `0x` a number; without it the bytes of a timestamp, a stamp or an envelope.
    Hex,
    /// A decimal number: the 64 bits of a timestamp, or the 128 of a stamp.
    Integer,
    /// A UUID of version 7.
    Uuid,
    /// Date, time and counter, as in `2023-11-14T22:13:20.000Z+7`; of a stamp, `@` and the node follow. Without a counter it
    /// is the first timestamp at that time.
    Human,
}

impl Notation {
    /// Every one.
    pub const ALL: &[Self] = &[Self::Text, Self::Hex, Self::Integer, Self::Uuid, Self::Human];

    /// Returns its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Hex => "hex",
            Self::Integer => "integer",
            Self::Uuid => "uuid",
            Self::Human => "human",
        }
    }

    /// Tells it from how a text looks. Where it could be two, it is that in which stamps of this century are written: 16
    /// digits are the text of a timestamp, and 32 or 34 bytes, and no decimal number.
    fn of(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let is_at = |byte: u8| move |at: &usize| bytes.get(*at) == Some(&byte);
        let is_hex = |text: &[u8]| text.iter().all(u8::is_ascii_hexdigit);
        if text.starts_with("0x") {
            return Some(Self::Hex);
        }
        if bytes.get(10) == Some(&b'T') && [4, 7].iter().all(is_at(b'-')) {
            return Some(Self::Human);
        }
        match bytes.len() {
            16 | 33 => Some(Self::Text),
            32 | 34 if is_hex(bytes) => Some(Self::Hex),
            36 if [8, 13, 18, 23].iter().all(is_at(b'-')) => Some(Self::Uuid),
            1.. if bytes.iter().all(u8::is_ascii_digit) => Some(Self::Integer),
            _ => None,
        }
    }
}

impl fmt::Display for Notation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that no notation has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownNotation {
    _private: (),
}

impl fmt::Display for UnknownNotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no such notation; there are")?;
        Notation::ALL.iter().try_for_each(|notation| write!(f, " {notation}"))
    }
}

impl Error for UnknownNotation {}

impl FromStr for Notation {
    type Err = UnknownNotation;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.iter().find(|notation| notation.name() == name);
        found.copied().ok_or(UnknownNotation { _private: () })
    }
}

/// Reading.
impl AnyStamp {
    /// Reads it in whatever notation it has, and says in which.
    ///
    /// # Errors
    ///
    /// [`NotationError`], which says what is wrong with it in the notation that it looks like.
    pub fn guess(text: &str, layout: AnyLayout) -> Result<(Self, Notation), NotationError> {
        let notation = Notation::of(text).ok_or(NotationError::Unknown)?;
        Ok((Self::read(text, notation, layout)?, notation))
    }

    /// Reads it in one notation.
    ///
    /// # Errors
    ///
    /// [`NotationError`], which says what is wrong with it.
    pub fn read(text: &str, notation: Notation, layout: AnyLayout) -> Result<Self, NotationError> {
        match notation {
            Notation::Text => {
                if text.len() == Timestamp::TEXT_LEN {
                    return Ok(of_timestamp(text.parse()?, layout));
                }
                Ok(of_stamp(text.parse()?, layout))
            }
            Notation::Hex => hex(text, layout),
            Notation::Integer => {
                if !text.bytes().all(|digit| digit.is_ascii_digit()) {
                    return Err(NotationError::NoNumber);
                }
                of_number(text.parse()?, layout)
            }
            Notation::Uuid if layout != AnyLayout::Unix48 => Err(NotationError::UuidOfLayout(layout)),
            Notation::Uuid => {
                let uuid = Uuid::try_parse(text).map_err(|_| NotationError::NoUuid)?;
                Ok(of_stamp(Stamp::from_uuid(uuid)?, layout))
            }
            Notation::Human => human(text, layout),
        }
    }
}

fn of_timestamp(timestamp: Timestamp, layout: AnyLayout) -> AnyStamp {
    AnyStamp::new(layout, timestamp.into(), None)
}

fn of_stamp(stamp: Stamp, layout: AnyLayout) -> AnyStamp {
    of_timestamp(stamp.timestamp(), layout).at_node(Some(*stamp.node()))
}

/// A timestamp below 2^64, a stamp from there on: no stamp is below, because no timestamp is zero.
fn of_number(number: u128, layout: AnyLayout) -> Result<AnyStamp, NotationError> {
    match u64::try_from(number) {
        Ok(bits) => {
            let timestamp = Timestamp::from_bits(bits).ok_or(DecodeError::ZeroTimestamp)?;
            Ok(of_timestamp(timestamp, layout))
        }
        Err(_) => Ok(of_stamp(Stamp::from_u128(number)?, layout)),
    }
}

fn hex(text: &str, layout: AnyLayout) -> Result<AnyStamp, NotationError> {
    let digits = text.strip_prefix("0x");
    let number = digits.unwrap_or(text);
    // A sign would be read as well.
    if !number.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(NotationError::NoNumber);
    }
    if digits.is_some() {
        return of_number(u128::from_str_radix(number, 16)?, layout);
    }
    /// Two digits a byte.
    const TIMESTAMP: usize = 2 * size_of::<u64>();
    const STAMP: usize = 2 * size_of::<u128>();
    const ENVELOPE: usize = 2 * <Stamp>::ENVELOPE_LEN;
    match number.len() {
        TIMESTAMP => of_number(u64::from_str_radix(number, 16)?.into(), layout),
        STAMP => Ok(of_stamp(Stamp::from_u128(u128::from_str_radix(number, 16)?)?, layout)),
        ENVELOPE => {
            let mut envelope = [0; <Stamp>::ENVELOPE_LEN];
            for (byte, digits) in envelope.iter_mut().zip(number.as_bytes().chunks(2)) {
                let digits = digits.iter().filter_map(|digit| char::from(*digit).to_digit(16));
                // Two digits make less than 256.
                *byte =
                    digits.fold(0, |byte: u8, digit| (byte << 4) | u8::try_from(digit).unwrap_or_default());
            }
            Ok(of_stamp(Stamp::from_envelope(&envelope)?, layout))
        }
        digits => Err(NotationError::HexLength(digits)),
    }
}

fn human(text: &str, layout: AnyLayout) -> Result<AnyStamp, NotationError> {
    let (text, node) = match text.split_once('@') {
        Some((text, node)) => (text, Some(node.parse::<NodeId>()?)),
        None => (text, None),
    };
    let (time, counter) = match text.split_once('+') {
        Some((time, counter)) if counter.bytes().all(|digit| digit.is_ascii_digit()) => {
            (time, Some(counter.parse::<u32>()?))
        }
        Some(_) => return Err(NotationError::NoTime),
        None => (text, None),
    };
    let time = humantime::parse_rfc3339(time).map_err(|_| NotationError::NoTime)?;
    let since = time.duration_since(std::time::SystemTime::UNIX_EPOCH).map_err(|_| NotationError::NoTime)?;
    let bits = layout.visit(At { time: PhysicalTime::from_duration(since), counter, layout })?;
    Ok(AnyStamp::new(layout, bits, node))
}

/// Makes a timestamp of a time and a counter.
struct At {
    time: PhysicalTime,
    counter: Option<u32>,
    layout: AnyLayout,
}

impl ForLayout for At {
    type Output = Result<NonZeroU64, NotationError>;

    fn run<L: Layout>(self) -> Self::Output {
        // Such a time would read as the epoch.
        if self.time.secs() < L::EPOCH_UNIX_SECS {
            return Err(NotationError::NotInLayout(self.layout));
        }
        let first = Packed::<L>::first_at(self.time).ok_or(NotationError::NotInLayout(self.layout))?;
        let Some(counter) = self.counter else { return Ok(first.into()) };
        Ok(Packed::<L>::from_parts(first.physical_units(), counter)?.into())
    }
}

/// Why a text is no stamp.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotationError {
    /// It looks like none of the notations.
    Unknown,
    /// It is no text form.
    Text(TextError),
    /// Its bytes, or its number, are no stamp.
    Decode(DecodeError),
    /// It has other characters than the digits of its notation.
    NoNumber,
    /// It has more digits than a stamp, or none.
    Number(ParseIntError),
    /// It has another number of hexadecimal digits than the bytes of a timestamp, a stamp or an envelope.
    HexLength(usize),
    /// It is no UUID.
    NoUuid,
    /// It is a UUID, but of no stamp.
    Uuid(UuidError),
    /// It is a UUID, which stamps of this layout have not.
    UuidOfLayout(AnyLayout),
    /// It is no time in UTC, with or without a counter.
    NoTime,
    /// Its time is before the epoch of this layout, or after its end.
    NotInLayout(AnyLayout),
    /// Its counter has no room in its layout, or time and counter are both zero.
    Parts(PartsOutOfRange),
}

impl fmt::Display for NotationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("neither text, hex, integer, uuid nor time"),
            Self::Text(why) => why.fmt(f),
            Self::Decode(why) => why.fmt(f),
            Self::NoNumber => f.write_str("not only digits"),
            Self::Number(why) => why.fmt(f),
            Self::HexLength(digits) => {
                write!(
                    f,
                    "{digits} hexadecimal digits, where a timestamp has 16, a stamp 32 and an envelope 34"
                )
            }
            Self::NoUuid => f.write_str("not a UUID"),
            Self::Uuid(why) => why.fmt(f),
            Self::UuidOfLayout(layout) => NoSuchForm::UuidOfLayout(*layout).fmt(f),
            Self::NoTime => {
                f.write_str("not a time as 2023-11-14T22:13:20.000Z or 2023-11-14T22:13:20.000Z+7")
            }
            Self::NotInLayout(layout) => write!(f, "before the epoch of {layout}, or after its end"),
            Self::Parts(why) => why.fmt(f),
        }
    }
}

impl Error for NotationError {}

macro_rules! from {
    ($($cause:ty => $variant:ident;)+) => {$(
        impl From<$cause> for NotationError {
            fn from(cause: $cause) -> Self {
                Self::$variant(cause)
            }
        }
    )+};
}
from! {
    TextError => Text;
    DecodeError => Decode;
    ParseIntError => Number;
    UuidError => Uuid;
    PartsOutOfRange => Parts;
}

/// A stamp has no such form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoSuchForm {
    /// The UUID of a stamp is one of the layout `Unix48`.
    UuidOfLayout(AnyLayout),
    /// The UUID of a stamp holds its node.
    UuidWithoutNode,
}

impl fmt::Display for NoSuchForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UuidOfLayout(layout) => write!(f, "stamps of {layout} have no UUID, only those of Unix48"),
            Self::UuidWithoutNode => f.write_str("a UUID holds a node, and there is none"),
        }
    }
}

impl Error for NoSuchForm {}

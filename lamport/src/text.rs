//! To and from text, as FORMAT.md says: text sorts as the values do.

use core::fmt;
use core::str::FromStr;

use crate::{Stamp, TextError, Time};

/// Between the two groups of a stamp. It sorts below every digit.
const SEPARATOR: u8 = b'-';

const _: () =
    assert!(Stamp::<u64>::TEXT_BYTES == Time::TEXT_BYTES + 1 + Time::TEXT_BYTES, "two groups, joined");

impl Time {
    /// The length of the text in bytes.
    pub const TEXT_BYTES: usize = 16;
}

impl Stamp<u64> {
    /// The length of the text in bytes.
    pub const TEXT_BYTES: usize = 33;
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.get())
    }
}

impl fmt::Display for Stamp<u64> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{:016x}", self.time(), char::from(SEPARATOR), self.node())
    }
}

impl FromStr for Time {
    type Err = TextError;

    /// Parses exactly what `Display` writes: sixteen lower-case digits, no sign, no prefix, no space.
    fn from_str(text: &str) -> Result<Self, TextError> {
        let length = TextError::Length { found: text.len(), expected: Self::TEXT_BYTES };
        let digits = text.as_bytes().try_into().map_err(|_| length)?;
        parse_group(digits, 0).map(Self::new)
    }
}

impl FromStr for Stamp<u64> {
    type Err = TextError;

    /// Parses exactly what `Display` writes: two groups of sixteen lower-case digits, joined by `-`.
    fn from_str(text: &str) -> Result<Self, TextError> {
        let length = TextError::Length { found: text.len(), expected: Self::TEXT_BYTES };
        let (time, rest) = text.as_bytes().split_first_chunk().ok_or(length)?;
        let (&separator, node) = rest.split_first().ok_or(length)?;
        let node = node.try_into().map_err(|_| length)?;
        let time = parse_group(time, 0)?;
        if separator != SEPARATOR {
            return Err(TextError::Separator { at: Time::TEXT_BYTES });
        }
        let node = parse_group(node, Time::TEXT_BYTES.saturating_add(1))?;
        Ok(Self::new(Time::new(time), node))
    }
}

/// The number of sixteen digits that begin at byte `start` of the text.
fn parse_group(digits: &[u8; Time::TEXT_BYTES], start: usize) -> Result<u64, TextError> {
    digits.iter().enumerate().try_fold(0, |number: u64, (offset, &byte)| match digit(byte) {
        Some(digit) => Ok((number << 4) | u64::from(digit)),
        None => Err(TextError::Digit { at: start.saturating_add(offset) }),
    })
}

/// The value of a digit. Upper case is refused, so that each value has one text.
fn digit(byte: u8) -> Option<u32> {
    if byte.is_ascii_uppercase() { None } else { char::from(byte).to_digit(16) }
}

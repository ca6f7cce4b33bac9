//! Lower-case hexadecimal, as FORMAT.md says: each value has one text.

use core::fmt;

use crate::DecodeError;

/// Writes two digits for each byte.
pub(crate) fn write_hex(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

/// Reads `N` bytes from exactly twice as many digits, which begin at byte `start` of the whole text.
pub(crate) fn from_hex<const N: usize>(digits: &[u8], start: usize) -> Result<[u8; N], DecodeError> {
    let expected = N.saturating_mul(2);
    if digits.len() != expected {
        return Err(DecodeError::Length { found: digits.len(), expected });
    }
    let digit = |at: usize| {
        digits
            .get(at)
            .and_then(|&byte| value(byte))
            .ok_or(DecodeError::Digit { at: start.saturating_add(at) })
    };
    let mut bytes = [0; N];
    for (place, byte) in bytes.iter_mut().enumerate() {
        let at = place.saturating_mul(2);
        *byte = (digit(at)? << 4) | digit(at.saturating_add(1))?;
    }
    Ok(bytes)
}

/// The value of a digit. Upper case is refused.
const fn value(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte.wrapping_sub(b'0')),
        b'a'..=b'f' => Some(byte.wrapping_sub(b'a').wrapping_add(10)),
        _ => None,
    }
}

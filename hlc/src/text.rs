//! Sixteen lower-case hexadecimal digits, there and back.
//!
//! Both directions work on the whole word at once and branch only when a digit is bad: a stamp is written
//! and read in the time of a few loads.

use crate::{BadDigit, WrongLength};

/// One in each byte.
const EACH: u64 = 0x0101_0101_0101_0101;

/// Returns the 16 digits of `word`, most significant first.
#[inline]
pub(crate) const fn hex16(word: u64) -> [u8; 16] {
    let [a, b, c, d, e, f, g, h] = hex8(word >> 32);
    let [i, j, k, l, m, n, o, p] = hex8(word & 0xffff_ffff);
    [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]
}

/// Returns the 8 digits of a number below 2^32.
#[inline]
const fn hex8(number: u64) -> [u8; 8] {
    // One digit's four bits to a byte: halves, then quarters, then eighths move apart.
    let x = (number | (number << 16)) & 0x0000_ffff_0000_ffff;
    let x = (x | (x << 8)) & 0x00ff_00ff_00ff_00ff;
    let x = (x | (x << 4)) & 0x0f0f_0f0f_0f0f_0f0f;
    // A digit above 9 plus 6 has bit 4 set; those move on from '0' + 10 to 'a'. No byte ever carries.
    let letters = (x.wrapping_add(6 * EACH) >> 4) & EACH;
    const ZEROS: u64 = b'0' as u64 * EACH;
    let to_letter = (b'a' - b'0' - 10) as u64;
    x.wrapping_add(ZEROS).wrapping_add(letters.wrapping_mul(to_letter)).to_be_bytes()
}

/// Returns the bytes as text. They are ASCII wherever this crate calls it, so that nothing is lost.
#[inline]
pub(crate) fn as_str(ascii: &[u8]) -> &str {
    debug_assert!(ascii.is_ascii(), "only this crate's own digits and separators come here");
    core::str::from_utf8(ascii).unwrap_or_default()
}

/// Returns `bytes` as an array, where there are exactly `N` of them.
#[inline]
pub(crate) fn exactly<const N: usize>(bytes: &[u8]) -> Result<&[u8; N], WrongLength> {
    bytes.try_into().map_err(|_| WrongLength::new(bytes.len(), N))
}

/// Reads 16 lower-case hex digits.
#[inline]
pub(crate) fn parse_hex16(digits: &[u8; 16]) -> Result<u64, BadDigit> {
    let both = u128::from_be_bytes(*digits);
    #[expect(clippy::cast_possible_truncation, reason = "the two halves are taken apart")]
    let (high, low) = (parse_hex8((both >> 64) as u64), parse_hex8(both as u64));
    if high.bad | low.bad != 0 {
        return Err(first_bad(digits));
    }
    Ok((high.number << 32) | low.number)
}

/// What eight digits stand for.
struct Hex8 {
    /// Below 2^32; means nothing unless `bad` is zero.
    number: u64,
    /// Zero where all eight are digits.
    bad: u64,
}

/// Reads 8 characters, the first in the most significant byte.
#[inline]
const fn parse_hex8(text: u64) -> Hex8 {
    const HIGH_NIBBLES: u64 = 0xf0 * EACH;
    const ZEROS: u64 = b'0' as u64 * EACH;
    const TO_LETTER: u64 = (b'a' - b'0' - 10) as u64;
    // Bit 6 tells 'a' to 'f' from '0' to '9'. A digit is then '0' + value, and 0x27 more for a letter.
    let letters = (text >> 6) & EACH;
    let values = text.wrapping_sub(ZEROS).wrapping_sub(letters.wrapping_mul(TO_LETTER));
    // Where every value is below 16, no byte borrowed from the next (adding back carries nowhere), so that
    // the values are those of the characters, each with or without the 0x27. What is left are characters
    // after '9' and before 'a': a value plus 6 reaches 16 just where it needs a letter.
    let needs_letter = values.wrapping_add(6 * EACH);
    let bad = (values | (needs_letter ^ (letters << 4))) & HIGH_NIBBLES;

    // One digit's four bits to a byte: eighths, quarters and halves move together.
    let x = (values | (values >> 4)) & 0x00ff_00ff_00ff_00ff;
    let x = (x | (x >> 8)) & 0x0000_ffff_0000_ffff;
    let number = (x | (x >> 16)) & 0xffff_ffff;
    Hex8 { number, bad }
}

/// The place of the first character that is no digit.
#[cold]
fn first_bad(digits: &[u8; 16]) -> BadDigit {
    let is_bad = |digit: &u8| !matches!(digit, b'0'..=b'9' | b'a'..=b'f');
    BadDigit::new(digits.iter().position(is_bad).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn every_digit_stands_in_every_place_and_comes_back() {
        for place in 0..16 {
            for digit in 0..16_u64 {
                let word = digit << (4 * place);
                let text = hex16(word);
                assert_eq!(as_str(&text), format!("{word:016x}"));
                assert_eq!(parse_hex16(&text), Ok(word));
            }
        }
    }

    #[test]
    fn what_is_bad_in_both_halves_alike_is_bad() {
        for bad in (0..=u8::MAX).filter(|byte| !matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            assert_eq!(parse_hex16(&[bad; 16]), Err(BadDigit::new(0)), "{bad:#x}");
            let mut text = *b"0123456701234567";
            (text[7], text[15]) = (bad, bad);
            assert_eq!(parse_hex16(&text), Err(BadDigit::new(7)), "{bad:#x}");
        }
    }

    #[test]
    fn only_sixteen_lower_case_digits_are_digits() {
        for byte in 0..=u8::MAX {
            let good = byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
            for place in 0..16 {
                let mut text = *b"0123456789abcdef";
                text[place] = byte;
                let read = parse_hex16(&text);
                assert_eq!(read.is_ok(), good, "{byte:#x} at {place}");
                if !good {
                    assert_eq!(read, Err(BadDigit::new(place)));
                }
            }
        }
    }
}

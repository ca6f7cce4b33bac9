//! Integers of one to seventeen bytes, whose byte order is their value order.

use super::encode::Sink;
use super::error::DecodeError;

/// The values below this one are a byte by themselves; the bytes from this one on say how many bytes follow.
const LITERALS: u8 = 240;
/// The longest integer after its length byte: 128 bits.
const MAX_BYTES: usize = size_of::<u128>();

const _: () = assert!(LITERALS as usize + MAX_BYTES == u8::MAX as usize + 1, "the lengths fill the byte");

/// Writes `value` in its one form, the shortest.
#[inline]
pub(crate) fn put<S: Sink>(sink: &mut S, value: u128) {
    match u8::try_from(value) {
        Ok(literal) if literal < LITERALS => sink.put(&[literal]),
        _ => put_long(sink, value),
    }
}

fn put_long<S: Sink>(sink: &mut S, value: u128) {
    let zeros = value.leading_zeros() / u8::BITS;
    let bytes = value.to_be_bytes();
    // The length of all sixteen bytes is the highest there is, and each byte less is one below it.
    if let (Ok(zeros), Ok(fewer)) = (usize::try_from(zeros), u8::try_from(zeros)) {
        sink.put(&[u8::MAX.saturating_sub(fewer)]);
        sink.put(bytes.get(zeros..).unwrap_or_default());
    }
}

/// Reads integers off the front of a slice.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// What has not been read.
    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.bytes
    }

    pub(crate) fn take_byte(&mut self) -> Result<u8, DecodeError> {
        let (first, rest) = self.bytes.split_first().ok_or(DecodeError::Truncated)?;
        self.bytes = rest;
        Ok(*first)
    }

    pub(crate) fn take_bytes(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        let (taken, rest) = self.bytes.split_at_checked(len).ok_or(DecodeError::Truncated)?;
        self.bytes = rest;
        Ok(taken)
    }

    /// Reads an integer of two to nine bytes with one load, unless it is so near the end that this would read past it.
    #[inline]
    fn take_word(&mut self) -> Option<Result<u64, DecodeError>> {
        const WORD_BYTES: u32 = u64::BITS / u8::BITS;
        let (first, rest) = self.bytes.split_first()?;
        let length = u32::from(first.checked_sub(LITERALS)?).saturating_add(1);
        let unused = WORD_BYTES.checked_sub(length)?.saturating_mul(u8::BITS);
        let word = u64::from_be_bytes(*rest.first_chunk()?);
        let value = word.checked_shr(unused)?;
        self.bytes = rest.get(usize::try_from(length).ok()?..)?;
        let shorter_exists = value < u64::from(LITERALS) || word.leading_zeros() >= u8::BITS;
        Some(if shorter_exists { Err(DecodeError::Overlong) } else { Ok(value) })
    }

    /// Reads an integer of up to 128 bits, and refuses any form of it but the shortest.
    pub(crate) fn take(&mut self) -> Result<u128, DecodeError> {
        if let Some(word) = self.take_word() {
            return word.map(u128::from);
        }
        let first = self.take_byte()?;
        let Some(more) = first.checked_sub(LITERALS) else { return Ok(u128::from(first)) };
        let bytes = self.take_bytes(usize::from(more).saturating_add(1))?;
        let value = bytes.iter().fold(0_u128, |value, byte| value << 8 | u128::from(*byte));
        let shorter_exists = value < u128::from(LITERALS) || bytes.first() == Some(&0);
        if shorter_exists { Err(DecodeError::Overlong) } else { Ok(value) }
    }

    /// Reads an integer of up to 64 bits.
    pub(crate) fn take_u64(&mut self) -> Result<u64, DecodeError> {
        // The common case, without 128-bit arithmetic.
        if let Some((first, rest)) = self.bytes.split_first()
            && *first < LITERALS
        {
            self.bytes = rest;
            return Ok(u64::from(*first));
        }
        if let Some(word) = self.take_word() {
            return word;
        }
        self.take()?.try_into().map_err(|_| DecodeError::TooWide)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn bytes_of(value: u128) -> Vec<u8> {
        let mut bytes = Vec::new();
        put(&mut bytes, value);
        bytes
    }

    /// The ends of every length, and their neighbours.
    fn edges() -> Vec<u128> {
        let mut edges: Vec<u128> = (0..=300).collect();
        for bits in (8..128).step_by(8) {
            let power = 1_u128 << bits;
            edges.extend([power.wrapping_sub(1), power, power.wrapping_add(1)]);
        }
        edges.extend([u128::MAX - 1, u128::MAX]);
        edges.sort_unstable();
        edges.dedup();
        edges
    }

    #[test]
    fn an_integer_comes_back_and_nothing_is_left() {
        for value in edges() {
            let bytes = bytes_of(value);
            let mut reader = Reader::new(&bytes);
            assert_eq!(reader.take(), Ok(value));
            assert!(reader.rest().is_empty());
        }
    }

    #[test]
    fn the_order_of_the_bytes_is_the_order_of_the_values() {
        for pair in edges().windows(2) {
            assert!(bytes_of(pair[0]) < bytes_of(pair[1]), "{pair:?}");
        }
    }

    #[test]
    fn every_input_of_three_bytes_is_an_error_or_the_one_form_of_its_value() {
        // From the last literal on; the ones before it differ in nothing.
        for first in LITERALS.saturating_sub(1)..=u8::MAX {
            for rest in 0..=u16::MAX {
                let [second, third] = rest.to_be_bytes();
                let bytes = [first, second, third];
                let mut reader = Reader::new(&bytes);
                if let Ok(value) = reader.take() {
                    let written = bytes_of(value);
                    assert_eq!([&written, reader.rest()].concat(), bytes, "{bytes:02x?}");
                }
            }
        }
    }

    #[test]
    fn what_comes_behind_an_integer_does_not_change_what_is_read() {
        for first in 0..=u8::MAX {
            let length = usize::from(first.saturating_sub(LITERALS - 1));
            for (second, others) in
                [(0, 0), (0, 0xff), (1, 0), (LITERALS - 1, 1), (LITERALS, 2), (0xff, 0xff)]
            {
                let mut alone = [&[first, second], [others; MAX_BYTES].as_slice()].concat();
                alone.truncate(1 + length);
                let followed = [alone.as_slice(), &[0x5a; 20]].concat();
                let (mut short, mut long) = (Reader::new(&alone), Reader::new(&followed));
                assert_eq!(long.take(), short.take(), "{alone:02x?}");
                assert_eq!(long.rest(), [short.rest(), &[0x5a; 20]].concat(), "{alone:02x?}");
                let (mut short, mut long) = (Reader::new(&alone), Reader::new(&followed));
                assert_eq!(long.take_u64(), short.take_u64(), "{alone:02x?}");
            }
        }
    }
}

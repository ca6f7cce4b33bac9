//! Bits, the highest of each byte first, and the paper's code for numbers.

use alloc::vec::Vec;

/// The bits ended before the value did, or a number was above every counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BitError {
    Truncated,
    Number,
}

/// Appends bits to bytes; the last byte is filled up with zeros.
#[derive(Debug)]
pub(super) struct BitWriter {
    bytes: Vec<u8>,
    /// How many bits of the last byte are free.
    free: u32,
}

impl BitWriter {
    /// Goes on after whole bytes.
    pub(super) const fn after(bytes: Vec<u8>) -> Self {
        Self { bytes, free: 0 }
    }

    /// Appends the lowest `width` bits of `value`.
    pub(super) fn bits(&mut self, value: u64, width: u32) {
        for place in (0..width).rev() {
            let bit = value.checked_shr(place).unwrap_or(0) & 1;
            if self.free == 0 {
                self.bytes.push(0);
                self.free = u8::BITS;
            }
            self.free = self.free.saturating_sub(1);
            if let Some(last) = self.bytes.last_mut().filter(|_| bit == 1) {
                *last |= 1_u8.checked_shl(self.free).unwrap_or(0);
            }
        }
    }

    /// Appends a number: `enc_n(number, 2)` in the paper.
    ///
    /// A group of `width` bits holds 2^width numbers; for each group that the number is past, a 1, then a 0 and
    /// the place in its own group. There is one code for each number.
    pub(super) fn number(&mut self, number: u64) {
        let mut rest = number;
        let mut width = FIRST_WIDTH;
        while let Some(size) = group_size(width).filter(|size| rest >= *size) {
            rest = rest.saturating_sub(size);
            width = width.saturating_add(1);
            self.bits(1, 1);
        }
        self.bits(0, 1);
        self.bits(rest, width);
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// Reads bits from bytes.
#[derive(Debug)]
pub(super) struct BitReader<'a> {
    bytes: core::slice::Iter<'a, u8>,
    current: u8,
    left: u32,
}

impl<'a> BitReader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes: bytes.iter(), current: 0, left: 0 }
    }

    /// Reads `width` bits as a number.
    pub(super) fn bits(&mut self, width: u32) -> Result<u64, BitError> {
        let mut value = 0_u64;
        for _ in 0..width {
            if self.left == 0 {
                self.current = *self.bytes.next().ok_or(BitError::Truncated)?;
                self.left = u8::BITS;
            }
            self.left = self.left.saturating_sub(1);
            let bit = self.current.checked_shr(self.left).unwrap_or(0) & 1;
            value = (value << 1) | u64::from(bit);
        }
        Ok(value)
    }

    /// Reads a number. It stops at the first bit that makes the number too great, so it reads at most 125 bits.
    pub(super) fn number(&mut self) -> Result<u64, BitError> {
        let mut base = 0_u64;
        let mut width = FIRST_WIDTH;
        while self.bits(1)? == 1 {
            base = group_size(width).and_then(|size| base.checked_add(size)).ok_or(BitError::Number)?;
            width = width.saturating_add(1);
        }
        let place = self.bits(width)?;
        base.checked_add(place).ok_or(BitError::Number)
    }
}

/// The first group has 2 bits.
const FIRST_WIDTH: u32 = 2;

/// How many numbers a group has, or `None` when more than there are.
const fn group_size(width: u32) -> Option<u64> {
    1_u64.checked_shl(width)
}

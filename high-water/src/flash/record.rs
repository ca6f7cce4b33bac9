//! `FlashRecord`, 40 bytes, and its `Seal`, 8 bytes, as FORMAT.md lays them out.

use crate::identity::Identity;
use crate::record::RecordError;
use crc::{CRC_32_ISO_HDLC, Crc, NoTable};

//   0    2  3  4    6    8         24    28     36   40
//  +----+--+--+----+----+----------+-----+------+----+
//  |"HW"|v |z |at  |of  | identity | seq | value| CRC|
//  +----+--+--+----+----+----------+-----+------+----+
const RECORD_LEN: usize = 40;
const CHECKED_LEN: usize = RECORD_LEN - size_of::<u32>();
const MAGIC: [u8; 2] = *b"HW";
const VERSION: u8 = 1;
/// Those after the count of zeros, and before the checksum.
const COUNTED: core::ops::Range<usize> = 4..CHECKED_LEN;

const _: () = assert!(MAGIC.len() + 1 + 1 + 2 + 2 + 16 + 4 + 8 == CHECKED_LEN, "the fields fill the record");

/// Bit by bit: a table is a kilobyte of flash at least, and a record is short.
const CRC: Crc<u32, NoTable> = Crc::<u32, NoTable>::new(&CRC_32_ISO_HDLC);

/// One value of a [`FlashMark`](crate::FlashMark): 40 bytes, checksummed, and made so that no part of its ones and
/// zeros can pass for the whole.
///
/// For tools that read a flash image by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FlashRecord {
    pub(super) identity: Identity,
    pub(super) sector: u16,
    /// At least two, and more than `sector`.
    pub(super) sectors: u16,
    pub(super) sequence: u32,
    pub(super) value: u64,
}

impl FlashRecord {
    /// The length of a record, in bytes.
    pub const LEN: usize = RECORD_LEN;

    /// Reads a record.
    ///
    /// # Errors
    ///
    /// - [`RecordError::Damaged`] when the checksum, the magic or the count of zeros is wrong: interrupted, rotten or
    ///   never written.
    /// - [`RecordError::Version`] when the record is whole and of a version that this crate does not know.
    /// - [`RecordError::Malformed`] when it is whole and claims a sector that its region does not have.
    pub fn from_bytes(bytes: &[u8; Self::LEN]) -> Result<Self, RecordError> {
        // Before the checksum, which takes its time: nearly all of a region is erased.
        if !bytes.starts_with(&MAGIC) {
            return Err(RecordError::Damaged);
        }
        let mut fields = Fields(bytes);
        Self::decode(&mut fields, checksum(bytes), zeros(bytes)).unwrap_or(Err(RecordError::Malformed))
    }

    /// `None` where a field does not fit, which the layout rules out.
    fn decode(fields: &mut Fields<'_>, checksum: u32, zeros: u8) -> Option<Result<Self, RecordError>> {
        let [_, _, version, counted] = fields.take()?;
        let sector = u16::from_be_bytes(fields.take()?);
        let sectors = u16::from_be_bytes(fields.take()?);
        let identity = Identity::from_bytes(fields.take()?);
        let sequence = u32::from_be_bytes(fields.take()?);
        let value = u64::from_be_bytes(fields.take()?);
        if u32::from_be_bytes(fields.take()?) != checksum || counted != zeros {
            return Some(Err(RecordError::Damaged));
        }
        if version != VERSION {
            return Some(Err(RecordError::Version(version)));
        }
        if sectors < 2 || sector >= sectors {
            return Some(Err(RecordError::Malformed));
        }
        Some(Ok(Self { identity, sector, sectors, sequence, value }))
    }

    /// Writes the record.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        let mut rest = bytes.iter_mut();
        let mut put = |field: &[u8]| field.iter().zip(rest.by_ref()).for_each(|(from, to)| *to = *from);
        put(&MAGIC);
        put(&[VERSION, 0]);
        put(&self.sector.to_be_bytes());
        put(&self.sectors.to_be_bytes());
        put(&self.identity.to_bytes());
        put(&self.sequence.to_be_bytes());
        put(&self.value.to_be_bytes());
        let zeros = zeros(&bytes);
        let [_, _, _, counted, ..] = &mut bytes;
        *counted = zeros;
        let checksum = checksum(&bytes);
        if let Some(last) = bytes.last_chunk_mut() {
            *last = checksum.to_be_bytes();
        }
        bytes
    }

    /// The eight bytes that are programmed, twice, after both copies of the record.
    #[must_use]
    pub fn seal(&self) -> [u8; 8] {
        Seal::of(&self.to_bytes()).to_bytes()
    }

    /// Whose mark this is.
    #[must_use]
    pub const fn identity(&self) -> Identity {
        self.identity
    }

    /// The sector of the region that the record was written to, from zero.
    #[must_use]
    pub const fn sector(&self) -> u16 {
        self.sector
    }

    /// How many sectors the region has.
    #[must_use]
    pub const fn sectors(&self) -> u16 {
        self.sectors
    }

    /// How many sectors were begun before this one.
    #[must_use]
    pub const fn sequence(&self) -> u32 {
        self.sequence
    }

    /// The value.
    #[must_use]
    pub const fn value(&self) -> u64 {
        self.value
    }
}

fn checksum(bytes: &[u8; RECORD_LEN]) -> u32 {
    CRC.checksum(bytes.first_chunk::<CHECKED_LEN>().map_or(&[], <[u8; CHECKED_LEN]>::as_slice))
}

/// How many of the counted bits are zero: Berger's code. A record that was not programmed to its end has fewer
/// zeros than the whole one, and its count, being a number that lacks zeros too, claims at least as many.
fn zeros(bytes: &[u8; RECORD_LEN]) -> u8 {
    let counted = bytes.get(COUNTED).unwrap_or(&[]);
    let zeros = counted.iter().fold(0_u32, |zeros, byte| zeros.wrapping_add(byte.count_zeros()));
    // Of 256 bits at least one is set, because a region has two sectors or more.
    u8::try_from(zeros).unwrap_or(u8::MAX)
}

struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*field)
    }
}

/// The third and the fourth field of an entry: the checksum of its record, and the complement of that. No part of its zeros is a
/// seal, nor are eight equal bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seal(u32);

impl Seal {
    pub(super) const LEN: usize = 2 * size_of::<u32>();

    pub(super) fn of(record: &[u8; RECORD_LEN]) -> Self {
        Self(record.last_chunk().map_or(0, |last| u32::from_be_bytes(*last)))
    }

    pub(super) fn from_bytes(bytes: &[u8; Self::LEN]) -> Option<Self> {
        let word = u64::from_be_bytes(*bytes);
        let [high, low] = [word >> u32::BITS, word & u64::from(u32::MAX)].map(u32::try_from);
        let (tag, complement) = (high.ok()?, low.ok()?);
        (tag == !complement).then_some(Self(tag))
    }

    pub(super) fn to_bytes(self) -> [u8; Self::LEN] {
        let [tag, complement] = [self.0, !self.0].map(u64::from);
        (tag << u32::BITS | complement).to_be_bytes()
    }

    pub(super) const fn tag(self) -> u32 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_part_of_a_seal_and_no_eight_equal_bytes_are_a_seal() {
        for tag in [0, 1, 0xe7e2_bbf7, u32::MAX - 1, u32::MAX] {
            let whole = Seal(tag).to_bytes();
            assert_eq!(Seal::from_bytes(&whole), Some(Seal(tag)));
            let zeros = !u64::from_be_bytes(whole);
            // Every bit that was to be cleared and is not, alone and with all after it.
            for bit in (0..u64::BITS).map(|bit| 1 << bit).filter(|bit| zeros & bit != 0) {
                for missing in [bit, zeros & !(bit - 1), zeros] {
                    let part = (!zeros | missing).to_be_bytes();
                    assert_eq!(Seal::from_bytes(&part), None, "{part:02x?}");
                }
            }
        }
        for byte in 0..=u8::MAX {
            assert_eq!(Seal::from_bytes(&[byte; Seal::LEN]), None, "{byte:02x}");
        }
    }
}

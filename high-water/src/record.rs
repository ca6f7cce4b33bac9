//! `Record`: one value with its payload, as the 512 bytes that FORMAT.md lays out.

use crate::identity::{Identity, Origin, Payload};
#[cfg(feature = "std")]
use crate::rule::{Half, Head, Place, Slot};
use core::fmt;

//   0        8  9  10  12   16         32    40     48     56     64        320        508   512
//  +--------+--+--+---+----+----------+-----+------+------+------+---------+----------+-----+
//  | magic  |v |f |len| 0  | identity | seq | value| inode| birth| payload | 0        | CRC |
//  +--------+--+--+---+----+----------+-----+------+------+------+---------+----------+-----+
pub(crate) const RECORD_LEN: usize = 512;
const CHECKED_LEN: usize = RECORD_LEN - size_of::<u32>();
const MAGIC: [u8; 8] = *b"\x89HWMARK\n";
const VERSION: u8 = 1;
const RESERVED_LEN: usize = 188;

const FLAG_OPENING: u8 = 1 << 0;
const FLAG_ORIGIN: u8 = 1 << 1;
const FLAG_BIRTH: u8 = 1 << 2;

const _: () = assert!(
    MAGIC.len() + 1 + 1 + 2 + 4 + 16 + 4 * 8 + Payload::MAX_LEN + RESERVED_LEN == CHECKED_LEN,
    "the fields fill the record"
);

/// How far apart two places are: further than any page or sector that a failing write takes with it.
pub(crate) const CELL_LEN: u64 = 16 * 1024;

/// The length of a register's file.
pub(crate) const FILE_LEN: u64 = CELL_LEN * 6;

#[cfg(feature = "std")]
const _: () = assert!(FILE_LEN == CELL_LEN * Place::ALL.len() as u64, "all places, and nothing behind them");

/// What the writer of a record knew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// The record before it was durable.
    Raise,
    /// Nothing.
    Opening,
}

/// One value of a register with what belongs to it: 512 bytes, checksummed.
///
/// For tools that read a register's file by themselves. [`Register`](crate::Register) is the way to use one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Record {
    pub(crate) identity: Identity,
    pub(crate) sequence: u64,
    pub(crate) value: u64,
    pub(crate) payload: Payload,
    pub(crate) origin: Option<Origin>,
    pub(crate) kind: Kind,
}

impl Record {
    /// The length of a record, in bytes.
    pub const LEN: usize = RECORD_LEN;

    /// Reads a record.
    ///
    /// # Errors
    ///
    /// - [`RecordError::Damaged`] when the checksum or the magic is wrong: torn, rotten or never written.
    /// - [`RecordError::Version`] when the record is whole and of a version that this crate does not know.
    /// - [`RecordError::Malformed`] when it is whole and breaks the format.
    pub fn from_bytes(bytes: &[u8; Self::LEN]) -> Result<Self, RecordError> {
        let mut fields = Fields(bytes);
        Self::decode(&mut fields, checksum(bytes)).unwrap_or(Err(RecordError::Malformed))
    }

    /// `None` where a field does not fit, which the layout rules out.
    fn decode(fields: &mut Fields<'_>, checksum: u32) -> Option<Result<Self, RecordError>> {
        let magic: [u8; 8] = fields.take()?;
        let [version, flags] = fields.take()?;
        let len = u16::from_be_bytes(fields.take()?);
        let reserved: [u8; 4] = fields.take()?;
        let identity = Identity::from_bytes(fields.take()?);
        let sequence = u64::from_be_bytes(fields.take()?);
        let value = u64::from_be_bytes(fields.take()?);
        let inode = u64::from_be_bytes(fields.take()?);
        let birth = u64::from_be_bytes(fields.take()?);
        let padded: [u8; Payload::MAX_LEN] = fields.take()?;
        let rest: [u8; RESERVED_LEN] = fields.take()?;
        if u32::from_be_bytes(fields.take()?) != checksum || magic != MAGIC {
            return Some(Err(RecordError::Damaged));
        }
        if version != VERSION {
            return Some(Err(RecordError::Version(version)));
        }
        let origin = (flags & FLAG_ORIGIN != 0)
            .then(|| Origin::new(inode, (flags & FLAG_BIRTH != 0).then_some(birth)));
        let kind = if flags & FLAG_OPENING == 0 { Kind::Raise } else { Kind::Opening };
        let payload = padded.get(..len.into()).and_then(|payload| Payload::new(payload).ok());
        let record = payload.map(|payload| Self { identity, sequence, value, payload, origin, kind });
        // Whatever is left of a field that a flag or a length leaves unused has to be zero: one value, one form.
        let canonical = record.filter(|record| {
            reserved == [0; 4]
                && rest == [0; RESERVED_LEN]
                && record.flags() == flags
                && record.payload.padded() == &padded
                && record.origin_fields() == (inode, birth)
        });
        Some(canonical.ok_or(RecordError::Malformed))
    }

    /// Writes the record.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        let mut rest = bytes.iter_mut();
        let mut put = |field: &[u8]| field.iter().zip(rest.by_ref()).for_each(|(from, to)| *to = *from);
        let (inode, birth) = self.origin_fields();
        put(&MAGIC);
        put(&[VERSION, self.flags()]);
        put(&self.payload.len().to_be_bytes());
        put(&[0; 4]);
        put(&self.identity.to_bytes());
        put(&self.sequence.to_be_bytes());
        put(&self.value.to_be_bytes());
        put(&inode.to_be_bytes());
        put(&birth.to_be_bytes());
        put(self.payload.padded());
        let checksum = checksum(&bytes);
        if let Some(last) = bytes.last_chunk_mut() {
            *last = checksum.to_be_bytes();
        }
        bytes
    }

    /// Whether the bytes begin as a record does, whole or not.
    #[cfg(feature = "std")]
    pub(crate) fn is_marked(bytes: &[u8; Self::LEN]) -> bool {
        bytes.starts_with(&MAGIC)
    }

    fn flags(&self) -> u8 {
        let opening = if self.kind == Kind::Opening { FLAG_OPENING } else { 0 };
        let origin = if self.origin.is_some() { FLAG_ORIGIN } else { 0 };
        let birth = if self.origin.is_some_and(|o| o.birth_nanos().is_some()) { FLAG_BIRTH } else { 0 };
        opening | origin | birth
    }

    fn origin_fields(&self) -> (u64, u64) {
        self.origin.map_or((0, 0), |origin| (origin.inode(), origin.birth_nanos().unwrap_or(0)))
    }

    /// What the rule has to know of it.
    #[cfg(feature = "std")]
    pub(crate) fn head(&self) -> Head {
        let tag = self.to_bytes().last_chunk().map_or(0, |last| u32::from_be_bytes(*last));
        Head { sequence: self.sequence, value: self.value, kind: self.kind, tag }
    }

    /// Whose register this is.
    #[must_use]
    pub const fn identity(&self) -> Identity {
        self.identity
    }

    /// The number of this record: it rises with every one that is written.
    #[must_use]
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The value.
    #[must_use]
    pub const fn value(&self) -> u64 {
        self.value
    }

    /// What belongs to the value.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        self.payload.as_bytes()
    }

    /// Which file the record was written to.
    #[must_use]
    pub const fn origin(&self) -> Option<Origin> {
        self.origin
    }

    /// Whether the record repeats a value on an opening, rather than raising it.
    #[must_use]
    pub const fn is_opening(&self) -> bool {
        matches!(self.kind, Kind::Opening)
    }
}

fn checksum(bytes: &[u8; RECORD_LEN]) -> u32 {
    crc32fast::hash(bytes.first_chunk::<CHECKED_LEN>().map_or(&[], <[u8; CHECKED_LEN]>::as_slice))
}

struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*field)
    }
}

#[cfg(feature = "std")]
impl Place {
    /// Where the place begins in the file, in bytes.
    pub(crate) const fn offset(self) -> u64 {
        match (self.half, self.slot) {
            (Half::First, Slot::A) => 0,
            (Half::First, Slot::B) => CELL_LEN,
            (Half::First, Slot::C) => 2 * CELL_LEN,
            (Half::Second, Slot::A) => 3 * CELL_LEN,
            (Half::Second, Slot::B) => 4 * CELL_LEN,
            (Half::Second, Slot::C) => 5 * CELL_LEN,
        }
    }
}

#[cfg(feature = "std")]
impl Slot {
    /// Whether a record belongs here.
    pub(crate) fn takes(self, record: &Record) -> bool {
        Self::of(record.sequence) == self
    }
}

/// Why 512 bytes are not a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum RecordError {
    /// The checksum or the magic is wrong: the record is torn or rotten, or there never was one.
    Damaged,
    /// The record is whole, and of this version, which is not known here.
    Version(u8),
    /// The record is whole, and breaks the format: a flag, a length or a reserved byte has no meaning.
    Malformed,
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged => f.write_str("checksum or magic does not match: torn, rotten or never written"),
            Self::Version(version) => write!(f, "record has version {version}, known is {VERSION}"),
            Self::Malformed => f.write_str("record has a valid checksum and breaks the format"),
        }
    }
}

impl core::error::Error for RecordError {}

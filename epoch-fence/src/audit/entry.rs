//! `Entry`: one write, as the log has it.

use alloc::vec::Vec;
use core::error::Error;
use core::fmt;

use super::{Anchor, LogHead, Place};
use crate::ResourceId;
use crate::protocol::{Record, RecordError};

/// The bytes of an entry that are not the record's: its length, and the hash.
const FRAME_BYTES: usize = size_of::<u16>() + LogHead::BYTES;

const _: () = assert!(
    Place::ENTRY_BYTES as usize == Record::MAX_BYTES + FRAME_BYTES,
    "the longest entry holds the longest record"
);

/// One write of a record, as the log has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    record: Record,
    anchor: Anchor,
    head: LogHead,
}

/// Why bytes are not an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EntryError {
    /// They are zero: nothing was written here.
    Blank,
    /// The length is none that an entry has, or there are fewer bytes.
    Length,
    /// The hash is not that of the record.
    Hash,
    /// What is hashed is no record.
    Record(RecordError),
    /// The record has no anchor.
    Anchor,
}

impl fmt::Display for EntryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blank => f.write_str("no entry"),
            Self::Length => f.write_str("an entry that ends early or has an impossible length"),
            Self::Hash => f.write_str("an entry whose hash is wrong: it was changed, or not written whole"),
            Self::Record(why) => write!(f, "an entry that holds no record: {why}"),
            Self::Anchor => f.write_str("an entry whose record has no anchor"),
        }
    }
}

impl Error for EntryError {}

impl Entry {
    /// The entry of a record; `None` where the record has no anchor.
    pub(crate) fn of(resource: ResourceId, record: Record) -> Option<Self> {
        let anchor = Anchor::from_info(record.info())?;
        let head = LogHead::of(resource, record.to_bytes().as_bytes());
        Some(Self { record, anchor, head })
    }

    /// Reads the entry at the beginning of the bytes.
    ///
    /// # Errors
    ///
    /// [`EntryError`], as it says.
    pub fn from_bytes(resource: ResourceId, bytes: &[u8]) -> Result<Self, EntryError> {
        if bytes.iter().take(size_of::<u16>()).all(|byte| *byte == 0) {
            return Err(EntryError::Blank);
        }
        let (length, rest) = bytes.split_first_chunk().ok_or(EntryError::Length)?;
        let length = usize::from(u16::from_be_bytes(*length));
        // Bounded, so that bytes of which none is an entry cost no more to search than their number.
        let of_record = length.checked_sub(FRAME_BYTES).filter(|length| *length <= Record::MAX_BYTES);
        let of_record = of_record.ok_or(EntryError::Length)?;
        let (record, rest) = rest.split_at_checked(of_record).ok_or(EntryError::Length)?;
        let head = LogHead::from_bytes(*rest.first_chunk().ok_or(EntryError::Length)?);
        if LogHead::of(resource, record) != head {
            return Err(EntryError::Hash);
        }
        let record = Record::from_bytes(record).map_err(EntryError::Record)?;
        let anchor = Anchor::from_info(record.info()).ok_or(EntryError::Anchor)?;
        Ok(Self { record, anchor, head })
    }

    /// Returns the bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let record = self.record.to_bytes();
        let record = record.as_bytes();
        let length = u16::try_from(record.len().saturating_add(FRAME_BYTES)).unwrap_or(u16::MAX);
        let mut bytes = Vec::with_capacity(length.into());
        bytes.extend(length.to_be_bytes());
        bytes.extend(record);
        bytes.extend(self.head.to_bytes());
        bytes
    }

    /// Returns the record that the write left.
    #[must_use]
    pub const fn record(&self) -> &Record {
        &self.record
    }

    /// Returns what the write was for, when and where it was logged, and what was before.
    #[must_use]
    pub const fn anchor(&self) -> &Anchor {
        &self.anchor
    }

    /// Returns the head of the log with this entry as its last.
    #[must_use]
    pub const fn head(&self) -> LogHead {
        self.head
    }

    /// The place of the next entry; `None` after the last one there can be.
    pub(crate) fn next_place(&self) -> Option<Place> {
        self.anchor.place.after(u32::try_from(self.to_bytes().len()).ok()?)
    }
}

//! The files of a log: room is made before anything is promised, entries are written into zeros.

use alloc::vec;
use alloc::vec::Vec;
use std::io;

use high_water::{Access, Medium};

use super::{During, FileError, LogFault};
use crate::ResourceId;
use crate::audit::{Entry, EntryError, LogHead, Place};

const MAGIC: [u8; 8] = *b"\x89EFAUDT\n";
const FORM: u8 = 1;
const RESERVED: [u8; 3] = [0; 3];

/// By how much a file grows at a time: all of it zero, and synced, so that an entry needs no block of the disk.
const CHUNK_BYTES: u64 = 64 * 1024;

/// The longest entry, and the length of the one behind it.
const LOOK_BYTES: usize = Place::ENTRY_BYTES as usize + size_of::<u16>();

const _: () = assert!(
    MAGIC.len() + 1 + RESERVED.len() + 4 + ResourceId::BYTES + 8 + LogHead::BYTES
        == Place::HEADER_BYTES as usize,
    "the fields fill the header"
);

/// What a file of a log begins with: which one it is, and what is before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) resource: ResourceId,
    pub(super) segment: u32,
    /// How many entries are before it.
    pub(super) index: u64,
    pub(super) before: LogHead,
}

impl Header {
    pub(super) fn to_bytes(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(Place::HEADER_BYTES as usize);
        bytes.extend(MAGIC);
        bytes.push(FORM);
        bytes.extend(RESERVED);
        bytes.extend(self.segment.to_be_bytes());
        bytes.extend(self.resource.to_bytes());
        bytes.extend(self.index.to_be_bytes());
        bytes.extend(self.before.to_bytes());
        bytes
    }

    /// Reads the header of a file; `None` where it is none.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (_, rest) = bytes.split_first_chunk::<{ MAGIC.len() + 1 + RESERVED.len() }>()?;
        let (segment, rest) = rest.split_first_chunk()?;
        let (resource, rest) = rest.split_first_chunk()?;
        let (index, rest) = rest.split_first_chunk()?;
        let header = Self {
            resource: ResourceId::from_bytes(*resource),
            segment: u32::from_be_bytes(*segment),
            index: u64::from_be_bytes(*index),
            before: LogHead::from_bytes(*rest.first_chunk()?),
        };
        // Whatever it does not say must be as it is written.
        bytes.starts_with(&header.to_bytes()).then_some(header)
    }

    /// Whether a log begins with this file.
    pub(super) fn begins(&self) -> bool {
        self.index == 0 && self.before == LogHead::EMPTY
    }
}

/// What stands in the place of a record's entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tail {
    /// The entry: the record was durable when it was written.
    Complete,
    /// Nothing, or a part of it.
    Missing,
}

/// Reads what is in the place of `entry`, and what is behind it.
pub(super) fn tail<M: Medium>(
    at: impl Fn(u32) -> Result<M, FileError>,
    resource: ResourceId,
    entry: &Entry,
) -> Result<Tail, FileError> {
    let expected = entry.to_bytes();
    let place = entry.anchor().place();
    let found = match read(&at(place.segment())?, place.offset().into(), LOOK_BYTES)? {
        Some(found) if found.len() < expected.len() => return Err(LogFault::Cut.into()),
        Some(found) => found,
        None => return Err(LogFault::Missing { segment: place.segment() }.into()),
    };
    if let Some(behind) = found.strip_prefix(&*expected) {
        let next = entry.next_place();
        let goes_on = match next.filter(|next| next.segment() != place.segment()) {
            Some(next) => is_written(&at(next.segment())?, next)?,
            None => behind.iter().take(2).any(|byte| *byte != 0),
        };
        return if goes_on { Err(LogFault::Ahead.into()) } else { Ok(Tail::Complete) };
    }
    match Entry::from_bytes(resource, &found) {
        Ok(_) => Err(LogFault::Forked.into()),
        Err(
            EntryError::Blank
            | EntryError::Length
            | EntryError::Hash
            | EntryError::Record(_)
            | EntryError::Anchor,
        ) => Ok(Tail::Missing),
    }
}

/// Whether anything was written in a place where an entry can begin.
pub(super) fn is_written<M: Medium>(medium: &M, place: Place) -> Result<bool, FileError> {
    let found = read(medium, place.offset().into(), 2)?;
    Ok(found.is_some_and(|found| found.iter().any(|byte| *byte != 0)))
}

/// Reads up to so many bytes of a file; `None` where there is no file.
pub(super) fn read<M: Medium>(medium: &M, offset: u64, length: usize) -> Result<Option<Vec<u8>>, FileError> {
    let fault = FileError::io(During::Reading);
    let file = match medium.open(Access::Read) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(fault(error)),
    };
    let mut bytes = vec![0; length];
    let read = medium.read_full(&file, offset, &mut bytes).map_err(fault)?;
    bytes.truncate(read);
    Ok(Some(bytes))
}

/// Makes room for the longest entry at `place`, durably. `index` and `before` are those of the entry.
pub(super) fn make_room<M: Medium>(medium: &M, place: Place, header: Header) -> Result<(), FileError> {
    let fault = FileError::io(During::MakingRoom);
    let needed = u64::from(place.offset()).saturating_add(Place::ENTRY_BYTES.into()).saturating_add(2);
    let file = match medium.open(Access::ReadWrite) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if place.offset() != Place::HEADER_BYTES {
                return Err(LogFault::Missing { segment: place.segment() }.into());
            }
            match create(medium, header) {
                // Before the first record nobody holds anything: another one was faster.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    medium.open(Access::ReadWrite).map_err(&fault)?
                }
                created => return created.map_err(fault),
            }
        }
        Err(error) => return Err(fault(error)),
    };
    if place.offset() == Place::HEADER_BYTES {
        // A crash left it, after it was made and before the record that needs it. Or else it is another log's.
        let mut found = vec![0; Place::HEADER_BYTES as usize];
        let read = medium.read_full(&file, 0, &mut found).map_err(&fault)?;
        if read < found.len() || found != header.to_bytes() {
            return Err(LogFault::Foreign { segment: place.segment() }.into());
        }
        // Whoever made it may have died before its name was durable.
        medium.sync_directory().map_err(&fault)?;
    }
    let length = medium.len(&file).map_err(&fault)?;
    if length >= needed {
        return Ok(());
    }
    if length < place.offset().into() {
        return Err(LogFault::Cut.into());
    }
    let zeros = vec![0; usize::try_from(CHUNK_BYTES).unwrap_or_default()];
    medium.write_all(&file, length, &zeros).and_then(|()| medium.sync(&file)).map_err(|error| {
        // Else the next one would take for room what the disk may not have. If this fails too, it finds the log cut
        // after a power cut, and says so.
        let _shortened = medium.set_len(&file, length);
        fault(error)
    })
}

/// A file appears under its name whole and durable, or not at all.
fn create<M: Medium>(medium: &M, header: Header) -> io::Result<()> {
    let file = medium.create()?;
    let mut image = header.to_bytes();
    image.resize(usize::try_from(CHUNK_BYTES).unwrap_or_default(), 0);
    let built = medium
        .write_all(&file, 0, &image)
        .and_then(|()| medium.sync(&file))
        .and_then(|()| medium.publish(&file));
    let retracted = medium.retract(&file);
    built.and(retracted)?;
    medium.sync_directory().inspect_err(|_| {
        // The disk may never get this name. The next one to make room makes another file.
        let _taken_away = medium.unpublish();
    })
}

/// Writes entries, each in its own place, one behind the other, and syncs them.
///
/// The last entry before the new one is written again with it: if the sync that was to cover it had failed, the
/// cache may show what the disk does not have, and only a write makes that good.
pub(super) fn write<M: Medium>(
    at: impl Fn(u32) -> Result<M, FileError>,
    entries: &[Entry],
) -> Result<(), FileError> {
    let fault = FileError::io(During::Appending);
    for group in
        entries.chunk_by(|left, right| left.anchor().place().segment() == right.anchor().place().segment())
    {
        let Some(first) = group.first() else { continue };
        let place = first.anchor().place();
        let bytes: Vec<u8> = group.iter().flat_map(Entry::to_bytes).collect();
        let medium = at(place.segment())?;
        let file = medium.open(Access::ReadWrite).map_err(&fault)?;
        medium
            .write_all(&file, place.offset().into(), &bytes)
            .and_then(|()| medium.sync(&file))
            .map_err(&fault)?;
    }
    Ok(())
}

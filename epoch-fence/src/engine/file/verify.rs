//! `verify`: whether a log is as it was written, read without holding anything.

use alloc::vec::Vec;
use core::error::Error;
use core::fmt;

use high_water::{OpenError, inspect_on};

use super::ledger::Ledger;
use super::segment::{self, Header};
use super::shelf::{Folder, Shelf};
use super::{Damage, Directory, FileError, Finding, Host, LogFault};
use crate::ResourceId;
use crate::audit::{Chain, Entry, EntryError, LogHead, Place};

/// More than the longest file of a log. What is behind it, nobody reads, and is not believed.
const LONGEST: usize = 2 << 20;

/// How often a log is read again because somebody went on writing.
const READINGS: u32 = 16;

/// A log that is as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Verified {
    chain: Chain,
    first: u64,
    missing: Option<Entry>,
    noted: Option<u64>,
}

impl Verified {
    /// Returns how many entries the log has, from its beginning.
    #[must_use]
    pub const fn entries(&self) -> u64 {
        self.chain.entries()
    }

    /// Returns how many of them, from the beginning, are in files that were moved away: nothing is known of those.
    #[must_use]
    pub const fn unread(&self) -> u64 {
        self.first
    }

    /// Returns the head of the log: note it elsewhere, and the past up to here is fixed.
    #[must_use]
    pub const fn head(&self) -> LogHead {
        self.chain.head()
    }

    /// Returns the last entry, or `None` of a log without any.
    #[must_use]
    pub const fn last(&self) -> Option<&Entry> {
        self.chain.last()
    }

    /// Returns the entry that a crash left out. Whoever opens the resource next writes it.
    #[must_use]
    pub const fn missing(&self) -> Option<&Entry> {
        self.missing.as_ref()
    }

    /// Returns after how many entries the head that was asked for was the log's.
    #[must_use]
    pub const fn noted_at(&self) -> Option<u64> {
        self.noted
    }
}

/// Why a log was not verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotVerified {
    /// It could not be read, or there is no record to hold it against.
    File(FileError),
    /// It is not as it was written; or it is not the log that the record or the noted head speaks of.
    Damaged(Damage),
}

impl fmt::Display for NotVerified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(why) => why.fmt(f),
            Self::Damaged(why) => why.fmt(f),
        }
    }
}

impl Error for NotVerified {}

impl From<FileError> for NotVerified {
    fn from(why: FileError) -> Self {
        Self::File(why)
    }
}

impl<H: Host> Directory<H> {
    /// Reads the whole log of a resource and says whether it is as it was written. Nothing is changed, and nothing held.
    ///
    /// With a head that was `noted` elsewhere, it also says after how many entries that was the head; without one, a
    /// past that was rewritten together with the record is not found.
    ///
    /// # Errors
    ///
    /// - [`NotVerified::Damaged`] with the first entry that is wrong.
    /// - [`NotVerified::File`] when the record or the log cannot be read.
    pub fn verify(&self, resource: ResourceId, noted: Option<LogHead>) -> Result<Verified, NotVerified> {
        verify(&self.ledger(resource), noted)
    }

    /// Reads the log of a resource, entry by entry, from its beginning. Nothing is changed, and nothing held.
    ///
    /// Where it ends because something is wrong, its last item says so.
    ///
    /// # Errors
    ///
    /// [`NotVerified`].
    pub fn history(&self, resource: ResourceId) -> Result<History, NotVerified> {
        let ledger = self.ledger(resource);
        let awaited = record_of(&ledger)?;
        Walk::of(Folder::at(self.folder(resource)), resource, awaited).map(History)
    }
}

/// What the record's file says now, whether or not it is durable or a copy.
fn record_of<S: Shelf>(ledger: &Ledger<S>) -> Result<Option<Entry>, FileError> {
    match inspect_on(&ledger.shelf().record()?) {
        Ok(found) => {
            let found = found.record();
            ledger.entry(found.identity(), found.value(), found.payload()).map(Some)
        }
        Err(OpenError::NotFound) => Ok(None),
        Err(why) => Err(why.into()),
    }
}

pub(super) fn verify<S: Shelf + Clone>(
    ledger: &Ledger<S>,
    noted: Option<LogHead>,
) -> Result<Verified, NotVerified> {
    let mut record = record_of(ledger)?;
    for _ in 0..READINGS {
        let result = verify_against(ledger, record, noted);
        let again = record_of(ledger)?;
        if again == record {
            return result;
        }
        record = again;
    }
    verify_against(ledger, record, noted)
}

fn verify_against<S: Shelf + Clone>(
    ledger: &Ledger<S>,
    record: Option<Entry>,
    noted: Option<LogHead>,
) -> Result<Verified, NotVerified> {
    let mut walk = Walk::of(ledger.shelf().clone(), ledger.resource(), record)?;
    let first = walk.chain.entries();
    let mut noted_at = (noted == Some(walk.chain.head())).then_some(first);
    while let Some(entry) = walk.next() {
        let head = entry?.head();
        if noted == Some(head) {
            noted_at = Some(walk.chain.entries());
        }
    }
    let chain = walk.chain;
    let missing = match (record, chain.last()) {
        (None, None) if chain.entries() == 0 => None,
        (None, _) => return Err(FileError::RecordMissing.into()),
        (Some(record), Some(last)) if record == *last => None,
        (Some(record), _) if chain.followed_by(record).is_ok() => Some(record),
        (Some(record), _) => {
            let fault = match record.anchor().index().checked_add(1) {
                Some(through) if through > chain.entries() => LogFault::Cut,
                Some(through) if through < chain.entries() => LogFault::Ahead,
                _ => LogFault::Forked,
            };
            return Err(walk.damage(Finding::Fault(fault)));
        }
    };
    if noted.is_some() && noted_at.is_none() {
        return Err(walk.damage(Finding::HeadNotFound));
    }
    Ok(Verified { chain, first, missing, noted: noted_at })
}

/// The entries of a log, from its beginning, each checked against the one before.
#[derive(Debug)]
pub struct History(Walk<Folder>);

impl Iterator for History {
    type Item = Result<Entry, NotVerified>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next()
    }
}

/// A log that is being read.
#[derive(Debug)]
struct Walk<S> {
    shelf: S,
    resource: ResourceId,
    /// The record's own entry: where it is torn, the log ends, and nothing is wrong.
    awaited: Option<Entry>,
    /// The files that are still to be read, the next one last.
    segments: Vec<u32>,
    chain: Chain,
    file: u32,
    /// The file that is being read, and how far it is.
    bytes: Vec<u8>,
    offset: usize,
    ended: bool,
}

impl<S: Shelf> Walk<S> {
    /// Finds where the log begins: at the last file that says so, since a recovery of what was damaged begins anew.
    fn of(shelf: S, resource: ResourceId, awaited: Option<Entry>) -> Result<Self, NotVerified> {
        let mut segments = Vec::new();
        let mut chain = Chain::default();
        for number in shelf.segments()?.into_iter().rev() {
            let header = header(&shelf, number)?.filter(|header| header.resource == resource);
            // Nothing was ever before the first one.
            let fits = |header: &Header| header.segment == number && (number > 1 || header.begins());
            let Some(header) = header.filter(fits) else {
                return Err(NotVerified::Damaged(Damage {
                    segment: number,
                    offset: 0,
                    index: 0,
                    head: LogHead::EMPTY,
                    what: Finding::Header,
                }));
            };
            segments.push(number);
            chain = Chain::resuming(number, header.index, header.before);
            // A file that was made for an entry that was never promised begins nothing yet.
            if header.begins() {
                break;
            }
        }
        let file = segments.last().copied().unwrap_or(1);
        Ok(Self {
            shelf,
            resource,
            awaited,
            segments,
            chain,
            file,
            bytes: Vec::new(),
            offset: 0,
            ended: false,
        })
    }

    fn damage(&self, what: Finding) -> NotVerified {
        NotVerified::Damaged(Damage {
            segment: self.file,
            offset: u64::try_from(self.offset).unwrap_or(u64::MAX),
            index: self.chain.entries(),
            head: self.chain.head(),
            what,
        })
    }

    fn rest(&self) -> &[u8] {
        self.bytes.get(self.offset..).unwrap_or_default()
    }

    /// Opens the next file, where the chain goes on in one; false at the end of the log.
    fn turn(&mut self) -> Result<bool, NotVerified> {
        if self.rest().iter().any(|byte| *byte != 0) {
            return Err(self.damage(Finding::Trailing));
        }
        let Some(number) = self.segments.pop() else { return Ok(false) };
        (self.file, self.offset) = (number, 0);
        let header = header(&self.shelf, number)?;
        let expected = Header {
            resource: self.resource,
            segment: number,
            index: self.chain.entries(),
            before: self.chain.head(),
        };
        if self.chain.place() != Some(Place::first_of(number)) || header != Some(expected) {
            return Err(self.damage(Finding::Header));
        }
        self.bytes = segment::read(&self.shelf.segment(number)?, 0, LONGEST)?.unwrap_or_default();
        self.offset = usize::try_from(Place::HEADER_BYTES).unwrap_or_default();
        Ok(true)
    }

    fn step(&mut self) -> Result<Option<Entry>, NotVerified> {
        // Ends: each round opens one of the files.
        loop {
            let here = self.chain.place().is_some_and(|place| {
                place.segment() == self.file && usize::try_from(place.offset()) == Ok(self.offset)
            });
            let found =
                if here { Entry::from_bytes(self.resource, self.rest()) } else { Err(EntryError::Blank) };
            match found {
                Ok(entry) => {
                    self.chain =
                        self.chain.followed_by(entry).map_err(|why| self.damage(Finding::Broken(why)))?;
                    self.offset = self.offset.saturating_add(entry.to_bytes().len());
                    return Ok(Some(entry));
                }
                Err(EntryError::Blank) => {
                    if !self.turn()? {
                        return Ok(None);
                    }
                }
                Err(why) => {
                    // What a crash left of the entry that the record awaits. It is written again from the record.
                    let awaited = self.awaited.filter(|entry| self.chain.followed_by(*entry).is_ok());
                    let torn = awaited.map(|entry| entry.to_bytes().len()).filter(|length| {
                        self.rest().get(*length..).is_some_and(|behind| behind.iter().all(|byte| *byte == 0))
                    });
                    if torn.is_none() {
                        return Err(self.damage(Finding::Broken(why.into())));
                    }
                    self.bytes.truncate(self.offset);
                }
            }
        }
    }
}

impl<S: Shelf> Iterator for Walk<S> {
    type Item = Result<Entry, NotVerified>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let step = self.step().transpose();
        self.ended = !matches!(step, Some(Ok(_)));
        step
    }
}

/// The header of a file of the log; `None` where it is none.
fn header<S: Shelf>(shelf: &S, number: u32) -> Result<Option<Header>, FileError> {
    let length = usize::try_from(Place::HEADER_BYTES).unwrap_or_default();
    let bytes = segment::read(&shelf.segment(number)?, 0, length)?;
    Ok(bytes.and_then(|bytes| Header::from_bytes(&bytes)))
}

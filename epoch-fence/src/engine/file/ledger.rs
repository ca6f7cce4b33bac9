//! `Ledger`: a record and its log, changed together.
//!
//! The record is in a register, the log in files beside it. A change is: hold the register, look, make room in the
//! log, raise the register, append to the log, answer. So at every moment the log is at most one entry behind, and
//! the entry that is missing follows from the record to the byte. Whoever comes next writes it first.
//!
//! That an entry is there is the proof that its record is durable: it is written after the raise that was acknowledged.
//! So a look needs no lock and no sync where the log is complete, and an opening writes nothing.

use high_water::{Identity, Medium, OpenError, Options, Register, inspect_on};

use super::FileError;
use super::segment::{self, Header, Tail};
use super::shelf::Shelf;
use crate::ResourceId;
use crate::audit::{Anchor, Chain, Entry, Place};
use crate::engine::Failure;
use crate::protocol::{Record, Swap, Version};

/// A record and its log.
#[derive(Debug)]
pub(super) struct Ledger<S> {
    shelf: S,
    resource: ResourceId,
    options: Options,
}

/// What came of a write.
#[derive(Clone, Copy, Debug)]
pub(super) enum Written {
    /// It landed; this is what is stored.
    Landed(Record),
    /// It did not, and this is what is stored instead: `None` where nothing is known of it.
    Conflict(Option<Record>),
}

/// A register that is held, with its record; the entry may be missing.
struct Held<M: Medium> {
    register: Register<M>,
    entry: Entry,
    tail: Tail,
}

impl<S: Shelf> Ledger<S> {
    pub(super) const fn new(shelf: S, resource: ResourceId, options: Options) -> Self {
        Self { shelf, resource, options }
    }

    pub(super) const fn shelf(&self) -> &S {
        &self.shelf
    }

    pub(super) const fn resource(&self) -> ResourceId {
        self.resource
    }

    pub(super) const fn options(&self) -> Options {
        self.options
    }

    /// Reads the record; `None` where nothing was ever written. It is durable, and its entry written.
    pub(super) fn load(&self) -> Result<Option<Record>, FileError> {
        let inspection = match inspect_on(&self.shelf.record()?) {
            Ok(inspection) => inspection,
            Err(OpenError::NotFound) if self.is_absent()? => return Ok(None),
            // Somebody has just written the first one.
            Err(OpenError::NotFound) => return self.settled().map(Some),
            // It changes too fast to be read without being held.
            Err(OpenError::Busy) => return self.settled().map(Some),
            Err(why) => return Err(why.into()),
        };
        if inspection.is_original() {
            let found = inspection.record();
            if let Ok(entry) = self.entry(found.identity(), found.value(), found.payload())
                && let Ok(Tail::Complete) = self.tail(&entry)
            {
                return Ok(Some(*entry.record()));
            }
        }
        // Something is missing or wrong, or somebody wrote while we read. Who holds it can tell.
        self.settled().map(Some)
    }

    /// Lets a write land where `judge` finds that it may, with a stamp that follows the last one.
    ///
    /// `ready` is called when the write is about to land, with the record that is held meanwhile, if there is one.
    pub(super) fn swap(
        &self,
        swap: &Swap,
        judge: impl FnOnce(&Record) -> Result<bool, FileError>,
        stamp: impl FnOnce(Option<hlc::Stamp>) -> Result<hlc::Stamp, FileError>,
        ready: impl FnOnce(Option<&Record>) -> Result<(), FileError>,
    ) -> Result<Written, Failure<FileError>> {
        let held = match self.hold() {
            Ok(held) => Some(held),
            Err(FileError::Register(OpenError::NotFound)) => {
                if !self.is_absent().map_err(Failure::Definite)? {
                    return Ok(Written::Conflict(None));
                }
                self.shelf.prepare().map_err(Failure::Definite)?;
                None
            }
            Err(why) => return Err(Failure::Definite(why)),
        };
        let stored = held.as_ref().map(|held| *held.entry.record());
        // Of a resource that was never written each caller makes up the realm: the first to write it decides.
        let seen = stored.unwrap_or_else(|| Record::vacant(swap.expected_realm()));
        if !judge(&seen).map_err(Failure::Definite)? {
            return Ok(Written::Conflict(stored));
        }
        let last = held.as_ref().map(|held| held.entry);
        let entry = self.next_entry(swap, last, stamp).map_err(Failure::Definite)?;
        if let Some(held) = &held {
            self.complete(held).map_err(Failure::Definite)?;
        }
        self.make_room(&entry).map_err(Failure::Definite)?;
        ready(stored.as_ref()).map_err(Failure::Definite)?;
        // Held until the entry is written.
        let _held = match held {
            Some(held) => raise(held.register, &entry)?,
            None => match self.create(&entry) {
                Err(Failure::Definite(FileError::Register(OpenError::AlreadyExists))) => {
                    return Ok(Written::Conflict(None));
                }
                created => created?,
            },
        };
        self.append(last, entry).map_err(Failure::Indeterminate)?;
        Ok(Written::Landed(*entry.record()))
    }

    /// Holds the register, and lets go again when the record is durable and its entry written.
    fn settled(&self) -> Result<Record, FileError> {
        let held = self.hold()?;
        self.complete(&held)?;
        Ok(*held.entry.record())
    }

    fn hold(&self) -> Result<Held<S::Medium>, FileError> {
        let mut tail = None;
        let identity = self.options.identity();
        let register = self.options.open_acknowledged_on(self.shelf.record()?, |value, payload| {
            let entry = self.entry(identity, value, payload);
            tail = Some(entry.and_then(|entry| self.tail(&entry)));
            matches!(tail, Some(Ok(Tail::Complete)))
        })?;
        let entry = self.entry(register.identity(), register.get(), register.payload())?;
        let tail = tail.unwrap_or_else(|| self.tail(&entry))?;
        Ok(Held { register, entry, tail })
    }

    pub(super) fn entry(&self, identity: Identity, value: u64, payload: &[u8]) -> Result<Entry, FileError> {
        if identity != self.options.identity() {
            return Err(OpenError::WrongIdentity { found: identity }.into());
        }
        let record = Record::from_bytes(payload).map_err(FileError::Record)?;
        match Entry::of(self.resource, record) {
            Some(entry) if record.version() == Version::new(value) => Ok(entry),
            _ => Err(FileError::NoAnchor),
        }
    }

    fn tail(&self, entry: &Entry) -> Result<Tail, FileError> {
        segment::tail(|number| self.shelf.segment(number), self.resource, entry)
    }

    /// Whether a resource whose record was not found was never written; false where it has been since. One that has a
    /// log and no record is refused.
    fn is_absent(&self) -> Result<bool, FileError> {
        match *self.shelf.segments()? {
            [] => return Ok(true),
            // A crash may have left the first file of the log, before the first record.
            [1] if !segment::is_written(&self.shelf.segment(1)?, Place::FIRST)? => return Ok(true),
            _ => {}
        }
        // Whoever writes both at this moment writes the record first.
        match inspect_on(&self.shelf.record()?) {
            Err(OpenError::NotFound) => Err(FileError::RecordMissing),
            Ok(_) | Err(_) => Ok(false),
        }
    }

    /// Writes the entry that is missing.
    fn complete(&self, held: &Held<S::Medium>) -> Result<(), FileError> {
        match held.tail {
            Tail::Complete => Ok(()),
            Tail::Missing => segment::write(|number| self.shelf.segment(number), &[held.entry]),
        }
    }

    fn next_entry(
        &self,
        swap: &Swap,
        last: Option<Entry>,
        stamp: impl FnOnce(Option<hlc::Stamp>) -> Result<hlc::Stamp, FileError>,
    ) -> Result<Entry, FileError> {
        let chain = last.map_or(Chain::default(), Chain::through);
        let anchor = Anchor {
            action: swap.action(),
            stamp: stamp(last.map(|last| last.anchor().stamp()))?,
            place: chain.place().ok_or(FileError::LogExhausted)?,
            index: chain.entries(),
            before: chain.head(),
        };
        self.anchored(*swap.next(), anchor)
    }

    pub(super) fn anchored(&self, record: Record, anchor: Anchor) -> Result<Entry, FileError> {
        let record = record.with_info(anchor.to_info().ok_or(FileError::NoAnchor)?);
        Entry::of(self.resource, record).ok_or(FileError::NoAnchor)
    }

    pub(super) fn make_room(&self, entry: &Entry) -> Result<(), FileError> {
        let anchor = entry.anchor();
        let place = anchor.place();
        let header = Header {
            resource: self.resource,
            segment: place.segment(),
            index: anchor.index(),
            before: anchor.before(),
        };
        segment::make_room(&self.shelf.segment(place.segment())?, place, header)
    }

    fn create(&self, entry: &Entry) -> Result<Register<S::Medium>, Failure<FileError>> {
        let bytes = entry.record().to_bytes();
        let medium = self.shelf.record().map_err(Failure::Definite)?;
        let created = self.options.create_on(medium, entry.record().version().get(), bytes.as_bytes());
        created.map_err(|why| {
            if why.may_have_created() {
                Failure::Indeterminate(why.into())
            } else {
                Failure::Definite(why.into())
            }
        })
    }

    pub(super) fn append(&self, last: Option<Entry>, entry: Entry) -> Result<(), FileError> {
        let at = |number| self.shelf.segment(number);
        match last {
            Some(last) => segment::write(at, &[last, entry]),
            None => segment::write(at, &[entry]),
        }
    }
}

fn raise<M: Medium>(mut register: Register<M>, entry: &Entry) -> Result<Register<M>, Failure<FileError>> {
    let bytes = entry.record().to_bytes();
    match register.raise(entry.record().version().get(), bytes.as_bytes()) {
        Ok(()) => Ok(register),
        Err(why) if why.is_definite() => Err(Failure::Definite(FileError::Raise(why))),
        Err(why) => Err(Failure::Indeterminate(FileError::Raise(why))),
    }
}

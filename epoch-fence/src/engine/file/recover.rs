//! `recover`: going on after a part of the past was lost, by an operator's hand.

use high_water::{OpenError, Options, Register, inspect_on};

use super::ledger::Ledger;
use super::segment;
use super::shelf::{Folder, Shelf};
use super::{Directory, FileError, Host, NotVerified};
use crate::audit::{Anchor, Entry, LogHead, Place};
use crate::engine::{Failure, Swapped};
use crate::protocol::{
    Action, Command, Exhausted, Info, Record, RecordError, Refusal, Swap, Tenure, Version, View, step,
};
use crate::{Epoch, RealmId, ResourceId};

/// How often a recovery begins again because others wrote first.
const ROUNDS: u32 = 8;

/// The longest file of a log that is searched for what is left of it.
const LONGEST: usize = 2 << 20;

impl<H: Host> Directory<H> {
    /// Begins a new realm of a resource, after its record or its log was damaged, put back or lost.
    ///
    /// The epochs go on [far above](crate::protocol::RECOVERY_STRIDE) the greatest that can still be read in the record
    /// or in any file of the log, and above `floor`: the greatest that anybody remembers, in a token, at a gate or in a
    /// noted message. Whoever holds, holds no more. Of a sound resource this is what
    /// [`Issuer::recover`](crate::Issuer::recover) does. Of any other the record is written anew and a new log begun,
    /// behind the files of the old one, which stay as they are.
    ///
    /// The gates refuse the new realm until each [adopts](crate::Gate::adopt) it. Asked for twice with one realm, it
    /// is done once.
    ///
    /// # Errors
    ///
    /// [`FileError`] where it was not done, or not wholly: do it again, with the same realm. A record that a later release
    /// wrote, and that this one must not read, is [`FileError::Record`] and stays as it is: recover it with that release.
    pub fn recover(
        &self,
        resource: ResourceId,
        realm: RealmId,
        floor: Option<Epoch>,
    ) -> Result<View, FileError> {
        let ledger = self.ledger(resource);
        let mut blocked = FileError::Busy { process: None };
        for _ in 0..ROUNDS {
            let view = match self.look(&ledger) {
                // The end of the log fits the record. What is wrong before it would be found for ever.
                Ok(_) if matches!(self.verify(resource, None), Err(NotVerified::Damaged(_))) => {
                    return self.rebuild(&ledger, realm, floor);
                }
                Ok(view) => view,
                Err(why) if is_damage(&why) => return self.rebuild(&ledger, realm, floor),
                Err(why) => return Err(why),
            };
            let swap = match Swap::prepare(&view, &Command::Recover { realm, floor }) {
                Ok(swap) => swap,
                Err(Refusal::RealmUsed) => return Ok(view),
                Err(why) => return Err(exhausted(why)),
            };
            match self.write(&ledger, &swap) {
                Ok(Swapped::Landed(view)) => return Ok(view),
                Ok(Swapped::Conflict) => {}
                // Damage that appeared since is found by the next look.
                Err(Failure::Definite(why)) => blocked = why,
                Err(Failure::Indeterminate(why)) => return Err(why),
            }
        }
        Err(blocked)
    }

    /// Writes the record anew, above everything that can still be read, and begins a new log.
    fn rebuild(
        &self,
        ledger: &Ledger<Folder>,
        realm: RealmId,
        floor: Option<Epoch>,
    ) -> Result<View, FileError> {
        ledger.shelf().prepare()?;
        let mut left = Remains::of(ledger)?;
        for _ in 0..ROUNDS {
            let entry = self.first_entry(ledger, &left, realm, floor)?;
            ledger.make_room(&entry)?;
            let register = rewrite(ledger.options(), ledger.shelf(), entry.record())?;
            if register.get() == entry.record().version().get() {
                ledger.append(None, entry)?;
                return self.view(ledger.shelf(), *entry.record());
            }
            // The register held a number that nothing else told of: above that one, then.
            left.version = register.get();
            left.segment = entry.anchor().place().segment();
        }
        Err(FileError::Busy { process: None })
    }

    fn first_entry(
        &self,
        ledger: &Ledger<Folder>,
        left: &Remains,
        realm: RealmId,
        floor: Option<Epoch>,
    ) -> Result<Entry, FileError> {
        // Any realm but the new one: also if that one was begun and not finished, it is begun again, higher up.
        let past = RealmId::nearest(realm.get().wrapping_add(1));
        let version = Version::new(left.version.max(1));
        let past = Record::try_new(past, version, left.epoch, Tenure::Free, Info::EMPTY)
            .map_err(FileError::Record)?;
        let view = View::new(past, self.host().moment()?);
        let next = step(&view, &Command::Recover { realm, floor });
        let segment = left.segment.checked_add(1).ok_or(FileError::LogExhausted)?;
        let anchor = Anchor {
            action: Action::Recover,
            stamp: self.stamp(left.stamp)?,
            place: Place::first_of(segment),
            index: 0,
            before: LogHead::EMPTY,
        };
        ledger.anchored(next.map_err(exhausted)?, anchor)
    }
}

/// What is left of a record and its log.
#[derive(Debug, Default)]
struct Remains {
    version: u64,
    epoch: Option<Epoch>,
    stamp: Option<hlc::Stamp>,
    /// The last file of the log.
    segment: u32,
}

impl Remains {
    fn of<S: Shelf>(ledger: &Ledger<S>) -> Result<Self, FileError> {
        let mut left = Self::default();
        for number in ledger.shelf().segments()? {
            left.segment = left.segment.max(number);
            let bytes = segment::read(&ledger.shelf().segment(number)?, 0, LONGEST)?.unwrap_or_default();
            // Entry by entry, and where one is damaged, byte by byte: a hash does not match by chance.
            let mut rest = bytes.get(Place::HEADER_BYTES as usize..).unwrap_or_default();
            while !rest.is_empty() {
                let entry = Entry::from_bytes(ledger.resource(), rest);
                let step = entry.map_or(1, |entry| entry.to_bytes().len());
                if let Ok(entry) = entry {
                    left.note(&entry);
                }
                rest = rest.get(step..).unwrap_or_default();
            }
        }
        if let Ok(found) = inspect_on(&ledger.shelf().record()?) {
            let found = found.record();
            if found.identity() == ledger.options().identity() {
                left.version = left.version.max(found.value());
                if let Ok(entry) = ledger.entry(found.identity(), found.value(), found.payload()) {
                    left.note(&entry);
                }
            }
        }
        Ok(left)
    }

    fn note(&mut self, entry: &Entry) {
        let (record, anchor) = (entry.record(), entry.anchor());
        self.version = self.version.max(record.version().get());
        self.epoch = self.epoch.max(record.epoch());
        self.segment = self.segment.max(anchor.place().segment());
        self.stamp = self.stamp.max(Some(anchor.stamp()));
    }
}

/// Writes the register anew, or creates it; it is above what it held.
fn rewrite<S: Shelf>(options: Options, shelf: &S, record: &Record) -> Result<Register<S::Medium>, FileError> {
    let (version, bytes) = (record.version().get(), record.to_bytes());
    match options.recover_on(shelf.record()?, version, bytes.as_bytes()) {
        Err(OpenError::NotFound) => Ok(options.create_on(shelf.record()?, version, bytes.as_bytes())?),
        recovered => Ok(recovered?),
    }
}

/// Whether an operator's recovery is what helps.
const fn is_damage(why: &FileError) -> bool {
    match why {
        // A later release's, which knows epochs that this one cannot read. The register's checksum was right.
        FileError::Record(RecordError::Form { .. } | RecordError::UnknownCritical { .. }) => false,
        FileError::Record(_)
        | FileError::NoAnchor
        | FileError::RecordMissing
        | FileError::Log(_)
        | FileError::LogExhausted => true,
        FileError::Register(why) => matches!(
            why,
            OpenError::NoValidRecord
                | OpenError::WrongLength { .. }
                | OpenError::Conflict
                | OpenError::Malformed
                | OpenError::Regressed(_)
        ),
        FileError::NoDirectory
        | FileError::Busy { .. }
        | FileError::Raise(_)
        | FileError::Exhausted(_)
        | FileError::Io { .. }
        | FileError::Random(_)
        | FileError::UnsupportedPlatform => false,
    }
}

/// What a recovery can be refused for, once its realm is a new one.
const fn exhausted(why: Refusal) -> FileError {
    let Refusal::Exhausted(why) = why else { return FileError::Exhausted(Exhausted::Epoch) };
    FileError::Exhausted(why)
}

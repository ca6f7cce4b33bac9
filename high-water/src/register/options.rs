//! `Options`: opening, creating and recovering a register.

use super::refusal::{self, Failure, examine};
use super::{Register, Snapshot, commit};
use crate::error::{Evidence, OpenError, Operation, Regressed};
use crate::file::FileMedium;
use crate::file_system::FileSystemName;
use crate::identity::{Identity, Payload};
use crate::medium::{Access, Facts, FileSystem, Medium, write_all};
use crate::record::{FILE_LEN, Kind, Record};
use crate::rule::{self, Place, Slot, Unusable};
use crate::scan::Scan;
use alloc::vec;
use core::time::Duration;
use std::io;
use std::path::Path;

/// What to do when another process holds the register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WhenHeld {
    /// Fail at once.
    Refuse,
    /// Try again, every 10 ms, until the pauses add up to this.
    WaitUpTo(Duration),
}

/// How often the name may lead to a new file while a register is being opened.
const CHASES: u32 = 8;
const PAUSE: Duration = Duration::from_millis(10);

/// How a register is to be opened, created or recovered.
///
/// By default it refuses whatever it cannot vouch for: a file that somebody holds, a file system on another
/// machine or in memory, a file that is a copy. Each can be allowed by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub struct Options {
    identity: Identity,
    when_held: WhenHeld,
    at_least: Option<u64>,
    network: bool,
    volatile: bool,
    unknown: bool,
    file_system: Option<FileSystemName>,
}

impl Options {
    /// For the register of this identity.
    pub const fn new(identity: Identity) -> Self {
        Self {
            identity,
            when_held: WhenHeld::Refuse,
            at_least: None,
            network: false,
            volatile: false,
            unknown: false,
            file_system: None,
        }
    }

    /// Whose register it is for.
    #[must_use]
    pub const fn identity(self) -> Identity {
        self.identity
    }

    /// What to do when another process holds the register; by default, [`WhenHeld::Refuse`].
    pub const fn when_held(self, when_held: WhenHeld) -> Self {
        Self { when_held, ..self }
    }

    /// Refuses a register below a value that is remembered from elsewhere: a peer, a log, a message. It is the
    /// only way to find out that a file was put back while nobody held it. A register that is created or recovered
    /// begins at this value or above.
    pub const fn at_least(self, floor: u64) -> Self {
        Self { at_least: Some(floor), ..self }
    }

    /// Allows network file systems, and FUSE, behind which there may be one.
    ///
    /// What a lock keeps out and what a sync makes durable is then up to that file system and its server.
    pub const fn allow_network_file_system(self) -> Self {
        Self { network: true, ..self }
    }

    /// Allows file systems in memory, and mounts that were told to skip syncs (an overlay mounted `volatile`, a disk
    /// mounted `nobarrier`). The register then survives a killed process, and no power cut.
    pub const fn allow_volatile_file_system(self) -> Self {
        Self { volatile: true, ..self }
    }

    /// Allows every file system that is not known to keep what it syncs. Off Linux, where it cannot be told, that is
    /// all of them.
    ///
    /// Known are ext2 to ext4, XFS, Btrfs, F2FS, ZFS, bcachefs, JFS, NILFS2, UBIFS and `reiserfs`, and an overlay that
    /// can be seen to sync. For another one, [`allow_file_system`](Self::allow_file_system) says less than this.
    pub const fn allow_unknown_file_system(self) -> Self {
        Self { unknown: true, ..self }
    }

    /// Allows one kind of file system, by the name that the refusal gave it, and whatever is known of it. The last one
    /// named counts.
    ///
    /// It has to keep what the format [assumes](crate::format#assumptions-about-the-medium): a sync that reports
    /// success has reached the disk, a lock keeps every other holder out, and a file keeps its inode.
    ///
    /// ```
    /// use high_water::{FileSystemName, Identity, Options};
    ///
    /// let options = Options::new(Identity::from_bytes(*b"orders/epoch/001"));
    /// // "the file is on a file system, ntfs3, that is not known to keep what it syncs; ..."
    /// let options = options.allow_file_system(FileSystemName::new("ntfs3").ok_or("no name")?);
    /// # let _ = options;
    /// # Ok::<(), &str>(())
    /// ```
    pub const fn allow_file_system(self, name: FileSystemName) -> Self {
        Self { file_system: Some(name), ..self }
    }

    /// Opens the register in a file.
    ///
    /// The newest record is written once more, and synced, before this returns: what [`Register::get`] then tells
    /// is on the disk, also if an earlier holder's sync had failed and the file only looked as if it were.
    ///
    /// # Errors
    ///
    /// See [`OpenError`]; each variant says what to do. Nothing is lost by an opening that fails.
    pub fn open(self, path: impl AsRef<Path>) -> Result<Register, OpenError> {
        self.open_on(FileMedium::at(path.as_ref())?)
    }

    /// Opens the register in a file, and writes nothing if the caller knows its newest value to be acknowledged.
    ///
    /// [`open`](Self::open) writes because what it reads may be in the page cache only. That is not so of a value whose
    /// raise returned `Ok`; and a caller may know that it did: from something that is only written after it, as the
    /// next entry of a log. So `acknowledged` is asked about the newest value and its payload. Where it says no, and
    /// where the file leaves a doubt (after an opening, a creation or a recovery), this is `open`.
    ///
    /// A yes that is not so gives up the promise of the register, and nothing here can notice.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open).
    pub fn open_acknowledged(
        self,
        path: impl AsRef<Path>,
        acknowledged: impl FnOnce(u64, &[u8]) -> bool,
    ) -> Result<Register, OpenError> {
        self.open_acknowledged_on(FileMedium::at(path.as_ref())?, acknowledged)
    }

    /// Creates a register with this value and payload in a new file.
    ///
    /// The file appears under its name whole and durable, or not at all. A crash in between can leave a file of
    /// the form `.NAME.PROCESS-N.new` beside it, which may be removed when no process is creating the register.
    /// The directory itself, and those above it, have to be durable already.
    ///
    /// # Errors
    ///
    /// [`OpenError::AlreadyExists`] if there is anything under the name; it is not touched. Else see
    /// [`OpenError`]. Where the sync of the directory fails, the name is taken away again, because no later sync could
    /// be trusted to make it durable: the system may call the directory clean. Creating it once more is right.
    pub fn create(self, path: impl AsRef<Path>, value: u64, payload: &[u8]) -> Result<Register, OpenError> {
        self.create_on(FileMedium::at(path.as_ref())?, value, payload)
    }

    /// Opens the register, or creates it at zero if there is nothing under the name.
    ///
    /// A register that somebody deleted begins again at zero. Where that must not happen, create it once, by hand
    /// or on installation, and [`open`](Self::open) it from then on; or give [`at_least`](Self::at_least).
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open) and [`create`](Self::create). With a floor above zero, a register that is
    /// missing is [`OpenError::Regressed`], and none is created.
    pub fn open_or_create(self, path: impl AsRef<Path>) -> Result<Register, OpenError> {
        self.open_or_create_on(&FileMedium::at(path.as_ref())?)
    }

    /// Writes the register anew, for an operator who knows that it was put back or damaged.
    ///
    /// Its value becomes `floor`, or the highest value that the file still holds if that is higher; its payload
    /// becomes `payload`. The floor has to be at least every value that the register ever acknowledged: look
    /// where those values went. Too low a floor breaks the promise, and nothing here can notice.
    ///
    /// It overrides [`OpenError::Regressed`], [`OpenError::NoValidRecord`], [`OpenError::WrongLength`] of a file
    /// that is too short, [`OpenError::Conflict`], and a file that is [`OpenError::Malformed`]. If it fails or
    /// is interrupted, do it again.
    ///
    /// # Errors
    ///
    /// [`OpenError::NotARegister`] if no part of the file looks like a register, [`OpenError::WrongLength`] if it is
    /// longer than one. Else see [`OpenError`].
    pub fn recover(self, path: impl AsRef<Path>, floor: u64, payload: &[u8]) -> Result<Register, OpenError> {
        self.recover_on(FileMedium::at(path.as_ref())?, floor, payload)
    }

    /// [`open`](Self::open), on any medium.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn open_on<M: Medium>(self, medium: M) -> Result<Register<M>, OpenError> {
        self.open_acknowledged_on(medium, |_, _| false)
    }

    /// [`open_acknowledged`](Self::open_acknowledged), on any medium.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn open_acknowledged_on<M: Medium>(
        self,
        medium: M,
        acknowledged: impl FnOnce(u64, &[u8]) -> bool,
    ) -> Result<Register<M>, OpenError> {
        let (file, facts) = self.hold(&medium)?;
        if facts.len != FILE_LEN {
            return Err(OpenError::WrongLength { found: facts.len });
        }
        let scan = Scan::of(&medium, &file, Some(self.identity))?;
        if let Some(alien) = scan.alien {
            return Err(alien.into());
        }
        let plan = rule::opening(&scan.view)?;
        let mut current = scan.record(plan.newest).ok_or(OpenError::NoValidRecord)?;
        self.check_regression(&current, &facts)?;
        let mut counts = Snapshot::default();
        let known = rule::acknowledged(&scan.view).is_some_and(|newest| newest == plan.newest)
            && acknowledged(current.value, current.payload());
        if known {
            // So the name is durable too: it was before the first value was told.
            let mut register = Register { medium, file, id: facts.id, current, stuck: None, counts };
            register.note_damage(&scan);
            return Ok(register);
        }
        // The name has to be as durable as the value: its creator may have died before it was.
        refusal::sync_directory(&medium)?;
        for batch in [Some(plan.first), plan.second].into_iter().flatten() {
            current.sequence = batch.sequence;
            current.kind = batch.kind;
            commit(&medium, &file, batch, &current)?;
            counts.syncs = counts.syncs.saturating_add(1);
        }
        let mut register = Register { medium, file, id: facts.id, current, stuck: None, counts };
        register.note_damage(&scan);
        Ok(register)
    }

    /// [`create`](Self::create), on any medium.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn create_on<M: Medium>(
        self,
        medium: M,
        value: u64,
        payload: &[u8],
    ) -> Result<Register<M>, OpenError> {
        let payload = Payload::new(payload).map_err(OpenError::PayloadTooLong)?;
        let file = refusal::create(&medium)?;
        let value = value.max(self.at_least.unwrap_or(0));
        let built = self.build(&medium, &file, value, payload);
        // The temporary name has done its work, whether or not the file has got its own.
        let retracted = medium.retract(&file);
        let (facts, current) = built?;
        retracted.map_err(Failure::of(Operation::Retract))?;
        let counts = Snapshot { syncs: 1, ..Snapshot::default() };
        Ok(Register { medium, file, id: facts.id, current, stuck: None, counts })
    }

    /// Fills a file that nobody else knows yet, and gives it its name.
    fn build<M: Medium>(
        self,
        medium: &M,
        file: &M::File,
        value: u64,
        payload: Payload,
    ) -> Result<(Facts, Record), OpenError> {
        let facts = examine(medium, file)?;
        self.check_file_system(medium, file)?;
        if !medium.try_lock(file).map_err(Failure::of(Operation::Lock))? {
            return Err(OpenError::Held { process: medium.holder(file) });
        }
        let record = |sequence| Record {
            identity: self.identity,
            sequence,
            value,
            payload,
            origin: facts.origin,
            kind: Kind::Raise,
        };
        let sequences = [0, 1, 2];
        let mut image = vec![0; usize::try_from(FILE_LEN).unwrap_or(0)];
        for (sequence, place) in sequences.into_iter().cycle().zip(Place::ALL) {
            debug_assert!(Slot::of(sequence) == place.slot, "places are in the order of slots");
            let start = usize::try_from(place.offset()).unwrap_or(0);
            if let Some(cell) = image.get_mut(start..).and_then(|rest| rest.first_chunk_mut()) {
                *cell = record(sequence).to_bytes();
            }
        }
        // Zeros and all, so that no later write needs a block that the disk may not have.
        write_all(medium, file, 0, &image).map_err(Failure::of(Operation::Write))?;
        medium.sync(file).map_err(Failure::of(Operation::Sync))?;
        medium.publish(file).map_err(|error| {
            if error.kind() == io::ErrorKind::AlreadyExists {
                OpenError::AlreadyExists
            } else if matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::Unsupported) {
                OpenError::NoHardLinks
            } else {
                Failure::of(Operation::Publish)(error).into()
            }
        })?;
        refusal::sync_directory(medium).inspect_err(|_| {
            // Nobody was told of it, and from now on the directory may pass for clean without this entry. A new entry
            // makes it dirty again. The lock is ours, so that no other file is here by the rules; one that breaks them
            // is spared. An error leaves what a crash at this place would.
            if medium.named().is_ok_and(|id| id == facts.id) {
                let _ = medium.unpublish();
            }
        })?;
        Ok((facts, record(2)))
    }

    /// [`open_or_create`](Self::open_or_create), on any medium.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn open_or_create_on<M: Medium + Clone>(self, medium: &M) -> Result<Register<M>, OpenError> {
        for _ in 0..CHASES {
            match self.open_on(medium.clone()) {
                Err(OpenError::NotFound) => {}
                result => return result,
            }
            if let Some(floor) = self.at_least.filter(|floor| *floor > 0) {
                let evidence = Evidence::Floor;
                return Err(OpenError::Regressed(Regressed { evidence, found: None, known: Some(floor) }));
            }
            match self.create_on(medium.clone(), 0, &[]) {
                // Somebody else was faster.
                Err(OpenError::AlreadyExists) => {}
                result => return result,
            }
        }
        Err(OpenError::Replaced)
    }

    /// [`recover`](Self::recover), on any medium.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn recover_on<M: Medium>(
        self,
        medium: M,
        floor: u64,
        payload: &[u8],
    ) -> Result<Register<M>, OpenError> {
        let payload = Payload::new(payload).map_err(OpenError::PayloadTooLong)?;
        let (file, facts) = self.hold(&medium)?;
        let scan = Scan::of(&medium, &file, Some(self.identity))?;
        match scan.alien {
            None | Some(crate::scan::Alien::Malformed) => {}
            Some(alien) => return Err(alien.into()),
        }
        if !(scan.marked || (scan.blank && facts.len <= FILE_LEN)) {
            return Err(OpenError::NotARegister);
        }
        if facts.len > FILE_LEN {
            // What was added may be somebody's.
            return Err(OpenError::WrongLength { found: facts.len });
        }
        let plan = rule::recovery(&scan.view, floor.max(self.at_least.unwrap_or(0)))?;
        refusal::sync_directory(&medium)?;
        if facts.len < FILE_LEN {
            medium.set_len(&file, FILE_LEN).map_err(Failure::of(Operation::SetLength))?;
        }
        let mut current = Record {
            identity: self.identity,
            sequence: 0,
            value: plan.value,
            payload,
            origin: facts.origin,
            kind: Kind::Raise,
        };
        let mut counts = Snapshot::default();
        for batch in plan.batches.into_iter().flatten() {
            current.sequence = batch.sequence;
            current.kind = batch.kind;
            commit(&medium, &file, batch, &current)?;
            counts.syncs = counts.syncs.saturating_add(1);
        }
        let mut register = Register { medium, file, id: facts.id, current, stuck: None, counts };
        register.note_damage(&scan);
        Ok(register)
    }

    /// Opens and locks the file, and makes sure that it is the one that the name leads to.
    fn hold<M: Medium>(self, medium: &M) -> Result<(M::File, Facts), OpenError> {
        for _ in 0..CHASES {
            let file = refusal::open(medium, Access::ReadWrite)?;
            let facts = examine(medium, &file)?;
            self.check_file_system(medium, &file)?;
            self.lock(medium, &file)?;
            match medium.named() {
                // Examined again: whoever held the file until now may have changed its length.
                Ok(id) if id == facts.id => {
                    let facts = examine(medium, &file)?;
                    return Ok((file, facts));
                }
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(OpenError::NotFound),
                Err(error) => return Err(Failure::of(Operation::Examine)(error).into()),
            }
        }
        Err(OpenError::Replaced)
    }

    fn lock<M: Medium>(self, medium: &M, file: &M::File) -> Result<(), OpenError> {
        let mut left = match self.when_held {
            WhenHeld::Refuse => Duration::ZERO,
            WhenHeld::WaitUpTo(limit) => limit,
        };
        // Ends: every round but the last takes a pause off what is left.
        loop {
            if medium.try_lock(file).map_err(Failure::of(Operation::Lock))? {
                return Ok(());
            }
            if left.is_zero() {
                return Err(OpenError::Held { process: medium.holder(file) });
            }
            medium.pause(left.min(PAUSE));
            left = left.saturating_sub(PAUSE);
        }
    }

    fn check_file_system<M: Medium>(self, medium: &M, file: &M::File) -> Result<(), OpenError> {
        let file_system = medium.file_system(file).map_err(Failure::of(Operation::Examine))?;
        if file_system == FileSystem::Local {
            return Ok(());
        }
        let name = medium.file_system_name(file);
        if self.file_system.is_some() && self.file_system == name {
            return Ok(());
        }
        match file_system {
            FileSystem::Network if !self.network => Err(OpenError::NetworkFileSystem { name }),
            FileSystem::Volatile if !self.volatile => Err(OpenError::VolatileFileSystem { name }),
            FileSystem::Unknown if !self.unknown => Err(OpenError::UnknownFileSystem { name }),
            FileSystem::Local | FileSystem::Network | FileSystem::Volatile | FileSystem::Unknown => Ok(()),
        }
    }

    fn check_regression(self, record: &Record, facts: &Facts) -> Result<(), OpenError> {
        let found = Some(record.value);
        let moved = record.origin.zip(facts.origin).is_some_and(|(then, now)| !then.may_be(now));
        if moved {
            let evidence = Evidence::Origin;
            return Err(OpenError::Regressed(Regressed { evidence, found, known: self.at_least }));
        }
        if self.at_least.is_some_and(|floor| record.value < floor) {
            let evidence = Evidence::Floor;
            return Err(OpenError::Regressed(Regressed { evidence, found, known: self.at_least }));
        }
        Ok(())
    }
}

impl From<Unusable> for OpenError {
    fn from(unusable: Unusable) -> Self {
        match unusable {
            Unusable::NoValidRecord => Self::NoValidRecord,
            Unusable::Conflict => Self::Conflict,
            Unusable::Exhausted => Self::Exhausted,
        }
    }
}

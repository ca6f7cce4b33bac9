//! `Directory`: the store.

use alloc::string::ToString;
use alloc::vec::Vec;
use core::time::Duration;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use high_water::{FileSystemName, Identity, Options, WhenHeld};
use hlc::{NodeId, Stamp};

use super::alive::{self, Alive};
use super::ledger::{Ledger, Written};
use super::shelf::{self, Folder, Shelf as _};
use super::{During, FileError, Host, SystemHost};
use crate::engine::{Engine, Failure, Swapped};
use crate::protocol::{Action, Record, Swap, View};
use crate::{DurableGate, Epoch, FencingToken, FileGate, RealmId, ResourceId};

/// How a directory of leases is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub struct FileOptions {
    patience: Duration,
    network: bool,
    volatile: bool,
    unknown: bool,
    file_system: Option<FileSystemName>,
}

impl Default for FileOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl FileOptions {
    /// Two seconds of patience, on a local disk.
    pub const fn new() -> Self {
        Self {
            patience: Duration::from_secs(2),
            network: false,
            volatile: false,
            unknown: false,
            file_system: None,
        }
    }

    /// How long to wait while another process is in the midst of a write. It should be well below a third of the
    /// shortest time to live.
    pub const fn patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Allows network file systems. Locks, syncs and the clock that judges expiry are then up to others.
    pub const fn allow_network_file_system(self) -> Self {
        Self { network: true, ..self }
    }

    /// Allows file systems in memory. Everything then survives killed processes, and no reboot: nor does a lease.
    pub const fn allow_volatile_file_system(self) -> Self {
        Self { volatile: true, ..self }
    }

    /// Allows file systems of which it cannot be told whether they are local.
    pub const fn allow_unknown_file_system(self) -> Self {
        Self { unknown: true, ..self }
    }

    /// Allows one kind of file system by its name, as an error tells it.
    pub const fn allow_file_system(self, name: FileSystemName) -> Self {
        Self { file_system: Some(name), ..self }
    }

    /// Opens a directory that is there.
    ///
    /// # Errors
    ///
    /// - [`FileError::NoDirectory`] when it is not, or is no directory.
    /// - [`FileError::UnsupportedPlatform`], [`FileError::Io`]: see [`SystemHost::new`].
    pub fn open(self, path: impl AsRef<Path>) -> Result<Directory, FileError> {
        self.open_with(path, SystemHost::new()?)
    }

    /// Opens a directory, and makes it first where it is missing, with those above it.
    ///
    /// The folder of a resource, which the first write makes, is for the owner of that process and its group alone, as far
    /// as the umask lets the group in: who may read the files may lock them.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open).
    pub fn open_or_create(self, path: impl AsRef<Path>) -> Result<Directory, FileError> {
        shelf::create_durably(path.as_ref(), shelf::ANYBODY).map_err(FileError::io(During::Directory))?;
        self.open(path)
    }

    /// Opens a directory that is there, with other clocks: for tests of whatever uses a lease.
    ///
    /// # Errors
    ///
    /// [`FileError::NoDirectory`].
    pub fn open_with<H: Host>(self, path: impl AsRef<Path>, host: H) -> Result<Directory<H>, FileError> {
        // A relative path must not change its meaning with the process's own directory.
        let path = std::path::absolute(path).map_err(FileError::io(During::Directory))?;
        if !path.is_dir() {
            return Err(FileError::NoDirectory);
        }
        Ok(Directory { path, options: self, host, alive: Alive::default() })
    }

    fn register(self, identity: Identity) -> Options {
        let options = Options::new(identity);
        let options = options.when_held(WhenHeld::WaitUpTo(self.patience));
        let options = if self.network { options.allow_network_file_system() } else { options };
        let options = if self.volatile { options.allow_volatile_file_system() } else { options };
        let options = if self.unknown { options.allow_unknown_file_system() } else { options };
        self.file_system.map_or(options, |name| options.allow_file_system(name))
    }
}

/// A directory of leases, for the processes of one host. See [the module](super).
#[derive(Debug)]
pub struct Directory<H = SystemHost> {
    path: PathBuf,
    options: FileOptions,
    host: H,
    alive: Alive,
}

impl<H: Host> Directory<H> {
    /// Returns where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the resources that were ever written here.
    ///
    /// # Errors
    ///
    /// [`FileError::Io`].
    pub fn resources(&self) -> Result<Vec<ResourceId>, FileError> {
        let fault = FileError::io(During::Directory);
        let mut resources = Vec::new();
        for found in fs::read_dir(&self.path).map_err(&fault)? {
            let name = found.map_err(&fault)?.file_name();
            resources.extend(name.to_str().and_then(|name| name.parse::<ResourceId>().ok()));
        }
        resources.sort_unstable();
        Ok(resources)
    }

    /// Returns where the files of a resource are, be they there or not.
    #[must_use]
    pub fn folder(&self, resource: ResourceId) -> PathBuf {
        self.path.join(resource.to_string())
    }

    /// Returns a handle by which the holder of a token, as long as it is open, counts as alive. A child process that
    /// inherits it keeps the lease from being taken over early, when its parent dies. `None` where the token was
    /// not granted through this value.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn lifeline(&self, token: &FencingToken) -> Option<io::Result<File>> {
        self.alive.handle(token.resource(), token.grant())
    }

    pub(super) const fn host(&self) -> &H {
        &self.host
    }

    pub(super) fn ledger(&self, resource: ResourceId) -> Ledger<Folder> {
        let folder = Folder::at(self.folder(resource));
        Ledger::new(folder, resource, self.options.register(DurableGate::identity(resource)))
    }

    /// Returns the gate that stands before a resource for all processes of this host. Nothing is looked at yet.
    #[must_use]
    pub fn gate(&self, resource: ResourceId) -> FileGate<'_, H> {
        FileGate::new(self, resource)
    }

    /// How the register of a gate is opened. Never on a network file system: its locks are not inherited.
    pub(crate) fn gate_register(&self, identity: Identity) -> Options {
        FileOptions { network: false, ..self.options }.register(identity)
    }

    /// The realm and the epoch of the record that a new gate begins with; `None` where nothing was ever written.
    pub(crate) fn beginning(&self, resource: ResourceId) -> Result<Option<(RealmId, Epoch)>, FileError> {
        if !self.path.is_dir() {
            return Err(FileError::NoDirectory);
        }
        let record = self.ledger(resource).load()?;
        Ok(record.map(|record| (record.realm(), record.epoch().unwrap_or(Epoch::FIRST))))
    }

    /// Makes the folder of a resource, durably.
    pub(crate) fn make_folder(&self, resource: ResourceId) -> Result<(), FileError> {
        if !self.path.is_dir() {
            return Err(FileError::NoDirectory);
        }
        self.ledger(resource).shelf().prepare()
    }

    /// The next stamp after the last one, by the wall clock as far as that goes on.
    pub(super) fn stamp(&self, last: Option<Stamp>) -> Result<Stamp, FileError> {
        let wall = self.host.wall();
        let mut clock = hlc::Clock::new(hlc::source::from_fn(move || Ok(wall)));
        if let Some(last) = last {
            clock = clock.resume_after(last.timestamp());
        }
        let now = clock.tick().map_err(|_| FileError::LogExhausted)?;
        let process = NodeId::new(std::process::id().into()).map_err(|_| FileError::LogExhausted)?;
        Ok(now.at_node(process))
    }

    pub(super) fn view(&self, folder: &Folder, record: Record) -> Result<View, FileError> {
        let view = View::new(record, self.host.moment()?);
        let died = record.grant().is_some_and(|grant| alive::died(folder.path(), grant));
        Ok(if died { view.with_ended() } else { view })
    }

    /// The record as it is now, or that of a resource that begins.
    pub(super) fn look(&self, ledger: &Ledger<Folder>) -> Result<View, FileError> {
        let record = match ledger.load()? {
            Some(record) => record,
            None => Record::vacant(RealmId::random().map_err(FileError::Random)?),
        };
        self.view(ledger.shelf(), record)
    }

    pub(super) fn write(&self, ledger: &Ledger<Folder>, swap: &Swap) -> Result<Swapped, Failure<FileError>> {
        let (folder, resource) = (ledger.shelf().path(), ledger.resource());
        let attempt = (swap.action() == Action::Acquire).then(|| swap.grant()).flatten();
        let mut announced = false;
        let written = ledger.swap(
            swap,
            |stored| Ok(swap.lands_on(&self.view(ledger.shelf(), *stored)?)),
            |last| self.stamp(last),
            |stored| {
                let Some(grant) = attempt else { return Ok(()) };
                if let Some(stored) = stored {
                    self.alive.give_up_all_but(resource, stored.grant());
                    alive::sweep(folder, stored.grant());
                }
                let fault = FileError::io(During::Announcing);
                announced = self.alive.announce(folder, resource, grant).map_err(fault)?;
                Ok(())
            },
        );
        let over = match &written {
            Ok(Written::Landed(record)) => {
                swap.before().grant().filter(|before| record.grant() != Some(*before))
            }
            // What is in the way may be an earlier copy of this very attempt.
            Ok(Written::Conflict(stored)) => attempt
                .filter(|grant| announced || stored.is_some_and(|record| record.grant() != Some(*grant))),
            Err(Failure::Definite(_)) => attempt.filter(|_| announced),
            Err(Failure::Indeterminate(_)) => None,
        };
        if let Some(grant) = over {
            self.alive.retire(folder, resource, grant);
        }
        match written? {
            Written::Landed(record) => {
                self.view(ledger.shelf(), record).map(Swapped::Landed).map_err(Failure::Indeterminate)
            }
            Written::Conflict(_) => Ok(Swapped::Conflict),
        }
    }
}

impl<H: Host> Engine for Directory<H> {
    type Error = FileError;

    fn load(&self, resource: &ResourceId) -> Result<View, FileError> {
        if !self.path.is_dir() {
            return Err(FileError::NoDirectory);
        }
        self.look(&self.ledger(*resource))
    }

    fn swap(&self, resource: &ResourceId, swap: &Swap) -> Result<Swapped, Failure<FileError>> {
        if !self.path.is_dir() {
            return Err(Failure::Definite(FileError::NoDirectory));
        }
        self.write(&self.ledger(*resource), swap)
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn what_is_allowed_of_a_file_system_is_allowed_to_the_records_and_no_network_to_the_gates() {
        let identity = DurableGate::identity(ResourceId::of("tests", "options"));
        let name = FileSystemName::new("tmpfs").unwrap();
        let plain = Options::new(identity).when_held(WhenHeld::WaitUpTo(Duration::from_secs(2)));
        let new = FileOptions::new();
        assert_eq!(FileOptions::default(), new);
        let rows = [
            (new, plain),
            (new.allow_network_file_system(), plain.allow_network_file_system()),
            (new.allow_volatile_file_system(), plain.allow_volatile_file_system()),
            (new.allow_unknown_file_system(), plain.allow_unknown_file_system()),
            (new.allow_file_system(name), plain.allow_file_system(name)),
            (
                new.patience(Duration::ZERO),
                Options::new(identity).when_held(WhenHeld::WaitUpTo(Duration::ZERO)),
            ),
        ];
        for (options, register) in rows {
            assert_eq!(options.register(identity), register);
        }
        let all = new.allow_network_file_system().allow_volatile_file_system();
        let directory = all.open_with("/", SystemHost::new().unwrap()).unwrap();
        assert_eq!(directory.gate_register(identity), plain.allow_volatile_file_system());
        assert_eq!(directory.path(), Path::new("/"));
    }
}

//! The files by which a holder shows that it lives: each is locked for as long as its process, or a child that
//! inherited it, does.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Mutex;

use crate::{GrantId, ResourceId};

const PREFIX: &str = "alive.";

/// The files that this process has locked.
#[derive(Debug, Default)]
pub(super) struct Alive {
    held: Mutex<BTreeMap<(ResourceId, GrantId), File>>,
}

fn name(grant: GrantId) -> String {
    format!("{PREFIX}{grant}")
}

impl Alive {
    fn held(&self) -> std::sync::MutexGuard<'_, BTreeMap<(ResourceId, GrantId), File>> {
        // Whoever panicked with it left a map of files that is as good as any.
        self.held.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Makes and locks the file of a grant, unless this process has it already; whether it was made now.
    pub(super) fn announce(&self, folder: &Path, resource: ResourceId, grant: GrantId) -> io::Result<bool> {
        let mut held = self.held();
        if held.contains_key(&(resource, grant)) {
            return Ok(false);
        }
        let path = folder.join(name(grant));
        let file = OpenOptions::new().write(true).create_new(true).open(&path)?;
        file.try_lock().map_err(|error| match error {
            TryLockError::Error(error) => error,
            TryLockError::WouldBlock => io::ErrorKind::WouldBlock.into(),
        })?;
        // For people who look into the folder.
        let _told = writeln!(&file, "{}", std::process::id());
        held.insert((resource, grant), file);
        Ok(true)
    }

    /// Gives up the file of a grant that is over, or never was.
    pub(super) fn retire(&self, folder: &Path, resource: ResourceId, grant: GrantId) {
        drop(self.held().remove(&(resource, grant)));
        // What is left behind is removed with the next tenure.
        let _removed = fs::remove_file(folder.join(name(grant)));
    }

    /// Gives up the files of all grants of a resource but one. Called by one who holds the record, so that they are over
    /// or never were: of a lease that lapsed nobody else would tell this process, and it would keep the file for ever.
    pub(super) fn give_up_all_but(&self, resource: ResourceId, current: Option<GrantId>) {
        self.held().retain(|(of, grant), _| *of != resource || Some(*grant) == current);
    }

    /// Another handle of the file of a grant, to be inherited by a child. The lock lasts until the last one is closed.
    pub(super) fn handle(&self, resource: ResourceId, grant: GrantId) -> Option<io::Result<File>> {
        self.held().get(&(resource, grant)).map(File::try_clone)
    }
}

/// Whether the holder of a grant is known to have died: its file is there, and nobody has it locked.
///
/// A file that is not there tells nothing: the expiry decides.
pub(super) fn died(folder: &Path, grant: GrantId) -> bool {
    let Ok(file) = File::open(folder.join(name(grant))) else { return false };
    // Shared, so that two who look at once do not take each other for the holder.
    file.try_lock_shared().is_ok()
}

/// Removes the files of all grants but one whose holders are dead. Called by one who holds the record, so that no file
/// is between its making and its lock.
pub(super) fn sweep(folder: &Path, current: Option<GrantId>) {
    let current = current.map(name);
    let Ok(names) = fs::read_dir(folder) else { return };
    for path in names.flatten().map(|found| found.path()) {
        let found = path.file_name().and_then(|name| name.to_str()).filter(|name| name.starts_with(PREFIX));
        let abandoned = found.is_some_and(|found| current.as_deref() != Some(found))
            && File::open(&path).is_ok_and(|file| file.try_lock().is_ok());
        if abandoned {
            let _removed = fs::remove_file(&path);
        }
    }
}

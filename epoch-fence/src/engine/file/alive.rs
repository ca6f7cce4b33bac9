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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::file::scratch::Scratch;

    fn grant(bits: u128) -> GrantId {
        GrantId::from_random_bits(bits).unwrap()
    }

    fn resource(name: &str) -> ResourceId {
        ResourceId::of("tests", name)
    }

    /// A process that another test starts at this moment has a copy of every lock until it runs its program.
    fn soon(holds: impl Fn() -> bool) -> bool {
        (0..10_000).any(|_| {
            holds() || {
                std::thread::sleep(core::time::Duration::from_millis(1));
                false
            }
        })
    }

    #[test]
    fn a_holder_is_dead_when_its_file_is_there_and_nobody_has_it_locked() {
        let (folder, alive, here) = (Scratch::new("alive-died"), Alive::default(), resource("a"));
        let path = folder.path();
        assert!(!died(path, grant(1)), "a file that is not there tells nothing");
        assert!(alive.announce(path, here, grant(1)).unwrap());
        assert!(!alive.announce(path, here, grant(1)).unwrap(), "it has it already");
        assert!(!died(path, grant(1)));
        let heir = alive.handle(here, grant(1)).unwrap().unwrap();
        drop(alive);
        assert!(!died(path, grant(1)), "a child has it");
        drop(heir);
        assert!(soon(|| died(path, grant(1))));
        let other = Alive::default();
        let why = other.announce(path, here, grant(1)).unwrap_err();
        assert_eq!(why.kind(), io::ErrorKind::AlreadyExists, "it is another process's");
        assert!(other.handle(here, grant(1)).is_none());
        other.retire(path, here, grant(1));
        assert!(!path.join(name(grant(1))).exists());
    }

    #[test]
    fn the_files_of_one_resource_are_given_up_but_for_the_current_grant() {
        let (folder, alive) = (Scratch::new("alive-given-up"), Alive::default());
        let (here, there) = (resource("a"), resource("b"));
        for (of, bits) in [(here, 1), (here, 2), (there, 3)] {
            alive.announce(folder.path(), of, grant(bits)).unwrap();
        }
        let has = |of, bits| alive.handle(of, grant(bits)).is_some();
        alive.give_up_all_but(here, Some(grant(2)));
        assert_eq!((has(here, 1), has(here, 2), has(there, 3)), (false, true, true));
        assert!(soon(|| died(folder.path(), grant(1))));
        alive.give_up_all_but(here, None);
        assert_eq!((has(here, 2), has(there, 3)), (false, true));
    }

    #[test]
    fn the_files_of_the_dead_are_swept_and_no_others() {
        let (folder, alive) = (Scratch::new("alive-swept"), Alive::default());
        let path = folder.path();
        alive.announce(path, resource("a"), grant(1)).unwrap();
        for dead in [name(grant(2)), name(grant(3)), "record".into()] {
            fs::write(path.join(dead), "").unwrap();
        }
        let left = || {
            let names = fs::read_dir(path).unwrap().map(|found| found.unwrap().file_name());
            let mut names: alloc::vec::Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
            names.sort();
            names
        };
        sweep(path, Some(grant(2)));
        assert_eq!(left(), [name(grant(1)), name(grant(2)), "record".into()], "the current one stays");
        sweep(path, None);
        assert_eq!(left(), [name(grant(1)), "record".into()], "the living one stays");
        // Of a folder that is not there nothing is swept.
        sweep(&path.join("gone"), None);
    }
}

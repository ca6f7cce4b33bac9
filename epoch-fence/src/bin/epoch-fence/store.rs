//! The directory of the leases: where it is, and how it is opened.

use core::time::Duration;
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use epoch_fence::engine::file::{Directory, FileError, FileOptions};

use crate::engine::{Address, Store};
use crate::exit::{FAILED, Failure};
use crate::options::{Allow, Place, Server};

/// What `run` passes on to its command, and the other verbs look for.
pub(crate) const TOKEN: &str = "EPOCH_FENCE_TOKEN";
pub(crate) const EPOCH: &str = "EPOCH_FENCE_EPOCH";
pub(crate) const RESOURCE: &str = "EPOCH_FENCE_RESOURCE";
pub(crate) const DIRECTORY: &str = "EPOCH_FENCE_DIR";
pub(crate) const ENGINE: &str = "EPOCH_FENCE_ENGINE";
pub(crate) const ALLOW: &str = "EPOCH_FENCE_ALLOW";

impl Place {
    fn path(&self) -> Result<PathBuf, Failure> {
        if let Some(path) = &self.dir {
            return Ok(path.clone());
        }
        let path = usual_path(nix::unistd::geteuid().is_root(), |name| env::var_os(name));
        path.ok_or_else(|| Failure::new(FAILED, "neither --dir nor $HOME says where the leases are"))
    }

    fn options(&self) -> FileOptions {
        self.allow.iter().fold(FileOptions::new(), |options, allow| match allow {
            Allow::Volatile => options.allow_volatile_file_system(),
            Allow::Network => options.allow_network_file_system(),
            Allow::Unknown => options.allow_unknown_file_system(),
            Allow::Named(name) => options.allow_file_system(*name),
        })
    }

    /// The directory, made where it is missing.
    pub(crate) fn open_or_create(&self) -> Result<Directory, Failure> {
        let path = self.path()?;
        self.options().open_or_create(&path).map_err(|why| at(&path, why))
    }

    /// The directory, which must be there: to look for something in an empty one would be a mistake in its name.
    pub(crate) fn open(&self) -> Result<Directory, Failure> {
        let path = self.path()?;
        self.options().open(&path).map_err(|why| at(&path, why))
    }

    /// What a child has to be told so that it finds the same directory.
    fn environment(&self, directory: &Directory) -> Vec<(&'static str, OsString)> {
        let kinds: Vec<String> = self.allow.iter().map(Allow::to_string).collect();
        let mut variables = vec![(DIRECTORY, directory.path().into())];
        if !kinds.is_empty() {
            variables.push((ALLOW, kinds.join(",").into()));
        }
        variables
    }
}

impl Server {
    /// What keeps the leases: the server, or the directory, made where it is missing. A lease of `ttl` has to be renewed
    /// in time.
    pub(crate) fn open_or_create(&self, place: &Place, ttl: Duration) -> Result<Store, Failure> {
        match &self.engine {
            Some(address) => address.open(Some(ttl)).map(Store::Remote),
            None => place.open_or_create().map(Store::File),
        }
    }

    /// The directory of the guard: beside a server it is made where it is missing, and else it holds the leases too, and has
    /// to be there.
    pub(crate) fn directory(&self, place: &Place) -> Result<Directory, Failure> {
        if self.engine.is_some() { place.open_or_create() } else { place.open() }
    }

    /// What a child has to be told so that it finds the same leases.
    pub(crate) fn environment(&self, place: &Place, store: &Store) -> Vec<(&'static str, OsString)> {
        match (store, &self.engine) {
            (Store::File(directory), _) => place.environment(directory),
            (Store::Remote(_), address) => {
                let address = address.as_ref().and_then(Address::to_hand_on);
                let directory = place.dir.as_ref().map(|path| (DIRECTORY, path.into()));
                address.map(|address| (ENGINE, address.into())).into_iter().chain(directory).collect()
            }
        }
    }
}

/// Where the leases are when nobody says it: where the system, or else this user, keeps what has to outlive a reboot.
fn usual_path(root: bool, variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    if root {
        return Some(PathBuf::from("/var/lib/epoch-fence"));
    }
    let set = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let state = set("XDG_STATE_HOME")
        .filter(|path| path.is_absolute())
        .or_else(|| set("HOME").map(|home| home.join(".local/state")))?;
    Some(state.join("epoch-fence"))
}

fn at(path: &Path, why: FileError) -> Failure {
    Failure::from(why).during(path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_name_the_leases_are_where_this_user_keeps_what_outlives_a_reboot() {
        let rows = [
            (true, Some("/state"), Some("/users/u"), Some("/var/lib/epoch-fence")),
            (false, Some("/state"), Some("/users/u"), Some("/state/epoch-fence")),
            // What is not absolute would be another directory in each folder: it has to be ignored.
            (false, Some("state"), Some("/users/u"), Some("/users/u/.local/state/epoch-fence")),
            (false, Some(""), Some("/users/u"), Some("/users/u/.local/state/epoch-fence")),
            (false, None, Some("/users/u"), Some("/users/u/.local/state/epoch-fence")),
            (false, None, Some(""), None),
            (false, None, None, None),
        ];
        for (root, state, home, expected) in rows {
            let path = usual_path(root, |name| match name {
                "XDG_STATE_HOME" => state.map(OsString::from),
                _ => home.filter(|_| name == "HOME").map(OsString::from),
            });
            assert_eq!(path.as_deref(), expected.map(Path::new), "{root} {state:?} {home:?}");
        }
    }
}

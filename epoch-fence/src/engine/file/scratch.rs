//! `Scratch`: a folder of a test's own. It is written here because the package has to test itself without the rest of the
//! workspace.

use alloc::format;
use std::fs;
use std::path::{Path, PathBuf};

/// It goes with all that is in it when it is dropped.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// Makes one, by a name that no other test has.
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("epoch-fence-{name}-{}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

//! `Progress`: one line on standard error while people wait.

use std::io::{self, IsTerminal as _, Write as _};

/// A line that is written over until it is cleared. Where standard error is no terminal, there is none.
#[derive(Debug)]
pub(crate) struct Progress {
    is_shown: bool,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self { is_shown: io::stderr().is_terminal() }
    }

    /// Shows `what` in place of what was shown before.
    pub(crate) fn show(&self, what: &str) {
        if self.is_shown {
            // Progress that cannot be shown is no reason to stop.
            let _ = write!(io::stderr(), "\r\x1b[K{what}");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.show("");
    }
}

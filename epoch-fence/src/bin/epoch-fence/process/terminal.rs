//! The terminal, and whose turn at it is.

use std::fs::{File, OpenOptions};

use nix::unistd::{Pid, getpgrp, tcgetpgrp, tcsetpgrp};

/// The terminal of this process, if it has one.
///
/// All calls need SIGTTOU to be blocked: else the kernel would stop this process for reaching for a terminal that is
/// not its turn.
pub(super) struct Terminal(File);

impl Terminal {
    pub(super) fn of_this_process() -> Option<Self> {
        OpenOptions::new().read(true).write(true).open("/dev/tty").ok().map(Self)
    }

    fn is_with(&self, group: Pid) -> bool {
        tcgetpgrp(&self.0) == Ok(group)
    }

    /// Gives the terminal to a group, if it is the turn of this process; whether it was. One that has hung up is given to
    /// nobody.
    pub(super) fn give(&self, group: Pid) -> bool {
        self.is_with(getpgrp()) && tcsetpgrp(&self.0, group).is_ok()
    }

    /// Takes the terminal back from a group, if it is its turn; whether it was.
    pub(super) fn take_back(&self, group: Pid) -> bool {
        self.is_with(group) && tcsetpgrp(&self.0, getpgrp()).is_ok()
    }
}

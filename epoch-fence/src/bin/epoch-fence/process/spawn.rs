//! Starting a command: without a shell, with the signals as they were.

use alloc::collections::BTreeMap;
use alloc::ffi::CString;
use std::env;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

use nix::errno::Errno;
use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawnp};
use nix::sys::signal::{SigSet, Signal};
use nix::unistd::Pid;

use crate::exit::{FAILED, Failure, NOT_FOUND, NOT_STARTED};
use crate::name::harmless;

/// In which process group a command runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    /// In a new one, which can be stopped as a whole.
    Own,
    /// In that of this process.
    Shared,
}

/// A command that was started.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Child {
    pub(super) process: Pid,
    pub(super) group: Group,
}

/// Starts a command with some variables more than this process has, and with a mask of signals that is not ours.
pub(super) fn spawn(
    command: &[OsString],
    variables: &[(&str, OsString)],
    group: Group,
    mask: &SigSet,
) -> Result<Child, Failure> {
    let shown = || harmless(command.first().map_or(OsStr::new(""), |program| program)).to_string();
    let failed = |why: Errno| Failure::new(code(why), why.desc()).during(shown());
    let argument = |bytes: Vec<u8>| {
        CString::new(bytes).map_err(|_| Failure::new(FAILED, "a zero byte in an argument").during(shown()))
    };

    let arguments =
        command.iter().map(|word| argument(word.as_bytes().to_vec())).collect::<Result<Vec<_>, _>>()?;
    let program = arguments.first().ok_or_else(|| failed(Errno::ENOENT))?;
    let mut environment: BTreeMap<OsString, OsString> = env::vars_os().collect();
    environment.extend(variables.iter().map(|(name, value)| (OsString::from(name), value.clone())));
    let environment = environment
        .into_iter()
        .map(|(name, value)| argument([name.into_vec(), value.into_vec()].join(&b'=')))
        .collect::<Result<Vec<_>, _>>()?;

    let mut attributes = PosixSpawnAttr::init().map_err(failed)?;
    let mut flags = PosixSpawnFlags::POSIX_SPAWN_SETSIGMASK | PosixSpawnFlags::POSIX_SPAWN_SETSIGDEF;
    attributes.set_sigmask(mask).map_err(failed)?;
    // Ignored in every Rust program; the command is to end when nobody reads what it prints.
    let pipe = core::iter::once(Signal::SIGPIPE).collect();
    attributes.set_sigdefault(&pipe).map_err(failed)?;
    if group == Group::Own {
        flags |= PosixSpawnFlags::POSIX_SPAWN_SETPGROUP;
        attributes.set_pgroup(Pid::from_raw(0)).map_err(failed)?;
    }
    attributes.set_flags(flags).map_err(failed)?;
    let files = PosixSpawnFileActions::init().map_err(failed)?;
    let process = posix_spawnp(program, &files, &attributes, &arguments, &environment).map_err(failed)?;
    Ok(Child { process, group })
}

/// The exit code for a command that was not started: its own fault, unless the system had no room for any.
const fn code(why: Errno) -> u8 {
    match why {
        Errno::ENOENT => NOT_FOUND,
        Errno::EAGAIN | Errno::ENOMEM => FAILED,
        _ => NOT_STARTED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_without_room_for_a_process_is_no_fault_of_the_command() {
        let rows = [
            (Errno::ENOENT, NOT_FOUND),
            (Errno::EAGAIN, FAILED),
            (Errno::ENOMEM, FAILED),
            (Errno::EACCES, NOT_STARTED),
            (Errno::ENOEXEC, NOT_STARTED),
        ];
        for (why, expected) in rows {
            assert_eq!(code(why), expected, "{why}");
        }
    }
}

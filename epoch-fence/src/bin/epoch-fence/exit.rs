//! How the program ends: exit codes, and what is said on standard error.

use core::fmt::Display;
use std::io::{self, Write as _};
use std::process::ExitCode;

use epoch_fence::engine::file::FileError;
use epoch_fence::{FileGateError, NotChanged, Rejected};
use high_water::{IoFault, NotRaised, OpenError, RaiseError};

use crate::engine::StoreError;
use crate::name::plain;
use crate::options::Allow;
use crate::output::finished;

/// `verify` found the log changed.
pub(crate) const DAMAGED: u8 = 1;
/// Somebody else is there; it may be tried again.
pub(crate) const BUSY: u8 = 121;
/// The lease is lost, or the token opens nothing any more.
pub(crate) const LOST: u8 = 122;
/// Nobody knows whether it happened.
pub(crate) const INDETERMINATE: u8 = 123;
/// The program itself failed, or was called wrongly.
pub(crate) const FAILED: u8 = 125;
/// The command was found, and could not be started.
pub(crate) const NOT_STARTED: u8 = 126;
/// The command was not found.
pub(crate) const NOT_FOUND: u8 = 127;

/// Why the program did not do what was asked: what it says, and its exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    why: String,
}

impl Failure {
    pub(crate) fn new(code: u8, why: impl Display) -> Self {
        Self { code, why: why.to_string() }
    }

    pub(crate) const fn code(&self) -> u8 {
        self.code
    }

    pub(crate) fn why(&self) -> &str {
        &self.why
    }

    /// With the system's own words, which a library without a system has only the number of.
    fn with_text(self, fault: Option<IoFault>) -> Self {
        match fault.and_then(IoFault::code) {
            Some(code) => {
                Self { why: format!("{}: {}", self.why, io::Error::from_raw_os_error(code)), ..self }
            }
            None => self,
        }
    }

    /// With what was being done before it.
    pub(crate) fn during(self, what: impl Display) -> Self {
        Self { why: format!("{what}: {}", self.why), ..self }
    }
}

impl From<io::Error> for Failure {
    fn from(why: io::Error) -> Self {
        Self::new(FAILED, why)
    }
}

impl From<FileError> for Failure {
    fn from(why: FileError) -> Self {
        let fault = match &why {
            FileError::Register(why) => fault_of_opening(why),
            FileError::Raise(why) => fault_of_raising(why),
            _ => None,
        };
        let failure = Self::new(if matches!(why, FileError::Busy { .. }) { BUSY } else { FAILED }, why);
        // The library names its own way to allow it.
        let (name, kind) = match why {
            FileError::Register(OpenError::VolatileFileSystem { name }) => (name, Allow::Volatile),
            FileError::Register(OpenError::NetworkFileSystem { name }) => (name, Allow::Network),
            FileError::Register(OpenError::UnknownFileSystem { name }) => (name, Allow::Unknown),
            _ => return failure.with_text(fault),
        };
        let allow = name.map_or(kind, Allow::Named);
        Self { why: format!("{} (here: --allow {allow})", failure.why), ..failure }
    }
}

const fn fault_of_opening(why: &OpenError) -> Option<IoFault> {
    if let OpenError::Io(fault) = why { Some(*fault) } else { None }
}

const fn fault_of_raising(why: &RaiseError) -> Option<IoFault> {
    match why {
        RaiseError::Indeterminate(fault) | RaiseError::NotRaised(NotRaised::Io(fault)) => Some(*fault),
        _ => None,
    }
}

impl From<FileGateError> for Failure {
    fn from(why: FileGateError) -> Self {
        let code = match &why {
            FileGateError::Rejected(
                Rejected::Draining { .. } | Rejected::TooManyPermits { .. } | Rejected::Sealed,
            )
            | FileGateError::NotAdopted(_)
            | FileGateError::Record(FileError::Busy { .. })
            | FileGateError::Register(OpenError::Held { .. }) => BUSY,
            FileGateError::Rejected(_) => LOST,
            FileGateError::NotSaved(why) if !why.is_definite() => INDETERMINATE,
            _ => FAILED,
        };
        let fault = match &why {
            FileGateError::Record(FileError::Register(why)) | FileGateError::Register(why) => {
                fault_of_opening(why)
            }
            FileGateError::NotSaved(why) => fault_of_raising(why),
            _ => None,
        };
        Self::new(code, why).with_text(fault)
    }
}

impl From<StoreError> for Failure {
    fn from(why: StoreError) -> Self {
        match why {
            StoreError::File(why) => why.into(),
            StoreError::Remote(why) => Self::new(FAILED, why),
        }
    }
}

impl<E: Display + Into<Self>> From<NotChanged<E>> for Failure {
    fn from(why: NotChanged<E>) -> Self {
        let code = match why {
            NotChanged::Indeterminate(_) => INDETERMINATE,
            NotChanged::Contended => BUSY,
            NotChanged::Lost => LOST,
            NotChanged::Failed(why) => return why.into(),
            _ => FAILED,
        };
        match why {
            NotChanged::Indeterminate(why) => Self { code, ..why.into() },
            _ => Self::new(code, why),
        }
    }
}

/// Says something on standard error, where it does not disturb what the command prints.
pub(crate) fn say(what: impl Display) {
    tell(&format!("epoch-fence: {what}\n"));
}

/// Whatever is said may hold what others wrote: names, paths, arguments.
fn tell(what: &str) {
    // With standard error closed there is nobody to tell.
    let _told = io::stderr().write_all(plain(what).as_bytes());
}

pub(crate) fn with(result: Result<u8, Failure>) -> ExitCode {
    match result {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            say(&failure.why);
            ExitCode::from(failure.code)
        }
    }
}

/// Ends after a command line that was not understood, or that asked for help.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        return with(finished(error.print()));
    }
    tell(&error.render().to_string());
    // As `timeout`, and not 2: that is a usual code of the commands that are run.
    ExitCode::from(FAILED)
}

#[cfg(test)]
mod tests {
    use epoch_fence::engine::file::During;
    use epoch_fence::{AdoptError, Epoch};
    use high_water::{FileSystemName, Operation};

    use super::*;

    /// The number of a disk without room, which a library without a system does not know the words of.
    const FULL: IoFault = IoFault::new(Operation::Write, Some(28));
    const WORDS: &str = ": No space left on device (os error 28)";

    fn check(why: impl Into<Failure>, code: u8, end: &str) {
        let failure = why.into();
        assert_eq!(failure.code(), code, "{}", failure.why());
        assert!(failure.why().ends_with(end), "{end:?} is not the end of {:?}", failure.why());
    }

    #[test]
    fn what_goes_wrong_in_the_directory_has_its_exit_code_the_systems_words_and_our_own_way_to_allow_it() {
        let name = FileSystemName::new("tmpfs");
        let busy = FileError::Busy { process: Some(7) };
        let rows = [
            (busy, BUSY, "if it is stopped, let it go on or kill it"),
            (FileError::NoDirectory, FAILED, "there is no such directory; create it"),
            (FileError::Io { during: During::Reading, code: Some(5) }, FAILED, "while reading the audit log"),
            (FileError::Register(OpenError::Io(FULL)), FAILED, WORDS),
            (FileError::Raise(RaiseError::Indeterminate(FULL)), FAILED, WORDS),
            (FileError::Raise(NotRaised::Io(FULL).into()), FAILED, WORDS),
            (FileError::Register(OpenError::VolatileFileSystem { name }), FAILED, "(here: --allow tmpfs)"),
            (
                FileError::Register(OpenError::VolatileFileSystem { name: None }),
                FAILED,
                "(here: --allow volatile)",
            ),
            (
                FileError::Register(OpenError::NetworkFileSystem { name: None }),
                FAILED,
                "(here: --allow network)",
            ),
            (
                FileError::Register(OpenError::UnknownFileSystem { name: None }),
                FAILED,
                "(here: --allow unknown)",
            ),
        ];
        for (why, code, end) in rows {
            check(why, code, end);
            check(StoreError::File(why), code, end);
        }
    }

    #[test]
    fn a_guard_tells_who_may_try_again_from_who_has_lost_and_what_nobody_knows_from_what_did_not_happen() {
        let raise = FileGateError::NotSaved;
        let rows = [
            (FileGateError::Rejected(Rejected::Draining { in_flight: 2 }), BUSY, "still alive"),
            (FileGateError::Rejected(Rejected::TooManyPermits { limit: 2 }), BUSY, "no more are allowed"),
            (FileGateError::Rejected(Rejected::Sealed), BUSY, "the gate is sealed"),
            (FileGateError::Rejected(Rejected::Stale { floor: Epoch::FIRST }), LOST, "the gate's floor"),
            (FileGateError::Rejected(Rejected::WrongRealm), LOST, "another realm"),
            (FileGateError::NotAdopted(AdoptError::Draining { in_flight: 2 }), BUSY, ""),
            (FileGateError::Record(FileError::Busy { process: None }), BUSY, "try again"),
            (FileGateError::Register(OpenError::Held { process: None }), BUSY, ""),
            (FileGateError::Register(OpenError::Io(FULL)), FAILED, WORDS),
            (FileGateError::Record(FileError::Register(OpenError::Io(FULL))), FAILED, WORDS),
            (raise(RaiseError::Indeterminate(FULL)), INDETERMINATE, WORDS),
            (raise(NotRaised::Io(FULL).into()), FAILED, WORDS),
            // Of an earlier one nobody knows, and so not of this one.
            (raise(NotRaised::Poisoned.into()), INDETERMINATE, ""),
            (FileGateError::PermitsReplaced, FAILED, "then rebuild the gate"),
        ];
        for (why, code, end) in rows {
            check(why, code, end);
        }
    }

    #[test]
    fn a_change_that_was_not_made_says_whether_it_may_have_been() {
        let why = || io::Error::other("no answer");
        let rows: [(NotChanged<io::Error>, u8, &str); 5] = [
            (NotChanged::Indeterminate(why()), INDETERMINATE, "no answer"),
            (NotChanged::Contended, BUSY, "others wrote first each time"),
            (NotChanged::Lost, LOST, "the lease is lost"),
            (NotChanged::Failed(why()), FAILED, "no answer"),
            (NotChanged::Refused(epoch_fence::protocol::Refusal::NotHolder), FAILED, ""),
        ];
        for (why, code, end) in rows {
            check(why, code, end);
        }
        // Whoever is at the store is that also when nothing was to be changed.
        let busy = StoreError::File(FileError::Busy { process: None });
        check(NotChanged::Failed(busy), BUSY, "try again");
    }

    #[test]
    fn what_was_being_done_stands_before_what_went_wrong() {
        check(Failure::new(LOST, "gone").during("\"r\"").during("first"), LOST, "first: \"r\": gone");
    }
}

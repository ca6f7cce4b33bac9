//! What the system says about files: which one the output is, and how many may be open.

use std::io;
use std::path::Path;

use clock_tools::Input;

/// Whether what is read there is what the standard output writes: it would be read for ever.
#[cfg(unix)]
pub(crate) fn is_output(path: &Path) -> bool {
    use std::fs::{File, Metadata, metadata};
    use std::os::fd::{AsFd as _, BorrowedFd};
    use std::os::unix::fs::MetadataExt as _;

    fn about(open: BorrowedFd<'_>) -> io::Result<Metadata> {
        File::from(open.try_clone_to_owned()?).metadata()
    }

    let read = if path.as_os_str() == Input::STDIN { about(io::stdin().as_fd()) } else { metadata(path) };
    match (read, about(io::stdout().as_fd())) {
        (Ok(read), Ok(written)) => {
            read.is_file() && (read.dev(), read.ino()) == (written.dev(), written.ino())
        }
        // What cannot be looked at cannot be opened either, which says why.
        _ => false,
    }
}

/// Elsewhere a file that is written cannot be opened to be read.
#[cfg(not(unix))]
pub(crate) fn is_output(_: &Path) -> bool {
    false
}

/// Asks for so many open files, and for a few besides. Where the system refuses, opening the one too many says so.
#[cfg(unix)]
pub(crate) fn allow(count: usize) {
    use rustix::process::{Resource, getrlimit, setrlimit};

    const BESIDES: u64 = 16;
    let mut limit = getrlimit(Resource::Nofile);
    let wanted = (count as u64).saturating_add(BESIDES);
    if limit.current.is_some_and(|current| current < wanted) {
        limit.current = Some(limit.maximum.map_or(wanted, |maximum| maximum.min(wanted)));
        let _refused = setrlimit(Resource::Nofile, limit);
    }
}

#[cfg(not(unix))]
pub(crate) fn allow(_: usize) {}

/// Whether a file could not be opened because so many are.
#[cfg(unix)]
pub(crate) fn are_too_many(why: &io::Error) -> bool {
    why.raw_os_error() == Some(rustix::io::Errno::MFILE.raw_os_error())
}

#[cfg(not(unix))]
pub(crate) fn are_too_many(_: &io::Error) -> bool {
    false
}

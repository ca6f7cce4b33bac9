//! Looking at a register without holding it.

use super::refusal::{examine, open};
use crate::error::OpenError;
use crate::file::FileMedium;
use crate::medium::{Access, Medium};
use crate::record::{FILE_LEN, Record};
use crate::rule;
use crate::scan::Scan;
use std::path::Path;

/// How many readings may differ from the one before.
const READINGS: u32 = 1_000;

/// What a register's file held, at some moment while it was being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Inspection {
    record: Record,
    valid_copies: usize,
    is_original: bool,
}

impl Inspection {
    /// The newest record. Its value was asked for; that it was acknowledged, or is on the disk, is not said.
    #[must_use]
    pub const fn record(&self) -> &Record {
        &self.record
    }

    /// How many of the six copies were valid.
    #[must_use]
    pub const fn valid_copies(&self) -> usize {
        self.valid_copies
    }

    /// Whether the file is the one that its newest record was written to, and no copy of it.
    #[must_use]
    pub const fn is_original(&self) -> bool {
        self.is_original
    }
}

/// Reads a register without locking it, also while another process raises it. Writes nothing.
///
/// The file is read until two readings agree, so that what is returned was there all at once.
///
/// # Errors
///
/// [`OpenError::Busy`] if no two of a thousand readings agree. Else see [`OpenError`]: a file that cannot be
/// opened cannot be inspected either, but for the reasons [`Held`](OpenError::Held),
/// [`Regressed`](OpenError::Regressed), read-only, and the kind of file system. One that this process may not read is
/// [`UnreadableFile`](OpenError::UnreadableFile).
pub fn inspect(path: impl AsRef<Path>) -> Result<Inspection, OpenError> {
    inspect_on(&FileMedium::at(path.as_ref())?)
}

/// [`inspect`], on any medium.
///
/// # Errors
///
/// As there.
pub fn inspect_on<M: Medium>(medium: &M) -> Result<Inspection, OpenError> {
    let file = open(medium, Access::Read)?;
    let facts = examine(medium, &file)?;
    if facts.len != FILE_LEN {
        return Err(OpenError::WrongLength { found: facts.len });
    }
    let mut scan = Scan::of(medium, &file, None)?;
    for _ in 0..READINGS {
        let again = Scan::of(medium, &file, None)?;
        if again != scan {
            scan = again;
            continue;
        }
        if let Some(alien) = scan.alien {
            return Err(alien.into());
        }
        let newest = rule::newest(&scan.view)?;
        let record = scan.record(newest).ok_or(OpenError::NoValidRecord)?;
        let copied = record.origin().zip(facts.origin).is_some_and(|(then, now)| !then.may_be(now));
        return Ok(Inspection { record, valid_copies: scan.valid_copies(), is_original: !copied });
    }
    Err(OpenError::Busy)
}

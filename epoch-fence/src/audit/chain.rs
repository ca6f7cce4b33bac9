//! `Chain`: the rule of a log: what may follow what.

use core::error::Error;
use core::fmt;

use super::{Entry, EntryError, LogHead, Place};
use crate::protocol::invariant;

/// A log up to some entry: all that decides what the next one may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Chain {
    entries: u64,
    head: LogHead,
    place: Option<Place>,
    last: Option<Entry>,
}

/// Why an entry does not follow the ones before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Broken {
    /// It is no entry.
    Entry(EntryError),
    /// It is for another place in the log: entries were inserted, removed or exchanged.
    Misplaced,
    /// It was written after another entry than the one before it.
    OtherPast,
    /// Its stamp is not after the one before.
    Stamp,
    /// No step of the protocol leads from the record before to its own.
    Step,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entry(why) => why.fmt(f),
            Self::Misplaced => f.write_str("an entry of another place"),
            Self::OtherPast => f.write_str("an entry that was written after another one than that before it"),
            Self::Stamp => f.write_str("an entry whose stamp is not after the one before"),
            Self::Step => f.write_str("an entry to which no step of the protocol leads"),
        }
    }
}

impl Error for Broken {}

impl From<EntryError> for Broken {
    fn from(why: EntryError) -> Self {
        Self::Entry(why)
    }
}

impl Default for Chain {
    /// A log without entries.
    fn default() -> Self {
        Self::starting_in(1)
    }
}

impl Chain {
    /// A log without entries, which begins in this file.
    pub(crate) const fn starting_in(segment: u32) -> Self {
        Self { entries: 0, head: LogHead::EMPTY, place: Some(Place::first_of(segment)), last: None }
    }

    /// The log up to an entry that is taken on trust: what was before it was moved away.
    pub(crate) const fn resuming(segment: u32, entries: u64, head: LogHead) -> Self {
        Self { entries, head, place: Some(Place::first_of(segment)), last: None }
    }

    /// The log up to the entry of a record.
    pub(crate) fn through(entry: Entry) -> Self {
        Self {
            entries: entry.anchor().index().saturating_add(1),
            head: entry.head(),
            place: entry.next_place(),
            last: Some(entry),
        }
    }

    /// Returns the log with one more entry.
    ///
    /// # Errors
    ///
    /// [`Broken`], as it says.
    pub fn followed_by(&self, entry: Entry) -> Result<Self, Broken> {
        let anchor = entry.anchor();
        if Some(anchor.place()) != self.place || anchor.index() != self.entries {
            return Err(Broken::Misplaced);
        }
        if anchor.before() != self.head {
            return Err(Broken::OtherPast);
        }
        if let Some(last) = &self.last {
            if anchor.stamp().timestamp() <= last.anchor().stamp().timestamp() {
                return Err(Broken::Stamp);
            }
            if !invariant(last.record(), entry.record()) {
                return Err(Broken::Step);
            }
        }
        Ok(Self::through(entry))
    }

    /// Returns how many entries there are.
    #[must_use]
    pub const fn entries(&self) -> u64 {
        self.entries
    }

    /// Returns the head.
    #[must_use]
    pub const fn head(&self) -> LogHead {
        self.head
    }

    /// Returns where the next entry goes, or `None` after the last one there can be.
    #[must_use]
    pub const fn place(&self) -> Option<Place> {
        self.place
    }

    /// Returns the last entry, or `None` where there is none or it was taken on trust.
    #[must_use]
    pub const fn last(&self) -> Option<&Entry> {
        self.last.as_ref()
    }
}

//! The resource's journal: what was done to the register, in order. It is only ever added to.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::message::{self, Effect};

/// One line of a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Note {
    /// A process of the resource begins, with the register as the last effect that was done left it.
    Opened,
    /// An effect was admitted. Nothing of it is promised.
    Begun(Effect),
    /// It is done: this is what it read, cell by cell, and what it wrote to both.
    Done { effect: Effect, read: [u64; 2], wrote: u64 },
}

/// A journal that is open for adding.
#[derive(Debug)]
pub(crate) struct Journal(File);

impl Journal {
    /// Opens a journal, cuts off a line that a killed process did not finish, and returns what the register was.
    pub(crate) fn open(path: &Path) -> io::Result<(Self, u64)> {
        let mut file = OpenOptions::new().append(true).create(true).read(true).open(path)?;
        let bytes = std::fs::read(path)?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at.saturating_add(1));
        file.set_len(u64::try_from(whole).unwrap_or(u64::MAX))?;
        let value = read(path)?.iter().rev().find_map(|note| match note {
            Note::Done { wrote, .. } => Some(*wrote),
            Note::Opened | Note::Begun(_) => None,
        });
        message::write(&mut file, &Note::Opened)?;
        Ok((Self(file), value.unwrap_or(0)))
    }

    /// Adds a line, in one write.
    pub(crate) fn note(&self, note: &Note) -> io::Result<()> {
        message::write(&self.0, note)
    }

    /// Makes everything that was added durable.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }
}

/// Reads a whole journal.
pub(crate) fn read(path: &Path) -> io::Result<Vec<Note>> {
    let mut from = BufReader::new(File::open(path)?);
    let mut notes = Vec::new();
    while let Some(note) = message::read(&mut from)? {
        notes.push(note);
    }
    Ok(notes)
}

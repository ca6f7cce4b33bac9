//! The rule of the mark in flash: which entry counts, and which sector may be erased.
//!
//! Pure functions on plain values. The driver and the exhaustive model beside this file call these; no other place
//! decides anything about copies, seals and sectors.
//!
//! An entry has four fields, programmed one after the other: a record, the same record again, a seal, and the same
//! seal again. Each begins when the one before is complete. At most one of them was under way when the power failed,
//! and that one may read as anything between erased and complete, another time otherwise. So a field that was begun
//! proves that those before it are complete:
//!
//! | reads | then |
//! |---|---|
//! | one record alone | perhaps itself the field that was under way: it does not count, and never did |
//! | both records, the seals erased | *held*, by the first at least; never acknowledged, never told. The second may fail to read the next time |
//! | two fields or more, not both seals erased | *certain*: both records were complete. It may have been acknowledged, and one field have rotted since |
//! | all four | *whole*: certain, and it will read as certain at any other time too |
//!
//! A raise is acknowledged after the fourth field. Only a whole entry may be told as it is; another one is written
//! again before. The sector of the newest certain entry is not erased.
//!
//! What follows the newest entry in its sector is never programmed: a field that reads erased may be one that a power
//! cut interrupted at once. Nobody could tell, nor could the next opening tell that this one had tried. So the first
//! thing that a life may do to the flash is to erase a sector, and it writes to sectors that it has erased.

/// What the rule has to know of a valid record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Head {
    pub(super) value: u64,
    /// Of the sector: how many were begun before.
    pub(super) sequence: u32,
    /// Stands for the whole content: the record's checksum.
    pub(super) tag: u32,
}

impl Head {
    /// By sequence number, which is that of the sector; within a sector by value.
    ///
    /// Not by value alone: one that was never acknowledged may come to light beside a lower value that was acknowledged
    /// later, and the sector of that one must not be erased for its sake.
    const fn is_after(&self, other: &Self) -> bool {
        self.sequence > other.sequence || (self.sequence == other.sequence && self.value > other.value)
    }
}

/// What was read of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Field<T> {
    Valid(T),
    /// All ones.
    Erased,
    /// Interrupted, rotten, or something else.
    Invalid,
    /// The flash reports an error.
    Unreadable,
}

impl<T> Field<T> {
    fn valid(self) -> Option<T> {
        match self {
            Self::Valid(content) => Some(content),
            Self::Erased | Self::Invalid | Self::Unreadable => None,
        }
    }
}

/// What an entry is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nothing, or a raise that was interrupted.
    Open,
    /// At least one copy is complete.
    Held { head: Head, proof: Proof },
    /// No interrupted raise looks like this: it was certain once.
    Lost,
}

/// How much is known of an entry that is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    Held,
    Certain,
    Whole,
}

/// What was read of an entry; a valid seal is the tag of the record that it seals.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) records: [Field<Head>; 2],
    pub(super) seals: [Field<u32>; 2],
}

/// Judges an entry.
pub(super) fn judge(entry: Entry) -> Standing {
    let Entry { records, seals } = entry;
    let [first, second] = records.map(Field::valid);
    let tags = seals.map(Field::valid);
    if let Some(head) = first.filter(|head| second.as_ref() == Some(head)) {
        let proof = if tags == [Some(head.tag); 2] {
            Proof::Whole
        } else if seals == [Field::Erased; 2] {
            Proof::Held
        } else {
            Proof::Certain
        };
        return Standing::Held { head, proof };
    }
    match first.into_iter().chain(second).find(|head| tags.contains(&Some(head.tag))) {
        Some(head) => Standing::Held { head, proof: Proof::Certain },
        None => {
            let records = records.into_iter().filter(|record| *record == Field::Unreadable).count();
            let seals = seals.into_iter().filter(|seal| *seal == Field::Unreadable).count();
            // A seal without its record; or more fields than one power cut can have spoilt.
            let lost = tags != [None; 2] || records.saturating_add(seals) > 1;
            if lost { Standing::Lost } else { Standing::Open }
        }
    }
}

/// An entry that is held, and the sector that it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) head: Head,
    pub(super) sector: u16,
    pub(super) proof: Proof,
}

/// What an opening begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Base {
    pub(super) newest: Found,
    /// The sector to erase before anything is written.
    pub(super) spare: u16,
}

/// All entries of the region, one after the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Survey {
    newest: Option<Found>,
    certain: Option<Found>,
    lost: bool,
}

impl Survey {
    pub(super) const fn new() -> Self {
        Self { newest: None, certain: None, lost: false }
    }

    /// Adds the next entry of a sector, the sectors in any order.
    pub(super) fn add(&mut self, sector: u16, standing: Standing) {
        match standing {
            Standing::Held { head, proof } => {
                let is_newest = |old: Option<Found>| old.is_none_or(|old| head.is_after(&old.head));
                let found = Some(Found { head, sector, proof });
                if proof != Proof::Held && is_newest(self.certain) {
                    self.certain = found;
                }
                if is_newest(self.newest) {
                    self.newest = found;
                    self.lost = false;
                }
            }
            // In another sector it may be what an interrupted erase has left.
            Standing::Lost => self.lost |= self.newest.is_some_and(|newest| newest.sector == sector),
            Standing::Open => {}
        }
    }

    /// Of a region of so many sectors, the entry that counts; also if one after it was lost, which
    /// [`is_lost`](Self::is_lost) tells.
    ///
    /// The spare sector is the one after that of the newest certain entry. If a newer one is held, but not certain, it is
    /// in one of these two: in the first it stays until it is written again, and in the second it goes. So when an entry
    /// is complete, nothing is left of what was interrupted before.
    pub(super) fn base(self, sectors: u16) -> Option<Base> {
        let newest = self.newest?;
        let spare = after(self.certain.unwrap_or(newest).sector, sectors);
        Some(Base { newest, spare })
    }

    /// Whether an acknowledged entry after the newest was lost.
    pub(super) const fn is_lost(&self) -> bool {
        self.lost
    }
}

/// The sector after this one, round and round.
pub(super) const fn after(sector: u16, sectors: u16) -> u16 {
    let next = sector.saturating_add(1);
    if next < sectors { next } else { 0 }
}

/// The promise: what an opening tells lies between what was acknowledged and what was asked for.
#[cfg(test)]
pub(super) const fn invariant(told: u64, acknowledged: u64, asked: u64) -> bool {
    acknowledged <= told && told <= asked
}

#[cfg(test)]
#[path = "model.rs"]
#[expect(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::std_instead_of_alloc,
    reason = "numbers of a search are small, and a test has the standard library"
)]
mod model;

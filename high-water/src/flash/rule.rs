//! The rule of the mark in flash: which entry counts.
//!
//! Pure functions on plain values. The driver, the exhaustive model beside this file and the crash tests call
//! these; no other place decides anything about copies, seals and sectors.
//!
//! An entry has three fields, programmed one after the other: a record, the same record again, and a seal. Each
//! begins when the one before is complete. At most one of them was under way when the power failed, and that one
//! may read as anything between erased and complete, another time otherwise. So what reads *valid* proves that the
//! fields before it are complete, and what reads invalid proves nothing:
//!
//! | valid | then |
//! |---|---|
//! | two or three fields | the value is *held*: one complete copy at least, for ever |
//! | all three fields | both copies are complete, so that it will always read as held: nothing to be done |
//! | one record | perhaps itself the field that was under way: it does not count |
//!
//! A raise is acknowledged after the third field. An acknowledged entry of which one field is lost is held.
//!
//! Only the newest held entry counts, and only its sector must not be erased. What follows it in its sector, if
//! anything, was never acknowledged, and is never programmed again: a field that reads erased may be one that a
//! power cut interrupted at once. Nobody could tell, nor could the next opening tell that this one had tried, so the
//! first thing that a life may do to the flash is to erase a sector, and it writes to sectors that it has erased.

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
    /// By value; among records of one value, which repeat it in another sector, by sequence number.
    ///
    /// Not by sequence number alone: one that was under way at a power cut may not be seen, its number be used
    /// again, and then come to light. It must not hide a higher value.
    const fn is_after(&self, other: &Self) -> bool {
        self.value > other.value || (self.value == other.value && self.sequence > other.sequence)
    }
}

/// What was read of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Field<T> {
    Valid(T),
    /// Erased, interrupted or rotten.
    Invalid,
    /// The flash reports an error.
    Unreadable,
}

impl<T> Field<T> {
    fn valid(self) -> Option<T> {
        match self {
            Self::Valid(content) => Some(content),
            Self::Invalid | Self::Unreadable => None,
        }
    }
}

/// What an entry is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nothing, or a raise that was interrupted.
    Open,
    /// At least one copy is complete; `whole` if all three fields are valid.
    Held { head: Head, whole: bool },
    /// No interrupted raise looks like this: it was held once.
    Lost,
}

/// Judges an entry; a valid seal is the tag of the record that it seals.
pub(super) fn judge(first: Field<Head>, second: Field<Head>, seal: Field<u32>) -> Standing {
    let unreadable = [first == Field::Unreadable, second == Field::Unreadable, seal == Field::Unreadable];
    let unreadable = unreadable.into_iter().filter(|field| *field).count();
    let (first, second, seal) = (first.valid(), second.valid(), seal.valid());
    let sealed = |head: &Head| seal == Some(head.tag);
    match first.filter(|head| second.as_ref() == Some(head)) {
        Some(head) => Standing::Held { head, whole: sealed(&head) },
        None => match first.into_iter().chain(second).find(sealed) {
            Some(head) => Standing::Held { head, whole: false },
            // A seal without its record; or more fields than one power cut can have spoilt.
            None if seal.is_some() || unreadable > 1 => Standing::Lost,
            None => Standing::Open,
        },
    }
}

/// The newest held entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Base {
    pub(super) head: Head,
    pub(super) sector: u16,
    pub(super) whole: bool,
}

/// Why there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unusable {
    /// No entry is held.
    NothingHeld,
    /// An entry after it was, and is lost.
    Lost,
}

/// All entries of the region, one after the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Survey {
    newest: Option<Base>,
    lost: bool,
}

impl Survey {
    pub(super) const fn new() -> Self {
        Self { newest: None, lost: false }
    }

    /// Adds the next entry of a sector, the sectors in any order.
    pub(super) fn add(&mut self, sector: u16, standing: Standing) {
        match standing {
            Standing::Held { head, whole } => {
                if self.newest.is_none_or(|newest| head.is_after(&newest.head)) {
                    *self = Self { newest: Some(Base { head, sector, whole }), lost: false };
                }
            }
            // In another sector it may be what an interrupted erase has left.
            Standing::Lost => self.lost |= self.newest.is_some_and(|newest| newest.sector == sector),
            Standing::Open => {}
        }
    }

    /// The newest that is held, whatever was lost after it.
    pub(super) const fn newest(self) -> Option<Base> {
        self.newest
    }

    /// The one that counts.
    pub(super) fn base(self) -> Result<Base, Unusable> {
        match self.newest {
            Some(_) if self.lost => Err(Unusable::Lost),
            Some(newest) => Ok(newest),
            None => Err(Unusable::NothingHeld),
        }
    }
}

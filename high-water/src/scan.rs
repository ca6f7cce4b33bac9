//! `Scan`: what the six places of a file read as.

use crate::error::{IoFault, OpenError, Operation};
use crate::identity::Identity;
use crate::medium::{Medium, read_full};
use crate::record::{RECORD_LEN, Record, RecordError};
use crate::rule::{Half, Head, Place, Slot, View};

/// Why a whole record may not be here. Such a file is refused, whatever else it holds: software that knows
/// more than we do may have written it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alien {
    Version(u8),
    Malformed,
    Identity(Identity),
}

impl From<Alien> for OpenError {
    fn from(alien: Alien) -> Self {
        match alien {
            Alien::Version(found) => Self::UnknownVersion { found },
            Alien::Malformed => Self::Malformed,
            Alien::Identity(found) => Self::WrongIdentity { found },
        }
    }
}

/// What the six places read as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scan {
    pub(crate) view: View,
    pub(crate) alien: Option<Alien>,
    /// Whether some place begins as a record does, valid or not.
    pub(crate) marked: bool,
    /// Whether everything that could be read is zero.
    pub(crate) blank: bool,
    /// Whose records are wanted; taken from the first valid one if nobody in particular's.
    identity: Option<Identity>,
    records: [Option<Record>; 6],
}

impl Scan {
    /// Reads all places. `identity` is whose records are wanted, or `None` for anybody's, if they agree.
    ///
    /// A copy that cannot be read counts as invalid, like one that is torn, as long as the other copy of its slot
    /// can be read. A slot that cannot be read at all is an error: it may hold the newest record.
    pub(crate) fn of<M: Medium>(
        medium: &M,
        file: &M::File,
        identity: Option<Identity>,
    ) -> Result<Self, IoFault> {
        let mut scan = Self {
            view: View::default(),
            alien: None,
            marked: false,
            blank: true,
            identity,
            records: [None; 6],
        };
        for slot in Slot::ALL {
            let first = scan.read(medium, file, Place::new(slot, Half::First));
            let second = scan.read(medium, file, Place::new(slot, Half::Second));
            if let (Err(fault), Err(_)) = (first, second) {
                return Err(fault);
            }
        }
        Ok(scan)
    }

    fn read<M: Medium>(&mut self, medium: &M, file: &M::File, place: Place) -> Result<(), IoFault> {
        let mut bytes = [0; RECORD_LEN];
        let read = read_full(medium, file, place.offset(), &mut bytes);
        let read = read.map_err(IoFault::of(Operation::Read))?;
        // What the file lacks is zero here, and no record is.
        self.blank &= bytes.iter().all(|byte| *byte == 0);
        self.marked |= Record::is_marked(&bytes);
        if read < bytes.len() {
            return Ok(());
        }
        let alien = match Record::from_bytes(&bytes) {
            Ok(record) if !place.slot.takes(&record) => Alien::Malformed,
            Ok(record) if record.identity != *self.identity.get_or_insert(record.identity) => {
                Alien::Identity(record.identity)
            }
            Ok(record) => {
                self.view.set(place, Some(record.head()));
                for (_, known) in Place::ALL.iter().zip(&mut self.records).filter(|(at, _)| **at == place) {
                    *known = Some(record);
                }
                return Ok(());
            }
            Err(RecordError::Damaged) => return Ok(()),
            Err(RecordError::Version(version)) => Alien::Version(version),
            Err(RecordError::Malformed) => Alien::Malformed,
        };
        self.alien.get_or_insert(alien);
        Ok(())
    }

    /// The record that a head stands for.
    pub(crate) fn record(&self, head: Head) -> Option<Record> {
        self.records.iter().flatten().find(|record| record.head() == head).copied()
    }

    /// How many of the six copies are valid.
    pub(crate) fn valid_copies(&self) -> usize {
        self.view.heads().count()
    }

    /// How many are not.
    pub(crate) fn damaged_copies(&self) -> u64 {
        Place::ALL.iter().filter(|place| self.view.at(**place).is_none()).map(|_| 1).sum()
    }
}

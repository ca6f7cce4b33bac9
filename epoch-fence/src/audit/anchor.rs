//! `Anchor`: what a record holds of its log.

use alloc::vec::Vec;

use hlc::Stamp;

use super::LogHead;
use crate::protocol::{Action, Info};

/// The version of the form, in its first byte.
const FORM: u8 = 1;

/// Where an entry is: which file of the log, and at which byte of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The number of the file, from 1.
    pub(crate) segment: u32,
    pub(crate) offset: u32,
}

impl Place {
    /// The length of a file's header, behind which its first entry begins.
    pub(crate) const HEADER_BYTES: u32 = 88;

    /// No entry begins so late that the longest one would end beyond this.
    ///
    /// The crate's own tests have a shorter one, to get to a second file soon.
    pub(crate) const SEGMENT_BYTES: u32 = if cfg!(test) { 80 << 10 } else { 1 << 20 };

    /// The longest entry there is: a length, a record, a hash.
    pub(crate) const ENTRY_BYTES: u32 = 432;

    pub(crate) const FIRST: Self = Self::first_of(1);

    pub(crate) const fn first_of(segment: u32) -> Self {
        Self { segment, offset: Self::HEADER_BYTES }
    }

    /// The place behind an entry of this length, or `None` after the last file that can be numbered.
    pub(crate) fn after(self, length: u32) -> Option<Self> {
        let offset = self.offset.checked_add(length)?;
        if offset <= Self::SEGMENT_BYTES.saturating_sub(Self::ENTRY_BYTES) {
            return Some(Self { offset, ..self });
        }
        self.segment.checked_add(1).map(Self::first_of)
    }

    /// Returns the number of the file, from 1.
    #[must_use]
    pub const fn segment(self) -> u32 {
        self.segment
    }

    /// Returns the byte at which the entry begins.
    #[must_use]
    pub const fn offset(self) -> u32 {
        self.offset
    }
}

/// What a record holds of its log: the place of its own entry, and the log before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Anchor {
    pub(crate) action: Action,
    pub(crate) stamp: Stamp,
    pub(crate) place: Place,
    pub(crate) index: u64,
    pub(crate) before: LogHead,
}

impl Anchor {
    /// Returns what the write was for.
    #[must_use]
    pub const fn action(&self) -> Action {
        self.action
    }

    /// Returns when it was written, and by which process: the node is its number.
    #[must_use]
    pub const fn stamp(&self) -> Stamp {
        self.stamp
    }

    /// Returns where the entry is.
    #[must_use]
    pub const fn place(&self) -> Place {
        self.place
    }

    /// Returns how many entries are before it.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// Returns the head of the log before it.
    #[must_use]
    pub const fn before(&self) -> LogHead {
        self.before
    }

    /// `None` never: the form is shorter than what an [`Info`] holds.
    pub(crate) fn to_info(self) -> Option<Info> {
        let mut bytes = Vec::with_capacity(Info::MAX_BYTES);
        bytes.extend([FORM, code(self.action)]);
        bytes.extend(self.stamp.to_bytes());
        bytes.extend(self.place.segment.to_be_bytes());
        bytes.extend(self.place.offset.to_be_bytes());
        bytes.extend(self.index.to_be_bytes());
        bytes.extend(self.before.to_bytes());
        Info::try_new(&bytes).ok()
    }

    /// Reads an anchor; `None` where the bytes are no form of one.
    pub(crate) fn from_info(info: &Info) -> Option<Self> {
        let ([form, action], rest) = info.as_bytes().split_first_chunk()?;
        let (stamp, rest) = rest.split_first_chunk()?;
        let (segment, rest) = rest.split_first_chunk()?;
        let (offset, rest) = rest.split_first_chunk()?;
        let (index, rest) = rest.split_first_chunk()?;
        let before = <[u8; LogHead::BYTES]>::try_from(rest).ok()?;
        let place = Place { segment: u32::from_be_bytes(*segment), offset: u32::from_be_bytes(*offset) };
        let last = Place::SEGMENT_BYTES.saturating_sub(Place::ENTRY_BYTES);
        let placed = place.segment > 0 && (Place::HEADER_BYTES..=last).contains(&place.offset);
        (*form == FORM && placed).then_some(())?;
        Some(Self {
            action: action_of(*action)?,
            stamp: Stamp::from_bytes(*stamp).ok()?,
            place,
            index: u64::from_be_bytes(*index),
            before: LogHead::from_bytes(before),
        })
    }
}

const fn code(action: Action) -> u8 {
    match action {
        Action::Acquire => 1,
        Action::Burn => 2,
        Action::Renew => 3,
        Action::Release => 4,
        Action::HandOver => 5,
        Action::Evict => 6,
        Action::Recover => 7,
    }
}

fn action_of(found: u8) -> Option<Action> {
    let all = [
        Action::Acquire,
        Action::Burn,
        Action::Renew,
        Action::Release,
        Action::HandOver,
        Action::Evict,
        Action::Recover,
    ];
    all.into_iter().find(|action| code(*action) == found)
}

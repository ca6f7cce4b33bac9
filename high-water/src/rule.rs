//! The rule of the register: which record counts, and what may be written where.
//!
//! Pure functions on plain values. The driver on files, the exhaustive model beside this file and the crash
//! tests all call these; no other place decides anything about slots, copies or sequence numbers.
//!
//! A register is six places, three slots of two copies. The sequence number of a record, modulo three, is its
//! slot. A *raise* writes both copies of the slot after the newest record's, under one sync, while it holds the
//! file and knows that record to be durable: so a raise record is a proof that the slot before it was durable.
//!
//! An *opening* knows nothing of the kind. After a sync that failed, the newest record may be in the page
//! cache only, and a slot that looks older may be all that the disk has. So it writes:
//!
//! - after a raise record: the next slot. The newest record is durable, or else the one before it is, and
//!   neither of their slots is touched; the third one is free.
//! - after an opening record, which proves nothing: the same slot again, and since that record may be the only
//!   one on the disk, one copy after the other, with a sync between.
//!
//! With two slots, an opening would have to write over one of the two records of which it cannot tell the durable
//! one, and for that time a single copy of it would be all there is.

use crate::record::Kind;

/// The slots, in the order in which they are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Slot {
    A,
    B,
    C,
}

impl Slot {
    pub(crate) const ALL: [Self; 3] = [Self::A, Self::B, Self::C];

    pub(crate) const fn of(sequence: u64) -> Self {
        match sequence % 3 {
            0 => Self::A,
            1 => Self::B,
            _ => Self::C,
        }
    }
}

/// The two copies of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Half {
    First,
    Second,
}

impl Half {
    pub(crate) const fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }
}

/// One of the six places where a record can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    pub(crate) slot: Slot,
    pub(crate) half: Half,
}

impl Place {
    /// In the order of their offsets.
    pub(crate) const ALL: [Self; 6] = [
        Self::new(Slot::A, Half::First),
        Self::new(Slot::B, Half::First),
        Self::new(Slot::C, Half::First),
        Self::new(Slot::A, Half::Second),
        Self::new(Slot::B, Half::Second),
        Self::new(Slot::C, Half::Second),
    ];

    pub(crate) const fn new(slot: Slot, half: Half) -> Self {
        Self { slot, half }
    }
}

/// What the rule has to know of a valid record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Head {
    pub(crate) sequence: u64,
    pub(crate) value: u64,
    pub(crate) kind: Kind,
    /// Stands for the whole content: the record's checksum.
    pub(crate) tag: u32,
}

/// What the six places hold; `None` is a copy that is torn, rotten or unreadable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct View {
    first: [Option<Head>; 3],
    second: [Option<Head>; 3],
}

impl View {
    pub(crate) const fn at(&self, place: Place) -> Option<Head> {
        let [a, b, c] = match place.half {
            Half::First => self.first,
            Half::Second => self.second,
        };
        match place.slot {
            Slot::A => a,
            Slot::B => b,
            Slot::C => c,
        }
    }

    pub(crate) const fn set(&mut self, place: Place, head: Option<Head>) {
        let [a, b, c] = match place.half {
            Half::First => &mut self.first,
            Half::Second => &mut self.second,
        };
        match place.slot {
            Slot::A => *a = head,
            Slot::B => *b = head,
            Slot::C => *c = head,
        }
    }

    pub(crate) fn heads(&self) -> impl Iterator<Item = Head> {
        self.first.into_iter().chain(self.second).flatten()
    }
}

/// Why the places do not make a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unusable {
    /// No place holds a valid record.
    NoValidRecord,
    /// Two valid records contradict each other: no run of this rule writes such a pair.
    Conflict,
    /// The sequence numbers are used up.
    Exhausted,
}

impl Head {
    /// Whether this record comes after the other one: by value, and among records of one value by sequence
    /// number.
    ///
    /// Not by sequence number alone: a number is used twice when the record that had it first did not seem to
    /// have reached the disk, and that record may come to light later, from under a page that was dropped. Its
    /// value was asked for and not acknowledged, so that it may count or not, but it must not hide a higher one.
    const fn is_after(&self, other: &Self) -> bool {
        self.value > other.value || (self.value == other.value && self.sequence > other.sequence)
    }
}

/// The newest valid record.
///
/// Two that are equally new and not equal were not written by one holder at a time, and are refused.
pub(crate) fn newest(view: &View) -> Result<Head, Unusable> {
    let later = |best: Head, head: Head| if head.is_after(&best) { head } else { best };
    let newest = view.heads().reduce(later).ok_or(Unusable::NoValidRecord)?;
    if view.heads().any(|head| head != newest && !newest.is_after(&head)) {
        return Err(Unusable::Conflict);
    }
    Ok(newest)
}

/// One record, to be written to one copy or both copies of its slot, under one sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Batch {
    pub(crate) sequence: u64,
    pub(crate) kind: Kind,
    /// `None` is both.
    only: Option<Half>,
}

impl Batch {
    pub(crate) fn places(self) -> impl Iterator<Item = Place> {
        [Half::First, Half::Second]
            .into_iter()
            .filter(move |half| self.only.is_none_or(|only| only == *half))
            .map(move |half| Place::new(Slot::of(self.sequence), half))
    }
}

/// What an opening writes: each batch followed by a sync. Then, and not before, the value may be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Opening {
    /// The record whose value the batches repeat.
    pub(crate) newest: Head,
    pub(crate) first: Batch,
    pub(crate) second: Option<Batch>,
}

/// Plans an opening.
pub(crate) fn opening(view: &View) -> Result<Opening, Unusable> {
    let newest = newest(view)?;
    let batch = |ahead, only| {
        let sequence = newest.sequence.checked_add(ahead).ok_or(Unusable::Exhausted)?;
        Ok(Batch { sequence, kind: Kind::Opening, only })
    };
    match newest.kind {
        Kind::Raise => Ok(Opening { newest, first: batch(1, None)?, second: None }),
        // The copy written second gets a higher number, so that the next opening, if this one fails, can tell
        // which of the two was written last.
        Kind::Opening => {
            let half = half_to_write_first(view, Slot::of(newest.sequence));
            let (first, second) = (batch(3, Some(half))?, batch(6, Some(half.other()))?);
            Ok(Opening { newest, first, second: Some(second) })
        }
    }
}

/// The record from which a holder may go on without an opening, if its value is known to be acknowledged.
///
/// Its own raise was then the one that was acknowledged: it is a *raise*, and no other slot has its value. An opening
/// that repeated the value, or a recovery, leaves more than one record of it, and which of them a sync covered is not
/// known from here.
pub(crate) fn acknowledged(view: &View) -> Option<Head> {
    let newest = newest(view).ok()?;
    let alone = view.heads().all(|head| head == newest || head.value < newest.value);
    (newest.kind == Kind::Raise && alone).then_some(newest)
}

/// The copy that can be lost without loss: the one that is invalid; else the one written last, because if its
/// sync failed, the other is the one on the disk.
fn half_to_write_first(view: &View, slot: Slot) -> Half {
    match (view.at(Place::new(slot, Half::First)), view.at(Place::new(slot, Half::Second))) {
        (Some(_), None) => Half::Second,
        (Some(first), Some(second)) if second.is_after(&first) => Half::Second,
        _ => Half::First,
    }
}

/// Why a raise may not be written over what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotCurrent {
    /// The newest record is another one, in which the register has this value.
    Found(u64),
    /// The places no longer make a register.
    Unusable(Unusable),
}

/// Plans a raise above `current`, the record that the holder last made durable.
///
/// `view` is the medium as it reads now. If its newest record is not `current`, somebody else has written:
/// an older copy was put back, or a second writer ignored the lock.
pub(crate) fn raising(view: &View, current: Head) -> Result<Batch, NotCurrent> {
    match newest(view) {
        Ok(found) if found == current => {}
        Ok(found) => return Err(NotCurrent::Found(found.value)),
        Err(unusable) => return Err(NotCurrent::Unusable(unusable)),
    }
    let sequence = current.sequence.checked_add(1).ok_or(NotCurrent::Unusable(Unusable::Exhausted))?;
    Ok(Batch { sequence, kind: Kind::Raise, only: None })
}

/// What a recovery by the operator writes, each batch followed by a sync: after it, no place is left that holds
/// what was there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Recovery {
    pub(crate) value: u64,
    pub(crate) batches: [Option<Batch>; 4],
}

/// Plans a recovery: at least `floor`, and at least every value that can still be read.
///
/// Where the places still make a register it begins as an opening does, so that a crash in its midst loses
/// nothing. Where they do not there is nothing to lose.
pub(crate) fn recovery(view: &View, floor: u64) -> Result<Recovery, Unusable> {
    let value = view.heads().map(|head| head.value).max().unwrap_or(0).max(floor);
    let (first, second) = match opening(view) {
        Ok(plan) => (plan.first, plan.second),
        Err(Unusable::Exhausted) => return Err(Unusable::Exhausted),
        Err(Unusable::NoValidRecord | Unusable::Conflict) => {
            let sequence = match view.heads().map(|head| head.sequence).max() {
                None => 0,
                Some(sequence) => sequence.checked_add(1).ok_or(Unusable::Exhausted)?,
            };
            (Batch { sequence, kind: Kind::Opening, only: None }, None)
        }
    };
    let last = second.unwrap_or(first).sequence;
    let after = |ahead| {
        let sequence = last.checked_add(ahead).ok_or(Unusable::Exhausted)?;
        Ok(Batch { sequence, kind: Kind::Raise, only: None })
    };
    Ok(Recovery { value, batches: [Some(first), second, Some(after(1)?), Some(after(2)?)] })
}

/// The promise: what can be read lies between what was acknowledged and what was asked for.
#[cfg(test)]
pub(crate) const fn invariant(found: u64, acknowledged: u64, requested: u64) -> bool {
    acknowledged <= found && found <= requested
}

#[cfg(test)]
#[path = "rule_model.rs"]
#[expect(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::std_instead_of_alloc,
    reason = "numbers of a search are small, and a test has the standard library"
)]
mod model;

//! `Envelope`: bytes that have been found to be a clock, a stamp or a delta.

use super::encode::VERSION;
use super::error::DecodeError;
use super::flags::{Flags, Kind};
use super::limits::Limits;
use super::varint::Reader;
use crate::dot::Dot;
use crate::error::EntryError;

/// Bytes in canonical form and within the limits, cut into their fields and not decoded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Envelope<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) flags: Flags,
    /// The digest of a delta's base, else 0.
    pub(crate) base: u64,
    pub(crate) len: usize,
    pub(crate) ids: &'a [u8],
    pub(crate) counters: &'a [u8],
    /// The place of a stamp's entry, else 0.
    pub(crate) place: usize,
}

impl<'a> Envelope<'a> {
    /// Checks everything that can be known of bytes by themselves. Allocates nothing; linear in the bytes.
    pub(crate) fn parse(bytes: &'a [u8], limits: &Limits) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let version = reader.take_byte()?;
        if version != VERSION {
            return Err(DecodeError::Version { found: version });
        }
        let flags = Flags::from_byte(reader.take_byte()?)?;
        let base = if flags.kind == Kind::Delta {
            reader.take_bytes(size_of::<u64>())?.iter().fold(0, |base, byte| base << 8 | u64::from(*byte))
        } else {
            0
        };
        let claimed = reader.take_u64()?;
        let len = usize::try_from(claimed)
            .ok()
            .filter(|len| *len <= limits.max_entries())
            .ok_or(DecodeError::EntryLimit { found: claimed, limit: limits.max_entries() })?;

        let from_ids = reader.rest();
        skip_ids(&mut reader, flags.dense, len)?;
        let from_counters = reader.rest();
        for _ in 0..len {
            check_counter(reader.take_u64()?, limits)?;
        }
        let from_tail = reader.rest();
        let place = if flags.kind == Kind::Stamp { take_place(&mut reader, len)? } else { 0 };
        if !reader.rest().is_empty() {
            return Err(DecodeError::Trailing { bytes: reader.rest().len() });
        }
        let ids = before(from_ids, from_counters);
        let counters = before(from_counters, from_tail);
        Ok(Self { bytes, flags, base, len, ids, counters, place })
    }

    /// The entries: keys with 128 bits, ascending, and counters.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (u128, u64)> + Clone + 'a {
        self.keys().zip(self.lanes())
    }

    /// The counters.
    pub(crate) fn lanes(&self) -> impl Iterator<Item = u64> + Clone + 'a {
        let mut reader = Reader::new(self.counters);
        core::iter::from_fn(move || reader.take_u64().ok())
    }

    fn keys(&self) -> impl Iterator<Item = u128> + Clone + 'a {
        let mut reader = Reader::new(self.ids);
        let (dense, len) = (self.flags.dense, self.len);
        let mut next = 0_u128;
        (0..len).map_while(move |at| {
            let gap = if dense && at > 0 { 0 } else { reader.take().ok()? };
            let key = next.wrapping_add(gap);
            next = key.wrapping_add(1);
            Some(key)
        })
    }
}

/// Reads the ids, and refuses those that run over and those that should have been written as a range.
fn skip_ids(reader: &mut Reader<'_>, dense: bool, len: usize) -> Result<(), DecodeError> {
    let Some(steps) = len.checked_sub(1) else {
        return if dense { Err(DecodeError::NotCanonical) } else { Ok(()) };
    };
    let first = reader.take()?;
    if dense {
        let last = u128::try_from(steps).ok().and_then(|steps| first.checked_add(steps));
        last.ok_or(DecodeError::TooWide)?;
        return if steps == 0 { Err(DecodeError::NotCanonical) } else { Ok(()) };
    }
    let mut last = first;
    let mut consecutive = true;
    for _ in 0..steps {
        let gap = reader.take()?;
        consecutive &= gap == 0;
        last = last.checked_add(1).and_then(|least| least.checked_add(gap)).ok_or(DecodeError::TooWide)?;
    }
    if steps > 0 && consecutive { Err(DecodeError::NotCanonical) } else { Ok(()) }
}

fn check_counter(counter: u64, limits: &Limits) -> Result<(), DecodeError> {
    // Whose event it is does not matter yet.
    Dot::try_new((), counter).map_err(EntryError::Counter)?;
    if counter > limits.max_counter() {
        return Err(DecodeError::CounterLimit { found: counter, limit: limits.max_counter() });
    }
    Ok(())
}

fn take_place(reader: &mut Reader<'_>, entries: usize) -> Result<usize, DecodeError> {
    let found = reader.take_u64()?;
    let place = usize::try_from(found).ok().filter(|place| *place < entries);
    place.ok_or(DecodeError::Place { found, entries })
}

/// What of `from` stands before `to`, its tail.
fn before<'a>(from: &'a [u8], to: &[u8]) -> &'a [u8] {
    from.get(..from.len().saturating_sub(to.len())).unwrap_or_default()
}

//! From values to bytes: one writer for every kind, and what it can write to.

use super::error::BufferTooSmall;
use super::flags::{Flags, Ignorable, Kind};
use super::varint;
use crate::actor::Plain;

/// The version of the envelope, in its first byte.
pub(crate) const VERSION: u8 = 1;

/// Where bytes go.
pub(crate) trait Sink {
    fn put(&mut self, bytes: &[u8]);
}

/// Counts the bytes.
#[derive(Debug, Default)]
pub(crate) struct Length(usize);

impl Sink for Length {
    fn put(&mut self, bytes: &[u8]) {
        self.0 = self.0.saturating_add(bytes.len());
    }
}

/// The FNV-1a hash of the bytes, 64 bits.
#[derive(Debug)]
pub(crate) struct Digest(u64);

impl Digest {
    pub(crate) const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    pub(crate) const fn finish(&self) -> u64 {
        self.0
    }
}

impl Sink for Digest {
    fn put(&mut self, bytes: &[u8]) {
        const PRIME: u64 = 0x0000_0100_0000_01b3;
        self.0 = bytes.iter().fold(self.0, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(PRIME));
    }
}

/// Fills a buffer, and goes on counting when it is full.
struct Buffer<'a> {
    free: &'a mut [u8],
    needed: usize,
}

impl Sink for Buffer<'_> {
    fn put(&mut self, bytes: &[u8]) {
        self.needed = self.needed.saturating_add(bytes.len());
        // Where a piece does not fit, nothing is left free, so that no later, shorter one is written in its place.
        if let Some((place, free)) = core::mem::take(&mut self.free).split_at_mut_checked(bytes.len()) {
            place.copy_from_slice(bytes);
            self.free = free;
        }
    }
}

#[cfg(any(feature = "alloc", test))]
impl Sink for alloc::vec::Vec<u8> {
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// What is written: a list of entries, and what its kind adds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message<'a, K> {
    pub(crate) kind: Kind,
    pub(crate) ignorable: Ignorable,
    pub(crate) base: u64,
    pub(crate) ids: &'a [K],
    pub(crate) counters: &'a [u64],
    pub(crate) place: usize,
}

impl<'a, K: Plain> Message<'a, K> {
    pub(crate) fn of_clock(ids: &'a [K], counters: &'a [u64]) -> Self {
        Self { kind: Kind::Clock, ignorable: Ignorable::default(), base: 0, ids, counters, place: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        let mut length = Length::default();
        write(self, &mut length);
        length.0
    }

    pub(crate) fn write_into(&self, out: &mut [u8]) -> Result<usize, BufferTooSmall> {
        let found = out.len();
        let mut buffer = Buffer { free: out, needed: 0 };
        write(self, &mut buffer);
        let needed = buffer.needed;
        if needed > found { Err(BufferTooSmall::new(needed, found)) } else { Ok(needed) }
    }

    #[cfg(feature = "alloc")]
    pub(crate) fn to_vec(self) -> alloc::vec::Vec<u8> {
        let mut bytes = alloc::vec::Vec::with_capacity(self.len());
        write(&self, &mut bytes);
        bytes
    }
}

/// Writes the one form of a message.
pub(crate) fn write<K: Plain, S: Sink>(message: &Message<'_, K>, sink: &mut S) {
    let Message { kind, ignorable, base, ids, counters, place } = *message;
    let dense = is_dense(ids);
    sink.put(&[VERSION, Flags { kind, dense, ignorable }.to_byte()]);
    if kind == Kind::Delta {
        sink.put(&base.to_be_bytes());
    }
    put_len(sink, ids.len());
    let mut below = None;
    for id in ids.iter().take(if dense { 1 } else { ids.len() }) {
        let id = id.to_u128();
        // The distance from the least id that may come here: none can be unsorted, and none twice.
        varint::put(sink, id.wrapping_sub(below.map_or(0, |below: u128| below.wrapping_add(1))));
        below = Some(id);
    }
    for counter in counters {
        varint::put(sink, u128::from(*counter));
    }
    if kind == Kind::Stamp {
        put_len(sink, place);
    }
}

/// Two ids or more, with none missing between the first and the last.
fn is_dense<K: Plain>(ids: &[K]) -> bool {
    let [first, .., last] = ids else { return false };
    let steps = ids.len().saturating_sub(1);
    u128::try_from(steps).is_ok_and(|steps| last.to_u128().checked_sub(first.to_u128()) == Some(steps))
}

fn put_len<S: Sink>(sink: &mut S, len: usize) {
    varint::put(sink, u128::try_from(len).unwrap_or(u128::MAX));
}

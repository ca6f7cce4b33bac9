//! Vectors and stamps to and from bytes.

use crate::actor::{Actor, Plain};
use crate::dot::Dot;
use crate::error::EntryError;
use crate::stamp::Stamp;
use crate::storage::Storage;
use crate::version_vector::VersionVector;
use crate::wire::{BufferTooSmall, ClockRef, DecodeError, Envelope, Ignorable, Kind, Limits, Message};

impl<A: Actor, S: Storage> VersionVector<A, S> {
    /// Returns how many bytes [`encode_into`](Self::encode_into) writes.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        self.message().len()
    }

    /// Writes the one byte form of this vector to the front of `out`, and returns its length.
    ///
    /// # Errors
    ///
    /// [`BufferTooSmall`] when it does not fit. What is in `out` is then no value.
    pub fn encode_into(&self, out: &mut [u8]) -> Result<usize, BufferTooSmall> {
        self.message().write_into(out)
    }

    /// As [`encode_into`](Self::encode_into), with the unknown bits of the envelope it came in.
    ///
    /// # Errors
    ///
    /// [`BufferTooSmall`] when it does not fit. What is in `out` is then no value.
    pub fn encode_with(&self, ignorable: Ignorable, out: &mut [u8]) -> Result<usize, BufferTooSmall> {
        Message { ignorable, ..self.message() }.write_into(out)
    }

    /// Returns the one byte form of this vector.
    #[cfg(feature = "alloc")]
    #[must_use]
    pub fn to_bytes(&self) -> alloc::vec::Vec<u8> {
        self.message().to_vec()
    }

    /// Decodes a vector, which is all of `bytes`.
    ///
    /// It is a peer's claim: [`VectorClock::merge`](crate::VectorClock::merge) decides whether a clock believes it.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] for the first thing that is wrong; [`DecodeError::Kind`] when it is a stamp or a delta.
    pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Self, DecodeError> {
        Self::from_clock(&ClockRef::parse(bytes, limits)?)
    }

    /// As [`decode`](Self::decode), and refuses what jumps too far ahead of `known`, before it allocates.
    ///
    /// # Errors
    ///
    /// As [`decode`](Self::decode), and [`DecodeError::JumpExceeded`].
    pub fn decode_against<S2: Storage>(
        bytes: &[u8],
        limits: &Limits,
        known: &VersionVector<A, S2>,
    ) -> Result<Self, DecodeError> {
        let clock = ClockRef::parse(bytes, limits)?;
        clock.check_jump(known, limits.max_jump())?;
        Self::from_clock(&clock)
    }

    fn from_clock(clock: &ClockRef<'_>) -> Result<Self, DecodeError> {
        if clock.is_stamp() { Err(DecodeError::Kind) } else { clock.to_vector() }
    }

    /// The entries of an envelope of any kind.
    pub(crate) fn from_envelope(envelope: &Envelope<'_>) -> Result<Self, DecodeError> {
        let mut vector = Self::with_room_for(envelope.len)?;
        for (key, counter) in envelope.entries() {
            let key = A::Key::from_u128(key).ok_or(EntryError::Actor)?;
            vector.push_entry(key, counter)?;
        }
        Ok(vector)
    }

    pub(crate) fn message(&self) -> Message<'_, A::Key> {
        Message::of_clock(self.ids(), self.counters())
    }
}

impl<A: Actor, S: Storage> Stamp<A, S> {
    /// Returns how many bytes [`encode_into`](Self::encode_into) writes.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        self.message().len()
    }

    /// Writes the one byte form of this stamp to the front of `out`, and returns its length.
    ///
    /// # Errors
    ///
    /// [`BufferTooSmall`] when it does not fit. What is in `out` is then no value.
    pub fn encode_into(&self, out: &mut [u8]) -> Result<usize, BufferTooSmall> {
        self.message().write_into(out)
    }

    /// As [`encode_into`](Self::encode_into), with the unknown bits of the envelope it came in.
    ///
    /// # Errors
    ///
    /// [`BufferTooSmall`] when it does not fit. What is in `out` is then no value.
    pub fn encode_with(&self, ignorable: Ignorable, out: &mut [u8]) -> Result<usize, BufferTooSmall> {
        Message { ignorable, ..self.message() }.write_into(out)
    }

    /// Returns the one byte form of this stamp.
    #[cfg(feature = "alloc")]
    #[must_use]
    pub fn to_bytes(&self) -> alloc::vec::Vec<u8> {
        self.message().to_vec()
    }

    /// Decodes a stamp, which is all of `bytes`.
    ///
    /// It is a peer's claim: [`VectorClock::observe`](crate::VectorClock::observe) decides whether a clock believes
    /// it.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] for the first thing that is wrong; [`DecodeError::Kind`] when it is a vector or a delta.
    pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Self, DecodeError> {
        Self::from_clock(&ClockRef::parse(bytes, limits)?)
    }

    /// As [`decode`](Self::decode), and refuses what jumps too far ahead of `known`, before it allocates.
    ///
    /// # Errors
    ///
    /// As [`decode`](Self::decode), and [`DecodeError::JumpExceeded`].
    pub fn decode_against<S2: Storage>(
        bytes: &[u8],
        limits: &Limits,
        known: &VersionVector<A, S2>,
    ) -> Result<Self, DecodeError> {
        let clock = ClockRef::parse(bytes, limits)?;
        clock.check_jump(known, limits.max_jump())?;
        Self::from_clock(&clock)
    }

    fn from_clock(clock: &ClockRef<'_>) -> Result<Self, DecodeError> {
        if !clock.is_stamp() {
            return Err(DecodeError::Kind);
        }
        let vector: VersionVector<A, S> = clock.to_vector()?;
        let place = clock.envelope().place;
        let dot: Option<Dot<A>> = vector.iter().nth(place);
        let found = u64::try_from(place).unwrap_or(u64::MAX);
        let dot = dot.ok_or(DecodeError::Place { found, entries: vector.len() })?;
        Ok(Self::of_event(dot, vector))
    }

    fn message(&self) -> Message<'_, A::Key> {
        Message { kind: Kind::Stamp, place: self.place(), ..self.vector().message() }
    }
}

//! `ClockRef`: a clock that stays bytes.

use super::envelope::Envelope;
use super::error::DecodeError;
use super::flags::{Ignorable, Kind};
use super::limits::Limits;
use crate::actor::{Actor, Plain};
use crate::causality::Causality;
use crate::jump::MaxJump;
use crate::rule;
use crate::storage::Storage;
use crate::version_vector::{VersionVector, compare_entries};

/// The bytes of a vector or of a stamp, checked and not decoded: it compares without an allocation.
///
/// A filter or a router asks "do I have this already?" of most messages and decodes the few that say no. Making one
/// takes time linear in the bytes and no memory.
///
/// # Examples
///
/// ```
/// use vector_clock::{Causality, ClockRef, Fixed, Limits, VersionVector};
///
/// let mut mine = VersionVector::<u32, Fixed<8>>::new();
/// mine.tick(1)?;
/// let mut bytes = [0; 16];
/// let len = mine.encode_into(&mut bytes)?;
///
/// mine.tick(2)?;
/// let theirs = ClockRef::parse(&bytes[..len], &Limits::new())?;
/// assert_eq!(theirs.causality_with(&mine), Causality::Before);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ClockRef<'a> {
    envelope: Envelope<'a>,
}

impl<'a> ClockRef<'a> {
    /// Checks that all of `bytes` is the envelope of a vector or of a stamp, canonical and within `limits`.
    ///
    /// Of the limits, `max_jump` needs something to jump from: see [`check_jump`](Self::check_jump).
    ///
    /// # Errors
    ///
    /// [`DecodeError`] for the first thing that is wrong.
    pub fn parse(bytes: &'a [u8], limits: &Limits) -> Result<Self, DecodeError> {
        let envelope = Envelope::parse(bytes, limits)?;
        match envelope.flags.kind {
            Kind::Clock | Kind::Stamp => Ok(Self { envelope }),
            Kind::Delta => Err(DecodeError::Kind),
        }
    }

    /// Checks that no counter is further ahead of `known` than `max_jump` allows.
    ///
    /// # Errors
    ///
    /// [`DecodeError::JumpExceeded`] with the first that is.
    pub fn check_jump<A: Actor, S: Storage>(
        &self,
        known: &VersionVector<A, S>,
        max_jump: MaxJump,
    ) -> Result<(), DecodeError> {
        Ok(rule::admit_entries::<u128>(wide(known), self.envelope.entries(), max_jump)?)
    }

    /// Returns the bytes, to be stored or passed on as they came.
    #[must_use]
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.envelope.bytes
    }

    /// Returns how many actors it knows an event of.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.envelope.len
    }

    /// Returns whether it knows no event at all.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.envelope.len == 0
    }

    /// Returns whether the bytes are those of a stamp, and not of a vector alone.
    #[must_use]
    pub fn is_stamp(&self) -> bool {
        self.envelope.flags.kind == Kind::Stamp
    }

    /// Returns the bits that a later version may have given a meaning, to be passed on when it is encoded again.
    #[must_use]
    pub const fn ignorable(&self) -> Ignorable {
        self.envelope.flags.ignorable
    }

    /// Returns how this vector stands to another one. Of a stamp, its vector is meant.
    pub fn causality(&self, other: &ClockRef<'_>) -> Causality {
        let (left, right) = (&self.envelope, &other.envelope);
        // Of as many ids the same bytes are the same ids. Entries are then numbered instead of named, so that no id is
        // decoded.
        if (left.len, left.ids) == (right.len, right.ids) {
            return compare_entries((0_usize..).zip(left.lanes()), (0_usize..).zip(right.lanes()));
        }
        compare_entries(left.entries(), right.entries())
    }

    /// Returns how this vector stands to one in memory.
    pub fn causality_with<A: Actor, S: Storage>(&self, other: &VersionVector<A, S>) -> Causality {
        compare_entries(self.envelope.entries(), wide(other))
    }

    /// Decodes the vector. Of a stamp, its vector is meant.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Entry`] when the storage is too small, or an id is not one of this actor type.
    pub fn to_vector<A: Actor, S: Storage>(&self) -> Result<VersionVector<A, S>, DecodeError> {
        VersionVector::from_envelope(&self.envelope)
    }

    pub(crate) const fn envelope(&self) -> &Envelope<'a> {
        &self.envelope
    }
}

/// The entries of a vector with keys as wide as those on the wire.
fn wide<A: Actor, S: Storage>(vector: &VersionVector<A, S>) -> impl Iterator<Item = (u128, u64)> + '_ {
    vector.entries().map(|(key, counter)| (key.to_u128(), counter))
}

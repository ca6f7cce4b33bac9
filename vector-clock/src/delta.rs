//! `Delta`: what one vector has above another one that the receiver is known to have.

use core::error::Error;
use core::fmt;
use core::hash::{Hash, Hasher};

use crate::actor::Actor;
use crate::dot::Dot;
use crate::error::{Capacity, CounterRange};
use crate::pairs::Pairs;
use crate::rule;
use crate::storage::Storage;
use crate::version_vector::VersionVector;
use crate::wire::{self, BufferTooSmall, DecodeError, Digest, Envelope, Ignorable, Kind, Limits, Message};

/// The difference between a vector and one below it, the base, that the receiver is known to have.
///
/// A message among a thousand members raises a few counters; the delta carries those. It names its base by a
/// 64-bit digest, so that a receiver with another base gets an error and not another vector. A digest is no
/// signature: a base that is wrong by accident passes once in 2^64, and a peer that wants to lie has no need to
/// forge it.
///
/// # Examples
///
/// ```
/// use vector_clock::{ApplyError, Delta, Fixed, VersionVector};
///
/// let mut base = VersionVector::<u32, Fixed<8>>::new();
/// base.tick(1)?;
/// let mut latest = base.clone();
/// latest.tick(2)?;
///
/// let delta: Delta<u32, Fixed<8>> = Delta::between(&base, &latest)?;
/// assert_eq!(delta.apply(&base), Ok(latest.clone()));
/// assert!(matches!(delta.apply(&latest), Err(ApplyError::WrongBase(_))));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Delta<A: Actor, S: Storage> {
    base: u64,
    /// The bits of the envelope that it came in, to be passed on.
    ignorable: Ignorable,
    /// By how much each counter rises.
    rises: VersionVector<A, S>,
}

impl<A: Actor, S: Storage> Delta<A, S> {
    /// Returns what `latest` has above `base`.
    ///
    /// # Errors
    ///
    /// - [`DeltaError::NotAbove`] when `base` knows an event that `latest` does not: no delta leads there.
    /// - [`DeltaError::Capacity`] when the storage holds fewer entries than rise.
    pub fn between<S1: Storage, S2: Storage>(
        base: &VersionVector<A, S1>,
        latest: &VersionVector<A, S2>,
    ) -> Result<Self, DeltaError> {
        let mut rising = 0_usize;
        for pair in Pairs::new(base.entries(), latest.entries()) {
            if pair.right < pair.left {
                return Err(DeltaError::NotAbove);
            }
            rising = rising.saturating_add(usize::from(pair.right > pair.left));
        }
        let mut rises = VersionVector::with_room_for(rising)?;
        for pair in Pairs::new(base.entries(), latest.entries()) {
            let rise = pair.right.saturating_sub(pair.left);
            if rise > 0 {
                rises.append(pair.key, rise)?;
            }
        }
        Ok(Self { base: digest(base), ignorable: Ignorable::default(), rises })
    }

    /// Returns how many counters rise.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rises.len()
    }

    /// Returns whether nothing rises: the base and the latest are equal.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rises.is_empty()
    }

    /// Returns the vector that the sender had, from the base that it had in mind.
    ///
    /// # Errors
    ///
    /// - [`ApplyError::WrongBase`] when `base` is not that base: ask for the whole vector.
    /// - [`ApplyError::Counter`] when a counter would be above [`MAX_COUNTER`](crate::MAX_COUNTER): no honest sender made it.
    /// - [`ApplyError::Capacity`] when the storage of `base` is too small.
    pub fn apply<S1: Storage>(
        &self,
        base: &VersionVector<A, S1>,
    ) -> Result<VersionVector<A, S1>, ApplyError> {
        let found = digest(base);
        if found != self.base {
            return Err(WrongBase { expected: self.base, found }.into());
        }
        let mut latest = VersionVector::with_room_for(base.union_len(&self.rises))?;
        for pair in Pairs::new(base.entries(), self.rises.entries()) {
            let counter = pair.left.saturating_add(pair.right);
            Dot::try_new((), counter).map_err(ApplyError::Counter)?;
            latest.append(pair.key, counter)?;
        }
        Ok(latest)
    }

    /// Returns how many bytes [`encode_into`](Self::encode_into) writes.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        self.message().len()
    }

    /// Writes the one byte form of this delta to the front of `out`, and returns its length.
    ///
    /// # Errors
    ///
    /// [`BufferTooSmall`] when it does not fit. What is in `out` is then no value.
    pub fn encode_into(&self, out: &mut [u8]) -> Result<usize, BufferTooSmall> {
        self.message().write_into(out)
    }

    /// Returns the one byte form of this delta.
    #[cfg(feature = "alloc")]
    #[must_use]
    pub fn to_bytes(&self) -> alloc::vec::Vec<u8> {
        self.message().to_vec()
    }

    /// Decodes a delta, which is all of `bytes`.
    ///
    /// Of the limits, `max_counter` and `max_jump` bound by how much a counter rises.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] for the first thing that is wrong; [`DecodeError::Kind`] when it is a vector or a stamp.
    pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Self, DecodeError> {
        let envelope = Envelope::parse(bytes, limits)?;
        if envelope.flags.kind != Kind::Delta {
            return Err(DecodeError::Kind);
        }
        rule::admit_entries::<u128>(core::iter::empty(), envelope.entries(), limits.max_jump())?;
        let rises = VersionVector::from_envelope(&envelope)?;
        Ok(Self { base: envelope.base, ignorable: envelope.flags.ignorable, rises })
    }

    fn message(&self) -> Message<'_, A::Key> {
        Message { kind: Kind::Delta, base: self.base, ignorable: self.ignorable, ..self.rises.message() }
    }
}

/// The digest of a vector: of its bytes, so that it does not depend on storage or on the width of ids in memory.
fn digest<A: Actor, S: Storage>(vector: &VersionVector<A, S>) -> u64 {
    let mut digest = Digest::new();
    wire::write(&vector.message(), &mut digest);
    digest.finish()
}

impl<A: Actor, S: Storage> Clone for Delta<A, S> {
    fn clone(&self) -> Self {
        Self { base: self.base, ignorable: self.ignorable, rises: self.rises.clone() }
    }
}

impl<A: Actor, S1: Storage, S2: Storage> PartialEq<Delta<A, S2>> for Delta<A, S1> {
    fn eq(&self, other: &Delta<A, S2>) -> bool {
        self.base == other.base && self.ignorable == other.ignorable && self.rises == other.rises
    }
}

impl<A: Actor, S: Storage> Eq for Delta<A, S> {}

impl<A: Actor, S: Storage> Hash for Delta<A, S> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.base.hash(state);
        self.ignorable.hash(state);
        self.rises.hash(state);
    }
}

impl<A: Actor, S: Storage> fmt::Debug for Delta<A, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delta")
            .field("base", &format_args!("{:016x}", self.base))
            .field("rises", &self.rises)
            .finish()
    }
}

/// Why there is no delta between two vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum DeltaError {
    /// The base knows an event that the other vector does not.
    NotAbove,
    /// More counters rise than the storage has entries.
    Capacity(Capacity),
}

impl fmt::Display for DeltaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAbove => f.write_str("base knows an event that the latest vector does not"),
            Self::Capacity(error) => error.fmt(f),
        }
    }
}

impl Error for DeltaError {}

impl From<Capacity> for DeltaError {
    fn from(error: Capacity) -> Self {
        Self::Capacity(error)
    }
}

/// The vector at hand is not the base that the delta was made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct WrongBase {
    expected: u64,
    found: u64,
}

impl WrongBase {
    /// Returns the digest of the base that the delta was made from.
    #[must_use]
    pub const fn expected(&self) -> u64 {
        self.expected
    }

    /// Returns the digest of the vector at hand.
    #[must_use]
    pub const fn found(&self) -> u64 {
        self.found
    }
}

impl fmt::Display for WrongBase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "delta is against base {:016x}, applied to {:016x}", self.expected, self.found)
    }
}

impl Error for WrongBase {}

/// Why a delta was not applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ApplyError {
    /// The vector at hand is another one than the delta's base.
    WrongBase(WrongBase),
    /// A counter would be out of its range.
    Counter(CounterRange),
    /// The entries do not fit.
    Capacity(Capacity),
}

impl fmt::Display for ApplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongBase(error) => error.fmt(f),
            Self::Counter(error) => error.fmt(f),
            Self::Capacity(error) => error.fmt(f),
        }
    }
}

impl Error for ApplyError {}

impl From<WrongBase> for ApplyError {
    fn from(error: WrongBase) -> Self {
        Self::WrongBase(error)
    }
}

impl From<Capacity> for ApplyError {
    fn from(error: Capacity) -> Self {
        Self::Capacity(error)
    }
}

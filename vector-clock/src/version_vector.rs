//! `VersionVector`: how many events of each actor are known.

use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};

use crate::actor::Actor;
use crate::causality::Causality;
use crate::dot::Dot;
use crate::error::{Capacity, EntryError, Overflow, TickError};
use crate::kernel;
use crate::pairs::Pairs;
use crate::storage::{Lanes, Storage};

/// How many events of each actor are known: for each actor a counter, and all events up to it.
///
/// Entries are sorted by actor and a zero is never stored, so equal knowledge is equal memory and equal bytes.
/// `==`, [`Hash`], [`PartialOrd`] and [`causality`](Self::causality) agree. There is no `Ord`: two vectors may be
/// concurrent.
///
/// A vector has no owner. One that has, and that ticks when a message arrives, is a
/// [`VectorClock`](crate::VectorClock).
///
/// # Examples
///
/// ```
/// use vector_clock::{Causality, Fixed, VersionVector};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut a = VersionVector::<u32, Fixed<4>>::new();
/// a.tick(1)?;
/// let mut b = a.clone();
/// a.tick(1)?;
/// b.tick(2)?;
/// assert_eq!(a.causality(&b), Causality::Concurrent);
///
/// let mut both = a.clone();
/// both.merge(&b)?;
/// assert!(both > a && both > b);
/// # Ok(())
/// # }
/// ```
pub struct VersionVector<A: Actor, S: Storage> {
    // Invariant: equally long; `ids` strictly ascending; each counter from 1 to `MAX_COUNTER`.
    ids: S::Lanes<A::Key>,
    counters: S::Lanes<u64>,
}

impl<A: Actor, S: Storage> VersionVector<A, S> {
    /// Returns the vector that knows no event. It is before every other.
    #[must_use]
    pub const fn new() -> Self {
        Self { ids: <S::Lanes<A::Key>>::EMPTY, counters: <S::Lanes<u64>>::EMPTY }
    }

    /// Collects events that come in strictly ascending order of actor.
    ///
    /// # Errors
    ///
    /// [`EntryError`] when the actors do not ascend, or there are more than the storage holds.
    pub fn from_sorted<I: IntoIterator<Item = Dot<A>>>(dots: I) -> Result<Self, EntryError> {
        let mut vector = Self::new();
        for dot in dots {
            vector.push_dot(dot)?;
        }
        Ok(vector)
    }

    /// Returns how many actors it knows an event of.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ids().len()
    }

    /// Returns whether it knows no event at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids().is_empty()
    }

    /// Returns how many entries the storage holds at most; `usize::MAX` when it grows.
    #[must_use]
    pub fn capacity_limit() -> usize {
        <S::Lanes<u64>>::capacity_limit()
    }

    /// Returns how many events of `actor` are known; 0 when none is.
    #[must_use]
    pub fn get(&self, actor: A) -> u64 {
        self.counter_of(actor.to_key())
    }

    /// Returns the latest known event of `actor`.
    #[must_use]
    pub fn dot(&self, actor: A) -> Option<Dot<A>> {
        Dot::try_new(actor, self.get(actor)).ok()
    }

    /// Returns whether this event is known.
    #[must_use]
    pub fn contains(&self, dot: Dot<A>) -> bool {
        dot.counter() <= self.get(dot.actor())
    }

    /// Returns the latest known event of each actor, in ascending order of actor.
    pub fn iter(&self) -> impl Iterator<Item = Dot<A>> + Clone + '_ {
        self.entries().filter_map(|(key, counter)| Dot::try_new(A::from_key(key)?, counter).ok())
    }

    /// Returns how this vector stands to another one.
    ///
    /// Linear in the entries of both; where both have the same members, which is the common case, a comparison of
    /// memory and vector instructions.
    pub fn causality<S2: Storage>(&self, other: &VersionVector<A, S2>) -> Causality {
        if self.ids() == other.ids() {
            return kernel::compare(self.counters(), other.counters());
        }
        compare_entries(self.entries(), other.entries())
    }

    /// Counts one more event of `actor` and returns its name.
    ///
    /// # Errors
    ///
    /// - [`TickError::Overflow`] when the counter is at [`MAX_COUNTER`](crate::MAX_COUNTER).
    /// - [`TickError::Capacity`] when `actor` has no entry and the storage is full.
    ///
    /// The vector is then as it was.
    #[doc(alias = "increment")]
    pub fn tick(&mut self, actor: A) -> Result<Dot<A>, TickError> {
        let next = self.get(actor).saturating_add(1);
        let dot = Dot::try_new(actor, next).map_err(|_| Overflow)?;
        self.record(dot)?;
        Ok(dot)
    }

    /// Raises the actor's counter to that of `dot`, which makes it and all earlier events of that actor known. Does
    /// nothing when they are.
    ///
    /// The first event of an actor moves the entries after it: to build a large vector,
    /// [`from_sorted`](Self::from_sorted) is linear.
    ///
    /// # Errors
    ///
    /// [`Capacity`] when the actor has no entry and the storage is full. The vector is then as it was.
    pub fn record(&mut self, dot: Dot<A>) -> Result<(), Capacity> {
        let key = dot.actor().to_key();
        match self.ids().binary_search(&key) {
            Ok(at) => {
                if let Some(counter) = self.counters.as_mut_slice().get_mut(at) {
                    *counter = dot.counter().max(*counter);
                }
                Ok(())
            }
            Err(at) => {
                self.ids.insert(at, key)?;
                self.counters.insert(at, dot.counter())
            }
        }
    }

    /// Learns all that `other` knows: the result is the least upper bound of the two.
    ///
    /// Commutative, associative and idempotent. It trusts `other`: what comes from a peer goes through
    /// [`VectorClock::merge`](crate::VectorClock::merge), which bounds the jump.
    ///
    /// # Errors
    ///
    /// [`Capacity`] when the union of the actors does not fit. The vector is then as it was.
    pub fn merge<S2: Storage>(&mut self, other: &VersionVector<A, S2>) -> Result<(), Capacity> {
        if self.ids() == other.ids() {
            kernel::raise(self.counters.as_mut_slice(), other.counters());
            return Ok(());
        }
        let mut union = Self::with_room_for(self.union_len(other))?;
        for pair in Pairs::new(self.entries(), other.entries()) {
            union.append(pair.key, pair.left.max(pair.right))?;
        }
        *self = union;
        Ok(())
    }

    /// Returns what both know: the greatest lower bound of the two.
    #[must_use]
    pub fn glb<S2: Storage>(&self, other: &VersionVector<A, S2>) -> Self {
        let mut common = self.clone();
        if self.ids() == other.ids() {
            kernel::lower(common.counters.as_mut_slice(), other.counters());
            return common;
        }
        let mut kept = 0_usize;
        for pair in Pairs::new(self.entries(), other.entries()) {
            let counter = pair.left.min(pair.right);
            if counter > 0 {
                common.set_entry(kept, pair.key, counter);
                kept = kept.saturating_add(1);
            }
        }
        common.truncate(kept);
        common
    }

    /// Drops the entry of `actor`, and returns the counter that it had.
    ///
    /// Lossy: the events of that actor are then unknown, and vectors that were ordered may be concurrent. Sound only
    /// when no vector with an entry of this actor will be compared again.
    pub fn forget_lossy(&mut self, actor: A) -> u64 {
        let Ok(at) = self.ids().binary_search(&actor.to_key()) else { return 0 };
        let counter = self.counters().get(at).copied().unwrap_or(0);
        self.ids.remove(at);
        self.counters.remove(at);
        counter
    }

    /// An empty vector that will hold `len` entries without growing, or the reason why it cannot.
    pub(crate) fn with_room_for(len: usize) -> Result<Self, Capacity> {
        Ok(Self { ids: Lanes::with_room_for(len)?, counters: Lanes::with_room_for(len)? })
    }

    /// The keys of the actors, ascending.
    pub(crate) fn ids(&self) -> &[A::Key] {
        self.ids.as_slice()
    }

    /// The counters, in the order of [`ids`](Self::ids).
    pub(crate) fn counters(&self) -> &[u64] {
        self.counters.as_slice()
    }

    /// Keys and counters, ascending by key.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (A::Key, u64)> + Clone + '_ {
        self.ids().iter().copied().zip(self.counters().iter().copied())
    }

    /// How many actors there are in the two together.
    pub(crate) fn union_len<S2: Storage>(&self, other: &VersionVector<A, S2>) -> usize {
        Pairs::new(self.entries(), other.entries()).count()
    }

    pub(crate) fn counter_of(&self, key: A::Key) -> u64 {
        self.ids().binary_search(&key).ok().and_then(|at| self.counters().get(at)).copied().unwrap_or(0)
    }

    /// As [`counter_of`](Self::counter_of), in constant time when the entry is at `place`.
    pub(crate) fn counter_at(&self, place: usize, key: A::Key) -> u64 {
        match (self.ids().get(place), self.counters().get(place)) {
            (Some(id), Some(counter)) if *id == key => *counter,
            _ => self.counter_of(key),
        }
    }

    /// The one door for entries that arrive as a list: from bytes, from serde, from an iterator.
    pub(crate) fn push_dot(&mut self, dot: Dot<A>) -> Result<(), EntryError> {
        let key = dot.actor().to_key();
        if self.ids().last().is_some_and(|last| *last >= key) {
            return Err(EntryError::Order);
        }
        Ok(self.append(key, dot.counter())?)
    }

    /// As [`push_dot`](Self::push_dot), for an entry that has yet to be found to be one.
    pub(crate) fn push_entry(&mut self, key: A::Key, counter: u64) -> Result<(), EntryError> {
        let actor = A::from_key(key).ok_or(EntryError::Actor)?;
        self.push_dot(Dot::try_new(actor, counter)?)
    }

    /// Puts an entry behind the others. The caller vouches for the invariant.
    pub(crate) fn append(&mut self, key: A::Key, counter: u64) -> Result<(), Capacity> {
        self.ids.push(key)?;
        self.counters.push(counter)
    }

    fn set_entry(&mut self, at: usize, key: A::Key, counter: u64) {
        let id = self.ids.as_mut_slice().get_mut(at);
        if let (Some(id), Some(lane)) = (id, self.counters.as_mut_slice().get_mut(at)) {
            (*id, *lane) = (key, counter);
        }
    }

    fn truncate(&mut self, len: usize) {
        self.ids.truncate(len);
        self.counters.truncate(len);
    }
}

/// Compares two lists of entries whose members differ, and stops at the first proof of concurrency.
pub(crate) fn compare_entries<K: Copy + Ord>(
    left: impl Iterator<Item = (K, u64)>,
    right: impl Iterator<Item = (K, u64)>,
) -> Causality {
    let (mut left_lacks, mut right_lacks) = (false, false);
    for pair in Pairs::new(left, right) {
        left_lacks |= pair.left < pair.right;
        right_lacks |= pair.right < pair.left;
        if left_lacks && right_lacks {
            break;
        }
    }
    Causality::from_lacks(left_lacks, right_lacks)
}

impl<A: Actor, S: Storage> Clone for VersionVector<A, S> {
    fn clone(&self) -> Self {
        Self { ids: self.ids.clone(), counters: self.counters.clone() }
    }
}

impl<A: Actor, S: Storage> Default for VersionVector<A, S> {
    fn default() -> Self {
        Self::new()
    }
}

impl<A: Actor, S1: Storage, S2: Storage> PartialEq<VersionVector<A, S2>> for VersionVector<A, S1> {
    fn eq(&self, other: &VersionVector<A, S2>) -> bool {
        self.ids() == other.ids() && self.counters() == other.counters()
    }
}

impl<A: Actor, S: Storage> Eq for VersionVector<A, S> {}

impl<A: Actor, S1: Storage, S2: Storage> PartialOrd<VersionVector<A, S2>> for VersionVector<A, S1> {
    fn partial_cmp(&self, other: &VersionVector<A, S2>) -> Option<Ordering> {
        self.causality(other).to_ordering()
    }
}

impl<A: Actor, S: Storage> Hash for VersionVector<A, S> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.ids().hash(state);
        self.counters().hash(state);
    }
}

impl<A: Actor, S: Storage> fmt::Debug for VersionVector<A, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|dot| (dot.actor(), dot.counter()))).finish()
    }
}

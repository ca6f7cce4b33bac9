//! `DvvSet`: the values of one key that concurrent writers have left.

use alloc::vec::Vec;
use core::cmp::Ordering;
use core::error::Error;
use core::fmt;
use core::hash::{Hash, Hasher};

use crate::actor::Actor;
use crate::causality::Causality;
use crate::dot::Dot;
use crate::error::{Capacity, MergeError, ObserveError, Overflow};
use crate::jump::MaxJump;
use crate::rule;
use crate::storage::{Heap, Storage};
use crate::version_vector::VersionVector;

/// What a [`DvvSet`] accepts at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DvvLimits {
    actors: usize,
    siblings: usize,
    max_jump: MaxJump,
    max_context_jump: MaxJump,
}

impl DvvLimits {
    /// 1,024 actors, 256 siblings, and [`MaxJump::DEFAULT`] for sets and for contexts.
    pub const DEFAULT: Self =
        Self { actors: 1_024, siblings: 256, max_jump: MaxJump::DEFAULT, max_context_jump: MaxJump::DEFAULT };

    /// Sets how many actors may have written the key. They are servers, not clients, so they are few.
    #[must_use]
    pub const fn with_actors(mut self, actors: usize) -> Self {
        self.actors = actors;
        self
    }

    /// Sets how many concurrent values there may be.
    #[must_use]
    pub const fn with_siblings(mut self, siblings: usize) -> Self {
        self.siblings = siblings;
        self
    }

    /// Sets how many unknown writes of one actor may be learnt at once from another replica.
    #[must_use]
    pub const fn with_max_jump(mut self, max_jump: MaxJump) -> Self {
        self.max_jump = max_jump;
        self
    }

    /// Sets how many writes of one actor that are unknown here the context of a client may contain.
    ///
    /// `AtMost(0)` is for clients that are not trusted: what a client claims to have read, the server must know.
    #[must_use]
    pub const fn with_max_context_jump(mut self, max_jump: MaxJump) -> Self {
        self.max_context_jump = max_jump;
        self
    }
}

impl Default for DvvLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// The concurrent values of one key, with what has been seen of it: a dotted version vector set.
///
/// A replica server keeps one for each key. A client reads the [`values`](Self::values) together with the context,
/// [`join`](Self::join), and writes with the context of its last read. The write replaces exactly the values that
/// the client had read, and no others: each value has a name of its own, its dot, beside the context. So two
/// clients that write through one server without having read each other leave two siblings, and go on leaving two,
/// however often they do it. With a plain version vector a server either loses one of the two or, with an entry for
/// each client, keeps more with every round.
///
/// The actor of a write is the server that takes it, not the client: a context has as many entries as a key has
/// servers.
///
/// What it accepts is bounded by [`DvvLimits`]; they are not part of its value.
///
/// # What can go wrong
///
/// **A client forges a context.** Writes of other servers that it names and that nobody has made are then known
/// before they are made: when they are, replicas take them for replaced, and acknowledged values are lost. Within
/// [`with_max_context_jump`](DvvLimits::with_max_context_jump) this cannot be told from a client that has read at
/// another server. Set it to `AtMost(0)`, or sign contexts; then a client that changes servers waits for
/// [`sync`](Self::sync), and reads again.
///
/// **A replica lies.** [`sync`](Self::sync) believes a set within [`with_max_jump`](DvvLimits::with_max_jump), with the
/// same loss. Authenticate replicas.
///
/// # Examples
///
/// ```
/// use vector_clock::{DvvSet, Heap, VersionVector};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut key = DvvSet::<u32, &str>::new();
/// let nothing_read = VersionVector::<u32, Heap>::new();
/// key.update(&nothing_read, 1, "milk")?;
/// key.update(&nothing_read, 1, "bread")?; // through the same server, without having read "milk"
/// assert_eq!(key.values().collect::<Vec<_>>(), [&"milk", &"bread"]);
///
/// let context = key.join().clone(); // a client reads both
/// key.update(&context, 1, "milk and bread")?;
/// assert_eq!(key.values().collect::<Vec<_>>(), [&"milk and bread"]);
/// # Ok(())
/// # }
/// ```
///
/// # Sources
///
/// Almeida, Baquero, Goncalves, Preguica, Fonte 2014, "Scalable and Accurate Causality Tracking for Eventually
/// Consistent Stores". There a server's values have the last n of its dots, which need not be written down; that
/// holds as long as the oldest are dropped first. Here each value keeps its dot, so that [`lww`](Self::lww) may drop
/// any; on histories of `update` and `sync` the two are the same.
#[derive(Clone)]
pub struct DvvSet<A: Actor, V> {
    // Invariant: `values` ascend by key, then counter; the context contains each of their dots.
    context: VersionVector<A, Heap>,
    values: Vec<Sibling<A::Key, V>>,
    limits: DvvLimits,
}

/// A value, named by the event that wrote it.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Sibling<K, V> {
    key: K,
    counter: u64,
    value: V,
}

impl<K: Copy + Ord, V> Sibling<K, V> {
    const fn name(&self) -> (K, u64) {
        (self.key, self.counter)
    }

    fn is_known_to<A: Actor<Key = K>>(&self, context: &VersionVector<A, impl Storage>) -> bool {
        self.counter <= context.counter_of(self.key)
    }
}

impl<A: Actor, V> DvvSet<A, V> {
    /// Makes the set of a key that has never been written, with [`DvvLimits::DEFAULT`].
    #[must_use]
    pub const fn new() -> Self {
        Self::with_limits(DvvLimits::DEFAULT)
    }

    /// Makes the set of a key that has never been written.
    #[must_use]
    pub const fn with_limits(limits: DvvLimits) -> Self {
        Self { context: VersionVector::new(), values: Vec::new(), limits }
    }

    /// Puts a set together again from its [`join`](Self::join) and its [`siblings`](Self::siblings).
    ///
    /// # Errors
    ///
    /// - [`DvvPartsError::Order`] when the dots do not strictly ascend.
    /// - [`DvvPartsError::OutsideContext`] when the context does not contain one of them.
    /// - [`DvvPartsError::Capacity`] when there are more actors or values than the limits allow.
    pub fn from_parts<I>(
        context: VersionVector<A, Heap>,
        siblings: I,
        limits: DvvLimits,
    ) -> Result<Self, DvvPartsError>
    where
        I: IntoIterator<Item = (Dot<A>, V)>,
    {
        check(context.len(), limits.actors)?;
        let mut set = Self { context, ..Self::with_limits(limits) };
        for (dot, value) in siblings {
            let sibling = Sibling { key: dot.actor().to_key(), counter: dot.counter(), value };
            if set.values.last().is_some_and(|last| last.name() >= sibling.name()) {
                return Err(DvvPartsError::Order);
            }
            if !sibling.is_known_to(&set.context) {
                return Err(DvvPartsError::OutsideContext);
            }
            check(set.values.len().saturating_add(1), limits.siblings)?;
            set.values.push(sibling);
        }
        Ok(set)
    }

    /// Takes a client's write through the server `actor`, and returns the write's name.
    ///
    /// `context` is what [`join`](Self::join) gave to the client when it last read, wherever that was. The values
    /// that it contains are replaced, all others stay as siblings.
    ///
    /// # Errors
    ///
    /// The set is as it was.
    /// - [`ObserveError::JumpExceeded`] when the context is further ahead of what is known here than
    ///   [`with_max_context_jump`](DvvLimits::with_max_context_jump) allows.
    /// - [`ObserveError::Unissued`] when it contains writes of `actor` that `actor` has not made: the context is
    ///   forged, or this server's state was lost.
    /// - [`ObserveError::Capacity`] when there would be too many actors or siblings.
    /// - [`ObserveError::Overflow`] when `actor` has made its last write.
    pub fn update<S: Storage>(
        &mut self,
        context: &VersionVector<A, S>,
        actor: A,
        value: V,
    ) -> Result<Dot<A>, ObserveError<A>> {
        rule::admit(actor, &self.context, context, self.limits.max_context_jump)?;
        let issued = self.context.get(actor);
        let next = issued.saturating_add(1);
        let dot = Dot::try_new(actor, next).map_err(|_| Overflow)?;
        let actors = self.context.union_len(context).saturating_add(usize::from(issued == 0));
        check(actors, self.limits.actors)?;
        let staying = self.values.iter().filter(|sibling| !sibling.is_known_to(context)).count();
        check(staying.saturating_add(1), self.limits.siblings)?;

        self.values.retain(|sibling| !sibling.is_known_to(context));
        self.context.merge(context)?;
        self.context.record(dot)?;
        let written = Sibling { key: actor.to_key(), counter: next, value };
        let at = self.values.partition_point(|sibling| sibling.name() < written.name());
        self.values.insert(at, written);
        Ok(dot)
    }

    /// Learns what another replica of the key has: the values that neither side knows to be replaced.
    ///
    /// Commutative, associative and idempotent wherever nothing is refused.
    ///
    /// # Errors
    ///
    /// The set is as it was.
    /// - [`MergeError::JumpExceeded`] when `other` is too far ahead of what is known here.
    /// - [`MergeError::Capacity`] when there would be too many actors or siblings.
    pub fn sync(&mut self, other: &Self) -> Result<(), MergeError<A>>
    where
        V: Clone,
    {
        rule::admit_entries(self.context.entries(), other.context.entries(), self.limits.max_jump)?;
        Ok(self.sync_committed(other)?)
    }

    /// As [`sync`](Self::sync), however far ahead `other` is: for a set that was already agreed on, or one's own.
    ///
    /// # Errors
    ///
    /// [`Capacity`] when there would be too many actors or siblings. The set is as it was.
    pub fn sync_committed(&mut self, other: &Self) -> Result<(), Capacity>
    where
        V: Clone,
    {
        check(self.context.union_len(&other.context), self.limits.actors)?;
        let stays = |ours: &Sibling<A::Key, V>| !ours.is_known_to(&other.context) || other.has(ours.name());
        let new: Vec<_> = other.values.iter().filter(|theirs| !theirs.is_known_to(&self.context)).collect();
        let staying = self.values.iter().filter(|ours| stays(ours)).count();
        check(staying.saturating_add(new.len()), self.limits.siblings)?;
        let new: Vec<_> = new.into_iter().cloned().collect();

        self.context.merge(&other.context)?;
        self.values.retain(stays);
        self.values.extend(new);
        self.values.sort_by_key(Sibling::name);
        Ok(())
    }

    /// Returns the context: all writes that have been seen, those that are replaced included.
    #[must_use]
    pub const fn join(&self) -> &VersionVector<A, Heap> {
        &self.context
    }

    /// Returns the values, none of which replaces another.
    pub fn values(&self) -> impl Iterator<Item = &V> + Clone {
        self.values.iter().map(|sibling| &sibling.value)
    }

    /// Returns the values with the writes that they are from, ascending.
    pub fn siblings(&self) -> impl Iterator<Item = (Dot<A>, &V)> {
        self.values.iter().filter_map(|sibling| {
            let dot = Dot::try_new(A::from_key(sibling.key)?, sibling.counter).ok()?;
            Some((dot, &sibling.value))
        })
    }

    /// Returns how many values there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.values.len()
    }

    /// Returns whether there is no value: the key was never written.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Writes one value in place of all, through the server `actor`, and returns the write's name.
    ///
    /// It is a write like any other, with a dot. Two servers that reconcile on their own leave two siblings; when
    /// one answer is wanted without a write, use [`lww`](Self::lww), which gives the same everywhere.
    ///
    /// # Errors
    ///
    /// [`ObserveError::Overflow`] or [`ObserveError::Capacity`] as [`update`](Self::update). The set is as it was.
    pub fn reconcile(
        &mut self,
        actor: A,
        winner: impl FnOnce(&Self) -> V,
    ) -> Result<Dot<A>, ObserveError<A>> {
        let value = winner(self);
        let all = self.context.clone();
        self.update(&all, actor, value)
    }

    /// Keeps only the greatest value, by `order`; of equal ones, that with the greatest dot. The context stays.
    ///
    /// Last writer wins, when `order` compares the time of the write. Any two replicas that have seen the same
    /// writes keep the same value, and [`sync`](Self::sync) with one that still has the others drops them there.
    ///
    /// **Lossy**: the values that go were concurrent, not replaced.
    pub fn lww(&mut self, mut order: impl FnMut(&V, &V) -> Ordering) {
        let last = self.values.drain(..).max_by(|a, b| order(&a.value, &b.value));
        self.values.extend(last);
    }

    /// Returns whether `other` has seen all that this set has seen, and more: whether this one is out of date.
    #[must_use]
    pub fn less(&self, other: &Self) -> bool {
        self.causality(other) == Causality::Before
    }

    /// Returns how what this set has seen stands to what `other` has seen.
    pub fn causality(&self, other: &Self) -> Causality {
        self.context.causality(&other.context)
    }

    fn has(&self, name: (A::Key, u64)) -> bool {
        self.values.binary_search_by_key(&name, Sibling::name).is_ok()
    }
}

fn check(needed: usize, limit: usize) -> Result<(), Capacity> {
    if needed <= limit { Ok(()) } else { Err(Capacity::new(needed, limit)) }
}

impl<A: Actor, V> Default for DvvSet<A, V> {
    fn default() -> Self {
        Self::new()
    }
}

/// Equal contexts and equal values. The limits do not matter.
impl<A: Actor, V: PartialEq> PartialEq for DvvSet<A, V> {
    fn eq(&self, other: &Self) -> bool {
        self.context == other.context && self.values == other.values
    }
}

impl<A: Actor, V: Eq> Eq for DvvSet<A, V> {}

impl<A: Actor, V: Hash> Hash for DvvSet<A, V> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.context.hash(state);
        self.values.hash(state);
    }
}

impl<A: Actor, V: fmt::Debug> fmt::Debug for DvvSet<A, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DvvSet ")?;
        f.debug_map().entries(self.siblings()).finish()?;
        write!(f, " of {:?}", self.context)
    }
}

/// Why a context and values are not a [`DvvSet`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DvvPartsError {
    /// A dot is not above the one before it: unsorted, or there twice.
    Order,
    /// The context does not contain a value's dot.
    OutsideContext,
    /// There are more actors or values than the limits allow.
    Capacity(Capacity),
}

impl fmt::Display for DvvPartsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Order => f.write_str("dot is not above the one before it"),
            Self::OutsideContext => f.write_str("context does not contain the dot of a value"),
            Self::Capacity(error) => error.fmt(f),
        }
    }
}

impl Error for DvvPartsError {}

impl From<Capacity> for DvvPartsError {
    fn from(error: Capacity) -> Self {
        Self::Capacity(error)
    }
}

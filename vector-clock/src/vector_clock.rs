//! `VectorClock`: one actor's own clock.

use crate::actor::Actor;
use crate::counters::{Counters, Snapshot};
use crate::dot::{Dot, MAX_COUNTER};
use crate::error::{Capacity, MergeError, ObserveError, Overflow, TickError};
use crate::jump::MaxJump;
use crate::rule;
use crate::stamp::Stamp;
use crate::storage::Storage;
use crate::version_vector::VersionVector;
use crate::wire::Limits;

/// The clock of one actor: it counts the actor's own events and keeps what the actor knows of everybody else's.
///
/// `actor` is the only one to make events under its id, and the clock the only one to count them, so it is not
/// `Clone`: two clocks that go on from one state give two events one name. A peer cannot move the actor's own
/// counter.
///
/// A restarted actor goes on with [`resume`](Self::resume) from what it stored, or under a new id.
///
/// What peers send adds no entries beyond [`DEFAULT_MAX_ENTRIES`](Self::DEFAULT_MAX_ENTRIES), or what
/// [`with_max_entries`](Self::with_max_entries) says, also where the storage grows.
///
/// # Examples
///
/// ```
/// use vector_clock::{Causality, Fixed, VectorClock};
///
/// let mut alice = VectorClock::<u32, Fixed<8>>::new(1);
/// let mut bob = VectorClock::<u32, Fixed<8>>::new(2);
///
/// let sent = alice.tick()?;
/// let unrelated = bob.tick()?;
/// let received = bob.observe(&sent)?;
///
/// assert!(sent.happened_before(&received));
/// assert_eq!(sent.causality(&unrelated), Causality::Concurrent);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct VectorClock<A: Actor, S: Storage> {
    // Invariant: `vector` has an entry of `actor`, or room for one.
    actor: A,
    vector: VersionVector<A, S>,
    max_jump: MaxJump,
    max_entries: usize,
    counters: Counters,
}

impl<A: Actor, S: Storage> VectorClock<A, S> {
    /// How many entries a clock has at most by default: 4,096, as many as [`Limits`] let peers decode.
    pub const DEFAULT_MAX_ENTRIES: usize = Limits::new().max_entries();

    /// Makes the clock of an actor that has had no event and knows of none, with [`MaxJump::DEFAULT`].
    #[must_use]
    pub const fn new(actor: A) -> Self {
        let (max_jump, max_entries) = (MaxJump::DEFAULT, Self::DEFAULT_MAX_ENTRIES);
        Self { actor, vector: VersionVector::new(), max_jump, max_entries, counters: Counters::new() }
    }

    /// Makes the clock of an actor that goes on from `vector`, with [`MaxJump::DEFAULT`].
    ///
    /// The vector must contain every event of `actor` that anybody has seen; where it was stored before the last of
    /// them, names are given twice.
    ///
    /// # Errors
    ///
    /// [`Capacity`] when the storage of `vector` is full and has no entry of `actor`. A limit of entries is for what
    /// peers send, and does not count here.
    pub fn resume(actor: A, vector: VersionVector<A, S>) -> Result<Self, Capacity> {
        let clock = Self::new(actor).with_max_entries(usize::MAX);
        clock.keep_room(&vector)?;
        Ok(Self { vector, max_entries: Self::DEFAULT_MAX_ENTRIES, ..clock })
    }

    /// Sets how many events of one actor may be learnt at once.
    #[must_use]
    pub const fn with_max_jump(mut self, max_jump: MaxJump) -> Self {
        self.max_jump = max_jump;
        self
    }

    /// Sets how many entries there may be, the clock's own included; the storage may hold fewer.
    ///
    /// A peer can name as many actors as it likes, so growing storage alone is no bound. A clock that has more already
    /// keeps them, and learns of nobody new.
    #[must_use]
    pub const fn with_max_entries(mut self, max_entries: usize) -> Self {
        self.max_entries = max_entries;
        self
    }

    /// Returns whose clock it is.
    #[must_use]
    pub const fn actor(&self) -> A {
        self.actor
    }

    /// Returns all that the actor knows.
    #[must_use]
    pub const fn vector(&self) -> &VersionVector<A, S> {
        &self.vector
    }

    /// Returns the actor's last event, or `None` before the first.
    #[must_use]
    pub fn last(&self) -> Option<Dot<A>> {
        self.vector.dot(self.actor)
    }

    /// Returns what an operator must see of this clock.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.counters.snapshot(self.vector.get(self.actor), self.vector.len())
    }

    /// Counts a local or send event, and returns its stamp: a copy of the vector, to be sent along.
    ///
    /// # Errors
    ///
    /// As [`tick_dot`](Self::tick_dot), and then the clock is as it was.
    #[doc(alias = "now")]
    #[doc(alias = "new_timestamp")]
    #[doc(alias = "increment")]
    pub fn tick(&mut self) -> Result<Stamp<A, S>, TickError> {
        let dot = self.tick_dot()?;
        Ok(Stamp::of_event(dot, self.vector.clone()))
    }

    /// Counts a local event that nobody is told of yet, and returns its name alone: no vector is copied.
    ///
    /// # Errors
    ///
    /// [`TickError::Overflow`] when the actor has had its last event. The clock is then as it was. Never
    /// [`TickError::Capacity`]: the clock keeps room for its own entry whatever it learns.
    pub fn tick_dot(&mut self) -> Result<Dot<A>, TickError> {
        self.vector.tick(self.actor).map_err(|why| self.counters.count(why))
    }

    /// Learns all that the sender of a message knew, counts the receipt, and returns the receive event's stamp.
    /// Both or neither.
    ///
    /// # Errors
    ///
    /// After each of them the clock is as it was.
    ///
    /// - [`ObserveError::JumpExceeded`], [`ObserveError::Unissued`] and [`ObserveError::Capacity`] as
    ///   [`merge`](Self::merge).
    /// - [`ObserveError::Overflow`] when the actor has had its last event.
    #[doc(alias = "update")]
    #[doc(alias = "receive")]
    #[doc(alias = "witness")]
    pub fn observe<S2: Storage>(&mut self, remote: &Stamp<A, S2>) -> Result<Stamp<A, S>, ObserveError<A>> {
        self.try_observe(remote.vector()).map_err(|why| self.counters.count(why))
    }

    /// Learns all that `remote` knows, without an event here.
    ///
    /// Idempotent; commutative and associative wherever nothing is refused.
    ///
    /// # Errors
    ///
    /// After each of them the clock is as it was.
    ///
    /// - [`MergeError::JumpExceeded`] when a counter is further ahead than [`MaxJump`] allows.
    /// - [`MergeError::Unissued`] when it counts more events of this clock's actor than this clock: the state of
    ///   this clock was lost, its id is used twice, or the vector is forged.
    /// - [`MergeError::Capacity`] when the entries would not fit, beside one kept for this actor's own, or would be
    ///   more than [`with_max_entries`](Self::with_max_entries) allows.
    pub fn merge<S2: Storage>(&mut self, remote: &VersionVector<A, S2>) -> Result<(), MergeError<A>> {
        self.try_merge(remote).map_err(|why| self.counters.count(why))
    }

    /// Learns a vector that was already agreed on, without a bound and without doubting what it says of this actor:
    /// an entry of a replicated log, say, that every replica must apply alike, or this actor's own stored state.
    ///
    /// # Overflow
    ///
    /// A counter of this actor at [`MAX_COUNTER`] is accepted, and the clock then never ticks again. So this is not
    /// for input that one peer alone chose.
    ///
    /// # Errors
    ///
    /// [`Capacity`] as [`merge`](Self::merge). The clock is then as it was.
    pub fn merge_committed<S2: Storage>(&mut self, remote: &VersionVector<A, S2>) -> Result<(), Capacity> {
        self.merge_in_room(remote).map_err(|why| self.counters.count(why))
    }

    fn try_observe<S2: Storage>(
        &mut self,
        remote: &VersionVector<A, S2>,
    ) -> Result<Stamp<A, S>, ObserveError<A>> {
        // Admission leaves the actor's own counter alone, so whether it can tick is known before the merge.
        if self.vector.get(self.actor) == MAX_COUNTER {
            return Err(Overflow.into());
        }
        self.try_merge(remote)?;
        let dot = self.vector.tick(self.actor)?;
        Ok(Stamp::of_event(dot, self.vector.clone()))
    }

    fn try_merge<S2: Storage>(&mut self, remote: &VersionVector<A, S2>) -> Result<(), MergeError<A>> {
        rule::admit(self.actor, &self.vector, remote, self.max_jump)?;
        Ok(self.merge_in_room(remote)?)
    }

    fn merge_in_room<S2: Storage>(&mut self, remote: &VersionVector<A, S2>) -> Result<(), Capacity> {
        self.keep_room(remote)?;
        self.vector.merge(remote)
    }

    /// Refuses what would add too many entries, or take the last room before the actor has its own: peers could stop
    /// it for good.
    fn keep_room<S2: Storage>(&self, remote: &VersionVector<A, S2>) -> Result<(), Capacity> {
        let capacity = VersionVector::<A, S>::capacity_limit().min(self.max_entries);
        let has_own = self.vector.get(self.actor) > 0 || remote.get(self.actor) > 0;
        let with_own = |entries: usize| entries.saturating_add(usize::from(!has_own));
        // Mostly there is room even if the two have no actor in common, and they need not be walked.
        if with_own(self.vector.len().saturating_add(remote.len())) <= capacity {
            return Ok(());
        }
        let union = self.vector.union_len(remote);
        let adds_none = union == self.vector.len();
        if adds_none || with_own(union) <= capacity {
            return Ok(());
        }
        Err(Capacity::new(with_own(union), capacity))
    }
}

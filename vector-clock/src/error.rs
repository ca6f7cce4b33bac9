//! Error types.

use core::error::Error;
use core::fmt;

use crate::dot::{Dot, MAX_COUNTER};

/// The actor's counter is at [`MAX_COUNTER`], its last event. Nothing changed.
///
/// The actor goes on under a new id; nothing wraps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Overflow;

impl fmt::Display for Overflow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the counter is at its greatest value {MAX_COUNTER}")
    }
}

impl Error for Overflow {}

/// The storage has no room for the entries that the result would have. Nothing changed, nothing was evicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Capacity {
    needed: usize,
    capacity: usize,
}

impl Capacity {
    pub(crate) const fn new(needed: usize, capacity: usize) -> Self {
        Self { needed, capacity }
    }

    /// Returns how many entries the result would have.
    #[must_use]
    pub const fn needed(&self) -> usize {
        self.needed
    }

    /// Returns how many entries the storage holds at most.
    #[must_use]
    pub const fn capacity(&self) -> usize {
        self.capacity
    }
}

impl fmt::Display for Capacity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} entries needed, capacity {}", self.needed, self.capacity)
    }
}

impl Error for Capacity {}

/// A number that is not the counter of an event: 0, or above [`MAX_COUNTER`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct CounterRange {
    found: u64,
}

impl CounterRange {
    pub(crate) const fn new(found: u64) -> Self {
        Self { found }
    }

    /// Returns the number that was refused.
    #[must_use]
    pub const fn found(&self) -> u64 {
        self.found
    }
}

impl fmt::Display for CounterRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "counter {} is not from 1 to {MAX_COUNTER}", self.found)
    }
}

impl Error for CounterRange {}

/// Why a vector did not count an event. It is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum TickError {
    /// The actor has had its last event.
    Overflow(Overflow),
    /// The actor has no entry yet, and the storage has no room for one.
    Capacity(Capacity),
}

impl fmt::Display for TickError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Overflow(error) => error.fmt(f),
            Self::Capacity(error) => error.fmt(f),
        }
    }
}

impl Error for TickError {}

impl From<Overflow> for TickError {
    fn from(error: Overflow) -> Self {
        Self::Overflow(error)
    }
}

impl From<Capacity> for TickError {
    fn from(error: Capacity) -> Self {
        Self::Capacity(error)
    }
}

/// Why an entry cannot follow the entries before it in a canonical list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum EntryError {
    /// The counter is 0 or above [`MAX_COUNTER`].
    Counter(CounterRange),
    /// The id is not above the one before it: unsorted, or there twice.
    Order,
    /// The integer is not the key of any id of this actor type.
    Actor,
    /// The storage has no room for one more.
    Capacity(Capacity),
}

impl fmt::Display for EntryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Counter(error) => error.fmt(f),
            Self::Order => f.write_str("actor id is not above the one before it"),
            Self::Actor => f.write_str("number does not stand for an actor id"),
            Self::Capacity(error) => error.fmt(f),
        }
    }
}

impl Error for EntryError {}

impl From<CounterRange> for EntryError {
    fn from(error: CounterRange) -> Self {
        Self::Counter(error)
    }
}

impl From<Capacity> for EntryError {
    fn from(error: Capacity) -> Self {
        Self::Capacity(error)
    }
}

/// A vector counts more new events of an actor than [`MaxJump`](crate::MaxJump) allows. Nothing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct JumpExceeded<A> {
    actor: A,
    known: u64,
    claimed: u64,
    limit: u64,
}

impl<A: Copy> JumpExceeded<A> {
    pub(crate) const fn new(actor: A, known: u64, claimed: u64, limit: u64) -> Self {
        Self { actor, known, claimed, limit }
    }

    /// Returns whose counter it is.
    #[must_use]
    pub const fn actor(&self) -> A {
        self.actor
    }

    /// Returns how many events of the actor are known here.
    #[must_use]
    pub const fn known(&self) -> u64 {
        self.known
    }

    /// Returns how many there are said to be.
    #[must_use]
    pub const fn claimed(&self) -> u64 {
        self.claimed
    }

    /// Returns how many more than known are accepted.
    #[must_use]
    pub const fn limit(&self) -> u64 {
        self.limit
    }
}

impl<A: fmt::Debug> fmt::Display for JumpExceeded<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { actor, known, claimed, limit } = self;
        write!(f, "counter {claimed} of actor {actor:?} is more than {limit} above the known {known}")
    }
}

impl<A: fmt::Debug> Error for JumpExceeded<A> {}

/// A vector counts events of the clock's own actor that the clock has not had. Nothing changed.
///
/// Three things do that: the actor lost its state and went on from an older one, two clocks use one id, or a peer
/// lies. In the first two cases names were given twice already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Unissued<A> {
    actor: A,
    claimed: u64,
    issued: u64,
}

impl<A: Copy> Unissued<A> {
    pub(crate) const fn new(actor: A, claimed: u64, issued: u64) -> Self {
        Self { actor, claimed, issued }
    }

    /// Returns the clock's own actor.
    #[must_use]
    pub const fn actor(&self) -> A {
        self.actor
    }

    /// Returns how many events it is said to have had.
    #[must_use]
    pub const fn claimed(&self) -> u64 {
        self.claimed
    }

    /// Returns how many events it has had.
    #[must_use]
    pub const fn issued(&self) -> u64 {
        self.issued
    }
}

impl<A: fmt::Debug> fmt::Display for Unissued<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { actor, claimed, issued } = self;
        write!(f, "own actor {actor:?} is said to have had {claimed} events, and has had {issued}")
    }
}

impl<A: fmt::Debug> Error for Unissued<A> {}

/// Why a clock did not learn a vector. It is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum MergeError<A> {
    /// A counter is too far ahead to be believed.
    JumpExceeded(JumpExceeded<A>),
    /// It names events of the clock's own actor that the clock has not had.
    Unissued(Unissued<A>),
    /// The entries do not fit.
    Capacity(Capacity),
}

impl<A: fmt::Debug> fmt::Display for MergeError<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::JumpExceeded(error) => error.fmt(f),
            Self::Unissued(error) => error.fmt(f),
            Self::Capacity(error) => error.fmt(f),
        }
    }
}

impl<A: fmt::Debug> Error for MergeError<A> {}

impl<A> From<JumpExceeded<A>> for MergeError<A> {
    fn from(error: JumpExceeded<A>) -> Self {
        Self::JumpExceeded(error)
    }
}

impl<A> From<Unissued<A>> for MergeError<A> {
    fn from(error: Unissued<A>) -> Self {
        Self::Unissued(error)
    }
}

impl<A> From<Capacity> for MergeError<A> {
    fn from(error: Capacity) -> Self {
        Self::Capacity(error)
    }
}

/// Why a clock did not take a message. It is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ObserveError<A> {
    /// A counter is too far ahead to be believed.
    JumpExceeded(JumpExceeded<A>),
    /// It names events of the clock's own actor that the clock has not had.
    Unissued(Unissued<A>),
    /// The entries do not fit.
    Capacity(Capacity),
    /// The clock's own counter is at its end, so the receipt cannot be counted.
    Overflow(Overflow),
}

impl<A: fmt::Debug> fmt::Display for ObserveError<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::JumpExceeded(error) => error.fmt(f),
            Self::Unissued(error) => error.fmt(f),
            Self::Capacity(error) => error.fmt(f),
            Self::Overflow(error) => error.fmt(f),
        }
    }
}

impl<A: fmt::Debug> Error for ObserveError<A> {}

impl<A> From<MergeError<A>> for ObserveError<A> {
    fn from(error: MergeError<A>) -> Self {
        match error {
            MergeError::JumpExceeded(error) => Self::JumpExceeded(error),
            MergeError::Unissued(error) => Self::Unissued(error),
            MergeError::Capacity(error) => Self::Capacity(error),
        }
    }
}

impl<A> From<TickError> for ObserveError<A> {
    fn from(error: TickError) -> Self {
        match error {
            TickError::Overflow(error) => Self::Overflow(error),
            TickError::Capacity(error) => Self::Capacity(error),
        }
    }
}

impl<A> From<Capacity> for ObserveError<A> {
    fn from(error: Capacity) -> Self {
        Self::Capacity(error)
    }
}

impl<A> From<Overflow> for ObserveError<A> {
    fn from(error: Overflow) -> Self {
        Self::Overflow(error)
    }
}

/// The event is not the latest one of its actor in the vector, so the two are not a stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct DotMismatch<A> {
    dot: Dot<A>,
    known: u64,
}

impl<A: Copy> DotMismatch<A> {
    pub(crate) const fn new(dot: Dot<A>, known: u64) -> Self {
        Self { dot, known }
    }

    /// Returns the event.
    #[must_use]
    pub const fn dot(&self) -> Dot<A> {
        self.dot
    }

    /// Returns how many events of its actor the vector counts.
    #[must_use]
    pub const fn known(&self) -> u64 {
        self.known
    }
}

impl<A: fmt::Debug> fmt::Display for DotMismatch<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "event {:?} with a vector that counts {} events of its actor", self.dot, self.known)
    }
}

impl<A: fmt::Debug> Error for DotMismatch<A> {}

/// There is no lane of this number. Nothing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct NoLane {
    lane: usize,
    lanes: usize,
}

impl NoLane {
    pub(crate) const fn new(lane: usize, lanes: usize) -> Self {
        Self { lane, lanes }
    }

    /// Returns the lane that was asked for; `usize::MAX` when its number is above that.
    #[must_use]
    pub const fn lane(&self) -> usize {
        self.lane
    }

    /// Returns how many lanes there are; the last is one less.
    #[must_use]
    pub const fn lanes(&self) -> usize {
        self.lanes
    }
}

impl fmt::Display for NoLane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "lane {} of {}", self.lane, self.lanes)
    }
}

impl Error for NoLane {}

/// Why a dense vector did not count an event. It is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum LaneError {
    /// There is no such lane.
    NoLane(NoLane),
    /// The lane's actor has had its last event.
    Overflow(Overflow),
}

impl fmt::Display for LaneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoLane(error) => error.fmt(f),
            Self::Overflow(error) => error.fmt(f),
        }
    }
}

impl Error for LaneError {}

impl From<NoLane> for LaneError {
    fn from(error: NoLane) -> Self {
        Self::NoLane(error)
    }
}

impl From<Overflow> for LaneError {
    fn from(error: Overflow) -> Self {
        Self::Overflow(error)
    }
}

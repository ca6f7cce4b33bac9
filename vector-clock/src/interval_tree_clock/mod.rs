//! `IntervalTreeClock`: causality where replicas come and go.

mod bits;
mod error;
mod event;
mod id;
mod snapshot;
mod tree;
mod wire;

use alloc::vec::Vec;
use core::fmt;
use core::hash::{Hash, Hasher};

pub use error::{BudgetExceeded, EventJump, IntervalTreeDecodeError, IntervalTreeError};
pub use snapshot::IntervalTreeSnapshot;

use crate::causality::Causality;
use crate::jump::MaxJump;
use event::Events;
use id::{Id, Overlap};
use tree::Node;

/// How many nodes the two trees of one clock may have together. At least 2, for the smallest clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeBudget(usize);

impl NodeBudget {
    /// 65,536 nodes: a replica group that has forked and joined in every order, many times over. Such a clock
    /// takes 1 MiB in memory.
    pub const DEFAULT: Self = Self(65_536);

    /// Allows `nodes` nodes. A clock has at least two, so less than 2 is taken as 2.
    #[must_use]
    pub const fn new(nodes: usize) -> Self {
        Self(if nodes < 2 { 2 } else { nodes })
    }

    /// Returns the number of nodes.
    #[must_use]
    pub const fn nodes(self) -> usize {
        self.0
    }

    pub(crate) const fn check(self, nodes: usize) -> Result<(), BudgetExceeded> {
        if nodes <= self.0 { Ok(()) } else { Err(BudgetExceeded::new(nodes, self.0)) }
    }
}

impl Default for NodeBudget {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// A clock for replicas that come and go: no id is ever handed out by a third party, and none is used up.
///
/// The first clock is the [`seed`](Self::seed) and owns the whole id space. A new replica gets half of some
/// replica's part by [`fork`](Self::fork); a leaving one gives its part back by [`join`](Self::join). The size of
/// a clock follows the number of replicas there are, not the number there have ever been.
///
/// Every live clock comes from the seed by `fork` and `join` and is in one place only, so it is not `Clone`. One that
/// is restored from an old backup, or read twice from its bytes, counts events that another one counts too, and the
/// two then compare as if one had seen the other. [`join`](Self::join) notices such a pair; comparison cannot.
///
/// Its size is bounded by a [`NodeBudget`]; how far above its own greatest count a received one may be, by a
/// [`MaxJump`]. Both belong to this clock, are not part of its value, and do not travel.
///
/// `==` compares everything: id and events. Causality looks at the events alone: two clocks that have just been
/// forked are [`Causality::Equal`], and not `==`.
///
/// # Examples
///
/// ```
/// use vector_clock::{Causality, IntervalTreeClock};
///
/// # fn main() -> Result<(), vector_clock::IntervalTreeError> {
/// let mut a = IntervalTreeClock::seed();
/// let mut b = a.fork()?;
/// a.event()?;
/// b.event()?;
/// assert_eq!(a.causality(&b), Causality::Concurrent);
///
/// b.observe(&a.peek())?;
/// assert_eq!(a.causality(&b), Causality::Before);
///
/// a.join(&mut b)?; // b leaves, a owns everything again, and has one number for all of it
/// a.event()?;
/// assert_eq!(a.node_count(), 2);
/// # Ok(())
/// # }
/// ```
///
/// # Format
///
/// [`to_bytes`](Self::to_bytes) writes a version byte, 1, and then the bits of the paper's own encoding, the
/// highest bit of each byte first: the id, the events, and zeros to the end of the byte. Equal clocks have equal
/// bytes, and [`from_bytes`](Self::from_bytes) accepts no others. The seed is `01 30`.
///
/// # Sources
///
/// Almeida, Baquero, Fonte 2008, "Interval Tree Clocks: A Logical Clock for Dynamic Systems". Where the paper
/// recurs on a tree, this is one pass over a list, with its stack on the heap and inside the budget.
pub struct IntervalTreeClock {
    id: Id,
    events: Events,
    budget: NodeBudget,
    max_jump: MaxJump,
    counts: IntervalTreeSnapshot,
}

impl IntervalTreeClock {
    /// Makes the first clock, which owns the whole id space. There is one seed in a system.
    #[must_use]
    #[doc(alias = "new")]
    pub fn seed() -> Self {
        Self::of(Id::constant(true), Events::constant(0), NodeBudget::DEFAULT)
    }

    /// Sets how many nodes this clock, and what is forked from it, may have.
    ///
    /// # Errors
    ///
    /// [`BudgetExceeded`] when it has more already.
    pub fn with_budget(self, budget: NodeBudget) -> Result<Self, BudgetExceeded> {
        budget.check(self.node_count())?;
        Ok(Self { budget, ..self })
    }

    /// Sets how far ahead of this clock a received one may be, in events.
    #[must_use]
    pub const fn with_max_jump(mut self, max_jump: MaxJump) -> Self {
        self.max_jump = max_jump;
        self
    }

    /// Gives half of what this clock owns to a new clock, which knows the same events.
    ///
    /// An anonymous clock has nothing to give; both are then anonymous.
    ///
    /// # Errors
    ///
    /// [`BudgetExceeded`] when one of the two would have too many nodes. Nothing changed.
    pub fn fork(&mut self) -> Result<Self, BudgetExceeded> {
        let (kept, given) = self.id.split();
        let checked = self.check(&kept, &self.events).and_then(|()| self.check(&given, &self.events));
        checked.map_err(|why| self.counts.count(why))?;
        self.id = kept;
        Ok(self.with_id(given))
    }

    /// Takes over what `leaving` owns and knows. `leaving` is anonymous afterwards.
    ///
    /// # Errors
    ///
    /// Both clocks are as they were.
    /// - [`IntervalTreeError::Overlap`] when both own one part: `leaving` is a copy, or was joined before.
    /// - [`IntervalTreeError::Jump`] when `leaving` is too far ahead.
    /// - [`IntervalTreeError::Budget`] when the result would have too many nodes.
    pub fn join(&mut self, leaving: &mut Self) -> Result<(), IntervalTreeError> {
        (self.id, self.events) = self.joined(leaving).map_err(|why| self.counts.count(why))?;
        leaving.id = Id::constant(false);
        Ok(())
    }

    /// Counts an event of this clock's own: one happened, or a message is about to be sent.
    ///
    /// # Errors
    ///
    /// The clock is as it was.
    /// - [`IntervalTreeError::Anonymous`] when it owns nothing.
    /// - [`IntervalTreeError::Overflow`] when every place that it owns is at [`MAX_COUNTER`](crate::MAX_COUNTER).
    /// - [`IntervalTreeError::Budget`] when it would have too many nodes.
    ///
    /// # Overflow
    ///
    /// A place at its greatest count is passed over for another one that the clock owns; nothing wraps.
    #[doc(alias = "tick")]
    #[doc(alias = "increment")]
    pub fn event(&mut self) -> Result<(), IntervalTreeError> {
        self.events = self.counted(&self.events).map_err(|why| self.counts.count(why))?;
        Ok(())
    }

    /// Returns an anonymous clock that knows what this one knows: the stamp for a message.
    ///
    /// It owns nothing, so any number of copies of it may travel.
    #[must_use]
    pub fn peek(&self) -> Self {
        self.with_id(Id::constant(false))
    }

    /// Learns what `other` knows. No event is counted, and ids stay as they are.
    ///
    /// Idempotent, commutative and associative wherever nothing is refused.
    ///
    /// # Errors
    ///
    /// The clock is as it was.
    /// - [`IntervalTreeError::Jump`] when `other` is too far ahead.
    /// - [`IntervalTreeError::Budget`] when it would have too many nodes.
    pub fn merge(&mut self, other: &Self) -> Result<(), IntervalTreeError> {
        let merged = self.merged(other).and_then(|events| self.within_budget(events));
        self.events = merged.map_err(|why| self.counts.count(why))?;
        Ok(())
    }

    /// Learns what `other` knows, however far ahead it is: for input that was already agreed on, or this clock's own.
    ///
    /// # Errors
    ///
    /// [`BudgetExceeded`] when the clock would have too many nodes. It is as it was.
    ///
    /// # Overflow
    ///
    /// A count at [`MAX_COUNTER`](crate::MAX_COUNTER) is accepted, and there no event can be counted any more.
    pub fn merge_committed(&mut self, other: &Self) -> Result<(), BudgetExceeded> {
        let joined = self.events.join(&other.events);
        let checked = self.check(&self.id, &joined);
        checked.map_err(|why| self.counts.count(why))?;
        self.events = joined;
        Ok(())
    }

    /// Learns what the stamp of a received message knows, and counts the receipt as an event.
    ///
    /// # Errors
    ///
    /// Those of [`merge`](Self::merge) and of [`event`](Self::event). The clock is as it was.
    #[doc(alias = "receive")]
    #[doc(alias = "update")]
    pub fn observe(&mut self, message: &Self) -> Result<(), IntervalTreeError> {
        let counted = self.merged(message).and_then(|events| self.counted(&events));
        self.events = counted.map_err(|why| self.counts.count(why))?;
        Ok(())
    }

    /// Returns whether every event that this clock knows is known to `other`.
    #[must_use]
    pub fn leq(&self, other: &Self) -> bool {
        self.events.leq(&other.events)
    }

    /// Compares what the two clocks know. Their ids do not matter.
    pub fn causality(&self, other: &Self) -> Causality {
        Causality::from_lacks(!other.leq(self), !self.leq(other))
    }

    /// Returns whether this clock owns nothing, and so cannot count events.
    #[must_use]
    pub fn is_anonymous(&self) -> bool {
        self.id.is_anonymous()
    }

    /// Returns how many nodes its two trees have together.
    #[must_use]
    pub const fn node_count(&self) -> usize {
        self.id.len().saturating_add(self.events.len())
    }

    /// Returns what an operator must see of this clock.
    #[must_use]
    pub const fn snapshot(&self) -> IntervalTreeSnapshot {
        IntervalTreeSnapshot { nodes: self.node_count(), ..self.counts }
    }

    /// Writes the clock as bytes, id included. [`peek`](Self::peek) first for a message: ids must not be copied.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        wire::encode(&self.id, &self.events)
    }

    /// Reads a clock from bytes, with `budget` as its own, and with the default [`MaxJump`].
    ///
    /// Time is linear in the bytes, memory is bounded by the budget: a node is at least one bit, and reading ends
    /// at the first node above the budget. Nothing recurs on the depth that the bytes claim.
    ///
    /// # Errors
    ///
    /// [`IntervalTreeDecodeError`] when the bytes are not the one form of a clock within the budget.
    pub fn from_bytes(bytes: &[u8], budget: NodeBudget) -> Result<Self, IntervalTreeDecodeError> {
        let (id, events) = wire::decode(bytes, budget)?;
        Ok(Self::of(id, events, budget))
    }

    fn of(id: Id, events: Events, budget: NodeBudget) -> Self {
        Self { id, events, budget, max_jump: MaxJump::DEFAULT, counts: IntervalTreeSnapshot::default() }
    }

    /// What this clock knows, for another owner.
    fn with_id(&self, id: Id) -> Self {
        Self { max_jump: self.max_jump, ..Self::of(id, self.events.clone(), self.budget) }
    }

    /// What this clock would know with `other`: bounded in its numbers, not yet in its nodes.
    fn merged(&self, other: &Self) -> Result<Events, IntervalTreeError> {
        let ahead = other.events.greatest().saturating_sub(self.events.greatest());
        let limit = self.max_jump.limit();
        if ahead > limit {
            return Err(EventJump::new(ahead, limit).into());
        }
        Ok(self.events.join(&other.events))
    }

    fn within_budget(&self, events: Events) -> Result<Events, IntervalTreeError> {
        self.check(&self.id, &events)?;
        Ok(events)
    }

    fn joined(&self, leaving: &Self) -> Result<(Id, Events), IntervalTreeError> {
        let id = self.id.sum(&leaving.id).map_err(|Overlap| IntervalTreeError::Overlap)?;
        let events = self.merged(leaving)?;
        self.check(&id, &events)?;
        Ok((id, events))
    }

    fn counted(&self, events: &Events) -> Result<Events, IntervalTreeError> {
        if self.is_anonymous() {
            return Err(IntervalTreeError::Anonymous);
        }
        self.within_budget(events.event(&self.id)?)
    }

    const fn check(&self, id: &Id, events: &Events) -> Result<(), BudgetExceeded> {
        self.budget.check(id.len().saturating_add(events.len()))
    }
}

impl PartialEq for IntervalTreeClock {
    fn eq(&self, other: &Self) -> bool {
        (&self.id, &self.events) == (&other.id, &other.events)
    }
}

impl Eq for IntervalTreeClock {}

impl Hash for IntervalTreeClock {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.id, &self.events).hash(state);
    }
}

/// Both trees in preorder, with `/` for a branch.
impl fmt::Debug for IntervalTreeClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IntervalTreeClock(id")?;
        for node in self.id.nodes() {
            match node {
                Node::Branch => f.write_str(" /")?,
                Node::Leaf(owned) => write!(f, " {}", u8::from(*owned))?,
            }
        }
        f.write_str(", events")?;
        for node in self.events.nodes() {
            match node {
                Node::Branch => f.write_str(" /")?,
                Node::Leaf(count) => write!(f, " {count}")?,
            }
        }
        f.write_str(")")
    }
}

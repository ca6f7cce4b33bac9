//! `DotSet`: any set of events, as ranges.

use alloc::vec::Vec;
use core::fmt;
use core::hash::{Hash, Hasher};

use crate::actor::Actor;
use crate::causality::Causality;
use crate::dot::Dot;
use crate::dot_range::DotRange;
use crate::error::{Capacity, EntryError};
use crate::matrix_clock::StableCut;
use crate::storage::{Heap, Storage};
use crate::version_vector::VersionVector;

/// A set of events with gaps: which messages have arrived, which writes have been applied.
///
/// A [`VersionVector`] can only say "all events up to here". This keeps, for each actor, ranges of consecutive
/// events, so it costs what its gaps cost, not what its events do: one event at counter 4,000,000 is one range, and
/// when all before it have arrived as well, it is still one range. Equal sets are equal memory.
///
/// How many ranges it may have is bounded, since whoever can name dots can name ones with gaps between them. A set
/// that would have more refuses the change and stays as it was.
///
/// # Examples
///
/// ```
/// use vector_clock::{Dot, DotRange, DotSet};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut ours = DotSet::<u32>::new();
/// ours.insert_range(DotRange::try_new(7, 1, 1_000)?)?;
/// ours.insert(Dot::try_new(7, 4_000_000)?)?;
/// assert_eq!(ours.range_count(), 2);
///
/// let mut theirs = DotSet::new();
/// theirs.insert_range(DotRange::try_new(7, 11, 1_000)?)?;
/// let to_send: Vec<_> = ours.missing_from(&theirs).collect();
/// assert_eq!(to_send, [DotRange::try_new(7, 1, 10)?, DotRange::try_new(7, 4_000_000, 4_000_000)?]);
/// # Ok(())
/// # }
/// ```
///
/// # What can go wrong
///
/// **A peer lies.** A range that names events which never happened costs as little as any other, and whoever joins
/// it to its own set will not ask for them when they do happen. Take sets from authenticated members.
#[derive(Clone)]
pub struct DotSet<A: Actor> {
    // Invariant: ascending by key, then counter; two runs of one key have a gap between them; at most `limit`.
    runs: Vec<Run<A::Key>>,
    limit: usize,
}

/// A range, with the key in place of the actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Run<K> {
    key: K,
    first: u64,
    last: u64,
}

impl<A: Actor> DotSet<A> {
    /// The limit of [`new`](Self::new): 8,192 ranges, of at most 32 bytes each.
    pub const DEFAULT_LIMIT: usize = 8_192;

    /// Makes an empty set that may have [`DEFAULT_LIMIT`](Self::DEFAULT_LIMIT) ranges.
    #[must_use]
    pub const fn new() -> Self {
        Self::with_limit(Self::DEFAULT_LIMIT)
    }

    /// Makes an empty set that may have `limit` ranges.
    #[must_use]
    pub const fn with_limit(limit: usize) -> Self {
        Self { runs: Vec::new(), limit }
    }

    /// Collects ranges that come in ascending order with a gap between any two of one actor, as
    /// [`ranges`](Self::ranges) gives them. Linear.
    ///
    /// # Errors
    ///
    /// - [`EntryError::Order`] when a range does not begin above the one before it, or touches it.
    /// - [`EntryError::Capacity`] when there are more than `limit`.
    pub fn from_sorted<I: IntoIterator<Item = DotRange<A>>>(
        ranges: I,
        limit: usize,
    ) -> Result<Self, EntryError> {
        let mut set = Self::with_limit(limit);
        for range in ranges {
            let run = Run::of(&range);
            if set.runs.last().is_some_and(|last| !last.ends_apart_from(&run)) {
                return Err(EntryError::Order);
            }
            set.check(set.runs.len().saturating_add(1))?;
            set.runs.push(run);
        }
        Ok(set)
    }

    /// Returns how many ranges there are: what the set costs.
    #[must_use]
    pub const fn range_count(&self) -> usize {
        self.runs.len()
    }

    /// Returns how many events there are. Saturates at `u128::MAX`.
    #[must_use]
    pub fn count(&self) -> u128 {
        self.ranges().fold(0, |sum: u128, range| sum.saturating_add(u128::from(range.count())))
    }

    /// Returns whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Returns whether the event is in the set. Logarithmic in the ranges.
    #[must_use]
    pub fn contains(&self, dot: Dot<A>) -> bool {
        let key = dot.actor().to_key();
        let behind = self.runs.partition_point(|run| (run.key, run.first) <= (key, dot.counter()));
        let before = behind.checked_sub(1).and_then(|at| self.runs.get(at));
        before.is_some_and(|run| run.key == key && dot.counter() <= run.last)
    }

    /// Returns the ranges, ascending by actor, then counter, with a gap between any two of one actor.
    pub fn ranges(&self) -> impl Iterator<Item = DotRange<A>> + Clone + '_ {
        self.runs.iter().filter_map(|run| run.to_range())
    }

    /// Returns for each actor the events that come without a gap from its first on.
    #[must_use]
    pub fn prefix(&self) -> VersionVector<A, Heap> {
        let mut prefix = VersionVector::new();
        for run in self.runs.iter().filter(|run| run.first == 1) {
            // In order, and valid, since the runs are.
            let _ = prefix.push_entry(run.key, run.last);
        }
        prefix
    }

    /// Adds one event, and returns whether it is new.
    ///
    /// Logarithmic where it joins a range, as the next event of an actor does; else the ranges behind it move.
    ///
    /// # Errors
    ///
    /// [`Capacity`] when that would be one range too many. The set is as it was.
    pub fn insert(&mut self, dot: Dot<A>) -> Result<bool, Capacity> {
        if self.contains(dot) {
            return Ok(false);
        }
        self.insert_range(dot.into())?;
        Ok(true)
    }

    /// Adds consecutive events, known or new.
    ///
    /// # Errors
    ///
    /// [`Capacity`] when that would be one range too many. The set is as it was.
    pub fn insert_range(&mut self, range: DotRange<A>) -> Result<(), Capacity> {
        let mut joined = Run::of(&range);
        let from = self.runs.partition_point(|run| run.ends_apart_from(&joined));
        let to = self.runs.partition_point(|run| !joined.ends_apart_from(run));
        let touched = self.runs.get(from..to).unwrap_or_default();
        if let (Some(first), Some(last)) = (touched.first(), touched.last()) {
            joined = Run {
                key: joined.key,
                first: joined.first.min(first.first),
                last: joined.last.max(last.last),
            };
        }
        self.check(self.runs.len().saturating_sub(touched.len()).saturating_add(1))?;
        self.runs.splice(from..to.max(from), [joined]);
        Ok(())
    }

    /// Adds all events of `other`. Linear in the ranges of both.
    ///
    /// Commutative, associative and idempotent wherever nothing is refused.
    ///
    /// # Errors
    ///
    /// [`Capacity`] when the result would have too many ranges. The set is as it was.
    pub fn union(&mut self, other: &Self) -> Result<(), Capacity> {
        self.union_runs(other.runs.iter().copied())
    }

    /// Adds all events that the vector knows.
    ///
    /// # Errors
    ///
    /// [`Capacity`] when the result would have too many ranges. The set is as it was.
    pub fn union_vector<S: Storage>(&mut self, vector: &VersionVector<A, S>) -> Result<(), Capacity> {
        self.union_runs(vector.entries().map(|(key, last)| Run { key, first: 1, last }))
    }

    /// Returns the events of this set that are not in `other`, as a set with the limit of this one.
    ///
    /// # Errors
    ///
    /// [`Capacity`] when it would have too many ranges: the gaps of `other` come on top of those of this set. Use
    /// [`missing_from`](Self::missing_from), which stores nothing.
    pub fn difference(&self, other: &Self) -> Result<Self, Capacity> {
        let mut rest = Self::with_limit(self.limit);
        for run in self.without(other.runs.iter().copied()) {
            rest.check(rest.runs.len().saturating_add(1))?;
            rest.runs.push(run);
        }
        Ok(rest)
    }

    /// Returns what `peer` lacks of this set, as ranges: what to send to it. Nothing is allocated.
    ///
    /// The other way round, `peer.missing_from(&ours)` is what to ask it for.
    pub fn missing_from<'a>(&'a self, peer: &'a Self) -> impl Iterator<Item = DotRange<A>> + 'a {
        self.without(peer.runs.iter().copied()).filter_map(|run| run.to_range())
    }

    /// Returns what a peer with this vector lacks of this set, as ranges.
    pub fn missing_from_vector<'a, S: Storage>(
        &'a self,
        peer: &'a VersionVector<A, S>,
    ) -> impl Iterator<Item = DotRange<A>> + 'a {
        let known = peer.entries().map(|(key, last)| Run { key, first: 1, last });
        self.without(known).filter_map(|run| run.to_range())
    }

    /// Returns how the two sets stand to each other: subset is [`Causality::Before`].
    pub fn causality(&self, other: &Self) -> Causality {
        let lacks = |left: &Self, right: &Self| right.without(left.runs.iter().copied()).next().is_some();
        Causality::from_lacks(lacks(self, other), lacks(other, self))
    }

    /// Drops the events that every member knows, and returns how many there were. Saturates at `u64::MAX`.
    ///
    /// For a set of events that are kept only until all have them: messages to send again, deleted keys. A set that
    /// answers "have I seen this?" must keep them.
    pub fn prune(&mut self, cut: &StableCut<A>) -> u64 {
        let mut dropped = 0_u64;
        self.runs.retain_mut(|run| {
            let known = cut.vector().counter_of(run.key).min(run.last);
            if known >= run.first {
                dropped = dropped.saturating_add(known.saturating_sub(run.first).saturating_add(1));
                run.first = known.saturating_add(1);
            }
            run.first <= run.last
        });
        dropped
    }

    fn union_runs(&mut self, others: impl Iterator<Item = Run<A::Key>>) -> Result<(), Capacity> {
        let mut ours = self.runs.iter().copied().peekable();
        let mut others = others.peekable();
        let mut joined: Vec<Run<A::Key>> = Vec::new();
        let first = |run: &Run<A::Key>| (run.key, run.first);
        loop {
            let ours_is_next = match (ours.peek(), others.peek()) {
                (None, None) => break,
                (Some(_), None) => true,
                (None, Some(_)) => false,
                (Some(our), Some(other)) => first(our) <= first(other),
            };
            let Some(run) = (if ours_is_next { ours.next() } else { others.next() }) else { break };
            match joined.last_mut().filter(|last| !last.ends_apart_from(&run)) {
                Some(last) => last.last = last.last.max(run.last),
                None => {
                    self.check(joined.len().saturating_add(1))?;
                    joined.push(run);
                }
            }
        }
        self.runs = joined;
        Ok(())
    }

    /// What is left of this set without `others`, which are sorted.
    fn without<'a, O>(&'a self, others: O) -> Without<core::slice::Iter<'a, Run<A::Key>>, O, A::Key>
    where
        O: Iterator<Item = Run<A::Key>>,
    {
        Without { runs: self.runs.iter(), current: None, others, other: None }
    }

    const fn check(&self, needed: usize) -> Result<(), Capacity> {
        if needed <= self.limit { Ok(()) } else { Err(Capacity::new(needed, self.limit)) }
    }
}

impl<K: Copy + Ord> Run<K> {
    fn of<A: Actor<Key = K>>(range: &DotRange<A>) -> Self {
        Self { key: range.actor().to_key(), first: range.first(), last: range.last() }
    }

    fn to_range<A: Actor<Key = K>>(self) -> Option<DotRange<A>> {
        DotRange::try_new(A::from_key(self.key)?, self.first, self.last).ok()
    }

    /// Is this run before `next`, with at least one event or another key between them?
    fn ends_apart_from(&self, next: &Self) -> bool {
        (self.key, self.last.saturating_add(1)) < (next.key, next.first)
    }
}

/// The runs of one list that are left when those of another are taken out. One walk over both.
struct Without<R, O, K> {
    runs: R,
    current: Option<Run<K>>,
    others: O,
    other: Option<Run<K>>,
}

impl<'a, K, R, O> Iterator for Without<R, O, K>
where
    K: Copy + Ord + 'a,
    R: Iterator<Item = &'a Run<K>>,
    O: Iterator<Item = Run<K>>,
{
    type Item = Run<K>;

    fn next(&mut self) -> Option<Run<K>> {
        // Each round uses up a run of one of the two lists, or ends.
        loop {
            let run = match self.current.take() {
                Some(run) => run,
                None => *self.runs.next()?,
            };
            // The first of the others that does not end before this run.
            while self.other.is_none_or(|other| (other.key, other.last) < (run.key, run.first)) {
                self.other = self.others.next();
                if self.other.is_none() {
                    return Some(run);
                }
            }
            let Some(other) = self.other else { return Some(run) };
            if (run.key, run.last) < (other.key, other.first) {
                return Some(run);
            }
            if run.last > other.last {
                self.current = Some(Run { first: other.last.saturating_add(1), ..run });
            }
            if run.first < other.first {
                return Some(Run { last: other.first.saturating_sub(1), ..run });
            }
        }
    }
}

impl<A: Actor> Default for DotSet<A> {
    fn default() -> Self {
        Self::new()
    }
}

/// Equal events. The limits do not matter.
impl<A: Actor> PartialEq for DotSet<A> {
    fn eq(&self, other: &Self) -> bool {
        self.runs == other.runs
    }
}

impl<A: Actor> Eq for DotSet<A> {}

impl<A: Actor> Hash for DotSet<A> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.runs.hash(state);
    }
}

impl<A: Actor> fmt::Debug for DotSet<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.ranges()).finish()
    }
}

//! `CausalBuffer`: delivers no message before the messages that it knows of.

mod error;
mod limits;
mod members;
mod message;
mod slab;
mod snapshot;

use core::fmt;
use core::iter;

pub use error::{Refused, RefusedReason, UnknownMember};
pub use limits::BufferLimits;
pub use message::{Causal, Received};
pub use snapshot::BufferSnapshot;

use crate::actor::Actor;
use crate::dot::Dot;
use crate::dot_range::DotRange;
use crate::error::Capacity;
use crate::stamp::Stamp;
use crate::storage::Storage;
use crate::version_vector::VersionVector;
use members::Members;
use slab::Slab;

/// Delivers messages in causal order: none before the messages that its sender had sent or delivered before it.
///
/// Every message carries the stamp of its sending. [`receive`](Self::receive) hands it back at once when everything
/// that it depends on has been delivered, else keeps it; after a delivery [`pop_ready`](Self::pop_ready) returns what
/// no longer waits. [`missing`](Self::missing) names the messages that those waiting need, so that they can be asked
/// for again, and a refusal names what the refused message needs.
///
/// **The clock of the senders counts messages only.** A sender stamps with
/// [`VectorClock::tick`](crate::VectorClock::tick), and for a delivered message it calls
/// [`merge`](crate::VectorClock::merge), never `observe`: the event of a receipt would be a gap that no message fills.
/// A node that sends passes its own messages through its buffer too; they are delivered at once.
///
/// # Guarantees
///
/// - **Causal**: when a message is delivered, so have been all messages that its stamp knows of.
/// - **Unique**: each dot is delivered once, however many copies arrive.
/// - **Progress**: a ready message is delivered whatever waits, since it takes no room. The quota is a window, not a
///   count, so the next message of a sender is never kept out by later ones of the same sender.
/// - **Bounded**: at most [`BufferLimits`] and the storage allow. A delivery costs what it wakes, and does not grow
///   with what goes on waiting.
///
/// # What can go wrong
///
/// **A message is lost.** What depends on it waits until it is sent again, or until
/// [`catch_up`](Self::catch_up) says that it is known by other means.
///
/// **A sender lies.** A dot names its sender, so whoever hands messages to the buffer has to know who sent them. A
/// member that depends on a message which does not exist keeps its own messages waiting, in its own quota, and makes
/// `missing` name it.
///
/// # Examples
///
/// ```
/// use vector_clock::{CausalBuffer, DotRange, Fixed, Received, VectorClock};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut alice = VectorClock::<u32, Fixed<4>>::new(1);
/// let mut bob = VectorClock::<u32, Fixed<4>>::new(2);
/// let question = alice.tick()?;
/// bob.merge(question.vector())?;
/// let answer = bob.tick()?;
///
/// let mut carol = CausalBuffer::<_, Fixed<4>>::new();
/// carol.admit(1)?;
/// carol.admit(2)?;
/// assert_eq!(carol.receive((answer, "yes"))?, Received::Waiting);
/// assert_eq!(carol.missing().next(), Some(DotRange::from(question.dot())));
/// assert!(matches!(carol.receive((question, "lunch?"))?, Received::Deliver((_, "lunch?"))));
/// assert!(matches!(carol.pop_ready(), Some((_, "yes"))));
/// # Ok(())
/// # }
/// ```
///
/// # Sources
///
/// Birman, Schiper, Stephenson 1991, "Lightweight Causal and Atomic Group Multicast".
pub struct CausalBuffer<M: Causal, S: Storage> {
    members: Members<Key<M>, S>,
    held: Slab<Held<M>, S>,
    /// The lanes whose next message is ready, first and last.
    ready: Option<(usize, usize)>,
    limits: BufferLimits,
    counts: BufferSnapshot,
}

type Key<M> = <<M as Causal>::Actor as Actor>::Key;

/// A message that waits.
struct Held<M> {
    message: M,
    counter: u64,
    /// The entries of its vector before this one are known to be delivered, and stay so.
    scanned: usize,
    /// The slot of the same sender's held message with the next greater counter.
    next: Option<usize>,
}

/// What keeps a message from delivery: the entry of its vector, and the lane and counter that it waits for.
struct Block {
    entry: usize,
    lane: usize,
    until: u64,
}

impl<M: Causal, S: Storage> CausalBuffer<M, S> {
    /// Makes a buffer without members, with [`BufferLimits::DEFAULT`].
    #[must_use]
    pub const fn new() -> Self {
        Self::with_limits(BufferLimits::DEFAULT)
    }

    /// Makes a buffer without members.
    #[must_use]
    pub const fn with_limits(limits: BufferLimits) -> Self {
        Self { members: Members::new(), held: Slab::new(), ready: None, limits, counts: BufferSnapshot::ZERO }
    }

    /// Admits a sender of which nothing has been delivered; nothing changes when it is a member.
    ///
    /// One that has sent before is admitted at a point: [`admit_at`](Self::admit_at).
    ///
    /// # Errors
    ///
    /// [`Capacity`] when there are too many members. The buffer is as it was.
    pub fn admit(&mut self, actor: M::Actor) -> Result<(), Capacity> {
        self.members.admit(actor.to_key(), 0, self.limits.members)?;
        Ok(())
    }

    /// Admits a sender of which everything up to `known` is known here; nothing changes when it is a member.
    ///
    /// # Errors
    ///
    /// [`Capacity`] when there are too many members. The buffer is as it was.
    pub fn admit_at(&mut self, known: Dot<M::Actor>) -> Result<(), Capacity> {
        self.members.admit(known.actor().to_key(), known.counter(), self.limits.members)?;
        Ok(())
    }

    /// Takes a message that has arrived.
    ///
    /// # Errors
    ///
    /// [`Refused`] has the message, and the reason. The buffer is as it was, but for its counts.
    /// - [`RefusedReason::UnknownMember`] when it is from or depends on somebody who is not a member.
    /// - [`RefusedReason::BeyondQuota`] when it is too far ahead of its sender's last delivered message.
    /// - [`RefusedReason::Full`] when it is not ready and there is no room to wait in.
    pub fn receive(&mut self, message: M) -> Result<Received<M>, Refused<M::Actor, M>> {
        let dot = message.stamp().dot();
        let lane = match self.sender_of(message.stamp()) {
            Ok(lane) => lane,
            Err(actor) => {
                count(&mut self.counts.unknown_member);
                return Err(Refused::new(RefusedReason::UnknownMember(actor), message));
            }
        };
        let Some((before, after)) = self.gap_for(lane, dot.counter()) else {
            count(&mut self.counts.duplicates);
            return Ok(Received::Duplicate);
        };
        let ahead = dot.counter().saturating_sub(self.members.delivered(lane));
        let mut block = None;
        if ahead <= 1 {
            block = next_block(&self.members, message.stamp(), 0, &mut self.counts.steps);
            if block.is_none() {
                self.delivered(lane);
                return Ok(Received::Deliver(message));
            }
        }
        if let Err(reason) = self.check_room(&message, ahead, block.as_ref()) {
            return Err(Refused::new(reason, message));
        }
        let scanned = block.as_ref().map_or(0, |block| block.entry);
        let counter = dot.counter();
        // There is room, so this is never an error.
        let Ok(slot) = self.held.insert(Held { message, counter, scanned, next: after }) else {
            return Ok(Received::Waiting);
        };
        match before.and_then(|before| self.held.get_mut(before)) {
            Some(before) => before.next = Some(slot),
            None => self.set_first_held(lane, Some(slot)),
        }
        if let Some(lane) = self.members.get_mut(lane) {
            lane.wanted = lane.wanted.max(counter.saturating_sub(1));
        }
        if let Some(block) = block {
            self.members.wait(lane, block.lane, block.until, &mut self.counts.steps);
        }
        Ok(Received::Waiting)
    }

    /// Returns a message that waited and is ready: this is its delivery. `None` when the others go on waiting.
    pub fn pop_ready(&mut self) -> Option<M> {
        let (lane, last) = self.ready?;
        let ready = self.members.get_mut(lane)?;
        self.ready = if lane == last { None } else { ready.next_ready.map(|next| (next, last)) };
        ready.next_ready = None;
        let held = self.held.take(ready.first_held?)?;
        ready.first_held = held.next;
        self.delivered(lane);
        Some(held.message)
    }

    /// Returns the messages that those waiting need and that are not here: what to ask for again.
    ///
    /// Ascending by sender, then counter; of each sender at most as far ahead as the quota. What has not arrived may
    /// need more that is not named yet.
    pub fn missing(&self) -> impl Iterator<Item = DotRange<M::Actor>> + '_ {
        let window = self.limits.quota.max(1);
        self.members.iter().flat_map(move |(key, lane)| {
            let last = lane.wanted.min(lane.delivered.saturating_add(window));
            let mut first = lane.delivered.saturating_add(1);
            let mut slot = lane.first_held;
            iter::from_fn(move || {
                // Each round passes one held message, or is the last.
                while first <= last {
                    let held = slot.and_then(|slot| self.held.get(slot));
                    let gap = (first, held.map_or(last, |held| last.min(held.counter.saturating_sub(1))));
                    first = held.map_or(last, |held| held.counter).saturating_add(1);
                    slot = held.and_then(|held| held.next);
                    if gap.0 <= gap.1 {
                        return DotRange::try_new(M::Actor::from_key(key)?, gap.0, gap.1).ok();
                    }
                }
                None
            })
        })
    }

    /// Takes everything that `known` contains as delivered, because it is known by other means: a state transfer, or
    /// the decision to go on without a message that is lost for good. Returns how many waiting messages were dropped
    /// because it contains them.
    ///
    /// What that makes ready is returned by [`pop_ready`](Self::pop_ready). Linear in members and waiting messages.
    ///
    /// # Errors
    ///
    /// [`UnknownMember`] when it contains events of somebody who is not a member. The buffer is as it was.
    pub fn catch_up<S2: Storage>(
        &mut self,
        known: &VersionVector<M::Actor, S2>,
    ) -> Result<usize, UnknownMember<M::Actor>> {
        let strangers = known.iter().find(|dot| self.members.find(dot.actor().to_key()).is_none());
        if let Some(stranger) = strangers {
            return Err(UnknownMember::new(stranger.actor()));
        }
        let before = self.held.len();
        for (key, counter) in known.entries() {
            if let Some(lane) = self.members.find(key).and_then(|lane| self.members.get_mut(lane)) {
                lane.delivered = lane.delivered.max(counter);
            }
        }
        // Who waits for whom may have changed everywhere: it is worked out again.
        self.members.clear_waiters();
        self.ready = None;
        for lane in 0..self.members.len() {
            self.drop_delivered(lane);
            self.settle(lane);
        }
        Ok(before.saturating_sub(self.held.len()))
    }

    /// Returns how many messages of `actor` have been delivered.
    #[must_use]
    pub fn delivered_of(&self, actor: M::Actor) -> u64 {
        self.members.find(actor.to_key()).map_or(0, |lane| self.members.delivered(lane))
    }

    /// Returns how many messages wait.
    #[must_use]
    pub const fn waiting(&self) -> usize {
        self.held.len()
    }

    /// Returns what an operator must see of this buffer.
    #[must_use]
    pub const fn snapshot(&self) -> BufferSnapshot {
        BufferSnapshot { waiting: self.held.len(), ..self.counts }
    }

    /// The lane of the sender, or the first actor that is no member.
    fn sender_of(&self, stamp: &Stamp<M::Actor, M::Storage>) -> Result<usize, M::Actor> {
        let stranger = stamp.vector().iter().find(|dot| self.members.find(dot.actor().to_key()).is_none());
        let sender = stamp.dot().actor();
        stranger.map_or(self.members.find(sender.to_key()).ok_or(sender), |dot| Err(dot.actor()))
    }

    /// The held messages of one sender between which `counter` belongs, or `None` when it is not new.
    ///
    /// Looks at no more messages than the quota.
    fn gap_for(&self, lane: usize, counter: u64) -> Option<(Option<usize>, Option<usize>)> {
        let lane = self.members.get(lane).filter(|lane| counter > lane.delivered)?;
        let (mut before, mut after) = (None, lane.first_held);
        while let Some((slot, held)) = after.and_then(|slot| Some((slot, self.held.get(slot)?))) {
            if held.counter >= counter {
                return (held.counter > counter).then_some((before, after));
            }
            (before, after) = (Some(slot), held.next);
        }
        Some((before, None))
    }

    /// May a message that is not ready wait?
    fn check_room(
        &mut self,
        message: &M,
        ahead: u64,
        block: Option<&Block>,
    ) -> Result<(), RefusedReason<M::Actor>> {
        let stamp = message.stamp();
        let blocking = block.and_then(|block| {
            let key = *stamp.vector().ids().get(block.entry)?;
            Dot::try_new(M::Actor::from_key(key)?, block.until).ok()
        });
        let needs = blocking.or_else(|| stamp.dot().prev()).unwrap_or_else(|| stamp.dot());
        let quota = self.limits.quota;
        if ahead > quota {
            count(&mut self.counts.beyond_quota);
            return Err(RefusedReason::BeyondQuota { needs, quota });
        }
        self.held.check_room(self.limits.waiting).map_err(|capacity| {
            count(&mut self.counts.full);
            RefusedReason::Full { needs, capacity }
        })
    }

    /// The next message of this lane has been delivered: wakes what waited for it.
    ///
    /// The rounds are as many as it wakes.
    fn delivered(&mut self, lane: usize) {
        count(&mut self.counts.delivered);
        if let Some(lane) = self.members.get_mut(lane) {
            lane.delivered = lane.delivered.saturating_add(1);
        }
        while let Some(woken) = self.members.wake(lane, &mut self.counts.steps) {
            self.settle(woken);
        }
        self.settle(lane);
    }

    /// Finds out what the next message of this lane waits for, if that message is here.
    fn settle(&mut self, lane: usize) {
        let next = self.members.delivered(lane).saturating_add(1);
        let first = self.members.get(lane).and_then(|lane| lane.first_held);
        let Some(held) = first.and_then(|slot| self.held.get_mut(slot)).filter(|held| held.counter == next)
        else {
            return;
        };
        match next_block(&self.members, held.message.stamp(), held.scanned, &mut self.counts.steps) {
            Some(block) => {
                held.scanned = block.entry;
                self.members.wait(lane, block.lane, block.until, &mut self.counts.steps);
            }
            None => self.push_ready(lane),
        }
    }

    fn push_ready(&mut self, lane: usize) {
        self.ready = match self.ready {
            None => Some((lane, lane)),
            Some((first, last)) => {
                if let Some(last) = self.members.get_mut(last) {
                    last.next_ready = Some(lane);
                }
                Some((first, lane))
            }
        };
    }

    fn drop_delivered(&mut self, lane: usize) {
        let delivered = self.members.delivered(lane);
        while let Some(slot) = self.members.get(lane).and_then(|lane| lane.first_held) {
            if self.held.get(slot).is_none_or(|held| held.counter > delivered) {
                return;
            }
            let next = self.held.take(slot).and_then(|held| held.next);
            self.set_first_held(lane, next);
        }
    }

    fn set_first_held(&mut self, lane: usize, slot: Option<usize>) {
        if let Some(lane) = self.members.get_mut(lane) {
            lane.first_held = slot;
        }
    }
}

/// The first entry from `scanned` on of which not everything has been delivered, the sender's own left out.
fn next_block<A: Actor, S1: Storage, S2: Storage>(
    members: &Members<A::Key, S1>,
    stamp: &Stamp<A, S2>,
    scanned: usize,
    steps: &mut u64,
) -> Option<Block> {
    let sender = stamp.dot().actor().to_key();
    let ids = stamp.vector().ids().get(scanned..).unwrap_or_default();
    let counters = stamp.vector().counters().get(scanned..).unwrap_or_default();
    ids.iter().zip(counters).zip(scanned..).find_map(|((key, until), entry)| {
        count(steps);
        let lane = members.find(*key).filter(|_| *key != sender)?;
        (members.delivered(lane) < *until).then_some(Block { entry, lane, until: *until })
    })
}

const fn count(count: &mut u64) {
    *count = count.saturating_add(1);
}

impl<M: Causal, S: Storage> Default for CausalBuffer<M, S> {
    fn default() -> Self {
        Self::new()
    }
}

impl<M: Causal, S: Storage> fmt::Debug for CausalBuffer<M, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (members, limits, counts) = (self.members.len(), self.limits, self.snapshot());
        f.debug_struct("CausalBuffer")
            .field("members", &members)
            .field("limits", &limits)
            .field("counts", &counts)
            .finish_non_exhaustive()
    }
}

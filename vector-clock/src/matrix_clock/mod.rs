//! `MatrixClock`: what everybody knows of what everybody knows.

mod cut;
mod error;

use alloc::vec::Vec;

pub use cut::{NotAboveCut, StableCut};
pub use error::{MatrixMergeError, MatrixObserveError, NotStable, RetireError};

use crate::actor::Actor;
use crate::causal_buffer::UnknownMember;
use crate::counters::Snapshot;
use crate::error::{Capacity, TickError};
use crate::jump::MaxJump;
use crate::stamp::Stamp;
use crate::storage::{Heap, Storage};
use crate::vector_clock::VectorClock;
use crate::version_vector::VersionVector;

/// The clock of one member of a known group: its own vector, and for each other member the latest vector heard of it.
///
/// What all rows have in common is stable: every member knows it, and nobody will ask for it again. The
/// [`stable_cut`](Self::stable_cut) is the permission to prune, for logs of messages kept to be sent again
/// ([`DotSet::prune`](crate::DotSet::prune)), for entries of vectors ([`StableCut::strip`]), and for members that have
/// left ([`retire`](Self::retire)). Whatever prunes without it says *lossy* in its name.
///
/// The cut is right as long as rows are: a member that reports what it does not know loses what it claimed to have,
/// and nobody else does. So a call takes the word of the member that speaks about that member only, and the caller
/// has to know who speaks. Passing on what a third one said means to trust who passes it on.
///
/// Memory is the square of the members, who are at most as many as the clock was made for.
///
/// # Examples
///
/// ```
/// use vector_clock::MatrixClock;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut a = MatrixClock::try_new(1_u32, [1, 2, 3], 8)?;
/// let mut b = MatrixClock::try_new(2, [1, 2, 3], 8)?;
/// let mut c = MatrixClock::try_new(3, [1, 2, 3], 8)?;
/// let event = a.tick()?;
/// b.observe(&event)?;
/// assert!(!a.stable_cut().contains(event.dot()), "3 has not heard of it");
///
/// c.observe(&event)?;
/// a.merge(2, b.vector())?;
/// a.merge(3, c.vector())?;
/// assert!(a.stable_cut().contains(event.dot()), "and now everybody has");
/// # Ok(())
/// # }
/// ```
///
/// # Sources
///
/// Wuu, Bernstein 1984, "Efficient Solutions to the Replicated Log and Dictionary Problems"; Mattern 1989.
#[derive(Debug)]
pub struct MatrixClock<A: Actor> {
    // Invariant: `others` ascend by actor, without the clock's own; the clock's vector contains each row.
    clock: VectorClock<A, Heap>,
    others: Vec<Row<A>>,
    max_members: usize,
}

#[derive(Debug)]
struct Row<A: Actor> {
    actor: A,
    knows: VersionVector<A, Heap>,
}

impl<A: Actor> MatrixClock<A> {
    /// Makes the clock of `own` in a group of `members` that have had no event, with [`MaxJump::DEFAULT`].
    ///
    /// `own` is a member whether it is named or not; a member named twice is one.
    ///
    /// # Errors
    ///
    /// [`Capacity`] when there are more than `max_members`.
    pub fn try_new<I: IntoIterator<Item = A>>(
        own: A,
        members: I,
        max_members: usize,
    ) -> Result<Self, Capacity> {
        Self::resume(VectorClock::new(own), members, max_members)
    }

    /// Makes the clock of a group from the clock of one member. Nothing has been heard of the others yet, so nothing
    /// is stable.
    ///
    /// # Errors
    ///
    /// [`Capacity`] when there are more members than `max_members`.
    pub fn resume<I: IntoIterator<Item = A>>(
        clock: VectorClock<A, Heap>,
        members: I,
        max_members: usize,
    ) -> Result<Self, Capacity> {
        // The members bound the entries: nobody else is learnt of.
        let clock = clock.with_max_entries(usize::MAX);
        let mut matrix = Self { clock, others: Vec::new(), max_members };
        matrix.check_room(1)?;
        for actor in members {
            matrix.admit(actor, &VersionVector::<A, Heap>::new())?;
        }
        Ok(matrix)
    }

    /// Sets how many unknown events of one actor may be learnt at once.
    #[must_use]
    pub fn with_max_jump(self, max_jump: MaxJump) -> Self {
        Self { clock: self.clock.with_max_jump(max_jump), ..self }
    }

    /// Returns whose clock it is.
    #[must_use]
    pub const fn actor(&self) -> A {
        self.clock.actor()
    }

    /// Returns all that this clock's own actor knows.
    #[must_use]
    pub const fn vector(&self) -> &VersionVector<A, Heap> {
        self.clock.vector()
    }

    /// Returns what a member is known to know, or `None` when it is not a member.
    #[must_use]
    pub fn row(&self, actor: A) -> Option<&VersionVector<A, Heap>> {
        if actor == self.actor() {
            return Some(self.vector());
        }
        self.find(actor).ok().and_then(|at| self.others.get(at)).map(|row| &row.knows)
    }

    /// Returns how many members there are.
    #[must_use]
    pub const fn member_count(&self) -> usize {
        self.others.len().saturating_add(1)
    }

    /// Returns what an operator must see of this clock.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.clock.snapshot()
    }

    /// Counts a local or send event, and returns its stamp.
    ///
    /// # Errors
    ///
    /// [`TickError::Overflow`] when the actor has had its last event. The clock is as it was.
    #[doc(alias = "now")]
    #[doc(alias = "new_timestamp")]
    #[doc(alias = "increment")]
    pub fn tick(&mut self) -> Result<Stamp<A, Heap>, TickError> {
        self.clock.tick()
    }

    /// Learns all that the sender of a message knew, and that the sender knew it; counts the receipt, and returns the
    /// receive event's stamp.
    ///
    /// # Errors
    ///
    /// After each of them the clock is as it was.
    ///
    /// - [`MatrixObserveError::UnknownMember`] when the message is from, or knows new events of, somebody who is not a
    ///   member.
    /// - [`MatrixObserveError::Observe`] when [`VectorClock::observe`] refuses.
    #[doc(alias = "update")]
    #[doc(alias = "receive")]
    #[doc(alias = "witness")]
    pub fn observe<S: Storage>(
        &mut self,
        remote: &Stamp<A, S>,
    ) -> Result<Stamp<A, Heap>, MatrixObserveError<A>> {
        let sender = remote.dot().actor();
        self.check_members(sender, remote.vector())?;
        let received = self.clock.observe(remote)?;
        self.learn_row(sender, remote.vector());
        Ok(received)
    }

    /// Learns what `member` knows, and that it knows it, without an event here.
    ///
    /// Idempotent; commutative and associative wherever nothing is refused.
    ///
    /// # Errors
    ///
    /// After each of them the clock is as it was.
    ///
    /// - [`MatrixMergeError::UnknownMember`] when `member` is not one, or knows new events of somebody who is not.
    /// - [`MatrixMergeError::Merge`] when [`VectorClock::merge`] refuses.
    pub fn merge<S: Storage>(
        &mut self,
        member: A,
        knows: &VersionVector<A, S>,
    ) -> Result<(), MatrixMergeError<A>> {
        self.check_members(member, knows)?;
        self.clock.merge(knows)?;
        self.learn_row(member, knows);
        Ok(())
    }

    /// Returns what every member is known to know: the greatest lower bound of all rows.
    ///
    /// It only grows, but for a member that is [admitted](Self::admit) below it. Linear in the rows' entries.
    #[must_use]
    pub fn stable_cut(&self) -> StableCut<A> {
        let all = self.others.iter().fold(self.vector().clone(), |common, row| common.glb(&row.knows));
        StableCut::new(all)
    }

    /// Admits a member that begins with what `known` says, as far as it is known here. Nothing changes when it is one
    /// already.
    ///
    /// What it begins without is not stable until it has caught up. Where others have pruned that, it never does: so
    /// let it begin from the state of a member, and admit it with that member's vector.
    ///
    /// # Errors
    ///
    /// [`Capacity`] when there are too many members. The clock is as it was.
    pub fn admit<S: Storage>(&mut self, actor: A, known: &VersionVector<A, S>) -> Result<(), Capacity> {
        let Err(at) = self.find(actor) else { return Ok(()) };
        if actor == self.actor() {
            return Ok(());
        }
        self.check_room(self.member_count().saturating_add(1))?;
        let knows = self.vector().glb(known);
        self.others.insert(at, Row { actor, knows });
        Ok(())
    }

    /// Takes out a member that has left, once every other one knows all its events, and returns how many those are.
    ///
    /// Its entry stays in the vectors, where it no longer changes; [`StableCut::strip`] keeps it off the wire.
    ///
    /// # Errors
    ///
    /// After each of them the clock is as it was.
    ///
    /// - [`RetireError::NotStable`] when a remaining member is not known to know all events of `actor`.
    /// - [`RetireError::UnknownMember`] when `actor` is not a member, or is this clock's own.
    pub fn retire(&mut self, actor: A) -> Result<u64, RetireError<A>> {
        let latest = self.vector().get(actor);
        let remaining = self.others.iter().filter(|row| row.actor != actor);
        let behind =
            remaining.map(|row| (row.actor, row.knows.get(actor))).find(|(_, knows)| *knows < latest);
        let at = self.find(actor).map_err(|_| UnknownMember::new(actor))?;
        if let Some((member, knows)) = behind {
            return Err(NotStable::new(actor, latest, member, knows).into());
        }
        self.others.remove(at);
        Ok(latest)
    }

    /// Takes out a member whatever the others know of it, and returns how many of its events are known here.
    ///
    /// **Lossy**: a member that lacks some of them may never get them, and cannot tell.
    ///
    /// # Errors
    ///
    /// [`UnknownMember`] when `actor` is not a member, or is this clock's own.
    pub fn retire_lossy(&mut self, actor: A) -> Result<u64, UnknownMember<A>> {
        let at = self.find(actor).map_err(|_| UnknownMember::new(actor))?;
        self.others.remove(at);
        Ok(self.vector().get(actor))
    }

    /// Is `speaker` a member, and has it nothing new of anybody who is not?
    fn check_members<S: Storage>(
        &self,
        speaker: A,
        knows: &VersionVector<A, S>,
    ) -> Result<(), UnknownMember<A>> {
        let is_stranger = |actor: A| actor != self.actor() && self.find(actor).is_err();
        if is_stranger(speaker) {
            return Err(UnknownMember::new(speaker));
        }
        // Of one who has retired, everything is known.
        let stranger = knows.iter().find(|dot| is_stranger(dot.actor()) && !self.vector().contains(*dot));
        stranger.map_or(Ok(()), |dot| Err(UnknownMember::new(dot.actor())))
    }

    fn learn_row<S: Storage>(&mut self, member: A, knows: &VersionVector<A, S>) {
        if let Some(row) = self.find(member).ok().and_then(|at| self.others.get_mut(at)) {
            // Rows grow as needed: there is always room.
            let _ = row.knows.merge(knows);
        }
    }

    fn find(&self, actor: A) -> Result<usize, usize> {
        self.others.binary_search_by_key(&actor, |row| row.actor)
    }

    const fn check_room(&self, members: usize) -> Result<(), Capacity> {
        if members <= self.max_members { Ok(()) } else { Err(Capacity::new(members, self.max_members)) }
    }
}

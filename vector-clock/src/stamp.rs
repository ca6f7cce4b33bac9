//! `Stamp`: one event with all that its actor knew.

use core::fmt;
use core::hash::{Hash, Hasher};

use crate::actor::Actor;
use crate::causality::Causality;
use crate::dot::Dot;
use crate::error::DotMismatch;
use crate::storage::Storage;
use crate::version_vector::VersionVector;

/// One event: its name, and the vector that its actor had when it happened, the event included.
///
/// An event happened before another one exactly when the other's actor knew of it. That is one look-up of a name in
/// a vector, not a comparison of vectors. Where both vectors have the same members, the place to look is known, and
/// the answer takes the same time for three members and for a thousand; elsewhere it is a binary search.
///
/// The look-up is right for stamps that clocks have made. A peer can forge a vector, and with it the answer; two
/// events that claim to know each other are reported as concurrent.
///
/// # Examples
///
/// ```
/// use vector_clock::{Causality, Fixed, VectorClock};
///
/// let (mut alice, mut bob) = (VectorClock::<u32, Fixed<4>>::new(1), VectorClock::<u32, Fixed<4>>::new(2));
/// let asked = alice.tick()?;
/// let meanwhile = bob.tick()?;
/// let answered = bob.observe(&asked)?;
/// assert!(asked.happened_before(&answered));
/// assert_eq!(asked.causality(&meanwhile), Causality::Concurrent);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub struct Stamp<A: Actor, S: Storage> {
    // Invariant: `vector` counts `dot.counter()` events of `dot.actor()`, in the entry at `place`.
    dot: Dot<A>,
    place: usize,
    vector: VersionVector<A, S>,
}

impl<A: Actor, S: Storage> Stamp<A, S> {
    /// Joins the name of an event and the vector that its actor had then.
    ///
    /// # Errors
    ///
    /// [`DotMismatch`] when the event is not the latest one of its actor in the vector.
    pub fn try_new(dot: Dot<A>, vector: VersionVector<A, S>) -> Result<Self, DotMismatch<A>> {
        let known = vector.get(dot.actor());
        if known == dot.counter() {
            Ok(Self::of_event(dot, vector))
        } else {
            Err(DotMismatch::new(dot, known))
        }
    }

    /// The event that `vector` has just counted.
    pub(crate) fn of_event(dot: Dot<A>, vector: VersionVector<A, S>) -> Self {
        let place = vector.ids().partition_point(|id| *id < dot.actor().to_key());
        Self { dot, place, vector }
    }

    /// Returns the event's name.
    #[must_use]
    pub const fn dot(&self) -> Dot<A> {
        self.dot
    }

    /// Returns what its actor knew, this event included.
    #[must_use]
    pub const fn vector(&self) -> &VersionVector<A, S> {
        &self.vector
    }

    /// Returns what its actor knew, this event included.
    #[must_use]
    pub fn into_vector(self) -> VersionVector<A, S> {
        self.vector
    }

    /// Returns whether this event is in the past of the other one.
    #[must_use]
    pub fn happened_before<S2: Storage>(&self, other: &Stamp<A, S2>) -> bool {
        self.causality(other) == Causality::Before
    }

    /// Returns how this event stands to the other one, by their names: two look-ups.
    pub fn causality<S2: Storage>(&self, other: &Stamp<A, S2>) -> Causality {
        if self.dot == other.dot {
            return Causality::Equal;
        }
        match (other.knows(self), self.knows(other)) {
            (true, false) => Causality::Before,
            (false, true) => Causality::After,
            // Each knowing the other is no history that can have happened.
            (false, false) | (true, true) => Causality::Concurrent,
        }
    }

    /// Whether the actor of this event knew of `event`.
    fn knows<S2: Storage>(&self, event: &Stamp<A, S2>) -> bool {
        event.dot.counter() <= self.vector.counter_at(event.place, event.dot.actor().to_key())
    }

    pub(crate) const fn place(&self) -> usize {
        self.place
    }
}

impl<A: Actor, S: Storage> Clone for Stamp<A, S> {
    fn clone(&self) -> Self {
        Self { dot: self.dot, place: self.place, vector: self.vector.clone() }
    }
}

impl<A: Actor, S1: Storage, S2: Storage> PartialEq<Stamp<A, S2>> for Stamp<A, S1> {
    fn eq(&self, other: &Stamp<A, S2>) -> bool {
        self.dot == other.dot && self.vector == other.vector
    }
}

impl<A: Actor, S: Storage> Eq for Stamp<A, S> {}

impl<A: Actor, S: Storage> Hash for Stamp<A, S> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.dot.hash(state);
        self.vector.hash(state);
    }
}

impl<A: Actor, S: Storage> fmt::Debug for Stamp<A, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stamp").field("dot", &self.dot).field("vector", &self.vector).finish()
    }
}

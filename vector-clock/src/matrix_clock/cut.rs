//! `StableCut`: what every member knows.

use core::error::Error;
use core::fmt;

use crate::actor::Actor;
use crate::dot::Dot;
use crate::error::Capacity;
use crate::storage::{Heap, Storage};
use crate::version_vector::VersionVector;

/// Events that every member of a [`MatrixClock`](crate::MatrixClock) knows. Only such a clock can make one.
///
/// What is below a stable cut tells nobody anything, so it may be forgotten: the cut is the permission to prune.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StableCut<A: Actor> {
    known: VersionVector<A, Heap>,
}

impl<A: Actor> StableCut<A> {
    pub(super) const fn new(known: VersionVector<A, Heap>) -> Self {
        Self { known }
    }

    /// Returns for each actor how many of its events every member knows.
    #[must_use]
    pub const fn vector(&self) -> &VersionVector<A, Heap> {
        &self.known
    }

    /// Returns whether every member knows this event.
    #[must_use]
    pub fn contains(&self, dot: Dot<A>) -> bool {
        self.known.contains(dot)
    }

    /// Takes out of `vector` the entries that are exactly those of the cut, and returns how many those are.
    ///
    /// Vectors that were stripped by the same cut stand to each other as they did before: nothing is lost, and
    /// [`restore`](Self::restore) gives the vector back. A stripped vector must not be compared with one that is not,
    /// or that was stripped by another cut.
    ///
    /// # Errors
    ///
    /// [`NotAboveCut`] when the vector does not contain the cut: an entry that it lacks could not be told from one
    /// that was taken out. It is as it was.
    pub fn strip<S: Storage>(&self, vector: &mut VersionVector<A, S>) -> Result<usize, NotAboveCut<A>> {
        if let Some(lacking) = self.known.iter().find(|dot| !vector.contains(*dot)) {
            return Err(NotAboveCut { stable: lacking, known: vector.get(lacking.actor()) });
        }
        let before = vector.len();
        for dot in self.known.iter() {
            if vector.get(dot.actor()) == dot.counter() {
                vector.forget_lossy(dot.actor());
            }
        }
        Ok(before.saturating_sub(vector.len()))
    }

    /// Puts back what [`strip`](Self::strip) by this cut took out.
    ///
    /// # Errors
    ///
    /// [`Capacity`] when it does not fit. The vector is as it was.
    pub fn restore<S: Storage>(&self, vector: &mut VersionVector<A, S>) -> Result<(), Capacity> {
        vector.merge(&self.known)
    }
}

/// A vector lacks an event that is below the stable cut. Nothing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NotAboveCut<A> {
    stable: Dot<A>,
    known: u64,
}

impl<A: Copy> NotAboveCut<A> {
    /// Returns the latest stable event of an actor of which the vector lacks some.
    #[must_use]
    pub const fn stable(&self) -> Dot<A> {
        self.stable
    }

    /// Returns how many events of that actor the vector knows.
    #[must_use]
    pub const fn known(&self) -> u64 {
        self.known
    }
}

impl<A: fmt::Debug> fmt::Display for NotAboveCut<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "vector knows {} events of an actor of which {:?} is stable", self.known, self.stable)
    }
}

impl<A: fmt::Debug> Error for NotAboveCut<A> {}

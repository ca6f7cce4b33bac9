//! `Stamp`: a time and where it was given, in the total order of Lamport 1978.

use crate::Time;

/// A time and the node that gave it: one place in a total order that extends causal order.
///
/// Stamps are ordered by time, then by node. Every node that sorts the same stamps gets the same sequence,
/// which is what a replicated state machine or a fair lock needs. Stamps are unique as long as nodes are: two
/// nodes under one id will give the same stamp twice.
///
/// The node id is yours: an integer, an address, a string. Wire form, text and serde exist for
/// `Stamp<u64>`.
///
/// # Examples
///
/// ```
/// use lamport::Time;
///
/// let mut log = [Time::new(2).at_node("a"), Time::new(1).at_node("c"), Time::new(1).at_node("b")];
/// log.sort();
/// assert_eq!(log.map(|stamp| *stamp.node()), ["b", "c", "a"]);
/// ```
///
/// # Sources
///
/// Lamport 1978, section "Ordering the Events Totally": the relation `=>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Stamp<N> {
    // The derived order reads the fields from top to bottom: time before node is the total order.
    time: Time,
    node: N,
}

impl<N> Stamp<N> {
    /// Makes a stamp of its parts.
    #[must_use]
    pub const fn new(time: Time, node: N) -> Self {
        Self { time, node }
    }

    /// Returns the time: what a receiver passes to `observe` or `merge`.
    #[must_use]
    pub const fn time(&self) -> Time {
        self.time
    }

    /// Returns the node that gave the time.
    #[must_use]
    pub const fn node(&self) -> &N {
        &self.node
    }

    /// Takes the stamp apart.
    #[must_use]
    pub fn into_parts(self) -> (Time, N) {
        (self.time, self.node)
    }
}

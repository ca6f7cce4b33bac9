//! `DenseVector`: counters of a membership that is known when the program is built.

use core::cmp::Ordering;

use crate::causality::Causality;
use crate::dot::{Dot, MAX_COUNTER};
use crate::error::{Capacity, CounterRange, JumpExceeded, LaneError, NoLane, Overflow};
use crate::jump::MaxJump;
use crate::kernel;
use crate::storage::Storage;
use crate::version_vector::VersionVector;

/// How many events of each of `N` known actors are known: lane `i` counts those of actor `i`.
///
/// The members are agreed on beforehand, so nothing is searched, and a lane of zero is a member that has had no
/// event. `==`, [`Hash`], [`PartialOrd`] and [`causality`](Self::causality) agree.
///
/// # Examples
///
/// ```
/// use vector_clock::{Causality, DenseVector};
///
/// let mut a = DenseVector::<3>::new();
/// let mut b = a;
/// a.tick(0)?;
/// b.tick(2)?;
/// assert_eq!(a.causality(&b), Causality::Concurrent);
/// b.merge(&a);
/// assert!(a < b);
/// # Ok::<(), vector_clock::LaneError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DenseVector<const N: usize> {
    // Invariant: each at most `MAX_COUNTER`.
    counters: [u64; N],
}

impl<const N: usize> DenseVector<N> {
    /// Returns the vector that knows no event.
    #[must_use]
    pub const fn new() -> Self {
        Self { counters: [0; N] }
    }

    /// Makes a vector of its counters.
    ///
    /// # Errors
    ///
    /// [`CounterRange`] when one of them is above [`MAX_COUNTER`].
    pub fn try_from_counters(counters: [u64; N]) -> Result<Self, CounterRange> {
        match counters.iter().find(|counter| **counter > MAX_COUNTER) {
            None => Ok(Self { counters }),
            Some(above) => Err(CounterRange::new(*above)),
        }
    }

    /// Returns the counters, by lane.
    #[must_use]
    pub const fn as_counters(&self) -> &[u64; N] {
        &self.counters
    }

    /// Returns how many events of `lane` are known, or `None` when there is no such lane.
    #[must_use]
    pub fn get(&self, lane: usize) -> Option<u64> {
        self.counters.get(lane).copied()
    }

    /// Returns how this vector stands to another one.
    #[inline]
    pub fn causality(&self, other: &Self) -> Causality {
        kernel::compare(&self.counters, &other.counters)
    }

    /// Counts one more event of `lane` and returns its name.
    ///
    /// # Errors
    ///
    /// After each of them the vector is as it was.
    ///
    /// - [`LaneError::NoLane`] when there is no such lane.
    /// - [`LaneError::Overflow`] when its counter is at [`MAX_COUNTER`].
    #[doc(alias = "increment")]
    pub fn tick(&mut self, lane: usize) -> Result<Dot<usize>, LaneError> {
        let counter = self.counters.get_mut(lane).ok_or(NoLane::new(lane, N))?;
        let dot = Dot::try_new(lane, counter.saturating_add(1)).map_err(|_| Overflow)?;
        *counter = dot.counter();
        Ok(dot)
    }

    /// Learns all that `other` knows: the result is the least upper bound of the two.
    ///
    /// Commutative, associative and idempotent. It trusts `other`: what comes from a peer goes through
    /// [`merge_bounded`](Self::merge_bounded).
    pub fn merge(&mut self, other: &Self) {
        kernel::raise(&mut self.counters, &other.counters);
    }

    /// Learns all that `remote` knows, unless it is too far ahead to be believed.
    ///
    /// # Errors
    ///
    /// [`JumpExceeded`] when a counter is further ahead than `max_jump` allows. The vector is then as it was.
    pub fn merge_bounded(&mut self, remote: &Self, max_jump: MaxJump) -> Result<(), JumpExceeded<usize>> {
        let mut lanes = self.counters.iter().zip(&remote.counters).enumerate();
        match lanes.find(|(_, (known, claimed))| max_jump.is_exceeded(**known, **claimed)) {
            Some((lane, (known, claimed))) => {
                Err(JumpExceeded::new(lane, *known, *claimed, max_jump.limit()))
            }
            None => {
                self.merge(remote);
                Ok(())
            }
        }
    }

    /// Returns what both know: the greatest lower bound of the two.
    #[must_use]
    pub fn glb(mut self, other: &Self) -> Self {
        kernel::lower(&mut self.counters, &other.counters);
        self
    }

    /// Returns the same knowledge with lanes as actor ids, without the lanes of zero: the form that has bytes.
    ///
    /// # Errors
    ///
    /// [`Capacity`] when the storage holds fewer entries than there are.
    pub fn to_sparse<S: Storage>(&self) -> Result<VersionVector<u32, S>, Capacity> {
        let mut sparse = VersionVector::new();
        for (lane, counter) in (0..).zip(self.counters) {
            if let Ok(dot) = Dot::try_new(lane, counter) {
                sparse.record(dot)?;
            }
        }
        Ok(sparse)
    }

    /// Makes a vector of one with lanes as actor ids.
    ///
    /// # Errors
    ///
    /// [`NoLane`] when an id is `N` or above.
    pub fn from_sparse<S: Storage>(sparse: &VersionVector<u32, S>) -> Result<Self, NoLane> {
        let mut dense = Self::new();
        for dot in sparse.iter() {
            let lane = usize::try_from(dot.actor()).unwrap_or(usize::MAX);
            *dense.counters.get_mut(lane).ok_or(NoLane::new(lane, N))? = dot.counter();
        }
        Ok(dense)
    }
}

impl<const N: usize> Default for DenseVector<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> PartialOrd for DenseVector<N> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.causality(other).to_ordering()
    }
}

//! `Members`: for each sender what has been delivered, and which senders wait for it.
//!
//! Of each sender only one message can be next. All others of that sender wait for their own predecessor, which
//! needs no index. So what is indexed are not messages but senders whose next message waits for another sender:
//! each is in one place at most, in the heap of the sender it waits for, the least counter on top. A delivery looks
//! at the top of one heap, and takes off only what it wakes.

use crate::actor::Plain;
use crate::error::Capacity;
use crate::storage::{Lanes, Slots, Storage};

/// The senders, each in a lane with a number that it keeps.
pub(super) struct Members<K: Plain, S: Storage> {
    // Invariant: `keys` ascend, `lane_of` is as long, and each number in it is that of a lane of its own.
    keys: S::Lanes<K>,
    lane_of: S::Lanes<u32>,
    lanes: S::Slots<Lane>,
}

/// What is known of one sender.
#[derive(Debug)]
pub(super) struct Lane {
    /// The counter of the last delivered message.
    pub(super) delivered: u64,
    /// The greatest counter that a held message cannot do without. Never falls.
    pub(super) wanted: u64,
    /// The slot of the held message with the least counter.
    pub(super) first_held: Option<usize>,
    /// The lane whose next message is ready after this one's.
    pub(super) next_ready: Option<usize>,
    /// The top of the heap of lanes that wait for a message of this sender.
    waiters: Option<usize>,
    /// This lane's own place in the heap of the sender that it waits for.
    place: Place,
}

/// A node of a leftist heap: the way down to the right is the shortest, so it is logarithmic.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    /// What the lane waits for: the counter of the other sender's message.
    until: u64,
    left: Option<usize>,
    right: Option<usize>,
    /// Used while two heaps are merged.
    above: Option<usize>,
    /// How many nodes there are down to the right.
    rank: u32,
}

impl<K: Plain, S: Storage> Members<K, S> {
    pub(super) const fn new() -> Self {
        Self { keys: <S::Lanes<K>>::EMPTY, lane_of: <S::Lanes<u32>>::EMPTY, lanes: <S::Slots<Lane>>::EMPTY }
    }

    pub(super) fn len(&self) -> usize {
        self.lanes.len()
    }

    /// Adds a sender of which everything up to `delivered` has been delivered; `false` when it is there already.
    pub(super) fn admit(&mut self, key: K, delivered: u64, limit: usize) -> Result<bool, Capacity> {
        let Err(at) = self.keys.as_slice().binary_search(&key) else { return Ok(false) };
        let needed = self.len().saturating_add(1);
        let number = u32::try_from(self.len()).map_err(|_| Capacity::new(needed, limit))?;
        if needed > limit {
            return Err(Capacity::new(needed, limit));
        }
        let (first_held, next_ready, waiters, place) = (None, None, None, Place::default());
        self.lanes.push(Lane { delivered, wanted: 0, first_held, next_ready, waiters, place })?;
        // All three have the same capacity.
        self.keys.insert(at, key)?;
        self.lane_of.insert(at, number)?;
        Ok(true)
    }

    /// The lane of a sender.
    pub(super) fn find(&self, key: K) -> Option<usize> {
        let at = self.keys.as_slice().binary_search(&key).ok()?;
        usize::try_from(*self.lane_of.as_slice().get(at)?).ok()
    }

    pub(super) fn get(&self, lane: usize) -> Option<&Lane> {
        self.lanes.get(lane)
    }

    pub(super) fn get_mut(&mut self, lane: usize) -> Option<&mut Lane> {
        self.lanes.get_mut(lane)
    }

    /// Keys and lanes, ascending by key.
    pub(super) fn iter(&self) -> impl Iterator<Item = (K, &Lane)> {
        let lanes = self.lane_of.as_slice().iter();
        self.keys
            .as_slice()
            .iter()
            .zip(lanes)
            .filter_map(|(key, lane)| Some((*key, self.get(usize::try_from(*lane).ok()?)?)))
    }

    pub(super) fn delivered(&self, lane: usize) -> u64 {
        self.get(lane).map_or(0, |lane| lane.delivered)
    }

    /// Lets `waiter` wait until `until` of `blocker` is delivered.
    pub(super) fn wait(&mut self, waiter: usize, blocker: usize, until: u64, steps: &mut u64) {
        if let Some(lane) = self.get_mut(waiter) {
            lane.place = Place { until, rank: 1, ..Place::default() };
        }
        let Some(heap) = self.get_mut(blocker).map(|lane| {
            lane.wanted = lane.wanted.max(until);
            lane.waiters.take()
        }) else {
            return;
        };
        let merged = self.merge(heap, Some(waiter), steps);
        if let Some(lane) = self.get_mut(blocker) {
            lane.waiters = merged;
        }
    }

    /// Takes out one lane that waits for something of `blocker` which has been delivered.
    pub(super) fn wake(&mut self, blocker: usize, steps: &mut u64) -> Option<usize> {
        *steps = steps.saturating_add(1);
        let delivered = self.delivered(blocker);
        let top = self.get(blocker)?.waiters?;
        let place = self.get(top)?.place;
        if place.until > delivered {
            return None;
        }
        let rest = self.merge(place.left, place.right, steps);
        self.get_mut(blocker)?.waiters = rest;
        Some(top)
    }

    /// Forgets who waits for whom.
    pub(super) fn clear_waiters(&mut self) {
        for at in 0..self.len() {
            if let Some(lane) = self.get_mut(at) {
                (lane.waiters, lane.next_ready, lane.place) = (None, None, Place::default());
            }
        }
    }

    /// Merges two heaps and returns the top.
    ///
    /// First down the right sides of both, which are logarithmic, always on with the lesser; then the same way up,
    /// where the shorter side is put on the right again.
    fn merge(&mut self, a: Option<usize>, b: Option<usize>, steps: &mut u64) -> Option<usize> {
        let (mut a, mut b) = (a, b);
        let mut above = None;
        while let (Some(x), Some(y)) = (a, b) {
            *steps = steps.saturating_add(1);
            let (lesser, other) = if self.place(x).until <= self.place(y).until { (x, y) } else { (y, x) };
            let place = self.place(lesser);
            self.set_place(lesser, Place { above, ..place });
            above = Some(lesser);
            (a, b) = (place.right, Some(other));
        }
        let mut merged = a.or(b);
        while let Some(at) = above {
            let mut place = self.place(at);
            (above, place.above, place.right) = (place.above, None, merged);
            if self.rank(place.left) < self.rank(place.right) {
                (place.left, place.right) = (place.right, place.left);
            }
            place.rank = self.rank(place.right).saturating_add(1);
            self.set_place(at, place);
            merged = Some(at);
        }
        merged
    }

    fn place(&self, lane: usize) -> Place {
        self.get(lane).map_or(Place::default(), |lane| lane.place)
    }

    fn set_place(&mut self, lane: usize, place: Place) {
        if let Some(lane) = self.get_mut(lane) {
            lane.place = place;
        }
    }

    fn rank(&self, lane: Option<usize>) -> u32 {
        lane.map_or(0, |lane| self.place(lane).rank)
    }
}

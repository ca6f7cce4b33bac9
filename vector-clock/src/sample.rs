//! Features `arbitrary` and `proptest`: values put together from parts that came by chance.
//!
//! Each takes what fits and leaves what does not, so that no combination is lost on the way.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::actor::Actor;
use crate::dot::Dot;
use crate::dot_range::DotRange;
use crate::dot_set::DotSet;
use crate::dvv_set::{DvvLimits, DvvSet};
use crate::stamp::Stamp;
use crate::storage::{Heap, Storage};
use crate::version_vector::VersionVector;

/// Of an actor with several events, the last one counts. What the storage has no room for stays out.
pub(crate) fn vector<A: Actor, S: Storage>(dots: impl IntoIterator<Item = Dot<A>>) -> VersionVector<A, S> {
    let latest: BTreeMap<A, Dot<A>> = dots.into_iter().map(|dot| (dot.actor(), dot)).collect();
    let room = VersionVector::<A, S>::capacity_limit();
    VersionVector::from_sorted(latest.into_values().take(room)).unwrap_or_default()
}

/// The event, as the latest one of its actor. Never `None`: every storage has room for one entry.
pub(crate) fn stamp<A: Actor, S: Storage>(event: Dot<A>, known: &VersionVector<A, S>) -> Option<Stamp<A, S>> {
    let room_beside = VersionVector::<A, S>::capacity_limit().checked_sub(1)?;
    let others = known.iter().filter(|dot| dot.actor() != event.actor()).take(room_beside);
    Stamp::try_new(event, vector(others.chain([event]))).ok()
}

pub(crate) fn dot_set<A: Actor>(ranges: impl IntoIterator<Item = DotRange<A>>) -> DotSet<A> {
    let mut set = DotSet::new();
    for range in ranges {
        // One more than the set may have is left out.
        let _ = set.insert_range(range);
    }
    set
}

/// Each value is that of an event in the context: `place` chooses the actor, `count` which of its events.
pub(crate) fn dvv_set<A: Actor, V>(
    context: VersionVector<A, Heap>,
    values: impl IntoIterator<Item = (usize, u64, V)>,
) -> DvvSet<A, V> {
    let latest: Vec<_> = context.iter().collect();
    let mut siblings = BTreeMap::new();
    for (place, count, value) in values {
        let dot = place.checked_rem(latest.len()).and_then(|place| latest.get(place));
        let event = dot.and_then(|dot| {
            let counter = count.checked_rem(dot.counter())?.saturating_add(1);
            Some((dot.actor(), counter))
        });
        siblings.extend(event.map(|event| (event, value)));
    }
    let siblings = siblings
        .into_iter()
        .filter_map(|((actor, counter), value)| Some((Dot::try_new(actor, counter).ok()?, value)));
    // What is there has been made room for.
    let limits = DvvLimits::DEFAULT.with_actors(usize::MAX).with_siblings(usize::MAX);
    DvvSet::from_parts(context, siblings, limits).unwrap_or_default()
}

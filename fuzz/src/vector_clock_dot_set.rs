//! Operation sequences on `DotSet`, against plain sets of events.
//!
//! The counters between a few low and a few high ones are one element of the model's sets, so that ranges may be as
//! wide as they like and the sets stay small.

use std::collections::BTreeSet;

use arbitrary::{Arbitrary, Unstructured};
use vector_clock::{
    Causality, Dot, DotRange, DotSet, EntryError, Heap, MAX_COUNTER, MatrixClock, VectorClock, VersionVector,
};

#[derive(Arbitrary, Debug)]
struct Script {
    limit: u8,
    steps: Vec<Step>,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Step {
    Insert { at: u8, actor: u8, element: u8 },
    InsertRange { at: u8, actor: u8, ends: [u8; 2] },
    Union { at: u8, from: u8 },
    UnionVector { at: u8, elements: [u8; 2] },
    Difference { at: u8, from: u8 },
    Prune { at: u8, elements: [u8; 2] },
    Clear { at: u8 },
}

/// So many steps are enough to find what there is, and keep one input fast.
const MAX_STEPS: usize = 100;
const SETS: u8 = 3;
const ACTORS: u8 = 3;
/// Low counters, the ones in the middle, high counters.
const ELEMENTS: u8 = 2 * SIDE + 1;
const SIDE: u8 = 16;

/// An actor, and the number of a stretch of its counters.
type Events = BTreeSet<(u8, u8)>;

fn first_of(element: u8) -> u64 {
    if element <= SIDE { u64::from(element) + 1 } else { MAX_COUNTER - u64::from(ELEMENTS - 1 - element) }
}

fn last_of(element: u8) -> u64 {
    if element == SIDE { MAX_COUNTER - u64::from(SIDE) } else { first_of(element) }
}

/// Consecutive elements of one actor.
fn runs(events: &Events) -> Vec<DotRange<u8>> {
    let mut runs: Vec<(u8, u8, u8)> = Vec::new();
    for &(actor, element) in events {
        match runs.last_mut() {
            Some((of, _, last)) if *of == actor && *last + 1 == element => *last = element,
            _ => runs.push((actor, element, element)),
        }
    }
    let range = |(actor, first, last)| DotRange::try_new(actor, first_of(first), last_of(last));
    runs.into_iter().map(|run| range(run).expect("in range")).collect()
}

/// All events of two actors up to these elements: what a vector knows.
fn known(elements: [u8; 2]) -> (VersionVector<u8, Heap>, Events) {
    let mut vector = VersionVector::new();
    let mut events = Events::new();
    for (actor, element) in (0..).zip(elements) {
        if let Some(last) = (element % (ELEMENTS + 1)).checked_sub(1) {
            vector.record(Dot::try_new(actor, last_of(last)).expect("in range")).expect("it grows");
            events.extend((0..=last).map(|element| (actor, element)));
        }
    }
    (vector, events)
}

pub fn run(data: &[u8]) {
    let Ok(script) = Script::arbitrary(&mut Unstructured::new(data)) else { return };
    let limit = usize::from(script.limit % 8) + 1;
    let mut reals = vec![DotSet::<u8>::with_limit(limit); SETS.into()];
    let mut models = vec![Events::new(); SETS.into()];
    for step in script.steps.iter().take(MAX_STEPS) {
        let (Step::Insert { at, .. }
        | Step::InsertRange { at, .. }
        | Step::Union { at, .. }
        | Step::UnionVector { at, .. }
        | Step::Difference { at, .. }
        | Step::Prune { at, .. }
        | Step::Clear { at }) = *step;
        let at = usize::from(at % SETS);
        let before = models[at].clone();
        let mut next = before.clone();
        let is_ok = match *step {
            Step::Insert { actor, element, .. } => {
                let (actor, element) = (actor % ACTORS, element % ELEMENTS);
                // One event of the many in the middle has no element of its own.
                let element = if element == SIDE { 0 } else { element };
                let is_new = next.insert((actor, element));
                let dot = Dot::try_new(actor, first_of(element)).expect("in range");
                assert_eq!(reals[at].contains(dot), !is_new);
                let inserted = reals[at].insert(dot);
                assert!(inserted.is_err() || inserted == Ok(is_new));
                inserted.is_ok()
            }
            Step::InsertRange { actor, ends: [a, b], .. } => {
                let (actor, a, b) = (actor % ACTORS, a % ELEMENTS, b % ELEMENTS);
                let (first, last) = (a.min(b), a.max(b));
                next.extend((first..=last).map(|element| (actor, element)));
                let range = DotRange::try_new(actor, first_of(first), last_of(last)).expect("in range");
                reals[at].insert_range(range).is_ok()
            }
            Step::Union { from, .. } => {
                let from = usize::from(from % SETS);
                next.extend(&models[from]);
                let other = reals[from].clone();
                reals[at].union(&other).is_ok()
            }
            Step::UnionVector { elements, .. } => {
                let (vector, events) = known(elements);
                next.extend(events);
                reals[at].union_vector(&vector).is_ok()
            }
            Step::Difference { from, .. } => {
                let from = usize::from(from % SETS);
                next = &before - &models[from];
                let rest = reals[at].difference(&reals[from]);
                let is_ok = rest.is_ok();
                reals[at] = rest.unwrap_or_else(|_| reals[at].clone());
                is_ok
            }
            Step::Prune { elements, .. } => {
                let (vector, events) = known(elements);
                next = &before - &events;
                let clock = VectorClock::resume(9, vector).expect("it grows");
                let cut = MatrixClock::resume(clock, [], 1).expect("one member").stable_cut();
                let dropped: u64 =
                    runs(&(&before & &events)).iter().fold(0, |sum, run| sum.saturating_add(run.count()));
                assert_eq!(reals[at].prune(&cut), dropped);
                true
            }
            Step::Clear { .. } => {
                next.clear();
                reals[at] = DotSet::with_limit(limit);
                true
            }
        };
        let fits = runs(&next).len() <= limit;
        assert_eq!(is_ok, fits, "{step:?} with limit {limit}");
        models[at] = if fits { next } else { before };
        check(&reals[at], &models[at]);
        for other in 0..usize::from(SETS) {
            relate((&reals[at], &models[at]), (&reals[other], &models[other]));
        }
    }
}

fn check(real: &DotSet<u8>, model: &Events) {
    let ranges: Vec<_> = real.ranges().collect();
    assert_eq!(ranges, runs(model), "one form for each set");
    assert_eq!((real.range_count(), real.is_empty()), (ranges.len(), model.is_empty()));
    assert_eq!(real.count(), ranges.iter().map(|range| u128::from(range.count())).sum());
    assert_eq!(DotSet::from_sorted(ranges.clone(), ranges.len()).as_ref(), Ok(real));
    if let Some(fewer) = ranges.len().checked_sub(1) {
        let refused = DotSet::from_sorted(ranges.clone(), fewer);
        assert!(matches!(refused, Err(EntryError::Capacity(_))));
    }
    for actor in 0..ACTORS {
        let last = (0..ELEMENTS).take_while(|element| model.contains(&(actor, *element))).last();
        assert_eq!(real.prefix().get(actor), last.map_or(0, last_of));
        for element in 0..ELEMENTS {
            let is_in = model.contains(&(actor, element));
            for counter in [first_of(element), last_of(element)] {
                assert_eq!(real.contains(Dot::try_new(actor, counter).expect("in range")), is_in);
            }
        }
    }
}

fn relate((real, model): (&DotSet<u8>, &Events), (other, other_model): (&DotSet<u8>, &Events)) {
    let expected = match (model.is_subset(other_model), other_model.is_subset(model)) {
        (true, true) => Causality::Equal,
        (true, false) => Causality::Before,
        (false, true) => Causality::After,
        (false, false) => Causality::Concurrent,
    };
    assert_eq!(real.causality(other), expected);
    assert_eq!(real == other, expected == Causality::Equal);
    assert_eq!(real.missing_from(other).collect::<Vec<_>>(), runs(&(model - other_model)));
    let prefix = other.prefix();
    let prefix_events: Events = (0..ACTORS)
        .flat_map(|actor| (0..ELEMENTS).map(move |element| (actor, element)))
        .filter(|(actor, element)| last_of(*element) <= prefix.get(*actor))
        .collect();
    assert_eq!(real.missing_from_vector(&prefix).collect::<Vec<_>>(), runs(&(model - &prefix_events)));
}

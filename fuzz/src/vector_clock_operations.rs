//! Operation sequences on vectors and clocks of `vector-clock`, against maps from actors to counters.
//!
//! Storage that grows and storage that runs out run the same script. Comparison, merge and greatest lower bound are also
//! asked of `crdts`, whose definitions are the same for vectors without zeros.

use std::collections::BTreeMap;

use arbitrary::{Arbitrary, Unstructured};
use crdts::{CmRDT, CvRDT};
use vector_clock::{
    ApplyError, Causality, Delta, DenseVector, Dot, Fixed, Heap, MAX_COUNTER, MaxJump, MergeError,
    ObserveError, Stamp, Storage, TickError, VectorClock, VersionVector,
};

#[derive(Arbitrary, Debug)]
struct Script {
    limit: Option<u64>,
    max_entries: Option<u8>,
    lanes: [Vec<(u8, Counter)>; 2],
    common: Counter,
    vectors: Vec<Step>,
    clocks: Vec<ClockStep>,
}

/// A counter: small ones meet, and the ends of the range are near.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Counter {
    Small(u8),
    Last(u8),
    Any(u64),
}

impl Counter {
    fn get(self) -> u64 {
        match self {
            Self::Small(counter) => u64::from(counter) + 1,
            Self::Last(from_end) => MAX_COUNTER - u64::from(from_end),
            Self::Any(counter) => counter.clamp(1, MAX_COUNTER),
        }
    }
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Step {
    Tick { at: u8, actor: u8 },
    Record { at: u8, actor: u8, counter: Counter },
    Merge { at: u8, from: u8 },
    Glb { at: u8, from: u8 },
    Copy { at: u8, from: u8 },
    Forget { at: u8, actor: u8 },
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum ClockStep {
    Tick { at: u8 },
    Observe { at: u8, message: u8 },
    Merge { at: u8, from: u8 },
    Forge { at: u8, actors: [u8; 2], counters: [Counter; 2], is_committed: bool },
}

/// So many steps are enough to find what there is, and keep one input fast.
const MAX_STEPS: usize = 100;
const VECTORS: u8 = 3;
const ACTORS: u8 = 8;

type Map = BTreeMap<u8, u64>;

pub fn run(data: &[u8]) {
    let Ok(script) = Script::arbitrary(&mut Unstructured::new(data)) else { return };
    vectors::<Heap>(&script);
    vectors::<Fixed<3>>(&script);
    clocks::<Heap>(&script);
    clocks::<Fixed<3>>(&script);
    dense::<3>(&script);
    // Two whole blocks of the comparison, and a rest.
    dense::<130>(&script);
}

fn by_definition(left: &Map, right: &Map) -> Causality {
    let known = |map: &Map, actor: &u8| map.get(actor).copied().unwrap_or(0);
    let is_within = |x: &Map, y: &Map| x.iter().all(|(actor, counter)| *counter <= known(y, actor));
    match (is_within(left, right), is_within(right, left)) {
        (true, true) => Causality::Equal,
        (true, false) => Causality::Before,
        (false, true) => Causality::After,
        (false, false) => Causality::Concurrent,
    }
}

fn by_others(map: &Map) -> crdts::VClock<u8> {
    let mut clock = crdts::VClock::new();
    for (actor, counter) in map {
        clock.apply(crdts::Dot::new(*actor, *counter));
    }
    clock
}

fn upper(left: &Map, right: &Map) -> Map {
    let mut union = left.clone();
    for (actor, counter) in right {
        let ours = union.entry(*actor).or_default();
        *ours = (*ours).max(*counter);
    }
    union
}

fn lower(left: &Map, right: &Map) -> Map {
    let common = left.iter().filter_map(|(actor, counter)| Some((*actor, *right.get(actor)?.min(counter))));
    common.collect()
}

fn vector<S: Storage>(map: &Map) -> VersionVector<u8, S> {
    let dots = map.iter().map(|(actor, counter)| Dot::try_new(*actor, *counter).expect("in range"));
    VersionVector::from_sorted(dots).expect("the model has room where storage has")
}

fn map_of<S: Storage>(vector: &VersionVector<u8, S>) -> Map {
    vector.iter().map(|dot| (dot.actor(), dot.counter())).collect()
}

fn vectors<S: Storage>(script: &Script) {
    let capacity = VersionVector::<u8, S>::capacity_limit();
    let mut reals = vec![VersionVector::<u8, S>::new(); VECTORS.into()];
    let mut models = vec![Map::new(); VECTORS.into()];
    for step in script.vectors.iter().take(MAX_STEPS) {
        let (Step::Tick { at, .. }
        | Step::Record { at, .. }
        | Step::Merge { at, .. }
        | Step::Glb { at, .. }
        | Step::Copy { at, .. }
        | Step::Forget { at, .. }) = *step;
        let at = usize::from(at % VECTORS);
        let model = models[at].clone();
        let next = match *step {
            Step::Tick { actor, .. } => {
                let actor = actor % ACTORS;
                let ticked = reals[at].tick(actor);
                let counter = model.get(&actor).copied().unwrap_or(0) + 1;
                let mut next = model.clone();
                next.insert(actor, counter);
                let expected =
                    if counter > MAX_COUNTER { Err(false) } else { fit(next, capacity).ok_or(true) };
                match (ticked, expected) {
                    (Ok(dot), Ok(next)) => {
                        assert_eq!((dot.actor(), dot.counter()), (actor, counter));
                        next
                    }
                    (Err(TickError::Overflow(_)), Err(false)) | (Err(TickError::Capacity(_)), Err(true)) => {
                        model
                    }
                    either => panic!("{either:?}"),
                }
            }
            Step::Record { actor, counter, .. } => {
                let dot = Dot::try_new(actor % ACTORS, counter.get()).expect("in range");
                let recorded = reals[at].record(dot);
                let next = upper(&model, &Map::from([(dot.actor(), dot.counter())]));
                after(recorded.is_ok(), fit(next, capacity), model)
            }
            Step::Merge { from, .. } => {
                let from = usize::from(from % VECTORS);
                let other = reals[from].clone();
                let merged = reals[at].merge(&other);
                after(merged.is_ok(), fit(upper(&model, &models[from]), capacity), model)
            }
            Step::Glb { from, .. } => {
                let from = usize::from(from % VECTORS);
                reals[at] = reals[at].glb(&reals[from]);
                lower(&model, &models[from])
            }
            Step::Copy { from, .. } => {
                let from = usize::from(from % VECTORS);
                reals[at] = reals[from].clone();
                models[from].clone()
            }
            Step::Forget { actor, .. } => {
                let mut next = model;
                let had = next.remove(&(actor % ACTORS)).unwrap_or(0);
                assert_eq!(reals[at].forget_lossy(actor % ACTORS), had);
                next
            }
        };
        models[at] = next;
        assert_eq!(map_of(&reals[at]), models[at]);
        for other in 0..usize::from(VECTORS) {
            relate(&reals[at], &models[at], &reals[other], &models[other]);
        }
    }
}

/// The new map, unless it has too many entries.
fn fit(map: Map, capacity: usize) -> Option<Map> {
    (map.len() <= capacity).then_some(map)
}

/// A call succeeds exactly when the model does, and else changes nothing.
fn after(is_ok: bool, expected: Option<Map>, unchanged: Map) -> Map {
    assert_eq!(is_ok, expected.is_some());
    expected.unwrap_or(unchanged)
}

/// How two vectors stand to each other, by every door that there is.
fn relate<S: Storage>(a: &VersionVector<u8, S>, a_map: &Map, b: &VersionVector<u8, S>, b_map: &Map) {
    let expected = by_definition(a_map, b_map);
    assert_eq!(a.causality(b), expected);
    assert_eq!(b.causality(a), expected.reverse());
    assert_eq!(a.partial_cmp(b), expected.to_ordering());
    assert_eq!(a == b, expected == Causality::Equal);
    // The same knowledge in other storage.
    assert_eq!(vector::<Heap>(a_map).causality(b), expected);
    let (others, others_b) = (by_others(a_map), by_others(b_map));
    assert_eq!(others.partial_cmp(&others_b), expected.to_ordering());
    let (mut merged, mut common) = (others.clone(), others);
    merged.merge(others_b.clone());
    assert_eq!(merged, by_others(&upper(a_map, b_map)));
    common.glb(&others_b);
    assert_eq!(common, by_others(&lower(a_map, b_map)));

    let delta = Delta::<u8, Heap>::between(a, b);
    assert_eq!(delta.is_ok(), matches!(expected, Causality::Before | Causality::Equal));
    if let Ok(delta) = delta {
        assert_eq!(delta.apply(a), Ok(b.clone()));
        if a != b {
            assert!(matches!(delta.apply(b), Err(ApplyError::WrongBase(_))));
        }
    }
}

/// A clock by the words of the docs.
struct Model {
    own: u8,
    counters: Map,
    limit: Option<u64>,
    capacity: usize,
    refusals: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    Jump,
    Unissued,
    Capacity,
    Overflow,
}

impl Model {
    fn known(&self, actor: u8) -> u64 {
        self.counters.get(&actor).copied().unwrap_or(0)
    }

    fn learn(&mut self, remote: &Map, is_checked: bool) -> Result<(), Refusal> {
        let jumps =
            |limit| remote.iter().any(|(actor, counter)| counter.saturating_sub(self.known(*actor)) > limit);
        if is_checked && self.limit.is_some_and(jumps) {
            return Err(Refusal::Jump);
        }
        if is_checked && remote.get(&self.own).is_some_and(|claimed| *claimed > self.known(self.own)) {
            return Err(Refusal::Unissued);
        }
        let learned = upper(&self.counters, remote);
        let reserved = usize::from(!learned.contains_key(&self.own));
        // Entries that it has already are never refused.
        if learned.len() > self.counters.len() && learned.len() + reserved > self.capacity {
            return Err(Refusal::Capacity);
        }
        self.counters = learned;
        Ok(())
    }

    fn tick(&mut self) -> Result<(), Refusal> {
        if self.known(self.own) == MAX_COUNTER {
            return Err(Refusal::Overflow);
        }
        *self.counters.entry(self.own).or_default() += 1;
        Ok(())
    }

    fn count<T>(&mut self, result: Result<T, Refusal>) -> Result<T, Refusal> {
        self.refusals += u64::from(result.is_err());
        result
    }
}

fn of_merge(why: &MergeError<u8>) -> Refusal {
    match why {
        MergeError::JumpExceeded(_) => Refusal::Jump,
        MergeError::Unissued(_) => Refusal::Unissued,
        MergeError::Capacity(_) => Refusal::Capacity,
        _ => panic!("{why}"),
    }
}

fn of_observe(why: &ObserveError<u8>) -> Refusal {
    match why {
        ObserveError::JumpExceeded(_) => Refusal::Jump,
        ObserveError::Unissued(_) => Refusal::Unissued,
        ObserveError::Capacity(_) => Refusal::Capacity,
        ObserveError::Overflow(_) => Refusal::Overflow,
        _ => panic!("{why}"),
    }
}

fn clocks<S: Storage>(script: &Script) {
    let max_entries = script.max_entries.map_or(usize::MAX, |limit| usize::from(limit % ACTORS));
    let capacity = VersionVector::<u8, S>::capacity_limit().min(max_entries);
    let limit = script.limit;
    let max_jump = limit.map_or(MaxJump::Unbounded, MaxJump::AtMost);
    let new = |own| VectorClock::<u8, S>::new(own).with_max_jump(max_jump).with_max_entries(max_entries);
    let mut reals: Vec<_> = (0..VECTORS).map(new).collect();
    let mut models: Vec<_> =
        (0..VECTORS).map(|own| Model { own, counters: Map::new(), limit, capacity, refusals: 0 }).collect();
    let mut messages: Vec<(Stamp<u8, S>, Map)> = Vec::new();
    for step in script.clocks.iter().take(MAX_STEPS) {
        let (ClockStep::Tick { at }
        | ClockStep::Observe { at, .. }
        | ClockStep::Merge { at, .. }
        | ClockStep::Forge { at, .. }) = *step;
        let at = usize::from(at % VECTORS);
        match *step {
            ClockStep::Tick { .. } => {
                let stamp = reals[at].tick();
                let expected = models[at].tick();
                assert_eq!(models[at].count(expected).is_ok(), stamp.is_ok());
                messages.extend(stamp.ok().map(|stamp| (stamp, models[at].counters.clone())));
            }
            ClockStep::Observe { message, .. } => {
                let Some((message, knowledge)) = messages.get(usize::from(message)).cloned() else {
                    continue;
                };
                let received = reals[at].observe(&message);
                let model = &mut models[at];
                let expected = if model.known(model.own) == MAX_COUNTER {
                    Err(Refusal::Overflow)
                } else {
                    model.learn(&knowledge, true).and_then(|()| model.tick())
                };
                assert_eq!(received.as_ref().map(|_| ()).map_err(of_observe), model.count(expected));
                messages.extend(received.ok().map(|stamp| (stamp, model.counters.clone())));
            }
            ClockStep::Merge { from, .. } => {
                let from = usize::from(from % VECTORS);
                let known = reals[from].vector().clone();
                let merged = reals[at].merge(&known).map_err(|why| of_merge(&why));
                let knowledge = models[from].counters.clone();
                let expected = models[at].learn(&knowledge, true);
                assert_eq!(merged, models[at].count(expected));
            }
            ClockStep::Forge { actors, counters, is_committed, .. } => {
                let forged: Map =
                    actors.into_iter().map(|actor| actor % ACTORS).zip(counters.map(Counter::get)).collect();
                let remote = vector::<Heap>(&forged);
                let merged = if is_committed {
                    reals[at].merge_committed(&remote).map_err(|_| Refusal::Capacity)
                } else {
                    reals[at].merge(&remote).map_err(|why| of_merge(&why))
                };
                let expected = models[at].learn(&forged, !is_committed);
                assert_eq!(merged, models[at].count(expected));
            }
        }
        let (real, model) = (&reals[at], &models[at]);
        assert_eq!(map_of(real.vector()), model.counters);
        let seen = real.snapshot();
        assert_eq!(seen.jump_exceeded + seen.unissued + seen.capacity + seen.overflow, model.refusals);
        assert_eq!((seen.last, seen.entries), (model.known(model.own), model.counters.len()));
        let resumed = VectorClock::<u8, S>::resume(real.actor(), real.vector().clone());
        assert!(resumed.is_ok_and(|clock| clock.last() == real.last()), "a clock's own vector has room");
    }
    stamps(&messages);
}

/// Stamps claim what they claim: their answers follow from dots and vectors, and never contradict each other.
fn stamps<S: Storage>(messages: &[(Stamp<u8, S>, Map)]) {
    for (left, left_map) in messages.iter().take(20) {
        for (right, right_map) in messages.iter().take(20) {
            let knows = |map: &Map, stamp: &Stamp<u8, S>| {
                map.get(&stamp.dot().actor()).is_some_and(|counter| stamp.dot().counter() <= *counter)
            };
            let expected = match (knows(right_map, left), knows(left_map, right)) {
                _ if left.dot() == right.dot() => Causality::Equal,
                (true, false) => Causality::Before,
                (false, true) => Causality::After,
                _ => Causality::Concurrent,
            };
            assert_eq!(left.causality(right), expected);
            assert_eq!(right.happened_before(left), expected == Causality::After);
        }
    }
}

/// Lanes that are all alike but for some, so that the outcome depends on few of many.
fn lanes<const N: usize>(script: &Script, side: usize) -> [u64; N] {
    let mut lanes = [script.common.get(); N];
    for (lane, counter) in &script.lanes[side] {
        lanes[usize::from(*lane) % N] = counter.get() - 1;
    }
    lanes
}

fn dense<const N: usize>(script: &Script) {
    let (left, right) = (lanes::<N>(script, 0), lanes::<N>(script, 1));
    let a = DenseVector::try_from_counters(left).expect("in range");
    let b = DenseVector::try_from_counters(right).expect("in range");
    let lacks = |x: &[u64; N], y: &[u64; N]| x.iter().zip(y).any(|(x, y)| x < y);
    let expected = match (lacks(&left, &right), lacks(&right, &left)) {
        (false, false) => Causality::Equal,
        (true, false) => Causality::Before,
        (false, true) => Causality::After,
        (true, true) => Causality::Concurrent,
    };
    assert_eq!(a.causality(&b), expected);
    assert_eq!(b.causality(&a), expected.reverse());

    let mut both = a;
    both.merge(&b);
    assert!(both.as_counters().iter().zip(left.iter().zip(&right)).all(|(m, (x, y))| m == x.max(y)));
    let common = a.glb(&b);
    assert!(common.as_counters().iter().zip(left.iter().zip(&right)).all(|(m, (x, y))| m == x.min(y)));

    let mut bounded = a;
    let max_jump = script.limit.map_or(MaxJump::Unbounded, MaxJump::AtMost);
    let is_near = |limit| left.iter().zip(&right).all(|(x, y)| y.saturating_sub(*x) <= limit);
    let is_admitted = bounded.merge_bounded(&b, max_jump).is_ok();
    assert_eq!(is_admitted, script.limit.is_none_or(is_near));
    assert_eq!(bounded, if is_admitted { both } else { a });

    let sparse = a.to_sparse::<Heap>().expect("it grows");
    assert_eq!(sparse.causality(&b.to_sparse::<Heap>().expect("it grows")), expected);
    assert_eq!(DenseVector::from_sparse(&sparse), Ok(a));
    let mut ticked = a;
    assert_eq!(ticked.tick(N - 1).is_ok(), left[N - 1] < MAX_COUNTER);
    assert_eq!(a < ticked, left[N - 1] < MAX_COUNTER);
    assert!(ticked.tick(N).is_err());
}

//! Operation sequences on `DvvSet`, against sets of writes.
//!
//! The model of a replica: all writes that it knows of, as a set of names, and the values that stand.

use std::collections::{BTreeMap, BTreeSet};

use arbitrary::{Arbitrary, Unstructured};
use vector_clock::{
    Causality, Dot, DvvLimits, DvvSet, Heap, MaxJump, MergeError, ObserveError, VersionVector,
};

#[derive(Arbitrary, Debug)]
struct Script {
    limits: [u8; 4],
    steps: Vec<Step>,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Step {
    Read {
        client: u8,
        at: u8,
    },
    Write {
        client: u8,
        at: u8,
    },
    /// A context that nobody gave to the client.
    Forge {
        client: u8,
        actors: [u8; 2],
        counters: [u8; 2],
    },
    Sync {
        at: u8,
        from: u8,
    },
    SyncCommitted {
        at: u8,
        from: u8,
    },
    Reconcile {
        at: u8,
    },
    LastWriterWins {
        at: u8,
    },
}

/// So many steps are enough to find what there is, and keep one input fast.
const MAX_STEPS: usize = 100;
const SERVERS: u8 = 3;
const CLIENTS: u8 = 3;

type Writes = BTreeSet<(u8, u64)>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    Jump,
    Unissued,
    Capacity,
}

#[derive(Clone, Copy)]
struct Bounds {
    actors: usize,
    siblings: usize,
    jump: u64,
    /// The same for what clients claim to have read.
    context_jump: u64,
}

#[derive(Clone, Debug, Default)]
struct Model {
    known: Writes,
    standing: BTreeMap<(u8, u64), u32>,
}

fn latest(writes: &Writes, actor: u8) -> u64 {
    writes.range((actor, 0)..=(actor, u64::MAX)).next_back().map_or(0, |(_, counter)| *counter)
}

fn actors(writes: &Writes) -> usize {
    writes.iter().map(|(actor, _)| actor).collect::<BTreeSet<_>>().len()
}

impl Model {
    fn jumps(&self, remote: &Writes, limit: u64) -> bool {
        remote.iter().any(|(actor, counter)| *counter > latest(&self.known, *actor) + limit)
    }

    fn write(
        &mut self,
        context: &Writes,
        actor: u8,
        value: u32,
        bounds: Bounds,
    ) -> Result<(u8, u64), Refusal> {
        if self.jumps(context, bounds.context_jump) {
            return Err(Refusal::Jump);
        }
        if latest(context, actor) > latest(&self.known, actor) {
            return Err(Refusal::Unissued);
        }
        let mut next = self.clone();
        let name = (actor, latest(&self.known, actor) + 1);
        next.known.extend(context);
        next.known.insert(name);
        next.standing.retain(|name, _| !context.contains(name));
        next.standing.insert(name, value);
        *self = next.within(bounds)?;
        Ok(name)
    }

    fn sync(&mut self, other: &Self, bounds: Bounds) -> Result<(), Refusal> {
        let mut next = self.clone();
        // A value goes when the other side knows of it and does not have it.
        next.standing.retain(|name, _| !other.known.contains(name) || other.standing.contains_key(name));
        let new = other.standing.iter().filter(|(name, _)| !self.known.contains(name));
        next.standing.extend(new.map(|(name, value)| (*name, *value)));
        next.known.extend(&other.known);
        *self = next.within(bounds)?;
        Ok(())
    }

    fn within(self, bounds: Bounds) -> Result<Self, Refusal> {
        let fits = actors(&self.known) <= bounds.actors && self.standing.len() <= bounds.siblings;
        if fits { Ok(self) } else { Err(Refusal::Capacity) }
    }
}

fn vector(writes: &Writes) -> VersionVector<u8, Heap> {
    let mut vector = VersionVector::new();
    for &(actor, counter) in writes {
        vector.record(Dot::try_new(actor, counter).expect("in range")).expect("it grows");
    }
    vector
}

fn of_observe(why: ObserveError<u8>) -> Refusal {
    match why {
        ObserveError::JumpExceeded(_) => Refusal::Jump,
        ObserveError::Unissued(_) => Refusal::Unissued,
        ObserveError::Capacity(_) => Refusal::Capacity,
        _ => panic!("{why}"),
    }
}

fn of_merge(why: MergeError<u8>) -> Refusal {
    match why {
        MergeError::JumpExceeded(_) => Refusal::Jump,
        MergeError::Capacity(_) => Refusal::Capacity,
        _ => panic!("{why}"),
    }
}

pub fn run(data: &[u8]) {
    let Ok(script) = Script::arbitrary(&mut Unstructured::new(data)) else { return };
    let [actors, siblings, jump, context_jump] = script.limits;
    let bounds = Bounds {
        actors: usize::from(actors % 5) + 1,
        siblings: usize::from(siblings % 8) + 1,
        jump: u64::from(jump % 16),
        context_jump: u64::from(context_jump % 16),
    };
    let limits = DvvLimits::DEFAULT
        .with_actors(bounds.actors)
        .with_siblings(bounds.siblings)
        .with_max_jump(MaxJump::AtMost(bounds.jump))
        .with_max_context_jump(MaxJump::AtMost(bounds.context_jump));
    let mut reals = vec![DvvSet::<u8, u32>::with_limits(limits); SERVERS.into()];
    let mut models = vec![Model::default(); SERVERS.into()];
    let mut reads = vec![Writes::new(); CLIENTS.into()];
    for (value, step) in (0..).zip(script.steps.iter().take(MAX_STEPS)) {
        match *step {
            Step::Read { client, at } => {
                let at = usize::from(at % SERVERS);
                reads[usize::from(client % CLIENTS)] = models[at].known.clone();
                assert_eq!(*reals[at].join(), vector(&models[at].known));
            }
            Step::Forge { client, actors, counters } => {
                let context = &mut reads[usize::from(client % CLIENTS)];
                for (actor, counter) in actors.into_iter().zip(counters) {
                    context.extend((1..=u64::from(counter % 32)).map(|counter| (actor % 6, counter)));
                }
            }
            Step::Write { client, at } => {
                let (at, server) = (usize::from(at % SERVERS), at % SERVERS);
                let context = &reads[usize::from(client % CLIENTS)];
                let written = reals[at].update(&vector(context), server, value);
                let written = written.map(|dot| (dot.actor(), dot.counter())).map_err(of_observe);
                assert_eq!(written, models[at].write(context, server, value, bounds));
            }
            Step::Sync { at, from } => {
                let (at, from) = (usize::from(at % SERVERS), usize::from(from % SERVERS));
                let (other, other_model) = (reals[from].clone(), models[from].clone());
                let expected = if models[at].jumps(&other_model.known, bounds.jump) {
                    Err(Refusal::Jump)
                } else {
                    models[at].sync(&other_model, bounds)
                };
                assert_eq!(reals[at].sync(&other).map_err(of_merge), expected);
            }
            Step::SyncCommitted { at, from } => {
                let (at, from) = (usize::from(at % SERVERS), usize::from(from % SERVERS));
                let (other, other_model) = (reals[from].clone(), models[from].clone());
                let synced = reals[at].sync_committed(&other).map_err(|_| Refusal::Capacity);
                assert_eq!(synced, models[at].sync(&other_model, bounds));
            }
            Step::Reconcile { at } => {
                let (at, server) = (usize::from(at % SERVERS), at % SERVERS);
                let all = models[at].known.clone();
                let written = reals[at].reconcile(server, |_| value);
                let written = written.map(|dot| (dot.actor(), dot.counter())).map_err(of_observe);
                assert_eq!(written, models[at].write(&all, server, value, bounds));
            }
            Step::LastWriterWins { at } => {
                let at = usize::from(at % SERVERS);
                reals[at].lww(Ord::cmp);
                let standing = &mut models[at].standing;
                let last = standing.iter().max_by_key(|(name, value)| (**value, **name));
                *standing = last.map(|(name, value)| (*name, *value)).into_iter().collect();
            }
        }
        for (real, model) in reals.iter().zip(&models) {
            check(real, model, limits);
        }
        for (real, model) in reals.iter().zip(&models) {
            let expected =
                match (model.known.is_subset(&models[0].known), models[0].known.is_subset(&model.known)) {
                    (true, true) => Causality::Equal,
                    (true, false) => Causality::Before,
                    (false, true) => Causality::After,
                    (false, false) => Causality::Concurrent,
                };
            assert_eq!(real.causality(&reals[0]), expected);
            assert_eq!(real.less(&reals[0]), expected == Causality::Before);
        }
    }
}

fn check(real: &DvvSet<u8, u32>, model: &Model, limits: DvvLimits) {
    let siblings = real.siblings().map(|(dot, value)| ((dot.actor(), dot.counter()), *value));
    assert!(siblings.eq(model.standing.iter().map(|(name, value)| (*name, *value))));
    assert!(real.values().eq(model.standing.values()));
    assert_eq!((real.len(), real.is_empty()), (model.standing.len(), model.standing.is_empty()));
    assert_eq!(*real.join(), vector(&model.known));
    // What is told apart can be put together again.
    let parts = real.siblings().map(|(dot, value)| (dot, *value));
    assert_eq!(DvvSet::from_parts(real.join().clone(), parts, limits).as_ref(), Ok(real));
}

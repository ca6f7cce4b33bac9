//! Operation sequences on `CausalBuffer`, against sets of delivered and waiting messages.
//!
//! The messages are whatever a peer can write down: most were never sent, and some wait for each other in a circle.

use std::collections::{BTreeMap, BTreeSet};

use arbitrary::{Arbitrary, Unstructured};
use vector_clock::{
    BufferLimits, CausalBuffer, Dot, Fixed, Heap, Received, RefusedReason, Stamp, Storage, VersionVector,
};

#[derive(Arbitrary, Debug)]
struct Script {
    members: u8,
    waiting: u8,
    quota: u8,
    steps: Vec<Step>,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Step {
    Receive {
        sender: u8,
        counter: u8,
        others: [(u8, u8); 2],
    },
    /// The next message of a sender that depends on what others have delivered, or on a little more.
    ReceiveNext {
        sender: u8,
        ahead: u8,
        other: u8,
        other_ahead: u8,
    },
    Pop,
    Drain,
    CatchUp {
        entries: [(u8, u8); 2],
    },
    Admit {
        actor: u8,
        counter: u8,
    },
}

/// So many steps are enough to find what there is, and keep one input fast.
const MAX_STEPS: usize = 150;
const ACTORS: u8 = 6;
const COUNTERS: u8 = 20;
/// For each entry of a message at most so many steps: it is looked at, and its sender is put into a heap of so few
/// members, and taken out again.
const STEPS_AN_ENTRY: u64 = 16;

type Map = BTreeMap<u8, u64>;
type Message = Stamp<u8, Heap>;

pub fn run(data: &[u8]) {
    let Ok(script) = Script::arbitrary(&mut Unstructured::new(data)) else { return };
    check::<Heap>(&script);
    check::<Fixed<4>>(&script);
}

struct Model {
    delivered: Map,
    held: BTreeMap<(u8, u64), Map>,
    limits: (usize, usize, u64),
    counts: [u64; 5],
    /// What all entries that were looked at may have cost.
    budget: u64,
}

#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Deliver,
    Waiting,
    Duplicate,
    Stranger(u8),
    BeyondQuota,
    Full,
}

impl Model {
    fn is_ready(&self, (sender, counter): (u8, u64), vector: &Map) -> bool {
        let done = |actor: &u8| self.delivered.get(actor).copied().unwrap_or(0);
        let mut others = vector.iter().filter(|(actor, _)| **actor != sender);
        counter == done(&sender) + 1 && others.all(|(actor, counter)| *counter <= done(actor))
    }

    fn ready(&self) -> BTreeSet<(u8, u64)> {
        self.held
            .iter()
            .filter(|(name, vector)| self.is_ready(**name, vector))
            .map(|(name, _)| *name)
            .collect()
    }

    fn receive(&mut self, name: (u8, u64), vector: &Map) -> Outcome {
        let (sender, counter) = name;
        self.budget += STEPS_AN_ENTRY * (vector.len() as u64 + 1);
        if let Some(stranger) = vector.keys().find(|actor| !self.delivered.contains_key(*actor)) {
            self.counts[2] += 1;
            return Outcome::Stranger(*stranger);
        }
        let done = self.delivered[&sender];
        if counter <= done || self.held.contains_key(&name) {
            self.counts[1] += 1;
            return Outcome::Duplicate;
        }
        if self.is_ready(name, vector) {
            self.deliver(name);
            return Outcome::Deliver;
        }
        if counter - done > self.limits.2 {
            self.counts[3] += 1;
            return Outcome::BeyondQuota;
        }
        if self.held.len() >= self.limits.1 {
            self.counts[4] += 1;
            return Outcome::Full;
        }
        self.held.insert(name, vector.clone());
        Outcome::Waiting
    }

    fn deliver(&mut self, (sender, counter): (u8, u64)) {
        self.delivered.insert(sender, counter);
        self.counts[0] += 1;
    }
}

fn check<S: Storage>(script: &Script) {
    let capacity = VersionVector::<u8, S>::capacity_limit();
    let (members, waiting) = (usize::from(script.members % 8), usize::from(script.waiting % 16));
    let quota = u64::from(script.quota % 8);
    let limits = BufferLimits::DEFAULT.with_members(members).with_waiting(waiting).with_quota(quota);
    let mut real = CausalBuffer::<Message, S>::with_limits(limits);
    let mut model = Model {
        delivered: Map::new(),
        held: BTreeMap::new(),
        limits: (members.min(capacity), waiting.min(capacity), quota),
        counts: [0; 5],
        budget: 0,
    };
    for actor in 0..3 {
        admit(&mut real, &mut model, actor, 0);
    }
    for step in script.steps.iter().take(MAX_STEPS) {
        match *step {
            Step::Receive { sender, counter, others } => {
                let sender = sender % ACTORS;
                let mut vector: Map = others
                    .map(|(actor, counter)| (actor % ACTORS, u64::from(counter % COUNTERS)))
                    .into_iter()
                    .filter(|(_, counter)| *counter > 0)
                    .collect();
                vector.insert(sender, u64::from(counter % COUNTERS) + 1);
                receive(&mut real, &mut model, sender, &vector);
            }
            Step::ReceiveNext { sender, ahead, other, other_ahead } => {
                let (sender, other) = (sender % 3, other % 3);
                let done = |actor: u8| model.delivered.get(&actor).copied().unwrap_or(0);
                let mut vector = Map::new();
                vector.insert(other, (done(other) + u64::from(other_ahead % 3)).max(1));
                vector.insert(sender, done(sender) + 1 + u64::from(ahead % 3));
                receive(&mut real, &mut model, sender, &vector);
            }
            Step::Pop => {
                pop(&mut real, &mut model);
            }
            Step::Drain => while pop(&mut real, &mut model) {},
            Step::CatchUp { entries } => catch_up(&mut real, &mut model, entries),
            Step::Admit { actor, counter } => {
                admit(&mut real, &mut model, actor % ACTORS, u64::from(counter % COUNTERS));
            }
        }
        compare(&real, &model);
    }
    // What is ready is all given out, and nothing else is.
    while pop(&mut real, &mut model) {}
    compare(&real, &model);
    assert_eq!(model.ready(), BTreeSet::new());
}

fn admit<S: Storage>(real: &mut CausalBuffer<Message, S>, model: &mut Model, actor: u8, counter: u64) {
    let admitted = match Dot::try_new(actor, counter) {
        Ok(known) => real.admit_at(known),
        Err(_) => real.admit(actor),
    };
    let is_member = model.delivered.contains_key(&actor);
    assert_eq!(admitted.is_ok(), is_member || model.delivered.len() < model.limits.0);
    if admitted.is_ok() {
        model.delivered.entry(actor).or_insert(counter);
    }
}

fn receive<S: Storage>(real: &mut CausalBuffer<Message, S>, model: &mut Model, sender: u8, map: &Map) {
    let vector = vector(map);
    let dot = vector.dot(sender).expect("the sender has an entry");
    let message = Stamp::try_new(dot, vector).expect("the vector counts the event");
    let done = model.delivered.get(&sender).copied().unwrap_or(0);
    let expected = model.receive((sender, dot.counter()), map);
    let outcome = match real.receive(message.clone()) {
        Ok(Received::Deliver(delivered)) => {
            assert_eq!(delivered, message);
            Outcome::Deliver
        }
        Ok(Received::Waiting) => Outcome::Waiting,
        Ok(Received::Duplicate) => Outcome::Duplicate,
        Err(refused) => {
            let reason = refused.reason();
            assert_eq!(refused.into_message(), message);
            match reason {
                RefusedReason::UnknownMember(stranger) => Outcome::Stranger(stranger),
                RefusedReason::BeyondQuota { needs, .. } | RefusedReason::Full { needs, .. } => {
                    assert!(is_needed(needs, dot, done, map, model), "{needs:?} is worth asking for");
                    match reason {
                        RefusedReason::Full { .. } => Outcome::Full,
                        _ => Outcome::BeyondQuota,
                    }
                }
                _ => panic!("{reason}"),
            }
        }
    };
    assert_eq!(outcome, expected, "{message:?}");
}

/// A refused message is sent on its way by something that it depends on, and that has not been delivered.
fn is_needed(needs: Dot<u8>, dot: Dot<u8>, done: u64, map: &Map, model: &Model) -> bool {
    if needs.actor() == dot.actor() {
        // The message itself where the quota is zero and it is the next one.
        return done < needs.counter() && needs.counter() <= dot.counter();
    }
    map.get(&needs.actor()) == Some(&needs.counter()) && needs.counter() > model.delivered[&needs.actor()]
}

/// Whether there was anything to deliver.
fn pop<S: Storage>(real: &mut CausalBuffer<Message, S>, model: &mut Model) -> bool {
    let ready = model.ready();
    let Some(message) = real.pop_ready() else {
        assert_eq!(ready, BTreeSet::new(), "these could be delivered");
        return false;
    };
    let name = (message.dot().actor(), message.dot().counter());
    assert!(ready.contains(&name), "{name:?} is before its past, or came twice");
    let held = model.held.remove(&name).expect("it waited");
    assert_eq!(*message.vector(), vector(&held));
    model.deliver(name);
    true
}

fn catch_up<S: Storage>(real: &mut CausalBuffer<Message, S>, model: &mut Model, entries: [(u8, u8); 2]) {
    let mut known = Map::new();
    for (actor, counter) in entries {
        known.entry(actor % ACTORS).or_insert(u64::from(counter % COUNTERS) + 1);
    }
    let caught_up = real.catch_up(&vector(&known));
    if let Some(stranger) = known.keys().find(|actor| !model.delivered.contains_key(*actor)) {
        assert_eq!(caught_up.expect_err("somebody is no member").actor(), *stranger);
        return;
    }
    for (actor, counter) in known {
        let done = model.delivered.entry(actor).or_default();
        *done = (*done).max(counter);
    }
    let before = model.held.len();
    model.held.retain(|(sender, counter), _| *counter > model.delivered[sender]);
    // Who waits for whom is worked out again: one message of each member.
    model.budget += STEPS_AN_ENTRY * u64::from(ACTORS) * 4;
    assert_eq!(caught_up, Ok(before - model.held.len()));
}

fn vector(map: &Map) -> VersionVector<u8, Heap> {
    let dots = map.iter().map(|(actor, counter)| Dot::try_new(*actor, *counter).expect("in range"));
    VersionVector::from_sorted(dots).expect("it grows")
}

fn compare<S: Storage>(real: &CausalBuffer<Message, S>, model: &Model) {
    for actor in 0..ACTORS {
        assert_eq!(real.delivered_of(actor), model.delivered.get(&actor).copied().unwrap_or(0));
    }
    assert_eq!(real.waiting(), model.held.len());
    let seen = real.snapshot();
    let counts = [seen.delivered, seen.duplicates, seen.unknown_member, seen.beyond_quota, seen.full];
    assert_eq!((seen.waiting, counts), (model.held.len(), model.counts));
    assert!(seen.steps <= model.budget, "{} steps where {} were allowed", seen.steps, model.budget);

    let mut last = (0, 0);
    let mut is_missing = false;
    for range in real.missing() {
        is_missing = true;
        let done = model.delivered[&range.actor()];
        assert!(last < (range.actor(), range.first()), "ascending");
        assert!(done < range.first() && range.last() <= done + model.limits.2.max(1), "within the window");
        for counter in range.first()..=range.last() {
            assert!(!model.held.contains_key(&(range.actor(), counter)), "it is here");
        }
        last = (range.actor(), range.last());
    }
    // When nothing can be asked for, what waits is ready, or waits in a circle of messages that are all here.
    if !is_missing {
        for (sender, _) in model.held.keys() {
            let next = (*sender, model.delivered[sender] + 1);
            let vector = model.held.get(&next).expect("the sender's next message is here");
            let is_blocked_by_held =
                vector.iter().filter(|(actor, _)| *actor != sender).any(|(actor, counter)| {
                    let done = model.delivered[actor];
                    *counter > done && model.held.contains_key(&(*actor, done + 1))
                });
            assert!(model.is_ready(next, vector) || is_blocked_by_held, "{next:?} cannot be helped");
        }
    }
}

//! Clocks driven at random beside naive ones, and beside sets of events.

use alloc::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::prelude::*;
use vector_clock::{
    Causality, Dot, Fixed, MaxJump, MergeError, ObserveError, Stamp, VectorClock, VersionVector,
};

const CLOCKS: u8 = 4;
/// One entry fewer than there are actors, so that storage runs out.
const ENTRIES: usize = 3;
const MAX_JUMP: u64 = 4;

type Clock = VectorClock<u8, Fixed<ENTRIES>>;

#[derive(Clone, Debug)]
enum Command {
    Tick {
        at: u8,
    },
    /// The message is sent, and may be received much later, twice, or never.
    Send {
        at: u8,
    },
    Receive {
        at: u8,
        message: prop::sample::Index,
    },
    Merge {
        at: u8,
        from: u8,
    },
    /// A vector that no history explains.
    Forge {
        at: u8,
        about: u8,
        counter: u64,
    },
}

fn commands() -> impl Strategy<Value = Command> {
    let at = 0..CLOCKS;
    prop_oneof![
        at.clone().prop_map(|at| Command::Tick { at }),
        at.clone().prop_map(|at| Command::Send { at }),
        (at.clone(), any::<prop::sample::Index>()).prop_map(|(at, message)| Command::Receive { at, message }),
        (at.clone(), at.clone()).prop_map(|(at, from)| Command::Merge { at, from }),
        (at.clone(), at, 1..12_u64).prop_map(|(at, about, counter)| Command::Forge { at, about, counter }),
    ]
}

/// The same clock in a map, by the words of the docs.
#[derive(Clone, Debug, Default)]
struct Naive {
    counters: BTreeMap<u8, u64>,
    events: BTreeSet<(u8, u64)>,
}

#[derive(Debug, PartialEq, Eq)]
enum Refusal {
    Jump,
    Unissued,
    Capacity,
}

impl Naive {
    fn learn(&mut self, own: u8, other: &Self) -> Result<(), Refusal> {
        let known = |actor: &u8| self.counters.get(actor).copied().unwrap_or(0);
        if other.counters.iter().any(|(actor, counter)| *counter > known(actor) + MAX_JUMP) {
            return Err(Refusal::Jump);
        }
        if other.counters.get(&own).is_some_and(|counter| *counter > known(&own)) {
            return Err(Refusal::Unissued);
        }
        let members: BTreeSet<_> = self.counters.keys().chain(other.counters.keys()).chain([&own]).collect();
        if members.len() > ENTRIES {
            return Err(Refusal::Capacity);
        }
        for (actor, counter) in &other.counters {
            let mine = self.counters.entry(*actor).or_default();
            *mine = (*mine).max(*counter);
        }
        self.events.extend(&other.events);
        Ok(())
    }

    fn tick(&mut self, own: u8) {
        let counter = self.counters.entry(own).or_default();
        *counter += 1;
        self.events.insert((own, *counter));
    }

    fn causality(&self, other: &Self) -> Causality {
        match (self.events.is_subset(&other.events), other.events.is_subset(&self.events)) {
            (true, true) => Causality::Equal,
            (true, false) => Causality::Before,
            (false, true) => Causality::After,
            (false, false) => Causality::Concurrent,
        }
    }
}

fn merge_refusal(why: &MergeError<u8>) -> Refusal {
    match why {
        MergeError::JumpExceeded(_) => Refusal::Jump,
        MergeError::Unissued(_) => Refusal::Unissued,
        MergeError::Capacity(_) => Refusal::Capacity,
        _ => panic!("{why}"),
    }
}

fn observe_refusal(why: &ObserveError<u8>) -> Refusal {
    match why {
        ObserveError::JumpExceeded(_) => Refusal::Jump,
        ObserveError::Unissued(_) => Refusal::Unissued,
        ObserveError::Capacity(_) => Refusal::Capacity,
        ObserveError::Overflow(_) | _ => panic!("{why}"),
    }
}

proptest! {
    #[test]
    fn clocks_agree_with_naive_ones_and_their_stamps_with_sets_of_events(script in vec(commands(), 0..60)) {
        let mut clocks: Vec<Clock> =
            (0..CLOCKS).map(|actor| Clock::new(actor).with_max_jump(MaxJump::AtMost(MAX_JUMP))).collect();
        let mut naive = vec![Naive::default(); usize::from(CLOCKS)];
        let mut sent: Vec<(Stamp<u8, Fixed<ENTRIES>>, Naive)> = Vec::new();
        let mut stamps = Vec::new();
        let mut refusals = 0;
        for command in script {
            match command {
                Command::Tick { at } => {
                    let dot = clocks[usize::from(at)].tick_dot().unwrap();
                    naive[usize::from(at)].tick(at);
                    prop_assert_eq!(dot.counter(), naive[usize::from(at)].counters[&at]);
                }
                Command::Send { at } => {
                    let stamp = clocks[usize::from(at)].tick().unwrap();
                    naive[usize::from(at)].tick(at);
                    stamps.push((stamp.clone(), naive[usize::from(at)].clone()));
                    sent.push((stamp, naive[usize::from(at)].clone()));
                }
                Command::Receive { at, message } => {
                    if sent.is_empty() {
                        continue;
                    }
                    let (stamp, knowledge) = &sent[message.index(sent.len())];
                    let real = clocks[usize::from(at)].observe(stamp);
                    let model = naive[usize::from(at)].learn(at, knowledge);
                    prop_assert_eq!(real.as_ref().map(|_| ()).map_err(observe_refusal), model);
                    match real {
                        Ok(received) => {
                            naive[usize::from(at)].tick(at);
                            stamps.push((received, naive[usize::from(at)].clone()));
                        }
                        Err(_) => refusals += 1,
                    }
                }
                Command::Merge { at, from } => {
                    let (known, knowledge) = (clocks[usize::from(from)].vector().clone(), naive[usize::from(from)].clone());
                    let real = clocks[usize::from(at)].merge(&known).map_err(|why| merge_refusal(&why));
                    prop_assert_eq!(&real, &naive[usize::from(at)].learn(at, &knowledge));
                    refusals += u64::from(real.is_err());
                }
                Command::Forge { at, about, counter } => {
                    let forged = VersionVector::<u8, Fixed<1>>::from_sorted([Dot::try_new(about, counter).unwrap()]).unwrap();
                    let counters = BTreeMap::from([(about, counter)]);
                    let events = (1..=counter).map(|counter| (about, counter)).collect();
                    let real = clocks[usize::from(at)].merge(&forged).map_err(|why| merge_refusal(&why));
                    prop_assert_eq!(&real, &naive[usize::from(at)].learn(at, &Naive { counters, events }));
                    refusals += u64::from(real.is_err());
                }
            }
            for (clock, model) in clocks.iter().zip(&naive) {
                let entries = clock.vector().iter().map(|dot| (dot.actor(), dot.counter()));
                prop_assert!(entries.eq(model.counters.iter().map(|(actor, counter)| (*actor, *counter))));
            }
        }
        for (left, left_model) in &stamps {
            for (right, right_model) in &stamps {
                prop_assert_eq!(left.vector().causality(right.vector()), left_model.causality(right_model));
            }
        }
        let counted: u64 = clocks.iter().map(|clock| {
            let seen = clock.snapshot();
            seen.jump_exceeded + seen.unissued + seen.capacity + seen.overflow
        }).sum();
        prop_assert_eq!(counted, refusals, "every refusal is counted");
    }

    /// Without forgeries, which make two claims of one event.
    #[test]
    fn one_look_up_tells_what_happened_before(script in vec((0..CLOCKS, any::<prop::sample::Index>(), any::<bool>()), 0..40)) {
        let mut clocks: Vec<_> = (0..CLOCKS).map(VectorClock::<u8, Fixed<{ CLOCKS as usize }>>::new).collect();
        let mut histories = vec![BTreeSet::new(); usize::from(CLOCKS)];
        let mut stamps: Vec<(Stamp<u8, _>, BTreeSet<Dot<u8>>)> = Vec::new();
        for (at, message, receive) in script {
            let at = usize::from(at);
            let stamp = if receive && !stamps.is_empty() {
                let (message, history) = &stamps[message.index(stamps.len())];
                histories[at].extend(history);
                clocks[at].observe(message).unwrap()
            } else {
                clocks[at].tick().unwrap()
            };
            histories[at].insert(stamp.dot());
            stamps.push((stamp, histories[at].clone()));
        }
        for (left, _) in &stamps {
            for (right, right_history) in &stamps {
                let before = left.dot() != right.dot() && right_history.contains(&left.dot());
                prop_assert_eq!(left.happened_before(right), before);
                prop_assert_eq!(left.causality(right), left.vector().causality(right.vector()));
            }
        }
    }
}

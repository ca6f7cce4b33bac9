//! Operation sequences on `MatrixClock`, against rows of plain sets of events.

use std::collections::{BTreeMap, BTreeSet};

use arbitrary::{Arbitrary, Unstructured};
use vector_clock::{
    Dot, Heap, MatrixClock, MatrixMergeError, MatrixObserveError, MaxJump, MergeError, ObserveError,
    RetireError, Stamp, VersionVector,
};

#[derive(Arbitrary, Debug)]
struct Script {
    jump: u8,
    steps: Vec<Step>,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Step {
    Tick {
        at: u8,
    },
    Send {
        at: u8,
    },
    Receive {
        at: u8,
        message: u8,
    },
    Report {
        at: u8,
        from: u8,
    },
    /// What `speaker` never said.
    Forge {
        at: u8,
        speaker: u8,
        entries: [(u8, u8); 2],
    },
    Admit {
        at: u8,
        actor: u8,
        entry: (u8, u8),
    },
    Retire {
        at: u8,
        actor: u8,
        is_lossy: bool,
    },
}

/// So many steps are enough to find what there is, and keep one input fast.
const MAX_STEPS: usize = 60;
const CLOCKS: u8 = 3;
const ACTORS: u8 = 5;
const MAX_MEMBERS: usize = 4;

type Events = BTreeSet<(u8, u64)>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    Stranger(u8),
    Jump,
    Unissued,
    Capacity,
    NotStable,
}

/// What a member knows, and what it has heard that the others know.
struct Model {
    own: u8,
    rows: BTreeMap<u8, Events>,
    jump: u64,
}

fn latest(events: &Events, actor: u8) -> u64 {
    events.range((actor, 0)..=(actor, u64::MAX)).next_back().map_or(0, |(_, counter)| *counter)
}

fn up_to(entries: impl IntoIterator<Item = (u8, u8)>) -> Events {
    let events = |(actor, counter)| (1..=u64::from(counter % 24)).map(move |c| (actor % ACTORS, c));
    entries.into_iter().flat_map(events).collect()
}

impl Model {
    fn known(&self) -> &Events {
        &self.rows[&self.own]
    }

    fn learn(&mut self, speaker: u8, events: &Events) -> Result<(), Refusal> {
        if !self.rows.contains_key(&speaker) {
            return Err(Refusal::Stranger(speaker));
        }
        let mut new = events.difference(self.known());
        if let Some((stranger, _)) = new.find(|(actor, _)| !self.rows.contains_key(actor)) {
            return Err(Refusal::Stranger(*stranger));
        }
        if events.iter().any(|(actor, counter)| *counter > latest(self.known(), *actor) + self.jump) {
            return Err(Refusal::Jump);
        }
        if latest(events, self.own) > latest(self.known(), self.own) {
            return Err(Refusal::Unissued);
        }
        for member in [self.own, speaker] {
            self.rows.entry(member).or_default().extend(events);
        }
        Ok(())
    }

    fn tick(&mut self) {
        let next = (self.own, latest(self.known(), self.own) + 1);
        self.rows.entry(self.own).or_default().insert(next);
    }

    fn cut(&self) -> Events {
        self.rows.values().fold(self.known().clone(), |common, row| &common & row)
    }

    fn admit(&mut self, actor: u8, events: &Events) -> Result<(), Refusal> {
        if !self.rows.contains_key(&actor) {
            if self.rows.len() >= MAX_MEMBERS {
                return Err(Refusal::Capacity);
            }
            self.rows.insert(actor, events & self.known());
        }
        Ok(())
    }

    fn retire(&mut self, actor: u8, is_lossy: bool) -> Result<u64, Refusal> {
        if actor == self.own || !self.rows.contains_key(&actor) {
            return Err(Refusal::Stranger(actor));
        }
        let last = latest(self.known(), actor);
        let mut others = self.rows.iter().filter(|(member, _)| **member != actor);
        if !is_lossy && others.any(|(_, row)| latest(row, actor) < last) {
            return Err(Refusal::NotStable);
        }
        self.rows.remove(&actor);
        Ok(last)
    }
}

fn vector(events: &Events) -> VersionVector<u8, Heap> {
    let mut vector = VersionVector::new();
    for &(actor, counter) in events {
        vector.record(Dot::try_new(actor, counter).expect("in range")).expect("it grows");
    }
    vector
}

fn of_merge(why: MatrixMergeError<u8>) -> Refusal {
    match why {
        MatrixMergeError::UnknownMember(why) => Refusal::Stranger(why.actor()),
        MatrixMergeError::Merge(MergeError::JumpExceeded(_)) => Refusal::Jump,
        MatrixMergeError::Merge(MergeError::Unissued(_)) => Refusal::Unissued,
        _ => panic!("{why}"),
    }
}

fn of_observe(why: MatrixObserveError<u8>) -> Refusal {
    match why {
        MatrixObserveError::UnknownMember(why) => Refusal::Stranger(why.actor()),
        MatrixObserveError::Observe(ObserveError::JumpExceeded(_)) => Refusal::Jump,
        MatrixObserveError::Observe(ObserveError::Unissued(_)) => Refusal::Unissued,
        _ => panic!("{why}"),
    }
}

fn of_retire(why: RetireError<u8>) -> Refusal {
    match why {
        RetireError::UnknownMember(why) => Refusal::Stranger(why.actor()),
        RetireError::NotStable(why) => {
            assert!(why.knows() < why.latest());
            Refusal::NotStable
        }
        _ => panic!("{why}"),
    }
}

pub fn run(data: &[u8]) {
    let Ok(script) = Script::arbitrary(&mut Unstructured::new(data)) else { return };
    let jump = u64::from(script.jump % 16) + 1;
    let new = |own| {
        let clock = MatrixClock::try_new(own, 0..CLOCKS, MAX_MEMBERS).expect("there is room");
        clock.with_max_jump(MaxJump::AtMost(jump))
    };
    let mut reals: Vec<_> = (0..CLOCKS).map(new).collect();
    let rows: BTreeMap<_, _> = (0..CLOCKS).map(|actor| (actor, Events::new())).collect();
    let mut models: Vec<_> = (0..CLOCKS).map(|own| Model { own, rows: rows.clone(), jump }).collect();
    let mut messages: Vec<(Stamp<u8, Heap>, Events)> = Vec::new();
    // While nobody lies and nobody is dropped, what is stable really is known to all.
    let mut is_honest = true;
    for step in script.steps.iter().take(MAX_STEPS) {
        let (Step::Tick { at }
        | Step::Send { at }
        | Step::Receive { at, .. }
        | Step::Report { at, .. }
        | Step::Forge { at, .. }
        | Step::Admit { at, .. }
        | Step::Retire { at, .. }) = *step;
        let at = usize::from(at % CLOCKS);
        let (real, model) = (&mut reals[at], &mut models[at]);
        match *step {
            Step::Tick { .. } | Step::Send { .. } => {
                let stamp = real.tick().expect("far from the last event");
                model.tick();
                assert_eq!(stamp.dot().counter(), latest(model.known(), model.own));
                if matches!(step, Step::Send { .. }) {
                    messages.push((stamp, model.known().clone()));
                }
            }
            Step::Receive { message, .. } => {
                let Some((message, events)) = messages.get(usize::from(message)).cloned() else { continue };
                let received = real.observe(&message);
                let expected = model.learn(message.dot().actor(), &events).map(|()| model.tick());
                assert_eq!(received.map(|_| ()).map_err(of_observe), expected);
            }
            Step::Report { from, .. } => {
                let from = from % CLOCKS;
                let events = models[usize::from(from)].known().clone();
                let merged = reals[at].merge(from, &vector(&events));
                assert_eq!(merged.map_err(of_merge), models[at].learn(from, &events));
            }
            Step::Forge { speaker, entries, .. } => {
                is_honest = false;
                let events = up_to(entries);
                let merged = real.merge(speaker % ACTORS, &vector(&events));
                assert_eq!(merged.map_err(of_merge), model.learn(speaker % ACTORS, &events));
            }
            Step::Admit { actor, entry, .. } => {
                is_honest = false;
                let events = up_to([entry]);
                let admitted = real.admit(actor % ACTORS, &vector(&events));
                assert_eq!(admitted.map_err(|_| Refusal::Capacity), model.admit(actor % ACTORS, &events));
            }
            Step::Retire { actor, is_lossy, .. } => {
                is_honest = false;
                let actor = actor % ACTORS;
                let retired = if is_lossy {
                    real.retire_lossy(actor).map_err(|why| Refusal::Stranger(why.actor()))
                } else {
                    real.retire(actor).map_err(of_retire)
                };
                assert_eq!(retired, model.retire(actor, is_lossy));
            }
        }
        compare(&reals[at], &models[at]);
        let cut = models[at].cut();
        assert!(!is_honest || models.iter().all(|model| cut.is_subset(model.known())));
    }
}

fn compare(real: &MatrixClock<u8>, model: &Model) {
    assert_eq!(real.member_count(), model.rows.len());
    for actor in 0..ACTORS {
        assert_eq!(real.row(actor).cloned(), model.rows.get(&actor).map(vector));
    }
    let cut = real.stable_cut();
    assert_eq!(*cut.vector(), vector(&model.cut()));
    let mut stripped = real.vector().clone();
    cut.strip(&mut stripped).expect("a clock's own vector is above its cut");
    assert!(stripped.iter().all(|dot| !cut.contains(dot)), "what is as the cut has it is gone");
    cut.restore(&mut stripped).expect("it grows");
    assert_eq!(stripped, *real.vector());
}

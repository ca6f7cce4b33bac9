//! Operation sequences on `IntervalTreeClock`, against sets of events; and hostile clocks, against the laws.

use std::collections::BTreeSet;

use arbitrary::{Arbitrary, Unstructured};
use vector_clock::{Causality, IntervalTreeClock, IntervalTreeError, MaxJump, NodeBudget};

#[derive(Arbitrary, Debug)]
struct Script {
    budget: Option<u8>,
    steps: Vec<Step>,
    hostile: [Vec<u8>; 2],
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Step {
    Fork {
        at: u8,
    },
    Join {
        at: u8,
        leaving: u8,
    },
    Event {
        at: u8,
    },
    Send {
        at: u8,
        to: u8,
    },
    Merge {
        at: u8,
        from: u8,
    },
    /// A clock is written down and read again.
    Store {
        at: u8,
    },
}

/// So many steps are enough to find what there is, and keep one input fast.
const MAX_STEPS: usize = 100;
const MAX_REPLICAS: usize = 12;

/// A clock, and the events that it knows of.
struct Replica {
    clock: IntervalTreeClock,
    events: BTreeSet<usize>,
}

impl Replica {
    /// An event that has happened exactly when it was counted.
    fn event(&mut self, event: usize) -> bool {
        let before = self.clock.to_bytes();
        match self.clock.event() {
            Ok(()) => self.events.insert(event),
            Err(IntervalTreeError::Budget(why)) => {
                assert!(why.nodes() > why.budget());
                assert_eq!(self.clock.to_bytes(), before, "what is refused changes nothing");
                false
            }
            Err(why) => panic!("{why}"),
        }
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

pub fn run(data: &[u8]) {
    let Ok(script) = Script::arbitrary(&mut Unstructured::new(data)) else { return };
    honest(&script);
    let [a, b] = &script.hostile;
    let read = |bytes: &[u8]| IntervalTreeClock::from_bytes(bytes, NodeBudget::DEFAULT).ok();
    for bytes in [a, b] {
        if let Some(clock) = read(bytes) {
            fork_and_join(&clock);
        }
    }
    if let (Some(a), Some(b)) = (read(a), read(b)) {
        laws(&a, &b);
        laws(&b, &a);
    }
}

fn honest(script: &Script) {
    let budget = script.budget.map_or(NodeBudget::DEFAULT, |nodes| NodeBudget::new(nodes.into()));
    let seed = IntervalTreeClock::seed().with_budget(budget).expect("a seed fits into every budget");
    let mut live = vec![Replica { clock: seed, events: BTreeSet::new() }];
    for (event, step) in script.steps.iter().take(MAX_STEPS).enumerate() {
        let (Step::Fork { at }
        | Step::Join { at, .. }
        | Step::Event { at }
        | Step::Send { at, .. }
        | Step::Merge { at, .. }
        | Step::Store { at }) = *step;
        let at = usize::from(at) % live.len();
        match *step {
            Step::Fork { .. } => {
                let is_room = live.len() < MAX_REPLICAS;
                let one = &mut live[at];
                let before = one.clock.to_bytes();
                match one.clock.fork() {
                    Ok(mut clock) => {
                        assert!(!clock.is_anonymous() && clock.causality(&one.clock) == Causality::Equal);
                        let events = one.events.clone();
                        if is_room {
                            live.push(Replica { clock, events });
                        } else {
                            one.clock.join(&mut clock).expect("what was one may be one again");
                            assert_eq!(one.clock.to_bytes(), before);
                        }
                    }
                    Err(_) => assert_eq!(one.clock.to_bytes(), before),
                }
            }
            Step::Join { leaving, .. } => {
                let leaving = usize::from(leaving) % live.len();
                if leaving == at {
                    continue;
                }
                let mut gone = live.swap_remove(leaving);
                // The last one has taken the place of the one that leaves.
                let at = if at == live.len() { leaving } else { at };
                let before = (live[at].clock.to_bytes(), gone.clock.to_bytes());
                match live[at].clock.join(&mut gone.clock) {
                    Ok(()) => {
                        assert!(gone.clock.is_anonymous());
                        live[at].events.append(&mut gone.events);
                    }
                    Err(IntervalTreeError::Budget(_)) => {
                        assert_eq!((live[at].clock.to_bytes(), gone.clock.to_bytes()), before);
                        live.push(gone);
                    }
                    Err(why) => panic!("{why}"),
                }
            }
            Step::Event { .. } => {
                live[at].event(event);
            }
            Step::Send { to, .. } => {
                let to = usize::from(to) % live.len();
                if !live[at].event(2 * MAX_STEPS + event) || to == at {
                    continue;
                }
                let (message, known) = (live[at].clock.peek(), live[at].events.clone());
                let receiver = &mut live[to];
                let before = receiver.clock.to_bytes();
                match receiver.clock.observe(&message) {
                    Ok(()) => {
                        receiver.events.extend(known);
                        receiver.events.insert(event);
                    }
                    Err(IntervalTreeError::Budget(_)) => assert_eq!(receiver.clock.to_bytes(), before),
                    Err(why) => panic!("{why}"),
                }
            }
            Step::Merge { from, .. } => {
                let from = usize::from(from) % live.len();
                let (known, events) = (live[from].clock.peek(), live[from].events.clone());
                let one = &mut live[at];
                let before = one.clock.to_bytes();
                match one.clock.merge(&known) {
                    Ok(()) => one.events.extend(events),
                    Err(IntervalTreeError::Budget(_)) => assert_eq!(one.clock.to_bytes(), before),
                    Err(why) => panic!("{why}"),
                }
            }
            Step::Store { .. } => {
                let one = &mut live[at];
                let read = IntervalTreeClock::from_bytes(&one.clock.to_bytes(), budget);
                assert_eq!(read.as_ref(), Ok(&one.clock));
                one.clock = read.expect("it was just compared");
            }
        }
        for one in &live {
            assert!(one.clock.node_count() <= budget.nodes());
            for other in &live {
                assert_eq!(one.clock.causality(&other.clock), one.causality(other));
                assert_eq!(one.clock.leq(&other.clock), one.events.is_subset(&other.events));
            }
        }
    }
    fold(live);
}

/// When all have left again, one owns everything, and needs one number for it.
fn fold(mut live: Vec<Replica>) {
    let last = live.pop().expect("somebody is left");
    let mut clock = last.clock.with_budget(NodeBudget::DEFAULT).expect("a wider budget");
    for mut leaving in live {
        clock.join(&mut leaving.clock).expect("their parts are disjoint");
    }
    clock.event().expect("it owns everything");
    assert_eq!(clock.node_count(), 2);
}

/// The same clock a second time, which only a test may have.
fn copy(clock: &IntervalTreeClock) -> IntervalTreeClock {
    IntervalTreeClock::from_bytes(&clock.to_bytes(), NodeBudget::DEFAULT).expect("it was read before")
}

fn fork_and_join(clock: &IntervalTreeClock) {
    let mut one = copy(clock);
    if let Ok(mut other) = one.fork() {
        assert_eq!(one.is_anonymous(), clock.is_anonymous());
        assert_eq!(other.is_anonymous(), clock.is_anonymous());
        if !clock.is_anonymous() {
            assert_eq!(copy(clock).join(&mut copy(&one)), Err(IntervalTreeError::Overlap));
        }
        one.join(&mut other).expect("its own half");
    }
    assert_eq!(one, *clock);
}

/// Clocks that no execution explains: no call panics, and the answers are still those of a join semilattice.
fn laws(a: &IntervalTreeClock, b: &IntervalTreeClock) {
    assert_eq!(a.causality(b), b.causality(a).reverse());
    let (mut ab, mut ba) = (copy(a), copy(b));
    if ab.merge_committed(b).is_ok() && ba.merge_committed(a).is_ok() {
        assert_eq!(ab.causality(&ba), Causality::Equal);
        assert!(a.leq(&ab) && b.leq(&ab));
        assert_eq!(a.leq(b), ab.causality(b) == Causality::Equal);
        let again = ab.to_bytes();
        assert!(ab.merge_committed(b).is_ok() && ab.to_bytes() == again, "idempotent");
        // The bounded door gives the same, or leaves the clock alone.
        let mut bounded = copy(a).with_max_jump(MaxJump::AtMost(1_000));
        match bounded.merge(b) {
            Ok(()) => assert_eq!(bounded, ab),
            Err(IntervalTreeError::Jump(why)) => assert!(why.ahead() > 1_000 && bounded == *a),
            Err(why) => panic!("{why}"),
        }
    }
    let mut counted = copy(a);
    match counted.event() {
        Ok(()) => assert_eq!(a.causality(&counted), Causality::Before),
        Err(IntervalTreeError::Anonymous) => assert!(a.is_anonymous() && counted == *a),
        Err(_) => assert_eq!(counted, *a),
    }
    let (mut joined, mut leaving) = (copy(a), copy(b));
    match joined.join(&mut leaving) {
        Ok(()) => assert!(leaving.is_anonymous() && a.leq(&joined) && b.leq(&joined)),
        Err(_) => assert!(joined == *a && leaving == *b),
    }
    let mut received = copy(a);
    match received.observe(b) {
        Ok(()) => assert!(a.causality(&received) == Causality::Before && b.leq(&received)),
        Err(_) => assert_eq!(received, *a),
    }
}

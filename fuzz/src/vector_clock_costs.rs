//! What the calls of `vector-clock` cost on long, hostile values: bytes allocated, and steps as far as a type can count
//! them (an actor its conversions and comparisons, a value its copies, a message its looks). Each is at most in
//! proportion to what came in.

use core::cell::Cell;
use core::cmp::Ordering;
use core::hash::{Hash, Hasher};

use arbitrary::{Arbitrary, Unstructured};
use vector_clock::{
    Actor, BufferLimits, Causal, CausalBuffer, Delta, Dot, DotRange, DotSet, DvvLimits, DvvSet, Heap,
    IntervalTreeClock, Limits, MatrixClock, MaxJump, NodeBudget, Stamp, VectorClock, VersionVector,
};

use crate::bounds::{Bound, bounded};

#[derive(Arbitrary, Debug)]
struct Script {
    vectors: [Vec<(u16, u8)>; 2],
    messages: Vec<(u8, u8, u8)>,
}

/// Long enough to tell a square from a line.
const MAX_ENTRIES: usize = 600;

/// Of vectors: an entry has 10 bytes, and is copied at most twice, into a list with room for both sides.
const VECTOR: Bound = Bound::total(256, 40);
/// Of sets of ranges: 24 bytes a range, and lists that double.
const RANGES: Bound = Bound::total(512, 200);
/// Of sibling sets: 24 bytes a value, and a context.
const SIBLINGS: Bound = Bound::total(512, 200);
/// Of a buffer: a message with what it waits for, in tables that double.
const MESSAGES: Bound = Bound::total(4 << 10, 600);
/// Of trees: 16 bytes a node, in lists that double, of which a call has a few.
const NODES: Bound = Bound::total(1 << 10, 400);
/// Of each row of a matrix.
const ROWS: Bound = Bound::total(256, 40);

/// A message is looked at when it comes, and when it goes; and once for each entry that it waited for.
const LOOKS_A_MESSAGE: u64 = 8;

thread_local! {
    static STEPS: Cell<u64> = const { Cell::new(0) };
    /// How often a message was looked at.
    static LOOKS: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    STEPS.set(STEPS.get() + 1);
}

/// Does the call in so many steps for each of `n`, and so many more.
#[track_caller]
fn costs<T>(fixed: u64, each: u64, n: usize, bound: Bound, call: impl FnOnce() -> T) -> T {
    STEPS.set(0);
    let done = bounded(bound, n, call);
    let (steps, limit) = (STEPS.get(), fixed + each * n as u64);
    assert!(steps <= limit, "{steps} steps for {n}, where {limit} were allowed");
    done
}

/// An actor that counts what is done with it.
#[derive(Clone, Copy, Debug)]
struct Counted(u16);

impl Actor for Counted {
    type Key = u16;

    fn to_key(self) -> u16 {
        count();
        self.0
    }

    fn from_key(key: u16) -> Option<Self> {
        count();
        Some(Self(key))
    }
}

impl Hash for Counted {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.0.hash(hasher);
    }
}

impl PartialEq for Counted {
    fn eq(&self, other: &Self) -> bool {
        count();
        self.0 == other.0
    }
}

impl Eq for Counted {}

impl PartialOrd for Counted {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Counted {
    fn cmp(&self, other: &Self) -> Ordering {
        count();
        self.0.cmp(&other.0)
    }
}

/// A value that counts its copies.
#[derive(Debug)]
struct Copied;

impl Clone for Copied {
    fn clone(&self) -> Self {
        count();
        Self
    }
}

/// A message that counts how often it is looked at.
struct Looked(Stamp<Counted, Heap>);

impl Causal for Looked {
    type Actor = Counted;
    type Storage = Heap;

    fn stamp(&self) -> &Stamp<Counted, Heap> {
        LOOKS.set(LOOKS.get() + 1);
        &self.0
    }
}

type Vector = VersionVector<Counted, Heap>;

pub fn run(data: &[u8]) {
    if let Some((&split, rest)) = data.split_first()
        && let Some((left, right)) = rest.split_at_checked(split.into())
        && let Ok(left) = IntervalTreeClock::from_bytes(left, NodeBudget::DEFAULT)
        && let Ok(right) = IntervalTreeClock::from_bytes(right, NodeBudget::DEFAULT)
    {
        return trees(&left, &right);
    }
    let Ok(script) = Script::arbitrary(&mut Unstructured::new(data)) else { return };
    let [a, b] = script.vectors.each_ref().map(|entries| vector(entries));
    vectors(&a, &b);
    clocks(&a, &b);
    ranges(&a, &b);
    siblings(&a, &b);
    matrix(&a, &b);
    messages(&script.messages);
}

/// Entries in the order of their actors; each list is made twice as long by neighbours.
fn vector(entries: &[(u16, u8)]) -> Vector {
    let mut dots: Vec<(u16, u64)> = entries
        .iter()
        .flat_map(|(actor, counter)| {
            [(*actor, u64::from(*counter) + 1), (actor ^ 1, u64::from(*counter / 2) + 1)]
        })
        .take(MAX_ENTRIES)
        .collect();
    dots.sort_unstable();
    dots.dedup_by_key(|(actor, _)| *actor);
    let dots =
        dots.into_iter().map(|(actor, counter)| Dot::try_new(Counted(actor), counter).expect("in range"));
    VersionVector::from_sorted(dots).expect("it grows")
}

fn vectors(a: &Vector, b: &Vector) {
    let n = a.len() + b.len();
    let _order = costs(2, 4, n, Bound::NOTHING, || a.causality(b));
    costs(2, 4, n, VECTOR, || a.glb(b));
    costs(2, 4, n, VECTOR, || a.clone().merge(b)).expect("it grows");
    let bytes = costs(2, 2, a.len(), Bound::total(64, 20), || a.to_bytes());
    let limits = Limits::new().with_max_entries(usize::MAX).with_max_jump(MaxJump::Unbounded);
    let read = costs(2, 4, bytes.len(), VECTOR, || Vector::decode(&bytes, &limits));
    assert_eq!(read.as_ref(), Ok(a));
    // What is cut has claimed more entries than it has.
    for cut in [bytes.len() / 2, bytes.len() - 1] {
        assert!(costs(2, 4, cut, VECTOR, || Vector::decode(&bytes[..cut], &limits)).is_err());
    }
    if let Ok(delta) = costs(2, 4, n, VECTOR, || Delta::<Counted, Heap>::between(a, b)) {
        assert_eq!(costs(2, 4, n, VECTOR, || delta.apply(a)).as_ref(), Ok(b));
    }
}

fn clocks(a: &Vector, b: &Vector) {
    let (own, sender) = (Counted(u16::MAX), Counted(u16::MAX - 1));
    let clock = |own: Counted, known: &Vector| {
        let known = known.iter().filter(|dot| dot.actor().0 < u16::MAX - 1);
        let known = Vector::from_sorted(known).expect("it grows");
        VectorClock::resume(own, known).expect("it has room").with_max_jump(MaxJump::Unbounded)
    };
    let (mut receiver, mut peer) = (clock(own, a), clock(sender, b));
    let n = a.len() + b.len() + 2;
    let message = costs(8, 2, n, VECTOR, || peer.tick()).expect("far from the last event");
    costs(8, 4, n, VECTOR, || receiver.merge(peer.vector())).expect("nobody lies");
    costs(8, 4, n, VECTOR, || receiver.observe(&message)).expect("nobody lies");
    // Twice is once, and costs the same.
    let before = receiver.vector().clone();
    costs(8, 4, n, VECTOR, || receiver.merge(peer.vector())).expect("nobody lies");
    assert_eq!(*receiver.vector(), before);
}

fn ranges(a: &Vector, b: &Vector) {
    let n = a.len() + b.len();
    // Holes: of each actor the last event alone.
    let set = |vector: &Vector| {
        let ranges = vector.iter().map(DotRange::from);
        DotSet::from_sorted(ranges, DotSet::<Counted>::DEFAULT_LIMIT).expect("fewer than the limit")
    };
    let (mut left, right) = (set(a), set(b));
    let _order = costs(2, 4, n, Bound::NOTHING, || left.causality(&right));
    costs(2, 4, n, RANGES, || left.difference(&right)).expect("fewer than the limit");
    costs(2, 4, n, RANGES, || left.union(&right)).expect("fewer than the limit");
    costs(2, 8, n, RANGES, || left.missing_from(&right).count());
    costs(2, 4, 2 * n, RANGES, || left.union_vector(b)).expect("fewer than the limit");
}

fn siblings(a: &Vector, b: &Vector) {
    let limits = DvvLimits::DEFAULT.with_actors(2 * MAX_ENTRIES).with_siblings(2 * MAX_ENTRIES);
    let set = |context: &Vector| {
        let values: Vec<_> = context.iter().map(|dot| (dot, Copied)).collect();
        DvvSet::from_parts(context.clone(), values, limits).expect("the context has them")
    };
    let (mut left, right) = (set(a), set(b));
    let n = left.len() + right.len();
    costs(2, 4, n, SIBLINGS, || left.sync_committed(&right)).expect("fewer than the limit");
    // Twice is once.
    costs(2, 4, 2 * n, SIBLINGS, || left.sync_committed(&right)).expect("fewer than the limit");
    let context = left.join().clone();
    let written = costs(8, 4, n, SIBLINGS, || left.update(&context, Counted(1), Copied));
    assert!(written.is_ok() && left.len() == 1, "it has read all that there was");
}

fn matrix(a: &Vector, b: &Vector) {
    let members: Vec<_> = a.iter().map(|dot| dot.actor()).take(30).collect();
    let n = members.len() + 1;
    let own = Counted(u16::MAX);
    let made = MatrixClock::try_new(own, members.iter().copied(), n + 1);
    let Ok(mut matrix) = made.map(|matrix| matrix.with_max_jump(MaxJump::Unbounded)) else { return };
    let size = n * n + a.len() + b.len();
    for (member, vector) in members.iter().zip([a, b]) {
        let _merged_or_refused = costs(8, 8, size, ROWS, || matrix.merge(*member, vector));
    }
    costs(8, 8, size, ROWS, || matrix.stable_cut());
}

/// Messages that wait for each other, in the worst order for the buffer.
fn messages(messages: &[(u8, u8, u8)]) {
    const SENDERS: u8 = 16;
    let mut buffer = CausalBuffer::<Looked, Heap>::with_limits(BufferLimits::DEFAULT);
    for sender in 0..SENDERS {
        buffer.admit(Counted(sender.into())).expect("there is room");
    }
    let mut entries = SENDERS.into();
    let all = messages.iter().take(MAX_ENTRIES).filter_map(|(sender, counter, behind)| {
        let sender = sender % SENDERS;
        let counter = u64::from(counter % 60) + 1;
        let others =
            (0..SENDERS).filter(|other| *other != sender).map(|other| (other, u64::from(behind % 4)));
        let mut dots: Vec<_> =
            others.chain([(sender, counter)]).filter(|(_, counter)| *counter > 0).collect();
        dots.sort_unstable();
        let dots = dots
            .into_iter()
            .map(|(actor, counter)| Dot::try_new(Counted(actor.into()), counter).expect("in range"));
        let vector = VersionVector::from_sorted(dots).expect("it grows");
        entries += vector.len();
        Stamp::try_new(vector.dot(Counted(sender.into()))?, vector).ok()
    });
    let all: Vec<_> = all.map(Looked).collect();
    let looks = LOOKS_A_MESSAGE * all.len() as u64 + entries as u64;
    LOOKS.set(0);
    costs(SENDERS.into(), 4, entries, MESSAGES, || {
        for message in all {
            let _delivered_or_waiting = buffer.receive(message);
            while buffer.pop_ready().is_some() {}
        }
    });
    assert!(LOOKS.get() <= looks, "{} looks, where {looks} were allowed", LOOKS.get());
}

fn trees(a: &IntervalTreeClock, b: &IntervalTreeClock) {
    let copy = |clock: &IntervalTreeClock| {
        IntervalTreeClock::from_bytes(&clock.to_bytes(), NodeBudget::DEFAULT).expect("it was read before")
    };
    let n = a.node_count() + b.node_count();
    let (mut one, mut other) = (copy(a), copy(b));
    bounded(NODES, n, || a.leq(b));
    let _order = bounded(NODES, n, || a.causality(b));
    let _merged = bounded(NODES, n, || one.merge_committed(b));
    let _joined = bounded(NODES, n, || copy(a).join(&mut other));
    let _counted = bounded(NODES, n, || copy(a).event());
    let _received = bounded(NODES, 2 * n, || copy(a).observe(b));
    let _forked = bounded(NODES, n, || copy(a).fork());
    bounded(NODES, n, || a.to_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_cost_no_more_for_each_entry_than_short_ones() {
        let entries: Vec<_> =
            (0..MAX_ENTRIES as u16).map(|actor| (actor.wrapping_mul(251), actor as u8)).collect();
        let [low, high] = [&entries[..400], &entries[200..]].map(vector);
        for (a, b) in [(&low, &high), (&low, &low), (&high, &Vector::new())] {
            vectors(a, b);
            clocks(a, b);
            ranges(a, b);
            siblings(a, b);
            matrix(a, b);
        }
    }

    #[test]
    fn wide_trees_cost_no_more_for_each_node_than_small_ones() {
        let mut clocks = vec![IntervalTreeClock::seed()];
        for _ in 0..7 {
            let halves: Vec<_> =
                clocks.iter_mut().map(|clock| clock.fork().expect("within the budget")).collect();
            clocks.extend(halves);
            for (number, clock) in clocks.iter_mut().enumerate() {
                (0..number % 3).for_each(|_| clock.event().expect("within the budget"));
            }
        }
        let (mut wide, rest) = (clocks.swap_remove(0), clocks);
        rest.iter().for_each(|other| wide.merge(&other.peek()).expect("within the budget"));
        assert!(wide.node_count() > 200);
        for other in rest.iter().step_by(20) {
            trees(&wide, other);
            trees(other, &wide);
        }
    }

    #[test]
    fn messages_that_come_in_the_reverse_order_cost_no_more_for_each() {
        let waiting = (0..MAX_ENTRIES).map(|number| ((number % 16) as u8, (40 - number / 16) as u8, 0));
        messages(&waiting.collect::<Vec<_>>());
        let tied =
            (0..MAX_ENTRIES).map(|number| ((number % 16) as u8, (number / 16 + 1) as u8, (number % 4) as u8));
        messages(&tied.collect::<Vec<_>>());
    }
}

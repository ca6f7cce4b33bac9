//! What is learned twice is known once: of two replicas that go through one history, one is told everything twice that may
//! be told twice, and neither its state, its bytes nor its counts are another's.

use core::fmt::Debug;

use proptest::prelude::*;
use vector_clock::{
    BufferLimits, CausalBuffer, Delta, DenseVector, Dot, DotRange, DotSet, DvvLimits, DvvSet, Heap,
    IntervalTreeClock, Limits, MatrixClock, MaxJump, NodeBudget, Received, SharedVectorClock, Stamp,
    VectorClock, VersionVector,
};

use crate::oracle::Choices;

type Vector = VersionVector<u8, Heap>;

const REPLICAS: u8 = 3;

fn dot(actor: u8, counter: u64) -> Dot<u8> {
    Dot::try_new(actor, counter).unwrap()
}

fn below(choices: &mut Choices, bound: u8) -> u8 {
    u8::try_from(choices.below(bound.into())).unwrap()
}

/// Few actors with small counters, and now and then one who is far ahead.
fn vector(choices: &mut Choices) -> Vector {
    let mut vector = Vector::new();
    for actor in 0..REPLICAS {
        let far = if choices.one_in(9) { 1 << 40 } else { 0 };
        let counter = far + u64::from(below(choices, 5));
        if counter > 0 {
            vector.record(dot(actor, counter)).unwrap();
        }
    }
    vector
}

/// Does `call` again, which went as `first` says: the answer is the same, and what `shown` shows of a success too.
fn again<T, S: PartialEq + Debug, E: PartialEq + Debug>(
    subject: &mut T,
    shown: impl Fn(&T) -> S,
    first: &Result<(), E>,
    call: impl FnOnce(&mut T) -> Result<(), E>,
) {
    let before = shown(subject);
    assert_eq!(&call(subject), first, "the answer is another one");
    if first.is_ok() {
        assert_eq!(shown(subject), before, "the second time was not for nothing");
    }
}

fn vectors(seed: u64) {
    let mut choices = Choices::seeded(seed);
    let (mut once, mut twice) = (Vector::new(), Vector::new());
    let (mut dense, mut doubly) = (DenseVector::<3>::new(), DenseVector::<3>::new());
    for _ in 0..12 {
        let other = vector(&mut choices);
        let merge = |vector: &mut Vector| vector.merge(&other);
        let first = merge(&mut once);
        assert_eq!(merge(&mut twice), first);
        again(&mut twice, Vector::to_bytes, &first, merge);
        let event = dot(below(&mut choices, REPLICAS), 1 + u64::from(below(&mut choices, 9)));
        let record = |vector: &mut Vector| vector.record(event);
        let first = record(&mut once);
        assert_eq!(record(&mut twice), first);
        again(&mut twice, Vector::to_bytes, &first, record);
        assert_eq!(once, twice);

        let lanes = DenseVector::try_from_counters([0, 1, 2].map(|actor| other.get(actor))).unwrap();
        let bounded = |dense: &mut DenseVector<3>| dense.merge_bounded(&lanes, MaxJump::AtMost(100));
        let first = bounded(&mut dense);
        assert_eq!(bounded(&mut doubly), first);
        again(&mut doubly, |dense| dense.as_counters().to_vec(), &first, bounded);
        if choices.one_in(4) {
            dense.merge(&lanes);
            doubly.merge(&lanes);
            doubly.merge(&lanes);
        }
        assert_eq!(dense, doubly);

        let delta = Delta::<u8, Heap>::between(&once, &{
            let mut latest = once.clone();
            latest.tick(1).unwrap();
            latest
        });
        if let Ok(delta) = delta {
            let latest = delta.apply(&twice).unwrap();
            assert_eq!(delta.apply(&twice).as_ref(), Ok(&latest));
            assert!(delta.apply(&latest).is_err(), "upon itself it is refused, and not added once more");
        }
    }
}

fn dot_sets(seed: u64) {
    let mut choices = Choices::seeded(seed);
    let (mut once, mut twice) = (DotSet::<u8>::with_limit(6), DotSet::<u8>::with_limit(6));
    let ranges = |set: &DotSet<u8>| set.ranges().collect::<Vec<_>>();
    for _ in 0..20 {
        let first = 1 + u64::from(below(&mut choices, 30));
        let range = DotRange::try_new(below(&mut choices, REPLICAS), first, first + 3).unwrap();
        let mut other = DotSet::new();
        other.insert_range(range).unwrap();
        other.insert(dot(below(&mut choices, REPLICAS), first + 9)).unwrap();
        let known = vector(&mut choices);
        type Call<'c> = &'c dyn Fn(&mut DotSet<u8>) -> Result<(), vector_clock::Capacity>;
        let calls: [Call<'_>; 4] = [
            &|set| set.insert_range(range),
            &|set| set.union(&other),
            &|set| set.union_vector(&known),
            &|set| set.insert(dot(range.actor(), first)).map(drop),
        ];
        let call = calls[choices.below(calls.len())];
        let first = call(&mut once);
        assert_eq!(call(&mut twice), first);
        again(&mut twice, ranges, &first, call);
        assert_eq!(once, twice);
    }
    for range in ranges(&once) {
        assert_eq!(twice.insert(dot(range.actor(), range.first())), Ok(false), "it is there");
    }
    // Everybody knows a part.
    let mut clock = MatrixClock::try_new(0, 0..REPLICAS, 3).unwrap();
    let known = Vector::from_sorted([dot(1, 20), dot(2, 4)]).unwrap();
    for member in [1, 2] {
        clock.merge(member, &known).unwrap();
    }
    let cut = clock.stable_cut();
    assert_eq!(once.prune(&cut), twice.prune(&cut));
    assert_eq!((twice.prune(&cut), ranges(&twice)), (0, ranges(&once)), "pruned once");
}

fn sibling_sets(seed: u64) {
    let mut choices = Choices::seeded(seed);
    let limits = DvvLimits::DEFAULT.with_siblings(4).with_max_jump(MaxJump::AtMost(6));
    let new = || [(); REPLICAS as usize].map(|()| DvvSet::<u8, u64>::with_limits(limits));
    let (mut once, mut twice) = (new(), new());
    let shown = |set: &DvvSet<u8, u64>| {
        (set.join().to_bytes(), set.siblings().map(|(dot, value)| (dot, *value)).collect::<Vec<_>>())
    };
    for value in 0..40 {
        let (at, from) = (below(&mut choices, REPLICAS), usize::from(below(&mut choices, REPLICAS)));
        let here = usize::from(at);
        match choices.below(8) {
            0..4 => {
                // By a client that has read somewhere.
                let (context, other) = (once[from].join().clone(), twice[from].join().clone());
                assert_eq!(once[here].update(&context, at, value), twice[here].update(&other, at, value));
            }
            4 => {
                once[here].lww(u64::cmp);
                twice[here].lww(u64::cmp);
                again(&mut twice[here], shown, &Ok::<(), ()>(()), |set| {
                    set.lww(u64::cmp);
                    Ok(())
                });
            }
            5 => {
                let (left, right) = (once[from].clone(), twice[from].clone());
                let first = once[here].sync_committed(&left);
                assert_eq!(twice[here].sync_committed(&right), first);
                again(&mut twice[here], shown, &first, |set| set.sync_committed(&right));
            }
            _ => {
                let (left, right) = (once[from].clone(), twice[from].clone());
                let first = once[here].sync(&left);
                assert_eq!(twice[here].sync(&right), first);
                again(&mut twice[here], shown, &first, |set| set.sync(&right));
            }
        }
        assert_eq!(once, twice);
    }
}

fn interval_trees(seed: u64) {
    let mut choices = Choices::seeded(seed);
    let new = || vec![IntervalTreeClock::seed().with_max_jump(MaxJump::AtMost(12))];
    let (mut once, mut twice) = (new(), new());
    let shown = |clock: &IntervalTreeClock| (clock.to_bytes(), clock.snapshot());
    let copy = |clock: &IntervalTreeClock| {
        IntervalTreeClock::from_bytes(&clock.to_bytes(), NodeBudget::new(10_000)).unwrap()
    };
    for _ in 0..40 {
        let (here, from) = (choices.below(once.len()), choices.below(once.len()));
        match choices.below(8) {
            0 if once.len() < 5 => {
                for clocks in [&mut once, &mut twice] {
                    let forked = clocks[here].fork().unwrap();
                    clocks.push(forked);
                }
            }
            1 if here != from => {
                // One that leaves gives all it has, and is nobody when it is asked again.
                let (mut left, mut right) = (once.swap_remove(from), twice.swap_remove(from));
                let here = if here == once.len() { from } else { here };
                let first = once[here].join(&mut left);
                assert_eq!(twice[here].join(&mut right), first);
                again(&mut twice[here], shown, &first, |clock| clock.join(&mut right));
                if first.is_err() {
                    once.push(left);
                    twice.push(right);
                }
            }
            2 | 3 => {
                let (left, right) = (copy(&once[from]), copy(&twice[from]));
                let first = once[here].merge_committed(&left);
                assert_eq!(twice[here].merge_committed(&right), first);
                again(&mut twice[here], shown, &first, |clock| clock.merge_committed(&right));
            }
            4 | 5 => {
                let (left, right) = (once[from].peek(), twice[from].peek());
                let first = once[here].merge(&left);
                assert_eq!(twice[here].merge(&right), first);
                again(&mut twice[here], shown, &first, |clock| clock.merge(&right));
            }
            _ => assert_eq!(twice[here].event(), once[here].event()),
        }
        let bytes =
            |clocks: &[IntervalTreeClock]| clocks.iter().map(IntervalTreeClock::to_bytes).collect::<Vec<_>>();
        assert_eq!(bytes(&once), bytes(&twice));
    }
}

proptest! {
    #[test]
    fn a_vector_that_is_told_everything_twice_is_as_one_that_was_told_once(seed in any::<u64>()) {
        vectors(seed);
    }

    #[test]
    fn a_set_of_events_that_is_told_everything_twice_is_as_one_that_was_told_once(seed in any::<u64>()) {
        dot_sets(seed);
    }

    #[test]
    fn a_key_that_is_synchronised_twice_each_time_is_as_one_that_was_once(seed in any::<u64>()) {
        sibling_sets(seed);
    }

    #[test]
    fn an_interval_tree_clock_that_learns_everything_twice_is_as_one_that_learned_it_once(seed in any::<u64>()) {
        interval_trees(seed);
    }
}

/// The owned clock and the shared one, each beside one that learns twice; and after each step the process may die and go on
/// from what it had kept.
#[test]
fn a_clock_that_learns_everything_twice_also_over_restarts_is_as_one_that_learned_it_once() {
    const JUMP: MaxJump = MaxJump::AtMost(100);
    let mut restarts = 0;
    for seed in 0..200 {
        let mut choices = Choices::seeded(seed);
        let owned = || VectorClock::<u8, Heap>::new(0).with_max_jump(JUMP).with_max_entries(3);
        let shared = || SharedVectorClock::<u8, Heap>::new(0).with_max_jump(JUMP).with_max_entries(3);
        let (mut once, mut twice) = (owned(), owned());
        let (beside, doubly) = (shared(), shared());
        for _ in 0..20 {
            let mut known = vector(&mut choices);
            // Nobody knows events of ours that we did not have; now and then somebody says so all the same.
            if !choices.one_in(6) {
                known.forget_lossy(0);
            }
            let shown = |clock: &VectorClock<u8, Heap>| (clock.vector().to_bytes(), clock.snapshot());
            if choices.one_in(3) {
                assert_eq!(twice.tick().unwrap(), once.tick().unwrap());
                assert_eq!(doubly.tick().unwrap(), beside.tick().unwrap());
            }
            let first = once.merge(&known);
            assert_eq!(
                (twice.merge(&known), beside.merge(&known), doubly.merge(&known)),
                (first, first, first)
            );
            let kept = twice.vector().to_bytes();
            again(&mut twice, shown, &first, |clock| clock.merge(&known));
            let state = |clock: &SharedVectorClock<u8, Heap>| (clock.vector().to_bytes(), clock.snapshot());
            again(&mut { &doubly }, |clock| state(clock), &first, |clock| clock.merge(&known));
            if first.is_err() {
                let count = |seen: vector_clock::Snapshot| seen.jump_exceeded + seen.unissued + seen.capacity;
                assert_eq!(count(doubly.snapshot()), 2 * count(beside.snapshot()), "each is counted");
            } else if choices.one_in(3) {
                // It dies before it has heard that it was told, and is told again.
                restarts += 1;
                let vector = Vector::decode(&kept, &Limits::new()).unwrap();
                let mut next =
                    VectorClock::resume(0, vector).unwrap().with_max_jump(JUMP).with_max_entries(3);
                again(&mut next, shown, &first, |clock| clock.merge(&known));
                twice = next;
            }
            assert_eq!(once.vector(), twice.vector());
            assert_eq!(beside.vector(), doubly.vector());
            assert_eq!(once.vector(), &beside.vector());
        }
    }
    assert!(restarts > 100, "{restarts}");
}

#[test]
fn a_matrix_that_learns_everything_twice_is_as_one_that_learned_it_once() {
    for seed in 0..200 {
        let mut choices = Choices::seeded(seed);
        let new = || MatrixClock::<u8>::try_new(0, [0, 1], 3).unwrap().with_max_jump(MaxJump::AtMost(100));
        let (mut once, mut twice) = (new(), new());
        let shown = |clock: &MatrixClock<u8>| {
            let row = |actor| clock.row(actor).map(Vector::to_bytes);
            (clock.vector().to_bytes(), [0, 1, 2].map(row), clock.member_count(), clock.snapshot())
        };
        for _ in 0..20 {
            let (member, mut known) = (below(&mut choices, REPLICAS), vector(&mut choices));
            known.forget_lossy(0);
            if choices.one_in(5) {
                let admit = |clock: &mut MatrixClock<u8>| clock.admit(member, &known);
                let first = admit(&mut once);
                assert_eq!(admit(&mut twice), first);
                again(&mut twice, shown, &first, admit);
            } else {
                let merge = |clock: &mut MatrixClock<u8>| clock.merge(member, &known);
                let first = merge(&mut once);
                assert_eq!(merge(&mut twice), first);
                again(&mut twice, shown, &first, merge);
            }
            let (cut, other) = (once.stable_cut(), twice.stable_cut());
            assert_eq!(cut.vector(), other.vector());
            let mut stripped = once.vector().clone();
            cut.strip(&mut stripped).unwrap();
            for _ in 0..2 {
                cut.restore(&mut stripped).unwrap();
                assert_eq!(&stripped, once.vector());
            }
        }
        let (first, second) = (once.retire_lossy(1), twice.retire_lossy(1));
        assert_eq!(first, second);
        let before = shown(&twice);
        assert!(twice.retire_lossy(1).is_err(), "gone is gone");
        assert_eq!(shown(&twice), before);
    }
}

/// Every message arrives twice, some time or other: the second is a duplicate, and changes the count of those alone.
#[test]
fn a_message_that_arrives_twice_is_delivered_once_and_in_the_same_place() {
    type Message = (Stamp<u8, Heap>, u64);
    type Buffer = CausalBuffer<Message, Heap>;
    let mut waited = 0;
    for seed in 0..200 {
        let mut choices = Choices::seeded(seed);
        let mut senders = [0, 1, 2].map(VectorClock::<u8, Heap>::new);
        let mut sent: Vec<Message> = Vec::new();
        for number in 0..30 {
            let sender = choices.below(3);
            if let Some((stamp, _)) = sent.get(choices.below(sent.len() + 1)) {
                let known = stamp.vector().clone();
                senders[sender].merge(&known).unwrap();
            }
            sent.push((senders[sender].tick().unwrap(), number));
        }
        let new = || {
            let mut buffer = Buffer::with_limits(BufferLimits::default());
            for member in [0, 1, 2, 1, 0] {
                buffer.admit(member).unwrap();
            }
            buffer
        };
        let (mut once, mut twice) = (new(), new());
        let mut arriving = sent.clone();
        let mut delivered = [Vec::new(), Vec::new()];
        while !arriving.is_empty() {
            let message = arriving.swap_remove(choices.below(arriving.len()));
            for (buffer, delivered) in [&mut once, &mut twice].into_iter().zip(&mut delivered) {
                match buffer.receive(message.clone()).unwrap() {
                    Received::Deliver((_, number)) => delivered.push(number),
                    Received::Waiting => waited += 1,
                    Received::Duplicate => panic!("it arrives for the first time"),
                }
            }
            let shown = |buffer: &Buffer| {
                let mut seen = buffer.snapshot();
                (seen.duplicates, seen.steps) = (0, 0);
                (
                    seen,
                    buffer.missing().collect::<Vec<_>>(),
                    [0, 1, 2].map(|actor| buffer.delivered_of(actor)),
                )
            };
            // Itself again, and one that came at some time before.
            let earlier = sent.iter().filter(|earlier| !arriving.contains(earlier));
            let earlier: Vec<_> = earlier.cloned().collect();
            let before = shown(&twice);
            for message in [message, earlier[choices.below(earlier.len())].clone()] {
                assert_eq!(twice.receive(message), Ok(Received::Duplicate), "seed {seed}");
            }
            assert_eq!(shown(&twice), before, "seed {seed}");
            for (buffer, delivered) in [&mut once, &mut twice].into_iter().zip(&mut delivered) {
                delivered.extend(core::iter::from_fn(|| buffer.pop_ready()).map(|(_, number)| number));
            }
            assert_eq!(shown(&twice), shown(&once), "seed {seed}");
        }
        assert_eq!(delivered[0], delivered[1], "seed {seed}");
        assert_eq!(delivered[1].len(), sent.len(), "seed {seed}");
        assert_eq!(twice.snapshot().duplicates, 2 * once.snapshot().delivered, "seed {seed}");
        let all = senders.iter().fold(Vector::new(), |mut all, sender| {
            all.merge(sender.vector()).unwrap();
            all
        });
        assert_eq!((twice.catch_up(&all), twice.catch_up(&all)), (Ok(0), Ok(0)));
    }
    assert!(waited > 500, "{waited}");
}

//! Every decoder of `vector-clock`: any bytes are refused, or are the one encoding of a value.
//!
//! The input is read as a whole; and, for comparison, as a length byte and two clocks.

use std::collections::BTreeMap;

use vector_clock::{
    Actor, Causality, ClockRef, DecodeError, Delta, Dot, EntryError, Fixed, Heap, IntervalTreeClock,
    IntervalTreeDecodeError, Limits, MaxJump, NodeBudget, Stamp, Storage, VersionVector,
};

use crate::bounds::{Bound, bounded};
use crate::serde_forms::{LISTS, PLAIN, any_format};

/// An entry is a byte at least, and 24 in memory; room is made once.
const VECTOR: Bound = Bound::total(0, 24);
/// A node is a bit, and 16 bytes in memory; the lists of nodes double, and there are a few of them on the way.
const TREE: Bound = Bound::total(512, 8 * 16 * 16);

/// Every id and every number of entries fits.
type Widest = VersionVector<u128, Heap>;

pub fn run(data: &[u8]) {
    clock(data);
    decode_as::<u8, Fixed<4>>(data);
    decode_as::<u64, Heap>(data);
    decode_as::<[u8; 16], Fixed<16>>(data);
    delta::<u128, Heap>(data);
    delta::<u16, Fixed<4>>(data);
    if let Some((&split, rest)) = data.split_first()
        && let Some((left, right)) = rest.split_at_checked(split.into())
    {
        pair(left, right);
    }
    serde_values(data);
    interval_tree(data);
}

/// Limits that refuse nothing but what the format itself refuses.
fn no_limits() -> Limits {
    Limits::new().with_max_entries(usize::MAX).with_max_jump(MaxJump::Unbounded)
}

fn counters(vector: &Widest) -> BTreeMap<u128, u64> {
    vector.iter().map(|dot| (dot.actor(), dot.counter())).collect()
}

fn clock(data: &[u8]) {
    const ENTRIES: usize = 3;
    const COUNTER: u64 = 300;
    const JUMP: u64 = 100;
    let strict = no_limits().with_max_entries(ENTRIES).with_max_counter(COUNTER);
    let Ok(seen) = bounded(Bound::NOTHING, data.len(), || ClockRef::parse(data, &no_limits())) else {
        assert!(ClockRef::parse(data, &strict).is_err(), "a limit lets nothing in");
        return;
    };
    assert_eq!(seen.as_bytes(), data);
    assert!(seen.len() < data.len(), "an entry takes a byte, and there is a header");
    assert_eq!(seen.is_empty(), data.get(2) == Some(&0), "the third byte counts the entries");
    let vector: Widest = seen.to_vector().expect("every id fits");
    assert_eq!(vector.len(), seen.len());
    assert_eq!(seen.causality_with(&vector), Causality::Equal);

    // Each limit is one rule, and all of them are looked at.
    let within = vector.len() <= ENTRIES && vector.iter().all(|dot| (1..=COUNTER).contains(&dot.counter()));
    assert_eq!(ClockRef::parse(data, &strict).is_ok(), within);
    let known = Widest::from_sorted([Dot::try_new(1, 100).expect("in range")]).expect("there is room");
    let jumps = vector.iter().any(|dot| dot.counter().saturating_sub(known.get(dot.actor())) > JUMP);
    let against = no_limits().with_max_jump(MaxJump::AtMost(JUMP));
    let decoded = if seen.is_stamp() {
        Stamp::<u128, Heap>::decode_against(data, &against, &known).map(Stamp::into_vector)
    } else {
        Widest::decode_against(data, &against, &known)
    };
    match decoded {
        Ok(decoded) => assert!(!jumps && decoded == vector),
        Err(DecodeError::JumpExceeded(_)) => assert!(jumps),
        Err(why) => panic!("{why}"),
    }
}

/// What is accepted is written back as it was; what is refused is refused for a reason that holds.
fn decode_as<A: Actor, S: Storage>(data: &[u8]) {
    let limits = no_limits();
    let vector = bounded(VECTOR, data.len(), || VersionVector::<A, S>::decode(data, &limits));
    let stamp = bounded(VECTOR, data.len(), || Stamp::<A, S>::decode(data, &limits));
    let seen = match ClockRef::parse(data, &limits) {
        Ok(seen) => seen,
        Err(why) => {
            assert_eq!((vector.err(), stamp.err()), (Some(why), Some(why)));
            return;
        }
    };
    let mut written = vec![0xaa; data.len() + 1];
    let written_len = match (vector, stamp) {
        (Ok(vector), Err(DecodeError::Kind)) => {
            assert!(!seen.is_stamp() && vector.len() == seen.len());
            assert_eq!(vector.encoded_len(), data.len());
            vector.encode_with(seen.ignorable(), &mut written)
        }
        (Err(DecodeError::Kind), Ok(stamp)) => {
            assert!(seen.is_stamp() && stamp.vector().contains(stamp.dot()));
            assert_eq!(stamp.encoded_len(), data.len());
            stamp.encode_with(seen.ignorable(), &mut written)
        }
        (Err(DecodeError::Kind), Err(DecodeError::Entry(why)))
        | (Err(DecodeError::Entry(why)), Err(DecodeError::Kind)) => {
            match why {
                EntryError::Actor => assert!(size_of::<A::Key>() < size_of::<u128>()),
                EntryError::Capacity(_) => {
                    assert!(seen.len() > VersionVector::<A, S>::capacity_limit());
                }
                _ => panic!("{why}"),
            }
            return;
        }
        either => panic!("{either:?}"),
    };
    assert_eq!(written_len, Ok(data.len()));
    assert_eq!(written.pop(), Some(0xaa), "nothing is written behind the value");
    assert_eq!(written, data);
}

fn delta<A: Actor, S: Storage>(data: &[u8]) {
    let decoded = bounded(VECTOR, data.len(), || Delta::<A, S>::decode(data, &no_limits()));
    let Ok(delta) = decoded else { return };
    assert_eq!(delta.to_bytes(), data);
    assert_eq!(delta.encoded_len(), data.len());
    assert_eq!(ClockRef::parse(data, &no_limits()).err(), Some(DecodeError::Kind));
    let nothing = VersionVector::<A, Heap>::new();
    if let Ok(latest) = delta.apply(&nothing) {
        assert_eq!(latest.len(), delta.len());
        let again: Delta<A, S> = Delta::between(&nothing, &latest).expect("it has room for these");
        assert_eq!(again.apply(&nothing), Ok(latest));
    }
}

/// A comparison of bytes, of values, of both, and by definition: one answer.
fn pair(left: &[u8], right: &[u8]) {
    let limits = Limits::new();
    let (Ok(left), Ok(right)) = (ClockRef::parse(left, &limits), ClockRef::parse(right, &limits)) else {
        return;
    };
    let (a, b): (Widest, Widest) = (left.to_vector().expect("fits"), right.to_vector().expect("fits"));
    let (a_counters, b_counters) = (counters(&a), counters(&b));
    let is_within = |x: &BTreeMap<u128, u64>, y: &BTreeMap<u128, u64>| {
        x.iter().all(|(id, counter)| y.get(id).is_some_and(|other| counter <= other))
    };
    let expected = match (is_within(&a_counters, &b_counters), is_within(&b_counters, &a_counters)) {
        (true, true) => Causality::Equal,
        (true, false) => Causality::Before,
        (false, true) => Causality::After,
        (false, false) => Causality::Concurrent,
    };
    assert_eq!(left.causality(&right), expected);
    assert_eq!(right.causality(&left), expected.reverse());
    assert_eq!(left.causality_with(&b), expected);
    assert_eq!(a.causality(&b), expected);
    assert_eq!((a == b, a_counters == b_counters), (expected == Causality::Equal, a == b));
}

fn serde_values(data: &[u8]) {
    any_format::<Dot<u64>>(PLAIN, data);
    any_format::<VersionVector<u8, Fixed<4>>>(PLAIN, data);
    any_format::<VersionVector<u64, Heap>>(LISTS, data);
    any_format::<VersionVector<[u8; 16], Heap>>(LISTS, data);
    any_format::<Stamp<u64, Heap>>(LISTS, data);
    if let Ok(vector) = serde_json::from_slice::<VersionVector<u64, Heap>>(data) {
        assert_eq!(VersionVector::from_sorted(vector.iter()), Ok(vector));
    }
}

fn interval_tree(data: &[u8]) {
    const FEW: NodeBudget = NodeBudget::new(12);
    let small = IntervalTreeClock::from_bytes(data, FEW);
    match bounded(TREE, data.len(), || IntervalTreeClock::from_bytes(data, NodeBudget::DEFAULT)) {
        Ok(clock) => {
            assert_eq!(clock.to_bytes(), data);
            assert!(clock.node_count() <= 8 * data.len(), "a node takes a bit");
            assert_eq!(small.is_ok(), clock.node_count() <= FEW.nodes());
            assert!(clock.leq(&clock) && clock.peek().is_anonymous());
            assert_eq!(clock.causality(&clock.peek()), Causality::Equal);
        }
        Err(IntervalTreeDecodeError::Version(found)) => {
            assert!(found != 1 && data.first() == Some(&found));
        }
        Err(_) => assert!(small.is_err(), "a smaller budget lets nothing in"),
    }
}

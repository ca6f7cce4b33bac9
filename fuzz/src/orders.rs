//! The laws of every order, on hostile values: total orders are total, partial ones partial, each is that of the bytes and
//! of the text where it is promised, and equal values hash alike.

use core::cmp::Ordering;
use core::fmt::Debug;
use core::hash::{Hash, Hasher};
use std::hash::DefaultHasher;

use arbitrary::{Arbitrary, Unstructured};
use epoch_fence::protocol::{BootTime, Version};
use epoch_fence::{Epoch, FencingToken, GrantId, HolderId, RealmId, ResourceId};
use hlc::layout::{Layout, Micros52, Millis42Y2022, Millis46, Ntp48, Ntp60, Secs32, Unix48};
use hlc::{NodeId, Packed, PhysicalTime, StampBytes};
use hlc_postgres::{BigintTimestamp, UuidStamp};
use lamport::Time;
use vector_clock::{
    Causality, DenseVector, Dot, DotRange, DotSet, Fixed, Heap, IntervalTreeClock, MAX_COUNTER, NodeBudget,
    VersionVector,
};

#[derive(Arbitrary, Debug)]
struct Script {
    numbers: [Number; 4],
    texts: [(u8, u8); 4],
    vectors: [[u8; 3]; 4],
    ranges: [[(u8, u8); 2]; 4],
    near_end: bool,
    trees: [Vec<u8>; 3],
}

/// Numbers that are often neighbours, or alike in one half.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Number {
    Any(u128),
    Small(u8),
    Halves(u8, u8),
    Last(u8),
    EndOfLowHalf(u8),
}

impl Number {
    fn get(self) -> u128 {
        match self {
            Self::Any(number) => number,
            Self::Small(number) => number.into(),
            Self::Halves(high, low) => (u128::from(high) << 64) | u128::from(low),
            Self::Last(from_end) => u128::MAX - u128::from(from_end),
            Self::EndOfLowHalf(high) => (u128::from(high) << 64) | u128::from(u64::MAX),
        }
    }
}

pub fn run(data: &[u8]) {
    let Ok(script) = Script::arbitrary(&mut Unstructured::new(data)) else { return };
    let numbers = script.numbers.map(Number::get);
    hlc::<Unix48>(numbers);
    hlc::<Micros52>(numbers);
    hlc::<Ntp48>(numbers);
    hlc::<Ntp60>(numbers);
    hlc::<Millis46>(numbers);
    hlc::<Millis42Y2022>(numbers);
    hlc::<Secs32>(numbers);
    columns(numbers);
    logical(numbers);
    fencing(numbers, script.texts);
    vectors(&script);
    trees(&script.trees);
}

fn hash<T: Hash>(value: &T) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// What is true of every order, and of it and the hash.
fn partial<T: PartialOrd + Hash + Debug>(values: &[T]) {
    for a in values {
        assert_eq!(a.partial_cmp(a), Some(Ordering::Equal));
        for b in values {
            let order = a.partial_cmp(b);
            assert_eq!(b.partial_cmp(a), order.map(Ordering::reverse), "{a:?} {b:?}");
            assert_eq!(a == b, order == Some(Ordering::Equal), "{a:?} {b:?}");
            assert!(a != b || hash(a) == hash(b), "{a:?} and {b:?} are equal and hash apart");
            for c in values {
                if a <= b && b <= c {
                    assert!(a <= c, "{a:?} {b:?} {c:?}");
                    assert!(a != c || (a == b && b == c), "{a:?} {b:?} {c:?}");
                }
            }
        }
    }
}

/// And of a total one, which is that of the `key`.
fn total<T: Ord + Hash + Debug, K: Ord>(values: &[T], key: impl Fn(&T) -> K) {
    partial(values);
    same_order(values, key);
}

fn same_order<T: Ord + Debug, K: Ord>(values: &[T], key: impl Fn(&T) -> K) {
    let keys: Vec<K> = values.iter().map(key).collect();
    for (a, a_key) in values.iter().zip(&keys) {
        for (b, b_key) in values.iter().zip(&keys) {
            assert_eq!(a.partial_cmp(b), Some(a.cmp(b)));
            assert_eq!(a.cmp(b), a_key.cmp(b_key), "{a:?} {b:?}");
            assert_eq!((a.max(b), a.min(b)), if a > b { (a, b) } else { (b, a) });
        }
    }
}

fn hlc<L: Layout>(numbers: [u128; 4]) {
    let low = numbers.map(|number| number as u64);
    let stamps: Vec<_> = low.into_iter().filter_map(Packed::<L>::from_bits).collect();
    total(&stamps, |stamp| stamp.to_bits());
    same_order(&stamps, |stamp| stamp.to_bytes());
    same_order(&stamps, |stamp| stamp.to_text());
    same_order(&stamps, |stamp| (stamp.physical_units(), stamp.counter()));
    let readings: Vec<_> =
        low.into_iter().filter_map(|nanos| PhysicalTime::new(nanos >> 2, nanos as u32)).collect();
    total(&readings, |time| time.to_duration());

    let bytes = numbers.map(|number| StampBytes::<L>::from_bytes(number.to_be_bytes()));
    total(&bytes, |bytes| bytes.to_bytes());
    let stamps: Vec<_> = bytes.iter().filter_map(|bytes| bytes.to_stamp().ok()).collect();
    total(&stamps, |stamp| (stamp.timestamp(), *stamp.node()));
    same_order(&stamps, |stamp| stamp.to_bytes());
    same_order(&stamps, |stamp| stamp.to_text());
    same_order(&stamps, |stamp| StampBytes::<L>::from_bytes(stamp.to_bytes()));
    let nodes: Vec<_> = low.into_iter().filter_map(|node| NodeId::new(node >> 4).ok()).collect();
    total(&nodes, |node| node.to_bytes());
    same_order(&nodes, |node| node.to_string());
}

/// What a database sorts by is the order of the values.
fn columns(numbers: [u128; 4]) {
    let numbers = numbers.map(|number| StampBytes::<Unix48>::from_bytes(number.to_be_bytes()));
    let stamps: Vec<_> = numbers.iter().filter_map(|bytes| bytes.to_stamp().ok()).collect();
    let uuids: Vec<_> = stamps.iter().map(|stamp| UuidStamp::new(*stamp)).collect();
    total(&uuids, |stamp| stamp.stamp().to_uuid());
    let times = stamps.iter().filter_map(|stamp| BigintTimestamp::try_new(stamp.timestamp()).ok());
    total(&times.collect::<Vec<_>>(), |time| time.as_i64());
}

fn logical(numbers: [u128; 4]) {
    let times = numbers.map(|number| Time::new(number as u64));
    total(&times, |time| time.get());
    same_order(&times, |time| time.to_bytes());
    same_order(&times, |time| time.to_string());
    let stamps = numbers.map(|number| lamport::Stamp::from_bytes(number.to_be_bytes()));
    total(&stamps, |stamp| (stamp.time(), *stamp.node()));
    same_order(&stamps, |stamp| stamp.to_bytes());
    same_order(&stamps, |stamp| stamp.to_string());
}

fn fencing(numbers: [u128; 4], texts: [(u8, u8); 4]) {
    let epochs: Vec<_> = numbers.into_iter().filter_map(|number| Epoch::new(number as u64)).collect();
    total(&epochs, |epoch| epoch.get());
    total(&numbers.map(|number| Version::new(number as u64)), |version| version.get());
    let realms: Vec<_> = numbers.into_iter().filter_map(RealmId::from_random_bits).collect();
    total(&realms, |realm| realm.to_bytes());
    same_order(&realms, |realm| realm.to_string());
    let grants: Vec<_> = numbers.into_iter().filter_map(GrantId::from_random_bits).collect();
    total(&grants, |grant| grant.to_bytes());
    let boots = numbers.map(|number| core::time::Duration::from_nanos(number as u64));
    total(&boots.map(BootTime::new), |boot| boot.since_start());
    let resources = numbers.map(|number| {
        let mut bytes = [0; ResourceId::BYTES];
        bytes[..16].copy_from_slice(&number.to_be_bytes());
        ResourceId::from_bytes(bytes)
    });
    total(&resources, |resource| resource.to_bytes());
    same_order(&resources, |resource| resource.to_string());
    // One text is often the beginning of another.
    let texts = texts
        .map(|(length, last)| format!("{}{}", "a".repeat((length % 64).into()), char::from(last | 0x20)));
    let holders: Vec<_> = texts.iter().filter_map(|text| HolderId::try_new(text).ok()).collect();
    total(&holders, |holder| holder.to_string());
    // Tokens have no order: which is newer is the gate's to say. Equal ones hash alike.
    let tokens = realms.iter().zip(&grants).zip(&epochs).zip(&resources);
    let tokens: Vec<_> = tokens
        .map(|(((realm, grant), epoch), resource)| FencingToken::new(*realm, *resource, *epoch, *grant))
        .collect();
    for a in &tokens {
        for b in &tokens {
            assert_eq!(a == b, a.to_bytes() == b.to_bytes());
            assert!(a != b || hash(a) == hash(b));
        }
    }
}

fn vectors(script: &Script) {
    let counter = |number: u8| {
        let number = u64::from(number % 4);
        if script.near_end && number > 0 { MAX_COUNTER - 3 + number } else { number }
    };
    let dense = script
        .vectors
        .map(|lanes| DenseVector::<3>::try_from_counters(lanes.map(counter)).expect("in range"));
    for a in &dense {
        for b in &dense {
            assert_eq!(a.causality(b).to_ordering(), a.partial_cmp(b));
        }
    }
    partial(&dense);
    let sparse = dense.map(|dense| dense.to_sparse::<Heap>().expect("there is room"));
    let fixed = dense.map(|dense| dense.to_sparse::<Fixed<3>>().expect("there is room"));
    partial(&sparse);
    partial(&fixed);
    for (a, dense_a) in sparse.iter().zip(&dense) {
        for ((b, fixed_b), dense_b) in sparse.iter().zip(&fixed).zip(&dense) {
            let order = dense_a.partial_cmp(dense_b);
            assert_eq!((a.partial_cmp(b), a.partial_cmp(fixed_b)), (order, order), "whatever the storage");
            assert!(a != fixed_b || hash(a) == hash(fixed_b));
            bounds(a, b);
        }
    }

    let dots: Vec<_> = script
        .vectors
        .iter()
        .filter_map(|[actor, number, _]| Dot::try_new(*actor % 4, counter(*number)).ok())
        .collect();
    total(&dots, |dot| (dot.actor(), dot.counter()));
    let ranges = script.ranges.map(|ranges| {
        ranges.map(|(actor, span)| {
            let first = counter(span).max(1);
            DotRange::try_new(actor % 4, first, first + u64::from(span >> 6).min(MAX_COUNTER - first))
        })
    });
    let ranges: Vec<_> = ranges.iter().flatten().filter_map(|range| range.as_ref().ok().copied()).collect();
    total(&ranges, |range| (range.actor(), range.first(), range.last()));
    let sets: Vec<_> = ranges
        .iter()
        .map(|range| {
            let mut set = DotSet::<u8>::new();
            set.insert_range(*range).expect("there is room");
            set
        })
        .collect();
    for a in &sets {
        for b in &sets {
            let order = a.causality(b);
            assert_eq!(b.causality(a), order.reverse());
            assert_eq!(a == b, order == Causality::Equal);
            assert!(a != b || hash(a) == hash(b));
            let within = |a: &DotSet<u8>, b: &DotSet<u8>| {
                a.ranges().all(|range| {
                    (range.first()..=range.last())
                        .all(|counter| Dot::try_new(range.actor(), counter).is_ok_and(|dot| b.contains(dot)))
                })
            };
            let (before, after) = (within(a, b), within(b, a));
            assert_eq!(
                (
                    order.to_ordering().is_some_and(Ordering::is_le),
                    order.to_ordering().is_some_and(Ordering::is_ge)
                ),
                (before, after)
            );
        }
    }
}

/// A merge is the least above both, and `glb` the greatest below both.
fn bounds(a: &VersionVector<u32, Heap>, b: &VersionVector<u32, Heap>) {
    let mut above = a.clone();
    above.merge(b).expect("there is room");
    let below = a.glb(b);
    assert!(*a <= above && *b <= above && below <= *a && below <= *b);
    for actor in 0..3 {
        assert_eq!(above.get(actor), a.get(actor).max(b.get(actor)));
        assert_eq!(below.get(actor), a.get(actor).min(b.get(actor)));
    }
    let mut back = b.clone();
    back.merge(a).expect("there is room");
    assert_eq!((&back, hash(&back)), (&above, hash(&above)), "whoever merges first");
    assert_eq!(b.glb(a), below);
}

fn trees(trees: &[Vec<u8>; 3]) {
    let read = |bytes: &Vec<u8>| IntervalTreeClock::from_bytes(bytes, NodeBudget::DEFAULT).ok();
    let clocks: Vec<_> = trees.iter().filter_map(read).collect();
    for a in &clocks {
        assert!(a.leq(a));
        for b in &clocks {
            let order = match (a.leq(b), b.leq(a)) {
                (true, true) => Causality::Equal,
                (true, false) => Causality::Before,
                (false, true) => Causality::After,
                (false, false) => Causality::Concurrent,
            };
            assert_eq!((a.causality(b), b.causality(a)), (order, order.reverse()));
            assert!(a != b || (hash(a) == hash(b) && order == Causality::Equal));
            assert_eq!(
                a.peek() == b.peek(),
                order == Causality::Equal,
                "events are compared, whoever owns what"
            );
            assert_eq!(a == b, a.to_bytes() == b.to_bytes());
            for c in &clocks {
                assert!(!(a.leq(b) && b.leq(c)) || a.leq(c), "transitive");
            }
        }
    }
}

//! Sizes and marker traits that users build on.

use core::fmt::Debug;
use core::hash::Hash;

use vector_clock::{
    ApplyError, BufferLimits, BufferTooSmall, Capacity, CausalBuffer, Causality, ClockRef, CounterRange,
    DecodeError, Delta, DeltaError, DenseVector, Dot, DotMismatch, EntryError, Fixed, Ignorable,
    JumpExceeded, LaneError, Limits, MaxJump, MergeError, NoLane, ObserveError, Overflow, Snapshot, Stamp,
    TickError, Unissued, VectorClock, VersionVector, WrongBase,
};

fn plain<T: Copy + Eq + Hash + Debug + Send + Sync + Unpin + 'static>() {}
fn value<T: Clone + Eq + Hash + Debug + Send + Sync + Unpin + 'static>() {}
fn partial<T: PartialOrd>() {}
fn shared<T: Debug + Send + Sync + 'static>() {}
fn error<T: core::error::Error + Copy + Eq + Send + Sync + 'static>() {}

type Small = VersionVector<u8, Fixed<4>>;
type Buffer = CausalBuffer<(Stamp<u8, Fixed<4>>, ()), Fixed<4>>;

#[test]
fn values_errors_and_clocks_have_the_traits_that_users_build_on() {
    plain::<Causality>();
    plain::<Dot<u64>>();
    plain::<DenseVector<3>>();
    plain::<Limits>();
    plain::<MaxJump>();
    plain::<Snapshot>();
    plain::<Ignorable>();
    value::<Small>();
    value::<Stamp<u8, Fixed<4>>>();
    partial::<Small>();
    partial::<DenseVector<3>>();
    partial::<Dot<u8>>();
    shared::<VectorClock<u8, Fixed<4>>>();
    value::<Delta<u8, Fixed<4>>>();
    shared::<ClockRef<'static>>();
    error::<ApplyError>();
    error::<BufferTooSmall>();
    error::<Capacity>();
    error::<CounterRange>();
    error::<DecodeError>();
    error::<DeltaError>();
    error::<DotMismatch<u8>>();
    error::<EntryError>();
    error::<JumpExceeded<u8>>();
    error::<LaneError>();
    error::<MergeError<u8>>();
    error::<NoLane>();
    error::<ObserveError<u8>>();
    error::<Overflow>();
    error::<TickError>();
    error::<Unissued<u8>>();
    error::<WrongBase>();
}

#[cfg(feature = "alloc")]
#[test]
fn values_on_the_heap_have_the_same_traits() {
    value::<VersionVector<u64, vector_clock::Heap>>();
    value::<Stamp<u64, vector_clock::Heap>>();
    shared::<VectorClock<u64, vector_clock::Heap>>();
}

#[cfg(feature = "alloc")]
#[test]
fn what_is_equal_hashes_alike_and_what_differs_in_any_part_does_not()
-> Result<(), Box<dyn core::error::Error>> {
    use core::hash::{BuildHasher, BuildHasherDefault};
    use vector_clock::{DvvLimits, DvvSet, Heap};

    let build = BuildHasherDefault::<std::hash::DefaultHasher>::default();
    let [none, one, other, both] = [vec![], vec![1], vec![2], vec![1, 2]].map(|actors| {
        let mut vector = VersionVector::<u8, Heap>::new();
        for actor in actors {
            vector.tick(actor).unwrap();
        }
        vector
    });
    let delta = Delta::<u8, Heap>::between(&none, &one)?;
    assert_eq!(build.hash_one(&delta), build.hash_one(Delta::<u8, Fixed<4>>::between(&none, &one)?));
    let of_another_base = Delta::<u8, Heap>::between(&other, &both)?;
    assert_ne!(build.hash_one(&delta), build.hash_one(of_another_base));
    let that_rises_by_more = Delta::<u8, Heap>::between(&none, &both)?;
    assert_ne!(build.hash_one(&delta), build.hash_one(that_rises_by_more));

    let written = Dot::try_new(1, 1)?;
    let set = |context: &VersionVector<u8, Heap>, value| {
        let set = DvvSet::from_parts(context.clone(), [(written, value)], DvvLimits::default()).unwrap();
        build.hash_one(set)
    };
    assert_eq!(set(&one, "a"), set(&one, "a"));
    assert_ne!(set(&one, "a"), set(&one, "b"), "by its values");
    assert_ne!(set(&one, "a"), set(&both, "a"), "by its context");
    Ok(())
}

#[cfg(feature = "parking_lot")]
#[test]
fn a_shared_clock_can_be_shared() {
    shared::<vector_clock::SharedVectorClock<u64, vector_clock::Heap>>();
}

/// Says whether a type has a trait: the inherent constant exists only where it does, and then hides the trait's.
struct Probe<T>(core::marker::PhantomData<T>);

trait Without {
    const IS_CLONE: bool = false;
    const IS_ORD: bool = false;
}

impl<T> Without for Probe<T> {}

struct OrdProbe<T>(core::marker::PhantomData<T>);

impl<T> Without for OrdProbe<T> {}

impl<T: Clone> Probe<T> {
    const IS_CLONE: bool = true;
}

impl<T: Ord> OrdProbe<T> {
    const IS_ORD: bool = true;
}

#[test]
fn a_clock_cannot_be_cloned_and_a_vector_has_no_total_order() {
    const { assert!(Probe::<Small>::IS_CLONE && OrdProbe::<Dot<u8>>::IS_ORD, "the probes see what is there") };
    const { assert!(!Probe::<VectorClock<u8, Fixed<4>>>::IS_CLONE) };
    const { assert!(!OrdProbe::<Small>::IS_ORD && !OrdProbe::<DenseVector<3>>::IS_ORD) };
    const { assert!(!OrdProbe::<Causality>::IS_ORD) };
}

#[test]
fn values_take_no_more_than_their_numbers_and_two_lengths() {
    assert_eq!(size_of::<Option<Dot<u64>>>(), size_of::<[u64; 2]>());
    assert_eq!(size_of::<DenseVector<3>>(), size_of::<[u64; 3]>());
    let numbers = size_of::<[u64; 8]>() + size_of::<[u32; 8]>();
    assert_eq!(size_of::<VersionVector<u32, Fixed<8>>>(), numbers + size_of::<[usize; 2]>());
}

#[test]
fn a_clock_can_be_made_in_a_constant() {
    const CLOCK: VectorClock<u32, Fixed<8>> = VectorClock::new(7).with_max_jump(MaxJump::AtMost(100));
    assert_eq!(CLOCK.vector(), &VersionVector::<u32, Fixed<8>>::new());
}

#[test]
fn the_defaults_are_what_the_docs_say() {
    assert_eq!(MaxJump::default(), MaxJump::AtMost(1 << 40));
    assert_eq!(Limits::default(), Limits::new());
    assert_eq!(Limits::new().max_entries(), 4_096);
    assert_eq!(Limits::new().max_counter(), vector_clock::MAX_COUNTER);
    assert_eq!(Limits::new().max_jump(), MaxJump::DEFAULT);
    assert_eq!(Small::default(), Small::new());
    assert_eq!(DenseVector::<3>::default(), DenseVector::new());
    assert_eq!(VectorClock::<u8, Fixed<4>>::new(1).snapshot(), Snapshot::default());
    let buffer = BufferLimits::DEFAULT;
    assert_eq!(buffer, buffer.with_members(1_024).with_waiting(4_096).with_quota(64));
    assert_eq!(BufferLimits::default(), buffer);
    let buffers = [Buffer::default(), Buffer::new(), Buffer::with_limits(buffer)];
    let [default, new, with_limits] = buffers.map(|buffer| format!("{buffer:?}"));
    assert_eq!((&default, &new), (&with_limits, &with_limits));
}

#[cfg(feature = "alloc")]
#[test]
fn the_defaults_of_structures_are_what_the_docs_say() {
    use vector_clock::{DotSet, DvvLimits, DvvSet, NodeBudget};

    let limits = DvvLimits::DEFAULT;
    assert_eq!(limits, limits.with_actors(1_024).with_siblings(256));
    assert_eq!(limits, limits.with_max_jump(MaxJump::DEFAULT).with_max_context_jump(MaxJump::DEFAULT));
    assert_eq!(DvvLimits::default(), limits);
    assert_eq!(NodeBudget::default(), NodeBudget::new(65_536));
    assert_eq!(DotSet::<u8>::DEFAULT_LIMIT, 8_192);
    assert_eq!(DotSet::<u8>::default(), DotSet::new());
    assert_eq!(DvvSet::<u8, u8>::default(), DvvSet::new());
}

/// What a hash map sees.
fn hash_of(value: &impl Hash) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    value.hash(&mut hasher);
    core::hash::Hasher::finish(&hasher)
}

#[test]
fn what_is_equal_hashes_alike_and_what_is_not_does_not() {
    let vector = |counter| Small::from_sorted([Dot::try_new(1, counter).unwrap()]).unwrap();
    let stamp = |counter| Stamp::try_new(Dot::try_new(1, counter).unwrap(), vector(counter)).unwrap();
    assert_eq!(hash_of(&vector(2)), hash_of(&vector(2)));
    assert_ne!(hash_of(&vector(2)), hash_of(&vector(3)));
    assert_eq!(hash_of(&stamp(2)), hash_of(&stamp(2)));
    assert_ne!(hash_of(&stamp(2)), hash_of(&stamp(3)));
}

#[test]
fn stamps_and_deltas_are_equal_only_where_both_their_parts_are() {
    let vector = |entries: &[(u8, u64)]| {
        Small::from_sorted(entries.iter().map(|&(actor, counter)| Dot::try_new(actor, counter).unwrap()))
            .unwrap()
    };
    let (one, both) = (vector(&[(1, 2)]), vector(&[(1, 2), (2, 1)]));
    let stamp = |actor, vector: &Small| Stamp::try_new(vector.dot(actor).unwrap(), vector.clone()).unwrap();
    assert_eq!(stamp(1, &both), stamp(1, &both));
    assert_ne!(stamp(1, &both), stamp(2, &both), "another event");
    assert_ne!(stamp(1, &both), stamp(1, &one), "another past");

    let delta = |base: &Small, latest: &Small| Delta::<u8, Fixed<4>>::between(base, latest).unwrap();
    let (none, later) = (vector(&[]), vector(&[(1, 4)]));
    assert_eq!(delta(&one, &later), delta(&one, &later));
    assert_ne!(delta(&none, &one), delta(&one, &later), "two more events, from another base");
    assert_ne!(delta(&none, &one), delta(&none, &later), "one base, another rise");
}

#[cfg(feature = "alloc")]
#[test]
fn sets_and_interval_trees_are_equal_only_where_all_that_they_hold_is() {
    use vector_clock::{DotSet, DvvLimits, DvvSet, Heap, IntervalTreeClock};

    let mut events = DotSet::<u8>::new();
    assert!(events.is_empty());
    events.insert(Dot::try_new(1, 2).unwrap()).unwrap();
    assert!(!events.is_empty());
    assert_ne!(events, DotSet::new());

    let siblings = |seen, value| {
        let context = VersionVector::<u8, Heap>::from_sorted([Dot::try_new(1, seen).unwrap()]).unwrap();
        DvvSet::from_parts(context, [(Dot::try_new(1, 2).unwrap(), value)], DvvLimits::DEFAULT).unwrap()
    };
    assert_eq!(siblings(2, "milk"), siblings(2, "milk"));
    assert_ne!(siblings(2, "milk"), siblings(2, "bread"), "another value");
    assert_ne!(siblings(2, "milk"), siblings(3, "milk"), "another context");
    assert!(!siblings(2, "milk").is_empty() && DvvSet::<u8, u8>::new().is_empty());

    let (mut left, right) = (IntervalTreeClock::seed(), IntervalTreeClock::seed());
    assert_eq!(left, right);
    left.event().unwrap();
    assert_ne!(left, right);
    assert_ne!(right, right.peek(), "another id");
}

#[cfg(feature = "alloc")]
#[test]
fn sets_of_events_and_interval_trees_hash_by_what_they_hold_and_not_by_their_limits() {
    use vector_clock::{DotSet, IntervalTreeClock, NodeBudget};

    let set = |limit, counter| {
        let mut set = DotSet::<u8>::with_limit(limit);
        set.insert(Dot::try_new(1, counter).unwrap()).unwrap();
        set
    };
    assert_eq!((set(1, 2), hash_of(&set(1, 2))), (set(9, 2), hash_of(&set(9, 2))));
    assert_ne!(hash_of(&set(1, 2)), hash_of(&set(1, 3)));

    let clock = |nodes, events| {
        let mut clock = IntervalTreeClock::seed().with_budget(NodeBudget::new(nodes)).unwrap();
        (0..events).for_each(|_| clock.event().unwrap());
        clock
    };
    assert_eq!((clock(9, 2), hash_of(&clock(9, 2))), (clock(99, 2), hash_of(&clock(99, 2))));
    assert_ne!(hash_of(&clock(9, 2)), hash_of(&clock(9, 3)));
    assert_ne!(hash_of(&clock(9, 2)), hash_of(&clock(9, 2).fork().unwrap()));
}

//! What the types promise, case by case.

use vector_clock::{
    Actor, ApplyError, Causality, DecodeError, Delta, DeltaError, DenseVector, Dot, DotRange, DotRangeError,
    EntryError, Fixed, LaneError, Limits, MAX_COUNTER, MaxJump, MergeError, ObserveError, Stamp, TickError,
    VectorClock, VersionVector,
    storage::{Slots, Storage},
};

type Vector<const N: usize> = VersionVector<u8, Fixed<N>>;
type Clock<const N: usize> = VectorClock<u8, Fixed<N>>;

fn dot(actor: u8, counter: u64) -> Dot<u8> {
    Dot::try_new(actor, counter).unwrap()
}

fn vector<const N: usize>(entries: &[(u8, u64)]) -> Vector<N> {
    Vector::from_sorted(entries.iter().map(|(actor, counter)| dot(*actor, *counter))).unwrap()
}

#[test]
fn vectors_compare_as_what_they_know() {
    let table: [(&str, Vector<4>, Vector<4>, Causality); 8] = [
        ("nothing and nothing", vector(&[]), vector(&[]), Causality::Equal),
        ("nothing and something", vector(&[]), vector(&[(9, 1)]), Causality::Before),
        ("the same", vector(&[(1, 1), (2, 5)]), vector(&[(1, 1), (2, 5)]), Causality::Equal),
        ("one actor more", vector(&[(1, 1)]), vector(&[(1, 1), (2, 1)]), Causality::Before),
        ("one event more", vector(&[(1, 1), (2, 6)]), vector(&[(1, 1), (2, 5)]), Causality::After),
        ("one each", vector(&[(1, 2), (2, 5)]), vector(&[(1, 1), (2, 6)]), Causality::Concurrent),
        ("other actors", vector(&[(1, 1)]), vector(&[(2, 1)]), Causality::Concurrent),
        ("more of fewer", vector(&[(1, 2)]), vector(&[(1, 1), (2, 1)]), Causality::Concurrent),
    ];
    for (name, left, right, expected) in table {
        assert_eq!(left.causality(&right), expected, "{name}");
        assert_eq!(right.causality(&left), expected.reverse(), "{name}, from the other side");
        assert_eq!(left.partial_cmp(&right), expected.to_ordering(), "{name}");
        assert_eq!(left == right, expected == Causality::Equal, "{name}");
    }
}

#[test]
fn counters_that_name_no_event_cannot_be_written_down() {
    for counter in [0, MAX_COUNTER + 1, u64::MAX] {
        assert_eq!(Dot::try_new(1_u8, counter).unwrap_err().found(), counter);
    }
    assert_eq!(DenseVector::try_from_counters([1, MAX_COUNTER + 1]).unwrap_err().found(), MAX_COUNTER + 1);
    assert_eq!(dot(1, 1).prev(), None);
    assert_eq!(dot(1, 2).prev(), Some(dot(1, 1)));
    assert_eq!(dot(1, MAX_COUNTER).next(), None);
    assert_eq!(dot(1, MAX_COUNTER - 1).next(), Some(dot(1, MAX_COUNTER)));
}

#[test]
fn lists_that_are_unsorted_or_name_an_actor_twice_or_do_not_fit_are_refused() {
    let list = |entries: &[(u8, u64)]| Vector::<2>::from_sorted(entries.iter().map(|(a, c)| dot(*a, *c)));
    assert_eq!(list(&[(2, 1), (1, 1)]), Err(EntryError::Order));
    assert_eq!(list(&[(1, 1), (1, 2)]), Err(EntryError::Order));
    let Err(EntryError::Capacity(full)) = list(&[(1, 1), (2, 1), (3, 1)]) else { panic!("three fit in two") };
    assert_eq!((full.needed(), full.capacity()), (3, 2));
    assert!(list(&[(1, 1), (2, 1)]).is_ok());
}

#[test]
fn a_vector_answers_what_it_knows() {
    let known: Vector<4> = vector(&[(3, 7), (5, 1)]);
    assert_eq!((known.len(), known.is_empty(), Vector::<4>::capacity_limit()), (2, false, 4));
    assert_eq!((known.get(3), known.get(4), known.get(5)), (7, 0, 1));
    assert_eq!((known.dot(3), known.dot(4)), (Some(dot(3, 7)), None));
    assert!(known.contains(dot(3, 1)) && known.contains(dot(3, 7)));
    assert!(!known.contains(dot(3, 8)) && !known.contains(dot(4, 1)));
    assert!(known.iter().eq([dot(3, 7), dot(5, 1)]));
    assert_eq!(format!("{known:?}"), "{3: 7, 5: 1}");
    assert_eq!(format!("{:?} {}", dot(3, 7), dot(3, 7)), "3:7 3:7");
}

#[test]
fn recording_an_event_makes_the_earlier_ones_known_and_never_fewer() {
    let mut known: Vector<4> = vector(&[(3, 7)]);
    known.record(dot(3, 5)).unwrap();
    known.record(dot(2, 4)).unwrap();
    known.record(dot(9, 1)).unwrap();
    assert_eq!(known, vector::<4>(&[(2, 4), (3, 7), (9, 1)]));
    known.record(dot(3, 8)).unwrap();
    assert_eq!(known.get(3), 8);
}

#[test]
fn forgetting_is_lossy_and_touches_one_actor() {
    let mut known: Vector<4> = vector(&[(3, 7), (5, 1), (8, 2)]);
    assert_eq!(known.forget_lossy(5), 1);
    assert_eq!(known, vector::<4>(&[(3, 7), (8, 2)]));
    assert_eq!(known.forget_lossy(5), 0);
    assert_eq!(known, vector::<4>(&[(3, 7), (8, 2)]));
}

#[test]
fn at_the_greatest_counter_a_tick_overflows_and_changes_nothing() {
    let mut known: Vector<2> = vector(&[(1, MAX_COUNTER - 1)]);
    assert_eq!(known.tick(1), Ok(dot(1, MAX_COUNTER)));
    let before = known.clone();
    assert!(matches!(known.tick(1), Err(TickError::Overflow(_))));
    assert_eq!(known, before);

    let mut clock = Clock::<2>::resume(1, known).unwrap();
    assert!(matches!(clock.tick(), Err(TickError::Overflow(_))));
    assert!(matches!(clock.tick_dot(), Err(TickError::Overflow(_))));
    let message = Stamp::try_new(dot(2, 1), vector::<2>(&[(2, 1)])).unwrap();
    assert!(matches!(clock.observe(&message), Err(ObserveError::Overflow(_))));
    assert_eq!(*clock.vector(), before, "the message was neither counted nor learnt");
    assert_eq!((clock.snapshot().overflow, clock.last()), (3, Some(dot(1, MAX_COUNTER))));
}

#[test]
fn full_storage_refuses_and_evicts_nothing() {
    let full: Vector<2> = vector(&[(1, 1), (3, 1)]);
    for actor in [0, 2, 4] {
        let mut known = full.clone();
        assert!(matches!(known.tick(actor), Err(TickError::Capacity(_))), "{actor}");
        assert!(known.record(dot(actor, 5)).is_err(), "{actor}");
        let error = known.merge(&vector::<4>(&[(1, 9), (actor.max(2), 9)])).map_err(|why| why.needed());
        assert_eq!(error, Err(3), "{actor}");
        assert_eq!(known, full, "{actor}");
    }
    let mut known = full.clone();
    known.merge(&vector::<4>(&[(3, 9)])).unwrap();
    assert_eq!(known.tick(1), Ok(dot(1, 2)));
    assert_eq!(known, vector::<2>(&[(1, 2), (3, 9)]));
}

#[test]
fn peers_cannot_take_the_room_that_a_clock_keeps_for_its_own_entry() {
    let crowd = vector::<2>(&[(1, 1), (2, 1)]);
    let mut clock = Clock::<2>::new(9);
    assert!(matches!(clock.merge(&crowd), Err(MergeError::Capacity(_))));
    assert!(clock.merge_committed(&crowd).is_err());
    assert!(clock.vector().is_empty());
    assert!(Clock::<2>::resume(9, crowd).is_err());

    let mut restored = Clock::<2>::new(9);
    restored.merge_committed(&vector::<2>(&[(1, 1), (9, 4)])).unwrap();
    assert_eq!(restored.tick_dot(), Ok(dot(9, 5)), "its own entry is no stranger");

    clock.merge(&vector::<2>(&[(1, 1)])).unwrap();
    assert_eq!(clock.tick_dot(), Ok(dot(9, 1)));
    assert!(matches!(clock.merge(&vector::<2>(&[(2, 1)])), Err(MergeError::Capacity(_))));
    assert_eq!((clock.snapshot().capacity, clock.snapshot().entries), (3, 2));
}

#[test]
fn a_peer_that_makes_ids_up_cannot_grow_a_clock_beyond_its_limit_of_entries() {
    let mut clock = Clock::<8>::new(9).with_max_entries(3);
    clock.merge(&vector::<8>(&[(1, 1), (2, 1)])).unwrap();
    let before = clock.vector().clone();
    let error = clock.merge(&vector::<8>(&[(3, 1)]));
    assert!(matches!(error, Err(MergeError::Capacity(full)) if (full.needed(), full.capacity()) == (4, 3)));
    assert!(clock.merge_committed(&vector::<8>(&[(1, 5), (3, 1)])).is_err());
    assert_eq!((clock.vector(), clock.snapshot().capacity), (&before, 2));
    assert_eq!(clock.tick_dot(), Ok(dot(9, 1)), "a place is kept for the clock's own");
    clock.merge(&vector::<8>(&[(1, 2), (2, 7)])).unwrap();

    // One that goes on with more than its limit keeps what it has, ticks, and learns of those it knows.
    let many = vector::<8>(&[(1, 1), (2, 1), (3, 1), (4, 1)]);
    let mut resumed = Clock::<8>::resume(9, many.clone()).unwrap().with_max_entries(3);
    resumed.merge(&many).unwrap();
    resumed.merge(&vector::<8>(&[(4, 6)])).unwrap();
    assert!(matches!(resumed.merge(&vector::<8>(&[(5, 1)])), Err(MergeError::Capacity(_))));
    assert_eq!((resumed.tick_dot(), resumed.vector().len()), (Ok(dot(9, 1)), 5));

    // By default a clock learns of as many actors as decoders accept entries.
    let limit = VectorClock::<u16, Fixed<5_000>>::DEFAULT_MAX_ENTRIES;
    assert_eq!(limit, Limits::new().max_entries());
    let ids = |count: u16| {
        VersionVector::<u16, Fixed<5_000>>::from_sorted((1..=count).map(|id| Dot::try_new(id, 1).unwrap()))
    };
    let mut open = VectorClock::<u16, Fixed<5_000>>::new(0);
    assert!(matches!(open.merge(&ids(4_096).unwrap()), Err(MergeError::Capacity(_))));
    open.merge(&ids(4_095).unwrap()).unwrap();
    assert_eq!(open.tick().unwrap().vector().len(), limit);
}

#[test]
fn a_counter_is_refused_when_it_is_further_ahead_than_the_limit_and_not_when_it_is_at_it() {
    let start = || {
        let known = vector::<4>(&[(1, 3), (2, 100)]);
        Clock::<4>::resume(1, known).unwrap().with_max_jump(MaxJump::AtMost(10))
    };
    for (remote, allowed) in [
        (vector::<4>(&[(1, 3), (2, 110)]), true),
        (vector::<4>(&[(1, 3), (2, 111)]), false),
        (vector::<4>(&[(2, 110)]), true),
        (vector::<4>(&[(2, 111)]), false),
        (vector::<4>(&[(3, 10)]), true),
        (vector::<4>(&[(3, 11)]), false),
        (vector::<4>(&[(2, MAX_COUNTER), (3, 1)]), false),
    ] {
        let mut clock = start();
        let outcome = clock.merge(&remote);
        assert_eq!(outcome.is_ok(), allowed, "{remote:?}");
        if !allowed {
            let Err(MergeError::JumpExceeded(why)) = outcome else { panic!("{outcome:?}") };
            assert_eq!((why.claimed(), why.limit()), (remote.get(why.actor()), 10));
            assert_eq!(why.known(), clock.vector().get(why.actor()));
            assert_eq!(*clock.vector(), *start().vector());

            let last = remote.iter().last().unwrap();
            let message = Stamp::try_new(last, remote.clone()).unwrap();
            assert!(matches!(clock.observe(&message), Err(ObserveError::JumpExceeded(_))));
            assert_eq!(*clock.vector(), *start().vector(), "not even the receipt is counted");
            assert_eq!(clock.snapshot().jump_exceeded, 2);

            clock.merge_committed(&remote).unwrap();
            assert!(*clock.vector() >= remote, "committed input has its own door");
        }
    }
}

#[test]
fn what_a_clock_knows_is_refused_under_no_limit_and_an_unbounded_one_refuses_nothing() {
    let known = vector::<4>(&[(1, 3), (2, MAX_COUNTER)]);
    let mut strict = Clock::<4>::resume(1, known.clone()).unwrap().with_max_jump(MaxJump::AtMost(0));
    assert_eq!(strict.merge(&known), Ok(()));
    assert_eq!(strict.merge(&vector::<4>(&[(2, 5)])), Ok(()));
    let mut loose = Clock::<4>::new(1).with_max_jump(MaxJump::Unbounded);
    assert_eq!(loose.merge(&vector::<4>(&[(2, MAX_COUNTER)])), Ok(()));
    let mut default = Clock::<4>::new(1);
    assert!(default.merge(&vector::<4>(&[(2, (1 << 40) + 1)])).is_err());
    assert!(default.merge(&vector::<4>(&[(2, 1 << 40)])).is_ok());
}

#[test]
fn nobody_can_tell_a_clock_of_events_of_its_own_that_it_has_not_had() {
    let mut clock = Clock::<4>::new(1);
    clock.tick().unwrap();
    let claim = vector::<4>(&[(1, 2), (2, 5)]);
    let Err(MergeError::Unissued(why)) = clock.merge(&claim) else { panic!("believed") };
    assert_eq!((why.actor(), why.claimed(), why.issued()), (1, 2, 1));
    let message = Stamp::try_new(dot(2, 5), claim.clone()).unwrap();
    assert!(matches!(clock.observe(&message), Err(ObserveError::Unissued(_))));
    assert_eq!(*clock.vector(), vector::<4>(&[(1, 1)]));
    assert_eq!(clock.snapshot().unissued, 2);

    clock.merge_committed(&claim).unwrap();
    assert_eq!(clock.tick_dot(), Ok(dot(1, 3)), "after a restart from a log the names go on");
}

#[test]
fn a_receipt_is_an_event_and_a_merge_is_not() {
    let mut alice = Clock::<4>::new(1);
    let mut bob = Clock::<4>::new(2);
    assert_eq!((bob.actor(), bob.last()), (2, None));
    let sent = alice.tick().unwrap();
    let received = bob.observe(&sent).unwrap();
    assert_eq!((received.dot(), bob.last()), (dot(2, 1), Some(dot(2, 1))));
    assert_eq!(*received.vector(), vector::<4>(&[(1, 1), (2, 1)]));

    let before = bob.last();
    alice.tick().unwrap();
    bob.merge(alice.vector()).unwrap();
    assert_eq!(bob.last(), before);
    assert_eq!(*bob.vector(), vector::<4>(&[(1, 2), (2, 1)]));
    assert_eq!((bob.snapshot().last, bob.snapshot().entries), (1, 2));
}

#[test]
fn a_stamp_is_an_event_with_what_its_actor_knew_of_itself_too() {
    let known = vector::<4>(&[(1, 2), (5, 3)]);
    assert!(Stamp::try_new(dot(5, 3), known.clone()).is_ok());
    for (event, counted) in [(dot(5, 2), 3), (dot(5, 4), 3), (dot(4, 1), 0)] {
        let why = Stamp::try_new(event, known.clone()).unwrap_err();
        assert_eq!((why.dot(), why.known()), (event, counted));
    }
}

#[test]
fn happened_before_holds_between_vectors_of_other_members_and_other_storage() {
    let mut alice = VectorClock::<u8, Fixed<9>>::new(200);
    let mut bob = VectorClock::<u8, Fixed<3>>::new(100);
    let mut carol = VectorClock::<u8, Fixed<3>>::new(150);
    let a = alice.tick().unwrap();
    let b = bob.observe(&a).unwrap();
    let c = carol.observe(&b).unwrap();
    let aside = alice.tick().unwrap();
    assert!(a.happened_before(&b) && b.happened_before(&c) && a.happened_before(&c));
    assert!(!b.happened_before(&a) && !c.happened_before(&a) && !a.happened_before(&a));
    assert_eq!(aside.causality(&c), Causality::Concurrent);
    assert_eq!(a.causality(&aside), Causality::Before);
    assert_eq!(a.causality(&a.clone()), Causality::Equal);
    assert_eq!(c.clone().into_vector(), *c.vector());
}

#[test]
fn two_events_that_claim_to_know_each_other_are_not_ordered() {
    let a = Stamp::try_new(dot(1, 1), vector::<2>(&[(1, 1), (2, 1)])).unwrap();
    let b = Stamp::try_new(dot(2, 1), vector::<2>(&[(1, 1), (2, 1)])).unwrap();
    assert_eq!(a.causality(&b), Causality::Concurrent);
    assert!(!a.happened_before(&b) && !b.happened_before(&a));
}

#[test]
fn a_dense_vector_counts_by_lane() {
    let mut known = DenseVector::<3>::new();
    assert_eq!(known.tick(2), Dot::try_new(2, 1).map_err(|_| unreachable!()));
    let Err(LaneError::NoLane(why)) = known.tick(3) else { panic!("there is a fourth lane") };
    assert_eq!((why.lane(), why.lanes()), (3, 3));
    assert_eq!((*known.as_counters(), known.get(2), known.get(3)), ([0, 0, 1], Some(1), None));

    let mut full = DenseVector::try_from_counters([MAX_COUNTER, 0, 0]).unwrap();
    assert!(matches!(full.tick(0), Err(LaneError::Overflow(_))));
    assert_eq!(*full.as_counters(), [MAX_COUNTER, 0, 0]);

    let refused = known.merge_bounded(&full, MaxJump::DEFAULT).unwrap_err();
    assert_eq!((refused.actor(), refused.known(), refused.claimed()), (0, 0, MAX_COUNTER));
    assert_eq!(*known.as_counters(), [0, 0, 1]);
    known.merge_bounded(&full, MaxJump::Unbounded).unwrap();
    assert_eq!(*known.as_counters(), [MAX_COUNTER, 0, 1]);

    let sparse: VersionVector<u32, Fixed<2>> = known.to_sparse().unwrap();
    assert!(sparse.iter().map(|dot| (dot.actor(), dot.counter())).eq([(0, MAX_COUNTER), (2, 1)]));
    assert_eq!(DenseVector::<3>::from_sparse(&sparse), Ok(known));
    assert_eq!(DenseVector::<2>::from_sparse(&sparse).unwrap_err().lane(), 2);
    assert!(known.to_sparse::<Fixed<1>>().is_err());
}

#[test]
fn a_delta_leads_from_its_base_to_the_latest_and_from_nowhere_else() {
    let base = vector::<4>(&[(1, 4), (2, 9)]);
    let latest = vector::<4>(&[(1, 4), (2, 12), (7, 1)]);
    let delta: Delta<u8, Fixed<2>> = Delta::between(&base, &latest).unwrap();
    assert_eq!((delta.len(), delta.is_empty()), (2, false));
    assert_eq!(delta.apply(&base), Ok(latest.clone()));
    for wrong in
        [vector(&[]), latest.clone(), vector(&[(1, 4)]), vector(&[(1, 5), (2, 9)]), vector(&[(1, 4), (3, 9)])]
    {
        let Err(ApplyError::WrongBase(why)) = delta.apply::<Fixed<4>>(&wrong) else { panic!("{wrong:?}") };
        assert_ne!(why.expected(), why.found());
    }
    let nothing: Delta<u8, Fixed<2>> = Delta::between(&base, &base).unwrap();
    assert!(nothing.is_empty());
    assert_eq!(nothing.apply(&base), Ok(base.clone()));

    let backwards: Result<Delta<u8, Fixed<2>>, _> = Delta::between(&latest, &base);
    assert_eq!(backwards, Err(DeltaError::NotAbove));
    let small: Result<Delta<u8, Fixed<1>>, _> = Delta::between(&base, &latest);
    assert!(matches!(small, Err(DeltaError::Capacity(_))));
    assert!(matches!(delta.apply(&vector::<2>(&[(1, 4), (2, 9)])), Err(ApplyError::Capacity(_))));
}

/// An id type with fewer values than its key: even numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Even(u16);

impl Actor for Even {
    type Key = u16;

    fn to_key(self) -> u16 {
        self.0
    }

    fn from_key(key: u16) -> Option<Self> {
        key.is_multiple_of(2).then_some(Self(key))
    }
}

#[test]
fn an_id_type_of_ones_own_works_as_an_integer_does() {
    let mut clock = VectorClock::<Even, Fixed<3>>::new(Even(4));
    let mut peer = VectorClock::<Even, Fixed<3>>::new(Even(2));
    let sent = clock.tick().unwrap();
    let received = peer.observe(&sent).unwrap();
    assert!(sent.happened_before(&received));
    assert!(peer.vector().iter().map(|dot| dot.actor()).eq([Even(2), Even(4)]));

    let mut bytes = [0; 16];
    let odd = VersionVector::<u16, Fixed<3>>::from_sorted([Dot::try_new(3, 1).unwrap()]).unwrap();
    let len = odd.encode_into(&mut bytes).unwrap();
    let refused = VersionVector::<Even, Fixed<3>>::decode(&bytes[..len], &Limits::new());
    assert_eq!(
        refused,
        Err(DecodeError::Entry(EntryError::Actor)),
        "the byte form has ids that the type has not"
    );
}

#[test]
fn a_range_contains_its_two_ends_and_nobody_elses_events() {
    let range = DotRange::try_new(3, 5, 8).unwrap();
    assert_eq!((range.actor(), range.first(), range.last(), range.count()), (3, 5, 8, 4));
    let within = [4, 5, 7, 8, 9].map(|counter| range.contains(dot(3, counter)));
    assert_eq!(within, [false, true, true, true, false]);
    assert!(!range.contains(dot(4, 6)) && !range.contains(dot(2, 6)));
    assert!(DotRange::from(dot(3, 5)).contains(dot(3, 5)) && !DotRange::from(dot(3, 5)).contains(dot(3, 6)));

    let edge = |first, last| DotRange::try_new(3_u8, first, last).map(|range| range.count());
    assert_eq!(edge(1, MAX_COUNTER), Ok(MAX_COUNTER));
    assert_eq!(edge(MAX_COUNTER, MAX_COUNTER), Ok(1));
    assert_eq!(edge(2, 1), Err(DotRangeError::Order));
    for (first, last, found) in
        [(0, 1, 0), (1, 0, 0), (MAX_COUNTER + 1, 1, MAX_COUNTER + 1), (1, MAX_COUNTER + 1, MAX_COUNTER + 1)]
    {
        assert!(matches!(edge(first, last), Err(DotRangeError::Counter(why)) if why.found() == found));
    }
}

#[test]
fn the_sixteen_bytes_of_a_uuid_are_an_actor_and_sort_as_bytes_do() {
    let low_last = [[0; 16], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9]];
    let high_first = [[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], [0xff; 16]];
    let ids: [[u8; 16]; 4] = [low_last[0], low_last[1], high_first[0], high_first[1]];
    for pair in ids.windows(2) {
        assert!(pair[0] < pair[1] && pair[0].to_key() < pair[1].to_key(), "{pair:?}");
    }
    for id in ids {
        assert_eq!(<[u8; 16]>::from_key(id.to_key()), Some(id));
    }
    assert_eq!(ids[1].to_key(), 9);

    let dots = ids.map(|id| Dot::try_new(id, 2).unwrap());
    let known = VersionVector::<[u8; 16], Fixed<4>>::from_sorted(dots).unwrap();
    assert!(known.iter().eq(dots), "each id comes back as it was put in");
    let mut bytes = [0; 128];
    let length = known.encode_into(&mut bytes).unwrap();
    assert_eq!(VersionVector::decode(&bytes[..length], &Limits::new()), Ok(known));
}

#[test]
fn a_copy_of_a_delta_leads_where_the_delta_leads() {
    let (base, latest) = (vector::<4>(&[(1, 1)]), vector::<4>(&[(1, 3), (2, 1)]));
    let delta = Delta::<u8, Fixed<4>>::between(&base, &latest).unwrap();
    let copy = delta.clone();
    assert_eq!(copy, delta);
    assert_eq!(copy.apply(&base), Ok(latest));
    let mut bytes = [0; 64];
    let length = delta.encode_into(&mut bytes).unwrap();
    assert_eq!(length, delta.encoded_len());
    assert_eq!(Delta::decode(&bytes[..length], &Limits::new()), Ok(copy));
    #[cfg(feature = "alloc")]
    assert_eq!(delta.to_bytes(), bytes[..length]);
}

#[test]
fn what_does_not_fit_is_refused_at_once_with_the_room_that_it_needs() {
    let four = vector::<4>(&[(1, 1), (2, 1), (3, 1), (9, 1)]);
    let room = |why: vector_clock::Capacity| (why.needed(), why.capacity());
    let mut bytes = [0; 64];
    let length = four.encode_into(&mut bytes).unwrap();
    match Vector::<2>::decode(&bytes[..length], &Limits::new()) {
        Err(DecodeError::Entry(EntryError::Capacity(full))) => assert_eq!(room(full), (4, 2)),
        other => panic!("{other:?}"),
    }
    match Delta::<u8, Fixed<1>>::between(&vector::<1>(&[(9, 1)]), &four) {
        Err(DeltaError::Capacity(full)) => assert_eq!(room(full), (3, 1), "three rise, one does not"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_limit_above_the_greatest_counter_is_none() {
    for max_jump in [MaxJump::AtMost(MAX_COUNTER), MaxJump::AtMost(u64::MAX), MaxJump::Unbounded] {
        let known = vector::<2>(&[(1, 1), (9, 1)]);
        let mut clock = Clock::<2>::resume(9, known).unwrap().with_max_jump(max_jump);
        assert_eq!(clock.merge(&vector::<2>(&[(1, 2), (9, 1)])), Ok(()), "{max_jump:?}");
        assert_eq!(clock.merge(&vector::<2>(&[(1, MAX_COUNTER), (9, 1)])), Ok(()), "{max_jump:?}");
    }
    let mut strict = Clock::<2>::new(9).with_max_jump(MaxJump::AtMost(MAX_COUNTER - 1));
    assert!(strict.merge(&vector::<2>(&[(1, MAX_COUNTER)])).is_err());
    assert_eq!(strict.merge(&vector::<2>(&[(1, MAX_COUNTER - 1)])), Ok(()));
}

#[cfg(feature = "alloc")]
#[test]
fn a_clock_that_goes_on_learns_of_as_many_actors_as_a_new_one() {
    use vector_clock::Heap;

    type Large = VectorClock<u32, Heap>;
    assert_eq!(Large::DEFAULT_MAX_ENTRIES, 4_096);
    let dots = (1..4_096).map(|actor| Dot::try_new(actor, 1).unwrap());
    let others = VersionVector::<u32, Heap>::from_sorted(dots).unwrap();
    let one_more = VersionVector::<u32, Heap>::from_sorted([Dot::try_new(5_000, 1).unwrap()]).unwrap();
    for mut clock in [Large::new(0), Large::resume(0, VersionVector::new()).unwrap()] {
        clock.merge(&others).unwrap();
        let full = clock.merge(&one_more).unwrap_err();
        assert_eq!(full.to_string(), "4097 entries needed, capacity 4096");
        clock.tick().unwrap();
    }
}

#[cfg(feature = "alloc")]
#[test]
fn bytes_on_the_heap_are_those_that_a_buffer_gets() {
    let stamp = Stamp::try_new(dot(3, 7), vector::<4>(&[(3, 7), (5, 1)])).unwrap();
    let mut bytes = [0; 64];
    let length = stamp.encode_into(&mut bytes).unwrap();
    assert_eq!((stamp.encoded_len(), stamp.to_bytes()), (length, bytes[..length].to_vec()));
    let length = stamp.vector().encode_into(&mut bytes).unwrap();
    assert_eq!((stamp.vector().encoded_len(), stamp.vector().to_bytes()), (length, bytes[..length].to_vec()));
}

#[test]
fn slots_are_empty_until_a_value_is_put_in() {
    fn check<L: Slots<u8>>() {
        let mut slots = L::EMPTY;
        assert!(slots.is_empty());
        assert_eq!((slots.push(7), slots.len(), slots.is_empty()), (Ok(0), 1, false));
        *slots.get_mut(0).unwrap() = 8;
        assert_eq!((slots.get(0), slots.get(1)), (Some(&8), None));
    }
    check::<<Fixed<2> as Storage>::Slots<u8>>();
    #[cfg(feature = "alloc")]
    check::<<vector_clock::Heap as Storage>::Slots<u8>>();
    let mut full = <<Fixed<1> as Storage>::Slots<u8>>::EMPTY;
    full.push(1).unwrap();
    let refused = full.push(2).unwrap_err();
    assert_eq!((refused.needed(), refused.capacity(), full.get(0)), (2, 1, Some(&1)));
}

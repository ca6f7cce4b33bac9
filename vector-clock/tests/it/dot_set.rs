//! Sets of events as ranges: against sets of single events.

use alloc::collections::BTreeSet;

use proptest::prelude::*;
use vector_clock::{
    Capacity, Causality, Dot, DotRange, DotRangeError, DotSet, EntryError, Heap, MAX_COUNTER, VersionVector,
};

type Events = BTreeSet<(u8, u64)>;

fn dot(actor: u8, counter: u64) -> Dot<u8> {
    Dot::try_new(actor, counter).unwrap()
}

fn range(actor: u8, first: u64, last: u64) -> DotRange<u8> {
    DotRange::try_new(actor, first, last).unwrap()
}

fn set_of(events: &Events) -> DotSet<u8> {
    let mut set = DotSet::new();
    for &(actor, counter) in events {
        assert!(set.insert(dot(actor, counter)).unwrap());
    }
    set
}

fn events_of(ranges: impl Iterator<Item = DotRange<u8>>) -> Events {
    ranges
        .flat_map(|range| (range.first()..=range.last()).map(move |counter| (range.actor(), counter)))
        .collect()
}

/// Canonical: ascending, and nothing between two ranges of one actor could be joined.
fn assert_canonical(set: &DotSet<u8>) {
    let ranges: Vec<_> = set.ranges().collect();
    for pair in ranges.windows(2) {
        let (before, after) = (pair[0], pair[1]);
        assert!(before.actor() < after.actor() || before.last() + 1 < after.first(), "{before:?} {after:?}");
    }
    assert_eq!(DotSet::from_sorted(ranges, DotSet::<u8>::DEFAULT_LIMIT).as_ref(), Ok(set));
}

#[test]
fn one_event_at_counter_four_million_costs_one_range() {
    let mut set = DotSet::new();
    assert_eq!(set.insert(dot(1, 4_000_000)), Ok(true));
    assert_eq!((set.range_count(), set.count()), (1, 1));
    assert!(
        set.contains(dot(1, 4_000_000))
            && !set.contains(dot(1, 3_999_999))
            && !set.contains(dot(2, 4_000_000))
    );
    set.insert_range(range(1, 1, 3_999_999)).unwrap();
    assert_eq!((set.range_count(), set.count()), (1, 4_000_000));
    assert_eq!(set.insert(dot(1, 17)), Ok(false));
}

#[test]
fn the_whole_range_of_counters_is_one_range_and_no_arithmetic_wraps() {
    let mut set = DotSet::with_limit(2);
    set.insert(dot(1, MAX_COUNTER)).unwrap();
    set.insert(dot(1, 1)).unwrap();
    set.insert_range(range(1, 2, MAX_COUNTER - 1)).unwrap();
    assert_eq!(set.ranges().collect::<Vec<_>>(), [range(1, 1, MAX_COUNTER)]);
    assert!(set.difference(&set).unwrap().is_empty());
    assert_eq!(set.prefix().get(1), MAX_COUNTER);
    set.insert_range(range(2, 1, MAX_COUNTER)).unwrap();
    assert_eq!(set.count(), 2 * u128::from(MAX_COUNTER));
}

#[test]
fn a_set_at_its_limit_refuses_another_gap_and_stays_as_it_was() {
    let mut set = DotSet::with_limit(3);
    for counter in [10, 20, 30] {
        set.insert(dot(1, counter)).unwrap();
    }
    let before = set.clone();
    let full = set.insert(dot(1, 40)).unwrap_err();
    assert_eq!((full.needed(), full.capacity()), (4, 3));
    assert!(set.insert_range(range(2, 1, 5)).is_err());
    assert!(set.union(&set_of(&Events::from([(0, 1)]))).is_err());
    let holes = set_of(&Events::from([(1, 1), (1, 3), (1, 5)]));
    let mut solid = DotSet::with_limit(3);
    solid.insert_range(range(1, 1, 100)).unwrap();
    assert!(solid.difference(&holes).is_ok());
    solid.insert_range(range(2, 1, 1)).unwrap();
    let too_many = solid.difference(&holes).unwrap_err();
    assert_eq!((too_many.needed(), too_many.capacity()), (4, 3));
    assert_eq!(solid.missing_from(&holes).count(), 4);
    assert_eq!(set, before);
    // What closes a gap, or joins a range, always has room.
    set.insert(dot(1, 11)).unwrap();
    set.insert_range(range(1, 12, 19)).unwrap();
    assert_eq!(set.range_count(), 2);
}

#[test]
fn ranges_that_are_not_the_canonical_list_are_refused() {
    let limit = 2;
    for (row, ranges, refusal) in [
        ("twice", vec![range(1, 1, 2), range(1, 1, 2)], EntryError::Order),
        ("touching", vec![range(1, 1, 2), range(1, 3, 4)], EntryError::Order),
        ("overlapping", vec![range(1, 1, 3), range(1, 2, 9)], EntryError::Order),
        ("descending", vec![range(1, 5, 6), range(1, 1, 2)], EntryError::Order),
        ("actors descending", vec![range(2, 1, 2), range(1, 5, 6)], EntryError::Order),
    ] {
        assert_eq!(DotSet::from_sorted(ranges, limit), Err(refusal), "{row}");
    }
    let three = [range(1, 1, 1), range(1, 3, 3), range(2, 1, 1)];
    assert!(matches!(DotSet::from_sorted(three, limit), Err(EntryError::Capacity(_))));
    assert_eq!(DotSet::from_sorted(three, 3).unwrap().range_count(), 3);
    assert_eq!(DotRange::try_new(1_u8, 3, 2), Err(DotRangeError::Order));
    for (first, last) in [(0, 1), (1, MAX_COUNTER + 1), (u64::MAX, u64::MAX)] {
        assert!(matches!(DotRange::try_new(1_u8, first, last), Err(DotRangeError::Counter(_))));
    }
}

#[test]
fn the_prefix_is_what_has_no_gap_before_it() {
    let set = set_of(&Events::from([(1, 1), (1, 2), (1, 4), (2, 2), (3, 1)]));
    let prefix: Vec<_> = set.prefix().iter().collect();
    assert_eq!(prefix, [dot(1, 2), dot(3, 1)]);
    let mut vector = VersionVector::<u8, Heap>::new();
    vector.record(dot(1, 3)).unwrap();
    vector.record(dot(2, 1)).unwrap();
    assert_eq!(
        set.missing_from_vector(&vector).collect::<Vec<_>>(),
        [range(1, 4, 4), range(2, 2, 2), range(3, 1, 1)]
    );
    let mut both = set.clone();
    both.union_vector(&vector).unwrap();
    assert_eq!(both.ranges().collect::<Vec<_>>(), [range(1, 1, 4), range(2, 1, 2), range(3, 1, 1)]);
}

fn events() -> impl Strategy<Value = Events> {
    proptest::collection::btree_set((0_u8..3, 1_u64..24), 0..30)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn every_operation_is_that_of_the_set_of_events(a in events(), b in events(), probe in (0_u8..3, 1_u64..26)) {
        let (left, right) = (set_of(&a), set_of(&b));
        assert_canonical(&left);
        prop_assert_eq!(events_of(left.ranges()), a.clone());
        prop_assert_eq!(left.count(), u128::try_from(a.len()).unwrap());
        prop_assert_eq!(left.contains(dot(probe.0, probe.1)), a.contains(&probe));

        let mut union = left.clone();
        union.union(&right).unwrap();
        assert_canonical(&union);
        prop_assert_eq!(events_of(union.ranges()), a.union(&b).copied().collect::<Events>());

        let difference = left.difference(&right).unwrap();
        assert_canonical(&difference);
        let expected: Events = a.difference(&b).copied().collect();
        prop_assert_eq!(events_of(difference.ranges()), expected.clone());
        prop_assert_eq!(events_of(left.missing_from(&right)), expected);

        let expected = match (a.is_subset(&b), b.is_subset(&a)) {
            (true, true) => Causality::Equal,
            (true, false) => Causality::Before,
            (false, true) => Causality::After,
            (false, false) => Causality::Concurrent,
        };
        prop_assert_eq!(left.causality(&right), expected);
    }

    #[test]
    fn ranges_come_in_any_order_and_give_one_set(mut ranges in proptest::collection::vec((0_u8..3, 1_u64..20, 0_u64..8), 0..12)) {
        let build = |ranges: &[(u8, u64, u64)]| {
            let mut set = DotSet::new();
            for &(actor, first, more) in ranges {
                set.insert_range(range(actor, first, first + more))?;
            }
            Ok::<_, Capacity>(set)
        };
        let forwards = build(&ranges).unwrap();
        assert_canonical(&forwards);
        ranges.reverse();
        prop_assert_eq!(build(&ranges).unwrap(), forwards.clone());
        let each = ranges.iter().flat_map(|&(actor, first, more)| (first..=first + more).map(move |c| (actor, c)));
        prop_assert_eq!(events_of(forwards.ranges()), each.collect::<Events>());
    }

    #[test]
    fn union_is_associative_commutative_and_idempotent(a in events(), b in events(), c in events()) {
        let [a, b, c] = [a, b, c].map(|events| set_of(&events));
        let union = |left: &DotSet<u8>, right: &DotSet<u8>| {
            let mut both = left.clone();
            both.union(right).unwrap();
            both
        };
        prop_assert_eq!(union(&a, &b), union(&b, &a));
        prop_assert_eq!(union(&union(&a, &b), &c), union(&a, &union(&b, &c)));
        prop_assert_eq!(union(&a, &a), a);
    }
}

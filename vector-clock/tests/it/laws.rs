//! What holds for every value.

use core::hash::{BuildHasher, BuildHasherDefault};
use std::hash::DefaultHasher;

use proptest::array::uniform5;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use vector_clock::{
    Causality, ClockRef, Delta, DenseVector, Dot, Fixed, Limits, MAX_COUNTER, MaxJump, Stamp, VersionVector,
};

type Vector = VersionVector<u16, Fixed<200>>;

/// Few values, so that equal ones meet, and both ends.
fn counters() -> impl Strategy<Value = u64> {
    prop_oneof![1..4_u64, 200..300_u64, MAX_COUNTER - 1..=MAX_COUNTER]
}

/// Few actors, so that memberships overlap, are equal, or are disjoint.
fn small() -> impl Strategy<Value = Vector> {
    btree_map(0..6_u16, counters(), 0..5).prop_map(|entries| {
        Vector::from_sorted(entries.into_iter().map(|(actor, counter)| Dot::try_new(actor, counter).unwrap()))
            .unwrap()
    })
}

/// Three vectors: small ones, or long ones of the same members that differ in few places.
fn three() -> impl Strategy<Value = [Vector; 3]> {
    let long = (40..200_usize, vec((any::<prop::sample::Index>(), 0..3_usize, counters()), 0..6)).prop_map(
        |(len, changes)| {
            let mut lanes = [vec![7_u64; len], vec![7; len], vec![7; len]];
            for (at, which, counter) in changes {
                lanes[which][at.index(len)] = counter;
            }
            lanes.map(|lanes| {
                let dots = (0..).zip(lanes).map(|(actor, counter)| Dot::try_new(actor, counter).unwrap());
                Vector::from_sorted(dots).unwrap()
            })
        },
    );
    prop_oneof![[small(), small(), small()], long]
}

fn joined(left: &Vector, right: &Vector) -> Vector {
    let mut both = left.clone();
    both.merge(right).unwrap();
    both
}

fn hash(vector: &Vector) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(vector)
}

fn by_definition(left: &Vector, right: &Vector) -> Causality {
    let within = |a: &Vector, b: &Vector| a.iter().all(|dot| b.contains(dot));
    match (within(left, right), within(right, left)) {
        (true, true) => Causality::Equal,
        (true, false) => Causality::Before,
        (false, true) => Causality::After,
        (false, false) => Causality::Concurrent,
    }
}

proptest! {
    #[test]
    fn comparison_is_inclusion_of_events_and_all_its_forms_agree([a, b, _] in three()) {
        let causality = a.causality(&b);
        prop_assert_eq!(causality, by_definition(&a, &b));
        prop_assert_eq!(b.causality(&a), causality.reverse());
        prop_assert_eq!(a.partial_cmp(&b), causality.to_ordering());
        prop_assert_eq!(a == b, causality == Causality::Equal);
        prop_assert!(a != b || hash(&a) == hash(&b));
        prop_assert_eq!(a.causality(&a.clone()), Causality::Equal);
    }

    #[test]
    fn the_order_is_transitive([a, b, c] in three()) {
        let (under, over) = (a.glb(&b), joined(&b, &c));
        prop_assert!(under <= b && b <= over && under <= over);
        if a <= b && b <= c {
            prop_assert!(a <= c);
        }
    }

    #[test]
    fn merge_is_the_least_upper_bound([a, b, c] in three()) {
        let both = joined(&a, &b);
        prop_assert!(both >= a && both >= b);
        prop_assert!(both.iter().all(|dot| a.contains(dot) || b.contains(dot)), "nothing is invented");
        prop_assert_eq!(&both, &joined(&b, &a));
        prop_assert_eq!(joined(&both, &c), joined(&a, &joined(&b, &c)));
        prop_assert_eq!(&joined(&both, &a), &both);
        prop_assert_eq!(a <= b, both == b);
    }

    #[test]
    fn glb_is_the_greatest_lower_bound([a, b, c] in three()) {
        let common = a.glb(&b);
        prop_assert!(common <= a && common <= b);
        prop_assert!(a.iter().all(|dot| !b.contains(dot) || common.contains(dot)), "nothing common is left out");
        prop_assert_eq!(&common, &b.glb(&a));
        prop_assert_eq!(common.glb(&c), a.glb(&b.glb(&c)));
        prop_assert_eq!(a.glb(&a), a.clone());
        prop_assert_eq!(joined(&a, &common), a.clone(), "absorption");
        prop_assert_eq!(a.glb(&joined(&a, &b)), a, "absorption");
    }

    #[test]
    fn storage_makes_no_difference([a, b, _] in three()) {
        let wide = |vector: &Vector| VersionVector::<u16, Fixed<201>>::from_sorted(vector.iter()).unwrap();
        prop_assert_eq!(&wide(&a), &a);
        prop_assert_eq!(wide(&a).causality(&b), a.causality(&b));
        let mut both = a.clone();
        both.merge(&wide(&b)).unwrap();
        prop_assert_eq!(both, joined(&a, &b));
        prop_assert_eq!(a.glb(&wide(&b)), a.glb(&b));
    }

    #[test]
    fn forged_stamps_do_not_make_two_events_precede_each_other(
        [a, b, _] in three(),
        (left, right) in (any::<prop::sample::Index>(), any::<prop::sample::Index>()),
    ) {
        prop_assume!(!a.is_empty() && !b.is_empty());
        let stamp = |vector: &Vector, which: prop::sample::Index| {
            Stamp::try_new(vector.iter().nth(which.index(vector.len())).unwrap(), vector.clone()).unwrap()
        };
        let (left, right) = (stamp(&a, left), stamp(&b, right));
        prop_assert_eq!(left.causality(&right), right.causality(&left).reverse());
        prop_assert_eq!(left.happened_before(&right), left.causality(&right) == Causality::Before);
    }

    #[cfg(feature = "alloc")]
    #[test]
    fn growing_storage_makes_no_difference_either([a, b, _] in three(), actor in 0..8_u16) {
        type Growing = VersionVector<u16, vector_clock::Heap>;
        let growing = |vector: &Vector| Growing::from_sorted(vector.iter()).unwrap();
        let (mut both, mut fixed) = (growing(&a), a.clone());
        both.merge(&growing(&b)).unwrap();
        fixed.merge(&b).unwrap();
        prop_assert_eq!(&both, &fixed);
        prop_assert_eq!(both.tick(actor), fixed.tick(actor));
        prop_assert_eq!(&both, &fixed);
        prop_assert_eq!(both.forget_lossy(actor), fixed.forget_lossy(actor));
        prop_assert_eq!(&both, &fixed);
        prop_assert_eq!(growing(&a).glb(&growing(&b)), a.glb(&b));
        let mut bytes = [0; 4_096];
        let len = fixed.encode_into(&mut bytes).unwrap();
        prop_assert_eq!(&both.to_bytes()[..], &bytes[..len]);
        prop_assert_eq!(Growing::decode(&bytes[..len], &Limits::new()).unwrap(), both);
    }

    #[test]
    fn a_dense_vector_is_the_sparse_one_with_its_lanes_as_actors(a in uniform5(0..4_u64), b in uniform5(0..4_u64)) {
        let dense = |lanes: [u64; 5]| DenseVector::try_from_counters(lanes).unwrap();
        let sparse = |lanes| dense(lanes).to_sparse::<Fixed<5>>().unwrap();
        let (mut both, mut sparse_both) = (dense(a), sparse(a));
        prop_assert_eq!(both.causality(&dense(b)), sparse(a).causality(&sparse(b)));
        prop_assert_eq!(both.partial_cmp(&dense(b)), sparse(a).partial_cmp(&sparse(b)));
        both.merge(&dense(b));
        sparse_both.merge(&sparse(b)).unwrap();
        prop_assert_eq!(both.to_sparse::<Fixed<5>>().unwrap(), sparse_both);
        prop_assert_eq!(dense(a).glb(&dense(b)).to_sparse::<Fixed<5>>().unwrap(), sparse(a).glb(&sparse(b)));
    }

    #[test]
    fn a_delta_goes_from_its_base_to_the_latest_also_as_bytes([a, b, _] in three()) {
        let (base, latest) = (a.glb(&b), a);
        let delta: Delta<u16, Fixed<200>> = Delta::between(&base, &latest).unwrap();
        prop_assert_eq!(delta.apply(&base).unwrap(), latest.clone());
        prop_assert!(base == latest || delta.apply(&latest).is_err());
        let mut bytes = [0; 4_096];
        let len = delta.encode_into(&mut bytes).unwrap();
        prop_assert_eq!(len, delta.encoded_len());
        let limits = Limits::new().with_max_jump(MaxJump::Unbounded);
        prop_assert_eq!(Delta::<u16, Fixed<200>>::decode(&bytes[..len], &limits).unwrap(), delta);
    }

    #[test]
    fn vectors_come_back_from_their_bytes_and_compare_alike_without_it([a, b, _] in three()) {
        let (mut left, mut right) = ([0; 4_096], [0; 4_096]);
        let left = { let len = a.encode_into(&mut left).unwrap(); &left[..len] };
        let right = { let len = b.encode_into(&mut right).unwrap(); &right[..len] };
        prop_assert_eq!(left == right, a == b, "equal values have equal bytes");
        prop_assert_eq!(left.len(), a.encoded_len());
        let limits = Limits::new();
        prop_assert_eq!(&Vector::decode(left, &limits).unwrap(), &a);
        let (l, r) = (ClockRef::parse(left, &limits).unwrap(), ClockRef::parse(right, &limits).unwrap());
        prop_assert_eq!(l.causality(&r), a.causality(&b));
        prop_assert_eq!(l.causality_with(&b), a.causality(&b));
        prop_assert_eq!((l.len(), l.is_empty(), l.is_stamp()), (a.len(), a.is_empty(), false));
    }

    #[test]
    fn stamps_come_back_from_their_bytes([a, _, _] in three(), which in any::<prop::sample::Index>()) {
        prop_assume!(!a.is_empty());
        let dot = a.iter().nth(which.index(a.len())).unwrap();
        let stamp = Stamp::try_new(dot, a.clone()).unwrap();
        let mut bytes = [0; 4_096];
        let len = stamp.encode_into(&mut bytes).unwrap();
        prop_assert_eq!(len, stamp.encoded_len());
        prop_assert_eq!(&Stamp::<u16, Fixed<200>>::decode(&bytes[..len], &Limits::new()).unwrap(), &stamp);
        let seen = ClockRef::parse(&bytes[..len], &Limits::new()).unwrap();
        prop_assert!(seen.is_stamp());
        prop_assert_eq!(seen.causality_with(&a), Causality::Equal);
    }
}

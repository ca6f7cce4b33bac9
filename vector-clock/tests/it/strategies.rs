//! Values for users' own tests: only valid ones, all of them, and such that test something.

use vector_clock::{
    DenseVector, Dot, DotRange, DotSet, DvvSet, Fixed, Heap, MAX_COUNTER, Stamp, VersionVector,
};

/// Does the value obey the invariants that its public face shows?
fn assert_is_valid<A: vector_clock::Actor, S: vector_clock::Storage>(vector: &VersionVector<A, S>) {
    let dots: Vec<_> = vector.iter().collect();
    assert_eq!(dots.len(), vector.len());
    assert!(dots.is_sorted_by(|a, b| a.actor() < b.actor()), "{vector:?}");
    assert!(dots.iter().all(|dot| (1..=MAX_COUNTER).contains(&dot.counter())), "{vector:?}");
    assert!(vector.len() <= VersionVector::<A, S>::capacity_limit());
    let bytes = vector.to_bytes();
    let again =
        VersionVector::<A, S>::decode(&bytes, &vector_clock::Limits::new().with_max_entries(usize::MAX));
    assert_eq!(again.as_ref(), Ok(vector));
}

fn assert_is_a_set<V: Clone + PartialEq + core::fmt::Debug>(set: &DvvSet<u32, V>) {
    let siblings: Vec<_> = set.siblings().map(|(dot, value)| (dot, value.clone())).collect();
    let limits = vector_clock::DvvLimits::DEFAULT;
    assert_eq!(DvvSet::from_parts(set.join().clone(), siblings, limits).as_ref(), Ok(set));
}

#[cfg(feature = "arbitrary")]
mod arbitrary {
    use ::arbitrary::{Arbitrary, Unstructured};

    use super::*;

    fn from_bytes<T: for<'a> Arbitrary<'a>>(bytes: &[u8]) -> T {
        T::arbitrary(&mut Unstructured::new(bytes)).unwrap()
    }

    /// Bytes that look like nothing.
    fn noise(length: usize, seed: u64) -> Vec<u8> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            state.to_be_bytes()[0]
        };
        (0..length).map(|_| next()).collect()
    }

    /// Makes a value of as many bytes as its hint asks for, and returns how many those are and how many are left.
    fn asked_for_and_left<T: for<'a> Arbitrary<'a>>() -> (usize, Option<usize>, usize) {
        let (least, most) = T::size_hint(0);
        let bytes = noise(least, 1);
        let mut bytes = Unstructured::new(&bytes);
        T::arbitrary(&mut bytes).unwrap();
        (least, most, bytes.len())
    }

    #[test]
    fn as_many_bytes_as_the_hint_says_make_a_value_and_none_is_left() {
        assert_eq!(asked_for_and_left::<Dot<u8>>(), (9, Some(9), 0));
        assert_eq!(asked_for_and_left::<DotRange<u32>>(), (20, Some(20), 0));
        assert_eq!(asked_for_and_left::<DenseVector<3>>(), (24, Some(24), 0));
    }

    #[test]
    fn no_bytes_make_the_least_value_and_none_make_an_invalid_one() {
        assert_eq!(from_bytes::<Dot<u8>>(&[]), Dot::try_new(0, 1).unwrap());
        assert!(from_bytes::<VersionVector<u32, Heap>>(&[]).is_empty());
        assert!(from_bytes::<DvvSet<u32, u8>>(&[]).is_empty());
        let (mut longest, mut most_siblings, mut most_ranges, mut most_known) = (0, 0, 0, 0);
        for seed in 0..200 {
            let bytes = noise(600, seed);
            let vector = from_bytes::<VersionVector<u32, Heap>>(&bytes);
            assert_is_valid(&vector);
            assert_is_valid(&from_bytes::<VersionVector<u8, Fixed<3>>>(&bytes));
            let stamp = from_bytes::<Stamp<u32, Fixed<3>>>(&bytes);
            assert_is_valid(stamp.vector());
            assert_eq!(stamp.vector().get(stamp.dot().actor()), stamp.dot().counter());
            let range = from_bytes::<DotRange<u8>>(&bytes);
            assert_eq!(DotRange::try_new(range.actor(), range.first(), range.last()), Ok(range));
            let dense = from_bytes::<DenseVector<4>>(&bytes);
            assert_eq!(DenseVector::try_from_counters(*dense.as_counters()), Ok(dense));
            let ranges = from_bytes::<DotSet<u32>>(&bytes);
            assert_eq!(DotSet::from_sorted(ranges.ranges(), usize::MAX).as_ref(), Ok(&ranges));
            let set = from_bytes::<DvvSet<u32, u8>>(&bytes);
            assert_is_a_set(&set);
            most_known = most_known.max(stamp.vector().len());
            longest = longest.max(vector.len());
            most_siblings = most_siblings.max(set.len());
            most_ranges = most_ranges.max(ranges.range_count());
        }
        assert!(
            longest >= 8 && most_siblings >= 3 && most_ranges >= 5 && most_known == 3,
            "{longest} {most_siblings} {most_ranges} {most_known}"
        );
    }
}

#[cfg(feature = "proptest")]
mod proptest {
    use ::proptest::{
        prelude::*,
        strategy::ValueTree,
        test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner},
    };
    use vector_clock::{Causality, proptest::version_vectors};

    use super::*;

    /// The same run each time, without a file of failures.
    fn runner() -> TestRunner {
        let config = Config { cases: 2_048, failure_persistence: None, ..Config::default() };
        TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
    }

    fn values<S: Strategy>(strategy: &S) -> Vec<S::Value> {
        let mut runner = runner();
        (0..2_048).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
    }

    /// What a failing test is told.
    fn least<S: Strategy<Value: Clone>>(strategy: &S, is_good: impl Fn(&S::Value) -> bool) -> S::Value {
        let failed = runner().run(strategy, |value| {
            prop_assert!(is_good(&value));
            Ok(())
        });
        match failed {
            Err(TestError::Fail(_, value)) => value,
            other => panic!("it was never bad: {other:?}"),
        }
    }

    #[test]
    fn dots_and_ranges_are_seen_at_both_ends_and_are_valid() {
        let dots = values(&any::<Dot<u8>>());
        for edge in [1, 2, MAX_COUNTER - 1, MAX_COUNTER] {
            assert!(dots.iter().any(|dot| dot.counter() == edge), "{edge}");
        }
        for bits in [10, 20, 30, 40, 50] {
            let magnitude = 1 << bits..1 << (bits + 10);
            assert!(dots.iter().any(|dot| magnitude.contains(&dot.counter())), "{bits}");
        }
        assert!(dots.iter().all(|dot| Dot::try_new(dot.actor(), dot.counter()) == Ok(*dot)));
        let ranges = values(&any::<DotRange<u8>>());
        assert!(ranges.iter().any(|range| range.first() == 1 && range.last() == MAX_COUNTER));
        assert!(ranges.iter().any(|range| range.count() == 1));
        let dense = values(&any::<DenseVector<2>>());
        assert!(dense.iter().any(|vector| *vector.as_counters() == [0, MAX_COUNTER]));
    }

    #[test]
    fn vectors_and_stamps_are_valid_from_none_to_all_entries_that_fit() {
        let heap = values(&any::<VersionVector<u32, Heap>>());
        heap.iter().for_each(assert_is_valid);
        let fixed = values(&any::<VersionVector<u8, Fixed<3>>>());
        fixed.iter().for_each(assert_is_valid);
        for length in 0..=3 {
            assert!(fixed.iter().any(|vector| vector.len() == length), "{length}");
        }
        let full = fixed.iter().filter(|vector| vector.len() == 3).count();
        assert!(full > fixed.len() / 2, "most have more entries than fit: {full}");
        assert!(heap.iter().any(VersionVector::is_empty) && heap.iter().any(|vector| vector.len() > 90));
        let longer = any_with::<VersionVector<u32, Heap>>(((1_000..=1_000).into(), ()));
        assert!(longer.new_tree(&mut runner()).unwrap().current().len() > 990);
        for stamp in values(&any::<Stamp<u8, Fixed<3>>>()) {
            assert_is_valid(stamp.vector());
            assert_eq!(stamp.vector().get(stamp.dot().actor()), stamp.dot().counter());
        }
    }

    #[test]
    fn vectors_of_few_actors_stand_to_each_other_in_every_way() {
        let pairs = values(&(
            version_vectors::<_, Heap>(0..2_u32, 0..=2),
            version_vectors::<_, Heap>(0..2_u32, 0..=2),
        ));
        for way in [Causality::Equal, Causality::Before, Causality::After, Causality::Concurrent] {
            assert!(pairs.iter().any(|(a, b)| !a.is_empty() && a.causality(b) == way), "{way:?}");
        }
    }

    #[test]
    fn sets_are_valid_with_none_or_many_values() {
        let sets = values(&any::<DvvSet<u32, u8>>());
        sets.iter().for_each(assert_is_a_set);
        assert!(sets.iter().any(|set| set.is_empty() && !set.join().is_empty()), "all replaced");
        assert!(sets.iter().any(|set| set.len() > 10));
        let behind = |set: &DvvSet<u32, u8>| {
            set.siblings().any(|(dot, _)| set.join().get(dot.actor()) > dot.counter())
        };
        assert!(sets.iter().any(behind), "a value that is not its actor's last");
        let ranges = values(&any::<DotSet<u8>>());
        assert!(ranges.iter().any(DotSet::is_empty) && ranges.iter().any(|set| set.range_count() > 10));
    }

    #[test]
    fn a_failing_value_shrinks_to_few_entries_and_low_counters() {
        let two = least(&any::<VersionVector<u32, Heap>>(), |vector| vector.len() < 2);
        let entries: Vec<_> = two.iter().map(|dot| (dot.actor(), dot.counter())).collect();
        assert_eq!(entries, [(0, 1), (1, 1)]);
        let high = least(&any::<Dot<u8>>(), |dot| dot.counter() < 1_000_003);
        assert_eq!(high, Dot::try_new(0, 1_000_003).unwrap());
        let siblings = least(&any::<DvvSet<u32, u8>>(), |set| set.len() < 2);
        assert_eq!(siblings.values().collect::<Vec<_>>(), [&0, &0]);
        assert!(siblings.join().len() <= 2, "{siblings:?}");
    }
}

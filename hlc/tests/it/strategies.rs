//! Values for users' own tests: only valid ones, all of them, and such that test something.

use hlc::{
    NodeId, Packed, PhysicalTime, Stamp, Timestamp,
    layout::{Layout, Micros52, Millis46, Ntp60, Secs32, Unix48},
};

#[cfg(feature = "arbitrary")]
mod arbitrary {
    use ::arbitrary::{Arbitrary, Unstructured};

    use super::*;

    fn from_bytes<T: for<'a> Arbitrary<'a>>(bytes: &[u8]) -> T {
        T::arbitrary(&mut Unstructured::new(bytes)).unwrap()
    }

    /// The bytes that `arbitrary` reads a number from.
    fn number(number: u64) -> [u8; 8] {
        let mut bytes = number.to_be_bytes();
        bytes.reverse();
        bytes
    }

    #[test]
    fn the_least_and_the_greatest_values_come_from_the_least_and_the_greatest_bytes_and_from_none() {
        assert_eq!(from_bytes::<Timestamp>(&[]), Timestamp::MIN);
        assert_eq!(from_bytes::<Stamp>(&[0; 16]), Timestamp::MIN.at_node(NodeId::MIN));
        assert_eq!(from_bytes::<Stamp>(&[0xff; 16]), Timestamp::MAX.at_node(NodeId::MAX));
        assert_eq!(from_bytes::<PhysicalTime>(&[]), PhysicalTime::UNIX_EPOCH);
        assert_eq!(Stamp::<NodeId>::size_hint(0), (16, Some(16)));
        assert_eq!(Timestamp::size_hint(0), (8, Some(8)));
        assert_eq!(PhysicalTime::size_hint(0), (12, Some(12)));
    }

    #[test]
    fn every_value_has_bytes_that_make_it() {
        for bits in [1, 2, 0xffff, 0x1_0000, 1 << 63, u64::MAX - 1, u64::MAX] {
            assert_eq!(from_bytes::<Packed<Ntp60>>(&number(bits)).to_bits(), bits);
            let node = NodeId::from_random_bits(bits);
            assert_eq!(from_bytes::<NodeId>(&number(node.as_u64())), node);
        }
        for bits in 0..=u16::MAX {
            let part = (u32::from(bits) * 0x1_0001).to_be_bytes();
            let time = from_bytes::<PhysicalTime>(&[&number(u64::MAX)[..], &part].concat());
            assert_eq!(PhysicalTime::new(u64::MAX, time.subsec_nanos()), Some(time), "a part of a second");
        }
    }
}

#[cfg(feature = "proptest")]
mod proptest {
    use core::fmt::Debug;

    use ::proptest::{
        prelude::*,
        strategy::ValueTree,
        test_runner::{Config, TestError, TestRunner},
    };

    use super::*;

    fn runner() -> TestRunner {
        // Without a file of failures, with seeds of its own: the same run each time.
        TestRunner::new_with_rng(
            Config { cases: 4_096, failure_persistence: None, ..Config::default() },
            ::proptest::test_runner::TestRng::deterministic_rng(
                ::proptest::test_runner::RngAlgorithm::ChaCha,
            ),
        )
    }

    fn values<T: Arbitrary<Strategy: 'static>>() -> Vec<T> {
        let (mut runner, strategy) = (runner(), any::<T>());
        (0..4_096).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
    }

    /// What a failing test is told.
    fn least<T: Arbitrary<Strategy: 'static> + Clone + Debug>(is_good: impl Fn(&T) -> bool) -> T {
        let failed = runner().run(&any::<T>(), |value| {
            prop_assert!(is_good(&value));
            Ok(())
        });
        match failed {
            Err(TestError::Fail(_, value)) => value,
            other => panic!("it was never bad: {other:?}"),
        }
    }

    fn sees_all_of_a_layout<L: Layout>() {
        let seen = values::<Packed<L>>();
        let has = |what: &dyn Fn(&Packed<L>) -> bool| seen.iter().any(what);
        let (units, counter) = (Packed::<L>::MAX_PHYSICAL_UNITS, Packed::<L>::MAX_COUNTER);
        for edge in [Packed::<L>::MIN, Packed::<L>::MAX] {
            assert!(seen.contains(&edge), "{} has {edge:?}", L::NAME);
        }
        assert!(has(&|stamp| stamp.counter() == 0 && stamp.physical_units() > 0));
        assert!(has(&|stamp| stamp.counter() == counter && stamp.physical_units() < units));
        assert!(has(&|stamp| stamp.physical_units() == 0 && stamp.counter() > 1));
        // And the middle, of every magnitude.
        for bit in 0..u64::BITS {
            let magnitude = 1_u64 << bit;
            assert!(
                has(&|stamp| stamp.to_bits() & magnitude != 0 && stamp.to_bits() & !magnitude != 0),
                "{bit}"
            );
        }
        assert!(has(&|stamp| (units / 4..units / 4 * 3).contains(&stamp.physical_units())));
    }

    #[test]
    fn timestamps_of_every_layout_are_seen_at_both_ends_of_both_fields_and_between() {
        sees_all_of_a_layout::<Unix48>();
        sees_all_of_a_layout::<Micros52>();
        sees_all_of_a_layout::<Ntp60>();
        sees_all_of_a_layout::<Millis46>();
        sees_all_of_a_layout::<Secs32>();
    }

    #[test]
    fn nodes_and_times_are_seen_at_both_ends_and_are_valid() {
        let stamps = values::<Stamp>();
        for edge in [NodeId::MIN, NodeId::MAX] {
            assert!(stamps.iter().any(|stamp| *stamp.node() == edge));
        }
        assert!(stamps.iter().all(|stamp| NodeId::new(stamp.node().as_u64()).is_ok()));
        let times = values::<PhysicalTime>();
        assert!(times.iter().any(|time| time.subsec_nanos() == 999_999_999 && time.secs() > 1 << 40));
        assert!(times.iter().any(|time| time.subsec_nanos() == 0 && time.secs() < 8));
        for time in times {
            assert_eq!(PhysicalTime::new(time.secs(), time.subsec_nanos()), Some(time));
        }
    }

    #[test]
    fn one_of_four_nodes_is_near_each_end_and_the_rest_are_of_every_magnitude() {
        let ids: Vec<u64> = values::<NodeId>().iter().map(|node| node.as_u64()).collect();
        // So at least one of five in any run.
        let (low, high) = (ids.iter().filter(|&&id| id < 8), ids.iter().filter(|&&id| id > (1 << 58) - 9));
        let (low, high) = (low.count(), high.count());
        assert!(low > 4_096 / 5 && high > 4_096 / 5, "{low} low, {high} high");
        for bits in 1..=NodeId::BITS {
            assert!(ids.iter().any(|id| u64::BITS - id.leading_zeros() == bits), "of {bits} bits");
        }
    }

    #[test]
    fn a_failing_value_shrinks_to_the_least_that_fails() {
        let late = least(|stamp: &Timestamp| stamp.physical_units() < 1_000_003);
        assert_eq!((late.physical_units(), late.counter()), (1_000_003, 0));
        let full = least(|stamp: &Timestamp| stamp.counter() < 0xfffe);
        assert_eq!((full.physical_units(), full.counter()), (0, 0xfffe));
        let named = least(|stamp: &Stamp| stamp.node().as_u64() < 77);
        assert_eq!(named, Timestamp::MIN.at_node(NodeId::new(77).unwrap()));
    }
}

//! Values for users' own tests: all of them, and such that test something.

use lamport::{Stamp, Time};

#[cfg(feature = "arbitrary")]
#[test]
fn every_time_has_bytes_that_make_it() {
    use ::arbitrary::{Arbitrary, Unstructured};

    for time in [0, 1, 255, 256, 1 << 63, u64::MAX - 1, u64::MAX] {
        let mut bytes = time.to_be_bytes();
        bytes.reverse();
        assert_eq!(Time::arbitrary(&mut Unstructured::new(&bytes)).unwrap(), Time::new(time));
    }
    let last: Stamp<u8> = Stamp::arbitrary(&mut Unstructured::new(&[0xff; 9])).unwrap();
    assert_eq!(last, Time::MAX.at_node(255));
    assert_eq!(Time::size_hint(0), (8, Some(8)));
    assert_eq!(Stamp::<u8>::size_hint(0), (9, Some(9)));
}

#[cfg(feature = "proptest")]
mod proptest {
    use ::proptest::{
        prelude::*,
        strategy::ValueTree,
        test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner},
    };

    use super::*;

    /// The same run each time, without a file of failures.
    fn runner() -> TestRunner {
        let config = Config { cases: 4_096, failure_persistence: None, ..Config::default() };
        TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
    }

    #[test]
    fn times_are_seen_at_both_ends_and_of_every_magnitude() {
        let (mut runner, strategy) = (runner(), any::<Stamp<u8>>());
        let times: Vec<_> =
            (0..4_096).map(|_| strategy.new_tree(&mut runner).unwrap().current().time().get()).collect();
        for edge in [0, 1, u64::MAX - 1, u64::MAX] {
            assert!(times.contains(&edge), "{edge}");
        }
        for bits in 1..=u64::BITS {
            assert!(times.iter().any(|time| u64::BITS - time.leading_zeros() == bits), "of {bits} bits");
        }
        // One of four is near each end, so at least one of five in any run.
        let early = times.iter().filter(|&&time| time < 8).count();
        let late = times.iter().filter(|&&time| time > u64::MAX - 8).count();
        assert!(early > 4_096 / 5 && late > 4_096 / 5, "{early} early, {late} late");
    }

    #[test]
    fn a_failing_time_shrinks_to_the_earliest_that_fails() {
        let failed = runner().run(&any::<Stamp<u8>>(), |stamp| {
            prop_assert!(stamp.time() < Time::new(1_000_003));
            Ok(())
        });
        match failed {
            Err(TestError::Fail(_, stamp)) => assert_eq!(stamp, Time::new(1_000_003).at_node(0)),
            other => panic!("it was never bad: {other:?}"),
        }
    }
}

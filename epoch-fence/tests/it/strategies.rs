//! Values for users' own tests: only valid ones, all of them, and such that test something.

use epoch_fence::protocol::Ttl;
use epoch_fence::{Epoch, FencingToken, HolderId};

fn assert_is_valid(token: &FencingToken) {
    assert_eq!(FencingToken::from_bytes(&token.to_bytes()).as_ref(), Ok(token));
    assert_eq!(token.to_string().parse().as_ref(), Ok(token));
}

fn assert_is_a_name(holder: &HolderId) {
    assert_eq!(HolderId::try_new(holder.as_str()).as_ref(), Ok(holder));
}

#[cfg(feature = "arbitrary")]
mod arbitrary {
    use ::arbitrary::{Arbitrary, Unstructured};
    use epoch_fence::{GrantId, RealmId, ResourceId};

    use super::*;

    fn from_bytes<T: for<'a> Arbitrary<'a>>(bytes: &[u8]) -> T {
        T::arbitrary(&mut Unstructured::new(bytes)).unwrap()
    }

    #[test]
    fn the_least_and_the_greatest_bytes_make_valid_values_and_so_does_every_one_between() {
        assert_eq!(from_bytes::<Epoch>(&[]), Epoch::FIRST);
        assert_eq!(from_bytes::<Epoch>(&[0xff; 8]), Epoch::MAX);
        assert_eq!(from_bytes::<Ttl>(&[]), Ttl::MIN);
        assert_eq!(from_bytes::<HolderId>(&[]).as_str(), "a");
        for byte in 0..=u8::MAX {
            let bytes = [byte; 200];
            let token = from_bytes::<FencingToken>(&bytes);
            assert_is_valid(&token);
            assert_eq!(token.to_bytes()[1], byte & 0x0f, "the flags that are passed on");
            assert_is_a_name(&from_bytes(&bytes));
            let ttl = from_bytes::<Ttl>(&bytes);
            assert_eq!(Ttl::new(ttl.get()), Some(ttl));
        }
    }

    #[test]
    fn a_value_says_how_many_bytes_it_is_made_of() {
        let rows = [
            ("an epoch", Epoch::size_hint(0), (8, Some(8))),
            ("a realm", RealmId::size_hint(0), (16, Some(16))),
            ("a grant", GrantId::size_hint(0), (16, Some(16))),
            ("a resource", ResourceId::size_hint(0), (32, Some(32))),
            ("a time to live", Ttl::size_hint(0), (8, Some(8))),
            ("a token", FencingToken::size_hint(0), (73, Some(73))),
            ("a name, of any length", HolderId::size_hint(0), (0, None)),
        ];
        for (value, hint, bytes) in rows {
            assert_eq!(hint, bytes, "{value}");
        }
    }

    #[test]
    fn names_may_be_as_long_as_names_are_and_are_cut_between_letters() {
        let of = |text: &str| HolderId::arbitrary_take_rest(Unstructured::new(text.as_bytes())).unwrap();
        assert_eq!(of("worker 1").as_str(), "worker 1");
        assert_eq!(of("a\u{7}b\n").as_str(), "ab");
        assert_eq!(of(&"x".repeat(100)).as_str(), "x".repeat(64));
        // 21 letters of three bytes: one more would be 66.
        assert_eq!(of(&"\u{20ac}".repeat(50)).as_str(), "\u{20ac}".repeat(21));
    }
}

#[cfg(feature = "proptest")]
mod proptest {
    use ::proptest::prelude::*;
    use ::proptest::strategy::ValueTree;
    use ::proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};

    use super::*;

    /// The same run each time, without a file of failures.
    fn runner() -> TestRunner {
        let config = Config { cases: 4_096, failure_persistence: None, ..Config::default() };
        TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
    }

    fn values<T: Arbitrary>() -> Vec<T> {
        let (mut runner, strategy) = (runner(), any::<T>());
        (0..4_096).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
    }

    /// What a failing test is told.
    fn least<T: Arbitrary + Clone>(is_good: impl Fn(&T) -> bool) -> T {
        let failed = runner().run(&any::<T>(), |value| {
            prop_assert!(is_good(&value));
            Ok(())
        });
        match failed {
            Err(TestError::Fail(_, value)) => value,
            other => panic!("it was never bad: {other:?}"),
        }
    }

    #[test]
    fn epochs_and_times_to_live_are_seen_at_both_ends() {
        let epochs = values::<Epoch>();
        for edge in [Epoch::FIRST, Epoch::MAX] {
            assert!(epochs.contains(&edge), "{edge}");
        }
        assert!(epochs.iter().any(|epoch| *epoch > Epoch::FIRST && *epoch < Epoch::MAX_ISSUED));
        let ttls = values::<Ttl>();
        assert!(ttls.contains(&Ttl::MIN) && ttls.contains(&Ttl::MAX));
        assert!(ttls.iter().all(|ttl| Ttl::new(ttl.get()) == Some(*ttl)));
    }

    #[test]
    fn tokens_are_valid_with_every_flag_that_is_passed_on() {
        let tokens = values::<FencingToken>();
        tokens.iter().for_each(assert_is_valid);
        for flags in 0..16 {
            assert!(tokens.iter().any(|token| token.to_bytes()[1] == flags), "{flags}");
        }
    }

    #[test]
    fn names_are_valid_from_one_byte_to_the_longest() {
        let names = values::<HolderId>();
        names.iter().for_each(assert_is_a_name);
        let lengths = || names.iter().map(|name| name.as_str().len());
        assert_eq!((lengths().min(), lengths().max()), (Some(1), Some(HolderId::MAX_BYTES)));
        assert!(names.iter().any(|name| !name.as_str().is_ascii()));
    }

    #[test]
    fn a_failing_value_shrinks_to_the_least_that_fails() {
        let token = least(|token: &FencingToken| token.epoch() < Epoch::new(1_000_003).unwrap());
        assert_eq!(token.epoch().get(), 1_000_003);
        assert_eq!((token.realm().get(), token.grant().get(), token.resource().to_bytes()), (1, 1, [0; 32]));
        let name = least(|name: &HolderId| name.as_str().chars().count() < 3);
        assert_eq!(name.as_str().chars().count(), 3, "{name}");
    }
}

//! Laws of the order and of `merge`, for all stamps.

use hlc::{AtomicClock, Clock, NodeId, SkewPolicy, Stamp, Timestamp, source::ManualSource};
use proptest::prelude::*;

fn timestamps() -> impl Strategy<Value = Timestamp> {
    // All of the range, and the values just below its end.
    prop_oneof![1..u64::MAX, u64::MAX - 5..u64::MAX, 1..6_u64]
        .prop_map(|bits| Timestamp::from_bits(bits).unwrap())
}

fn stamps() -> impl Strategy<Value = Stamp> {
    (timestamps(), any::<u64>()).prop_map(|(time, node)| time.at_node(NodeId::from_random_bits(node)))
}

fn unbounded() -> Clock<ManualSource> {
    Clock::new(ManualSource::at_millis(1)).with_skew_policy(SkewPolicy::Unbounded)
}

fn merged(stamps: &[Timestamp]) -> Option<Timestamp> {
    let mut clock = unbounded();
    for &stamp in stamps {
        clock.merge(stamp).unwrap();
    }
    clock.last()
}

proptest! {
    #[test]
    fn merge_is_commutative_associative_and_idempotent(a in timestamps(), b in timestamps(), c in timestamps()) {
        prop_assert_eq!(merged(&[a, b]), merged(&[b, a]));
        prop_assert_eq!(merged(&[a, b, c]), merged(&[b, c, a]));
        prop_assert_eq!(merged(&[a, b, b, a]), merged(&[a, b]));
        prop_assert_eq!(merged(&[a, b, c]), Some(a.max(b).max(c)));
    }

    #[test]
    fn every_stamp_after_an_observation_is_above_it(remote in timestamps(), at in any::<u64>()) {
        let source = ManualSource::at_millis(at >> 16);
        let clock = AtomicClock::new(&source).with_skew_policy(SkewPolicy::Unbounded);
        if let Ok(received) = clock.observe(remote) {
            prop_assert!(received > remote);
            source.set_millis(0);
            if let Ok(next) = clock.tick() {
                prop_assert!(next > received);
            }
        }
    }

    #[test]
    fn stamps_are_ordered_by_time_then_node_in_every_form(a in stamps(), b in stamps()) {
        let order = a.timestamp().cmp(&b.timestamp()).then(a.node().cmp(b.node()));
        prop_assert_eq!(a.cmp(&b), order);
        prop_assert_eq!(a == b, order.is_eq());
        prop_assert_eq!(a.to_bytes().cmp(&b.to_bytes()), order);
        prop_assert_eq!(a.to_text().cmp(&b.to_text()), order);
        prop_assert_eq!(a.to_u128().cmp(&b.to_u128()), order);
        prop_assert_eq!(a.to_envelope().cmp(&b.to_envelope()), order);
    }

    #[test]
    fn two_clocks_that_talk_order_causes_before_effects(steps in prop::collection::vec((0..3_u8, 0..4_000_u64), 1..50)) {
        // Two physical clocks that wander within the limit of each other.
        let sources = [ManualSource::at_millis(10_000), ManualSource::at_millis(10_200)];
        let mut clocks = [Clock::new(&sources[0]), Clock::new(&sources[1])];
        for (step, reading) in steps {
            let (from, to) = if step == 0 { (0, 1) } else { (1, 0) };
            sources[from].set_millis(10_000 + reading % 250);
            let sent = clocks[from].tick().unwrap();
            let received = clocks[to].observe(sent).unwrap();
            prop_assert!(received > sent);
            prop_assert_eq!(clocks[to].last(), Some(received));
        }
    }
}

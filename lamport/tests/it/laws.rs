//! Laws, for random values at full width.

use lamport::{AtomicClock, Clock, MaxJump, Stamp, Time};
use proptest::prelude::*;

/// Any time, with the edges of the range and of the default limit as likely as the middle.
fn times() -> impl Strategy<Value = Time> {
    const EDGES: [u64; 4] = [0, 1 << 40, 1 << 63, u64::MAX];
    let near_edge = (prop::sample::select(&EDGES), 0..5_u64, any::<bool>()).prop_map(|(edge, off, above)| {
        if above { edge.saturating_add(off) } else { edge.saturating_sub(off) }
    });
    prop_oneof![any::<u64>(), 0..100_u64, near_edge].prop_map(Time::new)
}

fn policies() -> impl Strategy<Value = MaxJump> {
    prop_oneof![
        Just(MaxJump::DEFAULT),
        Just(MaxJump::Unbounded),
        any::<u64>().prop_map(MaxJump::AtMost),
        (0..100_u64).prop_map(MaxJump::AtMost),
    ]
}

fn stamps() -> impl Strategy<Value = Stamp<u64>> {
    (times(), prop_oneof![any::<u64>(), 0..3_u64]).prop_map(|(time, node)| time.at_node(node))
}

fn at(last: Time, policy: MaxJump) -> Clock {
    let mut clock = Clock::new().with_max_jump(policy);
    clock.resume_after_unbounded(last);
    clock
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn merge_is_commutative_and_associative_wherever_nothing_is_refused(
        start in times(), a in times(), b in times(), policy in policies(),
    ) {
        let (mut ab, mut ba, mut joined) = (at(start, policy), at(start, policy), at(start, policy));
        let forward = ab.merge(a).is_ok() & ab.merge(b).is_ok();
        let backward = ba.merge(b).is_ok() & ba.merge(a).is_ok();
        if forward && backward {
            prop_assert_eq!(ab.last(), ba.last());
            prop_assert_eq!(ab.last(), start.max(a).max(b));
            // The greater of two accepted times is accepted at once only where it is within the limit of
            // `start`.
            if joined.merge(a.max(b)).is_ok() {
                prop_assert_eq!(joined.last(), ab.last());
            }
        }
    }

    #[test]
    fn merge_is_idempotent(start in times(), a in times(), policy in policies()) {
        let mut clock = at(start, policy);
        if clock.merge(a).is_ok() {
            let once = clock.last();
            prop_assert_eq!(clock.merge(a), Ok(()));
            prop_assert_eq!(clock.last(), once);
        }
    }

    #[test]
    fn a_refused_call_leaves_the_clock_as_it_was(start in times(), a in times(), policy in policies()) {
        let mut clock = at(start, policy);
        let merged = clock.merge(a);
        if merged.is_err() {
            prop_assert_eq!(clock.last(), start);
        }
        let before = clock.last();
        if clock.observe(a).is_err() {
            prop_assert_eq!(clock.last(), before);
        }
        prop_assert!(a > start || merged.is_ok(), "a known time is never refused");
    }

    #[test]
    fn an_accepted_observe_is_above_both_and_a_refused_one_is_refused_by_merge_or_by_the_end(
        start in times(), remote in times(), policy in policies(),
    ) {
        let mut merger = at(start, policy);
        let mut clock = at(start, policy);
        match clock.observe(remote) {
            Ok(time) => {
                prop_assert!(time > start && time > remote);
                prop_assert_eq!(time.checked_prev(), Some(start.max(remote)));
                prop_assert_eq!(merger.merge(remote), Ok(()));
            }
            Err(_) => prop_assert!(merger.merge(remote).is_err() || merger.last() == Time::MAX),
        }
    }

    #[test]
    fn by_default_no_peer_takes_away_the_half_of_the_range_kept_for_own_events(
        start in times(), remotes in prop::collection::vec(times(), 1..40),
    ) {
        const HALF: u64 = 1 << 63;
        let clock = AtomicClock::new();
        // From zero, and from where the largest jump leads beyond.
        clock.resume_after_unbounded(start.min(Time::new(HALF)));
        for (remote, own_events) in remotes.into_iter().zip(1..) {
            let _ = (clock.observe(remote), clock.merge(remote));
            prop_assert!(clock.last() <= Time::new(HALF + own_events));
        }
        prop_assert!(clock.tick().is_ok());
    }

    #[test]
    fn stamp_order_is_total_and_extends_the_order_of_times(a in stamps(), b in stamps(), c in stamps()) {
        prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
        prop_assert_eq!(a == b, a.cmp(&b).is_eq());
        prop_assert!(!(a <= b && b <= c) || a <= c);
        prop_assert!(a.time() >= b.time() || a < b);
    }

    #[test]
    fn bytes_and_text_sort_as_the_values_do(a in stamps(), b in stamps()) {
        prop_assert_eq!(a.to_bytes().cmp(&b.to_bytes()), a.cmp(&b));
        prop_assert_eq!(a.to_envelope().cmp(&b.to_envelope()), a.cmp(&b));
        prop_assert_eq!(a.to_string().cmp(&b.to_string()), a.cmp(&b));
        prop_assert_eq!(a.time().to_bytes().cmp(&b.time().to_bytes()), a.time().cmp(&b.time()));
        prop_assert_eq!(a.time().to_string().cmp(&b.time().to_string()), a.time().cmp(&b.time()));
    }

    #[test]
    fn what_was_encoded_is_decoded(stamp in stamps()) {
        prop_assert_eq!(Stamp::from_bytes(stamp.to_bytes()), stamp);
        prop_assert_eq!(Stamp::from_envelope(&stamp.to_envelope()), Ok(stamp));
        prop_assert_eq!(stamp.to_string().parse(), Ok(stamp));
        prop_assert_eq!(Time::from_bytes(stamp.time().to_bytes()), stamp.time());
        prop_assert_eq!(stamp.time().to_string().parse(), Ok(stamp.time()));
    }

    #[test]
    fn every_accepted_input_is_the_one_form_of_its_value(
        bytes in prop::collection::vec(any::<u8>(), 0..40),
        version in 0..3_u8,
        text in "[0-9a-fA-F+ -]{14,18}|[0-9a-f]{16}(-|_|)[0-9a-fx]{16}|.{0,40}",
    ) {
        let envelope: Vec<u8> = core::iter::once(version).chain(bytes.iter().copied()).collect();
        for envelope in [&envelope[..], &envelope[..envelope.len().min(17)], &bytes[..]] {
            if let Ok(stamp) = Stamp::from_envelope(envelope) {
                prop_assert_eq!(&stamp.to_envelope()[..], envelope);
            }
        }
        if let Ok(time) = text.parse::<Time>() {
            prop_assert_eq!(time.to_string(), &text[..]);
        }
        if let Ok(stamp) = text.parse::<Stamp<u64>>() {
            prop_assert_eq!(stamp.to_string(), text);
        }
    }

    #[test]
    fn a_chain_of_observed_messages_has_rising_times(
        hops in prop::collection::vec((0..4_usize, 0..3_u8), 1..60),
    ) {
        // Each hop: some own events at a node, then one message from it to the next node of the list.
        let mut clocks = [const { Clock::new() }; 4];
        let mut cause = Time::ZERO;
        for (node, own_events) in hops {
            let received = clocks[node].observe(cause).unwrap();
            prop_assert!(cause < received);
            cause = received;
            for _ in 0..own_events {
                let own = clocks[node].tick().unwrap();
                prop_assert!(cause < own);
                cause = own;
            }
        }
    }
}

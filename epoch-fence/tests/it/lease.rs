//! The holder's side over a store whose faults are a script.
#![expect(clippy::result_large_err, reason = "an unknown attempt is an error, and is not boxed")]

use core::cell::Cell;
use core::time::Duration;

use epoch_fence::engine::memory::{Fault, Memory, MemoryError};
use epoch_fence::protocol::{
    Claim, Impossible, Info, Moment, Record, Refusal, Standing, Tenure, Ttl, Version,
};
use epoch_fence::{
    BootClock, Ended, Epoch, Evicted, GrantId, HolderId, Issuer, IssuerSnapshot, Lease, NotAcquired,
    NotChanged, RealmId, Resolution, ResourceId, Wait,
};
use proptest::prelude::*;

type Leased<'i, 's> = Lease<'i, &'s Memory, &'s Memory>;
type Leases<'s> = Issuer<&'s Memory, &'s Memory>;

fn realm(bits: u128) -> RealmId {
    RealmId::from_random_bits(bits).unwrap()
}

fn resource() -> ResourceId {
    ResourceId::of("tests", "lease")
}

fn named(name: &str) -> HolderId {
    name.parse().unwrap()
}

fn ttl(millis: u64) -> Ttl {
    Ttl::new(Duration::from_millis(millis)).unwrap()
}

/// Eight seconds, of which the holder has seven.
fn claim(name: &str) -> Claim {
    Claim::new(resource(), named(name), ttl(8_000))
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Grants in order, which no test relies on.
#[derive(Default)]
struct Grants(Cell<u128>);

impl Grants {
    fn next(&self) -> GrantId {
        self.0.set(self.0.get() + 1);
        GrantId::from_random_bits(self.0.get().wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835))
            .unwrap()
    }
}

fn acquire<'i, 's>(
    issuer: &'i Leases<'s>,
    grants: &Grants,
    name: &str,
) -> Result<Leased<'i, 's>, NotAcquired<MemoryError>> {
    issuer.acquire_with(&claim(name), Wait::AtOnce, || grants.next())
}

#[test]
fn a_lease_lasts_from_the_sending_less_the_margin_and_ends_without_anybody_telling() {
    let (store, grants) = (Memory::new(realm(1)), Grants::default());
    let issuer = Issuer::new(&store, &store);
    let lease = acquire(&issuer, &grants, "a").unwrap();
    assert_eq!((lease.remaining(), lease.lost()), (millis(7_000), false));
    store.advance(millis(6_999));
    assert_eq!((lease.remaining(), lease.lost()), (millis(1), false));
    store.advance(millis(1));
    assert!(lease.lost());
    assert!(
        matches!(acquire(&issuer, &grants, "b"), Err(NotAcquired::Held { .. })),
        "the margin is not over"
    );
    store.advance(millis(1_000));
    let next = acquire(&issuer, &grants, "b").unwrap();
    assert_eq!((lease.token().epoch(), next.token().epoch()), (Epoch::FIRST, Epoch::new(2).unwrap()));
}

#[test]
fn a_renewal_keeps_the_token_and_moves_the_deadline() {
    let (store, grants) = (Memory::new(realm(1)), Grants::default());
    let issuer = Issuer::new(&store, &store);
    let mut lease = acquire(&issuer, &grants, "a").unwrap();
    let token = lease.token();
    for _ in 0..10 {
        store.advance(millis(6_000));
        assert_eq!(lease.renew(), Ok(millis(7_000)));
    }
    assert_eq!(lease.token(), token);
    assert_eq!(issuer.snapshot().renewed, 10);
}

#[test]
fn a_renewal_after_the_deadline_is_lost_also_if_nobody_came() {
    let (store, grants) = (Memory::new(realm(1)), Grants::default());
    let issuer = Issuer::new(&store, &store);
    let mut lease = acquire(&issuer, &grants, "a").unwrap();
    let landed = store.swaps();
    store.advance(millis(7_000));
    assert_eq!(lease.renew(), Err(NotChanged::Lost), "the holder's side, before the issuer's");
    store.advance(millis(10_000));
    assert_eq!(lease.renew(), Err(NotChanged::Lost));
    assert_eq!((store.swaps(), issuer.snapshot().lost), (landed, 2));
}

#[test]
fn a_renewal_whose_answer_comes_after_the_deadline_is_not_believed() {
    let (store, grants) = (Memory::new(realm(1)), Grants::default());
    let issuer = Issuer::new(&store, &store);
    let mut lease = acquire(&issuer, &grants, "a").unwrap();
    store.advance(millis(6_000));
    store.script([Fault::None, Fault::Late(millis(1_000))]);
    assert_eq!(lease.renew(), Err(NotChanged::Lost), "it landed, but the holder had stopped by then");
    assert!(lease.lost());
    store.script([Fault::None, Fault::Late(millis(3_000))]);
    store.advance(millis(8_000));
    let late = acquire(&issuer, &grants, "b").unwrap();
    assert_eq!(late.remaining(), millis(4_000), "the journey of the reply is not part of the lease");
}

#[test]
fn a_renewal_finds_out_that_the_issuer_ended_the_lease_and_stays_lost() {
    for end in [Memory::restart as fn(&Memory), |store| store.end_lease(&resource()), Memory::wipe] {
        let (store, grants) = (Memory::new(realm(1)), Grants::default());
        let issuer = Issuer::new(&store, &store);
        let mut lease = acquire(&issuer, &grants, "a").unwrap();
        end(&store);
        assert!(!lease.lost(), "nobody told");
        assert_eq!(lease.renew(), Err(NotChanged::Lost));
        assert!(lease.lost() && lease.remaining().is_zero());
    }
}

#[test]
fn an_unknown_renewal_extends_nothing_whether_it_landed_or_not() {
    for fault in [Fault::RequestLost, Fault::ReplyLost, Fault::Delayed] {
        let (store, grants) = (Memory::new(realm(1)), Grants::default());
        let issuer = Issuer::new(&store, &store);
        let mut lease = acquire(&issuer, &grants, "a").unwrap();
        store.advance(millis(3_000));
        store.script([Fault::None, fault]);
        assert_eq!(lease.renew(), Err(NotChanged::Indeterminate(MemoryError::Fault(fault))));
        assert_eq!(lease.remaining(), millis(4_000), "{fault:?}");
        assert_eq!(lease.renew(), Ok(millis(7_000)), "{fault:?}: it may be repeated");
        assert_eq!(issuer.snapshot().unknown_changes, 1);
    }
}

#[test]
fn a_delayed_renewal_does_not_land_after_the_end_of_the_lease() {
    let (store, grants) = (Memory::new(realm(1)), Grants::default());
    let issuer = Issuer::new(&store, &store);
    let mut lease = acquire(&issuer, &grants, "a").unwrap();
    store.script([Fault::None, Fault::Delayed]);
    assert!(matches!(lease.renew(), Err(NotChanged::Indeterminate(_))));
    store.advance(millis(8_000));
    assert_eq!(store.deliver(), Some(false));
    let view = issuer.current(&resource()).unwrap();
    assert_eq!(view.standing(), Standing::Lapsed { grant: lease.token().grant() });
}

#[test]
fn a_burn_does_not_revive_a_lease_whose_holder_died() {
    let (store, grants) = (Memory::new(realm(1)), Grants::default());
    let issuer = Issuer::new(&store, &store);
    let _dead = acquire(&issuer, &grants, "a").unwrap();
    store.end_lease(&resource());
    store.script([Fault::None, Fault::Delayed]);
    let Err(NotAcquired::Indeterminate(pending, _)) = acquire(&issuer, &grants, "b") else { panic!() };
    assert!(matches!(issuer.resolve(pending), Ok(Resolution::NotGranted)));
    let view = issuer.current(&resource()).unwrap();
    assert!(matches!(view.standing(), Standing::Lapsed { .. }));
}

#[test]
fn a_repeated_renewal_counts_from_the_repetition_and_not_from_the_first_try() {
    let (store, grants) = (Memory::new(realm(1)), Grants::default());
    let issuer = Issuer::new(&store, &store);
    let mut lease = acquire(&issuer, &grants, "a").unwrap();
    store.script([Fault::None, Fault::RequestLost]);
    assert!(lease.renew().is_err());
    store.advance(millis(5_000));
    let sent = store.now();
    assert!(lease.renew().is_ok());
    assert_eq!(lease.deadline(), sent.saturating_add(millis(7_000)));
}

#[test]
fn an_unknown_attempt_resolves_to_what_became_of_it() {
    for (fault, landed) in [(Fault::RequestLost, false), (Fault::ReplyLost, true), (Fault::Delayed, false)] {
        let (store, grants) = (Memory::new(realm(1)), Grants::default());
        let issuer = Issuer::new(&store, &store);
        store.script([Fault::None, fault]);
        let Err(NotAcquired::Indeterminate(pending, _)) = acquire(&issuer, &grants, "a") else {
            panic!("{fault:?}")
        };
        let grant = pending.grant();
        match issuer.resolve(pending).unwrap() {
            Resolution::Granted(lease) => assert!(landed && lease.token().grant() == grant, "{fault:?}"),
            Resolution::NotGranted => assert!(!landed, "{fault:?}"),
            Resolution::Superseded => panic!("{fault:?}"),
        }
        if fault == Fault::Delayed {
            assert_eq!(store.deliver(), Some(false), "burned");
            assert_eq!(issuer.current(&resource()).unwrap().record().grant(), None);
        }
    }
}

#[test]
fn an_unknown_burn_is_repeated_until_it_is_known() {
    for burn in [Fault::RequestLost, Fault::ReplyLost, Fault::Delayed, Fault::Doubled, Fault::Refused] {
        let (store, grants) = (Memory::new(realm(1)), Grants::default());
        let issuer = Issuer::new(&store, &store);
        store.script([Fault::None, Fault::Delayed, Fault::None, burn]);
        let Err(NotAcquired::Indeterminate(pending, _)) = acquire(&issuer, &grants, "a") else { panic!() };
        let resolution = match issuer.resolve(pending) {
            Ok(resolution) => resolution,
            Err(unresolved) => issuer.resolve(unresolved.into_pending()).unwrap(),
        };
        assert!(matches!(resolution, Resolution::NotGranted), "{burn:?}");
        while let Some(landed) = store.deliver() {
            assert!(!landed, "{burn:?}: what is still under way lands nowhere");
        }
    }
}

#[test]
fn an_attempt_that_landed_and_lapsed_or_was_overtaken_is_superseded() {
    let (store, grants) = (Memory::new(realm(1)), Grants::default());
    let issuer = Issuer::new(&store, &store);
    store.script([Fault::None, Fault::ReplyLost]);
    let Err(NotAcquired::Indeterminate(lapsed, _)) = acquire(&issuer, &grants, "a") else { panic!() };
    store.advance(millis(8_000));
    assert!(matches!(issuer.resolve(lapsed), Ok(Resolution::Superseded)));
    let _next = acquire(&issuer, &grants, "b").unwrap();
    assert!(matches!(issuer.resolve(lapsed), Ok(Resolution::Superseded)));
    assert_eq!(issuer.snapshot().superseded, 2);
}

#[test]
fn a_retried_attempt_lands_once_and_under_one_epoch() {
    for fault in [Fault::RequestLost, Fault::ReplyLost, Fault::Delayed] {
        let (store, grants) = (Memory::new(realm(1)), Grants::default());
        let issuer = Issuer::new(&store, &store);
        store.script([Fault::None, fault]);
        let Err(NotAcquired::Indeterminate(pending, _)) = acquire(&issuer, &grants, "a") else { panic!() };
        let lease = issuer.retry(pending).unwrap();
        assert_eq!(
            (lease.token().epoch(), lease.token().grant()),
            (Epoch::FIRST, pending.grant()),
            "{fault:?}"
        );
        assert!(store.deliver().is_none_or(|landed| !landed));
        assert_eq!(store.swaps(), 1);
    }
}

#[test]
fn a_retry_that_is_refused_may_still_have_landed_the_first_time() {
    let (store, grants) = (Memory::new(realm(1)), Grants::default());
    let issuer = Issuer::new(&store, &store);
    store.script([Fault::None, Fault::Delayed]);
    let Err(NotAcquired::Indeterminate(pending, _)) = acquire(&issuer, &grants, "a") else { panic!() };
    store.script([Fault::Refused]);
    assert!(matches!(issuer.retry(pending), Err(NotAcquired::Indeterminate(..))));
}

#[test]
fn an_attempt_whose_second_copy_met_the_first_is_granted() {
    let (store, grants) = (Memory::new(realm(1)), Grants::default());
    let issuer = Issuer::new(&store, &store);
    store.script([Fault::None, Fault::Doubled]);
    assert!(acquire(&issuer, &grants, "a").is_ok());
    // And one whose look at it fails is not taken for lost.
    store.advance(millis(8_000));
    store.script([Fault::None, Fault::Doubled, Fault::Refused]);
    assert!(matches!(acquire(&issuer, &grants, "b"), Err(NotAcquired::Indeterminate(..))));
}

#[test]
fn what_did_nothing_is_told_apart_from_what_nobody_knows() {
    let (store, grants) = (Memory::new(realm(1)), Grants::default());
    let issuer = Issuer::new(&store, &store);
    for script in [vec![Fault::Refused], vec![Fault::ReplyLost], vec![Fault::None, Fault::Refused]] {
        store.script(script);
        assert!(matches!(acquire(&issuer, &grants, "a"), Err(NotAcquired::Failed(_))));
    }
    let seen = issuer.snapshot();
    assert_eq!((seen.failed, seen.indeterminate, store.swaps()), (3, 0, 0));
}

#[test]
fn a_release_frees_at_once_and_is_told_apart_from_a_lease_that_was_lost() {
    let (store, grants) = (Memory::new(realm(1)), Grants::default());
    let issuer = Issuer::new(&store, &store);
    assert_eq!(acquire(&issuer, &grants, "a").unwrap().release().unwrap(), Ended::Released);
    let lapsed = acquire(&issuer, &grants, "b").unwrap();
    store.advance(millis(8_000));
    let landed = store.swaps();
    assert_eq!(lapsed.release().unwrap(), Ended::AlreadyLost);
    assert_eq!(store.swaps(), landed, "nothing was written");
    let view = issuer.current(&resource()).unwrap();
    assert_eq!(view.record().epoch(), Epoch::new(2), "the epoch stays");
}

#[test]
fn an_unknown_release_may_be_repeated() {
    for fault in [Fault::RequestLost, Fault::ReplyLost, Fault::Delayed] {
        let (store, grants) = (Memory::new(realm(1)), Grants::default());
        let issuer = Issuer::new(&store, &store);
        let lease = acquire(&issuer, &grants, "a").unwrap();
        store.script([Fault::None, fault]);
        let unknown = lease.release().unwrap_err();
        assert!(matches!(unknown.why(), NotChanged::Indeterminate(_)));
        let why = "not known to be over: not known whether it was written: scripted fault:";
        assert_eq!(unknown.to_string(), format!("{why} {fault:?}"));
        assert_eq!(unknown.retry().unwrap(), Ended::Released, "{fault:?}");
        let next = acquire(&issuer, &grants, "b").unwrap();
        assert!(store.deliver().is_none_or(|landed| !landed), "a late release does not end the next lease");
        assert!(!next.lost());
    }
}

/// Of a try of which nobody knew: it is told by its realm, its epoch, and what it left.
#[test]
fn an_end_that_another_made_since_is_not_taken_for_the_own_one() {
    let (free, end) = (Tenure::Free, Moment::new(1, u64::MAX));
    let kept = |name| Tenure::Reserved { to: named(name), until: end };
    let rows = [
        (1, 1, kept("b"), Ended::HandedOver),
        (1, 1, kept("c"), Ended::AlreadyLost),
        (1, 2, kept("b"), Ended::AlreadyLost),
        (2, 1, kept("b"), Ended::AlreadyLost),
        (1, 1, free, Ended::AlreadyLost),
        (1, 1, free, Ended::Released),
        (1, 1, kept("b"), Ended::AlreadyLost),
        (1, 2, free, Ended::AlreadyLost),
        (2, 1, free, Ended::AlreadyLost),
    ];
    for (row, (bits, number, tenure, expected)) in rows.into_iter().enumerate() {
        let (store, grants) = (Memory::new(realm(1)), Grants::default());
        let issuer = Issuer::new(&store, &store);
        let lease = acquire(&issuer, &grants, "a").unwrap();
        store.script([Fault::None, Fault::RequestLost]);
        let unknown =
            if row < 5 { lease.hand_over(named("b"), ttl(1_000)) } else { lease.release() }.unwrap_err();
        let found =
            Record::try_new(realm(bits), Version::new(9), Epoch::new(number), tenure, Info::EMPTY).unwrap();
        store.put(resource(), found.to_bytes().as_bytes());
        assert_eq!(unknown.retry().unwrap(), expected, "row {row}");
    }
}

#[test]
fn a_dropped_lease_is_released_and_a_lost_one_left_alone() {
    let (store, grants) = (Memory::new(realm(1)), Grants::default());
    let issuer = Issuer::new(&store, &store);
    drop(acquire(&issuer, &grants, "a").unwrap());
    let lost = acquire(&issuer, &grants, "b").unwrap();
    store.advance(millis(7_500)); // lost to its holder, and not yet over
    let landed = store.swaps();
    drop(lost);
    assert_eq!(store.swaps(), landed);
}

/// A log of a program has them in it.
#[test]
fn a_lease_and_what_is_left_of_it_are_named_in_a_log_with_their_token() {
    let (store, grants) = (Memory::new(realm(1)), Grants::default());
    let issuer = Issuer::new(&store, &store);
    assert!(format!("{issuer:?}").starts_with("Issuer {"), "{issuer:?}");
    let lease = acquire(&issuer, &grants, "a").unwrap();
    let token = format!("token: {:?}", lease.token());
    let text = format!("{lease:?}");
    assert!(text.starts_with("Lease {") && text.contains(&token), "{text}");
    store.script([Fault::None, Fault::RequestLost]);
    let text = format!("{:?}", lease.release().unwrap_err());
    assert!(text.starts_with("NotEnded {") && text.contains(&token), "{text}");
}

#[test]
fn a_hand_over_keeps_the_resource_for_the_successor_until_it_lapses() {
    let (store, grants) = (Memory::new(realm(1)), Grants::default());
    let issuer = Issuer::new(&store, &store);
    let lease = acquire(&issuer, &grants, "a").unwrap();
    assert_eq!(lease.hand_over(named("b"), ttl(1_000)).unwrap(), Ended::HandedOver);
    assert!(
        matches!(acquire(&issuer, &grants, "c"), Err(NotAcquired::Reserved { to, .. }) if to == named("b"))
    );
    assert!(matches!(acquire(&issuer, &grants, "a"), Err(NotAcquired::Reserved { .. })), "no way back");
    let next = acquire(&issuer, &grants, "b").unwrap();
    assert_eq!(next.token().epoch(), Epoch::new(2).unwrap());

    assert_eq!(next.hand_over(named("a"), ttl(1_000)).unwrap(), Ended::HandedOver);
    store.advance(millis(1_000));
    assert!(acquire(&issuer, &grants, "c").is_ok(), "the successor did not come");
}

#[test]
fn a_wait_ends_when_the_holder_releases_lapses_or_the_time_is_over() {
    let (store, grants) = (Memory::new(realm(1)), Grants::default());
    let issuer = Issuer::new(&store, &store);
    let _held = acquire(&issuer, &grants, "a").unwrap();
    let start = store.now();
    let wait = |limit| issuer.acquire_with(&claim("b"), Wait::AtMost(millis(limit)), || grants.next());
    assert!(matches!(wait(5_000), Err(NotAcquired::Held { .. })));
    assert_eq!(start.until(store.now()), millis(5_000), "neither less nor more");
    let lease = wait(5_000).unwrap();
    let waited = start.until(store.now());
    assert!(waited >= millis(8_000) && waited < millis(8_100), "{waited:?}");
    assert_eq!(lease.token().epoch(), Epoch::new(2).unwrap());
}

#[test]
fn an_eviction_ends_a_lease_once() {
    let (store, grants) = (Memory::new(realm(1)), Grants::default());
    let issuer = Issuer::new(&store, &store);
    let mut lease = acquire(&issuer, &grants, "a").unwrap();
    let grant = lease.token().grant();
    assert_eq!(issuer.evict(&resource(), grant), Ok(Evicted::Evicted));
    assert_eq!(issuer.evict(&resource(), grant), Ok(Evicted::AlreadyGone));
    assert_eq!(lease.renew(), Err(NotChanged::Lost));
    let next = acquire(&issuer, &grants, "b").unwrap();
    assert_eq!(issuer.evict(&resource(), grant), Ok(Evicted::AlreadyGone));
    assert!(!next.lost());
}

#[test]
fn a_store_that_was_put_back_is_found_by_what_is_remembered_and_recovers_above_it() {
    for rewind in [true, false] {
        let (store, grants) = (Memory::new(realm(1)), Grants::default());
        let issuer = Issuer::new(&store, &store);
        acquire(&issuer, &grants, "a").unwrap().release().unwrap();
        let backup = store.bytes(&resource()).unwrap();
        let seen = acquire(&issuer, &grants, "b").unwrap();
        let known = seen.token();
        if rewind {
            store.put(resource(), backup)
        } else {
            store.wipe()
        }
        let claim = claim("c").with_known_epoch(known.realm(), known.epoch());
        let refused = issuer.acquire_with(&claim, Wait::AtOnce, || grants.next());
        assert!(matches!(refused, Err(NotAcquired::Refused(Refusal::Regressed { .. }))), "{refused:?}");
        assert_eq!(issuer.snapshot().regressed, 1);

        let recovered = issuer.recover(&resource(), realm(2), Some(known.epoch())).unwrap();
        assert_eq!(recovered.record().epoch(), Epoch::new(known.epoch().get() + (1 << 20)));
        let again = issuer.recover(&resource(), realm(2), Some(known.epoch())).unwrap();
        assert_eq!(again.record(), recovered.record(), "done once");
        let next = issuer.acquire_with(&claim, Wait::AtOnce, || grants.next()).unwrap();
        assert!(next.token().epoch() > known.epoch() && next.token().realm() == realm(2));
    }
}

#[test]
fn an_attempt_whose_store_was_put_back_below_it_is_impossible_and_stays_unknown() {
    let (store, grants) = (Memory::new(realm(1)), Grants::default());
    let issuer = Issuer::new(&store, &store);
    acquire(&issuer, &grants, "a").unwrap().release().unwrap();
    store.script([Fault::None, Fault::Delayed]);
    let Err(NotAcquired::Indeterminate(pending, _)) = acquire(&issuer, &grants, "b") else { panic!() };
    store.wipe();
    let unresolved = issuer.resolve(pending).unwrap_err();
    let fell = Impossible::VersionFell { seen: Version::new(2), found: Version::ABSENT };
    assert_eq!(unresolved.why(), &NotChanged::Impossible(fell));
    assert_eq!(unresolved.to_string(), format!("still not known whether acquired: {fell}"));
    assert_eq!(issuer.snapshot().impossible, 1);
}

#[test]
fn a_store_that_holds_no_record_is_an_error_and_never_a_vacant_one() {
    let (store, grants) = (Memory::new(realm(1)), Grants::default());
    let issuer = Issuer::new(&store, &store);
    let held = acquire(&issuer, &grants, "a").unwrap();
    let bytes = store.bytes(&resource()).unwrap();
    for broken in [vec![], vec![0; 37], bytes[1..].to_vec(), [&bytes[..], &[0]].concat()] {
        store.put(resource(), broken);
        let refused = acquire(&issuer, &grants, "b");
        assert!(matches!(refused, Err(NotAcquired::Failed(MemoryError::Record(_)))), "{refused:?}");
    }
    drop(held);
}

#[test]
fn forged_numbers_in_the_store_grant_nothing() {
    let (store, grants) = (Memory::new(realm(1)), Grants::default());
    let issuer = Issuer::new(&store, &store);
    let forged = |version, epoch, tenure| {
        Record::try_new(realm(1), Version::new(version), Epoch::new(epoch), tenure, Info::EMPTY).unwrap()
    };
    let held = Tenure::Held { grant: grants.next(), holder: named("x"), expiry: Moment::new(1, u64::MAX) };
    for record in [
        forged(1, Epoch::MAX_ISSUED.get(), Tenure::Free),
        forged(u64::MAX, 1, Tenure::Free),
        forged(1, 1, held),
    ] {
        store.put(resource(), record.to_bytes().as_bytes());
        assert!(matches!(acquire(&issuer, &grants, "a"), Err(NotAcquired::Refused(_))), "{record:?}");
    }
    assert_eq!((issuer.snapshot().refused, store.swaps()), (3, 0));
}

#[test]
fn every_outcome_is_counted_once() {
    let (store, grants) = (Memory::new(realm(1)), Grants::default());
    let issuer = Issuer::new(&store, &store);
    let lease = acquire(&issuer, &grants, "a").unwrap();
    assert!(acquire(&issuer, &grants, "b").is_err());
    lease.release().unwrap();
    let seen = issuer.snapshot();
    let expected = IssuerSnapshot::default();
    assert_eq!((seen.granted, seen.held, seen.released), (1, 1, 1));
    assert_eq!((seen.impossible, seen.failed, seen.contended), (expected.impossible, 0, 0));
}

fn faults() -> impl Strategy<Value = Fault> {
    prop_oneof![
        4 => Just(Fault::None),
        1 => Just(Fault::Refused),
        1 => Just(Fault::RequestLost),
        1 => Just(Fault::ReplyLost),
        1 => Just(Fault::Delayed),
        1 => Just(Fault::Doubled),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever goes wrong: epochs rise from tenure to tenure, what was said not to have landed never lands, and
    /// nobody meets the impossible.
    #[test]
    fn no_script_of_faults_grants_an_epoch_twice_or_overturns_a_verdict(
        script in prop::collection::vec(faults(), 0..60),
        waits in prop::collection::vec(0..9_000_u64, 1..20),
    ) {
        let (store, grants) = (Memory::new(realm(1)), Grants::default());
        let issuer = Issuer::new(&store, &store);
        store.script(script);
        let (mut last, mut buried) = (None, Vec::new());
        for wait in waits {
            let lease = match acquire(&issuer, &grants, "a") {
                Ok(lease) => Some(lease),
                Err(NotAcquired::Indeterminate(pending, _)) => match issuer.resolve(pending) {
                    Ok(Resolution::Granted(lease)) => Some(lease),
                    Ok(Resolution::NotGranted) => {
                        buried.push(pending.grant());
                        None
                    }
                    Ok(Resolution::Superseded) | Err(_) => None,
                },
                Err(_) => None,
            };
            if let Some(mut lease) = lease {
                prop_assert!(last < Some(lease.token().epoch()));
                last = Some(lease.token().epoch());
                let before = lease.deadline();
                if lease.renew().is_err() {
                    prop_assert_eq!(lease.deadline(), before);
                }
                if wait % 2 == 0 {
                    core::mem::forget(lease); // its holder is gone
                }
            }
            store.advance(millis(wait));
            store.deliver();
            if let Ok(view) = issuer.current(&resource()) {
                prop_assert!(view.record().grant().is_none_or(|grant| !buried.contains(&grant)));
                prop_assert!(view.record().epoch() >= last);
            }
        }
        prop_assert_eq!(issuer.snapshot().impossible, 0);
    }
}

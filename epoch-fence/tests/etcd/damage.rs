//! Keys that were edited or deleted by hand, and what is done about it.

use epoch_fence::engine::etcd::{Damage, EtcdError};
use epoch_fence::engine::{Engine as _, Failure, Swapped};
use epoch_fence::protocol::{
    Command, Exhausted, Info, Moment, RECOVERY_STRIDE, Record, RecordError, Refusal, Standing, Swap, Tenure,
    Version,
};
use epoch_fence::{Epoch, NotAcquired, NotChanged, RealmId, ResourceId, Wait};

use crate::stage::{
    Raw, Store, acquire, claim, fresh, grant, holder, issuer, land, ledger, runtime, server, ttl,
};

/// What a record has with it that is written on base 0.
const ON_BASE_ZERO: [u8; 9] = [1, 0, 0, 0, 0, 0, 0, 0, 0];

fn realm(store: &Store) -> RealmId {
    runtime().block_on(store.engine().realm()).unwrap()
}

fn record(store: &Store, epoch: u64, tenure: Tenure) -> Record {
    let info = Info::try_new(&ON_BASE_ZERO).unwrap();
    Record::try_new(realm(store), Version::new(1), Epoch::new(epoch), tenure, info).unwrap()
}

fn damage(store: &Store) -> Damage {
    let found = store.load(&ledger());
    let issuer = issuer(store);
    let acquired = issuer.acquire(&claim("b", 500), Wait::AtOnce);
    assert!(matches!(acquired, Err(NotAcquired::Failed(EtcdError::Damaged(_)))), "{acquired:?}");
    match found {
        Err(EtcdError::Damaged(damage)) => damage,
        other => panic!("{other:?}"),
    }
}

#[test]
fn bytes_that_are_no_record_are_an_error_and_never_a_vacant_resource() {
    let Some(server) = server() else { return };
    let (store, namespace) = fresh(server);
    let raw = Raw::of(server, &namespace);
    let held = Tenure::Held { grant: grant(1), holder: holder("a"), expiry: Moment::new(1, 1) };
    let bytes = record(&store, 5, held).to_bytes().as_bytes().to_vec();
    let with = |at: usize, new: &[u8]| {
        let mut bytes = bytes.clone();
        bytes[at..at + new.len()].copy_from_slice(new);
        bytes
    };
    let vacant = Record::vacant(realm(&store)).to_bytes().as_bytes().to_vec();
    let length = bytes.len();
    let wrong = |why| Damage::Record(why);
    let rows = [
        (Vec::new(), wrong(RecordError::Length { found: 0 })),
        (b"x".to_vec(), wrong(RecordError::Form { found: b'x' })),
        (bytes[..length - 1].to_vec(), wrong(RecordError::Length { found: length - 1 })),
        ([&bytes[..], b"x"].concat(), wrong(RecordError::Length { found: length + 1 })),
        (with(1, &[0x10]), wrong(RecordError::UnknownCritical { flags: 0x10 })),
        (with(2, &[9]), wrong(RecordError::Kind { found: 9 })),
        (with(3, &[0; 16]), wrong(RecordError::ZeroId)),
        (with(27, &[0xff; 8]), wrong(RecordError::EpochRange { found: Epoch::MAX })),
        (with(27, &[0; 8]), wrong(RecordError::Tenure)),
        (with(59, &[65]), wrong(RecordError::Length { found: length })),
        (with(60, b"\n"), wrong(RecordError::Holder)),
        (with(61, &[0; 16]), wrong(RecordError::ZeroId)),
        (vacant, Damage::NoBase),
        (with(length - 9, &[2]), Damage::NoBase),
        (with(length - 8, &[0xff; 8]), Damage::BaseAhead { found: u64::MAX, realm: 0 }),
    ];
    for (bytes, why) in rows {
        raw.put("record", bytes.clone(), 0);
        assert_eq!(damage(&store), why, "{bytes:x?}");
        assert_eq!(raw.get("record").unwrap().value(), bytes, "it was changed");
    }
    raw.put("record", bytes, 0);
    let found = store.load(&ledger()).unwrap();
    assert_eq!(found.standing(), Standing::Lapsed { grant: grant(1) }, "there is no mark of it");
}

/// Two releases on one etcd: what the later one may add, this one keeps.
#[test]
fn ignorable_flags_of_a_later_release_in_a_record_survive_a_whole_tenure_of_this_one() {
    let Some(server) = server() else { return };
    let (store, namespace) = fresh(server);
    let raw = Raw::of(server, &namespace);
    land(&store, &Command::Burn);
    let mut bytes = raw.get("record").unwrap().value().to_vec();
    bytes[1] = 0x05;
    raw.put("record", bytes, 0);
    let flags = || raw.get("record").unwrap().value()[1];
    for command in [
        Command::Acquire { grant: grant(1), holder: holder("a"), ttl: ttl(60_000) },
        Command::Renew { grant: grant(1), ttl: ttl(60_000) },
        Command::Burn,
        Command::Release { grant: grant(1) },
    ] {
        land(&store, &command);
        assert_eq!(flags(), 0x05, "{command:?}");
    }
}

#[test]
fn a_mark_that_is_not_the_records_lets_nobody_in() {
    let Some(server) = server() else { return };
    let (store, namespace) = fresh(server);
    let raw = Raw::of(server, &namespace);
    let view = land(&store, &Command::Burn);
    let before = acquire(&view, 2, 60_000);
    let lease = raw.lease();
    raw.put("lease", "held by somebody", lease);
    assert_eq!(damage(&store), Damage::OtherMark);
    let sent = store.swap(&ledger(), &before);
    assert!(matches!(sent, Err(Failure::Definite(EtcdError::Damaged(Damage::OtherMark)))), "{sent:?}");
    raw.revoke(lease);
    land(&store, &Command::Acquire { grant: grant(1), holder: holder("a"), ttl: ttl(60_000) });
    raw.put("lease", format!("held {}", grant(1)), 0);
    assert_eq!(damage(&store), Damage::NoLease);
    raw.put("lease", format!("held {}", grant(2)), raw.lease());
    assert_eq!(damage(&store), Damage::OtherMark);
}

#[test]
fn a_realm_that_cannot_be_read_is_an_error_and_one_that_is_gone_is_not_made_again_unasked() {
    let Some(server) = server() else { return };
    let (store, namespace) = fresh(server);
    let raw = Raw::of(server, &namespace);
    let etcd = store.engine();
    let whole = raw.get("realm").unwrap().value().to_vec();
    let rows = [
        (Vec::new(), Damage::Realm { found: 0 }),
        (whole[..24].to_vec(), Damage::Realm { found: 24 }),
        ([&[9], &whole[1..]].concat(), Damage::Form { found: 9 }),
        ([&whole[..1], &[0; 16], &whole[17..]].concat(), Damage::ZeroRealm),
        ([&whole[..17], &[0xff; 8]].concat(), Damage::Base { found: u64::MAX }),
    ];
    for (bytes, why) in rows {
        raw.put("realm", bytes, 0);
        assert_eq!(damage(&store), why);
        assert!(matches!(runtime().block_on(etcd.init()), Err(EtcdError::Damaged(found)) if found == why));
    }
    raw.put("realm", whole, 0);
    let before = land(&store, &Command::Acquire { grant: grant(1), holder: holder("a"), ttl: ttl(60_000) });
    raw.delete("realm");
    assert!(matches!(store.load(&ledger()), Err(EtcdError::NotInitialised)));
    let late = Swap::prepare(&before, &Command::Release { grant: grant(1) }).unwrap();
    let sent = store.swap(&ledger(), &late);
    assert!(matches!(sent, Err(Failure::Definite(EtcdError::NotInitialised))), "{sent:?}");
    assert!(matches!(runtime().block_on(etcd.init()), Err(EtcdError::RecordsWithoutRealm)));
    assert!(matches!(runtime().block_on(etcd.realm()), Err(EtcdError::NotInitialised)));
    let floor = Epoch::new(1 << 40).unwrap();
    let realm = runtime().block_on(etcd.init_above(floor)).unwrap();
    assert_ne!(realm, before.record().realm());
    let again = runtime().block_on(etcd.init_above(floor));
    assert!(matches!(again, Err(EtcdError::Initialised { realm: found }) if found == realm), "{again:?}");
    let issuer = issuer(&store);
    let next = issuer.acquire(&claim("b", 60_000), Wait::AtOnce).unwrap();
    assert!(next.token().epoch().get() > floor.get() + RECOVERY_STRIDE && next.token().realm() == realm);
    assert!(store.load(&ledger()).unwrap().record().version() > before.record().version());
}

#[test]
fn a_record_that_is_deleted_by_hand_takes_no_epoch_and_no_version_back() {
    let Some(server) = server() else { return };
    let (store, namespace) = fresh(server);
    let raw = Raw::of(server, &namespace);
    let vacant = store.load(&ledger()).unwrap();
    let first = land(&store, &Command::Acquire { grant: grant(1), holder: holder("a"), ttl: ttl(60_000) });
    raw.delete("record");
    // Whose lease is live nobody knows now; so nobody gets in before it is over.
    assert_eq!(damage(&store), Damage::RecordMissing);
    let sent = store.swap(&ledger(), &acquire(&vacant, 2, 60_000));
    assert!(matches!(sent, Err(Failure::Definite(EtcdError::Damaged(Damage::RecordMissing)))), "{sent:?}");
    raw.revoke(raw.marked());
    let release = Swap::prepare(&first, &Command::Release { grant: grant(1) }).unwrap();
    assert_eq!(store.swap(&ledger(), &release).unwrap(), Swapped::Conflict);
    let next = land(&store, &Command::Acquire { grant: grant(3), holder: holder("b"), ttl: ttl(60_000) });
    assert!(next.record().epoch() > first.record().epoch());
    assert!(next.record().version() > first.record().version());
    assert_eq!(store.swap(&ledger(), &release).unwrap(), Swapped::Conflict);
}

#[test]
fn compaction_takes_nothing_back() {
    let Some(server) = server() else { return };
    let (store, namespace) = fresh(server);
    let raw = Raw::of(server, &namespace);
    let issuer = issuer(&store);
    let mut lease = issuer.acquire(&claim("a", 60_000), Wait::AtOnce).unwrap();
    let before = store.load(&ledger()).unwrap();
    raw.compact();
    assert_eq!(store.load(&ledger()).unwrap().record().version(), before.record().version());
    lease.renew().unwrap();
    let epoch = lease.token().epoch();
    lease.release().unwrap();
    raw.delete("record");
    raw.compact();
    assert!(issuer.acquire(&claim("b", 60_000), Wait::AtOnce).unwrap().token().epoch() > epoch);
}

#[test]
fn a_recovery_is_one_of_the_whole_namespace() {
    let Some(server) = server() else { return };
    let (store, _) = fresh(server);
    let issuer = issuer(&store);
    let other = ResourceId::of("billing", "invoices");
    let mut lease = issuer.acquire(&claim("a", 60_000), Wait::AtOnce).unwrap();
    let before = store.load(&ledger()).unwrap();
    let old = Swap::prepare(&before, &Command::Release { grant: lease.token().grant() }).unwrap();
    let fresh = acquire(&store.load(&ResourceId::of("billing", "new")).unwrap(), 9, 60_000);
    let (realm, floor) = (RealmId::from_random_bits(77).unwrap(), Epoch::new(1 << 50).unwrap());
    let recovered = issuer.recover(&other, realm, Some(floor)).unwrap();
    assert!(recovered.record().epoch().unwrap().get() >= floor.get() + RECOVERY_STRIDE);
    // The ledger was not named, and is in the new realm: its holder is none, and nothing of the old realm lands.
    let now = store.load(&ledger()).unwrap();
    assert_eq!((now.record().realm(), now.standing()), (realm, Standing::Free));
    assert!(matches!(lease.renew(), Err(NotChanged::Lost)));
    assert_eq!(store.swap(&ledger(), &old).unwrap(), Swapped::Conflict);
    assert_eq!(store.swap(&ResourceId::of("billing", "new"), &fresh).unwrap(), Swapped::Conflict);
    let next = issuer.acquire(&claim("b", 60_000), Wait::AtOnce).unwrap();
    assert!(next.token().epoch() > recovered.record().epoch().unwrap() && next.token().realm() == realm);
    assert!(store.load(&ledger()).unwrap().record().version() > before.record().version());
    // Asked for twice, for whichever resource, it is done once.
    let again = issuer.recover(&ledger(), realm, None).unwrap();
    assert_eq!(again.record().epoch(), Some(next.token().epoch()));
    let still = store.load(&ledger()).unwrap();
    assert!(matches!(still.standing(), Standing::Live { grant, .. } if grant == next.token().grant()));
}

#[test]
fn a_burn_on_a_record_of_an_earlier_realm_leaves_nothing_of_its_tenure() {
    let Some(server) = server() else { return };
    let (store, namespace) = fresh(server);
    let raw = Raw::of(server, &namespace);
    land(&store, &Command::Acquire { grant: grant(1), holder: holder("a"), ttl: ttl(60_000) });
    let realm = RealmId::from_random_bits(78).unwrap();
    issuer(&store).recover(&ResourceId::of("billing", "invoices"), realm, None).unwrap();
    let burnt = land(&store, &Command::Burn);
    assert_eq!((burnt.standing(), raw.get("lease").is_some()), (Standing::Free, false));
    assert!(issuer(&store).acquire(&claim("b", 60_000), Wait::AtOnce).is_ok());
}

#[test]
fn at_the_end_of_its_range_a_resource_is_refused_and_stays_as_it_is() {
    let Some(server) = server() else { return };
    let (store, namespace) = fresh(server);
    let raw = Raw::of(server, &namespace);
    let issuer = issuer(&store);
    raw.put("record", record(&store, Epoch::MAX_ISSUED.get() - 1, Tenure::Free).to_bytes().as_bytes(), 0);
    let last = issuer.acquire(&claim("a", 60_000), Wait::AtOnce).unwrap();
    assert_eq!(last.token().epoch(), Epoch::MAX_ISSUED);
    last.release().unwrap();
    let refused = issuer.acquire(&claim("a", 60_000), Wait::AtOnce);
    let exhausted = Refusal::Exhausted(Exhausted::Epoch);
    assert!(matches!(&refused, Err(NotAcquired::Refused(why)) if *why == exhausted), "{refused:?}");
    // A base at its end leaves no epoch to anybody.
    let whole = raw.get("realm").unwrap().value().to_vec();
    raw.put("realm", [&whole[..17], &Epoch::MAX_ISSUED.get().to_be_bytes()].concat(), 0);
    let other = ResourceId::of("billing", "invoices");
    let view = store.load(&other).unwrap();
    let command = Command::Acquire { grant: grant(1), holder: holder("a"), ttl: ttl(500) };
    assert_eq!(Swap::prepare(&view, &command).unwrap_err(), exhausted);
    let realm = RealmId::from_random_bits(79).unwrap();
    let recovered = issuer.recover(&other, realm, None);
    assert!(matches!(&recovered, Err(NotChanged::Refused(why)) if *why == exhausted), "{recovered:?}");
    // A version at its end.
    raw.put("realm", whole, 0);
    let mut bytes = record(&store, 5, Tenure::Free).to_bytes().as_bytes().to_vec();
    bytes[19..27].copy_from_slice(&u64::MAX.to_be_bytes());
    raw.put("record", bytes, 0);
    let view = store.load(&ledger()).unwrap();
    let refused = Swap::prepare(&view, &Command::Burn).unwrap_err();
    assert_eq!(refused, Refusal::Exhausted(Exhausted::Version));
}

#[test]
fn an_end_that_is_too_far_away_is_refused_and_can_be_evicted() {
    let Some(server) = server() else { return };
    let (store, namespace) = fresh(server);
    let raw = Raw::of(server, &namespace);
    land(&store, &Command::Acquire { grant: grant(1), holder: holder("a"), ttl: ttl(60_000) });
    let far = raw.lease_of(200_000);
    raw.put("lease", format!("held {}", grant(1)), far);
    let issuer = issuer(&store);
    let refused = issuer.acquire(&claim("b", 500), Wait::AtOnce);
    assert!(matches!(refused, Err(NotAcquired::Refused(Refusal::EndTooFar { .. }))), "{refused:?}");
    land(&store, &Command::Evict { grant: grant(1) });
    assert!(issuer.acquire(&claim("b", 500), Wait::AtOnce).is_ok());
}

/// The realm is one for the whole namespace: a recovery of any resource ends the old one.
#[test]
fn a_first_write_that_was_prepared_in_a_realm_that_is_over_does_not_land() {
    let Some(server) = server() else { return };
    let (store, _) = fresh(server);
    let other = ResourceId::of("tests", "never written");
    let swap = acquire(&store.load(&other).unwrap(), 1, 60_000);
    let next = RealmId::from_random_bits(realm(&store).get() ^ 2).unwrap();
    land(&store, &Command::Recover { realm: next, floor: None });
    assert!(matches!(store.swap(&other, &swap), Ok(Swapped::Conflict)));
    assert_eq!(store.load(&other).unwrap().record().version(), Version::ABSENT);
}

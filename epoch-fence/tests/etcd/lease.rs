//! Tenures on etcd's leases: how they end, and how long they are.

use std::collections::BTreeSet;
use std::sync::{Barrier, Mutex};
use std::time::Duration;

use epoch_fence::engine::{Engine as _, Swapped};
use epoch_fence::protocol::{Command, Standing, Swap};
use epoch_fence::{Ended, NotAcquired, NotChanged, Wait};

use crate::stage::{
    Raw, acquire, claim, fresh, grant, holder, issuer, land, ledger, namespace, options, own, server, store,
    ttl, until,
};

#[test]
fn a_lease_is_over_when_etcds_is_and_its_holder_gets_it_back_by_no_renewal() {
    let Some(server) = server() else { return };
    let (store, _) = fresh(server);
    let issuer = issuer(&store);
    let mut first = issuer.acquire(&claim("a", 500), Wait::AtOnce).unwrap();
    let refused = issuer.acquire(&claim("b", 500), Wait::AtOnce);
    assert!(
        matches!(&refused, Err(NotAcquired::Held { holder, .. }) if *holder == first.holder()),
        "{refused:?}"
    );
    let mut second = None;
    until("another gets it", || {
        second = issuer.acquire(&claim("b", 60_000), Wait::AtOnce).ok();
        second.is_some()
    });
    let second = second.unwrap();
    assert!(first.lost() && first.token().epoch() < second.token().epoch());
    assert_eq!(first.token().realm(), second.token().realm());
    assert!(matches!(first.renew(), Err(NotChanged::Lost)));
    assert!(matches!(first.release(), Ok(Ended::AlreadyLost)));
    assert!(!second.lost());
}

#[test]
fn what_is_shown_is_never_more_than_was_asked_for_or_than_etcd_gave() {
    let Some(server) = server() else { return };
    // The shortest lease that etcd gives by its own settings is two seconds.
    for (asked, granted) in [(500, 2), (1_001, 2), (2_000, 2), (2_001, 3), (2_999, 3), (86_400_000, 86_400)] {
        let (store, namespace) = fresh(server);
        let raw = Raw::of(server, &namespace);
        let command = Command::Acquire { grant: grant(1), holder: holder("a"), ttl: ttl(asked) };
        let landed = land(&store, &command);
        assert_eq!(landed.remaining(grant(1)), Some(Duration::from_millis(asked)));
        assert_eq!(raw.granted(raw.marked()), granted, "{asked}");
        let left = store.load(&ledger()).unwrap().remaining(grant(1)).unwrap();
        assert!(left <= Duration::from_secs(granted.try_into().unwrap()), "{asked}: {left:?}");
    }
}

#[test]
fn a_renewal_moves_the_end_away_on_a_longer_lease_if_it_takes_one_and_never_nearer() {
    let Some(server) = own(1, &[]) else { return };
    let namespace = namespace();
    let (store, raw) = (store(options(&server, &namespace)), Raw::of(&server, &namespace));
    let renew = |millis| Command::Renew { grant: grant(1), ttl: ttl(millis) };
    land(&store, &Command::Acquire { grant: grant(1), holder: holder("a"), ttl: ttl(20_000) });
    let first = raw.marked();
    let same = land(&store, &renew(20_000));
    assert_eq!((same.remaining(grant(1)), raw.marked()), (Some(Duration::from_secs(20)), first));
    let longer = land(&store, &renew(60_500));
    assert_eq!(longer.remaining(grant(1)), Some(Duration::from_millis(60_500)));
    assert_ne!(raw.marked(), first);
    assert_eq!((raw.granted(raw.marked()), raw.leases()), (61, 1), "the shorter one was given back");
    let shorter = land(&store, &renew(500));
    assert!(shorter.remaining(grant(1)) > Some(Duration::from_secs(20)), "{shorter:?}");
    assert!(store.load(&ledger()).unwrap().remaining(grant(1)) > Some(Duration::from_secs(20)));
}

#[test]
fn a_renewal_lets_etcds_lease_begin_again() {
    let Some(server) = server() else { return };
    let (store, namespace) = fresh(server);
    let raw = Raw::of(server, &namespace);
    land(&store, &Command::Acquire { grant: grant(1), holder: holder("a"), ttl: ttl(60_000) });
    let lease = raw.marked();
    until("some of it is over", || raw.left(lease) <= 55);
    land(&store, &Command::Renew { grant: grant(1), ttl: ttl(60_000) });
    assert!(raw.left(lease) > 55 && raw.marked() == lease);
}

#[test]
fn no_lease_is_left_in_etcd_by_a_release_an_eviction_or_an_attempt_that_lost() {
    let Some(server) = own(1, &[]) else { return };
    let namespace = namespace();
    let (store, raw) = (store(options(&server, &namespace)), Raw::of(&server, &namespace));
    // The first write of all, and one on a record that is there.
    for (won, lost) in [(1, 2), (3, 4)] {
        let view = store.load(&ledger()).unwrap();
        let (won, lost) = (acquire(&view, won, 60_000), acquire(&view, lost, 60_000));
        assert!(matches!(store.swap(&ledger(), &won), Ok(Swapped::Landed(_))));
        assert_eq!(store.swap(&ledger(), &lost).unwrap(), Swapped::Conflict);
        assert_eq!(raw.leases(), 1);
        // An earlier copy of this very write has landed, and its lease is the holder's.
        assert_eq!(store.swap(&ledger(), &won).unwrap(), Swapped::Conflict);
        assert_eq!(raw.granted(raw.marked()), 60);
        land(&store, &Command::Release { grant: won.grant().unwrap() });
        assert_eq!((raw.leases(), raw.get("lease").is_some()), (0, false));
    }
    land(&store, &Command::Acquire { grant: grant(5), holder: holder("a"), ttl: ttl(60_000) });
    land(&store, &Command::Evict { grant: grant(5) });
    assert_eq!(raw.leases(), 0);
}

#[test]
fn a_resource_that_was_handed_over_is_kept_for_the_successor_and_not_for_ever() {
    let Some(server) = server() else { return };
    let (store, _) = fresh(server);
    let issuer = issuer(&store);
    let first = issuer.acquire(&claim("a", 60_000), Wait::AtOnce).unwrap();
    let before = first.token().epoch();
    assert!(matches!(first.hand_over(holder("b"), ttl(60_000)), Ok(Ended::HandedOver)));
    let stranger = issuer.acquire(&claim("c", 60_000), Wait::AtOnce);
    assert!(matches!(&stranger, Err(NotAcquired::Reserved { to, .. }) if *to == holder("b")), "{stranger:?}");
    let second = issuer.acquire(&claim("b", 60_000), Wait::AtOnce).unwrap();
    assert!(second.token().epoch() > before);
    assert!(matches!(second.hand_over(holder("a"), ttl(500)), Ok(Ended::HandedOver)));
    until("it is free", || issuer.acquire(&claim("c", 60_000), Wait::AtOnce).is_ok());
}

#[test]
fn a_lease_that_is_revoked_behind_its_holders_back_is_over_for_everybody() {
    let Some(server) = server() else { return };
    let (store, namespace) = fresh(server);
    let (issuer, raw) = (issuer(&store), Raw::of(server, &namespace));
    let mut lease = issuer.acquire(&claim("a", 60_000), Wait::AtOnce).unwrap();
    let live = store.load(&ledger()).unwrap();
    let renewal = Command::Renew { grant: lease.token().grant(), ttl: ttl(60_000) };
    let late = Swap::prepare(&live, &renewal).unwrap();
    raw.revoke(raw.marked());
    let grant = lease.token().grant();
    assert_eq!(store.load(&ledger()).unwrap().standing(), Standing::Lapsed { grant });
    assert_eq!(store.swap(&ledger(), &late).unwrap(), Swapped::Conflict);
    // A burn changes the version and not the lease.
    let burnt = land(&store, &Command::Burn);
    assert_eq!(burnt.standing(), Standing::Lapsed { grant });
    assert!(matches!(lease.renew(), Err(NotChanged::Lost)));
    let next = issuer.acquire(&claim("b", 60_000), Wait::AtOnce).unwrap();
    assert!(next.token().epoch() > lease.token().epoch());
}

#[test]
fn a_renewal_lands_only_while_the_mark_of_its_own_tenure_is_there() {
    let Some(server) = server() else { return };
    let (store, namespace) = fresh(server);
    let raw = Raw::of(server, &namespace);
    land(&store, &Command::Acquire { grant: grant(1), holder: holder("a"), ttl: ttl(5_000) });
    let live = store.load(&ledger()).unwrap();
    // The mark goes, and the lease stays: so that it can be kept alive, or a longer one be made.
    raw.delete("lease");
    for millis in [5_000, 60_000] {
        let renewal = Swap::prepare(&live, &Command::Renew { grant: grant(1), ttl: ttl(millis) }).unwrap();
        assert_eq!(store.swap(&ledger(), &renewal).unwrap(), Swapped::Conflict);
    }
    assert_eq!(store.load(&ledger()).unwrap().standing(), Standing::Lapsed { grant: grant(1) });
}

#[test]
fn of_eight_who_race_one_at_a_time_gets_it_and_each_epoch_is_given_once() {
    const ROUNDS: usize = 20;
    let Some(server) = server() else { return };
    let namespace = namespace();
    let stores: Vec<_> = (0..8).map(|_| store(options(server, &namespace))).collect();
    let (epochs, inside, begin) = (Mutex::new(Vec::new()), Mutex::new(()), Barrier::new(8));
    std::thread::scope(|scope| {
        for (number, store) in stores.iter().enumerate() {
            let (epochs, inside, begin) = (&epochs, &inside, &begin);
            scope.spawn(move || {
                let issuer = issuer(store);
                begin.wait();
                let mut granted = 0;
                while granted < ROUNDS {
                    let Ok(lease) = issuer.acquire(&claim(&format!("{number}"), 60_000), Wait::AtOnce) else {
                        continue;
                    };
                    let alone = inside.try_lock().expect("nobody else holds it");
                    epochs.lock().unwrap().push(lease.token().epoch());
                    granted += 1;
                    drop(alone);
                    assert!(matches!(lease.release(), Ok(Ended::Released)));
                }
                assert_eq!(issuer.snapshot().impossible, 0);
            });
        }
    });
    let epochs = epochs.into_inner().unwrap();
    assert!(epochs.is_sorted(), "{epochs:?}");
    assert_eq!(epochs.iter().collect::<BTreeSet<_>>().len(), 8 * ROUNDS);
}

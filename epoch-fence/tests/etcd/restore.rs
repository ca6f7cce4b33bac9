//! A snapshot is put back: who finds it, who does not, and what is done then.

use epoch_fence::engine::Engine as _;
use epoch_fence::engine::etcd::EtcdError;
use epoch_fence::protocol::{RECOVERY_STRIDE, Refusal};
use epoch_fence::{Gate, NotAcquired, RealmId, Rejected, Wait};

use crate::stage::{claim, issuer, ledger, namespace, options, own, store};

#[test]
fn a_restored_snapshot_is_found_by_whoever_remembers_and_by_nobody_else_and_a_recovery_goes_on_above_it() {
    let Some(mut server) = own(1, &[]) else { return };
    let namespace = namespace();
    let before = store(options(&server, &namespace));
    let issuing = issuer(&before);
    issuing.acquire(&claim("a", 60_000), Wait::AtOnce).unwrap().release().unwrap();
    let snapshot = server.snapshot();
    for _ in 0..20 {
        issuing.acquire(&claim("a", 60_000), Wait::AtOnce).unwrap().release().unwrap();
    }
    let lost = issuing.acquire(&claim("a", 60_000), Wait::AtOnce).unwrap();
    let gate = Gate::new(lost.token().realm(), ledger(), lost.token().epoch());
    assert!(gate.enter(&lost.token()).is_ok());
    let known = lost.token();
    drop(lost);
    server.put_back(&snapshot);

    // A client that has seen a later revision.
    let found = before.load(&ledger()).unwrap_err();
    assert!(matches!(found, EtcdError::Rewound { seen, found } if seen > found), "{found:?}");
    // Not a new one, which has nothing to compare with: it gives an epoch out again.
    let after = store(options(&server, &namespace));
    let newcomer = issuer(&after);
    let again = newcomer.acquire(&claim("b", 60_000), Wait::AtOnce).unwrap();
    assert!(again.token().epoch() < known.epoch() && again.token().realm() == known.realm());
    // The gate has, and is the guarantee.
    assert!(matches!(gate.enter(&again.token()), Err(Rejected::Stale { .. })));
    again.release().unwrap();
    // So has a claim that remembers.
    let remembers = claim("b", 60_000).with_known_epoch(known.realm(), known.epoch());
    let refused = newcomer.acquire(&remembers, Wait::AtOnce);
    let regressed = matches!(&refused,
        Err(NotAcquired::Refused(Refusal::Regressed { known: seen, .. })) if *seen == known.epoch());
    assert!(regressed, "{refused:?}");
    // However far it has come since.
    assert!(matches!(before.load(&ledger()), Err(EtcdError::Rewound { .. })));

    let realm = RealmId::from_random_bits(80).unwrap();
    let recovered = newcomer.recover(&ledger(), realm, Some(known.epoch())).unwrap();
    assert!(recovered.record().epoch().unwrap().get() >= known.epoch().get() + RECOVERY_STRIDE);
    gate.adopt(realm, recovered.record().epoch().unwrap()).unwrap();
    // The old client goes on too, under the new realm.
    let next = issuing.acquire(&claim("a", 60_000), Wait::AtOnce).unwrap();
    assert!(next.token().epoch() > recovered.record().epoch().unwrap());
    assert!(gate.enter(&next.token()).is_ok());
}

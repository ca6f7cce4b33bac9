//! The gate, one call after another.

use epoch_fence::{AdoptError, Epoch, FencingToken, Gate, MaxAdvance, MaxPermits, Rejected, ResourceId};

use crate::values::{REALM, epoch, ledger, realm, token, token_of};

pub(crate) fn gate(floor: u64) -> Gate {
    Gate::new(realm(REALM), ledger(), epoch(floor))
}

fn refused(gate: &Gate, token: &FencingToken) -> Rejected {
    gate.enter(token).map(drop).unwrap_err()
}

#[test]
fn a_gate_admits_nobody_below_the_floor_that_it_was_given() {
    let gate = gate(33);
    assert_eq!(refused(&gate, &token(32)), Rejected::Stale { floor: epoch(33) });
    assert_eq!(gate.enter(&token(33)).unwrap().epoch(), epoch(33));
    assert_eq!(gate.snapshot().admitted, Some(epoch(33)));
}

#[test]
fn a_newer_token_makes_the_older_stale_at_once_and_waits_for_its_permits() {
    let gate = gate(1);
    let (first, second) = (gate.enter(&token(4)).unwrap(), gate.enter(&token(4)).unwrap());
    assert_eq!(refused(&gate, &token(5)), Rejected::Draining { in_flight: 2 });
    assert_eq!(refused(&gate, &token(4)), Rejected::Stale { floor: epoch(5) });
    drop(first);
    assert_eq!(refused(&gate, &token(5)), Rejected::Draining { in_flight: 1 });
    assert_eq!(refused(&gate, &token(7)), Rejected::Draining { in_flight: 1 });
    assert_eq!(refused(&gate, &token(5)), Rejected::Stale { floor: epoch(7) });
    drop(second);
    assert!(gate.enter(&token(7)).is_ok());
    assert_eq!(gate.floor(), epoch(7));
    let counts = gate.snapshot();
    assert_eq!((counts.stale, counts.draining, counts.advances, counts.impossible), (2, 3, 2, 0));
}

#[test]
fn a_permit_that_leaks_keeps_newer_epochs_out_until_it_is_abandoned() {
    let gate = gate(1);
    core::mem::forget(gate.enter(&token(1)).unwrap());
    let hung = gate.enter(&token(1)).unwrap();
    for _ in 0..3 {
        assert_eq!(refused(&gate, &token(2)), Rejected::Draining { in_flight: 2 });
    }
    assert_eq!(gate.abandon_permits(), 2);
    let newer = gate.enter(&token(2)).unwrap();
    drop(hung);
    assert_eq!(gate.snapshot().in_flight, 1, "the end of an abandoned permit takes no other's place");
    assert_eq!(refused(&gate, &token(3)), Rejected::Draining { in_flight: 1 });
    drop(newer);
    assert!(gate.enter(&token(3)).is_ok());
    assert_eq!(gate.abandon_permits(), 0);
    assert_eq!((gate.snapshot().abandoned, gate.snapshot().impossible), (2, 0));
}

#[test]
fn a_forged_maximum_is_too_far_ahead_is_counted_and_locks_nobody_out() {
    let gate = gate(1);
    let working = gate.enter(&token(1)).unwrap();
    let forged = token_of(REALM, u64::MAX, 9);
    let limit = 1 << 32;
    assert_eq!(refused(&gate, &forged), Rejected::TooFarAhead { ahead: u64::MAX - 1, limit });
    assert_eq!(refused(&gate, &token((1 << 32) + 2)), Rejected::TooFarAhead { ahead: limit + 1, limit });
    assert_eq!(gate.snapshot().too_far_ahead, 2);
    assert!(gate.enter(&token(1)).is_ok(), "the holder goes on");
    drop(working);
    assert!(gate.enter(&token(2)).is_ok(), "and so does the next one");
    assert!(gate.enter(&token((1 << 32) + 2)).is_ok(), "at the limit it is accepted");
}

#[test]
fn however_wide_the_limit_nothing_above_what_an_issuer_gives_is_admitted_unless_unbounded() {
    let bounded = gate(u64::MAX / 2).with_max_advance(MaxAdvance::AtMost(u64::MAX));
    assert!(bounded.enter(&token(u64::MAX / 2)).is_ok());
    assert_eq!(refused(&bounded, &token(u64::MAX / 2 + 1)), Rejected::TooFarAhead { ahead: 1, limit: 0 });
    let unbounded = gate(1).with_max_advance(MaxAdvance::Unbounded);
    assert!(unbounded.enter(&token(u64::MAX)).is_ok());
    assert_eq!(refused(&unbounded, &token(u64::MAX - 1)), Rejected::Stale { floor: Epoch::MAX });
    assert_eq!(unbounded.adopt(realm(2), Epoch::MAX), Err(AdoptError::Exhausted));
}

#[test]
fn another_grant_under_one_epoch_is_a_conflict() {
    let gate = gate(1);
    drop(gate.enter(&token(5)).unwrap());
    assert_eq!(refused(&gate, &token_of(REALM, 5, 99)), Rejected::Conflict);
    assert_eq!(refused(&gate, &token_of(REALM, 5, 5 << 64)), Rejected::Conflict, "both halves are compared");
    assert!(gate.enter(&token(5)).is_ok());
    assert_eq!(gate.snapshot().conflict, 2);
}

#[test]
fn tokens_of_another_resource_or_realm_are_refused_whatever_their_epoch() {
    let gate = gate(5);
    drop(gate.enter(&token(5)).unwrap());
    for number in [1, 5, 6, u64::MAX] {
        let honest = token(number);
        let other = ResourceId::of("billing", "other");
        let misrouted = FencingToken::new(honest.realm(), other, honest.epoch(), honest.grant());
        assert_eq!(refused(&gate, &misrouted), Rejected::WrongResource);
        for bits in [2, REALM << 64] {
            let foreign = token_of(bits, number, number.into());
            assert_eq!(refused(&gate, &foreign), Rejected::WrongRealm);
        }
    }
    assert_eq!(gate.floor(), epoch(5));
    assert_eq!((gate.snapshot().wrong_resource, gate.snapshot().wrong_realm), (4, 8));
}

#[test]
fn a_realm_is_adopted_when_the_old_one_has_drained_and_only_upwards() {
    let gate = gate(1);
    let old = gate.enter(&token(5)).unwrap();
    assert_eq!(gate.adopt(realm(2), epoch(5)), Err(AdoptError::FloorTooLow { least: epoch(6) }));
    assert_eq!(gate.adopt(realm(2), epoch(100)), Err(AdoptError::Draining { in_flight: 1 }));
    assert_eq!(refused(&gate, &token(5)), Rejected::Stale { floor: epoch(100) });
    assert_eq!(refused(&gate, &token_of(2, 100, 1)), Rejected::WrongRealm);
    drop(old);
    assert_eq!(gate.adopt(realm(2), epoch(100)), Ok(()));
    assert_eq!(gate.adopt(realm(2), epoch(100)), Ok(()), "once more changes nothing");
    assert_eq!(gate.adopt(realm(2), epoch(7)), Ok(()), "nor does a floor that it has");
    assert_eq!(refused(&gate, &token(200)), Rejected::WrongRealm);
    assert_eq!(refused(&gate, &token_of(2, 99, 1)), Rejected::Stale { floor: epoch(100) });
    assert!(gate.enter(&token_of(2, 100, 1)).is_ok());
    assert_eq!(gate.adopt(realm(REALM), epoch(100)), Err(AdoptError::FloorTooLow { least: epoch(101) }));
}

#[test]
fn a_sealed_gate_admits_nobody_and_says_how_many_are_left() {
    let gate = gate(1);
    let permit = gate.enter(&token(1)).unwrap();
    assert_eq!(gate.seal(), 1);
    for number in [1, 2] {
        assert_eq!(refused(&gate, &token(number)), Rejected::Sealed);
    }
    assert_eq!(gate.adopt(realm(2), epoch(9)), Err(AdoptError::Sealed));
    drop(permit);
    assert_eq!(gate.seal(), 0);
    assert_eq!(refused(&gate, &token(2)), Rejected::Sealed);
    assert_eq!((gate.snapshot().sealed, gate.snapshot().refused_sealed), (true, 3));
}

#[test]
fn permits_are_bounded_and_a_refusal_takes_none() {
    let gate = gate(1).with_max_permits(MaxPermits::new(2).unwrap());
    let held = [gate.enter(&token(1)).unwrap(), gate.enter(&token(1)).unwrap()];
    assert_eq!(refused(&gate, &token(1)), Rejected::TooManyPermits { limit: 2 });
    assert_eq!((gate.snapshot().in_flight, gate.snapshot().too_many_permits), (2, 1));
    drop(held);
    assert!(gate.enter(&token(1)).is_ok());
    assert_eq!((MaxPermits::new(0), MaxPermits::new(1 << 21)), (None, None));
    assert_eq!(MaxPermits::new((1 << 21) - 1), Some(MaxPermits::MAX));
    assert_eq!(MaxPermits::default().get(), 1 << 16);
}

#[test]
fn advice_changes_nothing_and_counts_nothing() {
    let gate = gate(1);
    let permit = gate.enter(&token(4)).unwrap();
    let before = gate.snapshot();
    assert_eq!(gate.check(&token(4)), Ok(()));
    assert_eq!(gate.check(&token(5)), Err(Rejected::Draining { in_flight: 1 }));
    assert_eq!(gate.check(&token(3)), Err(Rejected::Stale { floor: epoch(4) }));
    assert_eq!(gate.check(&token_of(REALM, 4, 9)), Err(Rejected::Conflict));
    assert!(matches!(gate.check(&token(u64::MAX)), Err(Rejected::TooFarAhead { .. })));
    assert_eq!(gate.snapshot(), before);
    drop(permit);
    assert_eq!(gate.check(&token(5)), Ok(()));
    assert!(gate.enter(&token(4)).is_ok(), "it was advice");
}

#[test]
fn a_permit_ends_when_the_effect_panics() {
    let gate = gate(1);
    let effect = core::panic::AssertUnwindSafe(|| gate.run(&token(1), |_| panic!("the effect fails")));
    assert!(std::panic::catch_unwind(effect).is_err());
    assert_eq!(gate.run(&token(2), |permit| permit.epoch()), Ok(epoch(2)));
    assert!(gate.run(&token(1), |_| panic!("a refused effect is not called")).is_err());
}

#[test]
fn a_gate_may_be_a_static() {
    static GATE: Gate = match (epoch_fence::RealmId::from_random_bits(REALM), Epoch::new(7)) {
        (Some(realm), Some(floor)) => Gate::new(realm, ResourceId::from_bytes([7; 32]), floor),
        _ => panic!("neither is zero"),
    };
    assert_eq!((GATE.floor(), GATE.resource()), (epoch(7), ResourceId::from_bytes([7; 32])));
}

#[test]
fn refusals_say_what_was_seen_and_what_is_allowed() {
    for (why, text) in [
        (Rejected::Stale { floor: epoch(34) }, "the token is older than epoch 34, the gate's floor"),
        (Rejected::Conflict, "another grant was admitted under the token's epoch"),
        (Rejected::WrongResource, "the token is for another resource"),
        (Rejected::WrongRealm, "the token is of another realm"),
        (Rejected::Sealed, "the gate is sealed"),
        (Rejected::Draining { in_flight: 2 }, "2 permits of older epochs are still alive"),
        (
            Rejected::TooFarAhead { ahead: 9, limit: 4 },
            "the token is 9 epochs above the gate's floor, limit 4",
        ),
        (Rejected::TooManyPermits { limit: 2 }, "2 permits are alive, and no more are allowed"),
    ] {
        assert_eq!(why.to_string(), text);
    }
}

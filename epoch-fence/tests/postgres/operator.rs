//! What an operator does, and what nobody else may.

use epoch_fence::engine::postgres::{Postgres, PostgresError};
use epoch_fence::engine::{AsyncEngine as _, Failure, Swapped};
use epoch_fence::protocol::{Command, RECOVERY_STRIDE, Standing, Swap};
use epoch_fence::{Epoch, Issuer};

use crate::stage::{self, Stage, acquire, block_on, land, options, realm, release, renew, resource};

/// The rights that the head of the file asks for.
const ROLES: &str = "\
CREATE ROLE fence_holder LOGIN; \
GRANT USAGE ON SCHEMA epoch_fence TO fence_holder; \
GRANT SELECT ON epoch_fence.realm TO fence_holder; \
GRANT SELECT, INSERT, UPDATE ON epoch_fence.lease TO fence_holder; \
GRANT USAGE ON SEQUENCE epoch_fence.version TO fence_holder; \
CREATE ROLE fence_operator LOGIN IN ROLE fence_holder; \
GRANT EXECUTE ON FUNCTION epoch_fence.init(text, bytea), epoch_fence.accept(text), \
  epoch_fence.recover(text, bytea, bigint), \
  epoch_fence.recover(text, bytea, bytea, bigint, bytea, bigint, bigint) TO fence_operator; \
GRANT DELETE ON epoch_fence.lease TO fence_operator";

#[test]
fn a_holder_may_lease_and_not_recover_and_an_operator_may_both() {
    let Some(stage) = Stage::own("rights") else { return };
    stage.execute(ROLES);
    let of = |role: &str| {
        let url = stage.url.replace("postgres@", &format!("{role}@"));
        block_on(Postgres::connect(&url, options())).unwrap()
    };
    let (holding, operating) = (of("fence_holder"), of("fence_operator"));
    for store in [&holding, &operating] {
        block_on(land(store, &resource("r"), acquire(1)));
        block_on(land(store, &resource("r"), renew(1)));
        block_on(land(store, &resource("r"), release(1)));
    }
    let refused = |done: Result<(), PostgresError>| {
        let Err(PostgresError::Refused(why)) = done else { panic!("{done:?}") };
        assert_eq!(why.code().map(|code| code.code()), Some("42501"), "{why:?}");
    };
    refused(block_on(holding.init()).map(drop));
    refused(block_on(holding.accept()).map(drop));
    refused(block_on(holding.recover(realm(2), None)).map(drop));
    let view = block_on(holding.load(&resource("r"))).unwrap();
    let swap = Swap::prepare(&view, &Command::Recover { realm: realm(2), floor: None }).unwrap();
    match block_on(holding.swap(&resource("r"), &swap)) {
        Err(Failure::Definite(why)) => refused(Err(why)),
        other => panic!("{other:?}"),
    }
    let client = stage::connect(&stage.url.replace("postgres@", "fence_holder@"));
    for forbidden in [
        "UPDATE epoch_fence.realm SET floor = 0",
        "DELETE FROM epoch_fence.lease",
        "TRUNCATE epoch_fence.lease",
        "SELECT epoch_fence.jump('default', 7)",
        "SELECT setval('epoch_fence.version', 1)",
        "CREATE OR REPLACE FUNCTION epoch_fence.clock() RETURNS timestamptz LANGUAGE sql AS 'SELECT now()'",
    ] {
        block_on(client.batch_execute(forbidden)).expect_err(forbidden);
    }

    let client = stage::connect(&stage.url.replace("postgres@", "fence_operator@"));
    block_on(client.batch_execute("DELETE FROM epoch_fence.lease")).unwrap();
    block_on(operating.init()).unwrap();
    block_on(operating.accept()).unwrap();
    block_on(operating.recover(realm(2), None)).unwrap();
    block_on(land(&operating, &resource("r"), Command::Recover { realm: realm(3), floor: None }));
    block_on(land(&holding, &resource("r"), acquire(2)));
}

#[test]
fn a_recovery_of_one_resource_is_one_of_all_of_them() {
    let Some(stage) = Stage::shared("recovery") else { return };
    let store = stage.store();
    let (one, two) = (resource("one"), resource("two"));
    block_on(land(&store, &one, acquire(1)));
    for bits in 10..20 {
        block_on(land(&store, &two, acquire(bits)));
        block_on(land(&store, &two, release(bits)));
    }
    let held = block_on(land(&store, &two, acquire(20)));
    let late = Swap::prepare(&held, &release(20)).unwrap();

    let known = Epoch::new(5_000_000).unwrap();
    let command = Command::Recover { realm: realm(2), floor: Some(known) };
    let view = block_on(land(&store, &one, command));
    assert_eq!(view.standing(), Standing::Free);
    assert!(view.epoch() >= known.checked_add(RECOVERY_STRIDE));

    let other = block_on(store.load(&two)).unwrap();
    assert_eq!((other.standing(), other.record().realm()), (Standing::Free, realm(2)));
    assert_eq!(block_on(store.swap(&two, &late)).unwrap(), Swapped::Conflict, "it is of the old realm");
    let next = block_on(land(&store, &two, acquire(21)));
    assert!(next.record().epoch() > known.checked_add(RECOVERY_STRIDE));
    assert!(next.record().version() > held.record().version());
    let new = block_on(land(&store, &resource("never held"), acquire(22)));
    assert!(new.record().epoch() > known.checked_add(RECOVERY_STRIDE));
}

#[test]
fn every_resource_goes_on_far_above_its_own_epoch_also_where_another_was_recovered() {
    let Some(stage) = Stage::own("recovery_all") else { return };
    let store = stage.store();
    let (low, high) = (resource("low"), resource("high"));
    block_on(land(&store, &low, acquire(1)));
    block_on(land(&store, &high, acquire(1)));
    let text = format!("UPDATE epoch_fence.lease SET epoch = 9000000 WHERE resource = '\\x{high}'");
    stage.execute(&text);
    block_on(land(&store, &low, Command::Recover { realm: realm(2), floor: None }));
    let next = block_on(land(&store, &high, acquire(2)));
    assert!(next.record().epoch() > Epoch::new(9_000_000 + RECOVERY_STRIDE));
}

#[test]
fn a_recovery_that_is_asked_for_twice_is_done_once() {
    let Some(stage) = Stage::shared("recovery_twice") else { return };
    struct NoClock;
    impl epoch_fence::BootClock for NoClock {
        fn now(&self) -> epoch_fence::protocol::BootTime {
            epoch_fence::protocol::BootTime::new(core::time::Duration::ZERO)
        }

        fn pause(&self, _: core::time::Duration) {}
    }
    let store = stage.blocking();
    let issuer = Issuer::new(&store, NoClock);
    let first = issuer.recover(&resource("r"), realm(2), None).unwrap();
    let second = issuer.recover(&resource("other"), realm(2), None).unwrap();
    assert_eq!(first.epoch(), second.epoch());
    let floor = block_on(store.engine().recover(realm(2), None)).unwrap();
    assert_eq!(floor, first.epoch());
    let floor = block_on(store.engine().recover(realm(3), floor)).unwrap();
    assert!(floor >= first.epoch().and_then(|epoch| epoch.checked_add(RECOVERY_STRIDE)));
}

/// Writers of leases take the table's lock before they look, and a recovery waits for those who have.
#[test]
fn a_write_that_waits_for_a_recovery_does_not_land_in_the_old_realm() {
    let Some(stage) = Stage::own("recovery_race") else { return };
    let store = stage.store();
    block_on(land(&store, &resource("r"), acquire(1)));
    let held = block_on(store.load(&resource("r"))).unwrap();
    let vacant = block_on(store.load(&resource("new"))).unwrap();
    let late = [
        (resource("r"), Swap::prepare(&held, &release(1)).unwrap()),
        (resource("new"), Swap::prepare(&vacant, &acquire(2)).unwrap()),
    ];
    let (operator, other) = (stage.session(), stage.store());
    let recovery = "BEGIN; SELECT epoch_fence.recover('default', decode(repeat('02', 16), 'hex'), 0)";
    block_on(operator.batch_execute(recovery)).unwrap();
    let stores = [store, other];
    let sent: Vec<_> = stores
        .into_iter()
        .zip(late)
        .map(|(store, (resource, swap))| {
            stage::runtime().spawn(async move { store.swap(&resource, &swap).await })
        })
        .collect();
    stage.wait_for_waiters(2);
    block_on(operator.batch_execute("COMMIT")).unwrap();
    for sent in sent {
        let sent = block_on(sent).unwrap();
        assert!(matches!(sent, Ok(Swapped::Conflict)), "{sent:?}");
    }
}

#[test]
fn a_creation_that_waits_for_a_deletion_does_not_grant_the_deleted_epoch_again() {
    let Some(stage) = Stage::own("deletion_race") else { return };
    let store = stage.store();
    let vacant = block_on(store.load(&resource("r"))).unwrap();
    let late = Swap::prepare(&vacant, &acquire(1)).unwrap();
    block_on(land(&store, &resource("r"), acquire(2)));
    let operator = stage.session();
    block_on(operator.batch_execute("BEGIN; DELETE FROM epoch_fence.lease")).unwrap();
    let sent = stage::runtime().spawn(async move { store.swap(&resource("r"), &late).await });
    stage.wait_for_waiters(1);
    block_on(operator.batch_execute("COMMIT")).unwrap();
    let sent = block_on(sent).unwrap();
    assert!(matches!(sent, Ok(Swapped::Conflict)), "{sent:?}");
}

//! A standby that is promoted, a copy in another cluster, and an older copy that was put back.

use core::time::Duration;

use clock_testing::postgres::Postgres as Server;
use epoch_fence::engine::postgres::{OnPromotion, Postgres, PostgresError};
use epoch_fence::engine::{AsyncEngine as _, Failure, Swapped};
use epoch_fence::protocol::{
    Acquire, Acquired, Answer, BootTime, Claim, Command, Machine as _, Progress, RECOVERY_STRIDE, Refusal,
    Standing, Swap,
};

use crate::pool::Pool;
use crate::stage::{
    Stage, acquire, block_on, grant, holder, land, options, realm, release, renew, resource, ttl,
};

#[test]
fn a_promoted_standby_is_refused_until_it_is_accepted_and_then_goes_on_far_above() {
    let primary = match Server::start(&[]) {
        Ok(server) => server,
        Err(missing) => return missing.not_run(),
    };
    let store = block_on(async {
        let store = Postgres::connect(&primary.url(), options()).await.unwrap();
        store.migrate().await.unwrap();
        store.init_with(realm(1)).await.unwrap();
        store
    });
    let held = block_on(land(&store, &resource("r"), acquire(1)));
    let old = Swap::prepare(&held, &release(1)).unwrap();
    block_on(land(&store, &resource("free"), acquire(1)));
    block_on(land(&store, &resource("free"), release(1)));
    let standby = primary.standby();
    primary.wait_for(&standby);

    let url = standby.url();
    let connect = |options| Postgres::connect(&url, options);
    let refused = block_on(connect(options()));
    assert!(matches!(refused, Err(PostgresError::Standby)), "{refused:?}");
    // Through a pool that nobody checked.
    let pooled = Postgres::over(Pool::new(&url, ""), options()).unwrap();
    let refused = block_on(pooled.load(&resource("r")));
    assert!(matches!(refused, Err(PostgresError::Standby)), "{refused:?}");
    let sent = block_on(pooled.swap(&resource("r"), &old));
    assert!(matches!(sent, Err(Failure::Definite(PostgresError::ReadOnly(_)))), "{sent:?}");

    standby.promote();
    let store = block_on(connect(options())).unwrap();
    let refused = block_on(store.load(&resource("r")));
    let Err(PostgresError::Promoted { kept, found }) = refused else { panic!("{refused:?}") };
    assert_eq!((kept.as_str(), found.as_str()), ("00000001", "00000002"));
    // A write that was prepared on the old primary.
    let sent = block_on(store.swap(&resource("r"), &old));
    assert!(matches!(sent, Err(Failure::Definite(PostgresError::Promoted { .. }))), "{sent:?}");
    drop(primary);

    let floor = block_on(store.accept()).unwrap();
    assert_eq!(block_on(store.accept()).unwrap(), floor, "twice is once");
    // The lease goes on in its realm and under its epoch, and whatever comes next is far above.
    let renewed = block_on(land(&store, &resource("r"), renew(1)));
    assert_eq!(renewed.record().epoch(), held.record().epoch());
    assert!(renewed.remaining(grant(1)).is_some());
    let far = held.record().epoch().and_then(|epoch| epoch.checked_add(RECOVERY_STRIDE));
    let next = block_on(land(&store, &resource("free"), acquire(2)));
    assert!(next.record().epoch() > far && next.record().realm() == realm(1), "{next:?}");
    let version = held.record().version().checked_add(RECOVERY_STRIDE);
    assert!(Some(next.record().version()) > version, "{next:?}");
}

/// Looked at on the old primary, written on the new one.
#[test]
fn an_acquire_that_was_prepared_before_a_promotion_was_accepted_gets_an_epoch_far_above() {
    let Some(stage) = Stage::own("prepared") else { return };
    let store = stage.store();
    let held = block_on(land(&store, &resource("r"), acquire(1)));
    let free = block_on(land(&store, &resource("r"), release(1)));
    let prepared = Swap::prepare(&free, &acquire(2)).unwrap();
    stage.execute("UPDATE epoch_fence.realm SET timeline = '0000000A'");
    block_on(store.accept()).unwrap();
    let sent = block_on(store.swap(&resource("r"), &prepared)).unwrap();
    let Swapped::Landed(view) = sent else { panic!("{sent:?}") };
    prepared.check_landed(&view).unwrap();
    let far = held.record().epoch().and_then(|epoch| epoch.checked_add(RECOVERY_STRIDE));
    assert!(view.record().epoch() > far, "{view:?}");
}

#[test]
fn a_promotion_is_accepted_at_once_where_the_options_say_so() {
    let Some(stage) = Stage::own("jump") else { return };
    let store = stage.store();
    let held = block_on(land(&store, &resource("r"), acquire(1)));
    block_on(land(&store, &resource("r"), release(1)));
    // As the row of a server is that is now in its first timeline, and came from a later one.
    stage.execute("UPDATE epoch_fence.realm SET timeline = '0000000A'");
    let refused = block_on(store.load(&resource("r")));
    assert!(matches!(refused, Err(PostgresError::Promoted { .. })), "{refused:?}");
    let options = stage.options().on_promotion(OnPromotion::Jump);
    let jumping = block_on(Postgres::connect(&stage.url, options)).unwrap();
    let next = block_on(land(&jumping, &resource("r"), acquire(2)));
    let far = held.record().epoch().and_then(|epoch| epoch.checked_add(RECOVERY_STRIDE));
    assert!(next.record().epoch() > far, "{next:?}");
    block_on(store.load(&resource("r"))).unwrap();

    // A copy in another cluster is no promotion.
    stage.execute("UPDATE epoch_fence.realm SET system = 1");
    for store in [&store, &jumping] {
        let refused = block_on(store.load(&resource("r")));
        assert!(matches!(refused, Err(PostgresError::OtherSystem { kept: 1, .. })), "{refused:?}");
    }
    let floor = block_on(store.recover(realm(2), next.record().epoch())).unwrap();
    let view = block_on(store.load(&resource("r"))).unwrap();
    assert_eq!((view.standing(), view.record().realm(), view.epoch()), (Standing::Free, realm(2), floor));
}

#[test]
fn an_older_copy_that_was_put_back_is_not_found_from_within_and_is_recovered() {
    let mut server = match Server::start(&[]) {
        Ok(server) => server,
        Err(missing) => return missing.not_run(),
    };
    let store = block_on(async {
        let store = Postgres::connect(&server.url(), options()).await.unwrap();
        store.migrate().await.unwrap();
        store.init_with(realm(1)).await.unwrap();
        store
    });
    let resource = resource("r");
    block_on(land(&store, &resource, acquire(1)));
    block_on(land(&store, &resource, release(1)));
    let backup = server.backup();
    let mut last = None;
    for bits in 2..6 {
        last = block_on(land(&store, &resource, acquire(bits))).record().epoch();
        block_on(land(&store, &resource, release(bits)));
    }
    server.put_back(&backup);
    // It says nothing, and would grant those epochs again.
    let rewound = block_on(store.load(&resource)).unwrap();
    assert!(rewound.epoch() < last);
    let claim = Claim::new(resource, holder("test"), ttl(60_000)).with_known_epoch(realm(1), last.unwrap());
    let found = Acquire::new(claim, grant(7)).answer(BootTime::new(Duration::ZERO), Answer::Loaded(rewound));
    let regressed = matches!(found, Progress::Done(Acquired::Refused(Refusal::Regressed { .. })));
    assert!(regressed, "whoever remembers finds it: {found:?}");
    block_on(land(&store, &resource, Command::Recover { realm: realm(2), floor: last }));
    let next = block_on(land(&store, &resource, acquire(8)));
    assert!(next.record().epoch() > last && next.record().realm() == realm(2));
}

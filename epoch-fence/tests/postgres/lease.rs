//! A lease from its grant to its end.

use core::time::Duration;
use std::thread;

use epoch_fence::engine::postgres::PostgresError;
use epoch_fence::engine::{AsyncEngine as _, Engine as _, Failure, Swapped};
use epoch_fence::protocol::{BootTime, Claim, Exhausted, Refusal, Standing, Swap, Version};
use epoch_fence::{BootClock, Ended, Epoch, Evicted, Issuer, NotAcquired, NotChanged, Wait};
use rustix::time::{ClockId, clock_gettime};

use crate::stage::{
    self, LEASE, Stage, acquire, block_on, grant, holder, land, release, renew, resource, ttl,
};

/// The holder's clock.
struct Clock;

impl BootClock for Clock {
    fn now(&self) -> BootTime {
        BootTime::new(clock_gettime(ClockId::Boottime).try_into().unwrap())
    }

    fn pause(&self, wait: Duration) {
        thread::sleep(wait);
    }
}

fn claim(name: &str, who: &str) -> Claim {
    Claim::new(resource(name), holder(who), ttl(3_600_000))
}

#[test]
fn one_holds_until_it_releases_and_the_next_one_has_the_next_epoch() {
    let Some(stage) = Stage::shared("release") else { return };
    let (one, two) = (Issuer::new(stage.blocking(), Clock), Issuer::new(stage.blocking(), Clock));
    let mut first = one.acquire(&claim("r", "one"), Wait::AtOnce).unwrap();
    let refused = two.acquire(&claim("r", "two"), Wait::AtOnce);
    assert!(
        matches!(refused, Err(NotAcquired::Held { holder: by, .. }) if by == holder("one")),
        "{refused:?}"
    );
    first.renew().unwrap();
    let before = first.token();
    assert_eq!(first.release().unwrap(), Ended::Released);
    let second = two.acquire(&claim("r", "two"), Wait::AtOnce).unwrap();
    assert_eq!(second.token().epoch(), before.epoch().checked_next().unwrap());
    assert_eq!(second.token().realm(), before.realm());
}

#[test]
fn a_lease_that_is_handed_over_is_for_one_successor() {
    let Some(stage) = Stage::shared("hand_over") else { return };
    let (one, two) = (Issuer::new(stage.blocking(), Clock), Issuer::new(stage.blocking(), Clock));
    let first = one.acquire(&claim("r", "one"), Wait::AtOnce).unwrap();
    first.hand_over(holder("two"), ttl(3_600_000)).unwrap();
    let refused = one.acquire(&claim("r", "one"), Wait::AtOnce);
    assert!(matches!(refused, Err(NotAcquired::Reserved { to, .. }) if to == holder("two")), "{refused:?}");
    drop(two.acquire(&claim("r", "two"), Wait::AtOnce).unwrap());
}

#[test]
fn whoever_is_evicted_renews_no_more() {
    let Some(stage) = Stage::shared("evict") else { return };
    let issuer = Issuer::new(stage.blocking(), Clock);
    let mut lease = issuer.acquire(&claim("r", "one"), Wait::AtOnce).unwrap();
    let token = lease.token();
    assert_eq!(issuer.evict(&resource("r"), token.grant()).unwrap(), Evicted::Evicted);
    assert!(matches!(lease.renew(), Err(NotChanged::Lost)));
    assert_eq!(issuer.evict(&resource("r"), token.grant()).unwrap(), Evicted::AlreadyGone);
}

#[test]
fn a_lease_is_over_by_itself_and_is_not_renewed_then() {
    let Some(stage) = Stage::shared("expiry") else { return };
    let (issuer, store) = (Issuer::new(stage.blocking(), Clock), stage.blocking());
    // By the real clocks: whatever the machine does, the end comes.
    let claim = Claim::new(resource("r"), holder("one"), ttl(500));
    let mut lease = match issuer.acquire(&claim, Wait::AtOnce) {
        Ok(lease) => lease,
        // It took longer than the lease.
        Err(NotAcquired::Superseded) => return,
        Err(why) => panic!("{why}"),
    };
    let lapsed = Standing::Lapsed { grant: lease.token().grant() };
    let over = (0..3_000).any(|_| {
        thread::sleep(Duration::from_millis(20));
        store.load(&resource("r")).unwrap().standing() == lapsed
    });
    assert!(over, "it does not end");
    assert!(lease.lost());
    assert!(matches!(lease.renew(), Err(NotChanged::Lost)));
    drop(lease);
    Issuer::new(store, Clock).acquire(&self::claim("r", "two"), Wait::AtOnce).map(drop).unwrap();
}

/// An update judges before it waits for a row that somebody has locked, and where nobody changed the row in the end, not
/// again.
#[test]
fn a_renewal_that_waits_for_its_row_past_the_end_of_the_lease_does_not_land() {
    let Some(stage) = Stage::own("waiting_renewal") else { return };
    let store = stage.store();
    let resource = resource("r");
    stage.set_clock(0);
    let renewal = block_on(async {
        let held = land(&store, &resource, acquire(1)).await;
        Swap::prepare(&held, &renew(1)).unwrap()
    });
    let locker = stage.session();
    block_on(locker.batch_execute("BEGIN; SELECT 1 FROM epoch_fence.lease FOR UPDATE")).unwrap();
    let sent = stage::runtime().spawn(async move { store.swap(&resource, &renewal).await });
    stage.wait_for_waiters(1);
    stage.set_clock(LEASE);
    block_on(locker.batch_execute("ROLLBACK")).unwrap();
    let sent = block_on(sent).unwrap();
    assert!(matches!(sent, Ok(Swapped::Conflict)), "{sent:?}");
    let view = stage.blocking().load(&resource).unwrap();
    assert_eq!(view.standing(), Standing::Lapsed { grant: grant(1) });
}

#[test]
fn the_last_epoch_and_the_last_version_are_the_last() {
    let Some(stage) = Stage::own("exhaustion") else { return };
    let store = stage.blocking();
    let put = |column: &str, number: u64| {
        stage.execute(&format!("UPDATE epoch_fence.lease SET {column} = {number}"));
        store.load(&resource("r")).unwrap()
    };
    block_on(land(store.engine(), &resource("r"), acquire(1)));
    block_on(land(store.engine(), &resource("r"), release(1)));

    let last = Epoch::MAX_ISSUED.get();
    put("epoch", last - 1);
    let view = block_on(land(store.engine(), &resource("r"), acquire(2)));
    assert_eq!(view.record().epoch(), Some(Epoch::MAX_ISSUED));
    let view = block_on(land(store.engine(), &resource("r"), release(2)));
    let refused = Swap::prepare(&view, &acquire(3));
    assert_eq!(refused, Err(Refusal::Exhausted(Exhausted::Epoch)));
    // The whole namespace cannot go on far above it either, and nothing changes.
    let refused = block_on(store.engine().recover(stage::realm(9), None));
    assert!(matches!(refused, Err(PostgresError::Exhausted(Exhausted::Epoch))), "{refused:?}");

    put("epoch", 7);
    let view = put("version", u64::MAX >> 1);
    assert_eq!(view.record().realm(), stage::realm(1));
    let swap = Swap::prepare(&view, &acquire(4)).unwrap();
    let refused = store.swap(&resource("r"), &swap);
    let exhausted = matches!(refused, Err(Failure::Definite(PostgresError::Exhausted(Exhausted::Version))));
    assert!(exhausted, "{refused:?}");

    put("version", 7);
    stage.execute("SELECT setval('epoch_fence.version', 9223372036854775807)");
    let view = store.load(&resource("r")).unwrap();
    let refused = store.swap(&resource("r"), &Swap::prepare(&view, &acquire(5)).unwrap());
    let exhausted = matches!(refused, Err(Failure::Definite(PostgresError::Exhausted(Exhausted::Version))));
    assert!(exhausted, "{refused:?}");
    assert_eq!(store.load(&resource("r")).unwrap().record().version(), Version::new(7));
    let refused = block_on(store.engine().recover(stage::realm(9), None));
    assert!(matches!(refused, Err(PostgresError::Exhausted(Exhausted::Version))), "{refused:?}");
}

//! The server's clock is set back and forth.

use epoch_fence::engine::{Engine as _, Swapped};
use epoch_fence::protocol::{Standing, Swap};

use crate::stage::{LEASE, Stage, acquire, block_on, grant, land, renew, resource};

#[test]
fn a_clock_that_is_set_back_makes_no_lease_longer_than_it_was_granted() {
    let Some(stage) = Stage::own("clock_back") else { return };
    let store = stage.store();
    stage.set_clock(LEASE);
    let held = block_on(land(&store, &resource("r"), acquire(1)));
    let granted = held.remaining(grant(1)).unwrap();
    stage.set_clock(0);
    let other = stage.blocking().load(&resource("r")).unwrap();
    assert_eq!(other.remaining(grant(1)), Some(granted));
    assert!(held.now().until(other.now()).is_none(), "time stands still");
    // And a renewal moves the end away, and not nearer.
    let renewed = block_on(land(&store, &resource("r"), renew(1)));
    assert_eq!(renewed.remaining(grant(1)), Some(granted));
    stage.set_clock(2 * LEASE);
    let over = stage.blocking().load(&resource("r")).unwrap();
    assert_eq!(over.standing(), Standing::Lapsed { grant: grant(1) });
}

#[test]
fn what_ended_before_the_clock_was_set_back_and_was_taken_over_does_not_come_back() {
    let Some(stage) = Stage::own("clock_over") else { return };
    let store = stage.blocking();
    stage.set_clock(0);
    let first = block_on(land(store.engine(), &resource("r"), acquire(1)));
    let renewal = Swap::prepare(&first, &renew(1)).unwrap();
    stage.set_clock(LEASE);
    let second = block_on(land(store.engine(), &resource("r"), acquire(2)));
    stage.set_clock(0);
    assert_eq!(store.swap(&resource("r"), &renewal).unwrap(), Swapped::Conflict);
    let view = store.load(&resource("r")).unwrap();
    assert!(view.remaining(grant(2)).is_some() && view.record().epoch() == second.record().epoch());
}

#[test]
fn a_clock_that_is_set_ahead_ends_leases_and_grants_no_epoch_twice() {
    let Some(stage) = Stage::own("clock_ahead") else { return };
    let store = stage.store();
    stage.set_clock(0);
    let first = block_on(land(&store, &resource("r"), acquire(1)));
    stage.set_clock(24 * LEASE);
    let second = block_on(land(&store, &resource("r"), acquire(2)));
    assert!(second.record().epoch() > first.record().epoch());
    let lost = Swap::prepare(&second, &renew(1));
    lost.unwrap_err();
}

#[test]
fn a_clock_before_1970_or_without_an_end_is_refused() {
    let Some(stage) = Stage::own("clock_outside") else { return };
    let store = stage.blocking();
    stage.set_clock(0);
    for outside in ["infinity", "-infinity", "1969-12-31 23:59:59+00", "3000-01-01 00:00:00+00"] {
        stage.execute(&format!("UPDATE public.hands SET at = '{outside}'"));
        let refused = store.load(&resource("r")).unwrap_err();
        assert!(refused.to_string().contains("clock"), "{outside}: {refused}");
    }
}

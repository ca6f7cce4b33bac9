//! Layers over a clock that survives a restart.

use high_water::MemoryMark;
use hlc::{AtomicDurableClock, ObserveError, TickError, source::ManualSource};
use hlc_tower::{ClockError, Refused, ServerLayer};
use http::{Request, StatusCode};
use tower::Layer as _;

use crate::calls::{NOW_MILLIS, ahead, call, node, stamp, stamped, telling};

#[test]
fn after_a_restart_a_servers_stamps_go_on_although_the_wall_clock_was_set_back() {
    let wall = ManualSource::at_millis(NOW_MILLIS);
    let clock = AtomicDurableClock::new(&wall, MemoryMark::new(0));
    clock.upkeep().unwrap();
    let response = call(&mut ServerLayer::new(&clock, node(1)).layer(telling()), stamped(ahead(10))).unwrap();
    let before = stamp(response.headers());

    wall.set_millis(NOW_MILLIS - 3_600_000);
    let clock = AtomicDurableClock::new(&wall, clock.into_mark().restart());
    clock.upkeep().unwrap();
    let response = call(&mut ServerLayer::new(&clock, node(1)).layer(telling()), Request::new(())).unwrap();
    assert!(stamp(response.headers()) > before);
}

#[test]
fn at_its_bound_a_durable_clock_is_at_fault_and_not_the_sender() {
    let clock = AtomicDurableClock::new(ManualSource::at_millis(NOW_MILLIS), MemoryMark::new(0));
    let layer = ServerLayer::new(&clock, node(1));
    let mut service = layer.layer(telling());
    let response = call(&mut service, Request::new(())).unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE, "nothing is durable yet");
    let refused = response.extensions().get::<Refused>();
    assert!(matches!(refused, Some(Refused::Clock(ClockError::Tick(TickError::Bound(_))))), "{refused:?}");

    clock.upkeep().unwrap();
    let response = call(&mut service, stamped(ahead(450))).unwrap(); // within the limit, above the bound
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    let refused = response.extensions().get::<Refused>();
    assert!(
        matches!(refused, Some(Refused::Clock(ClockError::Observe(ObserveError::Bound(_))))),
        "{refused:?}"
    );
    clock.upkeep().unwrap();
    assert_eq!(
        call(&mut service, stamped(ahead(450))).unwrap().status(),
        StatusCode::OK,
        "the bound went up to it"
    );
    assert_eq!((layer.snapshot().too_far_ahead(), layer.snapshot().clock_failures()), (0, 2));
}

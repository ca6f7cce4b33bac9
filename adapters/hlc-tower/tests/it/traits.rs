//! What the types can do without being called.

use alloc::sync::Arc;
use core::{error::Error, fmt::Debug};

use hlc::{AtomicClock, source::SystemSource};
use hlc_tower::{
    Client, ClientError, ClientLayer, ClockError, EmptyBody, Received, Refused, Server, ServerFuture,
    ServerLayer, SharedClock, Snapshot, Unstamped,
    header::{HeaderError, HeadersFull, NonAscii, Oversized},
};

type Shared = &'static AtomicClock<SystemSource>;

const fn layered<T: Clone + Debug + Send + Sync + Unpin + 'static>() {}
const fn error<T: Error + Copy + Eq + Send + Sync + 'static>() {}
const fn sent<T: Send>() {}

/// What axum and tonic ask of a layer and its service, and `http` of an extension.
const _: () = {
    layered::<ServerLayer<Shared>>();
    layered::<ServerLayer<Arc<AtomicClock<SystemSource>>>>();
    layered::<Server<(), Shared>>();
    layered::<ClientLayer<Shared>>();
    layered::<Client<(), Shared>>();
    layered::<Received>();
    layered::<Refused>();
    layered::<Snapshot>();
    layered::<EmptyBody>();
    sent::<ServerFuture<core::future::Pending<()>, (), Shared>>();

    error::<HeaderError>();
    error::<HeadersFull>();
    error::<NonAscii>();
    error::<Oversized>();
    error::<Refused>();
    error::<ClockError>();
    error::<Unstamped>();
    error::<ClientError<Refused>>();
};

#[test]
fn each_cause_becomes_the_error_that_has_a_place_for_it() {
    let clock = crate::clock::clock();
    clock.source().set_broken(true);
    let tick = clock.tick().unwrap_err();
    let observe = clock.observe(crate::calls::ahead(0).timestamp()).unwrap_err();
    assert_eq!(ClockError::from(tick), ClockError::Tick(tick));
    assert_eq!(ClockError::from(observe), ClockError::Observe(observe));
    assert_eq!(Unstamped::from(tick), Unstamped::Tick(tick));
}

#[test]
fn any_shared_clock_will_do_also_one_that_is_chosen_at_run_time() {
    let clock: Arc<dyn SharedClock + Send + Sync> = Arc::new(AtomicClock::new(SystemSource::new()));
    let layer = ServerLayer::new(Arc::clone(&clock), crate::calls::node(1));
    let response =
        crate::calls::call(&mut tower::Layer::layer(&layer, crate::calls::telling()), http::Request::new(()));
    let stamp = crate::calls::stamp(response.unwrap().headers());
    assert!(clock.observe(stamp.timestamp()).unwrap() > stamp.timestamp());
}

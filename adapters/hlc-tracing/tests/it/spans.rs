//! Stamps on spans.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicU64, Ordering};

use hlc::{
    AtomicClock, NodeId, PhysicalTime, SourceError,
    layout::Micros52,
    source::{self, ManualSource},
};
use hlc_tracing::{SpanStamp, StampLayer, StampTimer};
use tracing::{Dispatch, Span, dispatcher::with_default, info, info_span};
use tracing_subscriber::{layer::SubscriberExt, registry::Registry};

use crate::log::Log;

type Clock = AtomicClock<ManualSource>;

fn clock() -> Arc<Clock> {
    Arc::new(Clock::new(ManualSource::at_millis(1_000)))
}

fn node() -> NodeId {
    NodeId::new(7).unwrap()
}

#[test]
fn a_span_has_the_stamp_of_its_making_whenever_it_is_looked_up() {
    let clock = clock();
    let dispatch = Dispatch::new(Registry::default().with(StampLayer::new(Arc::clone(&clock), node())));
    with_default(&dispatch, || {
        let outer = info_span!("outer");
        let made = clock.last().unwrap();
        clock.tick().unwrap();
        assert_eq!(SpanStamp::current(), None::<SpanStamp>, "outside of all spans");
        outer.in_scope(|| {
            assert_eq!(SpanStamp::current().map(|span: SpanStamp| span.stamp()), Some(made.at_node(node())));
            let before = clock.last().unwrap();
            let inner = info_span!("inner").entered();
            let of_inner: SpanStamp = SpanStamp::current().unwrap();
            assert!(
                of_inner.stamp().timestamp() > before,
                "each span has its own, above all that was before it"
            );
            drop(inner);
            let again: Option<SpanStamp> = SpanStamp::current();
            assert_eq!(again.map(|span| span.stamp().timestamp()), Some(made));
        });
        let by_handle: Option<SpanStamp> =
            outer.with_subscriber(|(id, dispatch)| SpanStamp::of(id, dispatch)).flatten();
        assert_eq!(by_handle.map(|span| span.stamp().timestamp()), Some(made), "also when nobody is in it");
    });
}

#[test]
fn a_span_without_a_stamp_has_none_and_not_that_of_another() {
    // Of this clock the first span gets a stamp, and the one in it none.
    let readings = AtomicU64::new(0);
    let once = AtomicClock::new(source::from_fn(move || match readings.fetch_add(1, Ordering::Relaxed) {
        0 => Ok(PhysicalTime::from_millis(1_000)),
        _ => Err(SourceError::Unavailable("the battery is empty")),
    }));
    let with_layer = Dispatch::new(Registry::default().with(StampLayer::new(once, node())));
    with_default(&with_layer, || {
        let _outer = info_span!("outer").entered();
        assert_ne!(SpanStamp::current(), None::<SpanStamp>);
        let _inner = info_span!("inner").entered();
        assert_eq!(SpanStamp::current(), None::<SpanStamp>);
    });
    for dispatch in [Dispatch::new(Registry::default()), Dispatch::none()] {
        with_default(&dispatch, || {
            let _span = info_span!("span").entered();
            assert_eq!(SpanStamp::current(), None::<SpanStamp>, "no layer");
        });
    }
    let of_none: Option<SpanStamp> =
        Span::none().with_subscriber(|(id, dispatch)| SpanStamp::of(id, dispatch)).flatten();
    assert_eq!(of_none, None);
}

#[test]
fn a_stamp_of_another_layout_is_found_under_its_own_type() {
    let clock = Arc::new(AtomicClock::<_, Micros52>::with_layout(ManualSource::at_millis(1_000)));
    let dispatch = Dispatch::new(Registry::default().with(StampLayer::new(Arc::clone(&clock), node())));
    with_default(&dispatch, || {
        let _span = info_span!("span").entered();
        let found: Option<SpanStamp<Micros52>> = SpanStamp::current();
        assert_eq!(found.map(|span| span.stamp().timestamp()), clock.last());
        assert_eq!(SpanStamp::current(), None::<SpanStamp>, "not as one of the default layout");
    });
}

#[test]
fn a_stamp_can_be_a_field_that_every_line_of_the_span_shows() {
    let (log, clock) = (Log::default(), clock());
    let timer: &'static _ = Box::leak(Box::new(StampTimer::new(clock, node())));
    with_default(&Dispatch::new(log.subscriber(timer)), || {
        let _order = info_span!("order", stamp = %timer.prefix()).entered();
        info!("accepted");
    });
    assert_eq!(
        log.lines(),
        ["0000000003e80001-0000000000000007  INFO order{stamp=0000000003e80000-0000000000000007}: accepted"]
    );
}

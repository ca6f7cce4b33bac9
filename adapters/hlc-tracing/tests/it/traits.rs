//! What types are: sent, shared, kept in a `static`.

use hlc::{AtomicClock, NodeId, source::SystemSource};
use hlc_tracing::{NoStamp, Prefix, SpanStamp, StampLayer, StampTimer};

static CLOCK: AtomicClock<SystemSource> = AtomicClock::new(SystemSource::new());
static TIMER: StampTimer<&AtomicClock<SystemSource>> = StampTimer::new(&CLOCK, NodeId::MIN).with_human_time();

#[test]
fn timers_and_layers_can_be_shared_and_kept_in_a_static() {
    const fn shared<T: Send + Sync + Unpin + 'static>(_: &T) {}
    shared(&&TIMER);
    let layer = StampLayer::new(&CLOCK, NodeId::MIN);
    shared(&layer);
    assert_eq!(format!("{layer:?}"), format!("StampLayer {{ node: {:?}, .. }}", NodeId::MIN));
    shared(&TIMER.prefix());
    assert!(format!("{TIMER:?}").contains("unstamped: 0"), "{TIMER:?}");
}

#[test]
fn what_is_told_is_plain_data() {
    const fn plain<T: Copy + Eq + core::fmt::Debug>() {}
    plain::<NoStamp>();
    plain::<Prefix>();
    plain::<SpanStamp>();
}

#[test]
fn why_a_line_has_no_stamp_is_an_error_that_a_program_can_pass_on() {
    let why: Box<dyn core::error::Error + Send + Sync> = NoStamp::Bound.into();
    assert_eq!(why.to_string(), NoStamp::Bound.as_str());
}

//! Lines whose clock gives no stamp.

use alloc::sync::Arc;
use core::{
    panic::AssertUnwindSafe,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use std::panic::catch_unwind;

use hlc::{
    AtomicClock, LeadPolicy, NodeId, PhysicalTime, Source, SourceError, Timestamp,
    source::{ManualSource, from_fn},
};
use hlc_tracing::{NoStamp, StampTimer};
use tracing::{Dispatch, dispatcher::with_default, info, warn};

use crate::log::Log;

const NODE: NodeId = NodeId::MIN;

/// A physical clock that can be taken away.
#[derive(Default)]
struct Battery {
    is_empty: AtomicBool,
}

impl Source for Battery {
    fn now(&self) -> Result<PhysicalTime, SourceError> {
        if self.is_empty.load(Ordering::Relaxed) {
            return Err(SourceError::Unavailable("the battery is empty"));
        }
        Ok(PhysicalTime::from_millis(1_000))
    }
}

/// What stands before the level, of each line.
fn prefixes(log: &Log) -> Vec<String> {
    log.lines().iter().map(|line| line.split(' ').next().unwrap().to_owned()).collect()
}

#[test]
fn a_clock_without_time_shows_in_each_line_and_the_last_stamp_is_repeated_in_none() {
    let (log, clock) = (Log::default(), Arc::new(AtomicClock::new(Battery::default())));
    let timer: &'static _ = Box::leak(Box::new(StampTimer::new(Arc::clone(&clock), NODE)));
    with_default(&Dispatch::new(log.subscriber(timer)), || {
        info!("one");
        clock.source().is_empty.store(true, Ordering::Relaxed);
        info!("two");
        warn!("three");
        // Learnt by other means while there is no time: later lines come after it.
        clock.merge_committed(Timestamp::from_parts(2_000, 0).unwrap()).unwrap();
        info!("four");
        clock.source().is_empty.store(false, Ordering::Relaxed);
        info!("five");
    });
    assert_eq!(
        prefixes(&log),
        [
            "0000000003e80000-0000000000000000",
            "0000000003e80000-0000000000000000!0000000000000001:source",
            "0000000003e80000-0000000000000000!0000000000000002:source",
            "0000000007d00000-0000000000000000!0000000000000003:source",
            "0000000007d00001-0000000000000000",
        ]
    );
    assert!(log.lines().is_sorted(), "in the order in which they were written: {:#?}", log.lines());
    assert_eq!(timer.unstamped(), 3);
}

#[test]
fn before_the_first_stamp_the_place_is_before_every_stamp() {
    let (log, clock) = (Log::default(), Arc::new(AtomicClock::new(Battery::default())));
    clock.source().is_empty.store(true, Ordering::Relaxed);
    with_default(&Dispatch::new(log.subscriber(StampTimer::new(clock, NodeId::MAX))), || info!("one"));
    assert_eq!(prefixes(&log), ["0000000000000000-03ffffffffffffff!0000000000000001:source"]);
    assert!(log.lines()[0] < Timestamp::MIN.to_string());
}

#[test]
fn each_reason_is_named() {
    let last = |stamp: Timestamp| AtomicClock::new(ManualSource::at_millis(1_000)).resume_after(stamp);
    let exhausted = last(Timestamp::MAX);
    let ahead = last(Timestamp::from_parts(9_000, 0).unwrap())
        .with_lead_policy(LeadPolicy::AtMost(Duration::from_secs(1)));
    let log = Log::default();
    for clock in [exhausted, ahead] {
        with_default(&Dispatch::new(log.subscriber(StampTimer::new(Arc::new(clock), NODE))), || {
            info!("line")
        });
    }
    assert_eq!(
        prefixes(&log),
        [
            "ffffffffffffffff-0000000000000000!0000000000000001:exhausted",
            "0000000023280000-0000000000000000!0000000000000001:lead",
        ]
    );
}

#[test]
fn the_line_is_there_in_json_too() {
    let log = Log::default();
    let clock = Arc::new(AtomicClock::new(from_fn(|| Err(SourceError::Unavailable("none")))));
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_timer(StampTimer::new(clock, NODE))
        .with_writer(log.clone())
        .finish();
    with_default(&Dispatch::new(subscriber), || info!("line"));
    let value: serde_json::Value = serde_json::from_str(&log.lines()[0]).unwrap();
    assert_eq!(value["timestamp"], "0000000000000000-0000000000000000!0000000000000001:source");
    assert_eq!(value["fields"]["message"], "line");
}

#[test]
fn a_clock_that_panics_is_asked_again() {
    let (log, is_broken) = (Log::default(), Arc::new(AtomicBool::new(true)));
    let broken = Arc::clone(&is_broken);
    let source = from_fn(move || {
        assert!(!broken.load(Ordering::Relaxed), "a source of the user's own");
        Ok(PhysicalTime::from_millis(1_000))
    });
    let timer = StampTimer::new(AtomicClock::new(source), NODE);
    assert!(catch_unwind(AssertUnwindSafe(|| timer.prefix())).is_err());
    is_broken.store(false, Ordering::Relaxed);
    assert!(timer.prefix().stamp().is_ok(), "and is not taken for one that is being read");
    drop(log);
}

#[test]
fn a_prefix_tells_its_stamp_or_the_reason() {
    let clock = AtomicClock::new(Battery::default());
    let timer = StampTimer::new(&clock, NODE);
    let first = timer.prefix();
    assert_eq!(first.stamp().map(|stamp| stamp.timestamp()), Ok(clock.last().unwrap()));
    clock.source().is_empty.store(true, Ordering::Relaxed);
    assert_eq!(timer.prefix().stamp(), Err(NoStamp::Source));
    for why in
        [NoStamp::Source, NoStamp::Lead, NoStamp::Exhausted, NoStamp::Bound, NoStamp::Nested, NoStamp::Other]
    {
        let rows = include_str!("../../FORMAT.md");
        assert!(rows.contains(&format!("\n| `{why}` | ")), "FORMAT.md has a row for {why}");
    }
}

/// Somebody else has switched on what `hlc` can do, and this crate was not told.
#[cfg(not(feature = "durable"))]
#[test]
fn a_reason_that_is_unknown_here_is_another_one() {
    use hlc::{AtomicDurableClock, Packed, TickError};

    struct Durable(AtomicDurableClock<ManualSource, high_water::MemoryMark>);

    impl hlc_tracing::SharedClock for Durable {
        type Layout = hlc::layout::Unix48;

        fn tick(&self) -> Result<Packed, TickError> {
            self.0.tick()
        }

        fn last(&self) -> Option<Packed> {
            self.0.last()
        }
    }

    let mark = high_water::MemoryMark::new(0);
    let clock = Durable(AtomicDurableClock::new(ManualSource::at_millis(1_000), mark));
    assert_eq!(StampTimer::new(clock, NODE).prefix().stamp(), Err(NoStamp::Other));
}

#[cfg(feature = "durable")]
#[test]
fn a_durable_clock_at_its_bound_is_named_and_after_a_restart_its_lines_go_on() {
    use high_water::MemoryMark;
    use hlc::AtomicDurableClock;

    let log = Log::default();
    let wall = Arc::new(ManualSource::at_millis(1_000_000));
    let clock = Arc::new(AtomicDurableClock::new(Arc::clone(&wall), MemoryMark::new(0)));
    with_default(&Dispatch::new(log.subscriber(StampTimer::new(Arc::clone(&clock), NODE))), || {
        info!("before the first bound");
        clock.upkeep().unwrap();
        info!("below it");
        wall.set_millis(2_000_000_000); // nobody calls `upkeep` for weeks
        info!("at the bound");
    });
    let before = log.lines();
    assert!(before[0].contains(":bound "), "{before:#?}");
    assert!(before[1][..33].parse::<hlc::Stamp>().is_ok(), "{before:#?}");
    assert_eq!(before[2][..33], before[1][..33], "its place is behind the last line with a stamp");
    assert!(before[2][33..].starts_with("!0000000000000002:bound "), "{before:#?}");

    let mark = Arc::into_inner(clock).unwrap().into_mark();
    wall.set_millis(1); // the machine comes up in 1970
    let clock = Arc::new(AtomicDurableClock::new(wall, mark));
    clock.upkeep().unwrap();
    with_default(&Dispatch::new(log.subscriber(StampTimer::new(clock, NODE))), || info!("after a restart"));
    let lines = log.lines();
    assert!(lines.is_sorted(), "{lines:#?}");
    assert!(lines[3][..33].parse::<hlc::Stamp>().is_ok(), "{lines:#?}");
}

//! Limits at their edges, in every layout.

use core::{num::NonZeroU32, time::Duration};

use hlc::{
    AtomicClock, Clock, LeadPolicy, ObserveError, Packed, PhysicalTime, SkewPolicy, TickError, Timestamp,
    layout::{Layout, Micros52, Millis42Y2022, Millis46, Ntp48, Ntp60, Secs32, Unix48},
    source::ManualSource,
};

/// A moment that is a whole number of units in every layout, so that stamps lie exactly on it.
const NOON: PhysicalTime = PhysicalTime::from_secs(1_800_000_000);
const HALF: Duration = Duration::from_millis(500);
const NANO: Duration = Duration::from_nanos(1);

macro_rules! in_every_layout {
    ($check:ident) => {
        $check::<Unix48>();
        $check::<Micros52>();
        $check::<Ntp48>();
        $check::<Ntp60>();
        $check::<Millis46>();
        $check::<Millis42Y2022>();
        $check::<Secs32>();
    };
}

/// A remote stamp on `NOON`, seen by a clock whose physical time is `behind` it.
fn seen<L: Layout>(counter: u32, behind: Duration) -> Result<Packed<L>, ObserveError> {
    let noon = Packed::<L>::first_at(NOON).unwrap();
    assert_eq!(noon.physical_time(), NOON, "a whole number of units");
    let remote = Packed::from_parts(noon.physical_units(), counter).unwrap();
    let source = ManualSource::at(NOON.checked_sub(behind).unwrap());

    let shared = AtomicClock::<_, L>::with_layout(&source);
    let mut owned = Clock::<_, L>::with_layout(&source);
    let before = owned.tick().unwrap();
    assert_eq!(shared.tick(), Ok(before));
    let result = owned.observe(remote);
    assert_eq!(shared.observe(remote), result, "both clocks follow one rule");
    if result.is_err() {
        assert_eq!(owned.last(), Some(before), "a refusal leaves the clock as it was");
        assert_eq!(shared.last(), Some(before));
        assert_eq!(owned.merge(remote), result.map(drop), "a merge is refused alike");
        assert_eq!(owned.snapshot().skew_refusals(), 2);
        assert_eq!(shared.snapshot().skew_refusals(), 1);
        assert_eq!(owned.snapshot().exhausted_refusals(), 0);
    }
    result
}

fn the_limit_is_inclusive_and_exact_to_the_nanosecond<L: Layout>() {
    assert!(seen::<L>(0, HALF - Duration::from_millis(1)).unwrap().physical_time() >= NOON, "+499 ms");
    assert!(seen::<L>(0, HALF).unwrap().physical_time() == NOON, "exactly +500 ms");
    let error = seen::<L>(0, HALF + NANO).unwrap_err();
    let ObserveError::Skew(skew) = error else { panic!("{error:?}") };
    assert_eq!((skew.ahead(), skew.limit()), (HALF + NANO, HALF), "{}", L::NAME);
}

/// At the very limit, the last counter of the unit would carry past it in the receipt.
fn the_counters_headroom_belongs_to_the_stamp<L: Layout>() {
    let full = Packed::<L>::MAX_COUNTER;
    let received = seen::<L>(full - 1, HALF).unwrap();
    assert_eq!((received.physical_time(), received.counter()), (NOON, full));
    assert!(matches!(seen::<L>(full, HALF), Err(ObserveError::Skew(_))), "{}", L::NAME);
}

#[test]
fn the_defaults_refuse_what_is_half_a_second_ahead_and_report_the_clocks_own_lead() {
    assert_eq!(
        (SkewPolicy::default(), LeadPolicy::default()),
        (SkewPolicy::AtMost(HALF), LeadPolicy::Report)
    );
}

#[test]
fn half_a_second_ahead_is_accepted_and_a_nanosecond_more_is_not() {
    in_every_layout!(the_limit_is_inclusive_and_exact_to_the_nanosecond);
}

#[test]
fn a_full_counter_at_the_limit_is_refused_because_its_receipt_would_pass_the_limit() {
    in_every_layout!(the_counters_headroom_belongs_to_the_stamp);
}

#[test]
fn a_stamp_at_or_below_the_last_is_never_refused() {
    let source = ManualSource::at_millis(10_000);
    let mut clock = Clock::new(&source);
    let ahead = Timestamp::from_parts(10_500, 3).unwrap();
    clock.merge(ahead).unwrap();
    source.set_millis(2_000);
    assert!(clock.observe(ahead).unwrap() > ahead, "8.5 s ahead of physical time, but not of the clock");
    assert_eq!(clock.merge(ahead), Ok(()));
    assert!(clock.observe(Timestamp::from_parts(20_000, 0).unwrap()).is_err());
}

#[test]
fn unbounded_accepts_everything_that_leaves_a_stamp_to_issue() {
    let source = ManualSource::at_millis(5);
    let clock = AtomicClock::new(&source).with_skew_policy(SkewPolicy::Unbounded);
    assert!(matches!(clock.observe(Timestamp::MAX), Err(ObserveError::Exhausted(_))));
    assert!(matches!(clock.merge(Timestamp::MAX), Err(ObserveError::Exhausted(_))));
    assert!(clock.merge_committed(Timestamp::MAX).is_err());
    assert_eq!(clock.last(), None);
    assert_eq!(clock.snapshot().exhausted_refusals(), 3);

    let before_last = Timestamp::MAX.checked_prev().unwrap();
    assert_eq!(clock.observe(before_last), Ok(Timestamp::MAX));
    assert!(matches!(clock.tick(), Err(TickError::Exhausted(_))));
    assert!(matches!(clock.observe(Timestamp::MIN), Err(ObserveError::Exhausted(_))));
    assert!(matches!(clock.reserve(NonZeroU32::MIN), Err(TickError::Exhausted(_))));
    assert_eq!(clock.merge(Timestamp::MAX), Ok(()), "not above the last, so nothing to refuse");
    assert_eq!(clock.last(), Some(Timestamp::MAX));
}

#[test]
fn a_limit_past_the_end_of_time_is_no_overflow() {
    for limit in [Duration::MAX, Duration::from_secs(1 << 60)] {
        let mut clock = Clock::new(ManualSource::at_millis(5))
            .with_skew_policy(SkewPolicy::AtMost(limit))
            .with_lead_policy(LeadPolicy::AtMost(limit));
        assert!(clock.observe(Timestamp::MAX.checked_prev().unwrap()).is_ok());
        assert!(matches!(clock.tick(), Err(TickError::Exhausted(_))));
    }
}

#[test]
fn a_physical_clock_past_the_layouts_end_is_exhaustion() {
    let end = Packed::<Ntp48>::MAX.physical_time();
    let source = ManualSource::at(end.checked_add(Duration::from_secs(1)).unwrap());
    let mut clock = Clock::<_, Ntp48>::with_layout(&source);
    assert!(matches!(clock.tick(), Err(TickError::Exhausted(_))));
    assert!(matches!(clock.observe(Packed::MIN), Err(ObserveError::Exhausted(_))));
    assert_eq!((clock.last(), clock.snapshot().exhausted_refusals()), (None, 2));
}

#[test]
fn after_a_step_back_stamps_rise_and_the_lead_shows() {
    let hour = Duration::from_secs(3_600);
    let source = ManualSource::at(NOON);
    let mut clock = Clock::new(&source);
    let before = clock.tick().unwrap();
    assert_eq!(clock.snapshot().max_lead(), Duration::ZERO);
    source.set(NOON.checked_sub(hour).unwrap());
    let after = clock.tick().unwrap();
    assert!(after > before);
    assert_eq!(clock.snapshot().lead(), Some(hour));
    assert_eq!(clock.snapshot().max_lead(), hour);
    source.advance(hour + hour);
    clock.tick().unwrap();
    assert_eq!(clock.snapshot().lead(), Some(Duration::ZERO), "physical time has caught up");
    assert_eq!(clock.snapshot().max_lead(), hour, "and the greatest lead stays on record");
}

#[test]
fn a_clock_that_fails_closed_refuses_to_run_ahead_of_physical_time() {
    let source = ManualSource::at_millis(10_000);
    let shared = AtomicClock::new(&source).with_lead_policy(LeadPolicy::AtMost(HALF));
    let before = shared.tick().unwrap();
    source.set_millis(9_500);
    assert!(shared.tick().is_ok(), "a lead of exactly the limit");
    source.set(PhysicalTime::from_millis(9_500).checked_sub(NANO).unwrap());
    let TickError::Lead(error) = shared.tick().unwrap_err() else { panic!("not for its lead") };
    assert_eq!((error.lead(), error.limit()), (HALF + NANO, HALF));
    let ObserveError::Lead(_) = shared.observe(before).unwrap_err() else { panic!("not for its lead") };
    assert_eq!(shared.last(), before.checked_next(), "a refusal leaves the clock as it was");
    assert_eq!(shared.snapshot().lead_refusals(), 2);
    source.set_millis(9_501);
    assert!(shared.tick().is_ok());
}

#[test]
fn a_block_may_not_reach_further_ahead_than_peers_accept() {
    let source = ManualSource::at_millis(10_000);
    let mut clock = Clock::new(&source);
    // From (10 000, 0), 501 units of 65,536 stamps each: the last is at 500 ms, counter full.
    let greatest = NonZeroU32::new(501 << 16).unwrap();
    let TickError::Lead(error) = clock.reserve(greatest.saturating_add(1)).unwrap_err() else {
        panic!("not for its lead")
    };
    assert_eq!((error.lead(), error.limit()), (Duration::from_millis(501), HALF));
    assert_eq!(clock.last(), None);
    let block = clock.reserve(greatest).unwrap();
    assert_eq!(block.len(), 501 << 16);
    assert_eq!(Iterator::last(block), clock.last());
    assert_eq!(clock.snapshot().max_lead(), HALF);
    assert!(clock.tick().is_ok(), "a single stamp is only reported");
}

/// After a step back the lead is there already: single stamps go on and are reported, a block is refused
/// because peers would refuse it.
#[test]
fn after_a_step_back_ticks_go_on_and_blocks_wait() {
    let source = ManualSource::at(NOON);
    let mut clock = Clock::new(&source);
    clock.tick().unwrap();
    source.set(NOON.checked_sub(Duration::from_secs(3_600)).unwrap());
    let last = clock.tick().unwrap();
    let refused = clock.reserve(NonZeroU32::MIN);
    assert!(matches!(refused, Err(TickError::Lead(error)) if error.limit() == HALF), "{refused:?}");
    assert_eq!(clock.last(), Some(last));
    source.set(NOON.checked_sub(HALF).unwrap());
    assert!(clock.reserve(NonZeroU32::MIN).is_ok());
}

#[test]
fn no_merge_brings_a_clock_that_fails_closed_where_it_may_not_tick() {
    let tenth = Duration::from_millis(100);
    for skew in [SkewPolicy::DEFAULT, SkewPolicy::Unbounded] {
        let clock = AtomicClock::new(ManualSource::at_millis(10_000))
            .with_skew_policy(skew)
            .with_lead_policy(LeadPolicy::AtMost(tenth));
        let stamp = |millis| Timestamp::from_parts(millis, 0).unwrap();
        let Err(ObserveError::Skew(error)) = clock.merge(stamp(10_101)) else { panic!("accepted") };
        assert_eq!((error.ahead(), error.limit()), (Duration::from_millis(101), tenth));
        // At the very limit of the skew as well: it is the other one that was passed.
        let Err(ObserveError::Skew(error)) = clock.merge(stamp(10_500)) else { panic!("accepted") };
        assert_eq!((error.ahead(), error.limit()), (HALF, tenth));
        assert!(matches!(clock.observe(stamp(10_101)), Err(ObserveError::Lead(_))));
        assert_eq!(clock.last(), None);
        clock.merge(stamp(10_100)).unwrap();
        assert!(clock.tick().is_ok(), "at the very limit there is room for one more");
    }
}

#[test]
fn of_the_two_limits_on_a_block_the_stricter_holds() {
    let millis = Duration::from_millis;
    for (skew, lead) in [(100, 300), (300, 100)] {
        let clock = AtomicClock::new(ManualSource::at_millis(10_000))
            .with_skew_policy(SkewPolicy::AtMost(millis(skew)))
            .with_lead_policy(LeadPolicy::AtMost(millis(lead)));
        let Err(TickError::Lead(error)) = clock.reserve(NonZeroU32::new(200 << 16).unwrap()) else {
            panic!("200 ms are too far for one of {skew} and {lead}")
        };
        assert_eq!((error.lead(), error.limit()), (millis(199), millis(100)));
        assert!(clock.reserve(NonZeroU32::new(101 << 16).unwrap()).is_ok());
    }
}

/// In a layout that rounds up, an idle clock's stamps are a part of a unit above physical time.
#[test]
fn rounding_up_is_no_lead() {
    let between = PhysicalTime::new(1_800_000_000, 7).unwrap();
    let mut clock = Clock::<_, Ntp48>::with_layout(ManualSource::at(between))
        .with_lead_policy(LeadPolicy::AtMost(Duration::ZERO));
    let stamp = clock.tick().unwrap();
    assert!(stamp.physical_time() > between);
    assert!(clock.tick().is_ok() && clock.snapshot().max_lead() == Duration::ZERO);
    // Up to the last stamp of the unit, and not one further.
    let rest = NonZeroU32::new(Packed::<Ntp48>::MAX_COUNTER - 1).unwrap();
    assert_eq!(Iterator::last(clock.reserve(rest).unwrap()), Packed::last_at(between));
    assert_eq!(clock.snapshot().max_lead(), Duration::ZERO);
    assert!(matches!(clock.tick(), Err(TickError::Lead(_))));
}

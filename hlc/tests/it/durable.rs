//! Clocks that survive a restart: what is issued, what is refused, and what the next life begins above.

mod crash;
mod kill;
mod model;
mod twice;

use alloc::sync::Arc;
use core::{num::NonZeroU32, time::Duration};

use high_water::{Mark, MemoryMark, NotRaised, Outcome, RaiseError};
use hlc::{
    AtomicDurableClock, Clock, DurableClock, Keeper, LeadPolicy, ObserveError, Packed, PhysicalTime, Resume,
    SkewPolicy, TickError, Timestamp, UpkeepError, Window,
    layout::{Layout, Micros52, Millis42Y2022, Millis46, Ntp48, Ntp60, Secs32},
    source::{self, ManualSource},
};

/// Milliseconds of the physical clock at the start of each test.
pub(crate) const START: u64 = 1_800_000_000_000;

const HOUR: u64 = 3_600_000;

fn wall() -> ManualSource {
    ManualSource::at_millis(START)
}

#[test]
fn after_a_restart_the_first_stamp_is_above_the_last_although_the_wall_clock_was_set_back_an_hour() {
    let source = wall();
    let mut mark = MemoryMark::new(0);
    let mut last = Timestamp::MIN;
    for life in 0..50 {
        source.set_millis(START - life % 3 * HOUR);
        let mut clock = DurableClock::new(&source, mark);
        for _ in 0..20 {
            let stamp = clock.tick().unwrap();
            assert!(stamp > last && Some(stamp) <= clock.snapshot().bound());
            last = stamp;
        }
        mark = clock.into_mark().restart();
        let clock = AtomicDurableClock::new(&source, mark);
        clock.upkeep().unwrap();
        let stamp = clock.tick().unwrap();
        assert!(stamp > last);
        last = stamp;
        mark = clock.into_mark().restart();
    }
}

#[test]
fn peers_with_the_default_limit_accept_the_first_stamp_after_a_restart() {
    fn in_layout<L: Layout>() {
        // The peer's physical clock is a quarter of a second behind, which the window leaves room for.
        let (source, behind) = (wall(), ManualSource::at_millis(START - 250));
        let mut mark = MemoryMark::new(0);
        for life in 0..40_u64 {
            // No life lasts longer than the window, so that each begins at the bound of the last one.
            source.set_millis(START + 10 * life);
            behind.set_millis(START + 10 * life - 250);
            let mut clock = DurableClock::<_, _, L>::with_layout(&source, mark);
            for _ in 0..5 {
                let stamp = clock.tick().unwrap();
                let mut peer = Clock::<_, L>::with_layout(&behind);
                assert_eq!(peer.observe(stamp).err(), None, "life {life} of {}", L::NAME);
            }
            mark = clock.into_mark().restart();
        }
    }
    in_layout::<hlc::layout::Unix48>();
    in_layout::<Micros52>();
    in_layout::<Ntp48>();
    in_layout::<Ntp60>();
    in_layout::<Millis46>();
    in_layout::<Millis42Y2022>();
}

#[test]
fn on_an_idle_clock_the_bound_is_the_window_ahead_of_physical_time_and_not_a_stamp_more() {
    let source = wall();
    let mut clock = DurableClock::new(&source, MemoryMark::new(0));
    assert_eq!(clock.window(), Duration::from_millis(250));
    assert!(clock.upkeep().unwrap());
    let first_of_next_life = clock.snapshot().bound().unwrap().checked_next().unwrap();
    assert_eq!(first_of_next_life, Timestamp::from_parts(START + 250, 0).unwrap());
    assert_eq!(clock.snapshot().headroom(), Some(Duration::from_millis(249)));
}

#[test]
fn the_window_is_at_most_half_of_the_skew_limit_and_at_most_the_lead_limit_unless_the_clock_waits() {
    let millis = Duration::from_millis;
    let window = |length| Window::new(millis(length)).unwrap();
    let clock = || DurableClock::new(wall(), MemoryMark::new(0));
    assert_eq!(clock().with_window(window(900)).window(), millis(250));
    assert_eq!(clock().with_window(window(90)).window(), millis(90));
    let tight = SkewPolicy::AtMost(millis(100));
    assert_eq!(clock().with_skew_policy(tight).window(), millis(50));
    assert_eq!(clock().with_lead_policy(LeadPolicy::AtMost(millis(40))).window(), millis(40));
    let free = clock().with_window(window(900)).with_skew_policy(SkewPolicy::Unbounded);
    assert_eq!(free.window(), millis(900));
    let waiting = clock().with_window(Window::MAX).with_resume(Resume::WaitForPhysical);
    assert_eq!(waiting.window(), millis(60_000));
    let shared = AtomicDurableClock::new(wall(), MemoryMark::new(0)).with_window(window(900));
    assert_eq!(shared.window(), millis(250));
    assert_eq!(shared.with_resume(Resume::WaitForPhysical).window(), millis(900));
}

#[test]
fn a_shared_clock_keeps_to_the_limits_and_reads_the_source_that_it_was_given() {
    let millis = Duration::from_millis;
    let clock = AtomicDurableClock::new(wall(), MemoryMark::new(0))
        .with_skew_policy(SkewPolicy::AtMost(millis(100)))
        .with_lead_policy(LeadPolicy::AtMost(millis(40)));
    assert_eq!(clock.window(), millis(40));
    clock.upkeep().unwrap();
    let at = |millis| Timestamp::from_parts(START + millis, 0).unwrap();
    let limits = (clock.observe(at(101)), clock.observe(at(99)));
    assert!(matches!(limits, (Err(ObserveError::Skew(_)), Err(ObserveError::Lead(_)))), "{limits:?}");
    clock.source().set_millis(START + 1);
    assert_eq!(clock.tick(), Ok(at(1)));
}

#[test]
fn a_window_is_between_a_millisecond_and_a_minute() {
    let nano = Duration::from_nanos(1);
    for (edge, outside) in [
        (Duration::from_millis(1), Duration::from_millis(1) - nano),
        (Duration::from_secs(60), Duration::from_secs(60) + nano),
    ] {
        assert_eq!(Window::new(edge).unwrap().as_duration(), edge);
        let error = Window::new(outside).unwrap_err();
        assert_eq!(error.asked(), outside);
        assert!(error.to_string().ends_with("is not between 1ms and 60s"), "{error}");
    }
    for none in [Duration::ZERO, Duration::MAX] {
        assert!(Window::new(none).is_err());
    }
    assert_eq!(Window::default().as_duration(), Duration::from_millis(250));
}

#[test]
fn a_clock_that_fails_closed_resumes_at_once_where_time_went_on() {
    let source = wall();
    let limit = LeadPolicy::AtMost(Duration::from_millis(100));
    let mut clock = DurableClock::new(&source, MemoryMark::new(0)).with_lead_policy(limit);
    let before = clock.tick().unwrap();
    let mut clock = DurableClock::new(&source, clock.into_mark().restart()).with_lead_policy(limit);
    assert!(clock.tick().unwrap() > before);
    source.set_millis(START - HOUR);
    assert!(matches!(clock.tick(), Err(TickError::Lead(_))), "and refuses where time went back");
}

/// After a step back the clock is ahead of physical time, and its bound with it.
#[test]
fn a_clock_that_resumes_at_once_keeps_its_bound_ahead_while_physical_time_is_behind() {
    let source = wall();
    let mut clock = DurableClock::new(&source, MemoryMark::new(0));
    clock.tick().unwrap();
    let mark = clock.into_mark().restart();
    source.set_millis(START - HOUR);
    let mut owned = DurableClock::new(&source, MemoryMark::new(mark.get()));
    let shared = AtomicDurableClock::new(&source, mark);
    assert_eq!((owned.upkeep(), shared.upkeep()), (Ok(true), Ok(true)));
    let stamp = owned.tick().unwrap();
    assert_eq!(shared.tick(), Ok(stamp));
    assert_eq!(
        (owned.snapshot().extensions(), owned.snapshot().stalls()),
        (1, 0),
        "the tick waited for no disk"
    );
    let lead = stamp.physical_time().saturating_since(PhysicalTime::from_millis(START - HOUR));
    assert_eq!(owned.snapshot().clock().max_lead(), lead);
    assert_eq!(shared.snapshot().clock().max_lead(), lead);
    assert_eq!((owned.snapshot().indeterminate(), shared.snapshot().indeterminate()), (0, 0));
}

#[test]
fn a_merge_of_what_is_known_reads_no_source() {
    let none = || Err(hlc::SourceError::Unavailable("read"));
    let known = Timestamp::from_parts(START, 4).unwrap();
    let mut owned = DurableClock::new(source::from_fn(none), MemoryMark::new(known.to_bits()));
    let shared = AtomicDurableClock::new(source::from_fn(none), MemoryMark::new(known.to_bits()));
    for stamp in [known, known.checked_prev().unwrap(), Timestamp::MIN] {
        assert_eq!((owned.merge(stamp), shared.merge(stamp)), (Ok(()), Ok(())));
    }
    let newer = known.checked_next().unwrap();
    assert!(matches!(owned.merge(newer), Err(ObserveError::Source(_))));
    assert!(matches!(shared.merge(newer), Err(ObserveError::Source(_))));
}

/// Neither a peer nor its own upkeep may move a clock that waits: it would be ahead of physical time at once, or wait
/// for ever where it restarts more often than its window ends.
#[test]
fn nothing_moves_a_clock_that_waits() {
    let source = wall();
    let wait = Resume::WaitForPhysical;
    let mut clock = DurableClock::new(&source, MemoryMark::new(0)).with_resume(wait);
    clock.tick().unwrap();
    let bound = clock.snapshot().bound();
    let ahead = Timestamp::from_parts(START + 400, 0).unwrap();
    source.set_millis(START + 100);

    let mut clock = DurableClock::new(&source, clock.into_mark().restart()).with_resume(wait);
    assert!(matches!(clock.merge(ahead), Err(ObserveError::Skew(_))));
    assert_eq!((clock.upkeep(), clock.snapshot().bound()), (Ok(false), bound));
    assert!(matches!(clock.tick(), Err(TickError::Lead(_))));

    let shared = AtomicDurableClock::new(&source, clock.into_mark().restart()).with_resume(wait);
    assert!(matches!(shared.merge(ahead), Err(ObserveError::Skew(_))));
    assert_eq!((shared.upkeep(), shared.snapshot().bound()), (Ok(false), bound));
    assert!(matches!(shared.tick(), Err(TickError::Lead(_))));
    source.set_millis(START + 300);
    assert_eq!(shared.upkeep(), Ok(true));
    assert!(shared.tick().is_ok());
}

#[test]
fn a_clock_that_waits_keeps_its_skew_policy() {
    let source = wall();
    let mark = |bound| MemoryMark::new(bound);
    let bound = Timestamp::from_parts(START + 30_000, 0).unwrap().to_bits();
    let waiting = |skew| {
        DurableClock::new(&source, mark(bound)).with_resume(Resume::WaitForPhysical).with_skew_policy(skew)
    };
    // Above the bound, and so not known already.
    let remote = Timestamp::from_parts(START + 40_000, 0).unwrap();
    let mut clock = waiting(SkewPolicy::AtMost(Duration::from_millis(39_999)));
    assert!(matches!(clock.observe(remote), Err(ObserveError::Skew(_))));
    let mut clock = waiting(SkewPolicy::AtMost(Duration::from_millis(40_001)));
    assert!(matches!(clock.observe(remote), Err(ObserveError::Lead(_))));
}

#[test]
fn a_clock_that_waits_refuses_until_physical_time_has_reached_its_bound() {
    let source = wall();
    let open =
        |mark| DurableClock::new(&source, mark).with_resume(Resume::WaitForPhysical).with_window(Window::MAX);
    let mut clock = open(MemoryMark::new(0));
    let before = clock.tick().unwrap();
    let bound = clock.snapshot().bound().unwrap();
    assert_eq!(bound.checked_next(), Timestamp::from_parts(START + 60_000, 0).ok());

    let mut clock = open(clock.into_mark().restart());
    let remote = Timestamp::from_parts(START, 9).unwrap();
    for waited in [0, 1, 30_000, 59_999] {
        source.set_millis(START + waited);
        match clock.tick() {
            Err(TickError::Lead(error)) => assert_eq!(error.limit(), Duration::ZERO),
            other => panic!("after {waited} ms: {other:?}"),
        }
        assert!(matches!(clock.observe(remote), Err(ObserveError::Lead(_))));
        assert!(matches!(clock.reserve(NonZeroU32::MIN), Err(TickError::Lead(_))));
    }
    source.set_millis(START + 60_000);
    let after = clock.tick().unwrap();
    assert!(after > before && after == Timestamp::from_parts(START + 60_000, 0).unwrap());
    source.set_millis(START + 59_000);
    assert!(clock.tick().is_ok(), "once it goes, a step back is the lead policy's");

    let mark = clock.into_mark().restart();
    source.set_millis(START);
    let shared = AtomicDurableClock::new(&source, mark).with_resume(Resume::WaitForPhysical);
    shared.upkeep().unwrap();
    assert!(matches!(shared.tick(), Err(TickError::Lead(_))));
    source.set_millis(START + 2 * 60_000);
    shared.upkeep().unwrap();
    assert_eq!(shared.tick(), Ok(Timestamp::from_parts(START + 120_000, 0).unwrap()));
}

#[test]
fn the_owned_clock_extends_inline_after_being_idle_and_the_shared_one_refuses_until_upkeep() {
    let source = wall();
    let mut owned = DurableClock::new(&source, MemoryMark::new(0));
    let shared = AtomicDurableClock::new(&source, MemoryMark::new(0));
    assert!(matches!(shared.tick(), Err(TickError::Bound(_))));
    assert_eq!(shared.upkeep(), Ok(true));
    for idle in [0, HOUR, 2 * HOUR] {
        source.set_millis(START + idle);
        let stamp = Timestamp::from_parts(START + idle, 0).unwrap();
        assert_eq!(owned.tick(), Ok(stamp));
        if idle > 0 {
            match shared.tick() {
                Err(TickError::Bound(reached)) => {
                    assert_eq!(reached.needed_bits(), stamp.to_bits());
                    assert_eq!(Some(reached.bound_bits()), shared.snapshot().bound().map(Packed::to_bits));
                    assert_eq!(reached.cause(), None);
                }
                other => panic!("{other:?}"),
            }
            assert_eq!(shared.upkeep(), Ok(true));
        }
        assert_eq!(shared.tick(), Ok(stamp));
    }
    assert_eq!((owned.snapshot().stalls(), owned.snapshot().extensions()), (0, 3));
    assert_eq!((shared.snapshot().stalls(), shared.snapshot().extensions()), (3, 3));
}

#[test]
fn upkeep_raises_the_bound_when_half_of_the_window_is_gone_eight_times_a_second() {
    let source = wall();
    let mut owned = DurableClock::new(&source, MemoryMark::new(0));
    let shared = AtomicDurableClock::new(&source, MemoryMark::new(0));
    let mut raised = 0;
    for milli in 0..1_000 {
        source.set_millis(START + milli);
        let extended = owned.upkeep().unwrap();
        assert_eq!(shared.upkeep(), Ok(extended), "both at the same moment");
        raised += u64::from(extended);
        owned.tick().unwrap();
        shared.tick().unwrap();
    }
    assert_eq!(raised, 8);
    assert_eq!(
        (owned.snapshot().extensions(), owned.snapshot().stalls()),
        (8, 0),
        "no tick waited for the disk"
    );
    assert_eq!((shared.snapshot().extensions(), shared.snapshot().stalls()), (8, 0));
}

#[test]
fn a_clock_ahead_of_physical_time_needs_few_extensions_all_the_same() {
    let source = wall();
    let mut clock = DurableClock::new(&source, MemoryMark::new(0));
    clock.tick().unwrap();
    source.set_millis(START - HOUR);
    for _ in 0..300_000 {
        clock.tick().unwrap();
    }
    assert!(clock.snapshot().extensions() <= 3, "{:?}", clock.snapshot());
    let bound = clock.snapshot().bound().unwrap();
    let lead = bound.duration_since(clock.last().unwrap()).unwrap();
    assert!(lead <= Duration::from_millis(250), "a restart goes no further ahead: {lead:?}");
}

#[test]
fn what_is_observed_or_merged_above_the_bound_extends_it_first_or_is_refused() {
    let source = wall();
    let ahead = |millis: u64| Timestamp::from_parts(START + millis, 3).unwrap();
    let mut owned = DurableClock::new(&source, MemoryMark::new(0));
    owned.tick().unwrap();
    for (millis, by_merge) in [(300, false), (400, true)] {
        let remote = ahead(millis);
        assert!(Some(remote) > owned.snapshot().bound());
        if by_merge {
            owned.merge(remote).unwrap();
        } else {
            owned.observe(remote).unwrap();
        }
        assert!(owned.last() >= Some(remote) && owned.last() <= owned.snapshot().bound());
    }
    owned.merge_committed(ahead(HOUR)).unwrap();
    assert!(owned.last() == Some(ahead(HOUR)) && owned.last() <= owned.snapshot().bound());

    let shared = AtomicDurableClock::new(&source, MemoryMark::new(0));
    shared.upkeep().unwrap();
    let before = shared.tick().unwrap();
    for (millis, by_merge) in [(300, false), (400, true)] {
        let remote = ahead(millis);
        let attempt = || if by_merge { shared.merge(remote) } else { shared.observe(remote).map(drop) };
        let last = shared.last();
        assert!(matches!(attempt(), Err(ObserveError::Bound(_))), "{millis}");
        assert!(shared.last() == last && last >= Some(before), "unchanged");
        assert_eq!(shared.upkeep(), Ok(true), "what was refused at the bound is covered by the next upkeep");
        assert_eq!(attempt(), Ok(()));
        assert!(shared.last() >= Some(remote) && shared.last() <= shared.snapshot().bound());
    }
    // What was agreed on is under no limit, so that it is not left to an upkeep which somebody else calls.
    shared.merge_committed(ahead(HOUR)).unwrap();
    assert!(shared.last() == Some(ahead(HOUR)) && shared.last() <= shared.snapshot().bound());
    assert_eq!(shared.snapshot().stalls(), 2);
}

#[test]
fn what_was_agreed_on_and_cannot_be_made_durable_is_refused_and_leaves_nothing_behind() {
    let source = wall();
    let far = Timestamp::from_parts(START + HOUR, 0).unwrap();
    let script = |nth| if nth == 1 { Outcome::NotRaised } else { Outcome::Acknowledged };
    let shared = AtomicDurableClock::new(&source, MemoryMark::scripted(0, script));
    shared.upkeep().unwrap();
    let (last, bound) = (shared.tick().unwrap(), shared.snapshot().bound());
    match shared.merge_committed(far) {
        Err(ObserveError::Bound(reached)) => {
            assert_eq!(
                (reached.needed_bits(), Some(reached.bound_bits())),
                (far.to_bits(), bound.map(Packed::to_bits))
            );
            assert!(matches!(reached.cause(), Some(RaiseError::NotRaised(NotRaised::Io(_)))));
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(shared.merge_committed(Timestamp::MAX), Err(ObserveError::Exhausted(_))));
    assert_eq!(shared.upkeep(), Ok(false));
    source.set_millis(START + 200);
    assert_eq!(shared.upkeep(), Ok(true), "its own extensions go on");
    assert!(shared.snapshot().bound() < Some(Timestamp::from_parts(START + 450, 0).unwrap()));
    assert_eq!(shared.last(), Some(last));
    let snapshot = shared.snapshot();
    assert_eq!((snapshot.stalls(), snapshot.not_raised(), snapshot.extensions()), (1, 1, 2));
    let bound = snapshot.bound().map(Packed::to_bits);
    assert_eq!(Some(shared.into_mark().restart().get()), bound, "nor in the mark");
}

/// Readings in the order in which they are asked for, in milliseconds after the start; the last one for good.
fn readings(millis: &[u64]) -> impl hlc::Source {
    let rest = core::cell::RefCell::new(millis.to_vec());
    source::from_fn(move || {
        let mut rest = rest.borrow_mut();
        let now = if rest.len() > 1 { rest.remove(0) } else { rest[0] };
        Ok(PhysicalTime::from_millis(START + now))
    })
}

/// A reading of ten years ahead, once: taken by each call that reads the time, at the first call of a life and later.
#[test]
fn one_wrong_reading_neither_outlives_the_process_nor_moves_its_bound_by_more_than_a_window() {
    const WRONG: u64 = 10 * 365 * 24 * HOUR;
    let window = Timestamp::from_parts(START + 250, 0).unwrap();
    for at in 0..6 {
        let mut millis = vec![0; 7];
        millis[at] = WRONG;
        let mut owned = DurableClock::new(readings(&millis), MemoryMark::new(0));
        for _ in 0..3 {
            owned.upkeep().unwrap();
            owned.tick().unwrap();
        }
        assert!(owned.snapshot().bound() < Some(window), "reading {at} was believed");
        assert!(owned.into_mark().restart().get() < window.to_bits());

        let shared = AtomicDurableClock::new(readings(&millis), MemoryMark::new(0));
        for _ in 0..3 {
            shared.upkeep().unwrap();
            let _ = shared.tick();
        }
        shared.upkeep().unwrap();
        assert!(shared.snapshot().bound() < Some(window), "reading {at} was believed");
        assert!(shared.into_mark().restart().get() < window.to_bits());
    }
    // Within the bound it is not asked again: a window further, and no more.
    let mut owned = DurableClock::new(readings(&[0, 0, 200, 0]), MemoryMark::new(0));
    assert_eq!((owned.upkeep(), owned.upkeep(), owned.upkeep()), (Ok(true), Ok(true), Ok(false)));
    assert!(owned.snapshot().bound() < Some(Timestamp::from_parts(START + 450, 0).unwrap()));
    // A reading that comes twice is believed: it may be right, after a pause.
    let mut owned = DurableClock::new(readings(&[0, 0, HOUR, HOUR, 0]), MemoryMark::new(0));
    owned.upkeep().unwrap();
    assert_eq!(owned.tick(), Ok(Timestamp::from_parts(START + HOUR, 0).unwrap()));
}

/// A wrong reading lets a peer through that it makes look honest. The bound refuses that, and what the next upkeep does
/// for it is held to the limit by the right time, once.
#[test]
fn what_one_wrong_reading_let_through_is_held_to_the_limit_by_the_next() {
    let source = wall();
    let at = |millis| Timestamp::from_parts(START + millis, 0).unwrap();
    let shared = AtomicDurableClock::new(&source, MemoryMark::new(0));
    shared.upkeep().unwrap();
    source.set_millis(START + 1_000 * HOUR);
    assert!(matches!(shared.observe(at(999 * HOUR)), Err(ObserveError::Bound(_))));
    source.set_millis(START);
    assert_eq!(shared.upkeep(), Ok(true));
    // The skew limit, and the eighth of the window that a clock keeps ahead of itself.
    assert!(shared.snapshot().bound() < Some(at(532)));
    source.set_millis(START + 600);
    assert_eq!(shared.upkeep(), Ok(true));
    assert_eq!(
        shared.snapshot().bound().and_then(Packed::checked_next),
        Some(at(850)),
        "and is then forgotten"
    );
}

#[test]
fn what_a_limit_refuses_raises_no_bound() {
    let source = wall();
    let far = Timestamp::from_parts(START + HOUR, 0).unwrap();
    let mut owned = DurableClock::new(&source, MemoryMark::new(0));
    owned.tick().unwrap();
    let bound = owned.snapshot().bound();
    for hostile in [far, Timestamp::MAX] {
        assert!(matches!(owned.observe(hostile), Err(ObserveError::Skew(_))));
        assert!(matches!(owned.merge(hostile), Err(ObserveError::Skew(_))));
    }
    assert!(matches!(owned.merge_committed(Timestamp::MAX), Err(ObserveError::Exhausted(_))));
    assert_eq!(owned.snapshot().bound(), bound);

    let shared = AtomicDurableClock::new(&source, MemoryMark::new(0));
    shared.upkeep().unwrap();
    assert!(matches!(shared.observe(far), Err(ObserveError::Skew(_))));
    assert_eq!(shared.upkeep(), Ok(false));
    assert_eq!(shared.snapshot().bound(), bound);
    assert_eq!(shared.snapshot().clock().skew_refusals(), 1);
}

#[test]
fn a_raise_that_definitely_failed_is_tried_again_and_one_that_is_unknown_poisons() {
    let outcomes =
        [Outcome::Acknowledged, Outcome::NotRaised, Outcome::Acknowledged, Outcome::IndeterminateAndRaised];
    let script =
        move |nth: u64| outcomes.get(usize::try_from(nth).unwrap()).copied().unwrap_or(Outcome::Acknowledged);
    let source = wall();
    let mut clock = DurableClock::new(&source, MemoryMark::scripted(0, script));
    clock.tick().unwrap();
    let bound = clock.snapshot().bound();
    let refusal = |clock: &mut DurableClock<_, _>, millis| {
        source.set_millis(START + millis);
        match clock.tick() {
            Err(TickError::Bound(reached)) => reached.cause().unwrap(),
            other => panic!("{other:?}"),
        }
    };
    assert!(matches!(refusal(&mut clock, 300), RaiseError::NotRaised(NotRaised::Io(_))));
    assert_eq!(clock.snapshot().bound(), bound);
    let last = clock.tick().unwrap();
    assert!(matches!(refusal(&mut clock, 600), RaiseError::Indeterminate(_)));
    for millis in [700, HOUR] {
        assert_eq!(refusal(&mut clock, millis), RaiseError::NotRaised(NotRaised::Poisoned));
        assert_eq!(clock.upkeep(), Err(UpkeepError::Raise(NotRaised::Poisoned.into())));
        assert_eq!(clock.last(), Some(last), "no stamp above the last acknowledged bound");
    }
    let snapshot = clock.snapshot();
    assert_eq!((snapshot.indeterminate(), snapshot.not_raised(), snapshot.stalls()), (1, 5, 4));
    // Below the bound it goes on.
    source.set_millis(START);
    assert!(Some(clock.tick().unwrap()) <= clock.snapshot().bound());

    let source = wall();
    let shared = AtomicDurableClock::new(&source, MemoryMark::scripted(0, script));
    shared.upkeep().unwrap();
    source.set_millis(START + 300);
    let raised = |error| matches!(error, Err(UpkeepError::Raise(RaiseError::NotRaised(_))));
    assert!(raised(shared.upkeep()));
    assert!(matches!(shared.tick(), Err(TickError::Bound(_))));
    shared.upkeep().unwrap();
    let last = shared.tick().unwrap();
    source.set_millis(START + 600);
    assert!(matches!(shared.upkeep(), Err(UpkeepError::Raise(RaiseError::Indeterminate(_)))));
    assert!(raised(shared.upkeep()), "poisoned");
    assert!(matches!(shared.tick(), Err(TickError::Bound(_))));
    assert_eq!(shared.last(), Some(last));
    let snapshot = shared.snapshot();
    assert_eq!((snapshot.indeterminate(), snapshot.not_raised(), snapshot.stalls()), (1, 2, 2));
}

#[test]
fn an_upkeep_without_a_time_raises_nothing() {
    let source = source::from_fn(|| Err(hlc::SourceError::Unavailable("none")));
    let mut clock = DurableClock::new(source, MemoryMark::new(7));
    assert!(matches!(clock.upkeep(), Err(UpkeepError::Source(_))));
    assert!(matches!(clock.tick(), Err(TickError::Source(_))));
    assert_eq!(clock.snapshot().headroom(), None);
    assert_eq!(clock.into_mark().get(), 7);
    let past_the_end = source::from_fn(|| Ok(PhysicalTime::MAX));
    let clock = AtomicDurableClock::new(past_the_end, MemoryMark::new(7));
    assert!(matches!(clock.upkeep(), Err(UpkeepError::Exhausted(_))), "no bound at the end of time");
    assert_eq!(clock.into_mark().get(), 7);
}

#[test]
fn at_the_end_of_the_layout_the_bound_ends_and_nothing_wraps() {
    let source = ManualSource::at_millis(START);
    let mut clock = DurableClock::<_, _, Secs32>::with_layout(&source, MemoryMark::new(u64::MAX - 3));
    let issued: Vec<u64> = (0..3).map(|_| clock.tick().unwrap().to_bits()).collect();
    assert_eq!(issued, [u64::MAX - 2, u64::MAX - 1, u64::MAX]);
    assert!(matches!(clock.tick(), Err(TickError::Exhausted(_))));
    assert_eq!(clock.upkeep(), Ok(false));
}

#[test]
fn a_keeper_keeps_the_bound_ahead_and_without_it_the_clock_stops_there() {
    let source = Arc::new(wall());
    let clock = Arc::new(AtomicDurableClock::new(Arc::clone(&source), MemoryMark::new(0)));
    let keeper = Keeper::start(Arc::clone(&clock), Duration::from_micros(50)).unwrap();
    clock.tick().unwrap();
    for step in 1..=20 {
        source.set_millis(START + step * 1_000);
        // Ends when the keeper has been round: until then the stamp is refused.
        while let Err(error) = clock.tick() {
            assert!(matches!(error, TickError::Bound(_)), "{error}");
            std::thread::yield_now();
        }
    }
    drop(keeper);
    source.set_millis(START + HOUR);
    assert!(matches!(clock.tick(), Err(TickError::Bound(_))));
    assert!(clock.snapshot().extensions() >= 21);
}

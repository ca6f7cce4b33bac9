//! Every source but the plain ones: what it promises, at its edges.

mod anchored;
mod cached;

use core::{
    cell::Cell,
    num::NonZeroU32,
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
    time::Duration,
};

use hlc::{
    Clock, ObserveError, PhysicalTime, Source, SourceError, TickError, Timestamp,
    source::{
        self, AnchoredSource, BestEffort, Counter as _, ManualSource, Offset, Owned, StepLimit, Widening,
    },
};

const LIMIT: Duration = Duration::from_secs(10);
const FAILS: SourceError = SourceError::Unavailable("on purpose");

fn millis(millis: u64) -> PhysicalTime {
    PhysicalTime::from_millis(millis)
}

fn step_of(error: Result<PhysicalTime, SourceError>) -> Duration {
    match error {
        Err(SourceError::Stepped(stepped)) => {
            assert_eq!(stepped.max_step(), LIMIT);
            stepped.step()
        }
        other => panic!("{other:?} is no step"),
    }
}

#[test]
fn a_source_tells_what_it_is_made_of() {
    let wall = || ManualSource::at_millis(7);
    let anchored = AnchoredSource::new(|| 3_u64, wall());
    assert_eq!((anchored.counter().nanos(), anchored.source().now()), (3, Ok(millis(7))));
    let limited = StepLimit::new(wall(), ManualSource::at_millis(0), LIMIT);
    assert_eq!((limited.max_step(), limited.source().now()), (LIMIT, Ok(millis(7))));
    assert_eq!(BestEffort::new(wall()).source().now(), Ok(millis(7)));
}

mod widening {
    use super::*;

    fn mhz() -> NonZeroU32 {
        NonZeroU32::new(1_000_000).unwrap()
    }

    #[test]
    fn a_counter_read_once_in_a_wrap_is_followed_over_many() {
        let register = Cell::new(0_u32);
        let timer = Widening::new(|| register.get(), mhz());
        let owned = Widening::owned(|| register.get(), mhz());
        let stride = Widening::<fn() -> u32>::MAX_TICKS_UNREAD;
        let mut ticks = 0_u64;
        for _ in 0..100 {
            assert_eq!(timer.now(), Ok(PhysicalTime::from_micros(ticks)));
            assert_eq!(owned.now(), Ok(PhysicalTime::from_micros(ticks)));
            ticks += u64::from(stride);
            register.set(register.get().wrapping_add(stride));
        }
    }

    #[test]
    fn a_counter_that_is_far_on_at_the_first_reading_has_not_gone_back() {
        let timer = Widening::new(|| u32::MAX, mhz());
        assert_eq!(timer.now(), Ok(PhysicalTime::from_micros(u64::from(u32::MAX))));
    }

    #[test]
    fn a_counter_that_goes_back_a_little_counts_no_wrap() {
        let register = Cell::new(5_000_u32);
        let timer = Widening::new(|| register.get(), mhz());
        assert_eq!(timer.now(), Ok(millis(5)));
        register.set(4_999);
        assert_eq!(timer.now(), Ok(millis(5)));
        register.set(6_000);
        assert_eq!(timer.now(), Ok(millis(6)));
    }

    #[test]
    fn a_reading_that_is_interrupted_for_a_quarter_of_a_wrap_counts_no_wrap() {
        static REGISTER: AtomicU32 = AtomicU32::new(0);
        static INTERRUPT: AtomicBool = AtomicBool::new(false);
        static TIMER: Widening<fn() -> u32> = Widening::new(read, NonZeroU32::MIN);

        fn read() -> u32 {
            let ticks = REGISTER.load(Ordering::Relaxed);
            if INTERRUPT.swap(false, Ordering::Relaxed) {
                REGISTER.store(ticks + (1 << 30), Ordering::Relaxed);
                assert_eq!(TIMER.now(), Ok(PhysicalTime::from_secs(u64::from(ticks) + (1 << 30))));
            }
            ticks
        }

        REGISTER.store(100, Ordering::Relaxed);
        assert_eq!(TIMER.now(), Ok(PhysicalTime::from_secs(100)));
        INTERRUPT.store(true, Ordering::Relaxed);
        assert_eq!(TIMER.now(), Ok(PhysicalTime::from_secs(100 + (1 << 30))));
    }

    #[test]
    fn a_device_without_a_calendar_counts_on_from_what_its_offset_was_set_to() {
        let register = Cell::new(u32::MAX - 499);
        let source = Offset::owned(Widening::owned(|| register.get(), mhz()));
        source.set_from(millis(1_700_000_000_000)).unwrap();
        register.set(500);
        assert_eq!(source.now(), Ok(millis(1_700_000_000_001)));
    }
}

mod offset {
    use super::*;

    #[test]
    fn it_has_no_reading_until_it_is_set() {
        let source = Offset::new(ManualSource::at_millis(10));
        assert!(matches!(source.now(), Err(SourceError::Unavailable(_))));
        assert_eq!(source.nanos(), None);
        source.set_nanos(0);
        assert_eq!(source.now(), Ok(millis(10)));
    }

    #[test]
    fn it_is_set_from_a_later_and_from_an_earlier_time() {
        let source = Offset::new(ManualSource::at_millis(5_000));
        for (now, offset) in [(millis(9_000), 4_000_000_000), (millis(1_000), -4_000_000_000)] {
            source.set_from(now).unwrap();
            assert_eq!(source.nanos(), Some(offset));
            assert_eq!(source.now(), Ok(now));
            source.source().advance(Duration::from_millis(7));
            assert_eq!(source.now(), Ok(now.checked_add(Duration::from_millis(7)).unwrap()));
            source.source().set_millis(5_000);
        }
    }

    #[test]
    fn a_sum_outside_of_time_is_an_error() {
        let source = Offset::new(ManualSource::at_millis(5_000));
        source.set_nanos(-5_000_000_001);
        assert_eq!(source.now(), Err(SourceError::BeforeUnixEpoch));
        source.set_nanos(i64::MIN);
        assert_eq!(source.now(), Err(SourceError::BeforeUnixEpoch), "the lowest number does not unset it");
        let end = Offset::new(source::from_fn(|| Ok(PhysicalTime::MAX)));
        end.set_nanos(1);
        assert!(matches!(end.now(), Err(SourceError::Unavailable(_))));
    }

    #[test]
    fn what_cannot_be_set_leaves_the_offset_as_it_was() {
        let broken = Cell::new(false);
        let source =
            Offset::owned(source::from_fn(|| if broken.get() { Err(FAILS) } else { Ok(millis(1_000)) }));
        source.set_nanos(5);
        assert!(source.set_from(PhysicalTime::MAX).is_err());
        assert_eq!(source.nanos(), Some(5));
        broken.set(true);
        assert_eq!(source.set_from(millis(2_000)), Err(FAILS));
        assert_eq!(source.nanos(), Some(5));
        assert_eq!(source.now(), Err(FAILS));
    }
}

mod best_effort {
    use super::*;

    #[test]
    fn a_clock_goes_on_from_its_last_stamp_while_the_source_fails() {
        let broken = Cell::new(false);
        let wall = source::from_fn(|| if broken.get() { Err(FAILS) } else { Ok(millis(1_000)) });
        let mut clock = Clock::new(BestEffort::owned(wall));
        let before = clock.tick().unwrap();
        assert_eq!(clock.source().errors(), 0);
        broken.set(true);
        assert_eq!(clock.tick().ok(), before.checked_next());
        assert_eq!(clock.source().errors(), 1);
        broken.set(false);
        assert!(clock.tick().is_ok());
        assert_eq!(clock.source().errors(), 1);
    }

    #[test]
    fn while_the_source_fails_only_stamps_that_are_not_new_are_received() {
        let last = Timestamp::from_parts(1_000, 5).unwrap();
        let mut clock = Clock::new(BestEffort::new(source::from_fn(|| Err(FAILS)))).resume_after(last);
        assert!(clock.observe(last).is_ok());
        let newer = Timestamp::from_parts(1_001, 0).unwrap();
        assert!(matches!(clock.observe(newer), Err(ObserveError::Skew(_))));
    }
}

mod step_limit {
    use super::*;

    #[test]
    fn a_step_of_the_limit_passes_and_a_nanosecond_more_does_not() {
        let (wall, passed) = (ManualSource::at_millis(100_000), ManualSource::at_millis(0));
        let source = StepLimit::new(&wall, &passed, LIMIT);
        source.now().unwrap();
        passed.advance(Duration::from_secs(3));
        wall.advance(Duration::from_secs(3) + LIMIT);
        assert_eq!(source.now(), wall.now());
        wall.advance(LIMIT + Duration::from_nanos(1));
        assert_eq!(step_of(source.now()), LIMIT + Duration::from_nanos(1));
    }

    /// The reading below is interrupted, while it reads the wall clock, by a step and by the operator who accepts
    /// it: it comes back with the time before the step.
    #[test]
    fn a_slow_reading_does_not_undo_what_an_operator_accepted() {
        type Read = fn() -> Result<PhysicalTime, SourceError>;
        std::thread_local! {
            static WALL: Cell<u64> = const { Cell::new(100) };
            static IS_INTERRUPTED: Cell<bool> = const { Cell::new(false) };
        }
        static STEPPING: StepLimit<source::FromFn<Read>, source::FromFn<Read>> =
            StepLimit::new(source::from_fn(wall), source::from_fn(still), LIMIT);
        fn still() -> Result<PhysicalTime, SourceError> {
            Ok(PhysicalTime::UNIX_EPOCH)
        }
        fn wall() -> Result<PhysicalTime, SourceError> {
            let before = PhysicalTime::from_secs(WALL.get());
            if IS_INTERRUPTED.replace(false) {
                WALL.set(1_000_000);
                assert_eq!(STEPPING.accept_step(), Ok(PhysicalTime::from_secs(1_000_000)));
            }
            Ok(before)
        }
        STEPPING.now().unwrap();
        IS_INTERRUPTED.set(true);
        assert_eq!(STEPPING.now(), Ok(PhysicalTime::from_secs(100)));
        assert_eq!(STEPPING.now(), Ok(PhysicalTime::from_secs(1_000_000)), "still accepted");
    }

    #[test]
    fn a_step_is_refused_until_the_wall_clock_comes_back() {
        let (wall, passed) = (ManualSource::at_millis(100_000), ManualSource::at_millis(0));
        let mut clock = Clock::new(StepLimit::new(&wall, &passed, LIMIT));
        let before = clock.tick().unwrap();
        wall.advance(Duration::from_secs(3_600));
        for _ in 0..3 {
            passed.advance(Duration::from_secs(1));
            wall.advance(Duration::from_secs(1));
            let refused = clock.tick();
            assert!(matches!(refused, Err(TickError::Source(SourceError::Stepped(_)))), "{refused:?}");
            assert_eq!(clock.last(), Some(before), "the clock is as it was");
        }
        assert_eq!(clock.snapshot().source_steps(), 3);
        wall.set_millis(103_000);
        assert!(clock.tick().unwrap() > before);
    }

    #[test]
    fn a_step_that_an_operator_accepts_is_the_new_measure() {
        let (wall, passed) = (ManualSource::at_millis(100_000), ManualSource::at_millis(0));
        let source = StepLimit::new(&wall, &passed, LIMIT);
        source.now().unwrap();
        wall.advance(Duration::from_secs(3_600));
        assert_eq!(step_of(source.now()), Duration::from_secs(3_600));
        assert_eq!(source.accept_step(), wall.now());
        assert_eq!(source.now(), wall.now());
        wall.advance(Duration::from_secs(11));
        assert_eq!(step_of(source.now()), Duration::from_secs(11));
    }

    #[test]
    fn a_wall_clock_that_is_slewed_is_followed_past_the_limit() {
        let (wall, passed) = (ManualSource::at_millis(100_000), ManualSource::at_millis(0));
        let source = StepLimit::new(&wall, &passed, LIMIT);
        for _ in 0..100 {
            passed.advance(Duration::from_secs(10));
            wall.advance(Duration::from_secs(11));
            assert_eq!(source.now(), wall.now());
        }
    }

    #[test]
    fn a_step_back_passes_and_is_the_new_measure() {
        let (wall, passed) = (ManualSource::at_millis(7_200_000), ManualSource::at_millis(0));
        let source = StepLimit::owned(&wall, &passed, LIMIT);
        source.now().unwrap();
        wall.set_millis(3_600_000);
        assert_eq!(source.now(), Ok(millis(3_600_000)));
        wall.set_millis(7_200_000);
        assert_eq!(step_of(source.now()), Duration::from_secs(3_600));
    }

    #[test]
    fn under_a_reference_that_stands_still_two_readings_are_compared() {
        let wall = ManualSource::at_millis(100_000);
        let still = source::from_fn(|| Ok(PhysicalTime::UNIX_EPOCH));
        let source = StepLimit::new(&wall, still, LIMIT);
        for _ in 0..10 {
            assert_eq!(source.now(), wall.now());
            wall.advance(LIMIT);
        }
        wall.advance(Duration::from_nanos(1));
        assert_eq!(step_of(source.now()), LIMIT + Duration::from_nanos(1));
    }

    #[test]
    fn a_pause_between_the_two_readings_refuses_that_one_alone() {
        let (wall, passed) = (ManualSource::at_millis(100_000), ManualSource::at_millis(0));
        let pause = Cell::new(Duration::ZERO);
        // The pause comes after whichever of the two is read first.
        let read = |clock: &ManualSource| {
            let time = clock.now();
            let pause = pause.take();
            wall.advance(pause);
            passed.advance(pause);
            time
        };
        let source =
            StepLimit::owned(source::from_fn(|| read(&wall)), source::from_fn(|| read(&passed)), LIMIT);
        source.now().unwrap();
        pause.set(Duration::from_secs(60));
        assert_eq!(step_of(source.now()), Duration::from_secs(60));
        for _ in 0..3 {
            assert_eq!(source.now(), wall.now());
        }
    }

    #[test]
    fn an_error_of_either_source_changes_nothing() {
        let (wall, passed) = (ManualSource::at_millis(100_000), ManualSource::at_millis(0));
        let (wall_fails, passed_fails) = (Cell::new(false), Cell::new(false));
        let source = StepLimit::owned(
            source::from_fn(|| if wall_fails.get() { Err(FAILS) } else { wall.now() }),
            source::from_fn(|| {
                if passed_fails.get() { Err(SourceError::BeforeUnixEpoch) } else { passed.now() }
            }),
            LIMIT,
        );
        source.now().unwrap();
        wall_fails.set(true);
        assert_eq!(source.now(), Err(FAILS));
        assert_eq!(source.accept_step(), Err(FAILS));
        passed_fails.set(true);
        assert_eq!(source.now(), Err(SourceError::BeforeUnixEpoch));
        wall_fails.set(false);
        passed_fails.set(false);
        wall.advance(LIMIT + Duration::from_nanos(1));
        assert!(matches!(source.now(), Err(SourceError::Stepped(_))));
    }

    #[test]
    fn a_wall_clock_centuries_ahead_is_refused_even_first() {
        let still = source::from_fn(|| Ok(PhysicalTime::UNIX_EPOCH));
        let wall = Cell::new(PhysicalTime::MAX);
        let source = StepLimit::owned(source::from_fn(|| Ok(wall.get())), still, LIMIT);
        assert!(matches!(source.now(), Err(SourceError::Unavailable(_))));
        assert!(source.accept_step().is_err());
        wall.set(millis(1_000));
        assert_eq!(source.now(), Ok(millis(1_000)));
        wall.set(PhysicalTime::MAX);
        let step = PhysicalTime::MAX.saturating_since(millis(1_000));
        assert_eq!(step_of(source.now()), step);
    }
}

#[test]
fn each_source_stands_in_a_static_where_it_is_shared_and_works_by_reference() {
    fn no_ticks() -> u32 {
        1_000
    }
    type Timer = Widening<fn() -> u32>;
    type Limited = StepLimit<&'static Offset<&'static Timer>, &'static Timer>;

    static TIMER: Timer = Widening::new(no_ticks, NonZeroU32::new(1_000).unwrap());
    static OFFSET: Offset<&Timer> = Offset::new(&TIMER);
    static LIMITED: Limited = StepLimit::new(&OFFSET, &TIMER, LIMIT);
    static ALWAYS: BestEffort<&Limited> = BestEffort::new(&LIMITED);

    let mut clock = Clock::new(&ALWAYS);
    assert!(clock.tick().is_ok());
    assert_eq!(ALWAYS.errors(), 1, "the offset is not set");
    OFFSET.set_from(millis(5_000)).unwrap();
    assert_eq!(clock.tick().unwrap().physical_time(), millis(5_000));
    assert_eq!(ALWAYS.errors(), 1);
}

#[test]
fn a_source_is_read_through_whatever_holds_it() {
    let wall = ManualSource::at_millis(7);
    let (shared, boxed): (_, Box<dyn Source>) =
        (alloc::sync::Arc::new(ManualSource::at_millis(8)), Box::new(ManualSource::at_millis(9)));
    assert_eq!([(&&wall).now(), shared.now(), boxed.now()], [7, 8, 9].map(|time| Ok(millis(time))));
    let mut clock = Clock::new(boxed);
    assert_eq!(clock.tick().unwrap().physical_time(), millis(9));
}

#[test]
fn the_owned_form_is_sent_to_another_thread() {
    fn assert_send<T: Send>() {}
    assert_send::<Offset<ManualSource, Owned>>();
    assert_send::<Widening<fn() -> u32, Owned>>();
    assert_send::<BestEffort<ManualSource, Owned>>();
    assert_send::<StepLimit<ManualSource, ManualSource, Owned>>();
}

//! `AnchoredSource`, over a wall clock that is slewed and stepped, and counters that differ between threads.

use core::cell::RefCell;

use hlc::{
    Clock, PhysicalTime, Source, SourceError,
    source::{self, AnchoredSource, InstantCounter, ManualSource, SystemSource},
};

use super::{Cell, Duration, FAILS, millis};

const INTERVAL: Duration = Duration::from_millis(10);
const WALL: u64 = 1_000_000;

/// A counter in a cell and a wall clock that can be set.
struct Parts {
    counter: Cell<u64>,
    wall: ManualSource,
    asked: Cell<u32>,
}

impl Parts {
    fn new(counter: u64) -> Self {
        Self { counter: Cell::new(counter), wall: ManualSource::at_millis(WALL), asked: Cell::new(0) }
    }

    fn source(&self) -> AnchoredSource<impl Fn() -> u64, impl Source> {
        let wall = source::from_fn(|| {
            self.asked.set(self.asked.get() + 1);
            self.wall.now()
        });
        AnchoredSource::new(|| self.counter.get(), wall).with_interval(INTERVAL)
    }
}

fn nanos(length: Duration) -> u64 {
    u64::try_from(length.as_nanos()).unwrap()
}

#[test]
fn one_anchor_serves_its_interval_and_not_a_nanosecond_more() {
    let parts = Parts::new(7);
    let source = parts.source();
    for (passed, asked) in [(0, 1), (0, 1), (1, 1), (nanos(INTERVAL) - 1, 1), (nanos(INTERVAL), 2)] {
        parts.counter.set(7 + passed);
        let now = source.now().unwrap();
        assert_eq!(parts.asked.get(), asked, "{passed} ns after the anchor");
        if asked == 1 {
            assert_eq!(now, millis(WALL).checked_add(Duration::from_nanos(passed)).unwrap());
        }
    }
}

#[test]
fn a_step_is_seen_after_one_interval_in_both_directions() {
    for stepped in [1, WALL + 3_600_000] {
        let parts = Parts::new(0);
        let source = parts.source();
        let anchor = source.now().unwrap();
        parts.wall.set_millis(stepped);
        parts.counter.set(nanos(INTERVAL) - 1);
        assert!(source.now().unwrap().saturating_since(anchor) < INTERVAL);
        parts.counter.set(nanos(INTERVAL));
        assert_eq!(source.now(), Ok(millis(stepped)));
        assert_eq!(source.now(), Ok(millis(stepped)), "and it is the anchor from then on");
    }
}

#[test]
fn a_wall_clock_that_took_too_long_to_read_is_no_anchor() {
    let (counter, taken, asked) = (Cell::new(0_u64), Cell::new(10_000), Cell::new(0));
    let wall = source::from_fn(|| {
        asked.set(asked.get() + 1);
        counter.set(counter.get() + taken.get());
        Ok(millis(WALL))
    });
    let source = AnchoredSource::new(|| counter.get(), wall).with_tolerance(Duration::from_nanos(9_999));
    for expected in 1..=3 {
        assert_eq!(source.now(), Ok(millis(WALL)));
        assert_eq!(asked.get(), expected);
    }
    taken.set(9_999);
    for _ in 0..3 {
        assert_eq!(source.now(), Ok(millis(WALL)));
        assert_eq!(asked.get(), 4, "exactly the tolerance is accepted");
    }
}

#[test]
fn a_counter_that_goes_back_while_the_wall_clock_is_read_makes_no_anchor() {
    let (counter, asked) = (Cell::new(1_000_000_u64), Cell::new(0));
    let wall = source::from_fn(|| {
        asked.set(asked.get() + 1);
        counter.set(counter.get() - 1);
        Ok(millis(WALL))
    });
    let source = AnchoredSource::new(|| counter.get(), wall);
    for expected in 1..=3 {
        assert_eq!(source.now(), Ok(millis(WALL)));
        assert_eq!(asked.get(), expected);
    }
}

#[test]
fn a_counter_that_starts_again_is_anchored_again() {
    let parts = Parts::new(nanos(INTERVAL) * 1_000);
    let source = parts.source();
    source.now().unwrap();
    parts.wall.set_millis(2 * WALL);
    parts.counter.set(0);
    assert_eq!(source.now(), Ok(millis(2 * WALL)), "before its anchor it tells nothing");
    parts.counter.set(5);
    assert_eq!(source.now().unwrap().subsec_nanos(), 5);
    assert_eq!(parts.asked.get(), 2);
}

#[test]
fn at_the_ends_of_the_counter_no_time_is_made_up() {
    let intervals = [Duration::ZERO, Duration::from_nanos(2), INTERVAL, Duration::MAX];
    let counters =
        [0, 1, 2, 3, 1_000_000_000, u64::MAX - 1_000_000_002, u64::MAX - 2, u64::MAX - 1, u64::MAX];
    for interval in intervals {
        for first in counters {
            let parts = Parts::new(first);
            let source = parts.source().with_interval(interval);
            for counter in [first].into_iter().chain(counters) {
                parts.counter.set(counter);
                let now = source.now().unwrap();
                let last = millis(WALL + 999).checked_add(Duration::from_nanos(999_999)).unwrap();
                assert!((millis(WALL)..=last).contains(&now), "{now:?} at {counter} after {first}");
            }
        }
    }
}

#[test]
fn a_time_too_late_for_an_anchor_is_read_all_the_same() {
    for late in [PhysicalTime::from_secs((1 << 34) - 1), PhysicalTime::from_secs(1 << 34), PhysicalTime::MAX]
    {
        let source = AnchoredSource::new(|| 5, source::from_fn(|| Ok(late)));
        assert_eq!((source.now(), source.now()), (Ok(late), Ok(late)));
    }
}

#[test]
fn a_wall_clock_that_fails_is_found_after_one_interval() {
    let (counter, fails) = (Cell::new(0), Cell::new(true));
    let wall = source::from_fn(|| if fails.get() { Err(FAILS) } else { Ok(millis(WALL)) });
    let source = AnchoredSource::new(|| counter.get(), wall).with_interval(INTERVAL);
    assert_eq!(source.now(), Err(FAILS));
    fails.set(false);
    assert_eq!(source.now(), Ok(millis(WALL)));
    fails.set(true);
    counter.set(nanos(INTERVAL) - 1);
    assert!(source.now().is_ok());
    counter.set(nanos(INTERVAL));
    assert_eq!(source.now(), Err(FAILS));
}

/// The first reading is interrupted, while it reads the wall clock, by one that is ahead of it.
#[test]
fn an_anchor_that_was_put_meanwhile_stays() {
    type Read = fn() -> Result<PhysicalTime, SourceError>;
    std::thread_local! {
        static IS_INTERRUPTED: Cell<bool> = const { Cell::new(true) };
    }
    static ANCHORED: AnchoredSource<fn() -> u64, source::FromFn<Read>> =
        AnchoredSource::new(|| 7, source::from_fn(wall));
    fn wall() -> Result<PhysicalTime, SourceError> {
        if IS_INTERRUPTED.replace(false) {
            assert_eq!(ANCHORED.now(), Ok(millis(WALL)));
            return Ok(millis(WALL - 1));
        }
        Ok(millis(WALL))
    }
    assert_eq!(ANCHORED.now(), Ok(millis(WALL - 1)));
    assert_eq!(ANCHORED.now(), Ok(millis(WALL)), "not what the slow one has read");
}

#[test]
fn an_interval_outside_of_its_range_is_the_nearest_inside() {
    let source = AnchoredSource::new(|| 0, SystemSource::new());
    assert_eq!(source.interval(), Duration::from_millis(10));
    assert_eq!(source.tolerance(), Duration::from_micros(10));
    let source = source.with_interval(Duration::MAX).with_tolerance(Duration::ZERO);
    assert_eq!(source.interval(), Duration::from_secs(1));
    assert_eq!(source.tolerance(), Duration::from_nanos(1));
    assert_eq!(source.with_interval(Duration::from_micros(3)).interval(), Duration::from_micros(3));
}

#[test]
fn the_clock_above_ratchets_where_the_counters_of_two_threads_differ() {
    let parts = Parts::new(5_000_000);
    let source = parts.source();
    let mut clock = Clock::new(&source);
    let (mut last, mut readings_back, mut read) = (clock.tick().unwrap(), 0, source.now().unwrap());
    for turn in 0..50 {
        // One thread's counter is 3 ms ahead of the other's.
        parts.counter.set(5_000_000 + turn * 1_000 + (turn % 2) * 3_000_000);
        let now = source.now().unwrap();
        readings_back += u32::from(now < read);
        read = now;
        let stamp = clock.tick().unwrap();
        assert!(stamp > last);
        last = stamp;
    }
    assert!(readings_back > 10, "the readings themselves do go back");
}

/// A world with one true time, in nanoseconds, which every look at a device moves on.
struct World {
    now: Cell<u64>,
    /// What the wall clock says, in millionths of a nanosecond.
    wall: Cell<i128>,
    /// By how much the wall clock is faster than the counters, in parts per million.
    rate: Cell<i128>,
    /// By how much the counter of the thread that reads is ahead.
    ahead: Cell<u64>,
    /// After how many looks the thread is stopped, for how long, and how far ahead its counter is then.
    stop: Cell<Option<(u64, u64, u64)>>,
    steps: RefCell<Vec<(u64, u64)>>,
    wall_readings: RefCell<Vec<(u64, u64)>>,
}

const MILLIONTHS: i128 = 1_000_000;
const LOOK_NANOS: u64 = 25;

impl World {
    fn pass(&self, nanos: u64) {
        self.now.set(self.now.get() + nanos);
        self.wall.set(self.wall.get() + i128::from(nanos) * (MILLIONTHS + self.rate.get()));
    }

    fn wall(&self) -> u64 {
        u64::try_from(self.wall.get() / MILLIONTHS).unwrap()
    }

    fn step(&self, nanos: i128) {
        self.wall.set(self.wall.get() + nanos * MILLIONTHS);
        self.steps.borrow_mut().push((self.now.get(), u64::try_from(nanos.abs()).unwrap()));
    }

    /// The thread may be stopped before each look, and go on elsewhere.
    fn look(&self) {
        if let Some((looks, nanos, ahead)) = self.stop.get() {
            self.stop.set(looks.checked_sub(1).map(|looks| (looks, nanos, ahead)));
            if looks == 0 {
                self.pass(nanos);
                self.ahead.set(ahead);
            }
        }
        self.pass(LOOK_NANOS);
    }

    fn read_counter(&self) -> u64 {
        self.look();
        self.now.get() + self.ahead.get()
    }

    fn read_wall(&self) -> Result<PhysicalTime, SourceError> {
        self.look();
        self.wall_readings.borrow_mut().push((self.now.get(), self.wall()));
        Ok(PhysicalTime::from_nanos(self.wall()))
    }
}

/// splitmix64: a seed gives one script.
struct Script(u64);

impl Script {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % end
    }
}

/// Runs one script and checks both bounds at each reading. Returns how many readings there were, and how many
/// of them did not ask the wall clock.
fn run(seed: u64) -> (u32, u32) {
    let mut script = Script(seed);
    let difference = [0, 40, 3_000, 2_000_000, 30_000_000][usize::try_from(seed % 5).unwrap()];
    let max_rate = [0, 500, 100_000][usize::try_from(seed % 3).unwrap()];
    let world = World {
        now: Cell::new(0),
        wall: Cell::new(1_700_000_000_000_000_000 * MILLIONTHS),
        rate: Cell::new(0),
        ahead: Cell::new(0),
        stop: Cell::new(None),
        steps: RefCell::default(),
        wall_readings: RefCell::default(),
    };
    let source = AnchoredSource::new(|| world.read_counter(), source::from_fn(|| world.read_wall()))
        .with_interval(INTERVAL);
    // As the type's page says it.
    let interval = nanos(INTERVAL);
    let error = nanos(source.tolerance()) + 2 * difference;
    let bound = error + (interval + error) * max_rate / 1_000_000;

    let (mut readings, mut without_asking) = (0, 0);
    for turn in 0..600 {
        match script.below(12) {
            0 => world.step(i128::from(script.below(7_200_000_000_000)) - 3_600_000_000_000),
            1 => world.rate.set(i128::from(script.below(2 * max_rate + 1)) - i128::from(max_rate)),
            2 => {
                let stop = (script.below(5), script.below(3 * interval), script.below(difference + 1));
                world.stop.set(Some(stop));
            }
            3 => world.pass(script.below(4 * interval)),
            4..8 => world.pass(script.below(interval / 20)),
            _ => world.ahead.set(script.below(difference + 1)),
        }
        let asked = world.wall_readings.borrow().len();
        let read = source.now().unwrap().to_nanos().unwrap();
        readings += 1;
        let wall_readings = world.wall_readings.borrow();
        if wall_readings.len() > asked {
            assert_eq!(read, wall_readings[asked].1, "seed {seed}, turn {turn}: the wall clock was asked");
            continue;
        }
        without_asking += 1;

        // The counter was the last that was looked at, and nothing has passed since.
        let since = world.now.get().saturating_sub(interval + error);
        let by_an_anchor = |&&(at, wall): &&(u64, u64)| at >= since && wall <= read && read - wall < interval;
        assert!(
            wall_readings.iter().any(|reading| by_an_anchor(&reading)),
            "seed {seed}, turn {turn}: always"
        );

        let stepped: u64 =
            world.steps.borrow().iter().filter(|step| step.0 >= since).map(|step| step.1).sum();
        let off = read.abs_diff(world.wall());
        assert!(
            off <= bound + stepped + 1,
            "seed {seed}, turn {turn}: off by {off} ns, bound {bound}, stepped {stepped}"
        );
    }
    (readings, without_asking)
}

#[test]
fn every_reading_is_within_its_bound_of_a_wall_clock_that_is_slewed_and_stepped() {
    let (mut readings, mut without_asking) = (0, 0);
    for seed in 0..300 {
        let (of_seed, of_those) = run(seed);
        readings += of_seed;
        without_asking += of_those;
    }
    assert!(without_asking > readings / 3, "{without_asking} of {readings} told nothing about an anchor");
    assert!(without_asking < readings - readings / 10, "nearly nothing was anchored again");
}

/// Both readings lie between two others of the same clock, so that nothing depends on how fast it all goes.
#[test]
#[expect(clippy::disallowed_methods, reason = "compares with the clock that the source reads")]
fn the_monotonic_source_and_its_counter_go_as_fast_as_the_systems_instant() {
    use std::time::Instant;
    let (source, counter) = (source::MonotonicSource::new(), InstantCounter::new());
    let read =
        || (source.now().unwrap().to_duration(), Duration::from_nanos(source::Counter::nanos(&counter)));
    let start = Instant::now();
    let first = read();
    let after_first = start.elapsed();
    while start.elapsed() < Duration::from_millis(2) {}
    let before_second = start.elapsed();
    let second = read();
    let end = start.elapsed();
    for (first, second) in [(first.0, second.0), (first.1, second.1)] {
        let passed = second - first;
        assert!(before_second - after_first <= passed && passed <= end, "{passed:?} of {end:?}");
    }
}

/// The one test that reads real clocks. Its bound is the patience of a loaded machine, not the source's.
#[test]
fn with_real_parts_it_agrees_with_the_system_clock() {
    static INSTANT: AnchoredSource<InstantCounter, SystemSource> =
        AnchoredSource::new(InstantCounter::new(), SystemSource::new());
    let system = SystemSource::new();
    let agrees = |source: &dyn Source| {
        for _ in 0..1_000 {
            let before = system.now().unwrap();
            let now = source.now().unwrap();
            let after = system.now().unwrap();
            let off = before.saturating_since(now).max(now.saturating_since(after));
            assert!(off < Duration::from_secs(5), "off by {off:?}");
        }
    };
    agrees(&INSTANT);
    #[cfg(feature = "quanta")]
    agrees(&AnchoredSource::new(source::QuantaCounter::new(), system));
}

/// As far apart as a loaded machine may take between two readings: counters of their own would differ by what the
/// machine has been up.
#[cfg(feature = "quanta")]
#[test]
fn a_counter_by_default_reads_what_a_new_one_reads() {
    use source::{Counter as _, QuantaCounter};
    let (new, default) = (QuantaCounter::new().nanos(), QuantaCounter::default().nanos());
    assert!(new.abs_diff(default) < nanos(Duration::from_secs(5)), "{new} and {default}");
}

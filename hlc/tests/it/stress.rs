//! Many threads at random work on one clock, or one source: what no interleaving test is large enough for.

use core::{
    num::NonZeroU32,
    sync::atomic::{AtomicU64, Ordering},
};

use clock_testing::{Call, Round, Worker, check_calls, stress};
use hlc::{
    AtomicClock, ObserveError, PhysicalTime, Source, SourceError, TickError, Timestamp,
    source::{AnchoredSource, BestEffort, CachedSource, ManualSource, Offset, StepLimit, Widening},
};

const START: u64 = 1_800_000_000_000;
const ROUNDS: u64 = 4;

fn nanos(time: PhysicalTime) -> u64 {
    time.to_nanos().unwrap()
}

/// How often each kind of refusal came.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Refusals {
    pub(crate) skew: u64,
    pub(crate) lead: u64,
    pub(crate) exhausted: u64,
    pub(crate) bound: u64,
}

impl Refusals {
    fn count(&mut self, why: &ObserveError) {
        match why {
            ObserveError::Skew(_) => self.skew += 1,
            ObserveError::Lead(_) => self.lead += 1,
            ObserveError::Exhausted(_) => self.exhausted += 1,
            #[cfg(feature = "durable")]
            ObserveError::Bound(_) => self.bound += 1,
            other => panic!("{other}"),
        }
    }

    fn count_tick(&mut self, why: &TickError) {
        match why {
            TickError::Lead(_) => self.lead += 1,
            TickError::Exhausted(_) => self.exhausted += 1,
            #[cfg(feature = "durable")]
            TickError::Bound(_) => self.bound += 1,
            other => panic!("{other}"),
        }
    }
}

/// A clock that threads share, plain or durable.
pub(crate) trait Shared: Sync {
    fn tick(&self) -> Result<Timestamp, TickError>;
    fn reserve(&self, count: NonZeroU32) -> Result<(Timestamp, Timestamp), TickError>;
    fn observe(&self, remote: Timestamp) -> Result<Timestamp, ObserveError>;
    fn merge(&self, remote: Timestamp) -> Result<(), ObserveError>;
    fn merge_committed(&self, remote: Timestamp) -> Result<(), ObserveError>;
    fn last(&self) -> Option<Timestamp>;
    fn upkeep(&self);
    /// Up to where everything is durable, as this thread sees it.
    fn durable(&self) -> u64;
    fn refusals(&self) -> Refusals;
}

impl Shared for AtomicClock<&ManualSource> {
    fn tick(&self) -> Result<Timestamp, TickError> {
        AtomicClock::tick(self)
    }

    fn reserve(&self, count: NonZeroU32) -> Result<(Timestamp, Timestamp), TickError> {
        let mut block = AtomicClock::reserve(self, count)?;
        let first = block.next().unwrap();
        Ok((first, block.last().unwrap_or(first)))
    }

    fn observe(&self, remote: Timestamp) -> Result<Timestamp, ObserveError> {
        AtomicClock::observe(self, remote)
    }

    fn merge(&self, remote: Timestamp) -> Result<(), ObserveError> {
        AtomicClock::merge(self, remote)
    }

    fn merge_committed(&self, remote: Timestamp) -> Result<(), ObserveError> {
        AtomicClock::merge_committed(self, remote).map_err(ObserveError::Exhausted)
    }

    fn last(&self) -> Option<Timestamp> {
        AtomicClock::last(self)
    }

    fn upkeep(&self) {}

    fn durable(&self) -> u64 {
        u64::MAX
    }

    fn refusals(&self) -> Refusals {
        let seen = self.snapshot();
        Refusals {
            skew: seen.skew_refusals(),
            lead: seen.lead_refusals(),
            exhausted: seen.exhausted_refusals(),
            bound: 0,
        }
    }
}

/// What a thread comes back with: its calls, the greatest stamp that it had merged, and what was refused.
type Outcome = (Vec<Call<Timestamp>>, Option<Timestamp>, Refusals);

fn remote(worker: &mut Worker) -> Timestamp {
    Timestamp::from_parts(START + worker.roll(4_000), u32::try_from(worker.roll(9)).unwrap()).unwrap()
}

fn play<C: Shared>(round: &Round, source: &ManualSource, clock: &C, work: u32) {
    let notes = round.notes();
    let letters = round.letters();
    let outcomes: Vec<Outcome> = round.run(work, |worker| {
        let (mut calls, mut merged, mut refused) = (Vec::new(), None, Refusals::default());
        // The greatest stamp that it has heard of, and that it knows the clock to have reached.
        let (mut number, mut floor, mut last) = (0, None, None);
        while worker.goes_on() {
            number += 1;
            let noted = notes.write(worker, number);
            let got = match worker.roll(16) {
                0..6 => clock.tick().map(|stamp| (stamp, stamp)).map_err(|why| refused.count_tick(&why)),
                6..8 => {
                    let count = NonZeroU32::new(1 + u32::try_from(worker.roll(300)).unwrap()).unwrap();
                    clock.reserve(count).map_err(|why| refused.count_tick(&why))
                }
                8 => {
                    let seen = remote(worker);
                    let received = clock.observe(seen).map_err(|why| refused.count(&why));
                    received.map(|stamp| {
                        assert!(stamp > seen, "a receipt is above its message");
                        (stamp, stamp)
                    })
                }
                9 => {
                    let seen = if worker.roll(9) == 0 { Timestamp::MAX } else { remote(worker) };
                    let is_committed = worker.roll(4) == 0;
                    let learned = if is_committed { clock.merge_committed(seen) } else { clock.merge(seen) };
                    match learned {
                        Ok(()) => {
                            (floor, last) = (floor.max(Some(seen)), last.max(Some(seen)));
                            merged = merged.max(Some(seen));
                        }
                        Err(why) => refused.count(&why),
                    }
                    Err(())
                }
                10..13 => match Timestamp::from_bits(letters.take(worker)) {
                    // Somebody has issued it: it is neither refused nor repeated.
                    Some(stamp) if worker.roll(2) == 0 => {
                        clock.merge(stamp).unwrap_or_else(|why| panic!("{stamp:?} is of this clock: {why}"));
                        (floor, last) = (floor.max(Some(stamp)), last.max(Some(stamp)));
                        Err(())
                    }
                    Some(stamp) => {
                        floor = floor.max(Some(stamp));
                        clock.tick().map(|stamp| (stamp, stamp)).map_err(|why| refused.count_tick(&why))
                    }
                    None => Err(()),
                },
                13 => {
                    clock.upkeep();
                    Err(())
                }
                14 => {
                    source.set_millis(START + worker.roll(3_000));
                    Err(())
                }
                _ => {
                    let now = clock.last();
                    assert!(now >= last, "{now:?}, and it was {last:?}");
                    last = now;
                    Err(())
                }
            };
            if let Ok(got) = got {
                assert!(Some(got.0) > floor, "{got:?} is not above {floor:?}, which was known");
                assert!(got.1.to_bits() <= clock.durable(), "{got:?} was issued before it was durable");
                (floor, last) = (Some(got.1), last.max(Some(got.1)));
                calls.push(Call { noted, got, saw: notes.read(worker) });
                letters.post(worker, got.1.to_bits());
            }
        }
        (calls, merged, refused)
    });
    let refused = outcomes.iter().fold(Refusals::default(), |sum, (_, _, of)| Refusals {
        skew: sum.skew + of.skew,
        lead: sum.lead + of.lead,
        exhausted: sum.exhausted + of.exhausted,
        bound: sum.bound + of.bound,
    });
    assert_eq!(clock.refusals(), refused, "every refusal is counted once");
    let calls: Vec<_> = outcomes.iter().map(|(calls, _, _)| calls.clone()).collect();
    check_calls(&calls);
    let issued = calls.iter().flatten().map(|call| call.got.1).max();
    let merged = outcomes.iter().filter_map(|(_, merged, _)| *merged).max();
    assert_eq!(clock.last(), issued.max(merged), "the clock stands at the greatest");
    assert!(issued.is_some() && refused.skew > 0, "nothing happened");
}

#[test]
fn threads_at_random_on_one_clock_get_each_stamp_once_see_what_came_before_and_have_each_refusal_counted() {
    stress(ROUNDS, |round| {
        let source = ManualSource::at_millis(START);
        play(round, &source, &AtomicClock::new(&source), 1_500);
    });
}

#[cfg(all(feature = "durable", feature = "std"))]
mod durable {
    use clock_testing::UnorderedMark;
    use high_water::Mark as _;
    use hlc::AtomicDurableClock;

    use super::*;

    struct Kept<'s>(AtomicDurableClock<&'s ManualSource, UnorderedMark>, UnorderedMark);

    impl Shared for Kept<'_> {
        fn tick(&self) -> Result<Timestamp, TickError> {
            self.0.tick()
        }

        fn reserve(&self, count: NonZeroU32) -> Result<(Timestamp, Timestamp), TickError> {
            let mut block = self.0.reserve(count)?;
            let first = block.next().unwrap();
            Ok((first, block.last().unwrap_or(first)))
        }

        fn observe(&self, remote: Timestamp) -> Result<Timestamp, ObserveError> {
            self.0.observe(remote)
        }

        fn merge(&self, remote: Timestamp) -> Result<(), ObserveError> {
            self.0.merge(remote)
        }

        fn merge_committed(&self, remote: Timestamp) -> Result<(), ObserveError> {
            self.0.merge_committed(remote)
        }

        fn last(&self) -> Option<Timestamp> {
            self.0.last()
        }

        fn upkeep(&self) {
            self.0.upkeep().unwrap();
        }

        fn durable(&self) -> u64 {
            self.1.get()
        }

        fn refusals(&self) -> Refusals {
            let (seen, stalls) = (self.0.snapshot().clock(), self.0.snapshot().stalls());
            Refusals {
                skew: seen.skew_refusals(),
                lead: seen.lead_refusals(),
                exhausted: seen.exhausted_refusals(),
                bound: stalls,
            }
        }
    }

    #[test]
    fn threads_at_random_on_one_durable_clock_get_nothing_above_the_mark_that_they_see() {
        stress(ROUNDS, |round| {
            let source = ManualSource::at_millis(START);
            let mark = UnorderedMark::default();
            let clock = AtomicDurableClock::new(&source, mark.clone());
            play(round, &source, &Kept(clock, mark), 1_500);
        });
    }
}

/// A clock of nanoseconds that all threads push on. Its wall time leaps by an hour at each of these spans, so that a time and
/// a window that do not belong together are an hour apart.
struct Leaps(AtomicU64);

const SPAN: u64 = 50_000;
const LEAP: u64 = 3_600_000_000_000;

impl Leaps {
    /// By how much wall time is ahead of the counter.
    fn offset(counter: u64) -> u64 {
        START * 1_000 + counter / SPAN % 7 * LEAP
    }

    fn counter(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn push(&self, nanos: u64) {
        self.0.fetch_add(nanos, Ordering::Relaxed);
    }
}

#[test]
fn threads_at_random_on_one_anchor_read_no_window_with_another_ones_time() {
    const INTERVAL: u64 = 4_000;
    // How far the counter may go while the wall clock is read: less than an interval, by which a reading of a window with
    // another one's time is wrong at least.
    const TOLERANCE: u64 = 1_000;
    stress(ROUNDS, |round| {
        let time = Leaps(AtomicU64::new(0));
        let wall = hlc::source::from_fn(|| {
            let counter = time.counter();
            Ok(PhysicalTime::from_nanos(counter + Leaps::offset(counter)))
        });
        let source = AnchoredSource::new(|| time.counter(), wall)
            .with_interval(core::time::Duration::from_nanos(INTERVAL))
            .with_tolerance(core::time::Duration::from_nanos(TOLERANCE));
        let readings: usize = round
            .run(3_000, |worker| {
                let mut readings = 0;
                while worker.goes_on() {
                    time.push(worker.roll(200));
                    let before = time.counter();
                    let read = source.now();
                    let after = time.counter();
                    let Ok(now) = read else { continue };
                    readings += 1;
                    // By an anchor of the last interval, or of now, and the counter of this reading.
                    let earliest = before.saturating_sub(INTERVAL + TOLERANCE);
                    let fits = (earliest / SPAN..=after / SPAN).any(|span| {
                        let nanos = nanos(now).checked_sub(Leaps::offset(span * SPAN));
                        let of_now = before.saturating_sub(TOLERANCE)..=after + TOLERANCE;
                        nanos.is_some_and(|nanos| of_now.contains(&nanos))
                    });
                    assert!(fits, "{now:?} at {before} to {after}");
                }
                readings
            })
            .into_iter()
            .sum();
        assert!(readings > 1_000, "{readings}");
    });
}

/// A cache that is refreshed by all threads: what is read is what some refresh has kept, and of one writer it rises.
#[test]
fn threads_at_random_on_one_cache_read_what_somebody_kept_and_have_each_failure_counted() {
    stress(ROUNDS, |round| {
        let cache = CachedSource::new();
        let failures: u64 = round
            .run(2_000, |worker| {
                let (mut number, mut failures, mut latest) = (0, 0, [0; 64]);
                while worker.goes_on() {
                    if worker.roll(3) == 0 {
                        number += 1;
                        let me = u64::try_from(worker.number()).unwrap();
                        let fails = worker.roll(8) == 0;
                        let source = hlc::source::from_fn(|| match fails {
                            true => Err(SourceError::Unavailable("for a while")),
                            // Who, and which: apart in the seconds, and told once more by the nanoseconds.
                            false => {
                                Ok(PhysicalTime::new(me * 1_000_000 + number, u32::try_from(me).unwrap())
                                    .unwrap())
                            }
                        });
                        failures += u64::from(cache.refresh(&source).is_err());
                    } else if let Ok(time) = cache.now() {
                        let (seconds, who) = (time.secs(), u64::from(time.subsec_nanos()));
                        let (writer, which) = (seconds / 1_000_000, seconds % 1_000_000);
                        assert_eq!(writer, who, "half of it is another writer's");
                        let latest = &mut latest[usize::try_from(writer).unwrap()];
                        assert!(which >= *latest, "writer {writer} went back from {latest} to {which}");
                        *latest = which;
                    }
                }
                failures
            })
            .into_iter()
            .sum();
        assert_eq!(cache.failed_refreshes(), failures);
        assert!(failures > 0);
    });
}

/// One register that wraps under the readings of all threads. In all it counts less than what its page allows between two
/// readings of one thread, which may be stopped for as long as the others take.
#[test]
fn threads_at_random_on_one_wrapping_counter_see_time_go_on_over_the_wrap() {
    stress(ROUNDS, |round| {
        let ticks = AtomicU64::new(u64::from(u32::MAX) - 1_000_000);
        let source = Widening::new(
            || u32::try_from(ticks.load(Ordering::Relaxed) & u64::from(u32::MAX)).unwrap(),
            NonZeroU32::new(1_000_000).unwrap(),
        );
        let first = source.now().unwrap();
        round.run(2_000, |worker| {
            while worker.goes_on() {
                let before = ticks.load(Ordering::Relaxed);
                let now = source.now().unwrap();
                let after = ticks.load(Ordering::Relaxed);
                let micros = nanos(now) / 1_000;
                assert!(micros >= before && micros <= after, "{micros} is not of {before} to {after}");
                ticks.fetch_add(worker.roll(2_000), Ordering::Relaxed);
            }
        });
        assert!(
            nanos(first) / 1_000 < 1 << 32 && nanos(source.now().unwrap()) / 1_000 > 1 << 32,
            "it did not wrap"
        );
    });
}

/// The sources of one word that count or keep: what was told to all is what each reads.
#[test]
fn threads_at_random_on_the_sources_of_one_word_lose_no_error_and_no_setting() {
    stress(ROUNDS, |round| {
        let base = ManualSource::at_millis(START);
        let offset = Offset::new(&base);
        offset.set_nanos(0);
        let moving = ManualSource::at_millis(START);
        let limited = StepLimit::new(&moving, &moving, core::time::Duration::from_secs(1));
        let broken = hlc::source::from_fn(|| Err(SourceError::Unavailable("never")));
        let errors = BestEffort::new(&broken);
        let asked: u64 = round
            .run(1_500, |worker| {
                let mut asked = 0;
                while worker.goes_on() {
                    match worker.roll(4) {
                        0 => offset.set_nanos(i64::try_from(worker.roll(50) * 1_000).unwrap()),
                        1 => {
                            let nanos = nanos(offset.now().unwrap()) - START * 1_000_000;
                            assert!(nanos.is_multiple_of(1_000) && nanos < 50_000, "{nanos} was never set");
                        }
                        2 => {
                            moving.advance(core::time::Duration::from_micros(worker.roll(3)));
                            assert!(limited.now().is_ok(), "both clocks go alike: there is no step");
                        }
                        _ => {
                            asked += 1;
                            let _error = errors.now();
                        }
                    }
                }
                asked
            })
            .into_iter()
            .sum();
        assert_eq!(errors.errors(), asked);
    });
}

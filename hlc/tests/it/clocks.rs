//! What the clocks promise whatever physical time does.

use core::{num::NonZeroU32, time::Duration};
use std::{collections::HashSet, thread};

use hlc::{
    AtomicClock, Clock, ObserveError, Packed, PhysicalTime, SourceError, TickError, Timestamp,
    layout::{Layout, Millis42Y2022, Ntp60, Rounding, Secs32},
    source::{self, ManualSource, SystemSource},
};

#[test]
fn a_full_counter_carries_into_physical_time() {
    let source = ManualSource::at_millis(7);
    let mut clock = Clock::new(&source);
    clock.merge(Timestamp::from_parts(7, Timestamp::MAX_COUNTER).unwrap()).unwrap();
    let carried = clock.tick().unwrap();
    assert_eq!((carried.physical_units(), carried.counter()), (8, 0));
    assert_eq!(clock.snapshot().carries(), 1);
    source.set_millis(8);
    let next = clock.tick().unwrap();
    assert_eq!((next.physical_units(), next.counter()), (8, 1), "physical time takes up the carried unit");
    assert_eq!(clock.snapshot().carries(), 1);
}

#[test]
fn a_million_ticks_on_a_frozen_clock_are_unique_and_rising() {
    let mut clock = Clock::<_, Ntp60>::with_layout(ManualSource::at_millis(1));
    let mut last = clock.tick().unwrap();
    for _ in 1..1_000_000 {
        let next = clock.tick().unwrap();
        assert!(next > last);
        last = next;
    }
    assert!(clock.snapshot().carries() > 60_000, "sixteen stamps fill a unit");
}

#[test]
fn four_threads_with_a_million_ticks_each_share_no_stamp() {
    static CLOCK: AtomicClock<SystemSource> = AtomicClock::new(SystemSource::new());
    let threads: Vec<_> = (0..4)
        .map(|_| {
            thread::spawn(|| {
                let stamps: Vec<_> = (0..1_000_000).map(|_| CLOCK.tick().unwrap()).collect();
                assert!(stamps.is_sorted_by(|a, b| a < b), "each thread's stamps rise");
                stamps
            })
        })
        .collect();
    let mut all: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    all.sort_unstable();
    let issued = all.len();
    all.dedup();
    assert_eq!((issued, all.len()), (4_000_000, 4_000_000));
}

#[test]
fn a_source_error_is_the_calls_error_and_leaves_the_clock_as_it_was() {
    for error in [SourceError::BeforeUnixEpoch, SourceError::Unavailable("not set")] {
        let shared = AtomicClock::new(source::from_fn(move || Err(error)));
        assert_eq!(shared.tick(), Err(TickError::Source(error)));
        assert_eq!(shared.observe(Timestamp::MIN), Err(ObserveError::Source(error)));
        assert_eq!(shared.merge(Timestamp::MIN), Err(ObserveError::Source(error)));
        assert_eq!(shared.reserve(NonZeroU32::MIN).unwrap_err(), TickError::Source(error));
        assert_eq!((shared.last(), shared.snapshot().source_errors()), (None, 4));
        assert_eq!(shared.snapshot().lead(), None, "unknown, not zero");
        assert_eq!(shared.merge_committed(Timestamp::MIN), Ok(()), "needs no source");
        assert_eq!(shared.merge(Timestamp::MIN), Ok(()), "not above the last: reads no source");
    }
}

#[test]
fn what_a_clock_shows_is_what_it_issued_last() {
    let source = ManualSource::at_millis(7);
    let (mut owned, shared) = (Clock::new(&source), AtomicClock::new(&source));
    assert_eq!((owned.snapshot().last(), shared.snapshot().last()), (None, None));
    let stamp = owned.tick().unwrap();
    assert_eq!(shared.tick(), Ok(stamp));
    assert_eq!((owned.snapshot().last(), shared.snapshot().last()), (Some(stamp), Some(stamp)));
}

#[test]
fn a_merge_of_what_is_known_reads_no_source() {
    let none = || Err(SourceError::Unavailable("read"));
    let known = Timestamp::from_parts(9_000, 4).unwrap();
    let mut owned = Clock::new(source::from_fn(none)).resume_after(known);
    let shared = AtomicClock::new(source::from_fn(none)).resume_after(known);
    for stamp in [known, known.checked_prev().unwrap(), Timestamp::MIN] {
        assert_eq!((owned.merge(stamp), shared.merge(stamp)), (Ok(()), Ok(())));
    }
    let newer = known.checked_next().unwrap();
    assert!(owned.merge(newer).is_err() && shared.merge(newer).is_err());
    assert_eq!((owned.snapshot().source_errors(), shared.snapshot().source_errors()), (1, 1));
}

#[test]
fn a_clock_resumes_above_where_it_was_told() {
    let kept = Timestamp::from_parts(9_000, 4).unwrap();
    let source = ManualSource::at_millis(1_000);
    let owned = Clock::new(&source).resume_after(kept).tick();
    let shared = AtomicClock::new(&source).resume_after(kept).resume_after(Timestamp::MIN).tick();
    assert_eq!((owned, shared), (Ok(kept.checked_next().unwrap()), owned));
    let mut lower = Clock::new(&source).resume_after(kept).resume_after(Timestamp::MIN);
    assert_eq!(lower.tick(), owned, "a lower one changes nothing");
}

#[test]
fn before_the_layouts_epoch_the_clock_counts_from_the_epoch() {
    let source = ManualSource::at_millis(1_000);
    let mut clock = Clock::<_, Millis42Y2022>::with_layout(&source);
    let first = clock.tick().unwrap();
    assert_eq!((first.physical_units(), first.counter()), (0, 1), "zero is no stamp");
    assert!(clock.tick().unwrap() > first);
    let lead = Duration::from_secs(1_640_995_200 - 1);
    assert_eq!(clock.snapshot().lead(), Some(lead), "how far the epoch is ahead of 1970");
}

#[test]
fn at_the_unix_epoch_the_first_stamp_is_not_zero() {
    let mut clock = Clock::new(ManualSource::at(PhysicalTime::UNIX_EPOCH));
    assert_eq!(clock.tick(), Ok(Timestamp::MIN));
}

#[test]
fn a_block_is_consecutive_and_the_next_stamp_is_above_it() {
    let clock = AtomicClock::new(ManualSource::at_millis(5));
    let block: Vec<_> = clock.reserve(NonZeroU32::new(64).unwrap()).unwrap().collect();
    assert_eq!(block.len(), 64);
    assert!(block.is_sorted_by(|a, b| a.checked_next() == Some(*b)));
    assert_eq!(clock.tick().unwrap(), block[63].checked_next().unwrap());
    let distinct: HashSet<_> = block.iter().collect();
    assert_eq!(distinct.len(), 64);
}

#[test]
fn a_block_that_ends_the_layout_ends_there() {
    let kept = Packed::<Secs32>::from_bits(u64::MAX - 4).unwrap();
    let mut clock = Clock::<_, Secs32>::with_layout(ManualSource::at_millis(5)).resume_after(kept);
    assert!(matches!(clock.reserve(NonZeroU32::new(5).unwrap()), Err(TickError::Exhausted(_))));
    assert!(matches!(clock.tick(), Ok(stamp) if stamp.to_bits() == u64::MAX - 3));
    let clock = Clock::<_, Secs32>::with_layout(ManualSource::at_millis(5)).resume_after(kept);
    let mut clock = clock.with_skew_policy(hlc::SkewPolicy::Unbounded);
    let mut block = clock.reserve(NonZeroU32::new(4).unwrap()).unwrap();
    assert_eq!(block.len(), 4);
    let bits: Vec<_> = block.by_ref().map(Packed::to_bits).collect();
    assert_eq!(bits, [u64::MAX - 3, u64::MAX - 2, u64::MAX - 1, u64::MAX]);
    assert_eq!((block.len(), block.next()), (0, None));
}

/// One counter bit: every third stamp carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum OneBit {}

impl Layout for OneBit {
    const NAME: &'static str = "OneBit";
    const UNITS_PER_SECOND: u64 = 3;
    const COUNTER_BITS: u32 = 1;
    const EPOCH_UNIX_SECS: u64 = 0;
    const ROUNDING: Rounding = Rounding::Up;
}

#[test]
fn a_layout_of_ones_own_works_like_the_others() {
    let source = ManualSource::at_millis(334);
    let mut clock = Clock::<_, OneBit>::with_layout(&source);
    let parts: Vec<_> =
        (0..4).map(|_| clock.tick().unwrap()).map(|s| (s.physical_units(), s.counter())).collect();
    assert_eq!(parts, [(2, 0), (2, 1), (3, 0), (3, 1)], "334 ms is in the second third, rounded up");
    assert_eq!(clock.snapshot().carries(), 1);
}

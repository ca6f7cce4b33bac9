//! Each layout: its arithmetic, its ends, and the numbers that its own system has published.

use core::time::Duration;

use hlc::{
    Clock, Packed, PhysicalTime, Source, TickError, Timestamp,
    layout::{Layout, Micros52, Millis42Y2022, Millis46, Ntp48, Ntp60, Rounding, Secs32, Unix48},
    source::{ManualSource, from_fn},
};
use proptest::prelude::*;

use crate::vectors::parts;

/// Calls a generic function for each layout.
macro_rules! in_every_layout {
    ($law:ident) => {
        in_every_layout!($law: Unix48 Micros52 Ntp48 Ntp60 Millis46 Millis42Y2022 Secs32)
    };
    ($law:ident: $($layout:ident)+) => {$($law::<$layout>();)+};
}

const SECOND: u128 = 1_000_000_000;

/// Nanoseconds from the layout's epoch to `time`; zero before it.
fn nanos_since_epoch<L: Layout>(time: PhysicalTime) -> u128 {
    time.to_duration().as_nanos().saturating_sub(u128::from(L::EPOCH_UNIX_SECS) * SECOND)
}

/// The layout's first second and the last one it has room for.
fn seconds<L: Layout>() -> (u64, u64) {
    (L::EPOCH_UNIX_SECS, L::EPOCH_UNIX_SECS + Packed::<L>::MAX_PHYSICAL_UNITS / L::UNITS_PER_SECOND)
}

/// Readings inside the layout, around both its ends, and anywhere; on seconds and beside them.
fn readings<L: Layout>() -> impl Strategy<Value = PhysicalTime> {
    let (first, last) = seconds::<L>();
    let secs = prop_oneof![
        4 => first..=last,
        1 => first.saturating_sub(2)..=first + 2,
        1 => last - 2..=last + 2,
        1 => any::<u64>(),
    ];
    let nanos = prop_oneof![4 => 0..1_000_000_000_u32, 1 => 0..3_u32, 1 => 999_999_997..1_000_000_000_u32];
    (secs, nanos).prop_map(|(secs, nanos)| PhysicalTime::new(secs, nanos).unwrap())
}

/// A clock whose physical clock stands at `time`, which may be beyond what a `ManualSource` can show.
fn clock_at<L: Layout>(time: PhysicalTime) -> Clock<impl Source, L> {
    Clock::with_layout(from_fn(move || Ok(time)))
}

/// Timestamps anywhere, around both ends, and around the ends of a unit.
fn stamps<L: Layout>() -> impl Strategy<Value = Packed<L>> {
    let unit = 1_u64 << L::COUNTER_BITS;
    prop_oneof![
        4 => 1..=u64::MAX,
        1 => 1..=3_u64,
        1 => u64::MAX - 3..=u64::MAX,
        2 => (1..=u64::MAX / unit, 0..=6_u64).prop_map(move |(units, near)| units * unit - 3 + near),
    ]
    .prop_map(|bits| Packed::from_bits(bits).unwrap())
}

#[test]
fn parts_and_bits_are_the_same_value() {
    fn law<L: Layout>() {
        proptest!(|(stamp in stamps::<L>())| {
            let (units, counter) = (stamp.physical_units(), stamp.counter());
            prop_assert_eq!(stamp.to_bits(), (units << L::COUNTER_BITS) | u64::from(counter));
            prop_assert!(units <= Packed::<L>::MAX_PHYSICAL_UNITS && counter <= Packed::<L>::MAX_COUNTER);
            prop_assert_eq!(Packed::from_parts(units, counter), Ok(stamp));
            prop_assert_eq!(Packed::from_bits(stamp.to_bits()), Some(stamp));
        });
    }
    in_every_layout!(law);
}

#[test]
fn parts_that_do_not_fit_are_refused_and_told() {
    fn law<L: Layout>() {
        let (units, counter) = (Packed::<L>::MAX_PHYSICAL_UNITS, Packed::<L>::MAX_COUNTER);
        assert_eq!(Packed::<L>::from_parts(units, counter), Ok(Packed::MAX));
        assert_eq!(Packed::<L>::from_parts(0, 1), Ok(Packed::MIN));
        let too_large = [(units + 1, 0), (units + 1, counter), (u64::MAX, 0), (0, 0)];
        let counter_too_large = counter.checked_add(1).map(|counter| (1, counter));
        for (units, counter) in too_large.into_iter().chain(counter_too_large) {
            let error = Packed::<L>::from_parts(units, counter).unwrap_err();
            assert_eq!((error.physical_units(), error.counter()), (units, counter), "{}", L::NAME);
        }
    }
    in_every_layout!(law);
}

#[test]
fn the_unit_of_a_stamp_is_found_again_from_its_physical_time() {
    fn law<L: Layout>() {
        proptest!(|(stamp in stamps::<L>())| {
            let (units, time) = (stamp.physical_units(), stamp.physical_time());
            let first = Packed::from_parts(units, 0).unwrap_or(Packed::MIN);
            prop_assert_eq!(Packed::<L>::first_at(time), Some(first), "{}", L::NAME);
            let last = Packed::from_parts(units, Packed::<L>::MAX_COUNTER).ok();
            prop_assert_eq!(Packed::<L>::last_at(time), last);
            prop_assert!(first <= stamp && Some(stamp) <= last);
        });
    }
    in_every_layout!(law);
}

/// The naive form, in arithmetic too wide to overflow.
#[test]
fn a_reading_goes_to_the_unit_that_exact_arithmetic_says() {
    fn law<L: Layout>() {
        proptest!(ProptestConfig::with_cases(1_000), |(time in readings::<L>())| {
            let scaled = nanos_since_epoch::<L>(time) * u128::from(L::UNITS_PER_SECOND);
            let units = match L::ROUNDING {
                Rounding::Down => scaled / SECOND,
                Rounding::Up => scaled.div_ceil(SECOND),
            };
            let units = u64::try_from(units).ok().filter(|&units| units <= Packed::<L>::MAX_PHYSICAL_UNITS);
            let first = units.map(|units| Packed::<L>::from_parts(units, 0).unwrap_or(Packed::MIN));
            let last = units.map(|units| parts(units, u64::from(Packed::<L>::MAX_COUNTER)));
            prop_assert_eq!(Packed::<L>::first_at(time), first, "{}", L::NAME);
            prop_assert_eq!(Packed::<L>::last_at(time), last, "{}", L::NAME);
        });
    }
    in_every_layout!(law);
}

/// `l >= pt`, exactly in a layout that rounds up, to one unit in one that rounds down.
#[test]
fn a_stamp_is_less_than_one_unit_beside_its_reading_and_on_the_side_its_layout_says() {
    fn law<L: Layout>() {
        proptest!(ProptestConfig::with_cases(1_000), |(time in readings::<L>())| {
            let Some(stamp) = Packed::<L>::first_at(time) else { return Ok(()) };
            // Both in parts of a nanosecond, so that nothing is rounded.
            let units_per_second = u128::from(L::UNITS_PER_SECOND);
            let physical = u128::from(stamp.physical_units()) * SECOND;
            let reading = nanos_since_epoch::<L>(time) * units_per_second;
            match L::ROUNDING {
                Rounding::Up => prop_assert!(reading <= physical && physical < reading + SECOND),
                Rounding::Down => prop_assert!(physical <= reading && reading < physical + SECOND),
            }
            // The same of the rounded form, except before the epoch.
            if time.secs() >= L::EPOCH_UNIX_SECS {
                match L::ROUNDING {
                    Rounding::Up => prop_assert!(stamp.physical_time() >= time, "{}", L::NAME),
                    Rounding::Down => prop_assert!(stamp.physical_time() <= time, "{}", L::NAME),
                }
            }
        });
    }
    in_every_layout!(law);
}

#[test]
fn the_first_stamp_of_a_clock_at_a_reading_is_the_first_of_that_unit() {
    fn law<L: Layout>() {
        proptest!(|(time in readings::<L>())| {
            let mut clock = clock_at::<L>(time);
            match Packed::first_at(time) {
                Some(first) => prop_assert_eq!(clock.tick(), Ok(first)),
                None => prop_assert!(matches!(clock.tick(), Err(TickError::Exhausted(_)))),
            }
        });
    }
    in_every_layout!(law);
}

#[test]
fn next_and_previous_undo_each_other_and_nothing_lies_between() {
    fn law<L: Layout>() {
        proptest!(|(stamp in stamps::<L>())| {
            if let Some(next) = stamp.checked_next() {
                prop_assert_eq!(next.to_bits() - stamp.to_bits(), 1);
                prop_assert_eq!(next.checked_prev(), Some(stamp));
                let carried = stamp.counter() == Packed::<L>::MAX_COUNTER;
                prop_assert_eq!(next.physical_units() - stamp.physical_units(), u64::from(carried));
                prop_assert_eq!(next.counter(), if carried { 0 } else { stamp.counter() + 1 });
            }
            if let Some(previous) = stamp.checked_prev() {
                prop_assert_eq!(previous.checked_next(), Some(stamp));
            }
        });
        assert_eq!(Packed::<L>::MAX.checked_next(), None);
        assert_eq!(Packed::<L>::MIN.checked_prev(), None);
    }
    in_every_layout!(law);
}

#[test]
fn time_between_stamps_adds_up_and_is_never_negative() {
    fn law<L: Layout>() {
        proptest!(|(a in stamps::<L>(), b in stamps::<L>(), c in stamps::<L>())| {
            let mut sorted = [a, b, c];
            sorted.sort();
            let [a, b, c] = sorted;
            let between = |later: Packed<L>, earlier| later.duration_since(earlier);
            prop_assert_eq!(between(c, a).unwrap(), between(c, b).unwrap() + between(b, a).unwrap());
            prop_assert_eq!(between(a, b), (a == b).then_some(Duration::ZERO));
            let units = u128::from(c.physical_units() - a.physical_units());
            let nanos = between(c, a).unwrap().as_nanos();
            // Both ends may be rounded to the nanosecond.
            prop_assert!(nanos.abs_diff(units * SECOND / u128::from(L::UNITS_PER_SECOND)) <= 1);
        });
        let last = Packed::<L>::from_parts(9, Packed::<L>::MAX_COUNTER).unwrap();
        assert_eq!(last.duration_since(parts(9, 0)), Some(Duration::ZERO), "counters do not count");
    }
    in_every_layout!(law);
}

/// A layout's last unit, and the first reading that is past it.
#[test]
fn every_layout_ends_where_its_bits_do() {
    fn end<L: Layout>(last: &str) {
        assert_eq!(Packed::<L>::MAX.human().to_string(), last);
        let end = Packed::<L>::MAX.physical_time();
        assert_eq!(Packed::<L>::last_at(end), Some(Packed::MAX));
        assert_eq!(Packed::<L>::first_at(PhysicalTime::MAX), None);

        let unit = Duration::from_nanos(1_000_000_000_u64.div_ceil(L::UNITS_PER_SECOND));
        let past = end.checked_add(unit).unwrap();
        assert_eq!((Packed::<L>::first_at(past), Packed::<L>::last_at(past)), (None, None), "{}", L::NAME);
        // Between the last unit and the one that there is not.
        let between = end.checked_add(unit / 2).unwrap();
        let reached = match L::ROUNDING {
            Rounding::Down => Some(Packed::MAX),
            Rounding::Up => None,
        };
        assert_eq!(Packed::<L>::last_at(between), reached, "{}", L::NAME);

        let mut clock = clock_at::<L>(end);
        let first = clock.tick().unwrap();
        assert_eq!((first.physical_units(), first.counter()), (Packed::<L>::MAX_PHYSICAL_UNITS, 0));
        let mut clock = clock.resume_after(Packed::MAX);
        assert!(matches!(clock.tick(), Err(TickError::Exhausted(_))), "{}", L::NAME);
        assert_eq!(clock.last(), Some(Packed::MAX));
    }
    end::<Unix48>("+10889-08-02T05:31:50.655Z+65535");
    end::<Micros52>("2112-09-17T23:53:47.370495Z+4095");
    end::<Ntp48>("2106-02-07T06:28:15.999984Z+65535");
    end::<Ntp60>("2106-02-07T06:28:15.999999997Z+15");
    end::<Millis46>("4199-11-24T01:22:57.663Z+262143");
    end::<Millis42Y2022>("2161-05-15T07:35:11.103Z+4194303");
    end::<Secs32>("2106-02-07T06:28:15Z+4294967295");
}

#[test]
fn a_reading_before_the_layouts_epoch_reads_as_the_epoch() {
    type Restate = Packed<Millis42Y2022>;
    for secs in [0, 1, 1_640_995_199] {
        let time = PhysicalTime::new(secs, 999_999_999).unwrap();
        assert_eq!(Restate::first_at(time), Some(Restate::MIN));
        assert_eq!(Restate::last_at(time), Restate::from_parts(0, 4_194_303).ok());
        let mut clock = Clock::<_, Millis42Y2022>::with_layout(ManualSource::at(time));
        assert_eq!(clock.tick(), Ok(Restate::MIN));
        assert_eq!(clock.tick().unwrap().physical_time(), PhysicalTime::from_secs(1_640_995_200));
    }
    let first = PhysicalTime::new(1_640_995_200, 1_000_000).unwrap();
    assert_eq!(Restate::first_at(first), Restate::from_parts(1, 0).ok());
}

#[test]
fn a_range_scan_finds_the_stamps_of_its_readings_and_no_others() {
    fn law<L: Layout>() {
        proptest!(|(times in prop::array::uniform3(readings::<L>()))| {
            let mut sorted = times;
            sorted.sort();
            let [from, inside, to] = sorted;
            let (Some(first), Some(last)) = (Packed::<L>::first_at(from), Packed::<L>::last_at(to)) else {
                return Ok(());
            };
            let mut clock = clock_at::<L>(inside);
            let stamp = clock.tick().unwrap();
            prop_assert!(first <= stamp && stamp <= last, "{}", L::NAME);
            prop_assert!(first.checked_prev().is_none_or(|below| Some(below) < Packed::first_at(from)));
            prop_assert!(last.checked_next().is_none_or(|above| Some(above) > Packed::last_at(to)));
        });
    }
    in_every_layout!(law);
}

// What follows are numbers of the systems that speak these layouts, read in their own tests and documents.
// Where those give parts and not the packed number, the number here is `physical << bits | counter`.

/// RFC 9562, appendix A.6, and the crate `uuid`, `src/v7.rs`, test `test_new`: 1645557742000 ms is the UUIDv7
/// that begins with 017f22e2-79b0.
#[test]
fn unix48_holds_the_milliseconds_of_a_uuid_v7() {
    let stamp: Timestamp = parts(1_645_557_742_000, 0);
    assert_eq!(stamp.to_bytes()[..6], [0x01, 0x7f, 0x22, 0xe2, 0x79, 0xb0]);
    assert_eq!(stamp.human().to_string(), "2022-02-22T19:22:22.000Z+0");
}

/// apache/kudu, `src/kudu/clock/hybrid_clock-test.cc`, `MockHybridClockTest.TestMockedSystemClock`: at
/// 1234 * 1000 us, then the same with logical value 1. (At time zero Kudu's first stamp is 0, and its second
/// is 1; here zero is no stamp.)
#[test]
fn micros52_is_kudus_hybrid_time() {
    let source = ManualSource::at(PhysicalTime::UNIX_EPOCH);
    let mut clock = Clock::<_, Micros52>::with_layout(&source);
    assert_eq!(clock.tick().unwrap().to_bits(), 1);
    source.set(PhysicalTime::from_micros(1234 * 1000));
    assert_eq!(clock.tick().unwrap().to_bits(), 5_054_464_000);
    assert_eq!(clock.tick().unwrap().to_bits(), 5_054_464_001);
}

/// apache/kudu, `src/kudu/clock/hybrid_clock-test.cc`, `MockHybridClockTest.TestClockDealsWithWrapping`
/// (KUDU-1345): wall time 1000 us, a remote stamp of 1010 us, 10,000 reads: 1012 us. It stays there until
/// wall time has passed 1012 us, and then follows it.
#[test]
fn micros52_carries_as_kudu_does() {
    let source = ManualSource::at(PhysicalTime::from_micros(1000));
    let mut clock = Clock::<_, Micros52>::with_layout(&source);
    clock.tick().unwrap();
    clock.merge(parts(1010, 0)).unwrap();
    let last = (0..10_000).map(|_| clock.tick().unwrap()).last().unwrap();
    assert_eq!((last.physical_units(), last.counter()), (1012, 1808));
    for micros in 1001..1020 {
        source.set(PhysicalTime::from_micros(micros));
        assert_eq!(clock.tick().unwrap().physical_units(), micros.max(1012));
    }
}

/// apache/kudu, `src/kudu/clock/hybrid_clock-test.cc`, `HybridClockTest.TestGetPhysicalComponentDifference`:
/// (100 us, 100) and (200 us, 0) are 100 us apart.
#[test]
fn micros52_counts_time_between_stamps_as_kudu_does() {
    let (earlier, later) = (parts::<Micros52>(100, 100), parts(200, 0));
    assert_eq!(later.duration_since(earlier), Some(Duration::from_micros(100)));
    assert_eq!(earlier.duration_since(later), None);
}

/// yugabyte/yugabyte-db, docs, page "Change data capture", section "Get current hybrid time LSN" (stable and
/// v2025.1): 62E8B786/937E7000; 12 logical bits as in `src/yb/common/hybrid_time.h`.
#[test]
fn micros52_is_yugabytes_hybrid_time() {
    let stamp = Packed::<Micros52>::from_bits(0x62E8_B786_937E_7000).unwrap();
    assert_eq!((stamp.physical_units(), stamp.counter()), (1_740_026_415_757_287, 0));
    assert_eq!(stamp.human().to_string(), "2025-02-20T04:40:15.757287Z+0");
}

/// Kulkarni et al. 2014, section 6.2: the most significant 48 bits of an NTP timestamp, and 16 bits of
/// counter. The paper has no worked number; the NTP timestamp here is the one of the next test.
#[test]
fn ntp48_is_the_high_48_bits_of_the_ntp_timestamp_rounded_up() {
    let ntp: u64 = 7_386_690_599_959_157_260;
    let nanos = ((ntp & 0xffff_ffff) * 1_000_000_000) >> 32;
    let time = PhysicalTime::new(ntp >> 32, u32::try_from(nanos).unwrap()).unwrap();
    let stamp = Packed::<Ntp48>::first_at(time).unwrap();
    assert_eq!(stamp.to_bits(), 0x6682_CBF6_DC49_0000);
    assert_eq!(stamp.to_bits(), (ntp + 0xffff) & !0xffff);
    assert_eq!(Packed::<Ntp48>::first_at(stamp.physical_time()), Some(stamp), "a unit itself stays");
}

/// atolab/uhlc-rs 0.9.0, `src/ntp64.rs`, documentation of `Display`: 7386690599959157260 is
/// 2024-07-01T15:32:06.860479, and 4 bits count (`CSIZE`, `src/lib.rs`).
#[test]
fn ntp60_is_uhlcs_ntp64() {
    let stamp = Packed::<Ntp60>::from_bits(7_386_690_599_959_157_260).unwrap();
    assert_eq!(stamp.counter(), 12);
    assert_eq!(stamp.physical_time().secs(), 1_719_847_926);
    // uhlc reads the counter as time too: 12 units of 2^-32 s, not quite 3 ns.
    let with_counter = ((stamp.to_bits() & 0xffff_ffff) * 1_000_000_000) >> 32;
    assert_eq!(with_counter, 860_479_000);
    assert_eq!(stamp.human().to_string(), "2024-07-01T15:32:06.860478998Z+12");
}

/// atolab/uhlc-rs 0.9.0, `src/ntp64.rs`, tests `as_nanos` (42 s and 84 ns), `duration_conversion` (1 s) and
/// `as_secs_f64` (the counter alone is below 3.5 ns, so that a unit is what comes next: 16 / 2^32 s).
#[test]
fn ntp60_rounds_to_uhlcs_unit() {
    let at = |secs, nanos| Packed::<Ntp60>::first_at(PhysicalTime::new(secs, nanos).unwrap()).unwrap();
    assert_eq!(at(1, 0).to_bits(), 1 << 32);
    // uhlc's own number is 360 above 42 s; its clock leaves the last four bits to the counter.
    assert_eq!(at(42, 84).to_bits(), (42 << 32) | (360 & !0xf));
    assert_eq!(at(42, 84).physical_time(), PhysicalTime::new(42, 82).unwrap());
    assert_eq!(at(0, 3).to_bits(), 1, "below one unit: the epoch, whose first stamp has counter one");
    assert_eq!(at(0, 4).to_bits(), 16);
}

/// pingcap/docs, `tso.md`: 443852055297916932 is 1693161221.687 s (2023-08-27 20:33:41.687 at +02:00),
/// logical 4.
#[test]
fn millis46_is_the_timestamp_of_the_tidb_documentation() {
    let stamp = Packed::<Millis46>::from_bits(443_852_055_297_916_932).unwrap();
    assert_eq!((stamp.physical_units(), stamp.counter()), (1_693_161_221_687, 4));
    assert_eq!(stamp.human().to_string(), "2023-08-27T18:33:41.687Z+4");
    assert_eq!(parts::<Millis46>(1_693_161_221_687, 4), stamp);
}

/// pingcap/tidb, `pkg/expression/builtin_time_test.go`, `TestTidbParseTso`, in UTC.
#[test]
fn millis46_is_the_timestamp_of_the_tidb_tests() {
    let human = |bits| Packed::<Millis46>::from_bits(bits).unwrap().human().to_string();
    assert_eq!(human(404_411_537_129_996_288), "2018-11-20T09:53:04.877Z+0");
    assert_eq!(human(1), "1970-01-01T00:00:00.000Z+1");
}

/// restatedev/restate, `crates/clock/src/unique_timestamp.rs`: `PHY_TIME_MAX` 4398046511103 is
/// 2161-05-15 07:35:11, and test `to_from_unix_timestamp`: 1704067200120 ms is 2024-01-01 00:00:00.120;
/// the epoch, 1640995200000 ms, stands in `crates/clock/src/lib.rs`.
#[test]
fn millis42_y2022_is_restates_unique_timestamp() {
    type Restate = Packed<Millis42Y2022>;
    assert_eq!(Restate::MAX_PHYSICAL_UNITS, 4_398_046_511_103);
    assert_eq!(Restate::MAX_COUNTER, 4_194_303);
    let stamp = Restate::first_at(PhysicalTime::from_millis(1_704_067_200_120)).unwrap();
    assert_eq!(stamp.physical_units(), 1_704_067_200_120 - 1_640_995_200_000);
    assert_eq!(stamp.to_bits(), 264_543_142_391_316_480);
    assert_eq!(stamp.human().to_string(), "2024-01-01T00:00:00.120Z+0");
}

/// mongodb/specifications, `source/bson-corpus/tests/timestamp.json`: (123456789, 42), whose eight bytes BSON
/// writes with the low one first, and both fields with every bit set.
#[test]
fn secs32_has_the_bits_of_a_bson_timestamp() {
    let mut bson = [0x2A, 0, 0, 0, 0x15, 0xCD, 0x5B, 0x07];
    bson.reverse();
    let stamp = Packed::<Secs32>::from_bytes(bson).unwrap();
    assert_eq!((stamp.physical_units(), stamp.counter()), (123_456_789, 42));
    assert_eq!(stamp.human().to_string(), "1973-11-29T21:33:09Z+42");
    assert_eq!(Packed::<Secs32>::from_parts(4_294_967_295, 4_294_967_295), Ok(Packed::MAX));
}

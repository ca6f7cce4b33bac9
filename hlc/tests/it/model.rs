//! The paper's algorithm as the paper writes it, in pairs, driven with the same commands as both clocks.

use core::{num::NonZeroU32, time::Duration};

use hlc::{
    AtomicClock, Clock, Packed, PhysicalTime, SkewPolicy,
    layout::{Layout, Micros52, Ntp48, Ntp60, Secs32, Unix48},
    source::ManualSource,
};
use proptest::prelude::*;

/// The limit for remote stamps, in seconds.
const LIMIT: u64 = 5;

/// Physical time `l` in units and counter `c`, in numbers that cannot overflow.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
struct Pair {
    l: u128,
    c: u128,
}

impl Pair {
    /// Figure 5: the greatest of the `l`s keeps counting, a new `l` starts at zero. A counter above its
    /// maximum carries, which the paper leaves open.
    fn next(known: Self, physical: u128, max_counter: u128) -> Self {
        if physical > known.l {
            return Self { l: physical, c: 0 };
        }
        if known.c == max_counter {
            Self { l: known.l + 1, c: 0 }
        } else {
            Self { l: known.l, c: known.c + 1 }
        }
    }
}

#[derive(Clone, Debug)]
enum Command {
    /// Sets the physical clock, in nanoseconds around a fixed moment.
    Set(u64),
    Tick,
    Reserve(u32),
    /// A remote stamp this many nanoseconds away from physical time, with a counter near one of its ends.
    Observe(i64, i8),
    Merge(i64, i8),
    Committed(i64, i8),
}

fn commands() -> impl Strategy<Value = Vec<Command>> {
    let near = prop_oneof![-3_000_000_000_i64..8_000_000_000, -2_000_000_i64..2_000_000, -3_i64..3];
    let at_limit = (-2_i64..3).prop_map(|off| off + 5_000_000_000);
    let away = prop_oneof![3 => near, 1 => at_limit];
    let command = prop_oneof![
        (0_u64..10_000_000_000).prop_map(Command::Set),
        (0_u64..20).prop_map(|units| Command::Set(units * 500_000_000)),
        Just(Command::Tick),
        (1_u32..200).prop_map(Command::Reserve),
        (away.clone(), -2_i8..3).prop_map(|(away, c)| Command::Observe(away, c)),
        (away.clone(), -2_i8..3).prop_map(|(away, c)| Command::Merge(away, c)),
        (away, -2_i8..3).prop_map(|(away, c)| Command::Committed(away, c)),
    ];
    prop::collection::vec(command, 1..60)
}

const START: u64 = 1_800_000_000;

/// A stamp `away` nanoseconds from `now`, counting up from zero or down from the maximum.
fn remote<L: Layout>(now: u64, away: i64, counter: i8) -> Packed<L> {
    let time = PhysicalTime::from_nanos(now.saturating_add_signed(away));
    let unit = Packed::<L>::first_at(time).unwrap().physical_units();
    let counter = match u32::try_from(counter) {
        Ok(up) => up.min(Packed::<L>::MAX_COUNTER),
        Err(_) => Packed::<L>::MAX_COUNTER - u32::from(counter.unsigned_abs() - 1),
    };
    Packed::from_parts(unit, counter).unwrap()
}

fn agrees<L: Layout>(commands: &[Command]) {
    let max = u128::from(Packed::<L>::MAX_COUNTER);
    let pair = |stamp: Packed<L>| Pair { l: stamp.physical_units().into(), c: stamp.counter().into() };
    let source = ManualSource::at(PhysicalTime::from_secs(START));
    let policy = SkewPolicy::AtMost(Duration::from_secs(LIMIT));
    let mut owned = Clock::<_, L>::with_layout(&source).with_skew_policy(policy);
    let shared = AtomicClock::<_, L>::with_layout(&source).with_skew_policy(policy);
    let mut now = START * 1_000_000_000;
    let mut model = Pair { l: 0, c: 0 };

    for command in commands {
        let scaled = u128::from(now) * u128::from(L::UNITS_PER_SECOND);
        let down = scaled / 1_000_000_000;
        let physical = match L::ROUNDING {
            hlc::layout::Rounding::Down => down,
            hlc::layout::Rounding::Up => scaled.div_ceil(1_000_000_000),
        };
        // Ahead of physical time by the successor's unit, in exact fractions.
        let too_far = |stamp: Packed<L>| {
            let successor = Pair::next(pair(stamp), 0, max);
            successor.l * 1_000_000_000
                > scaled + u128::from(LIMIT) * u128::from(L::UNITS_PER_SECOND) * 1_000_000_000
        };
        match *command {
            Command::Set(nanos) => {
                now = START * 1_000_000_000 + nanos;
                source.set(PhysicalTime::from_nanos(now));
            }
            Command::Tick => {
                model = Pair::next(model, physical, max);
                assert_eq!(pair(owned.tick().unwrap()), model);
                assert_eq!(pair(shared.tick().unwrap()), model);
            }
            Command::Reserve(count) => {
                let block = owned.reserve(NonZeroU32::new(count).unwrap());
                assert_eq!(shared.reserve(NonZeroU32::new(count).unwrap()), block);
                // The model may stay behind a refusal: the block's last is then past the limit.
                let mut last = model;
                let is_refused = block.is_err();
                let mut stamps = block.into_iter().flatten();
                for _ in 0..count {
                    last = Pair::next(last, physical, max);
                    assert!(is_refused || stamps.next().map(pair) == Some(last));
                }
                match is_refused {
                    false => model = last,
                    true => assert!(last.l > down + u128::from(LIMIT) * u128::from(L::UNITS_PER_SECOND)),
                }
            }
            Command::Observe(away, counter) => {
                let remote = remote::<L>(now, away, counter);
                let received = owned.observe(remote);
                assert_eq!(shared.observe(remote), received);
                if pair(remote) > model && too_far(remote) {
                    assert!(received.is_err());
                } else {
                    let known = if pair(remote) > model { pair(remote) } else { model };
                    model = Pair::next(known, physical, max);
                    assert_eq!(pair(received.unwrap()), model);
                }
            }
            Command::Merge(away, counter) => {
                let remote = remote::<L>(now, away, counter);
                let merged = owned.merge(remote);
                assert_eq!(shared.merge(remote), merged);
                assert_eq!(merged.is_err(), pair(remote) > model && too_far(remote));
                if merged.is_ok() && pair(remote) > model {
                    model = pair(remote);
                }
            }
            Command::Committed(away, counter) => {
                let remote = remote::<L>(now, away, counter);
                owned.merge_committed(remote).unwrap();
                shared.merge_committed(remote).unwrap();
                if pair(remote) > model {
                    model = pair(remote);
                }
            }
        }
        let last = owned.last().map_or(Pair { l: 0, c: 0 }, pair);
        assert_eq!(last, model, "after {command:?}");
        assert_eq!(shared.last(), owned.last());
    }
    assert_eq!(shared.snapshot(), owned.snapshot(), "the two clocks count alike");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn both_clocks_agree_with_the_paper_in_pairs(commands in commands()) {
        agrees::<Unix48>(&commands);
        agrees::<Micros52>(&commands);
        agrees::<Ntp48>(&commands);
        agrees::<Ntp60>(&commands);
        agrees::<Secs32>(&commands);
    }
}

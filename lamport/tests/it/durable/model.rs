//! Random histories over a mark with scripted faults: both clocks, against what the world has been told.

use core::num::NonZeroU32;

use high_water::{Mark, MemoryMark, Outcome};
use lamport::{AtomicDurableClock, Block, DurableClock, Time};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Command {
    Tick,
    Reserve(u32),
    /// A time so far above the clock's last.
    Observe(u64),
    Merge(u64),
    Committed(u64),
    Upkeep,
    /// The process dies, and its successor opens the mark.
    Restart,
}

fn commands() -> impl Strategy<Value = Vec<Command>> {
    let ahead = prop_oneof![0..40_u64, 0..1_u64 << 41];
    prop::collection::vec(
        prop_oneof![
            6 => Just(Command::Tick),
            2 => (1..50_u32).prop_map(Command::Reserve),
            2 => ahead.clone().prop_map(Command::Observe),
            1 => ahead.clone().prop_map(Command::Merge),
            1 => ahead.prop_map(Command::Committed),
            3 => Just(Command::Upkeep),
            1 => Just(Command::Restart),
        ],
        1..100,
    )
}

fn outcomes() -> impl Strategy<Value = Vec<Outcome>> {
    prop::collection::vec(
        prop_oneof![
            8 => Just(Outcome::Acknowledged),
            1 => Just(Outcome::NotRaised),
            1 => Just(Outcome::IndeterminateAndRaised),
            1 => Just(Outcome::IndeterminateAndNotRaised),
        ],
        0..40,
    )
}

/// Plays a history on a clock of this type: nothing handed out repeats or falls, and nothing is above the bound, in
/// any life. Returns how many times were handed out.
macro_rules! play {
    ($clock:ident, $commands:expr, $outcomes:expr) => {{
        let outcomes: Vec<Outcome> = $outcomes;
        let script = move |nth: u64| {
            let nth = usize::try_from(nth).unwrap();
            outcomes.get(nth).copied().unwrap_or(Outcome::Acknowledged)
        };
        let open = |mark| $clock::new(mark).with_block(Block::new(16).unwrap());
        let mut clock = open(MemoryMark::scripted(0, script));
        let (mut greatest, mut handed) = (Time::ZERO, 0_u64);
        for command in $commands {
            let before = clock.last();
            let ahead = |by: u64| Time::new(before.get().saturating_add(by));
            let got = match *command {
                Command::Tick => clock.tick().ok().map(|time| (time, time)),
                Command::Reserve(count) => {
                    clock.reserve(NonZeroU32::new(count).unwrap()).ok().map(|mut times| {
                        let first = times.next().unwrap();
                        (first, times.last().unwrap_or(first))
                    })
                }
                Command::Observe(by) => clock.observe(ahead(by)).ok().map(|time| {
                    assert!(time > ahead(by));
                    (time, time)
                }),
                Command::Merge(by) => {
                    assert!(clock.merge(ahead(by)).is_ok() || clock.last() == before);
                    None
                }
                Command::Committed(by) => {
                    assert!(clock.merge_committed(ahead(by)).is_ok() || clock.last() == before);
                    None
                }
                Command::Upkeep => {
                    let _ = clock.upkeep();
                    None
                }
                Command::Restart => {
                    clock = open(clock.into_mark().restart());
                    assert!(clock.last() >= greatest, "a life begins above all that was handed out");
                    None
                }
            };
            if let Some((first, last)) = got {
                assert!(first > greatest, "{command:?} gave {first}, and {greatest} had been");
                (greatest, handed) = (last, handed + 1);
            }
            assert!(clock.last() <= clock.snapshot().bound, "{command:?} left the clock above its bound");
        }
        let (last, bound) = (clock.last(), clock.snapshot().bound);
        let durable = clock.into_mark().restart().get();
        assert!(last <= bound && bound.get() <= durable, "the mark covers everything");
        handed
    }};
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_handed_out_twice_or_above_the_bound_whatever_becomes_of_the_raises(
        commands in commands(),
        outcomes in outcomes(),
    ) {
        play!(DurableClock, &commands, outcomes.clone());
        play!(AtomicDurableClock, &commands, outcomes);
    }
}

#[test]
fn the_histories_of_the_model_hand_out_times() {
    let commands: Vec<Command> = (0..100)
        .flat_map(|_| [Command::Upkeep, Command::Tick, Command::Observe(3), Command::Restart])
        .collect();
    assert_eq!(play!(DurableClock, &commands, Vec::new()), 200);
    assert_eq!(play!(AtomicDurableClock, &commands, Vec::new()), 200);
}

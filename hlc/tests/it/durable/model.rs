//! Random histories over a mark with scripted faults: both clocks, against what the world has been told.

use core::num::NonZeroU32;

use high_water::{Mark, MemoryMark, Outcome};
use hlc::{
    AtomicDurableClock, DurableClock, ObserveError, Packed, PhysicalTime, TickError, layout::Unix48,
    source::ManualSource,
};
use proptest::prelude::*;

use super::START;

#[derive(Clone, Debug)]
enum Command {
    /// Sets the physical clock, in milliseconds around the start: back, too.
    Set(i64),
    Tick,
    Reserve(u32),
    /// A stamp so many milliseconds from physical time.
    Observe(i64),
    Merge(i64),
    Committed(i64),
    Upkeep,
    /// The process dies, and its successor opens the mark.
    Restart,
}

fn commands() -> impl Strategy<Value = Vec<Command>> {
    let away = prop_oneof![-2_000_i64..2_000, -600_i64..600];
    prop::collection::vec(
        prop_oneof![
            2 => prop_oneof![-5_000_000_i64..5_000_000, -300_i64..300].prop_map(Command::Set),
            6 => Just(Command::Tick),
            2 => (1_u32..200_000).prop_map(Command::Reserve),
            2 => away.clone().prop_map(Command::Observe),
            1 => away.clone().prop_map(Command::Merge),
            1 => away.prop_map(Command::Committed),
            3 => Just(Command::Upkeep),
            1 => Just(Command::Restart),
        ],
        1..80,
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

/// A mark whose script is a list; beyond it, everything is acknowledged.
type Scripted = MemoryMark<Box<dyn FnMut(u64) -> Outcome>>;

fn mark(outcomes: Vec<Outcome>) -> Scripted {
    let script = move |nth: u64| {
        usize::try_from(nth).ok().and_then(|nth| outcomes.get(nth)).copied().unwrap_or(Outcome::Acknowledged)
    };
    MemoryMark::scripted(0, Box::new(script))
}

/// What both clocks do alike.
trait Durable {
    fn of(source: &'static ManualSource, mark: Scripted) -> Self;
    fn tick(&mut self) -> Result<u64, TickError>;
    fn reserve(&mut self, count: NonZeroU32) -> Result<(u64, u64), TickError>;
    fn observe(&mut self, remote: Packed<Unix48>) -> Result<u64, ObserveError>;
    fn merge(&mut self, remote: Packed<Unix48>) -> Result<(), ObserveError>;
    fn committed(&mut self, remote: Packed<Unix48>) -> Result<(), ObserveError>;
    fn upkeep(&mut self) -> bool;
    fn last(&self) -> u64;
    fn bound(&self) -> u64;
    fn crash(self) -> Scripted;
}

macro_rules! durable {
    ($clock:ident) => {
        impl Durable for $clock<&'static ManualSource, Scripted> {
            fn of(source: &'static ManualSource, mark: Scripted) -> Self {
                $clock::new(source, mark)
            }
            fn tick(&mut self) -> Result<u64, TickError> {
                Ok($clock::tick(self)?.to_bits())
            }
            fn reserve(&mut self, count: NonZeroU32) -> Result<(u64, u64), TickError> {
                let mut block = $clock::reserve(self, count)?;
                let first = block.next().unwrap();
                Ok((first.to_bits(), block.last().unwrap_or(first).to_bits()))
            }
            fn observe(&mut self, remote: Packed<Unix48>) -> Result<u64, ObserveError> {
                Ok($clock::observe(self, remote)?.to_bits())
            }
            fn merge(&mut self, remote: Packed<Unix48>) -> Result<(), ObserveError> {
                $clock::merge(self, remote)
            }
            fn committed(&mut self, remote: Packed<Unix48>) -> Result<(), ObserveError> {
                $clock::merge_committed(self, remote)
            }
            fn upkeep(&mut self) -> bool {
                $clock::upkeep(self).is_ok()
            }
            fn last(&self) -> u64 {
                $clock::last(self).map_or(0, Packed::to_bits)
            }
            fn bound(&self) -> u64 {
                self.snapshot().bound().map_or(0, Packed::to_bits)
            }
            fn crash(self) -> Scripted {
                self.into_mark().restart()
            }
        }
    };
}
durable!(DurableClock);
durable!(AtomicDurableClock);

/// Plays a history; nothing issued repeats or falls, and nothing is above the bound, in any life.
fn play<C: Durable>(commands: &[Command], outcomes: Vec<Outcome>) -> u64 {
    // Lives as long as the process: one for each case, of 24 bytes.
    let source: &'static ManualSource = Box::leak(Box::new(ManualSource::at_millis(START)));
    let mut now = START;
    let mut clock = C::of(source, mark(outcomes));
    let (mut greatest, mut issued) = (0, 0);
    let remote = |now: u64, away: i64| {
        Packed::<Unix48>::first_at(PhysicalTime::from_millis(now.saturating_add_signed(away))).unwrap()
    };
    for command in commands {
        let before = clock.last();
        let mut told = |first: u64, last: u64| {
            assert!(first > greatest, "{command:?} issued {first:x}, and {greatest:x} had been");
            (greatest, issued) = (last, issued + 1);
        };
        let done = match *command {
            Command::Set(away) => {
                now = START.saturating_add_signed(away);
                source.set_millis(now);
                true
            }
            Command::Tick => clock.tick().map(|stamp| told(stamp, stamp)).is_ok(),
            Command::Reserve(count) => {
                clock.reserve(NonZeroU32::new(count).unwrap()).map(|(first, last)| told(first, last)).is_ok()
            }
            Command::Observe(away) => {
                let remote = remote(now, away);
                clock
                    .observe(remote)
                    .map(|stamp| {
                        assert!(stamp > remote.to_bits());
                        told(stamp, stamp);
                    })
                    .is_ok()
            }
            Command::Merge(away) => clock.merge(remote(now, away)).is_ok(),
            Command::Committed(away) => clock.committed(remote(now, away)).is_ok(),
            Command::Upkeep => {
                clock.upkeep();
                true
            }
            Command::Restart => {
                clock = C::of(source, clock.crash());
                assert!(clock.last() >= greatest, "a life begins above all that was issued");
                true
            }
        };
        assert!(done || clock.last() == before, "{command:?} was refused and moved the clock");
        assert!(clock.last() <= clock.bound(), "{command:?} left the clock above its bound");
    }
    let (last, bound) = (clock.last(), clock.bound());
    let mark = clock.crash();
    assert!(last <= bound && bound <= mark.get() && greatest <= mark.get(), "the mark covers everything");
    issued
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_issued_twice_or_above_the_bound_whatever_becomes_of_the_raises(
        commands in commands(),
        outcomes in outcomes(),
    ) {
        play::<DurableClock<_, _>>(&commands, outcomes.clone());
        play::<AtomicDurableClock<_, _>>(&commands, outcomes);
    }
}

#[test]
fn the_histories_of_the_model_issue_stamps() {
    let commands: Vec<Command> = (0..100_i64)
        .flat_map(|step| {
            [Command::Set(step * 40), Command::Upkeep, Command::Tick, Command::Observe(100), Command::Restart]
        })
        .collect();
    assert_eq!(play::<DurableClock<_, _>>(&commands, Vec::new()), 200);
    assert!(play::<AtomicDurableClock<_, _>>(&commands, Vec::new()) > 150);
}

//! A naive clock in wide numbers, driven with the same random commands as both real ones.

use core::num::NonZeroU32;

use lamport::{AtomicClock, Clock, MaxJump, Snapshot, Time};
use proptest::prelude::*;

#[derive(Clone, Copy, Debug)]
enum Command {
    Tick,
    Observe(u64),
    Merge(u64),
    Commit(u64),
    Reserve(NonZeroU32),
    Resume(u64),
    ResumeUnbounded(u64),
}

/// What a call answered: the first and last time it gave, none, or that it was refused.
type Answer = Result<Option<(u64, u64)>, ()>;

/// The clock as the documentation tells it, in 128 bits, where nothing can overflow.
#[derive(Default)]
struct Naive {
    last: u128,
    limit: Option<u128>,
    jumps: u64,
    ends: u64,
    exhausted: u64,
}

impl Naive {
    fn learn(&mut self, remote: u64, limit: Option<u128>) -> Result<u128, ()> {
        let remote = u128::from(remote);
        if let Some(limit) = limit.filter(|_| remote > self.last) {
            if remote - self.last > limit {
                self.jumps += 1;
                return Err(());
            }
            if remote >= 1 << 63 {
                self.ends += 1;
                return Err(());
            }
        }
        Ok(self.last.max(remote))
    }

    fn give(&mut self, from: u128, count: u32) -> Answer {
        let last = from + u128::from(count);
        if last >= 1 << 64 {
            self.exhausted += 1;
            return Err(());
        }
        self.last = last;
        Ok(Some((u64::try_from(from + 1).unwrap(), u64::try_from(last).unwrap())))
    }

    fn run(&mut self, command: Command) -> Answer {
        match command {
            Command::Tick => self.give(self.last, 1),
            Command::Reserve(count) => self.give(self.last, count.get()),
            Command::Observe(remote) => {
                let from = self.learn(remote, self.limit)?;
                self.give(from, 1)
            }
            Command::Merge(remote) => {
                self.last = self.learn(remote, self.limit)?;
                Ok(None)
            }
            Command::Resume(after) => {
                self.last = self.learn(after, Some(u128::MAX))?;
                Ok(None)
            }
            Command::Commit(remote) | Command::ResumeUnbounded(remote) => {
                self.last = self.learn(remote, None)?;
                Ok(None)
            }
        }
    }
}

fn one(time: Time) -> Option<(u64, u64)> {
    Some((time.get(), time.get()))
}

/// The same call on a real clock, whether by `&mut` or by `&`.
macro_rules! run {
    ($clock:expr, $command:expr) => {
        match $command {
            Command::Tick => $clock.tick().map(one).map_err(drop),
            Command::Observe(remote) => $clock.observe(Time::new(remote)).map(one).map_err(drop),
            Command::Merge(remote) => $clock.merge(Time::new(remote)).map(|()| None).map_err(drop),
            Command::Commit(remote) => Ok({
                $clock.merge_committed(Time::new(remote));
                None
            }),
            Command::Reserve(count) => {
                $clock.reserve(count).map_err(drop).map(|mut times| match (times.next(), times.next_back()) {
                    (Some(first), Some(last)) => Some((first.get(), last.get())),
                    (first, _) => first.and_then(one),
                })
            }
            Command::Resume(after) => $clock.resume_after(Time::new(after)).map(|()| None).map_err(drop),
            Command::ResumeUnbounded(after) => Ok({
                $clock.resume_after_unbounded(Time::new(after));
                None
            }),
        }
    };
}

fn numbers() -> impl Strategy<Value = u64> {
    prop_oneof![
        6 => 0..200_u64,
        2 => (0..4_u64).prop_map(|off| (1 << 40) + off),
        1 => (0..4_u64).prop_map(|off| (1 << 63) - 2 + off),
        1 => (0..4_u64).prop_map(|off| u64::MAX - off),
        1 => any::<u64>(),
    ]
}

fn commands() -> impl Strategy<Value = Command> {
    let count = prop_oneof![1..5_u32, Just(u32::MAX)].prop_map(|count| NonZeroU32::new(count).unwrap());
    prop_oneof![
        8 => Just(Command::Tick),
        8 => numbers().prop_map(Command::Observe),
        8 => numbers().prop_map(Command::Merge),
        4 => count.prop_map(Command::Reserve),
        2 => numbers().prop_map(Command::Resume),
        1 => numbers().prop_map(Command::Commit),
        1 => numbers().prop_map(Command::ResumeUnbounded),
    ]
}

fn policies() -> impl Strategy<Value = (MaxJump, Option<u128>)> {
    let limits = prop_oneof![0..50_u64, Just(1 << 40), any::<u64>()];
    prop_oneof![
        4 => limits.prop_map(|limit| (MaxJump::AtMost(limit), Some(u128::from(limit)))),
        1 => Just((MaxJump::Unbounded, None)),
    ]
}

fn numbers_of(seen: Snapshot) -> (u128, u64, u64, u64) {
    (seen.last.get().into(), seen.jump_exceeded, seen.end_reserved, seen.exhausted)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn both_clocks_answer_every_command_as_the_naive_one_does(
        (policy, limit) in policies(),
        commands in prop::collection::vec(commands(), 1..60),
    ) {
        let mut naive = Naive { limit, ..Naive::default() };
        let mut owned = Clock::new().with_max_jump(policy);
        let atomic = AtomicClock::new().with_max_jump(policy);
        for command in commands {
            let expected = naive.run(command);
            let owned_answer: Answer = run!(owned, command);
            let atomic_answer: Answer = run!(atomic, command);
            prop_assert_eq!(owned_answer, expected, "owned, {:?}", command);
            prop_assert_eq!(atomic_answer, expected, "atomic, {:?}", command);
            let state = (naive.last, naive.jumps, naive.ends, naive.exhausted);
            prop_assert_eq!(numbers_of(owned.snapshot()), state);
            prop_assert_eq!(numbers_of(atomic.snapshot()), state);
        }
    }
}

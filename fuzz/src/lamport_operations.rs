//! Operation sequences on both clocks of `lamport`, against a naive model in wide integers.

use core::num::NonZeroU32;

use arbitrary::{Arbitrary, Unstructured};
use lamport::{AtomicClock, Clock, MaxJump, Snapshot, Time};

use crate::bounds::{Bound, bounded};

#[derive(Arbitrary, Debug)]
struct Script {
    /// `None` is no bound at all.
    limit: Option<Number>,
    start: Number,
    steps: Vec<Step>,
}

/// A number of any length in bits.
#[derive(Arbitrary, Clone, Copy, Debug)]
struct Number {
    bits: u64,
    unused: u8,
}

impl Number {
    fn get(self) -> u64 {
        self.bits >> (self.unused % 64)
    }
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Step {
    Tick,
    Observe(Remote),
    Merge(Remote),
    Committed(Remote),
    Reserve(NonZeroU32),
    Resume(Remote),
    ResumeUnbounded(Remote),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Remote {
    Anywhere(u64),
    /// So far from the clock's last time.
    Near(i16),
    /// At the clock's last time and limit, or one off.
    AtLimit(i8),
    /// At the greatest time that is accepted, or one off.
    AtHalf(i8),
}

/// So many steps are enough to find what there is, and keep one input fast.
const MAX_STEPS: usize = 200;
/// Times from here on are not taken from elsewhere under a bound.
const HALF: u128 = 1 << 63;

/// What a call answered: the first and last time it gave, none, or that it was refused.
type Answer = Result<Option<(u64, u64)>, ()>;

/// The clock as the documentation tells it, in numbers that cannot overflow.
struct Model {
    last: u128,
    limit: Option<u128>,
    jump_exceeded: u64,
    end_reserved: u64,
    exhausted: u64,
}

impl Model {
    fn learn(&mut self, remote: u64, limit: Option<u128>) -> Result<u128, ()> {
        let remote = u128::from(remote);
        if let Some(limit) = limit.filter(|_| remote > self.last) {
            if remote - self.last > limit {
                self.jump_exceeded += 1;
                return Err(());
            }
            if remote >= HALF {
                self.end_reserved += 1;
                return Err(());
            }
        }
        Ok(self.last.max(remote))
    }

    fn give(&mut self, from: u128, count: u32) -> Answer {
        let last = from + u128::from(count);
        let Ok(given) = u64::try_from(last) else {
            self.exhausted += 1;
            return Err(());
        };
        self.last = last;
        Ok(Some((given - u64::from(count - 1), given)))
    }

    fn run(&mut self, call: Call) -> Answer {
        match call {
            Call::Tick => self.give(self.last, 1),
            Call::Reserve(count) => self.give(self.last, count.get()),
            Call::Observe(remote) => {
                let from = self.learn(remote.get(), self.limit)?;
                self.give(from, 1)
            }
            Call::Merge(remote) => self.raise(remote, self.limit),
            Call::Resume(after) => self.raise(after, Some(u128::MAX)),
            Call::Committed(remote) | Call::ResumeUnbounded(remote) => self.raise(remote, None),
        }
    }

    fn raise(&mut self, remote: Time, limit: Option<u128>) -> Answer {
        self.last = self.learn(remote.get(), limit)?;
        Ok(None)
    }

    fn snapshot(&self) -> (u128, u64, u64, u64) {
        (self.last, self.jump_exceeded, self.end_reserved, self.exhausted)
    }
}

/// A step whose remote time has been worked out.
#[derive(Clone, Copy, Debug)]
enum Call {
    Tick,
    Observe(Time),
    Merge(Time),
    Committed(Time),
    Reserve(NonZeroU32),
    Resume(Time),
    ResumeUnbounded(Time),
}

impl Call {
    fn of(step: Step, last: u64, limit: u64) -> Self {
        let time = |remote| {
            Time::new(match remote {
                Remote::Anywhere(time) => time,
                Remote::Near(by) => last.saturating_add_signed(by.into()),
                Remote::AtLimit(by) => last.saturating_add(limit).saturating_add_signed((by % 2).into()),
                Remote::AtHalf(by) => Time::MAX_ACCEPTED.get().saturating_add_signed((by % 2).into()),
            })
        };
        match step {
            Step::Tick => Self::Tick,
            Step::Observe(remote) => Self::Observe(time(remote)),
            Step::Merge(remote) => Self::Merge(time(remote)),
            Step::Committed(remote) => Self::Committed(time(remote)),
            Step::Reserve(count) => Self::Reserve(count),
            Step::Resume(after) => Self::Resume(time(after)),
            Step::ResumeUnbounded(after) => Self::ResumeUnbounded(time(after)),
        }
    }
}

/// The same call on a real clock, whether by `&mut` or by `&`.
macro_rules! run {
    ($clock:expr, $call:expr) => {
        match $call {
            Call::Tick => $clock.tick().map(one).map_err(drop),
            Call::Observe(remote) => $clock.observe(remote).map(one).map_err(drop),
            Call::Merge(remote) => $clock.merge(remote).map(none).map_err(drop),
            Call::Committed(remote) => Ok(none($clock.merge_committed(remote))),
            Call::Resume(after) => $clock.resume_after(after).map(none).map_err(drop),
            Call::ResumeUnbounded(after) => Ok(none($clock.resume_after_unbounded(after))),
            Call::Reserve(count) => $clock.reserve(count).map_err(drop).map(|mut times| {
                assert_eq!(times.len(), count.get() as usize);
                let first = times.next().map(Time::get);
                first.map(|first| (first, times.next_back().map_or(first, Time::get)))
            }),
        }
    };
}

fn one(time: Time) -> Option<(u64, u64)> {
    Some((time.get(), time.get()))
}

fn none((): ()) -> Option<(u64, u64)> {
    None
}

fn numbers_of(seen: Snapshot) -> (u128, u64, u64, u64) {
    (seen.last.get().into(), seen.jump_exceeded, seen.end_reserved, seen.exhausted)
}

pub fn run(data: &[u8]) {
    let Ok(script) = Script::arbitrary(&mut Unstructured::new(data)) else { return };
    let (limit, start) = (script.limit.map(Number::get), script.start.get());
    let max_jump = limit.map_or(MaxJump::Unbounded, MaxJump::AtMost);
    let mut owned = Clock::new().with_max_jump(max_jump);
    let shared = AtomicClock::new().with_max_jump(max_jump);
    owned.resume_after_unbounded(Time::new(start));
    shared.resume_after_unbounded(Time::new(start));
    let mut model = Model {
        last: u128::from(start),
        limit: limit.map(u128::from),
        jump_exceeded: 0,
        end_reserved: 0,
        exhausted: 0,
    };
    for step in script.steps.iter().take(MAX_STEPS) {
        let call = Call::of(*step, owned.last().get(), limit.unwrap_or(u64::MAX));
        let expected = model.run(call);
        let (owned_answer, shared_answer): (Answer, Answer) =
            bounded(Bound::NOTHING, 0, || (run!(owned, call), run!(shared, call)));
        assert_eq!(owned_answer, expected, "{call:?}");
        assert_eq!(shared_answer, expected, "{call:?}");
        assert_eq!(numbers_of(owned.snapshot()), model.snapshot());
        assert_eq!(numbers_of(shared.snapshot()), model.snapshot());
    }
}

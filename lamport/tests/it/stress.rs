//! Many threads at random work on one clock: what no interleaving test is large enough for.

use core::num::NonZeroU32;

use clock_testing::{Call, Round, check_calls, stress};
use lamport::{AtomicClock, MaxJump, MergeError, ObserveError, Time, Times};

const ROUNDS: u64 = 4;
const JUMP: MaxJump = MaxJump::AtMost(2_000);

/// How often each kind of refusal came.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Refusals {
    jump: u64,
    end: u64,
    bound: u64,
}

impl Refusals {
    fn merge(&mut self, why: &MergeError) {
        match why {
            MergeError::JumpExceeded(_) => self.jump += 1,
            MergeError::EndReserved(_) => self.end += 1,
            #[cfg(feature = "durable")]
            MergeError::Bound(_) => self.bound += 1,
            other => panic!("{other}"),
        }
    }

    fn observe(&mut self, why: &ObserveError) {
        match why {
            ObserveError::JumpExceeded(_) => self.jump += 1,
            ObserveError::EndReserved(_) => self.end += 1,
            #[cfg(feature = "durable")]
            ObserveError::Bound(_) => self.bound += 1,
            other => panic!("{other}"),
        }
    }
}

/// A clock that threads share, plain or durable. What is refused without an error here is refused at the bound.
trait Shared: Sync {
    fn tick(&self) -> Option<Time>;
    fn reserve(&self, count: NonZeroU32) -> Option<Times>;
    fn observe(&self, remote: Time) -> Result<Time, ObserveError>;
    fn merge(&self, remote: Time) -> Result<(), MergeError>;
    fn merge_committed(&self, remote: Time);
    fn last(&self) -> Time;
    fn upkeep(&self);
    /// Up to where everything is durable, as this thread sees it.
    fn durable(&self) -> u64;
    fn refusals(&self) -> Refusals;
}

impl Shared for AtomicClock {
    fn tick(&self) -> Option<Time> {
        Some(AtomicClock::tick(self).unwrap())
    }

    fn reserve(&self, count: NonZeroU32) -> Option<Times> {
        Some(AtomicClock::reserve(self, count).unwrap())
    }

    fn observe(&self, remote: Time) -> Result<Time, ObserveError> {
        AtomicClock::observe(self, remote)
    }

    fn merge(&self, remote: Time) -> Result<(), MergeError> {
        AtomicClock::merge(self, remote)
    }

    fn merge_committed(&self, remote: Time) {
        AtomicClock::merge_committed(self, remote);
    }

    fn last(&self) -> Time {
        AtomicClock::last(self)
    }

    fn upkeep(&self) {}

    fn durable(&self) -> u64 {
        u64::MAX
    }

    fn refusals(&self) -> Refusals {
        let seen = self.snapshot();
        Refusals { jump: seen.jump_exceeded, end: seen.end_reserved, bound: 0 }
    }
}

fn play<C: Shared>(round: &Round, clock: &C) {
    let notes = round.notes();
    let letters = round.letters();
    let outcomes = round.run(1_500, |worker| {
        let (mut calls, mut merged, mut refused) = (Vec::new(), Time::ZERO, Refusals::default());
        // The greatest time that it has heard of, and that it knows the clock to have reached.
        let (mut number, mut floor, mut last) = (0, Time::ZERO, Time::ZERO);
        while worker.goes_on() {
            number += 1;
            let noted = notes.write(worker, number);
            let got = match worker.roll(16) {
                0..6 => {
                    let time = clock.tick();
                    refused.bound += u64::from(time.is_none());
                    time.map(|time| (time, time))
                }
                6..8 => {
                    let count = NonZeroU32::new(1 + u32::try_from(worker.roll(30)).unwrap()).unwrap();
                    let times = clock.reserve(count);
                    refused.bound += u64::from(times.is_none());
                    times.map(|times| {
                        let times: Vec<_> = times.collect();
                        assert_eq!(times.len(), usize::try_from(count.get()).unwrap());
                        (times[0], times[times.len() - 1])
                    })
                }
                8 => {
                    let seen = Time::new(clock.last().get() + worker.roll(3_000));
                    let received = clock.observe(seen).map_err(|why| refused.observe(&why));
                    received.ok().map(|time| {
                        assert!(time > seen, "a receipt is above its message");
                        (time, time)
                    })
                }
                9 => {
                    let seen = Time::new(clock.last().get() + worker.roll(3_000));
                    match worker.roll(8) {
                        0 => refused.merge(&clock.merge(Time::MAX).unwrap_err()),
                        1 => {
                            clock.merge_committed(seen);
                            (floor, last, merged) = (floor.max(seen), last.max(seen), merged.max(seen));
                        }
                        _ => match clock.merge(seen) {
                            Ok(()) => {
                                (floor, last, merged) = (floor.max(seen), last.max(seen), merged.max(seen))
                            }
                            Err(why) => refused.merge(&why),
                        },
                    }
                    None
                }
                10..13 => {
                    // Somebody got it: it is neither refused nor given out again.
                    let seen = Time::new(letters.take(worker));
                    floor = floor.max(seen);
                    if worker.roll(2) == 0 {
                        clock.merge(seen).unwrap_or_else(|why| panic!("{seen} is of this clock: {why}"));
                        last = last.max(seen);
                        None
                    } else {
                        let time = clock.tick();
                        refused.bound += u64::from(time.is_none());
                        time.map(|time| (time, time))
                    }
                }
                13 => {
                    clock.upkeep();
                    None
                }
                _ => {
                    let now = clock.last();
                    assert!(now >= last, "{now}, and it was {last}");
                    last = now;
                    None
                }
            };
            if let Some(got) = got {
                assert!(got.0 > floor, "{got:?} is not above {floor}, which was known");
                assert!(got.1.get() <= clock.durable(), "{got:?} was handed out before it was durable");
                (floor, last) = (got.1, last.max(got.1));
                calls.push(Call { noted, got, saw: notes.read(worker) });
                letters.post(worker, got.1.get());
            }
        }
        (calls, merged, refused)
    });
    let refused = outcomes.iter().fold(Refusals::default(), |sum, (_, _, of)| Refusals {
        jump: sum.jump + of.jump,
        end: sum.end + of.end,
        bound: sum.bound + of.bound,
    });
    assert_eq!(clock.refusals(), refused, "every refusal is counted once");
    let calls: Vec<_> = outcomes.iter().map(|(calls, _, _)| calls.clone()).collect();
    check_calls(&calls);
    let given = calls.iter().flatten().map(|call| call.got.1).max().unwrap();
    let merged = outcomes.iter().map(|(_, merged, _)| *merged).max().unwrap();
    assert_eq!(clock.last(), given.max(merged), "the clock stands at the greatest");
    assert!(refused.jump > 0, "nothing was refused");
}

#[test]
fn threads_at_random_on_one_clock_get_each_time_once_see_what_came_before_and_have_each_refusal_counted() {
    stress(ROUNDS, |round| play(round, &AtomicClock::new().with_max_jump(JUMP)));
}

#[cfg(all(feature = "durable", feature = "std"))]
mod durable {
    use clock_testing::UnorderedMark;
    use high_water::Mark as _;
    use lamport::{AtomicDurableClock, Block};

    use super::*;

    struct Kept(AtomicDurableClock<UnorderedMark>, UnorderedMark);

    impl Shared for Kept {
        fn tick(&self) -> Option<Time> {
            self.0.tick().ok()
        }

        fn reserve(&self, count: NonZeroU32) -> Option<Times> {
            self.0.reserve(count).ok()
        }

        fn observe(&self, remote: Time) -> Result<Time, ObserveError> {
            self.0.observe(remote)
        }

        fn merge(&self, remote: Time) -> Result<(), MergeError> {
            self.0.merge(remote)
        }

        fn merge_committed(&self, remote: Time) {
            self.0.merge_committed(remote).unwrap();
        }

        fn last(&self) -> Time {
            self.0.last()
        }

        fn upkeep(&self) {
            self.0.upkeep().unwrap();
        }

        fn durable(&self) -> u64 {
            self.1.get()
        }

        fn refusals(&self) -> Refusals {
            let seen = self.0.snapshot();
            Refusals { jump: seen.clock.jump_exceeded, end: seen.clock.end_reserved, bound: seen.stalls }
        }
    }

    #[test]
    fn threads_at_random_on_one_durable_clock_get_nothing_above_the_mark_that_they_see() {
        stress(ROUNDS, |round| {
            let mark = UnorderedMark::default();
            let block = Block::new(64).unwrap();
            let clock = AtomicDurableClock::new(mark.clone()).with_max_jump(JUMP).with_block(block);
            play(round, &Kept(clock, mark));
        });
    }
}

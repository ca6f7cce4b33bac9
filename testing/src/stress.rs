//! `stress`: many threads at random work on one thing, in rounds.
//!
//! A usual run makes the few rounds that the test asks for, and reads no clock. `CLOCKS_STRESS_SECONDS` goes on for so long,
//! and `CLOCKS_STRESS_SEED` is the seed of the first round; each further one has the next. A round that fails says its seed.
//! The same seed is the same work, not the same interleaving.

use std::env;
use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use high_water::{Mark, RaiseError};

use crate::{Dice, tally};

/// One round: a thing of its own, and threads that meet on it.
#[derive(Debug)]
pub struct Round {
    seed: u64,
}

/// Says the seed of a round that fails.
struct Told(u64);

impl Drop for Told {
    fn drop(&mut self) {
        if thread::panicking() {
            tally(format_args!("this round again: CLOCKS_STRESS_SEED={}", self.0));
        }
    }
}

fn variable(name: &str) -> Option<u64> {
    env::var(name).ok().map(|value| value.parse().unwrap_or_else(|_| panic!("{name}={value} is no number")))
}

/// Runs so many rounds, or as many as the environment gives time for.
///
/// # Panics
///
/// When a round does, and where the environment has something else than numbers.
#[expect(
    clippy::disallowed_methods,
    reason = "how long to go on, where the environment says so; nothing is measured"
)]
pub fn stress(rounds: u64, mut round: impl FnMut(&Round)) {
    let first = variable("CLOCKS_STRESS_SEED").unwrap_or(1);
    let until =
        variable("CLOCKS_STRESS_SECONDS").map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let mut done = 0;
    while until.map_or(done < rounds, |until| Instant::now() < until) {
        let seed = first.wrapping_add(done);
        let _told = Told(seed);
        round(&Round { seed });
        done += 1;
    }
    let test = thread::current().name().unwrap_or("?").to_owned();
    tally(format_args!("stress {test}: {done} rounds of {} threads from seed {first}", threads()));
}

/// More threads than processors, so that some are stopped in the middle of a call.
fn threads() -> usize {
    thread::available_parallelism().map_or(2, usize::from).saturating_mul(2).clamp(4, 60) + 3
}

impl Round {
    /// Chance for what a round begins with.
    #[must_use]
    pub const fn dice(&self) -> Dice {
        Dice::new(self.seed)
    }

    /// Words for the notes of each thread of this round.
    #[must_use]
    pub fn notes(&self) -> Notes {
        Notes((0..threads()).map(|_| AtomicU64::new(0)).collect())
    }

    /// Empty letters between the threads of this round.
    #[must_use]
    pub fn letters(&self) -> Letters {
        Letters([const { AtomicU64::new(0) }; 8])
    }

    /// Lets all threads go at once, each with so many steps, and returns what each comes back with.
    ///
    /// # Panics
    ///
    /// When a thread does.
    pub fn run<T: Send>(&self, steps: u32, work: impl Fn(&mut Worker) -> T + Sync) -> Vec<T> {
        let start = Barrier::new(threads());
        thread::scope(|scope| {
            let threads: Vec<_> = (0..threads())
                .map(|number| {
                    let (start, work) = (&start, &work);
                    let seed =
                        self.seed.wrapping_mul(0x9e37_79b9).wrapping_add(u64::try_from(number).unwrap());
                    let mut worker = Worker { number, dice: Dice::new(seed), left: steps };
                    scope.spawn(move || {
                        start.wait();
                        work(&mut worker)
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        })
    }
}

/// One thread of a round.
#[derive(Debug)]
pub struct Worker {
    number: usize,
    dice: Dice,
    left: u32,
}

impl Worker {
    /// Its place among the threads.
    #[must_use]
    pub const fn number(&self) -> usize {
        self.number
    }

    /// A number below `sides`.
    pub const fn roll(&mut self, sides: u64) -> u64 {
        self.dice.roll(sides)
    }

    /// Whether there is another step. Before it the thread may give up the processor, sleep for a moment, or spin, so that
    /// the threads meet in ever other places.
    pub fn goes_on(&mut self) -> bool {
        match self.roll(64) {
            0 => thread::yield_now(),
            1 => thread::park_timeout(Duration::from_micros(self.roll(60))),
            2..6 => (0..self.roll(300)).for_each(|_| core::hint::spin_loop()),
            _ => {}
        }
        self.left = self.left.saturating_sub(1);
        self.left > 0
    }
}

/// What each thread has noted so far, in words that order nothing themselves: only what is under test can make a note
/// visible.
#[derive(Debug)]
pub struct Notes(Vec<AtomicU64>);

impl Notes {
    /// Notes a number, greater than all before, and returns it.
    pub fn write(&self, worker: &Worker, number: u64) -> u64 {
        // ORDERING: Relaxed. On purpose: only what is under test may make it visible.
        self.0[worker.number].store(number, Ordering::Relaxed);
        number
    }

    /// Reads the note of some other thread: whose, and what it says.
    pub fn read(&self, worker: &mut Worker) -> (usize, u64) {
        let whose = usize::try_from(worker.roll(u64::try_from(self.0.len()).unwrap_or(1))).unwrap_or(0);
        // ORDERING: Relaxed. As above.
        (whose, self.0[whose].load(Ordering::Relaxed))
    }
}

/// Numbers that threads hand to each other beside the thing, through words that order something or do not.
#[derive(Debug)]
pub struct Letters([AtomicU64; 8]);

impl Letters {
    /// Leaves a number for whoever comes by.
    pub fn post(&self, worker: &mut Worker, number: u64) {
        // ORDERING: either. The thing under test keeps its promises whichever way a number travels.
        let order = if worker.roll(2) == 0 { Ordering::Relaxed } else { Ordering::Release };
        self.any(worker).store(number, order);
    }

    /// Takes the last number of some place; zero before the first.
    pub fn take(&self, worker: &mut Worker) -> u64 {
        // ORDERING: either, as above.
        let order = if worker.roll(2) == 0 { Ordering::Relaxed } else { Ordering::Acquire };
        self.any(worker).load(order)
    }

    fn any(&self, worker: &mut Worker) -> &AtomicU64 {
        let place = worker.roll(u64::try_from(self.0.len()).unwrap());
        &self.0[usize::try_from(place).unwrap()]
    }
}

/// A mark whose raise is a plain, unordered store: whoever sees it raised, sees it through what is under test. Its clones are
/// the same mark.
#[derive(Clone, Debug, Default)]
pub struct UnorderedMark(Arc<AtomicU64>);

impl Mark for UnorderedMark {
    fn get(&self) -> u64 {
        // ORDERING: Relaxed. On purpose: only what is under test may make the raise visible.
        self.0.load(Ordering::Relaxed)
    }

    fn raise_to(&mut self, value: u64) -> Result<(), RaiseError> {
        // ORDERING: Relaxed. As above.
        self.0.store(value, Ordering::Relaxed);
        Ok(())
    }
}

/// A call that gave out numbers, as its thread knows it.
#[derive(Clone, Copy, Debug)]
pub struct Call<T> {
    /// What the thread had noted before it.
    pub noted: u64,
    /// The least and the greatest that it got.
    pub got: (T, T),
    /// Whose note it read afterwards, and what that said.
    pub saw: (usize, u64),
}

/// Checks the calls of all threads, each in its order: the numbers of a thread rise, nobody got what another got, and
/// whoever got a greater one saw what had been noted before the smaller one was asked for.
///
/// # Panics
///
/// When it is not so.
pub fn check_calls<T: Copy + Ord + Debug>(runs: &[Vec<Call<T>>]) {
    for run in runs {
        assert!(run.iter().all(|call| call.got.0 <= call.got.1));
        let falls = run.windows(2).find(|pair| pair[0].got.1 >= pair[1].got.0);
        assert!(falls.is_none(), "the numbers of one thread do not rise: {falls:?}");
    }
    let mut all: Vec<_> = runs.iter().flatten().map(|call| call.got).collect();
    all.sort_unstable();
    let twice = all.windows(2).find(|pair| pair[0].1 >= pair[1].0);
    assert!(twice.is_none(), "given out twice: {twice:?}");
    for call in runs.iter().flatten() {
        let (whose, saw) = call.saw;
        let below = runs[whose].partition_point(|other| other.got.1 < call.got.0);
        if let Some(smaller) = below.checked_sub(1).map(|at| &runs[whose][at]) {
            assert!(
                smaller.noted <= saw,
                "{call:?} is above {smaller:?} of thread {whose}, and does not see its note"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn call(noted: u64, got: (u32, u32), saw: (usize, u64)) -> Call<u32> {
        Call { noted, got, saw }
    }

    #[test]
    fn what_is_in_order_passes() {
        check_calls(&[
            vec![call(1, (1, 1), (0, 1)), call(2, (4, 6), (1, 1))],
            vec![call(1, (2, 3), (0, 1)), call(2, (7, 7), (0, 2))],
        ]);
    }

    #[test]
    #[should_panic(expected = "do not rise")]
    fn a_number_that_falls_is_found() {
        check_calls(&[vec![call(1, (4, 5), (0, 1)), call(2, (5, 6), (0, 2))]]);
    }

    #[test]
    #[should_panic(expected = "given out twice")]
    fn a_number_that_two_threads_got_is_found() {
        check_calls(&[vec![call(1, (4, 6), (0, 1))], vec![call(1, (6, 6), (1, 1))]]);
    }

    #[test]
    #[should_panic(expected = "does not see its note")]
    fn one_who_does_not_see_what_came_before_is_found() {
        check_calls(&[vec![call(5, (1, 1), (0, 5))], vec![call(1, (2, 2), (0, 4))]]);
    }

    #[test]
    fn all_threads_work_and_the_same_seed_gives_the_same_work() {
        let work = |worker: &mut Worker| {
            let mut rolls = Vec::new();
            while worker.goes_on() {
                rolls.push(worker.roll(1_000));
            }
            rolls
        };
        let [first, second] = [(); 2].map(|()| Round { seed: 5 }.run(50, work));
        assert_eq!(first, second);
        assert!(first.len() > 4 && first.iter().all(|rolls| rolls.len() == 49), "{}", first.len());
        assert_ne!(first[0], first[1]);
    }
}

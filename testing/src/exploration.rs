//! `explore`: every interleaving of a few threads, counted, and told to whoever reads the output.
//!
//! loom runs a model again for each schedule that it finds, and says nothing of how many it found. A model whose threads
//! never meet on a word that loom knows has one schedule, and passes whatever the code does.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::tally;

/// How often a schedule may take the processor from a thread that could go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Preemptions {
    /// As often as it likes: every interleaving.
    Unbounded,
    /// So often: what takes more is not explored.
    AtMost(usize),
}

impl fmt::Display for Preemptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unbounded => f.write_str("unbounded"),
            Self::AtMost(1) => f.write_str("1 preemption"),
            Self::AtMost(most) => write!(f, "{most} preemptions"),
        }
    }
}

/// Runs the model in every schedule within the bound, prints how many there were, for `ci/loom.sh`, and fails if they
/// were fewer than `least`: about as many as there are today, so that a change that parts the threads is seen.
///
/// # Panics
///
/// When an execution fails, when there are fewer than `least`, and outside of a test's own thread, whose name is the
/// test's.
pub fn explore(bound: Preemptions, least: usize, model: impl Fn() + Sync + Send + 'static) {
    let test = thread::current().name().filter(|name| name.contains("::")).map(str::to_owned);
    let test = test.expect("the harness names a test's thread after the test");
    let runs = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&runs);

    let mut builder = loom::model::Builder::new();
    // What the environment says would narrow an exploration that is reported as whole.
    builder.max_permutations = None;
    builder.max_duration = None;
    builder.checkpoint_file = None;
    builder.preemption_bound = match bound {
        Preemptions::Unbounded => None,
        Preemptions::AtMost(most) => Some(most),
    };
    builder.check(move || {
        // ORDERING: Relaxed. A real atomic, that loom does not see; executions follow each other on one thread.
        counter.fetch_add(1, Ordering::Relaxed);
        model();
    });

    // ORDERING: Relaxed. As above.
    let runs = runs.load(Ordering::Relaxed);
    tally(format_args!("explored {test}: {runs} executions, {bound}"));
    assert!(runs >= least, "{test} explored {runs} executions, and at least {least} were wanted");
}

#[cfg(test)]
mod loom_tests {
    use loom::sync::atomic::AtomicU64;
    use loom::thread;

    use super::*;

    /// Two threads that each add to a word once: two orders.
    fn two_that_meet() {
        let word = loom::sync::Arc::new(AtomicU64::new(0));
        let other = {
            let word = loom::sync::Arc::clone(&word);
            thread::spawn(move || word.fetch_add(1, Ordering::AcqRel))
        };
        let mine = word.fetch_add(1, Ordering::AcqRel);
        assert_ne!(mine, other.join().unwrap());
    }

    #[test]
    fn both_orders_of_two_additions_are_explored() {
        explore(Preemptions::Unbounded, 2, two_that_meet);
    }

    #[test]
    #[should_panic(expected = "explored 1 executions, and at least 2 were wanted")]
    fn a_model_with_one_schedule_is_refused() {
        explore(Preemptions::Unbounded, 2, || {
            // Two words that loom does not see: nothing to interleave.
            let words = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
            let other = Arc::clone(&words);
            let thread = thread::spawn(move || other[1].fetch_add(1, Ordering::AcqRel));
            words[0].fetch_add(1, Ordering::AcqRel);
            thread.join().unwrap();
        });
    }

    #[test]
    #[should_panic(expected = "of which one is lost")]
    fn an_execution_that_fails_fails_the_test() {
        explore(Preemptions::AtMost(2), 1, || {
            let word = loom::sync::Arc::new(AtomicU64::new(0));
            let add = |word: &AtomicU64| {
                word.store(word.load(Ordering::Acquire) + 1, Ordering::Release);
            };
            let other = {
                let word = loom::sync::Arc::clone(&word);
                thread::spawn(move || add(&word))
            };
            add(&word);
            other.join().unwrap();
            assert_eq!(word.load(Ordering::Acquire), 2, "two additions, of which one is lost");
        });
    }
}

//! Every interleaving of two threads that count. The clock is a dependency here, whose atomics loom does not see; its own
//! interleaving tests are in `hlc`.

use alloc::sync::Arc;

use clock_testing::{Preemptions, explore};
use loom::thread;

use crate::counts::{Counted, Counts};

#[test]
fn no_message_of_two_threads_is_lost_from_the_counts() {
    explore(Preemptions::Unbounded, 4, || {
        let counts = Arc::new(Counts::default());
        let others = Arc::clone(&counts);
        let thread = thread::spawn(move || {
            others.count(Counted::Accepted);
            others.count(Counted::Stamped);
        });
        counts.count(Counted::Accepted);
        counts.count(Counted::Repeated);
        thread.join().unwrap();
        let counts = counts.snapshot();
        assert_eq!((counts.accepted(), counts.stamped(), counts.repeated()), (2, 1, 1));
    });
}

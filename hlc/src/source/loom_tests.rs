//! Every interleaving of two or three threads on one anchor.
//!
//! All without a bound, also the three threads at the end. The counter is a number that each thread brings along, as
//! threads with counters of their own would.

use alloc::sync::Arc;

use clock_testing::{Preemptions, explore};
use loom::thread;

use super::{Anchor, LOCKED, UNSET};
use crate::PhysicalTime;

const INTERVAL: u64 = 100;
const OLD: u64 = 1_000;
const NEW: u64 = 2_000;

/// The time that is anchored at a counter of `nanos`: far from what any other anchor says then.
fn time_at(nanos: u64) -> PhysicalTime {
    PhysicalTime::from_nanos(nanos * 1_000_000)
}

/// The time at `nanos` by the anchor that was taken at `anchor`.
fn time_by(anchor: u64, nanos: u64) -> PhysicalTime {
    PhysicalTime::from_nanos(anchor * 1_000_000 + nanos - anchor)
}

/// Replaces the window whose limit is `seen`. The writers below bring `seen` along from before they began:
/// a load of the limit just before the exchange hides the other thread's load from loom, which then does not
/// try to run the exchange before that.
fn anchor_at(anchor: &Anchor, seen: u64, nanos: u64) {
    anchor.replace(seen, nanos, time_at(nanos), INTERVAL);
}

/// An anchor with the old window, and its limit.
fn anchored() -> (Arc<Anchor>, u64) {
    let anchor = Arc::new(Anchor::new());
    anchor_at(&anchor, UNSET, OLD);
    let seen = anchor.read(NEW, INTERVAL).unwrap_err();
    (anchor, seen)
}

#[test]
fn an_old_window_is_not_read_with_a_new_time() {
    explore(Preemptions::Unbounded, 120, || {
        let (anchor, seen) = anchored();
        let writer = Arc::clone(&anchor);
        let writer = thread::spawn(move || anchor_at(&writer, seen, NEW));
        if let Ok(time) = anchor.read(OLD + 9, INTERVAL) {
            assert_eq!(time, time_by(OLD, OLD + 9));
        }
        writer.join().unwrap();
    });
}

#[test]
fn a_new_window_is_not_read_with_an_old_time() {
    explore(Preemptions::Unbounded, 8, || {
        let (anchor, seen) = anchored();
        let writer = Arc::clone(&anchor);
        let writer = thread::spawn(move || anchor_at(&writer, seen, NEW));
        if let Ok(time) = anchor.read(NEW + 9, INTERVAL) {
            assert_eq!(time, time_by(NEW, NEW + 9));
        }
        writer.join().unwrap();
    });
}

#[test]
fn the_first_window_is_not_read_without_its_time() {
    explore(Preemptions::Unbounded, 8, || {
        let anchor = Arc::new(Anchor::new());
        let writer = Arc::clone(&anchor);
        let writer = thread::spawn(move || anchor_at(&writer, UNSET, NEW));
        match anchor.read(NEW + 9, INTERVAL) {
            Ok(time) => assert_eq!(time, time_by(NEW, NEW + 9)),
            Err(seen) => assert!(seen == UNSET || seen == LOCKED),
        }
        writer.join().unwrap();
        assert_eq!(anchor.read(NEW + 9, INTERVAL), Ok(time_by(NEW, NEW + 9)));
    });
}

#[test]
fn two_threads_that_anchor_at_once_leave_one_anchor_whole() {
    explore(Preemptions::Unbounded, 8, || {
        let (anchor, seen) = anchored();
        let other = Arc::clone(&anchor);
        let other = thread::spawn(move || anchor_at(&other, seen, NEW));
        // Its counter differs: the two windows have nothing in common.
        anchor_at(&anchor, seen, NEW + 500);
        other.join().unwrap();

        let taken = [NEW, NEW + 500].map(|taken| anchor.read(taken + 9, INTERVAL).map(|time| (taken, time)));
        let ([Ok((taken, time)), Err(_)] | [Err(_), Ok((taken, time))]) = taken else {
            panic!("one window is open: {taken:?}");
        };
        assert_eq!(time, time_by(taken, taken + 9));
    });
}

#[test]
fn a_window_that_another_thread_is_replacing_is_left_alone() {
    explore(Preemptions::Unbounded, 20, || {
        let (anchor, seen) = anchored();
        let other = Arc::clone(&anchor);
        let other = thread::spawn(move || anchor_at(&other, seen, NEW));
        if let Err(found) = anchor.read(NEW + 500, INTERVAL) {
            anchor_at(&anchor, found, NEW + 500);
        }
        other.join().unwrap();
        for taken in [NEW, NEW + 500] {
            if let Ok(time) = anchor.read(taken + 9, INTERVAL) {
                assert_eq!(time, time_by(taken, taken + 9));
            }
        }
    });
}

#[test]
fn a_reader_beside_two_that_anchor_reads_a_whole_anchor_or_none() {
    explore(Preemptions::Unbounded, 200_000, || {
        let (anchor, _) = anchored();
        let writers = [NEW, NEW + 500].map(|taken| {
            let anchor = Arc::clone(&anchor);
            thread::spawn(move || {
                if let Err(seen) = anchor.read(taken, INTERVAL) {
                    anchor_at(&anchor, seen, taken);
                }
            })
        });
        for taken in [OLD, NEW, NEW + 500] {
            if let Ok(time) = anchor.read(taken + 9, INTERVAL) {
                assert_eq!(time, time_by(taken, taken + 9));
            }
        }
        for writer in writers {
            writer.join().unwrap();
        }
    });
}

//! A holder that stalls, on real threads. The steps are ordered by channels, so nothing here depends on time.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::thread;

use epoch_fence::Rejected;

use crate::gate::gate;
use crate::values::{epoch, token};

#[test]
fn a_stalled_holder_is_waited_for_and_then_kept_out() {
    let gate = gate(1);
    let (stalled, is_stalled) = channel();
    let (resume, resumed) = channel::<()>();
    thread::scope(|scope| {
        let gate = &gate;
        let alice = scope.spawn(move || {
            let first = gate.run(&token(33), |_| {
                stalled.send(()).unwrap();
                resumed.recv().unwrap();
            });
            (first, gate.enter(&token(33)).map(drop))
        });
        is_stalled.recv().unwrap();
        assert_eq!(gate.enter(&token(34)).map(drop), Err(Rejected::Draining { in_flight: 1 }));
        resume.send(()).unwrap();
        let (first, again) = alice.join().unwrap();
        assert_eq!(first, Ok(()), "what was admitted may finish");
        assert_eq!(again, Err(Rejected::Stale { floor: epoch(34) }));
        assert!(gate.enter(&token(34)).is_ok());
    });
}

/// Four threads with rising epochs of their own, and a cell that only the gate protects: each writes its epoch
/// at the beginning and at the end of its effect, and nobody may find it changed in between or above its own.
#[test]
fn effects_of_threads_that_race_through_epochs_never_overlap() {
    const EPOCHS: u64 = 20_000;
    let gate = gate(1);
    let (cell, inside, torn) = (AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false));
    let admitted = AtomicU64::new(0);
    thread::scope(|scope| {
        for first in 1..=4 {
            let (gate, cell, inside, torn, admitted) = (&gate, &cell, &inside, &torn, &admitted);
            scope.spawn(move || {
                for number in (first..EPOCHS).step_by(4) {
                    let done = gate.run(&token(number), |_| {
                        // Each epoch has one holder here, so one is inside at a time.
                        let alone = inside.fetch_add(1, Ordering::Relaxed) == 0;
                        let before = cell.swap(number, Ordering::Relaxed);
                        let kept = cell.load(Ordering::Relaxed) == number;
                        inside.fetch_sub(1, Ordering::Relaxed);
                        if !alone || !kept || before >= number {
                            torn.store(true, Ordering::Relaxed);
                        }
                    });
                    if done.is_ok() {
                        admitted.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    assert!(!torn.load(Ordering::Relaxed), "two effects overlapped, or came in the wrong order");
    let counts = gate.snapshot();
    assert_eq!(counts.advances, admitted.load(Ordering::Relaxed));
    assert_eq!((counts.in_flight, counts.impossible), (0, 0));
    assert_eq!(counts.advances + counts.stale + counts.draining, EPOCHS - 1, "every attempt was answered");
}

#[cfg(feature = "parking_lot")]
#[test]
#[expect(clippy::disallowed_methods, reason = "a deadline of an hour, which is never reached")]
fn who_waits_is_let_in_by_the_end_of_the_last_permit() {
    use core::time::Duration;
    use std::time::Instant;

    let gate = gate(1);
    let permit = gate.enter(&token(1)).unwrap();
    let passed = Instant::now();
    assert_eq!(gate.enter_waiting(&token(2), passed).map(drop), Err(Rejected::Draining { in_flight: 1 }));
    let before = gate.snapshot().draining;
    thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let hour = passed + Duration::from_secs(3600);
            gate.enter_waiting(&token(2), hour).map(|permit| permit.epoch())
        });
        // The permit ends after the answer that is waited out, so that nothing but a wake-up ends the wait.
        while gate.snapshot().draining == before {
            thread::yield_now();
        }
        drop(permit);
        assert_eq!(waiting.join().unwrap(), Ok(epoch(2)));
    });
    assert_eq!(gate.enter_waiting(&token(1), passed).map(drop), Err(Rejected::Stale { floor: epoch(2) }));
}

#[cfg(feature = "parking_lot")]
#[test]
#[expect(clippy::disallowed_methods, reason = "a deadline of an hour, which is never reached")]
fn who_is_overtaken_while_it_waits_is_told_so_at_once() {
    use core::time::Duration;
    use std::time::Instant;

    let gate = gate(1);
    let permit = gate.enter(&token(1)).unwrap();
    let hour = Instant::now() + Duration::from_secs(3600);
    thread::scope(|scope| {
        let waiting = scope.spawn(|| gate.enter_waiting(&token(2), hour).map(drop));
        while gate.snapshot().draining < 1 {
            thread::yield_now();
        }
        assert_eq!(gate.enter(&token(3)).map(drop), Err(Rejected::Draining { in_flight: 1 }));
        assert_eq!(waiting.join().unwrap(), Err(Rejected::Stale { floor: epoch(3) }));
    });
    drop(permit);
}

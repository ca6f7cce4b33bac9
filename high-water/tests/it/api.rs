//! The marks in memory, and the reserver on them.

use high_water::{
    DrawError, Keeper, Kept, Mark, MemoryMark, NotRaised, Outcome, RaiseError, Reserver, SharedReserver,
};
use std::num::{NonZeroU32, NonZeroU64};
use std::sync::{Arc, mpsc};
use std::time::Duration;

fn block(size: u64) -> NonZeroU64 {
    NonZeroU64::new(size).unwrap()
}

#[test]
fn a_memory_mark_does_as_its_script_says_and_restarts_with_what_is_durable() {
    let script = [
        Outcome::Acknowledged,
        Outcome::NotRaised,
        Outcome::IndeterminateAndNotRaised,
        Outcome::IndeterminateAndRaised,
    ];
    let mut mark = MemoryMark::scripted(5, move |nth| script[nth as usize]);
    mark.raise_to(4).unwrap();
    mark.raise_to(10).unwrap();
    assert!(mark.raise_to(11).unwrap_err().is_definite());
    assert!(!mark.raise_to(12).unwrap_err().is_definite());
    assert_eq!(mark.raise_to(13), Err(RaiseError::NotRaised(NotRaised::Poisoned)));
    assert_eq!(mark.raise_to(1), Err(RaiseError::NotRaised(NotRaised::Poisoned)), "every raise fails");
    let mut mark = mark.restart();
    assert_eq!(mark.get(), 10);
    mark.raise_to(20).unwrap_err();
    assert_eq!((mark.get(), mark.restart().get()), (10, 20));
}

#[test]
fn a_reserver_hands_out_each_number_once_and_none_above_the_mark() {
    let mut reserver = Reserver::new(MemoryMark::new(100), block(10));
    assert_eq!(reserver.draw(), Err(DrawError::Spent { left: 0 }));
    let mut next = 101;
    for _ in 0..200 {
        reserver.upkeep().unwrap();
        assert_eq!(reserver.draw(), Ok(next));
        next += 1;
        let snapshot = reserver.snapshot();
        assert!(next - 1 <= snapshot.mark && snapshot.left == snapshot.mark - (next - 1));
    }
    let snapshot = reserver.snapshot();
    assert_eq!(snapshot.stalls, 1);
    assert!((20..=40).contains(&snapshot.extensions), "{snapshot:?}");
}

#[test]
fn an_upkeep_comes_when_half_of_the_block_is_gone_and_not_before() {
    let mut reserver = Reserver::new(MemoryMark::new(0), block(10));
    let extended: Vec<bool> = (0..12)
        .map(|_| {
            let extended = reserver.upkeep().unwrap();
            reserver.draw().unwrap();
            extended
        })
        .collect();
    let expected = [true, false, false, false, false, true, false, false, false, false, true, false];
    assert_eq!(extended, expected);
}

#[test]
fn numbers_are_drawn_together_or_not_at_all() {
    let mut reserver = Reserver::new(MemoryMark::new(0), block(10));
    reserver.upkeep().unwrap();
    let many = |count| NonZeroU32::new(count).unwrap();
    assert_eq!(reserver.draw_many(many(7)), Ok(1));
    assert_eq!(reserver.draw_many(many(4)), Err(DrawError::Spent { left: 3 }));
    assert_eq!(reserver.draw_many(many(u32::MAX)), Err(DrawError::Spent { left: 3 }));
    assert_eq!(reserver.draw_many(many(3)), Ok(8));
}

#[test]
fn a_refused_draw_is_covered_by_the_next_upkeep_however_much_of_the_block_is_left() {
    let many = |count| NonZeroU32::new(count).unwrap();
    for (drawn, count) in [(1, 10), (4, 7), (4, 25), (10, 11), (4, u32::MAX)] {
        let mut reserver = Reserver::new(MemoryMark::new(0), block(10));
        reserver.upkeep().unwrap();
        assert_eq!(reserver.draw_many(many(drawn)), Ok(1));
        let left = 10 - u64::from(drawn);
        assert_eq!(reserver.draw_many(many(count)), Err(DrawError::Spent { left }));
        assert!(reserver.upkeep().unwrap(), "{count} were asked for, {left} are left");
        assert!(!reserver.upkeep().unwrap(), "once is enough");
        let (asked, snapshot) = (u64::from(drawn) + u64::from(count), reserver.snapshot());
        assert_eq!(
            snapshot.mark,
            (u64::from(drawn) + 10).max(asked + 5),
            "a whole block, or half of one to spare"
        );
        assert_eq!(reserver.draw_many(many(count)), Ok(u64::from(drawn) + 1));
        assert!(reserver.snapshot().left >= 5);
    }
    let mut reserver = Reserver::new(MemoryMark::new(u64::MAX - 20), block(10));
    reserver.upkeep().unwrap();
    assert_eq!(reserver.draw_many(many(21)), Err(DrawError::Spent { left: 10 }));
    assert!(reserver.upkeep().unwrap());
    assert_eq!(reserver.draw_many(many(21)), Err(DrawError::Exhausted { left: 20 }));
    assert_eq!(reserver.draw_many(many(20)), Ok(u64::MAX - 19));
}

#[test]
fn an_extension_that_fails_makes_nothing_drawable() {
    for outcome in [Outcome::NotRaised, Outcome::IndeterminateAndRaised, Outcome::IndeterminateAndNotRaised] {
        let script = move |nth| if nth == 1 { outcome } else { Outcome::Acknowledged };
        let mut reserver = Reserver::new(MemoryMark::scripted(0, script), block(4));
        reserver.upkeep().unwrap();
        let drawn: Vec<u64> = (0..4).map(|_| reserver.draw().unwrap()).collect();
        reserver.upkeep().unwrap_err();
        assert_eq!(reserver.draw(), Err(DrawError::Spent { left: 0 }), "{outcome:?}");
        let mut reserver = Reserver::new(reserver.into_mark().restart(), block(4));
        reserver.upkeep().unwrap();
        assert!(reserver.draw().unwrap() > drawn[3]);
    }
}

#[test]
fn the_numbers_end_and_do_not_wrap() {
    let mut reserver = Reserver::new(MemoryMark::new(u64::MAX - 3), block(100));
    assert!(reserver.upkeep().unwrap());
    let drawn: Vec<u64> = (0..3).map(|_| reserver.draw().unwrap()).collect();
    assert_eq!(drawn, [u64::MAX - 2, u64::MAX - 1, u64::MAX]);
    assert_eq!(reserver.draw(), Err(DrawError::Exhausted { left: 0 }));
    assert!(!reserver.upkeep().unwrap());
    assert_eq!(reserver.draw(), Err(DrawError::Exhausted { left: 0 }));
    let exhausted = Reserver::new(MemoryMark::new(u64::MAX), block(1));
    assert_eq!(exhausted.draw(), Err(DrawError::Exhausted { left: 0 }));
}

#[test]
fn many_draw_while_one_extends() {
    let mut reserver = Reserver::new(MemoryMark::new(0), block(64));
    reserver.upkeep().unwrap();
    let (drawer, mut extender) = reserver.split();
    let mut drawn: Vec<u64> = std::thread::scope(|scope| {
        let draw = || (0..500).filter_map(|_| drawer.draw().ok()).collect::<Vec<_>>();
        let threads: Vec<_> = (0..3).map(|_| scope.spawn(draw)).collect();
        for _ in 0..1_000 {
            extender.upkeep().unwrap();
        }
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    drawn.sort_unstable();
    assert_eq!(drawn, (1..=drawn.len() as u64).collect::<Vec<_>>());
    let shared = SharedReserver::from(reserver);
    shared.upkeep().unwrap();
    assert_eq!(shared.draw(), Ok(drawn.len() as u64 + 1));
    assert!(shared.snapshot().mark > drawn.len() as u64);
}

#[test]
fn whoever_keeps_a_shared_reserver_extends_it() {
    let numbers = SharedReserver::from(Reserver::new(MemoryMark::new(0), block(10)));
    assert_eq!(numbers.draw(), Err(DrawError::Spent { left: 0 }));
    numbers.keep();
    assert_eq!((numbers.draw(), numbers.snapshot().left), (Ok(1), 9));
}

#[test]
fn the_halves_of_a_reserver_are_the_reserver_and_refusals_are_counted() {
    let mut reserver = Reserver::new(MemoryMark::new(0), block(3));
    assert_eq!(reserver.snapshot().stalls, 0);
    let (drawer, mut extender) = reserver.split();
    assert_eq!(drawer.draw(), Err(DrawError::Spent { left: 0 }));
    assert_eq!(
        (extender.upkeep(), extender.upkeep()),
        (Ok(true), Ok(false)),
        "there was something to do, once"
    );
    assert_eq!((drawer.draw(), drawer.draw(), drawer.draw()), (Ok(1), Ok(2), Ok(3)));
    assert_eq!(drawer.draw(), Err(DrawError::Spent { left: 0 }));
    let snapshot = reserver.snapshot();
    assert_eq!((snapshot.stalls, snapshot.extensions, snapshot.mark, snapshot.left), (2, 1, 3, 0));
}

/// Tells of each time that it is kept.
struct Told(mpsc::SyncSender<()>);

impl Kept for Told {
    fn keep(&self) {
        let _ = self.0.try_send(());
    }
}

#[test]
fn a_keeper_keeps_at_once_and_again_and_again_until_it_is_dropped() {
    let (told, times) = mpsc::sync_channel(1);
    let kept = Arc::new(Told(told));
    let keeper = Keeper::start(Arc::clone(&kept), Duration::from_secs(3_600)).unwrap();
    assert_eq!(times.try_recv(), Ok(()), "before it returns");
    drop(keeper);
    assert_eq!(Arc::strong_count(&kept), 1, "its thread has ended, and did not wait for the period");

    let keeper = Keeper::start(Arc::clone(&kept), Duration::from_millis(1)).unwrap();
    for _ in 0..5 {
        // Much longer than any machine takes: a thread that keeps no more fails here.
        times.recv_timeout(Duration::from_secs(60)).unwrap();
    }
    drop(keeper);
    assert_eq!(Arc::strong_count(&kept), 1);
}

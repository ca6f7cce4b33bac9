//! Clocks that survive a restart: what is handed out, what is refused, and what the next life begins above.

mod crash;
#[cfg(unix)]
mod kill;
mod model;
mod twice;

use alloc::sync::Arc;
use core::{num::NonZeroU32, time::Duration};

use high_water::{Mark, MemoryMark, NotRaised, Outcome, RaiseError};
use lamport::{
    AtomicDurableClock, Block, Clock, DurableClock, Keeper, MaxJump, MergeError, ObserveError, TickError,
    Time,
};

fn block(times: u64) -> Block {
    Block::new(times).unwrap()
}

#[test]
fn after_a_restart_the_first_time_is_above_every_one_that_was_handed_out() {
    let mut mark = MemoryMark::new(0);
    let mut last = Time::ZERO;
    for life in 0..60 {
        if life % 2 == 0 {
            let mut clock = DurableClock::new(mark).with_block(block(16));
            for _ in 0..life {
                let time = clock.tick().unwrap();
                assert!(time > last && time <= clock.snapshot().bound);
                last = time;
            }
            mark = clock.into_mark().restart();
        } else {
            let clock = AtomicDurableClock::new(mark).with_block(block(16));
            for _ in 0..life {
                clock.upkeep().unwrap();
                let time = clock.tick().unwrap();
                assert!(time > last);
                last = time;
            }
            mark = clock.into_mark().restart();
        }
    }
}

#[test]
fn a_block_costs_one_raise_and_upkeep_makes_it_before_it_is_needed() {
    let mut idle = DurableClock::new(MemoryMark::new(0)).with_block(block(100));
    let mut kept = DurableClock::new(MemoryMark::new(0)).with_block(block(100));
    let shared = AtomicDurableClock::new(MemoryMark::new(0)).with_block(block(100));
    for event in 1..=1_000 {
        assert_eq!(idle.tick().unwrap().get(), event);
        kept.upkeep().unwrap();
        assert_eq!(kept.tick().unwrap().get(), event);
        shared.upkeep().unwrap();
        assert_eq!(shared.tick().unwrap().get(), event);
    }
    // Inline, the time that needed the block is the first above it.
    assert_eq!(idle.snapshot().extensions, 1_000_u64.div_ceil(101));
    assert_eq!((kept.snapshot().extensions, kept.snapshot().stalls), (20, 0));
    assert_eq!((shared.snapshot().extensions, shared.snapshot().stalls), (20, 0));
}

#[test]
fn the_next_block_is_reserved_when_half_of_this_one_is_gone_and_not_before() {
    for (times, half) in [(100, 50), (5, 3), (1, 1)] {
        let mut owned = DurableClock::new(MemoryMark::new(0)).with_block(block(times));
        let shared = AtomicDurableClock::new(MemoryMark::new(0)).with_block(block(times));
        assert_eq!((owned.upkeep(), shared.upkeep()), (Ok(true), Ok(true)));
        for gone in 1..=half {
            owned.tick().unwrap();
            shared.tick().unwrap();
            let is_time = Ok(gone == half);
            assert_eq!((owned.upkeep(), shared.upkeep()), (is_time, is_time), "{gone} of {times}");
        }
    }
}

#[test]
fn what_is_received_above_the_bound_extends_it_first_or_is_refused_until_the_next_upkeep() {
    let mut owned = DurableClock::new(MemoryMark::new(0)).with_block(block(10));
    owned.tick().unwrap();
    assert_eq!(owned.observe(Time::new(1_000)), Ok(Time::new(1_001)));
    owned.merge(Time::new(2_000)).unwrap();
    owned.merge_committed(Time::new(3_000)).unwrap();
    assert_eq!((owned.last(), owned.snapshot().bound), (Time::new(3_000), Time::new(3_010)));

    let shared = AtomicDurableClock::new(MemoryMark::new(0)).with_block(block(10));
    shared.upkeep().unwrap();
    shared.tick().unwrap();
    for (remote, by_merge) in [(1_000, false), (2_000, true)] {
        let remote = Time::new(remote);
        let attempt = || -> Result<(), ObserveError> {
            if by_merge { Ok(shared.merge(remote)?) } else { shared.observe(remote).map(drop) }
        };
        let last = shared.last();
        match attempt() {
            Err(ObserveError::Bound(why)) => assert!(why.needed() >= remote && why.bound() < remote),
            other => panic!("{other:?}"),
        }
        assert_eq!(shared.last(), last, "unchanged");
        assert_eq!(shared.upkeep(), Ok(true));
        assert_eq!(attempt(), Ok(()));
        assert!(shared.last() >= remote && shared.last() <= shared.snapshot().bound);
    }
    // What was agreed on is under no limit, so that it is not left to an upkeep which somebody else calls.
    shared.merge_committed(Time::new(3_000)).unwrap();
    assert_eq!((shared.last(), shared.snapshot().bound), (Time::new(3_000), Time::new(3_010)));
    assert_eq!(shared.snapshot().stalls, 2);
    // A refusal that nobody comes back for is covered once.
    assert!(shared.observe(Time::new(9_000)).is_err());
    assert_eq!((shared.upkeep(), shared.snapshot().bound), (Ok(true), Time::new(9_011)));
    assert_eq!(shared.upkeep(), Ok(false));
}

#[test]
fn what_was_agreed_on_and_cannot_be_made_durable_is_refused_and_leaves_nothing_behind() {
    let script = |nth| if nth == 1 { Outcome::NotRaised } else { Outcome::Acknowledged };
    let shared = AtomicDurableClock::new(MemoryMark::scripted(0, script)).with_block(block(10));
    shared.upkeep().unwrap();
    shared.tick().unwrap();
    match shared.merge_committed(Time::MAX) {
        Err(MergeError::Bound(why)) => {
            assert_eq!((why.needed(), why.bound()), (Time::MAX, Time::new(10)));
            assert!(matches!(why.cause(), Some(RaiseError::NotRaised(NotRaised::Io(_)))));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(shared.upkeep(), Ok(false));
    while shared.tick().is_ok() {}
    assert_eq!(shared.upkeep(), Ok(true), "its own extensions go on");
    let snapshot = shared.snapshot();
    assert_eq!((snapshot.bound, snapshot.clock.last), (Time::new(21), Time::new(10)));
    assert_eq!((snapshot.not_raised, snapshot.extensions), (1, 2));
    assert_eq!(shared.into_mark().restart().get(), 21, "nor in the mark");
}

#[test]
fn a_block_is_between_one_and_half_of_the_default_limit() {
    for (edge, outside) in [(1, 0), (1 << 39, (1 << 39) + 1)] {
        assert_eq!(block(edge).times(), edge);
        let error = Block::new(outside).unwrap_err();
        assert_eq!(error.asked(), outside);
        assert!(error.to_string().ends_with("is not between 1 and 549755813888"), "{error}");
    }
    assert_eq!(Block::default().times(), 65_536);
    let clock = |limit| DurableClock::new(MemoryMark::new(0)).with_block(block(1_000)).with_max_jump(limit);
    for (limit, times) in [(u64::MAX, 1_000), (2_000, 1_000), (1_999, 999), (3, 1), (1, 1), (0, 1)] {
        assert_eq!(clock(MaxJump::AtMost(limit)).block(), block(times), "{limit}");
        let shared = AtomicDurableClock::new(MemoryMark::new(0)).with_max_jump(MaxJump::AtMost(limit));
        assert_eq!(shared.with_block(block(1_000)).block(), block(times), "{limit}");
    }
    assert_eq!(clock(MaxJump::Unbounded).block(), block(1_000));
}

/// Peers with the clock's own limit, who have heard of its last event, or of none since half of the limit before.
#[test]
fn peers_accept_the_first_message_after_a_restart_however_long_the_block_was_asked_to_be() {
    for limit in [100, 101, 70_000, 1 << 40] {
        let max_jump = MaxJump::AtMost(limit);
        let mut mark = MemoryMark::new(0);
        let mut peer = Clock::new().with_max_jump(max_jump);
        for life in 0..40 {
            let mut clock = DurableClock::new(mark).with_block(Block::MAX).with_max_jump(max_jump);
            for _ in 0..life {
                let time = clock.tick().unwrap();
                assert_eq!(peer.observe(time).err(), None, "limit {limit}, life {life}");
            }
            for _ in 0..limit.min(200) / 2 - 1 {
                clock.tick().unwrap();
            }
            peer.observe(clock.tick().unwrap()).unwrap();
            mark = clock.into_mark().restart();
        }
    }
}

#[test]
fn a_keeper_keeps_the_block_ahead_and_without_it_the_clock_stops_there() {
    let clock = Arc::new(AtomicDurableClock::new(MemoryMark::new(0)).with_block(block(8)));
    let keeper = Keeper::start(Arc::clone(&clock), Duration::from_micros(50)).unwrap();
    clock.tick().expect("the keeper begins with an upkeep");
    for _ in 0..100 {
        // Ends when the keeper has been round: until then the time is refused.
        while let Err(error) = clock.tick() {
            assert!(matches!(error, TickError::Bound(_)), "{error}");
            std::thread::yield_now();
        }
    }
    drop(keeper);
    while clock.tick().is_ok() {}
    assert!(matches!(clock.tick(), Err(TickError::Bound(_))));
    assert!(clock.snapshot().extensions >= 12);
}

#[test]
fn what_a_limit_refuses_raises_no_bound() {
    let mut owned = DurableClock::new(MemoryMark::new(0)).with_max_jump(MaxJump::AtMost(100));
    owned.tick().unwrap();
    let bound = owned.snapshot().bound;
    for hostile in [Time::new(1_000), Time::MAX] {
        assert!(matches!(owned.observe(hostile), Err(ObserveError::JumpExceeded(_))));
        assert!(matches!(owned.merge(hostile), Err(MergeError::JumpExceeded(_))));
    }
    assert_eq!((owned.snapshot().bound, owned.snapshot().clock.jump_exceeded), (bound, 4));
    let shared = AtomicDurableClock::new(MemoryMark::new(0)).with_max_jump(MaxJump::AtMost(100));
    shared.upkeep().unwrap();
    assert!(matches!(shared.merge(Time::MAX), Err(MergeError::JumpExceeded(_))));
    assert_eq!(shared.upkeep(), Ok(false));
}

#[test]
fn a_raise_that_definitely_failed_is_tried_again_and_one_that_is_unknown_poisons() {
    let script = |nth| match nth {
        1 => Outcome::NotRaised,
        3 => Outcome::IndeterminateAndRaised,
        _ => Outcome::Acknowledged,
    };
    let mut clock = DurableClock::new(MemoryMark::scripted(0, script)).with_block(block(2));
    let cause = |clock: &mut DurableClock<_>| match clock.tick() {
        Err(TickError::Bound(why)) => why.cause().unwrap(),
        other => panic!("{other:?}"),
    };
    let handed: Vec<u64> = (0..3).map(|_| clock.tick().unwrap().get()).collect();
    assert_eq!(handed, [1, 2, 3]);
    assert!(matches!(cause(&mut clock), RaiseError::NotRaised(NotRaised::Io(_))));
    assert_eq!(clock.last(), Time::new(3));
    let handed: Vec<u64> = (0..3).map(|_| clock.tick().unwrap().get()).collect();
    assert_eq!(handed, [4, 5, 6]);
    assert!(matches!(cause(&mut clock), RaiseError::Indeterminate(_)));
    assert_eq!(cause(&mut clock), RaiseError::NotRaised(NotRaised::Poisoned));
    assert_eq!(clock.last(), Time::new(6), "nothing above the last acknowledged bound");
    let snapshot = clock.snapshot();
    assert_eq!((snapshot.stalls, snapshot.not_raised, snapshot.indeterminate), (3, 2, 1));

    let shared = AtomicDurableClock::new(MemoryMark::scripted(0, script)).with_block(block(2));
    shared.upkeep().unwrap();
    shared.reserve(NonZeroU32::new(2).unwrap()).unwrap().for_each(drop);
    assert!(matches!(shared.upkeep(), Err(error) if error.is_definite()));
    match shared.tick() {
        Err(TickError::Bound(why)) => {
            assert_eq!((why.needed().get(), why.bound().get(), why.cause()), (3, 2, None))
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(shared.upkeep(), Ok(true), "tried again");
    assert_eq!(shared.tick(), Ok(Time::new(3)));
    assert!(matches!(shared.upkeep(), Ok(false)));
}

#[test]
fn a_life_that_ended_in_the_upper_half_goes_on_there_and_the_end_is_refused() {
    let mut clock = DurableClock::new(MemoryMark::new(u64::MAX - 3));
    let handed: Vec<u64> = (0..3).map(|_| clock.tick().unwrap().get()).collect();
    assert_eq!(handed, [u64::MAX - 2, u64::MAX - 1, u64::MAX]);
    assert!(matches!(clock.tick(), Err(TickError::Exhausted(_))));
    assert_eq!(clock.upkeep(), Ok(false));
    assert_eq!(clock.into_mark().get(), u64::MAX);
}

//! Lamport clocks beside the atomic add that a bare counter would be; alone and on two threads.
#![expect(
    clippy::std_instead_of_core,
    clippy::expect_used,
    reason = "a benchmark is a std program that stops at the first surprise"
)]
#![expect(clippy::disallowed_methods, reason = "two threads are timed by hand")]

use std::{
    hint::black_box,
    num::NonZeroU32,
    sync::{
        Barrier,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use lamport::{AtomicClock, Clock, Time};

fn tick(c: &mut Criterion) {
    let mut group = c.benchmark_group("lamport/tick");
    let word = AtomicU64::new(0);
    group.bench_function("floor: atomic add", |b| b.iter(|| word.fetch_add(1, Ordering::AcqRel)));
    let clock = AtomicClock::new();
    group.bench_function("lamport", |b| b.iter(|| clock.tick()));
    let mut owned = Clock::new();
    group.bench_function("lamport, owned", |b| b.iter(|| owned.tick()));
    group.finish();
}

fn receive(c: &mut Criterion) {
    let mut group = c.benchmark_group("lamport/observe");
    let word = AtomicU64::new(0);
    group.bench_function("floor: atomic max, atomic add", |b| {
        b.iter(|| word.fetch_max(black_box(1), Ordering::AcqRel).max(word.fetch_add(1, Ordering::AcqRel)));
    });
    let clock = AtomicClock::new();
    let old = clock.tick().expect("the first time");
    group.bench_function("lamport, old time", |b| b.iter(|| clock.observe(black_box(old))));
    group.bench_function("lamport, newest time", |b| {
        b.iter(|| clock.observe(clock.last().checked_next().expect("not the last")));
    });
    let mut owned = Clock::new();
    group.bench_function("lamport, old time, owned", |b| b.iter(|| owned.observe(black_box(old))));
    group.finish();

    let mut group = c.benchmark_group("lamport/merge");
    let word = AtomicU64::new(u64::MAX);
    group.bench_function("floor: load and compare", |b| {
        b.iter(|| black_box(old.get()) <= word.load(Ordering::Relaxed));
    });
    group.bench_function("lamport, old time", |b| b.iter(|| clock.merge(black_box(old))));
    let max = AtomicU64::new(u64::MAX);
    group.bench_function("atomic max, old number", |b| {
        b.iter(|| max.fetch_max(black_box(1), Ordering::AcqRel));
    });
    group.finish();
}

fn reserve(c: &mut Criterion) {
    let block = NonZeroU32::MIN.saturating_add(63);
    let mut group = c.benchmark_group("lamport/reserve");
    group.throughput(Throughput::Elements(64));
    let word = AtomicU64::new(0);
    group.bench_function("floor: 64 atomic adds", |b| {
        b.iter(|| (0..64).fold(0, |sum, _| sum ^ word.fetch_add(1, Ordering::AcqRel)));
    });
    group.bench_function("floor: one atomic add of 64", |b| {
        b.iter(|| {
            let first = word.fetch_add(64, Ordering::AcqRel);
            (0..64).fold(0, |sum, at| sum ^ black_box(first.wrapping_add(at)))
        });
    });
    let clock = AtomicClock::new();
    group.bench_function("lamport, 64 times", |b| {
        b.iter(|| clock.reserve(block).map(|times| times.fold(0, |sum, time| sum ^ black_box(time.get()))));
    });
    group.finish();
}

/// Runs `work` `iterations` times on each of two threads, and returns the time of the slower one.
fn on_two_threads<R>(iterations: u64, work: &(impl Fn() -> R + Sync)) -> Duration {
    let barrier = Barrier::new(2);
    let run = || {
        barrier.wait();
        let start = Instant::now();
        for _ in 0..iterations {
            black_box(work());
        }
        start.elapsed()
    };
    thread::scope(|scope| {
        let other = scope.spawn(run);
        let mine = run();
        other.join().map_or(mine, |theirs| mine.max(theirs))
    })
}

fn contended(c: &mut Criterion) {
    let mut group = c.benchmark_group("lamport/2 threads");
    let word = AtomicU64::new(0);
    let add = || word.fetch_add(1, Ordering::AcqRel);
    group.bench_function("floor: atomic add", |b| b.iter_custom(|n| on_two_threads(n, &add)));
    let clock = AtomicClock::new();
    let tick = || clock.tick();
    group.bench_function("lamport, tick", |b| b.iter_custom(|n| on_two_threads(n, &tick)));
    let clock = AtomicClock::new();
    let observe = || clock.observe(Time::new(1));
    group.bench_function("lamport, observe old time", |b| b.iter_custom(|n| on_two_threads(n, &observe)));
    let merge = || clock.merge(black_box(Time::new(1)));
    group.bench_function("lamport, merge old time", |b| b.iter_custom(|n| on_two_threads(n, &merge)));
    group.finish();
}

criterion_group!(benches, tick, receive, reserve, contended);
criterion_main!(benches);

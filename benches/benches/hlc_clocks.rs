//! Clocks: tick by source, observe, merge, reserve; alone and on two threads.
//!
//! Each row takes the stamp out of the result, as a caller does: a black box around the whole of it would have it copied
//! with the error that it may hold, which is larger than the stamp.
#![expect(
    clippy::std_instead_of_core,
    clippy::std_instead_of_alloc,
    clippy::expect_used,
    reason = "a benchmark is a std program that stops at the first surprise"
)]
#![expect(clippy::disallowed_methods, reason = "the floor is the bare reading of the system clock")]

use std::{
    hint::black_box,
    num::NonZeroU32,
    sync::{
        Arc, Barrier,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant, SystemTime},
};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hlc::{
    AtomicClock, Clock, Source, Timestamp,
    layout::Millis42Y2022,
    source::{
        AnchoredSource, CachedSource, Counter as _, InstantCounter, ManualSource, QuantaCounter,
        SystemSource, Ticker,
    },
};

fn wall() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// A clock whose counter does not run over at the rate of a benchmark.
fn fast<S: Source>(source: S) -> AtomicClock<S, Millis42Y2022> {
    AtomicClock::with_layout(source)
}

fn uhlc_clock() -> uhlc::HLC {
    uhlc::HLCBuilder::new().with_max_delta(Duration::from_millis(500)).build()
}

/// A cache that a thread refreshes every millisecond, and the guard of that thread.
fn cached() -> (Arc<CachedSource>, Ticker) {
    let cache = Arc::new(CachedSource::new());
    let ticker = Ticker::start(Arc::clone(&cache), SystemSource::new(), Duration::from_millis(1))
        .expect("a thread can be started");
    (cache, ticker)
}

fn tick(c: &mut Criterion) {
    let word = AtomicU64::new(0);
    let mut group = c.benchmark_group("tick");
    group.bench_function("floor: atomic add", |b| b.iter(|| word.fetch_add(1, Ordering::AcqRel)));
    // What a clock has to do that takes the greater of two numbers, whatever rule decides which.
    let time = AtomicU64::new(0);
    group.bench_function("floor: two loads + exchange", |b| {
        b.iter(|| {
            let last = word.load(Ordering::Relaxed);
            let next = last.saturating_add(1).max(time.load(Ordering::Relaxed));
            word.compare_exchange_weak(last, next, Ordering::AcqRel, Ordering::Relaxed).ok()
        });
    });
    group.bench_function("floor: SystemTime", |b| b.iter(wall));
    group.bench_function("floor: SystemTime + atomic add", |b| {
        b.iter(|| (wall(), word.fetch_add(1, Ordering::AcqRel)));
    });

    // What the counter behind `AnchoredSource` costs by itself: on a virtual machine, as much as the rest.
    let counter = QuantaCounter::new();
    group.bench_function("floor: quanta's counter + atomic add", |b| {
        b.iter(|| (counter.nanos(), word.fetch_add(1, Ordering::AcqRel)));
    });

    let clock = AtomicClock::new(SystemSource::new());
    group.bench_function("hlc, SystemSource", |b| b.iter(|| clock.tick().ok()));
    let mut owned = Clock::new(SystemSource::new());
    group.bench_function("hlc, SystemSource, owned", |b| b.iter(|| owned.tick().ok()));
    let clock = fast(AnchoredSource::new(QuantaCounter::new(), SystemSource::new()));
    group.bench_function("hlc, AnchoredSource, quanta", |b| b.iter(|| clock.tick().ok()));
    let clock = fast(AnchoredSource::new(InstantCounter::new(), SystemSource::new()));
    group.bench_function("hlc, AnchoredSource, Instant", |b| b.iter(|| clock.tick().ok()));
    let (cache, _ticker) = cached();
    let clock = fast(Arc::clone(&cache));
    group.bench_function("hlc, CachedSource", |b| b.iter(|| clock.tick().ok()));
    let mut owned = Clock::<_, Millis42Y2022>::with_layout(cache);
    group.bench_function("hlc, CachedSource, owned", |b| b.iter(|| owned.tick().ok()));

    let peer = uhlc_clock();
    group.bench_function("uhlc", |b| b.iter(|| peer.new_timestamp()));
    let peer = hlc_gen::HlcGenerator::new(1_000);
    group.bench_function("hlc-gen", |b| b.iter(|| peer.next_timestamp()));
    group.finish();
}

fn receive(c: &mut Criterion) {
    let mut group = c.benchmark_group("observe");
    let clock = fast(SystemSource::new());
    let old = clock.tick().expect("the first stamp");
    group.bench_function("hlc, old stamp", |b| b.iter(|| clock.observe(black_box(old)).ok()));
    group.bench_function("hlc, newest stamp", |b| {
        b.iter(|| clock.observe(clock.last().expect("not the first").checked_next().expect("not the last")));
    });
    let peer = uhlc_clock();
    let old = peer.new_timestamp();
    group.bench_function("uhlc, old stamp (no stamp returned)", |b| {
        b.iter(|| peer.update_with_timestamp(black_box(&old)));
    });
    let peer = hlc_gen::HlcGenerator::new(1_000);
    let old = peer.next_timestamp().expect("the first stamp");
    group.bench_function("hlc-gen, old stamp", |b| b.iter(|| peer.update(black_box(&old))));
    group.finish();

    let clock = AtomicClock::new(SystemSource::new());
    let old = clock.tick().expect("the first stamp");
    let word = AtomicU64::new(u64::MAX);
    let mut group = c.benchmark_group("merge");
    group.bench_function("floor: load and compare", |b| {
        b.iter(|| black_box(old.to_bits()) <= word.load(Ordering::Relaxed));
    });
    group.bench_function("hlc, old stamp", |b| b.iter(|| clock.merge(black_box(old))));
    group.bench_function("uhlc, old stamp", |b| {
        let peer = uhlc_clock();
        let old = peer.new_timestamp();
        b.iter(|| peer.update_with_timestamp(black_box(&old)));
    });
    group.finish();
}

fn reserve(c: &mut Criterion) {
    let word = AtomicU64::new(0);
    let block = NonZeroU32::MIN.saturating_add(63);
    let mut group = c.benchmark_group("reserve");
    group.throughput(Throughput::Elements(64));
    group.bench_function("floor: 64 atomic adds", |b| {
        b.iter(|| (0..64).fold(0, |sum, _| sum ^ word.fetch_add(1, Ordering::AcqRel)));
    });
    let clock = fast(SystemSource::new());
    group.bench_function("hlc, 64 stamps, SystemSource", |b| {
        b.iter(|| clock.reserve(block).map(|block| block.fold(0, |sum, stamp| sum ^ stamp.to_bits())));
    });
    let (cache, _ticker) = cached();
    let clock = fast(cache);
    group.bench_function("hlc, 64 stamps, CachedSource", |b| {
        b.iter(|| clock.reserve(block).map(|block| block.fold(0, |sum, stamp| sum ^ stamp.to_bits())));
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
    let mut group = c.benchmark_group("tick, 2 threads");
    let word = AtomicU64::new(0);
    let add = || word.fetch_add(1, Ordering::AcqRel);
    group.bench_function("floor: atomic add", |b| b.iter_custom(|n| on_two_threads(n, &add)));
    let wall_add = || (wall(), word.fetch_add(1, Ordering::AcqRel));
    group.bench_function("floor: SystemTime + atomic add", |b| {
        b.iter_custom(|n| on_two_threads(n, &wall_add))
    });
    let clock = AtomicClock::new(SystemSource::new());
    let ours = || clock.tick();
    group.bench_function("hlc, SystemSource", |b| b.iter_custom(|n| on_two_threads(n, &ours)));
    let clock = fast(AnchoredSource::new(QuantaCounter::new(), SystemSource::new()));
    let ours = || clock.tick();
    group.bench_function("hlc, AnchoredSource, quanta", |b| b.iter_custom(|n| on_two_threads(n, &ours)));
    let peer = uhlc_clock();
    let theirs = || peer.new_timestamp();
    group.bench_function("uhlc", |b| b.iter_custom(|n| on_two_threads(n, &theirs)));
    let peer = hlc_gen::HlcGenerator::new(1_000);
    let theirs = || peer.next_timestamp();
    group.bench_function("hlc-gen", |b| b.iter_custom(|n| on_two_threads(n, &theirs)));
    group.finish();

    let mut group = c.benchmark_group("observe, 2 threads");
    let clock = fast(SystemSource::new());
    let remote = clock.tick().expect("the first stamp");
    let ours = || clock.observe(remote);
    group.bench_function("hlc", |b| b.iter_custom(|n| on_two_threads(n, &ours)));
    let peer = uhlc_clock();
    let remote = peer.new_timestamp();
    let theirs = || peer.update_with_timestamp(&remote);
    group.bench_function("uhlc (no stamp returned)", |b| b.iter_custom(|n| on_two_threads(n, &theirs)));
    group.finish();
}

/// The rule and its memory traffic alone: the physical clock is a word that stands still.
fn rule(c: &mut Criterion) {
    let clock = fast(ManualSource::at_millis(1_790_000_000_000));
    let mut group = c.benchmark_group("rule");
    group.bench_function("tick, ManualSource", |b| b.iter(|| clock.tick().ok()));
    group.bench_function("checked_next", |b| b.iter(|| black_box(Timestamp::MIN).checked_next()));
    group.finish();
}

criterion_group!(benches, tick, receive, reserve, contended, rule);
criterion_main!(benches);

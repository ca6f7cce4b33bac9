//! Neighbours of a timestamp: ids that sort by time. They do not know of messages, and so are not causal.
#![expect(
    clippy::std_instead_of_core,
    clippy::std_instead_of_alloc,
    clippy::expect_used,
    reason = "a benchmark is a std program that stops at the first surprise"
)]

use std::{hint::black_box, sync::Arc, time::Duration};

use criterion::{Criterion, criterion_group, criterion_main};
use hlc::{
    AtomicClock, NodeId,
    layout::Millis42Y2022,
    source::{AnchoredSource, CachedSource, QuantaCounter, SystemSource, Ticker},
};

type Fast<S> = AtomicClock<S, Millis42Y2022>;

fn generate(c: &mut Criterion) {
    let node = NodeId::from_random_bits(7);
    let mut group = c.benchmark_group("id/generate");
    let clock = AtomicClock::new(SystemSource::new());
    group.bench_function("hlc, stamp, SystemSource", |b| {
        b.iter(|| clock.tick().map(|stamp| stamp.at_node(node)));
    });
    let clock = Fast::with_layout(AnchoredSource::new(QuantaCounter::new(), SystemSource::new()));
    group.bench_function("hlc, stamp, AnchoredSource", |b| {
        b.iter(|| clock.tick().map(|stamp| stamp.at_node(node)));
    });
    let cache = Arc::new(CachedSource::new());
    let _ticker = Ticker::start(Arc::clone(&cache), SystemSource::new(), Duration::from_millis(1))
        .expect("a thread can be started");
    let clock = Fast::with_layout(cache);
    group.bench_function("hlc, stamp, CachedSource", |b| {
        b.iter(|| clock.tick().map(|stamp| stamp.at_node(node)));
    });
    group.bench_function("uuid, now_v7 (shared counter)", |b| b.iter(uuid::Uuid::now_v7));
    let context = std::sync::Mutex::new(uuid::ContextV7::new());
    group.bench_function("uuid, new_v7 with a context", |b| {
        b.iter(|| uuid::Uuid::new_v7(uuid::Timestamp::now(&context)));
    });
    let mut generator = ulid::Generator::new();
    group.bench_function("ulid, Generator (one owner)", |b| b.iter(|| generator.generate().is_ok()));
    group.bench_function("ulid, generate (not monotonic)", |b| b.iter(ulid::Ulid::generate));
    group.finish();

    let mut group = c.benchmark_group("id/text");
    let stamp = AtomicClock::new(SystemSource::new()).tick().expect("the first stamp").at_node(node);
    let mut buffer = [0; <hlc::Stamp>::TEXT_LEN];
    group.bench_function("hlc", |b| b.iter(|| black_box(stamp).encode_text(black_box(&mut buffer)).len()));
    let uuid = uuid::Uuid::now_v7();
    let mut buffer = [0; uuid::fmt::Hyphenated::LENGTH];
    group.bench_function("uuid", |b| {
        b.iter(|| black_box(uuid).hyphenated().encode_lower(black_box(&mut buffer)).len());
    });
    let ulid = ulid::Ulid::generate();
    let mut buffer = [0; ulid::ULID_LEN];
    group.bench_function("ulid", |b| b.iter(|| black_box(ulid).array_to_str(black_box(&mut buffer)).len()));
    group.finish();
}

criterion_group!(benches, generate);
criterion_main!(benches);

//! Values: compare, sort, hash, write and read, beside the bare integer and beside uhlc.
#![expect(
    clippy::std_instead_of_core,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a benchmark is a std program that stops at the first surprise"
)]

use std::{
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher},
    hint::black_box,
};

use clock_benches::{stamps, timestamps};
use criterion::{
    BatchSize, BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime,
};
use hlc::{Stamp, Timestamp};

/// Few enough to stay in the first cache.
const FEW: usize = 1_024;
const MANY: usize = 100_000;

/// Compares each value with the next, and counts the lesser ones.
fn compare<T: Ord>(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, values: &[T]) {
    group.throughput(Throughput::Elements(values.len() as u64));
    group.bench_function(name, |b| {
        b.iter(|| black_box(values).windows(2).filter(|pair| pair[0] < pair[1]).count());
    });
}

fn sort<T: Ord + Clone>(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, values: &[T]) {
    group.throughput(Throughput::Elements(values.len() as u64));
    group.bench_function(name, |b| {
        b.iter_batched(|| values.to_vec(), |mut values| values.sort_unstable(), BatchSize::LargeInput);
    });
}

fn hash<T: std::hash::Hash>(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, values: &[T]) {
    let hasher = BuildHasherDefault::<DefaultHasher>::default();
    group.throughput(Throughput::Elements(values.len() as u64));
    group.bench_function(name, |b| {
        b.iter(|| black_box(values).iter().fold(0, |sum, value| sum ^ hasher.hash_one(value)));
    });
}

fn uhlc_stamps(count: usize) -> Vec<uhlc::Timestamp> {
    stamps(count)
        .iter()
        .map(|stamp| {
            let id = uhlc::ID::try_from((stamp.node().as_u64() + 1).to_be_bytes()).unwrap();
            uhlc::Timestamp::new(uhlc::NTP64(stamp.timestamp().to_bits()), id)
        })
        .collect()
}

fn order(c: &mut Criterion) {
    let words: Vec<u64> = timestamps(FEW).iter().map(|stamp| stamp.to_bits()).collect();
    let wide: Vec<u128> = stamps(FEW).iter().map(Stamp::to_u128).collect();

    let mut group = c.benchmark_group("compare/timestamp");
    compare(&mut group, "floor: u64", &words);
    compare(&mut group, "hlc", &timestamps(FEW));
    group.finish();
    let mut group = c.benchmark_group("compare/stamp");
    compare(&mut group, "floor: u128", &wide);
    compare(&mut group, "hlc", &stamps(FEW));
    compare(&mut group, "uhlc", &uhlc_stamps(FEW));
    group.finish();

    let mut group = c.benchmark_group("hash/timestamp");
    hash(&mut group, "floor: u64", &words);
    hash(&mut group, "hlc", &timestamps(FEW));
    group.finish();
    let mut group = c.benchmark_group("hash/stamp");
    hash(&mut group, "floor: u128", &wide);
    hash(&mut group, "hlc", &stamps(FEW));
    group.bench_function("hlc, to_u128", |b| {
        let (hasher, stamps) = (BuildHasherDefault::<DefaultHasher>::default(), stamps(FEW));
        b.iter(|| black_box(&stamps).iter().fold(0, |sum, stamp| sum ^ hasher.hash_one(stamp.to_u128())));
    });
    hash(&mut group, "uhlc", &uhlc_stamps(FEW));
    group.finish();

    let words: Vec<u64> = timestamps(MANY).iter().map(|stamp| stamp.to_bits()).collect();
    let wide: Vec<u128> = stamps(MANY).iter().map(Stamp::to_u128).collect();
    let mut group = c.benchmark_group("sort/timestamp");
    sort(&mut group, "floor: u64", &words);
    sort(&mut group, "hlc", &timestamps(MANY));
    group.finish();
    let mut group = c.benchmark_group("sort/stamp");
    sort(&mut group, "floor: u128", &wide);
    sort(&mut group, "hlc", &stamps(MANY));
    group.bench_function("hlc, by to_u128", |b| {
        let stamps = stamps(MANY);
        let sort = |mut stamps: Vec<Stamp>| stamps.sort_unstable_by_key(Stamp::to_u128);
        b.iter_batched(|| stamps.clone(), sort, BatchSize::LargeInput);
    });
    sort(&mut group, "uhlc", &uhlc_stamps(MANY));
    group.finish();
}

fn text(c: &mut Criterion) {
    let ours = stamps(1)[0];
    let theirs = uhlc_stamps(1)[0];

    let mut group = c.benchmark_group("text/write");
    group.bench_function("hlc, into a buffer", |b| {
        let mut buffer = [0; <Stamp>::TEXT_LEN];
        b.iter(|| black_box(ours).encode_text(black_box(&mut buffer)).len());
    });
    group.bench_function("hlc, to_string", |b| b.iter(|| black_box(ours).to_string()));
    group.bench_function("uhlc, to_string", |b| b.iter(|| black_box(theirs).to_string()));
    // Of 16 random bytes, as its clocks make them where they are told nothing.
    let usual = uhlc::HLC::default().new_timestamp();
    for (name, stamp) in [("uhlc, into a buffer", theirs), ("uhlc, its usual id, into a buffer", usual)] {
        group.bench_function(name, |b| {
            use std::fmt::Write as _;
            let mut buffer = String::with_capacity(64);
            b.iter(|| {
                buffer.clear();
                write!(buffer, "{}", black_box(stamp)).unwrap();
                black_box(&mut buffer).len()
            });
        });
    }
    group.finish();

    let (our_text, their_text) = (ours.to_string(), theirs.to_string());
    let mut group = c.benchmark_group("text/parse");
    group.bench_function("hlc", |b| b.iter(|| black_box(our_text.as_str()).parse::<Stamp>()));
    group.bench_function("hlc, timestamp alone", |b| {
        b.iter(|| black_box(&our_text[..16]).parse::<Timestamp>());
    });
    for (name, text) in [("uhlc", their_text), ("uhlc, its usual id", usual.to_string())] {
        group.bench_function(name, |b| b.iter(|| black_box(text.as_str()).parse::<uhlc::Timestamp>()));
    }
    group.finish();
}

fn wire(c: &mut Criterion) {
    let stamp = stamps(1)[0];
    let envelope = stamp.to_envelope();
    let mut group = c.benchmark_group("wire");
    group.bench_function("hlc, to_envelope", |b| b.iter(|| black_box(stamp).to_envelope()));
    group.bench_function("hlc, from_envelope", |b| b.iter(|| <Stamp>::from_envelope(black_box(&envelope))));
    group.finish();
}

criterion_group!(benches, order, text, wire);
criterion_main!(benches);

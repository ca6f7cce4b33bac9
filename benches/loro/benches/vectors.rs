//! The rows of loro, in the groups of `benches/benches/vector_clock.rs`; what its vectors take in memory goes to
//! `report/memory.jsonl` in the folder of the build.

use std::{env, fs, hint::black_box, path::Path};

use clock_benches::vectors::{entries, pairs, raised};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use loro::VersionVector;
use loro_benches::vector;

const SIZES: [usize; 4] = [3, 8, 64, 1_024];

fn compare(c: &mut Criterion) {
    for size in SIZES {
        for (outcome, a, b) in pairs(size) {
            let (a, b) = (vector(&a), vector(&b));
            let mut group = c.benchmark_group(format!("vector/compare/{size}/{outcome}"));
            group.bench_function("loro", |bench| bench.iter(|| black_box(&a).partial_cmp(black_box(&b))));
            group.finish();
        }
    }
}

fn merge(c: &mut Criterion) {
    for size in SIZES {
        let base = entries(size, 1);
        let (a, b) = (raised(&base, (0..size).step_by(2)), raised(&base, (1..size).step_by(2)));
        for (name, b) in [("equal members", b), ("disjoint members", entries(size, 2))] {
            let (a, b) = (vector(&a), vector(&b));
            let mut group = c.benchmark_group(format!("vector/merge/{size}/{name}"));
            group.bench_function("loro", |bench| {
                bench.iter_batched_ref(|| a.clone(), |a| a.merge(&b), BatchSize::SmallInput);
            });
            group.finish();
        }
    }
}

fn wire(c: &mut Criterion) {
    for size in SIZES {
        let vector = vector(&entries(size, 1));
        let bytes = vector.encode();
        let mut group = c.benchmark_group(format!("vector/encode/{size}"));
        group.bench_function("loro, encode", |bench| bench.iter(|| black_box(&vector).encode()));
        group.finish();
        let mut group = c.benchmark_group(format!("vector/decode/{size}"));
        group.bench_function("loro, decode", |bench| {
            bench.iter(|| VersionVector::decode(black_box(&bytes)));
        });
        group.finish();
    }
}

fn memory(_: &mut Criterion) {
    const ENTRIES: usize = 64;
    if env::args().any(|argument| argument == "--test") {
        return;
    }
    let entries = entries(ENTRIES, 1);
    let mut made = None;
    let heap = allocation_counter::measure(|| made = Some(vector(&entries))).bytes_current;
    let held = (size_of::<VersionVector>() as f64 + heap as f64) / ENTRIES as f64;
    let encoded = made.map_or(0, |made| made.encode().len()) as f64 / ENTRIES as f64;
    let line = |group: &str, bytes: f64| {
        format!(r#"{{"group":"{group}","name":"loro, VersionVector (31-bit counters)","bytes":{bytes:.2}}}"#)
    };
    let lines =
        [line("an entry of 64 in memory", held), line("an entry of 64 in a message", encoded)].join("\n");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("report");
    fs::create_dir_all(&folder).expect("a folder in the folder of the build");
    fs::write(folder.join("memory.jsonl"), lines).expect("a file in it");
}

criterion_group!(benches, compare, merge, wire, memory);
criterion_main!(benches);

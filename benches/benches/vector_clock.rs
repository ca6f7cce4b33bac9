//! Vectors: compare by outcome and by shape, merge, tick, write and read, beside the peers and beside the floor.
//!
//! Each peer has its own storage: `crdts` a B-tree, `vclock` a hash map, `yrs` a hash map with 32-bit counters. The
//! floor of a comparison with one answer, "equal or not", is `memcmp`; of one with four answers, a plain loop.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a benchmark is a std program that stops at the first surprise"
)]

use core::hint::black_box;
use std::collections::HashMap;

use clock_benches::vectors::{Entries, entries, pairs, raised};
use crdts::{CmRDT as _, CvRDT as _};
use criterion::{
    BatchSize, BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime,
};
use vector_clock::{Causality, ClockRef, DenseVector, Dot, Heap, Limits, Stamp, VectorClock, VersionVector};
use yrs::updates::{decoder::Decode as _, encoder::Encode as _};

type Vector = VersionVector<u64, Heap>;
const SIZES: [usize; 4] = [3, 8, 64, 1_024];

fn ours(entries: &Entries) -> Vector {
    let dots = entries.iter().map(|(id, counter)| Dot::try_new(*id, *counter).expect("in range"));
    Vector::from_sorted(dots).expect("ascending")
}

fn of_crdts(entries: &Entries) -> crdts::VClock<u64> {
    let mut clock = crdts::VClock::new();
    for (id, counter) in entries {
        clock.apply(crdts::Dot::new(*id, *counter));
    }
    clock
}

fn of_vclock(entries: &Entries) -> vclock::VClock<u64, u64> {
    vclock::VClock::from(entries.iter().copied().collect::<HashMap<_, _>>())
}

fn of_yrs(entries: &Entries) -> yrs::StateVector {
    let narrow = |counter: u64| u32::try_from(counter).expect("a small counter");
    entries.iter().map(|(id, counter)| (yrs::ClientID::new(*id), narrow(*counter))).collect()
}

fn counters(entries: &Entries) -> Vec<u64> {
    entries.iter().map(|(_, counter)| *counter).collect()
}

/// What one writes first: a flag for each direction, and out as soon as both are set.
fn plain_loop(left: &[u64], right: &[u64]) -> Causality {
    let (mut left_lacks, mut right_lacks) = (false, false);
    for (a, b) in left.iter().zip(right) {
        left_lacks |= a < b;
        right_lacks |= b < a;
        if left_lacks && right_lacks {
            return Causality::Concurrent;
        }
    }
    match (left_lacks, right_lacks) {
        (false, false) => Causality::Equal,
        (true, false) => Causality::Before,
        (false, true) => Causality::After,
        (true, true) => Causality::Concurrent,
    }
}

fn compare(c: &mut Criterion) {
    for size in SIZES {
        for (outcome, a, b) in pairs(size) {
            let mut group = c.benchmark_group(format!("vector/compare/{size}/{outcome}"));
            compare_values(&mut group, &a, &b);
            compare_bytes(&mut group, &a, &b);
            group.finish();
        }
    }
}

fn compare_values(group: &mut BenchmarkGroup<'_, WallTime>, a: &Entries, b: &Entries) {
    let (x, y) = (ours(a), ours(b));
    group.bench_function("vector-clock", |bench| bench.iter(|| black_box(&x).causality(black_box(&y))));
    let (x, y) = (of_crdts(a), of_crdts(b));
    group.bench_function("crdts", |bench| bench.iter(|| black_box(&x).partial_cmp(black_box(&y))));
    let (x, y) = (of_vclock(a), of_vclock(b));
    group.bench_function("vclock", |bench| bench.iter(|| black_box(&x).partial_cmp(black_box(&y))));
    let (x, y) = (of_yrs(a), of_yrs(b));
    group.bench_function("yrs", |bench| bench.iter(|| black_box(&x).partial_cmp(black_box(&y))));
    // The sparse form looks at the ids as well; these two do not.
    let (x, y) = (counters(a), counters(b));
    group.bench_function("floor: memcmp of counters", |bench| {
        bench.iter(|| black_box(x.as_slice()) == black_box(y.as_slice()));
    });
    group.bench_function("floor: plain loop over counters", |bench| {
        bench.iter(|| plain_loop(black_box(&x), black_box(&y)));
    });
}

fn compare_bytes(group: &mut BenchmarkGroup<'_, WallTime>, a: &Entries, b: &Entries) {
    let (a, b) = (ours(a).to_bytes(), ours(b).to_bytes());
    let limits = Limits::new();
    let parse = |bytes| ClockRef::parse(bytes, &limits).expect("within the limits");
    let (x, y) = (parse(&a), parse(&b));
    group.bench_function("vector-clock, ClockRef", |bench| {
        bench.iter(|| black_box(&x).causality(black_box(&y)));
    });
}

fn dense_of_size<const N: usize>(c: &mut Criterion) {
    let base = entries(N, 1);
    let last = N - 1;
    let pairs = [
        ("equal", base.clone(), base.clone()),
        ("before", base.clone(), raised(&base, 0..N)),
        ("before, in the last lane", base.clone(), raised(&base, [last])),
        ("concurrent, at the front", raised(&base, [0]), raised(&base, [1])),
    ];
    for (outcome, a, b) in pairs {
        let mut group = c.benchmark_group(format!("dense/compare/{N}/{outcome}"));
        group.throughput(Throughput::Bytes(2 * 8 * N as u64));
        let lanes = |entries| <[u64; N]>::try_from(counters(entries)).expect("as many");
        let (a, b) = (Box::new(lanes(&a)), Box::new(lanes(&b)));
        let dense = |lanes| Box::new(DenseVector::try_from_counters(lanes).expect("in range"));
        let (x, y) = (dense(*a), dense(*b));
        group.bench_function("vector-clock", |bench| bench.iter(|| black_box(&*x).causality(black_box(&*y))));
        group.bench_function("floor: memcmp", |bench| bench.iter(|| black_box(&*a) == black_box(&*b)));
        group.bench_function("floor: plain loop", |bench| {
            bench.iter(|| plain_loop(black_box(a.as_slice()), black_box(b.as_slice())));
        });
        group.finish();
    }
}

fn dense(c: &mut Criterion) {
    dense_of_size::<3>(c);
    dense_of_size::<8>(c);
    dense_of_size::<64>(c);
    dense_of_size::<1_024>(c);
}

/// Each side has something that the other lacks. `crdts` and `yrs` consume what they merge, so a copy is part of it.
fn merge(c: &mut Criterion) {
    for size in SIZES {
        let base = entries(size, 1);
        let (a, b) = (raised(&base, (0..size).step_by(2)), raised(&base, (1..size).step_by(2)));
        for (name, b) in [("equal members", b), ("disjoint members", entries(size, 2))] {
            let mut group = c.benchmark_group(format!("vector/merge/{size}/{name}"));
            let (x, y) = (ours(&a), ours(&b));
            group.bench_function("vector-clock", |bench| {
                bench.iter_batched_ref(|| x.clone(), |x| x.merge(&y), BatchSize::SmallInput);
            });
            let mut known = x.clone();
            known.merge(&y).expect("it grows");
            group.bench_function("vector-clock, nothing new", |bench| {
                bench.iter(|| known.merge(black_box(&y)));
            });
            let (x, y) = (of_crdts(&a), of_crdts(&b));
            group.bench_function("crdts", |bench| {
                bench.iter_batched_ref(|| x.clone(), |x| x.merge(y.clone()), BatchSize::SmallInput);
            });
            let (x, y) = (of_vclock(&a), of_vclock(&b));
            group.bench_function("vclock", |bench| {
                bench.iter_batched_ref(|| x.clone(), |x| x.merge(&y), BatchSize::SmallInput);
            });
            let (x, y) = (of_yrs(&a), of_yrs(&b));
            group.bench_function("yrs", |bench| {
                bench.iter_batched_ref(|| x.clone(), |x| x.merge(y.clone()), BatchSize::SmallInput);
            });
            group.finish();
        }
    }
}

/// One more event of one actor, without a stamp; and with the stamp, which is a copy of the vector.
fn tick(c: &mut Criterion) {
    for size in SIZES {
        let base = entries(size, 1);
        let own = base[size / 2].0;
        let mut group = c.benchmark_group(format!("vector/tick/{size}"));
        let mut vector = ours(&base);
        group.bench_function("vector-clock", |bench| bench.iter(|| vector.tick(black_box(own))));
        let mut clock = VectorClock::resume(own, ours(&base)).expect("it grows");
        group.bench_function("vector-clock, VectorClock with stamp", |bench| bench.iter(|| clock.tick()));
        let mut peer = of_crdts(&base);
        group.bench_function("crdts", |bench| {
            bench.iter(|| {
                let dot = peer.inc(black_box(own));
                peer.apply(dot);
            });
        });
        let mut peer = of_vclock(&base);
        group.bench_function("vclock", |bench| bench.iter(|| peer.incr(black_box(&own))));
        group.finish();
    }
}

fn wire(c: &mut Criterion) {
    for size in SIZES {
        let base = entries(size, 1);
        let vector = ours(&base);
        let bytes = vector.to_bytes();
        let dot = vector.iter().next().expect("not empty");
        let stamp = Stamp::try_new(dot, vector.clone()).expect("its own event").to_bytes();
        let limits = Limits::new();
        let peer = of_yrs(&base);
        let peer_bytes = peer.encode_v1();

        let mut group = c.benchmark_group(format!("vector/encode/{size}"));
        let mut buffer = vec![0; bytes.len()];
        group.bench_function("vector-clock, into a buffer", |bench| {
            bench.iter(|| black_box(&vector).encode_into(black_box(&mut buffer)));
        });
        group.bench_function("vector-clock, to_bytes", |bench| bench.iter(|| black_box(&vector).to_bytes()));
        group.bench_function("yrs, encode_v1", |bench| bench.iter(|| black_box(&peer).encode_v1()));
        group.finish();

        let mut group = c.benchmark_group(format!("vector/decode/{size}"));
        group.bench_function("vector-clock", |bench| {
            bench.iter(|| Vector::decode(black_box(&bytes), &limits));
        });
        group.bench_function("vector-clock, stamp", |bench| {
            bench.iter(|| Stamp::<u64, Heap>::decode(black_box(&stamp), &limits));
        });
        group.bench_function("vector-clock, ClockRef", |bench| {
            bench.iter(|| ClockRef::parse(black_box(&bytes), &limits).map(|clock| clock.len()));
        });
        group.bench_function("yrs, decode_v1", |bench| {
            bench.iter(|| yrs::StateVector::decode_v1(black_box(&peer_bytes)));
        });
        group.finish();
    }
}

criterion_group!(benches, compare, dense, merge, tick, wire);
criterion_main!(benches);

//! What durability costs: a raise beside a bare write and sync, a draw beside a bare add, a durable tick beside a
//! plain one.
//!
//! The files are in the folder of the build: name another disk with `CARGO_TARGET_DIR`.
#![expect(
    clippy::std_instead_of_core,
    clippy::std_instead_of_alloc,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a benchmark is a std program that stops at the first surprise, and says what it counted"
)]

use std::{
    fs::{self, File},
    iter::Cycle,
    num::NonZeroU64,
    os::unix::fs::FileExt as _,
    path::PathBuf,
    slice::Iter,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use criterion::{
    Criterion, criterion_group, criterion_main,
    measurement::{Measurement as _, WallTime},
};
use high_water::{FileMark, Identity, MemoryMark, Options, Register, Reserver};
use hlc::{
    AtomicClock, AtomicDurableClock, Clock, DurableClock, Keeper,
    source::{CachedSource, ManualSource, SystemSource, Ticker},
};

/// What a raise writes: two copies of a record of 512 bytes, 48 KiB apart, to three slots in turn.
const RECORD: [u8; 512] = [0x5a; 512];
const SLOTS: [[u64; 2]; 3] = [[0, 49_152], [16_384, 65_536], [32_768, 81_920]];
const FILE_LEN: usize = 98_304;

/// A file of this benchmark, gone before.
fn fresh(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("bench-{name}"));
    let _ = fs::remove_file(&path);
    path
}

fn register(name: &str) -> Register {
    let options = Options::new(Identity::from_bytes(*b"durable benches!"));
    let options =
        options.allow_unknown_file_system().allow_network_file_system().allow_volatile_file_system();
    options.create(fresh(name), 0, b"").expect("a register in the folder of the build")
}

fn mark(name: &str) -> FileMark {
    register(name).into_mark()
}

/// A register, and a file of the same length to which the floor writes the same bytes, at the same places, in the same
/// order.
struct Pair {
    file: File,
    slots: Cycle<Iter<'static, [u64; 2]>>,
    register: Register,
}

impl Pair {
    fn new() -> Self {
        let file = File::create(fresh("bare")).expect("a file in the folder of the build");
        let written = file.write_all_at(&vec![0; FILE_LEN], 0).and_then(|()| file.sync_all());
        written.expect("a file that has all its blocks");
        Self { file, slots: SLOTS.iter().cycle(), register: register("raise") }
    }

    fn floor(&mut self) {
        for at in self.slots.next().into_iter().flatten() {
            self.file.write_all_at(&RECORD, *at).expect("a write");
        }
        self.file.sync_data().expect("a sync");
    }

    fn raise(&mut self) {
        self.register.raise(self.register.get().saturating_add(1), b"").expect("a raise");
    }
}

/// A disk does not answer alike for minutes: each row is measured with the other one in between, turn and turn about.
fn raise(c: &mut Criterion) {
    let mut group = c.benchmark_group("raise");
    group.sample_size(60).measurement_time(Duration::from_secs(20));
    let mut pair = Pair::new();
    let mut row = |name, timed: fn(&mut Pair), between: fn(&mut Pair)| {
        group.bench_function(name, |b| {
            b.iter_custom(|count| {
                let mut total = Duration::ZERO;
                for _ in 0..count {
                    between(&mut pair);
                    let start = WallTime.start();
                    timed(&mut pair);
                    total = total.saturating_add(WallTime.end(start));
                }
                total
            });
        });
    };
    row("floor: the same bytes to the same places + fdatasync", Pair::floor, Pair::raise);
    row("Register::raise", Pair::raise, Pair::floor);
    group.finish();
    if !is_test() {
        medians(&mut pair);
    }
}

/// The medians of both, taken in one loop: what a few slow syncs cannot move.
fn medians(pair: &mut Pair) {
    const ROUNDS: usize = 4_000;
    let time = |work: &mut dyn FnMut()| {
        let start = WallTime.start();
        work();
        WallTime.end(start)
    };
    let (mut floor, mut raise) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        floor.push(time(&mut || pair.floor()));
        raise.push(time(&mut || pair.raise()));
    }
    let [floor, raise] = [floor, raise].map(|mut times: Vec<Duration>| {
        times.sort_unstable();
        times.get(ROUNDS / 2).copied().unwrap_or_default()
    });
    let percent = raise.as_nanos().saturating_mul(100).checked_div(floor.as_nanos()).unwrap_or(0);
    eprintln!("raise, medians of {ROUNDS} in turn: floor {floor:?}, raise {raise:?}: {percent} %");
}

/// Whether criterion was told to show that it runs, and to measure nothing.
fn is_test() -> bool {
    std::env::args().any(|argument| argument == "--test")
}

fn draw(c: &mut Criterion) {
    let mut group = c.benchmark_group("draw");
    let word = AtomicU64::new(0);
    group.bench_function("floor: atomic add", |b| b.iter(|| word.fetch_add(1, Ordering::AcqRel)));
    let mut reserver =
        Reserver::new(MemoryMark::new(0), NonZeroU64::MAX.min(NonZeroU64::MIN.saturating_add(1 << 62)));
    reserver.upkeep().expect("a block that outlasts the benchmark");
    group.bench_function("Reserver::draw within a block", |b| b.iter(|| reserver.draw()));
    group.finish();
}

/// One after the other, as near in time as criterion allows: a group for each pair.
fn tick(c: &mut Criterion) {
    let mut group = c.benchmark_group("durable tick/SystemSource");
    let plain = AtomicClock::new(SystemSource::new());
    group.bench_function("plain", |b| b.iter(|| plain.tick().ok()));
    let clock = Arc::new(AtomicDurableClock::new(SystemSource::new(), mark("tick")));
    let keeper = Keeper::start(Arc::clone(&clock), Duration::from_millis(25)).expect("a thread");
    group.bench_function("durable", |b| b.iter(|| clock.tick().ok()));
    drop(keeper);
    group.finish();
    // A refusal is not what was to be measured; where the machine does not run the keeper there are some.
    eprintln!(
        "stalls while the durable tick was measured: {}; the steady state has none",
        clock.snapshot().stalls()
    );

    let mut group = c.benchmark_group("durable tick/SystemSource, owned");
    let mut plain = Clock::new(SystemSource::new());
    group.bench_function("plain", |b| b.iter(|| plain.tick().ok()));
    let mut clock = DurableClock::new(SystemSource::new(), MemoryMark::new(0));
    group.bench_function("durable", |b| b.iter(|| clock.tick().ok()));
    group.finish();

    let mut group = c.benchmark_group("durable tick/CachedSource");
    let cache = Arc::new(CachedSource::new());
    let _ticker =
        Ticker::start(Arc::clone(&cache), SystemSource::new(), Duration::from_millis(1)).expect("a thread");
    let plain = AtomicClock::<_, hlc::layout::Millis42Y2022>::with_layout(Arc::clone(&cache));
    group.bench_function("plain", |b| b.iter(|| plain.tick().ok()));
    let clock = Arc::new(AtomicDurableClock::<_, _, hlc::layout::Millis42Y2022>::with_layout(
        cache,
        MemoryMark::new(0),
    ));
    let _keeper = Keeper::start(Arc::clone(&clock), Duration::from_millis(5)).expect("a thread");
    group.bench_function("durable", |b| b.iter(|| clock.tick().ok()));
    group.finish();

    let mut group = c.benchmark_group("durable tick/lamport");
    let plain = lamport::AtomicClock::new();
    group.bench_function("plain", |b| b.iter(|| plain.tick().ok()));
    let clock = lamport::AtomicDurableClock::new(MemoryMark::new(0)).with_block(lamport::Block::MAX);
    clock.upkeep().expect("a block that outlasts the benchmark");
    group.bench_function("durable", |b| b.iter(|| clock.tick().ok()));
    group.finish();
}

/// Not a measurement of time: how many syncs a second the default window takes, on the real clock and a real disk.
fn syncs(_: &mut Criterion) {
    const SECONDS: u32 = 4;
    if is_test() {
        return;
    }
    let clock = Arc::new(AtomicDurableClock::new(SystemSource::new(), mark("syncs")));
    let keeper = Keeper::start(Arc::clone(&clock), Duration::from_millis(25)).expect("a thread");
    let before = clock.snapshot().extensions();
    thread::sleep(Duration::from_secs(SECONDS.into()));
    let extensions = clock.snapshot().extensions().saturating_sub(before);
    drop(keeper);
    eprintln!("syncs at the default window: {extensions} in {SECONDS} s");

    let still = AtomicDurableClock::new(ManualSource::at_millis(1_790_000_000_000), MemoryMark::new(0));
    assert!(still.upkeep().is_ok_and(|raised| raised) && still.upkeep().is_ok_and(|raised| !raised));
}

criterion_group!(benches, raise, draw, tick, syncs);
criterion_main!(benches);

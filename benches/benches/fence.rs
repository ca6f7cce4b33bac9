//! What fencing costs: a permit beside two bare adds and beside a mutex, and a durable grant beside the bare writes
//! and syncs of as many bytes.
//!
//! The files are in the folder of the build: name another disk with `CARGO_TARGET_DIR`.
#![expect(
    clippy::std_instead_of_core,
    clippy::expect_used,
    reason = "a benchmark is a std program that stops at the first surprise"
)]

use std::{
    fs::{self, File},
    hint::black_box,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    sync::{
        Barrier,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use criterion::{Bencher, Criterion, criterion_group, criterion_main};
use epoch_fence::{
    Epoch, Fenced, FencingToken, Gate, GrantId, Issuer, RealmId, ResourceId, Wait,
    engine::file::{FileOptions, SystemHost},
    protocol::{Claim, Ttl},
};
use parking_lot::Mutex;

fn resource() -> ResourceId {
    ResourceId::of("benches", "fence")
}

fn token() -> FencingToken {
    let realm = RealmId::from_random_bits(1).expect("it is not zero");
    let grant = GrantId::from_random_bits(2).expect("it is not zero");
    FencingToken::new(realm, resource(), Epoch::FIRST, grant)
}

fn gate() -> Gate {
    let gate = Gate::new(token().realm(), resource(), Epoch::FIRST);
    gate.run(&token(), |_| ()).expect("the first token");
    gate
}

/// Measures `step` on this thread, while another one does the same.
fn beside_another(b: &mut Bencher<'_>, step: impl Fn() + Sync) {
    let (start, done) = (Barrier::new(2), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            start.wait();
            // ORDERING: Relaxed. Nothing is published; it only has to be seen at some time.
            while !done.load(Ordering::Relaxed) {
                step();
            }
        });
        start.wait();
        b.iter(&step);
        // ORDERING: Relaxed. As above.
        done.store(true, Ordering::Relaxed);
    });
}

fn permits(c: &mut Criterion) {
    let (gate, token) = (gate(), token());
    let word = AtomicU64::new(0);
    let adds = || {
        // ORDERING: AcqRel. What a permit needs at least, so that the floor is an honest one.
        black_box(word.fetch_add(1, Ordering::AcqRel));
        black_box(word.fetch_sub(1, Ordering::AcqRel));
    };
    // What comes out is dropped where it is, as a caller does: a black box around it would copy it to memory first.
    let enter = || drop(gate.enter(black_box(&token)).expect("the current epoch"));
    let mutex = Mutex::new(0_u64);
    let lock = || {
        let mut value = mutex.lock();
        *value = value.wrapping_add(1);
    };
    let fenced = Fenced::new(self::gate(), 0_u64);
    let change = || {
        let mut value = fenced.write(black_box(&token)).expect("the current epoch");
        *value = value.wrapping_add(1);
    };

    let mut group = c.benchmark_group("permit");
    group.bench_function("floor: two atomic adds", |b| b.iter(adds));
    group.bench_function("Gate::enter and drop", |b| b.iter(enter));
    group.bench_function("peer: parking_lot mutex", |b| b.iter(lock));
    group.bench_function("Fenced::write and drop", |b| b.iter(change));
    group.finish();

    let mut group = c.benchmark_group("permit, two threads");
    group.bench_function("floor: two atomic adds", |b| beside_another(b, adds));
    group.bench_function("Gate::enter and drop", |b| beside_another(b, enter));
    group.bench_function("peer: parking_lot mutex", |b| beside_another(b, lock));
    group.bench_function("Fenced::write and drop", |b| beside_another(b, change));
    group.finish();
}

/// A folder of this benchmark, gone before.
fn fresh(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("bench-{name}"));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).expect("a folder in the folder of the build");
    path
}

/// The bytes of a record's two copies, and of two entries of the log, each followed by a sync, in files that have
/// their length already.
struct Floor {
    record: File,
    log: File,
    at: u64,
}

const COPIES: [u64; 2] = [0, 49_152];
const RECORD: [u8; 512] = [0x5a; 512];
const ENTRIES: [u8; 430] = [0x5a; 430];
const LOG_BYTES: u64 = 1 << 20;

impl Floor {
    fn new() -> Self {
        let folder = fresh("floor");
        let file = |name: &str, length: usize| {
            let file = File::create(folder.join(name)).expect("a file in the folder of the build");
            file.write_all_at(&vec![0; length], 0)
                .and_then(|()| file.sync_all())
                .expect("a file of that length");
            file
        };
        Self { record: file("record", 98_304), log: file("log", 1 << 20), at: 0 }
    }

    fn write(&mut self) {
        for at in COPIES {
            self.record.write_all_at(&RECORD, at).expect("a write");
        }
        self.record.sync_data().expect("a sync");
        self.log
            .write_all_at(&ENTRIES, self.at)
            .and_then(|()| self.log.sync_data())
            .expect("a write and a sync");
        self.at = (self.at.wrapping_add(215)) % (LOG_BYTES - 1_000);
    }
}

fn grants(c: &mut Criterion) {
    let mut group = c.benchmark_group("grant");
    group.sample_size(40).measurement_time(Duration::from_secs(8));
    let mut floor = Floor::new();
    group.bench_function("floor: the same bytes, four syncs", |b| {
        b.iter(|| {
            floor.write();
            floor.write();
        });
    });
    let options = FileOptions::new()
        .allow_network_file_system()
        .allow_unknown_file_system()
        .allow_volatile_file_system();
    let directory = options.open(fresh("leases")).expect("a folder");
    let leases = Issuer::new(directory, SystemHost::new().expect("the clocks of Linux"));
    let ttl = Ttl::new(Duration::from_secs(60)).expect("a time to live");
    let claim = Claim::new(resource(), "benches".parse().expect("a holder"), ttl);
    group.bench_function("file: acquire and release", |b| {
        b.iter(|| {
            let lease = leases.acquire(&claim, Wait::AtOnce).expect("nobody else is here");
            lease.release().expect("it is released")
        });
    });
    group.finish();
}

criterion_group!(benches, permits, grants);
criterion_main!(benches);

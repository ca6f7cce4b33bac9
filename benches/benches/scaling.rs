//! What a clock gives to 1, 2, 4 and 8 threads, and how long one thread may have to wait.
//!
//! Not criterion's: a throughput of several threads, and the worst of all waits, are not the mean of a call. What is found
//! goes to `report/scaling.jsonl` in the folder of the build.
#![expect(
    clippy::std_instead_of_core,
    clippy::std_instead_of_alloc,
    clippy::expect_used,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    reason = "a benchmark is a std program that stops at the first surprise, and reads the clock itself"
)]

use std::{
    fs,
    hint::black_box,
    path::{Path, PathBuf},
    sync::{
        Arc, Barrier,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use hlc::{
    AtomicClock, Clock, Source,
    layout::Millis42Y2022,
    source::{CachedSource, SystemSource, Ticker},
};

const THREADS: [usize; 4] = [1, 2, 4, 8];
/// Calls between two looks at the time: enough that the looks cost little, few enough to see a wait.
const BATCH: u32 = 256;

/// 65,536 stamps a millisecond are the ceiling of the default layout; this one has 4,194,304.
type Fast<S> = AtomicClock<S, Millis42Y2022>;

/// A line of the cache, and the one that the processor fetches with it.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Apart<T>(T);

/// What one thread does, `BATCH` times.
type Work<'a> = Box<dyn FnMut() + Send + 'a>;

fn batch<'a, R>(mut call: impl FnMut() -> R + Send + 'a) -> Work<'a> {
    Box::new(move || {
        for _ in 0..BATCH {
            black_box(call());
        }
    })
}

struct Found {
    millions: f64,
    worst: Duration,
}

/// Runs one piece of work on each thread until `time` is over.
fn run(works: Vec<Work<'_>>, time: Duration) -> Found {
    let (start, over) = (Barrier::new(works.len() + 1), AtomicBool::new(false));
    let one = |mut work: Work<'_>| {
        work();
        start.wait();
        let (began, mut batches, mut worst) = (Instant::now(), 0_u64, Duration::ZERO);
        let mut before = began;
        // ORDERING: Relaxed. Nothing is published; it only has to be seen at some time.
        while !over.load(Ordering::Relaxed) {
            work();
            let now = Instant::now();
            worst = worst.max(now - before);
            before = now;
            batches += 1;
        }
        ((batches * u64::from(BATCH)) as f64 / (before - began).as_secs_f64().max(1e-9), worst)
    };
    thread::scope(|scope| {
        let one = &one;
        let threads: Vec<_> = works.into_iter().map(|work| scope.spawn(move || one(work))).collect();
        start.wait();
        thread::sleep(time);
        // ORDERING: Relaxed. As above.
        over.store(true, Ordering::Relaxed);
        let found = threads.into_iter().map(|thread| thread.join().expect("no thread panics"));
        found.fold(Found { millions: 0.0, worst: Duration::ZERO }, |sum, (rate, worst)| Found {
            millions: sum.millions + rate / 1e6,
            worst: sum.worst.max(worst),
        })
    })
}

struct Report {
    time: Duration,
    lines: Vec<String>,
}

impl Report {
    fn measure<'a>(&mut self, name: &str, works: impl Fn(usize) -> Vec<Work<'a>>) {
        for threads in THREADS {
            let Found { millions, worst } = run(works(threads), self.time);
            let worst = worst.as_secs_f64() * 1e6;
            self.lines.push(format!(
                "{{\"name\":\"{name}\",\"threads\":{threads},\"millions_a_second\":{millions:.3},\"worst_micros\":{worst:.1}}}"
            ));
            println!("{name}, {threads} threads: {millions:.1} M/s, worst batch {worst:.0} us");
        }
    }
}

/// The same call on each thread.
fn shared<'a, R>(threads: usize, call: impl Fn() -> R + Copy + Send + 'a) -> Vec<Work<'a>> {
    (0..threads).map(|_| batch(call)).collect()
}

fn floors(report: &mut Report) {
    let word = AtomicU64::new(0);
    // ORDERING: AcqRel. What a tick needs at least, so that the floor is an honest one.
    report.measure("floor: add to one shared word", |threads| {
        shared(threads, || word.fetch_add(1, Ordering::AcqRel))
    });
    let words: [AtomicU64; 8] = Default::default();
    report.measure("floor: add to a word each, side by side", |threads| {
        words.iter().take(threads).map(|word| batch(move || word.fetch_add(1, Ordering::AcqRel))).collect()
    });
    let words: [Apart<AtomicU64>; 8] = Default::default();
    report.measure("floor: add to a word each, a line each", |threads| {
        words.iter().take(threads).map(|word| batch(move || word.0.fetch_add(1, Ordering::AcqRel))).collect()
    });
}

fn clocks(report: &mut Report, cache: &Arc<CachedSource>) {
    let clock = Fast::with_layout(SystemSource::new());
    report.measure("tick, one clock, SystemSource", |threads| shared(threads, || clock.tick()));
    let clock = Fast::with_layout(&**cache);
    report.measure("tick, shared word over a cached clock", |threads| shared(threads, || clock.tick()));
    let clock = Fast::with_layout(&**cache);
    let old = clock.tick().expect("the first stamp");
    report.measure("observe of an old stamp, one clock, cached", |threads| {
        shared(threads, || clock.observe(black_box(old)))
    });
    let clock = Fast::with_layout(SystemSource::new());
    let old = clock.tick().expect("the first stamp");
    report.measure("observe of an old stamp, one clock, SystemSource", |threads| {
        shared(threads, || clock.observe(black_box(old)))
    });
    let clock = Fast::with_layout(&**cache);
    let block = std::num::NonZeroU32::MIN.saturating_add(63);
    report.measure("64 stamps reserved at a time, one clock, cached (a stamp each)", |threads| {
        let work = |_| -> Work<'_> {
            let (clock, mut left) = (&clock, None);
            batch(move || {
                let next = left.as_mut().and_then(Iterator::next);
                next.or_else(|| {
                    left = clock.reserve(block).ok();
                    left.as_mut().and_then(Iterator::next)
                })
            })
        };
        (0..threads).map(work).collect()
    });

    let side_by_side: [Fast<&CachedSource>; 8] = std::array::from_fn(|_| Fast::with_layout(&**cache));
    report.measure("tick, a clock each, in an array", |threads| each(side_by_side.iter().take(threads)));
    let apart: [Apart<Fast<&CachedSource>>; 8] = std::array::from_fn(|_| Apart(Fast::with_layout(&**cache)));
    report.measure("tick, a clock each, apart", |threads| {
        each(apart.iter().take(threads).map(|clock| &clock.0))
    });
    report.measure("tick, thread-local over a cached clock", |threads| {
        let work = |_| -> Work<'_> {
            let mut clock = Clock::<_, Millis42Y2022>::with_layout(&**cache);
            batch(move || clock.tick())
        };
        (0..threads).map(work).collect()
    });
}

fn each<'a, S: Source + Sync + 'a>(clocks: impl Iterator<Item = &'a Fast<S>>) -> Vec<Work<'a>> {
    clocks.map(|clock| batch(move || clock.tick())).collect()
}

fn peers(report: &mut Report) {
    let clock = uhlc::HLCBuilder::new().build();
    report.measure("peer: uhlc, one clock", |threads| shared(threads, || clock.new_timestamp()));
    let clock = hlc_gen::HlcGenerator::new(1_000);
    report
        .measure("peer: hlc-gen, one clock", |threads| shared(threads, || clock.next_timestamp().is_some()));
}

fn main() {
    // As criterion does: to show that it runs, and measure nothing.
    let test = std::env::args().any(|argument| argument == "--test");
    let time = Duration::from_millis(if test { 2 } else { 400 });
    let mut report = Report { time, lines: Vec::new() };
    let cache = Arc::new(CachedSource::new());
    let _ticker = Ticker::start(Arc::clone(&cache), SystemSource::new(), Duration::from_millis(1))
        .expect("a thread can be started");

    floors(&mut report);
    clocks(&mut report, &cache);
    peers(&mut report);
    if !test {
        let folder = folder().join("report");
        fs::create_dir_all(&folder).expect("a folder in the folder of the build");
        fs::write(folder.join("scaling.jsonl"), report.lines.join("\n")).expect("a file in it");
    }
}

fn folder() -> PathBuf {
    let temporary = Path::new(env!("CARGO_TARGET_TMPDIR"));
    temporary.parent().unwrap_or(temporary).to_path_buf()
}

//! `clocks merge` beside `sort -m`, on the same logs, in pairs: `cargo bench -p clock-tools`.
//!
//! Wall time is the user's; processor time is what is left of it on a machine that has other things to do. Eight hosts log together, so that the lines of one host seldom follow each other: the case in which a merge has most to
//! decide. Both write into the null device, and before that they are seen to write the same. `--mib 64` says how much, and
//! `--pairs 5` how often; with `--test`, and without `--bench`, it is a little, once.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark may panic, its numbers are small, and it prints what it measured"
)]

use core::time::Duration;
use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use hlc::source::{MonotonicSource, Source as _};

const HOSTS: u64 = 8;
const MIB: u64 = 1 << 20;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        Some(arguments.get(at + 1)?.parse::<u64>().unwrap())
    };
    let is_there = |name: &str| arguments.iter().any(|argument| argument == name);
    let is_measured = is_there("--bench") && !is_there("--test");
    let mib = number("--mib").unwrap_or(if is_measured { 480 } else { 1 });
    let pairs = number("--pairs").unwrap_or(if is_measured { 15 } else { 1 });

    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("merge-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let logs = logs(&folder, mib * MIB);
    if sort(&logs).stdout(Stdio::null()).status().is_err() {
        println!("not run: there is no sort here");
        return;
    }
    assert!(are_equal(sort(&logs), clocks(&logs)), "both write the same");

    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for pair in 0..pairs {
        // Neither is always the first.
        if pair % 2 == 0 {
            theirs.push(time(sort(&logs)));
        }
        ours.push(time(clocks(&logs)));
        if pair % 2 == 1 {
            theirs.push(time(sort(&logs)));
        }
    }
    fs::remove_dir_all(&folder).unwrap();
    println!("{mib} MiB in {HOSTS} logs, {pairs} pairs; medians, and the range of the ratio of a pair:");
    print("wall", &theirs, &ours, |cost| cost.wall);
    print("processor", &theirs, &ours, |cost| cost.processor);
}

fn print(what: &str, theirs: &[Cost], ours: &[Cost], of: fn(&Cost) -> Duration) {
    let median = |costs: &[Cost]| {
        let mut times: Vec<u128> = costs.iter().map(|cost| of(cost).as_millis()).collect();
        times.sort_unstable();
        times[times.len() / 2]
    };
    let pairs = theirs.iter().zip(ours);
    let mut ratios: Vec<u128> =
        pairs.map(|(theirs, ours)| of(theirs).as_micros() * 100 / of(ours).as_micros().max(1)).collect();
    ratios.sort_unstable();
    let shown = |ratio: u128| format!("{}.{:02}", ratio / 100, ratio % 100);
    println!(
        "  {what:<9}  sort -m {:5} ms  clocks merge {:5} ms  {} times as fast ({} to {})",
        median(theirs),
        median(ours),
        shown(ratios[ratios.len() / 2]),
        shown(ratios[0]),
        shown(ratios[ratios.len() - 1])
    );
}

/// What a process took.
#[derive(Clone, Copy)]
struct Cost {
    wall: Duration,
    processor: Duration,
}

/// Writes a log for each host: lines of some hundred bytes, of which each is later than the one before on any host.
fn logs(folder: &Path, bytes: u64) -> Vec<PathBuf> {
    let paths: Vec<PathBuf> = (0..HOSTS).map(|host| folder.join(format!("{host}.log"))).collect();
    let mut logs: Vec<_> = paths.iter().map(|path| BufWriter::new(File::create(path).unwrap())).collect();
    // A linear congruential generator, with the constants of Knuth's MMIX: the same logs each time.
    let mut state = 7_u64;
    let mut roll = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    let (mut timestamp, mut written) = (1_700_000_000_000_u64 << 16, 0);
    while written < bytes {
        timestamp += 1 + roll() % 3;
        let host = roll() % HOSTS;
        let words = &TEXT[..TEXT.len() - (roll() as usize) % 80];
        let line = format!("{timestamp:016x}-{host:016x} INFO {words} id={:08x}\n", roll());
        logs[host as usize].write_all(line.as_bytes()).unwrap();
        written += line.len() as u64;
    }
    paths
}

const TEXT: &str =
    "request accepted from upstream with status and latency recorded for tenant shard replica applied";

fn sort(logs: &[PathBuf]) -> Command {
    let mut command = Command::new("sort");
    command.env("LC_ALL", "C").arg("-m").args(logs);
    command
}

fn clocks(logs: &[PathBuf]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_clocks"));
    command.arg("merge").args(logs);
    command
}

fn time(mut command: Command) -> Cost {
    let clock = MonotonicSource::new();
    let (before, spent) = (clock.now().unwrap(), spent());
    assert!(command.stdout(Stdio::null()).status().unwrap().success());
    Cost {
        wall: clock.now().unwrap().saturating_since(before),
        processor: self::spent().saturating_sub(spent),
    }
}

/// The processor time of the children that have ended, to a hundredth of a second; zero where the system does not tell.
fn spent() -> Duration {
    let about = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = about.rsplit_once(") ").map_or("", |(_, fields)| fields).split(' ');
    // proc(5): fields 16 and 17 of all, and two stand before the parenthesis.
    let ticks: u64 = fields.skip(13).take(2).map(|field| field.parse::<u64>().unwrap_or_default()).sum();
    Duration::from_millis(10 * ticks)
}

/// Whether both write the same bytes.
fn are_equal(mut left: Command, mut right: Command) -> bool {
    let mut children = [&mut left, &mut right].map(|command| command.stdout(Stdio::piped()).spawn().unwrap());
    let [mut left, mut right] = children.each_mut().map(|child| BufReader::new(child.stdout.take().unwrap()));
    let (mut one, mut other) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let is_equal = loop {
        let read = left.read(&mut one).unwrap();
        if read == 0 {
            break right.read(&mut other).unwrap() == 0;
        }
        if right.read_exact(&mut other[..read]).is_err() || one[..read] != other[..read] {
            break false;
        }
    };
    drop((left, right));
    children.iter_mut().all(|child| child.wait().unwrap().success()) && is_equal
}

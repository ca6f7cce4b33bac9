//! Real crashes: a process that issues as fast as it can is killed at random moments.

use std::{
    env, fs,
    io::{BufRead as _, BufReader, Write as _},
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    thread,
};

use high_water::{FileMark, Identity, Options};
use lamport::{AtomicDurableClock, Block, DurableClock, Time};

/// Set for the child: which clock it runs, and where its file is.
const CLOCK: &str = "LAMPORT_TEST_CLOCK";
const FILE: &str = "LAMPORT_TEST_FILE";
/// How often children are killed, for both clocks together; by hand, 5000.
const KILLS: &str = "LAMPORT_TEST_KILLS";

const TEST: &str = "durable::kill::no_time_repeats_or_falls_over_kills";

fn open(path: &Path) -> FileMark {
    let options = Options::new(Identity::from_bytes(*b"lamport killing!"));
    // The directory of the build may be on any file system, and a kill is no power cut.
    let options =
        options.allow_volatile_file_system().allow_unknown_file_system().allow_network_file_system();
    options.open_or_create(path).unwrap().into_mark()
}

/// Ticks and reports until it is killed.
fn child(clock: &str) -> ! {
    let mark = open(&PathBuf::from(env::var_os(FILE).unwrap()));
    let block = Block::new(64).unwrap();
    // A line in one write: the pipe takes it whole or not at all.
    let report = |time: Time| {
        std::io::stdout().write_all(format!("\ntime {}\n", time.get()).as_bytes()).unwrap();
    };
    if clock == "owned" {
        let mut clock = DurableClock::new(mark).with_block(block);
        loop {
            report(clock.tick().unwrap());
        }
    }
    let clock = AtomicDurableClock::new(mark).with_block(block);
    clock.upkeep().unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            loop {
                clock.upkeep().unwrap();
                thread::yield_now();
            }
        });
        loop {
            // A stall is no failure: the other thread is on its way.
            match clock.tick() {
                Ok(time) => report(time),
                Err(_) => thread::yield_now(),
            }
        }
    })
}

fn spawn(clock: &str, file: &Path) -> (Child, BufReader<ChildStdout>) {
    let mut child = Command::new(env::current_exe().unwrap())
        .args([TEST, "--exact", "--nocapture", "--test-threads=1"])
        .env(CLOCK, clock)
        .env(FILE, file)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    (child, output)
}

/// The next time that the child reported whole, past what the test harness prints.
fn next(output: &mut BufReader<ChildStdout>) -> Option<Time> {
    loop {
        let mut line = String::new();
        if output.read_line(&mut line).unwrap() == 0 || !line.ends_with('\n') {
            return None;
        }
        if let Some(time) = line.trim_end().strip_prefix("time ") {
            return Some(Time::new(time.parse().unwrap()));
        }
    }
}

/// `SplitMix64`: moments that look random and are the same in every run, as far as moments can be.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }
}

#[test]
fn no_time_repeats_or_falls_over_kills() {
    if let Ok(clock) = env::var(CLOCK) {
        child(&clock);
    }
    let kills: u64 = env::var(KILLS).map_or(200, |kills| kills.parse().unwrap());
    let seed = 0x6c61_6d70_6f72_7421;
    println!("seed {seed:#x}, {kills} kills");
    let mut dice = Dice(seed);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("lamport-kill-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    for clock in ["owned", "shared"] {
        let file = folder.join(clock);
        let (mut last, mut reported, mut lives_with_times) = (None, 0_u64, 0_u64);
        for kill in 0..kills / 2 {
            let (mut process, mut output) = spawn(clock, &file);
            let wait = if dice.roll(5) == 0 { 0 } else { 1 + dice.roll(3_000) };
            let before = reported;
            let mut check = |time: Time| {
                assert!(Some(time) > last, "{clock}, kill {kill}: {time} after {last:?}");
                last = Some(time);
                reported += 1;
            };
            for _ in 0..wait {
                check(next(&mut output).expect("the child ended by itself"));
            }
            // Some are killed while they start or open the file.
            (0..dice.roll(300_000)).for_each(|_| core::hint::spin_loop());
            process.kill().unwrap();
            while let Some(stamp) = next(&mut output) {
                check(stamp);
            }
            assert_eq!(process.wait().unwrap().signal(), Some(9), "it died of something else");
            lives_with_times += u64::from(reported > before);
        }
        println!("{clock}: {reported} times in {lives_with_times} lives");
        assert!(lives_with_times > kills / 4, "the children hardly worked");
        let bound = high_water::Mark::get(&open(&file));
        assert!(last.unwrap().get() <= bound, "handed out above the durable bound");
    }
    fs::remove_dir_all(&folder).unwrap();
}

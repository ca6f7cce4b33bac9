//! Real crashes: a process that issues as fast as it can is killed at random moments.
#![cfg(unix)]

use alloc::sync::Arc;
use core::time::Duration;
use std::{
    env, fs,
    io::{BufRead as _, BufReader, Write as _},
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
};

use high_water::{FileMark, Identity, Options};
use hlc::{
    AtomicDurableClock, Clock, DurableClock, Keeper, PhysicalTime, Source as _, SourceError, Timestamp,
    source,
};

/// Set for the child: which clock it runs, where its file is, how far its wall clock is set back.
const CLOCK: &str = "HLC_TEST_CLOCK";
const FILE: &str = "HLC_TEST_FILE";
const BACK: &str = "HLC_TEST_SECONDS_BACK";
/// How often children are killed, for both clocks together; by hand, 5000.
const KILLS: &str = "HLC_TEST_KILLS";

const TEST: &str = "durable::kill::no_stamp_repeats_or_falls_over_kills_although_the_wall_clock_is_set_back";

/// The real clock, set back.
fn wall(back: Duration) -> impl hlc::Source + Send + Sync + 'static {
    let real = source::SystemSource::new();
    source::from_fn(move || {
        let now = real.now()?;
        now.checked_sub(back).ok_or(SourceError::BeforeUnixEpoch)
    })
}

fn open(path: &Path) -> FileMark {
    let options = Options::new(Identity::from_bytes(*b"hlc kill testing"));
    // The directory of the build may be on any file system, and a kill is no power cut.
    let options =
        options.allow_volatile_file_system().allow_unknown_file_system().allow_network_file_system();
    options.open_or_create(path).unwrap().into_mark()
}

/// Issues and reports until it is killed.
fn child(clock: &str) -> ! {
    let seconds = env::var(BACK).unwrap().parse().unwrap();
    let wall = wall(Duration::from_secs(seconds));
    let mark = open(&PathBuf::from(env::var_os(FILE).unwrap()));
    // A line in one write: the pipe takes it whole or not at all.
    let report =
        |stamp: Timestamp| std::io::stdout().write_all(format!("\nstamp {stamp}\n").as_bytes()).unwrap();
    if clock == "owned" {
        let mut clock = DurableClock::new(wall, mark);
        loop {
            report(clock.tick().unwrap());
        }
    }
    let clock = Arc::new(AtomicDurableClock::new(wall, mark));
    let _keeper = Keeper::start(Arc::clone(&clock), Duration::from_millis(10)).unwrap();
    loop {
        // A stall is no failure: the keeper is on its way.
        if let Ok(stamp) = clock.tick() {
            report(stamp);
        }
    }
}

fn spawn(clock: &str, file: &Path, back: u64) -> (Child, BufReader<ChildStdout>) {
    let mut child = Command::new(env::current_exe().unwrap())
        .args([TEST, "--exact", "--nocapture", "--test-threads=1"])
        .env(CLOCK, clock)
        .env(FILE, file)
        .env(BACK, back.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    (child, output)
}

/// The next stamp that the child reported whole, past what the test harness prints.
fn next(output: &mut BufReader<ChildStdout>) -> Option<Timestamp> {
    loop {
        let mut line = String::new();
        if output.read_line(&mut line).unwrap() == 0 || !line.ends_with('\n') {
            return None;
        }
        if let Some(stamp) = line.trim_end().strip_prefix("stamp ") {
            return Some(stamp.parse().unwrap());
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
fn no_stamp_repeats_or_falls_over_kills_although_the_wall_clock_is_set_back() {
    if let Ok(clock) = env::var(CLOCK) {
        child(&clock);
    }
    let kills: u64 = env::var(KILLS).map_or(200, |kills| kills.parse().unwrap());
    let seed = 0x686c_635f_6b69_6c6c;
    println!("seed {seed:#x}, {kills} kills");
    let mut dice = Dice(seed);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("hlc-kill-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    for clock in ["owned", "shared"] {
        let file = folder.join(clock);
        let (mut last, mut reported, mut lives_with_stamps) = (None, 0_u64, 0_u64);
        for kill in 0..kills / 2 {
            // Every third life is an hour behind, every third a minute.
            let back = [0, 3_600, 60][usize::try_from(kill % 3).unwrap()];
            let (mut process, mut output) = spawn(clock, &file, back);
            let wait = if dice.roll(5) == 0 { 0 } else { 1 + dice.roll(3_000) };
            let before = reported;
            let mut check = |stamp: Timestamp| {
                assert!(Some(stamp) > last, "{clock}, kill {kill}: {stamp} after {last:?}");
                last = Some(stamp);
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
            lives_with_stamps += u64::from(reported > before);
        }
        println!("{clock}: {reported} stamps in {lives_with_stamps} lives");
        assert!(lives_with_stamps > kills / 4, "the children hardly worked");
        let bound = high_water::Mark::get(&open(&file));
        assert!(last.unwrap().to_bits() <= bound, "issued above the durable bound");
        // What a peer with the right time and the default limit makes of the first stamp of a last life.
        let peer_time =
            PhysicalTime::from_duration(Timestamp::from_bits(bound).unwrap().physical_time().to_duration());
        let behind = peer_time.checked_sub(Duration::from_millis(450)).unwrap();
        let mut peer = Clock::new(source::from_fn(move || Ok(behind)));
        peer.observe(Timestamp::from_bits(bound).unwrap()).unwrap();
    }
    fs::remove_dir_all(&folder).unwrap();
}

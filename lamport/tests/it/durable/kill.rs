//! Real crashes: a process that issues as fast as it can is killed at random moments.

use core::time::Duration;
use std::{
    env, fs,
    path::{Path, PathBuf},
    thread,
};

use alloc::sync::Arc;

use clock_testing::{Child, Dice, Lives, report, tally};
use high_water::{FileMark, Identity, Mark as _, Options};
use lamport::{AtomicDurableClock, Block, DurableClock, Keeper};

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
    if clock == "owned" {
        let mut clock = DurableClock::new(mark).with_block(block);
        loop {
            report("time", clock.tick().unwrap().get());
        }
    }
    let clock = Arc::new(AtomicDurableClock::new(mark).with_block(block));
    let _keeper = Keeper::start(Arc::clone(&clock), Duration::from_micros(200)).unwrap();
    loop {
        // A stall is no failure: the keeper is on its way.
        match clock.tick() {
            Ok(time) => report("time", time.get()),
            Err(_) => thread::yield_now(),
        }
    }
}

#[test]
fn no_time_repeats_or_falls_over_kills() {
    if let Ok(clock) = env::var(CLOCK) {
        child(&clock);
    }
    let kills: u64 = env::var(KILLS).map_or(200, |kills| kills.parse().unwrap());
    let seed = 0x6c61_6d70_6f72_7421;
    tally(format_args!("seed {seed:#x}, {kills} kills"));
    let mut dice = Dice::new(seed);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("lamport-kill-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    for clock in ["owned", "shared"] {
        let file = folder.join(clock);
        let start = |_| Child::run(TEST, &[(CLOCK, clock.as_ref()), (FILE, file.as_ref())]);
        let mut last = 0;
        let (reported, alive) =
            Lives { kills: kills / 2, reports: 3_000 }.take(&mut dice, start, |kill, time| {
                let time = time.parse().unwrap();
                assert!(time > last, "{clock}, kill {kill}: {time} after {last}");
                last = time;
            });
        tally(format_args!("{clock}: {reported} times in {alive} lives"));
        assert!(alive > kills / 4, "the children hardly worked");
        assert!(last <= open(&file).get(), "handed out above the durable bound");
    }
    fs::remove_dir_all(&folder).unwrap();
}

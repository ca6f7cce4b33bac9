//! Real crashes: a process that issues as fast as it can is killed at random moments.
#![cfg(unix)]

use alloc::sync::Arc;
use core::time::Duration;
use std::{
    env, fs,
    path::{Path, PathBuf},
};

use clock_testing::{Child, Dice, Lives, report, tally};
use high_water::{FileMark, Identity, Mark as _, Options};
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
    if clock == "owned" {
        let mut clock = DurableClock::new(wall, mark);
        loop {
            report("stamp", clock.tick().unwrap());
        }
    }
    let clock = Arc::new(AtomicDurableClock::new(wall, mark));
    let _keeper = Keeper::start(Arc::clone(&clock), Duration::from_millis(10)).unwrap();
    loop {
        // A stall is no failure: the keeper is on its way.
        if let Ok(stamp) = clock.tick() {
            report("stamp", stamp);
        }
    }
}

#[test]
fn no_stamp_repeats_or_falls_over_kills_although_the_wall_clock_is_set_back() {
    if let Ok(clock) = env::var(CLOCK) {
        child(&clock);
    }
    let kills: u64 = env::var(KILLS).map_or(200, |kills| kills.parse().unwrap());
    let seed = 0x686c_635f_6b69_6c6c;
    tally(format_args!("seed {seed:#x}, {kills} kills"));
    let mut dice = Dice::new(seed);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("hlc-kill-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    for clock in ["owned", "shared"] {
        let file = folder.join(clock);
        let start = |kill: u64| {
            // Every third life is an hour behind, every third a minute.
            let back = ["0", "3600", "60"][usize::try_from(kill % 3).unwrap()];
            Child::run(TEST, &[(CLOCK, clock.as_ref()), (FILE, file.as_ref()), (BACK, back.as_ref())])
        };
        let mut last = None;
        let (reported, alive) =
            Lives { kills: kills / 2, reports: 3_000 }.take(&mut dice, start, |kill, stamp| {
                let stamp: Timestamp = stamp.parse().unwrap();
                assert!(Some(stamp) > last, "{clock}, kill {kill}: {stamp} after {last:?}");
                last = Some(stamp);
            });
        tally(format_args!("{clock}: {reported} stamps in {alive} lives"));
        assert!(alive > kills / 4, "the children hardly worked");
        let bound = Timestamp::from_bits(open(&file).get()).unwrap();
        assert!(last.unwrap() <= bound, "issued above the durable bound");
        // What a peer with the right time and the default limit makes of the first stamp of a last life.
        let peer_time = PhysicalTime::from_duration(bound.physical_time().to_duration());
        let behind = peer_time.checked_sub(Duration::from_millis(450)).unwrap();
        let mut peer = Clock::new(source::from_fn(move || Ok(behind)));
        peer.observe(bound).unwrap();
    }
    fs::remove_dir_all(&folder).unwrap();
}

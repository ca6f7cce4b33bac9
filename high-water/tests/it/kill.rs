//! Real crashes: a child process is killed with SIGKILL at random moments.

use crate::files::{Scratch, anywhere};
use clock_testing::{Child, Dice, report, tally};
use high_water::{Mark, OpenError, Reserver, WhenHeld, lock_holders};
use std::fs::File;
use std::num::NonZeroU64;
use std::path::Path;
use std::time::Duration;

/// Set for the child: which work it does. Its register's path is in the other.
const WORK: &str = "HIGH_WATER_TEST_WORK";
const PATH: &str = "HIGH_WATER_TEST_PATH";
/// How often the child is killed; by hand, 5000.
const KILLS: &str = "HIGH_WATER_TEST_KILLS";

fn spawn(test: &str, work: &str, path: &Path) -> Child {
    Child::run(test, &[(WORK, work.as_ref()), (PATH, path.as_ref())])
}

/// The next report of the child.
fn next(child: &mut Child) -> Option<(String, u64)> {
    child.next_report().map(|(what, value)| (what, value.parse().unwrap()))
}

/// Works until it is killed.
fn child(work: &str) -> ! {
    let path = std::env::var_os(PATH).unwrap();
    let register = anywhere().open_or_create(&path).unwrap();
    report("open", register.get());
    match work {
        "raise" => {
            let mut mark = register.into_mark();
            loop {
                let value = mark.get() + 1;
                mark.raise_to(value).unwrap();
                report("done", value);
            }
        }
        "draw" => {
            let mut reserver = Reserver::new(register.into_mark(), NonZeroU64::new(16).unwrap());
            loop {
                reserver.upkeep().unwrap();
                report("done", reserver.draw().unwrap());
            }
        }
        _ => {
            report("held", 0);
            loop {
                std::thread::park();
            }
        }
    }
}

#[test]
fn nothing_acknowledged_before_a_kill_is_lost_or_repeated_after_it() {
    if let Ok(work) = std::env::var(WORK) {
        child(&work);
    }
    let kills = std::env::var(KILLS).map_or(200, |kills| kills.parse().unwrap());
    let seed = 0x6869_6768_7761_7465;
    tally(format_args!("seed {seed:#x}, {kills} kills"));
    let mut dice = Dice::new(seed);
    let dir = Scratch::new();
    for work in ["raise", "draw"] {
        let path = dir.join(work);
        let (mut last, mut reported, mut cut_short) = (0, 0_u64, 0_u64);
        for kill in 0..kills / 2 {
            let test = "kill::nothing_acknowledged_before_a_kill_is_lost_or_repeated_after_it";
            let mut child = spawn(test, work, &path);
            // Some are killed while they start or open the register, the others after so many reports.
            let wait = if dice.roll(4) == 0 { 0 } else { dice.roll(40) };
            let mut check = |(what, value): (String, u64)| {
                reported += 1;
                match (what.as_str(), work) {
                    // What is told on opening is told: at most the one raise that was cut short is above the last.
                    ("open", "raise") => {
                        assert!(
                            (last..=last + 1).contains(&value),
                            "kill {kill}: opened at {value} after {last}"
                        );
                        last = value;
                    }
                    ("open", _) => {
                        assert!(value >= last, "kill {kill}: opened at {value}, {last} was issued")
                    }
                    _ => {
                        assert!(value > last, "kill {kill}: {value} after {last}");
                        last = value;
                    }
                }
            };
            for _ in 0..wait {
                check(next(&mut child).expect("the child ended by itself"));
            }
            // What it does meanwhile is up to the scheduler.
            (0..dice.roll(if wait == 0 { 200_000 } else { 2_000 })).for_each(|_| std::hint::spin_loop());
            child.kill();
            while let Some(report) = next(&mut child) {
                check(report);
            }
            child.bury();
            cut_short += u64::from(wait == 0);
        }
        tally(format_args!("{work}: {reported} reports, the last was {last}; {cut_short} killed at once"));
        assert!(reported > kills, "the children hardly worked");
    }
}

#[test]
fn a_killed_process_gives_up_its_register_and_until_then_it_is_named() {
    if let Ok(work) = std::env::var(WORK) {
        child(&work);
    }
    let dir = Scratch::new();
    let path = dir.join("register");
    let test = "kill::a_killed_process_gives_up_its_register_and_until_then_it_is_named";
    let mut child = spawn(test, "hold", &path);
    while next(&mut child).expect("the child ended by itself").0 != "held" {}
    let refused = anywhere().open(&path).unwrap_err();
    let holders = || lock_holders(&File::open(&path).unwrap());
    match refused {
        OpenError::Held { process: Some(holder) } => {
            assert_eq!((holder, holders()), (child.id(), vec![child.id()]));
        }
        // Not every kernel and container lists its locks.
        OpenError::Held { process: None } => assert_eq!(holders(), []),
        error => panic!("{error}"),
    }
    let impatient = anywhere().when_held(WhenHeld::WaitUpTo(Duration::from_millis(20)));
    assert!(matches!(impatient.open(&path), Err(OpenError::Held { .. })));
    child.kill();
    child.bury();
    assert_eq!(holders(), []);
    anywhere().open(&path).unwrap();
}

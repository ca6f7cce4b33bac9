//! Calls that are killed at each place where it matters, in processes of their own.

use alloc::format;
use alloc::string::ToString as _;
use core::time::Duration;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Command;

use crate::engine::file::scratch::Scratch;
use crate::engine::file::{Directory, FileOptions, SystemHost};
use crate::protocol::{Claim, Ttl};
use crate::{FencingToken, FileGateError, GrantId, Issuer, Rejected, ResourceId, Wait};

/// A place in a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Point {
    /// The file of the permits is there, and the register is not.
    Begun,
    /// The register is held, and nothing decided.
    Held,
    /// It is known whether a permit is alive.
    Drained,
    /// What the rule says is durable, and no permit is made.
    Saved,
    /// The permit is made, and nobody told.
    Shared,
}

const POINTS: [Point; 5] = [Point::Begun, Point::Held, Point::Drained, Point::Saved, Point::Shared];

const DIRECTORY: &str = "EPOCH_FENCE_TEST_DIRECTORY";
const TOKEN: &str = "EPOCH_FENCE_TEST_TOKEN";
const POINT: &str = "EPOCH_FENCE_TEST_POINT";

/// Kills the process with SIGKILL, if it is the one that is to be killed here.
pub(super) fn reached(point: Point) {
    if std::env::var(POINT).is_ok_and(|armed| armed == format!("{point:?}")) {
        let _sent = Command::new("kill").args(["-9", &std::process::id().to_string()]).status();
        // The signal is on its way; nothing of this process may run on.
        loop {
            std::thread::park();
        }
    }
}

fn ledger() -> ResourceId {
    ResourceId::of("billing", "ledger")
}

fn open(path: &Path) -> Directory {
    FileOptions::new().allow_volatile_file_system().allow_unknown_file_system().open_or_create(path).unwrap()
}

/// A token that is newer than all before.
fn token(folder: &Path) -> FencingToken {
    let issuer = Issuer::new(open(folder), SystemHost::new().unwrap());
    let ttl = Ttl::new(Duration::from_secs(10)).unwrap();
    let claim = Claim::new(ledger(), "test".parse().unwrap(), ttl);
    issuer.acquire(&claim, Wait::AtOnce).unwrap().token()
}

/// Asks for a permit in another process, which is killed at a place. Whether it got that far.
fn killed(folder: &Path, token: &FencingToken, point: Point) -> bool {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "gate::file_gate::crash::the_process_that_is_killed", "--nocapture"])
        .env(DIRECTORY, folder)
        .env(TOKEN, token.to_string())
        .env(POINT, format!("{point:?}"))
        .output()
        .unwrap();
    let ended = child.status.signal() == Some(9);
    assert!(ended || child.status.success(), "{}", alloc::string::String::from_utf8_lossy(&child.stderr));
    ended
}

/// The process that is killed; it does nothing when the test runs by itself.
#[test]
fn the_process_that_is_killed() {
    let Some(path) = std::env::var_os(DIRECTORY) else { return };
    let token: FencingToken = std::env::var(TOKEN).unwrap().parse().unwrap();
    let directory = open(Path::new(&path));
    let _ = directory.gate(ledger()).enter(&token);
}

fn stale(token: &FencingToken) -> FileGateError {
    Rejected::Stale { floor: token.epoch() }.into()
}

#[test]
fn a_call_killed_anywhere_leaves_the_gate_before_or_after_it_and_no_permit() {
    for point in POINTS {
        let scratch = Scratch::new(&format!("killed-{point:?}"));
        let folder = scratch.path();
        let old = token(folder);
        let directory = open(folder);
        let gate = directory.gate(ledger());
        if point != Point::Begun {
            drop(gate.enter(&old).unwrap());
        }
        let new = token(folder);

        assert!(killed(folder, &new, point), "{point:?} was not reached");
        let saved = matches!(point, Point::Saved | Point::Shared);
        match gate.enter(&old) {
            // The record is at the newer epoch already, and a gate begins there.
            Err(why) if point == Point::Begun => assert_eq!(why, stale(&new)),
            Err(why) => assert!(saved && why == stale(&new), "{point:?}: {why}"),
            Ok(_permit) => {
                assert!(
                    !saved && point != Point::Begun,
                    "{point:?}: the older one is let in after the newer one was saved"
                )
            }
        }
        let other = FencingToken::new(
            new.realm(),
            new.resource(),
            new.epoch(),
            GrantId::from_random_bits(new.grant().get() ^ 1).unwrap(),
        );
        if saved {
            assert_eq!(gate.enter(&other).unwrap_err(), Rejected::Conflict.into(), "{point:?}");
        }
        drop(gate.enter(&new).unwrap());
        assert_eq!(gate.enter(&old).unwrap_err(), stale(&new), "{point:?}");
    }
}

#[test]
fn a_call_killed_while_an_older_permit_is_alive_lets_nobody_in_beside_it() {
    for point in [Point::Held, Point::Drained, Point::Saved] {
        let scratch = Scratch::new(&format!("killed-draining-{point:?}"));
        let folder = scratch.path();
        let old = token(folder);
        let directory = open(folder);
        let gate = directory.gate(ledger());
        let permit = gate.enter(&old).unwrap();
        let new = token(folder);

        assert!(killed(folder, &new, point), "{point:?} was not reached");
        let again = gate.enter(&old);
        if point == Point::Saved {
            assert_eq!(again.unwrap_err(), stale(&new), "the newer one that waited has raised the floor");
        } else {
            drop(again.unwrap());
        }
        assert_eq!(gate.enter(&new).unwrap_err(), Rejected::Draining { in_flight: 1 }.into(), "{point:?}");
        assert!(!killed(folder, &new, Point::Shared), "{point:?}: admitted beside an older permit");
        assert_eq!(gate.enter(&old).unwrap_err(), stale(&new), "{point:?}");
        drop(permit);
        drop(gate.enter(&new).unwrap());
        assert_eq!(gate.enter(&old).unwrap_err(), stale(&new), "{point:?}");
    }
}

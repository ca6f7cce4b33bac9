//! The progress of `clocks merge`, which only a terminal shows.

use core::time::Duration;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;

use hlc::source::{MonotonicSource, Source as _};
use nix::pty::openpty;

use crate::stage::PROGRAM;

/// A line of a log, over and over: none of them goes back.
const LINE: &[u8] = b"018bcfe568000007-000000000000002a more of the same\n";

/// Longer than anything takes on a machine that does ten other things.
const LIMIT: Duration = Duration::from_secs(60);

/// Feeds it, line by line, until its terminal shows `expected`, or until `enough` lines were taken. What it showed, and how many it
/// took.
fn shown(options: &[&str], expected: &str, enough: u64) -> (String, u64) {
    let pair = openpty(None, None).unwrap();
    let mut command = Command::new(PROGRAM);
    command.arg("merge").args(options).arg("-").stdin(Stdio::piped()).stdout(Stdio::null());
    let mut child = command.stderr(Stdio::from(pair.slave)).spawn().unwrap();
    // Else the terminal would stay open when the program has ended.
    drop(command);
    let mut stdin = child.stdin.take().unwrap();
    let (tell, screen) = channel();
    let mut master = File::from(pair.master);
    let reader = std::thread::spawn(move || {
        let mut piece = [0; 1024];
        while let Ok(length @ 1..) = master.read(&mut piece) {
            let _ = tell.send(String::from_utf8_lossy(&piece[..length]).into_owned());
        }
    });
    let mut seen = String::new();
    let mut lines = 0;
    let clock = MonotonicSource::new();
    let begin = clock.now().unwrap();
    while lines < enough {
        lines += 1;
        stdin.write_all(LINE).unwrap();
        seen.extend(screen.try_iter());
        if seen.contains(expected) {
            break;
        }
        let since = clock.now().unwrap().saturating_since(begin);
        assert!(since < LIMIT, "waited in vain for {expected:?} in {seen:?}");
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
    reader.join().unwrap();
    seen.extend(screen.try_iter());
    (seen, lines)
}

#[test]
fn progress_is_drawn_on_a_terminal_and_is_gone_at_the_end() {
    // Many more than a machine merges within the time after which it is shown.
    let (shown, _) = shown(&[], "MiB/s", u64::MAX);
    assert!(shown.starts_with('\r'), "{shown:?}");
    assert!(shown.ends_with("\r\u{1b}[K"), "{shown:?}");
}

#[test]
fn nothing_is_drawn_where_no_progress_is_wanted() {
    let (_, lines) = shown(&[], "MiB/s", u64::MAX);
    assert_eq!(shown(&["--no-progress"], "MiB/s", 2 * lines).0, "");
}

//! `Progress`: how far a long run is, on a terminal.

use core::fmt;
use core::time::Duration;
use std::io::{self, IsTerminal as _, Write as _};

use hlc::source::{MonotonicSource, Source as _};

/// How often it is drawn.
const PERIOD: Duration = Duration::from_millis(100);
/// A run that is over before is not worth a line.
const FIRST: Duration = Duration::from_millis(400);

const MIB: u64 = 1024 * 1024;

/// A line on standard error, where that is a terminal and the output goes elsewhere.
#[derive(Debug)]
pub(crate) struct Progress {
    clock: Option<MonotonicSource>,
    state: State,
    next: Duration,
    is_shown: bool,
}

impl Progress {
    pub(crate) fn new(total: Option<u64>, wanted: bool) -> Self {
        let is_seen = wanted && io::stderr().is_terminal() && !io::stdout().is_terminal();
        let clock = is_seen.then(MonotonicSource::new);
        // Its first reading is zero.
        let _zero = clock.map(|clock| clock.now());
        Self { clock, state: State { total, ..State::default() }, next: FIRST, is_shown: false }
    }

    /// So many more bytes are done.
    pub(crate) fn add(&mut self, bytes: u64) {
        let Some(clock) = &self.clock else { return };
        self.state.done = self.state.done.saturating_add(bytes);
        let Ok(now) = clock.now() else { return };
        self.state.since = now.to_duration();
        if self.state.since >= self.next {
            self.next = self.state.since.saturating_add(PERIOD);
            self.is_shown = true;
            // From the first column; then what is left of the line before is erased.
            let _drawn = write!(io::stderr(), "\r{}\x1b[K", self.state);
        }
    }

    /// Takes the line away, so that something else can be said.
    pub(crate) fn clear(&mut self) {
        if core::mem::take(&mut self.is_shown) {
            let _cleared = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

/// How far it is.
#[derive(Clone, Copy, Debug, Default)]
struct State {
    total: Option<u64>,
    done: u64,
    since: Duration,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { total, done, since } = *self;
        let millis = since.as_millis().max(1);
        let rate = u128::from(done).saturating_mul(1000).checked_div(millis).unwrap_or_default();
        let rate_in_mib = rate.checked_div(u128::from(MIB)).unwrap_or_default();
        let mib = |bytes: u64| bytes / MIB;
        // A file may have grown since it was opened.
        if let Some(total) = total.filter(|total| *total >= done && *total > 0) {
            let percent =
                u128::from(done).saturating_mul(100).checked_div(u128::from(total)).unwrap_or_default();
            write!(f, "{percent:3} %  {} of {} MiB", mib(done), mib(total))?;
            let left = u128::from(total.saturating_sub(done)).checked_div(rate);
            write!(f, "  {} MiB/s", rate_in_mib)?;
            if let Some(left) = left {
                write!(f, "  {left} s left")?;
            }
            return Ok(());
        }
        write!(f, "{} MiB  {} MiB/s", mib(done), rate_in_mib)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_how_much_of_what_how_fast_and_how_long_it_will_take() {
        let state =
            |total, done, millis| State { total, done, since: Duration::from_millis(millis) }.to_string();
        assert_eq!(state(Some(400 * MIB), 100 * MIB, 500), " 25 %  100 of 400 MiB  200 MiB/s  1 s left");
        assert_eq!(state(None, 100 * MIB, 500), "100 MiB  200 MiB/s");
        assert_eq!(state(Some(400 * MIB), 401 * MIB, 1000), "401 MiB  401 MiB/s");
        assert_eq!(state(Some(0), 0, 0), "0 MiB  0 MiB/s");
        assert_eq!(state(Some(10), 0, 0), "  0 %  0 of 0 MiB  0 MiB/s");
    }
}

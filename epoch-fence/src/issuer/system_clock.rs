//! `SystemClock`: the operating system's clock that runs through suspend.

use core::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use super::BootClock;
use crate::protocol::BootTime;

#[cfg(any(target_os = "linux", target_os = "android"))]
const CLOCK: ClockId = ClockId::Boottime;

/// There, this one goes on while the machine sleeps.
#[cfg(target_vendor = "apple")]
const CLOCK: ClockId = ClockId::Monotonic;

/// The clock of this machine that runs through suspend: `CLOCK_BOOTTIME` on Linux, and `CLOCK_MONOTONIC` on Apple's
/// systems, where that one does. On other systems there is none: write a [`BootClock`] over what they have.
///
/// Best effort: a hypervisor that pauses the whole machine may stop it too.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock(());

impl SystemClock {
    /// Makes the clock.
    #[must_use]
    pub const fn new() -> Self {
        Self(())
    }
}

impl BootClock for SystemClock {
    fn now(&self) -> BootTime {
        let now = clock_gettime(CLOCK);
        let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
        BootTime::new(Duration::new(seconds, u32::try_from(now.tv_nsec).unwrap_or(0)))
    }

    fn pause(&self, wait: Duration) {
        std::thread::sleep(wait);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_no_shorter_than_was_asked() {
        let (clock, wait) = (SystemClock::new(), Duration::from_millis(2));
        let before = clock.now();
        clock.pause(wait);
        assert!(before.until(clock.now()) >= wait);
    }
}

//! `BootClock`: the holder's clock.

use core::time::Duration;

use crate::protocol::BootTime;

/// The holder's own clock, and a way to wait by it.
///
/// It must run through suspend (`CLOCK_BOOTTIME` on Linux) and never go back. A clock that stops in suspend makes
/// a holder believe in a lease that is long over. A hypervisor that pauses the whole machine may stop this clock
/// too: the deadline is best effort, and the gate is the guarantee.
pub trait BootClock {
    /// Returns the time since a beginning that stays the same for the life of the process.
    fn now(&self) -> BootTime;

    /// Waits about this long; less is allowed.
    fn pause(&self, wait: Duration);
}

impl<C: BootClock + ?Sized> BootClock for &C {
    fn now(&self) -> BootTime {
        (**self).now()
    }

    fn pause(&self, wait: Duration) {
        (**self).pause(wait);
    }
}

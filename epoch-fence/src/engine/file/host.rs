//! `Host`: the clocks of one machine.

use core::time::Duration;

use hlc::PhysicalTime;

use super::{During, FileError};
use crate::BootClock;
use crate::protocol::{BootTime, Moment};

/// The clocks of one machine, as all its processes read them.
///
/// [`SystemHost`] is the real one.
pub trait Host {
    /// Returns which boot this is, and the time since it on a clock that runs through suspend. No lease outlives a
    /// boot.
    ///
    /// # Errors
    ///
    /// [`FileError::Io`] or [`FileError::UnsupportedPlatform`] where the system does not tell.
    fn moment(&self) -> Result<Moment, FileError>;

    /// Returns the wall clock, for the stamps of the log. Nothing is decided by it.
    fn wall(&self) -> PhysicalTime;
}

impl<H: Host + ?Sized> Host for &H {
    fn moment(&self) -> Result<Moment, FileError> {
        (**self).moment()
    }

    fn wall(&self) -> PhysicalTime {
        (**self).wall()
    }
}

/// The machine that this process runs on: `/proc/sys/kernel/random/boot_id`, and `CLOCK_BOOTTIME`.
///
/// It is the [`BootClock`] of a holder as well. Processes in time namespaces of their own read another
/// `CLOCK_BOOTTIME`, and must not share a directory.
#[derive(Clone, Copy, Debug)]
pub struct SystemHost {
    boot: u128,
}

impl SystemHost {
    /// Asks the system which boot this is.
    ///
    /// # Errors
    ///
    /// [`FileError::UnsupportedPlatform`] off Linux; [`FileError::Io`] where the system does not tell.
    pub fn new() -> Result<Self, FileError> {
        system::boot().map(|boot| Self { boot })
    }
}

impl Host for SystemHost {
    fn moment(&self) -> Result<Moment, FileError> {
        let nanos = u64::try_from(system::since_boot().as_nanos()).unwrap_or(u64::MAX);
        Ok(Moment::new(self.boot, nanos))
    }

    fn wall(&self) -> PhysicalTime {
        use hlc::source::{Source, SystemSource};
        // What cannot be read is read as the epoch; the stamps then go on from the last one.
        SystemSource::new().now().unwrap_or(PhysicalTime::UNIX_EPOCH)
    }
}

impl BootClock for SystemHost {
    fn now(&self) -> BootTime {
        BootTime::new(system::since_boot())
    }

    fn pause(&self, wait: Duration) {
        std::thread::sleep(wait);
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod system {
    use super::{BootClock as _, Duration, During, FileError};
    use crate::SystemClock;

    const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

    /// A UUID in its usual text.
    pub(super) fn boot() -> Result<u128, FileError> {
        let text = std::fs::read_to_string(BOOT_ID).map_err(FileError::io(During::Clock))?;
        parse(&text).ok_or(FileError::UnsupportedPlatform)
    }

    fn parse(text: &str) -> Option<u128> {
        let digits: alloc::string::String = text.trim_end().chars().filter(|digit| *digit != '-').collect();
        let hexadecimal = digits.len() == 32 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        hexadecimal.then(|| u128::from_str_radix(&digits, 16).ok()).flatten()
    }

    pub(super) fn since_boot() -> Duration {
        SystemClock::new().now().since_start()
    }

    #[cfg(test)]
    mod tests {
        #[test]
        fn a_boot_is_a_uuid_and_nothing_else_is() {
            let boot = super::parse("01234567-89ab-cdef-0123-456789abcdef\n");
            assert_eq!(boot, Some(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef));
            for no_uuid in [
                "",
                "\n",
                "0123",
                "g1234567-89ab-cdef-0123-456789abcdef",
                "+1234567-89ab-cdef-0123-456789abcdef",
            ] {
                assert_eq!(super::parse(no_uuid), None, "{no_uuid}");
            }
        }

        #[test]
        fn the_time_since_boot_goes_on() {
            use crate::BootClock as _;
            use crate::engine::file::{Host, SystemHost};

            assert!(super::since_boot() > core::time::Duration::ZERO);
            // A random number of 122 bits.
            assert!(super::boot().unwrap() > u128::from(u64::MAX));
            let host = SystemHost::new().unwrap();
            let (before, moment) = (host.now(), host.moment().unwrap());
            let wait = core::time::Duration::from_millis(2);
            host.pause(wait);
            assert!(before.until(host.now()) >= wait);
            assert!(moment.era() == super::boot().unwrap() && moment.nanos() > 0);
            // Since 2020.
            assert!(Host::wall(&&host) > hlc::PhysicalTime::from_secs(1_577_836_800));
        }
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod system {
    use super::{Duration, FileError};

    pub(super) const fn boot() -> Result<u128, FileError> {
        Err(FileError::UnsupportedPlatform)
    }

    /// Never asked: there is no host without a boot.
    pub(super) const fn since_boot() -> Duration {
        Duration::ZERO
    }
}

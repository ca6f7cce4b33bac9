//! Leases in a directory: real files, real locks, real processes.

mod evidence;
mod lease;
mod processes;
mod recovery;

use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use epoch_fence::engine::file::{Directory, FileError, FileOptions, Host, SystemHost};
use epoch_fence::protocol::{BootTime, Claim, Moment, Ttl};
use epoch_fence::{BootClock, Issuer, ResourceId};
use hlc::PhysicalTime;

/// A folder that goes when the test does.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = format!("leases-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// On any file system that a test may run on.
pub(crate) fn anywhere() -> FileOptions {
    FileOptions::new().allow_volatile_file_system().allow_unknown_file_system()
}

/// The clocks of a machine, moved by hand. Clones of a reference to it are its processes.
#[derive(Debug)]
pub(crate) struct ManualHost {
    state: Mutex<(u128, u64, u64)>,
    /// How many readings are answered before one fails, if any does.
    fails_after: Mutex<Option<u32>>,
}

impl ManualHost {
    pub(crate) fn new() -> Self {
        Self { state: Mutex::new((1, 1_000_000_000, 1_700_000_000)), fails_after: Mutex::new(None) }
    }

    pub(crate) fn advance(&self, millis: u64) {
        self.state.lock().unwrap().1 += millis * 1_000_000;
    }

    /// Another boot, whose clock begins again.
    pub(crate) fn reboot(&self) {
        let mut state = self.state.lock().unwrap();
        (state.0, state.1) = (state.0 + 1, 1);
    }

    pub(crate) fn set_wall(&self, secs: u64) {
        self.state.lock().unwrap().2 = secs;
    }

    /// The reading with this number, from now on, fails; counted from zero.
    pub(crate) fn fail_reading(&self, number: u32) {
        *self.fails_after.lock().unwrap() = Some(number);
    }
}

impl Host for ManualHost {
    fn moment(&self) -> Result<Moment, FileError> {
        let mut fails = self.fails_after.lock().unwrap();
        match *fails {
            Some(0) => {
                *fails = None;
                return Err(FileError::UnsupportedPlatform);
            }
            Some(left) => *fails = Some(left - 1),
            None => {}
        }
        let state = self.state.lock().unwrap();
        Ok(Moment::new(state.0, state.1))
    }

    fn wall(&self) -> PhysicalTime {
        PhysicalTime::from_secs(self.state.lock().unwrap().2)
    }
}

impl BootClock for ManualHost {
    fn now(&self) -> BootTime {
        BootTime::new(Duration::from_nanos(self.state.lock().unwrap().1))
    }

    fn pause(&self, wait: Duration) {
        self.advance(u64::try_from(wait.as_millis()).unwrap().max(1));
    }
}

pub(crate) type Leases<'h> = Issuer<Directory<&'h ManualHost>, &'h ManualHost>;

pub(crate) fn leases<'h>(scratch: &Scratch, host: &'h ManualHost) -> Leases<'h> {
    Issuer::new(anywhere().open_with(scratch.path(), host).unwrap(), host)
}

/// With the clocks of this machine.
pub(crate) fn real_leases(path: &Path) -> Issuer<Directory, SystemHost> {
    Issuer::new(anywhere().open_or_create(path).unwrap(), SystemHost::new().unwrap())
}

pub(crate) fn resource() -> ResourceId {
    ResourceId::of("tests", "a/b c\u{fc}\n")
}

pub(crate) fn claim(holder: &str, millis: u64) -> Claim {
    let ttl = Ttl::new(Duration::from_millis(millis)).unwrap();
    Claim::new(resource(), holder.parse().unwrap(), ttl)
}

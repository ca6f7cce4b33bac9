//! `NotInstalled`: what a test does where a server's programs are missing.

use std::env;
use std::error::Error;
use std::fmt;
use std::io::Write as _;

/// Set to `1`, it turns "not run" into a failure.
const REQUIRED: &str = "CLOCKS_REQUIRE_SERVERS";

/// The programs of a server are not on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotInstalled {
    /// What is missing, as a person would say it.
    pub what: String,
}

impl NotInstalled {
    /// Says on stderr, also where the harness hides what a test prints, that the test was not run.
    ///
    /// # Panics
    ///
    /// When `CLOCKS_REQUIRE_SERVERS` is `1`: then every test has to run.
    pub fn not_run(&self) {
        assert_ne!(env::var(REQUIRED).as_deref(), Ok("1"), "{REQUIRED} is set, and {self}");
        let _ = std::io::stderr().write_all(format!("not run: {self}\n").as_bytes());
    }
}

impl fmt::Display for NotInstalled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is not installed", self.what)
    }
}

impl Error for NotInstalled {}

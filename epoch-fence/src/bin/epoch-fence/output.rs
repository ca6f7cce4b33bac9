//! What is printed on standard output: times that people can read, and JSON.

use core::time::Duration;
use std::io::{self, Write as _};
use std::time::SystemTime;

use epoch_fence::engine::file::{Host as _, SystemHost};
use serde_json::Value;

use crate::exit::Failure;

/// Ends a verb that printed something. That a reader had enough of it is no failure.
pub(crate) fn finished(printed: io::Result<()>) -> Result<u8, Failure> {
    match printed.and_then(|()| io::stdout().flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::from(error).during("standard output"))
        }
        _ => Ok(0),
    }
}

/// Prints a document on a line of its own.
pub(crate) fn json(value: &Value) -> io::Result<()> {
    writeln!(io::stdout(), "{value}")
}

/// The wall clock. Only shown: nothing is decided by it.
pub(crate) fn wall(host: &SystemHost) -> SystemTime {
    let now = host.wall();
    SystemTime::UNIX_EPOCH.checked_add(now.to_duration()).unwrap_or(SystemTime::UNIX_EPOCH)
}

/// A moment in RFC 3339, in UTC, to the millisecond.
pub(crate) fn at(moment: SystemTime) -> String {
    // The year 10,000 has no such form, and no lease lasts until then.
    let last = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(253_402_300_799));
    let moment = last.map_or(moment, |last| moment.min(last));
    humantime::format_rfc3339_millis(moment).to_string()
}

/// A length of time as people say it: `0.4 s`, `7 s`, `1h 30m`.
pub(crate) fn lasting(length: Duration) -> String {
    let seconds = length.as_secs();
    match seconds {
        0 => format!("0.{} s", length.subsec_millis() / 100),
        1..=90 => format!("{seconds} s"),
        _ => humantime::format_duration(Duration::from_secs(seconds)).to_string(),
    }
}

pub(crate) fn millis(length: Duration) -> u64 {
    u64::try_from(length.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_as_people_read_them() {
        for (millis, text) in
            [(0, "0.0 s"), (450, "0.4 s"), (7_999, "7 s"), (90_000, "90 s"), (5_400_000, "1h 30m")]
        {
            assert_eq!(lasting(Duration::from_millis(millis)), text);
        }
        assert_eq!(at(SystemTime::UNIX_EPOCH), "1970-01-01T00:00:00.000Z");
        let far = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(1 << 40)).unwrap();
        assert_eq!(at(far), "9999-12-31T23:59:59.000Z");
    }
}

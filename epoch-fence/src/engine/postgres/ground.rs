//! `Ground`: whether the server and its settings carry what the leases promise.

use core::fmt;

use tokio_postgres::Row;

use super::row::{always, column, maybe};
use super::{PostgresError, PostgresOptions};

/// A setting of the server or of the session under which leases would break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UnsafeSetting {
    /// `fsync = off`: a crash of the machine may take back or tear anything.
    Fsync,
    /// `full_page_writes = off`: a crash of the machine may tear pages.
    FullPageWrites,
    /// `zero_damaged_pages = on`: leases on a damaged page would be vacant, and their epochs granted again.
    ZeroDamagedPages,
    /// `synchronous_commit = off`: a crash takes back what was acknowledged.
    SynchronousCommit,
    /// A default isolation other than `read committed`: a statement that waited would go on with what it saw before.
    Isolation,
    /// One of the tables is unlogged: a crash empties it.
    Unlogged,
}

impl fmt::Display for UnsafeSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fsync => "fsync is off; switch it on, or allow it by name",
            Self::FullPageWrites => "full_page_writes is off; switch it on, or allow it by name",
            Self::ZeroDamagedPages => "zero_damaged_pages is on; switch it off",
            Self::SynchronousCommit => {
                "synchronous_commit is off; set it to on for this role or session (at least to local)"
            }
            Self::Isolation => {
                "the isolation is not read committed; set default_transaction_isolation for this role or session"
            }
            Self::Unlogged => "a table of the schema epoch_fence is unlogged; SET LOGGED",
        })
    }
}

/// The timeline of a server: the first digits of the names of its WAL files. A promotion begins another one.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Timeline([u8; Self::DIGITS]);

impl Timeline {
    const DIGITS: usize = 8;

    fn of(text: &str, name: &'static str) -> Result<Self, PostgresError> {
        match text.as_bytes().try_into() {
            Ok(digits) if text.bytes().all(|digit| digit.is_ascii_hexdigit()) => Ok(Self(digits)),
            _ => Err(PostgresError::Column { name }),
        }
    }

    /// Returns the digits, as in the names of the files.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // They are digits, so nothing is replaced.
        core::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Timeline").field(&self.as_str()).finish()
    }
}

fn settings(
    row: &Row,
    [fsync, full_pages, commits, isolation]: [usize; 4],
    options: &PostgresOptions,
) -> Result<(), PostgresError> {
    let rows = [
        (fsync, "off", options.fsync_off, UnsafeSetting::Fsync),
        (full_pages, "off", options.full_page_writes_off, UnsafeSetting::FullPageWrites),
        (commits, "off", false, UnsafeSetting::SynchronousCommit),
    ];
    for (column, bad, allowed, setting) in rows {
        if !allowed && always::<&str>(row, column, "a setting")? == bad {
            return Err(PostgresError::Setting(setting));
        }
    }
    if always::<&str>(row, isolation, "a setting")? == "read committed" {
        Ok(())
    } else {
        Err(PostgresError::Setting(UnsafeSetting::Isolation))
    }
}

/// Refuses what [`SETTINGS`](super::statements::SETTINGS) tells of an unsafe server.
pub(super) fn of_server(row: &Row, options: &PostgresOptions) -> Result<(), PostgresError> {
    if always(row, 0, "a setting")? {
        return Err(PostgresError::Standby);
    }
    settings(row, [1, 2, 4, 5], options)?;
    if always::<&str>(row, 3, "a setting")? == "on" {
        return Err(PostgresError::Setting(UnsafeSetting::ZeroDamagedPages));
    }
    // NULL before there are any tables.
    match maybe(row, 6, "a setting")? {
        Some(false) => Err(PostgresError::Setting(UnsafeSetting::Unlogged)),
        Some(true) | None => Ok(()),
    }
}

/// Refuses what a load tells of an unsafe ground.
pub(super) fn of_load(row: &Row, options: &PostgresOptions) -> Result<(), PostgresError> {
    if always(row, column::STANDBY, "a setting")? {
        return Err(PostgresError::Standby);
    }
    if maybe::<&[u8]>(row, column::REALM, "realm.realm")?.is_none() {
        return Err(PostgresError::NotInitialised);
    }
    let columns = [column::FSYNC, column::FULL_PAGE_WRITES, column::SYNCHRONOUS_COMMIT, column::ISOLATION];
    settings(row, columns, options)?;
    let kept = always(row, column::SYSTEM_KEPT, "realm.system")?;
    let found = always(row, column::SYSTEM_FOUND, "realm.system")?;
    if kept != found {
        return Err(PostgresError::OtherSystem { kept, found });
    }
    timeline(row)
}

/// Refuses what a write that did not land tells of an unsafe ground. On a sound one, it met another version.
pub(super) fn of_write(row: &Row) -> Result<(), PostgresError> {
    if always::<&str>(row, column::SYNCHRONOUS_COMMIT, "a setting")? == "off" {
        return Err(PostgresError::Setting(UnsafeSetting::SynchronousCommit));
    }
    if always::<&str>(row, column::ISOLATION, "a setting")? != "read committed" {
        return Err(PostgresError::Setting(UnsafeSetting::Isolation));
    }
    timeline(row)
}

fn timeline(row: &Row) -> Result<(), PostgresError> {
    let kept = Timeline::of(always(row, column::TIMELINE_KEPT, "realm.timeline")?, "realm.timeline")?;
    let found = Timeline::of(always(row, column::TIMELINE_FOUND, "realm.timeline")?, "realm.timeline")?;
    if kept == found { Ok(()) } else { Err(PostgresError::Promoted { kept, found }) }
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::ToString as _;

    use super::*;

    #[test]
    fn a_timeline_is_eight_digits_and_a_promotion_names_both() {
        let of = |text| Timeline::of(text, "realm.timeline");
        let [kept, found] = ["00000001", "0000000A"].map(|text| of(text).unwrap());
        assert_eq!((kept.as_str(), kept.to_string().as_str()), ("00000001", "00000001"));
        assert_eq!(format!("{found:?}"), "Timeline(\"0000000A\")");
        for wrong in ["", "0000001", "000000001", "0000000g", "+0000001", "000000\u{e9}"] {
            let why = of(wrong).unwrap_err();
            assert!(matches!(why, PostgresError::Column { name: "realm.timeline" }), "{wrong}: {why}");
        }
        assert_eq!(
            PostgresError::Promoted { kept, found }.to_string(),
            "the server was promoted from timeline 00000001 to 0000000A; make sure that no other one takes writes, \
             then accept it"
        );
    }
}

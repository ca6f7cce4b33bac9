//! What goes wrong with leases in PostgreSQL.

use alloc::boxed::Box;
use core::error::Error;
use core::fmt;
use core::time::Duration;

use super::{Timeline, UnsafeSetting};
use crate::RandomUnavailable;
use crate::protocol::{Exhausted, RecordError};

/// Why a server did not do what was asked. Each says what to do where something can be done.
///
/// No text of it has a password, a URL or a host in it: those of the client library's errors, which may, are left to
/// [`source`](Error::source).
#[derive(Debug)]
#[non_exhaustive]
pub enum PostgresError {
    /// The URL of a server cannot be read.
    Url,
    /// The name of a namespace is empty, longer than 200 bytes, or has control characters.
    Namespace,
    /// No session could be had of the server. Nothing was sent.
    Connect(tokio_postgres::Error),
    /// The pool lent no client. Nothing was sent.
    NotLent(Box<dyn Error + Send + Sync>),
    /// Nobody answered in time.
    TimedOut {
        /// The time that a request has.
        after: Duration,
    },
    /// The connection broke, or what came over it cannot be understood.
    Lost(tokio_postgres::Error),
    /// The server answered with an error.
    Refused(tokio_postgres::Error),
    /// The schema is not there, or not as this release needs it.
    NotInstalled(tokio_postgres::Error),
    /// The namespace is not there.
    NotInitialised,
    /// The server is a standby: what it has may be old.
    Standby,
    /// The server takes no writes.
    ReadOnly(tokio_postgres::Error),
    /// A setting breaks what the leases rest on.
    Setting(UnsafeSetting),
    /// The server was promoted, and the old one may have given out leases that it never heard of.
    Promoted {
        /// The timeline that was accepted.
        kept: Timeline,
        /// The timeline of the server.
        found: Timeline,
    },
    /// The tables are a logical copy, in another cluster than the one that was accepted.
    OtherSystem {
        /// The system identifier that was accepted.
        kept: i64,
        /// That of the server.
        found: i64,
    },
    /// What a column holds was not written by this engine.
    Column {
        /// The table and the column.
        name: &'static str,
    },
    /// What a row holds is no record.
    Record(RecordError),
    /// The server's clock is outside of the range of moments.
    Clock,
    /// A number came to its end.
    Exhausted(Exhausted),
    /// The answer has not the rows that were asked for.
    Reply,
    /// The operating system had no randomness for a new realm.
    Random(RandomUnavailable),
}

impl PostgresError {
    /// Takes the error of a pool that lent no client.
    pub fn not_lent(why: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::NotLent(why.into())
    }

    /// Sorts what the client says of a statement that was sent.
    pub(super) fn of_statement(error: tokio_postgres::Error) -> Self {
        let Some(code) = error.code() else { return Self::Lost(error) };
        match code.code() {
            "42P01" | "42703" | "42883" | "3F000" => Self::NotInstalled(error),
            "25006" => Self::ReadOnly(error),
            "25001" => Self::Setting(UnsafeSetting::Isolation),
            "22003" => Self::Exhausted(Exhausted::Epoch),
            "2200H" => Self::Exhausted(Exhausted::Version),
            code if code.starts_with("08") || code.starts_with("57P") => Self::Lost(error),
            _ => Self::Refused(error),
        }
    }
}

impl From<RecordError> for PostgresError {
    fn from(why: RecordError) -> Self {
        Self::Record(why)
    }
}

/// What the server said, without the details, in which the values of rows may be.
fn said(error: &tokio_postgres::Error, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match error.as_db_error() {
        Some(reply) => write!(f, "{} ({})", reply.message(), reply.code().code()),
        None => fmt::Display::fmt(error, f),
    }
}

impl fmt::Display for PostgresError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url => f.write_str("the URL of the server is none, or has a parameter that is not known: postgres://user@host:port/database"),
            Self::Namespace => f.write_str("a namespace has 1 to 200 bytes and no control characters"),
            Self::Connect(why) => {
                f.write_str("no session with the server: ")?;
                said(why, f)
            }
            Self::NotLent(_) => f.write_str("the pool lent no client"),
            Self::TimedOut { after } => write!(f, "no answer within {} ms", after.as_millis()),
            Self::Lost(why) => {
                f.write_str("the session was lost: ")?;
                said(why, f)
            }
            Self::Refused(why) => {
                f.write_str("the server refused: ")?;
                said(why, f)
            }
            Self::NotInstalled(why) => {
                f.write_str("the schema epoch_fence is not there, or not this release's; migrate: ")?;
                said(why, f)
            }
            Self::NotInitialised => {
                f.write_str("the namespace was never initialised; if it was, leases are lost: recover")
            }
            Self::Standby => f.write_str("the server is a standby; ask the primary"),
            Self::ReadOnly(_) => f.write_str("the server takes no writes; ask the primary"),
            Self::Setting(why) => why.fmt(f),
            Self::Promoted { kept, found } => write!(
                f,
                "the server was promoted from timeline {kept} to {found}; \
                 make sure that no other one takes writes, then accept it"
            ),
            Self::OtherSystem { kept, found } => write!(
                f,
                "the leases were copied from cluster {kept} into {found}; \
                 make sure that the first takes no writes, then recover"
            ),
            Self::Column { name } => {
                write!(f, "what is in {name} was not written by this engine; put it right, or delete the row")
            }
            Self::Record(why) => {
                write!(f, "what is stored is no record: {why}; put it right, or delete the row")
            }
            Self::Clock => f.write_str("the server's clock is outside of the years 1970 to 2554"),
            Self::Exhausted(why) => why.fmt(f),
            Self::Reply => f.write_str("the server answered something else than what was asked"),
            Self::Random(why) => why.fmt(f),
        }
    }
}

impl Error for PostgresError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Connect(why)
            | Self::Lost(why)
            | Self::Refused(why)
            | Self::NotInstalled(why)
            | Self::ReadOnly(why) => Some(why),
            Self::NotLent(why) => Some(&**why),
            Self::Record(why) => Some(why),
            Self::Exhausted(why) => Some(why),
            Self::Random(why) => Some(why),
            Self::Url
            | Self::Namespace
            | Self::TimedOut { .. }
            | Self::NotInitialised
            | Self::Standby
            | Self::Setting(_)
            | Self::Promoted { .. }
            | Self::OtherSystem { .. }
            | Self::Column { .. }
            | Self::Clock
            | Self::Reply => None,
        }
    }
}

//! `Fate`: what an error reply to a write says of the write.

use tokio_postgres::Error;
use tokio_postgres::error::Severity;

/// What is known of a write that was sent and not acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// The server rolled it back, and says so.
    RolledBack,
    /// It may have been committed, and may be yet.
    Unknown,
}

/// The classes of SQLSTATE with which the server itself refuses a statement before it commits.
///
/// Not among them are those that come from connections that break and servers that go down (08, 57, 58), or that a pooler
/// between client and server makes up (08, XX): the statement may have been committed before. Nor is 57014, a statement
/// that was cancelled or timed out: the server looks for cancellations also behind the commit, while it waits for a
/// standby. A wait for a lock ends with 55P03, well before.
const REFUSALS: [&str; 16] =
    ["0A", "21", "22", "23", "25", "26", "2B", "2D", "2F", "3D", "3F", "42", "53", "54", "55", "P0"];

impl Fate {
    /// The fate of a write to which this was the reply.
    pub(super) fn of(error: &Error) -> Self {
        match error.as_db_error() {
            Some(reply) => Self::of_reply(reply.parsed_severity(), reply.code().code()),
            // Cut, closed, or not to be understood.
            None => Self::Unknown,
        }
    }

    /// The rule: only an `ERROR` of a class that refuses is definite. After a `FATAL` the session is gone, and what it
    /// did last is not told.
    fn of_reply(severity: Option<Severity>, code: &str) -> Self {
        let refused = match code.as_bytes() {
            // 40003 says itself that nobody knows.
            [b'4', b'0', ..] => code != "40003",
            _ => code.get(..2).is_some_and(|class| REFUSALS.contains(&class)),
        };
        match severity {
            Some(Severity::Error) if refused => Self::RolledBack,
            _ => Self::Unknown,
        }
    }
}

/// Whether a session is of no more use: it is gone, or it lost its prepared statements, or their columns changed.
pub(super) fn is_spent(error: &Error) -> bool {
    match error.as_db_error() {
        Some(reply) => {
            reply.parsed_severity() != Some(Severity::Error)
                || matches!(reply.code().code(), "0A000" | "26000")
                || reply.code().code().starts_with("08")
                || reply.code().code().starts_with("57P")
        }
        None => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_error_that_the_server_gives_before_it_commits_is_definite() {
        let rows = [
            ("55P03", "lock_not_available", Fate::RolledBack),
            ("55000", "object_not_in_prerequisite_state", Fate::RolledBack),
            ("40001", "serialization_failure", Fate::RolledBack),
            ("40P01", "deadlock_detected", Fate::RolledBack),
            ("40003", "statement_completion_unknown", Fate::Unknown),
            ("25006", "read_only_sql_transaction", Fate::RolledBack),
            ("25P02", "in_failed_sql_transaction", Fate::RolledBack),
            ("22003", "numeric_value_out_of_range", Fate::RolledBack),
            ("2200H", "sequence_generator_limit_exceeded", Fate::RolledBack),
            ("23514", "check_violation", Fate::RolledBack),
            ("42P01", "undefined_table", Fate::RolledBack),
            ("42501", "insufficient_privilege", Fate::RolledBack),
            ("3F000", "invalid_schema_name", Fate::RolledBack),
            ("26000", "invalid_sql_statement_name", Fate::RolledBack),
            ("0A000", "feature_not_supported", Fate::RolledBack),
            ("53100", "disk_full", Fate::RolledBack),
            ("53200", "out_of_memory", Fate::RolledBack),
            ("54000", "program_limit_exceeded", Fate::RolledBack),
            ("P0001", "raise_exception", Fate::RolledBack),
            ("57014", "query_canceled", Fate::Unknown),
            ("57P01", "admin_shutdown", Fate::Unknown),
            ("57P02", "crash_shutdown", Fate::Unknown),
            ("57P03", "cannot_connect_now", Fate::Unknown),
            ("57P05", "idle_session_timeout", Fate::Unknown),
            ("58030", "io_error", Fate::Unknown),
            ("08000", "connection_exception", Fate::Unknown),
            ("08006", "connection_failure", Fate::Unknown),
            ("08007", "transaction_resolution_unknown", Fate::Unknown),
            ("08P01", "protocol_violation", Fate::Unknown),
            ("XX000", "internal_error", Fate::Unknown),
            ("XX001", "data_corrupted", Fate::Unknown),
            ("00000", "successful_completion", Fate::Unknown),
            ("", "no code", Fate::Unknown),
            ("4", "half a code", Fate::Unknown),
            ("\u{e9}\u{e9}", "no code at all", Fate::Unknown),
        ];
        for (code, name, fate) in rows {
            assert_eq!(Fate::of_reply(Some(Severity::Error), code), fate, "{name}");
            for other in [None, Some(Severity::Fatal), Some(Severity::Panic), Some(Severity::Warning)] {
                assert_eq!(Fate::of_reply(other, code), Fate::Unknown, "{name}, {other:?}");
            }
        }
    }
}

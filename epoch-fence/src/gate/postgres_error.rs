//! `PostgresGateError`: why a gate in PostgreSQL did not do what was asked.

use core::error::Error;
use core::fmt;

use crate::Epoch;

/// Why a [`PostgresGate`](crate::PostgresGate) did not do what was asked. There is no permit, and the transaction that it
/// was for must not commit.
#[derive(Debug)]
#[non_exhaustive]
pub enum PostgresGateError {
    /// A newer epoch has been here. The holder has lost its tenure: it must stop, and not ask again.
    Stale {
        /// The least epoch that the gate admits.
        floor: Epoch,
    },
    /// Another grant advanced to this epoch. Two holders hold one epoch, so the issuer is broken or was rewound: stop, and
    /// tell an operator.
    Conflict,
    /// The gate was not raised to this epoch, or not before this transaction's snapshot:
    /// [advance](crate::PostgresGate::advance), and begin the transaction again.
    AdvanceFirst,
    /// The token is for another resource.
    WrongResource,
    /// The token is of another realm than the gate's. After a recovery of the issuer the gate must
    /// [adopt](crate::PostgresGate::adopt) the new realm.
    WrongRealm,
    /// The epoch is further above the floor than the table `epoch_fence.gate` allows.
    TooFarAhead {
        /// How many tenures above the floor it is.
        ahead: u64,
        /// How many are allowed.
        limit: u64,
    },
    /// The epoch is above [`Epoch::MAX_ISSUED`].
    NeverIssued,
    /// The token is good, and `lock_timeout` was over before the transactions of older epochs were. Ask again.
    Draining,
    /// The gate was raised after this transaction's snapshot, or another error of serialization: begin it again.
    Serialization,
    /// The transaction is inside a savepoint, or a nested one: rolling it back would end the permit before the rest.
    Savepoint,
    /// The call takes a transaction of its own, at READ COMMITTED.
    NotAlone,
    /// The session has no `lock_timeout`, or none that ends a transaction which its client has forgotten:
    /// `idle_in_transaction_session_timeout`, or from PostgreSQL 17 on `transaction_timeout`.
    TimeoutNotSet,
    /// The gate serves no realm yet: [adopt](crate::PostgresGate::adopt) that of the issuer.
    NotAdopted,
    /// The floor for a new realm is not above every epoch that was admitted.
    FloorTooLow {
        /// The least floor that the gate would take.
        least: Epoch,
    },
    /// The issuer of the gate's realm is not in this database: its floor could not rise with the gate's.
    NoIssuer,
    /// The functions of the gate are not in this database, or not those of this release.
    NotInstalled,
    /// What else the client or the server says. After a lost connection nobody knows what was done.
    Database(tokio_postgres::Error),
}

impl fmt::Display for PostgresGateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stale { floor } => write!(f, "the token is older than epoch {floor}, the gate's floor"),
            Self::Conflict => f.write_str("another grant was admitted under the token's epoch"),
            Self::AdvanceFirst => f.write_str("the gate was not raised to the token's epoch"),
            Self::WrongResource => f.write_str("the token is for another resource"),
            Self::WrongRealm => f.write_str("the token is of another realm"),
            Self::TooFarAhead { ahead, limit } => {
                write!(f, "the token is {ahead} epochs above the gate's floor, limit {limit}")
            }
            Self::NeverIssued => write!(f, "the epoch is above {}, the last one", Epoch::MAX_ISSUED),
            Self::Draining => f.write_str("transactions of older epochs are still open"),
            Self::Serialization => f.write_str("the gate was raised after the transaction began"),
            Self::Savepoint => f.write_str("the transaction is inside a savepoint"),
            Self::NotAlone => f.write_str("the call needs a transaction of its own at READ COMMITTED"),
            Self::TimeoutNotSet => {
                f.write_str("the session needs lock_timeout and idle_in_transaction_session_timeout")
            }
            Self::NotAdopted => f.write_str("the gate serves no realm yet"),
            Self::FloorTooLow { least } => {
                write!(f, "the floor is below epoch {least}, the least for this gate")
            }
            Self::NoIssuer => f.write_str("the issuer of the gate's realm is not in this database"),
            Self::NotInstalled => f.write_str("the functions of the gate are not in this database"),
            Self::Database(why) => write!(f, "the database: {why}"),
        }
    }
}

impl Error for PostgresGateError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        if let Self::Database(why) = self { Some(why) } else { None }
    }
}

/// For the statements beside the gate's: whatever they say is [`Database`](PostgresGateError::Database).
impl From<tokio_postgres::Error> for PostgresGateError {
    fn from(why: tokio_postgres::Error) -> Self {
        Self::Database(why)
    }
}

/// What the gate's functions mean by an SQLSTATE and its DETAIL; `None` of what they do not raise, and of what cannot be
/// read.
pub(super) fn of_sql_state(state: &str, detail: &str) -> Option<PostgresGateError> {
    Some(match state {
        "FE001" => PostgresGateError::Stale { floor: Epoch::new(number(detail, "floor")?)? },
        "FE002" => PostgresGateError::Conflict,
        "FE003" => PostgresGateError::AdvanceFirst,
        "FE004" => PostgresGateError::WrongRealm,
        "FE005" => PostgresGateError::TooFarAhead {
            ahead: number(detail, "ahead")?,
            limit: number(detail, "limit")?,
        },
        "FE006" => PostgresGateError::WrongResource,
        "FE007" => PostgresGateError::Savepoint,
        "FE008" => PostgresGateError::NotAdopted,
        "FE010" => PostgresGateError::TimeoutNotSet,
        "FE011" => PostgresGateError::FloorTooLow { least: Epoch::new(number(detail, "least")?)? },
        "FE012" => PostgresGateError::NoIssuer,
        "25001" => PostgresGateError::NotAlone,
        "40001" => PostgresGateError::Serialization,
        "55P03" => PostgresGateError::Draining,
        // No such function, no such schema.
        "42883" | "3F000" => PostgresGateError::NotInstalled,
        _ => return None,
    })
}

/// The number behind a word, in words and numbers.
fn number(detail: &str, word: &str) -> Option<u64> {
    let mut words = detail.split(' ');
    words.find(|found| *found == word)?;
    words.next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::ToString as _;

    use super::*;

    #[test]
    fn every_sql_state_of_the_gate_has_its_error_and_no_other_has_one() {
        let rows = [
            ("FE001", "floor 34", "the token is older than epoch 34, the gate's floor"),
            ("FE002", "", "another grant was admitted under the token's epoch"),
            ("FE003", "", "the gate was not raised to the token's epoch"),
            ("FE004", "", "the token is of another realm"),
            ("FE005", "ahead 9 limit 8", "the token is 9 epochs above the gate's floor, limit 8"),
            ("FE006", "", "the token is for another resource"),
            ("FE007", "", "the transaction is inside a savepoint"),
            ("FE008", "", "the gate serves no realm yet"),
            ("FE010", "", "the session needs lock_timeout and idle_in_transaction_session_timeout"),
            (
                "FE011",
                "least 9223372036854775808",
                "the floor is below epoch 9223372036854775808, the least for this gate",
            ),
            ("FE012", "", "the issuer of the gate's realm is not in this database"),
            ("25001", "", "the call needs a transaction of its own at READ COMMITTED"),
            ("40001", "", "the gate was raised after the transaction began"),
            ("55P03", "", "transactions of older epochs are still open"),
            ("42883", "", "the functions of the gate are not in this database"),
            ("3F000", "", "the functions of the gate are not in this database"),
        ];
        for (state, detail, message) in rows {
            let error = of_sql_state(state, detail).unwrap();
            assert_eq!(error.to_string(), message, "{state}");
            assert!(error.source().is_none());
        }
        // An argument that is no value is a fault of this crate, and the rest is the database's.
        for state in ["FE009", "FE000", "FE013", "57014", "57P01", "40P01", "08006", "23505", "42501", ""] {
            assert!(of_sql_state(state, "floor 1").is_none(), "{state}");
        }
    }

    #[test]
    fn a_detail_that_cannot_be_read_is_no_number() {
        for detail in
            ["", "floor", "floor ", "floor -1", "floor 0", "floor x", "Floor 3", "floor 18446744073709551616"]
        {
            assert!(of_sql_state("FE001", detail).is_none(), "{detail}");
        }
        assert!(of_sql_state("FE005", "ahead 7").is_none());
        let message = format!("{:?}", of_sql_state("FE001", "floor 18446744073709551615"));
        assert_eq!(message, "Some(Stale { floor: Epoch(18446744073709551615) })");
    }
}

//! What goes wrong in an etcd, and what each failure of a request says about the request.

use alloc::string::String;
use alloc::sync::Arc;
use core::error::Error;
use core::fmt;
use core::time::Duration;

use crate::protocol::{Exhausted, RecordError};
use crate::{Epoch, RandomUnavailable, RealmId};

/// Why an etcd did not do what was asked. Each says what to do. None has a password in it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum EtcdError {
    /// The namespace has no realm: [`init`](super::Etcd::init) it. If it had one, its key was deleted, or this is
    /// another etcd.
    NotInitialised,
    /// The namespace has records and no realm: the realm's key was deleted. Go on by
    /// [`init_above`](super::Etcd::init_above) with the greatest epoch that a gate has seen.
    RecordsWithoutRealm,
    /// The namespace has a realm already, and was to get one above a floor. [Recover](crate::Issuer::recover) instead.
    Initialised {
        /// Which one.
        realm: RealmId,
    },
    /// A key holds what this engine did not write there. Nothing is granted until it is put right or deleted.
    Damaged(Damage),
    /// The store is at an earlier revision than it was for this client: it was restored from a snapshot. Until an
    /// operator recovers, this client refuses it.
    Rewound {
        /// The revision that was seen.
        seen: u64,
        /// The revision that was found.
        found: u64,
    },
    /// Two of the endpoints belong to different clusters.
    OtherCluster,
    /// Etcd refused the request, and says why.
    Refused(Reply),
    /// Etcd answered with an error that leaves open what became of the request.
    Unsure(Reply),
    /// Nobody listens at any of the endpoints. The request never left.
    Unreachable,
    /// The connection broke, or what came back is no answer.
    Connection(Cause),
    /// No answer came in time.
    TimedOut {
        /// How long was waited.
        after: Duration,
    },
    /// The answer has not the parts that were asked for.
    NoAnswer,
    /// Others wrote first each time. Nothing was written.
    Contended,
    /// The write was made from a view that this engine did not give. Nothing was written.
    ForeignView,
    /// A number came to its end. Nothing was written.
    Exhausted(Exhausted),
    /// An endpoint, a user or a certificate cannot be used. Nothing was sent.
    Options(Cause),
    /// The operating system had no randomness for a new realm. Nothing was sent.
    Random(RandomUnavailable),
}

/// What is wrong with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Damage {
    /// The realm is no value of 25 bytes.
    Realm {
        /// How many bytes there are.
        found: usize,
    },
    /// The realm is of an unknown form.
    Form {
        /// The one found.
        found: u8,
    },
    /// The realm's id is zero.
    ZeroRealm,
    /// The base of the realm is above the greatest epoch.
    Base {
        /// The one found.
        found: u64,
    },
    /// The record is none.
    Record(RecordError),
    /// The record does not say on which base it was written.
    NoBase,
    /// The record was written on a base that its realm has not come to.
    BaseAhead {
        /// The record's.
        found: u64,
        /// The realm's.
        realm: u64,
    },
    /// The mark of a tenure is there, and the record is gone. It goes by itself when the lease is over.
    RecordMissing,
    /// The mark is of another tenure than the record's.
    OtherMark,
    /// The mark is on no lease: it would never go.
    NoLease,
    /// A revision is not above zero.
    Revision {
        /// The one found.
        found: i64,
    },
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Realm { found } => write!(f, "the realm has {found} bytes and not 25"),
            Self::Form { found } => write!(f, "unknown form {found} of the realm"),
            Self::ZeroRealm => f.write_str("the realm is zero"),
            Self::Base { found } => {
                write!(f, "the base {found} of the realm is above {}, the greatest epoch", Epoch::MAX_ISSUED)
            }
            Self::Record(why) => write!(f, "what is stored is no record: {why}"),
            Self::NoBase => f.write_str("the record does not say on which base it was written"),
            Self::BaseAhead { found, realm } => {
                write!(f, "the record was written on base {found}, and its realm is at {realm}")
            }
            Self::RecordMissing => f.write_str("the record of a live lease is gone"),
            Self::OtherMark => f.write_str("the mark of a tenure is not the record's"),
            Self::NoLease => f.write_str("the mark of a tenure is on no lease"),
            Self::Revision { found } => write!(f, "revision {found}"),
        }
    }
}

impl Error for Damage {}

/// What etcd said: a code of gRPC, and its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    code: i32,
    message: String,
}

impl Reply {
    /// The words are cut here: whoever answers is not trusted to be brief.
    const MAX_WORDS: usize = 200;

    /// Returns gRPC's code.
    #[must_use]
    pub const fn code(&self) -> i32 {
        self.code
    }

    /// Returns etcd's words.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (code {})", self.message.escape_debug(), self.code)
    }
}

/// What the client of etcd reports.
#[derive(Clone, Debug)]
pub struct Cause(Arc<etcd_client::Error>);

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The status of a request prints headers too; its words are enough.
        match &*self.0 {
            etcd_client::Error::GRpcStatus(status) => write!(f, "{}", status.message().escape_debug()),
            other => other.fmt(f),
        }
    }
}

impl fmt::Display for EtcdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotInitialised => f.write_str("the namespace has no realm: initialise it"),
            Self::RecordsWithoutRealm => f.write_str("the realm of the namespace was deleted"),
            Self::Initialised { realm } => write!(f, "the namespace has the realm {realm} already"),
            Self::Damaged(why) => why.fmt(f),
            Self::Rewound { seen, found } => {
                write!(
                    f,
                    "the store is at revision {found}, and {seen} was seen: it was restored, recover it"
                )
            }
            Self::OtherCluster => f.write_str("the endpoints belong to different clusters"),
            Self::Refused(reply) => write!(f, "etcd refused: {reply}"),
            Self::Unsure(reply) => write!(f, "etcd failed: {reply}"),
            Self::Unreachable => f.write_str("no endpoint of etcd can be reached"),
            Self::Connection(why) => write!(f, "the connection to etcd failed: {why}"),
            Self::TimedOut { after } => write!(f, "no answer from etcd within {} ms", after.as_millis()),
            Self::NoAnswer => f.write_str("the answer of etcd lacks a part"),
            Self::Contended => f.write_str("others wrote first each time"),
            Self::ForeignView => f.write_str("the write was made from a view of another store"),
            Self::Exhausted(why) => why.fmt(f),
            Self::Options(why) => write!(f, "the options for etcd cannot be used: {why}"),
            Self::Random(why) => why.fmt(f),
        }
    }
}

impl Error for EtcdError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Damaged(why) => Some(why),
            Self::Exhausted(why) => Some(why),
            Self::Random(why) => Some(why),
            Self::Connection(Cause(why)) | Self::Options(Cause(why)) => Some(&**why),
            Self::NotInitialised
            | Self::RecordsWithoutRealm
            | Self::Initialised { .. }
            | Self::Rewound { .. }
            | Self::OtherCluster
            | Self::Refused(_)
            | Self::Unsure(_)
            | Self::Unreachable
            | Self::TimedOut { .. }
            | Self::NoAnswer
            | Self::Contended
            | Self::ForeignView => None,
        }
    }
}

impl From<Damage> for EtcdError {
    fn from(why: Damage) -> Self {
        Self::Damaged(why)
    }
}

/// What a failed request says about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It never left this process: it may be sent again, to anybody.
    NeverLeft,
    /// The server says that it did nothing and never will.
    Refused,
    /// Nobody knows.
    Unknown,
}

/// What is known of a failed request.
#[derive(Clone, Copy, Debug)]
struct Symptoms<'e> {
    /// gRPC's code.
    code: i32,
    message: &'e str,
    /// The client made the status up: no server sent it.
    local: bool,
    /// The system said that nobody listens there.
    nobody_listens: bool,
}

/// The one place that decides what a failed request has done.
///
/// Definite is only what etcd itself says, in words of its own and under a code that it gives before it proposes or when
/// it refuses to apply. *Unavailable* is none of them: "request timed out", "leader changed" and "server stopped" are all
/// said of requests that are proposed already. Nor is anything that a proxy between may say.
fn fate(symptoms: Symptoms<'_>) -> Fate {
    if symptoms.nobody_listens {
        // Only connecting ends so; there was no connection to send on.
        return Fate::NeverLeft;
    }
    let by_etcd = !symptoms.local && symptoms.message.starts_with("etcdserver: ");
    match symptoms.code {
        code::INVALID_ARGUMENT
        | code::NOT_FOUND
        | code::ALREADY_EXISTS
        | code::PERMISSION_DENIED
        | code::RESOURCE_EXHAUSTED
        | code::FAILED_PRECONDITION
        | code::OUT_OF_RANGE
        | code::UNIMPLEMENTED
        | code::UNAUTHENTICATED
            if by_etcd =>
        {
            Fate::Refused
        }
        _ => Fate::Unknown,
    }
}

/// gRPC's numbers for its codes.
mod code {
    pub(super) const INVALID_ARGUMENT: i32 = 3;
    pub(super) const NOT_FOUND: i32 = 5;
    pub(super) const ALREADY_EXISTS: i32 = 6;
    pub(super) const PERMISSION_DENIED: i32 = 7;
    pub(super) const RESOURCE_EXHAUSTED: i32 = 8;
    pub(super) const FAILED_PRECONDITION: i32 = 9;
    pub(super) const OUT_OF_RANGE: i32 = 11;
    pub(super) const UNIMPLEMENTED: i32 = 12;
    pub(super) const UNAUTHENTICATED: i32 = 16;
}

/// A failed request: what it says about itself, and what the caller hears.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) fate: Fate,
    pub(super) error: EtcdError,
}

impl Fault {
    pub(super) fn unknown(error: EtcdError) -> Self {
        Self { fate: Fate::Unknown, error }
    }

    pub(super) fn is_lease_there(&self) -> bool {
        self.says(code::FAILED_PRECONDITION, "etcdserver: lease already exists")
    }

    pub(super) fn is_token_stale(&self) -> bool {
        self.says(code::UNAUTHENTICATED, "etcdserver: invalid auth token")
    }

    fn says(&self, code: i32, message: &str) -> bool {
        matches!(&self.error, EtcdError::Refused(reply) if reply.code == code && reply.message == message)
    }
}

impl From<etcd_client::Error> for Fault {
    fn from(error: etcd_client::Error) -> Self {
        use etcd_client::Error as Client;
        match error {
            Client::GRpcStatus(status) => {
                let symptoms = Symptoms {
                    code: i32::from(status.code()),
                    message: status.message(),
                    local: status.source().is_some(),
                    nobody_listens: nobody_listens(status.source()),
                };
                let fate = fate(symptoms);
                let words = |message: &str| message.chars().take(Reply::MAX_WORDS).collect();
                let reply = || Reply { code: symptoms.code, message: words(symptoms.message) };
                let error = match fate {
                    Fate::NeverLeft => EtcdError::Unreachable,
                    Fate::Refused => EtcdError::Refused(reply()),
                    Fate::Unknown if symptoms.local => {
                        EtcdError::Connection(Cause(Arc::new(Client::GRpcStatus(status))))
                    }
                    Fate::Unknown => EtcdError::Unsure(reply()),
                };
                Self { fate, error }
            }
            error @ (Client::InvalidArgs(_)
            | Client::InvalidUri(_)
            | Client::InvalidMetadataValue(_)
            | Client::EndpointError(_)
            | Client::EndpointsNotManaged) => {
                Self { fate: Fate::Refused, error: EtcdError::Options(Cause(Arc::new(error))) }
            }
            error => Self::unknown(EtcdError::Connection(Cause(Arc::new(error)))),
        }
    }
}

/// Whether the system said so, anywhere among the causes.
fn nobody_listens(mut cause: Option<&(dyn Error + 'static)>) -> bool {
    while let Some(error) = cause {
        let refused = error
            .downcast_ref::<std::io::Error>()
            .is_some_and(|error| error.kind() == std::io::ErrorKind::ConnectionRefused);
        if refused {
            return true;
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_etcd_itself_refuses_or_what_never_left_did_nothing() {
        let etcd = "etcdserver: ";
        let rows = [
            // code, words, made up here, nobody listens, fate
            (14, "tcp connect error", true, true, Fate::NeverLeft),
            (14, "tcp connect error", true, false, Fate::Unknown),
            (16, "etcdserver: invalid auth token", false, false, Fate::Refused),
            (7, "etcdserver: permission denied", false, false, Fate::Refused),
            (5, "etcdserver: requested lease not found", false, false, Fate::Refused),
            (9, "etcdserver: lease already exists", false, false, Fate::Refused),
            (3, "etcdserver: request is too large", false, false, Fate::Refused),
            (8, "etcdserver: mvcc: database space exceeded", false, false, Fate::Refused),
            (8, "etcdserver: too many requests", false, false, Fate::Refused),
            (14, "etcdserver: request timed out", false, false, Fate::Unknown),
            (
                14,
                "etcdserver: request timed out, possibly due to connection lost",
                false,
                false,
                Fate::Unknown,
            ),
            (14, "etcdserver: leader changed", false, false, Fate::Unknown),
            (14, "etcdserver: no leader", false, false, Fate::Unknown),
            (14, "etcdserver: server stopped", false, false, Fate::Unknown),
            (2, "etcdserver: anything", false, false, Fate::Unknown),
            (4, "context deadline exceeded", false, false, Fate::Unknown),
            (1, "operation was canceled", false, false, Fate::Unknown),
            (13, "h2 protocol error", true, false, Fate::Unknown),
            // A proxy between may say anything of a request that it has passed on.
            (7, "forbidden by proxy", false, false, Fate::Unknown),
            (8, "limit reached", false, false, Fate::Unknown),
            (12, "unknown method Txn", false, false, Fate::Unknown),
            (7, "etcdserver: permission denied", true, false, Fate::Unknown),
        ];
        for (code, message, local, nobody_listens, wanted) in rows {
            let found = fate(Symptoms { code, message, local, nobody_listens });
            assert_eq!(found, wanted, "{code} {message:?}");
        }
        // Every code: nothing but the nine is definite.
        for code in -1..20 {
            let found = fate(Symptoms { code, message: etcd, local: false, nobody_listens: false });
            let definite = [3, 5, 6, 7, 8, 9, 11, 12, 16].contains(&code);
            assert_eq!(found == Fate::Refused, definite, "{code}");
        }
    }

    #[test]
    fn an_error_has_its_cause_and_can_be_sent() {
        fn is_error<E: Error + Send + Sync + 'static>(_: &E) {}
        let cut = Fault::from(etcd_client::Error::IoError(std::io::ErrorKind::BrokenPipe.into()));
        assert_eq!(cut.fate, Fate::Unknown);
        is_error(&cut.error);
        assert!(cut.error.source().is_some());
        let wrong = Fault::from(etcd_client::Error::InvalidArgs(String::from("empty endpoints")));
        assert_eq!(wrong.fate, Fate::Refused);
        assert!(wrong.error.to_string().contains("empty endpoints"));
        let words = Reply { code: 7, message: String::from("\u{1b}[2J") };
        assert_eq!(EtcdError::Refused(words).to_string(), "etcd refused: \\u{1b}[2J (code 7)");
    }
}

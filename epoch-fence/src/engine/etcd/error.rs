//! What goes wrong in an etcd.

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
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reply {
    code: i32,
    message: String,
}

impl Reply {
    /// The words are cut here: whoever answers is not trusted to be brief.
    const MAX_WORDS: usize = 200;

    pub(super) fn new(code: i32, words: &str) -> Self {
        Self { code, message: words.chars().take(Self::MAX_WORDS).collect() }
    }

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

impl From<etcd_client::Error> for Cause {
    fn from(error: etcd_client::Error) -> Self {
        Self(Arc::new(error))
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The status of a request prints headers too; its words are enough.
        if let etcd_client::Error::GRpcStatus(status) = &*self.0 {
            write!(f, "{}", status.message().escape_debug())
        } else {
            self.0.fmt(f)
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

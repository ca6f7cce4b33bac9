//! `Fate`: what a failed request has done. Nowhere else is it decided.

use core::error::Error;

use super::error::{EtcdError, Reply};

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
        matches!(&self.error, EtcdError::Refused(reply) if reply.code() == code && reply.message() == message)
    }
}

impl From<etcd_client::Error> for Fault {
    fn from(error: etcd_client::Error) -> Self {
        use etcd_client::Error as Client;
        if let Client::GRpcStatus(status) = error {
            let symptoms = Symptoms {
                code: i32::from(status.code()),
                message: status.message(),
                local: status.source().is_some(),
                nobody_listens: nobody_listens(status.source()),
            };
            let fate = fate(symptoms);
            let reply = || Reply::new(symptoms.code, symptoms.message);
            let error = match fate {
                Fate::NeverLeft => EtcdError::Unreachable,
                Fate::Refused => EtcdError::Refused(reply()),
                Fate::Unknown if symptoms.local => EtcdError::Connection(Client::GRpcStatus(status).into()),
                Fate::Unknown => EtcdError::Unsure(reply()),
            };
            return Self { fate, error };
        }
        let by_options = matches!(
            error,
            Client::InvalidArgs(_)
                | Client::InvalidUri(_)
                | Client::InvalidMetadataValue(_)
                | Client::EndpointError(_)
                | Client::EndpointsNotManaged
        );
        if by_options {
            Self { fate: Fate::Refused, error: EtcdError::Options(error.into()) }
        } else {
            Self::unknown(EtcdError::Connection(error.into()))
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
    use alloc::string::{String, ToString as _};

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
    fn a_lease_that_is_there_and_a_token_that_is_stale_are_known_by_code_and_words() {
        let refused = |code, words| {
            let error = EtcdError::Refused(Reply::new(code, words));
            let fault = Fault { fate: Fate::Refused, error };
            (fault.is_lease_there(), fault.is_token_stale())
        };
        let (there, stale) = ("etcdserver: lease already exists", "etcdserver: invalid auth token");
        assert_eq!((refused(9, there), refused(16, stale)), ((true, false), (false, true)));
        for (code, words) in [(16, there), (9, stale), (9, ""), (16, "etcdserver: user name is empty")] {
            assert_eq!(refused(code, words), (false, false), "{code} {words:?}");
        }
        let unsure = Fault::unknown(EtcdError::Unsure(Reply::new(9, there)));
        assert!(!unsure.is_lease_there());
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
        let words = Reply::new(7, "\u{1b}[2J");
        assert_eq!(EtcdError::Refused(words).to_string(), "etcd refused: \\u{1b}[2J (code 7)");
        let words = Reply::new(14, &"\u{e9}".repeat(201));
        assert_eq!((words.code(), words.message()), (14, &*"\u{e9}".repeat(200)));
        let unsure = EtcdError::Unsure(Reply::new(14, "etcdserver: no leader"));
        assert_eq!(unsure.to_string(), "etcd failed: etcdserver: no leader (code 14)");
        assert!(unsure.source().is_none());
        let why = cut.error.source().unwrap().to_string();
        assert_eq!(cut.error.to_string(), alloc::format!("the connection to etcd failed: {why}"));
    }
}

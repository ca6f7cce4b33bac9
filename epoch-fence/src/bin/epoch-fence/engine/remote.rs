//! `Remote`: a server that keeps leases, whatever its kind.

use core::error::Error;
use core::fmt;
use core::time::Duration;

use epoch_fence::engine::{AsyncEngine, Blocking, Engine, Failure as Unswapped, Swapped};
use epoch_fence::protocol::{Swap, View};
use epoch_fence::{Epoch, RealmId, ResourceId};
use nix::sys::signal::SigSet;
use tokio::runtime::{Builder, Runtime};

use crate::exit::{FAILED, Failure};

/// A server that keeps leases.
pub(crate) struct Remote {
    leases: Box<dyn Leases>,
    shown: String,
    runtime: Runtime,
}

/// What an operator does with a server, beside what the protocol does with it.
pub(crate) trait Operated: AsyncEngine + 'static {
    /// Makes what the leases need, unless it is there. Says which realm they are in.
    fn init(&self) -> impl Future<Output = Result<RealmId, Self::Error>>;

    /// Begins a new realm, also where no record can be read any more. Says which realm it is, and the epoch above which it
    /// goes on.
    fn recover(
        &self,
        resource: &ResourceId,
        realm: RealmId,
        floor: Option<Epoch>,
    ) -> impl Future<Output = Result<(RealmId, Option<Epoch>), Failure>>;

    /// What an operator can do about an error, to be put behind it.
    fn advice(why: &Self::Error) -> &'static str;

    /// Accepts the server after a promotion. Says the epoch above which leases go on, if any was granted.
    fn accept(&self) -> impl Future<Output = Result<Option<Epoch>, Self::Error>>;
}

/// The same for all kinds.
trait Leases: Engine<Error = RemoteError> + Send + Sync {
    fn init(&self, runtime: &Runtime) -> Result<RealmId, RemoteError>;
    fn accept(&self, runtime: &Runtime) -> Result<Option<Epoch>, RemoteError>;
    fn recover(
        &self,
        runtime: &Runtime,
        resource: &ResourceId,
        realm: RealmId,
        floor: Option<Epoch>,
    ) -> Result<(RealmId, Option<Epoch>), Failure>;
}

struct Kind<E>(Blocking<E>);

impl<E: Operated> Engine for Kind<E> {
    type Error = RemoteError;

    fn load(&self, resource: &ResourceId) -> Result<View, RemoteError> {
        self.0.load(resource).map_err(RemoteError::of::<E>)
    }

    fn swap(&self, resource: &ResourceId, swap: &Swap) -> Result<Swapped, Unswapped<RemoteError>> {
        self.0.swap(resource, swap).map_err(|why| why.map(RemoteError::of::<E>))
    }
}

impl<E: Operated> Leases for Kind<E> {
    fn init(&self, runtime: &Runtime) -> Result<RealmId, RemoteError> {
        runtime.block_on(self.0.engine().init()).map_err(RemoteError::of::<E>)
    }

    fn accept(&self, runtime: &Runtime) -> Result<Option<Epoch>, RemoteError> {
        runtime.block_on(self.0.engine().accept()).map_err(RemoteError::of::<E>)
    }

    fn recover(
        &self,
        runtime: &Runtime,
        resource: &ResourceId,
        realm: RealmId,
        floor: Option<Epoch>,
    ) -> Result<(RealmId, Option<Epoch>), Failure> {
        runtime.block_on(self.0.engine().recover(resource, realm, floor))
    }
}

impl Remote {
    /// Connects, within a time that is left to the maker.
    #[cfg_attr(
        not(any(feature = "etcd", feature = "postgres")),
        expect(dead_code, reason = "this build has no kind of server")
    )]
    pub(super) fn connect<E: Operated, F: Future<Output = Result<E, Failure>>>(
        shown: String,
        make: F,
    ) -> Result<Self, Failure> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            // Signals are for the thread that supervises the command.
            .on_thread_start(|| {
                let _blocked = SigSet::all().thread_block();
            })
            .build()?;
        let engine = runtime.block_on(make).map_err(|why| why.during(&shown))?;
        let leases = Box::new(Kind(Blocking::new(engine, runtime.handle().clone())));
        Ok(Self { leases, shown, runtime })
    }

    /// How to call it in a message: nothing secret is in it.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }

    pub(crate) fn init(&self) -> Result<RealmId, Failure> {
        self.leases.init(&self.runtime).map_err(|why| Failure::new(FAILED, why).during(&self.shown))
    }

    /// Recovers everything that the server keeps beside this resource too.
    pub(crate) fn recover(
        &self,
        resource: &ResourceId,
        realm: RealmId,
        floor: Option<Epoch>,
    ) -> Result<(RealmId, Option<Epoch>), Failure> {
        self.leases.recover(&self.runtime, resource, realm, floor).map_err(|why| why.during(&self.shown))
    }

    pub(crate) fn accept(&self) -> Result<Option<Epoch>, Failure> {
        self.leases.accept(&self.runtime).map_err(|why| Failure::new(FAILED, why).during(&self.shown))
    }
}

impl Engine for Remote {
    type Error = RemoteError;

    fn load(&self, resource: &ResourceId) -> Result<View, RemoteError> {
        self.leases.load(resource)
    }

    fn swap(&self, resource: &ResourceId, swap: &Swap) -> Result<Swapped, Unswapped<RemoteError>> {
        self.leases.swap(resource, swap)
    }
}

/// What a server, or the way to it, says, and what can be done.
#[derive(Debug)]
pub(crate) struct RemoteError(String);

impl RemoteError {
    pub(super) fn of<E: Operated>(why: E::Error) -> Self {
        let mut innermost = why.source();
        // Ends with the last cause.
        while let Some(deeper) = innermost.and_then(Error::source) {
            innermost = Some(deeper);
        }
        let said = innermost.map(ToString::to_string).unwrap_or_default();
        Self(told(why.to_string(), &said) + E::advice(&why))
    }
}

/// An error with its last cause. What is between says the same again, at length; so does the client of etcd, in the words of
/// its own code.
fn told(mut text: String, said: &str) -> String {
    // Nothing at all is a part of every text.
    let repeats = text.contains(said) || said.contains(&text);
    if !repeats && !said.contains("ERROR") && !said.contains("::") {
        text.extend([": ", said]);
    }
    if said.contains("certificate") {
        text += "; sslrootcert=FILE, $PGSSLROOTCERT or $ETCDCTL_CACERT say whom to trust";
    }
    text
}

impl fmt::Display for RemoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for RemoteError {}

/// How long one request may take: several fit into what is left after a renewal came due.
#[cfg_attr(
    not(any(feature = "etcd", feature = "postgres")),
    expect(dead_code, reason = "this build has no kind of server")
)]
pub(super) fn patience(ttl: Option<Duration>) -> Duration {
    const USUAL: Duration = Duration::from_secs(5);
    ttl.and_then(|ttl| ttl.checked_div(6)).map_or(USUAL, |share| share.min(USUAL))
}

#[cfg(test)]
#[cfg(any(feature = "etcd", feature = "postgres"))]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_told_with_its_last_cause_where_that_says_more_in_words_for_people() {
        let trust = "no session: invalid peer certificate: UnknownIssuer; sslrootcert=FILE, $PGSSLROOTCERT or $ETCDCTL_CACERT \
                     say whom to trust";
        let rows = [
            ("no session", "", "no session"),
            (
                "no session",
                "Connection refused (os error 111)",
                "no session: Connection refused (os error 111)",
            ),
            ("the server refused: no such role", "no such role", "the server refused: no such role"),
            ("no session", "there is no session to be had", "no session"),
            (
                "the server refused: no such role",
                "db error: ERROR: role \"a\"",
                "the server refused: no such role",
            ),
            ("no session", "tonic::transport::Error(Connect)", "no session"),
            ("no session", "invalid peer certificate: UnknownIssuer", trust),
        ];
        for (text, said, expected) in rows {
            assert_eq!(told(text.to_owned(), said), expected);
        }
    }

    #[test]
    fn several_requests_fit_into_what_is_left_after_a_renewal_came_due() {
        let seconds = Duration::from_secs;
        for (ttl, expected) in [(None, 5), (Some(6), 1), (Some(12), 2), (Some(30), 5), (Some(86_400), 5)] {
            assert_eq!(patience(ttl.map(seconds)), seconds(expected), "{ttl:?}");
        }
    }
}

//! A store for holders on many hosts: a PostgreSQL.
//!
//! ```no_run
//! use core::time::Duration;
//! use epoch_fence::engine::postgres::{Postgres, PostgresOptions};
//! use epoch_fence::engine::{AsyncEngine, Swapped};
//! use epoch_fence::protocol::{Command, Swap, Ttl};
//! use epoch_fence::{GrantId, ResourceId};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let url = "postgres://fence@db.example/leases";
//! let options = PostgresOptions::new().namespace("billing");
//! let (one, two) = (Postgres::connect(url, options.clone()).await?, Postgres::connect(url, options).await?);
//! one.migrate().await?; // once in the life of the database, by a role that may
//! one.init().await?; // once in the life of the namespace, by an operator
//!
//! let ledger = ResourceId::of("billing", "ledger");
//! let ttl = Ttl::new(Duration::from_secs(10)).ok_or("not a time to live")?;
//! let command = |holder: &str| -> Result<_, Box<dyn std::error::Error>> {
//!     Ok(Command::Acquire { grant: GrantId::random()?, holder: holder.parse()?, ttl })
//! };
//! // Two see the same record and want it at once: the writes of both are for that one version.
//! let view = one.load(&ledger).await?;
//! let (first, second) = (Swap::prepare(&view, &command("a")?)?, Swap::prepare(&view, &command("b")?)?);
//! let (first, second) = (one.swap(&ledger, &first).await?, two.swap(&ledger, &second).await?);
//! assert!(matches!(first, Swapped::Landed(_)));
//! assert_eq!(second, Swapped::Conflict);
//! # Ok(())
//! # }
//! ```
//!
//! # What it promises
//!
//! - Every write is one statement and one transaction of its own, which looks, judges and writes. It lands on one version of
//!   one row or not at all, is acknowledged after its commit, and never lands later: a version is of one state for ever, also
//!   when the row was deleted and made again.
//! - A lease is over when its time is, by the server's clock ([`clock_timestamp()`, not `now()`]). A clock that is set back
//!   stands still for every row that was written before, until it has caught up: what is left of a lease does not grow, and the
//!   lease of a holder that died lasts longer by the step. An eviction ends it.
//! - A renewal lands only while its lease is live, by the clock at the moment when its row is locked.
//! - No call waits longer than the [request timeout](PostgresOptions::request_timeout), whatever the server, the network or
//!   the pool does. The server gives up before that ([`session_setup`](PostgresOptions::session_setup)), and says so.
//!
//! [`clock_timestamp()`, not `now()`]: https://www.postgresql.org/docs/current/functions-datetime.html
//!
//! # Definite or not
//!
//! A write that was not sent, and one that the server refused with an `ERROR` of its own, did nothing:
//! [`Failure::Definite`](crate::engine::Failure::Definite). After a time-out, a cut connection, a `FATAL`, a cancellation
//! (57014) or a reply that cannot be read, nobody knows: [`Failure::Indeterminate`](crate::engine::Failure::Indeterminate).
//! A load is tried once more if its session was lost; a write never is, but by the caller.
//!
//! # Cancel safety
//!
//! Every future here may be dropped at any await point. A load that is dropped did nothing. A write may have landed, or may
//! land yet, as after an indeterminate failure. The session goes on: what was sent on it is answered to nobody.
//!
//! # What it needs, and checks
//!
//! | setting | else | looked at |
//! |---|---|---|
//! | `fsync`, `full_page_writes` on | a crash of the machine takes leases back, or tears pages | each load; [allowed by name](PostgresOptions::allow_fsync_off) |
//! | `synchronous_commit` not `off` | a crash takes back what was acknowledged | each load and each write |
//! | isolation `read committed` | a statement that waited goes on with what it saw before | each load and each write |
//! | `zero_damaged_pages` off, logged tables | leases vanish, and their epochs are granted again | [`check`](Postgres::check) |
//! | the primary | a standby's rows may be old | each load; a standby takes no writes |
//! | the timeline and the cluster that were accepted | see below | each load; the timeline at each write |
//!
//! [`Postgres::connect`] checks all but the last. Through a pooler that gives each transaction another session, prepared
//! statements and settings are lost: connect past it, or let it pool sessions. Of a server with standbys,
//! `synchronous_commit = on` and `synchronous_standby_names` say whether a failover may lose leases.
//!
//! # Realms, restores and promotions
//!
//! All resources of a [namespace](PostgresOptions::namespace) are of one realm, which [`init`](Postgres::init) makes: a
//! restore takes all of them back together. So [`recover`](Postgres::recover), and
//! [`Issuer::recover`](crate::Issuer::recover) with any one resource, goes on with the whole namespace under a new realm: every
//! lease of it is over, and every epoch to come is [far above](crate::protocol::RECOVERY_STRIDE) all that there are. (A
//! [directory](crate::engine::file) recovers resource by resource.) The gates must [adopt](crate::Gate::adopt) the new realm.
//!
//! | what happened | found | what to do |
//! |---|---|---|
//! | a standby was promoted | yes: another timeline, [`Promoted`](PostgresError::Promoted) | see to it that the old primary takes no more writes, then [`accept`](Postgres::accept), or [`OnPromotion::Jump`] |
//! | recovery to a point in time | yes: it ends in another timeline | it may be far in the past: [`recover`](Postgres::recover) |
//! | a dump was loaded into another cluster | yes: another system, [`OtherSystem`](PostgresError::OtherSystem) | [`recover`](Postgres::recover) |
//! | files, a volume or a machine were put back, with their own timeline | **no** | a claim that [remembers an epoch](crate::protocol::Claim::with_known_epoch) finds it, and a gate that has admitted a later one; then [`recover`](Postgres::recover) |
//! | a dump was loaded into the same cluster | **no** | the same |
//! | rows were deleted, or the table emptied | need not be: triggers raise the floor of the namespace | nothing |
//! | the row of the namespace was deleted, or the schema | yes: [`NotInitialised`](PostgresError::NotInitialised), [`NotInstalled`](PostgresError::NotInstalled) | [`init`](Postgres::init), then [`recover`](Postgres::recover) above everything that anybody remembers |
//! | rows were edited | where they make no sense | put them right, or delete them |
//!
//! Two primaries at once, after a promotion, grant in one realm. Those that the new one grants have the greater epochs, so
//! that the gate keeps the others out. What the old one wrote while it had no standby is not known to the new one.
//!
//! # What can go wrong
//!
//! - *Somebody locks a row*, in a transaction that stays open: whoever writes that lease waits, gives up after six eighths
//!   of the request timeout, and is told a definite failure. On a [`Session`], which all share, the others wait behind it.
//! - *The server stops between its look at the clock and its commit*, for longer than the lease: a renewal is then committed
//!   after the end. It is no longer than what was asked for at the load, nobody was granted the resource meanwhile, and its
//!   holder has given up already.
//! - *The clock is set back after an end that somebody saw and nobody wrote*: the lease is live again to the server. Its
//!   holder goes by its own clock, and has given up.
//! - *A row that was deleted had a lease of which nobody knew whether it landed*: it resolves to not granted. It holds nothing,
//!   and never will.
//! - *Roles.* Whoever may write `epoch_fence.lease` may forge leases. The head of [`ISSUER_SQL`] says what a holder needs and
//!   what an operator; a holder cannot initialise, accept, recover or delete.

mod engine;
mod error;
mod fate;
mod ground;
mod operator;
mod options;
mod row;
mod sessions;
mod statements;

pub use engine::Postgres;
pub use error::PostgresError;
pub use ground::{Timeline, UnsafeSetting};
pub use options::{OnPromotion, PostgresOptions};
pub use sessions::{Session, Sessions, SharedClient};

/// The schema that [`Postgres`] needs: tables, a sequence, and what an operator calls. It says at its head which rights a
/// holder needs, and which an operator. It may be run again.
pub const ISSUER_SQL: &str = include_str!("../../../sql/issuer.sql");

/// The schema that a [`PostgresGate`](crate::PostgresGate) needs: the gate for the user's own tables, in the same schema. It
/// says at its head which rights a writer needs, and which an operator. It may be run again.
pub const GATE_SQL: &str = include_str!("../../../sql/gate.sql");

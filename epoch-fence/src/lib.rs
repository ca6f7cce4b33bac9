//! Fencing tokens, and the gate that enforces them: a paused or former holder of a lock cannot harm what it held.
//!
//! ```
//! use epoch_fence::{FencingToken, Gate, Rejected};
//! # use epoch_fence::{Epoch, GrantId, RealmId, ResourceId};
//! # let Some((realm, grant)) = RealmId::from_random_bits(1).zip(GrantId::from_random_bits(1)) else { return Ok(()) };
//! # let Some((thirty_three, thirty_four)) = Epoch::new(33).zip(Epoch::new(34)) else { return Ok(()) };
//! # let ledger = ResourceId::of("billing", "ledger");
//! # let gate = Gate::new(realm, ledger, Epoch::FIRST);
//! # let (alice, bob) = (FencingToken::new(realm, ledger, thirty_three, grant), FencingToken::new(realm, ledger, thirty_four, grant));
//!
//! let writing = gate.enter(&alice)?; // epoch 33; her process is stopped here, and her lease expires
//! assert!(matches!(gate.enter(&bob), Err(Rejected::Draining { in_flight: 1 }))); // epoch 34
//! drop(writing); // the effect that was admitted is over
//! let bobs = gate.enter(&bob)?;
//! assert!(matches!(gate.enter(&alice), Err(Rejected::Stale { floor }) if floor == bobs.epoch()));
//! # Ok::<(), Rejected>(())
//! ```
//!
//! # When to use this
//!
//! When one of several processes may act on a resource at a time: a leader, a single writer, the owner of a shard, a
//! scheduled job. A lease says who that is, and its exclusivity is best effort: the holder may be paused for longer
//! than any lease, or its request may be delayed. **The gate is the guarantee.** It stands at the resource, and
//! compares the [`FencingToken`] that each request carries.
//!
//! A bare comparison at the resource is not enough: a request that was admitted just before the new epoch may
//! still be running after it. So a [`Gate`] hands out [`Permit`]s, and admits the new epoch when the last of the
//! old ones is gone.
//!
//! - It does not order events. The sibling crates `hlc`, `lamport` and `vector-clock` do.
//! - It is no authentication. Whoever can write tokens can write the next one.
//!
//! # Guarantees
//!
//! - **Monotonic**: a gate's floor never falls, whatever happens to issuers, realms and holders, until its process
//!   ends.
//! - **Unique**: a gate admits at most one grant under each epoch of a realm; another is [`Rejected::Conflict`].
//! - **Causal**: whoever is admitted under a newer epoch sees everything that preceded the end of every permit of
//!   an older one.
//! - **Fenced**: from the moment a newer epoch is admitted, no permit of an older epoch is alive or can be created.
//!   An effect that outlives its permit (a remote call, a cancelled future, a spawned task, queued I/O, a crashed
//!   gate process) is not covered; it must carry the epoch to something that checks it.
//! - **Bounded skew**: no clock is read. One token raises the floor by at most [`MaxAdvance`], by default 2^32.
//! - **Thread-safe**: a [`Gate`] keeps all of these under any interleaving.
//! - **Restart-safe**: a `DurableGate` (feature `durable`) or a `FileGate` (feature `file`) admits nothing older after a crash than it did before, and
//!   no other grant under the same epoch. A [`Gate`] forgets, and begins with the floor that it is given.
//! - **Progress**: lock-free: of the callers of a gate, some one always finishes. No call waits, allocates or panics,
//!   but [`Gate::enter_waiting`](Gate#method.enter_waiting). A caller that is stopped during the dozen instructions in
//!   which it installs a newer epoch keeps the gate closed meanwhile; the others are answered, not admitted.
//!
//! # What can go wrong
//!
//! **A holder is paused, and wakes.** If it held a permit, newer epochs were told [`Rejected::Draining`] all the while.
//! If not, it is [`Rejected::Stale`]. **Fenced** holds.
//!
//! **A permit leaks, or its holder hangs.** The gate stays closed for newer epochs: it fails closed, and **Progress**
//! is lost for them. [`Gate::abandon_permits`] opens it, and gives up **Fenced** for those permits.
//!
//! **An effect outlives its permit.** **Fenced** does not cover it. [`Permit`] shows how to hold one across an
//! `.await`.
//!
//! **Two gates stand before one resource**, in one process or in two. They do not drain each other: **Fenced** is
//! lost between them. A `FileGate` (feature `file`) is one gate, however many processes ask it, and so is a `PostgresGate` (feature `postgres`).
//!
//! **The gate's process restarts.** A `DurableGate` goes on. A [`Gate`] must be given a floor that is not below what was admitted; else older tokens
//! are admitted again. Effects of the old process that are still on their way are not covered in either case.
//!
//! **The issuer is rewound or restored.** It may give an epoch out twice: a gate that has seen the first is
//! [`Rejected::Conflict`]. After a recovery the issuer has a new realm, and each gate must [`adopt`](Gate::adopt) it.
//!
//! **Someone forges tokens.** An epoch far ahead is [`Rejected::TooFarAhead`], counted, and changes nothing. One
//! within the limit is believed: it closes the gate to everybody below.
//!
//! # Crate features
//!
//! No feature changes behaviour. Without any, the crate is `no_std` without an allocator, and has the values, the
//! gate, the [`protocol`] and the [`Issuer`].
//!
//! - `std` (default): switches on `std` in the optional dependencies that are in use.
//! - `getrandom`: [`GrantId::random`](GrantId#method.random) and [`RealmId::random`](RealmId#method.random).
//! - `arbitrary`, `proptest`: the values for fuzz targets and property tests of your own: every one, and only valid ones.
//! - `defmt`: `Format` for the values, the gate's counts and refusals.
//! - `durable`: `DurableGate`, over a register of the crate `high-water`.
//! - `file`: [`engine::file`](engine/file/index.html), leases for the processes of one host, and
//!   [`audit`](audit/index.html), the log of what was granted; and `FileGate`, a gate for those processes. On Linux.
//! - `cli`: the program `epoch-fence`, for shell scripts. It adds nothing to the library. On Linux.
//! - `postgres`: [`engine::postgres`](engine/postgres/index.html), leases in a PostgreSQL, for holders on many hosts.
//! - `parking_lot`: [`Gate::enter_waiting`](Gate#method.enter_waiting), and `Fenced`.
//! - `serde`: `Serialize` and `Deserialize` for the values.
//! - `portable-atomic`: the gate and the [`Issuer`] on targets without 64-bit atomics. It then makes atomics by
//!   a lock that spins, and an interrupt handler that meets it held waits for ever, *also on a Cortex-M3 or M4*: firmware
//!   on one core switches on its feature `unsafe-assume-single-core`, which shuts interrupts out instead.
//! - `tokio`: `AsyncIssuer`, `AsyncLease` and `KeptLease`, for callers that await; `engine::AsyncEngine`, for stores that are
//!   awaited.
//!   `PostgresGate`, in the first, is a gate for the user's own tables: its permit is a lock of the transaction that changes
//!   them.
//! - `tls`: encrypted connections, of the program to both, and `EtcdOptions::tls`.
//! - `test-engine`: `engine::memory`, a store whose faults are a script, for tests of whatever uses a lease; and
//!   `engine::conformance`, what every store must keep, as a suite.
//!
//! # Format
//!
//! Bytes, text and serde forms are in [`mod@format`], those of a store's record in [`protocol::record_format`], and those of
//! the audit log in `audit::format`.
//!
//! # Sources
//!
//! - Burrows: *The Chubby lock service for loosely-coupled distributed systems* (OSDI 2006): sequencers, section 2.4.
//! - Gray, Cheriton: *Leases: an efficient fault-tolerant mechanism for distributed file cache consistency* (SOSP
//!   1989).
//! - Kleppmann: *How to do distributed locking* (2016): fencing tokens, and why a lease alone does not do.
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(any(test, feature = "file", feature = "proptest", feature = "test-engine", feature = "tokio"))]
extern crate alloc;
#[cfg(any(test, feature = "durable", feature = "parking_lot", feature = "test-engine", feature = "tokio"))]
extern crate std;

#[cfg(feature = "arbitrary")]
mod arbitrary;
#[cfg(feature = "file")]
pub mod audit;
#[cfg(all(feature = "tokio", any(target_has_atomic = "64", feature = "portable-atomic")))]
mod awaited;
#[cfg(any(target_has_atomic = "64", feature = "portable-atomic"))]
mod belief;
mod bytes;
#[cfg(feature = "defmt")]
mod defmt;
pub mod engine;
mod epoch;
mod error;
#[cfg(any(target_has_atomic = "64", feature = "portable-atomic"))]
mod gate;
mod holder_id;
mod id;
#[cfg(any(target_has_atomic = "64", feature = "portable-atomic"))]
mod issuer;
#[cfg(any(target_has_atomic = "64", feature = "portable-atomic"))]
mod lease;
#[cfg(feature = "proptest")]
mod proptest;
pub mod protocol;
mod resource_id;
#[cfg(any(feature = "arbitrary", feature = "proptest"))]
mod sample;
#[cfg(feature = "serde")]
mod serde;
#[cfg(any(target_has_atomic = "64", feature = "portable-atomic"))]
mod sync;
mod text;
mod token;

#[doc = include_str!("../FORMAT.md")]
pub mod format {}

#[cfg(all(doctest, feature = "postgres"))]
#[doc = include_str!("../README.md")]
mod readme {}

#[cfg(all(feature = "tokio", any(target_has_atomic = "64", feature = "portable-atomic")))]
pub use awaited::{AsyncIssuer, AsyncLease, Attempt, KeptLease, Loss, NotParted};
pub use epoch::Epoch;
#[cfg(feature = "getrandom")]
pub use error::RandomUnavailable;
pub use error::{DecodeError, Field, HolderIdError};
#[cfg(any(target_has_atomic = "64", feature = "portable-atomic"))]
pub use gate::{AdoptError, Gate, MaxAdvance, MaxPermits, Permit, Rejected, Snapshot, rule as gate_rule};
#[cfg(all(feature = "durable", any(target_has_atomic = "64", feature = "portable-atomic")))]
pub use gate::{DurableGate, DurableGateError, NotAdmitted, NotAdopted};
#[cfg(all(feature = "parking_lot", any(target_has_atomic = "64", feature = "portable-atomic")))]
pub use gate::{Fenced, FencedGuard};
#[cfg(all(feature = "file", unix, any(target_has_atomic = "64", feature = "portable-atomic")))]
pub use gate::{FileGate, FileGateError, FileGateSnapshot, FilePermit};
#[cfg(all(feature = "postgres", any(target_has_atomic = "64", feature = "portable-atomic")))]
pub use gate::{PostgresGate, PostgresGateError};
pub use holder_id::HolderId;
pub use id::{GrantId, RealmId};
#[cfg(all(
    any(feature = "file", feature = "tokio"),
    any(target_os = "linux", target_os = "android", target_vendor = "apple"),
    any(target_has_atomic = "64", feature = "portable-atomic")
))]
pub use issuer::SystemClock;
#[cfg(any(target_has_atomic = "64", feature = "portable-atomic"))]
pub use issuer::{
    BootClock, Evicted, Issuer, IssuerSnapshot, NotAcquired, NotChanged, Resolution, Unresolved, Wait,
};
#[cfg(any(target_has_atomic = "64", feature = "portable-atomic"))]
pub use lease::{Ended, Lease, NotEnded};
pub use resource_id::ResourceId;
pub use token::FencingToken;

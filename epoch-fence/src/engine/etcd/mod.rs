//! A store for holders on many hosts: an etcd.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn core::error::Error>> {
//! use core::time::Duration;
//! use epoch_fence::engine::etcd::EtcdOptions;
//! use epoch_fence::engine::{AsyncEngine, Swapped};
//! use epoch_fence::protocol::{Command, Standing, Swap, Ttl};
//! use epoch_fence::{GrantId, ResourceId};
//!
//! let options: EtcdOptions = "etcd://10.0.0.1,10.0.0.2,10.0.0.3/billing".parse()?;
//! let store = options.timeout(Duration::from_secs(3)).connect().await?;
//! store.init().await?; // once: a namespace that lost its realm is not made again unasked
//!
//! let ledger = ResourceId::of("billing", "ledger");
//! let ttl = Ttl::new(Duration::from_secs(10)).ok_or("not a time to live")?;
//! let acquire = |grant| Ok::<_, Box<dyn core::error::Error>>(Command::Acquire { grant, holder: "a".parse()?, ttl });
//! let view = store.load(&ledger).await?;
//! let first = Swap::prepare(&view, &acquire(GrantId::random()?)?)?;
//! let second = Swap::prepare(&view, &acquire(GrantId::random()?)?)?;
//!
//! let landed = store.swap(&ledger, &first).await?;
//! assert!(matches!(landed, Swapped::Landed(held) if matches!(held.standing(), Standing::Live { .. })));
//! assert_eq!(store.swap(&ledger, &second).await?, Swapped::Conflict); // now, and however late it arrives
//! # Ok(())
//! # }
//! ```
//!
//! An `AsyncIssuer` drives it for callers that await, and an [`Issuer`](crate::Issuer) over
//! [`Blocking`](super::Blocking) for those that block.
//!
//! # What it promises
//!
//! - Each write is one transaction of etcd's, on a majority of its disks before it is acknowledged. It compares the
//!   revision of the record and the realm, so that it lands on the state that it was made for or never, however late it
//!   arrives.
//! - Etcd's lease alone says whether a tenure is live: nobody else's clock is asked. The tenure is over when etcd deletes
//!   its mark, which is at the end of the lease or up to a second later, and not before somebody else can see it. A tenure
//!   that is over stays so.
//! - Epochs rise across lost leases, compaction, and a record that was deleted by hand: an epoch is at most the base of
//!   the realm and etcd's revision at the write together, and the next one is above the revision at its own look. So they
//!   are sparse: every write to that etcd, whoever makes it, takes a number.
//! - A version is the base and the revision of the write, and belongs to one state for ever.
//! - No call takes longer than the [timeout](EtcdOptions::timeout). A write of which nothing was heard is
//!   [indeterminate](super::Failure::Indeterminate); definite is only what etcd itself refuses, and what never left.
//! - One member is asked until it fails, then the next; a lost connection is made again at the next call. A read is
//!   repeated within the timeout, a write only if it never left.
//!
//! # What can go wrong
//!
//! - *A holder is stopped*, and wakes after its lease. It does not know. The gate is the guarantee.
//! - *The majority is gone.* No call succeeds: nobody gets a lease and nobody's is renewed. Etcd lets leases begin again
//!   when a leader is elected, so that they last longer than was asked for, and never shorter. Releases of etcd before
//!   3.4.31 and 3.5.13 may revoke a live lease after a change of the leader: its holder then loses it early.
//! - *A snapshot is restored.* Revisions go back and nothing within etcd says so. A client that has seen a later revision
//!   finds it, for as long as it lives, and refuses the store as [`EtcdError::Rewound`]. A new client finds it by a claim
//!   that [remembers an epoch](crate::protocol::Claim::with_known_epoch), until etcd's revision has come by that epoch
//!   again, and a gate refuses the epochs that it has passed. Else it is not found, and epochs are given out again. Then, or when in doubt, [recover](crate::Issuer::recover) with the
//!   greatest epoch that any gate has seen, and let the gates [adopt](crate::Gate::adopt) the new realm.
//! - *A recovery is one of the whole namespace*, for a snapshot rewinds all of its records: asked for of any resource, it
//!   gives all of them the new realm, in the same transaction. Whoever holds, holds no more. (A
//!   directory of leases is recovered resource by resource.)
//! - *Keys are edited or deleted by hand.* What cannot be read is [`EtcdError::Damaged`] and lets nobody in. A deleted
//!   record costs nothing but the answer to attempts that are under way: while the lease of a holder is live nobody gets
//!   in, and then epochs go on above. Of a deleted realm, and of keys that were brought from another etcd, see
//!   [`Etcd::init_above`].
//! - *The clocks of etcd's machines are set.* Nothing happens: etcd counts leases on a clock that does not jump. If its
//!   leader's machine is suspended, that clock stands still, and leases last longer.
//! - *The space quota of etcd is used up* (`NOSPACE`). Nothing is granted or renewed, and every answer is definite.
//!
//! # Settings
//!
//! Etcd 3.4 or later, with its own defaults. The least time to live is etcd's: one and a half election timeouts in whole
//! seconds, two by default. A tenure is never shown as longer than it was asked for or than etcd gave, and may take up to
//! that minimum to be over. With authentication, the user needs `readwrite` on the prefix `epoch-fence/NAMESPACE/`. When
//! connecting it is checked that somebody answers and that the namespace may be read; that all endpoints are of one
//! cluster is checked at every answer. Auto compaction is a good idea and changes nothing.
//!
//! # Capacity
//!
//! An acquire is one read of a majority and two writes: the lease and the transaction. A renewal is one read, two
//! questions to the leader, and one write; a release is one read, one question, and two writes. The first write of a
//! resource is one read more, and queues for the key of its realm with those of other resources.
//!
//! # Cancel safety
//!
//! A load that is dropped did nothing. A swap that is dropped may have landed or may land yet, and leaves at most a lease
//! in etcd without a key, which lapses.
//!
//! # Format
//!
//! `epoch-fence/NAMESPACE/realm` holds `01`, the realm (16 bytes) and the base (8 bytes, big-endian).
//! `epoch-fence/NAMESPACE/record/RESOURCE` is the [record](crate::protocol::record_format); its info is `01` and the base
//! at its write, and neither its version nor its end is what is shown. `epoch-fence/NAMESPACE/lease/RESOURCE` is there
//! while a tenure is live: `held GRANT` or `reserved HOLDER`, on a lease of etcd's whose id is a hash of the write.

mod error;
mod fate;
mod keys;
mod look;
mod options;
mod past;
mod seen;
mod store;
mod wire;
mod write;

pub use error::{Cause, Damage, EtcdError, Reply};
pub use options::{EtcdOptions, EtcdUrlError};
pub use store::Etcd;

//! The protocol of the leases: one record per resource, changed by compare-and-swap, without any I/O.
//!
//! ```
//! use core::time::Duration;
//! use epoch_fence::protocol::{Command, Moment, Record, Refusal, Ttl, View, invariant, step};
//! use epoch_fence::{GrantId, HolderId, RealmId};
//!
//! let (Some(realm), Some(grant), Some(other), Some(ttl)) = (
//!     RealmId::from_random_bits(1),
//!     GrantId::from_random_bits(2),
//!     GrantId::from_random_bits(3),
//!     Ttl::new(Duration::from_secs(10)),
//! ) else {
//!     return Ok(());
//! };
//! let holder: HolderId = "db-7, pid 4711".parse()?;
//!
//! let now = Moment::new(0, 0);
//! let free = Record::vacant(realm);
//! let held = step(&View::new(free, now), &Command::Acquire { grant, holder, ttl })?;
//! assert!(invariant(&free, &held));
//!
//! let again = Command::Acquire { grant: other, holder, ttl };
//! let refused = step(&View::new(held, now), &again);
//! assert!(matches!(refused, Err(Refusal::Held { .. })));
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! # The parts
//!
//! - [`Record`] is what a store keeps, [`View`] what it answers with, [`step`] the rule, [`invariant`] what is
//!   true of every write. A [`Swap`] is one write, and knows where it may land.
//! - [`Acquire`], [`Resolve`] and [`Change`] are calls as dialogues with a store. They fit a driver that
//!   blocks, awaits or polls; see [`Machine`]. [`Issuer`](crate::Issuer) is the blocking one.
//! - [`deadline`] says until when a holder may believe in its lease.
//!
//! # Ambiguity
//!
//! A swap whose reply is lost may have landed, may land yet, or never. [`Acquired::Indeterminate`] says so, with
//! the [`Pending`] attempt, and [`Resolve`] turns it into one of the others: it looks at the record, and if the
//! attempt could land yet, *burns* the version on which it would. There is no table of attempts: the random
//! [`GrantId`](crate::GrantId) in the record is the attempt's identity.
//!
//! # What is final
//!
//! A lease whose end has come is over for ever, also if nobody came, on both sides: the store lets no renewal
//! land after it, and a holder whose deadline has come does not believe a later answer.
//!
//! # Format
//!
//! The bytes of a record are in [`record_format`].

mod acquire;
mod change;
mod claim;
mod error;
mod info;
mod machine;
mod moment;
mod pending;
mod record;
mod resolve;
mod rule;
mod swap;
mod ttl;
mod view;
mod wire;

#[doc = include_str!("../../RECORD.md")]
pub mod record_format {}

pub use acquire::{Acquire, Acquired};
pub use change::{Change, Changed};
pub use claim::{Claim, Granted};
pub use error::{Exhausted, Impossible, RecordError, Refusal};
pub use info::Info;
pub use machine::{Answer, Machine, Progress, Request};
pub use moment::{BootTime, Moment};
pub use pending::Pending;
pub use record::{Record, Tenure, Version};
pub use resolve::{Resolve, Resolved};
pub use rule::{Command, RECOVERY_STRIDE, invariant, step};
pub use swap::{Action, Swap};
pub use ttl::{Ttl, deadline};
pub use view::{Standing, View};
pub use wire::RecordBytes;

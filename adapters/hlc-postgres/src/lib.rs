//! Hybrid logical stamps in PostgreSQL, in their order: a stamp as `uuid`, a timestamp as `bigint`.
//!
//! ```
//! use hlc::{NodeId, Timestamp};
//! use hlc_postgres::{BigintTimestamp, UuidStamp};
//!
//! let early = Timestamp::from_parts(1_700_000_000_000, 7)?;
//! let late = Timestamp::from_parts(1_700_000_000_001, 0)?;
//! assert!(BigintTimestamp::try_new(early)?.as_i64() < BigintTimestamp::try_new(late)?.as_i64());
//!
//! let me = NodeId::new(42)?;
//! let (early, late) = (UuidStamp::new(early.at_node(me)), UuidStamp::new(late.at_node(me)));
//! assert!(early < late, "and so says ORDER BY of a uuid column");
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! # When to use this
//!
//! For a column of stamps that is written and read through `postgres` or `tokio-postgres`: both types are parameters and
//! results of a query, alone, in arrays and as `Option`. A [`UuidStamp`] is unique in the system and a good primary key: rows
//! are appended to its index, and *everything since this stamp* is one range of it. A [`BigintTimestamp`] has half the size and
//! no node; two rows can have the same.
//!
//! A stamp of another layout has no UUID. Its 16 bytes in a `bytea` sort as well, and need no type of this crate.
//!
//! # Guarantees
//!
//! - **One order**: `ORDER BY`, `<` and an index of the column say what `Ord` says of the values.
//! - **Checked**: what is read is a valid value or a typed error, whoever wrote the row.
//! - **Exact types**: a `uuid` column takes and gives a stamp, a `bigint` one a timestamp; every other type is refused.
//!
//! # What can go wrong
//!
//! **The timestamp is past the end of `bigint`.** Half of the layout's timestamps are: [`BigintTimestamp::try_new`] refuses
//! them, before any statement is sent. Of the default layout these are the years from 6429 on; of `Ntp48`, `Ntp60` and `Secs32`
//! those from 2038, of `Micros52` from 2041. [`FORMAT.md`](mod@format) has the table.
//!
//! **Another program wrote the row.** Every UUID of version 7 can be read. Its time is true, its counter and node are noise.
//!
//! **Two layouts in one column** have no order. The column does not know its layout, as no form of `hlc` does.
//!
//! **A row is not authenticated.** Show a stamp that comes from a table which others write to the clock by `observe`, as one
//! from a peer.
//!
//! # Format
//!
//! What is in the columns is specified in [`format`](mod@format).
//!
//! # Sources
//!
//! - PostgreSQL's documentation, sections 8.12 (`uuid`: compared byte by byte) and 8.1 (`bigint`).
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod bigint_timestamp;
mod error;
mod uuid_stamp;

#[doc = include_str!("../FORMAT.md")]
pub mod format {}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

pub use self::{
    bigint_timestamp::BigintTimestamp,
    error::{AboveBigint, NotPositive, WrongLength},
    uuid_stamp::UuidStamp,
};

//! The audit log: who held what, when, and that nobody has edited it since.
//!
//! Every write of a record leaves one [`Entry`] in the log of its resource: the whole record, and a hash of it and of
//! the entry before. The record in turn holds an [`Anchor`]: the place of its entry in the log, and the hash of
//! everything before it. So an edit, an insertion, a removal or a change of order is found, and so is a log that was
//! cut, up to the last entry: what is younger than the record's anchor can be written again from the record.
//!
//! The order is *record, log, acknowledge*. A crash in between leaves a record whose entry is missing, and whoever
//! comes next writes it, to the byte as it would have been.
//!
//! Whoever can write both the log and the record can write another past. That is found only by a [`LogHead`] that
//! was noted elsewhere.
//!
//! # Format
//!
//! The bytes are in [`mod@format`].

mod anchor;
mod chain;
mod entry;
mod head;

#[doc = include_str!("../../AUDIT.md")]
pub mod format {}

pub use anchor::{Anchor, Place};
pub use chain::{Broken, Chain};
pub use entry::{Entry, EntryError};
pub use head::LogHead;

//! Logs of events with vector clocks, as [ShiViz](https://github.com/DistributedClocks/shiviz) reads them.
//!
//! An event of such a log has a host, a text, and a clock: a JSON object that counts, for each host, how many of its
//! events are known here, the event itself included.
//!
//! ```text
//! asks bob
//! alice {"alice":1}
//! is asked
//! bob {"bob":1, "alice":1}
//! ```
//!
//! [`Reader`] reads one in ShiViz's own form, or in any form that a [`Pattern`] describes. [`Builder`] makes one out of
//! what a program knows, and [`write()`] and [`Writer`] write it down. A [`Log`] is well formed, and not yet consistent:
//! that is for [`validate`](crate::validate).
//!
//! # Sources
//!
//! The documentation and the parser of ShiViz; Ivan Beschastnikh et al., "Visualizing Distributed System Executions",
//! ACM Transactions on Software Engineering and Methodology 29(2), 2020.

mod builder;
#[cfg(feature = "read")]
mod clock_text;
mod limits;
mod log;
#[cfg(feature = "read")]
mod pattern;
#[cfg(feature = "read")]
mod reader;
mod writer;

pub use self::{
    builder::{Builder, EventError},
    limits::Limits,
    log::{Entry, Event, Execution, HostId, Log, Skipped},
    writer::{WriteError, Writer, write},
};
#[cfg(feature = "read")]
pub use self::{
    clock_text::ClockTextError,
    pattern::{Pattern, PatternError, PatternErrorReason},
    reader::{LogError, LogErrorReason, Reader},
};

pub(crate) use self::log::counter_of;

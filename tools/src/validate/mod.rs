//! Whether a log of vector clocks can have happened.
//!
//! [`validate`] goes through an execution once and names what contradicts itself, with the line. A valid log is one that
//! clocks can have made: each host counts its own events without a gap, knows ever more, knows only what is there, and
//! with an event everything that was known at that event.
//!
//! ```
//! use clock_tools::{shiviz::Reader, validate::{Order, validate_log}};
//!
//! let log = Reader::new().read(b"asks\nalice {\"alice\":1}\nis asked\nbob {\"bob\":1, \"alice\":2}\n")?;
//! let report = validate_log(&log, Order::Any);
//! assert_eq!(report.findings()[0].to_string(), "event 1 of \"bob\" knows 2 events of \"alice\", and the log has only 1");
//! # Ok::<(), clock_tools::shiviz::LogError>(())
//! ```

mod check;
mod cycle;
mod finding;
mod index;
mod senders;

pub(crate) use self::{check::Steps, index::Index, senders::Senders};
pub use self::{
    check::{Order, Report, validate, validate_log},
    finding::{Finding, FindingKind},
};

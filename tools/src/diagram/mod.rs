//! Space-time diagrams: hosts side by side, time downwards, a point for each event, an arrow for each message.
//!
//! A [`Diagram`] is the execution of a valid log, laid out: each event has a row of its own below everything that it
//! knows, so that arrows only point down, and the order of the log wherever causality leaves it open. [`write_html`] makes a page
//! that is one file, asks nothing of a network, and shows for each event what was before it, after it and concurrent;
//! [`write_svg`] makes a picture without a script.
//!
//! ```
//! use clock_tools::{diagram::{Diagram, write_svg}, shiviz::Reader};
//!
//! let log = Reader::new().read(b"asks\nalice {\"alice\":1}\nis asked\nbob {\"bob\":1, \"alice\":1}\n")?;
//! let diagram = Diagram::new(&log, &log.executions()[0])?;
//! assert_eq!(diagram.messages().len(), 1);
//! let mut picture = Vec::new();
//! write_svg("two events", &diagram, &mut picture)?;
//! assert!(String::from_utf8(picture)?.starts_with("<svg"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod escape;
mod html;
mod layout;
mod svg;
mod wall;

pub use self::{
    html::write_html,
    layout::{Diagram, DiagramError, Message},
    svg::write_svg,
};

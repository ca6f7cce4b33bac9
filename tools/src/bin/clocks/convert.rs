//! `convert`: stamps in another layout, and in another notation.

use std::io::{self, Write as _};

use clap::Args;
use clock_tools::{AnyLayout, AnyStamp, DoesNotFit, Moved, NoSuchForm, Notation, NotationError};
use core::fmt;
use hlc::NodeId;
use serde_json::json;

use crate::exit::{Failure, say};
use crate::options::{Form, node};
use crate::output;
use crate::values::{self, Origin, Out};

pub(crate) const HELP: &str = "\
VALUES are read as those of `clocks inspect`, and written one a line. To another layout the counter goes as it is, and the time \
to a unit of that layout, by its rounding. A time that has to move for that is told, and the status is 1: stamps that had \
an order may have none any more. What does not fit is told and not written: a time before the epoch of the layout or after \
its end, a counter that is too large.

Examples:
  clocks convert --as uuid 018bcfe568000007-000000000000002a
  clocks convert --from Unix48 --to Micros52 --as integer 018bcfe568000007
  clocks convert --as integer 2023-11-14T22:13:20Z    (the first stamp at that time: where a range scan begins)
  psql -Atc 'SELECT id FROM events' | clocks convert --as human -";

#[derive(Args, Debug)]
pub(crate) struct Convert {
    /// Timestamps or stamps; - reads them from the lines of standard input
    #[arg(required = true, value_name = "VALUE")]
    values: Vec<String>,

    /// The layout of the values
    #[arg(long, value_name = "LAYOUT", default_value_t)]
    from: AnyLayout,

    /// The layout to convert to [default: that of --from]
    #[arg(long, value_name = "LAYOUT")]
    to: Option<AnyLayout>,

    /// The notation to write: text, hex, integer, uuid or human
    #[arg(long = "as", value_name = "NOTATION", default_value_t = Notation::Text)]
    notation: Notation,

    /// The notation of the values [default: what they look like]
    #[arg(long, value_name = "NOTATION")]
    form: Option<Notation>,

    /// The node of values that have none: a number, 0x and hexadecimal digits, or the 16 digits of its text form
    #[arg(long, value_name = "ID", value_parser = node)]
    node: Option<NodeId>,

    /// Leave the node out
    #[arg(long, conflicts_with = "node")]
    without_node: bool,

    #[command(flatten)]
    json: Form,
}

pub(crate) fn convert(options: &Convert) -> Result<u8, Failure> {
    values::each(&options.values, |out, origin, value| print(options, out, origin, value))
}

/// Prints what a value becomes. Whether that is the same moment.
fn print(options: &Convert, out: &mut Out, origin: &Origin<'_>, value: &str) -> io::Result<bool> {
    let (layout, json) = (options.to.unwrap_or(options.from), options.json.json);
    let (written, moved) = match converted(options, layout, value) {
        Ok(done) => done,
        Err(why) => {
            if json {
                output::json(out, &json!({ "value": value, "error": why.to_string() }))?;
            }
            out.flush()?;
            say(format!("{origin}: {why}"));
            return Ok(false);
        }
    };
    let ahead = |length: core::time::Duration| i64::try_from(length.as_nanos()).unwrap_or(i64::MAX);
    let (moved_ns, told) = match moved {
        Moved::Not => (0, None),
        Moved::Back(by) => (0_i64.saturating_sub(ahead(by)), Some((by, "earlier"))),
        Moved::Ahead(by) => (ahead(by), Some((by, "later"))),
    };
    if json {
        let written =
            json!({ "value": value, "layout": layout.name(), "written": written, "moved_ns": moved_ns });
        output::json(out, &written)?;
    } else {
        writeln!(out, "{written}")?;
    }
    if let Some((by, way)) = told {
        out.flush()?;
        say(format!("{origin}: loses precision: its time is {by:?} {way} in {layout}"));
    }
    Ok(told.is_none())
}

fn converted(options: &Convert, layout: AnyLayout, value: &str) -> Result<(String, Moved), NotConverted> {
    let (stamp, _) = values::stamp(value, options.form, options.from).map_err(NotConverted::Unread)?;
    let stamp = at_node(options, stamp);
    let conversion = stamp.convert(layout).map_err(NotConverted::Unfit)?;
    let written = conversion.stamp().write(options.notation).map_err(NotConverted::Unwritten)?;
    Ok((written, conversion.moved()))
}

const fn at_node(options: &Convert, stamp: AnyStamp) -> AnyStamp {
    match (options.without_node, stamp.node()) {
        (true, _) => stamp.at_node(None),
        (false, None) => stamp.at_node(options.node),
        (false, Some(_)) => stamp,
    }
}

/// At which step it ended.
enum NotConverted {
    Unread(NotationError),
    Unfit(DoesNotFit),
    Unwritten(NoSuchForm),
}

impl fmt::Display for NotConverted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unread(why) => why.fmt(f),
            Self::Unfit(why) => write!(f, "does not fit: {why}"),
            Self::Unwritten(NoSuchForm::UuidWithoutNode) => {
                write!(f, "{}; --node says which", NoSuchForm::UuidWithoutNode)
            }
            Self::Unwritten(why) => why.fmt(f),
        }
    }
}

//! `inspect`: what is in a stamp.

use core::fmt;
use core::time::Duration;
use std::io::{self, Write as _};

use clap::Args;
use clock_tools::{AnyLayout, AnyStamp, Notation};
use hlc::PhysicalTime;
use hlc::source::{Source as _, SystemSource};
use serde_json::{Value, json};

use crate::exit::{FAILED, Failure, say};
use crate::options::Form;
use crate::output;
use crate::values::{self, Origin, Out};

pub(crate) const HELP: &str = "\
A VALUE has one of these notations, and is taken for what it looks like unless --form says it:
  text     018bcfe568000007, 018bcfe568000007-000000000000002a
  hex      0x18bcfe568000007 (a number); 16, 32 or 34 digits without 0x are bytes
  integer  111411200000000007
  uuid     018bcfe5-6800-7000-9c00-00000000002a
  human    2023-11-14T22:13:20.000Z+7, also without the counter, or with @ and a node at its end
The layout is in none of them: who does not know it looks with --all-layouts which one tells a likely time. Values that are \
lines of the standard input are read with - in place of a VALUE.

Examples:
  clocks inspect 018bcfe568000007-000000000000002a
  clocks inspect --all-layouts 7234567890123456789
  grep -o '^[0-9a-f-]*' app.log | clocks inspect --json - | jq .age_ms";

#[derive(Args, Debug)]
pub(crate) struct Inspect {
    /// Timestamps or stamps; - reads them from the lines of standard input
    #[arg(required = true, value_name = "VALUE")]
    values: Vec<String>,

    /// How the 64 bits are split
    #[arg(long, value_name = "LAYOUT", default_value_t)]
    layout: AnyLayout,

    /// Show how they read in every layout
    #[arg(long, conflicts_with = "layout")]
    all_layouts: bool,

    /// The notation of the values: text, hex, integer, uuid or human
    #[arg(long, value_name = "NOTATION")]
    form: Option<Notation>,

    /// Count ages from this time, as 2023-11-14T22:13:20Z, in place of now
    #[arg(long, value_name = "TIME", value_parser = time)]
    at: Option<PhysicalTime>,

    #[command(flatten)]
    json: Form,
}

fn time(text: &str) -> Result<PhysicalTime, String> {
    let time = humantime::parse_rfc3339(text).map_err(|why| why.to_string())?;
    let since = time.duration_since(std::time::SystemTime::UNIX_EPOCH).map_err(|why| why.to_string())?;
    Ok(PhysicalTime::from_duration(since))
}

pub(crate) fn inspect(options: &Inspect) -> Result<u8, Failure> {
    let now = match options.at {
        Some(time) => time,
        None => SystemSource::new().now().map_err(|why| Failure::new(FAILED, why))?,
    };
    let asked = [options.layout];
    let layouts = if options.all_layouts { AnyLayout::ALL } else { &asked };
    values::each(&options.values, |out, origin, value| show(options, layouts, now, out, origin, value))
}

/// Shows one value. Whether it is one.
fn show(
    options: &Inspect,
    layouts: &[AnyLayout],
    now: PhysicalTime,
    out: &mut Out,
    origin: &Origin<'_>,
    value: &str,
) -> io::Result<bool> {
    let mut is_shown = false;
    for layout in layouts {
        let seen = match values::stamp(value, options.form, *layout) {
            Ok((stamp, notation)) => Seen { value, stamp, notation, age: Age::of(stamp, now) },
            // Such a value is of one layout alone.
            Err(_) if options.all_layouts && *layout != AnyLayout::default() => continue,
            Err(why) => {
                if options.json.json {
                    output::json(out, &json!({ "value": value, "error": why.to_string() }))?;
                }
                // In the order of the values, also where both go to one terminal.
                out.flush()?;
                say(format!("{origin}: {why}"));
                return Ok(false);
            }
        };
        if options.json.json {
            output::json(out, &seen.as_json())?;
        } else if options.all_layouts {
            if !is_shown {
                writeln!(out, "{}", value.escape_debug())?;
            }
            let stamp = seen.stamp;
            writeln!(out, "  {:<13}  {:<36}  {}", stamp.layout().name(), stamp.human(), seen.age)?;
        } else {
            seen.print(out)?;
        }
        is_shown = true;
    }
    Ok(true)
}

/// A value, and what is known about it.
struct Seen<'v> {
    value: &'v str,
    stamp: AnyStamp,
    notation: Notation,
    age: Age,
}

impl Seen<'_> {
    fn print(&self, out: &mut Out) -> io::Result<()> {
        let stamp = &self.stamp;
        writeln!(out, "{}", self.value.escape_debug())?;
        writeln!(out, "  {:<8} {}", "time", self.time())?;
        writeln!(out, "  {:<8} {}", "counter", stamp.counter())?;
        if let Some(node) = stamp.node() {
            writeln!(out, "  {:<8} {node} ({})", "node", node.as_u64())?;
        }
        writeln!(out, "  {:<8} {}", "age", self.age)?;
        writeln!(out, "  {:<8} {}", "layout", stamp.layout())?;
        for notation in Notation::ALL.iter().filter(|notation| **notation != Notation::Human) {
            if let Ok(written) = stamp.write(*notation) {
                writeln!(out, "  {:<8} {written}", notation.name())?;
            }
        }
        Ok(())
    }

    /// Date and time, without the counter.
    fn time(&self) -> String {
        let human = self.stamp.human();
        human.rsplit_once('+').map_or_else(String::new, |(time, _)| time.to_owned())
    }

    fn as_json(&self) -> Value {
        let stamp = &self.stamp;
        json!({
            "value": self.value,
            "notation": self.notation.name(),
            "layout": stamp.layout().name(),
            "time": self.time(),
            "counter": stamp.counter(),
            "node": stamp.node().map(|node| node.to_string()),
            "age_ms": self.age.millis(),
            "text": stamp.write(Notation::Text).ok(),
            "hex": stamp.write(Notation::Hex).ok(),
            // As text: it is above what a number of JSON holds for every reader.
            "integer": stamp.write(Notation::Integer).ok(),
            "uuid": stamp.write(Notation::Uuid).ok(),
        })
    }
}

/// How long ago a time was, or how far ahead it is.
#[derive(Clone, Copy, Debug)]
enum Age {
    Past(Duration),
    Ahead(Duration),
}

impl Age {
    fn of(stamp: AnyStamp, now: PhysicalTime) -> Self {
        let time = stamp.physical_time();
        if time > now {
            Self::Ahead(time.saturating_since(now))
        } else {
            Self::Past(now.saturating_since(time))
        }
    }

    fn millis(self) -> i64 {
        // No `Duration` has as many.
        let millis = |length: Duration| i64::try_from(length.as_millis()).unwrap_or(i64::MAX);
        match self {
            Self::Past(length) => millis(length),
            Self::Ahead(length) => 0_i64.saturating_sub(millis(length)),
        }
    }
}

impl fmt::Display for Age {
    /// The two greatest units: more would be read by nobody.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (before, length, after) = match self {
            Self::Past(length) => ("", length, " ago"),
            Self::Ahead(length) => ("in ", length, ""),
        };
        let length = humantime::format_duration(*length).to_string();
        let units: Vec<&str> = length.split(' ').take(2).collect();
        write!(f, "{before}{}{after}", units.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_has_two_units_and_a_direction() {
        let age = |secs: u64, millis: u64| {
            Age::Past(Duration::from_secs(secs).saturating_add(Duration::from_millis(millis))).to_string()
        };
        assert_eq!(age(0, 0), "0s ago");
        assert_eq!(age(0, 12), "12ms ago");
        assert_eq!(age(61, 5), "1m 1s ago");
        assert_eq!(age(69_120_007, 0), "2years 2months ago");
        assert_eq!(Age::Ahead(Duration::from_secs(3_600)).to_string(), "in 1h");
        assert_eq!(Age::Ahead(Duration::from_millis(1_500)).millis(), -1_500);
    }
}

//! The values of a command line, or those of the lines of standard input.

use core::fmt;
use std::io::{self, BufRead, BufWriter, Read as _, Write as _};

use clock_tools::{AnyLayout, AnyStamp, Input, Notation, NotationError, Place, ReadError};

use crate::exit::{DONE, FOUND, Failure};
use crate::output::finished;

/// More than any notation has, and less than would matter.
const LONGEST: usize = 256;

/// Where a value comes from, as messages name it.
pub(crate) enum Origin<'v> {
    Argument(&'v str),
    Line(Place),
}

impl fmt::Display for Origin<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Argument(value) if value.len() > LONGEST => write!(f, "a value of {} bytes", value.len()),
            Self::Argument(value) => write!(f, "\"{}\"", value.escape_debug()),
            Self::Line(place) => place.fmt(f),
        }
    }
}

/// Prints something for each value: `-` stands for the lines of standard input, of which empty ones are passed over. The
/// exit code is `FOUND` where `one` says that all was not well with a value.
pub(crate) fn each(
    values: &[String],
    one: impl Fn(&mut Out, &Origin<'_>, &str) -> io::Result<bool>,
) -> Result<u8, Failure> {
    let mut out = BufWriter::new(io::stdout().lock());
    let mut all_well = true;
    for value in values {
        let printed = if value == Input::STDIN {
            let mut print = |origin: &Origin<'_>, value: &str| {
                one(&mut out, origin, value).map(|is_well| all_well &= is_well)
            };
            each_line(&mut io::stdin().lock(), &mut print)?
        } else {
            one(&mut out, &Origin::Argument(value), value).map(|is_well| all_well &= is_well)
        };
        if printed.is_err() {
            return finished(printed, DONE);
        }
    }
    finished(out.flush(), if all_well { DONE } else { FOUND })
}

/// Where it is printed.
pub(crate) type Out = BufWriter<io::StdoutLock<'static>>;

fn each_line(
    input: &mut impl BufRead,
    print: &mut impl FnMut(&Origin<'_>, &str) -> io::Result<()>,
) -> Result<io::Result<()>, ReadError> {
    let mut line = Vec::new();
    for number in 1_u64.. {
        let place = Place::new(Input::STDIN, number);
        line.clear();
        let read = input.by_ref().take(LONGEST as u64).read_until(b'\n', &mut line);
        if read.map_err(|why| ReadError::at(place.clone(), why))? == 0 {
            break;
        }
        if line.len() == LONGEST && !line.ends_with(b"\n") {
            input.skip_until(b'\n').map_err(|why| ReadError::at(place.clone(), why))?;
        }
        // What is no text is no value, and is told so.
        let text = String::from_utf8_lossy(&line);
        if !text.trim().is_empty() {
            let printed = print(&Origin::Line(place), text.trim());
            if printed.is_err() {
                return Ok(printed);
            }
        }
    }
    Ok(Ok(()))
}

/// Reads a value, in a notation or in whatever it looks like.
pub(crate) fn stamp(
    text: &str,
    notation: Option<Notation>,
    layout: AnyLayout,
) -> Result<(AnyStamp, Notation), NotationError> {
    match notation {
        Some(notation) => Ok((AnyStamp::read(text, notation, layout)?, notation)),
        None => AnyStamp::guess(text, layout),
    }
}

//! `Writer`: events written down so that ShiViz, and `Reader`, read them.

use core::{error::Error, fmt};
use std::io::{self, Write};

use vector_clock::{Actor, Stamp, Storage};

use super::log::Log;

/// The parser of a log that has wall times.
const TIMED: &str = r"(?<date>\S*) (?<event>.*)\n(?<host>\S*) (?<clock>{.*})";

/// The delimiter of a log that has executions.
const DELIMITER: &str = r"^=== (?<trace>.*) ===$";

/// Writes a log: as it is where ShiViz's own expressions read it, and with its expressions in its first two lines where
/// it has wall times or more than one execution.
///
/// # Errors
///
/// As [`Writer::event`].
pub fn write(log: &Log, to: impl Write) -> Result<(), WriteError> {
    let is_timed =
        log.executions().iter().flat_map(|execution| &execution.events).any(|event| event.wall.is_some());
    let [first, rest @ ..] = log.executions() else { return Ok(()) };
    let has_labels = !rest.is_empty() || !first.label().is_empty();
    let mut writer = Writer { to, is_timed, has_labels, is_begun: is_timed || has_labels };
    writer.head()?;
    for execution in log.executions() {
        if has_labels {
            writer.execution(execution.label())?;
        }
        for (place, event) in execution.events().iter().enumerate() {
            let clock = execution.clock(place);
            // Its own entry first: that is how a reader of the lines looks at them.
            let own = clock.iter().filter(|entry| entry.host == event.host);
            let others = clock.iter().filter(|entry| entry.host != event.host);
            let entries = own.chain(others).map(|entry| (log.host(entry.host), entry.counter));
            writer.event(log.host(event.host), entries, event.text(), event.wall())?;
        }
    }
    writer.to.flush()?;
    Ok(())
}

/// Writes events one by one, for a program that logs as it runs.
///
/// What it writes is ShiViz's own form: the text in a line, then host and clock. A text may be anything: a line break in
/// it is written as `\n`, and one that would be read as something else gets a space more, where it does not hurt.
///
/// # Examples
///
/// ```
/// use clock_tools::shiviz::Writer;
/// use vector_clock::{Heap, VectorClock};
///
/// let mut clock = VectorClock::<u32, Heap>::new(7);
/// let mut log = Writer::new(Vec::new());
/// log.stamp(&clock.tick()?, |id| format!("node-{id}"), "starts")?;
/// assert_eq!(log.into_inner(), b"starts\nnode-7 {\"node-7\":1}\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Writer<W> {
    to: W,
    is_timed: bool,
    has_labels: bool,
    /// Whether something stands before the next event.
    is_begun: bool,
}

impl<W: Write> Writer<W> {
    /// Makes a writer of events without wall times, of one execution.
    pub const fn new(to: W) -> Self {
        Self { to, is_timed: false, has_labels: false, is_begun: false }
    }

    /// Writes an event.
    ///
    /// # Errors
    ///
    /// [`WriteError::Host`] where its host, or [`WriteError::Wall`] where its wall time is empty or has white space, which
    /// the form has no place for; [`WriteError::Io`] that of what is written to. After the first two nothing was written.
    pub fn event(
        &mut self,
        host: &str,
        clock: impl IntoIterator<Item = (impl AsRef<str>, u64)>,
        text: &str,
        wall: Option<&str>,
    ) -> Result<(), WriteError> {
        let is_word = |word: &str| !word.is_empty() && !word.contains(is_space);
        if !is_word(host) {
            return Err(WriteError::Host(host.to_owned()));
        }
        let mut lines = String::new();
        // A first line that could be taken for a parser has a parser before it: none, which is ShiViz's own.
        if !self.is_begun && [host, text].iter().any(|word| word.contains("(?<")) {
            lines.push_str("\n\n");
        }
        if self.is_timed {
            // An event without a wall time among others that have one.
            let wall = wall.unwrap_or("-");
            if !is_word(wall) {
                return Err(WriteError::Wall(wall.to_owned()));
            }
            lines.push_str(wall);
            lines.push(' ');
        }
        let line = one_line(text);
        if self.has_labels && line.starts_with("=== ") && line.ends_with(" ===") && !self.is_timed {
            lines.push(' ');
            lines.push_str(&line);
        } else if let Some((word, rest)) =
            line.split_once(' ').filter(|_| !self.is_timed && is_like_a_host_line(&line))
        {
            lines.push_str(word);
            lines.push_str("  ");
            lines.push_str(rest);
        } else {
            lines.push_str(&line);
        }
        lines.push('\n');
        lines.push_str(host);
        lines.push_str(" {");
        for (nth, (host, counter)) in clock.into_iter().enumerate() {
            lines.push_str(if nth == 0 { "\"" } else { ", \"" });
            push_json(&mut lines, host.as_ref());
            lines.push_str("\":");
            lines.push_str(&counter.to_string());
        }
        lines.push_str("}\n");
        self.is_begun = true;
        Ok(self.to.write_all(lines.as_bytes())?)
    }

    /// Writes the event of a stamp; `name` says what an actor is called.
    ///
    /// # Errors
    ///
    /// As [`event`](Self::event).
    pub fn stamp<A: Actor, S: Storage>(
        &mut self,
        stamp: &Stamp<A, S>,
        name: impl Fn(A) -> String,
        text: &str,
    ) -> Result<(), WriteError> {
        let own = stamp.dot();
        let others = stamp.vector().iter().filter(|dot| dot.actor() != own.actor());
        let clock: Vec<(String, u64)> =
            core::iter::once(own).chain(others).map(|dot| (name(dot.actor()), dot.counter())).collect();
        self.event(&name(own.actor()), clock, text, None)
    }

    /// Returns what was written to.
    pub fn into_inner(self) -> W {
        self.to
    }

    fn head(&mut self) -> io::Result<()> {
        let parser = if self.is_timed { TIMED } else { "" };
        let delimiter = if self.has_labels { DELIMITER } else { "" };
        if self.is_timed || self.has_labels { writeln!(self.to, "{parser}\n{delimiter}") } else { Ok(()) }
    }

    fn execution(&mut self, label: &str) -> io::Result<()> {
        writeln!(self.to, "=== {} ===", one_line(label))
    }
}

/// Would ShiViz's own parser take the text for the line of a host, after an event without a text?
fn is_like_a_host_line(line: &str) -> bool {
    line.split_once(' ')
        .is_some_and(|(word, rest)| !word.contains(is_space) && rest.starts_with('{') && rest.contains('}'))
}

/// What a browser takes for white space.
fn is_space(char: char) -> bool {
    char.is_whitespace() || char == '\u{feff}'
}

/// The text in one line, as every dialect counts lines.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            '\u{2028}' | '\u{2029}' => line.push(' '),
            _ => line.push(char),
        }
    }
    line
}

/// The inside of a JSON string. What would end the line is escaped too.
fn push_json(out: &mut String, text: &str) {
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\0'..='\u{1f}' | '\u{2028}' | '\u{2029}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(char)));
            }
            _ => out.push(char),
        }
    }
}

/// An event was not written.
#[derive(Debug)]
#[non_exhaustive]
pub enum WriteError {
    /// This name of a host is empty or has white space.
    Host(String),
    /// This wall time is empty or has white space.
    Wall(String),
    /// What is written to refused.
    Io(io::Error),
}

impl From<io::Error> for WriteError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(host) => write!(f, "a host cannot be called {host:?}: white space ends its name"),
            Self::Wall(wall) => write!(f, "a wall time cannot be {wall:?}: white space ends it"),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl Error for WriteError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            Self::Host(_) | Self::Wall(_) => None,
        }
    }
}

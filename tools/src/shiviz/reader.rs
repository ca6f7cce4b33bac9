//! `Reader`: a text, taken apart into executions and events.

use alloc::borrow::Cow;
use core::{error::Error, fmt, ops::Range};
use std::{
    collections::HashSet,
    io::{self, Read},
};

use regex::Captures;

use super::{
    builder::{Builder, EventError},
    clock_text::{self, ClockTextError},
    limits::Limits,
    log::{Log, Skipped},
    pattern::Pattern,
};

/// The names of groups under which a log may have wall time.
const WALL: [&str; 4] = ["date", "time", "timestamp", "wall"];

/// The most executions of a log.
const MAX_EXECUTIONS: usize = 10_000;

/// How a text is taken apart.
///
/// Everything that ShiViz does to a text is done here, with its own expressions:
///
/// - Each match of the parser is an event. It has the groups `host`, `clock` and `event`. A group `date`, `time`,
///   `timestamp` or `wall` is its wall time; other groups are for ShiViz alone.
/// - What matches the delimiter stands between two executions, and its group `trace` names the one that follows. One
///   without a name of its own is called by its number, as `execution 2`; the first of them has no name.
/// - Text that belongs to no match is skipped; [`Log::skipped`] counts it, where ShiViz says nothing.
///
/// A text may begin with its own expressions, as the files do that ShiViz opens: the parser in the first line, or
/// nothing for ShiViz's own, and the delimiter in the second, or nothing. Without being told, a reader takes it for
/// such a file where the first line has all three groups, or where it is blank and the second is blank or has a group
/// `trace`.
///
/// Lines may end in CR LF. The time that it takes is linear in the text for expressions whose matches end where the
/// next begins; one that looks to the end of the text for each match is quadratic, whoever runs it.
///
/// # Examples
///
/// ```
/// use clock_tools::shiviz::{Pattern, Reader};
///
/// let log = Reader::new().read(b"asks\nalice {\"alice\":1}\nis asked\nbob {\"bob\":1, \"alice\":1}\n")?;
/// assert_eq!(log.hosts(), ["alice", "bob"]);
///
/// let parser = Pattern::parse(r"^(?<time>\d+) (?<host>\w+) (?<clock>{.*?}) (?<event>.*)$")?;
/// let log = Reader::new().with_parser(parser)?.read(b"17 a {\"a\":1} begins\n")?;
/// assert_eq!(log.executions()[0].events()[0].wall(), Some("17"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Reader {
    parser: Option<Pattern>,
    delimiter: Option<Pattern>,
    has_header: Option<bool>,
    limits: Limits,
}

impl Default for Reader {
    fn default() -> Self {
        Self::new()
    }
}

impl Reader {
    /// ShiViz's own form: the text of an event in a line, then its host and clock in the next.
    pub const DEFAULT: &str = r"(?<event>.*)\n(?<host>\S*) (?<clock>{.*})";

    /// The form that GoVector and its relatives write: host and clock in a line, then the text.
    pub const HOST_FIRST: &str = r"(?<host>\S*) (?<clock>{.*})\n(?<event>.*)";

    /// Makes a reader of ShiViz's own form, which finds out by itself whether a text begins with expressions.
    #[must_use]
    pub const fn new() -> Self {
        Self { parser: None, delimiter: None, has_header: None, limits: Limits::new() }
    }

    /// Sets what an event looks like; a text's own parser is then not asked.
    ///
    /// # Errors
    ///
    /// [`LogErrorReason::NoGroup`] when it lacks one of the three groups.
    pub fn with_parser(mut self, parser: Pattern) -> Result<Self, LogError> {
        self.parser = Some(checked(parser, 0)?);
        Ok(self)
    }

    /// Sets what stands between executions; a text's own delimiter is then not asked.
    #[must_use]
    pub fn with_delimiter(mut self, delimiter: Pattern) -> Self {
        self.delimiter = Some(delimiter);
        self
    }

    /// Says whether the text begins with two lines of expressions.
    #[must_use]
    pub const fn with_header(mut self, has_header: bool) -> Self {
        self.has_header = Some(has_header);
        self
    }

    /// Sets what a log may have at most.
    #[must_use]
    pub const fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Reads a log to its end, and no more than its limits allow.
    ///
    /// # Errors
    ///
    /// That of `source`; of the kind [`InvalidData`](io::ErrorKind::InvalidData) around a [`LogError`] where the log is
    /// none.
    pub fn read_from(&self, source: impl Read) -> io::Result<Log> {
        let mut bytes = Vec::new();
        source.take(self.limits.max_bytes().saturating_add(1)).read_to_end(&mut bytes)?;
        self.read(&bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }

    /// Reads a log.
    ///
    /// # Errors
    ///
    /// [`LogError`] with the line.
    pub fn read(&self, bytes: &[u8]) -> Result<Log, LogError> {
        if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > self.limits.max_bytes() {
            return Err(LogError::new(0, LogErrorReason::TooLong { limit: self.limits.max_bytes() }));
        }
        let text = str::from_utf8(bytes).map_err(|error| {
            let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let line = before.iter().filter(|byte| **byte == b'\n').count();
            LogError::new(wide(line).saturating_add(1), LogErrorReason::NotUtf8)
        })?;
        let normalised;
        let text = if text.contains("\r\n") {
            normalised = text.replace("\r\n", "\n");
            normalised.as_str()
        } else {
            text
        };
        let head = self.head(text)?;
        let mut parts = Parts {
            parser: &head.parser,
            builder: Builder::with_limits(self.limits),
            skipped: Skipped::default(),
            text,
            line: Line { text, at: 0, number: 1 },
        };
        let spans = executions(text, head.log_at, head.delimiter.as_ref()).map_err(|(at, reason)| {
            let line = Line { text, at: 0, number: 1 }.of(at);
            LogError::new(line, reason)
        })?;
        for Span { label, range, named_at } in spans {
            let line = parts.line.of(named_at);
            parts.execution(&label, range, line)?;
        }
        if parts.builder.is_empty() {
            return Err(LogError::new(0, LogErrorReason::NoEvents { label: String::new() }));
        }
        parts.builder.skip(parts.skipped);
        Ok(parts.builder.finish())
    }

    /// The expressions, and where the log begins behind them.
    fn head(&self, text: &str) -> Result<Head, LogError> {
        let mut lines = text.split_inclusive('\n');
        let (first, second) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
        let has_groups = ["(?<host>", "(?<clock>", "(?<event>"].iter().all(|group| first.contains(group));
        let is_blank = |line: &str| line.trim().is_empty();
        let looks_like_one =
            has_groups || (is_blank(first) && (is_blank(second) || second.contains("(?<trace>")));
        let has_header = self.has_header.unwrap_or(looks_like_one);
        let of_line = |line: &str, number| match line.trim() {
            "" => Ok(None),
            _ if !has_header => Ok(None),
            pattern => {
                let pattern = Pattern::parse(pattern);
                pattern.map(Some).map_err(|error| LogError::new(number, LogErrorReason::Pattern(error)))
            }
        };
        let own = |pattern: &str| Pattern::parse(pattern).map_err(|error| LogError::new(0, error.into()));
        let parser = match (&self.parser, of_line(first, 1)?) {
            (Some(parser), _) => parser.clone(),
            (None, Some(parser)) => checked(parser, 1)?,
            (None, None) => own(Self::DEFAULT)?,
        };
        let delimiter = match &self.delimiter {
            Some(delimiter) => Some(delimiter.clone()),
            None => of_line(second, 2)?,
        };
        let log_at = if has_header { first.len().saturating_add(second.len()) } else { 0 };
        Ok(Head { parser, delimiter, log_at })
    }
}

/// What stands before the log.
struct Head {
    parser: Pattern,
    delimiter: Option<Pattern>,
    log_at: usize,
}

fn checked(parser: Pattern, line: u64) -> Result<Pattern, LogError> {
    for group in ["host", "clock", "event"] {
        if !parser.has_group(group) {
            return Err(LogError::new(line, LogErrorReason::NoGroup { group }));
        }
    }
    Ok(parser)
}

/// One execution in the text.
struct Span<'t> {
    label: Cow<'t, str>,
    range: Range<usize>,
    /// Where what names it begins.
    named_at: usize,
}

/// The executions of the text, in their order: the text between two delimiters, where it is not blank. Or why there are
/// none, and where.
fn executions<'t>(
    text: &'t str,
    log_at: usize,
    delimiter: Option<&Pattern>,
) -> Result<Vec<Span<'t>>, (usize, LogErrorReason)> {
    let log = text.get(log_at..).unwrap_or_default();
    let mut spans = Vec::new();
    let mut labels = HashSet::new();
    let mut next = Span { label: Cow::default(), range: log_at..log_at, named_at: log_at };
    let mut end_at = |mut span: Span<'t>, end: usize| {
        span.range.end = end;
        if text.get(span.range.clone()).unwrap_or_default().trim().is_empty() {
            return Ok(());
        }
        if spans.len() >= MAX_EXECUTIONS {
            return Err((span.named_at, LogErrorReason::TooManyExecutions { limit: MAX_EXECUTIONS }));
        }
        if span.label.is_empty() && labels.contains("") {
            span.label = Cow::Owned(format!("execution {}", spans.len().saturating_add(1)));
        }
        // A second one of a name would be lost in whatever is called by it.
        if !labels.insert(span.label.clone()) {
            let label = span.label.into_owned();
            return Err((span.named_at, LogErrorReason::OtherExecution { label }));
        }
        spans.push(span);
        Ok(())
    };
    for captures in delimiter.into_iter().flat_map(|delimiter| delimiter.regex().captures_iter(log)) {
        let Some(whole) = captures.get(0) else { continue };
        let [start, end] = [whole.start(), whole.end()].map(|at| at.saturating_add(log_at));
        end_at(next, start)?;
        let label = captures.name("trace").map(|label| label.as_str()).unwrap_or_default();
        next = Span { label: Cow::Borrowed(label), range: end..end, named_at: start };
    }
    end_at(next, text.len())?;
    Ok(spans)
}

/// The number of the line of a place, for places that do not go back.
struct Line<'t> {
    text: &'t str,
    at: usize,
    number: u64,
}

impl Line<'_> {
    fn of(&mut self, at: usize) -> u64 {
        let passed = self.text.as_bytes().get(self.at..at).unwrap_or_default();
        self.number = self.number.saturating_add(wide(memchr::memchr_iter(b'\n', passed).count()));
        self.at = self.at.max(at);
        self.number
    }
}

/// A text on its way into a log.
struct Parts<'t> {
    parser: &'t Pattern,
    builder: Builder,
    skipped: Skipped,
    text: &'t str,
    line: Line<'t>,
}

impl<'t> Parts<'t> {
    fn execution(&mut self, label: &str, range: Range<usize>, line: u64) -> Result<(), LogError> {
        self.builder.execution(label);
        let parser = self.parser;
        let text = self.text.get(range.clone()).unwrap_or_default();
        let mut end = range.start;
        let mut has_events = false;
        for captures in parser.regex().captures_iter(text) {
            let Some(whole) = captures.get(0) else { continue };
            let start = range.start.saturating_add(whole.start());
            self.skip(end..start);
            end = range.start.saturating_add(whole.end());
            let line = self.line.of(start);
            self.event(&captures, line)?;
            has_events = true;
        }
        self.skip(end..range.end);
        if has_events {
            Ok(())
        } else {
            Err(LogError::new(line, LogErrorReason::NoEvents { label: label.to_owned() }))
        }
    }

    fn event(&mut self, captures: &Captures<'t>, line: u64) -> Result<(), LogError> {
        let group = |name: &'static str| {
            let found = captures.name(name).map(|found| found.as_str());
            found.ok_or_else(|| LogError::new(line, LogErrorReason::GroupUnmatched { group: name }))
        };
        let (host, clock, text) = (group("host")?, group("clock")?, group("event")?);
        let wall = WALL.iter().find_map(|name| captures.name(name)).map(|found| found.as_str());
        // What is wrong with a clock is said with the line on which the clock begins.
        let before = captures.get(0).zip(captures.name("clock"));
        let before = before.map(|(whole, clock)| self.text_between(&whole, &clock)).unwrap_or_default();
        let at = |reason: Flaw| LogError::new(line.saturating_add(wide(before)), reason.into());
        let builder = &self.builder;
        let mut draft = builder.draft(host).map_err(|error| at(error.into()))?;
        clock_text::parse(clock, |host, counter| {
            builder.entry(&mut draft, host, counter).map_err(Flaw::from)
        })
        .map_err(at)?;
        self.builder.commit(draft, line, text, wall).map_err(|error| at(error.into()))
    }

    /// How many lines a group begins below its match.
    fn text_between(&self, whole: &regex::Match<'_>, group: &regex::Match<'_>) -> usize {
        let offset = group.start().saturating_sub(whole.start());
        let before = whole.as_str().as_bytes().get(..offset).unwrap_or_default();
        memchr::memchr_iter(b'\n', before).count()
    }

    fn skip(&mut self, range: Range<usize>) {
        let text = self.text.get(range.clone()).unwrap_or_default();
        if text.trim().is_empty() {
            return;
        }
        let mut at = range.start;
        for line in text.split_inclusive('\n') {
            if !line.trim().is_empty() {
                let number = self.line.of(at);
                self.skipped.lines = self.skipped.lines.saturating_add(1);
                self.skipped.first.get_or_insert(number);
            }
            at = at.saturating_add(line.len());
        }
    }
}

/// What is wrong with one event.
enum Flaw {
    Clock(ClockTextError),
    Event(EventError),
}

impl From<ClockTextError> for Flaw {
    fn from(error: ClockTextError) -> Self {
        Self::Clock(error)
    }
}

impl From<EventError> for Flaw {
    fn from(error: EventError) -> Self {
        Self::Event(error)
    }
}

impl From<Flaw> for LogErrorReason {
    fn from(flaw: Flaw) -> Self {
        match flaw {
            Flaw::Clock(error) => Self::Clock(error),
            Flaw::Event(error) => Self::Event(error),
        }
    }
}

/// A text is no log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogError {
    line: u64,
    reason: LogErrorReason,
}

impl LogError {
    const fn new(line: u64, reason: LogErrorReason) -> Self {
        Self { line, reason }
    }

    /// Returns the line, from 1, or `None` where it is no line's fault.
    #[must_use]
    pub const fn line(&self) -> Option<u64> {
        if self.line == 0 { None } else { Some(self.line) }
    }

    /// Returns why.
    #[must_use]
    pub const fn reason(&self) -> &LogErrorReason {
        &self.reason
    }
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line() {
            write!(f, "line {line}: ")?;
        }
        self.reason.fmt(f)
    }
}

impl Error for LogError {}

/// Why a text is no log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogErrorReason {
    /// It has more bytes than the limit.
    TooLong {
        /// The limit, in bytes.
        limit: u64,
    },
    /// It is no UTF-8.
    NotUtf8,
    /// An expression of its own is none.
    Pattern(super::PatternError),
    /// The parser lacks a group.
    NoGroup {
        /// Which.
        group: &'static str,
    },
    /// An event matched without this group.
    GroupUnmatched {
        /// Which.
        group: &'static str,
    },
    /// The clock of an event is none.
    Clock(ClockTextError),
    /// An event was refused.
    Event(EventError),
    /// The parser matches nowhere in an execution.
    NoEvents {
        /// What the execution is called.
        label: String,
    },
    /// There is another execution of this name.
    OtherExecution {
        /// The name.
        label: String,
    },
    /// It has more executions than this.
    TooManyExecutions {
        /// The limit.
        limit: usize,
    },
}

impl From<super::PatternError> for LogErrorReason {
    fn from(error: super::PatternError) -> Self {
        Self::Pattern(error)
    }
}

impl fmt::Display for LogErrorReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { limit } => write!(f, "the log has more than {limit} bytes"),
            Self::NotUtf8 => f.write_str("the log is no UTF-8 here"),
            Self::Pattern(error) => error.fmt(f),
            Self::NoGroup { group } => write!(f, "the parser has no group (?<{group}>...)"),
            Self::GroupUnmatched { group } => {
                write!(f, "the event has no {group}: that group matched nothing")
            }
            Self::Clock(error) => error.fmt(f),
            Self::Event(error) => error.fmt(f),
            Self::NoEvents { label } if label.is_empty() => f.write_str("the parser finds no event"),
            Self::NoEvents { label } => write!(f, "the parser finds no event in the execution {label:?}"),
            Self::OtherExecution { label } => {
                write!(f, "another execution is called {label:?}")
            }
            Self::TooManyExecutions { limit } => write!(f, "there are more than {limit} executions"),
        }
    }
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

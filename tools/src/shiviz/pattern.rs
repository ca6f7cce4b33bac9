//! `Pattern`: a regular expression as ShiViz writes it, run in linear time.
//!
//! ShiViz hands its expressions to a browser, so they are written in the dialect of JavaScript. It differs from the one
//! that is run here in places that matter to logs: a `{` that begins no count stands for itself, `\w` and `\d` are ASCII,
//! a bracket in a class is a plain character, and a `.` stops at every line terminator that JavaScript knows. So an
//! expression is translated, token by token. What takes more than linear time to match is refused.

use core::{error::Error, fmt, iter::Peekable, str::CharIndices};

use regex::{Regex, RegexBuilder};

/// The longest expression that is taken, in bytes.
const MAX_BYTES: usize = 4_096;

/// The most memory that a compiled expression may take, in bytes: `(x{999}){999}` is short, and a million states.
const MAX_COMPILED_BYTES: usize = 8 << 20;

/// What JavaScript takes for white space.
const SPACE: &str =
    r"\t\n\x0b\x0c\r \x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x{feff}";

/// A regular expression with named groups, in the dialect of JavaScript, as ShiViz takes it.
///
/// `^` and `$` match at lines. Groups without a name only group.
///
/// # Examples
///
/// ```
/// use clock_tools::shiviz::{Pattern, PatternErrorReason};
///
/// let pattern = Pattern::parse(r"(?<host>\S*) (?<clock>{.*})\n(?<event>.*)")?;
/// assert!(pattern.has_group("clock"));
///
/// let refused = Pattern::parse(r"(?<event>.*)(?=\n)").unwrap_err();
/// assert_eq!(refused.reason(), &PatternErrorReason::Unsupported("a look-around"));
/// # Ok::<(), clock_tools::shiviz::PatternError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Pattern {
    source: String,
    regex: Regex,
}

impl Pattern {
    /// Reads an expression.
    ///
    /// # Errors
    ///
    /// [`PatternError`] with the column, where it is none, is too long, or cannot be matched in linear time: it looks
    /// around or refers back to what a group has matched.
    pub fn parse(source: &str) -> Result<Self, PatternError> {
        if source.len() > MAX_BYTES {
            return Err(PatternError { column: 1, reason: PatternErrorReason::TooLong { limit: MAX_BYTES } });
        }
        let translated = Translator::new(source).translate()?;
        let mut builder = RegexBuilder::new(&translated);
        match builder.multi_line(true).size_limit(MAX_COMPILED_BYTES).build() {
            Ok(regex) => Ok(Self { source: source.to_owned(), regex }),
            Err(regex::Error::CompiledTooBig(_)) => Err(PatternError {
                column: 1,
                reason: PatternErrorReason::TooBig { limit: MAX_COMPILED_BYTES },
            }),
            Err(error) => {
                // The library draws the place below the translated expression, which is not the user's; its last line
                // says what is wrong.
                let text = error.to_string();
                let last = text.lines().last().unwrap_or_default();
                let why = last.trim_start_matches("error: ").to_owned();
                Err(PatternError { column: 1, reason: PatternErrorReason::Syntax(why) })
            }
        }
    }

    /// Returns the expression as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.source
    }

    /// Returns whether it has a group of this name.
    #[must_use]
    pub fn has_group(&self, name: &str) -> bool {
        self.regex.capture_names().flatten().any(|group| group == name)
    }

    pub(crate) const fn regex(&self) -> &Regex {
        &self.regex
    }
}

/// An expression was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternError {
    column: usize,
    reason: PatternErrorReason,
}

impl PatternError {
    /// Returns where, in characters from 1.
    #[must_use]
    pub const fn column(&self) -> usize {
        self.column
    }

    /// Returns why.
    #[must_use]
    pub const fn reason(&self) -> &PatternErrorReason {
        &self.reason
    }
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "regular expression, column {}: {}", self.column, self.reason)
    }
}

impl Error for PatternError {}

/// Why an expression was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PatternErrorReason {
    /// It is longer than the limit, in bytes.
    TooLong {
        /// The longest that is taken, in bytes.
        limit: usize,
    },
    /// Compiled, it takes more memory than the limit.
    TooBig {
        /// The most that it may take, in bytes.
        limit: usize,
    },
    /// It cannot be matched in linear time, or has another meaning in every dialect.
    Unsupported(&'static str),
    /// Two groups have this name.
    DuplicateGroup(String),
    /// A group has no name that is one: a letter or `_`, then letters, digits and `_`.
    BadGroupName,
    /// It ends in the middle of something.
    Unfinished(&'static str),
    /// It is no regular expression for another reason.
    Syntax(String),
}

impl fmt::Display for PatternErrorReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { limit } => write!(f, "longer than {limit} bytes"),
            Self::TooBig { limit } => write!(f, "takes more than {limit} bytes when it is compiled"),
            Self::Unsupported(what) => write!(f, "{what} is not supported"),
            Self::DuplicateGroup(name) => write!(f, "two groups are called {name}"),
            Self::BadGroupName => {
                f.write_str("the name of a group is a letter or _, then letters, digits and _")
            }
            Self::Unfinished(what) => write!(f, "it ends in the middle of {what}"),
            Self::Syntax(why) => f.write_str(why),
        }
    }
}

/// One member of a class: a character, which can begin or end a range, or a set, which cannot.
enum Member {
    Char(char),
    Set(String),
}

struct Translator<'s> {
    rest: Peekable<CharIndices<'s>>,
    source: &'s str,
    out: String,
    names: Vec<&'s str>,
    /// Where the token begins that is being read, as a byte offset.
    at: usize,
}

impl<'s> Translator<'s> {
    fn new(source: &'s str) -> Self {
        Self { rest: source.char_indices().peekable(), source, out: String::new(), names: Vec::new(), at: 0 }
    }

    fn translate(mut self) -> Result<String, PatternError> {
        while let Some((at, token)) = self.rest.next() {
            self.at = at;
            match token {
                '\\' => match self.escape()? {
                    Member::Char('\u{8}') => self.out.push_str(r"(?-u:\b)"),
                    Member::Char(char) => self.literal(char),
                    Member::Set(set) => self.out.push_str(&set),
                },
                '(' => self.group()?,
                '[' => self.class()?,
                '{' => self.count(),
                '.' => self.out.push_str(r"[^\n\r\x{2028}\x{2029}]"),
                '^' | '$' | '|' | ')' | '*' | '+' | '?' => self.out.push(token),
                _ => self.literal(token),
            }
        }
        Ok(self.out)
    }

    fn error(&self, reason: PatternErrorReason) -> PatternError {
        let before = self.source.get(..self.at).unwrap_or_default();
        PatternError { column: before.chars().count().saturating_add(1), reason }
    }

    fn unfinished(&self, what: &'static str) -> PatternError {
        self.error(PatternErrorReason::Unfinished(what))
    }

    fn unsupported(&self, what: &'static str) -> PatternError {
        self.error(PatternErrorReason::Unsupported(what))
    }

    fn take(&mut self, expected: char) -> bool {
        self.rest.next_if(|(_, next)| *next == expected).is_some()
    }

    fn literal(&mut self, char: char) {
        self.out.push_str(&literal(char));
    }

    /// What follows a `(`.
    fn group(&mut self) -> Result<(), PatternError> {
        if !self.take('?') {
            self.out.push_str("(?:");
            return Ok(());
        }
        match self.rest.next().map(|(_, kind)| kind) {
            Some(':') => self.out.push_str("(?:"),
            Some('=' | '!') => return Err(self.unsupported("a look-around")),
            Some('<') if self.rest.next_if(|(_, next)| matches!(next, '=' | '!')).is_some() => {
                return Err(self.unsupported("a look-around"));
            }
            Some('<') => {
                let name = self.group_name()?;
                if self.names.contains(&name) {
                    return Err(self.error(PatternErrorReason::DuplicateGroup(name.to_owned())));
                }
                self.names.push(name);
                self.out.push_str("(?<");
                self.out.push_str(name);
                self.out.push('>');
            }
            Some(_) => return Err(self.unsupported("this kind of group")),
            None => return Err(self.unfinished("a group")),
        }
        Ok(())
    }

    /// What follows a `(?<`, up to its `>`.
    fn group_name(&mut self) -> Result<&'s str, PatternError> {
        let start = self.rest.peek().map(|(start, _)| *start);
        let start = start.ok_or_else(|| self.unfinished("the name of a group"))?;
        loop {
            let Some((end, next)) = self.rest.next() else {
                return Err(self.unfinished("the name of a group"));
            };
            match next {
                '>' if end > start => return Ok(self.source.get(start..end).unwrap_or_default()),
                '_' | 'a'..='z' | 'A'..='Z' => {}
                '0'..='9' if end > start => {}
                _ => return Err(self.error(PatternErrorReason::BadGroupName)),
            }
        }
    }

    /// What follows a `{`: a count, or else the character stands for itself.
    fn count(&mut self) {
        let mut ahead = self.rest.clone();
        let mut text = String::from("{");
        let mut digits = 0_usize;
        let is_count = loop {
            match ahead.next().map(|(_, next)| next) {
                Some(next @ '0'..='9') => {
                    digits = digits.saturating_add(1);
                    text.push(next);
                }
                Some(',') if digits > 0 && !text.contains(',') => text.push(','),
                Some('}') if digits > 0 => {
                    text.push('}');
                    break true;
                }
                _ => break false,
            }
        };
        if is_count {
            self.out.push_str(&text);
            self.rest = ahead;
        } else {
            self.literal('{');
        }
    }

    /// What follows a `[`.
    fn class(&mut self) -> Result<(), PatternError> {
        let is_negated = self.take('^');
        if self.take(']') {
            // `[^]` is any character; `[]` is none, and nobody means it.
            if !is_negated {
                return Err(self.unsupported("an empty class"));
            }
            self.out.push_str(r"(?s:.)");
            return Ok(());
        }
        self.out.push_str(if is_negated { "[^" } else { "[" });
        while let Some(member) = self.member()? {
            let is_range = {
                let mut ahead = self.rest.clone();
                ahead.next().is_some_and(|(_, next)| next == '-')
                    && ahead.next().is_some_and(|(_, next)| next != ']')
            };
            match member {
                Member::Set(set) => self.out.push_str(&set),
                Member::Char(first) if is_range => {
                    self.rest.next();
                    match self.member()? {
                        Some(Member::Char(last)) if first <= last => {
                            self.out.push_str(&format!("{}-{}", hex(first), hex(last)));
                        }
                        Some(Member::Char(_)) => {
                            return Err(
                                self.error(PatternErrorReason::Syntax("a range that goes back".into()))
                            );
                        }
                        // A set is no end of a range: the dash stands for itself.
                        Some(Member::Set(set)) => {
                            self.out.push_str(&format!("{}{}{set}", hex(first), hex('-')));
                        }
                        None => return Err(self.unfinished("a class")),
                    }
                }
                Member::Char(char) => self.out.push_str(&hex(char)),
            }
        }
        self.out.push(']');
        Ok(())
    }

    /// The next member of a class, or `None` at its end.
    fn member(&mut self) -> Result<Option<Member>, PatternError> {
        match self.rest.next().map(|(_, next)| next) {
            None => Err(self.unfinished("a class")),
            Some(']') => Ok(None),
            Some('\\') => self.escape().map(Some),
            Some(char) => Ok(Some(Member::Char(char))),
        }
    }

    /// What follows a `\`. Outside of a class, a backspace stands for the edge of a word: both are written `\b`.
    fn escape(&mut self) -> Result<Member, PatternError> {
        let Some((_, token)) = self.rest.next() else { return Err(self.unfinished("an escape")) };
        Ok(match token {
            'd' => Member::Set("[0-9]".into()),
            'D' => Member::Set("[^0-9]".into()),
            'w' => Member::Set("[0-9A-Za-z_]".into()),
            'W' => Member::Set("[^0-9A-Za-z_]".into()),
            's' => Member::Set(format!("[{SPACE}]")),
            'S' => Member::Set(format!("[^{SPACE}]")),
            'b' => Member::Char('\u{8}'),
            't' => Member::Char('\t'),
            'n' => Member::Char('\n'),
            'r' => Member::Char('\r'),
            'v' => Member::Char('\u{b}'),
            'f' => Member::Char('\u{c}'),
            'x' => Member::Char(self.hex_digits(2)?),
            'u' => Member::Char(self.hex_digits(4)?),
            '0' if !self.rest.peek().is_some_and(|(_, next)| next.is_ascii_digit()) => Member::Char('\0'),
            'B' => return Err(self.unsupported(r"\B")),
            'c' => return Err(self.unsupported("a control character by its letter")),
            '0'..='9' | 'k' => return Err(self.unsupported("a reference to what a group has matched")),
            _ => Member::Char(token),
        })
    }

    fn hex_digits(&mut self, digits: u32) -> Result<char, PatternError> {
        let mut code = 0_u32;
        for _ in 0..digits {
            let digit = self.rest.next().and_then(|(_, next)| next.to_digit(16));
            let digit = digit.ok_or_else(|| self.unfinished("the number of a character"))?;
            // Four digits at most: no overflow.
            code = code.wrapping_shl(4) | digit;
        }
        char::from_u32(code).ok_or_else(|| self.unsupported("half of a character"))
    }
}

/// A character that stands for itself, outside of a class.
fn literal(char: char) -> String {
    if char.is_ascii_alphanumeric() || matches!(char, ' ' | '_') { char.to_string() } else { hex(char) }
}

/// A character by its number, which no dialect takes for anything else.
fn hex(char: char) -> String {
    format!(r"\x{{{:x}}}", u32::from(char))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn translated(source: &str) -> String {
        Translator::new(source).translate().unwrap()
    }

    #[test]
    fn a_pattern_matches_what_javascript_matches() {
        // The third column is what a browser's `exec` gives for the whole match, multi-line.
        for (pattern, text, expected) in [
            ("{.*}", "a {\"a\":1} b", Some("{\"a\":1}")),
            ("a{,2}", "a{,2}", Some("a{,2}")),
            ("a{2,}", "aaaa", Some("aaaa")),
            ("a{2,3}?", "aaaa", Some("aa")),
            ("x{2", "x{2", Some("x{2")),
            (r"\w+", "\u{e9}t\u{e9}", Some("t")),
            (r"\d", "\u{663}", None),
            (r"\s", "\u{feff}", Some("\u{feff}")),
            (r"\S+", "a\u{a0}b", Some("a")),
            (".*", "ab\u{2028}c", Some("ab")),
            ("[^]*", "a\nb", Some("a\nb")),
            ("[[]+", "[[", Some("[[")),
            ("[&&a]+", "a&&", Some("a&&")),
            ("[a-]+", "-a", Some("-a")),
            (r"[\w-.]+", "a-.", Some("a-.")),
            (r"[a-\d]+", "-a9", Some("-a9")),
            (r"[\]x]+", "x]", Some("x]")),
            (r"[^\d]+", "12ab", Some("ab")),
            (r"[\W]+", "ab  c", Some("  ")),
            (r"\bb+\b", "abb bb", Some("bb")),
            (r"[\b]", "a\u{8}", Some("\u{8}")),
            (r"\u0041\x42\/\-\0", "AB/-\0", Some("AB/-\0")),
            ("^b$", "a\nb\nc", Some("b")),
            ("(a|b)+#", "x ab#", Some("ab#")),
            (r"\p", "p", Some("p")),
        ] {
            let found = Pattern::parse(pattern).unwrap();
            let found = found.regex().find(text).map(|found| found.as_str());
            assert_eq!(found, expected, "{pattern} in {text:?}");
        }
    }

    #[test]
    fn what_is_no_pattern_or_not_linear_is_refused_at_its_column() {
        use PatternErrorReason as Reason;
        for (pattern, column, reason) in [
            ("a(?=b)", 2, Reason::Unsupported("a look-around")),
            ("a(?<!b)", 2, Reason::Unsupported("a look-around")),
            (r"(a)\1", 4, Reason::Unsupported("a reference to what a group has matched")),
            (r"\k<a>", 1, Reason::Unsupported("a reference to what a group has matched")),
            ("(?i)a", 1, Reason::Unsupported("this kind of group")),
            ("\u{e9}(?<a>x)(?<a>y)", 9, Reason::DuplicateGroup("a".into())),
            ("(?<9a>x)", 1, Reason::BadGroupName),
            ("(?<>x)", 1, Reason::BadGroupName),
            ("(?<a", 1, Reason::Unfinished("the name of a group")),
            ("x[ab", 2, Reason::Unfinished("a class")),
            ("x[a-", 2, Reason::Unfinished("a class")),
            (r"ab\", 3, Reason::Unfinished("an escape")),
            (r"\u00g0", 1, Reason::Unfinished("the number of a character")),
            (r"\ud800", 1, Reason::Unsupported("half of a character")),
            ("[]", 1, Reason::Unsupported("an empty class")),
            ("[b-a]", 1, Reason::Syntax("a range that goes back".into())),
        ] {
            let error = Pattern::parse(pattern).unwrap_err();
            assert_eq!((error.column(), error.reason()), (column, &reason), "{pattern}");
        }
        for pattern in ["(a", "a)", "*", "+a", "a|*"] {
            let error = Pattern::parse(pattern).unwrap_err();
            assert!(matches!(error.reason(), Reason::Syntax(why) if !why.is_empty() && !why.contains('\n')));
        }
    }

    #[test]
    fn a_pattern_that_would_take_too_much_memory_is_refused() {
        let error = Pattern::parse("((x{999}){999}){999}").unwrap_err();
        assert!(matches!(error.reason(), PatternErrorReason::TooBig { .. }), "{error}");
        let error = Pattern::parse(&"x".repeat(MAX_BYTES + 1)).unwrap_err();
        assert!(matches!(error.reason(), PatternErrorReason::TooLong { .. }), "{error}");
    }

    #[test]
    fn groups_without_a_name_capture_nothing() {
        assert_eq!(translated("(a)(?<b>c)(?:d)"), "(?:a)(?<b>c)(?:d)");
        assert!(Pattern::parse("(a)(?<b>c)").unwrap().has_group("b"));
        assert!(!Pattern::parse("(a)(?<b>c)").unwrap().has_group("a"));
    }
}

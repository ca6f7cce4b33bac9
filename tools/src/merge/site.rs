//! `Site`: where in a line its stamp stands.

use core::{error::Error, fmt, num::NonZeroUsize};

use regex::bytes::{CaptureLocations, Regex, RegexBuilder};

use super::key::{Decided, Key};

/// Where in a line its stamp stands: in its first [`HEAD`](Self::HEAD) bytes.
///
/// A stamp has one of the forms of `hlc`: the text of a [`Stamp`](hlc::Stamp), that of a [`Timestamp`](hlc::Timestamp), or
/// a UUID of version 7. All stamps of a log have that of its first.
#[derive(Clone, Debug)]
pub struct Site(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Start,
    Field { skipped: usize, delimiter: Option<u8> },
    Pattern { regex: Regex, group: usize },
}

impl Site {
    /// Bytes of a line in which its stamp is looked for, so that the rest of a long line need not be kept.
    pub const HEAD: usize = 16 * 1024;

    /// The name of the group of a pattern that is the stamp.
    pub const GROUP: &str = "stamp";

    /// The line begins with it.
    #[must_use]
    pub const fn start() -> Self {
        Self(Kind::Start)
    }

    /// It is a field, counted from 1, that a delimiter ends; without one, any number of spaces and tabs does.
    #[must_use]
    pub const fn field(number: NonZeroUsize, delimiter: Option<u8>) -> Self {
        Self(Kind::Field { skipped: number.get().saturating_sub(1), delimiter })
    }

    /// It is the group [`GROUP`](Self::GROUP) of the first match of a regular expression. That is one of bytes: `.` is any
    /// but the end of the line, and `\w` and its like are ASCII.
    ///
    /// # Errors
    ///
    /// [`BadPattern`] where it is no regular expression, one that grows too large, or has no such group.
    pub fn pattern(pattern: &str) -> Result<Self, BadPattern> {
        let regex = RegexBuilder::new(pattern).unicode(false).build().map_err(BadPattern::Regex)?;
        let group = regex.capture_names().position(|name| name == Some(Self::GROUP));
        group.map_or(Err(BadPattern::NoGroup), |group| Ok(Self(Kind::Pattern { regex, group })))
    }

    /// What is used over and over, for one log.
    pub(super) fn finder(&self) -> Finder {
        let places = match &self.0 {
            Kind::Pattern { regex, .. } => Some(regex.capture_locations()),
            Kind::Start | Kind::Field { .. } => None,
        };
        Finder { site: self.clone(), places, decided: Decided::default() }
    }
}

/// Finds the stamps in the lines of one log.
#[derive(Debug)]
pub(super) struct Finder {
    site: Site,
    places: Option<CaptureLocations>,
    decided: Decided,
}

impl Finder {
    /// The stamp of a line, of which this is all or the beginning, without its end.
    #[inline]
    pub(super) fn find(&mut self, line: &[u8]) -> Option<Key> {
        match &self.site.0 {
            Kind::Start => self.decided.read_at_start(line),
            Kind::Field { skipped, delimiter } => {
                let line = line.strip_suffix(b"\r").unwrap_or(line);
                let field = match delimiter {
                    Some(delimiter) => line.split(|byte| byte == delimiter).nth(*skipped),
                    None => {
                        let fields = line.split(|byte| matches!(byte, b' ' | b'\t'));
                        fields.filter(|field| !field.is_empty()).nth(*skipped)
                    }
                };
                self.decided.read(field?)
            }
            Kind::Pattern { regex, group } => {
                let places = self.places.as_mut()?;
                regex.captures_read(places, line)?;
                let (from, to) = places.get(*group)?;
                self.decided.read(line.get(from..to)?)
            }
        }
    }

    pub(super) const fn decided(&self) -> Decided {
        self.decided
    }
}

/// Why a pattern does not say where a stamp stands.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum BadPattern {
    /// It is no regular expression, or one that would take too much memory.
    Regex(regex::Error),
    /// It has no group named `stamp`.
    NoGroup,
}

impl fmt::Display for BadPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Regex(why) => why.fmt(f),
            Self::NoGroup => f.write_str("the pattern has no group (?<stamp>...)"),
        }
    }
}

impl Error for BadPattern {}

#[cfg(test)]
mod tests {
    use super::*;

    const STAMP: &str = "018bcfe568000007-000000000000002a";

    fn finds(site: &Site, line: &str) -> bool {
        site.finder().find(line.replace('S', STAMP).as_bytes()).is_some()
    }

    #[test]
    fn at_the_start_is_not_a_byte_later() {
        for (line, found) in
            [("S", true), ("S text", true), ("S\r", true), (" S", false), ("[S]", false), ("", false)]
        {
            assert_eq!(finds(&Site::start(), line), found, "{line:?}");
        }
    }

    #[test]
    fn a_field_is_counted_from_one_between_spaces_or_delimiters() {
        let second = Site::field(NonZeroUsize::new(2).unwrap(), None);
        for (line, found) in [
            ("a S b", true),
            ("a S", true),
            ("a S\r", true),
            (" \t a \t S", true),
            ("S a", false),
            ("aS", false),
            ("a S; b", false),
            ("", false),
            ("a b c S", false),
        ] {
            assert_eq!(finds(&second, line), found, "{line:?}");
        }
        let third = Site::field(NonZeroUsize::new(3).unwrap(), Some(b';'));
        for (line, found) in [(";;S", true), ("a;b c;S;d", true), (";S", false), ("a;b; S", false)] {
            assert_eq!(finds(&third, line), found, "{line:?}");
        }
    }

    #[test]
    fn a_pattern_names_its_group() {
        let site = Site::pattern(r#""at":"(?<stamp>[^"]*)""#).unwrap();
        assert!(finds(&site, r#"{"level":"info","at":"S"}"#));
        assert!(!finds(&site, r#"{"level":"info","at":"x S"}"#));
        assert!(!finds(&site, "S"));
        // A group that took no part in the match.
        assert!(!finds(&Site::pattern("x|(?<stamp>y)").unwrap(), "x"));
        assert_eq!(Site::pattern("(.*)").unwrap_err(), BadPattern::NoGroup);
        for pattern in ["(?<stamp>", r"(?<stamp>\pL)", "(?<stamp>((a{1000}){1000}){1000})"] {
            assert!(matches!(Site::pattern(pattern), Err(BadPattern::Regex(_))), "{pattern}");
        }
    }

    #[test]
    fn a_pattern_reads_bytes_that_are_no_text() {
        let site = Site::pattern(r"^.(?<stamp>\S+)").unwrap();
        let line = [&[0xff][..], STAMP.as_bytes(), &[b' ', 0xfe]].concat();
        assert!(site.finder().find(&line).is_some());
    }
}

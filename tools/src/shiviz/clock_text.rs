//! The clock of an event as it stands in a log: a JSON object of host names and counters, read strictly.
//!
//! No JSON library is asked: it would make a tree of what is one flat list, accept a key twice, and say neither where
//! a number is out of range nor that it is one of a kind that no counter is.

use alloc::borrow::Cow;
use core::fmt;

/// Why the text of a clock is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClockTextError {
    /// There should be something else here.
    Expected {
        /// What there should be.
        what: &'static str,
        /// Where, in bytes from the beginning of the clock.
        at: usize,
    },
    /// A counter is no whole number: it has a sign, a fraction, an exponent or a zero before it.
    NotACounter {
        /// Where, in bytes from the beginning of the clock.
        at: usize,
    },
    /// A counter is above 2^64-1.
    CounterRange {
        /// Where, in bytes from the beginning of the clock.
        at: usize,
    },
}

impl fmt::Display for ClockTextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expected { what, at } => write!(f, "the clock has no {what} at byte {at}"),
            Self::NotACounter { at } => write!(f, "the clock has no whole number at byte {at}"),
            Self::CounterRange { at } => write!(f, "the clock has a counter above 2^64-1 at byte {at}"),
        }
    }
}

impl core::error::Error for ClockTextError {}

/// Reads a clock; entries are given in the order in which they stand there.
///
/// As ShiViz does, it takes a clock whose quotes are all escaped: the print of a string, as the TLA+ tools make it.
pub(crate) fn parse<E: From<ClockTextError>>(
    text: &str,
    mut entry: impl FnMut(&str, u64) -> Result<(), E>,
) -> Result<(), E> {
    let unescaped =
        if text.starts_with("{\\\"") { Cow::Owned(text.replace("\\\"", "\"")) } else { text.into() };
    let mut scanner = Scanner { bytes: unescaped.as_bytes(), text: &unescaped, at: 0 };
    scanner.space();
    scanner.expect(b'{', "{")?;
    scanner.space();
    if !scanner.take(b'}') {
        loop {
            let host = scanner.string()?;
            scanner.space();
            scanner.expect(b':', ":")?;
            scanner.space();
            let counter = scanner.counter()?;
            entry(&host, counter)?;
            scanner.space();
            if scanner.take(b'}') {
                break;
            }
            scanner.expect(b',', "comma or }")?;
            scanner.space();
        }
    }
    scanner.space();
    if scanner.peek().is_some() { Err(scanner.expected("end").into()) } else { Ok(()) }
}

struct Scanner<'t> {
    bytes: &'t [u8],
    text: &'t str,
    at: usize,
}

impl<'t> Scanner<'t> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    fn take(&mut self, byte: u8) -> bool {
        let is_there = self.peek() == Some(byte);
        if is_there {
            self.skip();
        }
        is_there
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.skip();
        }
    }

    const fn expected(&self, what: &'static str) -> ClockTextError {
        ClockTextError::Expected { what, at: self.at }
    }

    fn expect(&mut self, byte: u8, what: &'static str) -> Result<(), ClockTextError> {
        if self.take(byte) { Ok(()) } else { Err(self.expected(what)) }
    }

    fn string(&mut self) -> Result<Cow<'t, str>, ClockTextError> {
        self.expect(b'"', "host name in quotes")?;
        let start = self.at;
        let mut unescaped: Option<String> = None;
        let mut plain_from = start;
        loop {
            let plain = self.text.get(plain_from..self.at);
            match self.peek() {
                Some(b'"') => {
                    let plain = plain.unwrap_or_default();
                    self.skip();
                    return Ok(match unescaped {
                        None => Cow::Borrowed(plain),
                        Some(name) => Cow::Owned(name + plain),
                    });
                }
                Some(b'\\') => {
                    let name = unescaped.get_or_insert_default();
                    name.push_str(plain.unwrap_or_default());
                    self.skip();
                    name.push(self.escaped()?);
                    plain_from = self.at;
                }
                // Control characters have to be escaped; a line break would be the end of the line anyway.
                None | Some(..=0x1f) => return Err(self.expected("closing quote")),
                Some(_) => self.skip(),
            }
        }
    }

    fn escaped(&mut self) -> Result<char, ClockTextError> {
        let char = match self.peek() {
            Some(plain @ (b'"' | b'\\' | b'/')) => char::from(plain),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.skip();
                return self.numbered();
            }
            _ => return Err(self.expected("escape that JSON has")),
        };
        self.skip();
        Ok(char)
    }

    /// The character of `\uXXXX`, or of two such halves of one.
    fn numbered(&mut self) -> Result<char, ClockTextError> {
        let first = self.four_digits()?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first).ok_or_else(|| self.expected("whole character"));
        }
        if !(self.take(b'\\') && self.take(b'u')) {
            return Err(self.expected("second half of a character"));
        }
        let second = self.four_digits()?;
        let both = [first, second].map(|half| u16::try_from(half).unwrap_or_default());
        match char::decode_utf16(both).next() {
            Some(Ok(char)) => Ok(char),
            Some(Err(_)) | None => Err(self.expected("second half of a character")),
        }
    }

    fn four_digits(&mut self) -> Result<u32, ClockTextError> {
        let mut code = 0_u32;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            let digit = digit.ok_or_else(|| self.expected("four digits of a character's number"))?;
            self.skip();
            // Four digits: no overflow.
            code = code.wrapping_shl(4) | digit;
        }
        Ok(code)
    }

    fn counter(&mut self) -> Result<u64, ClockTextError> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.skip();
        }
        let digits = self.text.get(start..self.at).unwrap_or_default();
        let is_whole = !digits.is_empty() && (digits == "0" || !digits.starts_with('0'));
        if !is_whole || matches!(self.peek(), Some(b'.' | b'e' | b'E' | b'+' | b'-')) {
            return Err(ClockTextError::NotACounter { at: start });
        }
        digits.parse().map_err(|_| ClockTextError::CounterRange { at: start })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(String, u64)>, ClockTextError> {
        let mut entries = Vec::new();
        parse(text, |host, counter| {
            entries.push((host.to_owned(), counter));
            Ok(())
        })?;
        Ok(entries)
    }

    #[test]
    fn a_clock_is_read_as_it_stands() {
        let entry = |host: &str, counter| (host.to_owned(), counter);
        assert_eq!(read("{}"), Ok(vec![]));
        assert_eq!(read(r#"{"a":1}"#), Ok(vec![entry("a", 1)]));
        assert_eq!(
            read(" { \"b\" : 18446744073709551615 ,\t\"a\":0 } "),
            Ok(vec![entry("b", u64::MAX), entry("a", 0)])
        );
        assert_eq!(
            read(r#"{"\"\\\/\n\u00e9\ud83d\ude00x":7}"#),
            Ok(vec![entry("\"\\/\n\u{e9}\u{1f600}x", 7)])
        );
        assert_eq!(read(r#"{\"w1\":1,\"w2\":12}"#), Ok(vec![entry("w1", 1), entry("w2", 12)]));
    }

    #[test]
    fn what_is_no_clock_is_refused_at_its_place() {
        let expected = |what, at| Err(ClockTextError::Expected { what, at });
        for (text, found) in [
            ("", expected("{", 0)),
            ("[1]", expected("{", 0)),
            ("{", expected("host name in quotes", 1)),
            ("{a:1}", expected("host name in quotes", 1)),
            (r#"{"a"}"#, expected(":", 4)),
            (r#"{"a":1,}"#, expected("host name in quotes", 7)),
            (r#"{"a":1 "b":2}"#, expected("comma or }", 7)),
            (r#"{"a":1"#, expected("comma or }", 6)),
            (r#"{"a":1} x"#, expected("end", 8)),
            (r#"{"a"#, expected("closing quote", 3)),
            ("{\"a\u{1}\":1}", expected("closing quote", 3)),
            (r#"{"\x":1}"#, expected("escape that JSON has", 3)),
            (r#"{"\u00g":1}"#, expected("four digits of a character's number", 6)),
            (r#"{"\ud800":1}"#, expected("second half of a character", 8)),
            (r#"{"\ud800\u0041":1}"#, expected("second half of a character", 14)),
            (r#"{"\udc00":1}"#, expected("whole character", 8)),
        ] {
            assert_eq!(read(text), found, "{text}");
        }
        for counter in ["-1", "1.0", "1e3", "01", "00", "+1", "null", "\"1\"", "{}", "1-"] {
            let text = format!("{{\"a\":{counter}}}");
            assert_eq!(read(&text), Err(ClockTextError::NotACounter { at: 5 }), "{text}");
        }
        assert_eq!(read(r#"{"a":18446744073709551616}"#), Err(ClockTextError::CounterRange { at: 5 }));
    }
}

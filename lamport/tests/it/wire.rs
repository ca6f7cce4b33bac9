//! The bytes, the text and the serde forms have not changed.

use core::fmt::Write as _;

use lamport::{EnvelopeError, Stamp, TextError, Time};

/// The cases of a vector file, each as its words, with the line number for messages.
fn cases(file: &str) -> Vec<(usize, Vec<&str>)> {
    let cases: Vec<_> = (1..)
        .zip(file.lines())
        .filter(|(_, line)| !line.starts_with('#'))
        .map(|(number, line)| (number, line.split(' ').collect()))
        .collect();
    assert!(!cases.is_empty());
    cases
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = if hex == "-" { "" } else { hex };
    assert_eq!(digits.len() % 2, 0, "{hex}");
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

#[test]
fn times_have_the_recorded_bytes_and_text() {
    let mut times = Vec::new();
    for (line, case) in cases(include_str!("../vectors/time.txt")) {
        let [wire, number, text] = case[..] else { panic!("line {line}") };
        let time = Time::new(number.parse().unwrap());
        assert_eq!(hex(&time.to_bytes()), wire, "line {line}");
        assert_eq!(Time::from_bytes(bytes(wire).try_into().unwrap()), time, "line {line}");
        assert_eq!(time.to_string(), text, "line {line}");
        assert_eq!(text.parse(), Ok(time), "line {line}");
        assert_eq!((u64::from(time), Time::from(time.get())), (time.get(), time));
        times.push((time, wire, text));
    }
    assert!(times.is_sorted_by(|a, b| a.0 < b.0 && a.1 < b.1 && a.2 < b.2));
}

#[test]
fn stamps_have_the_recorded_bytes_and_text() {
    let mut stamps = Vec::new();
    for (line, case) in cases(include_str!("../vectors/stamp.txt")) {
        let [wire, time, node, text] = case[..] else { panic!("line {line}") };
        let stamp = Time::new(time.parse().unwrap()).at_node(node.parse::<u64>().unwrap());
        assert_eq!(hex(&stamp.to_bytes()), wire, "line {line}");
        assert_eq!(Stamp::from_bytes(bytes(wire).try_into().unwrap()), stamp, "line {line}");
        assert_eq!(stamp.to_string(), text, "line {line}");
        assert_eq!(text.parse(), Ok(stamp), "line {line}");
        stamps.push((stamp, wire, text));
    }
    assert!(stamps.is_sorted_by(|a, b| a.0 < b.0 && a.1 < b.1 && a.2 < b.2));
}

#[test]
fn envelopes_are_read_or_refused_as_recorded() {
    for (line, case) in cases(include_str!("../vectors/envelope.txt")) {
        let read = Stamp::from_envelope(&bytes(case[0]));
        match case[1..] {
            ["stamp", time, node] => {
                let stamp = Time::new(time.parse().unwrap()).at_node(node.parse().unwrap());
                assert_eq!(read, Ok(stamp), "line {line}");
                assert_eq!(hex(&stamp.to_envelope()), case[0], "line {line}");
            }
            ["version", found] => {
                let found = found.parse().unwrap();
                assert_eq!(read, Err(EnvelopeError::Version { found }), "line {line}");
            }
            ["length", found] => {
                let found = found.parse().unwrap();
                assert_eq!(read, Err(EnvelopeError::Length { found, expected: 17 }), "line {line}");
            }
            _ => panic!("line {line}"),
        }
    }
}

/// Replaces `\u{...}` by its code point.
fn unescape(text: &str) -> String {
    let mut pieces = text.split("\\u{");
    let mut plain = pieces.next().unwrap().to_owned();
    for piece in pieces {
        let (code, rest) = piece.split_once('}').unwrap();
        plain.push(char::from_u32(u32::from_str_radix(code, 16).unwrap()).unwrap());
        plain.push_str(rest);
    }
    plain
}

#[test]
fn text_in_any_other_form_is_refused_as_recorded() {
    let file = include_str!("../vectors/text.txt");
    let mut read = 0;
    for line in file.lines().filter(|line| !line.starts_with('#')) {
        let (kind, rest) = line.split_once(" \"").unwrap();
        let (text, reason) = rest.split_once("\" ").unwrap();
        let (reason, number) = reason.split_once(' ').unwrap();
        let (text, number) = (unescape(text), number.parse().unwrap());
        let (expected, refused) = match kind {
            "time" => (16, text.parse::<Time>().map(drop)),
            "stamp" => (33, text.parse::<Stamp<u64>>().map(drop)),
            _ => panic!("{line}"),
        };
        let why = match reason {
            "length" => TextError::Length { found: number, expected },
            "digit" => TextError::Digit { at: number },
            "separator" => TextError::Separator { at: number },
            _ => panic!("{line}"),
        };
        assert_eq!(refused, Err(why), "{line}");
        read += 1;
    }
    assert!(read > 20);
}

#[test]
fn every_byte_that_is_no_digit_is_refused_at_every_place() {
    for at in 0..Time::TEXT_BYTES {
        for byte in 0..=127_u8 {
            let mut text = [b'0'; Time::TEXT_BYTES];
            text[at] = byte;
            let parsed = core::str::from_utf8(&text).unwrap().parse::<Time>();
            let lower_hex = byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
            assert_eq!(parsed.is_ok(), lower_hex, "{byte:#x} at {at}");
        }
    }
}

#[test]
fn every_version_but_one_and_every_length_but_one_is_refused() {
    for version in 0..=u8::MAX {
        for length in 0..40 {
            let mut envelope = vec![7; length];
            if let Some(first) = envelope.first_mut() {
                *first = version;
            }
            let good = version == 1 && length == Stamp::<u64>::ENVELOPE_BYTES;
            assert_eq!(Stamp::from_envelope(&envelope).is_ok(), good, "version {version}, {length} bytes");
        }
    }
}

#[test]
fn the_tables_of_the_format_document_agree_with_the_constants() {
    let document = include_str!("../../FORMAT.md");
    let mut ends = alloc::collections::BTreeMap::new();
    for row in document.lines().filter(|row| row.starts_with("| ")) {
        let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
        if let [form, offset, size, ..] = cells[..]
            && let (Ok(offset), Ok(size)) = (offset.parse::<usize>(), size.parse::<usize>())
        {
            let end = ends.entry(form).or_insert(0);
            assert_eq!(*end, offset, "a gap or an overlap: {row}");
            *end += size;
        }
    }
    let forms =
        [("envelope", Stamp::<u64>::ENVELOPE_BYTES), ("stamp", Stamp::<u64>::BYTES), ("time", Time::BYTES)];
    assert!(ends.into_iter().eq(forms));
}

#[test]
fn the_worked_examples_of_the_format_document_are_true() {
    let document = include_str!("../../FORMAT.md");
    let stamp = Time::new(1978).at_node(42);
    for (name, form) in [
        ("time", hex(&stamp.time().to_bytes())),
        ("stamp", hex(&stamp.to_bytes())),
        ("envelope", hex(&stamp.to_envelope())),
        ("text", stamp.to_string()),
    ] {
        let line = format!("{name:<9} {form}");
        assert!(document.lines().any(|other| other == line), "{line}");
    }
}

#[cfg(feature = "serde")]
mod serde {
    use super::*;

    fn stamp() -> Stamp<u64> {
        Time::new(u64::MAX).at_node(42)
    }

    #[test]
    fn formats_for_people_get_the_text() {
        let json = "\"ffffffffffffffff-000000000000002a\"";
        assert_eq!(serde_json::to_string(&stamp()).unwrap(), json);
        assert_eq!(serde_json::from_str::<Stamp<u64>>(json).unwrap(), stamp());
        let json = "\"00000000000007ba\"";
        assert_eq!(serde_json::to_string(&Time::new(1978)).unwrap(), json);
        assert_eq!(serde_json::from_str::<Time>(json).unwrap(), Time::new(1978));
        // With an escape, so that the reader cannot borrow the text from its input.
        assert_eq!(serde_json::from_str::<Time>("\"000000000000\\u003007ba\"").ok(), None);
        assert_eq!(serde_json::from_str::<Time>("\"0000000000000\\u003007\"").unwrap(), Time::new(7));
    }

    #[test]
    fn other_formats_get_integers() {
        let time = postcard::to_allocvec(&Time::new(300)).unwrap();
        assert_eq!(time, postcard::to_allocvec(&300_u64).unwrap());
        assert_eq!(postcard::from_bytes::<Time>(&time).unwrap(), Time::new(300));
        let bytes = postcard::to_allocvec(&stamp()).unwrap();
        assert_eq!(bytes, postcard::to_allocvec(&(u64::MAX, 42_u64)).unwrap());
        assert_eq!(postcard::from_bytes::<Stamp<u64>>(&bytes).unwrap(), stamp());
        for cut in 0..bytes.len() {
            assert!(postcard::from_bytes::<Stamp<u64>>(&bytes[..cut]).is_err(), "{cut} bytes");
        }
    }

    #[test]
    fn what_is_not_the_text_is_refused_with_what_was_expected() {
        for json in ["1978", "\"1978\"", "\"00000000000007BA\"", "null", "[0,0]", "{}", "-1", "1.5", "true"] {
            let why = serde_json::from_str::<Time>(json).unwrap_err().to_string();
            assert!(why.contains("expected 16 lower-case hexadecimal digits"), "{json}: {why}");
            let why = serde_json::from_str::<Stamp<u64>>(json).unwrap_err().to_string();
            assert!(why.contains("expected two groups of 16 lower-case hexadecimal digits"), "{json}: {why}");
        }
    }

    /// A format that is not for people, and that hands over sequences of any length as they are.
    struct Sequence(&'static [u64]);

    impl<'de> serde_core::Deserializer<'de> for Sequence {
        type Error = serde_core::de::value::Error;

        fn is_human_readable(&self) -> bool {
            false
        }

        fn deserialize_any<V: serde_core::de::Visitor<'de>>(
            self,
            visitor: V,
        ) -> Result<V::Value, Self::Error> {
            visitor.visit_seq(serde_core::de::value::SeqDeserializer::new(self.0.iter().copied()))
        }

        serde_core::forward_to_deserialize_any! {
            bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
            unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
        }
    }

    #[test]
    fn a_sequence_of_another_length_is_no_stamp() {
        let read = |parts| <Stamp<u64> as serde_core::Deserialize>::deserialize(Sequence(parts));
        assert_eq!(read(&[7, 3]).unwrap(), Time::new(7).at_node(3));
        for (parts, length) in [(&[][..], 0), (&[7][..], 1), (&[7, 3, 0][..], 3)] {
            let why = read(parts).unwrap_err().to_string();
            assert_eq!(why, format!("invalid length {length}, expected a time and a node"));
        }
    }
}

//! The bytes, the text and the serde forms have not changed.

use core::fmt::Write as _;

use epoch_fence::{DecodeError, Epoch, FencingToken, Field, GrantId, RealmId, ResourceId};

/// The cases of a vector file, with the line number for messages.
fn cases(file: &str) -> Vec<(usize, &str)> {
    let cases: Vec<_> = (1..).zip(file.lines()).filter(|(_, line)| !line.starts_with('#')).collect();
    assert!(cases.len() > 5);
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

fn field(name: &str) -> Field {
    match name {
        "realm" => Field::Realm,
        "epoch" => Field::Epoch,
        "grant" => Field::Grant,
        _ => panic!("{name}"),
    }
}

/// What a file says about a form that is refused.
fn refusal(words: &[&str], expected: usize) -> DecodeError {
    match words {
        ["version", found] => DecodeError::Version { found: found.parse().unwrap() },
        ["critical", flags] => DecodeError::UnknownCritical { flags: u8::from_str_radix(flags, 16).unwrap() },
        ["length", found] => DecodeError::Length { found: found.parse().unwrap(), expected },
        ["zero", name] => DecodeError::Zero { field: field(name) },
        ["digit", at] => DecodeError::Digit { at: at.parse().unwrap() },
        ["separator", at] => DecodeError::Separator { at: at.parse().unwrap() },
        _ => panic!("{words:?}"),
    }
}

#[test]
fn resources_have_the_recorded_ids() {
    for (line, case) in cases(include_str!("../vectors/resource.txt")) {
        let [text, namespace, name] = case.split(' ').collect::<Vec<_>>()[..] else { panic!("line {line}") };
        let id = ResourceId::of(bytes(namespace), bytes(name));
        assert_eq!(id.to_string(), text, "line {line}");
        assert_eq!(text.parse(), Ok(id), "line {line}");
        assert_eq!(hex(&id.to_bytes()), text, "line {line}");
    }
}

#[test]
fn tokens_are_read_or_refused_as_recorded() {
    for (line, case) in cases(include_str!("../vectors/token.txt")) {
        let words: Vec<_> = case.split(' ').collect();
        let read = FencingToken::from_bytes(&bytes(words[0]));
        if let ["token", realm, resource, epoch, grant, flags] = words[1..] {
            let token = read.unwrap();
            assert_eq!(token.realm(), realm.parse::<RealmId>().unwrap(), "line {line}");
            assert_eq!(token.resource(), resource.parse::<ResourceId>().unwrap(), "line {line}");
            assert_eq!(token.epoch(), epoch.parse::<Epoch>().unwrap(), "line {line}");
            assert_eq!(token.grant(), grant.parse::<GrantId>().unwrap(), "line {line}");
            assert_eq!(
                hex(&token.to_bytes()),
                words[0],
                "line {line}: unknown ignorable flags {flags} are kept"
            );
            assert_eq!(&words[0][2..4], flags, "line {line}");
            let known = FencingToken::new(token.realm(), token.resource(), token.epoch(), token.grant());
            assert_eq!(known == token, flags == "00", "line {line}");
        } else {
            assert_eq!(read, Err(refusal(&words[1..], FencingToken::BYTES)), "line {line}");
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
fn texts_are_read_or_refused_as_recorded() {
    for (line, case) in cases(include_str!("../vectors/text.txt")) {
        let (text, meaning) = case.strip_prefix('"').unwrap().split_once("\" ").unwrap();
        let (text, words) = (unescape(text), meaning.split(' ').collect::<Vec<_>>());
        let read = text.parse::<FencingToken>();
        if let ["token", flags] = words[..] {
            let token = read.unwrap();
            assert_eq!(token.to_string(), text, "line {line}");
            assert_eq!(hex(&token.to_bytes()), text.replace('-', ""), "line {line}");
            assert_eq!(&text[2..4], flags, "line {line}");
        } else {
            assert_eq!(read, Err(refusal(&words, FencingToken::TEXT_BYTES)), "line {line}");
        }
    }
}

#[test]
fn every_version_but_one_every_critical_flag_and_every_length_but_one_is_refused() {
    for version in 0..=u8::MAX {
        for flags in 0..=u8::MAX {
            for length in [0, 1, 2, 73, 74, 75] {
                let mut form = vec![7; length];
                form.iter_mut().zip([version, flags]).for_each(|(byte, head)| *byte = head);
                let good = version == 1 && flags < 16 && length == FencingToken::BYTES;
                let read = FencingToken::from_bytes(&form);
                assert_eq!(read.is_ok(), good, "version {version}, flags {flags}, {length} bytes");
            }
        }
    }
}

#[test]
fn the_table_of_the_format_document_agrees_with_the_constants() {
    let document = include_str!("../../FORMAT.md");
    let mut end = 0;
    for row in document.lines().filter(|row| row.starts_with("| token | ")) {
        let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
        let (Ok(offset), Ok(size)) = (cells[1].parse::<usize>(), cells[2].parse::<usize>()) else { continue };
        assert_eq!(offset, end, "a gap or an overlap: {row}");
        end += size;
    }
    assert_eq!(end, FencingToken::BYTES);
    assert_eq!(FencingToken::TEXT_BYTES, 2 * FencingToken::BYTES + 4);
}

#[test]
fn the_worked_example_of_the_format_document_is_true() {
    let document = include_str!("../../FORMAT.md");
    let resource = ResourceId::of("billing", "ledger");
    let token = FencingToken::new(
        "00112233445566778899aabbccddeeff".parse().unwrap(),
        resource,
        "34".parse().unwrap(),
        "0123456789abcdef0123456789abcdef".parse().unwrap(),
    );
    for (name, form) in
        [("resource", resource.to_string()), ("token", hex(&token.to_bytes())), ("text", token.to_string())]
    {
        let line = format!("{name:<9} {form}");
        assert!(document.lines().any(|other| other == line), "{line}");
    }
}

#[cfg(feature = "serde")]
mod serde {
    use epoch_fence::HolderId;

    use super::*;
    use crate::values::token;

    #[test]
    fn formats_for_people_get_the_text() {
        let text = serde_json::to_string(&token(3)).unwrap();
        assert_eq!(text, format!("\"{}\"", token(3)));
        assert_eq!(serde_json::from_str::<FencingToken>(&text).unwrap(), token(3));
        assert_eq!(serde_json::to_string(&Epoch::MAX).unwrap(), "\"18446744073709551615\"");
        assert_eq!(serde_json::from_str::<Epoch>("\"34\"").unwrap().get(), 34);
        let holder: HolderId = serde_json::from_str("\"db-7\"").unwrap();
        assert_eq!(serde_json::to_string(&holder).unwrap(), "\"db-7\"");
        for refused in ["34", "\"0\"", "\"034\"", "null", "-1", "[]"] {
            assert!(serde_json::from_str::<Epoch>(refused).is_err(), "{refused}");
            assert!(serde_json::from_str::<FencingToken>(refused).is_err(), "{refused}");
        }
        assert!(serde_json::from_str::<HolderId>("\"\\u001b[2J\"").is_err());
    }

    #[test]
    fn a_refusal_says_what_was_expected() {
        fn said<T: serde_core::de::DeserializeOwned + core::fmt::Debug>(json: &str) -> String {
            serde_json::from_str::<T>(json).unwrap_err().to_string()
        }
        for (said, expected) in [
            (said::<RealmId>("1"), "a realm id"),
            (said::<GrantId>("1"), "a grant id"),
            (said::<ResourceId>("1"), "a resource id"),
            (said::<FencingToken>("1"), "a fencing token"),
            (said::<Epoch>("1"), "an epoch in decimal digits"),
            (said::<HolderId>("1"), "1 to 64 bytes without control characters"),
        ] {
            assert!(
                said.starts_with(&format!("invalid type: integer `1`, expected {expected} at")),
                "{said}"
            );
        }
    }

    /// A format that is not for people, and holds a number.
    struct Number;

    impl<'de> serde_core::Deserializer<'de> for Number {
        type Error = serde_core::de::value::Error;

        fn deserialize_any<V: serde_core::de::Visitor<'de>>(
            self,
            visitor: V,
        ) -> Result<V::Value, Self::Error> {
            visitor.visit_u64(1)
        }

        fn is_human_readable(&self) -> bool {
            false
        }

        serde_core::forward_to_deserialize_any! {
            bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
            unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
        }
    }

    #[test]
    fn a_number_in_the_place_of_bytes_is_refused_with_what_was_expected() {
        use serde_core::Deserialize as _;

        let refused = FencingToken::deserialize(Number).unwrap_err().to_string();
        assert_eq!(refused, "invalid type: integer `1`, expected the bytes of a fencing token");
        assert_eq!(Epoch::deserialize(Number).unwrap(), Epoch::FIRST, "an epoch is a number there");
    }

    #[test]
    fn other_formats_get_numbers_and_bytes() {
        let written = postcard::to_allocvec(&token(300)).unwrap();
        assert_eq!(written[0], 74);
        assert_eq!(written[1..], token(300).to_bytes());
        assert_eq!(postcard::from_bytes::<FencingToken>(&written).unwrap(), token(300));
        let number = postcard::to_allocvec(&token(300).epoch()).unwrap();
        assert_eq!(number, postcard::to_allocvec(&300_u64).unwrap());
        assert_eq!(postcard::from_bytes::<Epoch>(&number).unwrap().get(), 300);
        assert!(postcard::from_bytes::<Epoch>(&[0]).is_err());
        for cut in 0..written.len() {
            assert!(postcard::from_bytes::<FencingToken>(&written[..cut]).is_err(), "{cut} bytes");
        }
        let grant = postcard::to_allocvec(&token(300).grant()).unwrap();
        assert_eq!(postcard::from_bytes::<GrantId>(&grant).unwrap(), token(300).grant());
        assert!(postcard::from_bytes::<GrantId>(&[15; 16]).is_err(), "fifteen bytes are no grant");
        let resource = postcard::to_allocvec(&token(300).resource()).unwrap();
        assert_eq!(postcard::from_bytes::<ResourceId>(&resource).unwrap(), token(300).resource());
        assert!(postcard::from_bytes::<RealmId>(&[0; 17]).is_err());
    }
}

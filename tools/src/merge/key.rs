//! `Key`: what lines are ordered by, and the forms in which it stands in them.

use core::fmt;

use hlc::{Stamp, Timestamp};
use uuid::Uuid;

/// A timestamp and a node, as one number: the order of stamps is its order.
///
/// A timestamp without a node goes before the stamps of all nodes at that timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key(u128);

/// The forms of a stamp in a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Two groups of 16 digits, and `-` between them.
    Stamp,
    /// Five groups of digits.
    Uuid,
    /// 16 digits.
    Timestamp,
}

impl Form {
    /// The longest first: the text of a stamp begins with that of a timestamp.
    const ALL: [Self; 3] = [Self::Uuid, Self::Stamp, Self::Timestamp];

    const fn len(self) -> usize {
        match self {
            Self::Stamp => <Stamp>::TEXT_LEN,
            Self::Uuid => uuid::fmt::Hyphenated::LENGTH,
            Self::Timestamp => Timestamp::TEXT_LEN,
        }
    }

    /// Reads exactly this form.
    #[inline]
    fn read(self, text: &[u8]) -> Option<Key> {
        let bits = match self {
            Self::Stamp => <Stamp>::from_text(text).ok()?.to_u128(),
            // Of the forms that a UUID may have, the length leaves this one.
            Self::Uuid if text.len() == self.len() => {
                Stamp::from_uuid(Uuid::try_parse_ascii(text).ok()?).ok()?.to_u128()
            }
            Self::Uuid => return None,
            Self::Timestamp => u128::from(Timestamp::from_text(text).ok()?.to_bits()) << u64::BITS,
        };
        Some(Key(bits))
    }

    /// Reads the form where `text` begins with it, and goes on with something else than more of a word.
    #[inline]
    fn read_at_start(self, text: &[u8]) -> Option<Key> {
        let (stamp, rest) = text.split_at_checked(self.len())?;
        match rest.first() {
            Some(byte) if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') => None,
            _ => self.read(stamp),
        }
    }
}

/// Which form the stamps of one log have. The first that is found decides: a line of digits in what belongs to a line
/// before it, as of a dump of memory, is then no stamp of another form.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Decided(Option<Form>);

impl Decided {
    /// Reads a stamp that is the whole text.
    pub(super) fn read(&mut self, text: &[u8]) -> Option<Key> {
        self.with(|form| form.read(text))
    }

    /// Reads the stamp that `text` begins with.
    #[inline]
    pub(super) fn read_at_start(&mut self, text: &[u8]) -> Option<Key> {
        self.with(|form| form.read_at_start(text))
    }

    #[inline]
    fn with(&mut self, read: impl Fn(Form) -> Option<Key>) -> Option<Key> {
        if let Some(form) = self.0 {
            return read(form);
        }
        let (form, key) = Form::ALL.into_iter().find_map(|form| read(form).map(|key| (form, key)))?;
        self.0 = Some(form);
        Some(key)
    }

    /// How a key stood in the log.
    pub(super) const fn shown(self, key: Key) -> Shown {
        let form = match self.0 {
            Some(form) => form,
            None => Form::Stamp,
        };
        Shown { key, form }
    }
}

/// A stamp as it stands in a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shown {
    key: Key,
    form: Form,
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Key(bits) = self.key;
        match (self.form, <Stamp>::from_u128(bits)) {
            (Form::Stamp, Ok(stamp)) => stamp.fmt(f),
            (Form::Uuid, Ok(stamp)) => stamp.to_uuid().fmt(f),
            (Form::Timestamp, Ok(stamp)) => stamp.timestamp().fmt(f),
            // No key is made of anything else.
            (_, Err(why)) => why.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString as _;

    const STAMP: &str = "018bcfe568000007-000000000000002a";
    const UUID: &str = "018bcfe5-6800-7000-9c00-00000000002a";
    const TIMESTAMP: &str = "018bcfe568000007";

    #[test]
    fn each_form_is_read_and_shown_as_it_stood() {
        let mut keys = Vec::new();
        for text in [STAMP, UUID, TIMESTAMP] {
            let mut decided = Decided::default();
            let key = decided.read(text.as_bytes()).unwrap();
            assert_eq!(decided.shown(key).to_string(), text);
            assert_eq!(Decided::default().read_at_start(text.as_bytes()), Some(key));
            assert_eq!(Decided::default().read_at_start(format!("{text} and more").as_bytes()), Some(key));
            for more in ["-", "0", "g", "_", "-000000000000002"] {
                let text = format!("{text}{more}");
                assert_eq!(Decided::default().read(text.as_bytes()), None, "{text}");
                assert_eq!(Decided::default().read_at_start(text.as_bytes()), None, "{text}");
            }
            keys.push(key);
        }
        assert_eq!(keys[0], keys[1]);
        assert!(keys[2] < keys[0], "a timestamp goes before the stamps of its nodes");
    }

    #[test]
    fn what_is_no_stamp_has_no_key() {
        for text in [
            "",
            "018BCFE568000007",
            "0000000000000000",
            "0000000000000000-000000000000002a",
            "018bcfe568000007-0400000000000000",
            "018bcfe5-6800-4000-9c00-00000000002a",
            "{018bcfe568007000-9c00000000000002a}",
        ] {
            assert_eq!(Decided::default().read(text.as_bytes()), None, "{text}");
            assert_eq!(Decided::default().read_at_start(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn the_first_stamp_of_a_log_decides_which_form_the_others_have() {
        let mut decided = Decided::default();
        assert!(decided.read_at_start(STAMP.as_bytes()).is_some());
        assert_eq!(decided.read_at_start(b"deadbeefdeadbeef 00 00 00"), None);
        assert_eq!(decided.read_at_start(UUID.as_bytes()), None);
        assert!(decided.read_at_start(STAMP.as_bytes()).is_some());
    }
}

//! The golden vectors of `tests/vectors`, read.

use hlc::{NodeId, Packed, Stamp, Timestamp, layout::Layout};

/// One line: the bytes, and what they are.
#[derive(Debug)]
pub(crate) struct Case {
    /// The line itself, for messages.
    pub(crate) line: &'static str,
    pub(crate) bytes: Vec<u8>,
    words: Vec<&'static str>,
}

/// The cases of a file, after a look at whether it has both valid and invalid ones.
pub(crate) fn cases(file: &'static str) -> Vec<Case> {
    let cases: Vec<_> = file.lines().filter(|line| !line.starts_with('#')).map(Case::read).collect();
    assert!(cases.iter().any(|case| case.refused().is_some()), "no invalid case");
    assert!(cases.iter().any(|case| case.refused().is_none()), "no valid case");
    cases
}

impl Case {
    fn read(line: &'static str) -> Self {
        let (hex, words) = line.split_once(' ').expect("hex, then meaning");
        let hex = if hex == "-" { "" } else { hex };
        let bytes = hex.as_bytes().chunks(2).map(|two| {
            let two = str::from_utf8(two).unwrap();
            u8::from_str_radix(two, 16).unwrap_or_else(|error| panic!("{error} in {line}"))
        });
        Self { line, bytes: bytes.collect(), words: words.split(' ').collect() }
    }

    fn value(&self, name: &str) -> Option<&'static str> {
        self.words.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
    }

    /// The number that the line gives `name`.
    pub(crate) fn number(&self, name: &str) -> u64 {
        let value = self.value(name).unwrap_or_else(|| panic!("no {name} in {}", self.line));
        value.parse().unwrap_or_else(|error| panic!("{error} in {}", self.line))
    }

    /// Why the bytes are refused, or `None` where they are read.
    pub(crate) fn refused(&self) -> Option<&'static str> {
        self.value("refused")
    }

    /// Whether the first word after the bytes is `form`.
    pub(crate) fn is(&self, form: &str) -> bool {
        self.words.first() == Some(&form)
    }

    pub(crate) fn timestamp(&self) -> Timestamp {
        parts(self.number("physical"), self.number("counter"))
    }

    pub(crate) fn node(&self) -> NodeId {
        NodeId::new(self.number("node")).unwrap()
    }

    pub(crate) fn stamp(&self) -> Stamp {
        self.timestamp().at_node(self.node())
    }
}

/// A timestamp of parts that fit.
pub(crate) fn parts<L: Layout>(physical_units: u64, counter: u64) -> Packed<L> {
    Packed::from_parts(physical_units, u32::try_from(counter).unwrap()).unwrap()
}

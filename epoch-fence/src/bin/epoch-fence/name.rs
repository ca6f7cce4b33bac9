//! The names of resources: their ids are hashes, so the names are kept beside them, for people.

use core::fmt;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Read as _};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::Path;

use epoch_fence::ResourceId;
use epoch_fence::engine::file::Directory;

use crate::exit::{FAILED, Failure};
use crate::options::Target;

/// Its name, in the folder of the resource.
const FILE: &str = "name";
/// Its first line. Then the length of the namespace, a line feed, the namespace and the name.
const MAGIC: &[u8] = b"epoch-fence name 1\n";
/// More than any command line can bring.
const LONGEST: u64 = 1 << 20;

/// A namespace and a name: bytes, as the system's arguments are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) namespace: OsString,
    pub(crate) name: OsString,
}

impl Name {
    /// Makes a name; an empty one is most likely a variable that was not set.
    pub(crate) fn new(namespace: &OsStr, name: &OsStr) -> Result<Self, Failure> {
        if name.is_empty() {
            return Err(Failure::new(FAILED, "the name of the resource is empty"));
        }
        Ok(Self { namespace: namespace.into(), name: name.into() })
    }

    pub(crate) fn id(&self) -> ResourceId {
        ResourceId::of(self.namespace.as_bytes(), self.name.as_bytes())
    }

    fn to_bytes(&self) -> Vec<u8> {
        let length = format!("{}\n", self.namespace.len());
        [MAGIC, length.as_bytes(), self.namespace.as_bytes(), self.name.as_bytes()].concat()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(MAGIC)?;
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        let (length, rest) = rest.split_at_checked(end)?;
        let length = core::str::from_utf8(length).ok()?.parse().ok()?;
        let (namespace, name) = rest.get(1..)?.split_at_checked(length)?;
        Some(Self {
            namespace: OsString::from_vec(namespace.to_vec()),
            name: OsString::from_vec(name.to_vec()),
        })
    }

    /// Keeps the name in the folder of its resource, for those who look there.
    pub(crate) fn keep(&self, folder: &Path) -> io::Result<()> {
        if Self::of(folder, self.id()).as_ref() == Some(self) {
            return Ok(());
        }
        let temporary = folder.join(format!(".{FILE}.{}", std::process::id()));
        let written =
            fs::write(&temporary, self.to_bytes()).and_then(|()| fs::rename(&temporary, folder.join(FILE)));
        written.inspect_err(|_| {
            let _removed = fs::remove_file(&temporary);
        })
    }

    /// Reads the name in a folder, if it is the one of that resource: the id proves it.
    pub(crate) fn of(folder: &Path, id: ResourceId) -> Option<Self> {
        let mut bytes = Vec::new();
        fs::File::open(folder.join(FILE)).ok()?.take(LONGEST).read_to_end(&mut bytes).ok()?;
        Self::from_bytes(&bytes).filter(|name| name.id() == id)
    }
}

/// A text in quotes that cannot rewrite the terminal that shows it, nor end early.
pub(crate) fn harmless(text: &OsStr) -> impl fmt::Display {
    format!("\"{}\"", text.to_string_lossy().escape_debug())
}

/// A message of several lines without anything that a terminal obeys.
pub(crate) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\n' | '"' | '\'' | '\\' => plain.push(letter),
            _ => plain.extend(letter.escape_debug()),
        }
    }
    plain
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.namespace.is_empty() {
            write!(f, "{} / ", harmless(&self.namespace))?;
        }
        harmless(&self.name).fmt(f)
    }
}

impl Target {
    /// The directory and a resource in it that somebody wrote once, and how to call it in a message. Any other is most
    /// likely a mistake in its name.
    pub(crate) fn open(&self) -> Result<(Directory, ResourceId, String), Failure> {
        let (id, shown) = self.resource()?;
        let directory = self.place.open()?;
        if directory.folder(id).is_dir() {
            Ok((directory, id, shown))
        } else {
            Err(Failure::new(FAILED, "nobody ever acquired it in this directory").during(shown))
        }
    }

    /// The resource, and how to call it in a message.
    pub(crate) fn resource(&self) -> Result<(ResourceId, String), Failure> {
        match (&self.which.resource, self.which.id) {
            (Some(name), _) => {
                let name = Name::new(&self.namespace.namespace, name)?;
                Ok((name.id(), name.to_string()))
            }
            (None, Some(id)) => Ok((id, id.to_string())),
            (None, None) => Err(Failure::new(FAILED, "say --resource or --id")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_as_it_was_kept() {
        for (namespace, name) in
            [("", "a"), ("a", "\n"), ("1\n2", "x/y z"), ("", "\u{1b}[2J"), ("\u{e4}", "\u{202e}")]
        {
            let name = Name::new(namespace.as_ref(), name.as_ref()).unwrap();
            assert_eq!(Name::from_bytes(&name.to_bytes()), Some(name));
        }
        let bytes = Name { namespace: "abc".into(), name: OsString::from_vec(vec![0xff, 0]) }.to_bytes();
        for length in 0..bytes.len() - 2 {
            assert_eq!(Name::from_bytes(&bytes[..length]), None, "{length} bytes");
        }
        assert_eq!(Name::from_bytes(b"epoch-fence name 1\n99999999999999999999\nab"), None);
        assert_eq!(Name::from_bytes(b"epoch-fence name 1\n3\nab"), None);
    }

    #[test]
    fn what_is_shown_has_nothing_that_a_terminal_obeys() {
        let shown = harmless("a\u{1b}[2J\r\u{7}\u{202e}\u{9b}\u{e4}".as_ref()).to_string();
        assert_eq!(shown, "\"a\\u{1b}[2J\\r\\u{7}\\u{202e}\\u{9b}\u{e4}\"");
        assert_eq!(plain("it's \"a\\b\"\n\u{1b}\u{202e}\u{e4}"), "it's \"a\\b\"\n\\u{1b}\\u{202e}\u{e4}");
    }
}

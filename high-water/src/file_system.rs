//! `FileSystemName`: what the system calls a kind of file system.

use core::fmt;

/// What the system calls a kind of file system: `ext4`, `fuse.sshfs`. Where it tells no name it is the number of
/// `statfs` in hex, as `0x6969`.
///
/// A refusal brings it, and [`Options::allow_file_system`](crate::Options::allow_file_system) takes it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct FileSystemName {
    bytes: [u8; Self::MAX_LEN],
    len: u8,
}

impl FileSystemName {
    /// The longest name, in bytes.
    pub const MAX_LEN: usize = 31;

    /// A name as a refusal shows it; `None` for one that no file system can have: empty, longer than
    /// [`MAX_LEN`](Self::MAX_LEN), or with anything but visible ASCII in it.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        let mut bytes = [0; Self::MAX_LEN];
        bytes.get_mut(..name.len())?.copy_from_slice(name.as_bytes());
        let visible = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic());
        visible.then_some(Self { bytes, len: u8::try_from(name.len()).ok()? })
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.bytes.get(..self.len.into()).and_then(|name| core::str::from_utf8(name).ok()).unwrap_or_default()
    }
}

impl fmt::Display for FileSystemName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for FileSystemName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileSystemName({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_kept_whole_or_not_at_all() {
        let longest = "fuse.a-name-of-thirty-one-bytes";
        assert_eq!(longest.len(), FileSystemName::MAX_LEN);
        for name in ["ext4", "0x6969", longest] {
            assert_eq!(FileSystemName::new(name).unwrap().as_str(), name);
        }
        for none in ["", "fuse.a-name-of-thirty-two-bytes.", "two words", "line\n", "\u{e9}"] {
            assert_eq!(FileSystemName::new(none), None, "{none:?}");
        }
    }
}

//! `Input`: a file, or the standard input, as it is or out of gzip.

use alloc::{boxed::Box, string::String, sync::Arc, vec::Vec};
use core::fmt;
use std::fs::File;
use std::io::{self, BufReader, Chain, Cursor, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use crate::ReadError;

/// The first bytes of a gzip (RFC 1952, section 2.3.1).
const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// What stands between a file and its decoder.
const BUFFER: usize = 64 * 1024;

/// What is read from: bytes as they are, or those in a gzip, which is told by how it begins and not by its name.
///
/// A gzip of several members is read to its last, as those are that were appended to. Where its bytes are wrong it ends, and
/// what stood just before them may be lost with them; where it was cut, all before is read. Memory does not depend on what is
/// read. It does not buffer: what reads line by line puts a [`BufReader`] around it.
///
/// ```
/// use clock_tools::Input;
/// use std::io::Read as _;
///
/// let mut text = String::new();
/// Input::over("a.log", &b"one line\n"[..])?.read_to_string(&mut text)?;
/// assert_eq!(text, "one line\n");
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Input {
    name: Arc<str>,
    body: Body,
    size: Option<u64>,
}

/// The source behind the bytes by which the kind was told.
type Whole = Chain<Cursor<Vec<u8>>, Counted>;

enum Body {
    Plain(Whole),
    // A decoder is large.
    Gzip(Box<MultiGzDecoder<BufReader<Whole>>>),
}

impl Input {
    /// What stands for the standard input in place of a file's name.
    pub const STDIN: &str = "-";

    /// Opens a file, or the standard input where the path is [`STDIN`](Self::STDIN).
    ///
    /// # Errors
    ///
    /// [`ReadError`] where it cannot be opened, or its first bytes not be read.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        let name: Arc<str> = path.to_string_lossy().into();
        let open = || {
            if path.as_os_str() == Self::STDIN {
                return Self::over(Arc::clone(&name), io::stdin());
            }
            let file = File::open(path)?;
            // What is no file, as a pipe, has no size that would mean anything.
            let size = file.metadata().ok().filter(|about| about.is_file()).map(|about| about.len());
            Ok(Self { size, ..Self::over(Arc::clone(&name), file)? })
        };
        open().map_err(|why| ReadError::opening(Arc::clone(&name), why))
    }

    /// Reads from something else, and calls it by that name.
    ///
    /// # Errors
    ///
    /// That of `source`, where its first bytes cannot be read.
    pub fn over(name: impl Into<Arc<str>>, source: impl Read + Send + 'static) -> io::Result<Self> {
        let mut source = Counted { source: Box::new(source), count: 0 };
        let mut head = Vec::with_capacity(MAGIC.len());
        source.by_ref().take(MAGIC.len() as u64).read_to_end(&mut head)?;
        let is_gzip = head == MAGIC;
        let whole = Cursor::new(head).chain(source);
        let body = if is_gzip {
            Body::Gzip(Box::new(MultiGzDecoder::new(BufReader::with_capacity(BUFFER, whole))))
        } else {
            Body::Plain(whole)
        };
        Ok(Self { name: name.into(), body, size: None })
    }

    /// Returns its name.
    #[must_use]
    pub const fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Returns the bytes of the file, where it is one: of a gzip its own, not those that it unpacks to.
    #[must_use]
    pub const fn size(&self) -> Option<u64> {
        self.size
    }

    /// Returns how many of them were taken from the source.
    #[must_use]
    pub fn position(&self) -> u64 {
        let whole = match &self.body {
            Body::Plain(whole) => whole,
            Body::Gzip(decoder) => decoder.get_ref().get_ref(),
        };
        whole.get_ref().1.count
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.body {
            Body::Plain(whole) => whole.read(buffer),
            Body::Gzip(decoder) => decoder.read(buffer).map_err(unsound),
        }
    }
}

/// In words that say where it was.
fn unsound(why: io::Error) -> io::Error {
    let kind = why.kind();
    if kind == io::ErrorKind::UnexpectedEof {
        return io::Error::new(kind, "the gzip ends in the middle");
    }
    // What is wrong with the data; else it is the system that speaks, or an interruption, which is no error.
    if why.raw_os_error().is_none() && kind != io::ErrorKind::Interrupted {
        return io::Error::new(kind, String::from("not a sound gzip: ") + &why.to_string());
    }
    why
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_gzip = matches!(self.body, Body::Gzip(_));
        f.debug_struct("Input").field("name", &self.name).field("is_gzip", &is_gzip).finish_non_exhaustive()
    }
}

/// A source, and how many bytes it gave.
struct Counted {
    source: Box<dyn Read + Send>,
    count: u64,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.count = self.count.saturating_add(count as u64);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// Gives one byte at a time, as a slow pipe does.
    struct Slow(Cursor<Vec<u8>>);

    impl Read for Slow {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let one = buffer.len().min(1);
            self.0.read(&mut buffer[..one])
        }
    }

    fn read(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut input = Input::over("a", Slow(Cursor::new(bytes.to_vec())))?;
        let mut read = Vec::new();
        input.read_to_end(&mut read)?;
        assert_eq!(input.position(), bytes.len() as u64);
        Ok(read)
    }

    #[test]
    fn plain_bytes_come_as_they_are_however_few_there_are() {
        for bytes in [&b""[..], b"a", b"\x1f", b"\x1f\x8a", b"\x8b\x1f\x8b", b"text\n\0\xff"] {
            assert_eq!(read(bytes).unwrap(), bytes);
        }
    }

    #[test]
    fn a_gzip_is_unpacked_to_its_last_member() {
        assert_eq!(read(&gzip(b"")).unwrap(), b"");
        assert_eq!(read(&[gzip(b"one\n"), gzip(b""), gzip(b"two\n")].concat()).unwrap(), b"one\ntwo\n");
    }

    #[test]
    fn a_gzip_that_is_cut_anywhere_is_an_error_after_what_could_be_read() {
        let whole = gzip(b"one line and another line\n");
        for length in 2..whole.len() {
            let why = read(&whole[..length]).unwrap_err();
            assert_eq!(why.kind(), io::ErrorKind::UnexpectedEof, "{length}: {why}");
            assert_eq!(why.to_string(), "the gzip ends in the middle", "{length}");
        }
        let mut input = Input::over("a", Cursor::new(whole[..whole.len() - 8].to_vec())).unwrap();
        let mut read = Vec::new();
        input.read_to_end(&mut read).unwrap_err();
        assert_eq!(read, b"one line and another line\n");
    }

    #[test]
    fn a_gzip_with_any_bit_changed_is_an_error_or_what_it_was() {
        let text = b"one line and another line\n";
        let whole = gzip(text);
        let mut errors = 0;
        for bit in 16..whole.len() * 8 {
            let mut changed = whole.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            // The name, the time and the system in the header may be any.
            match Input::over("a", Cursor::new(changed)).and_then(|mut input| {
                let mut read = Vec::new();
                input.read_to_end(&mut read).map(|_| read)
            }) {
                Ok(read) => assert_eq!(read, text, "bit {bit}"),
                Err(_) => errors += 1,
            }
        }
        assert!(errors > 8 * text.len() / 2, "{errors}");
    }
}

//! Lines between parent and child: one JSON value each, bounded in length.

use core::fmt;
use std::io::{self, BufRead, Read as _, Write};

use serde::{Serialize, de::DeserializeOwned};

/// The longest line that is read: a batch of events is a tenth of it.
const MAX_BYTES: u64 = 256 * 1024;

/// Why a line is none.
#[derive(Debug)]
pub(crate) enum LineError {
    Io(io::Error),
    TooLong,
    /// The stream ended inside the line.
    Cut,
    Json(serde_json::Error),
}

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::TooLong => write!(f, "longer than {MAX_BYTES} bytes"),
            Self::Cut => f.write_str("it ends without a line end"),
            Self::Json(error) => error.fmt(f),
        }
    }
}

/// Writes `value` as one line, and flushes.
pub(crate) fn write(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    out.write_all(&line)?;
    out.flush()
}

/// Reads one line, or returns `None` at the end of the stream.
pub(crate) fn read<T: DeserializeOwned>(from: &mut impl BufRead) -> Result<Option<T>, LineError> {
    let mut line = Vec::new();
    from.by_ref().take(MAX_BYTES).read_until(b'\n', &mut line).map_err(LineError::Io)?;
    if line.is_empty() {
        return Ok(None);
    }
    if line.last() != Some(&b'\n') {
        let full = u64::try_from(line.len()).is_ok_and(|length| length >= MAX_BYTES);
        return Err(if full { LineError::TooLong } else { LineError::Cut });
    }
    serde_json::from_slice(&line).map(Some).map_err(LineError::Json)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_as_it_was_written_and_the_end_is_no_line() {
        let mut bytes = Vec::new();
        write(&mut bytes, &[1, 2]).unwrap();
        write(&mut bytes, &[3]).unwrap();
        let mut from = bytes.as_slice();
        assert_eq!(read::<Vec<u32>>(&mut from).unwrap(), Some(vec![1, 2]));
        assert_eq!(read::<Vec<u32>>(&mut from).unwrap(), Some(vec![3]));
        assert_eq!(read::<Vec<u32>>(&mut from).unwrap(), None);
    }

    #[test]
    fn a_line_without_end_is_refused_whether_it_is_short_or_endless() {
        assert!(matches!(read::<u32>(&mut b"12".as_slice()), Err(LineError::Cut)));
        let endless = vec![b'1'; usize::try_from(MAX_BYTES).unwrap() + 9];
        let mut from = endless.as_slice();
        assert!(matches!(read::<u32>(&mut from), Err(LineError::TooLong)));
        assert_eq!(from.len(), 9, "nothing beyond the limit is read");
        assert!(matches!(read::<u32>(&mut b"{]\n".as_slice()), Err(LineError::Json(_))));
    }
}

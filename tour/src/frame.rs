//! Frames: what any two processes send one another over a stream.
//!
//! ```text
//! offset  size  field
//!      0     4  N: bytes that follow, big-endian, 1 to MAX_CONTENT
//!      4     N  content: what it is, a scene says
//! ```

use core::time::Duration;
use std::{
    io::{self, Read},
    net::TcpStream,
};

use crate::deadline::Deadline;

/// Bytes of the length before each frame.
pub(crate) const LENGTH_BYTES: usize = 4;

/// The longest content that is read. No memory is taken for a longer one, whatever its length says.
pub(crate) const MAX_CONTENT: usize = 512;

/// How long a frame that was begun may take, whether its bytes come at once or one by one.
pub(crate) const FRAME_TIME: Duration = Duration::from_secs(1);

/// Why no more frames can be read from a stream: it is at no known place, and must be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FrameError {
    /// The frame says that it is empty, or longer than a frame may be.
    Length,
    /// The stream ended inside a frame.
    Cut,
    /// A frame that was begun was not ended in time, or none was begun before the deadline.
    Stalled,
}

/// Returns the frame of any content.
pub(crate) fn frame(content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap_or(u32::MAX);
    let mut frame = length.to_be_bytes().to_vec();
    frame.extend_from_slice(content);
    frame
}

/// A stream that can be told how long to wait.
pub(crate) trait TimedRead: Read {
    /// Sets how long the next reads wait; never called with zero.
    fn set_wait(&mut self, wait: Duration) -> io::Result<()>;
}

impl TimedRead for TcpStream {
    fn set_wait(&mut self, wait: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(wait))
    }
}

/// Reads one frame, waiting until `deadline` for it to begin, and returns its content, or `None` where the
/// stream ends between two frames.
pub(crate) fn read(from: &mut impl TimedRead, deadline: Deadline) -> Result<Option<Vec<u8>>, FrameError> {
    let mut length = [0; LENGTH_BYTES];
    let (first, rest) = length.split_at_mut(1);
    match fill(from, first, deadline) {
        Ok(()) => {}
        Err(FrameError::Cut) => return Ok(None),
        Err(error) => return Err(error),
    }
    let deadline = Deadline::after(FRAME_TIME);
    fill(from, rest, deadline)?;
    let length = usize::try_from(u32::from_be_bytes(length)).map_err(|_| FrameError::Length)?;
    if !(1..=MAX_CONTENT).contains(&length) {
        return Err(FrameError::Length);
    }
    let mut content = vec![0; length];
    fill(from, &mut content, deadline)?;
    Ok(Some(content))
}

/// Fills `buffer` before `deadline`. Each read waits only for what is left of the whole time, so that a peer
/// that sends a byte now and then gains nothing.
fn fill(from: &mut impl TimedRead, buffer: &mut [u8], deadline: Deadline) -> Result<(), FrameError> {
    let mut rest = buffer;
    while !rest.is_empty() {
        let wait = deadline.left();
        if wait.is_zero() {
            return Err(FrameError::Stalled);
        }
        from.set_wait(wait).map_err(|_| FrameError::Cut)?;
        match from.read(rest) {
            Ok(0) => return Err(FrameError::Cut),
            Ok(count) => rest = rest.get_mut(count..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                return Err(FrameError::Stalled);
            }
            Err(_) => return Err(FrameError::Cut),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that are there at once, and then the end.
    struct Bytes<'b>(&'b [u8]);

    impl Read for Bytes<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0.read(buffer)
        }
    }

    impl TimedRead for Bytes<'_> {
        fn set_wait(&mut self, wait: Duration) -> io::Result<()> {
            assert!(!wait.is_zero(), "a socket refuses a wait of zero");
            Ok(())
        }
    }

    /// A stream that never has a byte: every read waits until its time is over.
    struct Silence;

    impl Read for Silence {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::WouldBlock.into())
        }
    }

    impl TimedRead for Silence {
        fn set_wait(&mut self, _: Duration) -> io::Result<()> {
            Ok(())
        }
    }

    fn read_all(bytes: &[u8]) -> Result<Option<Vec<u8>>, FrameError> {
        read(&mut Bytes(bytes), Deadline::after(FRAME_TIME))
    }

    #[test]
    fn a_stream_may_end_between_frames_and_nowhere_else() {
        let whole = frame(&[7; 30]);
        assert_eq!(read_all(&[]), Ok(None));
        for length in 1..whole.len() {
            assert_eq!(read_all(&whole[..length]), Err(FrameError::Cut), "{length} bytes of {}", whole.len());
        }
        assert_eq!(read_all(&whole), Ok(Some(whole[LENGTH_BYTES..].to_vec())));
    }

    #[test]
    fn a_length_of_zero_or_above_the_limit_is_refused_before_anything_is_read() {
        let too_long = u32::try_from(MAX_CONTENT).unwrap() + 1;
        for length in [0, too_long, u32::MAX] {
            let mut stream = Bytes(&length.to_be_bytes()).0.to_vec();
            stream.resize(LENGTH_BYTES + MAX_CONTENT + 1, 1);
            let mut bytes = Bytes(&stream);
            assert_eq!(read(&mut bytes, Deadline::after(FRAME_TIME)), Err(FrameError::Length));
            assert_eq!(bytes.0.len(), MAX_CONTENT + 1, "only the length was read");
        }
        assert!(read_all(&frame(&[1; MAX_CONTENT])).is_ok());
    }

    #[test]
    fn silence_is_refused_when_its_time_is_over() {
        assert_eq!(read(&mut Silence, Deadline::after(Duration::ZERO)), Err(FrameError::Stalled));
        assert_eq!(read(&mut Silence, Deadline::after(FRAME_TIME)), Err(FrameError::Stalled));
    }
}

//! Frames: how messages travel, and every way in which one can be wrong.
//!
//! ```text
//! offset  size  field
//!      0     4  N: bytes that follow, big-endian, 1 to MAX_CONTENT
//!      4     1  H: bytes of the header
//!      5     H  header: the stamp envelope, 17 bytes
//!    5+H     8  body: node and place of the event of sending, big-endian
//! ```
//!
//! Everything is checked before anything is believed, and the clock is asked last.

use core::time::Duration;
use std::{
    io::{self, Read},
    net::TcpStream,
};

use hlc::Stamp;

use super::{event::EventId, refusal::Refusal};
use crate::deadline::Deadline;

/// Bytes of the length before each frame.
pub(crate) const LENGTH_BYTES: usize = 4;

/// The longest content that is read. No memory is taken for a longer one, whatever its length says.
pub(crate) const MAX_CONTENT: usize = 512;

/// Bytes of the body.
const BODY_BYTES: usize = 8;

/// How long a frame that was begun may take, whether its bytes come at once or one by one.
pub(crate) const FRAME_TIME: Duration = Duration::from_secs(1);

/// A message as it came from another process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) stamp: Stamp,
    pub(crate) event: EventId,
}

impl Message {
    /// Returns the whole frame.
    pub(crate) fn to_frame(self) -> Vec<u8> {
        frame(&content(&self.stamp.to_envelope(), self.event))
    }

    /// Reads the content of a frame.
    pub(crate) fn from_content(content: &[u8]) -> Result<Self, Refusal> {
        let (&header_bytes, rest) = content.split_first().ok_or(Refusal::FrameLength)?;
        let (header, body) = rest.split_at_checked(header_bytes.into()).ok_or(Refusal::HeaderOverrun)?;
        let stamp = Stamp::from_envelope(header)?;
        let body: [u8; BODY_BYTES] = body.try_into().map_err(|_| Refusal::Body)?;
        let [a, b, c, d, e, f, g, h] = body;
        let event =
            EventId { node: u32::from_be_bytes([a, b, c, d]), place: u32::from_be_bytes([e, f, g, h]) };
        Ok(Self { stamp, event })
    }
}

/// Returns the content with any header, right or wrong.
pub(crate) fn content(header: &[u8], event: EventId) -> Vec<u8> {
    let mut content = vec![u8::try_from(header.len()).unwrap_or(u8::MAX)];
    content.extend_from_slice(header);
    content.extend_from_slice(&event.node.to_be_bytes());
    content.extend_from_slice(&event.place.to_be_bytes());
    content
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
///
/// After a refusal the stream is at no known place, and must be closed.
pub(crate) fn read(from: &mut impl TimedRead, deadline: Deadline) -> Result<Option<Vec<u8>>, Refusal> {
    let mut length = [0; LENGTH_BYTES];
    let (first, rest) = length.split_at_mut(1);
    match fill(from, first, deadline) {
        Ok(()) => {}
        Err(Refusal::Cut) => return Ok(None),
        Err(refusal) => return Err(refusal),
    }
    let deadline = Deadline::after(FRAME_TIME);
    fill(from, rest, deadline)?;
    let length = usize::try_from(u32::from_be_bytes(length)).map_err(|_| Refusal::FrameLength)?;
    if !(1..=MAX_CONTENT).contains(&length) {
        return Err(Refusal::FrameLength);
    }
    let mut content = vec![0; length];
    fill(from, &mut content, deadline)?;
    Ok(Some(content))
}

/// Fills `buffer` before `deadline`. Each read waits only for what is left of the whole time, so that a peer
/// that sends a byte now and then gains nothing.
fn fill(from: &mut impl TimedRead, buffer: &mut [u8], deadline: Deadline) -> Result<(), Refusal> {
    let mut rest = buffer;
    while !rest.is_empty() {
        let wait = deadline.left();
        if wait.is_zero() {
            return Err(Refusal::Stalled);
        }
        from.set_wait(wait).map_err(|_| Refusal::Cut)?;
        match from.read(rest) {
            Ok(0) => return Err(Refusal::Cut),
            Ok(count) => rest = rest.get_mut(count..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                return Err(Refusal::Stalled);
            }
            Err(_) => return Err(Refusal::Cut),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use hlc::{NodeId, Timestamp};
    use proptest::prelude::*;

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

    fn read_all(bytes: &[u8]) -> Result<Option<Vec<u8>>, Refusal> {
        read(&mut Bytes(bytes), Deadline::after(FRAME_TIME))
    }

    fn message(bits: u64, node: u64, event: EventId) -> Message {
        Message { stamp: Timestamp::from_bits(bits).unwrap().at_node(NodeId::new(node).unwrap()), event }
    }

    #[test]
    fn a_stream_may_end_between_frames_and_nowhere_else() {
        let whole = message(7, 1, EventId { node: 1, place: 2 }).to_frame();
        assert_eq!(read_all(&[]), Ok(None));
        for length in 1..whole.len() {
            assert_eq!(read_all(&whole[..length]), Err(Refusal::Cut), "{length} bytes of {}", whole.len());
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
            assert_eq!(read(&mut bytes, Deadline::after(FRAME_TIME)), Err(Refusal::FrameLength));
            assert_eq!(bytes.0.len(), MAX_CONTENT + 1, "only the length was read");
        }
        assert!(read_all(&frame(&[1; MAX_CONTENT])).is_ok());
    }

    #[test]
    fn silence_is_refused_when_its_time_is_over() {
        assert_eq!(read(&mut Silence, Deadline::after(Duration::ZERO)), Err(Refusal::Stalled));
        assert_eq!(read(&mut Silence, Deadline::after(FRAME_TIME)), Err(Refusal::Stalled));
    }

    proptest! {
        #[test]
        fn a_message_comes_back_as_it_was_sent(
            bits in 1..=u64::MAX, id in 0..1_u64 << NodeId::BITS, node: u32, place: u32,
        ) {
            let sent = message(bits, id, EventId { node, place });
            let content = read_all(&sent.to_frame()).unwrap().unwrap();
            prop_assert_eq!(Message::from_content(&content), Ok(sent));
        }

        #[test]
        fn any_content_is_a_message_that_writes_the_same_bytes_or_a_refusal(
            start in prop_oneof![Just(vec![]), Just(vec![17, 1]), Just(vec![17])],
            rest in proptest::collection::vec(any::<u8>(), 0..40),
        ) {
            let content = [start, rest].concat();
            if let Ok(message) = Message::from_content(&content) {
                prop_assert_eq!(message.to_frame(), frame(&content));
            }
        }
    }
}

//! `Message`: what is in a frame, and every way in which it can be wrong.
//!
//! ```text
//! offset  size  field
//!      0     1  H: bytes of the header
//!      1     H  header: the stamp envelope, 17 bytes
//!    1+H     8  body: node and place of the event of sending, big-endian
//! ```
//!
//! Everything is checked before anything is believed, and the clock is asked last.

use hlc::Stamp;

use super::{event::EventId, refusal::Refusal};
use crate::frame::frame;

/// Bytes of the body.
const BODY_BYTES: usize = 8;

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

#[cfg(test)]
mod tests {
    use super::*;
    use hlc::{NodeId, Timestamp};
    use proptest::prelude::*;

    use crate::frame::LENGTH_BYTES;

    fn message(bits: u64, node: u64, event: EventId) -> Message {
        Message { stamp: Timestamp::from_bits(bits).unwrap().at_node(NodeId::new(node).unwrap()), event }
    }

    proptest! {
        #[test]
        fn a_message_comes_back_as_it_was_sent(
            bits in 1..=u64::MAX, id in 0..1_u64 << NodeId::BITS, node: u32, place: u32,
        ) {
            let sent = message(bits, id, EventId { node, place });
            prop_assert_eq!(Message::from_content(&sent.to_frame()[LENGTH_BYTES..]), Ok(sent));
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

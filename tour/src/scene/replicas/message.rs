//! `Message`: a write on its way from the replica that took it to another.
//!
//! ```text
//! offset  size  field
//!      0     1  S: bytes of the stamp
//!      1     S  stamp of the sending, which is the name of the write too
//!    1+S     1  C: bytes of the context
//!    2+S     C  context: the vector that the client had read
//!  2+S+C     1  D: bytes of the diary's stamp
//!  3+S+C     D  stamp of the event in the sender's diary
//! 3+S+C+D    4  the write's number, big-endian
//! 7+S+C+D    8  what the wall clock read, in nanoseconds since the Unix epoch, big-endian
//! ```

use core::fmt;

use vector_clock::{Causal, DecodeError, Heap, Limits, Stamp, VersionVector};

use super::cast::REPLICAS;

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Value {
    /// The number of the write.
    pub(crate) write: u32,
    /// No guarantee reads it: it is what last-writer-wins would go by.
    pub(crate) wall_nanos: u64,
}

/// A write on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    /// The event of its sending: the buffer delivers by it.
    pub(crate) stamp: Stamp<u32, Heap>,
    /// What the client had seen: the write replaces that.
    pub(crate) context: VersionVector<u32, Heap>,
    /// What the sender wrote into its diary. It is for the drawing alone: no replica acts on it.
    pub(crate) diary: Stamp<u32, Heap>,
    pub(crate) value: Value,
}

impl Causal for Message {
    type Actor = u32;
    type Storage = Heap;

    fn stamp(&self) -> &Stamp<u32, Heap> {
        &self.stamp
    }
}

/// Why bytes are no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MessageError {
    /// The bytes end too early, or go on after the end.
    Length,
    /// The stamp or the context is none.
    Clock(DecodeError),
}

impl fmt::Display for MessageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length => f.write_str("message has another length"),
            Self::Clock(error) => error.fmt(f),
        }
    }
}

impl From<DecodeError> for MessageError {
    fn from(error: DecodeError) -> Self {
        Self::Clock(error)
    }
}

/// What is accepted of stamps and contexts.
fn limits() -> Limits {
    Limits::new().with_max_entries(usize::try_from(REPLICAS).unwrap_or(usize::MAX))
}

/// Reads a context that a client or a replica gives.
pub(crate) fn decode_context(bytes: &[u8]) -> Result<VersionVector<u32, Heap>, DecodeError> {
    VersionVector::decode(bytes, &limits())
}

/// Reads a stamp that a replica gives.
pub(crate) fn decode_stamp(bytes: &[u8]) -> Result<Stamp<u32, Heap>, DecodeError> {
    Stamp::decode(bytes, &limits())
}

impl Message {
    pub(crate) fn to_content(&self) -> Vec<u8> {
        let mut content = Vec::new();
        for clock in [self.stamp.to_bytes(), self.context.to_bytes(), self.diary.to_bytes()] {
            // A clock of three replicas has less than 64 bytes.
            content.push(u8::try_from(clock.len()).unwrap_or(u8::MAX));
            content.extend_from_slice(&clock);
        }
        content.extend_from_slice(&self.value.write.to_be_bytes());
        content.extend_from_slice(&self.value.wall_nanos.to_be_bytes());
        content
    }

    pub(crate) fn from_content(content: &[u8]) -> Result<Self, MessageError> {
        let (stamp, rest) = split(content)?;
        let (context, rest) = split(rest)?;
        let (diary, rest) = split(rest)?;
        let rest: [u8; 12] = rest.try_into().map_err(|_| MessageError::Length)?;
        let [a, b, c, d, wall @ ..] = rest;
        Ok(Self {
            stamp: decode_stamp(stamp)?,
            context: decode_context(context)?,
            diary: decode_stamp(diary)?,
            value: Value { write: u32::from_be_bytes([a, b, c, d]), wall_nanos: u64::from_be_bytes(wall) },
        })
    }
}

/// The bytes behind a length byte, and what follows them.
fn split(content: &[u8]) -> Result<(&[u8], &[u8]), MessageError> {
    let (&bytes, rest) = content.split_first().ok_or(MessageError::Length)?;
    rest.split_at_checked(bytes.into()).ok_or(MessageError::Length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use vector_clock::{Dot, MAX_COUNTER};

    fn vector(counters: [u64; 3]) -> VersionVector<u32, Heap> {
        let dots = (0..).zip(counters).filter_map(|(replica, counter)| Dot::try_new(replica, counter).ok());
        VersionVector::from_sorted(dots).unwrap()
    }

    proptest! {
        #[test]
        fn a_message_comes_back_as_it_was_sent(
            own in 0..REPLICAS, known: [u32; 3], seen: [u32; 3], write: u32, wall_nanos: u64, is_long: bool,
        ) {
            let widen = |counter: u32| if is_long { MAX_COUNTER.saturating_sub(counter.into()) } else { counter.into() };
            let mut known = vector(known.map(widen));
            let _ = known.tick(own);
            let stamp = Stamp::try_new(known.dot(own).unwrap(), known).unwrap();
            let diary = stamp.clone();
            let sent = Message { stamp, context: vector(seen.map(widen)), diary, value: Value { write, wall_nanos } };
            prop_assert_eq!(Message::from_content(&sent.to_content()), Ok(sent));
        }

        #[test]
        fn any_content_is_a_message_that_writes_the_same_bytes_or_is_refused(
            start in prop_oneof![Just(vec![]), Just(vec![7, 1, 64, 1, 0, 1, 0]), Just(vec![6, 1, 64, 1, 0, 1, 0, 3, 1, 0, 0, 6, 1, 64, 1, 0, 1, 0])],
            rest in proptest::collection::vec(any::<u8>(), 0..40),
        ) {
            let content = [start, rest].concat();
            if let Ok(message) = Message::from_content(&content) {
                prop_assert_eq!(message.to_content(), content);
            }
        }
    }

    #[test]
    fn a_clock_of_more_actors_than_there_are_replicas_is_refused() {
        let wide = (0..=REPLICAS).map(|replica| Dot::try_new(replica, 1).unwrap());
        let wide = VersionVector::<u32, Heap>::from_sorted(wide).unwrap();
        assert_eq!(decode_context(&wide.to_bytes()), Err(DecodeError::EntryLimit { found: 4, limit: 3 }));
    }
}

//! Feature `serde`: text where people read, integers elsewhere.
//!
//! | type | a human-readable format | any other |
//! |---|---|---|
//! | [`Packed`] | its 16 hex digits | its bits, one `u64` |
//! | [`NodeId`] | its 16 hex digits | its number, one `u64` |
//! | [`Stamp`] | its 33 characters | both, a pair (tuple) of `u64` |
//!
//! Text, because a JSON number above 2^53 is not the same number to every reader; for that reason a number
//! is refused there, not just avoided. The pair, because formats with variable-length integers then write
//! small node ids short, and because many write a tuple of 16 bytes as 16 integers.

use core::{fmt, marker::PhantomData, str::FromStr};

use serde_core::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, SeqAccess, Visitor},
};

use crate::{DecodeError, NodeId, Packed, Stamp, layout::Layout};

impl<L: Layout> Serialize for Packed<L> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_str(self.encode_text(&mut [0; 16]))
        } else {
            serializer.serialize_u64(self.to_bits())
        }
    }
}

impl<'de, L: Layout> Deserialize<'de> for Packed<L> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            return deserializer
                .deserialize_str(Text::new("a timestamp of 16 lower-case hexadecimal digits"));
        }
        let bits = u64::deserialize(deserializer)?;
        Self::from_bits(bits).ok_or(DecodeError::ZeroTimestamp).map_err(de::Error::custom)
    }
}

impl Serialize for NodeId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_str(self.encode_text(&mut [0; 16]))
        } else {
            serializer.serialize_u64(self.as_u64())
        }
    }
}

impl<'de> Deserialize<'de> for NodeId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            return deserializer.deserialize_str(Text::new("a node id of 16 lower-case hexadecimal digits"));
        }
        Self::new(u64::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

impl<L: Layout> Serialize for Stamp<NodeId, L> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_str(self.encode_text(&mut [0; 33]))
        } else {
            (self.timestamp(), self.node()).serialize(serializer)
        }
    }
}

impl<'de, L: Layout> Deserialize<'de> for Stamp<NodeId, L> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            return deserializer.deserialize_str(Text::new(
                "a stamp of twice 16 lower-case hexadecimal digits joined by '-'",
            ));
        }
        deserializer.deserialize_tuple(2, Pair(PhantomData))
    }
}

/// Reads a timestamp, a node id, and then the end: a format that carries the length of a tuple (CBOR) would else let a longer
/// one pass, and the reader would stand in the middle of it.
struct Pair<L>(PhantomData<L>);

impl<'de, L: Layout> Visitor<'de> for Pair<L> {
    type Value = Stamp<NodeId, L>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a pair of a timestamp and a node id")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut pair: A) -> Result<Self::Value, A::Error> {
        let timestamp = pair.next_element()?.ok_or_else(|| de::Error::invalid_length(0, &self))?;
        let node = pair.next_element()?.ok_or_else(|| de::Error::invalid_length(1, &self))?;
        let None = pair.next_element::<Third>()?;
        Ok(Stamp::new(timestamp, node))
    }
}

/// What a pair does not have. It is refused unread, whatever it is, so that there is no value of it.
enum Third {}

impl<'de> Deserialize<'de> for Third {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(de::Error::custom("more than a timestamp and a node id"))
    }
}

/// Reads a string, and nothing else, through `FromStr`.
struct Text<T> {
    expected: &'static str,
    of: PhantomData<T>,
}

impl<T> Text<T> {
    const fn new(expected: &'static str) -> Self {
        Self { expected, of: PhantomData }
    }
}

impl<T: FromStr<Err: fmt::Display>> Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

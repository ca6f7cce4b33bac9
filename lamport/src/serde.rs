//! Serialize and Deserialize: text where the format is for people, integers elsewhere.
//!
//! A time above 2^53 does not survive a JSON reader that keeps numbers as floats; text does.

use core::fmt;
use core::marker::PhantomData;
use core::str::FromStr;

use serde_core::de::{self, Deserialize, Deserializer, SeqAccess, Unexpected, Visitor};
use serde_core::ser::{Serialize, SerializeTuple, Serializer};

use crate::{Stamp, TextError, Time};

/// The parts of a stamp where the format is not for people.
const STAMP_PARTS: usize = 2;

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            serializer.serialize_u64(self.get())
        }
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            deserializer.deserialize_str(Text("16 lower-case hexadecimal digits", PhantomData))
        } else {
            u64::deserialize(deserializer).map(Self::new)
        }
    }
}

impl Serialize for Stamp<u64> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            let mut parts = serializer.serialize_tuple(STAMP_PARTS)?;
            parts.serialize_element(&self.time().get())?;
            parts.serialize_element(self.node())?;
            parts.end()
        }
    }
}

impl<'de> Deserialize<'de> for Stamp<u64> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            deserializer.deserialize_str(Text("two groups of 16 lower-case hexadecimal digits", PhantomData))
        } else {
            deserializer.deserialize_tuple(STAMP_PARTS, Parts)
        }
    }
}

/// Reads a value from its text, with what is expected and the kind of value.
struct Text<T>(&'static str, PhantomData<T>);

impl<T: FromStr<Err = TextError>> Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(|_: TextError| E::invalid_value(Unexpected::Str(text), &self))
    }
}

/// Reads a stamp from a time and a node, and nothing after them.
struct Parts;

impl<'de> Visitor<'de> for Parts {
    type Value = Stamp<u64>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time and a node")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Stamp<u64>, A::Error> {
        let time: u64 = parts.next_element()?.ok_or_else(|| de::Error::invalid_length(0, &self))?;
        let node = parts.next_element()?.ok_or_else(|| de::Error::invalid_length(1, &self))?;
        if parts.next_element::<de::IgnoredAny>()?.is_some() {
            return Err(de::Error::invalid_length(STAMP_PARTS.saturating_add(1), &self));
        }
        Ok(Stamp::new(Time::new(time), node))
    }
}

//! Serialize and Deserialize: text where the format is for people, numbers and bytes elsewhere.
//!
//! An epoch above 2^53 does not survive a JSON reader that keeps numbers as floats; text does.

use core::fmt;
use core::marker::PhantomData;
use core::str::FromStr;

use serde_core::de::{self, Deserialize, Deserializer, Unexpected, Visitor};
use serde_core::ser::{Serialize, Serializer};

use crate::{DecodeError, Epoch, FencingToken, Field, GrantId, HolderId, RealmId, ResourceId};

/// Reads a value from its text, with what is expected and the kind of value.
struct Text<T>(&'static str, PhantomData<T>);

impl<T: FromStr> Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(|_: T::Err| E::invalid_value(Unexpected::Str(text), &self))
    }
}

/// Reads a value from exactly its bytes.
struct Bytes<T>(&'static str, fn(&[u8]) -> Result<T, DecodeError>);

impl<T> Visitor<'_> for Bytes<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the bytes of {}", self.0)
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<T, E> {
        (self.1)(bytes).map_err(|_| E::invalid_value(Unexpected::Bytes(bytes), &self))
    }
}

fn exactly<const N: usize>(bytes: &[u8]) -> Result<[u8; N], DecodeError> {
    bytes.try_into().map_err(|_| DecodeError::Length { found: bytes.len(), expected: N })
}

macro_rules! text_or_bytes {
    ($name:ident, $expected:literal, $from_bytes:expr) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    serializer.collect_str(self)
                } else {
                    serializer.serialize_bytes(&self.to_bytes())
                }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if deserializer.is_human_readable() {
                    deserializer.deserialize_str(Text($expected, PhantomData))
                } else {
                    deserializer.deserialize_bytes(Bytes($expected, $from_bytes))
                }
            }
        }
    };
}

text_or_bytes!(RealmId, "a realm id", |bytes| Self::from_bytes(exactly(bytes)?));
text_or_bytes!(GrantId, "a grant id", |bytes| Self::from_bytes(exactly(bytes)?));
text_or_bytes!(ResourceId, "a resource id", |bytes| exactly(bytes).map(Self::from_bytes));
text_or_bytes!(FencingToken, "a fencing token", Self::from_bytes);

impl Serialize for Epoch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            serializer.serialize_u64(self.get())
        }
    }
}

impl<'de> Deserialize<'de> for Epoch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            deserializer.deserialize_str(Text("an epoch in decimal digits", PhantomData))
        } else {
            let number = u64::deserialize(deserializer)?;
            Self::new(number).ok_or_else(|| de::Error::custom(DecodeError::Zero { field: Field::Epoch }))
        }
    }
}

impl Serialize for HolderId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for HolderId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text("1 to 64 bytes without control characters", PhantomData))
    }
}

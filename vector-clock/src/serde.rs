//! Serialize and Deserialize: a sorted list of entries, with the validation of every other door.
//!
//! An entry is a pair of id and counter: decimal text where the format is for people, because a number above 2^53
//! does not survive a JSON reader that keeps numbers as floats, and integers elsewhere.

use core::fmt;
use core::marker::PhantomData;

use serde_core::de::{self, Deserialize, Deserializer, SeqAccess, Unexpected, Visitor};
use serde_core::ser::{Serialize, SerializeSeq, SerializeTuple, Serializer};

use crate::actor::{Actor, Plain};
use crate::dot::Dot;
use crate::error::EntryError;
use crate::stamp::Stamp;
use crate::storage::Storage;
use crate::version_vector::VersionVector;

/// A pair: of id and counter, or of event and vector.
const PAIR: usize = 2;

/// An integer as it is written: text for people, else 64 bits, or 128 where the type has more than 64.
struct Number<T>(T);

impl<T: Plain> Serialize for Number<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let wide = self.0.to_u128();
        if serializer.is_human_readable() {
            return serializer.collect_str(&wide);
        }
        match u64::try_from(wide) {
            Ok(narrow) if size_of::<T>() <= size_of::<u64>() => serializer.serialize_u64(narrow),
            _ => serializer.serialize_u128(wide),
        }
    }
}

impl<'de, T: Plain> Deserialize<'de> for Number<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            deserializer.deserialize_str(NumberVisitor(PhantomData))
        } else if size_of::<T>() <= size_of::<u64>() {
            deserializer.deserialize_u64(NumberVisitor(PhantomData))
        } else {
            deserializer.deserialize_u128(NumberVisitor(PhantomData))
        }
    }
}

struct NumberVisitor<T>(PhantomData<T>);

impl<T: Plain> Visitor<'_> for NumberVisitor<T> {
    type Value = Number<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = size_of::<T>().saturating_mul(8);
        write!(f, "an unsigned integer of {bits} bits; where text is expected, its shortest decimal text")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Number<T>, E> {
        let shortest = text == "0" || text.starts_with(|first: char| matches!(first, '1'..='9'));
        let number = text.parse().ok().filter(|_| shortest).and_then(T::from_u128);
        number.map(Number).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }

    fn visit_u64<E: de::Error>(self, narrow: u64) -> Result<Number<T>, E> {
        let number = T::from_u128(u128::from(narrow));
        number.map(Number).ok_or_else(|| E::invalid_value(Unexpected::Unsigned(narrow), &self))
    }

    fn visit_u128<E: de::Error>(self, wide: u128) -> Result<Number<T>, E> {
        let number = T::from_u128(wide);
        number.map(Number).ok_or_else(|| E::invalid_value(Unexpected::Other("a wider integer"), &self))
    }
}

/// Reads exactly two elements.
struct PairVisitor<T, U>(&'static str, PhantomData<(T, U)>);

impl<'de, T: Deserialize<'de>, U: Deserialize<'de>> Visitor<'de> for PairVisitor<T, U> {
    type Value = (T, U);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_seq<P: SeqAccess<'de>>(self, mut parts: P) -> Result<(T, U), P::Error> {
        let first = parts.next_element()?.ok_or_else(|| de::Error::invalid_length(0, &self))?;
        let second = parts.next_element()?.ok_or_else(|| de::Error::invalid_length(1, &self))?;
        if parts.next_element::<de::IgnoredAny>()?.is_some() {
            return Err(de::Error::invalid_length(PAIR.saturating_add(1), &self));
        }
        Ok((first, second))
    }
}

impl<A: Actor> Serialize for Dot<A> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut pair = serializer.serialize_tuple(PAIR)?;
        pair.serialize_element(&Number(self.actor().to_key()))?;
        pair.serialize_element(&Number(self.counter()))?;
        pair.end()
    }
}

impl<'de, A: Actor> Deserialize<'de> for Dot<A> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let pair = PairVisitor::<Number<A::Key>, Number<u64>>("an actor id and a counter", PhantomData);
        let (Number(key), Number(counter)) = deserializer.deserialize_tuple(PAIR, pair)?;
        let actor = A::from_key(key).ok_or(EntryError::Actor).map_err(de::Error::custom)?;
        Self::try_new(actor, counter).map_err(de::Error::custom)
    }
}

impl<A: Actor, S: Storage> Serialize for VersionVector<A, S> {
    fn serialize<T: Serializer>(&self, serializer: T) -> Result<T::Ok, T::Error> {
        let mut list = serializer.serialize_seq(Some(self.len()))?;
        for dot in self.iter() {
            list.serialize_element(&dot)?;
        }
        list.end()
    }
}

impl<'de, A: Actor, S: Storage> Deserialize<'de> for VersionVector<A, S> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(VectorVisitor(PhantomData))
    }
}

struct VectorVisitor<A, S>(PhantomData<(A, S)>);

impl<'de, A: Actor, S: Storage> Visitor<'de> for VectorVisitor<A, S> {
    type Value = VersionVector<A, S>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of actor ids and counters in ascending order of id")
    }

    // A claimed length is not looked at: memory follows the entries that are really there.
    fn visit_seq<L: SeqAccess<'de>>(self, mut list: L) -> Result<VersionVector<A, S>, L::Error> {
        let mut vector = VersionVector::new();
        while let Some(dot) = list.next_element::<Dot<A>>()? {
            vector.push_dot(dot).map_err(de::Error::custom)?;
        }
        Ok(vector)
    }
}

impl<A: Actor, S: Storage> Serialize for Stamp<A, S> {
    fn serialize<T: Serializer>(&self, serializer: T) -> Result<T::Ok, T::Error> {
        let mut pair = serializer.serialize_tuple(PAIR)?;
        pair.serialize_element(&self.dot())?;
        pair.serialize_element(self.vector())?;
        pair.end()
    }
}

impl<'de, A: Actor, S: Storage> Deserialize<'de> for Stamp<A, S> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let pair = PairVisitor::<Dot<A>, VersionVector<A, S>>("an event and a vector", PhantomData);
        let (dot, vector) = deserializer.deserialize_tuple(PAIR, pair)?;
        Self::try_new(dot, vector).map_err(de::Error::custom)
    }
}

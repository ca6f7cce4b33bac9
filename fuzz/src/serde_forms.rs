//! A value in three formats of serde: any bytes are refused, or are a value that is written and read again the same. JSON
//! stands for those that people read, postcard for those that do not describe themselves, CBOR for those that do.

use core::fmt::Debug;

use serde::{Serialize, de::DeserializeOwned};

use crate::bounds::{Bound, bounded};

/// What a value with a list in it may take: the most that two bytes of input may say is an entry of 32 bytes, in a list
/// that doubles.
pub const LISTS: Bound = Bound::total(2 << 10, 64);

/// A value without one. JSON copies a text that has escapes, and an error of each format repeats what it found, with
/// escapes of its own, in a text that grows.
pub const PLAIN: Bound = Bound::total(1 << 10, 32);

pub trait Value: Serialize + DeserializeOwned + PartialEq + Debug {}

impl<T: Serialize + DeserializeOwned + PartialEq + Debug> Value for T {}

/// Each of these formats allows more than one form of an integer, or of white space; the value is the same.
pub fn any_format<T: Value>(bound: Bound, data: &[u8]) {
    if let Ok(value) = bounded(bound, data.len(), || serde_json::from_slice::<T>(data)) {
        let text = serde_json::to_string(&value).expect("what was read can be written");
        assert_eq!(serde_json::from_str::<T>(&text).expect("and read again"), value);
        // Without white space and escapes there is one form.
        if !data.iter().any(|b| b.is_ascii_whitespace() || *b == b'\\') {
            assert_eq!(text.as_bytes(), data);
        }
    }
    if let Ok(value) = bounded(bound, data.len(), || postcard::from_bytes::<T>(data)) {
        let bytes = postcard::to_allocvec(&value).expect("what was read can be written");
        assert_eq!(postcard::from_bytes::<T>(&bytes), Ok(value));
    }
    if let Ok(value) = bounded(bound, data.len(), || ciborium::from_reader::<T, _>(data)) {
        let mut bytes = Vec::new();
        ciborium::into_writer(&value, &mut bytes).expect("what was read can be written");
        assert_eq!(ciborium::from_reader::<T, _>(bytes.as_slice()).expect("and read again"), value);
    }
}

//! The header `hlc-stamp`: its name, and the only reader and writer of its value.
//!
//! The layers call these; so does a handler that stamps its response itself, or a program that has a header map and no
//! service. The grammar is in [`format`](mod@crate::format).

use core::{error::Error, fmt};

use hlc::{NodeId, Stamp, TextError};
use http::{HeaderMap, HeaderName, HeaderValue};

/// The header's name, which is also the version of its form: another form gets another name.
pub const NAME: HeaderName = HeaderName::from_static("hlc-stamp");

/// Bytes of a value, neither more nor fewer: the text form of [`hlc::Stamp`].
pub const VALUE_LEN: usize = Stamp::<NodeId>::TEXT_LEN;

/// Reads the stamp, or `None` where there is no such header.
///
/// Looks at no more than [`VALUE_LEN`] bytes, and allocates nothing.
///
/// # Errors
///
/// - [`HeaderError::Repeated`]: the header is there more than once, whatever the values.
/// - [`HeaderError::Oversized`]: the value is longer than a stamp. Two values that a proxy has joined by a comma are.
/// - [`HeaderError::NonAscii`]: a byte is outside ASCII.
/// - [`HeaderError::Text`]: the value is no text form of a stamp.
///
/// Of several, the first in this order is named.
///
/// # Examples
///
/// ```
/// use hlc_tower::header::{self, HeaderError};
/// use http::{HeaderMap, HeaderValue};
///
/// let mut headers = HeaderMap::new();
/// assert_eq!(header::read(&headers), Ok(None));
///
/// headers.insert(header::NAME, HeaderValue::from_static("018bcfe568000007-000000000000002a"));
/// let stamp = header::read(&headers)?.ok_or("it is there")?;
/// assert_eq!((stamp.timestamp().counter(), stamp.node().as_u64()), (7, 42));
///
/// headers.append(header::NAME, HeaderValue::from_static("018bcfe568000007-000000000000002a"));
/// assert_eq!(header::read(&headers), Err(HeaderError::Repeated), "even of one value");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub fn read(headers: &HeaderMap) -> Result<Option<Stamp>, HeaderError> {
    let mut values = headers.get_all(NAME).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(HeaderError::Repeated);
    }
    decode(value.len(), || value.as_bytes()).map(Some)
}

/// Writes the stamp in place of every value that was there before.
///
/// # Errors
///
/// [`HeadersFull`] where the map holds as many headers as it can; it is then as it was.
pub fn insert(headers: &mut HeaderMap, stamp: Stamp) -> Result<(), HeadersFull> {
    match headers.try_insert(NAME, encode(stamp)) {
        Ok(_) => Ok(()),
        Err(_) => Err(HeadersFull { _private: () }),
    }
}

fn encode(stamp: Stamp) -> HeaderValue {
    // Digits and a `-` are always a value. The other arm is for the compiler, and every reader refuses it.
    const NEVER: HeaderValue = HeaderValue::from_static("0000000000000000-0000000000000000");
    HeaderValue::from_bytes(&stamp.to_text()).unwrap_or(NEVER)
}

/// Asks for the bytes only where there are few enough of them to be a stamp.
fn decode<'a>(len: usize, bytes: impl FnOnce() -> &'a [u8]) -> Result<Stamp, HeaderError> {
    if len > VALUE_LEN {
        return Err(Oversized { actual: len }.into());
    }
    let value = bytes();
    if let Some(at) = value.iter().position(|byte| !byte.is_ascii()) {
        return Err(NonAscii { at }.into());
    }
    Ok(Stamp::from_text(value)?)
}

/// A value longer than any stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Oversized {
    actual: usize,
}

impl Oversized {
    /// Returns how many bytes the value has.
    #[must_use]
    pub const fn actual(&self) -> usize {
        self.actual
    }
}

impl fmt::Display for Oversized {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "value of {} bytes, a stamp has {VALUE_LEN}", self.actual)
    }
}

/// A value with a byte outside ASCII.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NonAscii {
    at: usize,
}

impl NonAscii {
    /// Returns the offset of the first such byte.
    #[must_use]
    pub const fn at(&self) -> usize {
        self.at
    }
}

impl fmt::Display for NonAscii {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "byte {} is outside ASCII", self.at)
    }
}

/// Why a message's headers hold no stamp, although there is such a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeaderError {
    /// The header is there more than once: which value is meant nobody can say.
    Repeated,
    /// The value is longer than a stamp.
    Oversized(Oversized),
    /// The value has a byte outside ASCII.
    NonAscii(NonAscii),
    /// The value is no text form of a stamp.
    Text(TextError),
}

impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("header hlc-stamp: ")?;
        match self {
            Self::Repeated => f.write_str("more than one value"),
            Self::Oversized(error) => error.fmt(f),
            Self::NonAscii(error) => error.fmt(f),
            Self::Text(error) => error.fmt(f),
        }
    }
}

impl From<Oversized> for HeaderError {
    fn from(cause: Oversized) -> Self {
        Self::Oversized(cause)
    }
}

impl From<NonAscii> for HeaderError {
    fn from(cause: NonAscii) -> Self {
        Self::NonAscii(cause)
    }
}

impl From<TextError> for HeaderError {
    fn from(cause: TextError) -> Self {
        Self::Text(cause)
    }
}

/// A header map that holds as many headers as it can. Nothing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadersFull {
    _private: (),
}

impl fmt::Display for HeadersFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("message has as many headers as the map can hold")
    }
}

impl Error for Oversized {}
impl Error for NonAscii {}
impl Error for HeaderError {}
impl Error for HeadersFull {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_value_longer_than_a_stamp_not_one_byte_is_looked_at() {
        for len in [34, 35, 1 << 20, usize::MAX] {
            let refused = decode(len, || panic!("the bytes of a value of {len}"));
            assert_eq!(refused, Err(HeaderError::Oversized(Oversized { actual: len })));
        }
        let sent = "018bcfe568000007-000000000000002a";
        assert_eq!(decode(33, || sent.as_bytes()), Ok(sent.parse().unwrap()), "33 are looked at");
    }
}

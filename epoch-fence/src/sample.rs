//! Features `arbitrary` and `proptest`: values put together from parts that came by chance.

use crate::{FencingToken, HolderId};

/// The longest name that the text begins with, without its control characters; where nothing is left, a letter.
pub(crate) fn holder(text: &str) -> HolderId {
    let mut name = [0; HolderId::MAX_BYTES];
    let mut length = 0_usize;
    for letter in text.chars().filter(|letter| !letter.is_control()) {
        let end = length.saturating_add(letter.len_utf8());
        let Some(place) = name.get_mut(length..end) else { break };
        letter.encode_utf8(place);
        length = end;
    }
    let name = name.get(..length).and_then(|name| core::str::from_utf8(name).ok()).unwrap_or_default();
    HolderId::try_new(name).unwrap_or_else(|_| holder("a"))
}

/// The token with the flags that a later version may have set and this one passes on.
pub(crate) fn token(token: FencingToken, flags: u8) -> FencingToken {
    const IGNORABLE: u8 = 0x0f;
    let mut bytes = token.to_bytes();
    if let Some(place) = bytes.get_mut(1) {
        *place = flags & IGNORABLE;
    }
    FencingToken::from_bytes(&bytes).unwrap_or(token)
}

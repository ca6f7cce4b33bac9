//! Tokens and their parts from any bytes and any text, and a gate that is shown what was read.

use epoch_fence::audit::LogHead;
use epoch_fence::{Epoch, FencingToken, Gate, GrantId, HolderId, RealmId, Rejected, ResourceId};

use crate::bounds::{Bound, bounded};
use crate::serde_forms::{PLAIN, any_format};

pub fn run(data: &[u8]) {
    serde(data);
    if let Ok(text) = core::str::from_utf8(data) {
        texts(text);
    }
    let Ok(token) = bounded(Bound::NOTHING, data.len(), || FencingToken::from_bytes(data)) else { return };
    assert_eq!(token.to_bytes().as_slice(), data, "each token has one form");
    assert_eq!(token.to_string().parse::<FencingToken>().as_ref(), Ok(&token));

    // Whatever a peer sends, it is refused, or admitted for as long as the permit lives; nobody is locked out.
    let gate = Gate::new(token.realm(), token.resource(), Epoch::FIRST);
    match gate.enter(&token) {
        Ok(permit) => {
            assert_eq!(gate.floor(), token.epoch());
            drop(permit);
            assert!(gate.enter(&token).is_ok());
        }
        Err(Rejected::TooFarAhead { .. }) => assert_eq!(gate.floor(), Epoch::FIRST),
        Err(other) => panic!("{other:?} from an empty gate"),
    }
}

/// What is accepted writes back as it was.
fn texts(text: &str) {
    fn check<T: core::str::FromStr + ToString>(text: &str) {
        if let Ok(value) = bounded(Bound::NOTHING, text.len(), || text.parse::<T>()) {
            assert_eq!(value.to_string(), text);
        }
    }
    check::<FencingToken>(text);
    check::<Epoch>(text);
    check::<RealmId>(text);
    check::<ResourceId>(text);
    check::<GrantId>(text);
    check::<HolderId>(text);
    check::<LogHead>(text);
}

fn serde(data: &[u8]) {
    any_format::<FencingToken>(PLAIN, data);
    any_format::<Epoch>(PLAIN, data);
    any_format::<RealmId>(PLAIN, data);
    any_format::<ResourceId>(PLAIN, data);
    any_format::<GrantId>(PLAIN, data);
    any_format::<HolderId>(PLAIN, data);
}

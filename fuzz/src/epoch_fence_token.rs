//! Tokens and their parts from any bytes and any text, and a gate that is shown what was read.

use epoch_fence::{Epoch, FencingToken, Gate, GrantId, HolderId, RealmId, Rejected, ResourceId};

pub fn run(data: &[u8]) {
    if let Ok(text) = core::str::from_utf8(data) {
        texts(text);
    }
    let Ok(token) = FencingToken::from_bytes(data) else { return };
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
        if let Ok(value) = text.parse::<T>() {
            assert_eq!(value.to_string(), text);
        }
    }
    check::<FencingToken>(text);
    check::<Epoch>(text);
    check::<RealmId>(text);
    check::<ResourceId>(text);
    check::<GrantId>(text);
    check::<HolderId>(text);
}

//! What holds for every value.

use epoch_fence::{DecodeError, Epoch, FencingToken, GrantId, HolderId, RealmId, ResourceId};
use proptest::prelude::*;

fn tokens() -> impl Strategy<Value = FencingToken> {
    (1..=u128::MAX, any::<[u8; 32]>(), 1..=u64::MAX, 1..=u128::MAX).prop_map(
        |(realm, resource, epoch, grant)| {
            FencingToken::new(
                RealmId::from_random_bits(realm).unwrap(),
                ResourceId::from_bytes(resource),
                Epoch::new(epoch).unwrap(),
                GrantId::from_random_bits(grant).unwrap(),
            )
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn tokens_and_their_parts_come_back_from_bytes_and_text(token in tokens()) {
        prop_assert_eq!(FencingToken::from_bytes(&token.to_bytes()), Ok(token));
        prop_assert_eq!(token.to_string().parse(), Ok(token));
        prop_assert_eq!(token.realm().to_string().parse(), Ok(token.realm()));
        prop_assert_eq!(token.resource().to_string().parse(), Ok(token.resource()));
        prop_assert_eq!(token.epoch().to_string().parse(), Ok(token.epoch()));
        prop_assert_eq!(token.grant().to_string().parse(), Ok(token.grant()));
        prop_assert_eq!(GrantId::from_bytes(token.grant().to_bytes()), Ok(token.grant()));
    }

    #[test]
    fn every_byte_string_is_refused_or_is_the_encoding_of_what_is_read(
        mut bytes in prop::collection::vec(any::<u8>(), 0..160),
        head in prop::option::weighted(0.9, (Just(1_u8), 0..32_u8)),
        whole in any::<bool>(),
    ) {
        if whole {
            bytes.resize(FencingToken::BYTES, 7);
        }
        if let (Some((version, flags)), [first, second, ..]) = (head, &mut bytes[..]) {
            (*first, *second) = (version, flags);
        }
        if let Ok(token) = FencingToken::from_bytes(&bytes) {
            prop_assert_eq!(&token.to_bytes()[..], &bytes[..]);
            prop_assert_eq!(token.to_string().parse(), Ok(token));
        }
    }

    #[test]
    fn one_changed_byte_of_a_text_gives_another_token_or_none(
        token in tokens(),
        at in 0..FencingToken::TEXT_BYTES,
        byte in 0..128_u8,
    ) {
        let mut text = token.to_string().into_bytes();
        let before = text[at];
        text[at] = byte;
        let text = String::from_utf8(text).unwrap();
        match text.parse::<FencingToken>() {
            Ok(read) => {
                prop_assert_eq!(read == token, before == byte);
                prop_assert_eq!(read.to_string(), text);
            }
            Err(DecodeError::Digit { at: found } | DecodeError::Separator { at: found }) => {
                prop_assert_eq!(found, at);
            }
            Err(why) => prop_assert!(at < 4 || matches!(why, DecodeError::Zero { .. }), "{}", why),
        }
    }

    #[test]
    fn any_text_is_a_value_or_an_error(text in any::<String>()) {
        let _ = text.parse::<FencingToken>();
        let _ = text.parse::<ResourceId>();
        if let Ok(epoch) = text.parse::<Epoch>() {
            prop_assert_eq!(epoch.to_string(), &text[..]);
        }
        if let Ok(holder) = text.parse::<HolderId>() {
            prop_assert_eq!(holder.as_str(), &text[..]);
        }
    }

    #[test]
    fn holders_sort_as_their_texts_do(a in "[ -~]{1,64}", b in "[ -~]{1,64}") {
        let order = HolderId::try_new(&a).unwrap().cmp(&HolderId::try_new(&b).unwrap());
        prop_assert_eq!(order, a.cmp(&b));
    }

    #[test]
    fn wherever_the_namespace_ends_the_id_is_another(text in "[a-c]{1,8}", one in 0..9_usize, two in 0..9_usize) {
        let (one, two) = (one.min(text.len()), two.min(text.len()));
        let id = |at: usize| ResourceId::of(&text[..at], &text[at..]);
        prop_assert_eq!(id(one) == id(two), one == two);
    }
}

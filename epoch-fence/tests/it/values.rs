//! Epochs, ids and holders at their edges.

use epoch_fence::{
    DecodeError, Epoch, FencingToken, Field, GrantId, HolderId, HolderIdError, RealmId, ResourceId,
};

pub(crate) const REALM: u128 = 1;

pub(crate) fn epoch(number: u64) -> Epoch {
    Epoch::new(number).unwrap()
}

pub(crate) fn realm(bits: u128) -> RealmId {
    RealmId::from_random_bits(bits).unwrap()
}

pub(crate) fn ledger() -> ResourceId {
    ResourceId::of("billing", "ledger")
}

pub(crate) fn token_of(realm_bits: u128, number: u64, grant: u128) -> FencingToken {
    FencingToken::new(realm(realm_bits), ledger(), epoch(number), GrantId::from_random_bits(grant).unwrap())
}

/// The one token of an epoch that an honest issuer gave out.
pub(crate) fn token(number: u64) -> FencingToken {
    token_of(REALM, number, u128::from(number))
}

#[test]
fn an_issuer_runs_out_of_epochs_at_half_of_the_range_and_nothing_wraps() {
    assert_eq!(Epoch::new(0), None);
    assert_eq!(Epoch::MAX_ISSUED.get(), u64::MAX / 2);
    assert_eq!(i64::try_from(Epoch::MAX_ISSUED.get()), Ok(i64::MAX), "it fits a signed column");
    assert_eq!(epoch(u64::MAX / 2 - 1).checked_next(), Some(Epoch::MAX_ISSUED));
    for end in [Epoch::MAX_ISSUED, epoch(u64::MAX / 2 + 1), Epoch::MAX] {
        assert_eq!(end.checked_next(), None);
        assert_eq!(end.checked_add(u64::MAX), None);
    }
    assert_eq!(Epoch::FIRST.checked_add(u64::MAX / 2 - 1), Some(Epoch::MAX_ISSUED));
    assert_eq!(Epoch::FIRST.checked_add(u64::MAX / 2), None);
    assert_eq!(epoch(5).checked_add(0), Some(epoch(5)));
}

#[test]
fn an_epoch_is_read_from_exactly_its_decimal_text() {
    for number in [1, 9, 10, 33, u64::MAX / 2, u64::MAX] {
        assert_eq!(number.to_string().parse(), Ok(epoch(number)));
        assert_eq!(epoch(number).to_string(), number.to_string());
    }
    let range = DecodeError::Range { field: Field::Epoch };
    for (text, why) in [
        ("", DecodeError::Length { found: 0, expected: 1 }),
        ("0", DecodeError::Zero { field: Field::Epoch }),
        ("01", DecodeError::Digit { at: 0 }),
        ("00", DecodeError::Digit { at: 0 }),
        ("+1", DecodeError::Digit { at: 0 }),
        ("-1", DecodeError::Digit { at: 0 }),
        ("1 ", DecodeError::Digit { at: 1 }),
        ("1_0", DecodeError::Digit { at: 1 }),
        ("0x1", DecodeError::Digit { at: 0 }),
        ("18446744073709551616", range),
        ("99999999999999999999", range),
        ("184467440737095516150", range),
        ("\u{ff11}", DecodeError::Digit { at: 0 }),
    ] {
        assert_eq!(text.parse::<Epoch>(), Err(why), "{text:?}");
    }
}

#[test]
fn a_zero_is_no_id() {
    assert_eq!(RealmId::from_random_bits(0), None);
    assert_eq!(GrantId::from_random_bits(0), None);
    assert_eq!(RealmId::from_bytes([0; 16]), Err(DecodeError::Zero { field: Field::Realm }));
    assert_eq!(GrantId::from_bytes([0; 16]), Err(DecodeError::Zero { field: Field::Grant }));
    assert_eq!("0".repeat(32).parse::<GrantId>(), Err(DecodeError::Zero { field: Field::Grant }));
    assert_eq!("1".repeat(31).parse::<RealmId>(), Err(DecodeError::Length { found: 31, expected: 32 }));
    assert_eq!("A".repeat(32).parse::<RealmId>(), Err(DecodeError::Digit { at: 0 }));
}

#[cfg(feature = "getrandom")]
#[test]
fn two_grants_made_by_the_system_differ() {
    assert_ne!(GrantId::random().unwrap(), GrantId::random().unwrap());
    assert_ne!(RealmId::random().unwrap(), RealmId::random().unwrap());
}

#[test]
fn names_of_any_length_and_content_have_ids_of_their_own() {
    let long = "x".repeat(10_240);
    let names = ["", " ", "a", "a/b", "a/b ", "\u{fc}", "u\u{308}", "\0", "\n", &long, &long[1..]];
    let mut ids: Vec<_> = names.iter().map(|name| ResourceId::of("files", name)).collect();
    ids.extend(names.iter().map(|name| ResourceId::of("", name)));
    ids.push(ResourceId::of("file", "s"));
    ids.push(ResourceId::of([0xff], [0xfe]));
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count);
}

#[test]
fn a_holder_is_one_to_64_bytes_without_control_characters() {
    for text in ["a", "db-7, pid 4711", "\u{fc}n\u{ef}c\u{f6}de", &"x".repeat(64), &"\u{1f600}".repeat(16)] {
        let holder = HolderId::try_new(text).unwrap();
        assert_eq!((holder.as_str(), holder.to_string().as_str()), (text, text));
        assert_eq!(text.parse(), Ok(holder));
        assert!(format!("{holder:?}").starts_with("HolderId(\""));
    }
    for (text, why) in [
        ("", HolderIdError::Length { found: 0, limit: 64 }),
        (&"x".repeat(65)[..], HolderIdError::Length { found: 65, limit: 64 }),
        (&"x".repeat(10_240), HolderIdError::Length { found: 10_240, limit: 64 }),
        ("a\nb", HolderIdError::Control { at: 1 }),
        ("a\0", HolderIdError::Control { at: 1 }),
        ("\u{fc}\u{9b}", HolderIdError::Control { at: 2 }),
    ] {
        assert_eq!(HolderId::try_new(text), Err(why));
    }
}

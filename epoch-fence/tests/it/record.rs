//! Records: their bytes, and that nothing else is taken for one.

use core::num::NonZeroU128;

use epoch_fence::protocol::{Info, Moment, Record, RecordError, Tenure, Version};
use epoch_fence::{Epoch, GrantId, HolderId, RealmId};
use proptest::prelude::*;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn realm(bits: u128) -> RealmId {
    RealmId::from_random_bits(bits).unwrap()
}

/// One line each: the bytes in hex, a colon, and what a decoder says of them.
#[test]
fn the_bytes_of_the_vectors_have_not_changed() {
    let mut lines = 0;
    for line in include_str!("../vectors/record.txt").lines() {
        let Some((bytes, meaning)) = line.split_once(':').filter(|_| !line.starts_with('#')) else {
            continue;
        };
        let bytes = hex(bytes);
        let said = match Record::from_bytes(&bytes) {
            Ok(record) => {
                assert_eq!(record.to_bytes().as_bytes(), bytes, "{line}");
                let tenure = match record.tenure() {
                    Tenure::Free => "free".to_owned(),
                    Tenure::Reserved { to, until } => {
                        format!("reserved {to} {}/{}", until.era(), until.nanos())
                    }
                    Tenure::Held { grant, holder, expiry } => {
                        format!("held {holder} {} {}/{}", grant.get(), expiry.era(), expiry.nanos())
                    }
                };
                let epoch = record.epoch().map_or(0, Epoch::get);
                let (realm, version) = (record.realm().get(), record.version().get());
                format!("{realm} v{version} e{epoch} {tenure} info {}", record.info().as_bytes().len())
            }
            Err(why) => format!("{why:?}"),
        };
        assert_eq!(said, meaning.trim(), "{line}");
        lines += 1;
    }
    assert!(lines >= 20, "only {lines} vectors");
}

#[test]
fn the_examples_of_the_format_are_records() {
    let text = include_str!("../../RECORD.md");
    let examples: Vec<&str> =
        text.split("```text\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(examples.len(), 2);
    assert_eq!(Record::from_bytes(&hex(examples[0])), Ok(Record::vacant(realm(1))));
    let held = Tenure::Held {
        grant: GrantId::from_random_bits(7).unwrap(),
        holder: "a".parse().unwrap(),
        expiry: Moment::new(3, 9),
    };
    let info = Info::try_new(&[0xff]).unwrap();
    let expected = Record::try_new(realm(1), Version::new(5), Epoch::new(2), held, info).unwrap();
    assert_eq!(Record::from_bytes(&hex(examples[1])), Ok(expected));
}

#[test]
fn columns_that_make_no_sense_are_no_record() {
    let held = Tenure::Held {
        grant: GrantId::from_random_bits(7).unwrap(),
        holder: "a".parse().unwrap(),
        expiry: Moment::new(0, 0),
    };
    let make = |version, epoch, tenure| {
        Record::try_new(realm(1), Version::new(version), Epoch::new(epoch), tenure, Info::EMPTY)
    };
    let above = Epoch::MAX_ISSUED.get() + 1;
    assert_eq!(make(1, above, held), Err(RecordError::EpochRange { found: Epoch::new(above).unwrap() }));
    assert_eq!(make(1, 0, held), Err(RecordError::Tenure));
    assert_eq!(make(0, 1, Tenure::Free), Err(RecordError::Absent));
    assert_eq!(make(0, 1, held), Err(RecordError::Absent));
    assert_eq!(make(0, 0, Tenure::Free), Ok(Record::vacant(realm(1))));
    assert_eq!(Info::try_new(&[0; 257]), Err(RecordError::InfoLength { found: 257 }));
}

/// Whoever keeps records in a set, as a model does, has them apart by all their bytes.
#[test]
fn the_engines_own_bytes_are_shown_and_hashed_as_far_as_they_go() {
    use core::hash::BuildHasher as _;
    use std::collections::HashSet;
    use std::hash::RandomState;

    let info = |bytes: &[u8]| Info::try_new(bytes).unwrap();
    assert_eq!(format!("{:?}", info(&[1, 255])), "Info([1, 255])");
    assert_eq!(info(&[]), Info::default());
    let state = RandomState::new();
    let hash = |bytes: &[u8]| state.hash_one(info(bytes));
    assert_eq!(hash(&[7; 256]), hash(&[7; 256]));
    let apart: HashSet<_> = (0..=255).map(|byte| hash(&[byte])).collect();
    assert!(apart.len() > 250, "{} hashes of 256", apart.len());
}

fn holders() -> impl Strategy<Value = HolderId> {
    prop_oneof!["[a-z0-9 .,/]{1,64}", Just("\u{fc}\u{4e16}\u{1f512}".to_owned()), Just("x".repeat(64)),]
        .prop_map(|text| text.parse().unwrap())
}

fn moments() -> impl Strategy<Value = Moment> {
    (any::<u128>(), any::<u64>()).prop_map(|(era, nanos)| Moment::new(era, nanos))
}

fn records() -> impl Strategy<Value = Record> {
    let tenures = prop_oneof![
        Just(Tenure::Free),
        (holders(), moments()).prop_map(|(to, until)| Tenure::Reserved { to, until }),
        (any::<NonZeroU128>(), holders(), moments()).prop_map(|(grant, holder, expiry)| Tenure::Held {
            grant: GrantId::from_random_bits(grant.get()).unwrap(),
            holder,
            expiry
        }),
    ];
    let info = prop::collection::vec(any::<u8>(), 0..=256).prop_map(|bytes| Info::try_new(&bytes).unwrap());
    (any::<NonZeroU128>(), 1..=u64::MAX, 1..=Epoch::MAX_ISSUED.get(), tenures, info).prop_map(
        |(bits, version, epoch, tenure, info)| {
            Record::try_new(realm(bits.get()), Version::new(version), Epoch::new(epoch), tenure, info)
                .unwrap()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_is_encoded_is_decoded_again(record in records()) {
        let bytes = record.to_bytes();
        prop_assert!(bytes.as_bytes().len() <= Record::MAX_BYTES);
        prop_assert_eq!(Record::from_bytes(bytes.as_bytes()), Ok(record));
    }

    #[test]
    fn any_bytes_are_a_record_in_its_one_form_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..420)) {
        if let Ok(record) = Record::from_bytes(&bytes) {
            let again = record.to_bytes();
            prop_assert_eq!(again.as_bytes(), &bytes[..]);
        }
    }

    #[test]
    fn every_cut_and_every_flipped_bit_is_an_error_or_another_record_in_its_one_form(record in records()) {
        let encoded = record.to_bytes();
        let bytes = encoded.as_bytes();
        for cut in 0..bytes.len() {
            prop_assert!(Record::from_bytes(&bytes[..cut]).is_err());
        }
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.to_vec();
            flipped[bit / 8] ^= 1 << (bit % 8);
            if let Ok(other) = Record::from_bytes(&flipped) {
                prop_assert_ne!(other, record);
                let again = other.to_bytes();
                prop_assert_eq!(again.as_bytes(), &flipped[..]);
            }
        }
        let mut longer = bytes.to_vec();
        longer.push(0);
        prop_assert!(Record::from_bytes(&longer).is_err());
    }
}

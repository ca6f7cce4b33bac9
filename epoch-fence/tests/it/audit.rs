//! The log: its bytes, and what may follow what.

use epoch_fence::audit::{Broken, Chain, Entry, EntryError, LogHead};
use epoch_fence::protocol::{Action, Info, Record, Tenure, Version};
use epoch_fence::{Epoch, RealmId, ResourceId};
use sha2::{Digest as _, Sha256};

fn resource() -> ResourceId {
    ResourceId::of("tests", "audit")
}

fn hex(text: &str) -> Vec<u8> {
    text.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn word(action: Action) -> &'static str {
    match action {
        Action::Acquire => "acquire",
        Action::Burn => "burn",
        Action::Renew => "renew",
        Action::Release => "release",
        Action::HandOver => "hand-over",
        Action::Evict => "evict",
        Action::Recover => "recover",
    }
}

fn vectors() -> impl Iterator<Item = (Vec<u8>, &'static str)> {
    let lines = include_str!("../vectors/audit.txt").lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| {
        let (bytes, meaning) = line.split_once(':').unwrap();
        (hex(bytes), meaning.trim())
    })
}

/// One line each: the bytes in hex, a colon, and what a reader says of them.
#[test]
fn the_bytes_of_the_vectors_have_not_changed() {
    let mut lines = 0;
    for (bytes, meaning) in vectors() {
        let said = match Entry::from_bytes(resource(), &bytes) {
            Ok(entry) => {
                assert_eq!(entry.to_bytes(), bytes[..entry.to_bytes().len()], "{meaning}");
                let (record, anchor) = (entry.record(), entry.anchor());
                let place = anchor.place();
                format!(
                    "v{} e{} {} {} {}/{} #{} {} {}",
                    record.version().get(),
                    record.epoch().unwrap(),
                    word(anchor.action()),
                    anchor.stamp(),
                    place.segment(),
                    place.offset(),
                    anchor.index(),
                    anchor.before(),
                    entry.head()
                )
            }
            Err(why) => format!("{why:?}"),
        };
        assert_eq!(said, meaning);
        lines += 1;
    }
    assert!(lines >= 25, "only {lines} vectors");
}

#[test]
fn an_entry_follows_the_one_before_it_and_no_other() {
    let mut entries = vectors().filter_map(|(bytes, _)| Entry::from_bytes(resource(), &bytes).ok());
    let (first, second, elsewhere) =
        (entries.next().unwrap(), entries.next().unwrap(), entries.next().unwrap());
    let log = Chain::default();
    assert_eq!(log.head(), LogHead::EMPTY);
    let log = log.followed_by(first).unwrap();
    assert_eq!((log.entries(), log.head(), log.last()), (1, first.head(), Some(&first)));
    assert_eq!(log.followed_by(first), Err(Broken::Misplaced));
    assert_eq!(log.followed_by(elsewhere), Err(Broken::Misplaced));
    assert_eq!(Chain::default().followed_by(second), Err(Broken::Misplaced));
    let log = log.followed_by(second).unwrap();
    assert_eq!((log.entries(), log.head()), (2, second.head()));
    assert_eq!(log.place().unwrap().offset(), 88 + 179 + 137);
}

/// An entry with a right hash, as only one who knows the format can forge it.
fn forged(
    version: u64,
    epoch: u64,
    action: u8,
    timestamp: u64,
    offset: u32,
    index: u64,
    before: LogHead,
) -> Entry {
    let mut info = vec![1, action];
    info.extend(timestamp.to_be_bytes());
    info.extend(1_u64.to_be_bytes());
    info.extend(1_u32.to_be_bytes());
    info.extend(offset.to_be_bytes());
    info.extend(index.to_be_bytes());
    info.extend(before.to_bytes());
    let info = Info::try_new(&info).unwrap();
    let realm = RealmId::from_random_bits(1).unwrap();
    let record =
        Record::try_new(realm, Version::new(version), Epoch::new(epoch), Tenure::Free, info).unwrap();
    let record = record.to_bytes();
    let record = record.as_bytes();
    let hash = Sha256::new()
        .chain_update(b"epoch-fence audit entry\n")
        .chain_update(resource().to_bytes())
        .chain_update(record)
        .finalize();
    let length = u16::try_from(record.len() + 34).unwrap().to_be_bytes();
    Entry::from_bytes(resource(), &[&length, record, &hash[..]].concat()).unwrap()
}

#[test]
fn a_forged_entry_with_a_right_hash_is_found_by_what_it_says() {
    let first = forged(5, 3, 2, 1_000, 88, 0, LogHead::EMPTY);
    let log = Chain::default().followed_by(first).unwrap();
    let (place, before) = (log.place().unwrap().offset(), first.head());
    let second = |version, epoch, timestamp| forged(version, epoch, 2, timestamp, place, 1, before);
    assert!(log.followed_by(second(6, 3, 1_001)).is_ok());
    assert_eq!(log.followed_by(second(6, 3, 1_000)), Err(Broken::Stamp), "not after the one before");
    assert_eq!(log.followed_by(second(6, 3, 1)), Err(Broken::Stamp));
    assert_eq!(log.followed_by(second(6, 2, 1_001)), Err(Broken::Step), "an epoch that falls");
    assert_eq!(log.followed_by(second(5, 3, 1_001)), Err(Broken::Step), "a version that is used twice");
    let elsewhere = forged(6, 3, 2, 1_001, place + 1, 1, before);
    assert_eq!(log.followed_by(elsewhere), Err(Broken::Misplaced));
    assert_eq!(log.followed_by(forged(6, 3, 2, 1_001, place, 2, before)), Err(Broken::Misplaced));
    let other_past = forged(6, 3, 2, 1_001, place, 1, LogHead::EMPTY);
    assert_eq!(log.followed_by(other_past), Err(Broken::OtherPast));
}

#[test]
fn a_head_is_read_from_exactly_its_text() {
    let (bytes, _) = vectors().next().unwrap();
    let head = Entry::from_bytes(resource(), &bytes).unwrap().head();
    assert_eq!(head.to_string().parse(), Ok(head));
    for wrong in [&head.to_string()[1..], &head.to_string().to_uppercase(), ""] {
        assert!(wrong.parse::<LogHead>().is_err(), "{wrong}");
    }
    assert_eq!(Entry::from_bytes(resource(), &[]), Err(EntryError::Blank));
}

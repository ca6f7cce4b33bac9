//! The log: its bytes, and what may follow what.

use epoch_fence::ResourceId;
use epoch_fence::audit::{Broken, Chain, Entry, EntryError, LogHead};
use epoch_fence::protocol::Action;

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

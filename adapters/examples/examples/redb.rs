//! Stamps as keys of an ordered store, `redb`: the sixteen bytes sort as the stamps do, so that "everything since" and
//! "everything in this millisecond" are ranges of keys.

use core::error::Error;
use core::ops::Bound;
use std::io::{self, Write as _};
use std::path::Path;

use clock_testing::Folder;
use hlc::{AtomicClock, NodeId, PhysicalTime, Stamp, Timestamp, source::ManualSource};
use redb::{Database, ReadableDatabase as _, TableDefinition};

type Key = [u8; 16];
type Outcome<T> = Result<T, Box<dyn Error>>;

/// What happened, under its stamp.
const EVENTS: TableDefinition<'_, &Key, &str> = TableDefinition::new("events");

fn append(store: &Database, events: &[(Stamp, String)]) -> Outcome<()> {
    let write = store.begin_write()?;
    {
        let mut table = write.open_table(EVENTS)?;
        for (stamp, what) in events {
            table.insert(&stamp.to_bytes(), what.as_str())?;
        }
    }
    Ok(write.commit()?)
}

fn scan(store: &Database, from: Bound<Key>, to: Bound<Key>) -> Outcome<Vec<(Stamp, String)>> {
    let table = store.begin_read()?.open_table(EVENTS)?;
    let mut events = Vec::new();
    for row in table.range::<&Key>((from.as_ref(), to.as_ref()))? {
        let (key, what) = row?;
        // A file may hold anything: a key that is no stamp is an error here, and no event.
        events.push((Stamp::from_bytes(*key.value())?, what.value().to_owned()));
    }
    Ok(events)
}

/// What a reader that has seen everything up to `seen` has missed.
fn since(store: &Database, seen: Stamp) -> Outcome<Vec<(Stamp, String)>> {
    scan(store, Bound::Excluded(seen.to_bytes()), Bound::Unbounded)
}

/// Everything that any node stamped within the milliseconds of two moments, both included.
fn between(store: &Database, from: PhysicalTime, to: PhysicalTime) -> Outcome<Vec<(Stamp, String)>> {
    let past_the_end = "no stamp is as late as that";
    let first = Timestamp::first_at(from).ok_or(past_the_end)?.at_node(NodeId::MIN);
    let last = Timestamp::last_at(to).ok_or(past_the_end)?.at_node(NodeId::MAX);
    scan(store, Bound::Included(first.to_bytes()), Bound::Included(last.to_bytes()))
}

fn main() -> Outcome<()> {
    let folder = Folder::new("redb");
    let file = folder.path().join("events.redb");
    let written = write(&file)?;

    // As after a restart: what is on the disk is read again.
    let store = Database::open(&file)?;
    let mut sorted = written.clone();
    sorted.sort();
    assert_eq!(
        scan(&store, Bound::Unbounded, Bound::Unbounded)?,
        sorted,
        "the store's order is that of the stamps"
    );

    for (seen, (stamp, _)) in sorted.iter().enumerate() {
        assert_eq!(since(&store, *stamp)?, sorted.iter().skip(seen).skip(1).cloned().collect::<Vec<_>>());
    }

    let millisecond = PhysicalTime::from_millis(1_700_000_000_003);
    let within: Vec<_> = sorted
        .iter()
        .filter(|(stamp, _)| stamp.timestamp().physical_time() == millisecond)
        .cloned()
        .collect();
    assert_eq!(within.len(), 20, "ten of each node");
    assert_eq!(between(&store, millisecond, millisecond)?, within);
    let (count, few) = (sorted.len(), within.len());
    writeln!(
        io::stdout(),
        "{count} events came back in the order of their stamps, {few} of them within one millisecond"
    )?;
    Ok(())
}

/// Two nodes write events of ten milliseconds, as they arrive: not in order.
fn write(file: &Path) -> Outcome<Vec<(Stamp, String)>> {
    let store = Database::create(file)?;
    let time = ManualSource::at_millis(1_700_000_000_000);
    let nodes = [(1, AtomicClock::new(&time)), (2, AtomicClock::new(&time))];
    let mut events = Vec::new();
    for millis in 1_700_000_000_000..1_700_000_000_010 {
        time.set_millis(millis);
        for (number, clock) in &nodes {
            for event in 0..10 {
                let stamp = clock.tick()?.at_node(NodeId::new(*number)?);
                events.push((stamp, format!("event {event} of node {number} at {millis}")));
            }
        }
    }
    events.reverse();
    append(&store, &events)?;
    Ok(events)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clock_testing::Dice;

    #[test]
    fn a_range_of_keys_is_everything_since_a_stamp_and_everything_in_a_millisecond() {
        main().unwrap();
    }

    #[test]
    fn any_stamps_come_back_in_their_order() {
        let seed = 9;
        let mut dice = Dice::new(seed);
        let folder = Folder::new("redb");
        let store = Database::create(folder.path().join("events.redb")).unwrap();
        // Few timestamps and few nodes: each field decides the order of some; and both ends.
        let mut any = || {
            let bits =
                [1, 1 << 16, 1 << 63, u64::MAX - 3][usize::try_from(dice.roll(4)).unwrap()] + dice.roll(4);
            Timestamp::from_bits(bits).unwrap().at_node(NodeId::from_random_bits(u64::MAX - dice.roll(3)))
        };
        let mut events: Vec<_> = (0..500).map(|number| (any(), format!("{number}"))).collect();
        append(&store, &events).unwrap();
        // The last of those with one key is kept.
        events.reverse();
        events.sort_by_key(|(stamp, _)| *stamp);
        events.dedup_by_key(|(stamp, _)| *stamp);
        assert_eq!(scan(&store, Bound::Unbounded, Bound::Unbounded).unwrap(), events, "seed {seed}");
    }

    #[test]
    fn a_key_that_is_no_stamp_is_an_error_and_no_event() {
        let folder = Folder::new("redb");
        let store = Database::create(folder.path().join("events.redb")).unwrap();
        append(&store, &[(Timestamp::MIN.at_node(NodeId::MIN), "whole".to_owned())]).unwrap();
        assert_eq!(scan(&store, Bound::Unbounded, Bound::Unbounded).unwrap().len(), 1);
        let write = store.begin_write().unwrap();
        write.open_table(EVENTS).unwrap().insert(&[0xff; 16], "forged").unwrap();
        write.commit().unwrap();
        let error = scan(&store, Bound::Unbounded, Bound::Unbounded).unwrap_err();
        assert!(error.is::<hlc::DecodeError>(), "{error}");
    }
}

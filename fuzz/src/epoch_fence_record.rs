//! Hostile records and entries: any bytes are refused or are the one form of what they say; and of a record that was
//! read, no command makes the rule panic, or write what its invariant forbids.

use core::time::Duration;

use arbitrary::{Arbitrary, Unstructured};
use epoch_fence::audit::{Chain, Entry};
use epoch_fence::protocol::{Command, Moment, Record, Swap, Ttl, View, invariant, step};
use epoch_fence::{Epoch, GrantId, HolderId, RealmId, ResourceId};

use crate::bounds::{Bound, bounded};

#[derive(Arbitrary, Debug)]
struct Asked {
    kind: u8,
    /// The grant that is in the record, or another one.
    own: bool,
    grant: u128,
    realm: u128,
    floor: Option<u64>,
    ttl_millis: u32,
    era: u8,
    nanos: u64,
    ended: bool,
    epoch_floor: Option<u64>,
}

pub fn run(data: &[u8]) {
    entry(data);
    let Ok(record) = bounded(Bound::NOTHING, data.len(), || Record::from_bytes(data)) else {
        let mut bytes = Unstructured::new(data);
        let Ok(asked) = Asked::arbitrary(&mut bytes) else { return };
        if let Ok(record) = Record::from_bytes(bytes.take_rest()) {
            command(record, &asked);
        }
        return;
    };
    assert_eq!(record.to_bytes().as_bytes(), data, "one value, one form");
}

fn entry(data: &[u8]) {
    let resource = ResourceId::of("fuzz", "log");
    if let Ok(entry) = bounded(Bound::NOTHING, data.len(), || Entry::from_bytes(resource, data)) {
        let bytes = entry.to_bytes();
        assert_eq!(bytes, data[..bytes.len()]);
        let _follows_or_not = Chain::default().followed_by(entry);
    }
}

fn command(record: Record, asked: &Asked) {
    let grant = match record.grant().filter(|_| asked.own) {
        Some(grant) => grant,
        None => match GrantId::from_random_bits(asked.grant) {
            Some(grant) => grant,
            None => return,
        },
    };
    let (Some(ttl), Ok(holder)) =
        (Ttl::new(Duration::from_millis(asked.ttl_millis.into())), HolderId::try_new("fuzz"))
    else {
        return;
    };
    let command = match asked.kind % 7 {
        0 => Command::Acquire { grant, holder, ttl },
        1 => Command::Burn,
        2 => Command::Renew { grant, ttl },
        3 => Command::Release { grant },
        4 => Command::HandOver { grant, to: holder, keep: ttl },
        5 => Command::Evict { grant },
        _ => match RealmId::from_random_bits(asked.realm) {
            Some(realm) => Command::Recover { realm, floor: asked.floor.and_then(Epoch::new) },
            None => return,
        },
    };
    let view = View::new(record, Moment::new(asked.era.into(), asked.nanos));
    let view = view.with_epoch_floor(asked.epoch_floor.and_then(Epoch::new));
    let view = if asked.ended { view.with_ended() } else { view };
    if let Ok(next) = bounded(Bound::NOTHING, 0, || step(&view, &command)) {
        assert!(invariant(view.record(), &next), "{command:?} of {view:?} made {next:?}");
        assert_eq!(Record::from_bytes(next.to_bytes().as_bytes()), Ok(next), "what is written can be read");
        let swap = Swap::prepare(&view, &command).expect("it was allowed just now");
        assert!(!swap.lands_on(&View::new(next, view.now())), "a write does not land twice");
    }
}

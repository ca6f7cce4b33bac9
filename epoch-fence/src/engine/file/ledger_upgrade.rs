//! A directory that releases share: what a later one adds to a record is kept by this one, in record and log.

use alloc::vec::Vec;

use high_water::{FaultMedium, Options};
use hlc::{NodeId, Stamp, Timestamp};

use super::ledger::{Ledger, Written};
use super::ledger_crash::{Disk, ledger, resource};
use super::{FileError, verify};
use crate::DurableGate;
use crate::protocol::{Command, Moment, Record, RecordError, Swap, Ttl, View};
use crate::{GrantId, HolderId, RealmId};

/// What the later release sets.
const FLAGS: u8 = 0x05;

fn now() -> Moment {
    Moment::new(1, 0)
}

fn after(last: Option<Stamp>) -> Result<Stamp, FileError> {
    let bits = last.map_or(1 << 16, |last| last.timestamp().to_bits().saturating_add(1));
    Ok(Timestamp::from_bits(bits).unwrap().at_node(NodeId::new(1).unwrap()))
}

/// Lets what the command makes of `seen` land, as whichever release it is.
fn land(ledger: &Ledger<Disk>, seen: Record, command: &Command) -> Record {
    let swap = Swap::prepare(&View::new(seen, now()), command).unwrap();
    let judge = |stored: &Record| Ok(swap.lands_on(&View::new(*stored, now())));
    match ledger.swap(&swap, judge, after, |_| Ok(())).unwrap() {
        Written::Landed(record) => record,
        Written::Conflict(found) => panic!("nobody else is here: {found:?}"),
    }
}

fn stored(ledger: &Ledger<Disk>) -> Record {
    ledger.load().unwrap().unwrap()
}

fn acquire(bits: u128) -> Command {
    let holder = HolderId::try_new("h").unwrap();
    Command::Acquire { grant: GrantId::from_random_bits(bits).unwrap(), holder, ttl: Ttl::MIN }
}

fn of(bits: u128) -> GrantId {
    GrantId::from_random_bits(bits).unwrap()
}

#[test]
fn flags_of_a_later_release_survive_every_write_of_this_one_and_a_crash_in_between() {
    let machine = FaultMedium::new();
    let shared = ledger(&machine);
    let vacant = Record::vacant(RealmId::from_random_bits(7).unwrap());
    let first = land(&shared, vacant, &acquire(1));
    assert_eq!(first.ignorable(), 0);
    // The later release renews, and sets its flags.
    land(&shared, first.with_ignorable(FLAGS), &Command::Renew { grant: of(1), ttl: Ttl::MIN });
    assert_eq!(stored(&shared).ignorable(), FLAGS);

    // This release goes on: each of its writes in turn, by what it finds.
    let realm = RealmId::from_random_bits(8).unwrap();
    let commands = [
        Command::Burn,
        Command::Release { grant: of(1) },
        acquire(2),
        Command::Renew { grant: of(2), ttl: Ttl::MIN },
        Command::Evict { grant: of(2) },
        Command::Recover { realm, floor: None },
        acquire(3),
    ];
    for command in commands {
        let written = land(&shared, stored(&shared), &command);
        assert_eq!(written.ignorable(), FLAGS, "{command:?}");
    }

    // The log that both wrote verifies, and the entry that a crash left out is written to the byte, flags and all.
    let whole = verify::verify(&shared, None).unwrap();
    let last = *whole.last().unwrap();
    assert_eq!(last.record().ignorable(), FLAGS);
    let log = machine.named_file(1).cached().unwrap();
    let at = last.anchor().place().offset() as usize;
    let torn: Vec<u8> =
        log.iter().enumerate().map(|(place, byte)| if place < at { *byte } else { 0 }).collect();
    machine.named_file(1).overwrite(&torn);
    assert!(verify::verify(&shared, None).unwrap().missing().is_some());
    assert_eq!(stored(&shared).ignorable(), FLAGS);
    assert!(machine.named_file(1).cached().unwrap() == log, "written again as it was");
}

#[test]
fn a_record_that_this_release_must_not_read_is_refused_and_left_as_it_is() {
    for (at, byte, why) in
        [(1, 0x80, RecordError::UnknownCritical { flags: 0x80 }), (0, 2, RecordError::Form { found: 2 })]
    {
        let machine = FaultMedium::new();
        let shared = ledger(&machine);
        let vacant = Record::vacant(RealmId::from_random_bits(7).unwrap());
        let first = land(&shared, vacant, &acquire(1));
        // What a later release wrote, through the register that both have.
        let mut bytes = first.to_bytes().as_bytes().to_vec();
        bytes[at] = byte;
        let options = Options::new(DurableGate::identity(resource()));
        let mut register = options.open_on(machine.named_file(0)).unwrap();
        register.raise(register.get().saturating_add(1), &bytes).unwrap();
        drop(register);

        let refused = FileError::Record(why);
        assert_eq!(shared.load(), Err(refused));
        let swap = Swap::prepare(&View::new(first, now()), &Command::Burn).unwrap();
        let written = shared.swap(&swap, |_| Ok(true), after, |_| Ok(()));
        assert!(
            matches!(written, Err(crate::engine::Failure::Definite(found)) if found == refused),
            "{written:?}"
        );
        let kept = options.open_on(machine.named_file(0)).unwrap();
        assert_eq!(kept.payload(), &bytes[..], "it was changed");
    }
}

//! A fleet in which releases are mixed: what a later one may add to tokens and records, and what this one makes of it.
//!
//! The later release is played by the bytes that FORMAT.md and RECORD.md allow it to write.

use core::time::Duration;

use epoch_fence::protocol::{Command, Moment, Record, RecordError, Ttl, View, invariant, step};
use epoch_fence::{DecodeError, Epoch, FencingToken, Gate, GrantId, Rejected};

use crate::values::{REALM, epoch, ledger, realm, token};

/// The token as a later release writes it, with its own flags in the second byte.
fn flagged(token: &FencingToken, flags: u8) -> [u8; FencingToken::BYTES] {
    let mut bytes = token.to_bytes();
    bytes[1] = flags;
    bytes
}

#[test]
fn a_token_with_ignorable_flags_of_a_later_release_passes_through_every_form_of_this_one_unchanged() {
    for flags in 1..=0x0f {
        let sent = flagged(&token(7), flags);
        let relayed = FencingToken::from_bytes(&sent).unwrap();
        assert_eq!(relayed.to_bytes(), sent, "bytes, flags {flags:#x}");
        let text = relayed.to_string();
        assert_eq!(&text[..4], format!("01{flags:02x}"));
        let again: FencingToken = text.parse().unwrap();
        assert_eq!(again.to_bytes(), sent, "text, flags {flags:#x}");
        #[cfg(feature = "serde")]
        {
            let json = serde_json::to_string(&again).unwrap();
            let binary = postcard::to_allocvec(&again).unwrap();
            assert_eq!(serde_json::from_str::<FencingToken>(&json).unwrap().to_bytes(), sent, "JSON");
            assert_eq!(postcard::from_bytes::<FencingToken>(&binary).unwrap().to_bytes(), sent, "postcard");
        }
    }
}

#[test]
fn a_token_with_a_critical_flag_of_a_later_release_is_refused_in_every_form() {
    for flags in 0x10..=0xff_u8 {
        let sent = flagged(&token(7), flags);
        let refused = Err(DecodeError::UnknownCritical { flags: flags & 0xf0 });
        assert_eq!(FencingToken::from_bytes(&sent), refused, "flags {flags:#x}");
        // Whatever follows, since it may have another length.
        assert_eq!(FencingToken::from_bytes(&sent[..9]), refused);
        assert_eq!(FencingToken::from_bytes(&[&sent[..], &[7; 64]].concat()), refused);
        let text = format!("01{flags:02x}{}", &token(7).to_string()[4..]);
        assert_eq!(text.parse::<FencingToken>(), refused, "{text}");
        #[cfg(feature = "serde")]
        {
            assert!(serde_json::from_str::<FencingToken>(&format!("\"{text}\"")).is_err(), "JSON");
            let written = [&[74][..], &sent].concat();
            assert!(postcard::from_bytes::<FencingToken>(&written).is_err(), "postcard");
        }
    }
}

/// Old gate, new issuer and old one: the holders of one grant may come with the flags and without.
#[test]
fn a_gate_takes_a_grant_for_the_same_whether_a_later_release_wrote_its_token_or_this_one() {
    let gate = Gate::new(realm(REALM), ledger(), Epoch::FIRST);
    let later = FencingToken::from_bytes(&flagged(&token(7), 0x0f)).unwrap();
    let first = gate.enter(&later).unwrap();
    let second = gate.enter(&token(7)).unwrap();
    assert_eq!(first.epoch(), second.epoch());
    assert_eq!(gate.snapshot().conflict, 0);
    let newer = FencingToken::from_bytes(&flagged(&token(8), 0x01)).unwrap();
    assert_eq!(gate.enter(&newer).err(), Some(Rejected::Draining { in_flight: 2 }));
    drop((first, second));
    assert!(gate.enter(&newer).is_ok());
    assert_eq!(gate.enter(&later).err(), Some(Rejected::Stale { floor: epoch(8) }));
    // In either order, whichever of the two was admitted first, and after a restart.
    let of_this = Gate::new(realm(REALM), ledger(), Epoch::FIRST);
    for gate in [&gate, &of_this, &Gate::resume(&newer), &Gate::resume(&token(8))] {
        let _plain = gate.enter(&token(8)).unwrap();
        assert_eq!(gate.check(&newer), Ok(()));
        assert_eq!(gate.enter(&newer).map(|permit| permit.epoch()), Ok(epoch(8)));
        assert_eq!(gate.snapshot().conflict, 0);
    }
}

fn ttl() -> Ttl {
    Ttl::new(Duration::from_secs(10)).unwrap()
}

fn grant(bits: u128) -> GrantId {
    GrantId::from_random_bits(bits).unwrap()
}

/// A record that a later release wrote: held by `a` under grant 7, with its flags.
fn record(flags: u8) -> Vec<u8> {
    let free = View::new(Record::vacant(realm(REALM)), Moment::new(0, 0));
    let command = Command::Acquire { grant: grant(7), holder: "a".parse().unwrap(), ttl: ttl() };
    let mut bytes = step(&free, &command).unwrap().to_bytes().as_bytes().to_vec();
    bytes[1] = flags;
    bytes
}

#[test]
fn ignorable_flags_in_a_record_survive_every_command_of_this_release() {
    let holder = |name: &str| name.parse().unwrap();
    for flags in 1..=0x0f {
        let read = Record::from_bytes(&record(flags)).unwrap();
        let live = View::new(read, Moment::new(0, 1));
        let over = View::new(read, Moment::new(1, 0));
        let commands = [
            (live, Command::Burn),
            (live, Command::Renew { grant: grant(7), ttl: ttl() }),
            (live, Command::Release { grant: grant(7) }),
            (live, Command::HandOver { grant: grant(7), to: holder("b"), keep: ttl() }),
            (live, Command::Evict { grant: grant(7) }),
            (over, Command::Acquire { grant: grant(8), holder: holder("b"), ttl: ttl() }),
            (over, Command::Recover { realm: realm(2), floor: None }),
        ];
        for (view, command) in commands {
            let next = step(&view, &command).unwrap();
            assert_eq!(next.to_bytes().as_bytes()[1], flags, "{command:?}");
            assert!(invariant(view.record(), &next));
            // And so it goes on, in whatever order the releases write.
            let again = step(&View::new(next, Moment::new(2, 0)), &Command::Burn).unwrap();
            assert_eq!(again.to_bytes().as_bytes()[1], flags);
        }
    }
}

#[test]
fn a_record_with_a_critical_flag_or_of_a_later_form_is_refused_whatever_follows() {
    for flags in 0x10..=0xff_u8 {
        let refused = Err(RecordError::UnknownCritical { flags: flags & 0xf0 });
        let bytes = record(flags);
        assert_eq!(Record::from_bytes(&bytes), refused);
        assert_eq!(Record::from_bytes(&[&bytes[..], &[7; 64]].concat()), refused);
    }
    for form in (0..=u8::MAX).filter(|form| *form != 1) {
        let bytes = [&[form][..], &record(0)[1..]].concat();
        assert_eq!(Record::from_bytes(&bytes), Err(RecordError::Form { found: form }));
    }
}

#[cfg(feature = "test-engine")]
mod store {
    use epoch_fence::engine::memory::{Memory, MemoryError};
    use epoch_fence::protocol::Claim;
    use epoch_fence::{Issuer, NotAcquired, Resolution, Wait};

    use super::*;
    use epoch_fence::engine::Engine as _;
    use epoch_fence::engine::memory::Fault;

    fn stored_flags(store: &Memory) -> u8 {
        store.load(&ledger()).unwrap().record().to_bytes().as_bytes()[1]
    }

    /// Issuers of both releases take turns on one record: the later one sets its flags, this one keeps them through a whole
    /// tenure, an attempt that had to be resolved, and a recovery.
    #[test]
    fn an_issuer_of_this_release_takes_turns_with_a_later_one_and_loses_none_of_its_flags() {
        let store = Memory::new(realm(REALM));
        let issuer = Issuer::new(&store, &store);
        let claim = |name: &str| Claim::new(ledger(), name.parse().unwrap(), ttl());
        let mut bits = 100_u128;
        let mut grants = || {
            bits += 1;
            grant(bits)
        };
        store.put(ledger(), record(0x05));
        store.advance(Duration::from_secs(20));

        let mut lease = issuer.acquire_with(&claim("b"), Wait::AtOnce, &mut grants).unwrap();
        assert_eq!(stored_flags(&store), 0x05, "acquired");
        lease.renew().unwrap();
        let _ended = lease.release().unwrap();
        assert_eq!(stored_flags(&store), 0x05, "renewed and released");

        store.script([Fault::None, Fault::RequestLost]);
        let lost = issuer.acquire_with(&claim("c"), Wait::AtOnce, &mut grants);
        let Err(NotAcquired::Indeterminate(pending, _)) = lost else { panic!("{lost:?}") };
        assert!(matches!(issuer.resolve(pending), Ok(Resolution::NotGranted)));
        assert_eq!(stored_flags(&store), 0x05, "burned");

        let _view = issuer.recover(&ledger(), realm(2), None).unwrap();
        assert_eq!(stored_flags(&store), 0x05, "recovered");
    }

    #[test]
    fn an_issuer_of_this_release_does_nothing_to_a_record_that_it_must_not_read() {
        let store = Memory::new(realm(REALM));
        let issuer = Issuer::new(&store, &store);
        let claim = Claim::new(ledger(), "b".parse().unwrap(), ttl());
        for (bytes, why) in [
            (record(0x80), RecordError::UnknownCritical { flags: 0x80 }),
            ([&[2][..], &record(0)[1..]].concat(), RecordError::Form { found: 2 }),
        ] {
            store.put(ledger(), bytes);
            store.advance(Duration::from_secs(20));
            let acquired = issuer.acquire_with(&claim, Wait::AtOnce, || grant(200));
            let Err(NotAcquired::Failed(MemoryError::Record(found))) = acquired else {
                panic!("{acquired:?}")
            };
            assert_eq!(found, why);
            assert!(issuer.recover(&ledger(), realm(3), None).is_err(), "nor is it recovered over");
            assert_eq!(store.load(&ledger()), Err(MemoryError::Record(why)), "and is as it was");
        }
    }
}

#[cfg(all(target_os = "linux", feature = "file"))]
mod directory {
    use epoch_fence::engine::Engine as _;
    use epoch_fence::engine::file::FileError;
    use epoch_fence::{DurableGate, Issuer, NotAcquired, Wait};
    use high_water::Options;

    use super::*;
    use crate::file::{ManualHost, Scratch, anywhere, claim, resource};

    /// The rollback that must not be: an operator of the older release recovers what a newer one wrote.
    #[test]
    fn a_directory_that_a_later_release_wrote_is_refused_and_not_recovered_over() {
        for (at, byte, why) in
            [(1, 0x40, RecordError::UnknownCritical { flags: 0x40 }), (0, 2, RecordError::Form { found: 2 })]
        {
            let (scratch, host) = (Scratch::new(), ManualHost::new());
            let leases = Issuer::new(anywhere().open_with(scratch.path(), &host).unwrap(), &host);
            let _ended = leases.acquire(&claim("a", 8_000), Wait::AtOnce).unwrap().release().unwrap();
            let path = leases.engine().folder(resource()).join("record");
            let options = Options::new(DurableGate::identity(resource()))
                .allow_volatile_file_system()
                .allow_unknown_file_system();
            let mut register = options.open(&path).unwrap();
            let mut bytes = register.payload().to_vec();
            bytes[at] = byte;
            register.raise(register.get() + 1, &bytes).unwrap();
            drop(register);

            let refused = FileError::Record(why);
            assert_eq!(leases.engine().load(&resource()).err(), Some(refused));
            let acquired = leases.acquire(&claim("b", 8_000), Wait::AtOnce);
            assert!(matches!(acquired, Err(NotAcquired::Failed(found)) if found == refused));
            assert_eq!(leases.engine().recover(resource(), realm(9), None).err(), Some(refused));
            assert_eq!(options.open(&path).unwrap().payload(), &bytes[..], "it was written over");
        }
    }
}

//! What is asked for twice is done once: attempts, releases, recoveries, evictions, and what gates are told; also where the
//! process that asked is another one, and where a crash lies between the two.

use core::cell::Cell;
use core::time::Duration;

use clock_testing::{CrashPoints, tally};
use epoch_fence::engine::Engine;
use epoch_fence::engine::memory::{Fault, Memory};
use epoch_fence::protocol::{Claim, Pending, Ttl};
use epoch_fence::{
    BootClock, DurableGate, Ended, Epoch, Evicted, FencingToken, Gate, GrantId, Issuer, Lease, NotAcquired,
    RealmId, Rejected, Resolution, Wait,
};
use high_water::{FaultMedium, Options};
use proptest::prelude::*;

use crate::values::{REALM, epoch, ledger, realm, token, token_of};

type Leases<'s> = Issuer<&'s Memory, &'s Memory>;

fn claim() -> Claim {
    Claim::new(ledger(), "a".parse().unwrap(), Ttl::new(Duration::from_secs(8)).unwrap())
}

/// Bytes of the record, and how often it was written.
fn stored(store: &Memory) -> (Option<Vec<u8>>, u64) {
    (store.bytes(&ledger()), store.swaps())
}

/// An attempt under this grant, which meets these faults, and of which nobody knows the end.
fn attempt(issuer: &Leases<'_>, store: &Memory, bits: u128, faults: &[Fault]) -> Pending {
    store.script(faults.iter().copied());
    let grant = || GrantId::from_random_bits(bits).unwrap();
    match issuer.acquire_with(&claim(), Wait::AtOnce, grant) {
        Err(NotAcquired::Indeterminate(pending, _)) => pending,
        other => panic!("{other:?}"),
    }
}

/// A holder that is stopped: it neither releases nor renews.
fn leave<E: Engine, C: BootClock>(lease: Lease<'_, E, C>) -> FencingToken {
    let token = lease.token();
    core::mem::forget(lease);
    token
}

#[test]
fn an_attempt_that_is_retried_again_and_by_another_process_is_one_grant() {
    for fault in [Fault::RequestLost, Fault::ReplyLost, Fault::Delayed] {
        let store = Memory::new(realm(REALM));
        let issuer = Issuer::new(&store, &store);
        let pending = attempt(&issuer, &store, 5, &[Fault::None, fault]);
        let first = leave(issuer.retry(pending).unwrap());
        let once = stored(&store);
        // The process died before it could tell anybody, and its successor goes on with what it had written down.
        let successor = Issuer::new(&store, &store);
        for issuer in [&issuer, &successor, &successor] {
            assert_eq!(leave(issuer.retry(pending).unwrap()), first, "{fault:?}");
            let Resolution::Granted(lease) = issuer.resolve(pending).unwrap() else { panic!("{fault:?}") };
            assert_eq!(leave(lease), first);
            assert_eq!(stored(&store), once, "{fault:?}: it was written again");
        }
        assert!(store.deliver().is_none_or(|landed| !landed), "{fault:?}");
        // The store restarts, and no lease outlives that: the attempt is over, however often it is asked for.
        store.restart();
        for _ in 0..2 {
            assert!(matches!(successor.resolve(pending), Ok(Resolution::Superseded)), "{fault:?}");
            assert!(successor.retry(pending).is_err(), "{fault:?}");
            assert_eq!(stored(&store), once);
        }
    }
}

#[test]
fn an_attempt_that_is_resolved_again_is_burned_once() {
    let store = Memory::new(realm(REALM));
    let issuer = Issuer::new(&store, &store);
    let pending = attempt(&issuer, &store, 5, &[Fault::None, Fault::Delayed]);
    assert!(matches!(issuer.resolve(pending), Ok(Resolution::NotGranted)));
    let once = stored(&store);
    assert_eq!(once.1, 1, "the burn");
    for _ in 0..2 {
        assert!(matches!(issuer.resolve(pending), Ok(Resolution::NotGranted)));
        assert!(issuer.retry(pending).is_err(), "it does not come back");
        assert_eq!(stored(&store), once);
    }
    assert_eq!(store.deliver(), Some(false));
}

#[test]
fn a_release_an_eviction_and_a_recovery_that_are_repeated_are_done_once() {
    let store = Memory::new(realm(REALM));
    let issuer = Issuer::new(&store, &store);
    let acquire = |bits| {
        let grant = || GrantId::from_random_bits(bits).unwrap();
        issuer.acquire_with(&claim(), Wait::AtOnce, grant).unwrap()
    };
    for fault in [Fault::RequestLost, Fault::ReplyLost, Fault::Delayed] {
        let lease = acquire(7);
        store.script([Fault::None, fault, Fault::None, Fault::ReplyLost]);
        let unknown = lease.release().unwrap_err();
        // Of the second try nobody hears either, unless it found the first one done.
        let ended = match unknown.retry() {
            Ok(ended) => ended,
            Err(unknown) => unknown.retry().unwrap(),
        };
        assert_eq!(ended, Ended::Released, "{fault:?}");
        store.script([]);
        let once = stored(&store);
        assert!(store.deliver().is_none_or(|landed| !landed));
        assert_eq!(stored(&store), once);
        // What is left of the script, if the last try was not needed.
        let _ = (issuer.current(&ledger()), issuer.current(&ledger()));
    }
    let grant = leave(acquire(8)).grant();
    assert_eq!(issuer.evict(&ledger(), grant), Ok(Evicted::Evicted));
    let once = stored(&store);
    for _ in 0..2 {
        assert_eq!(issuer.evict(&ledger(), grant), Ok(Evicted::AlreadyGone));
        assert_eq!(stored(&store), once);
    }
    let recovered = issuer.recover(&ledger(), realm(2), Some(epoch(9))).unwrap();
    let once = stored(&store);
    for floor in [Some(epoch(9)), None] {
        let again = issuer.recover(&ledger(), realm(2), floor).unwrap();
        assert_eq!((again.record(), stored(&store)), (recovered.record(), once.clone()));
    }
}

fn faults() -> impl Strategy<Value = Vec<Fault>> {
    let fault = prop_oneof![
        2 => Just(Fault::None),
        1 => Just(Fault::Refused),
        1 => Just(Fault::RequestLost),
        1 => Just(Fault::ReplyLost),
        1 => Just(Fault::Delayed),
        1 => Just(Fault::Doubled),
    ];
    prop::collection::vec(fault, 0..24)
}

proptest! {
    /// Whatever becomes of the tries: all that are answered name one token, and the record is written once for it.
    #[test]
    fn however_often_and_under_whatever_faults_an_attempt_is_retried_it_is_one_grant(script in faults()) {
        let store = Memory::new(realm(REALM));
        let issuer = Issuer::new(&store, &store);
        let pending = attempt(&issuer, &store, 5, &[Fault::None, Fault::Delayed]);
        store.script(script);
        let (tries, told) = (Cell::new(0), Cell::new(None));
        while told.get().is_none() || tries.get() < 30 {
            tries.set(tries.get() + 1);
            prop_assert!(tries.get() < 100);
            if let Ok(lease) = issuer.retry(pending) {
                let token = leave(lease);
                prop_assert!(told.replace(Some(token)).is_none_or(|before| before == token));
            }
            let _late = store.deliver();
        }
        prop_assert_eq!((store.swaps(), told.get().map(|token| token.epoch())), (1, Some(Epoch::FIRST)));
    }
}

#[test]
fn a_gate_that_is_told_twice_is_told_once() {
    let gate = Gate::new(realm(REALM), ledger(), Epoch::FIRST);
    drop(gate.enter(&token(33)).unwrap());
    let seen = gate.snapshot();
    // The same holder comes back: no epoch begins, nobody is counted as refused.
    for _ in 0..3 {
        assert_eq!(gate.check(&token(33)), Ok(()));
        drop(gate.enter(&token(33)).unwrap());
        assert_eq!(gate.snapshot(), seen);
    }
    for _ in 0..2 {
        assert_eq!(gate.adopt(realm(2), epoch(40)), Ok(()));
        assert_eq!((gate.floor(), gate.snapshot().in_flight), (epoch(40), 0));
    }
    let adopted = gate.snapshot();
    assert_eq!(gate.adopt(realm(2), epoch(40)), Ok(()));
    assert_eq!(gate.snapshot(), adopted);
    core::mem::forget(gate.enter(&token_of(2, 41, 41)).unwrap());
    assert_eq!((gate.abandon_permits(), gate.abandon_permits()), (1, 0));
    assert_eq!(gate.snapshot().abandoned, 1);
    core::mem::forget(gate.enter(&token_of(2, 41, 41)).unwrap());
    assert_eq!(gate.seal(), gate.seal());
    assert!(matches!(gate.enter(&token_of(2, 41, 41)).map(drop), Err(Rejected::Sealed)));
}

/// A process that begins with what is on the disk, in the realm that is there.
fn open(machine: &FaultMedium) -> Option<DurableGate<FaultMedium>> {
    let options = Options::new(DurableGate::identity(ledger())).allow_volatile_file_system();
    let register = || options.open_or_create_on(machine).ok();
    let begun = |realm: RealmId| DurableGate::new(register()?, realm, ledger(), Epoch::FIRST).ok();
    begun(realm(REALM)).or_else(|| begun(realm(2)))
}

/// What a gate answers to everybody.
fn answers(gate: &DurableGate<FaultMedium>) -> (Epoch, u32, Vec<Result<(), Rejected>>) {
    let asked = [token(33), token(34), token_of(REALM, 34, 99), token_of(2, 40, 40), token_of(2, 39, 39)];
    (gate.floor(), gate.snapshot().in_flight, asked.iter().map(|token| gate.check(token)).collect())
}

/// The name of a thing that is asked of a durable gate, and the thing.
type Errand = (&'static str, fn(&DurableGate<FaultMedium>) -> Option<()>);

const ERRANDS: [Errand; 2] = [
    ("enter", |gate| gate.enter(&token(34)).ok().map(drop)),
    ("adopt", |gate| gate.adopt(realm(2), epoch(40)).ok()),
];

#[test]
fn a_durable_gate_that_is_told_again_after_a_crash_at_any_call_is_as_if_told_once() {
    let mut images = 0;
    for (name, run) in ERRANDS {
        let start = FaultMedium::new();
        assert!(open(&start).unwrap().enter(&token(33)).is_ok());
        let whole = start.process_crash();
        let gate = open(&whole).unwrap();
        run(&gate).unwrap();
        let once = answers(&gate);
        let raises = gate.register_snapshot().raises;
        for _ in 0..2 {
            run(&gate).unwrap();
            assert_eq!((answers(&gate), gate.register_snapshot().raises), (once.clone(), raises), "{name}");
        }
        let points = CrashPoints {
            lives: |machine: &FaultMedium| {
                let _interrupted = open(machine).as_ref().and_then(run);
                1
            },
            check: |after: &FaultMedium, _, image: &dyn Fn() -> String| {
                for time in 0..3 {
                    let gate = open(after).unwrap_or_else(|| panic!("{name}: {}", image()));
                    run(&gate).unwrap_or_else(|| panic!("{name}, {time}: {}", image()));
                    assert_eq!(answers(&gate), once, "{name}, {time}: {}", image());
                    assert!(gate.register_snapshot().raises <= u64::from(time == 0), "it was written again");
                }
            },
        };
        images += points.power_cut_at_every_call(&start) + points.every_call_fails(&start);
    }
    tally(format_args!("{images} images after which a gate was told again"));
    assert!(images > 300, "{images}: there were more");
}

#[cfg(target_os = "linux")]
mod files {
    use alloc::collections::BTreeMap;
    use core::hash::{BuildHasher as _, BuildHasherDefault};
    use std::hash::DefaultHasher;

    use epoch_fence::engine::file::Directory;
    use epoch_fence::protocol::{Command, Record};

    use super::*;
    use crate::file::{ManualHost, Scratch, anywhere, claim, leases, resource};

    /// What is left of what was done: the record, how many entries the log has, and a hash of each of its files. The file of
    /// the record may change where that does not: an opening makes good what a crash may have left of its copies.
    fn done(directory: &Directory<&ManualHost>) -> (Record, u64, BTreeMap<String, u64>) {
        let files = std::fs::read_dir(directory.folder(resource())).unwrap().map(|file| file.unwrap());
        let named = files.map(|file| (file.file_name().into_string().unwrap(), file.path()));
        let hash =
            |path| BuildHasherDefault::<DefaultHasher>::default().hash_one(std::fs::read(path).unwrap());
        let logs = named.filter(|(name, _)| name.starts_with("log.")).map(|(name, path)| (name, hash(path)));
        let entries = directory.verify(resource(), None).unwrap().entries();
        (*directory.load(&resource()).unwrap().record(), entries, logs.collect())
    }

    #[test]
    fn an_attempt_and_a_release_that_are_repeated_are_one_entry_each_of_the_log() {
        let (scratch, host) = (Scratch::new(), ManualHost::new());
        let first = leases(&scratch, &host);
        // Two readings before the write, and the one after it.
        host.fail_reading(2);
        let unknown = first.acquire(&claim("first", 8_000), Wait::AtOnce).unwrap_err();
        let NotAcquired::Indeterminate(pending, _) = unknown else { panic!("{unknown:?}") };
        let granted = leave(first.retry(pending).unwrap());
        assert_eq!(granted.grant(), pending.grant());
        let once = done(first.engine());
        for _ in 0..2 {
            assert_eq!(leave(first.retry(pending).unwrap()), granted);
            assert_eq!(done(first.engine()), once);
        }
        host.fail_reading(2);
        let ended = match first.retry(pending).unwrap().release() {
            Ok(ended) => ended,
            Err(unknown) => unknown.retry().unwrap(),
        };
        assert_eq!((once.1, ended, done(first.engine()).1), (1, Ended::Released, 2));
        // Another process, which does not know that it was released.
        let next = leases(&scratch, &host);
        let once = done(next.engine());
        for _ in 0..2 {
            assert!(matches!(next.resolve(pending), Ok(Resolution::Superseded | Resolution::NotGranted)));
            assert!(next.retry(pending).is_err());
            assert_eq!(done(next.engine()), once);
        }
    }

    #[test]
    fn an_attempt_whose_process_died_is_over_however_often_its_successor_retries_it() {
        let (scratch, host) = (Scratch::new(), ManualHost::new());
        let first = leases(&scratch, &host);
        host.fail_reading(2);
        let unknown = first.acquire(&claim("first", 8_000), Wait::AtOnce).unwrap_err();
        let NotAcquired::Indeterminate(pending, _) = unknown else { panic!("{unknown:?}") };
        drop(first);
        let next = leases(&scratch, &host);
        let once = done(next.engine());
        for _ in 0..2 {
            assert!(matches!(next.retry(pending), Err(NotAcquired::Superseded)));
            assert!(matches!(next.resolve(pending), Ok(Resolution::Superseded)));
            assert_eq!(done(next.engine()), once);
        }
    }

    #[test]
    fn a_recovery_that_is_repeated_writes_nothing_whether_the_record_was_sound_or_not() {
        for is_damaged in [false, true] {
            let (scratch, host) = (Scratch::new(), ManualHost::new());
            let before = leases(&scratch, &host);
            drop(before.acquire(&claim("first", 8_000), Wait::AtOnce).unwrap());
            let folder = before.engine().folder(resource());
            if is_damaged {
                std::fs::remove_file(folder.join("log.00000001")).unwrap();
            }
            let recovered = before.engine().recover(resource(), realm(2), Some(epoch(9))).unwrap();
            drop(before);
            let next = leases(&scratch, &host);
            let again = next.engine().recover(resource(), realm(2), Some(epoch(9))).unwrap();
            assert_eq!(again.record(), recovered.record());
            let once = done(next.engine());
            for floor in [Some(epoch(9)), Some(epoch(1 << 40)), None] {
                let again = next.engine().recover(resource(), realm(2), floor).unwrap();
                assert_eq!(again.record(), recovered.record(), "{is_damaged}");
                assert_eq!(done(next.engine()), once);
            }
            let view = next.engine().load(&resource()).unwrap();
            let realm = realm(2);
            let refused =
                epoch_fence::protocol::Swap::prepare(&view, &Command::Recover { realm, floor: None });
            assert!(refused.is_err(), "one realm is begun once");
        }
    }

    #[test]
    fn a_gate_in_files_that_is_told_again_by_another_process_is_told_once() {
        let (scratch, host) = (Scratch::new(), ManualHost::new());
        let open = || anywhere().open_with(scratch.path(), &host).unwrap();
        type Errand<'e> = &'e dyn Fn(&Directory<&ManualHost>) -> bool;
        let errands: [(&str, Errand<'_>); 4] = [
            ("begin", &|process| process.gate(ledger()).begin_at(realm(REALM), epoch(30)).is_ok()),
            ("enter", &|process| process.gate(ledger()).enter(&token(34)).map(drop).is_ok()),
            ("adopt", &|process| process.gate(ledger()).adopt(realm(2), epoch(40)).is_ok()),
            ("rebuild", &|process| process.gate(ledger()).rebuild(realm(3), epoch(50)).is_ok()),
        ];
        for (name, errand) in errands {
            let seen = || {
                let seen = open().gate(ledger()).snapshot().unwrap().unwrap();
                (seen.realm, seen.gate.floor, seen.gate.admitted, seen.gate.in_flight, seen.holders)
            };
            assert!(errand(&open()), "{name}");
            let once = seen();
            let process = open();
            for process in [&process, &process, &open()] {
                assert!(errand(process), "{name}");
                assert_eq!(seen(), once, "{name}");
            }
        }
        // A gate that is there is not begun again, wherever it is told to.
        let process = open();
        let once = process.gate(ledger()).snapshot().unwrap();
        assert!(process.gate(ledger()).begin_at(realm(9), epoch(1)).is_ok());
        assert_eq!(process.gate(ledger()).snapshot().unwrap(), once);
    }
}

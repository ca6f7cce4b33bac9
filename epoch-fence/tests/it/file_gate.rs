//! The gate for the processes of one host.

use core::time::Duration;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::fd::AsFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use epoch_fence::engine::file::{Directory, FileError, FileOptions, SystemHost};
use epoch_fence::protocol::{Claim, Ttl};
use epoch_fence::{
    AdoptError, Epoch, FencingToken, FileGateError, GrantId, Issuer, MaxAdvance, RealmId, Rejected,
    ResourceId, Wait,
};
use high_water::OpenError;

fn ledger() -> ResourceId {
    ResourceId::of("billing", "ledger")
}

fn open(path: &Path) -> Directory {
    FileOptions::new().allow_volatile_file_system().allow_unknown_file_system().open_or_create(path).unwrap()
}

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        Self(Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id())))
    }

    /// A token that is newer than all before.
    fn token(&self) -> FencingToken {
        let issuer = Issuer::new(open(&self.0), SystemHost::new().unwrap());
        let ttl = Ttl::new(Duration::from_secs(10)).unwrap();
        let claim = Claim::new(ledger(), "test".parse().unwrap(), ttl);
        issuer.acquire(&claim, Wait::AtOnce).unwrap().token()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn at_epoch(token: &FencingToken, epoch: u64) -> FencingToken {
    FencingToken::new(token.realm(), token.resource(), Epoch::new(epoch).unwrap(), token.grant())
}

fn rejected(why: Rejected) -> FileGateError {
    FileGateError::Rejected(why)
}

#[test]
fn a_gate_without_a_record_beside_it_begins_where_it_is_told_and_once() {
    let folder = Folder::new("gate-files-begin");
    let directory = open(&folder.0);
    let gate = directory.gate(ledger());
    let (first, other) = (RealmId::from_random_bits(1).unwrap(), RealmId::from_random_bits(2).unwrap());
    let token = |realm, epoch| {
        let grant = GrantId::from_random_bits(u128::from(epoch)).unwrap();
        FencingToken::new(realm, ledger(), Epoch::new(epoch).unwrap(), grant)
    };
    assert_eq!(gate.enter(&token(first, 7)).unwrap_err(), FileGateError::NoRecord);
    gate.begin_at(first, Epoch::new(7).unwrap()).unwrap();
    let floor = Epoch::new(7).unwrap();
    assert_eq!(gate.enter(&token(first, 6)).unwrap_err(), rejected(Rejected::Stale { floor }));
    drop(gate.enter(&token(first, 9)).unwrap());
    gate.begin_at(other, Epoch::FIRST).unwrap();
    let floor = Epoch::new(9).unwrap();
    assert_eq!(gate.enter(&token(first, 8)).unwrap_err(), rejected(Rejected::Stale { floor }));
    assert_eq!(gate.enter(&token(other, 10)).unwrap_err(), rejected(Rejected::WrongRealm));
    assert_eq!(directory.resources().unwrap(), [ledger()]);
}

#[test]
fn a_gate_in_files_tells_each_bad_token_what_it_is_and_is_as_it_was() {
    let folder = Folder::new("gate-files-bad");
    let directory = open(&folder.0);
    let gate = directory.gate(ledger());
    assert_eq!(gate.enter(&token_of_nobody()).unwrap_err(), FileGateError::NoRecord);
    assert_eq!(gate.check(&token_of_nobody()), Err(FileGateError::NoRecord));
    assert!(!directory.folder(ledger()).exists(), "a token that nobody issued made a gate");

    let good = folder.token();
    drop(gate.enter(&good).unwrap());
    let (realm, other) = (RealmId::from_random_bits(9).unwrap(), GrantId::from_random_bits(9).unwrap());
    let of = |realm, resource, grant| FencingToken::new(realm, resource, good.epoch(), grant);
    let above = u64::MAX - good.epoch().get();
    let rows = [
        (of(good.realm(), ResourceId::of("billing", "other"), good.grant()), Rejected::WrongResource),
        (of(realm, ledger(), good.grant()), Rejected::WrongRealm),
        (of(good.realm(), ledger(), other), Rejected::Conflict),
        (at_epoch(&good, u64::MAX), Rejected::TooFarAhead { ahead: above, limit: 1 << 32 }),
    ];
    for (token, why) in rows {
        assert_eq!(gate.check(&token), Err(rejected(why)));
        assert_eq!(gate.enter(&token).unwrap_err(), rejected(why));
        // From the files alone, as another process reads them.
        assert_eq!(open(&folder.0).gate(ledger()).enter(&token).unwrap_err(), rejected(why));
        drop(gate.enter(&good).unwrap());
    }
    let counts = gate.snapshot().unwrap().unwrap().gate;
    let counted = [counts.wrong_resource, counts.wrong_realm, counts.conflict, counts.too_far_ahead];
    assert_eq!(counted, [2, 2, 2, 2]);
}

fn token_of_nobody() -> FencingToken {
    let (realm, grant) = (RealmId::from_random_bits(1).unwrap(), GrantId::from_random_bits(1).unwrap());
    FencingToken::new(realm, ledger(), Epoch::FIRST, grant)
}

#[test]
fn a_newer_token_makes_older_ones_stale_while_it_waits_and_a_look_changes_nothing() {
    let folder = Folder::new("gate-files-waits");
    let directory = open(&folder.0);
    let gate = directory.gate(ledger());
    let old = folder.token();
    let permits = [gate.enter(&old).unwrap(), gate.enter(&old).unwrap()];
    let new = folder.token();

    assert_eq!(gate.check(&new), Err(rejected(Rejected::Draining { in_flight: 2 })));
    assert!(gate.enter(&old).is_ok(), "a look closed the gate");
    assert_eq!(gate.enter(&new).unwrap_err(), rejected(Rejected::Draining { in_flight: 2 }));
    assert_eq!(gate.enter(&old).unwrap_err(), rejected(Rejected::Stale { floor: new.epoch() }));
    let shown = gate.snapshot().unwrap().unwrap();
    let (seen, holders) = (shown.gate, shown.holders);
    assert!(seen.closed && seen.in_flight == 2 && holders == [std::process::id(); 2], "{seen:?} {holders:?}");

    let [first, second] = permits;
    drop(first);
    let asked = || gate.snapshot().unwrap().unwrap().gate.draining;
    let before = asked();
    let waited = gate.enter_waiting(&new, Duration::from_millis(20));
    assert_eq!(waited.unwrap_err(), rejected(Rejected::Draining { in_flight: 1 }));
    assert_eq!(asked() - before, 4, "at once, and after 5, 10 and the last 5 ms");
    std::thread::scope(|threads| {
        let waits =
            threads.spawn(|| gate.enter_waiting(&new, Duration::from_secs(60)).map(|permit| permit.epoch()));
        drop(second);
        assert_eq!(waits.join().unwrap(), Ok(new.epoch()));
    });
}

#[test]
fn a_permit_that_a_child_inherited_lives_until_the_child_ends() {
    let folder = Folder::new("gate-files-inherited");
    let directory = open(&folder.0);
    let gate = directory.gate(ledger());
    let permit = gate.enter(&folder.token()).unwrap();
    let spawn = || Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
    let mut stranger = spawn();
    permit.inherit().unwrap();
    let mut heir = spawn();
    drop(permit);

    let new = folder.token();
    assert_eq!(gate.enter(&new).unwrap_err(), rejected(Rejected::Draining { in_flight: 1 }));
    drop(heir.stdin.take());
    heir.wait().unwrap();
    assert!(gate.enter(&new).is_ok(), "a child that inherited nothing counts");
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}

#[test]
fn permits_on_a_file_that_was_deleted_or_replaced_are_not_forgotten() {
    let folder = Folder::new("gate-files-replaced");
    let directory = open(&folder.0);
    let gate = directory.gate(ledger());
    let token = folder.token();
    let permit = gate.enter(&token).unwrap();
    let new = folder.token();
    let file = directory.folder(ledger()).join("gate.permits");
    for replaced in [false, true] {
        std::fs::remove_file(&file).ok();
        if replaced {
            std::fs::write(&file, b"").unwrap();
        }
        assert_eq!(gate.enter(&new).unwrap_err(), FileGateError::PermitsReplaced);
        assert_eq!(gate.check(&new), Err(FileGateError::PermitsReplaced));
    }
    drop(permit);
    gate.rebuild(new.realm(), token.epoch()).unwrap();
    drop(gate.enter(&new).unwrap());
    // The register alone is begun again at the record's epoch, and waits for what is alive on the other file.
    let permit = gate.enter(&new).unwrap();
    std::fs::remove_file(directory.folder(ledger()).join("gate")).unwrap();
    let newest = folder.token();
    assert_eq!(gate.enter(&newest).unwrap_err(), rejected(Rejected::Draining { in_flight: 1 }));
    assert_eq!(gate.enter(&new).unwrap_err(), rejected(Rejected::Stale { floor: newest.epoch() }));
    drop(permit);
    assert!(gate.enter(&newest).is_ok());
}

#[test]
fn a_recovered_realm_is_adopted_when_the_old_permits_are_gone_and_only_upwards() {
    let folder = Folder::new("gate-files-adopt");
    let directory = open(&folder.0);
    let gate = directory.gate(ledger());
    let old = folder.token();
    let permit = gate.enter(&old).unwrap();
    let realm = RealmId::random().unwrap();
    let epoch = directory.recover(ledger(), realm, None).unwrap().epoch().unwrap();
    let new = folder.token();
    assert_eq!(gate.enter(&new).unwrap_err(), rejected(Rejected::WrongRealm));

    let low = FileGateError::NotAdopted(AdoptError::FloorTooLow { least: Epoch::new(2).unwrap() });
    assert_eq!(gate.adopt(realm, Epoch::FIRST), Err(low));
    let draining = FileGateError::NotAdopted(AdoptError::Draining { in_flight: 1 });
    assert_eq!(gate.adopt(realm, epoch), Err(draining));
    assert_eq!(gate.enter(&old).unwrap_err(), rejected(Rejected::Stale { floor: epoch }));
    drop(permit);
    assert_eq!(gate.adopt(realm, epoch), Ok(()));
    assert_eq!(gate.adopt(realm, epoch), Ok(()), "done twice is done once");
    drop(gate.enter(&new).unwrap());
    assert_eq!(gate.enter(&old).unwrap_err(), rejected(Rejected::WrongRealm));
}

#[test]
fn a_damaged_or_exchanged_register_admits_nobody() {
    let folder = Folder::new("gate-files-damaged");
    let directory = open(&folder.0);
    let gate = directory.gate(ledger());
    let token = folder.token();
    drop(gate.enter(&token).unwrap());
    let resource = directory.folder(ledger());
    let good = std::fs::read(resource.join("gate")).unwrap();

    std::fs::copy(resource.join("record"), resource.join("gate")).unwrap();
    for why in [gate.enter(&token).unwrap_err(), gate.check(&token).unwrap_err()] {
        assert!(matches!(why, FileGateError::Register(OpenError::WrongIdentity { .. })), "{why}");
    }
    std::fs::write(resource.join("gate"), vec![0xa5; good.len()]).unwrap();
    assert!(matches!(gate.enter(&token), Err(FileGateError::Register(_))));
    assert!(matches!(gate.check(&token), Err(FileGateError::Register(_))));
    std::fs::write(resource.join("gate"), &good[..100]).unwrap();
    assert!(matches!(gate.enter(&token), Err(FileGateError::Register(_))));

    std::fs::write(resource.join("gate"), vec![0; good.len()]).unwrap();
    gate.rebuild(token.realm(), token.epoch()).unwrap();
    assert!(gate.enter(&token).is_ok());

    std::fs::remove_file(resource.join("gate")).unwrap();
    gate.rebuild(token.realm(), token.epoch()).unwrap();
    assert!(gate.enter(&token).is_ok(), "where it is gone as well");
}

#[test]
fn a_gate_is_not_rebuilt_under_permits_that_can_be_seen_and_not_below_what_it_remembers() {
    let folder = Folder::new("gate-files-rebuilt");
    let directory = open(&folder.0);
    let gate = directory.gate(ledger());
    let (old, token) = (folder.token(), folder.token());
    let permits = [gate.enter(&token).unwrap(), gate.enter(&token).unwrap()];
    let draining = FileGateError::NotAdopted(AdoptError::Draining { in_flight: 2 });
    assert_eq!(gate.rebuild(token.realm(), token.epoch()), Err(draining));
    drop(permits);
    gate.rebuild(token.realm(), old.epoch()).unwrap();
    assert_eq!(gate.enter(&old).unwrap_err(), rejected(Rejected::Stale { floor: token.epoch() }));
    let above = Epoch::new(token.epoch().get() + 5).unwrap();
    gate.rebuild(token.realm(), above).unwrap();
    assert_eq!(gate.enter(&token).unwrap_err(), rejected(Rejected::Stale { floor: above }));
}

#[test]
fn a_gate_that_was_never_asked_is_looked_at_as_it_would_begin_and_not_made() {
    let folder = Folder::new("gate-files-look");
    let directory = open(&folder.0);
    let gate = directory.gate(ledger()).with_max_advance(MaxAdvance::AtMost(2));
    assert_eq!(gate.resource(), ledger());
    assert!(format!("{gate:?}").starts_with("FileGate { terms: Terms {"), "{gate:?}");
    let token = folder.token();
    assert_eq!(gate.snapshot().unwrap(), None);
    assert_eq!(gate.check(&token), Ok(()));
    assert_eq!(gate.check(&at_epoch(&token, 3)), Ok(()));
    let far = rejected(Rejected::TooFarAhead { ahead: 3, limit: 2 });
    assert_eq!(gate.check(&at_epoch(&token, 4)), Err(far));
    assert!(!directory.folder(ledger()).join("gate").exists(), "a look made a gate");
    assert_eq!(gate.enter(&at_epoch(&token, 4)).unwrap_err(), far);
    let permit = gate.enter(&token).unwrap();
    // The descriptor that a child inherits.
    let inode = |of: &std::fs::File| of.metadata().unwrap().ino();
    let file = std::fs::File::from(permit.as_fd().try_clone_to_owned().unwrap());
    let named = std::fs::File::open(directory.folder(ledger()).join("gate.permits")).unwrap();
    assert_eq!(inode(&file), inode(&named));
}

#[test]
fn whoever_locks_the_file_of_the_permits_keeps_everybody_out_and_no_longer() {
    let folder = Folder::new("gate-files-locked");
    let directory = open(&folder.0);
    let gate = directory.gate(ledger());
    let token = folder.token();
    drop(gate.enter(&token).unwrap());
    let permits = directory.folder(ledger()).join("gate.permits");
    let stranger = std::fs::File::open(&permits).unwrap();
    stranger.lock().unwrap();
    assert_eq!(gate.enter(&token).unwrap_err(), rejected(Rejected::Draining { in_flight: 0 }));
    let newer = folder.token();
    let one = rejected(Rejected::Draining { in_flight: 1 });
    assert_eq!(gate.enter(&newer).unwrap_err(), one);
    drop(stranger);
    drop(gate.enter_waiting(&newer, Duration::from_secs(60)).unwrap());

    // A name that leads nowhere for ever.
    std::fs::remove_file(&permits).unwrap();
    std::os::unix::fs::symlink(&permits, &permits).unwrap();
    assert_eq!(gate.enter(&newer).unwrap_err(), FileGateError::Io { code: Some(40) });
}

#[test]
fn a_gate_in_a_directory_that_is_gone_makes_none() {
    let folder = Folder::new("gate-files-gone");
    let directory = open(&folder.0);
    let gate = directory.gate(ledger());
    let token = folder.token();
    std::fs::remove_dir_all(&folder.0).unwrap();
    let gone = FileGateError::Record(FileError::NoDirectory);
    assert_eq!(gate.enter(&token).unwrap_err(), gone);
    assert_eq!(gate.begin_at(token.realm(), token.epoch()), Err(gone));
    assert!(!folder.0.exists());
}

const DIRECTORY: &str = "EPOCH_FENCE_TEST_RACE_DIRECTORY";
const SEED: &str = "EPOCH_FENCE_TEST_RACE_SEED";
const EPOCHS: u64 = 240;

/// One of the processes that race; it does nothing when the test runs by itself.
#[test]
fn the_process_that_races() {
    let Some(path) = std::env::var_os(DIRECTORY) else { return };
    let mut seed: u64 = std::env::var(SEED).unwrap().parse().unwrap();
    let path = Path::new(&path);
    let first: FencingToken = std::fs::read_to_string(path.join("token")).unwrap().parse().unwrap();
    let mut effects = OpenOptions::new().append(true).open(path.join("effects")).unwrap();
    let directory = open(path);
    let gate = directory.gate(ledger());
    for epoch in first.epoch().get()..EPOCHS {
        // Some come late, and are refused.
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let epoch = epoch - (seed >> 60).min(epoch - 1);
        // Long enough for a tenure on a slow disk: else those who come next would be refused in turn.
        let Ok(permit) = gate.enter_waiting(&at_epoch(&first, epoch), Duration::from_secs(2)) else {
            continue;
        };
        for _ in 0..16 {
            effects.write_all(format!("{epoch}\n").as_bytes()).unwrap();
            // All in all it takes longer than a newer token needs to be admitted.
            effects.sync_all().unwrap();
        }
        drop(permit);
    }
}

#[test]
fn effects_of_processes_that_race_through_epochs_and_are_killed_never_overlap() {
    let folder = Folder::new("gate-files-race");
    let first = folder.token();
    std::fs::write(folder.0.join("token"), first.to_string()).unwrap();
    std::fs::write(folder.0.join("effects"), "").unwrap();
    let start = |seed: u64| -> Child {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "file_gate::the_process_that_races", "--nocapture"])
            .env(DIRECTORY, &folder.0)
            .env(SEED, seed.to_string())
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    };
    let effects = || std::fs::read_to_string(folder.0.join("effects")).unwrap();
    let racing: Vec<Child> = (0..3).map(start).collect();
    let mut seen = 0;
    for seed in 3..10 {
        let mut victim = start(seed);
        // Killed when more has happened, wherever it is then.
        while effects().len() <= seen && victim.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        seen = effects().len();
        let _ = victim.kill();
        victim.wait().unwrap();
    }
    for mut child in racing {
        assert!(child.wait().unwrap().success());
    }

    let epochs: Vec<u64> = effects().lines().map(|line| line.parse().unwrap()).collect();
    let tenures = epochs.chunk_by(|left, right| left == right).count();
    println!("{tenures} tenures");
    assert!(tenures > 20, "{tenures} tenures acted: too few to tell");
    assert!(epochs.is_sorted(), "an older epoch acted after a newer one: {epochs:?}");
}

//! What is found: a record put back, a log that was changed, and how an operator goes on.

use std::fs;
use std::path::Path;

use epoch_fence::audit::LogHead;
use epoch_fence::engine::file::{Damage, FileError, Finding, LogFault, NotVerified};
use epoch_fence::protocol::{RECOVERY_STRIDE, Refusal};
use epoch_fence::{AdoptError, Gate, NotAcquired, RealmId, Rejected, Wait};

use super::{Leases, ManualHost, Scratch, claim, leases, resource};

fn epochs(leases: &Leases<'_>, count: u64) -> u64 {
    let mut last = 0;
    for _ in 0..count {
        last = leases.acquire(&claim("h", 8_000), Wait::AtOnce).unwrap().token().epoch().get();
    }
    last
}

fn damage(verified: Result<impl core::fmt::Debug, NotVerified>) -> Damage {
    match verified {
        Err(NotVerified::Damaged(damage)) => damage,
        other => panic!("{other:?}"),
    }
}

/// Writes over a file in place, so that it keeps its inode.
fn put_back(from: &Path, to: &Path) {
    fs::write(to, fs::read(from).unwrap()).unwrap();
}

#[test]
fn a_directory_put_back_from_a_copy_is_refused_until_an_operator_recovers_it() {
    let (scratch, host) = (Scratch::new(), ManualHost::new());
    let leases = leases(&scratch, &host);
    epochs(&leases, 2);
    let folder = leases.engine().folder(resource());
    let backup = scratch.path().join("backup");
    fs::create_dir(&backup).unwrap();
    for name in ["record", "log.00000001"] {
        fs::copy(folder.join(name), backup.join(name)).unwrap();
    }
    let newest = leases.acquire(&claim("h", 8_000), Wait::AtOnce).unwrap().token();
    let gate = Gate::new(newest.realm(), resource(), newest.epoch());
    gate.run(&newest, |_| ()).unwrap();
    fs::remove_dir_all(&folder).unwrap();
    fs::rename(&backup, &folder).unwrap();

    let refused = leases.acquire(&claim("h", 8_000), Wait::AtOnce).unwrap_err();
    assert!(matches!(refused, NotAcquired::Failed(FileError::Register(_))), "{refused:?}");
    let realm = RealmId::random().unwrap();
    let view = leases.engine().recover(resource(), realm, Some(newest.epoch())).unwrap();
    assert!(view.record().epoch().unwrap().get() >= newest.epoch().get() + RECOVERY_STRIDE);
    assert_eq!(leases.engine().recover(resource(), realm, None).unwrap().record(), view.record(), "once");

    let after = leases.acquire(&claim("h", 8_000), Wait::AtOnce).unwrap().token();
    assert!(matches!(gate.enter(&after), Err(Rejected::WrongRealm)));
    assert_eq!(gate.adopt(realm, after.epoch()), Ok::<(), AdoptError>(()));
    assert!(gate.enter(&after).is_ok());
    let verified = leases.engine().verify(resource(), None).unwrap();
    assert_eq!(verified.unread(), 0, "the recovery began a log of its own");
}

#[test]
fn a_record_rewound_in_place_is_given_away_by_its_log() {
    let (scratch, host) = (Scratch::new(), ManualHost::new());
    let leases = leases(&scratch, &host);
    epochs(&leases, 2);
    let record = leases.engine().folder(resource()).join("record");
    let backup = scratch.path().join("backup");
    fs::copy(&record, &backup).unwrap();
    let newest = epochs(&leases, 1);
    put_back(&backup, &record);
    let refused = leases.acquire(&claim("h", 8_000), Wait::AtOnce).unwrap_err();
    assert_eq!(refused, NotAcquired::Failed(FileError::Log(LogFault::Ahead)));
    let found = damage(leases.engine().verify(resource(), None));
    assert_eq!(found.what(), Finding::Fault(LogFault::Ahead));
    // What the log still tells counts, without a floor.
    let view = leases.engine().recover(resource(), RealmId::random().unwrap(), None).unwrap();
    assert!(view.record().epoch().unwrap().get() >= newest + RECOVERY_STRIDE);
    assert!(epochs(&leases, 1) > newest);
    leases.engine().verify(resource(), None).unwrap();
}

#[test]
fn a_directory_put_back_whole_and_in_place_is_found_by_one_who_remembers() {
    let (scratch, host) = (Scratch::new(), ManualHost::new());
    let leases = leases(&scratch, &host);
    epochs(&leases, 1);
    let folder = leases.engine().folder(resource());
    let names = ["record", "log.00000001"];
    for name in names {
        fs::copy(folder.join(name), scratch.path().join(name)).unwrap();
    }
    let seen = leases.acquire(&claim("h", 8_000), Wait::AtOnce).unwrap().token();
    let head = leases.engine().verify(resource(), None).unwrap().head();
    for name in names {
        put_back(&scratch.path().join(name), &folder.join(name));
    }
    assert!(leases.engine().verify(resource(), None).is_ok(), "nothing within can know");
    let found = damage(leases.engine().verify(resource(), Some(head)));
    assert_eq!(found.what(), Finding::HeadNotFound);
    let remembering = claim("h", 8_000).with_known_epoch(seen.realm(), seen.epoch());
    let refused = leases.acquire(&remembering, Wait::AtOnce).unwrap_err();
    assert!(matches!(refused, NotAcquired::Refused(Refusal::Regressed { .. })), "{refused:?}");
}

#[test]
fn a_log_that_was_inserted_into_reordered_replaced_or_cut_is_found_and_the_entry_named() {
    let (scratch, host) = (Scratch::new(), ManualHost::new());
    let leases = leases(&scratch, &host);
    epochs(&leases, 3);
    let log = leases.engine().folder(resource()).join("log.00000001");
    let whole = fs::read(&log).unwrap();
    let entries: Vec<_> = leases.engine().history(resource()).unwrap().map(Result::unwrap).collect();
    let at = |index: usize| entries[index].anchor().place().offset() as usize;
    let end = at(5) + entries[5].to_bytes().len();
    let (second, third) = (whole[at(1)..at(2)].to_vec(), whole[at(2)..at(3)].to_vec());

    let try_log = |bytes: Vec<u8>| {
        let mut bytes = bytes;
        bytes.resize(whole.len(), 0);
        fs::write(&log, bytes).unwrap();
        damage(leases.engine().verify(resource(), None)).index()
    };
    let inserted = [&whole[..at(2)], &second, &whole[at(2)..end]].concat();
    assert_eq!(try_log(inserted), 2);
    let reordered = [&whole[..at(1)], &third, &second, &whole[at(3)..end]].concat();
    assert_eq!(try_log(reordered), 1);
    let removed = [&whole[..at(1)], &whole[at(2)..end]].concat();
    assert_eq!(try_log(removed), 1);
    for cut in 1..5 {
        assert_eq!(try_log(whole[..at(cut)].to_vec()), u64::try_from(cut).unwrap(), "cut before entry {cut}");
    }
    // Down to the anchor: the last entry follows from the record, and the next one who comes writes it.
    let mut cut = whole[..at(5)].to_vec();
    cut.resize(whole.len(), 0);
    fs::write(&log, cut).unwrap();
    let verified = leases.engine().verify(resource(), None).unwrap();
    assert_eq!((verified.entries(), verified.missing()), (5, Some(&entries[5])));
    assert_eq!(leases.current(&resource()).unwrap().record(), entries[5].record());
    assert_eq!(fs::read(&log).unwrap(), whole, "to the byte");

    // Another log, sound in itself, in the place of this one.
    let other = Scratch::new();
    let others = super::leases(&other, &host);
    epochs(&others, 3);
    fs::copy(others.engine().folder(resource()).join("log.00000001"), &log).unwrap();
    let found = damage(leases.engine().verify(resource(), None));
    assert_eq!(found.what(), Finding::Fault(LogFault::Forked));
    fs::write(&log, &whole).unwrap();
    let head = entries[2].head();
    assert_eq!(leases.engine().verify(resource(), Some(head)).unwrap().noted_at(), Some(3));
    assert_eq!(leases.engine().verify(resource(), Some(LogHead::EMPTY)).unwrap().noted_at(), Some(0));
}

#[test]
fn a_log_that_is_gone_stops_every_grant_until_it_is_recovered() {
    let (scratch, host) = (Scratch::new(), ManualHost::new());
    let leases = leases(&scratch, &host);
    let epoch = epochs(&leases, 2);
    fs::remove_file(leases.engine().folder(resource()).join("log.00000001")).unwrap();
    let refused = leases.acquire(&claim("h", 8_000), Wait::AtOnce).unwrap_err();
    assert_eq!(refused, NotAcquired::Failed(FileError::Log(LogFault::Missing { segment: 1 })));
    leases.engine().recover(resource(), RealmId::random().unwrap(), None).unwrap();
    assert!(epochs(&leases, 1) >= epoch + RECOVERY_STRIDE);
    leases.engine().verify(resource(), None).unwrap();
}

#[test]
fn a_record_that_is_gone_or_zero_is_no_new_beginning() {
    let (scratch, host) = (Scratch::new(), ManualHost::new());
    let leases = leases(&scratch, &host);
    let epoch = epochs(&leases, 2);
    let record = leases.engine().folder(resource()).join("record");
    let zeros = vec![0; fs::read(&record).unwrap().len()];
    for damage in [None, Some(zeros), Some(Vec::new())] {
        match damage {
            None => fs::remove_file(&record).unwrap(),
            Some(bytes) => fs::write(&record, bytes).unwrap(),
        }
        assert!(matches!(leases.acquire(&claim("h", 8_000), Wait::AtOnce), Err(NotAcquired::Failed(_))));
        let verified = leases.engine().verify(resource(), None);
        let missing = matches!(verified, Err(NotVerified::File(FileError::RecordMissing)));
        let unreadable = matches!(verified, Err(NotVerified::File(FileError::Register(_))));
        assert_eq!((missing, unreadable), (!record.exists(), record.exists()), "{verified:?}");
        let realm = RealmId::random().unwrap();
        let view = leases.engine().recover(resource(), realm, None).unwrap();
        assert_eq!(view.record().realm(), realm);
        assert!(view.record().epoch().unwrap().get() >= epoch + RECOVERY_STRIDE);
        epochs(&leases, 1);
        leases.engine().verify(resource(), None).unwrap();
    }
}

//! What each refusal says: the words that an operator reads in a log, and can look for.

use core::error::Error;
use core::time::Duration;

use epoch_fence::engine::Failure;
use epoch_fence::protocol::{Exhausted, Impossible, RecordError, Refusal, Version};
use epoch_fence::{
    AdoptError, DecodeError, Epoch, Field, HolderIdError, MaxPermits, NotAcquired, NotChanged,
};

use crate::values::epoch;

const MILLIS: Duration = Duration::from_millis(1_500);

fn each_says<E: Error>(rows: impl IntoIterator<Item = (E, &'static str)>) {
    for (error, words) in rows {
        assert_eq!(error.to_string(), words, "{error:?}");
    }
}

#[test]
fn what_is_wrong_with_a_value_is_said_with_its_place() {
    each_says([
        (DecodeError::Version { found: 9 }, "unknown token version 9"),
        (DecodeError::UnknownCritical { flags: 0x80 }, "unknown critical flags 0x80"),
        (DecodeError::Length { found: 3, expected: 90 }, "3 bytes, expected 90"),
        (DecodeError::Zero { field: Field::Realm }, "the realm is zero"),
        (DecodeError::Zero { field: Field::Epoch }, "the epoch is zero"),
        (DecodeError::Range { field: Field::Grant }, "the grant is above 2^64 - 1"),
        (DecodeError::Digit { at: 4 }, "byte 4 is not a digit of this form"),
        (DecodeError::Separator { at: 5 }, "byte 5 is not `-`"),
    ]);
    each_says([
        (HolderIdError::Length { found: 65, limit: 64 }, "holder id of 65 bytes, expected 1 to 64"),
        (HolderIdError::Control { at: 2 }, "control character at byte 2 of a holder id"),
    ]);
    each_says([
        (RecordError::Form { found: 7 }, "unknown record form 7"),
        (RecordError::UnknownCritical { flags: 0x40 }, "unknown critical flags 0x40 of a record"),
        (RecordError::Kind { found: 3 }, "unknown tenure 3"),
        (RecordError::Length { found: 11 }, "record of 11 bytes ends early or late"),
        (RecordError::ZeroId, "a realm or grant is zero"),
        (RecordError::Holder, "a holder is no text of 1 to 64 bytes without control characters"),
        (
            RecordError::EpochRange { found: Epoch::MAX },
            "epoch 18446744073709551615 is above 9223372036854775807, the greatest one issued",
        ),
        (RecordError::Tenure, "a tenure without an epoch"),
        (RecordError::Absent, "a record of version 0 that is not empty"),
        (RecordError::InfoLength { found: 300 }, "300 bytes of the engine, at most 256"),
    ]);
    assert_eq!(MaxPermits::new(7).unwrap().to_string(), "7");
}

#[test]
fn what_a_record_forbids_is_said_with_who_and_for_how_long() {
    let ada = "ada".parse().unwrap();
    let rows = [
        (Refusal::Held { holder: ada, remaining: MILLIS }, "held by ada for another 1500 ms"),
        (Refusal::Reserved { to: ada, remaining: MILLIS }, "handed over to ada for another 1500 ms"),
        (Refusal::NotHolder, "the record does not hold this grant"),
        (Refusal::Lapsed, "the lease of this grant is over"),
        (Refusal::GrantUsed, "the record holds this grant already"),
        (Refusal::RealmUsed, "the record is of this realm already"),
        (
            Refusal::Regressed { found: Some(epoch(4)), known: epoch(5) },
            "the store is at epoch 4, but 5 was seen: it lost a part of its past",
        ),
        (
            Refusal::Regressed { found: None, known: epoch(5) },
            "the store is empty, but epoch 5 was seen: it lost its past",
        ),
        (
            Refusal::EndTooFar { remaining: Duration::from_secs(90_000) },
            "the end in the record is 90000 s away, at most 86400 s are possible; an operator may evict or recover",
        ),
        (Refusal::Exhausted(Exhausted::Epoch), "no epoch is left up to 9223372036854775807"),
        (Refusal::from(Exhausted::Version), "no version is left up to 18446744073709551615"),
        (Refusal::from(Exhausted::Clock), "the issuer's clock is at the end of its range"),
    ];
    each_says(rows);
    each_says(rows.map(|(why, words)| (NotAcquired::<Refusal>::Refused(why), words)));
    each_says(rows.map(|(why, words)| (NotChanged::<Refusal>::Refused(why), words)));
    each_says([
        (NotAcquired::<Refusal>::Held { holder: ada, remaining: MILLIS }, "held by ada for another 1500 ms"),
        (NotAcquired::Reserved { to: ada, remaining: MILLIS }, "handed over to ada for another 1500 ms"),
    ]);
}

#[test]
fn what_came_of_a_write_is_said_and_what_the_store_said_of_it() {
    let fell = Impossible::VersionFell { seen: Version::MAX, found: Version::ABSENT };
    let lost = "version 0 after 18446744073709551615: the store lost a part of its past";
    each_says([
        (fell, lost),
        (Impossible::NotAsAsked, "the store holds something else than what was written"),
        (Impossible::OtherRequest, "the answer belongs to another request"),
    ]);
    let store = RecordError::ZeroId;
    each_says([
        (NotAcquired::Contended, "others wrote first"),
        (NotAcquired::Superseded, "granted, and over before it was known"),
        (NotAcquired::Failed(store), "not acquired: a realm or grant is zero"),
        (NotAcquired::Impossible(fell), lost),
    ]);
    each_says([
        (NotChanged::Lost, "the lease is lost"),
        (NotChanged::Contended, "others wrote first each time"),
        (NotChanged::Failed(store), "nothing was written: a realm or grant is zero"),
        (NotChanged::Indeterminate(store), "not known whether it was written: a realm or grant is zero"),
        (NotChanged::Impossible(fell), lost),
    ]);
    each_says([
        (Failure::Definite(store), "the write did not land: a realm or grant is zero"),
        (Failure::Indeterminate(store), "the write may have landed: a realm or grant is zero"),
    ]);
    let turned = [Failure::Definite(1), Failure::Indeterminate(2)].map(|why| why.map(|number| number + 1));
    assert_eq!(turned, [Failure::Definite(2), Failure::Indeterminate(3)]);
}

const ADOPTED_NOT: [(AdoptError, &str); 4] = [
    (
        AdoptError::FloorTooLow { least: Epoch::MAX_ISSUED },
        "the floor is below epoch 9223372036854775807, the least for this gate",
    ),
    (AdoptError::Draining { in_flight: 3 }, "3 permits of the old realm are still alive"),
    (AdoptError::Sealed, "the gate is sealed"),
    (AdoptError::Exhausted, "no epoch is left above those the gate has admitted"),
];

#[test]
fn a_gate_that_does_not_adopt_a_realm_says_what_it_would_take() {
    each_says(ADOPTED_NOT);
}

#[cfg(feature = "durable")]
#[test]
fn a_durable_gate_says_whether_it_or_its_register_refused() {
    use epoch_fence::{DurableGateError, NotAdmitted, NotAdopted, RealmId, Rejected};
    use high_water::{NotRaised, RaiseError};

    let poisoned = RaiseError::NotRaised(NotRaised::Poisoned);
    let words: &'static str = poisoned.to_string().leak();
    each_says([
        (NotAdmitted::Rejected(Rejected::Sealed), "the gate is sealed"),
        (NotAdmitted::NotSaved(poisoned), words),
    ]);
    each_says(ADOPTED_NOT.map(|(why, words)| (NotAdopted::Refused(why), words)));
    each_says([(NotAdopted::NotSaved(poisoned), words)]);
    let found = RealmId::from_random_bits(0xa1).unwrap();
    each_says([
        (DurableGateError::WrongResource, "the register is another resource's"),
        (DurableGateError::WrongRealm { found }, "the register is of realm 000000000000000000000000000000a1"),
        (
            DurableGateError::Payload(DecodeError::Version { found: 2 }),
            "the register was not written by a gate: unknown token version 2",
        ),
        (DurableGateError::NotSaved(poisoned), words),
    ]);
}

#[cfg(all(target_os = "linux", feature = "file"))]
mod file {
    use epoch_fence::audit::{Broken, EntryError};
    use epoch_fence::engine::file::{During, FileError, LogFault, NotVerified};
    use epoch_fence::protocol::{Exhausted, RecordError};
    use epoch_fence::{AdoptError, DecodeError, FileGateError, Rejected};
    use high_water::{NotRaised, OpenError, RaiseError};

    use super::each_says;

    /// No such file.
    const ENOENT: Option<i32> = Some(2);

    #[test]
    fn a_directory_of_leases_says_what_to_do() {
        let rows = [
            (FileError::NoDirectory, "there is no such directory; create it"),
            (
                FileError::Busy { process: Some(4_711) },
                "process 4711 is in the midst of a write; if it is stopped, let it go on or kill it",
            ),
            (FileError::Busy { process: None }, "another process is in the midst of a write; try again"),
            (
                FileError::Record(RecordError::ZeroId),
                "what is stored is no record: a realm or grant is zero; recover the resource",
            ),
            (FileError::NoAnchor, "the record was not written by this engine; recover the resource"),
            (
                FileError::RecordMissing,
                "the record is gone, and its audit log is not; put it back, or recover the resource",
            ),
            (FileError::Log(LogFault::Cut), "the audit log was cut; find out why, then recover the resource"),
            (
                FileError::from(LogFault::Missing { segment: 3 }),
                "file 3 of the audit log is gone; find out why, then recover the resource",
            ),
            (
                FileError::Log(LogFault::Ahead),
                "the audit log goes on behind the record: an older record was put back; find out why, then recover \
                 the resource",
            ),
            (
                FileError::Log(LogFault::Forked),
                "the audit log has another write in the place of the record's; find out why, then recover the resource",
            ),
            (
                FileError::Log(LogFault::Foreign { segment: 2 }),
                "file 2 of the audit log belongs to another log; find out why, then recover the resource",
            ),
            (FileError::Exhausted(Exhausted::Clock), "the issuer's clock is at the end of its range"),
            (FileError::LogExhausted, "the audit log is at the end of its range; recover the resource"),
            (
                FileError::UnsupportedPlatform,
                "leases in files need a boot id and a clock that runs through suspend, as Linux has them",
            ),
        ];
        each_says(rows);
        each_says(rows.map(|(why, words)| (NotVerified::File(why), words)));
        each_says(rows.map(|(why, words)| (FileGateError::Record(why), words)));
        let platform = OpenError::UnsupportedPlatform;
        assert_eq!(FileError::from(platform), FileError::UnsupportedPlatform);
        let held = OpenError::Held { process: Some(7) };
        assert_eq!(FileError::from(held), FileError::Busy { process: Some(7) });
        let (open, raise) = (OpenError::NotFound, RaiseError::NotRaised(NotRaised::Poisoned));
        assert_eq!(FileError::from(open), FileError::Register(open));
        assert_eq!(FileError::Register(open).to_string(), format!("the record: {open}"));
        assert_eq!(FileError::Raise(raise).to_string(), format!("the record: {raise}"));
    }

    #[test]
    fn an_error_of_the_system_is_said_with_what_was_being_done() {
        let system = std::io::Error::from_raw_os_error(2);
        for (during, doing) in [
            (During::Directory, "looking at the directory"),
            (During::Reading, "reading the audit log"),
            (During::MakingRoom, "making room in the audit log"),
            (During::Appending, "writing to the audit log"),
            (During::Announcing, "locking the file that shows the holder to be alive"),
            (During::Clock, "asking for the time since boot"),
        ] {
            let said = |code| FileError::Io { during, code }.to_string();
            assert_eq!(said(ENOENT), format!("{system} while {doing}"));
            assert_eq!(said(None), format!("stopped short while {doing}"));
        }
        let said = |code| FileGateError::Io { code }.to_string();
        assert_eq!(said(ENOENT), format!("the file of the gate's permits: {system}"));
        assert_eq!(said(None), "the file of the gate's permits could not be used");
    }

    #[test]
    fn what_is_wrong_with_an_entry_is_said_also_where_the_log_breaks_at_it() {
        let rows = [
            (EntryError::Blank, "no entry"),
            (EntryError::Length, "an entry that ends early or has an impossible length"),
            (EntryError::Hash, "an entry whose hash is wrong: it was changed, or not written whole"),
            (
                EntryError::Record(RecordError::ZeroId),
                "an entry that holds no record: a realm or grant is zero",
            ),
            (EntryError::Anchor, "an entry whose record has no anchor"),
        ];
        each_says(rows);
        each_says(rows.map(|(why, words)| (Broken::from(why), words)));
        each_says([
            (Broken::Misplaced, "an entry of another place"),
            (Broken::OtherPast, "an entry that was written after another one than that before it"),
            (Broken::Stamp, "an entry whose stamp is not after the one before"),
            (Broken::Step, "an entry to which no step of the protocol leads"),
        ]);
    }

    #[test]
    fn a_gate_in_files_says_which_part_of_it_refused() {
        each_says([
            (FileGateError::Rejected(Rejected::Sealed), "the gate is sealed"),
            (FileGateError::NotAdopted(AdoptError::Sealed), "the gate is sealed"),
            (FileGateError::NoRecord, "nobody ever acquired this resource in this directory"),
            (
                FileGateError::Register(OpenError::Held { process: Some(4_711) }),
                "process 4711 is at the gate; if it is stopped, let it go on or kill it",
            ),
            (
                FileGateError::Payload(DecodeError::Version { found: 2 }),
                "the gate's register was not written by a gate: unknown token version 2",
            ),
            (
                FileGateError::PermitsReplaced,
                "the file of the gate's permits was deleted or replaced, and permits on it cannot be seen; end every \
                 process that may have one, then rebuild the gate",
            ),
        ]);
        let (open, raise) = (OpenError::Held { process: None }, RaiseError::NotRaised(NotRaised::Poisoned));
        assert_eq!(FileGateError::Register(open).to_string(), format!("the gate's register: {open}"));
        assert_eq!(FileGateError::NotSaved(raise).to_string(), format!("the gate's register: {raise}"));
        assert_eq!(FileGateError::from(FileError::NoAnchor), FileGateError::Record(FileError::NoAnchor));
        let digit = DecodeError::Digit { at: 1 };
        assert_eq!(FileGateError::from(digit), FileGateError::Payload(digit));
        let system = std::io::Error::from_raw_os_error(2);
        assert_eq!(FileGateError::from(system), FileGateError::Io { code: ENOENT });
    }
}

#[cfg(feature = "test-engine")]
#[test]
fn a_store_in_memory_says_which_line_of_its_script_it_was() {
    use epoch_fence::engine::memory::{Fault, MemoryError};
    each_says([
        (MemoryError::Fault(Fault::Delayed), "scripted fault: Delayed"),
        (MemoryError::Record(RecordError::ZeroId), "what is stored is no record: a realm or grant is zero"),
    ]);
}

#[cfg(feature = "etcd")]
#[test]
fn an_etcd_says_what_is_wrong_with_it_and_with_its_keys() {
    use epoch_fence::engine::etcd::{Damage, EtcdError, EtcdOptions, EtcdUrlError};
    let rows = [
        (Damage::Realm { found: 3 }, "the realm has 3 bytes and not 25"),
        (Damage::Form { found: 9 }, "unknown form 9 of the realm"),
        (Damage::ZeroRealm, "the realm is zero"),
        (
            Damage::Base { found: u64::MAX },
            "the base 18446744073709551615 of the realm is above 9223372036854775807, the greatest epoch",
        ),
        (Damage::Record(RecordError::ZeroId), "what is stored is no record: a realm or grant is zero"),
        (Damage::NoBase, "the record does not say on which base it was written"),
        (Damage::BaseAhead { found: 5, realm: 4 }, "the record was written on base 5, and its realm is at 4"),
        (Damage::RecordMissing, "the record of a live lease is gone"),
        (Damage::OtherMark, "the mark of a tenure is not the record's"),
        (Damage::NoLease, "the mark of a tenure is on no lease"),
        (Damage::Revision { found: -1 }, "revision -1"),
    ];
    each_says(rows);
    for (why, words) in rows {
        let error = EtcdError::from(why);
        assert_eq!(
            (error.to_string(), error.source().map(ToString::to_string)),
            (words.to_owned(), Some(words.to_owned()))
        );
    }
    let realm = crate::values::realm(0xa1);
    let exhausted = EtcdError::Exhausted(Exhausted::Clock);
    assert!(exhausted.source().is_some());
    each_says([
        (EtcdError::NotInitialised, "the namespace has no realm: initialise it"),
        (EtcdError::RecordsWithoutRealm, "the realm of the namespace was deleted"),
        (
            EtcdError::Initialised { realm },
            "the namespace has the realm 000000000000000000000000000000a1 already",
        ),
        (
            EtcdError::Rewound { seen: 9, found: 4 },
            "the store is at revision 4, and 9 was seen: it was restored, recover it",
        ),
        (EtcdError::OtherCluster, "the endpoints belong to different clusters"),
        (EtcdError::Unreachable, "no endpoint of etcd can be reached"),
        (EtcdError::TimedOut { after: MILLIS }, "no answer from etcd within 1500 ms"),
        (EtcdError::NoAnswer, "the answer of etcd lacks a part"),
        (EtcdError::Contended, "others wrote first each time"),
        (EtcdError::ForeignView, "the write was made from a view of another store"),
        (exhausted, "the issuer's clock is at the end of its range"),
    ]);
    each_says([
        (EtcdUrlError::Scheme, "an etcd is given as etcd://host:port,host:port/namespace"),
        (EtcdUrlError::NoHost, "the address of the etcd has no host"),
        (EtcdUrlError::Host, "the address of the etcd has a character that no host has"),
        (EtcdUrlError::Port, "the address of the etcd has a port that is no number from 1 to 65535"),
        (
            EtcdUrlError::Namespace,
            "the address of the etcd needs a namespace of 1 to 256 bytes behind the hosts",
        ),
        (EtcdUrlError::Percent, "the address of the etcd has a % without two digits of UTF-8 behind it"),
        (EtcdUrlError::User, "the address of the etcd has a password and no user"),
        (EtcdUrlError::Query, "the address of the etcd has a ? or a #, which must be written %3F or %23"),
    ]);
    assert!("http://a/b".parse::<EtcdOptions>().is_err());
}

#[cfg(feature = "postgres")]
#[test]
fn a_postgresql_says_what_to_do() {
    use epoch_fence::PostgresGateError;
    use epoch_fence::engine::postgres::{PostgresError, UnsafeSetting};
    each_says([
        (
            PostgresError::Url,
            "the URL of the server is none, or has a parameter that is not known: \
             postgres://user@host:port/database",
        ),
        (PostgresError::Namespace, "a namespace has 1 to 200 bytes and no control characters"),
        (PostgresError::not_lent("all are lent"), "the pool lent no client"),
        (PostgresError::TimedOut { after: MILLIS }, "no answer within 1500 ms"),
        (
            PostgresError::NotInitialised,
            "the namespace was never initialised; if it was, leases are lost: recover",
        ),
        (PostgresError::Standby, "the server is a standby; ask the primary"),
        (
            PostgresError::OtherSystem { kept: -7, found: 8 },
            "the leases were copied from cluster -7 into 8; make sure that the first takes no writes, then recover",
        ),
        (
            PostgresError::Column { name: "lease.holder" },
            "what is in lease.holder was not written by this engine; put it right, or delete the row",
        ),
        (
            PostgresError::Record(RecordError::ZeroId),
            "what is stored is no record: a realm or grant is zero; put it right, or delete the row",
        ),
        (PostgresError::Clock, "the server's clock is outside of the years 1970 to 2554"),
        (PostgresError::Exhausted(Exhausted::Clock), "the issuer's clock is at the end of its range"),
        (PostgresError::Reply, "the server answered something else than what was asked"),
        (PostgresError::Setting(UnsafeSetting::Fsync), "fsync is off; switch it on, or allow it by name"),
        (
            PostgresError::Setting(UnsafeSetting::FullPageWrites),
            "full_page_writes is off; switch it on, or allow it by name",
        ),
        (PostgresError::Setting(UnsafeSetting::ZeroDamagedPages), "zero_damaged_pages is on; switch it off"),
        (
            PostgresError::Setting(UnsafeSetting::SynchronousCommit),
            "synchronous_commit is off; set it to on for this role or session (at least to local)",
        ),
        (
            PostgresError::Setting(UnsafeSetting::Isolation),
            "the isolation is not read committed; set default_transaction_isolation for this role or session",
        ),
        (
            PostgresError::Setting(UnsafeSetting::Unlogged),
            "a table of the schema epoch_fence is unlogged; SET LOGGED",
        ),
    ]);
    // What the client library says of a URL that it cannot read: it has never heard of a server.
    let heard = || "host".parse::<tokio_postgres::Config>().unwrap_err();
    let words = heard().to_string();
    for (why, said) in [
        (PostgresError::Lost(heard()), format!("the session was lost: {words}")),
        (PostgresError::Refused(heard()), format!("the server refused: {words}")),
        (PostgresError::ReadOnly(heard()), "the server takes no writes; ask the primary".to_owned()),
    ] {
        assert_eq!(why.to_string(), said);
        assert_eq!(why.source().map(ToString::to_string), Some(words.clone()), "{why}");
    }
    let gate = PostgresGateError::from(heard());
    assert_eq!(gate.to_string(), format!("the database: {words}"));
    assert_eq!(gate.source().map(ToString::to_string), Some(words));
    for (why, said) in [
        (PostgresError::from(RecordError::ZeroId), "a realm or grant is zero"),
        (PostgresError::Exhausted(Exhausted::Clock), "the issuer's clock is at the end of its range"),
    ] {
        assert_eq!(why.source().map(ToString::to_string).as_deref(), Some(said));
    }
    let pool = PostgresError::not_lent("all are lent");
    assert_eq!(pool.source().map(ToString::to_string).as_deref(), Some("all are lent"));
    assert!(PostgresError::Standby.source().is_none());
    each_says([
        (PostgresGateError::WrongResource, "the token is for another resource"),
        (PostgresGateError::NeverIssued, "the epoch is above 9223372036854775807, the last one"),
    ]);
}

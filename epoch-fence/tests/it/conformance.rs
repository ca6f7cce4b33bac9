//! The suite for stores: each store passes it, and each way to break a store is found by the rule that forbids it.

use core::time::Duration;
use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

use epoch_fence::engine::conformance::{self, Subject, Violation};
use epoch_fence::engine::memory::{Fault, Memory, MemoryError};
use epoch_fence::engine::{Engine, Failure, Swapped};
use epoch_fence::protocol::{Action, Command, Record, Swap, Tenure, Ttl, Version, View};
use epoch_fence::{Epoch, GrantId, HolderId, RealmId, ResourceId};

fn realm() -> RealmId {
    RealmId::from_random_bits(5).unwrap()
}

#[test]
fn the_store_in_memory_conforms() {
    let store = Memory::new(realm());
    let subject = Subject::new(&store, &store, |wait| store.advance(wait));
    assert_eq!(conformance::run(&subject), Ok(conformance::RULES));
    let again = conformance::run(&subject).unwrap_err();
    assert!(again.to_string().contains("never written"), "{again}");
    assert_eq!(conformance::run(&subject.with_namespace(1)), Ok(conformance::RULES));
}

#[cfg(all(target_os = "linux", feature = "file"))]
#[test]
fn the_store_in_a_directory_conforms() {
    use crate::file::{ManualHost, Scratch, anywhere};

    let (scratch, host) = (Scratch::new(), ManualHost::new());
    let open = || anywhere().open_with(scratch.path(), &host).unwrap();
    let (one, two) = (open(), open());
    let advance = |wait: Duration| host.advance(u64::try_from(wait.as_millis()).unwrap());
    assert_eq!(conformance::run(&Subject::new(&one, &two, advance)), Ok(conformance::RULES));
}

/// How a store is broken.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Sin {
    /// Looking at a resource writes it.
    LookingWrites,
    /// A write on another version lands as well.
    AnyVersion,
    /// What is loaded is what was there before the last write.
    StaleLoads,
    /// Of two grants one lands, and both are told that none did.
    SilentGrants,
    /// A release never lands.
    NoReleases,
    /// A grant that arrives again is told that it landed.
    GrantedAgain,
    /// A renewal is not held against the time.
    LateRenewals,
    /// A renewal that asks for no more than is left brings the end nearer.
    NearerEnds,
    /// A renewal leaves the end where it is.
    IdleRenewals,
    /// For the second client a lease is over before its time.
    EndsEarly,
    /// A renewal brings a lease back that was released.
    Revivals,
    /// A burn is acknowledged, and not done.
    IdleBurns,
    /// A burn is done, and undone at the next look.
    UndoneBurns,
    /// A burn is refused.
    NoBurns,
    /// The second client's first look at a tenure shows a version that is not there.
    OtherVersion,
    /// The epoch of a new tenure is the last one's.
    SameEpoch,
    /// All resources have one record.
    OneRecord,
    /// A hand-over only releases.
    NoReservation,
    /// A recovery stays in the realm.
    SameRealm,
    /// The epoch of a recovery is the one below at the next look.
    FallingRecovery,
    /// An eviction that arrives again lands again.
    Again,
    /// Long names are cut.
    CutNames,
}

/// What the clients of a sinner share.
struct Sinner {
    store: Memory,
    sin: Sin,
    /// What was there before the last write.
    before: Mutex<HashMap<ResourceId, View>>,
    /// What is put back at the next look.
    undo: Mutex<HashMap<ResourceId, Record>>,
    /// The tenures that the second client has looked at.
    seen: Mutex<HashSet<(ResourceId, GrantId)>>,
}

/// A client of a store in memory with one sin.
struct Client<'s> {
    sinner: &'s Sinner,
    is_second: bool,
}

/// A record with some of its parts exchanged.
fn forged(record: &Record, realm: RealmId, version: u64, epoch: Option<Epoch>, tenure: Tenure) -> Record {
    Record::try_new(realm, Version::new(version), epoch, tenure, *record.info()).unwrap()
}

fn with_tenure(record: &Record, tenure: Tenure) -> Record {
    forged(record, record.realm(), record.version().get(), record.epoch(), tenure)
}

impl Sinner {
    fn resource(&self, resource: &ResourceId) -> ResourceId {
        if self.sin == Sin::OneRecord { ResourceId::from_bytes([0; 32]) } else { *resource }
    }

    /// Writes any record, by the store's own back door.
    fn put(&self, resource: ResourceId, record: &Record) {
        self.store.put(resource, record.to_bytes().as_bytes());
    }

    /// What is written instead of what was asked for, if anything is.
    fn forge(&self, view: &View, swap: &Swap) -> Option<Record> {
        let (stored, next) = (view.record(), swap.next());
        let known = stored.version() == swap.expected() && stored.realm() == swap.expected_realm();
        match (self.sin, swap.action()) {
            (Sin::AnyVersion, _) => Some(*next),
            (Sin::Again, Action::Evict) | (Sin::GrantedAgain, Action::Acquire) if stored == next => {
                Some(*next)
            }
            (Sin::Revivals, Action::Renew) if *stored.tenure() == Tenure::Free => {
                Some(forged(next, stored.realm(), stored.version().get() + 1, stored.epoch(), *next.tenure()))
            }
            _ if !known => None,
            (Sin::LateRenewals, Action::Renew) => Some(*next),
            (Sin::NearerEnds, Action::Renew) if swap.lands_on(view) && next.tenure() == stored.tenure() => {
                let Tenure::Held { grant, holder, .. } = *next.tenure() else { return None };
                let expiry = view.now().checked_add(Ttl::MIN.get()).unwrap();
                Some(with_tenure(next, Tenure::Held { grant, holder, expiry }))
            }
            (Sin::IdleRenewals, Action::Renew) if swap.lands_on(view) => {
                Some(with_tenure(next, *stored.tenure()))
            }
            (Sin::SameEpoch, Action::Acquire) if stored.epoch().is_some() => {
                Some(forged(next, next.realm(), next.version().get(), stored.epoch(), *next.tenure()))
            }
            (Sin::NoReservation, Action::HandOver) => Some(with_tenure(next, Tenure::Free)),
            (Sin::SameRealm, Action::Recover) => {
                Some(forged(next, stored.realm(), next.version().get(), next.epoch(), *next.tenure()))
            }
            (Sin::CutNames, Action::Acquire) => {
                let Tenure::Held { grant, holder, expiry } = *next.tenure() else { return None };
                let letters = holder.as_str().char_indices().take_while(|(at, _)| *at < 60);
                let name: String = letters.map(|(_, letter)| letter).collect();
                let holder = HolderId::try_new(&name).unwrap();
                Some(with_tenure(next, Tenure::Held { grant, holder, expiry }))
            }
            _ => None,
        }
    }
}

impl Engine for Client<'_> {
    type Error = MemoryError;

    fn load(&self, resource: &ResourceId) -> Result<View, MemoryError> {
        let sinner = self.sinner;
        let (sin, resource) = (sinner.sin, sinner.resource(resource));
        if let Some(record) = sinner.undo.lock().unwrap().remove(&resource) {
            sinner.put(resource, &record);
        }
        let view = sinner.store.load(&resource)?;
        let record = view.record();
        if sin == Sin::LookingWrites && record.version() == Version::ABSENT {
            let swap = Swap::prepare(&view, &Command::Burn).unwrap();
            sinner.put(resource, swap.next());
            return sinner.store.load(&resource);
        }
        if let Some(grant) = record.grant()
            && self.is_second
        {
            let soon = view.remaining(grant).is_none_or(|left| left < Duration::from_millis(1_500));
            let is_first = sinner.seen.lock().unwrap().insert((resource, grant));
            if sin == Sin::EndsEarly && soon {
                return Ok(view.with_ended());
            }
            if sin == Sin::OtherVersion && is_first {
                let version = record.version().get() + 1;
                let other = forged(record, record.realm(), version, record.epoch(), *record.tenure());
                return Ok(View::new(other, view.now()));
            }
        }
        let before = sinner.before.lock().unwrap();
        Ok(before.get(&resource).filter(|_| sin == Sin::StaleLoads).copied().unwrap_or(view))
    }

    fn swap(&self, resource: &ResourceId, swap: &Swap) -> Result<Swapped, Failure<MemoryError>> {
        let sinner = self.sinner;
        let (sin, resource) = (sinner.sin, sinner.resource(resource));
        // One step, as a store that is not broken in this would do it.
        let mut before = sinner.before.lock().unwrap();
        let view = sinner.store.load(&resource).map_err(Failure::Definite)?;
        match (sin, swap.action()) {
            (Sin::NoReleases, Action::Release) => return Ok(Swapped::Conflict),
            (Sin::NoBurns, Action::Burn) => {
                return Err(Failure::Definite(MemoryError::Fault(Fault::Refused)));
            }
            (Sin::IdleBurns, Action::Burn) => {
                return Ok(Swapped::Landed(View::new(*swap.next(), view.now())));
            }
            (Sin::SilentGrants, Action::Acquire) => {
                // Always the second one of two, whichever is faster.
                if swap.grant().is_some_and(|grant| grant.get().is_multiple_of(2)) {
                    sinner.put(resource, swap.next());
                }
                return Ok(Swapped::Conflict);
            }
            (Sin::UndoneBurns, Action::Burn) if swap.lands_on(&view) => {
                sinner.undo.lock().unwrap().insert(resource, *view.record());
            }
            (Sin::FallingRecovery, Action::Recover) if swap.lands_on(&view) => {
                let next = swap.next();
                let below = Epoch::new(next.epoch().unwrap().get() - 1);
                let fallen = forged(next, next.realm(), next.version().get(), below, Tenure::Free);
                sinner.undo.lock().unwrap().insert(resource, fallen);
            }
            _ => {}
        }
        if let Some(forged) = sinner.forge(&view, swap) {
            sinner.put(resource, &forged);
            return sinner.store.load(&resource).map(Swapped::Landed).map_err(Failure::Definite);
        }
        before.insert(resource, view);
        sinner.store.swap(&resource, swap)
    }
}

fn run(sin: Sin) -> Violation {
    let sinner = Sinner {
        store: Memory::new(realm()),
        sin,
        before: Mutex::default(),
        undo: Mutex::default(),
        seen: Mutex::default(),
    };
    let [one, two] = [false, true].map(|is_second| Client { sinner: &sinner, is_second });
    let subject = Subject::new(&one, &two, |wait| sinner.store.advance(wait));
    conformance::run(&subject).expect_err(&format!("{sin:?} is found"))
}

#[test]
fn every_way_to_break_a_store_is_found_by_the_rule_that_forbids_it() {
    let rows = [
        (Sin::LookingWrites, "looking does not write", "Version(1)"),
        (Sin::AnyVersion, "one lands", "[true, true]"),
        (Sin::StaleLoads, "one lands", ""),
        (Sin::SilentGrants, "one lands", "[false, false]"),
        (Sin::NoReleases, "one lands", "Release"),
        (Sin::GrantedAgain, "lands once", "Landed"),
        (Sin::LateRenewals, "whose end has come", "Landed"),
        (Sin::NearerEnds, "never nearer", "Some(500ms)"),
        (Sin::IdleRenewals, "never nearer", "(Some(1s), Some(1s))"),
        (Sin::EndsEarly, "never nearer", "(None, Some(2s))"),
        (Sin::Revivals, "is free at once", "Landed"),
        (Sin::IdleBurns, "a burned attempt", "Landed"),
        (Sin::UndoneBurns, "versions rise", "Version(2)"),
        (Sin::NoBurns, "a burned attempt", "Fault(Refused)"),
        (Sin::OtherVersion, "everybody loads", "Version(2)"),
        (Sin::SameEpoch, "epochs with each tenure", "Acquire"),
        (Sin::OneRecord, "never written", "Version(4)"),
        (Sin::NoReservation, "is kept for one", "HandOver"),
        (Sin::SameRealm, "a recovery goes on", "Recover"),
        (Sin::FallingRecovery, "a recovery goes on", "Held"),
        (Sin::Again, "sent again lands again", "Landed"),
        (Sin::CutNames, "every holder's name fits", "zzz"),
    ];
    for (sin, rule, seen) in rows {
        let found = run(sin);
        assert!(found.rule().contains(rule), "{sin:?}: {found}");
        assert!(found.seen().contains(seen), "{sin:?}: {found}");
        assert_eq!(found.to_string(), format!("not so: {}; seen: {}", found.rule(), found.seen()));
    }
}

/// A store that notes the grants it was sent.
struct Noting(Memory, Mutex<HashSet<GrantId>>);

impl Engine for Noting {
    type Error = MemoryError;

    fn load(&self, resource: &ResourceId) -> Result<View, MemoryError> {
        self.0.load(resource)
    }

    fn swap(&self, resource: &ResourceId, swap: &Swap) -> Result<Swapped, Failure<MemoryError>> {
        self.1.lock().unwrap().extend(swap.grant());
        self.0.swap(resource, swap)
    }
}

#[test]
fn runs_of_two_namespaces_on_one_store_share_no_grant() {
    let store = Noting(Memory::new(realm()), Mutex::default());
    let grants = |namespace| {
        let subject = Subject::new(&store, &store, |wait| store.0.advance(wait)).with_namespace(namespace);
        assert_eq!(conformance::run(&subject), Ok(conformance::RULES));
        core::mem::take(&mut *store.1.lock().unwrap())
    };
    let (first, second) = (grants(0), grants(1));
    assert!(!first.is_empty() && first.is_disjoint(&second), "{first:?} {second:?}");
}

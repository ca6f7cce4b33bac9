//! The suite for stores: each store passes it, and each way to break a store is found by the rule that forbids it.

use core::time::Duration;
use std::collections::HashMap;
use std::sync::Mutex;

use epoch_fence::engine::conformance::{self, Subject, Violation};
use epoch_fence::engine::memory::{Memory, MemoryError};
use epoch_fence::engine::{Engine, Failure, Swapped};
use epoch_fence::protocol::{Action, Command, Record, Swap, Tenure, Version, View};
use epoch_fence::{RealmId, ResourceId};

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
    /// A renewal is not held against the time.
    LateRenewals,
    /// A renewal may bring the end nearer.
    NearerEnds,
    /// A burn is acknowledged, and not done.
    IdleBurns,
    /// The epoch of a new tenure is the last one's.
    SameEpoch,
    /// All resources have one record.
    OneRecord,
    /// A hand-over only releases.
    NoReservation,
    /// A recovery stays in the realm.
    SameRealm,
    /// An eviction that arrives again lands again.
    Again,
}

/// A store in memory with one sin.
struct Sinner {
    store: Memory,
    sin: Sin,
    before: Mutex<HashMap<ResourceId, View>>,
}

impl Sinner {
    fn resource(&self, resource: &ResourceId) -> ResourceId {
        if self.sin == Sin::OneRecord { ResourceId::from_bytes([0; 32]) } else { *resource }
    }

    /// Writes any record, by the store's own back door.
    fn put(&self, resource: ResourceId, record: &Record) {
        self.store.put(resource, record.to_bytes().as_bytes());
    }
}

impl Engine for Sinner {
    type Error = MemoryError;

    fn load(&self, resource: &ResourceId) -> Result<View, MemoryError> {
        let resource = self.resource(resource);
        let view = self.store.load(&resource)?;
        if self.sin == Sin::LookingWrites && view.record().version() == Version::ABSENT {
            let swap = Swap::prepare(&view, &Command::Burn).unwrap();
            self.put(resource, swap.next());
            return self.store.load(&resource);
        }
        let before = self.before.lock().unwrap();
        Ok(before.get(&resource).filter(|_| self.sin == Sin::StaleLoads).copied().unwrap_or(view))
    }

    fn swap(&self, resource: &ResourceId, swap: &Swap) -> Result<Swapped, Failure<MemoryError>> {
        let resource = self.resource(resource);
        let view = self.store.load(&resource).map_err(Failure::Definite)?;
        let known =
            view.record().version() == swap.expected() && view.record().realm() == swap.expected_realm();
        let forged = match self.sin {
            Sin::AnyVersion => Some(*swap.next()),
            Sin::LateRenewals if known && swap.action() == Action::Renew => Some(*swap.next()),
            Sin::NearerEnds if swap.lands_on(&view) && swap.action() == Action::Renew => {
                let nearer = Record::try_new(
                    view.record().realm(),
                    swap.next().version(),
                    view.record().epoch(),
                    match *swap.next().tenure() {
                        Tenure::Held { grant, holder, .. } => {
                            let expiry = view.now().checked_add(Duration::from_millis(500)).unwrap();
                            Tenure::Held { grant, holder, expiry }
                        }
                        tenure @ (Tenure::Free | Tenure::Reserved { .. }) => tenure,
                    },
                    *swap.next().info(),
                );
                Some(nearer.unwrap())
            }
            Sin::IdleBurns if swap.action() == Action::Burn => {
                let landed = View::new(*swap.next(), view.now());
                return Ok(Swapped::Landed(landed));
            }
            Sin::SameEpoch
                if known && swap.action() == Action::Acquire && view.record().epoch().is_some() =>
            {
                let (record, next) = (view.record(), swap.next());
                let same = Record::try_new(
                    record.realm(),
                    next.version(),
                    record.epoch(),
                    *next.tenure(),
                    *next.info(),
                );
                Some(same.unwrap())
            }
            Sin::NoReservation if known && swap.action() == Action::HandOver => {
                let next = swap.next();
                let free = Tenure::Free;
                Some(Record::try_new(next.realm(), next.version(), next.epoch(), free, *next.info()).unwrap())
            }
            Sin::SameRealm if known && swap.action() == Action::Recover => {
                let next = swap.next();
                let old = view.record().realm();
                Some(
                    Record::try_new(old, next.version(), next.epoch(), *next.tenure(), *next.info()).unwrap(),
                )
            }
            Sin::Again if view.record() == swap.next() && swap.action() == Action::Evict => {
                Some(*swap.next())
            }
            Sin::LookingWrites
            | Sin::Again
            | Sin::StaleLoads
            | Sin::LateRenewals
            | Sin::NearerEnds
            | Sin::IdleBurns
            | Sin::SameEpoch
            | Sin::OneRecord
            | Sin::NoReservation
            | Sin::SameRealm => None,
        };
        if let Some(forged) = forged {
            self.put(resource, &forged);
            return self.store.load(&resource).map(Swapped::Landed).map_err(Failure::Definite);
        }
        self.before.lock().unwrap().insert(resource, view);
        self.store.swap(&resource, swap)
    }
}

fn run(sin: Sin) -> Violation {
    let sinner = Sinner { store: Memory::new(realm()), sin, before: Mutex::default() };
    let subject = Subject::new(&sinner, &sinner, |wait| sinner.store.advance(wait));
    conformance::run(&subject).expect_err(&format!("{sin:?} is found"))
}

#[test]
fn every_way_to_break_a_store_is_found_by_the_rule_that_forbids_it() {
    let rows = [
        (Sin::LookingWrites, "looking does not write"),
        (Sin::AnyVersion, "one lands"),
        (Sin::StaleLoads, "one lands"),
        (Sin::LateRenewals, "whose end has come"),
        (Sin::NearerEnds, "never nearer"),
        (Sin::IdleBurns, "a burned attempt"),
        (Sin::SameEpoch, "epochs with each tenure"),
        (Sin::OneRecord, "never written"),
        (Sin::NoReservation, "is kept for one"),
        (Sin::SameRealm, "a recovery goes on"),
        (Sin::Again, "sent again lands again"),
    ];
    for (sin, rule) in rows {
        let found = run(sin);
        assert!(found.rule().contains(rule), "{sin:?}: {found}");
        assert!(!found.seen().is_empty());
    }
}

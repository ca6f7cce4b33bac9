//! A store in memory whose faults are a script: for tests of whatever uses a lease.
//!
//! It keeps the bytes of the records, so that a test may put any bytes there. Its clock moves by hand, and is the
//! holder's clock too.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use std::sync::{Mutex, MutexGuard, PoisonError};

use core::error::Error;
use core::fmt;
use core::time::Duration;

use super::{Engine, Failure, Swapped};
use crate::protocol::{BootTime, Moment, Record, RecordError, Swap, View};
use crate::{BootClock, Epoch, RealmId, ResourceId};

/// What happens to one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// Nothing goes wrong.
    None,
    /// The store refuses, and says so.
    Refused,
    /// The request is lost on its way. A load fails; nobody knows of a swap.
    RequestLost,
    /// The request is served, and the reply is lost.
    ReplyLost,
    /// The request is served at once, and the reply takes this long.
    Late(Duration),
    /// The request stays under way until [`Memory::deliver`]. Nobody knows.
    Delayed,
    /// The request arrives twice, and the second reply is the one that comes back.
    Doubled,
}

/// Why the store did not answer as it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MemoryError {
    /// The script said so.
    Fault(Fault),
    /// What is stored is no record.
    Record(RecordError),
}

impl fmt::Display for MemoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fault(fault) => write!(f, "scripted fault: {fault:?}"),
            Self::Record(why) => write!(f, "what is stored is no record: {why}"),
        }
    }
}

impl Error for MemoryError {}

/// A store in memory, with scripted faults. Clones of a reference to it are its clients.
#[derive(Debug)]
pub struct Memory {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    realm: RealmId,
    records: BTreeMap<ResourceId, Stored>,
    now: Moment,
    /// The holder's clock: it goes on where an era of the issuer's ends.
    boot: BootTime,
    script: VecDeque<Fault>,
    under_way: VecDeque<(ResourceId, Swap)>,
    epoch_floor: Option<Epoch>,
    swaps: u64,
}

#[derive(Clone, Debug)]
struct Stored {
    bytes: Vec<u8>,
    ended: bool,
}

impl Memory {
    /// Makes an empty store of a realm.
    #[must_use]
    pub fn new(realm: RealmId) -> Self {
        Self {
            state: Mutex::new(State {
                realm,
                records: BTreeMap::new(),
                now: Moment::new(1, 0),
                boot: BootTime::new(Duration::ZERO),
                script: VecDeque::new(),
                under_way: VecDeque::new(),
                epoch_floor: None,
                swaps: 0,
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A test that panicked with the lock left numbers that are as good as any.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends to the script: one fault for each call to come. When it is at its end, nothing goes wrong.
    pub fn script(&self, faults: impl IntoIterator<Item = Fault>) {
        self.state().script.extend(faults);
    }

    /// Moves both clocks on.
    pub fn advance(&self, wait: Duration) {
        self.state().advance(wait);
    }

    /// Restarts the issuer: another era, whose clock begins again. Every lease is over.
    pub fn restart(&self) {
        let mut state = self.state();
        state.now = Moment::new(state.now.era().wrapping_add(1), 0);
    }

    /// Ends the lease of a resource before its expiry, as a store does that sees its holder die.
    pub fn end_lease(&self, resource: &ResourceId) {
        if let Some(stored) = self.state().records.get_mut(resource) {
            stored.ended = true;
        }
    }

    /// Lets the oldest request that is under way arrive, and says whether it landed. `None` when none is.
    pub fn deliver(&self) -> Option<bool> {
        let mut state = self.state();
        let (resource, swap) = state.under_way.pop_front()?;
        Some(matches!(state.land(&resource, &swap), Ok(Swapped::Landed(_))))
    }

    /// Puts any bytes in the place of a record.
    pub fn put(&self, resource: ResourceId, bytes: impl Into<Vec<u8>>) {
        self.state().records.insert(resource, Stored { bytes: bytes.into(), ended: false });
    }

    /// Returns the bytes of a record, or `None` where nothing was written: a backup.
    #[must_use]
    pub fn bytes(&self, resource: &ResourceId) -> Option<Vec<u8>> {
        self.state().records.get(resource).map(|stored| stored.bytes.clone())
    }

    /// Deletes every record, as a store does that was wiped.
    pub fn wipe(&self) {
        self.state().records.clear();
    }

    /// Sets the epoch above which every grant must be.
    pub fn set_epoch_floor(&self, floor: Epoch) {
        self.state().epoch_floor = Some(floor);
    }

    /// Returns how many swaps landed.
    #[must_use]
    pub fn swaps(&self) -> u64 {
        self.state().swaps
    }
}

impl State {
    fn advance(&mut self, wait: Duration) {
        let end = Moment::new(self.now.era(), u64::MAX);
        self.now = self.now.checked_add(wait).unwrap_or(end);
        self.boot = self.boot.saturating_add(wait);
    }

    fn view(&self, resource: &ResourceId) -> Result<View, MemoryError> {
        let (record, ended) = match self.records.get(resource) {
            Some(stored) => (Record::from_bytes(&stored.bytes).map_err(MemoryError::Record)?, stored.ended),
            None => (Record::vacant(self.realm), false),
        };
        let view = View::new(record, self.now).with_epoch_floor(self.epoch_floor);
        Ok(if ended { view.with_ended() } else { view })
    }

    fn land(&mut self, resource: &ResourceId, swap: &Swap) -> Result<Swapped, MemoryError> {
        let stored = self.view(resource)?;
        if !swap.lands_on(&stored) {
            return Ok(Swapped::Conflict);
        }
        // The death of a holder is one of its lease, not of a version.
        let same_lease = stored.record().grant() == swap.grant();
        let ended = same_lease && self.records.get(resource).is_some_and(|stored| stored.ended);
        let bytes = swap.next().to_bytes().as_bytes().to_vec();
        self.records.insert(*resource, Stored { bytes, ended });
        self.swaps = self.swaps.saturating_add(1);
        self.view(resource).map(Swapped::Landed)
    }

    fn fault(&mut self) -> Fault {
        self.script.pop_front().unwrap_or(Fault::None)
    }
}

impl Engine for Memory {
    type Error = MemoryError;

    fn load(&self, resource: &ResourceId) -> Result<View, MemoryError> {
        let mut state = self.state();
        match state.fault() {
            Fault::None | Fault::Doubled => state.view(resource),
            Fault::Late(by) => {
                let view = state.view(resource);
                state.advance(by);
                view
            }
            fault @ (Fault::Refused | Fault::RequestLost | Fault::ReplyLost | Fault::Delayed) => {
                Err(MemoryError::Fault(fault))
            }
        }
    }

    fn swap(&self, resource: &ResourceId, swap: &Swap) -> Result<Swapped, Failure<MemoryError>> {
        let mut state = self.state();
        let fault = state.fault();
        let unknown = Failure::Indeterminate(MemoryError::Fault(fault));
        match fault {
            Fault::None => state.land(resource, swap).map_err(Failure::Definite),
            Fault::Late(by) => {
                let landed = state.land(resource, swap);
                state.advance(by);
                landed.map_err(Failure::Definite)
            }
            Fault::Refused => Err(Failure::Definite(MemoryError::Fault(fault))),
            Fault::RequestLost => Err(unknown),
            Fault::ReplyLost => {
                // What became of it is what is lost.
                let _lost = state.land(resource, swap);
                Err(unknown)
            }
            Fault::Delayed => {
                state.under_way.push_back((*resource, *swap));
                Err(unknown)
            }
            Fault::Doubled => {
                let _first = state.land(resource, swap);
                state.land(resource, swap).map_err(Failure::Definite)
            }
        }
    }
}

/// The holder's clock. It runs as the issuer's does, and a pause moves both.
impl BootClock for Memory {
    fn now(&self) -> BootTime {
        self.state().boot
    }

    fn pause(&self, wait: Duration) {
        self.advance(wait);
    }
}

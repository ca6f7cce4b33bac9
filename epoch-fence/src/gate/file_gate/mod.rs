//! `FileGate`: a gate for the processes of one host.
//!
// What is promised, and how it follows:
//
// 1. All that the gate knows is in a register, and the permits are shared locks on a file beside it. Both are
//    touched only by one who holds the register; so a call is one step of the rule, whoever else calls.
// 2. A call asks for the file of the permits exclusively. If it gets that, no permit is alive, and none can be made
//    before it lets go of the register. So what the rule says of a count of zero is so.
// 3. What the rule says is made durable before the permit is made. A newer token that has to wait leaves the floor
//    raised: older ones are refused from then on, by any process.
// 4. A lock of the kernel ends with the last descriptor, and the descriptors end with their processes. So a crash
//    leaves what the register says, and the permits of those that live; each place is in `crash.rs`.

#[cfg(test)]
mod crash;
mod error;
mod memory;
mod permits;

pub use error::FileGateError;
pub use permits::FilePermit;

use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;
use std::path::PathBuf;

use high_water::{Identity, NotRaised, OpenError, Options, Register, inspect};

use super::rule::{self, Answer, Event, State, Tenure, Terms};
use super::snapshot::{Counters, Snapshot};
use super::{AdoptError, MaxAdvance, Rejected};
use crate::engine::file::{Directory, Host, SystemHost};
use crate::{Epoch, FencingToken, RealmId, ResourceId};
#[cfg(test)]
use crash::{Point, reached};
use memory::Memory;
use permits::Permits;

/// The register, in the folder of the resource.
const REGISTER: &str = "gate";

/// The shortest and the longest pause between two looks at permits that have to end.
const LEAST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// A gate for the processes of one host: what [`Gate`](crate::Gate) is within one process.
///
/// *From the moment a newer epoch is admitted, no permit of an older epoch is alive or can be created*, in any process
/// that asks this gate, and also if any of them is killed at any moment. An effect that outlives its permit (a remote
/// call, queued I/O, a child that did not [inherit](FilePermit::inherit) it) is not covered.
///
/// It remembers the floor, the grant and the realm in a `high-water` register in the folder of the resource, and writes
/// a newer token there before it admits it. Its permits are shared `flock`s on a file beside it: each lives as long as
/// the process that has it, or any child that inherited it. A newer token makes the older ones
/// [`Stale`](Rejected::Stale) at once, durably; until their permits are gone it is told
/// [`Draining`](Rejected::Draining). A process that hangs with a permit keeps newer epochs out: end it.
///
/// A gate that is asked for the first time begins in the realm and at the epoch of the record in the same directory, or
/// where [`begin_at`](Self::begin_at) says. After a [recovery](Directory::recover) it must [`adopt`](Self::adopt) the new realm.
///
/// # Memory ordering
///
/// None is promised: the processes of a host share no memory through it.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let path = std::env::temp_dir().join(format!("epoch-fence-doc-gate-{}", std::process::id()));
/// # let options = epoch_fence::engine::file::FileOptions::new().allow_volatile_file_system();
/// # use core::time::Duration;
/// # use epoch_fence::protocol::{Claim, Ttl};
/// use epoch_fence::engine::file::SystemHost;
/// use epoch_fence::{FileGateError, Issuer, Rejected, ResourceId, Wait};
///
/// # let ttl = Ttl::new(Duration::from_secs(10)).ok_or("not a time to live")?;
/// let ledger = ResourceId::of("billing", "ledger");
/// let issuer = Issuer::new(options.open_or_create(&path)?, SystemHost::new()?);
/// let gate = issuer.engine().gate(ledger);
///
/// let claim = Claim::new(ledger, "worker 1".parse()?, ttl);
/// let first = issuer.acquire(&claim, Wait::AtOnce)?.token();
/// let writing = gate.enter(&first)?; // or in another process, which is stopped here
/// let second = issuer.acquire(&claim, Wait::AtOnce)?.token(); // the first lease is over
///
/// let waits = gate.enter(&second);
/// assert!(matches!(waits, Err(FileGateError::Rejected(Rejected::Draining { .. }))));
/// drop(writing);
/// assert!(gate.enter(&second).is_ok());
/// assert!(matches!(gate.enter(&first), Err(FileGateError::Rejected(Rejected::Stale { .. }))));
/// # std::fs::remove_dir_all(&path)?;
/// # Ok(())
/// # }
/// ```
pub struct FileGate<'d, H = SystemHost> {
    directory: &'d Directory<H>,
    terms: Terms,
    counters: Counters,
}

/// What an operator must see of a gate in files.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct FileGateSnapshot {
    /// The realm whose tokens the gate admits.
    pub realm: RealmId,
    /// Its numbers. Floor, tenure and permits are those of the files, the counts those of this [`FileGate`].
    pub gate: Snapshot,
    /// The processes that took the permits that are alive, one number for each, as far as the system tells.
    pub holders: Vec<u32>,
}

/// The gate, while this call has it to itself.
struct Held {
    // Let go of before the register, so that nobody who gets that takes this call for a permit.
    permits: Permits,
    register: Register,
    state: State,
}

impl<'d, H> FileGate<'d, H> {
    pub(crate) fn new(directory: &'d Directory<H>, resource: ResourceId) -> Self {
        Self { directory, terms: Terms::new(resource), counters: Counters::new() }
    }

    /// Sets how far above the floor a token may be.
    #[must_use]
    pub fn with_max_advance(self, max_advance: MaxAdvance) -> Self {
        Self { terms: self.terms.with_max_advance(max_advance), ..self }
    }

    /// Returns what it stands before.
    #[must_use]
    pub const fn resource(&self) -> ResourceId {
        self.terms.resource
    }
}

impl<H: Host> FileGate<'_, H> {
    /// Gives a permit to the holder of the newest token, whose epoch and grant are durable by then.
    ///
    /// # Errors
    ///
    /// - [`FileGateError::Rejected`]: see [`Gate::enter`](crate::Gate::enter).
    /// - [`FileGateError::NotSaved`] when a newer token could not be made durable, or it is not known whether it was.
    ///   Nobody is admitted, and this token may ask again.
    /// - Any other [`FileGateError`], as it says. Nobody is admitted.
    pub fn enter(&self, token: &FencingToken) -> Result<FilePermit, FileGateError> {
        // Before anything is written into the folder of another resource.
        if token.resource() != self.terms.resource {
            return Err(self.refuse(Rejected::WrongResource));
        }
        let mut held = match self.hold() {
            Err(FileGateError::Register(OpenError::NotFound)) => {
                self.begin()?;
                self.hold()?
            }
            held => held?,
        };
        let (next, answer) = rule::step(&self.terms, held.state, Event::Enter(*token));
        let advanced = held.save(&next)?;
        match answer {
            Answer::Admitted(_) if held.permits.share()? => {
                if advanced {
                    self.counters.advance();
                }
                #[cfg(test)]
                reached(Point::Shared);
                Ok(held.permits.into_permit(token.epoch()))
            }
            // Somebody locks the file who does not hold the register: no gate does.
            Answer::Admitted(_) => Err(self.refuse(Rejected::Draining { in_flight: 0 })),
            Answer::Rejected(why) => Err(self.refuse(why)),
            Answer::Released
            | Answer::WasAbandoned
            | Answer::Impossible
            | Answer::Sealed(_)
            | Answer::Abandoned(_)
            | Answer::Adopted
            | Answer::NotAdopted(_) => {
                self.counters.impossible();
                Err(FileGateError::Rejected(Rejected::Sealed))
            }
        }
    }

    /// Makes a gate that was never asked, in a realm and at a floor, durably: where the leases are in a store that spans
    /// hosts, and no record is in this directory. One that is there already stays as it is.
    ///
    /// Give it the realm and the epoch of the record in that store, as they are now: whoever held before is then
    /// [`Stale`](Rejected::Stale), also if nobody comes.
    ///
    /// # Errors
    ///
    /// Any [`FileGateError`], as it says. There is no gate, or the whole of it.
    pub fn begin_at(&self, realm: RealmId, floor: Epoch) -> Result<(), FileGateError> {
        self.directory.make_folder(self.terms.resource)?;
        self.make(realm, floor)
    }

    /// Gives a permit as [`enter`](Self::enter) does, and waits while older ones are alive.
    ///
    /// The pauses between its attempts add up to `limit`.
    ///
    /// # Errors
    ///
    /// Those of [`enter`](Self::enter); [`Rejected::Draining`] when it is still so at the end.
    pub fn enter_waiting(&self, token: &FencingToken, limit: Duration) -> Result<FilePermit, FileGateError> {
        let (mut left, mut pause) = (limit, LEAST_PAUSE);
        // Ends: each round but the last takes a pause off what is left.
        loop {
            match self.enter(token) {
                Err(FileGateError::Rejected(Rejected::Draining { .. })) if !left.is_zero() => {}
                done => return done,
            }
            let wait = pause.min(left);
            std::thread::sleep(wait);
            left = left.saturating_sub(wait);
            pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
        }
    }

    /// Says what [`enter`](Self::enter) would answer now, and changes nothing. Advice, and no protection: the answer may
    /// be another one when the caller acts on it.
    ///
    /// # Errors
    ///
    /// Those of [`enter`](Self::enter). How many permits are alive is what the system lists.
    pub fn check(&self, token: &FencingToken) -> Result<(), FileGateError> {
        let (state, _) = self.look()?;
        match rule::step(&self.terms, state, Event::Enter(*token)) {
            (_, Answer::Rejected(why)) => Err(self.refuse(why)),
            _ => Ok(()),
        }
    }

    /// Makes the gate serve another realm, durably, after the record was recovered. See
    /// [`Gate::adopt`](crate::Gate::adopt). A gate that was never asked begins in the realm of its record, and need not.
    ///
    /// # Errors
    ///
    /// After each of them the gate serves the realm that it had.
    ///
    /// - [`FileGateError::NotAdopted`]: see [`Gate::adopt`](crate::Gate::adopt). When permits of the old realm are still
    ///   alive, older tokens are refused from now on; ask again when they are gone.
    /// - Any other [`FileGateError`], as it says.
    pub fn adopt(&self, realm: RealmId, floor: Epoch) -> Result<(), FileGateError> {
        let mut held = self.hold()?;
        let (next, answer) = rule::step(&self.terms, held.state, Event::Adopt { realm, floor });
        held.save(&next)?;
        if let Answer::NotAdopted(why) = answer { Err(FileGateError::NotAdopted(why)) } else { Ok(()) }
    }

    /// Makes the gate anew, in a realm and at a floor, where its files were damaged, put back or lost, by an operator
    /// who has ended every process that may have a permit.
    ///
    /// A permit on a file that was deleted cannot be seen from here, and is not waited for.
    ///
    /// # Errors
    ///
    /// - [`FileGateError::NotAdopted`] with [`AdoptError::Draining`] when a permit can be seen.
    /// - Any other [`FileGateError`], as it says. Do it again.
    pub fn rebuild(&self, realm: RealmId, floor: Epoch) -> Result<(), FileGateError> {
        let permits = Permits::open_or_create(self.folder())?;
        if !permits.drain()? {
            let in_flight = count(&permits.holders()).max(1);
            return Err(FileGateError::NotAdopted(AdoptError::Draining { in_flight }));
        }
        let found =
            inspect(self.register_path()).ok().and_then(|found| Memory::of(found.record().payload()).ok());
        let floor = found.map_or(floor, |found| found.floor.max(floor));
        let tenure = Tenure { realm, admitted: None };
        let memory = Memory { tenure, floor, permits: permits.inode()? }.to_bytes();
        let rebuilt = match self.options().recover(self.register_path(), 0, &memory) {
            Err(OpenError::NotFound) => self.options().create(self.register_path(), 1, &memory),
            recovered => recovered,
        };
        rebuilt?;
        Ok(())
    }

    /// Returns the gate's numbers for an operator; `None` of a gate that was never asked. Nothing is changed, nor held.
    ///
    /// # Errors
    ///
    /// Any [`FileGateError`], as it says.
    pub fn snapshot(&self) -> Result<Option<FileGateSnapshot>, FileGateError> {
        match self.look_at_register() {
            Ok((state, holders)) => {
                let gate = self.counters.snapshot(&state.view());
                Ok(Some(FileGateSnapshot { realm: state.realm(), gate, holders }))
            }
            Err(FileGateError::Register(OpenError::NotFound)) => Ok(None),
            Err(why) => Err(why),
        }
    }

    fn refuse(&self, why: Rejected) -> FileGateError {
        FileGateError::Rejected(self.counters.refuse(why))
    }

    fn folder(&self) -> PathBuf {
        self.directory.folder(self.terms.resource)
    }

    fn register_path(&self) -> PathBuf {
        self.folder().join(REGISTER)
    }

    /// Another half of the resource than the record's register has: neither is taken for the other.
    fn identity(&self) -> Identity {
        let mut half = [0; 16];
        half.iter_mut()
            .zip(self.terms.resource.to_bytes().into_iter().skip(16))
            .for_each(|(to, from)| *to = from);
        Identity::from_bytes(half)
    }

    fn options(&self) -> Options {
        self.directory.gate_register(self.identity())
    }

    fn hold(&self) -> Result<Held, FileGateError> {
        let register = self.options().open(self.register_path())?;
        #[cfg(test)]
        reached(Point::Held);
        let memory = Memory::of(register.payload())?;
        let permits = Permits::open(self.folder(), memory.permits)?;
        let in_flight = if permits.drain()? { 0 } else { count(&permits.holders()).max(1) };
        #[cfg(test)]
        reached(Point::Drained);
        let state = State::kept(memory.tenure, memory.floor, in_flight);
        Ok(Held { permits, register, state })
    }

    /// Makes the gate, as it is before its first token. Whoever is faster has made the same.
    fn begin(&self) -> Result<(), FileGateError> {
        let beginning = self.directory.beginning(self.terms.resource)?;
        let (realm, floor) = beginning.ok_or(FileGateError::NoRecord)?;
        self.make(realm, floor)
    }

    fn make(&self, realm: RealmId, floor: Epoch) -> Result<(), FileGateError> {
        let permits = Permits::open_or_create(self.folder())?;
        let tenure = Tenure { realm, admitted: None };
        let memory = Memory { tenure, floor, permits: permits.inode()? };
        #[cfg(test)]
        reached(Point::Begun);
        match self.options().create(self.register_path(), 1, &memory.to_bytes()) {
            Ok(_) | Err(OpenError::AlreadyExists) => Ok(()),
            Err(why) => Err(why.into()),
        }
    }

    /// The gate as it is, or as it would begin.
    fn look(&self) -> Result<(State, Vec<u32>), FileGateError> {
        match self.look_at_register() {
            Err(FileGateError::Register(OpenError::NotFound)) => {
                let beginning = self.directory.beginning(self.terms.resource)?;
                let (realm, floor) = beginning.ok_or(FileGateError::NoRecord)?;
                Ok((State::new(realm, floor), Vec::new()))
            }
            found => found,
        }
    }

    fn look_at_register(&self) -> Result<(State, Vec<u32>), FileGateError> {
        let inspection = inspect(self.register_path())?;
        let found = inspection.record();
        if found.identity() != self.identity() {
            return Err(OpenError::WrongIdentity { found: found.identity() }.into());
        }
        let memory = Memory::of(found.payload())?;
        let holders = Permits::open(self.folder(), memory.permits)?.holders();
        Ok((State::kept(memory.tenure, memory.floor, count(&holders)), holders))
    }
}

fn count(holders: &[u32]) -> u32 {
    u32::try_from(holders.len()).unwrap_or(u32::MAX)
}

impl Held {
    /// Makes durable what the rule left; whether there was anything.
    fn save(&mut self, next: &State) -> Result<bool, FileGateError> {
        let kept = |state: &State| (state.tenure, state.floor());
        if kept(next) == kept(&self.state) {
            return Ok(false);
        }
        let memory = Memory { tenure: next.tenure, floor: next.floor(), permits: self.permits.inode()? };
        let number = self.register.get().checked_add(1).ok_or(NotRaised::Exhausted);
        let number = number.map_err(|why| FileGateError::NotSaved(why.into()))?;
        self.register.raise(number, &memory.to_bytes()).map_err(FileGateError::NotSaved)?;
        #[cfg(test)]
        reached(Point::Saved);
        Ok(true)
    }
}

impl<H> fmt::Debug for FileGate<'_, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileGate").field("terms", &self.terms).finish_non_exhaustive()
    }
}

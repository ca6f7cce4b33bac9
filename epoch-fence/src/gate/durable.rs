//! `DurableGate`: a gate whose floor and grant survive its process.

use core::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use high_water::{FileMedium, Identity, Medium, RaiseError, Register};

use super::rejected::{AdoptError, Rejected};
use super::{Gate, MaxAdvance, MaxPermits, Permit, Snapshot};
use crate::{DecodeError, Epoch, FencingToken, Field, GrantId, RealmId, ResourceId};

/// The version of the payload, in its first byte.
const VERSION: u8 = 1;
/// A version, a realm, and a grant or zeros.
const PAYLOAD_BYTES: usize = 33;
const _: () = assert!(PAYLOAD_BYTES == 1 + RealmId::BYTES + GrantId::BYTES, "as FORMAT.md says");

/// A [`Gate`] that remembers: what it has admitted, it refuses older tokens for, also after a crash.
///
/// It keeps the last epoch and grant in a [`Register`], and writes a newer one there *before* it admits it. So a
/// crash at any moment loses nothing that anybody was told: after the restart, tokens older than the last one
/// admitted are [`Rejected::Stale`], and another grant under its epoch is [`Rejected::Conflict`].
///
/// The register's file is held by one process at a time. That is part of the promise: two processes with a gate
/// each would not drain each other. Effects of a process that crashed, and are still on their way, are not
/// covered; they must carry the epoch to something that checks it.
///
/// Entering under the current epoch touches no file. Entering under a newer one takes one raise of the register;
/// meanwhile nobody waits for a lock: others are told [`Rejected::Draining`].
///
/// # Memory ordering
///
/// That of [`Gate`].
///
/// # Examples
///
/// ```
/// use epoch_fence::{DurableGate, Epoch, FencingToken, NotAdmitted, Rejected, ResourceId};
/// use high_water::Options;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let dir = std::env::temp_dir().join(format!("epoch-fence-doc-durable-{}", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// # let path = dir.join("ledger.gate");
/// # let realm = "00112233445566778899aabbccddeeff".parse()?;
/// # let grant = "0123456789abcdef0123456789abcdef".parse()?;
/// let ledger = ResourceId::of("billing", "ledger");
/// # let (alice, bob) = (FencingToken::new(realm, ledger, "33".parse()?, grant), FencingToken::new(realm, ledger, "34".parse()?, grant));
/// let options = Options::new(DurableGate::identity(ledger)).allow_volatile_file_system();
/// let gate = DurableGate::new(options.open_or_create(&path)?, realm, ledger, Epoch::FIRST)?;
/// gate.run(&bob, |_| "epoch 34 writes")?;
/// drop(gate); // or a crash
///
/// let gate = DurableGate::new(options.open(&path)?, realm, ledger, Epoch::FIRST)?;
/// let late = gate.run(&alice, |_| "epoch 33 writes");
/// assert!(matches!(late, Err(NotAdmitted::Rejected(Rejected::Stale { floor })) if floor == bob.epoch()));
/// # std::fs::remove_dir_all(&dir)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct DurableGate<M: Medium = FileMedium> {
    gate: Gate,
    /// Locked by the one who installs, and to look at its numbers.
    register: Mutex<Register<M>>,
}

impl DurableGate {
    /// Returns the identity that the register of a resource has: the first half of the resource's.
    #[must_use]
    pub fn identity(resource: ResourceId) -> Identity {
        let mut half = [0; 16];
        half.iter_mut().zip(resource.to_bytes()).for_each(|(byte, of_resource)| *byte = of_resource);
        Identity::from_bytes(half)
    }
}

impl<M: Medium> DurableGate<M> {
    /// Makes a gate of what its register remembers.
    ///
    /// A register at zero without a payload is a new one, and the gate begins at `floor`. Of any other the floor is
    /// what it remembers, or `floor` if that is higher: then `floor` is made durable, if it is more than one above.
    ///
    /// # Errors
    ///
    /// After each of them nothing was written, and the register is given up.
    ///
    /// - [`DurableGateError::WrongResource`] when the register is another resource's.
    /// - [`DurableGateError::WrongRealm`] when it is of another realm. Open it with that one, and let it
    ///   [`adopt`](Self::adopt) the new one.
    /// - [`DurableGateError::Payload`] when it was not written by a gate.
    /// - [`DurableGateError::NotSaved`] when `floor` could not be made durable. A crash may find it so all the same.
    pub fn new(
        register: Register<M>,
        realm: RealmId,
        resource: ResourceId,
        floor: Epoch,
    ) -> Result<Self, DurableGateError> {
        if register.identity() != DurableGate::identity(resource) {
            return Err(DurableGateError::WrongResource);
        }
        let memory = Memory::of(register.get(), register.payload()).map_err(DurableGateError::Payload)?;
        if let Some(found) = memory.realm
            && found != realm
        {
            return Err(DurableGateError::WrongRealm { found });
        }
        let gate = match memory.admitted {
            Some((epoch, grant)) if floor <= epoch => {
                Gate::resume(&FencingToken::new(realm, resource, epoch, grant))
            }
            _ => Gate::new(realm, resource, floor.max(memory.floor)),
        };
        let durable = Self { gate, register: Mutex::new(register) };
        let given_up = durable.gate.floor().get().saturating_sub(1);
        if given_up > durable.register().get() {
            durable.save(given_up, realm, None).map_err(DurableGateError::NotSaved)?;
        }
        Ok(durable)
    }

    /// Sets how far above the floor a token may be.
    #[must_use]
    pub fn with_max_advance(mut self, max_advance: MaxAdvance) -> Self {
        self.gate = self.gate.with_max_advance(max_advance);
        self
    }

    /// Sets how many permits may be alive at one time.
    #[must_use]
    pub fn with_max_permits(mut self, max_permits: MaxPermits) -> Self {
        self.gate = self.gate.with_max_permits(max_permits);
        self
    }

    /// Runs `effect` under a permit, which ends when `effect` returns or panics.
    ///
    /// # Errors
    ///
    /// Those of [`enter`](Self::enter). `effect` was then not called.
    pub fn run<R>(
        &self,
        token: &FencingToken,
        effect: impl FnOnce(&Permit<'_>) -> R,
    ) -> Result<R, NotAdmitted> {
        let permit = self.enter(token)?;
        Ok(effect(&permit))
    }

    /// Gives a permit to the holder of the newest token, whose epoch and grant are durable by then.
    ///
    /// # Errors
    ///
    /// - [`NotAdmitted::Rejected`]: see [`Gate::enter`].
    /// - [`NotAdmitted::NotSaved`] when a newer token could not be made durable, or it is not known whether it was.
    ///   Nobody is admitted: the older tokens are stale already, and this one may ask again. After an indeterminate
    ///   outcome the register refuses until the gate is made anew of a register that was opened again.
    ///
    /// # Memory ordering
    ///
    /// As for [`Gate::enter`].
    #[inline]
    pub fn enter(&self, token: &FencingToken) -> Result<Permit<'_>, NotAdmitted> {
        self.gate.enter_after(token, || {
            self.save(token.epoch().get(), token.realm(), Some(token.grant())).map_err(NotAdmitted::NotSaved)
        })
    }

    /// Says what [`enter`](Self::enter) would answer now, and changes nothing. Advice, and no protection.
    ///
    /// # Errors
    ///
    /// Each of [`Rejected`].
    ///
    /// # Memory ordering
    ///
    /// None is promised.
    pub fn check(&self, token: &FencingToken) -> Result<(), Rejected> {
        self.gate.check(token)
    }

    /// Makes the gate serve another realm, durably, after the issuer was recovered. See [`Gate::adopt`].
    ///
    /// # Errors
    ///
    /// After each of them the gate serves the realm that it had.
    ///
    /// - [`NotAdopted::Refused`]: see [`Gate::adopt`]. The floor must be at least two above what the register
    ///   remembers, because the realm is written under the number below the floor.
    /// - [`NotAdopted::NotSaved`] when it could not be made durable, or it is not known whether it was.
    ///
    /// # Memory ordering
    ///
    /// As for [`Gate::adopt`].
    pub fn adopt(&self, realm: RealmId, floor: Epoch) -> Result<(), NotAdopted> {
        if self.gate.serves(realm, floor) {
            return Ok(());
        }
        let below = floor.get().saturating_sub(1);
        let saved = self.register().get();
        if below <= saved {
            let least = Epoch::new(saved.saturating_add(2)).unwrap_or(Epoch::MAX);
            return Err(AdoptError::FloorTooLow { least }.into());
        }
        self.gate.adopt_after(realm, floor, || self.save(below, realm, None).map_err(NotAdopted::NotSaved))
    }

    /// Closes the gate until it is made anew, and returns how many permits are still alive. See [`Gate::seal`].
    ///
    /// # Memory ordering
    ///
    /// As for [`Gate::seal`].
    pub fn seal(&self) -> u32 {
        self.gate.seal()
    }

    /// **Voids the promise**: lets newer epochs in although permits of older ones are alive. See
    /// [`Gate::abandon_permits`].
    ///
    /// # Memory ordering
    ///
    /// None is promised.
    pub fn abandon_permits(&self) -> u32 {
        self.gate.abandon_permits()
    }

    /// Returns the least epoch that the gate admits.
    ///
    /// # Memory ordering
    ///
    /// None is promised.
    #[must_use]
    pub fn floor(&self) -> Epoch {
        self.gate.floor()
    }

    /// Returns the gate's numbers for an operator.
    ///
    /// # Memory ordering
    ///
    /// None is promised, nor that the numbers are of one moment.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.gate.snapshot()
    }

    /// Returns the register's numbers for an operator: indeterminate raises, damaged copies. It waits while a newer
    /// token is being made durable.
    #[must_use]
    pub fn register_snapshot(&self) -> high_water::Snapshot {
        self.register().snapshot()
    }

    fn save(&self, value: u64, realm: RealmId, grant: Option<GrantId>) -> Result<(), RaiseError> {
        let mut payload = [0; PAYLOAD_BYTES];
        let grant = grant.map_or([0; GrantId::BYTES], GrantId::to_bytes);
        let parts = [VERSION].into_iter().chain(realm.to_bytes()).chain(grant);
        payload.iter_mut().zip(parts).for_each(|(place, byte)| *place = byte);
        self.register().raise(value, &payload)
    }

    /// A panic under the lock left a register that is either as it was or poisoned by itself.
    fn register(&self) -> MutexGuard<'_, Register<M>> {
        self.register.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a register says.
struct Memory {
    /// `None` of a new register.
    realm: Option<RealmId>,
    floor: Epoch,
    admitted: Option<(Epoch, GrantId)>,
}

impl Memory {
    fn of(value: u64, payload: &[u8]) -> Result<Self, DecodeError> {
        if value == 0 && payload.is_empty() {
            return Ok(Self { realm: None, floor: Epoch::FIRST, admitted: None });
        }
        let length = DecodeError::Length { found: payload.len(), expected: PAYLOAD_BYTES };
        let (&version, rest) = payload.split_first().ok_or(length)?;
        if version != VERSION {
            return Err(DecodeError::Version { found: version });
        }
        let (&realm, rest) = rest.split_first_chunk().ok_or(length)?;
        let grant: [u8; GrantId::BYTES] = rest.try_into().map_err(|_| length)?;
        let realm = Some(RealmId::from_bytes(realm)?);
        match GrantId::from_random_bits(u128::from_be_bytes(grant)) {
            Some(grant) => {
                let epoch = Epoch::new(value).ok_or(DecodeError::Zero { field: Field::Epoch })?;
                Ok(Self { realm, floor: epoch, admitted: Some((epoch, grant)) })
            }
            None => {
                let above = value.checked_add(1).and_then(Epoch::new);
                let floor = above.ok_or(DecodeError::Range { field: Field::Epoch })?;
                Ok(Self { realm, floor, admitted: None })
            }
        }
    }
}

/// Why a [`DurableGate`] gave no permit. The effect must not happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotAdmitted {
    /// The gate refused the token.
    Rejected(Rejected),
    /// The token is good, and could not be made durable, or it is not known whether it was.
    NotSaved(RaiseError),
}

impl fmt::Display for NotAdmitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejected(why) => why.fmt(f),
            Self::NotSaved(why) => why.fmt(f),
        }
    }
}

impl core::error::Error for NotAdmitted {}

impl From<Rejected> for NotAdmitted {
    fn from(why: Rejected) -> Self {
        Self::Rejected(why)
    }
}

/// Why a [`DurableGate`] did not adopt a realm. It keeps the one it had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotAdopted {
    /// The gate refused.
    Refused(AdoptError),
    /// It could not be made durable, or it is not known whether it was.
    NotSaved(RaiseError),
}

impl fmt::Display for NotAdopted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(why) => why.fmt(f),
            Self::NotSaved(why) => why.fmt(f),
        }
    }
}

impl core::error::Error for NotAdopted {}

impl From<AdoptError> for NotAdopted {
    fn from(why: AdoptError) -> Self {
        Self::Refused(why)
    }
}

/// Why no [`DurableGate`] was made of a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DurableGateError {
    /// The register is another resource's.
    WrongResource,
    /// The register is of another realm.
    WrongRealm {
        /// The realm that it remembers.
        found: RealmId,
    },
    /// What the register holds was not written by a gate.
    Payload(DecodeError),
    /// The floor could not be made durable, or it is not known whether it was.
    NotSaved(RaiseError),
}

impl fmt::Display for DurableGateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongResource => f.write_str("the register is another resource's"),
            Self::WrongRealm { found } => write!(f, "the register is of realm {found}"),
            Self::Payload(why) => write!(f, "the register was not written by a gate: {why}"),
            Self::NotSaved(why) => why.fmt(f),
        }
    }
}

impl core::error::Error for DurableGateError {}

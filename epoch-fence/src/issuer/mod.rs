//! `Issuer`: leases from a store, for callers that block.
#![expect(
    clippy::result_large_err,
    reason = "an unknown attempt is an error; without an allocator it cannot be boxed"
)]

use core::fmt;

use crate::engine::Engine;
use crate::lease::Lease;
use crate::protocol::{Acquire, Change, Claim, Command, Machine, Pending, Progress, Request, Resolve, View};
use crate::{Epoch, GrantId, RealmId, ResourceId};

mod clock;
mod counters;
mod error;
#[cfg(all(
    any(feature = "file", feature = "tokio"),
    any(target_os = "linux", target_os = "android", target_vendor = "apple")
))]
mod system_clock;
mod tally;
mod wait;

pub use clock::BootClock;
pub(crate) use counters::Count;
pub use counters::IssuerSnapshot;
pub use error::{NotAcquired, NotChanged, Unresolved};
#[cfg(all(
    any(feature = "file", feature = "tokio"),
    any(target_os = "linux", target_os = "android", target_vendor = "apple")
))]
pub use system_clock::SystemClock;
pub(crate) use tally::{Driven, Outcome, Tally, of_load, of_swap};
pub use wait::Wait;
pub(crate) use wait::pause_after;

/// What came of an attempt whose end nobody knew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use]
#[expect(clippy::exhaustive_enums, reason = "a caller must decide on every one")]
pub enum Resolution<L> {
    /// It landed, and the caller is the holder.
    Granted(L),
    /// It did not land and never will, however late a copy of it arrives.
    NotGranted,
    /// It can land no more, and the caller is not the holder: its lease is over, or others came before it.
    Superseded,
}

impl<L> Resolution<L> {
    /// Turns what was granted into something else.
    pub fn map<M>(self, granted: impl FnOnce(L) -> M) -> Resolution<M> {
        match self {
            Self::Granted(lease) => Resolution::Granted(granted(lease)),
            Self::NotGranted => Resolution::NotGranted,
            Self::Superseded => Resolution::Superseded,
        }
    }
}

/// What came of an operator's eviction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "there is no third; a failure is an error")]
pub enum Evicted {
    /// The lease is over. Its holder may still act: the gate keeps it out once a newer epoch was admitted.
    Evicted,
    /// The record does not hold that grant. Nothing was written.
    AlreadyGone,
}

/// Grants leases from a store, for callers that block.
///
/// The store decides who holds, at most one at a time by its own clock. That is best effort at the holder, which
/// may be stopped and wake up late: let the resource check the token at a [`Gate`](crate::Gate).
///
/// # Examples
///
#[cfg_attr(feature = "test-engine", doc = "```")]
#[cfg_attr(not(feature = "test-engine"), doc = "```text")]
/// use core::time::Duration;
/// use epoch_fence::engine::memory::Memory;
/// use epoch_fence::protocol::{Claim, Ttl};
/// use epoch_fence::{GrantId, Issuer, NotAcquired, RealmId, ResourceId, Wait};
///
/// let (Some(realm), Some(ttl)) = (RealmId::from_random_bits(1), Ttl::new(Duration::from_secs(10))) else {
///     return Ok(());
/// };
/// let mut bits = 0;
/// let mut grant = || {
///     bits += 1; // a test's source; anything else needs randomness, as `Issuer::acquire` has it
///     GrantId::from_random_bits(bits).unwrap_or_else(|| unreachable!())
/// };
///
/// let store = Memory::new(realm);
/// let issuer = Issuer::new(&store, &store);
/// let claim = Claim::new(ResourceId::of("billing", "ledger"), "a".parse()?, ttl);
///
/// let first = issuer.acquire_with(&claim, Wait::AtOnce, &mut grant)?;
/// let refused = issuer.acquire_with(&claim, Wait::AtOnce, &mut grant);
/// assert!(matches!(refused, Err(NotAcquired::Held { .. })));
///
/// store.advance(Duration::from_secs(10)); // the holder is stopped, and its lease ends
/// let second = issuer.acquire_with(&claim, Wait::AtOnce, &mut grant)?;
/// assert!(first.lost());
/// assert!(first.token().epoch() < second.token().epoch());
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
///
/// # Memory ordering
///
/// None is promised: what is shared is counters.
pub struct Issuer<E, C> {
    engine: E,
    clock: C,
    tally: Tally,
}

impl<E: Engine, C: BootClock> Issuer<E, C> {
    /// Makes an issuer over a store, with the holder's clock.
    #[must_use]
    pub fn new(engine: E, clock: C) -> Self {
        Self { engine, clock, tally: Tally::new() }
    }

    /// Returns the store.
    #[must_use]
    pub const fn engine(&self) -> &E {
        &self.engine
    }

    pub(crate) const fn clock(&self) -> &C {
        &self.clock
    }

    pub(crate) const fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Returns the counts.
    #[must_use]
    pub fn snapshot(&self) -> IssuerSnapshot {
        self.tally.snapshot()
    }

    /// Becomes the holder, with grants of the operating system's randomness.
    ///
    /// # Errors
    ///
    /// Those of [`acquire_with`](Self::acquire_with), and [`NotAcquired::Random`].
    #[cfg(feature = "getrandom")]
    pub fn acquire(&self, claim: &Claim, wait: Wait) -> Result<Lease<'_, E, C>, NotAcquired<E::Error>> {
        self.attempts(claim, wait, || GrantId::random().map_err(NotAcquired::Random))
    }

    /// Becomes the holder, with grants of the caller's making: a new random one at each call of `grants`, which
    /// is one attempt.
    ///
    /// # Errors
    ///
    /// - [`NotAcquired::Held`], [`NotAcquired::Reserved`], [`NotAcquired::Contended`],
    ///   [`NotAcquired::Superseded`]: still so when the [`Wait`] was over.
    /// - [`NotAcquired::Refused`], [`NotAcquired::Failed`], [`NotAcquired::Impossible`]: at once.
    /// - [`NotAcquired::Indeterminate`]: at once, with the attempt to resolve. Another attempt beside it would
    ///   only wait for it.
    pub fn acquire_with(
        &self,
        claim: &Claim,
        wait: Wait,
        mut grants: impl FnMut() -> GrantId,
    ) -> Result<Lease<'_, E, C>, NotAcquired<E::Error>> {
        self.attempts(claim, wait, || Ok(grants()))
    }

    /// Tries the very same attempt again, of which nobody knows whether it landed. It lands once at most.
    ///
    /// # Errors
    ///
    /// Those of [`acquire_with`](Self::acquire_with).
    pub fn retry(&self, pending: Pending) -> Result<Lease<'_, E, C>, NotAcquired<E::Error>> {
        let resource = pending.claim().resource();
        let driven = self.drive(&resource, Acquire::retry(pending));
        self.tally.acquired(driven).map(|granted| Lease::new(self, granted))
    }

    /// Finds out what became of an attempt, and if it could land yet, sees to it that it never will.
    ///
    /// # Errors
    ///
    /// [`Unresolved`] when the store does not say; it has the attempt, to be resolved again.
    pub fn resolve(&self, pending: Pending) -> Result<Resolution<Lease<'_, E, C>>, Unresolved<E::Error>> {
        let driven = self.drive(&pending.claim().resource(), Resolve::new(pending));
        Ok(self.tally.resolved(driven)?.map(|granted| Lease::new(self, granted)))
    }

    /// Reads who has the resource. Nothing is written.
    ///
    /// # Errors
    ///
    /// What the store says.
    pub fn current(&self, resource: &ResourceId) -> Result<View, E::Error> {
        self.engine.load(resource)
    }

    /// Ends the lease of a grant, by an operator's hand.
    ///
    /// Its holder is not asked and may go on acting until a newer epoch was admitted at the gate.
    ///
    /// # Errors
    ///
    /// [`NotChanged`], as it says.
    pub fn evict(&self, resource: &ResourceId, grant: GrantId) -> Result<Evicted, NotChanged<E::Error>> {
        self.tally.evicted(self.change(resource, Command::Evict { grant }))
    }

    /// Begins a new realm, by an operator's hand, after the store may have lost a part of its past: a restored
    /// backup, a deleted record. Epochs go on [far above](crate::protocol::RECOVERY_STRIDE) the greatest one that
    /// the store has or anybody remembers. Whoever holds, holds no more.
    ///
    /// The gates refuse the new realm until each [adopts](crate::Gate::adopt) it. Asked for twice with one realm,
    /// it is done once.
    ///
    /// # Errors
    ///
    /// [`NotChanged`], as it says.
    pub fn recover(
        &self,
        resource: &ResourceId,
        realm: RealmId,
        floor: Option<Epoch>,
    ) -> Result<View, NotChanged<E::Error>> {
        self.tally.recovered(self.change(resource, Command::Recover { realm, floor }))
    }

    /// The blocking driver: asks the store what the machine wants, until it is done.
    fn drive<M: Machine>(&self, resource: &ResourceId, mut machine: M) -> Driven<M::Outcome, E::Error> {
        let mut last = None;
        loop {
            let sent = self.clock.now();
            let (answer, error) = match machine.request() {
                Request::Load => of_load(self.engine.load(resource)),
                Request::Swap(swap) => of_swap(self.engine.swap(resource, swap)),
            };
            last = error.or(last);
            match machine.answer(sent, answer) {
                Progress::Ask(next) => machine = next,
                Progress::Done(outcome) => return (outcome, last),
            }
        }
    }

    pub(crate) fn change(&self, resource: &ResourceId, command: Command) -> Outcome<E::Error> {
        Tally::changed(self.drive(resource, Change::new(command)))
    }

    fn attempts(
        &self,
        claim: &Claim,
        wait: Wait,
        mut grants: impl FnMut() -> Result<GrantId, NotAcquired<E::Error>>,
    ) -> Result<Lease<'_, E, C>, NotAcquired<E::Error>> {
        let until = self.clock.now().saturating_add(wait.limit());
        let mut round: u32 = 0;
        loop {
            let grant = grants()?;
            let driven = self.drive(&claim.resource(), Acquire::new(*claim, grant));
            let why = match self.tally.acquired(driven) {
                Err(why) => why,
                Ok(granted) => return Ok(Lease::new(self, granted)),
            };
            let left = self.clock.now().until(until);
            // It ends, because what is left gets less with each pause.
            let Some(pause) = pause_after(&why, round, left, grant) else {
                return Err(why);
            };
            self.clock.pause(pause);
            round = round.saturating_add(1);
        }
    }
}

impl<E: fmt::Debug, C> fmt::Debug for Issuer<E, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer").field("engine", &self.engine).finish_non_exhaustive()
    }
}

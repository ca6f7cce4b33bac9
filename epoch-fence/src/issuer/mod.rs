//! `Issuer`: leases from a store, for callers that block.
#![expect(
    clippy::result_large_err,
    reason = "an unknown attempt is an error; without an allocator it cannot be boxed"
)]

use core::fmt;

use crate::engine::{Engine, Failure, Swapped};
use crate::lease::Lease;
use crate::protocol::{
    Acquire, Acquired, Answer, BootTime, Change, Changed, Claim, Command, Granted, Impossible, Machine,
    Pending, Progress, Refusal, Request, Resolve, Resolved, View,
};
use crate::{Epoch, GrantId, RealmId, ResourceId};

mod clock;
mod counters;
mod error;
mod wait;

pub use clock::BootClock;
pub(crate) use counters::Count;
use counters::Counters;
pub use counters::IssuerSnapshot;
pub use error::{NotAcquired, NotChanged, Unresolved};
pub use wait::Wait;

/// What came of an attempt whose end nobody knew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    counters: Counters,
}

/// What a machine came to, and the store's last error on the way.
pub(crate) type Driven<O, E> = (O, Option<E>);

impl<E: Engine, C: BootClock> Issuer<E, C> {
    /// Makes an issuer over a store, with the holder's clock.
    #[must_use]
    pub fn new(engine: E, clock: C) -> Self {
        Self { engine, clock, counters: Counters::new() }
    }

    /// Returns the store.
    #[must_use]
    pub const fn engine(&self) -> &E {
        &self.engine
    }

    pub(crate) const fn clock(&self) -> &C {
        &self.clock
    }

    pub(crate) fn count(&self, count: Count) {
        self.counters.count(count);
    }

    /// Returns the counts.
    #[must_use]
    pub fn snapshot(&self) -> IssuerSnapshot {
        self.counters.snapshot()
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
        self.acquired(driven)
    }

    /// Finds out what became of an attempt, and if it could land yet, sees to it that it never will.
    ///
    /// # Errors
    ///
    /// [`Unresolved`] when the store does not say; it has the attempt, to be resolved again.
    pub fn resolve(&self, pending: Pending) -> Result<Resolution<Lease<'_, E, C>>, Unresolved<E::Error>> {
        let (outcome, error) = self.drive(&pending.claim().resource(), Resolve::new(pending));
        match outcome {
            Resolved::Granted(granted) => Ok(Resolution::Granted(self.lease(granted))),
            Resolved::NotGranted => {
                self.count(Count::NotGranted);
                Ok(Resolution::NotGranted)
            }
            Resolved::Superseded => {
                self.count(Count::Superseded);
                Ok(Resolution::Superseded)
            }
            Resolved::Indeterminate(pending) => {
                let why = error.map_or(NotChanged::Contended, NotChanged::Indeterminate);
                Err(Unresolved::new(pending, self.counted(why)))
            }
            Resolved::Refused(pending, why) => {
                Err(Unresolved::new(pending, self.counted(NotChanged::Refused(why))))
            }
            Resolved::Impossible(pending, why) => {
                Err(Unresolved::new(pending, self.counted(NotChanged::Impossible(why))))
            }
        }
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
        match self.change(resource, Command::Evict { grant }) {
            Ok(_) => {
                self.count(Count::Evicted);
                Ok(Evicted::Evicted)
            }
            Err((NotChanged::Lost, _)) => Ok(Evicted::AlreadyGone),
            Err((why, _)) => Err(self.counted(why)),
        }
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
        match self.change(resource, Command::Recover { realm, floor }) {
            Ok((view, _)) => {
                self.count(Count::Recovered);
                Ok(view)
            }
            Err((NotChanged::Refused(Refusal::RealmUsed), Some(view))) => Ok(view),
            Err((why, _)) => Err(self.counted(why)),
        }
    }

    /// The blocking driver: asks the store what the machine wants, until it is done.
    fn drive<M: Machine>(&self, resource: &ResourceId, mut machine: M) -> Driven<M::Outcome, E::Error> {
        let mut last = None;
        loop {
            let sent = self.clock.now();
            let (answer, error) = match machine.request() {
                Request::Load => match self.engine.load(resource) {
                    Ok(view) => (Answer::Loaded(view), None),
                    Err(why) => (Answer::Failed, Some(why)),
                },
                Request::Swap(swap) => match self.engine.swap(resource, swap) {
                    Ok(Swapped::Landed(view)) => (Answer::Landed(view), None),
                    Ok(Swapped::Conflict) => (Answer::Conflict, None),
                    Err(Failure::Definite(why)) => (Answer::Failed, Some(why)),
                    Err(Failure::Indeterminate(why)) => (Answer::Unknown, Some(why)),
                },
            };
            last = error.or(last);
            match machine.answer(sent, answer) {
                Progress::Ask(next) => machine = next,
                Progress::Done(outcome) => return (outcome, last),
            }
        }
    }

    /// Changes a record: what landed and when it was sent, or why not and what is there.
    #[expect(clippy::type_complexity, reason = "a pair of either kind, taken apart at once")]
    pub(crate) fn change(
        &self,
        resource: &ResourceId,
        command: Command,
    ) -> Result<(View, BootTime), (NotChanged<E::Error>, Option<View>)> {
        let (outcome, error) = self.drive(resource, Change::new(command));
        // An outcome of failure comes with the failure; without it, the store broke the dialogue.
        let unheard = NotChanged::Impossible(Impossible::OtherRequest);
        Err(match outcome {
            Changed::Done { view, sent } => return Ok((view, sent)),
            Changed::Refused { why: Refusal::NotHolder | Refusal::Lapsed, view } => {
                (NotChanged::Lost, Some(view))
            }
            Changed::Refused { why, view } => (NotChanged::Refused(why), Some(view)),
            Changed::Contended => (NotChanged::Contended, None),
            Changed::Failed => (error.map_or(unheard, NotChanged::Failed), None),
            Changed::Indeterminate => (error.map_or(unheard, NotChanged::Indeterminate), None),
            Changed::Impossible(why) => (NotChanged::Impossible(why), None),
        })
    }

    /// Counts what was not done, and hands it on.
    pub(crate) fn counted(&self, why: NotChanged<E::Error>) -> NotChanged<E::Error> {
        self.count(match why {
            NotChanged::Lost => Count::Lost,
            NotChanged::Refused(Refusal::Regressed { .. }) => Count::Regressed,
            NotChanged::Refused(_) => Count::Refused,
            NotChanged::Contended => Count::Contended,
            NotChanged::Failed(_) => Count::Failed,
            NotChanged::Indeterminate(_) => Count::UnknownChange,
            NotChanged::Impossible(_) => Count::Impossible,
        });
        why
    }

    fn lease(&self, granted: Granted) -> Lease<'_, E, C> {
        self.count(Count::Granted);
        Lease::new(self, granted)
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
            let why = match self.acquired(driven) {
                Err(why) => why,
                Ok(lease) => return Ok(lease),
            };
            let in_the_way = match &why {
                NotAcquired::Held { remaining, .. } | NotAcquired::Reserved { remaining, .. } => {
                    Some(*remaining)
                }
                NotAcquired::Contended | NotAcquired::Superseded => None,
                NotAcquired::Refused(_)
                | NotAcquired::Failed(_)
                | NotAcquired::Indeterminate(..)
                | NotAcquired::Impossible(_) => return Err(why),
                #[cfg(feature = "getrandom")]
                NotAcquired::Random(_) => return Err(why),
            };
            let left = self.clock.now().until(until);
            // The grant of a lost attempt identifies nothing any more; its bits are as random as any.
            let bits = u64::try_from(grant.get() & u128::from(u64::MAX)).unwrap_or(u64::MAX);
            // It ends, because what is left gets less with each pause.
            let Some(pause) = wait::pause(round, in_the_way, left, bits) else {
                return Err(why);
            };
            self.clock.pause(pause);
            round = round.saturating_add(1);
        }
    }

    fn acquired(
        &self,
        (outcome, error): Driven<Acquired, E::Error>,
    ) -> Result<Lease<'_, E, C>, NotAcquired<E::Error>> {
        let unheard = NotAcquired::Impossible(Impossible::OtherRequest);
        let (count, why) = match outcome {
            Acquired::Granted(granted) => return Ok(self.lease(granted)),
            Acquired::Refused(Refusal::Held { holder, remaining }) => {
                (Count::Held, NotAcquired::Held { holder, remaining })
            }
            Acquired::Refused(Refusal::Reserved { to, remaining }) => {
                (Count::Held, NotAcquired::Reserved { to, remaining })
            }
            Acquired::Refused(why @ Refusal::Regressed { .. }) => {
                (Count::Regressed, NotAcquired::Refused(why))
            }
            Acquired::Refused(why) => (Count::Refused, NotAcquired::Refused(why)),
            Acquired::Contended => (Count::Contended, NotAcquired::Contended),
            Acquired::Superseded => (Count::Superseded, NotAcquired::Superseded),
            Acquired::Failed => (Count::Failed, error.map_or(unheard, NotAcquired::Failed)),
            Acquired::Indeterminate(pending) => match error {
                Some(why) => (Count::Indeterminate, NotAcquired::Indeterminate(pending, why)),
                None => (Count::Impossible, unheard),
            },
            Acquired::Impossible(why) => (Count::Impossible, NotAcquired::Impossible(why)),
        };
        self.count(count);
        Err(why)
    }
}

impl<E: fmt::Debug, C> fmt::Debug for Issuer<E, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer").field("engine", &self.engine).finish_non_exhaustive()
    }
}

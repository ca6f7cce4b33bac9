//! `Gate`: what stands before a resource.
//!
// What is promised, and how it follows:
//
// 1. "No permit of an older epoch is alive or can be created once a newer one is admitted." A newer tenure is
//    written only by one who has claimed the word, and a claim is an exchange of a word whose count is zero:
//    at that point of the word's modification order no permit is alive. One who enters adds to the count, and
//    has a permit only if it finds the same generation, open, that it read before it compared its token. The
//    claim has changed the generation: so whoever adds to the count behind it, for an older token, has none.
// 2. The tenure is more than a word, so it is read in parts. What `enter` read is right if the generation is
//    still the same when it adds to the count. If the addition is before the next claim, the claim acquires
//    the release of this very permit, and so everything read before it: no part can be of the next tenure. And
//    the opening of this generation was acquired first: no part is of the tenure before.
// 3. A refusal is not confirmed by an addition. It reads the word again, and for that each part of the tenure
//    is acquired: whoever has seen a part of the next tenure sees its claim.
// 4. "What preceded the end of a permit is visible to whoever is admitted under a newer epoch." The end
//    releases, the claim acquires, the opening releases, the reading that is judged acquires. In between every
//    write to the word is a read-modify-write, which continues a release sequence at any ordering.
// 5. "Once a newer token was told `Draining`, who comes with an older one is `Stale`." The floor is raised before
//    the word is closed; the close releases it. Who was inside already with an older one may still be admitted,
//    and is then drained.

mod claim;
#[cfg(feature = "durable")]
mod durable;
#[cfg(feature = "parking_lot")]
mod fenced;
#[cfg(all(feature = "file", unix))]
mod file_gate;
mod limits;
#[cfg(all(test, loom))]
mod loom_tests;
mod permit;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "postgres")]
mod postgres_error;
mod rejected;
pub mod rule;
#[cfg(test)]
mod rule_model;
mod snapshot;
mod tenure_words;
#[cfg(feature = "parking_lot")]
mod wakeups;
mod word;

#[cfg(feature = "durable")]
pub use durable::{DurableGate, DurableGateError, NotAdmitted, NotAdopted};
#[cfg(feature = "parking_lot")]
pub use fenced::{Fenced, FencedGuard};
#[cfg(all(feature = "file", unix))]
pub use file_gate::{FileGate, FileGateError, FileGateSnapshot, FilePermit};
pub use limits::{MaxAdvance, MaxPermits};
pub use permit::Permit;
#[cfg(feature = "postgres")]
pub use postgres::PostgresGate;
#[cfg(feature = "postgres")]
pub use postgres_error::PostgresGateError;
pub use rejected::{AdoptError, Rejected};
pub use snapshot::Snapshot;

use crate::sync::{AtomicU64, Ordering, const_fn};
use crate::{Epoch, FencingToken, RealmId, ResourceId};
use claim::Setback;
use rule::{Adoption, Terms, Unclaimed, Verdict, View};
use snapshot::Counters;
use tenure_words::TenureWords;
use word::{Release, Word};

/// What stands before one resource, and lets holders of the newest epoch in.
///
/// *From the moment a newer epoch is admitted, no permit of an older epoch is alive or can be created. An
/// effect that outlives its permit (a remote call, a cancelled future, a spawned task, queued I/O, a crashed
/// gate process) is not covered; it must carry the epoch to something that checks it.*
///
/// A token newer than all before makes the older ones [`Stale`](Rejected::Stale) at once, also while their
/// permits are alive; until the last of those is gone, it is told [`Draining`](Rejected::Draining). So a permit
/// that leaks or hangs closes the gate to everybody: it fails closed. The only way out is
/// [`abandon_permits`](Self::abandon_permits), which gives up the promise.
///
/// There must be one gate for one resource. Two gates, in one process or in two, do not drain each other. A
/// gate forgets when its process ends; it begins with the floor that it is given.
///
/// No call blocks, allocates or spins. A gate may be a `static`.
///
/// # Memory ordering
///
/// Whoever is admitted under a newer epoch sees everything that preceded the end of every permit of an older
/// one. Between permits of one epoch nothing is promised.
///
/// # Examples
///
/// ```
/// use epoch_fence::{Epoch, FencingToken, Gate, GrantId, RealmId, Rejected, ResourceId};
///
/// # fn ids() -> Option<(RealmId, GrantId, GrantId, Epoch)> {
/// #     Some((RealmId::from_random_bits(1)?, GrantId::from_random_bits(2)?, GrantId::from_random_bits(3)?, Epoch::new(34)?))
/// # }
/// # let Some((realm, a, b, epoch34)) = ids() else { return Ok(()) };
/// # let Some(epoch33) = Epoch::new(33) else { return Ok(()) };
/// let ledger = ResourceId::of("billing", "ledger");
/// let gate = Gate::new(realm, ledger, Epoch::FIRST);
/// let alice = FencingToken::new(realm, ledger, epoch33, a);
/// let bob = FencingToken::new(realm, ledger, epoch34, b);
///
/// let writing = gate.enter(&alice)?; // and here Alice's process is stopped, and her lease expires
/// assert!(matches!(gate.enter(&bob), Err(Rejected::Draining { in_flight: 1 })));
/// drop(writing);
/// assert!(gate.run(&bob, |_| "Bob writes").is_ok());
/// assert!(matches!(gate.enter(&alice), Err(Rejected::Stale { floor }) if floor == epoch34));
/// # Ok::<(), Rejected>(())
/// ```
#[derive(Debug)]
pub struct Gate {
    word: AtomicU64,
    /// The least epoch that is admitted. Never falls, whatever the realm.
    floor: AtomicU64,
    tenure: TenureWords,
    terms: Terms,
    counters: Counters,
    #[cfg(feature = "parking_lot")]
    wakeups: wakeups::Wakeups,
}

impl Gate {
    const_fn! {
        /// Makes a gate that has admitted nobody, and will admit nobody below `floor`.
        ///
        /// The realm is that of the issuer's record, as [`Issuer::current`](crate::Issuer::current) reads it once somebody
        /// has written it. A gate of another realm admits none of its tokens.
        ///
        /// A gate forgets when its process ends. Its floor must come from something that did not: the greatest
        /// epoch found with the resource, or what the issuer now hands out.
        /// [`Epoch::FIRST`] is for a resource that nobody has ever written.
        #[must_use]
        pub const fn new(realm: RealmId, resource: ResourceId, floor: Epoch) -> Self {
            Self {
                word: AtomicU64::new(Word::NEW.bits()),
                floor: AtomicU64::new(floor.get()),
                tenure: TenureWords::new(realm),
                terms: Terms::new(resource),
                counters: Counters::new(),
                #[cfg(feature = "parking_lot")]
                wakeups: wakeups::Wakeups::new(),
            }
        }
    }

    /// Makes a gate that goes on where another one was when it had admitted `token`: older tokens are stale, and
    /// another grant under its epoch is a conflict.
    ///
    /// It is for a token that was kept durably, and before it was admitted. `DurableGate` does so.
    #[must_use]
    pub fn resume(token: &FencingToken) -> Self {
        let gate = Self::new(token.realm(), token.resource(), token.epoch());
        gate.tenure.install(token.epoch(), token.grant());
        Self { word: AtomicU64::new(Word::NEW.opened().bits()), ..gate }
    }

    const_fn! {
        /// Sets how far above the floor a token may be.
        #[must_use]
        pub const fn with_max_advance(mut self, max_advance: MaxAdvance) -> Self {
            self.terms = self.terms.with_max_advance(max_advance);
            self
        }
    }

    const_fn! {
        /// Sets how many permits may be alive at one time.
        #[must_use]
        pub const fn with_max_permits(mut self, max_permits: MaxPermits) -> Self {
            self.terms = self.terms.with_max_permits(max_permits);
            self
        }
    }

    /// Runs `effect` under a permit, which ends when `effect` returns or panics.
    ///
    /// # Errors
    ///
    /// Those of [`enter`](Self::enter). `effect` was then not called.
    pub fn run<R>(&self, token: &FencingToken, effect: impl FnOnce(&Permit<'_>) -> R) -> Result<R, Rejected> {
        let permit = self.enter(token)?;
        Ok(effect(&permit))
    }

    /// Gives a permit to the holder of the newest token.
    ///
    /// It never waits: it returns within a number of steps that is bounded by how many other callers are
    /// inside the gate's own code.
    ///
    /// # Errors
    ///
    /// Each of [`Rejected`], which says what to do about it. Every one is counted in
    /// [`snapshot`](Self::snapshot).
    ///
    /// # Overflow
    ///
    /// A gate installs 2^39 - 1 tenures, and then seals itself.
    ///
    /// # Memory ordering
    ///
    /// Sees what preceded the end of every permit of an older epoch.
    #[inline]
    pub fn enter(&self, token: &FencingToken) -> Result<Permit<'_>, Rejected> {
        self.enter_after(token, || Ok(()))
    }

    /// Enters, and while it is told [`Draining`](Rejected::Draining) waits until `deadline`.
    ///
    /// A deadline that has passed still allows one attempt. No other refusal is waited out: a token that is
    /// overtaken while it waits is told so at once.
    ///
    /// # Errors
    ///
    /// Those of [`enter`](Self::enter); [`Rejected::Draining`] when the deadline has passed.
    ///
    /// # Memory ordering
    ///
    /// As for [`enter`](Self::enter).
    #[cfg(feature = "parking_lot")]
    pub fn enter_waiting(
        &self,
        token: &FencingToken,
        deadline: std::time::Instant,
    ) -> Result<Permit<'_>, Rejected> {
        // Ends: at the deadline at the latest.
        loop {
            let seen = self.wakeups.count();
            match self.enter(token) {
                Err(Rejected::Draining { .. }) if self.wakeups.wait(seen, deadline) => {}
                answer => return answer,
            }
        }
    }

    /// Says what [`enter`](Self::enter) would answer now, and changes nothing.
    ///
    /// It is advice, and no protection: what was true when it looked may be over when it returns. Nothing is
    /// counted.
    ///
    /// # Errors
    ///
    /// Each of [`Rejected`].
    ///
    /// # Memory ordering
    ///
    /// None is promised.
    pub fn check(&self, token: &FencingToken) -> Result<(), Rejected> {
        let view = self.view();
        match rule::judge(&self.terms, &view, token) {
            Verdict::Refuse(why) => Err(why),
            Verdict::Admit => Ok(()),
            Verdict::Advance => match rule::claim_word(view.word) {
                Ok(_) => Ok(()),
                Err((_, why)) => Err(why.into()),
            },
        }
    }

    /// Makes the gate serve another realm, after the issuer was recovered.
    ///
    /// Permits of the old realm are drained first, as by a newer token: from the first call on, tokens below
    /// `floor` are refused, and the operator calls again until the last permit is gone. The floor never falls,
    /// whatever the realm. To adopt the realm that the gate has, with a floor it has, changes nothing.
    ///
    /// # Errors
    ///
    /// After each of them the gate serves the realm that it had.
    ///
    /// - [`AdoptError::FloorTooLow`] when `floor` is not above every epoch admitted and at or above every epoch
    ///   asked for.
    /// - [`AdoptError::Draining`] while permits are alive. The floor was raised.
    /// - [`AdoptError::Sealed`] when the gate is sealed.
    /// - [`AdoptError::Exhausted`] when [`Epoch::MAX`] was admitted.
    ///
    /// # Memory ordering
    ///
    /// Sees what preceded the end of every permit, and shows it to whoever is admitted in the new realm.
    pub fn adopt(&self, realm: RealmId, floor: Epoch) -> Result<(), AdoptError> {
        self.adopt_after(realm, floor, || Ok(()))
    }

    /// Closes the gate for ever, and returns how many permits are still alive.
    ///
    /// No permit is made after it returns. It lasts until the process restarts, and may be called again: at
    /// zero, every effect under this gate has ended.
    ///
    /// # Memory ordering
    ///
    /// If it returns zero, the caller sees what preceded the end of every permit.
    pub fn seal(&self) -> u32 {
        // ORDERING: Acquire. Pairs with the end of each permit, in `release`: whoever is told that none is left
        // sees what they did. Nothing is published: that a word is sealed says nothing of what came before.
        // Weaker: `loom_tests::who_seals_an_empty_gate_sees_what_was_done_in_it` fails.
        let before = Word::new(self.word.fetch_or(word::SEALED, Ordering::Acquire));
        self.wake();
        before.in_flight()
    }

    /// **Voids the promise**: lets newer epochs in although permits of older ones are alive. Returns how many.
    ///
    /// A permit that was leaked, or whose holder hangs, keeps the gate closed for ever, and the gate cannot
    /// know that its effect will not happen after all. Call this only when you know: when the process or the
    /// device behind those permits is gone, or can no longer reach the resource. If one of the holders does
    /// wake, its effect comes after newer ones, and nothing here will notice.
    ///
    /// Permits made afterwards are protected as ever. An abandoned one that ends later changes nothing.
    ///
    /// # Memory ordering
    ///
    /// None is promised. Effects of abandoned permits need not be visible to anyone.
    pub fn abandon_permits(&self) -> u32 {
        let mut word = self.guess();
        // Ends: the exchange fails because another call has finished one.
        loop {
            let Some((next, permits)) = word.abandoned() else { return 0 };
            match self.exchange(word, next) {
                Ok(()) => {
                    self.counters.abandon(permits);
                    self.wake();
                    return permits;
                }
                Err(now) => word = now,
            }
        }
    }

    /// Returns the least epoch that the gate admits.
    ///
    /// # Memory ordering
    ///
    /// None is promised.
    #[must_use]
    #[inline]
    pub fn floor(&self) -> Epoch {
        // ORDERING: Relaxed. Nothing is published to a reader of the number alone. Whoever has seen the gate
        // closed has acquired the floor for which it was. Nothing weaker exists.
        Epoch::new(self.floor.load(Ordering::Relaxed)).unwrap_or(Epoch::FIRST)
    }

    /// Returns what the gate stands before.
    #[must_use]
    pub const fn resource(&self) -> ResourceId {
        self.terms.resource
    }

    /// Returns the gate's numbers for an operator.
    ///
    /// # Memory ordering
    ///
    /// None is promised, nor that the numbers are of one moment.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.counters.snapshot(&self.view())
    }

    /// [`enter`](Self::enter), where a newer token is admitted only if `before` succeeds. It is called while no permit
    /// is alive and nobody else installs; if it fails, the gate stays closed.
    #[inline]
    pub(super) fn enter_after<E: From<Rejected>>(
        &self,
        token: &FencingToken,
        before: impl FnOnce() -> Result<(), E>,
    ) -> Result<Permit<'_>, E> {
        let judged = self.word();
        if judged.is_open()
            && self.tenure.are_of(token)
            && self.floor() == token.epoch()
            && token.resource() == self.terms.resource
            && let Some(permit) = self.enter_as_judged(judged, token)
        {
            return permit.map_err(E::from);
        }
        self.enter_slowly(token, before)
    }

    /// What is not the common case: a first token, a newer one, a refusal, a race.
    ///
    /// The loop ends. A round is repeated because the word moved: by a newer tenure, of which there is at most
    /// one more at this token's epoch once it has raised the floor, and one already claimed below it; or by the
    /// count, which only those still change who were past their look at the floor, and permits that end.
    #[cold]
    #[inline(never)]
    fn enter_slowly<E: From<Rejected>>(
        &self,
        token: &FencingToken,
        before: impl FnOnce() -> Result<(), E>,
    ) -> Result<Permit<'_>, E> {
        loop {
            let view = self.view();
            match rule::judge(&self.terms, &view, token) {
                Verdict::Refuse(why) => return Err(self.counters.refuse(why).into()),
                Verdict::Admit => {
                    if let Some(permit) = self.enter_as_judged(view.word, token) {
                        return permit.map_err(E::from);
                    }
                }
                Verdict::Advance => match self.claim(view.word, token.epoch()) {
                    Ok(claim) => {
                        before()?;
                        return claim.install(token).map_err(E::from);
                    }
                    Err(Setback::Moved) => {}
                    Err(Setback::Overtaken { floor }) => {
                        return Err(self.counters.refuse(Rejected::Stale { floor }).into());
                    }
                    Err(Setback::Unclaimed(why)) => return Err(self.counters.refuse(why.into()).into()),
                },
            }
        }
    }

    /// [`adopt`](Self::adopt), where the realm is written only if `before` succeeds, as in `enter_after`.
    pub(super) fn adopt_after<E: From<AdoptError>>(
        &self,
        realm: RealmId,
        floor: Epoch,
        before: impl FnOnce() -> Result<(), E>,
    ) -> Result<(), E> {
        // Ends for the reason given in `enter_slowly`.
        loop {
            let view = self.view();
            match rule::judge_adoption(&view, realm, floor) {
                Adoption::Done => return Ok(()),
                Adoption::Refuse(why) => return Err(why.into()),
                Adoption::Advance => match self.claim(view.word, floor) {
                    Ok(claim) => {
                        before()?;
                        claim.adopt(realm);
                        return Ok(());
                    }
                    Err(Setback::Moved) => {}
                    Err(Setback::Overtaken { floor: least }) => {
                        return Err(AdoptError::FloorTooLow { least }.into());
                    }
                    Err(Setback::Unclaimed(Unclaimed::Draining { in_flight })) => {
                        return Err(AdoptError::Draining { in_flight }.into());
                    }
                    Err(Setback::Unclaimed(Unclaimed::Exhausted)) => return Err(AdoptError::Sealed.into()),
                },
            }
        }
    }

    /// Whether there is nothing left to adopt.
    #[cfg(feature = "durable")]
    fn serves(&self, realm: RealmId, floor: Epoch) -> bool {
        matches!(rule::judge_adoption(&self.view(), realm, floor), Adoption::Done)
    }

    /// Adds to the count. `None` if the gate is no longer what it was when the token was judged good.
    #[inline]
    fn enter_as_judged(&self, judged: Word, token: &FencingToken) -> Option<Result<Permit<'_>, Rejected>> {
        // ORDERING: Relaxed. Nothing is published, and what this caller must see it has acquired with the word
        // that was judged, of the same generation. That nobody is let in behind a claim follows from the
        // modification order of the one word. Nothing weaker exists.
        let found = Word::new(self.word.fetch_add(word::ENTER, Ordering::Relaxed));
        let entered = found.entered();
        let limit = self.terms.max_permits.get();
        if found.lets_in(judged) && found.count() < limit {
            return Some(Ok(Permit::new(self, entered, token.epoch())));
        }
        self.release(entered);
        found.lets_in(judged).then(|| Err(self.counters.refuse(Rejected::TooManyPermits { limit })))
    }

    /// Gives a count back, which was taken when the word became `entered`.
    ///
    /// That word is the first guess, since reading it again right behind the addition would wait for that.
    #[inline]
    fn release(&self, entered: Word) {
        let mut word = entered;
        // Ends: the exchange fails because another call has finished one (or spuriously, on some targets).
        loop {
            let next = match word.released(entered.generation()) {
                Release::To(next) => next,
                Release::Abandoned => return,
                Release::Impossible => return self.fail_closed(),
            };
            // ORDERING: Release. Pairs with `claim`, and with `seal`: whoever is admitted next, under a newer
            // epoch, sees what was done under this permit, and writes no tenure over one that is being read.
            // Weaker: `loom_tests::a_newer_holder_sees_what_an_older_one_did` fails.
            let ended = Ordering::Release;
            // ORDERING: Relaxed on failure. Only a guess for the next round. Nothing weaker exists.
            let failed = Ordering::Relaxed;
            match self.word.compare_exchange_weak(word.bits(), next.bits(), ended, failed) {
                Ok(_) => {
                    if next.is_drained() {
                        self.wake();
                    }
                    return;
                }
                Err(now) => word = Word::new(now),
            }
        }
    }

    /// The gate at one moment.
    ///
    /// The loop ends: a round is repeated because another caller has claimed the gate meanwhile, and a gate that
    /// is claimed is looked at once.
    fn view(&self) -> View {
        loop {
            let word = self.word();
            let view = View { word, floor: self.floor(), tenure: self.tenure.read() };
            if word.is_installing() || self.guess().generation() == word.generation() {
                return view;
            }
        }
    }

    #[inline]
    fn word(&self) -> Word {
        // ORDERING: Acquire. Pairs with `Claim::install`, `Claim::drop` and `claim`. Whoever finds a generation
        // sees the tenure that was written in it, and all that was done under older ones; whoever finds the gate
        // closed sees the floor.
        // Weaker: `loom_tests::no_older_permit_is_alive_or_made_beside_a_newer_one` fails.
        Word::new(self.word.load(Ordering::Acquire))
    }

    fn guess(&self) -> Word {
        // ORDERING: Relaxed. Nothing is published: the value is confirmed by an exchange, or compared with one
        // that was acquired. Nothing weaker exists.
        Word::new(self.word.load(Ordering::Relaxed))
    }

    fn exchange(&self, word: Word, next: Word) -> Result<(), Word> {
        // ORDERING: Relaxed, both. Nothing is published: abandoned permits promise nothing. As a
        // read-modify-write it keeps the release sequence of the permits that ended in order.
        // Nothing weaker exists.
        let unpublished = Ordering::Relaxed;
        self.word
            .compare_exchange(word.bits(), next.bits(), unpublished, unpublished)
            .map(drop)
            .map_err(Word::new)
    }

    /// Has those ask again who wait, where there are any.
    fn wake(&self) {
        #[cfg(feature = "parking_lot")]
        self.wakeups.wake();
    }

    /// An invariant of this module did not hold: admits nobody any more, and counts it.
    #[cold]
    fn fail_closed(&self) {
        self.counters.impossible();
        self.seal();
    }
}

//! `Claim`: the right to write a gate's tenure, of one caller alone, and how it is won.

use core::mem;

use super::rule::{self, Unclaimed};
use super::word::{self, Word};
use super::{Gate, Permit, Rejected};
use crate::sync::Ordering;
use crate::{Epoch, FencingToken, RealmId};

impl Gate {
    /// Raises the floor to `floor`, and makes this caller the one who installs; or else closes the gate.
    ///
    /// `judged` is the word for which the caller found its epoch to be newer than the tenure.
    pub(super) fn claim(&self, judged: Word, floor: Epoch) -> Result<Claim<'_>, Setback> {
        if let Some(floor) = self.raise_floor(floor) {
            return Err(Setback::Overtaken { floor });
        }
        let (next, setback) = match rule::claim_word(judged) {
            Ok(claimed) => (claimed, None),
            Err((next, why)) => (next, Some(why)),
        };
        // ORDERING: AcqRel. Acquire pairs with `release`: the new tenure, and whoever is admitted under it, come
        // after all that was done and read under the old one. Release pairs with `word`: whoever finds the gate
        // closed or claimed sees the floor for which it was.
        // Weaker: without Acquire, `loom_tests::a_newer_holder_sees_what_an_older_one_did` fails; without
        // Release, `loom_tests::older_tokens_are_stale_while_their_permits_drain`.
        let closed = Ordering::AcqRel;
        // ORDERING: Relaxed on failure. The value is not used. Nothing weaker exists.
        let failed = Ordering::Relaxed;
        if next != judged && self.word.compare_exchange(judged.bits(), next.bits(), closed, failed).is_err() {
            return Err(Setback::Moved);
        }
        if let Some(why) = setback {
            return Err(Setback::Unclaimed(why));
        }
        Ok(Claim { gate: self })
    }

    /// Raises the floor. `Some` if it is higher already.
    fn raise_floor(&self, floor: Epoch) -> Option<Epoch> {
        // ORDERING: Relaxed. Nothing is published by the floor itself: `claim` publishes it with the word. A
        // read-modify-write reads the newest there is, so that no later call overlooks an earlier one.
        // Nothing weaker exists; `loom_tests::two_newer_tokens_are_admitted_in_order_or_not_at_all` covers the one
        // step.
        let before = self.floor.fetch_max(floor.get(), Ordering::Relaxed);
        if before < floor.get() {
            // Whoever waits with an older token has been overtaken.
            self.wake();
        }
        if before > floor.get() { Epoch::new(before) } else { None }
    }
}

/// Why a claim failed.
pub(super) enum Setback {
    /// The gate is no longer what it was when the token was judged.
    Moved,
    /// Something newer has raised the floor.
    Overtaken {
        floor: Epoch,
    },
    Unclaimed(Unclaimed),
}

impl From<Unclaimed> for Rejected {
    fn from(why: Unclaimed) -> Self {
        match why {
            Unclaimed::Draining { in_flight } => Self::Draining { in_flight },
            Unclaimed::Exhausted => Self::Sealed,
        }
    }
}

/// The right to write the tenure, of one caller alone. It counts as one in flight; dropped without a tenure, it
/// leaves the gate closed.
#[must_use]
pub(super) struct Claim<'g> {
    gate: &'g Gate,
}

impl<'g> Claim<'g> {
    /// Writes the tenure of the token, and opens the gate. The claim's place in the count becomes the permit's.
    pub(super) fn install(self, token: &FencingToken) -> Result<Permit<'g>, Rejected> {
        let gate = self.gate;
        mem::forget(self);
        gate.tenure.install(token.epoch(), token.grant());
        // ORDERING: Release. Pairs with `word`: whoever finds the gate open in this generation sees the tenure
        // just written, and what this caller acquired with its claim.
        // Weaker: `loom_tests::two_callers_with_one_token_share_its_epoch` fails.
        let before = Word::new(gate.word.fetch_and(word::OPEN, Ordering::Release));
        gate.counters.advance();
        gate.wake();
        let permit = Permit::new(gate, before.opened(), token.epoch());
        if before.is_sealed() { Err(gate.counters.refuse(Rejected::Sealed)) } else { Ok(permit) }
    }
}

impl Claim<'_> {
    /// Writes the realm. The end of the claim then leaves the gate closed behind it.
    pub(super) fn adopt(self, realm: RealmId) {
        self.gate.tenure.adopt(realm);
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        // ORDERING: Release. Pairs with `word`: whoever finds this generation closed and not claimed sees the
        // realm that was adopted in it.
        // Weaker: `loom_tests::nobody_of_the_old_realm_is_admitted_after_an_adoption` fails.
        self.gate.word.fetch_sub(word::YIELD, Ordering::Release);
        self.gate.wake();
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::sync::AtomicU64;
    use crate::{AdoptError, GrantId, ResourceId};

    #[test]
    fn a_gate_that_has_begun_its_last_tenure_seals_itself_at_the_next() {
        let (realm, resource) = (RealmId::from_random_bits(1).unwrap(), ResourceId::from_bytes([7; 32]));
        let token = |epoch| {
            let grant = GrantId::from_random_bits(2).unwrap();
            FencingToken::new(realm, resource, Epoch::new(epoch).unwrap(), grant)
        };
        let spent = || {
            let gate = Gate::resume(&token(5));
            // Every bit of the 39 of the generation.
            Gate { word: AtomicU64::new(((1 << 39) - 1) << 22), ..gate }
        };
        let gate = spent();
        assert!(gate.enter(&token(5)).is_ok());
        assert_eq!(gate.check(&token(6)), Err(Rejected::Sealed));
        assert_eq!(gate.enter(&token(6)).unwrap_err(), Rejected::Sealed);
        assert_eq!(gate.enter(&token(5)).unwrap_err(), Rejected::Sealed, "and for ever");
        let gate = spent();
        let other = RealmId::from_random_bits(3).unwrap();
        assert_eq!(gate.adopt(other, Epoch::new(6).unwrap()), Err(AdoptError::Sealed));
        assert!(gate.snapshot().sealed);
    }

    /// No call of a gate leads there.
    #[test]
    fn a_permit_that_is_not_in_the_count_seals_its_gate_and_is_counted() {
        let (realm, grant) = (RealmId::from_random_bits(1).unwrap(), GrantId::from_random_bits(2).unwrap());
        let token = FencingToken::new(realm, ResourceId::from_bytes([7; 32]), Epoch::FIRST, grant);
        let gate = Gate::resume(&token);
        let permit = gate.enter(&token).unwrap();
        // ORDERING: Relaxed, both. One thread: nothing is published. Nothing weaker exists.
        let lost = gate.word.swap(0, Ordering::Relaxed);
        assert_eq!(Word::new(lost).count(), 1);
        drop(permit);
        assert_eq!((gate.snapshot().impossible, gate.snapshot().sealed), (1, true));
        assert_eq!(gate.enter(&token).unwrap_err(), Rejected::Sealed);
    }
}

//! `Write`: one swap on its way, as one transaction.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use etcd_client::{Compare, CompareOp, PutOptions, Txn, TxnOp};

use super::EtcdError;
use super::fate::{Fate, Fault};
use super::keys::{Realm, mark};
use super::look::{Answer, Look, now};
use super::seen::{self, Seen};
use super::store::Etcd;
use super::wire::{Leased, Until};
use crate::engine::{Failure, Swapped};
use crate::protocol::{Action, Exhausted, Record, Swap, Tenure, Ttl, Version, View};
use crate::{Epoch, ResourceId};

/// How often a first write begins again. The time that a call has is over before that.
const FIRST_WRITES: u32 = 1_024;

/// One swap on its way.
pub(super) struct Write<'e> {
    store: &'e Etcd,
    resource: &'e ResourceId,
    swap: &'e Swap,
    until: Until,
    /// `None` of a resource without a record.
    seen: Option<Seen>,
    record: String,
    lease: String,
}

impl<'e> Write<'e> {
    pub(super) fn of(
        store: &'e Etcd,
        resource: &'e ResourceId,
        swap: &'e Swap,
        until: Until,
    ) -> Result<Self, EtcdError> {
        let seen = match swap.expected() {
            Version::ABSENT => None,
            _ => Some(Seen::from_info(swap.before().info()).ok_or(EtcdError::ForeignView)?),
        };
        let (record, lease) = (store.keys.record(resource), store.keys.lease(resource));
        Ok(Self { store, resource, swap, until, seen, record, lease })
    }

    pub(super) async fn land(&self) -> Result<Swapped, Failure<EtcdError>> {
        // Until the transaction is sent, nothing that fails has written anything.
        let definite = |fault: Fault| Failure::Definite(fault.error);
        let vacant = match self.seen {
            Some(_) => None,
            None => Some(self.store.look(self.until, self.resource).await.map_err(Failure::Definite)?),
        };
        if vacant.is_some_and(|look| !self.is_as_seen(&look)) {
            return Ok(Swapped::Conflict);
        }
        let leased = match (self.swap.action(), self.seen) {
            (Action::Acquire | Action::HandOver, _) => Some(self.new_lease().await.map_err(definite)?),
            (Action::Renew, Some(seen)) if self.seconds() > seen.granted => {
                Some(self.new_lease().await.map_err(definite)?)
            }
            (Action::Renew, Some(seen)) => {
                // It is over, and so the mark is gone: the write could not land.
                if !self.store.wire.keep_alive(self.until, seen.lease).await.map_err(definite)? {
                    return Ok(Swapped::Conflict);
                }
                None
            }
            (Action::Renew, None) => return Err(Failure::Definite(EtcdError::ForeignView)),
            (Action::Burn | Action::Release | Action::Evict | Action::Recover, _) => None,
        };
        let landed = match (self.seen, vacant) {
            (Some(seen), _) => self.change(seen, leased).await,
            (None, Some(look)) => self.create(look, leased).await,
            (None, None) => Err(Failure::Definite(EtcdError::ForeignView)),
        };
        self.give_back(leased, &landed).await;
        landed.map(|landed| match landed {
            Landing::Landed(look) => Swapped::Landed(self.view(&look, leased)),
            Landing::Conflict { .. } => Swapped::Conflict,
        })
    }

    /// Whether the realm and the version are those that the write was made for.
    fn is_as_seen(&self, look: &Look) -> bool {
        look.realm.id == self.swap.expected_realm() && look.record().version() == self.swap.expected()
    }

    /// For how long the write asks, from the issuer's time in the view that it was made from.
    fn asked(&self) -> Duration {
        let left = Duration::from_nanos(self.seen.map_or(0, |seen| seen.left));
        let now = now(self.swap.expected(), left);
        let end = match *self.swap.next().tenure() {
            Tenure::Free => None,
            Tenure::Reserved { until, .. } => now.until(until),
            Tenure::Held { expiry, .. } => now.until(expiry),
        };
        end.unwrap_or(Duration::ZERO).min(Ttl::MAX.get())
    }

    /// The same in etcd's whole seconds, never less.
    fn seconds(&self) -> u32 {
        let asked = self.asked();
        let up = u64::from(asked.subsec_nanos() > 0);
        // A day at most.
        u32::try_from(asked.as_secs().saturating_add(up)).unwrap_or(u32::MAX)
    }

    async fn new_lease(&self) -> Result<Leased, Fault> {
        let id = self.store.keys.lease_id(self.resource, self.swap);
        self.store.wire.lease(self.until, id, self.seconds()).await
    }

    /// Writes on a record that is there.
    async fn change(&self, seen: Seen, leased: Option<Leased>) -> Result<Landing, Failure<EtcdError>> {
        let realm = Realm { id: self.swap.expected_realm(), base: seen.base };
        let mut compares = Vec::from([
            // By what it holds: a first write of another resource writes it again as it is.
            Compare::value(self.store.keys.realm.as_str(), CompareOp::Equal, realm.to_bytes()),
            Compare::mod_revision(self.record.as_str(), CompareOp::Equal, seen.revision),
        ]);
        match (self.swap.action(), self.swap.before().tenure()) {
            // Live to the moment of the write, on the lease that was kept alive.
            (Action::Renew, tenure) => {
                let mark = mark(tenure).unwrap_or_default();
                compares.push(Compare::value(self.lease.as_str(), CompareOp::Equal, mark));
                compares.push(Compare::lease(self.lease.as_str(), CompareOp::Equal, seen.lease));
            }
            // A successor comes in the time that is kept for it, over the mark that keeps it.
            (Action::Acquire, Tenure::Reserved { .. }) => {}
            (Action::Acquire, Tenure::Free | Tenure::Held { .. }) if !seen.past => {
                compares.push(Compare::create_revision(self.lease.as_str(), CompareOp::Equal, 0));
            }
            (
                Action::Acquire
                | Action::Burn
                | Action::Release
                | Action::HandOver
                | Action::Evict
                | Action::Recover,
                _,
            ) => {}
        }
        let ops = self.operations(realm, leased)?;
        let (succeeded, look) = self.send(compares, ops).await?;
        let look = match (succeeded, look) {
            (true, look) => return look.map(Landing::Landed).map_err(Failure::Indeterminate),
            (false, look) => look.map_err(Failure::Definite)?,
        };
        Ok(Landing::Conflict { lease: look.lease })
    }

    /// Writes the first record of a resource. It compares the revision of the realm and writes the realm again, so that
    /// of all first writes under way none lands after another one that came between, not even if the record is deleted
    /// by hand meanwhile.
    ///
    /// First writes of many resources at once make each other begin again: one of them lands in each round, and the others
    /// wait, each for a time of its own that grows with the rounds.
    async fn create(&self, mut look: Look, leased: Option<Leased>) -> Result<Landing, Failure<EtcdError>> {
        for round in 0..FIRST_WRITES {
            if !self.is_as_seen(&look) {
                return Ok(Landing::Conflict { lease: look.lease });
            }
            let name = self.store.keys.realm.as_str();
            let compares = Vec::from([
                Compare::mod_revision(name, CompareOp::Equal, look.realm_revision),
                Compare::create_revision(self.record.as_str(), CompareOp::Equal, 0),
                Compare::create_revision(self.lease.as_str(), CompareOp::Equal, 0),
            ]);
            let ops = self.operations(look.realm, leased)?;
            match self.send(compares, ops).await? {
                (true, landed) => return landed.map(Landing::Landed).map_err(Failure::Indeterminate),
                // Another resource's first write came between. This one never lands, and so another may be sent.
                (false, found) => look = found.map_err(Failure::Definite)?,
            }
            let own = self.store.keys.lease_id(self.resource, self.swap).unsigned_abs();
            let step = Duration::from_micros(own.checked_rem(1_000).unwrap_or_default());
            tokio::time::sleep(step.saturating_mul(round.min(32))).await;
        }
        Err(Failure::Definite(EtcdError::Contended))
    }

    /// What is written where it lands.
    fn operations(&self, realm: Realm, leased: Option<Leased>) -> Result<Vec<TxnOp>, Failure<EtcdError>> {
        let next = self.swap.next();
        let realm_now = match self.swap.action() {
            Action::Recover => recovered(next).map_err(Failure::Definite)?,
            Action::Acquire
            | Action::Burn
            | Action::Renew
            | Action::Release
            | Action::HandOver
            | Action::Evict => realm,
        };
        let mut ops = Vec::new();
        if self.seen.is_none() || realm_now != realm {
            ops.push(TxnOp::put(self.store.keys.realm.as_str(), realm_now.to_bytes(), None));
        }
        let record = next.with_info(seen::stored(realm_now.base)).to_bytes();
        ops.push(TxnOp::put(self.record.as_str(), record.as_bytes(), None));
        match (leased, mark(next.tenure())) {
            (Some(leased), Some(mark)) => {
                let on_lease = PutOptions::new().with_lease(leased.id);
                ops.push(TxnOp::put(self.lease.as_str(), mark, Some(on_lease)));
            }
            // It goes on, on its lease; or it is over and stays so.
            (None, Some(_)) => {}
            (_, None) => ops.push(TxnOp::delete(self.lease.as_str(), None)),
        }
        Ok(ops)
    }

    /// Sends the transaction: whether it landed, and what is there then.
    async fn send(
        &self,
        compares: Vec<Compare>,
        mut ops: Vec<TxnOp>,
    ) -> Result<(bool, Result<Look, EtcdError>), Failure<EtcdError>> {
        let reads = self.store.reads(self.resource);
        ops.extend(reads.clone());
        let txn = Txn::new().when(compares).and_then(ops).or_else(reads);
        let known = self.store.past().known();
        let response = self.store.wire.write(self.until, txn).await.map_err(|fault| match fault.fate {
            Fate::NeverLeft | Fate::Refused => Failure::Definite(fault.error),
            Fate::Unknown => Failure::Indeterminate(fault.error),
        })?;
        let answer = Answer::of(&response).map_err(Failure::Indeterminate)?;
        Ok((answer.succeeded, self.store.judge(known, &answer)))
    }

    /// Gives back what nobody needs any more: the lease of a write that did not land, or of the tenure that it ended.
    async fn give_back(&self, leased: Option<Leased>, landed: &Result<Landing, Failure<EtcdError>>) {
        let made = leased.filter(|leased| leased.fresh).map(|leased| leased.id);
        let needless = match landed {
            // The mark may be on it by an earlier copy of this very write.
            Ok(Landing::Conflict { lease }) => made.filter(|made| Some(*made) != *lease),
            Err(Failure::Definite(_)) => made,
            Err(Failure::Indeterminate(_)) => None,
            Ok(Landing::Landed(look)) => {
                let before = self.seen.map(|seen| seen.lease).filter(|lease| *lease != 0);
                before.filter(|before| Some(*before) != look.lease)
            }
        };
        if let Some(id) = needless {
            self.store.wire.revoke(self.until, id).await;
        }
    }

    /// What landed. Of a lease that began with this call as much is left as was asked for, or less where etcd gave less;
    /// of another one, what was left when it was seen.
    fn view(&self, look: &Look, leased: Option<Leased>) -> View {
        let before = self.seen.map_or(0, |seen| seen.granted);
        let granted = leased.map_or(before, |leased| leased.seconds);
        let left = self.asked().min(Duration::from_secs(granted.into()));
        look.view(left, granted)
    }
}

/// What became of a transaction.
#[expect(clippy::large_enum_variant, reason = "it is moved once")]
enum Landing {
    Landed(Look),
    /// With the lease that the mark of what is there is on.
    Conflict {
        lease: Option<i64>,
    },
}

/// The realm that a recovery begins: everything in the namespace goes on above the epoch and the version that it gives
/// to this record.
fn recovered(next: &Record) -> Result<Realm, EtcdError> {
    let base = next.epoch().map_or(0, Epoch::get).max(next.version().get());
    Realm::new(next.realm(), base).ok_or(EtcdError::Exhausted(Exhausted::Epoch))
}

//! `Etcd`: the store.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;
use std::sync::{Mutex, MutexGuard, PoisonError};

use etcd_client::{Compare, CompareOp, PutOptions, Txn, TxnOp};

use super::EtcdError;
use super::error::{Fate, Fault};
use super::keys::{Keys, Realm, mark};
use super::look::{Answer, Look, now};
use super::past::Past;
use super::seen::{self, Seen};
use super::wire::{Leased, Until, Wire};
use crate::engine::{AsyncEngine, Failure, Swapped};
use crate::protocol::{Action, Exhausted, RECOVERY_STRIDE, Record, Swap, Tenure, Ttl, Version, View};
use crate::{Epoch, RealmId, ResourceId};

/// How often a look is repeated that met a lease at its end, and a first write that others' first writes came before.
const ROUNDS: u32 = 16;

/// A namespace in an etcd. See [the module](super).
pub struct Etcd {
    wire: Wire,
    keys: Keys,
    namespace: String,
    past: Mutex<Past>,
}

impl fmt::Debug for Etcd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Etcd")
            .field("endpoints", &self.wire)
            .field("namespace", &self.namespace)
            .finish_non_exhaustive()
    }
}

impl Etcd {
    pub(super) async fn connect(wire: Wire, namespace: &str) -> Result<Self, EtcdError> {
        let (keys, namespace) = (Keys::of(namespace), String::from(namespace));
        let store = Self { wire, keys, namespace, past: Mutex::new(Past::default()) };
        match store.realm().await {
            Ok(_) | Err(EtcdError::NotInitialised) => Ok(store),
            Err(why) => Err(why),
        }
    }

    /// Returns the namespace.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Returns the realm of the namespace, for the gates.
    ///
    /// # Errors
    ///
    /// [`EtcdError::NotInitialised`], and whatever etcd or the connection says.
    pub async fn realm(&self) -> Result<RealmId, EtcdError> {
        let until = self.wire.until();
        let txn = Txn::new().and_then(Vec::from([TxnOp::get(self.keys.realm.as_str(), None)]));
        self.read_realm(until, txn).await?.map(|realm| realm.id).ok_or(EtcdError::NotInitialised)
    }

    /// Makes the namespace, unless it is there: a new, random realm. Returns the one that is there in the end.
    ///
    /// Done twice, it is as good as done once; after an error it may be asked for again.
    ///
    /// # Errors
    ///
    /// - [`EtcdError::RecordsWithoutRealm`]: it was there, and somebody deleted its realm. Nothing was written: epochs
    ///   would begin again.
    /// - [`EtcdError::Random`], and whatever etcd or the connection says.
    ///
    /// # Cancel safety
    ///
    /// It was done, or not; ask again.
    pub async fn init(&self) -> Result<RealmId, EtcdError> {
        let records = Compare::create_revision(self.keys.records.as_str(), CompareOp::Equal, 0).with_prefix();
        match self.make_realm(Some(records), 0).await? {
            (_, Some(realm)) => Ok(realm.id),
            (_, None) => Err(EtcdError::RecordsWithoutRealm),
        }
    }

    /// Makes the namespace anew whose realm was deleted, or whose keys were brought from another etcd: a new, random
    /// realm, whose epochs and versions begin [far above](RECOVERY_STRIDE) the floor. The gates must
    /// [adopt](crate::Gate::adopt) it.
    ///
    /// The floor is the greatest epoch that any gate or holder of the namespace has seen.
    ///
    /// # Errors
    ///
    /// - [`EtcdError::Initialised`]: it has a realm. If this was asked for before and ended in an error, that is it.
    /// - [`EtcdError::Exhausted`], [`EtcdError::Random`], and whatever etcd or the connection says.
    ///
    /// # Cancel safety
    ///
    /// It was done, or not; ask again.
    pub async fn init_above(&self, floor: Epoch) -> Result<RealmId, EtcdError> {
        let base = floor.checked_add(RECOVERY_STRIDE).ok_or(EtcdError::Exhausted(Exhausted::Epoch))?;
        match self.make_realm(None, base.get()).await? {
            (true, Some(realm)) => Ok(realm.id),
            (false, Some(realm)) => Err(EtcdError::Initialised { realm: realm.id }),
            (_, None) => Err(EtcdError::NoAnswer),
        }
    }

    /// Puts a new realm where there is none and the condition holds; whether it did, and what is there then.
    async fn make_realm(
        &self,
        condition: Option<Compare>,
        base: u64,
    ) -> Result<(bool, Option<Realm>), EtcdError> {
        let until = self.wire.until();
        let id = RealmId::random().map_err(EtcdError::Random)?;
        let realm = Realm::new(id, base).ok_or(EtcdError::Exhausted(Exhausted::Epoch))?;
        let name = self.keys.realm.as_str();
        let absent = Compare::create_revision(name, CompareOp::Equal, 0);
        let get = || TxnOp::get(name, None);
        let txn = Txn::new()
            .when([absent].into_iter().chain(condition).collect::<Vec<_>>())
            .and_then(Vec::from([TxnOp::put(name, realm.to_bytes(), None), get()]))
            .or_else(Vec::from([get()]));
        let known = self.past().known();
        let response = self.wire.write(until, txn).await.map_err(|fault| fault.error)?;
        let answer = Answer::of(&response)?;
        let found = Self::realm_in(&answer)?;
        self.past().learn(known, answer.cluster, answer.revision, found.map(|realm| realm.id))?;
        Ok((answer.succeeded, found))
    }

    async fn read_realm(&self, until: Until, txn: Txn) -> Result<Option<Realm>, EtcdError> {
        let known = self.past().known();
        let response = self.wire.read(until, txn).await.map_err(|fault| fault.error)?;
        let answer = Answer::of(&response)?;
        let found = Self::realm_in(&answer)?;
        self.past().learn(known, answer.cluster, answer.revision, found.map(|realm| realm.id))?;
        Ok(found)
    }

    fn realm_in(answer: &Answer) -> Result<Option<Realm>, EtcdError> {
        let found = answer.reads.first().ok_or(EtcdError::NoAnswer)?.as_ref();
        Ok(found.map(|found| Realm::from_bytes(&found.value)).transpose()?)
    }

    fn past(&self) -> MutexGuard<'_, Past> {
        // Whole at any moment: a thread that panicked left nothing half done.
        self.past.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads all three keys of a resource.
    fn reads(&self, resource: &ResourceId) -> Vec<TxnOp> {
        let names = [self.keys.realm.clone(), self.keys.record(resource), self.keys.lease(resource)];
        names.map(|name| TxnOp::get(name, None)).into()
    }

    async fn look(&self, until: Until, resource: &ResourceId) -> Result<Look, EtcdError> {
        let known = self.past().known();
        // Without a condition, and linearizable, as every read of etcd that is not asked to be less.
        let txn = Txn::new().and_then(self.reads(resource));
        let response = self.wire.read(until, txn).await.map_err(|fault| fault.error)?;
        self.judge(known, &Answer::of(&response)?)
    }

    fn judge(&self, known: super::past::Known, answer: &Answer) -> Result<Look, EtcdError> {
        let realm = Self::realm_in(answer)?.map(|realm| realm.id);
        self.past().learn(known, answer.cluster, answer.revision, realm)?;
        Look::of(answer)
    }
}

impl AsyncEngine for Etcd {
    type Error = EtcdError;

    /// Reads the record, and how long its lease has left: one transaction, and where somebody holds, one question more.
    async fn load(&self, resource: &ResourceId) -> Result<View, EtcdError> {
        let until = self.wire.until();
        for _ in 0..ROUNDS {
            let look = self.look(until, resource).await?;
            let Some(lease) = look.lease else { return Ok(look.view(Duration::ZERO, 0)) };
            let left = self.wire.time_to_live(until, lease).await.map_err(|fault| fault.error)?;
            if let Some(left) = left {
                return Ok(look.view_by(left));
            }
            // It ended between the two: the mark goes in the same step as the lease, so look again.
        }
        Err(EtcdError::Contended)
    }

    /// Writes the record in one transaction, which etcd applies whole or not at all. A tenure that begins gets a lease of
    /// etcd's before it, one that goes on has its lease begin again before it, and one that ends gives its lease back
    /// behind it.
    async fn swap(&self, resource: &ResourceId, swap: &Swap) -> Result<Swapped, Failure<EtcdError>> {
        let until = self.wire.until();
        let write = Write::of(self, resource, swap, until).map_err(Failure::Definite)?;
        write.land().await
    }
}

/// One swap on its way.
struct Write<'e> {
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
    fn of(
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

    async fn land(&self) -> Result<Swapped, Failure<EtcdError>> {
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
    async fn create(&self, mut look: Look, leased: Option<Leased>) -> Result<Landing, Failure<EtcdError>> {
        for _ in 0..ROUNDS {
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
        }
        Err(Failure::Definite(EtcdError::Contended))
    }

    /// What is written where it lands.
    fn operations(&self, realm: Realm, leased: Option<Leased>) -> Result<Vec<TxnOp>, Failure<EtcdError>> {
        let next = self.swap.next();
        let realm_now = match self.swap.action() {
            Action::Recover => recovered(next).map_err(Failure::Definite)?,
            _ => realm,
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

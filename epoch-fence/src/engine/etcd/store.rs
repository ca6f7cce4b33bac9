//! `Etcd`: the store.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;
use std::sync::{Mutex, MutexGuard, PoisonError};

use etcd_client::{Compare, CompareOp, Txn, TxnOp};

use super::EtcdError;
use super::keys::{Keys, Realm};
use super::look::{Answer, Look};
use super::past::{Known, Past};
use super::wire::{Until, Wire};
use super::write::Write;
use crate::engine::{AsyncEngine, Failure, Swapped};
use crate::protocol::{Exhausted, RECOVERY_STRIDE, Swap, View};
use crate::{Epoch, RealmId, ResourceId};

/// How often a look is repeated that met a lease at its end, and a first write that others' first writes came before.
const ROUNDS: u32 = 16;

/// A namespace in an etcd. See [the module](super).
pub struct Etcd {
    pub(super) wire: Wire,
    pub(super) keys: Keys,
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

    pub(super) fn past(&self) -> MutexGuard<'_, Past> {
        // Whole at any moment: a thread that panicked left nothing half done.
        self.past.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads all three keys of a resource.
    pub(super) fn reads(&self, resource: &ResourceId) -> Vec<TxnOp> {
        let names = [self.keys.realm.clone(), self.keys.record(resource), self.keys.lease(resource)];
        names.map(|name| TxnOp::get(name, None)).into()
    }

    pub(super) async fn look(&self, until: Until, resource: &ResourceId) -> Result<Look, EtcdError> {
        let known = self.past().known();
        // Without a condition, and linearizable, as every read of etcd that is not asked to be less.
        let txn = Txn::new().and_then(self.reads(resource));
        let response = self.wire.read(until, txn).await.map_err(|fault| fault.error)?;
        self.judge(known, &Answer::of(&response)?)
    }

    pub(super) fn judge(&self, known: Known, answer: &Answer) -> Result<Look, EtcdError> {
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

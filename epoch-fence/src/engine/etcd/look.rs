//! `Look`: the three keys of a resource as one revision has them, and the view that they make.

use alloc::vec::Vec;
use core::time::Duration;

use etcd_client::{GetResponse, KeyValue, TxnOpResponse, TxnResponse};

use super::EtcdError;
use super::error::Damage;
use super::keys::{Realm, mark};
use super::seen::{self, Seen};
use super::wire::TimeToLive;
use crate::Epoch;
use crate::protocol::{Moment, Record, Tenure, Version, View};

/// When every lease and every reservation ends that this engine shows, in nanoseconds of an era that is the version of the
/// record. Etcd's lease alone judges, and says how long is left, not when it ends: so the end stands still, and the
/// issuer's time is as far before it as is left.
const END: u64 = 1 << 62;

/// The end, on the clock of a version.
pub(super) const fn end(version: Version) -> Moment {
    moment(version, END)
}

/// The issuer's time in a view of a version, where so much is left: at the end, where nothing is.
pub(super) fn now(version: Version, left: Duration) -> Moment {
    // Etcd says at most 2^32 seconds, which is below the end.
    moment(version, END.saturating_sub(nanos(left)))
}

/// In nanoseconds; beyond 584 years it does not matter how many.
pub(super) fn nanos(wait: Duration) -> u64 {
    u64::try_from(wait.as_nanos()).unwrap_or(u64::MAX)
}

const fn moment(version: Version, nanos: u64) -> Moment {
    Moment::new(version.get() as u128, nanos)
}

/// A key as a revision has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) value: Vec<u8>,
    /// Of its last write.
    pub(super) revision: i64,
    /// What it is on, or zero.
    pub(super) lease: i64,
}

impl From<&KeyValue> for Stored {
    fn from(found: &KeyValue) -> Self {
        Self { value: found.value().to_vec(), revision: found.mod_revision(), lease: found.lease() }
    }
}

/// What a transaction answered: each of its reads, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) succeeded: bool,
    pub(super) cluster: u64,
    pub(super) revision: u64,
    pub(super) reads: Vec<Option<Stored>>,
}

impl Answer {
    pub(super) fn of(response: &TxnResponse) -> Result<Self, EtcdError> {
        let header = response.header().ok_or(EtcdError::NoAnswer)?;
        let read = |get: GetResponse| get.kvs().first().map(Stored::from);
        let reads = response.op_responses().into_iter().filter_map(|part| match part {
            TxnOpResponse::Get(get) => Some(read(get)),
            TxnOpResponse::Put(_) | TxnOpResponse::Delete(_) | TxnOpResponse::Txn(_) => None,
        });
        Ok(Self {
            succeeded: response.succeeded(),
            cluster: header.cluster_id(),
            revision: above_zero(header.revision())?,
            reads: reads.collect(),
        })
    }
}

fn above_zero(revision: i64) -> Result<u64, EtcdError> {
    let positive = u64::try_from(revision).ok().filter(|revision| *revision > 0);
    positive.ok_or(EtcdError::Damaged(Damage::Revision { found: revision }))
}

/// The keys of a resource, judged: what its record is now, and which lease its tenure is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) realm: Realm,
    /// The revision of the last write of the realm's key.
    pub(super) realm_revision: i64,
    /// Of the reading.
    revision: u64,
    /// As it is shown, but for its end and what goes with it. Vacant where there is none.
    record: Record,
    /// The revision of its last write; zero where there is none.
    written: i64,
    /// Of an earlier realm.
    past: bool,
    /// The lease that the mark of the tenure is on; `None` where the tenure is over, or there is none.
    pub(super) lease: Option<i64>,
}

impl Look {
    /// Judges the realm, the record and the mark, as one revision has them.
    pub(super) fn of(answer: &Answer) -> Result<Self, EtcdError> {
        let [realm, record, mark] = &answer.reads[..] else { return Err(EtcdError::NoAnswer) };
        let realm = realm.as_ref().ok_or(EtcdError::NotInitialised)?;
        let realm_revision = realm.revision;
        let realm = Realm::from_bytes(&realm.value)?;
        let vacant = Self {
            realm,
            realm_revision,
            revision: answer.revision,
            record: Record::vacant(realm.id),
            written: 0,
            past: false,
            lease: None,
        };
        match record {
            Some(record) => vacant.with(record, mark.as_ref()),
            // Whose it is was in the record. Nobody else gets in before it is over.
            None if mark.is_some() => Err(Damage::RecordMissing.into()),
            None => Ok(vacant),
        }
    }

    fn with(self, stored: &Stored, found: Option<&Stored>) -> Result<Self, EtcdError> {
        let record = Record::from_bytes(&stored.value).map_err(Damage::Record)?;
        let base = seen::base_of(record.info()).ok_or(Damage::NoBase)?;
        if base > self.realm.base {
            return Err(Damage::BaseAhead { found: base, realm: self.realm.base }.into());
        }
        // The number within the record is what its writer knew to be below the revision to come. It decides only where
        // records were brought from another etcd, whose revisions were greater.
        let number = base.saturating_add(above_zero(stored.revision)?).max(record.version().get());
        let record = record.with_version(Version::new(number));
        let look = Self { record, written: stored.revision, ..self };
        if record.realm() != self.realm.id {
            let record = record.with_realm(self.realm.id).with_tenure(Tenure::Free);
            return Ok(Self { record, past: true, ..look });
        }
        match found {
            None => Ok(look),
            Some(found) if mark(record.tenure()).as_ref() != Some(&found.value) => {
                Err(Damage::OtherMark.into())
            }
            Some(found) if found.lease == 0 => Err(Damage::NoLease.into()),
            Some(found) => Ok(Self { lease: Some(found.lease), ..look }),
        }
    }

    pub(super) const fn record(&self) -> &Record {
        &self.record
    }

    /// The view of it, where the lease has so much left, of so many seconds.
    ///
    /// While the mark is there the lease is live, if only for a moment: who renews or takes over is judged by the mark.
    /// When it is gone the lease is over for ever, since only a new tenure makes another.
    pub(super) fn view(&self, left: Duration, granted: u32) -> View {
        let left = if self.lease.is_some() { left.max(Duration::from_nanos(1)) } else { Duration::ZERO };
        let version = self.record.version();
        let end = end(version);
        let tenure = match *self.record.tenure() {
            Tenure::Free => Tenure::Free,
            Tenure::Reserved { to, .. } => Tenure::Reserved { to, until: end },
            Tenure::Held { grant, holder, .. } => Tenure::Held { grant, holder, expiry: end },
        };
        let record = self.record.with_tenure(tenure);
        let seen = self.seen(left, granted);
        let record = if self.written == 0 { record } else { record.with_info(seen.to_info()) };
        let view = View::new(record, now(version, left)).with_epoch_floor(self.floor());
        let over = self.lease.is_none() && matches!(tenure, Tenure::Held { .. });
        if over { view.with_ended() } else { view }
    }

    pub(super) fn view_by(&self, etcd: TimeToLive) -> View {
        self.view(Duration::from_secs(etcd.left.into()), etcd.granted)
    }

    fn seen(&self, left: Duration, granted: u32) -> Seen {
        Seen {
            revision: self.written,
            base: self.realm.base,
            lease: self.lease.unwrap_or(0),
            granted,
            left: nanos(left),
            past: self.past,
        }
    }

    /// No epoch of this namespace was ever above it: a write at revision `w` gives at most `base + w`.
    fn floor(&self) -> Option<Epoch> {
        let floor = self.realm.base.saturating_add(self.revision);
        Epoch::new(floor.min(Epoch::MAX_ISSUED.get()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_is_above_zero() {
        assert_eq!((above_zero(1).unwrap(), above_zero(i64::MAX).unwrap()), (1, u64::MAX / 2));
        for revision in [0, -1, i64::MIN] {
            let why = above_zero(revision).unwrap_err();
            let found = matches!(why, EtcdError::Damaged(Damage::Revision { found }) if found == revision);
            assert!(found, "{revision}: {why}");
        }
    }
}

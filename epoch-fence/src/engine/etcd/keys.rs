//! What the keys are called, and what the two small ones hold: the realm of a namespace, and the mark of a tenure.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use sha2::{Digest as _, Sha256};

use super::error::Damage;
use crate::protocol::{Swap, Tenure};
use crate::{Epoch, RealmId, ResourceId};

/// Before every key, so that whoever shares the etcd sees whose they are.
const ROOT: &str = "epoch-fence";

/// The names of the keys of one namespace.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    /// `N`: the realm.
    pub(super) realm: String,
    /// Before every `S`.
    pub(super) records: String,
    leases: String,
}

impl Keys {
    /// No two namespaces share a key: one that ends in `/realm` or in `/record/` or `/lease/` and 64 digits says by its
    /// end where its namespace ends.
    pub(super) fn of(namespace: &str) -> Self {
        let under = |name: &str| format!("{ROOT}/{namespace}/{name}");
        Self { realm: under("realm"), records: under("record/"), leases: under("lease/") }
    }

    /// `S`: the record.
    pub(super) fn record(&self, resource: &ResourceId) -> String {
        format!("{}{resource}", self.records)
    }

    /// `A`: the mark that is there while a tenure is live, on a lease of etcd's.
    pub(super) fn lease(&self, resource: &ResourceId) -> String {
        format!("{}{resource}", self.leases)
    }

    /// The id of the lease that a write puts its mark on. One write has one lease, however often it is sent, and no other
    /// write has it, but by a chance of 1 in 2^63.
    pub(super) fn lease_id(&self, resource: &ResourceId, swap: &Swap) -> i64 {
        let name = self.lease(resource);
        // No name is longer than 2^63 - 1 bytes.
        let length = u64::try_from(name.len()).unwrap_or(u64::MAX);
        let hash = Sha256::new()
            .chain_update(b"epoch-fence lease of etcd\n")
            .chain_update(length.to_be_bytes())
            .chain_update(name)
            .chain_update(swap.expected().get().to_be_bytes())
            .chain_update(swap.next().to_bytes());
        let hash: [u8; 32] = hash.finalize().into();
        let (number, _) = hash.split_first_chunk().unwrap_or((&[0; 8], &[]));
        // Zero would ask etcd for an id of its own.
        (i64::from_be_bytes(*number) & i64::MAX).max(1)
    }
}

/// What `N` holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Realm {
    pub(super) id: RealmId,
    /// Is added to etcd's revision, so that versions and epochs stay above all that was before a recovery. At most
    /// [`Epoch::MAX_ISSUED`].
    pub(super) base: u64,
}

/// The form of `N`, in its first byte.
const REALM_FORM: u8 = 1;

impl Realm {
    pub(super) fn new(id: RealmId, base: u64) -> Option<Self> {
        (base <= Epoch::MAX_ISSUED.get()).then_some(Self { id, base })
    }

    pub(super) fn to_bytes(self) -> Vec<u8> {
        [&[REALM_FORM][..], &self.id.to_bytes(), &self.base.to_be_bytes()].concat()
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, Damage> {
        let damaged = Damage::Realm { found: bytes.len() };
        let (form, rest) = bytes.split_first().ok_or(damaged)?;
        if *form != REALM_FORM {
            return Err(Damage::Form { found: *form });
        }
        let (id, rest) = rest.split_first_chunk().ok_or(damaged)?;
        let base = u64::from_be_bytes(*<&[u8; 8]>::try_from(rest).map_err(|_| damaged)?);
        let id = RealmId::from_bytes(*id).map_err(|_| Damage::ZeroRealm)?;
        Self::new(id, base).ok_or(Damage::Base { found: base })
    }
}

/// What `A` holds while this tenure is live; `None` while nobody has anything.
pub(super) fn mark(tenure: &Tenure) -> Option<Vec<u8>> {
    match tenure {
        Tenure::Free => None,
        Tenure::Reserved { to, .. } => Some([b"reserved ", to.as_str().as_bytes()].concat()),
        Tenure::Held { grant, .. } => Some(format!("held {grant}").into_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Command, Moment, Record, Ttl, View};
    use crate::{GrantId, HolderId};
    use alloc::collections::BTreeSet;

    fn realm() -> Realm {
        Realm::new(RealmId::from_random_bits(7).unwrap(), 1 << 20).unwrap()
    }

    #[test]
    fn a_realm_reads_as_it_was_written_and_nothing_else_is_one() {
        let bytes = realm().to_bytes();
        assert_eq!(Realm::from_bytes(&bytes), Ok(realm()));
        let with = |at: usize, byte: u8| {
            let mut bytes = bytes.clone();
            bytes[at] = byte;
            bytes
        };
        let long = [&bytes[..], b"x"].concat();
        let zero = [&bytes[..1], &[0; 16], &bytes[17..]].concat();
        let rows = [
            (Vec::new(), Damage::Realm { found: 0 }),
            (bytes[..24].to_vec(), Damage::Realm { found: 24 }),
            (long, Damage::Realm { found: 26 }),
            (with(0, 0), Damage::Form { found: 0 }),
            (with(0, 2), Damage::Form { found: 2 }),
            (zero, Damage::ZeroRealm),
            (with(17, 0x80), Damage::Base { found: 1 << 63 | 1 << 20 }),
        ];
        for (bytes, why) in rows {
            assert_eq!(Realm::from_bytes(&bytes), Err(why));
        }
    }

    #[test]
    fn namespaces_and_resources_share_no_key() {
        let resources = ["a", "b"].map(|name| ResourceId::of("tests", name));
        let mut seen = BTreeSet::new();
        for namespace in ["a", "a/record", "a/lease", "a/record/x", "b"] {
            let keys = Keys::of(namespace);
            assert!(seen.insert(keys.realm.clone()));
            for resource in &resources {
                assert!(seen.insert(keys.record(resource)));
                assert!(seen.insert(keys.lease(resource)));
            }
        }
    }

    #[test]
    fn a_write_has_one_lease_and_no_other_write_has_it() {
        let holder: HolderId = "a".parse().unwrap();
        let view = View::new(Record::vacant(realm().id), Moment::new(0, 0));
        let swap = |grant, millis| {
            let grant = GrantId::from_random_bits(grant).unwrap();
            let ttl = Ttl::new(core::time::Duration::from_millis(millis)).unwrap();
            Swap::prepare(&view, &Command::Acquire { grant, holder, ttl }).unwrap()
        };
        let (keys, other) = (Keys::of("a"), Keys::of("b"));
        let resources = ["a", "b"].map(|name| ResourceId::of("tests", name));
        let id = keys.lease_id(&resources[0], &swap(1, 1_000));
        assert_eq!(id, keys.lease_id(&resources[0], &swap(1, 1_000)));
        let others = [
            other.lease_id(&resources[0], &swap(1, 1_000)),
            keys.lease_id(&resources[1], &swap(1, 1_000)),
            keys.lease_id(&resources[0], &swap(2, 1_000)),
            keys.lease_id(&resources[0], &swap(1, 1_001)),
        ];
        assert!(others.iter().all(|other| *other != id && *other > 0), "{id} {others:?}");
        let many: BTreeSet<i64> =
            (1..=64).map(|grant| keys.lease_id(&resources[0], &swap(grant, 1_000))).collect();
        assert!(many.len() == 64 && many.first() > Some(&1), "{many:?}");
    }
}

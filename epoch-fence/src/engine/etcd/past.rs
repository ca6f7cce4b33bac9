//! `Past`: what a client remembers of a store, so that it finds one that went back.

use alloc::vec::Vec;

use super::EtcdError;
use crate::RealmId;

/// What was seen of a store until now.
#[derive(Clone, Debug, Default)]
pub(super) struct Past {
    cluster: Option<u64>,
    /// The realms that were, each before the next; the last one is now.
    realms: Vec<RealmId>,
    /// The greatest revision of the last realm.
    revision: u64,
    /// The revision that was seen before, and the one found after it. Until the realm is another one.
    rewound: Option<(u64, u64)>,
}

/// What was known when a request was sent. Only below that an answer is of a store that went back: of two requests at
/// once, the answers may come in either order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    realms: usize,
    revision: u64,
}

impl Past {
    pub(super) fn known(&self) -> Known {
        Known { realms: self.realms.len(), revision: self.revision }
    }

    /// Takes in an answer to a request that was sent when so much was known.
    pub(super) fn learn(
        &mut self,
        known: Known,
        cluster: u64,
        revision: u64,
        realm: Option<RealmId>,
    ) -> Result<(), EtcdError> {
        if *self.cluster.get_or_insert(cluster) != cluster {
            return Err(EtcdError::OtherCluster);
        }
        // Without a realm there is nothing to be had from the store.
        let Some(realm) = realm else { return Ok(()) };
        let place = self.realms.iter().position(|seen| *seen == realm);
        match place {
            // An operator has gone on under a new realm, above everything.
            None => {
                self.realms.push(realm);
                (self.revision, self.rewound) = (revision, None);
                Ok(())
            }
            Some(place) if place.saturating_add(1) < known.realms => {
                // The realm after it was known already when this was asked.
                self.find(known.revision, revision)
            }
            // An answer that was overtaken.
            Some(place) if place.saturating_add(1) < self.realms.len() => Ok(()),
            Some(_) => {
                if known.realms == self.realms.len() && revision < known.revision {
                    return self.find(known.revision, revision);
                }
                self.revision = self.revision.max(revision);
                self.rewound.map_or(Ok(()), |(seen, found)| Err(EtcdError::Rewound { seen, found }))
            }
        }
    }

    fn find(&mut self, seen: u64, found: u64) -> Result<(), EtcdError> {
        let (seen, found) = *self.rewound.get_or_insert((seen, found));
        Err(EtcdError::Rewound { seen, found })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn realm(bits: u128) -> Option<RealmId> {
        RealmId::from_random_bits(bits)
    }

    /// An answer to a request that was sent with all that was known.
    fn now(past: &mut Past, revision: u64, realm: Option<RealmId>) -> bool {
        past.learn(past.known(), 1, revision, realm).is_ok()
    }

    #[test]
    fn a_store_that_went_back_is_refused_until_its_realm_is_another() {
        let mut past = Past::default();
        assert!(now(&mut past, 5, realm(1)) && now(&mut past, 9, realm(1)) && now(&mut past, 9, realm(1)));
        let found = past.learn(past.known(), 1, 8, realm(1)).unwrap_err();
        assert!(matches!(found, EtcdError::Rewound { seen: 9, found: 8 }), "{found}");
        // Nor when it has come by what was seen.
        assert!(!now(&mut past, 9, realm(1)) && !now(&mut past, 100, realm(1)));
        assert!(now(&mut past, 12, realm(2)) && now(&mut past, 13, realm(2)));
        assert!(!now(&mut past, 12, realm(2)));
    }

    #[test]
    fn a_realm_that_was_left_does_not_come_back() {
        let mut past = Past::default();
        assert!(now(&mut past, 5, realm(1)) && now(&mut past, 9, realm(2)));
        assert!(!now(&mut past, 50, realm(1)));
        // And while it is there nothing is granted under the later one either: it is one store.
        assert!(!now(&mut past, 51, realm(2)));
    }

    #[test]
    fn answers_to_requests_that_were_under_way_at_once_may_come_in_any_order() {
        let mut past = Past::default();
        assert!(now(&mut past, 5, realm(1)));
        let early = past.known();
        assert!(now(&mut past, 9, realm(1)));
        assert!(past.learn(early, 1, 6, realm(1)).is_ok());
        assert!(now(&mut past, 12, realm(2)));
        assert!(past.learn(early, 1, 10, realm(1)).is_ok());
        assert!(now(&mut past, 13, realm(2)));
        // Of a realm that was brought to another etcd, whose revisions are lower, an overtaken answer tells nothing.
        let early = past.known();
        assert!(now(&mut past, 3, realm(3)));
        assert!(past.learn(early, 1, 14, realm(2)).is_ok());
        assert!(now(&mut past, 4, realm(3)));
    }

    #[test]
    fn another_cluster_and_a_store_without_a_realm_are_told_apart() {
        let mut past = Past::default();
        assert!(now(&mut past, 5, None) && now(&mut past, 1, None) && now(&mut past, 5, realm(1)));
        let other = past.learn(past.known(), 2, 9, realm(1)).unwrap_err();
        assert!(matches!(other, EtcdError::OtherCluster), "{other}");
        assert!(now(&mut past, 6, realm(1)));
    }
}

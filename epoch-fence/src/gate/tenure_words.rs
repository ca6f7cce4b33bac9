//! The words beside the gate's one: whom it admits now, and the floor.

use super::rule::Tenure;
use crate::sync::{AtomicU64, Ordering, const_fn};
use crate::{Epoch, FencingToken, GrantId, RealmId};

/// A tenure in words of 64 bits: a grant and a realm do not fit one.
///
/// Only the one who installs writes here, and nobody reads a mixture without noticing: the generation in the
/// gate's word has then changed.
#[derive(Debug)]
pub(super) struct TenureWords {
    realm: Halves,
    /// Zero: nobody yet.
    epoch: AtomicU64,
    grant: Halves,
}

impl TenureWords {
    const_fn! {
        pub(super) const fn new(realm: RealmId) -> Self {
            Self { realm: Halves::new(realm.get()), epoch: AtomicU64::new(0), grant: Halves::new(0) }
        }
    }

    pub(super) fn read(&self) -> Tenure {
        // A zero can only be half of one id and half of another, which the caller notices.
        let realm = RealmId::nearest(self.realm.read());
        let epoch = Epoch::new(load(&self.epoch));
        Tenure { realm, admitted: epoch.map(|epoch| (epoch, GrantId::nearest(self.grant.read()))) }
    }

    /// Whether [`read`](Self::read) would be the token's tenure.
    #[inline]
    pub(super) fn are_of(&self, token: &FencingToken) -> bool {
        load(&self.epoch) == token.epoch().get()
            && self.grant.read() == token.grant().get()
            && self.realm.read() == token.realm().get()
    }

    /// For the one who installs.
    pub(super) fn install(&self, epoch: Epoch, grant: GrantId) {
        self.grant.write(grant.get());
        store(&self.epoch, epoch.get());
    }

    /// For the one who installs.
    pub(super) fn adopt(&self, realm: RealmId) {
        store(&self.epoch, 0);
        self.grant.write(0);
        self.realm.write(realm.get());
    }
}

/// A number of 128 bits in two words.
#[derive(Debug)]
struct Halves {
    high: AtomicU64,
    low: AtomicU64,
}

impl Halves {
    const_fn! {
        const fn new(number: u128) -> Self {
            let (high, low) = split(number);
            Self { high: AtomicU64::new(high), low: AtomicU64::new(low) }
        }
    }

    #[inline]
    fn read(&self) -> u128 {
        (u128::from(load(&self.high)) << u64::BITS) | u128::from(load(&self.low))
    }

    fn write(&self, number: u128) {
        let (high, low) = split(number);
        store(&self.high, high);
        store(&self.low, low);
    }
}

#[expect(clippy::cast_possible_truncation, reason = "each half is what is left of the number")]
const fn split(number: u128) -> (u64, u64) {
    ((number >> u64::BITS) as u64, number as u64)
}

#[inline]
fn load(word: &AtomicU64) -> u64 {
    // ORDERING: Acquire. Pairs with `store`, in the hands of the next one who installs. Whoever reads a half of
    // what that one writes also sees its claim, and so, on looking at the gate's word again, a new generation.
    // Weaker: `loom_tests::no_answer_is_made_of_two_tenures` fails.
    word.load(Ordering::Acquire)
}

fn store(word: &AtomicU64, number: u64) {
    // ORDERING: Release. Pairs with `load`, in the hands of one who reads while this is being written; what it
    // shows them is the claim before it.
    // Weaker: `loom_tests::no_answer_is_made_of_two_tenures` fails.
    word.store(number, Ordering::Release);
}

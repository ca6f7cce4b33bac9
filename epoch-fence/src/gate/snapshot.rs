//! What a gate counts: refusals by reason, and what an operator must see.
//!
//! The counts are written on cold paths only, and no guarantee reads them.

use super::rejected::Rejected;
use super::rule::View;
use crate::Epoch;
use crate::sync::{AtomicU64, Ordering, const_fn};

/// What an operator must see of a gate, as plain numbers.
///
/// Each number is read by itself, not all of them at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Snapshot {
    /// The least epoch that the gate admits.
    pub floor: Epoch,
    /// The epoch that the gate admitted last in its realm.
    pub admitted: Option<Epoch>,
    /// Permits that are alive, abandoned ones not counted.
    pub in_flight: u32,
    /// Whether the gate waits for something newer than what it admitted last. With `in_flight` above zero for
    /// longer than any effect should take, a permit leaked or its holder hangs.
    pub closed: bool,
    /// Whether the gate was sealed.
    pub sealed: bool,
    /// Tenures that were installed.
    pub advances: u64,
    /// Tokens refused as [`Stale`](Rejected::Stale). Above zero: the gate did what it is for.
    pub stale: u64,
    /// Tokens refused as [`Conflict`](Rejected::Conflict). Above zero: an issuer is broken or was rewound.
    pub conflict: u64,
    /// Tokens refused as [`WrongResource`](Rejected::WrongResource). Above zero: a caller is misrouted.
    pub wrong_resource: u64,
    /// Tokens refused as [`WrongRealm`](Rejected::WrongRealm). Rising after a recovery: a gate or a holder was
    /// left behind.
    pub wrong_realm: u64,
    /// Tokens refused as [`TooFarAhead`](Rejected::TooFarAhead). Above zero: forgery or rot.
    pub too_far_ahead: u64,
    /// Times that a newer token was told [`Draining`](Rejected::Draining).
    pub draining: u64,
    /// Tokens refused as [`Sealed`](Rejected::Sealed).
    pub refused_sealed: u64,
    /// Tokens refused as [`TooManyPermits`](Rejected::TooManyPermits).
    pub too_many_permits: u64,
    /// Permits that were abandoned. Above zero: the promise was given up by hand.
    pub abandoned: u64,
    /// Invariants of the gate that did not hold. Above zero: a bug here; report it. The gate sealed itself.
    pub impossible: u64,
}

#[derive(Debug)]
pub(super) struct Counters {
    advances: AtomicU64,
    stale: AtomicU64,
    conflict: AtomicU64,
    wrong_resource: AtomicU64,
    wrong_realm: AtomicU64,
    too_far_ahead: AtomicU64,
    draining: AtomicU64,
    refused_sealed: AtomicU64,
    too_many_permits: AtomicU64,
    abandoned: AtomicU64,
    impossible: AtomicU64,
}

impl Counters {
    const_fn! {
        pub(super) const fn new() -> Self {
            Self {
                advances: AtomicU64::new(0),
                stale: AtomicU64::new(0),
                conflict: AtomicU64::new(0),
                wrong_resource: AtomicU64::new(0),
                wrong_realm: AtomicU64::new(0),
                too_far_ahead: AtomicU64::new(0),
                draining: AtomicU64::new(0),
                refused_sealed: AtomicU64::new(0),
                too_many_permits: AtomicU64::new(0),
                abandoned: AtomicU64::new(0),
                impossible: AtomicU64::new(0),
            }
        }
    }

    /// Counts a refusal and hands it on.
    #[cold]
    pub(super) fn refuse(&self, why: Rejected) -> Rejected {
        add(
            match why {
                Rejected::Stale { .. } => &self.stale,
                Rejected::Conflict => &self.conflict,
                Rejected::WrongResource => &self.wrong_resource,
                Rejected::WrongRealm => &self.wrong_realm,
                Rejected::TooFarAhead { .. } => &self.too_far_ahead,
                Rejected::Draining { .. } => &self.draining,
                Rejected::Sealed => &self.refused_sealed,
                Rejected::TooManyPermits { .. } => &self.too_many_permits,
            },
            1,
        );
        why
    }

    pub(super) fn advance(&self) {
        add(&self.advances, 1);
    }

    #[cold]
    pub(super) fn abandon(&self, permits: u32) {
        add(&self.abandoned, permits.into());
    }

    #[cold]
    pub(super) fn impossible(&self) {
        add(&self.impossible, 1);
    }

    pub(super) fn snapshot(&self, view: &View) -> Snapshot {
        // ORDERING: Relaxed. Nothing is published; the numbers are not promised to be of one moment.
        // Nothing weaker exists.
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Snapshot {
            floor: view.floor,
            admitted: view.tenure.admitted.map(|(epoch, _)| epoch),
            in_flight: view.word.in_flight(),
            closed: view.word.is_closed(),
            sealed: view.word.is_sealed(),
            advances: read(&self.advances),
            stale: read(&self.stale),
            conflict: read(&self.conflict),
            wrong_resource: read(&self.wrong_resource),
            wrong_realm: read(&self.wrong_realm),
            too_far_ahead: read(&self.too_far_ahead),
            draining: read(&self.draining),
            refused_sealed: read(&self.refused_sealed),
            too_many_permits: read(&self.too_many_permits),
            abandoned: read(&self.abandoned),
            impossible: read(&self.impossible),
        }
    }
}

fn add(count: &AtomicU64, more: u64) {
    // ORDERING: Relaxed. Nothing is published: a count is read for people, and no guarantee rests on it. That
    // none is lost comes from the one atomic step. A count wraps after 2^64, which is 584 years of one each
    // nanosecond. Nothing weaker exists; `loom_tests::no_refusal_is_lost_from_the_counts` covers the one step.
    count.fetch_add(more, Ordering::Relaxed);
}

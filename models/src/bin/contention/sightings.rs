//! `Sightings`: what happened in a run, counted; and whether it was worth checking.

use alloc::collections::BTreeMap;
use core::fmt;

use crate::evidence::Evidence;
use crate::message::{End, Obstacle};

/// Something that the parent does to a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    HolderPaused,
    HolderPausedPastItsLease,
    HolderKilled,
    HolderStoppedInSwap,
    HolderKilledInSwap,
    HolderPausedInEffect,
    HolderKilledInEffect,
    WallClockStepped,
    ResourcePaused,
    ResourceKilled,
}

impl Fault {
    pub(crate) const ALL: [Self; 10] = [
        Self::HolderPaused,
        Self::HolderPausedPastItsLease,
        Self::HolderKilled,
        Self::HolderStoppedInSwap,
        Self::HolderKilledInSwap,
        Self::HolderPausedInEffect,
        Self::HolderKilledInEffect,
        Self::WallClockStepped,
        Self::ResourcePaused,
        Self::ResourceKilled,
    ];
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HolderPaused => "a holder paused",
            Self::HolderPausedPastItsLease => "a holder paused past its lease",
            Self::HolderKilled => "a holder killed",
            Self::HolderStoppedInSwap => "a holder stopped in a swap",
            Self::HolderKilledInSwap => "a holder killed in a swap",
            Self::HolderPausedInEffect => "a holder paused with an effect under way",
            Self::HolderKilledInEffect => "a holder killed with an effect under way",
            Self::WallClockStepped => "a wall clock stepped",
            Self::ResourcePaused => "the resource paused",
            Self::ResourceKilled => "the resource killed",
        })
    }
}

/// What happened in a run, counted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sightings {
    pub(crate) faults: BTreeMap<Fault, u64>,
    pub(crate) obstacles: BTreeMap<Obstacle, u64>,
    pub(crate) ends: BTreeMap<End, u64>,
    pub(crate) renewed: u64,
    pub(crate) lost: u64,
    /// Renewals that met a process in the midst of a write.
    pub(crate) busy: u64,
    pub(crate) stale: u64,
    pub(crate) draining: u64,
    pub(crate) unanswered: u64,
    /// Effects that were acknowledged after the last fault.
    pub(crate) after_faults: u64,
}

/// Counts one more.
pub(crate) fn count<K: Ord>(counts: &mut BTreeMap<K, u64>, what: K) {
    let count = counts.entry(what).or_insert(0);
    *count = count.saturating_add(1);
}

impl Sightings {
    /// Counts a fault, which is the last one until the next.
    pub(crate) fn fault(&mut self, fault: Fault) {
        count(&mut self.faults, fault);
        self.after_faults = 0;
    }

    /// What a run must have seen for its silence to mean anything, and has not.
    ///
    /// Of a run without the gate the gate's own answers are none that could be missed: it is broken or empty anyway.
    pub(crate) fn unseen(&self, evidence: &Evidence) -> Vec<String> {
        let takeovers = evidence.takeovers();
        let busy = self.obstacles.get(&Obstacle::Busy).copied().unwrap_or(0);
        let lost = self.ends.get(&End::AlreadyLost).copied().unwrap_or(0);
        let needed = [
            ("a takeover after expiry", takeovers.after_expiry),
            ("a takeover after death", takeovers.after_death),
            ("a takeover of a reserved resource", takeovers.of_a_reserved_resource),
            ("a stale token refused", self.stale),
            ("a newer token that had to wait for the drain", self.draining),
            ("a holder in the way with a swap", busy.saturating_add(self.busy)),
            ("a renewal", self.renewed),
            ("a lease lost", self.lost.saturating_add(lost)),
            ("an effect after the last fault", self.after_faults),
        ];
        let faults = Fault::ALL.iter().filter(|fault| !self.faults.contains_key(fault));
        let events = needed.into_iter().filter(|(_, seen)| *seen == 0).map(|(name, _)| name.to_owned());
        events.chain(faults.map(ToString::to_string)).collect()
    }
}

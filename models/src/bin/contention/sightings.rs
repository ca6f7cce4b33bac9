//! `Sightings`: what happened in a run, counted; and whether it was worth checking.

use alloc::collections::BTreeMap;
use core::fmt;

use crate::availability::Availability;
use crate::cast::Kind;
use crate::evidence::Evidence;
use crate::message::{Attempt, End, Obstacle, Outcome};

/// Something that the parent does to a process, or to what connects them.
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
    ServerPaused,
    ServerKilled,
    MemberPaused,
    MemberKilled,
    QuorumLost,
    ConnectionsCut,
    ConnectionsRefused,
    MessagesDelayed,
    RequestsDropped,
    RequestsDeliveredLate,
    RepliesDropped,
}

impl Fault {
    /// Those that happen to holders and the resource, whatever the store is.
    const COMMON: [Self; 9] = [
        Self::HolderPaused,
        Self::HolderPausedPastItsLease,
        Self::HolderKilled,
        Self::HolderStoppedInSwap,
        Self::HolderKilledInSwap,
        Self::HolderPausedInEffect,
        Self::HolderKilledInEffect,
        Self::ResourcePaused,
        Self::ResourceKilled,
    ];

    /// Those that happen to the store and on the way to it.
    pub(crate) const fn of_servers(kind: Kind) -> &'static [Self] {
        match kind {
            Kind::File => &[],
            Kind::Postgres => &[
                Self::ServerPaused,
                Self::ServerKilled,
                Self::ConnectionsCut,
                Self::ConnectionsRefused,
                Self::MessagesDelayed,
                Self::RequestsDropped,
                Self::RequestsDeliveredLate,
                Self::RepliesDropped,
            ],
            Kind::Etcd => &[
                Self::MemberPaused,
                Self::MemberKilled,
                Self::QuorumLost,
                Self::ConnectionsCut,
                Self::ConnectionsRefused,
                Self::MessagesDelayed,
                Self::RequestsDropped,
                Self::RequestsDeliveredLate,
                Self::RepliesDropped,
            ],
        }
    }

    /// All that a run with this store must see.
    pub(crate) fn of(kind: Kind) -> Vec<Self> {
        let clock: &[Self] = if kind == Kind::File { &[Self::WallClockStepped] } else { &[] };
        [&Self::COMMON[..], clock, Self::of_servers(kind)].concat()
    }
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
            Self::ServerPaused => "the server paused",
            Self::ServerKilled => "the server killed",
            Self::MemberPaused => "a member paused",
            Self::MemberKilled => "a member killed",
            Self::QuorumLost => "two members of three stopped",
            Self::ConnectionsCut => "connections cut",
            Self::ConnectionsRefused => "connections cut and refused",
            Self::MessagesDelayed => "requests and replies delayed",
            Self::RequestsDropped => "requests dropped",
            Self::RequestsDeliveredLate => "requests held, and delivered late",
            Self::RepliesDropped => "replies dropped",
        })
    }
}

/// What happened in a run, counted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sightings {
    pub(crate) faults: BTreeMap<Fault, u64>,
    pub(crate) obstacles: BTreeMap<Obstacle, u64>,
    pub(crate) ends: BTreeMap<End, u64>,
    /// What nobody knew the end of.
    pub(crate) unknown: BTreeMap<Attempt, u64>,
    /// What became of the acquires among them.
    pub(crate) resolved: BTreeMap<&'static str, u64>,
    pub(crate) renewed: u64,
    pub(crate) lost: u64,
    /// Renewals that did nothing.
    pub(crate) not_renewed: u64,
    pub(crate) stale: u64,
    pub(crate) draining: u64,
    pub(crate) unanswered: u64,
    /// Effects that were acknowledged after the last fault.
    pub(crate) after_faults: u64,
    pub(crate) availability: Availability,
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

    pub(crate) fn resolved(&mut self, outcome: Outcome) {
        count(
            &mut self.resolved,
            match outcome {
                Outcome::Granted => "granted",
                Outcome::NotGranted(_) => "not granted, for ever",
                Outcome::Superseded => "superseded",
                Outcome::Overtaken => "overtaken when tried again",
            },
        );
    }

    /// What a run must have seen for its silence to mean anything, and has not.
    ///
    /// Of a run without the gate the gate's own answers are none that could be missed: it is broken or empty anyway.
    pub(crate) fn unseen(&self, kind: Kind, evidence: &Evidence) -> Vec<String> {
        let of = |what| self.obstacles.get(&what).copied().unwrap_or(0);
        let ended = |end| self.ends.get(&end).copied().unwrap_or(0);
        let mut needed = vec![
            ("a stale token refused", self.stale),
            ("a newer token that had to wait for the drain", self.draining),
            ("a renewal", self.renewed),
            ("a lease lost", self.lost.saturating_add(ended(End::AlreadyLost))),
            ("an effect after the last fault", self.after_faults),
        ];
        if let Some(log) = &evidence.log {
            let takeovers = log.takeovers();
            needed.extend([
                ("a takeover after expiry", takeovers.after_expiry),
                ("a takeover after death", takeovers.after_death),
                ("a takeover of a reserved resource", takeovers.of_a_reserved_resource),
                ("a holder in the way with a swap", of(Obstacle::Busy).saturating_add(self.not_renewed)),
            ]);
        }
        if kind.is_server() {
            let unknown = self.unknown.get(&Attempt::Acquire).copied().unwrap_or(0);
            let resolved = |how| self.resolved.get(how).copied().unwrap_or(0);
            needed.extend([
                ("a hand-over", ended(End::HandedOver)),
                ("a store that could not be reached", of(Obstacle::Unreachable)),
                ("an acquire of which nobody knew", unknown),
                ("one of them that had landed", resolved("granted").saturating_add(resolved("superseded"))),
                ("one of them that never will", resolved("not granted, for ever")),
                ("an outage", u64::try_from(evidence.outages.len()).unwrap_or(u64::MAX)),
            ]);
        }
        let faults = Fault::of(kind).into_iter().filter(|fault| !self.faults.contains_key(fault));
        let events = needed.into_iter().filter(|(_, seen)| *seen == 0).map(|(name, _)| name.to_owned());
        events.chain(faults.map(|fault| fault.to_string())).collect()
    }
}

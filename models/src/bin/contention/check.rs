//! The checker: which promises did not hold, by what is left of a run. A pure function.

use alloc::collections::{BTreeMap, BTreeSet};
use core::fmt;

use epoch_fence::{Epoch, GrantId};

use crate::evidence::Evidence;
use crate::journal::Note;
use crate::message::Effect;

/// Something that must never happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Violation {
    /// An effect came after one of a newer epoch.
    Stale { effect: Effect, newer: Epoch },
    /// An effect began while another one was under way.
    Overlap { effect: Effect, under_way: Effect },
    /// An effect read what no single effect wrote, or not what the last one did; or it did not write the next.
    Torn { effect: Effect, read: [u64; 2], wrote: u64, last: u64 },
    /// An effect was done that had not begun, or whose process is gone.
    NotBegun(Effect),
    /// An effect was done twice.
    Twice(Effect),
    /// An effect that was acknowledged is not in the journal, or not with that value.
    Lost { effect: Effect, value: u64 },
    /// One epoch has two grants.
    GrantedTwice { epoch: Epoch, grants: [GrantId; 2] },
    /// In the log an epoch follows that is not above the one before.
    NotRising { epoch: Epoch, before: Epoch },
    /// A grant that a holder had, or under which something was done, is not in the log.
    NotLogged { epoch: Epoch, grant: GrantId },
    /// The engine finds the log not to be as it was written.
    Log(String),
    /// A head that was noted is none of the log's.
    HeadGone(String),
    /// The gate gave a reason that no correct issuer causes.
    Wrong { effect: Effect, why: String },
}

/// A promise, by its name in the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Promise {
    Fenced,
    Whole,
    Once,
    Durable,
    Unique,
    Logged,
    Evidence,
    NoConflict,
}

impl Promise {
    pub(crate) const ALL: [Self; 8] = [
        Self::Fenced,
        Self::Whole,
        Self::Once,
        Self::Durable,
        Self::Unique,
        Self::Logged,
        Self::Evidence,
        Self::NoConflict,
    ];
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fenced => "Fenced: no effect after one of a newer epoch",
            Self::Whole => "Whole: no effect torn by another, none beside another",
            Self::Once => "Once: no effect done twice",
            Self::Durable => "Durable: no acknowledged effect lost",
            Self::Unique => "Unique: no epoch granted twice, and epochs rise",
            Self::Logged => "Logged: every grant is in the audit log",
            Self::Evidence => "Evidence: the audit log verifies, with every head that was noted",
            Self::NoConflict => "No conflict: the gate never saw two grants under one epoch",
        })
    }
}

impl Violation {
    pub(crate) const fn of(&self) -> Promise {
        match self {
            Self::Stale { .. } => Promise::Fenced,
            Self::Overlap { .. } | Self::Torn { .. } | Self::NotBegun(_) => Promise::Whole,
            Self::Twice(_) => Promise::Once,
            Self::Lost { .. } => Promise::Durable,
            Self::GrantedTwice { .. } | Self::NotRising { .. } => Promise::Unique,
            Self::NotLogged { .. } => Promise::Logged,
            Self::Log(_) | Self::HeadGone(_) => Promise::Evidence,
            Self::Wrong { .. } => Promise::NoConflict,
        }
    }
}

/// What the checker found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdict(pub(crate) Vec<Violation>);

impl Verdict {
    pub(crate) const fn held(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn against(&self, promise: Promise) -> impl Iterator<Item = &Violation> {
        self.0.iter().filter(move |violation| violation.of() == promise)
    }
}

/// Finds every violation.
pub(crate) fn check(evidence: &Evidence) -> Verdict {
    let mut found = Vec::new();
    let done = effects(&evidence.journal, &mut found);
    for (effect, value) in &evidence.acknowledged {
        if done.get(effect) != Some(value) {
            found.push(Violation::Lost { effect: *effect, value: *value });
        }
    }
    grants(evidence, &mut found);
    found.extend(evidence.log_fault.iter().cloned().map(Violation::Log));
    let heads: BTreeSet<_> = evidence.log.iter().map(|write| write.head.to_bytes()).collect();
    for head in &evidence.noted {
        if !heads.contains(&head.to_bytes()) {
            found.push(Violation::HeadGone(head.to_string()));
        }
    }
    let wrong = evidence.wrong.iter();
    found.extend(wrong.map(|(effect, why)| Violation::Wrong { effect: *effect, why: why.clone() }));
    Verdict(found)
}

/// Goes through the journal, and returns what was done.
fn effects(journal: &[Note], found: &mut Vec<Violation>) -> BTreeMap<Effect, u64> {
    let mut done = BTreeMap::new();
    let mut under_way: Vec<Effect> = Vec::new();
    let mut newest: Option<Epoch> = None;
    let mut last = 0_u64;
    for note in journal {
        match *note {
            // What was under way went with its process: the register is as the last one that was done left it.
            Note::Opened => under_way.clear(),
            Note::Begun(effect) => {
                if let Some(newer) = newest.filter(|newest| *newest > effect.epoch) {
                    found.push(Violation::Stale { effect, newer });
                }
                newest = newest.max(Some(effect.epoch));
                if let Some(other) = under_way.first() {
                    found.push(Violation::Overlap { effect, under_way: *other });
                }
                under_way.push(effect);
            }
            Note::Done { effect, read, wrote } => {
                match under_way.iter().position(|begun| *begun == effect) {
                    Some(at) => drop(under_way.remove(at)),
                    None => found.push(Violation::NotBegun(effect)),
                }
                if read != [last; 2] || wrote != last.saturating_add(1) {
                    found.push(Violation::Torn { effect, read, wrote, last });
                }
                last = wrote;
                if done.insert(effect, wrote).is_some() {
                    found.push(Violation::Twice(effect));
                }
            }
        }
    }
    done
}

/// Goes through every grant that anybody knows of.
fn grants(evidence: &Evidence, found: &mut Vec<Violation>) {
    let mut before: Option<Epoch> = None;
    let mut logged: BTreeMap<Epoch, GrantId> = BTreeMap::new();
    for (epoch, grant) in evidence.log.iter().filter_map(|write| write.granted()) {
        if let Some(before) = before.filter(|before| *before >= epoch) {
            found.push(Violation::NotRising { epoch, before });
        }
        before = before.max(Some(epoch));
        if let Some(other) = logged.insert(epoch, grant).filter(|other| *other != grant) {
            found.push(Violation::GrantedTwice { epoch, grants: [other, grant] });
        }
    }
    let told = evidence.granted.iter().map(|(_, token)| (token.epoch(), token.grant()));
    let acted = evidence.journal.iter().filter_map(|note| match note {
        Note::Begun(effect) | Note::Done { effect, .. } => Some((effect.epoch, effect.grant)),
        Note::Opened => None,
    });
    for (epoch, grant) in told.chain(acted).collect::<BTreeSet<_>>() {
        match logged.get(&epoch) {
            Some(known) if *known == grant => {}
            Some(known) => found.push(Violation::GrantedTwice { epoch, grants: [*known, grant] }),
            None => found.push(Violation::NotLogged { epoch, grant }),
        }
    }
}

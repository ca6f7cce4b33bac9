//! The checker: which promises did not hold, by what is left of a run. A pure function.

use alloc::collections::{BTreeMap, BTreeSet};
use core::time::Duration;

use epoch_fence::{Epoch, GrantId};

use crate::evidence::{AuditLog, Evidence, Sample};
use crate::journal::Note;
use crate::message::Effect;

#[cfg(test)]
mod tests;
mod violation;

pub(crate) use violation::{Promise, Verdict, Violation};

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
    order(evidence, &mut found);
    samples(&evidence.samples, &mut found);
    if let Some(log) = &evidence.log {
        heads(log, &mut found);
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
    let mut known: BTreeMap<Epoch, GrantId> = BTreeMap::new();
    let writes = evidence.log.iter().flat_map(|log| &log.writes);
    for (epoch, grant) in writes.filter_map(|write| write.granted()) {
        if let Some(before) = before.filter(|before| *before >= epoch) {
            found.push(Violation::NotRising { epoch, before });
        }
        before = before.max(Some(epoch));
        if let Some(other) = known.insert(epoch, grant).filter(|other| *other != grant) {
            found.push(Violation::GrantedTwice { epoch, grants: [other, grant] });
        }
    }
    let told = evidence.granted.iter().map(|(_, grant)| (grant.token.epoch(), grant.token.grant()));
    let acted = evidence.journal.iter().filter_map(|note| match note {
        Note::Begun(effect) | Note::Done { effect, .. } => Some((effect.epoch, effect.grant)),
        Note::Opened => None,
    });
    let read = evidence.samples.iter().filter_map(|sample| Some((sample.epoch?, sample.grant?)));
    for (epoch, grant) in told.chain(acted).chain(read).collect::<BTreeSet<_>>() {
        match known.get(&epoch) {
            Some(known) if *known == grant => {}
            Some(known) => found.push(Violation::GrantedTwice { epoch, grants: [*known, grant] }),
            None if evidence.log.is_some() => found.push(Violation::NotLogged { epoch, grant }),
            None => drop(known.insert(epoch, grant)),
        }
    }
    let mut epochs: BTreeMap<GrantId, Epoch> = BTreeMap::new();
    for (epoch, grant) in known {
        if evidence.never.contains(&grant) {
            found.push(Violation::LandedLate { epoch, grant });
        }
        if let Some(other) = epochs.insert(grant, epoch) {
            found.push(Violation::TwoEpochs { grant, epochs: [other, epoch] });
        }
    }
}

/// Compares when grants were asked for with when others were known, and with when there was nobody to grant any.
fn order(evidence: &Evidence, found: &mut Vec<Violation>) {
    // By the moment at which it was known, the greatest epoch until then.
    let mut greatest: BTreeMap<Duration, Epoch> = BTreeMap::new();
    let mut heard: Vec<_> =
        evidence.granted.iter().map(|(_, grant)| (grant.heard, grant.token.epoch())).collect();
    heard.sort();
    let mut newest = None;
    for (moment, epoch) in heard {
        newest = newest.max(Some(epoch));
        greatest.extend(newest.map(|newest| (moment, newest)));
    }
    for (_, grant) in &evidence.granted {
        let epoch = grant.token.epoch();
        if let Some((_, known)) = greatest.range(..grant.asked).next_back()
            && *known >= epoch
        {
            found.push(Violation::OutOfOrder { epoch, known: *known });
        }
        if evidence.outages.iter().any(|(from, to)| *from <= grant.asked && grant.heard <= *to) {
            found.push(Violation::FromNowhere(epoch));
        }
    }
}

/// Compares each look at the record with the one before.
fn samples(samples: &[Sample], found: &mut Vec<Violation>) {
    for (before, after) in samples.iter().zip(samples.iter().skip(1)) {
        let fell = after.version < before.version || after.epoch < before.epoch;
        if fell || (after.version == before.version && after != before) {
            found.push(Violation::WentBack { before: *before, after: *after });
        }
    }
}

/// Looks for what is wrong with the log itself, and for the heads that were noted.
fn heads(log: &AuditLog, found: &mut Vec<Violation>) {
    found.extend(log.fault.iter().cloned().map(Violation::Log));
    let heads: BTreeSet<_> = log.writes.iter().map(|write| write.head.to_bytes()).collect();
    for head in &log.noted {
        if !heads.contains(&head.to_bytes()) {
            found.push(Violation::HeadGone(head.to_string()));
        }
    }
}

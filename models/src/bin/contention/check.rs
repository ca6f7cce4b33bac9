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

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stale { effect, newer } => write!(f, "{effect}, after one of epoch {newer}"),
            Self::Overlap { effect, under_way } => write!(f, "{effect}, during {under_way}"),
            Self::Torn { effect, read: [low, high], wrote, last } => {
                write!(f, "{effect}, read {low} and {high} and wrote {wrote}, after {last}")
            }
            Self::NotBegun(effect) => write!(f, "{effect}, done and not begun"),
            Self::Twice(effect) => write!(f, "{effect}, done twice"),
            Self::Lost { effect, value } => write!(f, "{effect}, acknowledged as {value}"),
            Self::GrantedTwice { epoch, grants: [one, other] } => {
                write!(f, "epoch {epoch}, granted as {one} and as {other}")
            }
            Self::NotRising { epoch, before } => write!(f, "epoch {epoch}, granted after {before}"),
            Self::NotLogged { epoch, grant } => write!(f, "epoch {epoch}, granted as {grant}"),
            Self::Log(why) => f.write_str(why),
            Self::HeadGone(head) => write!(f, "head {head}"),
            Self::Wrong { effect, why } => write!(f, "{effect}: {why}"),
        }
    }
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

#[cfg(test)]
mod tests {
    use epoch_fence::audit::LogHead;
    use epoch_fence::protocol::{Action, Moment, Tenure};
    use epoch_fence::{FencingToken, RealmId};

    use super::*;
    use crate::cast;
    use crate::evidence::{Logged, Takeovers};
    use crate::message::Who;

    fn epoch(number: u64) -> Epoch {
        Epoch::new(number).unwrap()
    }

    fn grant(bits: u128) -> GrantId {
        GrantId::from_random_bits(bits).unwrap()
    }

    fn head(number: u8) -> LogHead {
        LogHead::from_bytes([number; LogHead::BYTES])
    }

    /// The only effect of an epoch, under the grant of the same number.
    fn effect(number: u64) -> Effect {
        let who = Who { holder: 0, life: 1 };
        Effect { epoch: epoch(number), grant: grant(number.into()), who, number: 1 }
    }

    fn begun(number: u64) -> Note {
        Note::Begun(effect(number))
    }

    fn done(number: u64, value: u64) -> Note {
        Note::Done { effect: effect(number), read: [value.saturating_sub(1); 2], wrote: value }
    }

    fn acquired(number: u64, bits: u128, expiry_millis: u64) -> Logged {
        let expiry = Moment::new(1, expiry_millis.saturating_mul(1_000_000));
        let tenure = Tenure::Held { grant: grant(bits), holder: cast::holder_id(0).unwrap(), expiry };
        let head = head(u8::try_from(number).unwrap());
        Logged { action: Action::Acquire, epoch: Some(epoch(number)), tenure, head }
    }

    /// Three tenures with an effect each; the resource was killed during the second one's first try.
    fn sound() -> Evidence {
        let realm = RealmId::from_random_bits(1).unwrap();
        let token =
            |number: u64| FencingToken::new(realm, cast::resource(), epoch(number), grant(number.into()));
        Evidence {
            log: vec![acquired(1, 1, 600), acquired(2, 2, 1_300), acquired(3, 3, 1_400)],
            log_fault: None,
            noted: vec![head(1), head(3)],
            journal: vec![
                Note::Opened,
                begun(1),
                done(1, 1),
                Note::Begun(Effect { number: 7, ..effect(2) }),
                Note::Opened,
                begun(2),
                done(2, 2),
                begun(3),
                done(3, 3),
            ],
            granted: vec![(effect(1).who, token(1)), (effect(2).who, token(2)), (effect(3).who, token(3))],
            acknowledged: vec![(effect(1), 1), (effect(3), 3)],
            wrong: Vec::new(),
        }
    }

    /// What is found when the sound history is spoiled.
    fn found(spoil: impl FnOnce(&mut Evidence)) -> Vec<Violation> {
        let mut evidence = sound();
        spoil(&mut evidence);
        check(&evidence).0
    }

    #[test]
    fn a_sound_history_is_sound_also_where_the_resource_was_killed_in_an_effect() {
        assert_eq!(check(&sound()), Verdict::default());
        assert!(check(&sound()).held());
    }

    #[test]
    fn an_effect_after_one_of_a_newer_epoch_is_found() {
        let late = Effect { number: 2, ..effect(2) };
        let stale = found(|evidence| {
            evidence.journal.extend([Note::Begun(late), Note::Done { effect: late, read: [3; 2], wrote: 4 }]);
        });
        assert_eq!(stale, [Violation::Stale { effect: late, newer: epoch(3) }]);
    }

    #[test]
    fn an_effect_beside_another_is_found_and_so_is_the_update_that_it_loses() {
        let beside = found(|evidence| {
            evidence.journal.truncate(5);
            evidence.journal.extend([begun(2), begun(3), done(2, 2), done(3, 2)]);
            evidence.acknowledged.clear();
        });
        let torn = Violation::Torn { effect: effect(3), read: [1; 2], wrote: 2, last: 2 };
        assert_eq!(beside, [Violation::Overlap { effect: effect(3), under_way: effect(2) }, torn]);
    }

    #[test]
    fn a_register_that_was_half_written_is_found() {
        let torn = found(|evidence| {
            evidence.journal[8] = Note::Done { effect: effect(3), read: [2, 1], wrote: 3 };
        });
        assert_eq!(torn, [Violation::Torn { effect: effect(3), read: [2, 1], wrote: 3, last: 2 }]);
        let wild = found(|evidence| {
            evidence.journal[8] = Note::Done { effect: effect(3), read: [2, 2], wrote: 9 };
            evidence.acknowledged.clear();
        });
        assert_eq!(wild, [Violation::Torn { effect: effect(3), read: [2, 2], wrote: 9, last: 2 }]);
    }

    #[test]
    fn an_effect_that_outlives_its_process_or_comes_from_nowhere_is_found() {
        let outlived = found(|evidence| evidence.journal.insert(8, Note::Opened));
        assert_eq!(outlived, [Violation::NotBegun(effect(3))]);
    }

    #[test]
    fn an_effect_that_is_done_twice_is_found() {
        let twice = found(|evidence| evidence.journal.extend([begun(3), done(3, 4)]));
        assert!(twice.contains(&Violation::Twice(effect(3))), "{twice:?}");
    }

    #[test]
    fn an_acknowledged_effect_that_is_gone_or_has_another_value_is_found() {
        let gone = found(|evidence| evidence.journal.truncate(8));
        assert_eq!(gone, [Violation::Lost { effect: effect(3), value: 3 }]);
        let other = found(|evidence| evidence.acknowledged[0].1 = 8);
        assert_eq!(other, [Violation::Lost { effect: effect(1), value: 8 }]);
    }

    #[test]
    fn an_epoch_with_two_grants_is_found_wherever_they_are_known_from() {
        let twice = |epoch_number: u64, one, other| Violation::GrantedTwice {
            epoch: epoch(epoch_number),
            grants: [grant(one), grant(other)],
        };
        let logged = found(|evidence| evidence.log.push(acquired(3, 9, 1_500)));
        assert!(logged.contains(&twice(3, 3, 9)), "{logged:?}");
        let told = found(|evidence| {
            let (who, token) = evidence.granted[1];
            let other = FencingToken::new(token.realm(), token.resource(), token.epoch(), grant(9));
            evidence.granted.push((who, other));
        });
        assert_eq!(told, [twice(2, 2, 9)]);
        let acted = found(|evidence| {
            evidence.journal[3] = Note::Begun(Effect { grant: grant(9), ..effect(2) });
        });
        assert_eq!(acted, [twice(2, 2, 9)]);
    }

    #[test]
    fn epochs_that_do_not_rise_in_the_log_are_found() {
        let fallen = found(|evidence| evidence.log.swap(1, 2));
        assert_eq!(fallen, [Violation::NotRising { epoch: epoch(2), before: epoch(3) }]);
    }

    #[test]
    fn a_grant_that_is_not_in_the_log_is_found() {
        let missing = found(|evidence| evidence.log.retain(|write| write.epoch != Some(epoch(2))));
        assert_eq!(missing, [Violation::NotLogged { epoch: epoch(2), grant: grant(2) }]);
    }

    #[test]
    fn a_log_that_does_not_verify_or_lacks_a_noted_head_is_found() {
        let fault = found(|evidence| evidence.log_fault = Some("cut".to_owned()));
        assert_eq!(fault, [Violation::Log("cut".to_owned())]);
        let gone = found(|evidence| evidence.noted.push(head(9)));
        assert_eq!(gone, [Violation::HeadGone(head(9).to_string())]);
    }

    #[test]
    fn a_refusal_that_no_correct_issuer_causes_is_found() {
        let wrong = found(|evidence| evidence.wrong.push((effect(2), "conflict".to_owned())));
        assert_eq!(wrong, [Violation::Wrong { effect: effect(2), why: "conflict".to_owned() }]);
    }

    #[test]
    fn who_came_after_the_expiry_and_who_before_it_is_told_apart() {
        let free = Logged { action: Action::Release, tenure: Tenure::Free, ..acquired(3, 3, 0) };
        let mut evidence = sound();
        evidence.log.extend([free, acquired(4, 4, 2_000)]);
        let expected =
            Takeovers { of_a_free_resource: 2, of_a_reserved_resource: 0, after_expiry: 1, after_death: 1 };
        assert_eq!(evidence.takeovers(), expected);
    }
}

//! The verdict: which guarantees held, by what is known when the play is over. A pure function.

use core::time::Duration;

use epoch_fence::protocol::Action;

use super::cast::{self, Answer, Applied};
use super::play::{BY_THE_NEXT, Facts, IN_TIME, TOO_LATE};
use crate::scene::check::Check;

/// Checks everything.
pub(crate) fn checks(facts: &Facts) -> Vec<Check> {
    let (first, second) = (facts.first, facts.second);
    let [in_time, by_the_next, too_late] = &facts.answers;
    let applied =
        |text: &str, token: epoch_fence::FencingToken| Applied { epoch: token.epoch(), text: text.into() };
    let grants: Vec<_> = facts
        .log
        .writes
        .iter()
        .filter(|write| write.action == Action::Acquire)
        .filter_map(|write| write.token)
        .collect();
    let next = facts.log.writes.get(1);
    let in_the_open = facts.report.in_the_open.last().map_or("nothing", |write| &write.text);
    vec![
        Check {
            name: "Next epoch",
            held: first.realm() == second.realm() && first.epoch().checked_next() == Some(second.epoch()),
            found: format!("epoch {} was followed by epoch {}", first.epoch(), second.epoch()),
        },
        Check {
            name: "Expiry decides",
            // It was alive, so that nothing but the end of its lease could let another one in.
            held: next.is_some_and(|next| next.action == Action::Acquire && next.early_by.is_zero())
                && facts.stopped > cast::TTL,
            found: format!(
                "the first holder was stopped for {} ms, and the second came {}",
                facts.stopped.as_millis(),
                match next.map(|next| next.early_by) {
                    Some(Duration::ZERO) => "when the lease was over".to_owned(),
                    Some(early) => format!("{} us before the end of the lease", early.as_micros()),
                    None => "never".to_owned(),
                }
            ),
        },
        Check {
            name: "Fenced",
            held: facts.report.behind_the_gate == [applied(IN_TIME, first), applied(BY_THE_NEXT, second)],
            found: format!(
                "behind the gate: {}",
                facts.report.behind_the_gate.iter().map(|write| &*write.text).collect::<Vec<_>>().join("; ")
            ),
        },
        Check {
            name: "Refused and counted",
            held: *in_time == Answer::Applied
                && *by_the_next == Answer::Applied
                && *too_late == Answer::Stale { floor: second.epoch() }
                && facts.report.stale == 1,
            found: format!("the late write was {too_late}; {} counted", facts.report.stale),
        },
        Check {
            name: "Logged",
            held: facts.log.verified.is_ok() && grants == [first, second],
            found: match &facts.log.verified {
                Ok(_) => format!("the audit log verifies, and has {} grants", grants.len()),
                Err(why) => why.clone(),
            },
        },
        Check {
            name: "Worth showing",
            held: in_the_open == TOO_LATE && !facts.left.is_zero() && facts.lost,
            found: format!(
                "it had seen {} ms of its lease left; without a gate the last write is that of the {in_the_open}",
                facts.left.as_millis()
            ),
        },
    ]
}

#[cfg(test)]
mod tests {
    use epoch_fence::{Epoch, FencingToken, GrantId, RealmId};

    use super::*;
    use crate::scene::fence::{
        cast::ResourceReport,
        play::{Log, Logged},
    };

    /// Takes one thing that must hold away.
    type Spoil = fn(&mut Facts);

    fn token(epoch: u64, realm: u128) -> FencingToken {
        let (realm, grant) = (RealmId::from_random_bits(realm), GrantId::from_random_bits(epoch.into()));
        FencingToken::new(realm.unwrap(), cast::ledger(), Epoch::new(epoch).unwrap(), grant.unwrap())
    }

    /// What a run shows in which everything holds.
    fn sound() -> Facts {
        let (first, second) = (token(1, 7), token(2, 7));
        let applied =
            |text: &str, epoch: u64| Applied { epoch: Epoch::new(epoch).unwrap(), text: text.into() };
        let behind_the_gate = vec![applied(IN_TIME, 1), applied(BY_THE_NEXT, 2)];
        let in_the_open = [behind_the_gate.clone(), vec![applied(TOO_LATE, 1)]].concat();
        let logged = |token| Logged { action: Action::Acquire, token: Some(token), early_by: Duration::ZERO };
        Facts {
            first,
            second,
            left: Duration::from_millis(700),
            stopped: cast::TTL.saturating_add(Duration::from_nanos(1)),
            answers: [Answer::Applied, Answer::Applied, Answer::Stale { floor: second.epoch() }],
            lost: true,
            report: ResourceReport { behind_the_gate, in_the_open, stale: 1 },
            log: Log { writes: vec![logged(first), logged(second)], verified: Ok(String::new()) },
        }
    }

    #[test]
    fn a_sound_run_passes_every_check() {
        assert!(checks(&sound()).iter().all(|check| check.held), "{:?}", checks(&sound()));
    }

    #[test]
    fn each_check_bites_on_the_one_thing_it_is_for() {
        const RELEASE: Logged = Logged { action: Action::Release, token: None, early_by: Duration::ZERO };
        let spoils: [(&str, Spoil); 15] = [
            ("Next epoch", |facts| {
                facts.first = FencingToken::new(
                    token(1, 8).realm(),
                    cast::ledger(),
                    facts.first.epoch(),
                    facts.first.grant(),
                )
            }),
            ("Expiry decides", |facts| facts.log.writes[1].early_by = Duration::from_nanos(1)),
            ("Expiry decides", |facts| facts.log.writes.insert(1, RELEASE)),
            ("Expiry decides", |facts| facts.stopped = cast::TTL),
            ("Fenced", |facts| facts.report.behind_the_gate.push(facts.report.in_the_open[2].clone())),
            ("Fenced", |facts| facts.report.behind_the_gate.swap(0, 1)),
            ("Fenced", |facts| facts.report.behind_the_gate.truncate(1)),
            ("Refused and counted", |facts| facts.answers[2] = Answer::Applied),
            ("Refused and counted", |facts| facts.answers[2] = Answer::Stale { floor: Epoch::FIRST }),
            ("Refused and counted", |facts| facts.answers[1] = Answer::Refused(String::new())),
            ("Refused and counted", |facts| facts.report.stale = 0),
            ("Logged", |facts| facts.log.verified = Err("cut".to_owned())),
            ("Worth showing", |facts| facts.report.in_the_open.truncate(2)),
            ("Worth showing", |facts| facts.left = Duration::ZERO),
            ("Worth showing", |facts| facts.lost = false),
        ];
        for (name, spoil) in spoils {
            let mut facts = sound();
            spoil(&mut facts);
            let broken: Vec<_> =
                checks(&facts).into_iter().filter(|check| !check.held).map(|check| check.name).collect();
            // Both hold the first token against what was granted under it.
            let also = if name == "Next epoch" { &["Next epoch", "Logged"][..] } else { &[name] };
            assert_eq!(broken, also);
        }
    }
}

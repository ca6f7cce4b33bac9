//! `Verdict`: what the testimony amounts to, and whether every guarantee held.

use alloc::collections::BTreeMap;
use core::time::Duration;

use super::{
    attack::Attacks,
    causality::{Causality, Delivery, Pairs, Steps, Time},
    event::Event,
    fleet::Testimony,
    refusal::{Refusal, Refusals},
};
use crate::{failure::Failure, scene::check::Check};

/// What the testimony amounts to.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) delivery: Delivery,
    pub(crate) steps: Steps,
    pub(crate) wall: Pairs,
    pub(crate) hybrid: Pairs,
    pub(crate) stamps: u64,
    pub(crate) duplicates: u64,
    /// The greatest lead of any node's clock over its own wall clock.
    pub(crate) max_lead: Duration,
    pub(crate) attacks: Attacks,
    pub(crate) refusals: Refusals,
    pub(crate) checks: Vec<Check>,
}

impl Verdict {
    pub(crate) fn of(testimony: &Testimony) -> Result<Self, Failure> {
        let causality = Causality::of(&testimony.logs)?;
        let mut verdict = Self {
            delivery: causality.delivery,
            steps: causality.steps,
            wall: causality.judge(Time::Wall),
            hybrid: causality.judge(Time::Hybrid),
            stamps: testimony.logs.iter().map(|log| wide(log.len())).sum(),
            duplicates: duplicates(&testimony.logs),
            max_lead: testimony.reports.iter().map(|report| report.max_lead).max().unwrap_or_default(),
            attacks: sum(&testimony.attacks),
            refusals: sum(testimony.reports.iter().map(|report| &report.refusals)),
            checks: Vec::new(),
        };
        verdict.checks = verdict.check(testimony);
        Ok(verdict)
    }

    pub(crate) fn held(&self) -> bool {
        self.checks.iter().all(|check| check.held)
    }

    fn check(&self, testimony: &Testimony) -> Vec<Check> {
        let Self { delivery, steps, wall, hybrid, .. } = self;
        let limit = testimony.skew_limit;
        let unaccounted = unaccounted(testimony);
        vec![
            Check {
                name: "Causal",
                held: hybrid.all > 0 && hybrid.not_right() == 0 && steps.wrong == 0,
                found: format!(
                    "{} of {} ordered pairs and {} of {} direct steps stamped wrongly",
                    hybrid.not_right(),
                    hybrid.all,
                    steps.wrong,
                    steps.all
                ),
            },
            Check {
                name: "Unique",
                held: self.stamps > 0 && self.duplicates == 0,
                found: format!("{} of {} stamps were given twice", self.duplicates, self.stamps),
            },
            Check {
                name: "Bounded skew",
                held: self.max_lead <= limit,
                found: format!("the greatest lead is {:?}, the limit {limit:?}", self.max_lead),
            },
            Check {
                name: "Refused and counted",
                held: !self.attacks.is_empty() && unaccounted.is_empty(),
                found: if unaccounted.is_empty() {
                    "every hostile message was refused for its own cause, and nothing else was".into()
                } else {
                    unaccounted.join("; ")
                },
            },
            Check {
                name: "Delivered",
                held: delivery.sent == delivery.received && delivery.unfounded == 0,
                found: format!(
                    "{} sent, {} received, {} received without having been sent",
                    delivery.sent, delivery.received, delivery.unfounded
                ),
            },
            Check {
                // A fleet whose clocks are right would hold all of the above, and show nothing.
                name: "Worth showing",
                held: wall.wrong > 0,
                found: format!(
                    "wall time puts {} of {} ordered pairs in the wrong order",
                    wall.wrong, wall.all
                ),
            },
        ]
    }
}

/// Says where what the nodes refused is not what the hostile peer sent them.
fn unaccounted(testimony: &Testimony) -> Vec<String> {
    let mut found = Vec::new();
    for (node, report) in testimony.reports.iter().enumerate() {
        let mut expected = Refusals::new();
        for (attack, &count) in testimony.attacks.get(node).into_iter().flatten() {
            let sum = expected.entry(attack.refusal()).or_default();
            *sum = count.saturating_add(*sum);
        }
        let causes: Vec<Refusal> = expected.keys().chain(report.refusals.keys()).copied().collect();
        let in_report = |cause| report.refusals.get(&cause).copied().unwrap_or_default();
        let in_attacks = |cause| expected.get(&cause).copied().unwrap_or_default();
        let mut wrong: Vec<Refusal> =
            causes.into_iter().filter(|&cause| in_report(cause) != in_attacks(cause)).collect();
        wrong.sort_unstable();
        wrong.dedup();
        for cause in wrong {
            let (refused, sent) = (in_report(cause), in_attacks(cause));
            found.push(format!("node {node} refused {refused} for \"{cause}\", and was sent {sent}"));
        }
        let (clock, node_count) = (report.clock_skew_refusals, in_report(Refusal::Skew));
        if clock != node_count {
            found.push(format!(
                "the clock of node {node} counted {clock} for their skew, the node {node_count}"
            ));
        }
    }
    found
}

fn duplicates(logs: &[Vec<Event>]) -> u64 {
    let mut stamps: Vec<_> = logs.iter().flatten().map(|event| event.stamp).collect();
    let all = stamps.len();
    stamps.sort_unstable();
    stamps.dedup();
    wide(all.saturating_sub(stamps.len()))
}

fn sum<'c, K: Ord + Copy + 'c>(counts: impl IntoIterator<Item = &'c BTreeMap<K, u64>>) -> BTreeMap<K, u64> {
    let mut sums = BTreeMap::new();
    for (&what, &count) in counts.into_iter().flatten() {
        let sum: &mut u64 = sums.entry(what).or_default();
        *sum = sum.saturating_add(count);
    }
    sums
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::messages::{
        attack::{Attack, node_id},
        cast::NodeReport,
        event::{EventId, Kind},
        wall::Fault,
    };
    use hlc::Timestamp;

    /// Node 0 sends to node 1, which answers; the wall clock of node 1 is behind. One attack on each.
    fn testimony() -> Testimony {
        let event = |node, wall_nanos, bits, kind| Event {
            wall_nanos,
            stamp: Timestamp::from_bits(bits).unwrap().at_node(node_id(node)),
            kind,
        };
        let received = |node, place| Kind::Received { cause: EventId { node, place } };
        Testimony {
            faults: vec![Fault::None, Fault::Behind { millis: 1 }],
            logs: vec![
                vec![event(0, 100, 10, Kind::Sent { to: 1 }), event(0, 110, 14, received(1, 1))],
                vec![event(1, 50, 11, received(0, 0)), event(1, 60, 12, Kind::Sent { to: 0 })],
            ],
            reports: vec![
                NodeReport {
                    refusals: Refusals::from([(Refusal::Skew, 1)]),
                    clock_skew_refusals: 1,
                    max_lead: Duration::from_secs(3),
                    carries: 0,
                },
                NodeReport { refusals: Refusals::from([(Refusal::Cut, 2)]), ..NodeReport::default() },
            ],
            attacks: vec![Attacks::from([(Attack::Year2500, 1)]), Attacks::from([(Attack::CutFrame, 2)])],
            skew_limit: Duration::from_secs(3),
        }
    }

    fn broken(testimony: &Testimony) -> Vec<&'static str> {
        let verdict = Verdict::of(testimony).unwrap();
        let broken: Vec<_> =
            verdict.checks.iter().filter(|check| !check.held).map(|check| check.name).collect();
        assert_eq!(verdict.held(), broken.is_empty());
        broken
    }

    #[test]
    fn a_run_in_which_everything_is_as_it_should_be_holds() {
        assert_eq!(broken(&testimony()), [""; 0]);
        let verdict = Verdict::of(&testimony()).unwrap();
        assert_eq!(verdict.wall, Pairs { all: 1, wrong: 1, tied: 0 });
        assert_eq!(verdict.hybrid, Pairs { all: 1, wrong: 0, tied: 0 });
        assert_eq!((verdict.stamps, verdict.duplicates), (4, 0));
    }

    #[test]
    fn each_check_bites_on_the_one_thing_it_is_for() {
        type Case = (&'static str, fn(&mut Testimony), &'static [&'static str]);
        let cases: [Case; 11] = [
            (
                "a stamp not above its cause",
                |t| t.logs[1][0].stamp = t.logs[0][0].stamp.timestamp().at_node(node_id(1)),
                &["Causal"],
            ),
            (
                "a stamp below the one before",
                |t| t.logs[0][1].stamp = Timestamp::MIN.at_node(node_id(0)),
                &["Causal"],
            ),
            ("a stamp given twice", |t| t.logs[1][0].stamp = t.logs[0][1].stamp, &["Causal", "Unique"]),
            (
                "a clock beyond its limit",
                |t| t.reports[1].max_lead = Duration::from_nanos(3_000_000_001),
                &["Bounded skew"],
            ),
            (
                "a refusal too few",
                |t| t.reports[1].refusals = Refusals::from([(Refusal::Cut, 1)]),
                &["Refused and counted"],
            ),
            (
                "a refusal too many",
                |t| {
                    t.reports[0].refusals.insert(Refusal::Crowded, 1);
                },
                &["Refused and counted"],
            ),
            ("refusals at another node", |t| t.attacks.reverse(), &["Refused and counted"]),
            (
                "a clock that counts otherwise",
                |t| t.reports[0].clock_skew_refusals = 0,
                &["Refused and counted"],
            ),
            (
                "no attack",
                |t| {
                    t.attacks.clear();
                    t.reports.fill(NodeReport::default());
                },
                &["Refused and counted"],
            ),
            (
                "a message that is lost",
                |t| {
                    t.logs[0].pop();
                },
                &["Delivered"],
            ),
            ("wall clocks that are right", |t| t.logs[1][1].wall_nanos = 105, &["Worth showing"]),
        ];
        for (what, break_it, expected) in cases {
            let mut testimony = testimony();
            break_it(&mut testimony);
            assert_eq!(broken(&testimony), expected, "{what}");
        }
    }
}

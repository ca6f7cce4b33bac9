//! `Verdict`: what the testimony amounts to, and whether every guarantee held.

use super::{
    cast::Reading,
    drawing::Drawing,
    group::Testimony,
    history::{Findings, History},
};
use crate::scene::check::Check;

/// What the testimony amounts to.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) findings: Findings,
    pub(crate) writes: u64,
    /// Writes that last-writer-wins would have lost.
    pub(crate) lost_by_wall_time: u64,
    pub(crate) drawing: Drawing,
    pub(crate) checks: Vec<Check>,
}

impl Verdict {
    pub(crate) fn of(testimony: &Testimony) -> Self {
        let history = History::new(&testimony.writes, &testimony.logs);
        let mut verdict = Self {
            findings: history.judge(),
            writes: u64::try_from(testimony.writes.len()).unwrap_or(u64::MAX),
            lost_by_wall_time: history.lost_by_wall_time(),
            drawing: Drawing::of(&testimony.diary, testimony.first_round),
            checks: Vec::new(),
        };
        verdict.checks = verdict.check(testimony, &history);
        verdict
    }

    pub(crate) fn held(&self) -> bool {
        self.checks.iter().all(|check| check.held)
    }

    fn check(&self, testimony: &Testimony, history: &History<'_>) -> Vec<Check> {
        let Findings { reads, reads_lacking, reads_stale, applications, waits, .. } = self.findings;
        let Findings { too_early, again, misnamed, waits_misnamed, dropped, refused, .. } = self.findings;
        let replicas = u64::try_from(testimony.logs.len()).unwrap_or(u64::MAX);
        let due = self.writes.saturating_mul(replicas);
        let waiting: u64 = testimony.reports.iter().map(|report| report.waiting).sum();
        let counted: u64 = testimony.reports.iter().map(|report| report.duplicates).sum();
        let different = different(testimony, history);
        let Drawing { events, messages, ref contradiction, .. } = self.drawing;
        vec![
            Check {
                name: "Nothing lost",
                held: reads > 0 && reads_lacking == 0,
                found: format!("{reads_lacking} of {reads} reads lacked a value that no write had seen"),
            },
            Check {
                name: "Nothing kept that was replaced",
                held: reads > 0 && reads_stale == 0,
                found: format!("{reads_stale} of {reads} reads showed a value that a later write had seen"),
            },
            Check {
                name: "Causal",
                held: applications > 0 && too_early == 0,
                found: format!("{too_early} of {applications} writes applied before one that they knew of"),
            },
            Check {
                name: "Unique",
                held: applications == due && again == 0 && misnamed == 0 && refused == 0 && waiting == 0,
                found: format!(
                    "{} writes, applied {applications} times by {replicas} replicas: {again} twice, {misnamed} \
                     under another name; {refused} refused, {waiting} waiting",
                    self.writes
                ),
            },
            Check {
                name: "Copies dropped and counted",
                held: testimony.doubled > 0 && dropped == testimony.doubled && counted == dropped,
                found: format!(
                    "the network made {} copies, {dropped} were dropped, the buffers counted {counted}",
                    testimony.doubled
                ),
            },
            Check {
                name: "Missing named",
                held: waits_misnamed == 0,
                found: format!(
                    "{waits_misnamed} of {waits} times a message waited, the missing were misnamed"
                ),
            },
            Check {
                name: "Converged",
                held: different == 0 && !testimony.reports.is_empty(),
                found: format!("{different} of {replicas} replicas show something else in the end"),
            },
            Check {
                name: "Log valid",
                held: contradiction.is_none() && events > 0 && messages > 0,
                found: match contradiction {
                    None => format!(
                        "{events} events in the diaries, {messages} messages brought news, and nothing contradicts anything"
                    ),
                    Some(why) => format!("the diaries contradict themselves: {why}"),
                },
            },
            Check {
                // A network that keeps the order, and clients that wait for each other, would hold all of the above.
                name: "Worth showing",
                held: waits > 0 && self.lost_by_wall_time > 0,
                found: format!(
                    "{waits} messages overtook their cause; last-writer-wins would have lost {} of {} writes",
                    self.lost_by_wall_time, self.writes
                ),
            },
        ]
    }
}

/// How many replicas do not show in the end what they must, or not what the first shows.
fn different(testimony: &Testimony, history: &History<'_>) -> usize {
    let Some(first) = testimony.reports.first().map(|report| &report.last) else { return 0 };
    let is_right = |replica: usize, last: &Reading| {
        last == first
            && last.values.iter().copied().collect::<alloc::collections::BTreeSet<_>>()
                == history.survivors(replica)
    };
    let reports = testimony.reports.iter().enumerate();
    reports.filter(|(replica, report)| !is_right(*replica, &report.last)).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use vector_clock::{Heap, VectorClock};

    use crate::scene::replicas::{
        cast::{Entry, Page, ReplicaReport},
        history::Write,
    };

    fn applied(write: u32) -> Entry {
        Entry::Applied { write, fault: None }
    }

    fn read(values: &[u32]) -> Entry {
        Entry::Read { values: values.to_vec() }
    }

    /// Replicas 0 and 1 take writes 0 and 1 concurrently. Replica 1 learns of 0, and takes 2 of a client that saw
    /// both. Replica 2 hears of 1, of 2, and then twice of 0.
    fn testimony() -> Testimony {
        let write = |replica, seen, wall_nanos| Write { replica, seen, wall_nanos };
        let last = Reading { values: vec![2], context: vec![7] };
        let report = ReplicaReport { last, waiting: 0, delivered: 3, duplicates: 0 };
        Testimony {
            writes: vec![write(0, 0, 30), write(1, 0, 10), write(1, 2, 20)],
            logs: vec![
                vec![read(&[]), applied(0), applied(1), read(&[1, 0]), applied(2), read(&[2])],
                vec![applied(1), read(&[1]), applied(0), read(&[0, 1]), applied(2), read(&[2])],
                vec![
                    applied(1),
                    Entry::Waits { write: 2, missing: vec![(0, 1, 1)] },
                    read(&[1]),
                    applied(0),
                    applied(2),
                    Entry::Dropped { write: 0 },
                    read(&[2]),
                ],
            ],
            reports: vec![report.clone(), report.clone(), ReplicaReport { duplicates: 1, ..report }],
            arrived: 7,
            doubled: 1,
            diary: diary(),
            first_round: 2,
        }
    }

    /// Replica 0 sends, and replica 1 receives.
    fn diary() -> Vec<Page> {
        let [mut one, mut other] = [0, 1].map(VectorClock::<u32, Heap>::new);
        let sent = one.tick().unwrap();
        let stamps = [sent.clone(), other.observe(&sent).unwrap()];
        stamps.map(|stamp| Page { stamp: stamp.to_bytes(), ..Page::default() }).into()
    }

    fn broken(testimony: &Testimony) -> Vec<&'static str> {
        let verdict = Verdict::of(testimony);
        let broken: Vec<_> =
            verdict.checks.iter().filter(|check| !check.held).map(|check| check.name).collect();
        assert_eq!(verdict.held(), broken.is_empty());
        broken
    }

    #[test]
    fn a_run_in_which_everything_is_as_it_should_be_holds() {
        assert_eq!(broken(&testimony()), [""; 0]);
        let verdict = Verdict::of(&testimony());
        let Findings { reads, most_siblings, applications, waits, dropped, .. } = verdict.findings;
        assert_eq!((reads, most_siblings, applications, waits, dropped), (8, 2, 9, 1, 1));
        // Of 0 and 1 the one with the lower wall time; 2 has the lower one beside 0, but saw it.
        assert_eq!((verdict.writes, verdict.lost_by_wall_time), (3, 1));
    }

    #[test]
    fn each_check_bites_on_the_one_thing_it_is_for() {
        type Case = (&'static str, fn(&mut Testimony), &'static [&'static str]);
        let cases: [Case; 19] = [
            ("a sibling that is not shown", |t| t.logs[0][3] = read(&[0]), &["Nothing lost"]),
            (
                "a replaced value that is shown",
                |t| t.logs[0][5] = read(&[1, 2]),
                &["Nothing kept that was replaced"],
            ),
            (
                "a value that is shown twice",
                |t| t.logs[0][5] = read(&[2, 2]),
                &["Nothing kept that was replaced"],
            ),
            (
                "a value that was not written",
                |t| t.logs[0][0] = read(&[9]),
                &["Nothing kept that was replaced"],
            ),
            ("an effect before its cause", |t| t.logs[2].swap(3, 4), &["Causal"]),
            ("a write that is applied again", |t| t.logs[0].push(applied(2)), &["Unique"]),
            (
                "a write of another name",
                |t| t.logs[2][4] = Entry::Applied { write: 2, fault: Some("1:2 became 1:3".into()) },
                &["Unique"],
            ),
            (
                "a write that is refused",
                |t| t.logs[0].push(Entry::Refused { write: 2, why: "full".into() }),
                &["Unique"],
            ),
            ("a message that waits for ever", |t| t.reports[2].waiting = 1, &["Unique"]),
            ("a copy that is not dropped", |t| drop(t.logs[2].remove(5)), &["Copies dropped and counted"]),
            ("a copy that is not counted", |t| t.reports[2].duplicates = 0, &["Copies dropped and counted"]),
            (
                "a missing write that is not named",
                |t| t.logs[2][1] = Entry::Waits { write: 2, missing: vec![] },
                &["Missing named"],
            ),
            (
                "a name that nothing has",
                |t| t.logs[2][1] = Entry::Waits { write: 2, missing: vec![(0, 1, 2)] },
                &["Missing named"],
            ),
            ("another context in the end", |t| t.reports[1].last.context = vec![8], &["Converged"]),
            (
                "one wrong value everywhere",
                |t| t.reports.iter_mut().for_each(|report| report.last.values = vec![1]),
                &["Converged"],
            ),
            ("a diary that lacks a page", |t| drop(t.diary.remove(0)), &["Log valid"]),
            ("a page that is none", |t| t.diary[1].stamp = vec![7], &["Log valid"]),
            ("diaries without a message", |t| drop(t.diary.pop()), &["Log valid"]),
            ("a network that keeps the order", |t| drop(t.logs[2].remove(1)), &["Worth showing"]),
        ];
        for (what, break_it, expected) in cases {
            let mut testimony = testimony();
            break_it(&mut testimony);
            assert_eq!(broken(&testimony), expected, "{what}");
        }
    }
}

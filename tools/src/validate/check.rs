//! The checks, each of which is linear in what it looks at.

use core::cmp::Ordering;

use super::{
    cycle::{self, Causes},
    finding::{Finding, FindingKind},
    index::Index,
    senders::Senders,
};
use crate::shiviz::{Entry, Event, Execution, Log, counter_of};

/// How many findings are kept; the rest are counted.
const MAX_FINDINGS: usize = 1_000;

/// Of how many messages that one event receives the knowledge is compared. An event receives one, as a rule; a log whose
/// events receive thousands each would otherwise be checked in the square of its size.
const MAX_MESSAGES_COMPARED: usize = 8;

/// In what order the lines of a log have to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Order {
    /// In any: logs of several hosts, one behind the other, or merged by wall time. As ShiViz takes them.
    #[default]
    Any,
    /// Each event behind all that it knows: a log that is said to be in a causal order.
    Causal,
}

/// How much was looked at. It measures the cost where time would measure the machine.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Steps(u64);

impl Steps {
    pub(crate) const fn count(&mut self, steps: u64) {
        self.0 = self.0.saturating_add(steps);
    }

    pub(crate) const fn total(self) -> u64 {
        self.0
    }
}

/// What [`validate`] found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    findings: Vec<Finding>,
    omitted: u64,
    events: u64,
    entries: u64,
    steps: u64,
}

impl Report {
    /// Returns whether nothing contradicts anything.
    #[must_use]
    pub const fn is_valid(&self) -> bool {
        self.findings.is_empty()
    }

    /// Returns what was found, by line: the first thousand of each execution.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Returns how many more were found.
    #[must_use]
    pub const fn omitted(&self) -> u64 {
        self.omitted
    }

    /// Returns how many events were looked at.
    #[must_use]
    pub const fn events(&self) -> u64 {
        self.events
    }

    /// Returns how many entries their clocks have together.
    #[must_use]
    pub const fn entries(&self) -> u64 {
        self.entries
    }

    /// Returns how many times an entry or an event was looked at: linear in [`entries`](Self::entries) for a valid log
    /// of hosts that log in their own order.
    #[must_use]
    pub const fn steps(&self) -> u64 {
        self.steps
    }

    fn add(&mut self, mut other: Self) {
        self.findings.append(&mut other.findings);
        self.omitted = self.omitted.saturating_add(other.omitted);
        self.events = self.events.saturating_add(other.events);
        self.entries = self.entries.saturating_add(other.entries);
        self.steps = self.steps.saturating_add(other.steps);
    }
}

/// Finds what contradicts itself in each execution of a log.
#[must_use]
pub fn validate_log(log: &Log, order: Order) -> Report {
    let mut report = Report::default();
    for execution in log.executions() {
        report.add(validate(log, execution, order));
    }
    report
}

/// Finds what contradicts itself in an execution of `log`.
#[must_use]
pub fn validate(log: &Log, execution: &Execution, order: Order) -> Report {
    let mut check = Check { log, execution, order, findings: Vec::new(), steps: Steps::default() };
    check.run();
    let Check { mut findings, steps, .. } = check;
    findings.sort_by_key(Finding::line);
    let omitted = findings.len().saturating_sub(MAX_FINDINGS);
    findings.truncate(MAX_FINDINGS);
    Report {
        findings,
        omitted: wide(omitted),
        events: wide(execution.events().len()),
        entries: wide(execution.entries()),
        steps: steps.total(),
    }
}

struct Check<'l> {
    log: &'l Log,
    execution: &'l Execution,
    order: Order,
    findings: Vec<Finding>,
    steps: Steps,
}

impl Check<'_> {
    fn run(&mut self) {
        let index = Index::new(self.log.hosts().len(), self.execution, &mut self.steps);
        for &(place, first) in index.duplicates() {
            if let Some(first_line) = self.execution.events().get(first).map(Event::line) {
                self.find(place, FindingKind::Duplicate { first_line });
            }
        }
        let mut causes = Causes::new(self.execution.events().len());
        cycle::push_own(&mut causes, &index);
        let mut has_cycle = false;
        for events in index.of_host() {
            let mut before: Option<(u64, usize)> = None;
            for &(counter, place) in events {
                self.gap(place, counter, before);
                let own_place = before.map(|(_, place)| place);
                if let Some(own_place) = own_place {
                    self.in_order(place, own_place);
                }
                let new = self.new_entries(place, own_place);
                for &entry in &new {
                    let Some(known) = index.find(entry.host(), entry.counter(), &mut self.steps) else {
                        let there = index.last_below(entry.host(), entry.counter());
                        let of = self.name(entry);
                        self.find(place, FindingKind::UnknownEvent { of, known: entry.counter(), there });
                        continue;
                    };
                    causes.push(known, place);
                    has_cycle |= self.mutual(place, entry, known);
                    self.in_order(place, known);
                }
                self.complete(place, &index, new);
                before = Some((counter, place));
            }
        }
        // Longer cycles show nowhere else. Where something is wrong that explains them, they would only repeat it.
        if !has_cycle {
            self.long_cycle(&causes);
        }
    }

    fn find(&mut self, place: usize, kind: FindingKind) {
        let Some(event) = self.execution.events().get(place) else { return };
        let host = self.log.host(event.host()).to_owned();
        self.findings.push(Finding { line: event.line(), host, counter: event.counter(), kind });
    }

    fn name(&self, entry: Entry) -> String {
        self.log.host(entry.host()).to_owned()
    }

    fn gap(&mut self, place: usize, counter: u64, before: Option<(u64, usize)>) {
        let before = before.map(|(counter, _)| counter);
        if before.unwrap_or_default().checked_add(1) != Some(counter) {
            self.find(place, FindingKind::Gap { before });
        }
    }

    /// The entries of other hosts that are greater than in the host's event before; one that is less is a finding.
    fn new_entries(&mut self, place: usize, before: Option<usize>) -> Vec<Entry> {
        let now = self.execution.clock(place);
        let earlier = before.map(|before| self.execution.clock(before)).unwrap_or_default();
        let own = self.execution.events().get(place).map(Event::host);
        let mut new = Vec::new();
        for (old, entry) in both(earlier, now) {
            self.steps.count(1);
            let (known, knew) = (entry.map_or(0, Entry::counter), old.map_or(0, Entry::counter));
            let Some(either) = entry.or(old).filter(|either| Some(either.host()) != own) else { continue };
            if known > knew {
                new.push(either);
            }
            if known < knew {
                let before_line =
                    before.and_then(|before| self.execution.events().get(before)).map_or(0, Event::line);
                let kind = FindingKind::KnowledgeLost {
                    of: self.name(either),
                    before: knew,
                    now: known,
                    before_line,
                };
                self.find(place, kind);
            }
        }
        new
    }

    /// An event that is known may not know the one that knows it.
    fn mutual(&mut self, place: usize, entry: Entry, known: usize) -> bool {
        let [event, other] = [place, known].map(|place| self.execution.events().get(place));
        let (Some(event), Some(other)) = (event, other) else { return false };
        self.steps.count(1);
        let is_mutual = counter_of(self.execution.clock(known), event.host()) >= event.counter();
        if is_mutual {
            let (of, at_line) = (self.name(entry), other.line());
            self.find(place, FindingKind::Cycle { of, known: entry.counter(), at_line, steps: 2 });
        }
        is_mutual
    }

    fn in_order(&mut self, place: usize, known: usize) {
        if self.order == Order::Any || known < place {
            return;
        }
        let Some(other) = self.execution.events().get(known) else { return };
        let (of, at_line) = (self.log.host(other.host()).to_owned(), other.line());
        self.find(place, FindingKind::OutOfOrder { of, known: other.counter(), at_line });
    }

    /// Whoever knows an event knows what was known there.
    fn complete(&mut self, place: usize, index: &Index, new: Vec<Entry>) {
        let mut senders = Senders::of(self.execution, index, new, &mut self.steps);
        let here = self.execution.clock(place);
        for _ in 0..MAX_MESSAGES_COMPARED {
            let Some(sender) = senders.take(&mut self.steps) else { break };
            let there = self.execution.clock(sender);
            let mut lacking = None;
            for (there, here) in both(there, here) {
                self.steps.count(1);
                let (known_there, known_here) =
                    (there.map_or(0, Entry::counter), here.map_or(0, Entry::counter));
                if let Some(entry) = there.filter(|_| known_there > known_here) {
                    lacking = Some((entry, known_there, known_here));
                    break;
                }
            }
            let (Some((of, known_there, known_here)), Some(event)) =
                (lacking, self.execution.events().get(sender))
            else {
                continue;
            };
            // Two events that know each other are found as such.
            let is_own = self.execution.events().get(place).map(Event::host) == Some(of.host());
            if !is_own {
                let through = self.log.host(event.host()).to_owned();
                let (through_line, of) = (event.line(), self.name(of));
                let kind =
                    FindingKind::KnowledgeIncomplete { through, through_line, of, known_there, known_here };
                self.find(place, kind);
            }
        }
    }

    fn long_cycle(&mut self, causes: &Causes) {
        let cycle = causes.cycle(&mut self.steps);
        let steps = wide(cycle.len());
        let (Some(cause), Some(first)) = (cycle.last(), cycle.first()) else { return };
        let Some((host, known, at_line)) = cycle::name_of(self.execution, *cause) else { return };
        let of = self.log.host(host).to_owned();
        self.find(*first, FindingKind::Cycle { of, known, at_line, steps });
    }
}

/// The entries of two clocks, those of one host together.
fn both<'c>(
    one: &'c [Entry],
    other: &'c [Entry],
) -> impl Iterator<Item = (Option<Entry>, Option<Entry>)> + 'c {
    let (mut one, mut other) = (one.iter().copied().peekable(), other.iter().copied().peekable());
    core::iter::from_fn(move || {
        let order = match (one.peek(), other.peek()) {
            (Some(left), Some(right)) => left.host().cmp(&right.host()),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return None,
        };
        Some(match order {
            Ordering::Less => (one.next(), None),
            Ordering::Equal => (one.next(), other.next()),
            Ordering::Greater => (None, other.next()),
        })
    })
}

fn wide(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

//! `History`: what really happened, from the logs alone.
//!
//! A write saw what its replica had applied when its client read; a value is there for readers as long as no write
//! that saw it has been applied beside it. That is the definition, with sets of writes: no clock has a part in it.

use alloc::collections::BTreeSet;

use super::cast::Entry;

/// A write, by what the parent knows of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Write {
    /// Which replica took it.
    pub(crate) replica: u32,
    /// How many writes that replica had applied when the client read.
    pub(crate) seen: usize,
    pub(crate) wall_nanos: u64,
}

/// Returns the numbers of the writes that a replica named, or `None` where it named one that there is not.
pub(crate) fn named(writes: &[Write], ranges: &[(u32, u64, u64)]) -> Option<BTreeSet<u32>> {
    let all = ranges.iter().flat_map(|&(replica, first, last)| (first..=last).map(move |nth| (replica, nth)));
    all.map(|(replica, nth)| numbered(writes, replica, nth)).collect()
}

/// The number of the write that is the `nth` that `replica` took, the first being 1.
fn numbered(writes: &[Write], replica: u32, nth: u64) -> Option<u32> {
    let skipped = usize::try_from(nth.checked_sub(1)?).ok()?;
    (0..).zip(writes).filter(|(_, write)| write.replica == replica).nth(skipped).map(|(number, _)| number)
}

/// The writes and logs of a group, put in relation.
#[derive(Debug)]
pub(crate) struct History<'t> {
    writes: &'t [Write],
    logs: &'t [Vec<Entry>],
    /// For each replica the writes in the order in which it applied them.
    applied: Vec<Vec<u32>>,
    /// For each replica and write the place in that order, where it has one.
    places: Vec<Vec<Option<usize>>>,
}

/// What the replay of the logs found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Findings {
    pub(crate) reads: u64,
    /// Reads that lacked a value that nothing had replaced.
    pub(crate) reads_lacking: u64,
    /// Reads that showed a value that was replaced.
    pub(crate) reads_stale: u64,
    pub(crate) most_siblings: u64,
    pub(crate) applications: u64,
    /// Of those, before something that the replica that took the write had applied before it.
    pub(crate) too_early: u64,
    /// Of those, of a write that had been applied before.
    pub(crate) again: u64,
    /// Of those, under another name than where the write was taken.
    pub(crate) misnamed: u64,
    /// Messages that waited.
    pub(crate) waits: u64,
    /// Of those, such that what was missing was not named, or something else was.
    pub(crate) waits_misnamed: u64,
    pub(crate) dropped: u64,
    pub(crate) refused: u64,
}

impl<'t> History<'t> {
    pub(crate) fn new(writes: &'t [Write], logs: &'t [Vec<Entry>]) -> Self {
        let of_log = |log: &Vec<Entry>| log.iter().filter_map(applied_write).collect();
        let applied: Vec<Vec<u32>> = logs.iter().map(of_log).collect();
        let mut places: Vec<Vec<Option<usize>>> = logs.iter().map(|_| vec![None; writes.len()]).collect();
        for (order, places) in applied.iter().zip(&mut places) {
            for (place, write) in order.iter().enumerate() {
                if let Some(known @ None) = places.get_mut(slot(*write)) {
                    *known = Some(place);
                }
            }
        }
        Self { writes, logs, applied, places }
    }

    /// Did the client of `later` see the write `earlier`?
    pub(crate) fn saw(&self, later: u32, earlier: u32) -> bool {
        let Some(later) = self.writes.get(slot(later)) else { return false };
        self.place(later.replica, earlier).is_some_and(|place| place < later.seen)
    }

    /// Returns what the replica that took `write` had applied before it.
    fn known(&self, write: u32) -> &[u32] {
        let Some(replica) = self.writes.get(slot(write)).map(|write| write.replica) else { return &[] };
        let place = self.place(replica, write).unwrap_or_default();
        self.applied.get(slot(replica)).and_then(|order| order.get(..place)).unwrap_or_default()
    }

    fn place(&self, replica: u32, write: u32) -> Option<usize> {
        *self.places.get(slot(replica))?.get(slot(write))?
    }

    /// Goes through all logs.
    pub(crate) fn judge(&self) -> Findings {
        let mut findings = Findings::default();
        for log in self.logs {
            self.replay(log, &mut findings);
        }
        findings
    }

    /// Returns what a reader of a replica must see in the end.
    pub(crate) fn survivors(&self, replica: usize) -> BTreeSet<u32> {
        let mut here = Here::default();
        for write in self.applied.get(replica).map(Vec::as_slice).unwrap_or_default() {
            here.apply(self, *write);
        }
        here.alive
    }

    fn replay(&self, log: &[Entry], findings: &mut Findings) {
        let mut here = Here::default();
        for entry in log {
            match entry {
                Entry::Applied { write, fault } => {
                    count_if(&mut findings.applications, true);
                    count_if(&mut findings.misnamed, fault.is_some());
                    count_if(&mut findings.again, here.applied.contains(write));
                    let is_early = self.known(*write).iter().any(|known| !here.applied.contains(known));
                    count_if(&mut findings.too_early, is_early);
                    here.apply(self, *write);
                }
                Entry::Waits { write, missing } => {
                    here.waiting.insert(*write);
                    count_if(&mut findings.waits, true);
                    count_if(&mut findings.waits_misnamed, here.missing(self) != named(self.writes, missing));
                }
                Entry::Dropped { .. } => count_if(&mut findings.dropped, true),
                Entry::Refused { .. } => count_if(&mut findings.refused, true),
                Entry::Read { values } => {
                    let shown: BTreeSet<u32> = values.iter().copied().collect();
                    let siblings = u64::try_from(values.len()).unwrap_or(u64::MAX);
                    findings.most_siblings = findings.most_siblings.max(siblings);
                    count_if(&mut findings.reads, true);
                    count_if(&mut findings.reads_lacking, !here.alive.is_subset(&shown));
                    count_if(
                        &mut findings.reads_stale,
                        !shown.is_subset(&here.alive) || shown.len() < values.len(),
                    );
                }
            }
        }
    }

    /// Returns how many writes last-writer-wins would have lost: those that have an equal among the later ones, by
    /// wall time, of which neither saw the other.
    pub(crate) fn lost_by_wall_time(&self) -> u64 {
        let mut by_wall: Vec<(u64, u32)> =
            (0..).zip(self.writes).map(|(n, write)| (write.wall_nanos, n)).collect();
        by_wall.sort_unstable();
        let mut lost = 0;
        for (at, (_, write)) in by_wall.iter().enumerate() {
            let mut later = by_wall.iter().skip(at).skip(1);
            let has_equal = later.any(|(_, later)| !self.saw(*later, *write) && !self.saw(*write, *later));
            count_if(&mut lost, has_equal);
        }
        lost
    }
}

/// A replica as the definition has it.
#[derive(Debug, Default)]
struct Here {
    applied: BTreeSet<u32>,
    alive: BTreeSet<u32>,
    waiting: BTreeSet<u32>,
}

impl Here {
    fn apply(&mut self, history: &History<'_>, write: u32) {
        self.waiting.remove(&write);
        self.applied.insert(write);
        self.alive.retain(|value| !history.saw(write, *value));
        if !self.applied.iter().any(|other| history.saw(*other, write)) {
            self.alive.insert(write);
        }
    }

    /// What those waiting know of, and is not here.
    fn missing(&self, history: &History<'_>) -> Option<BTreeSet<u32>> {
        let known = self.waiting.iter().flat_map(|write| history.known(*write));
        Some(
            known
                .copied()
                .filter(|known| !self.applied.contains(known) && !self.waiting.contains(known))
                .collect(),
        )
    }
}

const fn applied_write(entry: &Entry) -> Option<u32> {
    match entry {
        Entry::Applied { write, .. } => Some(*write),
        Entry::Waits { .. } | Entry::Dropped { .. } | Entry::Refused { .. } | Entry::Read { .. } => None,
    }
}

const fn count_if(count: &mut u64, is_one: bool) {
    if is_one {
        *count = count.saturating_add(1);
    }
}

/// The place of a write or of a replica in lists.
fn slot(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

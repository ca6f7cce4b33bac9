//! `Index`: the events of an execution, by host and counter.

use super::check::Steps;
use crate::shiviz::{Execution, HostId};

/// The events of an execution, by host and counter.
#[derive(Debug)]
pub(crate) struct Index {
    /// For each host, the places of its events in the order of their counters, and what they count.
    of_host: Vec<Vec<(u64, usize)>>,
    /// Events of which the log has another one: their places, and that of the first.
    duplicates: Vec<(usize, usize)>,
}

impl Index {
    /// Makes the index; `hosts` is how many the log has.
    pub(crate) fn new(hosts: usize, execution: &Execution, steps: &mut Steps) -> Self {
        let mut of_host: Vec<Vec<(u64, usize)>> = vec![Vec::new(); hosts];
        for (place, event) in execution.events().iter().enumerate() {
            steps.count(1);
            if let Some(events) = of_host.get_mut(event.host().to_place()) {
                events.push((event.counter(), place));
            }
        }
        let mut duplicates = Vec::new();
        for events in &mut of_host {
            // Stable, so that of two events of one name the first in the log is first here. A host that logs in its own
            // order is sorted already, and is found to be so in one pass.
            events.sort_by(|one, other| {
                steps.count(1);
                one.0.cmp(&other.0)
            });
            let mut last: Option<(u64, usize)> = None;
            events.retain(|&(counter, place)| match last {
                Some((before, first)) if before == counter => {
                    duplicates.push((place, first));
                    false
                }
                _ => {
                    last = Some((counter, place));
                    true
                }
            });
        }
        Self { of_host, duplicates }
    }

    /// Returns the place of an event.
    pub(crate) fn find(&self, host: HostId, counter: u64, steps: &mut Steps) -> Option<usize> {
        let events = self.of_host.get(host.to_place())?;
        // Where a host counts from 1 without a gap, the counter is the place.
        let expected = usize::try_from(counter.checked_sub(1)?).ok();
        steps.count(1);
        if let Some((found, place)) = expected.and_then(|expected| events.get(expected))
            && *found == counter
        {
            return Some(*place);
        }
        let found = events.binary_search_by(|(found, _)| {
            steps.count(1);
            found.cmp(&counter)
        });
        found.ok().and_then(|found| events.get(found)).map(|(_, place)| *place)
    }

    /// Returns the greatest counter of a host's events that is less than `counter`: 0 where there is none.
    pub(crate) fn last_below(&self, host: HostId, counter: u64) -> u64 {
        let events = self.of_host.get(host.to_place()).map(Vec::as_slice).unwrap_or_default();
        let below = events.partition_point(|(found, _)| *found < counter);
        below.checked_sub(1).and_then(|last| events.get(last)).map_or(0, |(found, _)| *found)
    }

    /// Returns the counters and places of a host's events, in the order of the counters.
    pub(crate) fn of_host(&self) -> impl Iterator<Item = &[(u64, usize)]> {
        self.of_host.iter().map(Vec::as_slice)
    }

    /// Returns the places of events whose name is given already, and those of the first of the name.
    pub(crate) fn duplicates(&self) -> &[(usize, usize)] {
        &self.duplicates
    }
}

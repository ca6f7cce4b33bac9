//! Cycles of more than two events: each knows the next, none knows all of them.
//!
//! They can only be in a log where something is known incompletely, so that no pair of clocks shows them.

use super::{check::Steps, index::Index};
use crate::shiviz::{Execution, HostId};

/// What each event of an execution comes after, by their places.
#[derive(Debug)]
pub(crate) struct Causes {
    /// `(cause, effect)`, in the order of the effects.
    edges: Vec<(usize, usize)>,
    events: usize,
}

impl Causes {
    pub(crate) const fn new(events: usize) -> Self {
        Self { edges: Vec::new(), events }
    }

    pub(crate) fn push(&mut self, cause: usize, effect: usize) {
        self.edges.push((cause, effect));
    }

    /// Returns the places of the events of one cycle, each before the next, or nothing where there is none.
    ///
    /// Takes away, again and again, an event that nothing is left before. What cannot be taken away is in a cycle or
    /// behind one; from there, causes lead back into it.
    pub(crate) fn cycle(&self, steps: &mut Steps) -> Vec<usize> {
        let mut left = vec![0_usize; self.events];
        let mut effects_of: Vec<Vec<usize>> = vec![Vec::new(); self.events];
        for (cause, effect) in &self.edges {
            steps.count(1);
            if let (Some(count), Some(effects)) = (left.get_mut(*effect), effects_of.get_mut(*cause)) {
                *count = count.saturating_add(1);
                effects.push(*effect);
            }
        }
        let mut free: Vec<usize> =
            left.iter().enumerate().filter(|(_, count)| **count == 0).map(|(place, _)| place).collect();
        while let Some(place) = free.pop() {
            for effect in effects_of.get(place).map(Vec::as_slice).unwrap_or_default() {
                steps.count(1);
                let Some(count) = left.get_mut(*effect) else { continue };
                *count = count.saturating_sub(1);
                if *count == 0 {
                    free.push(*effect);
                }
            }
        }
        // For each event that is left, one cause that is left as well.
        let mut cause_of = vec![None; self.events];
        for (cause, effect) in &self.edges {
            let is_left = |place: usize| left.get(place).is_some_and(|count| *count > 0);
            if is_left(*cause)
                && is_left(*effect)
                && let Some(of) = cause_of.get_mut(*effect)
            {
                *of = Some(*cause);
            }
        }
        let mut at = left.iter().position(|count| *count > 0);
        let mut seen_at = vec![None; self.events];
        let mut path = Vec::new();
        while let Some(place) = at {
            match seen_at.get_mut(place) {
                Some(seen @ None) => *seen = Some(path.len()),
                Some(Some(first)) => {
                    // The path goes from effects to causes.
                    let mut cycle = path.split_off(*first);
                    cycle.reverse();
                    // It begins nowhere; the first in the log is as good as any.
                    let least = cycle.iter().enumerate().min_by_key(|(_, place)| **place);
                    let least = least.map_or(0, |(at, _)| at);
                    cycle.rotate_left(least);
                    return cycle;
                }
                None => break,
            }
            path.push(place);
            at = cause_of.get(place).copied().flatten();
        }
        Vec::new()
    }
}

/// Adds that each event comes after the one before it of its own host.
pub(crate) fn push_own(causes: &mut Causes, index: &Index) {
    for events in index.of_host() {
        for ((_, cause), (_, effect)) in events.iter().zip(events.iter().skip(1)) {
            causes.push(*cause, *effect);
        }
    }
}

/// Returns the host and counter of an event.
pub(crate) fn name_of(execution: &Execution, place: usize) -> Option<(HostId, u64, u64)> {
    execution.events().get(place).map(|event| (event.host(), event.counter(), event.line()))
}

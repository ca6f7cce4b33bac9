//! `Senders`: the events that an event learnt of by itself, and not by way of another one.

use super::{check::Steps, index::Index};
use crate::shiviz::{Entry, Execution, counter_of};

/// The events of other hosts that an event knows and its host did not know before: those of them that none of the
/// others knows. These are the sends of the messages that it received.
#[derive(Debug)]
pub(crate) struct Senders<'e> {
    execution: &'e Execution,
    /// Entries that are new here, with the places of their events.
    new: Vec<(Entry, usize)>,
}

impl<'e> Senders<'e> {
    /// Finds them among the entries that are new with an event.
    pub(crate) fn of(
        execution: &'e Execution,
        index: &Index,
        new: impl IntoIterator<Item = Entry>,
        steps: &mut Steps,
    ) -> Self {
        let new = new.into_iter();
        let new = new.filter_map(|entry| Some((entry, index.find(entry.host(), entry.counter(), steps)?)));
        Self { execution, new: new.collect() }
    }

    /// Takes the next one, and with it all that it knew. Where no clock contradicts another one, it is known to none of
    /// the rest.
    pub(crate) fn take(&mut self, steps: &mut Steps) -> Option<usize> {
        let mut rest = self.new.iter();
        let &(mut known, mut sender) = rest.next()?;
        for &(entry, place) in rest {
            if self.knows(place, known, steps) {
                (known, sender) = (entry, place);
            }
        }
        let mut new = core::mem::take(&mut self.new);
        new.retain(|&(entry, place)| place != sender && !self.knows(sender, entry, steps));
        self.new = new;
        Some(sender)
    }

    fn knows(&self, place: usize, entry: Entry, steps: &mut Steps) -> bool {
        let clock = self.execution.clock(place);
        // A look-up is a search among the entries of a clock.
        steps.count(u64::from(clock.len().checked_ilog2().unwrap_or_default()).saturating_add(1));
        counter_of(clock, entry.host()) >= entry.counter()
    }
}

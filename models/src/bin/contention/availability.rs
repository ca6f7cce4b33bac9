//! `Availability`: for how much of a run somebody held the resource and could act.

use core::time::Duration;

/// Time with a holder, by what the parent heard and did: a holder counts from its word that it has the lease, to its word
/// that it has it no more, and not while it is stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Availability {
    /// When it was last looked, in time since boot.
    last: Option<Duration>,
    held: Duration,
    total: Duration,
    gap: Duration,
    longest: Duration,
}

impl Availability {
    /// Counts the time since the last look as one with or without a holder.
    pub(crate) fn look(&mut self, now: Duration, holds: bool) {
        let passed = self.last.map_or(Duration::ZERO, |last| now.saturating_sub(last));
        self.last = Some(now);
        self.total = self.total.saturating_add(passed);
        if holds {
            self.held = self.held.saturating_add(passed);
            self.gap = Duration::ZERO;
        } else {
            self.gap = self.gap.saturating_add(passed);
            self.longest = self.longest.max(self.gap);
        }
    }

    /// The share of the time with a holder, in thousandths.
    pub(crate) fn thousandths(&self) -> u128 {
        self.held.as_millis().saturating_mul(1_000).checked_div(self.total.as_millis()).unwrap_or(0)
    }

    /// The longest time without one.
    pub(crate) const fn longest_gap(&self) -> Duration {
        self.longest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_counts_by_who_held_when_it_was_looked_and_gaps_end_with_the_next_holder() {
        let mut availability = Availability::default();
        for (second, holds) in
            [(100, true), (103, true), (104, false), (106, false), (107, true), (110, false)]
        {
            availability.look(Duration::from_secs(second), holds);
        }
        assert_eq!(availability.thousandths(), 400);
        assert_eq!(availability.longest_gap(), Duration::from_secs(3));
    }

    #[test]
    fn a_run_that_was_never_looked_at_has_no_share() {
        assert_eq!(Availability::default().thousandths(), 0);
    }
}

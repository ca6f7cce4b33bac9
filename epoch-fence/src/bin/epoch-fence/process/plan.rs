//! When a command has to be stopped: the rule, without any I/O.

use core::time::Duration;

use epoch_fence::protocol::BootTime;

/// What the holder believes of its lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Belief {
    /// It is held until then, unless it is renewed.
    Until(BootTime),
    /// The store said that it is over.
    Lost,
}

/// How far the command has been stopped. It never goes back: who was told to end is not held to the end of its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Running,
    /// It was told to end.
    Told {
        at: BootTime,
    },
    Killed,
}

/// What has to be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// Nothing before then, if anything.
    Nothing(Option<BootTime>),
    Terminate,
    Kill,
}

/// What has to be done at `now`: tell the command to end a grace before the lease is lost, or at once when it is lost
/// already; and kill it a grace later.
pub(super) fn due(phase: Phase, belief: Option<Belief>, now: BootTime, grace: Duration) -> Due {
    let wait = |until: BootTime, or: Due| if now < until { Due::Nothing(Some(until)) } else { or };
    match (phase, belief) {
        (Phase::Running, None) | (Phase::Killed, _) => Due::Nothing(None),
        (Phase::Running, Some(Belief::Lost)) => Due::Terminate,
        (Phase::Running, Some(Belief::Until(deadline))) => {
            let before = deadline.since_start().saturating_sub(grace);
            wait(BootTime::new(before), Due::Terminate)
        }
        (Phase::Told { at }, _) => wait(at.saturating_add(grace), Due::Kill),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRACE: Duration = Duration::from_secs(2);

    fn at(seconds: u64) -> BootTime {
        BootTime::new(Duration::from_secs(seconds))
    }

    #[test]
    fn a_command_is_told_before_the_loss_and_killed_at_it() {
        let belief = Some(Belief::Until(at(10)));
        assert_eq!(due(Phase::Running, belief, at(7), GRACE), Due::Nothing(Some(at(8))));
        assert_eq!(due(Phase::Running, belief, at(8), GRACE), Due::Terminate);
        let told = Phase::Told { at: at(8) };
        assert_eq!(due(told, belief, at(9), GRACE), Due::Nothing(Some(at(10))));
        assert_eq!(due(told, belief, at(10), GRACE), Due::Kill);
        assert_eq!(due(Phase::Killed, belief, at(10), GRACE), Due::Nothing(None));
    }

    #[test]
    fn who_wakes_after_the_loss_is_told_at_once_and_a_renewal_comes_too_late_for_one_who_was_told() {
        assert_eq!(due(Phase::Running, Some(Belief::Until(at(10))), at(60), GRACE), Due::Terminate);
        assert_eq!(due(Phase::Running, Some(Belief::Lost), at(1), GRACE), Due::Terminate);
        let told = Phase::Told { at: at(60) };
        assert_eq!(due(told, Some(Belief::Until(at(90))), at(62), GRACE), Due::Kill);
        assert_eq!(due(told, Some(Belief::Lost), at(61), GRACE), Due::Nothing(Some(at(62))));
    }

    #[test]
    fn without_a_lease_nothing_is_ever_due() {
        assert_eq!(due(Phase::Running, None, at(u64::MAX), GRACE), Due::Nothing(None));
    }

    #[test]
    fn the_ends_of_the_clock_are_no_loss() {
        let end = BootTime::new(Duration::MAX);
        assert_eq!(due(Phase::Running, Some(Belief::Until(at(1))), at(0), GRACE), Due::Terminate);
        assert_eq!(due(Phase::Told { at: end }, None, at(5), GRACE), Due::Nothing(Some(end)));
    }
}

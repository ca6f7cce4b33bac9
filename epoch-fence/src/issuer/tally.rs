//! `Tally`: what a caller is told of what a machine came to, and the counts of it. Written once for callers that
//! block and for those that await.
#![expect(
    clippy::result_large_err,
    reason = "an unknown attempt is an error; without an allocator it cannot be boxed"
)]

use super::counters::{Count, Counters, IssuerSnapshot};
use super::{Evicted, NotAcquired, NotChanged, Resolution, Unresolved};
use crate::engine::{Failure, Swapped};
use crate::protocol::{Acquired, Answer, BootTime, Changed, Granted, Impossible, Refusal, Resolved, View};

/// What a machine came to, and the store's last error on the way.
pub(crate) type Driven<O, E> = (O, Option<E>);

/// What landed and when it was sent, or why nothing did and what is there.
pub(crate) type Outcome<E> = Result<(View, BootTime), (NotChanged<E>, Option<View>)>;

/// Turns outcomes into results, and counts them.
#[derive(Debug)]
pub(crate) struct Tally {
    counters: Counters,
}

impl Tally {
    pub(crate) fn new() -> Self {
        Self { counters: Counters::new() }
    }

    pub(crate) fn count(&self, count: Count) {
        self.counters.count(count);
    }

    pub(crate) fn snapshot(&self) -> IssuerSnapshot {
        self.counters.snapshot()
    }

    pub(crate) fn acquired<E>(
        &self,
        (outcome, error): Driven<Acquired, E>,
    ) -> Result<Granted, NotAcquired<E>> {
        // An outcome of failure comes with the failure; without it, the store broke the dialogue.
        let unheard = NotAcquired::Impossible(Impossible::OtherRequest);
        let (count, why) = match outcome {
            Acquired::Granted(granted) => {
                self.count(Count::Granted);
                return Ok(granted);
            }
            Acquired::Refused(Refusal::Held { holder, remaining }) => {
                (Count::Held, NotAcquired::Held { holder, remaining })
            }
            Acquired::Refused(Refusal::Reserved { to, remaining }) => {
                (Count::Held, NotAcquired::Reserved { to, remaining })
            }
            Acquired::Refused(why @ Refusal::Regressed { .. }) => {
                (Count::Regressed, NotAcquired::Refused(why))
            }
            Acquired::Refused(why) => (Count::Refused, NotAcquired::Refused(why)),
            Acquired::Contended => (Count::Contended, NotAcquired::Contended),
            Acquired::Superseded => (Count::Superseded, NotAcquired::Superseded),
            Acquired::Failed => (Count::Failed, error.map_or(unheard, NotAcquired::Failed)),
            Acquired::Indeterminate(pending) => match error {
                Some(why) => (Count::Indeterminate, NotAcquired::Indeterminate(pending, why)),
                None => (Count::Impossible, unheard),
            },
            Acquired::Impossible(why) => (Count::Impossible, NotAcquired::Impossible(why)),
        };
        self.count(count);
        Err(why)
    }

    pub(crate) fn resolved<E>(
        &self,
        (outcome, error): Driven<Resolved, E>,
    ) -> Result<Resolution<Granted>, Unresolved<E>> {
        let (pending, why) = match outcome {
            Resolved::Granted(granted) => {
                self.count(Count::Granted);
                return Ok(Resolution::Granted(granted));
            }
            Resolved::NotGranted => {
                self.count(Count::NotGranted);
                return Ok(Resolution::NotGranted);
            }
            Resolved::Superseded => {
                self.count(Count::Superseded);
                return Ok(Resolution::Superseded);
            }
            Resolved::Indeterminate(pending) => {
                (pending, error.map_or(NotChanged::Contended, NotChanged::Indeterminate))
            }
            Resolved::Refused(pending, why) => (pending, NotChanged::Refused(why)),
            Resolved::Impossible(pending, why) => (pending, NotChanged::Impossible(why)),
        };
        Err(Unresolved::new(pending, self.counted(why)))
    }

    /// Nothing is counted yet: what a loss is depends on the call.
    pub(crate) fn changed<E>((outcome, error): Driven<Changed, E>) -> Outcome<E> {
        let unheard = NotChanged::Impossible(Impossible::OtherRequest);
        Err(match outcome {
            Changed::Done { view, sent } => return Ok((view, sent)),
            Changed::Refused { why: Refusal::NotHolder | Refusal::Lapsed, view } => {
                (NotChanged::Lost, Some(view))
            }
            Changed::Refused { why, view } => (NotChanged::Refused(why), Some(view)),
            Changed::Contended => (NotChanged::Contended, None),
            Changed::Failed => (error.map_or(unheard, NotChanged::Failed), None),
            Changed::Indeterminate => (error.map_or(unheard, NotChanged::Indeterminate), None),
            Changed::Impossible(why) => (NotChanged::Impossible(why), None),
        })
    }

    pub(crate) fn evicted<E>(&self, change: Outcome<E>) -> Result<Evicted, NotChanged<E>> {
        match change {
            Ok(_) => {
                self.count(Count::Evicted);
                Ok(Evicted::Evicted)
            }
            Err((NotChanged::Lost, _)) => Ok(Evicted::AlreadyGone),
            Err((why, _)) => Err(self.counted(why)),
        }
    }

    pub(crate) fn recovered<E>(&self, change: Outcome<E>) -> Result<View, NotChanged<E>> {
        match change {
            Ok((view, _)) => {
                self.count(Count::Recovered);
                Ok(view)
            }
            Err((NotChanged::Refused(Refusal::RealmUsed), Some(view))) => Ok(view),
            Err((why, _)) => Err(self.counted(why)),
        }
    }

    /// Counts what was not done, and hands it on.
    pub(crate) fn counted<E>(&self, why: NotChanged<E>) -> NotChanged<E> {
        self.count(match why {
            NotChanged::Lost => Count::Lost,
            NotChanged::Refused(Refusal::Regressed { .. }) => Count::Regressed,
            NotChanged::Refused(_) => Count::Refused,
            NotChanged::Contended => Count::Contended,
            NotChanged::Failed(_) => Count::Failed,
            NotChanged::Indeterminate(_) => Count::UnknownChange,
            NotChanged::Impossible(_) => Count::Impossible,
        });
        why
    }
}

/// What a machine is told of a load.
pub(crate) fn of_load<E>(loaded: Result<View, E>) -> (Answer, Option<E>) {
    match loaded {
        Ok(view) => (Answer::Loaded(view), None),
        Err(why) => (Answer::Failed, Some(why)),
    }
}

/// What a machine is told of a swap.
pub(crate) fn of_swap<E>(swapped: Result<Swapped, Failure<E>>) -> (Answer, Option<E>) {
    match swapped {
        Ok(Swapped::Landed(view)) => (Answer::Landed(view), None),
        Ok(Swapped::Conflict) => (Answer::Conflict, None),
        Err(Failure::Definite(why)) => (Answer::Failed, Some(why)),
        Err(Failure::Indeterminate(why)) => (Answer::Unknown, Some(why)),
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;
    use crate::protocol::{Acquire, Claim, Exhausted, Machine as _, Moment, Pending, Progress, Record, Ttl};
    use crate::{Epoch, GrantId, HolderId, RealmId, ResourceId};

    const MILLIS: Duration = Duration::from_millis(7);
    const NOTHING: IssuerSnapshot = IssuerSnapshot {
        granted: 0,
        held: 0,
        contended: 0,
        indeterminate: 0,
        not_granted: 0,
        superseded: 0,
        renewed: 0,
        lost: 0,
        released: 0,
        already_lost: 0,
        evicted: 0,
        recovered: 0,
        unknown_changes: 0,
        failed: 0,
        refused: 0,
        regressed: 0,
        impossible: 0,
    };
    const LATE: Refusal = Refusal::Exhausted(Exhausted::Clock);
    const WRONG: Impossible = Impossible::NotAsAsked;
    const BEHIND: Refusal = Refusal::Regressed { found: None, known: Epoch::FIRST };

    fn ada() -> HolderId {
        HolderId::try_new("ada").unwrap()
    }

    fn view() -> View {
        View::new(Record::vacant(RealmId::from_random_bits(1).unwrap()), Moment::new(1, 0))
    }

    /// An attempt on a vacant resource, and what it is if it landed.
    fn attempt() -> (Pending, Granted) {
        let claim = Claim::new(ResourceId::of("tests", "tally"), ada(), Ttl::MAX);
        let machine = Acquire::new(claim, GrantId::from_random_bits(1).unwrap());
        let sent = BootTime::new(Duration::ZERO);
        let Progress::Ask(machine) = machine.answer(sent, Answer::Loaded(view())) else {
            panic!("it asks to write")
        };
        let pending = machine.pending().unwrap();
        let landed = View::new(*pending.swap().next(), view().now());
        let Progress::Done(Acquired::Granted(granted)) = machine.answer(sent, Answer::Landed(landed)) else {
            panic!("it is granted")
        };
        (pending, granted)
    }

    /// What was told, and what was counted for it.
    fn tallied<T>(tell: impl FnOnce(&Tally) -> T) -> (T, IssuerSnapshot) {
        let tally = Tally::new();
        let told = tell(&tally);
        (told, tally.snapshot())
    }

    #[test]
    fn whoever_acquires_is_told_what_the_machine_came_to_and_it_is_counted_once() {
        let (pending, granted) = attempt();
        let unheard = NotAcquired::Impossible(Impossible::OtherRequest);
        let rows = [
            (Acquired::Granted(granted), None, Ok(granted), IssuerSnapshot { granted: 1, ..NOTHING }),
            (
                Acquired::Refused(Refusal::Held { holder: ada(), remaining: MILLIS }),
                None,
                Err(NotAcquired::Held { holder: ada(), remaining: MILLIS }),
                IssuerSnapshot { held: 1, ..NOTHING },
            ),
            (
                Acquired::Refused(Refusal::Reserved { to: ada(), remaining: MILLIS }),
                None,
                Err(NotAcquired::Reserved { to: ada(), remaining: MILLIS }),
                IssuerSnapshot { held: 1, ..NOTHING },
            ),
            (
                Acquired::Refused(BEHIND),
                None,
                Err(NotAcquired::Refused(BEHIND)),
                IssuerSnapshot { regressed: 1, ..NOTHING },
            ),
            (
                Acquired::Refused(LATE),
                None,
                Err(NotAcquired::Refused(LATE)),
                IssuerSnapshot { refused: 1, ..NOTHING },
            ),
            (
                Acquired::Contended,
                Some("an earlier one"),
                Err(NotAcquired::Contended),
                IssuerSnapshot { contended: 1, ..NOTHING },
            ),
            (
                Acquired::Superseded,
                None,
                Err(NotAcquired::Superseded),
                IssuerSnapshot { superseded: 1, ..NOTHING },
            ),
            (
                Acquired::Failed,
                Some("no disk"),
                Err(NotAcquired::Failed("no disk")),
                IssuerSnapshot { failed: 1, ..NOTHING },
            ),
            (
                Acquired::Indeterminate(pending),
                Some("no reply"),
                Err(NotAcquired::Indeterminate(pending, "no reply")),
                IssuerSnapshot { indeterminate: 1, ..NOTHING },
            ),
            // The store spoke of a conflict where there is none.
            (
                Acquired::Indeterminate(pending),
                None,
                Err(unheard),
                IssuerSnapshot { impossible: 1, ..NOTHING },
            ),
            (
                Acquired::Impossible(WRONG),
                None,
                Err(NotAcquired::Impossible(WRONG)),
                IssuerSnapshot { impossible: 1, ..NOTHING },
            ),
        ];
        for (outcome, error, told, counted) in rows {
            assert_eq!(tallied(|tally| tally.acquired((outcome, error))), (told, counted), "{outcome:?}");
        }
    }

    #[test]
    fn whoever_resolves_is_told_what_the_machine_came_to_and_it_is_counted_once() {
        let (pending, granted) = attempt();
        let unresolved = |why| Err(Unresolved::new(pending, why));
        let rows = [
            (
                Resolved::Granted(granted),
                None,
                Ok(Resolution::Granted(granted)),
                IssuerSnapshot { granted: 1, ..NOTHING },
            ),
            (
                Resolved::NotGranted,
                None,
                Ok(Resolution::NotGranted),
                IssuerSnapshot { not_granted: 1, ..NOTHING },
            ),
            (
                Resolved::Superseded,
                None,
                Ok(Resolution::Superseded),
                IssuerSnapshot { superseded: 1, ..NOTHING },
            ),
            (
                Resolved::Indeterminate(pending),
                None,
                unresolved(NotChanged::Contended),
                IssuerSnapshot { contended: 1, ..NOTHING },
            ),
            (
                Resolved::Indeterminate(pending),
                Some("no reply"),
                unresolved(NotChanged::Indeterminate("no reply")),
                IssuerSnapshot { unknown_changes: 1, ..NOTHING },
            ),
            (
                Resolved::Refused(pending, LATE),
                None,
                unresolved(NotChanged::Refused(LATE)),
                IssuerSnapshot { refused: 1, ..NOTHING },
            ),
            (
                Resolved::Impossible(pending, WRONG),
                None,
                unresolved(NotChanged::Impossible(WRONG)),
                IssuerSnapshot { impossible: 1, ..NOTHING },
            ),
        ];
        for (outcome, error, told, counted) in rows {
            assert_eq!(tallied(|tally| tally.resolved((outcome, error))), (told, counted), "{outcome:?}");
        }
    }

    #[test]
    fn whoever_evicts_or_recovers_is_told_what_the_machine_came_to_and_it_is_counted_once() {
        let (view, sent) = (view(), BootTime::new(MILLIS));
        let refused = |why| Changed::Refused { why, view };
        let rows = [
            (Changed::Done { view, sent }, None, Ok(view), IssuerSnapshot { recovered: 1, ..NOTHING }),
            (refused(Refusal::RealmUsed), None, Ok(view), NOTHING),
            (refused(Refusal::Lapsed), None, Err(NotChanged::Lost), IssuerSnapshot { lost: 1, ..NOTHING }),
            (
                refused(BEHIND),
                None,
                Err(NotChanged::Refused(BEHIND)),
                IssuerSnapshot { regressed: 1, ..NOTHING },
            ),
            (refused(LATE), None, Err(NotChanged::Refused(LATE)), IssuerSnapshot { refused: 1, ..NOTHING }),
            (
                Changed::Contended,
                Some("an earlier one"),
                Err(NotChanged::Contended),
                IssuerSnapshot { contended: 1, ..NOTHING },
            ),
            (
                Changed::Failed,
                Some("no disk"),
                Err(NotChanged::Failed("no disk")),
                IssuerSnapshot { failed: 1, ..NOTHING },
            ),
            (
                Changed::Indeterminate,
                Some("no reply"),
                Err(NotChanged::Indeterminate("no reply")),
                IssuerSnapshot { unknown_changes: 1, ..NOTHING },
            ),
            (
                Changed::Impossible(WRONG),
                None,
                Err(NotChanged::Impossible(WRONG)),
                IssuerSnapshot { impossible: 1, ..NOTHING },
            ),
        ];
        for (outcome, error, told, counted) in rows {
            let change = Tally::changed((outcome, error));
            assert_eq!(tallied(|tally| tally.recovered(change)), (told, counted), "{outcome:?}");
        }
        let evicted = |outcome| tallied(|tally| tally.evicted(Tally::changed::<()>((outcome, None))));
        let counted = IssuerSnapshot { evicted: 1, ..NOTHING };
        assert_eq!(evicted(Changed::Done { view, sent }), (Ok(Evicted::Evicted), counted));
        assert_eq!(evicted(refused(Refusal::NotHolder)), (Ok(Evicted::AlreadyGone), NOTHING));
        let counted = IssuerSnapshot { impossible: 1, ..NOTHING };
        assert_eq!(evicted(Changed::Impossible(WRONG)), (Err(NotChanged::Impossible(WRONG)), counted));
    }
}

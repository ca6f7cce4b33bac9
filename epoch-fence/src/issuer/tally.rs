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

//! `Acquire`: one attempt to become the holder.

use super::pending::Place;
use super::{
    Answer, BootTime, Claim, Command, Granted, Impossible, Machine, Pending, Progress, Refusal, Request,
    Standing, Swap, View,
};
use crate::GrantId;

/// What came of one attempt to acquire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use]
#[expect(clippy::exhaustive_enums, reason = "a caller must decide on every one")]
#[expect(
    clippy::large_enum_variant,
    reason = "an outcome is moved once; without an allocator it cannot be boxed"
)]
pub enum Acquired {
    /// The caller is the holder.
    Granted(Granted),
    /// The record forbids it. The attempt can land no more, and the caller is not the holder.
    Refused(Refusal),
    /// Others wrote first, and nobody holds. The attempt can land no more; another one may.
    Contended,
    /// The attempt landed, and its lease is over already.
    Superseded,
    /// The store did nothing. The attempt did not land and never will.
    Failed,
    /// Nobody knows whether the attempt landed, or will.
    Indeterminate(Pending),
    /// The store answered what no correct one does. The caller is not the holder; if the attempt landed, it
    /// lapses by itself.
    Impossible(Impossible),
}

/// One attempt to become the holder: load, swap, and where the swap did not land, a look at why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Acquire {
    claim: Claim,
    grant: GrantId,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Stage {
    Load,
    Swap {
        swap: Swap,
        /// An earlier request of this attempt may be under way.
        again: bool,
    },
    Look {
        swap: Swap,
    },
}

impl Acquire {
    /// Begins an attempt. The grant is made for it, and used for no other.
    #[must_use]
    pub const fn new(claim: Claim, grant: GrantId) -> Self {
        Self { claim, grant, stage: Stage::Load }
    }

    /// Tries an attempt again of which nobody knows whether it landed: the same write, on the same version. So it
    /// lands once at most, however often it is sent.
    #[must_use]
    pub const fn retry(pending: Pending) -> Self {
        let stage = Stage::Swap { swap: *pending.swap(), again: true };
        Self { claim: *pending.claim(), grant: pending.grant(), stage }
    }

    /// Returns what to resolve if this machine is lost from now on, or `None` while nothing was sent that could
    /// land. A driver that may be cancelled keeps it before it awaits the answer.
    #[must_use]
    pub const fn pending(&self) -> Option<Pending> {
        match self.stage {
            Stage::Load => None,
            Stage::Swap { swap, .. } | Stage::Look { swap } => {
                Some(Pending::new(self.claim, self.grant, swap))
            }
        }
    }

    fn loaded(self, view: &View) -> Progress<Self, Acquired> {
        let command =
            Command::Acquire { grant: self.grant, holder: self.claim.holder(), ttl: self.claim.ttl() };
        match self.claim.check(view).and_then(|()| Swap::prepare(view, &command)) {
            Ok(swap) => Progress::Ask(Self { stage: Stage::Swap { swap, again: false }, ..self }),
            Err(why) => Progress::Done(Acquired::Refused(why)),
        }
    }

    fn landed(self, swap: &Swap, view: &View, sent: BootTime) -> Acquired {
        match swap.check_landed(view) {
            Ok(()) => {
                self.claim.granted(view, self.grant, sent).map_or(Acquired::Superseded, Acquired::Granted)
            }
            Err(why) => Acquired::Impossible(why),
        }
    }

    /// The swap met another version. That may be the work of an earlier copy of it.
    fn looked(self, pending: Pending, view: &View, sent: BootTime) -> Acquired {
        match pending.place(view) {
            Err(why) => Acquired::Impossible(why),
            Ok(Place::Before) => Acquired::Indeterminate(pending),
            Ok(Place::Landed) => {
                self.claim.granted(view, self.grant, sent).map_or(Acquired::Superseded, Acquired::Granted)
            }
            Ok(Place::Beyond | Place::Overtaken) => match view.standing() {
                Standing::Live { holder, remaining, .. } => {
                    Acquired::Refused(Refusal::Held { holder, remaining })
                }
                Standing::Reserved { to, remaining } if to != self.claim.holder() => {
                    Acquired::Refused(Refusal::Reserved { to, remaining })
                }
                Standing::Free | Standing::Reserved { .. } | Standing::Lapsed { .. } => Acquired::Contended,
            },
        }
    }
}

impl Machine for Acquire {
    type Outcome = Acquired;

    fn request(&self) -> Request<'_> {
        match &self.stage {
            Stage::Load | Stage::Look { .. } => Request::Load,
            Stage::Swap { swap, .. } => Request::Swap(swap),
        }
    }

    fn answer(self, sent: BootTime, answer: Answer) -> Progress<Self, Acquired> {
        match (self.stage, answer) {
            (Stage::Load, Answer::Loaded(view)) => self.loaded(&view),
            // A load that fails in any way did nothing.
            (Stage::Load, Answer::Failed | Answer::Unknown)
            | (Stage::Swap { again: false, .. }, Answer::Failed) => Progress::Done(Acquired::Failed),
            (Stage::Swap { swap, .. }, Answer::Landed(view)) => {
                Progress::Done(self.landed(&swap, &view, sent))
            }
            (Stage::Swap { swap, .. }, Answer::Conflict) => {
                Progress::Ask(Self { stage: Stage::Look { swap }, ..self })
            }
            (Stage::Look { swap }, Answer::Loaded(view)) => {
                Progress::Done(self.looked(Pending::new(self.claim, self.grant, swap), &view, sent))
            }
            (Stage::Swap { swap, .. } | Stage::Look { swap }, Answer::Failed | Answer::Unknown) => {
                Progress::Done(Acquired::Indeterminate(Pending::new(self.claim, self.grant, swap)))
            }
            (Stage::Load | Stage::Look { .. }, Answer::Landed(_) | Answer::Conflict)
            | (Stage::Swap { .. }, Answer::Loaded(_)) => {
                Progress::Done(Acquired::Impossible(Impossible::OtherRequest))
            }
        }
    }
}

//! `Resolve`: turns an unknown attempt into a known one.

use super::machine::ROUNDS;
use super::pending::Place;
use super::{
    Answer, BootTime, Command, Granted, Impossible, Machine, Pending, Progress, Refusal, Request, Swap, View,
};

/// What came of an attempt whose end nobody knew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use]
#[expect(clippy::exhaustive_enums, reason = "a caller must decide on every one")]
pub enum Resolved {
    /// It landed, and the caller is the holder.
    Granted(Granted),
    /// It did not land and never will, however late a copy of it arrives.
    NotGranted,
    /// It can land no more, and the caller is not the holder: its lease is over, or others came before it. Only a
    /// history of grants tells which.
    Superseded,
    /// It is as unknown as before.
    Indeterminate(Pending),
    /// It is as unknown as before, because no version is left to burn the old one with.
    Refused(Pending, Refusal),
    /// The store answered what no correct one does. It is as unknown as before.
    Impossible(Pending, Impossible),
}

/// The way from unknown to known: a look at the record, and where the attempt may land yet, a *burn*: a write
/// that changes only the version on which it would.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Resolve {
    pending: Pending,
    stage: Stage,
    rounds: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::large_enum_variant, reason = "without an allocator it cannot be boxed")]
enum Stage {
    Load,
    Burn(Swap),
}

impl Resolve {
    /// Begins to resolve.
    #[must_use]
    pub const fn new(pending: Pending) -> Self {
        Self { pending, stage: Stage::Load, rounds: 0 }
    }

    /// Returns the attempt: what to resolve if this machine is lost.
    pub const fn pending(&self) -> Pending {
        self.pending
    }

    fn loaded(self, view: &View, sent: BootTime) -> Progress<Self, Resolved> {
        let pending = self.pending;
        Progress::Done(match pending.place(view) {
            Err(why) => Resolved::Impossible(pending, why),
            Ok(Place::Landed) => pending
                .claim()
                .granted(view, pending.grant(), sent)
                .map_or(Resolved::Superseded, Resolved::Granted),
            Ok(Place::Beyond) => Resolved::NotGranted,
            Ok(Place::Overtaken) => Resolved::Superseded,
            Ok(Place::Before) if self.rounds >= ROUNDS => Resolved::Indeterminate(pending),
            Ok(Place::Before) => match Swap::prepare(view, &Command::Burn) {
                Ok(burn) => return Progress::Ask(Self { stage: Stage::Burn(burn), ..self }),
                Err(why) => Resolved::Refused(pending, why),
            },
        })
    }
}

impl Machine for Resolve {
    type Outcome = Resolved;

    fn request(&self) -> Request<'_> {
        match &self.stage {
            Stage::Load => Request::Load,
            Stage::Burn(burn) => Request::Swap(burn),
        }
    }

    fn answer(self, sent: BootTime, answer: Answer) -> Progress<Self, Resolved> {
        match (self.stage, answer) {
            (Stage::Load, Answer::Loaded(view)) => self.loaded(&view, sent),
            (Stage::Burn(burn), Answer::Landed(view)) => Progress::Done(match burn.check_landed(&view) {
                Ok(()) => Resolved::NotGranted,
                Err(why) => Resolved::Impossible(self.pending, why),
            }),
            (Stage::Burn(_), Answer::Conflict) => {
                Progress::Ask(Self { stage: Stage::Load, rounds: self.rounds.saturating_add(1), ..self })
            }
            // An unknown burn is repeated by resolving again: a second one is as good as the first.
            (Stage::Load | Stage::Burn(_), Answer::Failed | Answer::Unknown) => {
                Progress::Done(Resolved::Indeterminate(self.pending))
            }
            (Stage::Load, Answer::Landed(_) | Answer::Conflict) | (Stage::Burn(_), Answer::Loaded(_)) => {
                Progress::Done(Resolved::Impossible(self.pending, Impossible::OtherRequest))
            }
        }
    }
}

//! `Change`: what is done to a record that is there: renew, release, hand over, evict, recover.

use super::machine::ROUNDS;
use super::{Answer, BootTime, Command, Impossible, Machine, Progress, Refusal, Request, Swap, View};

/// What came of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use]
#[expect(clippy::exhaustive_enums, reason = "a caller must decide on every one")]
pub enum Changed {
    /// It landed.
    Done {
        /// What it left.
        view: View,
        /// When the request was sent that landed.
        sent: BootTime,
    },
    /// The record does not allow it, and nothing was written.
    Refused {
        /// Why.
        why: Refusal,
        /// What is there.
        view: View,
    },
    /// Others wrote first each time; nothing was written.
    Contended,
    /// The store did nothing.
    Failed,
    /// Nobody knows whether the change landed, or will. It may be asked for again.
    Indeterminate,
    /// The store answered what no correct one does.
    Impossible(Impossible),
}

/// A change to a record that is there: load, swap, and where others wrote first, once more.
///
/// Done twice, each of them is as good as done once, so that an unknown one is repeated and not resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Change {
    command: Command,
    stage: Stage,
    rounds: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::large_enum_variant, reason = "without an allocator it cannot be boxed")]
enum Stage {
    Load,
    Swap(Swap),
}

impl Change {
    /// Begins a change. An acquire is none: its attempt has an identity, and needs an [`Acquire`](super::Acquire).
    #[must_use]
    pub const fn new(command: Command) -> Self {
        Self { command, stage: Stage::Load, rounds: 0 }
    }

    fn loaded(self, view: View) -> Progress<Self, Changed> {
        if self.rounds >= ROUNDS {
            return Progress::Done(Changed::Contended);
        }
        match Swap::prepare(&view, &self.command) {
            Ok(swap) => Progress::Ask(Self { stage: Stage::Swap(swap), ..self }),
            Err(why) => Progress::Done(Changed::Refused { why, view }),
        }
    }
}

impl Machine for Change {
    type Outcome = Changed;

    fn request(&self) -> Request<'_> {
        match &self.stage {
            Stage::Load => Request::Load,
            Stage::Swap(swap) => Request::Swap(swap),
        }
    }

    fn answer(self, sent: BootTime, answer: Answer) -> Progress<Self, Changed> {
        match (self.stage, answer) {
            (Stage::Load, Answer::Loaded(view)) => self.loaded(view),
            (Stage::Load, Answer::Failed | Answer::Unknown) if self.rounds > 0 => {
                // The conflict may have been the work of an earlier copy of the same write.
                Progress::Done(Changed::Indeterminate)
            }
            (Stage::Load, Answer::Failed | Answer::Unknown) | (Stage::Swap(_), Answer::Failed) => {
                Progress::Done(Changed::Failed)
            }
            (Stage::Swap(swap), Answer::Landed(view)) => Progress::Done(match swap.check_landed(&view) {
                Ok(()) => Changed::Done { view, sent },
                Err(why) => Changed::Impossible(why),
            }),
            (Stage::Swap(_), Answer::Conflict) => {
                Progress::Ask(Self { stage: Stage::Load, rounds: self.rounds.saturating_add(1), ..self })
            }
            (Stage::Swap(_), Answer::Unknown) => Progress::Done(Changed::Indeterminate),
            (Stage::Load, Answer::Landed(_) | Answer::Conflict) | (Stage::Swap(_), Answer::Loaded(_)) => {
                Progress::Done(Changed::Impossible(Impossible::OtherRequest))
            }
        }
    }
}

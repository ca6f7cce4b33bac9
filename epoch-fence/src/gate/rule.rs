//! The gate's rule: what a token is worth, and what each event makes of a gate. Nowhere else is it written.
//!
//! Everything here is a pure total function of plain values. `judge` decides about a token; the word's
//! transitions are in the table of `word.rs`; [`step`] joins them to whole events, one after another. The
//! atomic [`Gate`](crate::Gate) calls the same parts, and does each whole event as a few atomic ones. Models
//! and tests call [`step`].

use super::limits::{MaxAdvance, MaxPermits};
use super::rejected::{AdoptError, Rejected};
use super::word::{Release, Word};
use crate::{Epoch, FencingToken, GrantId, RealmId, ResourceId};

/// What never changes about a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Terms {
    pub(super) resource: ResourceId,
    pub(super) max_advance: MaxAdvance,
    pub(super) max_permits: MaxPermits,
}

impl Terms {
    /// Makes the terms of a gate before `resource`, with the default limits.
    #[must_use]
    pub const fn new(resource: ResourceId) -> Self {
        Self { resource, max_advance: MaxAdvance::DEFAULT, max_permits: MaxPermits::DEFAULT }
    }

    /// Sets how far above the floor a token may be.
    #[must_use]
    pub const fn with_max_advance(mut self, max_advance: MaxAdvance) -> Self {
        self.max_advance = max_advance;
        self
    }

    /// Sets how many permits may be alive at one time.
    #[must_use]
    pub const fn with_max_permits(mut self, max_permits: MaxPermits) -> Self {
        self.max_permits = max_permits;
        self
    }
}

/// Whom a gate admits now. Written only by the one who installs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Tenure {
    pub(super) realm: RealmId,
    /// `None` until the first token of the realm.
    pub(super) admitted: Option<(Epoch, GrantId)>,
}

/// A gate at one moment, as one who asks can see it.
#[derive(Clone, Copy, Debug)]
pub(super) struct View {
    pub(super) word: Word,
    pub(super) floor: Epoch,
    /// Half old and half new, perhaps, while someone installs.
    pub(super) tenure: Tenure,
}

/// What a gate does about a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is of the current tenure.
    Admit,
    /// It is newer: raise the floor, close the gate, and install it when the last permit has gone.
    Advance,
    Refuse(Rejected),
}

pub(super) fn judge(terms: &Terms, view: &View, token: &FencingToken) -> Verdict {
    let epoch = token.epoch();
    let of_realm = token.realm() == view.tenure.realm;
    let current = view.tenure.admitted.filter(|(admitted, _)| *admitted == epoch);
    Verdict::Refuse(if token.resource() != terms.resource {
        Rejected::WrongResource
    } else if view.word.is_installing() {
        judge_installing(view, epoch, of_realm)
    } else if !of_realm {
        Rejected::WrongRealm
    } else if view.word.is_sealed() {
        Rejected::Sealed
    } else if epoch < view.floor {
        Rejected::Stale { floor: view.floor }
    } else if let Some((_, grant)) = current {
        if grant != token.grant() {
            Rejected::Conflict
        } else if view.word.is_closed() {
            // A gate closes for a newer epoch only, and `Stale` was the answer above.
            Rejected::Draining { in_flight: view.word.in_flight() }
        } else if view.word.count() >= terms.max_permits.get() {
            Rejected::TooManyPermits { limit: terms.max_permits.get() }
        } else {
            return Verdict::Admit;
        }
    } else {
        let ahead = epoch.get().saturating_sub(view.floor.get());
        let limit = terms.max_advance.above(view.floor);
        if ahead <= limit {
            return Verdict::Advance;
        }
        Rejected::TooFarAhead { ahead, limit }
    })
}

/// What can be said while the tenure is being written: less, and nothing for good that is not so.
///
/// Only a whole realm equals the token's, old or new; and the floor holds for both.
const fn judge_installing(view: &View, epoch: Epoch, of_realm: bool) -> Rejected {
    if view.word.is_sealed() {
        Rejected::Sealed
    } else if of_realm && epoch.get() < view.floor.get() {
        Rejected::Stale { floor: view.floor }
    } else {
        Rejected::Draining { in_flight: view.word.in_flight() }
    }
}

/// What a gate does about a realm that it is to adopt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Adoption {
    /// It is the gate's realm, and the floor is no higher than the gate's.
    Done,
    /// Raise the floor, close the gate, and write the realm when the last permit has gone.
    Advance,
    Refuse(AdoptError),
}

pub(super) fn judge_adoption(view: &View, realm: RealmId, floor: Epoch) -> Adoption {
    if view.word.is_sealed() {
        return Adoption::Refuse(AdoptError::Sealed);
    }
    if view.word.is_installing() {
        return Adoption::Refuse(AdoptError::Draining { in_flight: view.word.in_flight() });
    }
    let tenure = view.tenure;
    if tenure.realm == realm && floor <= view.floor {
        return Adoption::Done;
    }
    // Above what was admitted, so that a closed gate always waits for something newer.
    let least = match tenure.admitted {
        Some((admitted, _)) => match admitted.get().checked_add(1).and_then(Epoch::new) {
            Some(next) => view.floor.max(next),
            None => return Adoption::Refuse(AdoptError::Exhausted),
        },
        None => view.floor,
    };
    if floor < least { Adoption::Refuse(AdoptError::FloorTooLow { least }) } else { Adoption::Advance }
}

/// A gate between two events.
///
/// It is small and `Copy`, for a model checker's sake. Two equal states behave alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State {
    word: Word,
    floor: Epoch,
    pub(super) tenure: Tenure,
}

impl State {
    /// Makes the state of a new gate: nobody admitted, and nobody to be admitted below `floor`.
    #[must_use]
    pub const fn new(realm: RealmId, floor: Epoch) -> Self {
        Self { word: Word::NEW, floor, tenure: Tenure { realm, admitted: None } }
    }

    /// Makes the state of a gate that restarts, and had admitted this grant under the epoch of its floor.
    #[must_use]
    pub const fn resumed(realm: RealmId, floor: Epoch, grant: GrantId) -> Self {
        Self { word: Word::NEW.opened(), floor, tenure: Tenure { realm, admitted: Some((floor, grant)) } }
    }

    /// Makes the state of a gate that is kept outside of memory: closed unless it has admitted the epoch of its floor.
    #[cfg(feature = "file")]
    pub(super) fn kept(tenure: Tenure, floor: Epoch, in_flight: u32) -> Self {
        let open = tenure.admitted.is_some_and(|(epoch, _)| epoch == floor);
        let word = if open { Word::NEW.opened() } else { Word::NEW };
        Self { word: word.with_count(in_flight), floor, tenure }
    }

    /// Returns the least epoch that the gate admits.
    #[must_use]
    pub const fn floor(&self) -> Epoch {
        self.floor
    }

    /// Returns the realm whose tokens the gate admits.
    #[must_use]
    pub const fn realm(&self) -> RealmId {
        self.tenure.realm
    }

    /// Returns the epoch and the grant that the gate admitted last, in its realm.
    #[must_use]
    pub const fn admitted(&self) -> Option<(Epoch, GrantId)> {
        self.tenure.admitted
    }

    /// Returns how many permits are alive that were not abandoned.
    #[must_use]
    pub const fn in_flight(&self) -> u32 {
        self.word.in_flight()
    }

    /// Returns whether the gate waits for something newer than what it admitted last.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        self.word.is_closed()
    }

    /// Returns whether the gate was sealed.
    #[must_use]
    pub const fn is_sealed(&self) -> bool {
        self.word.is_sealed()
    }

    pub(super) const fn view(&self) -> View {
        View { word: self.word, floor: self.floor, tenure: self.tenure }
    }
}

/// What happens to a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Event {
    /// A token arrives and asks for a permit.
    Enter(FencingToken),
    /// A permit is dropped, which was given under this ticket.
    Release(Ticket),
    /// The gate is sealed.
    Seal,
    /// The operator abandons the permits that are alive.
    Abandon,
    /// The operator has the gate adopt a realm.
    Adopt {
        /// The realm.
        realm: RealmId,
        /// The least epoch that will be admitted.
        floor: Epoch,
    },
}

/// What a permit remembers, so that the gate knows at its end whether it was abandoned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket {
    pub(super) generation: u64,
}

/// What a gate answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Answer {
    /// A permit was given.
    Admitted(Ticket),
    /// No permit was given.
    Rejected(Rejected),
    /// The permit is gone.
    Released,
    /// The permit had been abandoned, and nothing changed.
    WasAbandoned,
    /// There was no such permit. Never the answer to a ticket that is released once.
    Impossible,
    /// The gate is sealed, and this many permits are still alive.
    Sealed(u32),
    /// This many permits were abandoned.
    Abandoned(u32),
    /// The gate is of that realm, with that floor or a higher one.
    Adopted,
    /// The gate keeps its realm.
    NotAdopted(AdoptError),
}

/// One event, from its beginning to its end.
#[must_use]
pub fn step(terms: &Terms, mut state: State, event: Event) -> (State, Answer) {
    let answer = match event {
        Event::Enter(token) => match judge(terms, &state.view(), &token) {
            Verdict::Refuse(why) => Answer::Rejected(why),
            Verdict::Admit => {
                state.word = state.word.entered();
                Answer::Admitted(Ticket { generation: state.word.generation() })
            }
            Verdict::Advance => match claim(&mut state, token.epoch()) {
                Err(Unclaimed::Draining { in_flight }) => Answer::Rejected(Rejected::Draining { in_flight }),
                Err(Unclaimed::Exhausted) => Answer::Rejected(Rejected::Sealed),
                Ok(()) => {
                    state.tenure.admitted = Some((token.epoch(), token.grant()));
                    state.word = state.word.opened();
                    Answer::Admitted(Ticket { generation: state.word.generation() })
                }
            },
        },
        Event::Release(ticket) => match state.word.released(ticket.generation) {
            Release::To(word) => {
                state.word = word;
                Answer::Released
            }
            Release::Abandoned => Answer::WasAbandoned,
            Release::Impossible => Answer::Impossible,
        },
        Event::Seal => {
            state.word = state.word.sealed();
            Answer::Sealed(state.word.in_flight())
        }
        Event::Abandon => match state.word.abandoned() {
            Some((word, permits)) => {
                state.word = word;
                Answer::Abandoned(permits)
            }
            None => Answer::Abandoned(0),
        },
        Event::Adopt { realm, floor } => match judge_adoption(&state.view(), realm, floor) {
            Adoption::Done => Answer::Adopted,
            Adoption::Refuse(why) => Answer::NotAdopted(why),
            Adoption::Advance => match claim(&mut state, floor) {
                Err(Unclaimed::Draining { in_flight }) => {
                    Answer::NotAdopted(AdoptError::Draining { in_flight })
                }
                Err(Unclaimed::Exhausted) => Answer::NotAdopted(AdoptError::Sealed),
                Ok(()) => {
                    state.tenure = Tenure { realm, admitted: None };
                    state.word = state.word.yielded();
                    Answer::Adopted
                }
            },
        },
    };
    (state, answer)
}

/// Why a newer tenure cannot be installed now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unclaimed {
    Draining {
        in_flight: u32,
    },
    /// The generations are used up; the gate seals itself.
    Exhausted,
}

/// What becomes of a word when something newer than its tenure arrives: claimed, or closed with the reason.
pub(super) const fn claim_word(word: Word) -> Result<Word, (Word, Unclaimed)> {
    match word.claimed() {
        Some(claimed) => Ok(claimed),
        None if word.is_exhausted() => Err((word.closed().sealed(), Unclaimed::Exhausted)),
        None => Err((word.closed(), Unclaimed::Draining { in_flight: word.in_flight() })),
    }
}

fn claim(state: &mut State, floor: Epoch) -> Result<(), Unclaimed> {
    state.floor = state.floor.max(floor);
    match claim_word(state.word) {
        Ok(word) => {
            state.word = word;
            Ok(())
        }
        Err((word, why)) => {
            state.word = word;
            Err(why)
        }
    }
}

/// What is true of a gate between any two events.
#[must_use]
pub fn invariant(terms: &Terms, state: &State) -> bool {
    let word = state.word;
    // Whoever was admitted last is at the floor while the gate is open, and below it once it has closed.
    let floor_holds = match state.tenure.admitted {
        Some((epoch, _)) if word.is_closed() => epoch < state.floor,
        Some((epoch, _)) => epoch == state.floor,
        None => word.is_closed() && word.count() == 0,
    };
    floor_holds && !word.is_installing() && word.count() <= terms.max_permits.get()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_invariant_is_true_of_what_steps_lead_to_and_of_nothing_else() {
        let (realm, grant) = (RealmId::from_random_bits(1).unwrap(), GrantId::from_random_bits(2).unwrap());
        let terms = Terms::new(ResourceId::from_bytes([7; 32])).with_max_permits(MaxPermits::new(2).unwrap());
        let epoch = |number| Epoch::new(number).unwrap();
        let new = State::new(realm, epoch(5));
        let open = State::resumed(realm, epoch(5), grant);
        let with = |state: State, word: Word, floor| State { word, floor: epoch(floor), ..state };
        let inside = |word: Word, permits| Word::new(word.bits() | permits);
        let claimed = Word::NEW.claimed().unwrap();
        let rows = [
            (new, true, "a new gate"),
            (open, true, "one that has admitted the epoch of its floor"),
            (with(open, inside(open.word, 2), 5), true, "with as many permits as may be"),
            (with(open, inside(open.word.closed(), 2), 6), true, "closed for something newer"),
            (with(open, open.word.sealed(), 5), true, "sealed"),
            (with(new, open.word, 5), false, "open, and nobody was admitted"),
            (with(new, inside(Word::NEW, 1), 5), false, "a permit, and nobody was admitted"),
            (with(open, open.word, 6), false, "open below its floor"),
            (with(open, open.word, 4), false, "open above its floor"),
            (with(open, open.word.closed(), 5), false, "closed for what it has admitted"),
            (with(open, open.word.closed(), 4), false, "closed for something older"),
            (with(open, inside(open.word, 3), 5), false, "with more permits than may be"),
            (with(open, claimed, 6), false, "between two events nobody installs"),
        ];
        for (state, holds, what) in rows {
            assert_eq!(invariant(&terms, &state), holds, "{what}");
        }
    }

    /// The tenure is then half of one and half of another.
    #[test]
    fn while_a_tenure_is_written_nothing_is_said_for_good_but_what_holds_for_both() {
        let (realm, resource) = (RealmId::from_random_bits(1).unwrap(), ResourceId::from_bytes([7; 32]));
        let grant = GrantId::from_random_bits(2).unwrap();
        let epoch = |number| Epoch::new(number).unwrap();
        let word = Word::NEW.claimed().unwrap();
        let judged = |word, bits, number| {
            let tenure = Tenure { realm, admitted: Some((epoch(5), grant)) };
            let token =
                FencingToken::new(RealmId::from_random_bits(bits).unwrap(), resource, epoch(number), grant);
            judge(&Terms::new(resource), &View { word, floor: epoch(6), tenure }, &token)
        };
        let draining = Verdict::Refuse(Rejected::Draining { in_flight: 0 });
        assert_eq!(judged(word, 1, 5), Verdict::Refuse(Rejected::Stale { floor: epoch(6) }));
        for (bits, number) in [(1, 6), (1, 7), (2, 5), (2, 6), (2, 7)] {
            assert_eq!(judged(word, bits, number), draining, "realm {bits}, epoch {number}");
        }
        assert_eq!(judged(word.sealed(), 1, 5), Verdict::Refuse(Rejected::Sealed));
        assert_eq!(judged(word.sealed(), 2, 7), Verdict::Refuse(Rejected::Sealed));
        let adopted = |word| {
            let tenure = Tenure { realm, admitted: Some((epoch(5), grant)) };
            judge_adoption(&View { word, floor: epoch(6), tenure }, realm, epoch(6))
        };
        assert_eq!(adopted(word), Adoption::Refuse(AdoptError::Draining { in_flight: 0 }));
        assert_eq!(adopted(word.sealed()), Adoption::Refuse(AdoptError::Sealed));
        assert_eq!(adopted(Word::NEW), Adoption::Done);
    }

    /// Every generation but the last, which has 39 bits.
    const SPENT: u64 = ((1 << 39) - 1) << 22;

    #[test]
    fn a_gate_whose_generations_are_used_up_seals_itself_at_the_next_tenure() {
        let (realm, resource) = (RealmId::from_random_bits(1).unwrap(), ResourceId::from_bytes([7; 32]));
        let grant = GrantId::from_random_bits(2).unwrap();
        let epoch = |number| Epoch::new(number).unwrap();
        let (terms, open) = (Terms::new(resource), State::resumed(realm, epoch(5), grant));
        let last = State { word: Word::new(SPENT), ..open };
        let token = |number| FencingToken::new(realm, resource, epoch(number), grant);
        let ticket = Ticket { generation: SPENT >> 22 };
        let (state, answer) = step(&terms, last, Event::Enter(token(5)));
        assert_eq!(answer, Answer::Admitted(ticket), "the tenure that is there goes on");
        assert_eq!(step(&terms, state, Event::Abandon).1, Answer::Abandoned(0), "it would begin another");
        let other = RealmId::from_random_bits(3).unwrap();
        let rows = [
            (Event::Enter(token(6)), Answer::Rejected(Rejected::Sealed)),
            (Event::Adopt { realm: other, floor: epoch(6) }, Answer::NotAdopted(AdoptError::Sealed)),
        ];
        for (event, refused) in rows {
            let (state, answer) = step(&terms, last, event);
            assert_eq!((answer, state.is_sealed(), state.floor()), (refused, true, epoch(6)));
        }
        // One below, there is one left.
        let before = State { word: Word::new(SPENT - (1 << 22)), ..open };
        let (state, answer) = step(&terms, before, Event::Enter(token(6)));
        assert_eq!((answer, state.is_sealed()), (Answer::Admitted(ticket), false));
    }

    #[test]
    fn a_permit_that_was_never_given_is_not_given_back() {
        let (realm, resource) = (RealmId::from_random_bits(1).unwrap(), ResourceId::from_bytes([7; 32]));
        let (terms, grant) = (Terms::new(resource), GrantId::from_random_bits(2).unwrap());
        let open = State::resumed(realm, Epoch::FIRST, grant);
        let release = |generation| step(&terms, open, Event::Release(Ticket { generation }));
        assert_eq!(release(0), (open, Answer::Impossible));
        assert_eq!(release(1), (open, Answer::WasAbandoned));
    }
}

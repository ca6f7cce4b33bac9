//! Every order of events at a gate of a small world, beside a naive gate written from the words of the docs.
//!
//! The world: epochs 1 to 4 and the greatest there is, two grants, two realms, two resources, two permits at
//! once, two tenures of advance, one abandonment. The search ends by itself: it visits every state that can be
//! reached, and in each tries every event.
#![cfg(test)] // so that the lints know helper functions for what they are
#![expect(clippy::arithmetic_side_effects, reason = "a test that overflows fails")]

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use std::collections::HashSet;

use super::limits::{MaxAdvance, MaxPermits};
use super::rejected::{AdoptError, Rejected};
use super::rule::{Answer, Event, State, Terms, Ticket, invariant, step};
use crate::{Epoch, FencingToken, GrantId, RealmId, ResourceId};

const MAX_PERMITS: usize = 2;
const MAX_ADVANCE: u64 = 2;
const RESOURCE: ResourceId = ResourceId::from_bytes([7; 32]);

/// A permit, and whether it was abandoned.
type Alive = (Ticket, FencingTokenKey, bool);
/// Realm, epoch, grant.
type FencingTokenKey = (u128, u64, u128);

#[derive(Clone)]
struct World {
    gate: State,
    realm: u128,
    floor: u64,
    admitted: Option<(u64, u128)>,
    sealed: bool,
    alive: Vec<Alive>,
    abandonments: u32,
}

/// All of a world on which its future depends. Generations are left out: a permit's is the gate's, or else it
/// was abandoned.
type Key = (u128, u64, Option<(u64, u128)>, bool, bool, Vec<bool>, u32);

impl World {
    fn key(&self) -> Key {
        let alive = self.alive.iter().map(|(_, _, abandoned)| *abandoned).collect();
        let closed = self.gate.is_closed();
        (self.realm, self.floor, self.admitted, closed, self.sealed, alive, self.abandonments)
    }

    fn counted(&self) -> usize {
        self.alive.iter().filter(|(_, _, abandoned)| !abandoned).count()
    }

    /// What the docs say about a token.
    fn expected(&self, resource: ResourceId, (realm, epoch, grant): FencingTokenKey) -> Result<(), Rejected> {
        let in_flight = u32::try_from(self.counted()).unwrap();
        let floor = Epoch::new(self.floor).unwrap();
        if resource != RESOURCE {
            return Err(Rejected::WrongResource);
        }
        if realm != self.realm {
            return Err(Rejected::WrongRealm);
        }
        if self.sealed {
            return Err(Rejected::Sealed);
        }
        if epoch < self.floor {
            return Err(Rejected::Stale { floor });
        }
        match self.admitted {
            Some((current, other)) if current == epoch && other != grant => Err(Rejected::Conflict),
            Some((current, _)) if current == epoch && self.counted() == MAX_PERMITS => {
                Err(Rejected::TooManyPermits { limit: 2 })
            }
            Some((current, _)) if current == epoch => Ok(()),
            _ if epoch - self.floor > MAX_ADVANCE => {
                Err(Rejected::TooFarAhead { ahead: epoch - self.floor, limit: MAX_ADVANCE })
            }
            _ if in_flight > 0 => Err(Rejected::Draining { in_flight }),
            _ => Ok(()),
        }
    }

    fn enter(&mut self, terms: &Terms, resource: ResourceId, key: FencingTokenKey) -> &'static str {
        let (realm, epoch, grant) = key;
        let expected = self.expected(resource, key);
        let before = self.gate;
        let token = FencingToken::new(
            RealmId::from_random_bits(realm).unwrap(),
            resource,
            Epoch::new(epoch).unwrap(),
            GrantId::from_random_bits(grant).unwrap(),
        );
        let (after, answer) = step(terms, before, Event::Enter(token));
        self.gate = after;
        match (answer, expected) {
            (Answer::Admitted(ticket), Ok(())) => {
                let others = self.alive.iter().filter(|(_, _, abandoned)| !abandoned);
                for (_, other, _) in others {
                    assert_eq!(*other, key, "a permit of another tenure is alive");
                }
                self.floor = epoch;
                self.admitted = Some((epoch, grant));
                self.alive.push((ticket, key, false));
                "admitted"
            }
            (Answer::Rejected(why), Err(expected)) => {
                assert_eq!(why, expected);
                if let Rejected::Draining { .. } = why {
                    self.floor = epoch;
                } else {
                    assert_eq!(before, after, "refused, and yet changed: {why:?}");
                }
                match why {
                    Rejected::Draining { .. } => "draining",
                    Rejected::Stale { .. } => "stale",
                    Rejected::Conflict => "conflict",
                    Rejected::TooFarAhead { .. } => "too far ahead",
                    Rejected::TooManyPermits { .. } => "too many permits",
                    Rejected::Sealed => "sealed",
                    Rejected::WrongRealm => "wrong realm",
                    Rejected::WrongResource => "wrong resource",
                }
            }
            (answer, expected) => panic!("{answer:?}, expected {expected:?} of {key:?} at {before:?}"),
        }
    }

    fn release(&mut self, terms: &Terms, place: usize) -> &'static str {
        let (ticket, _, abandoned) = self.alive.remove(place);
        let before = self.gate;
        let (after, answer) = step(terms, before, Event::Release(ticket));
        self.gate = after;
        if abandoned {
            assert_eq!((answer, after), (Answer::WasAbandoned, before));
            "released an abandoned one"
        } else {
            assert_eq!(answer, Answer::Released);
            "released"
        }
    }

    fn adopt(&mut self, terms: &Terms, realm: u128, floor: u64) -> &'static str {
        let in_flight = u32::try_from(self.counted()).unwrap();
        let least = self.floor.max(self.admitted.map_or(0, |(epoch, _)| epoch + 1));
        let event = Event::Adopt {
            realm: RealmId::from_random_bits(realm).unwrap(),
            floor: Epoch::new(floor).unwrap(),
        };
        let before = self.gate;
        let (after, answer) = step(terms, before, event);
        self.gate = after;
        if self.sealed {
            assert_eq!((answer, after), (Answer::NotAdopted(AdoptError::Sealed), before));
            "not adopted"
        } else if realm == self.realm && floor <= self.floor {
            assert_eq!((answer, after), (Answer::Adopted, before));
            "adopted again"
        } else if floor < least {
            let least = Epoch::new(least).unwrap();
            assert_eq!((answer, after), (Answer::NotAdopted(AdoptError::FloorTooLow { least }), before));
            "floor too low"
        } else if in_flight > 0 {
            assert_eq!(answer, Answer::NotAdopted(AdoptError::Draining { in_flight }));
            self.floor = floor;
            "adoption drains"
        } else {
            assert_eq!(answer, Answer::Adopted);
            (self.realm, self.floor, self.admitted) = (realm, floor, None);
            "adopted"
        }
    }

    fn seal(&mut self, terms: &Terms) -> &'static str {
        let (after, answer) = step(terms, self.gate, Event::Seal);
        assert_eq!(answer, Answer::Sealed(u32::try_from(self.counted()).unwrap()));
        (self.gate, self.sealed) = (after, true);
        "seal"
    }

    fn abandon(&mut self, terms: &Terms) -> &'static str {
        let (after, answer) = step(terms, self.gate, Event::Abandon);
        assert_eq!(answer, Answer::Abandoned(u32::try_from(self.counted()).unwrap()));
        self.gate = after;
        self.abandonments += 1;
        self.alive.iter_mut().for_each(|(_, _, abandoned)| *abandoned = true);
        "abandoned"
    }

    fn check(&self, terms: &Terms) {
        assert!(invariant(terms, &self.gate), "{:?}", self.gate);
        assert_eq!(self.gate.floor().get(), self.floor);
        assert_eq!(self.gate.realm().get(), self.realm);
        assert_eq!(self.gate.admitted().map(|(epoch, grant)| (epoch.get(), grant.get())), self.admitted);
        assert_eq!(usize::try_from(self.gate.in_flight()).unwrap(), self.counted());
        assert_eq!(self.gate.is_sealed(), self.sealed);
    }
}

#[test]
fn in_every_reachable_state_every_event_keeps_every_promise() {
    let terms = Terms::new(RESOURCE)
        .with_max_advance(MaxAdvance::AtMost(MAX_ADVANCE))
        .with_max_permits(MaxPermits::new(2).unwrap());
    let start = World {
        gate: State::new(RealmId::from_random_bits(1).unwrap(), Epoch::FIRST),
        realm: 1,
        floor: 1,
        admitted: None,
        sealed: false,
        alive: Vec::new(),
        abandonments: 0,
    };
    let (mut seen, mut queue, mut outcomes) = (HashSet::new(), alloc::vec![start], BTreeSet::new());
    let mut events = 0_u64;
    while let Some(world) = queue.pop() {
        if !seen.insert(world.key()) {
            continue;
        }
        world.check(&terms);
        let mut go = |event: &mut dyn FnMut(&mut World) -> &'static str| {
            let mut next = world.clone();
            outcomes.insert(event(&mut next));
            assert!(next.floor >= world.floor, "the floor fell");
            next.alive.sort_by_key(|(_, _, abandoned)| *abandoned);
            events += 1;
            if !seen.contains(&next.key()) {
                queue.push(next);
            }
        };
        for epoch in [1, 2, 3, 4, u64::MAX] {
            for (realm, grant) in [(1, 1), (1, 2), (2, 1)] {
                go(&mut |next| next.enter(&terms, RESOURCE, (realm, epoch, grant)));
            }
            go(&mut |next| next.enter(&terms, ResourceId::from_bytes([8; 32]), (1, epoch, 1)));
            if epoch < u64::MAX {
                go(&mut |next| next.adopt(&terms, 1, epoch));
                go(&mut |next| next.adopt(&terms, 2, epoch));
            }
        }
        for place in 0..world.alive.len() {
            go(&mut |next| next.release(&terms, place));
        }
        go(&mut |next| next.seal(&terms)); // also one that is sealed
        if world.abandonments == 0 {
            go(&mut |next| next.abandon(&terms));
        }
    }
    std::println!("{} states, {events} events: {outcomes:?}", seen.len());
    assert_eq!(outcomes.len(), 18, "{outcomes:?}");
}

#[test]
fn a_gate_that_used_up_its_generations_seals_itself() {
    use super::word::{Release, Word};

    // All generations gone, nobody inside, closed: the state before the install that cannot be told apart.
    let last = Word::new((((1 << 39) - 1) << 22) | (1 << 63));
    assert!(last.is_exhausted() && last.claimed().is_none());
    let (word, _) = super::rule::claim_word(last).unwrap_err();
    assert!(word.is_sealed() && word.is_closed());
    assert_eq!((word.generation(), last.generation()), ((1 << 39) - 1, (1 << 39) - 1), "it did not wrap");
    // And its permits are not abandoned, since their generation could not be told from the next.
    let inside = Word::new(last.bits() | 3);
    assert_eq!(inside.abandoned(), None);
    assert!(matches!(inside.released(inside.generation()), Release::To(word) if word.count() == 2));
}

#[test]
fn a_count_that_was_never_taken_cannot_be_given_back() {
    use super::word::{Release, Word};

    assert_eq!(Word::NEW.released(0), Release::Impossible);
    let installing = Word::NEW.claimed().unwrap();
    assert_eq!(installing.released(installing.generation()), Release::Impossible, "the claim's own place");
    assert_eq!(installing.yielded(), Word::new(Word::NEW.bits() + (1 << 22)));
    assert_eq!(installing.abandoned(), None, "the claim's own place is not abandoned either");
    assert_eq!(Word::NEW.abandoned(), None, "no generation is used up where nobody is inside");
}

#[test]
fn a_gate_whose_invariant_does_not_hold_counts_it_and_seals_itself() {
    let realm = RealmId::from_random_bits(1).unwrap();
    let gate = super::Gate::new(realm, RESOURCE, Epoch::FIRST);
    gate.release(super::word::Word::NEW); // of a permit that there never was
    let seen = gate.snapshot();
    assert_eq!((seen.impossible, seen.sealed), (1, true));
    let token = FencingToken::new(realm, RESOURCE, Epoch::FIRST, GrantId::from_random_bits(1).unwrap());
    assert_eq!(gate.enter(&token).map(drop), Err(Rejected::Sealed));
}

#[cfg(feature = "file")]
#[test]
fn a_count_that_is_taken_over_leaves_half_of_its_field_to_those_about_to_be_refused() {
    use super::word::Word;

    let half = 1 << 21;
    for (count, taken) in
        [(0, 0), (1, 1), (half - 1, half - 1), (half, half), (half + 1, half), (u32::MAX, half)]
    {
        let word = Word::NEW.with_count(7).with_count(count);
        assert_eq!((word.count(), word.is_closed(), word.generation()), (taken, true, 0), "{count}");
    }
}

#[test]
fn nobody_is_let_in_where_anything_but_the_count_has_changed_since_the_token_was_judged() {
    use super::word::Word;

    let judged = Word::NEW.opened();
    assert!(judged.lets_in(judged) && judged.entered().entered().lets_in(judged));
    let later = judged.closed().claimed().unwrap();
    for found in [judged.closed(), judged.sealed(), later, later.opened(), later.yielded()] {
        assert!(!found.lets_in(judged), "{found:?}");
        assert!(!found.entered().lets_in(judged), "{found:?}");
    }
}

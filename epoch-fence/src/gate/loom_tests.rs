//! Every interleaving, and every stale value that the memory model allows.
//!
//! Two kinds of observers. A [`Flag`] is an atomic of loom's, written and read `Relaxed`: only the gate can make
//! it visible. An [`Observer`] is a real atomic, which loom does not see: it says what is the case at this point
//! of the execution that loom runs, and adds no ordering to it. Two threads run unbounded where that ends within
//! a second, else with three or four preemptions; three threads with one.
//!
//! ```text
//! RUSTFLAGS="--cfg loom" CARGO_TARGET_DIR=target/loom cargo test -p epoch-fence --lib --release loom_tests
//! ```
#![cfg(test)] // so that the lints know helper functions for what they are

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::sync::Arc;
use std::sync::Mutex;

use clock_testing::{Preemptions, explore};
use loom::thread;

use super::{AdoptError, Gate, MaxPermits, Rejected};
use crate::sync::{AtomicU64, Ordering};
use crate::{Epoch, FencingToken, GrantId, RealmId, ResourceId};

/// A flag that orders nothing itself.
struct Flag(AtomicU64);

impl Flag {
    fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    fn raise(&self) {
        // ORDERING: Relaxed. Nothing is published: the test asks what the gate publishes. Not library code.
        self.0.store(1, Ordering::Relaxed);
    }

    fn is_up(&self) -> bool {
        // ORDERING: Relaxed. Nothing is published: the test asks what the gate publishes. Not library code.
        self.0.load(Ordering::Relaxed) == 1
    }
}

/// What is the case at this point of the execution: permits alive by epoch, and the newest ever admitted.
#[derive(Default)]
struct Observer(Mutex<(BTreeSet<u64>, u64)>);

impl Observer {
    /// Notes that a permit was given, and that nothing newer ever was, nor anything older is alive.
    fn admitted(&self, epoch: u64) {
        let (alive, newest) = &mut *self.0.lock().unwrap();
        *newest = epoch.max(*newest);
        alive.insert(epoch);
        Self::look(alive, *newest);
    }

    fn still(&self) {
        let (alive, newest) = &*self.0.lock().unwrap();
        Self::look(alive, *newest);
    }

    fn ends(&self, epoch: u64) {
        let (alive, newest) = &mut *self.0.lock().unwrap();
        Self::look(alive, *newest);
        alive.remove(&epoch);
    }

    fn look(alive: &BTreeSet<u64>, newest: u64) {
        assert!(alive.iter().all(|&epoch| epoch == newest), "{alive:?} alive, {newest} was admitted");
    }
}

/// What was seen over all executions, so that a test can say that its model is not empty.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<BTreeSet<String>>>);

impl Seen {
    fn note(&self, what: impl Into<String>) {
        self.0.lock().unwrap().insert(what.into());
    }

    #[track_caller]
    fn must_hold(&self, wanted: &[&str]) {
        let seen = self.0.lock().unwrap();
        for what in wanted {
            assert!(seen.contains(*what), "no execution with {what:?} among {seen:?}");
        }
    }
}

const REALM: u128 = 1;

fn token_of(realm: u128, epoch: u64, grant: u128) -> FencingToken {
    FencingToken::new(
        RealmId::from_random_bits(realm).unwrap(),
        ResourceId::from_bytes([7; 32]),
        Epoch::new(epoch).unwrap(),
        GrantId::from_random_bits(grant).unwrap(),
    )
}

/// The one token of an epoch that an honest issuer gave out.
fn token(epoch: u64) -> FencingToken {
    token_of(REALM, epoch, u128::from(epoch) << 64 | u128::from(epoch))
}

/// A gate that has admitted epoch 1, with nobody inside.
fn gate_at_one() -> Gate {
    let gate = Gate::new(token(1).realm(), token(1).resource(), Epoch::FIRST);
    drop(gate.enter(&token(1)).unwrap());
    gate
}

fn name(answer: &Result<impl Sized, Rejected>) -> &'static str {
    match answer {
        Ok(_) => "admitted",
        Err(Rejected::Stale { .. }) => "stale",
        Err(Rejected::Conflict) => "conflict",
        Err(Rejected::Draining { in_flight: 0 }) => "installing",
        Err(Rejected::Draining { .. }) => "draining",
        Err(Rejected::Sealed) => "sealed",
        Err(Rejected::WrongRealm) => "wrong realm",
        Err(Rejected::TooManyPermits { .. }) => "too many",
        Err(_) => "other",
    }
}

/// Whoever is left when all is over can go on: no count is lost, none is left behind.
fn assert_sound(gate: &Gate, next: u64) {
    let snapshot = gate.snapshot();
    assert_eq!((snapshot.in_flight, snapshot.impossible), (0, 0), "{snapshot:?}");
    assert!(gate.enter(&token(next)).is_ok(), "the gate is stuck: {snapshot:?}");
}

/// Each token once through the gate, each on a thread of its own but the first.
fn race(bound: Preemptions, least: usize, tokens: &'static [FencingToken]) -> Seen {
    let seen = Seen::default();
    let notes = seen.clone();
    explore(bound, least, move || {
        let shared = Arc::new((gate_at_one(), Observer::default(), Flag::new()));
        let visit = |shared: &(Gate, Observer, Flag), token: &FencingToken| {
            let (gate, observer, flag) = shared;
            let epoch = token.epoch().get();
            let answer = gate.enter(token).map(|permit| {
                observer.admitted(epoch);
                // Somewhere to be preempted with the permit in hand.
                let _ = flag.is_up();
                observer.still();
                let _ = flag.is_up();
                observer.ends(epoch);
                drop(permit);
            });
            (epoch, name(&answer))
        };
        let others: alloc::vec::Vec<_> = tokens[1..]
            .iter()
            .map(|token| {
                let shared = Arc::clone(&shared);
                thread::spawn(move || visit(&shared, token))
            })
            .collect();
        let mut answers = alloc::vec![visit(&shared, &tokens[0])];
        answers.extend(others.into_iter().map(|other| other.join().unwrap()));
        for (epoch, answer) in &answers {
            notes.note(alloc::format!("{epoch} {answer}"));
        }
        notes.note(alloc::format!("{answers:?}"));
        assert_sound(&shared.0, 9);
    });
    seen
}

/// `static` tokens for [`race`].
fn tokens<const N: usize>(tokens: [FencingToken; N]) -> &'static [FencingToken] {
    alloc::boxed::Box::leak(alloc::boxed::Box::new(tokens))
}

#[test]
fn no_older_permit_is_alive_or_made_beside_a_newer_one() {
    race(Preemptions::AtMost(3), 150, tokens([token(1), token(2)])).must_hold(&[
        "1 admitted",
        "1 stale",
        "2 admitted",
        "2 draining",
        "[(1, \"admitted\"), (2, \"admitted\")]",
    ]);
}

#[test]
fn two_newer_tokens_are_admitted_in_order_or_not_at_all() {
    race(Preemptions::AtMost(3), 15_000, tokens([token(2), token(3)])).must_hold(&[
        "2 admitted",
        "2 stale",
        "3 admitted",
        "3 draining",
        "[(2, \"admitted\"), (3, \"admitted\")]",
    ]);
}

#[test]
fn three_epochs_at_once_are_admitted_in_order_or_not_at_all() {
    // Three threads with as many calls each: at most one preemption.
    race(Preemptions::AtMost(1), 50_000, tokens([token(1), token(2), token(3)])).must_hold(&[
        "1 admitted",
        "2 admitted",
        "3 admitted",
        "1 stale",
        "2 stale",
        "2 draining",
        "3 draining",
    ]);
}

#[test]
fn two_callers_with_one_token_share_its_epoch() {
    let seen = race(Preemptions::AtMost(3), 10_000, tokens([token(2), token(2)]));
    seen.must_hold(&["2 admitted", "2 installing", "[(2, \"admitted\"), (2, \"admitted\")]"]);
    // Nobody is in the other's way: one who finds the gate open finds its own tenure there.
    for wrong in ["2 conflict", "2 stale", "2 draining"] {
        assert!(!seen.0.lock().unwrap().contains(wrong), "{wrong}");
    }
}

#[test]
fn of_two_grants_under_one_epoch_one_is_admitted() {
    let seen = race(Preemptions::AtMost(3), 10_000, tokens([token(2), token_of(REALM, 2, 99)]));
    seen.must_hold(&["2 admitted", "2 conflict"]);
    assert!(!seen.0.lock().unwrap().contains("[(2, \"admitted\"), (2, \"admitted\")]"));
}

#[test]
fn a_newer_holder_sees_what_an_older_one_did() {
    let seen = Seen::default();
    let notes = seen.clone();
    explore(Preemptions::AtMost(3), 5_000, move || {
        let shared = Arc::new((gate_at_one(), Flag::new()));
        let older = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.0.run(&token(1), |_| shared.1.raise()).is_ok())
        };
        let saw = shared.0.run(&token(2), |_| shared.1.is_up());
        let acted = older.join().unwrap();
        notes.note(alloc::format!("{acted} {}", name(&saw)));
        if acted && let Ok(saw) = saw {
            assert!(saw, "admitted under a newer epoch, and blind for what an older one did");
        }
        assert_sound(&shared.0, 9);
    });
    seen.must_hold(&["true admitted", "false admitted", "true draining"]);
}

#[test]
fn who_enters_a_tenure_that_another_installed_sees_what_was_done_before_it() {
    let seen = Seen::default();
    let notes = seen.clone();
    explore(Preemptions::AtMost(3), 40_000, move || {
        let shared = Arc::new((gate_at_one(), Flag::new()));
        let installer = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                let acted = shared.0.run(&token(1), |_| shared.1.raise()).is_ok();
                let permit = shared.0.enter(&token(2)).map(core::mem::forget);
                (acted, permit.is_ok())
            })
        };
        let saw = shared.0.run(&token(2), |_| shared.1.is_up());
        let (acted, installed) = installer.join().unwrap();
        if acted && let Ok(saw) = saw {
            notes.note(alloc::format!("entered, the other as well: {installed}"));
            assert!(saw, "admitted under a newer epoch, and blind for what an older one did");
        }
    });
    seen.must_hold(&["entered, the other as well: true"]);
}

#[test]
fn older_tokens_are_stale_while_their_permits_drain() {
    let seen = Seen::default();
    let notes = seen.clone();
    explore(Preemptions::AtMost(4), 6_000, move || {
        let shared = Arc::new((gate_at_one(), Flag::new()));
        let newer = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                let answer = name(&shared.0.enter(&token(2)));
                if answer == "draining" {
                    shared.1.raise();
                }
                answer
            })
        };
        let permit = shared.0.enter(&token(1));
        let told = shared.1.is_up();
        let again = shared.0.enter(&token(1));
        notes.note(alloc::format!("{told} {}", name(&again)));
        match again {
            Ok(_) => assert!(!told, "a newer token was told that it is next"),
            Err(why) => assert_eq!(why, Rejected::Stale { floor: Epoch::new(2).unwrap() }),
        }
        drop(again);
        drop(permit);
        newer.join().unwrap();
        assert_sound(&shared.0, 9);
    });
    seen.must_hold(&["true stale", "false stale", "false admitted"]);
}

#[test]
fn who_was_told_that_it_is_next_is_not_overtaken() {
    let seen = Seen::default();
    let notes = seen.clone();
    explore(Preemptions::AtMost(3), 17, move || {
        let shared = Arc::new((gate_at_one(), Flag::new()));
        let permit = shared.0.enter(&token(1)).unwrap();
        let next = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                let answer = name(&shared.0.enter(&token(3)));
                if answer == "draining" {
                    shared.1.raise();
                }
            })
        };
        drop(permit);
        if shared.1.is_up() {
            let answer = shared.0.enter(&token(2));
            notes.note(name(&answer));
            assert_eq!(answer.map(drop), Err(Rejected::Stale { floor: Epoch::new(3).unwrap() }));
        }
        next.join().unwrap();
        assert_sound(&shared.0, 9);
    });
    seen.must_hold(&["stale"]);
}

#[test]
fn the_last_permit_that_ends_makes_way() {
    let seen = Seen::default();
    let notes = seen.clone();
    explore(Preemptions::AtMost(3), 30_000, move || {
        let gate = Arc::new(gate_at_one());
        let older = {
            let gate = Arc::clone(&gate);
            thread::spawn(move || {
                let permits = (gate.enter(&token(1)), gate.enter(&token(1)));
                drop(permits);
            })
        };
        let first = name(&gate.enter(&token(2)));
        older.join().unwrap();
        let second = name(&gate.enter(&token(2)));
        notes.note(alloc::format!("{first}, {second}"));
        assert_eq!(second, "admitted");
        assert_sound(&gate, 9);
    });
    seen.must_hold(&["draining, admitted", "admitted, admitted"]);
}

#[test]
fn no_answer_is_made_of_two_tenures() {
    let seen = Seen::default();
    let notes = seen.clone();
    explore(Preemptions::AtMost(4), 11_000, move || {
        let gate = Arc::new(gate_at_one());
        // Straight to the claim. A thread that loads a word before it writes it hides its write from loom's search
        // for schedules, as far as threads go that only load.
        let judged = gate.word();
        let installer = {
            let gate = Arc::clone(&gate);
            thread::spawn(move || match gate.claim(judged, token(2).epoch()) {
                Ok(claim) => claim.install(&token(2)).is_ok(),
                Err(_) => false,
            })
        };
        let answer = gate.check(&token(1));
        notes.note(name(&answer));
        assert!(!matches!(answer, Err(Rejected::Conflict)), "its grant is the only one of its epoch");
        assert!(installer.join().unwrap());
    });
    seen.must_hold(&["admitted", "stale"]);
}

#[test]
fn nobody_is_admitted_after_a_seal() {
    let seen = Seen::default();
    let notes = seen.clone();
    explore(Preemptions::Unbounded, 130, move || {
        let shared = Arc::new((gate_at_one(), Flag::new()));
        let newer = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || name(&shared.0.enter(&token(2)).map(core::mem::forget)))
        };
        let alive = shared.0.seal();
        let newer = newer.join().unwrap();
        notes.note(alloc::format!("{newer} {alive}"));
        assert_eq!(newer == "admitted", shared.0.snapshot().in_flight == 1);
        assert_eq!(name(&shared.0.enter(&token(2))), "sealed");
        assert!(newer != "admitted" || alive == 1, "a permit was made after the gate was sealed");
    });
    seen.must_hold(&["admitted 1", "sealed 0"]);
}

#[test]
fn who_seals_an_empty_gate_sees_what_was_done_in_it() {
    let seen = Seen::default();
    let notes = seen.clone();
    explore(Preemptions::Unbounded, 11, move || {
        let shared = Arc::new((gate_at_one(), Flag::new()));
        let holder = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.0.run(&token(1), |_| shared.1.raise()).is_ok())
        };
        let (alive, saw) = (shared.0.seal(), shared.1.is_up());
        let acted = holder.join().unwrap();
        notes.note(alloc::format!("{acted} {alive}"));
        assert!(!acted || alive > 0 || saw, "nobody is inside, and what was done is not to be seen");
    });
    seen.must_hold(&["true 0", "true 1", "false 0"]);
}

#[test]
fn nobody_of_the_old_realm_is_admitted_after_an_adoption() {
    let seen = Seen::default();
    let notes = seen.clone();
    let adopted = token_of(2, 9, 9);
    explore(Preemptions::AtMost(3), 2_500, move || {
        let gate = Arc::new(Gate::new(token(1).realm(), token(1).resource(), Epoch::FIRST));
        let adopter = {
            let gate = Arc::clone(&gate);
            thread::spawn(move || gate.adopt(adopted.realm(), adopted.epoch()))
        };
        let old = name(&gate.enter(&token(10)));
        let adoption = adopter.join().unwrap();
        notes.note(alloc::format!("{old} {adoption:?}"));
        assert!(old != "admitted" || adoption.is_err(), "both realms were served");
        let expected = match adoption {
            Ok(()) | Err(AdoptError::Draining { .. }) => true,
            // The old realm's token has raised the floor, or was admitted.
            Err(AdoptError::FloorTooLow { least }) => matches!(least.get(), 10 | 11),
            Err(_) => false,
        };
        assert!(expected, "{old}, {adoption:?}");
        if adoption.is_ok() {
            assert_eq!(name(&gate.enter(&token(10))), "wrong realm");
            let next = gate.enter(&adopted).map(drop);
            assert!(matches!(next, Ok(()) | Err(Rejected::Stale { .. })), "{next:?}");
        }
        assert_eq!(gate.snapshot().impossible, 0);
    });
    seen.must_hold(&["wrong realm Ok(())"]);
}

#[test]
fn an_abandoned_permit_that_ends_later_changes_nothing() {
    let seen = Seen::default();
    let notes = seen.clone();
    explore(Preemptions::AtMost(3), 13_000, move || {
        let gate = Arc::new(gate_at_one());
        let hung = {
            let gate = Arc::clone(&gate);
            thread::spawn(move || gate.enter(&token(1)).map(drop).is_ok())
        };
        // An addition of nothing, so that loom sees a reason to run the other thread first.
        // ORDERING: Relaxed. Nothing is published. Not library code.
        gate.word.fetch_add(0, Ordering::Relaxed);
        let abandoned = gate.abandon_permits();
        let newer = name(&gate.enter(&token(2)));
        hung.join().unwrap();
        notes.note(alloc::format!("{abandoned} {newer}"));
        assert_sound(&gate, 9);
    });
    seen.must_hold(&["1 admitted", "0 admitted", "0 draining"]);
}

#[test]
fn no_more_permits_are_alive_than_allowed() {
    let seen = Seen::default();
    let notes = seen.clone();
    explore(Preemptions::Unbounded, 6, move || {
        let gate = Gate::new(token(1).realm(), token(1).resource(), Epoch::FIRST);
        let gate = Arc::new(gate.with_max_permits(MaxPermits::new(1).unwrap()));
        drop(gate.enter(&token(1)).unwrap());
        let other = {
            let gate = Arc::clone(&gate);
            thread::spawn(move || gate.enter(&token(1)).map(core::mem::forget).is_ok())
        };
        let here = gate.enter(&token(1));
        notes.note(name(&here));
        let admitted = u32::from(here.is_ok()) + u32::from(other.join().unwrap());
        assert!(admitted <= 1);
        assert_eq!(gate.snapshot().in_flight, admitted);
    });
    seen.must_hold(&["admitted", "too many"]);
}

#[test]
fn no_refusal_is_lost_from_the_counts() {
    explore(Preemptions::Unbounded, 4, || {
        let gate = Arc::new(gate_at_one());
        let forged = token_of(REALM, u64::MAX, 5);
        let other = {
            let gate = Arc::clone(&gate);
            thread::spawn(move || gate.enter(&forged).is_err())
        };
        assert!(matches!(gate.enter(&forged), Err(Rejected::TooFarAhead { .. })));
        assert!(other.join().unwrap());
        assert_eq!(gate.snapshot().too_far_ahead, 2);
        assert_sound(&gate, 1);
    });
}

/// A wake-up that is missed is a deadlock here, which loom reports: no deadline ever passes.
#[cfg(feature = "parking_lot")]
#[test]
fn who_waits_for_a_drain_is_woken_by_its_end() {
    #[expect(clippy::disallowed_methods, reason = "some deadline; under loom none passes")]
    let deadline = std::time::Instant::now();
    explore(Preemptions::AtMost(2), 2_500, move || {
        let gate = Arc::new(gate_at_one());
        let older = {
            let gate = Arc::clone(&gate);
            thread::spawn(move || drop(gate.enter(&token(1))))
        };
        assert!(gate.enter_waiting(&token(2), deadline).is_ok());
        older.join().unwrap();
        assert_eq!(gate.snapshot().in_flight, 0);
    });
}

#[cfg(feature = "parking_lot")]
#[test]
fn who_waits_and_is_overtaken_or_shut_out_is_woken_as_well() {
    #[expect(clippy::disallowed_methods, reason = "some deadline; under loom none passes")]
    let deadline = std::time::Instant::now();
    let seen = Seen::default();
    let notes = seen.clone();
    explore(Preemptions::AtMost(2), 600, move || {
        let gate = Arc::new(gate_at_one());
        // It leaks: nobody will ever be admitted again.
        core::mem::forget(gate.enter(&token(1)));
        let other = {
            let gate = Arc::clone(&gate);
            thread::spawn(move || drop(gate.enter(&token(3))))
        };
        let answer = gate.enter_waiting(&token(2), deadline);
        notes.note(name(&answer));
        assert!(matches!(answer, Err(Rejected::Stale { .. })));
        other.join().unwrap();
    });
    seen.must_hold(&["stale"]);
}

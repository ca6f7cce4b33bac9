//! Many threads at random work at one gate: what no interleaving test is large enough for.

use alloc::collections::BTreeMap;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use clock_testing::{Round, Worker, stress};
use epoch_fence::{Epoch, FencingToken, Gate, MaxPermits, Permit, Rejected, Snapshot};

use crate::values::{REALM, ledger, realm, token, token_of};

/// A gate of any kind.
trait Entrance: Sync {
    fn enter(&self, token: &FencingToken) -> Result<Permit<'_>, Rejected>;
    fn seal(&self) -> u32;
    fn floor(&self) -> Epoch;
    fn snapshot(&self) -> Snapshot;
}

impl Entrance for Gate {
    fn enter(&self, token: &FencingToken) -> Result<Permit<'_>, Rejected> {
        Gate::enter(self, token)
    }

    fn seal(&self) -> u32 {
        Gate::seal(self)
    }

    fn floor(&self) -> Epoch {
        Gate::floor(self)
    }

    fn snapshot(&self) -> Snapshot {
        Gate::snapshot(self)
    }
}

/// A permit that a thread had.
#[derive(Clone, Copy, Debug)]
struct Stay {
    epoch: u64,
    grant: u128,
    /// What the thread had noted by its end.
    noted: u64,
    /// Whose note it read when it had entered, and what that said.
    saw: (usize, u64),
}

/// How often each kind of refusal came, in the order of [`kind`].
type Refusals = [u64; 7];

const fn kind(why: &Rejected) -> usize {
    match why {
        Rejected::Stale { .. } => 0,
        Rejected::Conflict => 1,
        Rejected::WrongRealm => 2,
        Rejected::TooFarAhead { .. } => 3,
        Rejected::Draining { .. } => 4,
        Rejected::Sealed => 5,
        Rejected::TooManyPermits { .. } => 6,
        Rejected::WrongResource | _ => panic!("nobody asks for that"),
    }
}

/// Of two grants under each epoch one is honest; others are of another realm, or far ahead.
fn choose(worker: &mut Worker, newest: u64) -> FencingToken {
    let number = (newest + worker.roll(4)).saturating_sub(1).max(1);
    match worker.roll(24) {
        0 => token_of(2, number, u128::from(number)),
        1 => token(u64::MAX / 4),
        2..5 => token_of(REALM, number, u128::from(number) + (1 << 64)),
        _ => token(number),
    }
}

/// Returns the newest epoch that was admitted.
fn play<G: Entrance>(round: &Round, gate: &G, steps: u32) -> u64 {
    let notes = round.notes();
    let (newest, made) = (AtomicU64::new(1), AtomicU64::new(0));
    let (sealing, is_sealed) = (AtomicBool::new(false), AtomicBool::new(false));
    let outcomes: Vec<(Vec<Stay>, Refusals)> = round.run(steps, |worker| {
        let (mut stays, mut refused, mut noted) = (Vec::new(), Refusals::default(), 0);
        let mut floor = gate.floor();
        while worker.goes_on() {
            // Somebody shuts the gate for good, late, and not before a newer epoch was in: a thread that is stopped in the
            // first one keeps all others out for as long as the system likes.
            let is_late = made.fetch_add(1, Ordering::Relaxed) >= u64::from(steps) * 3;
            if is_late && newest.load(Ordering::Relaxed) > 1 && !sealing.swap(true, Ordering::Relaxed) {
                gate.seal();
                is_sealed.store(true, Ordering::Release);
            }
            let was_sealed = is_sealed.load(Ordering::Acquire);
            let token = choose(worker, newest.load(Ordering::Relaxed));
            match gate.enter(&token) {
                Ok(permit) => {
                    assert!(!was_sealed, "{token:?} was admitted after the seal");
                    let number = permit.epoch().get();
                    newest.fetch_max(number, Ordering::Relaxed);
                    let saw = notes.read(worker);
                    // The effect, and time for others to come in as well, of the same epoch alone.
                    for _ in 0..=worker.roll(3) {
                        noted = notes.write(worker, noted + 1);
                        if worker.roll(4) == 0 {
                            std::thread::yield_now();
                        }
                        let newest = newest.load(Ordering::Relaxed);
                        assert!(
                            newest <= number,
                            "{newest} was admitted while a permit of {number} was alive"
                        );
                    }
                    stays.push(Stay { epoch: number, grant: token.grant().get(), noted, saw });
                    drop(permit);
                }
                Err(why) => {
                    refused[kind(&why)] += 1;
                    assert!(!was_sealed || why == Rejected::Sealed || token.realm() != realm(REALM), "{why}");
                }
            }
            let now = gate.floor();
            assert!(now >= floor, "the floor fell from {floor:?} to {now:?}");
            floor = now;
        }
        (stays, refused)
    });
    let seen = gate.snapshot();
    let counted = [
        seen.stale,
        seen.conflict,
        seen.wrong_realm,
        seen.too_far_ahead,
        seen.draining,
        seen.refused_sealed,
        seen.too_many_permits,
    ];
    let refused: Vec<u64> = (0..7).map(|kind| outcomes.iter().map(|(_, of)| of[kind]).sum()).collect();
    assert_eq!(counted[..], refused, "every refusal is counted once");
    assert_eq!((seen.in_flight, seen.impossible), (0, 0));
    assert!(
        refused.iter().filter(|count| **count > 0).count() >= 3,
        "hardly anything was refused: {refused:?}"
    );

    let mut grants = BTreeMap::new();
    for (stays, _) in &outcomes {
        assert!(stays.is_sorted_by_key(|stay| stay.epoch), "an older epoch was admitted after a newer one");
        for stay in stays {
            let first = *grants.entry(stay.epoch).or_insert(stay.grant);
            assert_eq!(first, stay.grant, "two grants under epoch {}", stay.epoch);
            let (whose, saw) = stay.saw;
            let others = &outcomes[whose].0;
            let older = others.partition_point(|other| other.epoch < stay.epoch).checked_sub(1);
            if let Some(older) = older.map(|at| others[at]) {
                assert!(older.noted <= saw, "{stay:?} does not see what {older:?} of thread {whose} did");
            }
        }
    }
    let newest = grants.keys().last().copied().unwrap();
    assert!(gate.floor().get() >= newest && newest > 1, "{newest}: nobody newer came in");
    newest
}

#[test]
fn threads_at_random_at_one_gate_are_inside_with_their_own_epoch_alone_and_have_each_refusal_counted() {
    stress(4, |round| {
        let gate =
            Gate::new(realm(REALM), ledger(), Epoch::FIRST).with_max_permits(MaxPermits::new(3).unwrap());
        play(round, &gate, 1_500);
    });
}

#[cfg(all(unix, feature = "durable"))]
mod durable {
    use epoch_fence::{DurableGate, NotAdmitted};
    use high_water::{FaultMedium, Options};

    use super::*;

    impl Entrance for DurableGate<FaultMedium> {
        fn enter(&self, token: &FencingToken) -> Result<Permit<'_>, Rejected> {
            DurableGate::enter(self, token).map_err(|why| match why {
                NotAdmitted::Rejected(why) => why,
                other @ (NotAdmitted::NotSaved(_) | _) => panic!("{other}"),
            })
        }

        fn seal(&self) -> u32 {
            DurableGate::seal(self)
        }

        fn floor(&self) -> Epoch {
            DurableGate::floor(self)
        }

        fn snapshot(&self) -> Snapshot {
            DurableGate::snapshot(self)
        }
    }

    #[test]
    fn threads_at_random_at_one_durable_gate_are_remembered_by_the_next() {
        stress(3, |round| {
            let machine = FaultMedium::new();
            let open = |machine: &FaultMedium| {
                let options = Options::new(DurableGate::identity(ledger())).allow_volatile_file_system();
                let register = options.open_or_create_on(machine).unwrap();
                DurableGate::new(register, realm(REALM), ledger(), Epoch::FIRST).unwrap()
            };
            let gate = open(&machine).with_max_permits(MaxPermits::new(3).unwrap());
            let newest = play(round, &gate, 400);
            drop(gate);
            // Nothing that was acted under is forgotten, whatever else the power cut takes.
            let gate = open(&machine.power_cut(&high_water::Cut::new(&[])));
            assert!(gate.floor() >= crate::values::epoch(newest));
            assert!(gate.check(&token(newest - 1)).is_err());
        });
    }
}

//! Many threads at random work on one clock: what no interleaving test is large enough for.

use clock_testing::{Call, check_calls, stress};
use vector_clock::{Causality, Dot, Heap, MaxJump, ObserveError, SharedVectorClock, Stamp, VersionVector};

type Vector = VersionVector<u8, Heap>;

const OWN: u8 = 0;

#[test]
fn threads_at_random_on_one_clock_have_events_in_one_order_that_names_and_vectors_agree_on() {
    stress(4, |round| {
        let clock =
            SharedVectorClock::<u8, Heap>::new(OWN).with_max_jump(MaxJump::AtMost(500)).with_max_entries(4);
        let notes = round.notes();
        let outcomes = round.run(700, |worker| {
            let (mut calls, mut stamps): (Vec<Call<u64>>, Vec<Stamp<u8, Heap>>) = (Vec::new(), Vec::new());
            let (mut number, mut jumps, mut unissued, mut full) = (0, 0, 0, 0);
            let mut known = Vector::new();
            while worker.goes_on() {
                number += 1;
                let noted = notes.write(worker, number);
                let mut remote = clock.vector();
                let actor = 1 + u8::try_from(worker.roll(5)).unwrap();
                remote
                    .record(Dot::try_new(actor, remote.get(actor) + 1 + worker.roll(600)).unwrap())
                    .unwrap();
                let mut count = |why: ObserveError<u8>| match why {
                    ObserveError::JumpExceeded(_) => jumps += 1,
                    ObserveError::Unissued(_) => unissued += 1,
                    ObserveError::Capacity(_) => full += 1,
                    other @ (ObserveError::Overflow(_) | _) => panic!("{other}"),
                };
                let stamp = match worker.roll(8) {
                    0..3 => Some(clock.tick().unwrap()),
                    3 => {
                        let dot = clock.tick_dot().unwrap();
                        assert!(!known.contains(dot), "{dot:?} was known before it happened");
                        known.record(dot).unwrap();
                        let got = (dot.counter(), dot.counter());
                        calls.push(Call { noted, got, saw: notes.read(worker) });
                        None
                    }
                    4 => {
                        let message = Stamp::try_new(remote.dot(actor).unwrap(), remote.clone()).unwrap();
                        match clock.observe(&message) {
                            Ok(stamp) => {
                                assert!(message.happened_before(&stamp), "a receipt is after its message");
                                Some(stamp)
                            }
                            Err(why) => {
                                count(why);
                                None
                            }
                        }
                    }
                    5 | 6 => {
                        if worker.roll(9) == 0 {
                            // Somebody who says that we had events that we did not have.
                            let claimed = remote.get(OWN) + 400;
                            remote.record(Dot::try_new(OWN, claimed).unwrap()).unwrap();
                        }
                        match clock.merge(&remote) {
                            Ok(()) => known.merge(&remote).unwrap(),
                            Err(why) => count(why.into()),
                        }
                        None
                    }
                    _ => {
                        let now = clock.vector();
                        assert!(known <= now, "{known:?} was known, and {now:?} is");
                        known = now;
                        None
                    }
                };
                if let Some(stamp) = stamp {
                    assert!(known < *stamp.vector(), "{stamp:?} is not above {known:?}");
                    known = stamp.vector().clone();
                    let got = (stamp.dot().counter(), stamp.dot().counter());
                    calls.push(Call { noted, got, saw: notes.read(worker) });
                    stamps.push(stamp);
                }
            }
            (calls, stamps, [jumps, unissued, full])
        });
        let refused = [0, 1, 2].map(|kind| outcomes.iter().map(|(_, _, of)| of[kind]).sum::<u64>());
        let seen = clock.snapshot();
        assert_eq!(
            [seen.jump_exceeded, seen.unissued, seen.capacity],
            refused,
            "every refusal is counted once"
        );
        assert!(refused.iter().all(|count| *count > 0), "{refused:?}");
        let (calls, stamps): (Vec<_>, Vec<_>) =
            outcomes.into_iter().map(|(calls, stamps, _)| (calls, stamps)).unzip();
        check_calls(&calls);
        let events = u64::try_from(calls.iter().flatten().count()).unwrap();
        assert_eq!((clock.last().map(|dot| dot.counter()), clock.vector().get(OWN)), (Some(events), events));
        let mut stamps: Vec<_> = stamps.into_iter().flatten().collect();
        stamps.sort_by_key(|stamp| stamp.dot().counter());
        for pair in stamps.windows(2) {
            assert_eq!(pair[0].causality(&pair[1]), Causality::Before, "{pair:?}");
            assert_eq!(pair[0].vector().causality(pair[1].vector()), Causality::Before, "{pair:?}");
        }
    });
}

//! The atomic gate beside its rule, with the same random events: every answer agrees, and every number.

use epoch_fence::gate_rule::{Answer, Event, State, Terms, Ticket, step};
use epoch_fence::{Epoch, FencingToken, Gate, MaxAdvance, MaxPermits, Permit, ResourceId};
use proptest::prelude::*;

use crate::values::{REALM, epoch, ledger, realm, token_of};

#[derive(Clone, Debug)]
enum Command {
    Enter(FencingToken),
    /// The permit at this place, modulo how many there are.
    Drop(usize),
    Adopt(u128, u64),
    Abandon,
    Seal,
}

fn commands() -> impl Strategy<Value = Command> {
    let numbers = prop_oneof![8 => 1..12_u64, 1 => any::<u64>().prop_map(|number| number.max(1))];
    let realms = prop_oneof![8 => Just(REALM), 1 => Just(2_u128), 1 => Just(REALM << 64)];
    let grants = prop_oneof![8 => Just(1_u128), 1 => Just(2_u128)];
    let tokens = (realms.clone(), numbers, grants, prop::bool::weighted(0.05)).prop_map(
        |(realm_bits, number, grant, misrouted)| {
            let token = token_of(realm_bits, number, grant);
            let resource = if misrouted { ResourceId::of("", "") } else { ledger() };
            FencingToken::new(token.realm(), resource, token.epoch(), token.grant())
        },
    );
    prop_oneof![
        12 => tokens.prop_map(Command::Enter),
        8 => any::<usize>().prop_map(Command::Drop),
        1 => (realms, 1..14_u64).prop_map(|(bits, floor)| Command::Adopt(bits, floor)),
        1 => Just(Command::Abandon),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn the_gate_answers_every_event_as_its_rule_does(
        floor in 1..4_u64,
        max_advance in prop_oneof![
            (0..8_u64).prop_map(MaxAdvance::AtMost),
            Just(MaxAdvance::default()),
            Just(MaxAdvance::Unbounded)
        ],
        max_permits in 1..4_u32,
        commands in prop::collection::vec(commands(), 1..60),
        sealed_at in 40..200_usize,
    ) {
        let max_permits = MaxPermits::new(max_permits).unwrap();
        let gate = Gate::new(realm(REALM), ledger(), epoch(floor))
            .with_max_advance(max_advance)
            .with_max_permits(max_permits);
        let terms = Terms::new(ledger()).with_max_advance(max_advance).with_max_permits(max_permits);
        let mut state = State::new(realm(REALM), epoch(floor));
        let mut permits: Vec<(Ticket, Permit<'_>)> = Vec::new();
        let mut refused = 0;
        for (number, command) in commands.into_iter().enumerate() {
            let command = if number == sealed_at { Command::Seal } else { command };
            let mut apply = |event| {
                let (next, answer) = step(&terms, state, event);
                state = next;
                answer
            };
            match command {
                Command::Enter(token) => {
                    let advice = gate.check(&token);
                    match (gate.enter(&token), apply(Event::Enter(token))) {
                        (Ok(permit), Answer::Admitted(ticket)) => {
                            prop_assert_eq!(advice, Ok(()));
                            permits.push((ticket, permit));
                        }
                        (Err(why), Answer::Rejected(expected)) => {
                            prop_assert_eq!((why, advice), (expected, Err(expected)));
                            refused += 1;
                        }
                        (answer, expected) => prop_assert!(false, "{:?}, expected {:?}", answer, expected),
                    }
                }
                Command::Drop(place) if !permits.is_empty() => {
                    let (ticket, permit) = permits.swap_remove(place % permits.len());
                    drop(permit);
                    let answer = apply(Event::Release(ticket));
                    prop_assert!(matches!(answer, Answer::Released | Answer::WasAbandoned));
                }
                Command::Drop(_) => {}
                Command::Adopt(bits, floor) => {
                    let (realm, floor) = (realm(bits), epoch(floor));
                    match (gate.adopt(realm, floor), apply(Event::Adopt { realm, floor })) {
                        (Ok(()), Answer::Adopted) => {}
                        (Err(why), Answer::NotAdopted(expected)) => prop_assert_eq!(why, expected),
                        (answer, expected) => prop_assert!(false, "{:?}, expected {:?}", answer, expected),
                    }
                }
                Command::Abandon => {
                    prop_assert_eq!(Answer::Abandoned(gate.abandon_permits()), apply(Event::Abandon));
                }
                Command::Seal => prop_assert_eq!(Answer::Sealed(gate.seal()), apply(Event::Seal)),
            }
            let seen = gate.snapshot();
            prop_assert_eq!(seen.floor, state.floor());
            prop_assert_eq!(seen.admitted, state.admitted().map(|(epoch, _): (Epoch, _)| epoch));
            prop_assert_eq!(seen.in_flight, state.in_flight());
            prop_assert_eq!((seen.closed, seen.sealed), (state.is_closed(), state.is_sealed()));
            let counted = seen.stale + seen.conflict + seen.wrong_resource + seen.wrong_realm
                + seen.too_far_ahead + seen.draining + seen.refused_sealed + seen.too_many_permits;
            prop_assert_eq!((counted, seen.impossible), (refused, 0));
        }
    }
}

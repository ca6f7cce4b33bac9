//! The rule and the machines at their edges, step by step: each answer of a store is put in by hand.

use core::time::Duration;

use epoch_fence::protocol::{
    Acquire, Acquired, Action, Answer, BootTime, Change, Changed, Claim, Command, Granted, Impossible, Info,
    Machine, Moment, Progress, RECOVERY_STRIDE, Record, Refusal, Request, Resolve, Resolved, Standing, Swap,
    Tenure, Ttl, Version, View, invariant, step,
};
use epoch_fence::{GrantId, HolderId};

use crate::values::{epoch, ledger, realm};

const SECOND: u64 = 1_000_000_000;
const NOW: Moment = Moment::new(1, 1_000);

fn grant(bits: u128) -> GrantId {
    GrantId::from_random_bits(bits).unwrap()
}

fn named(name: &str) -> HolderId {
    name.parse().unwrap()
}

fn seconds(seconds: u64) -> Ttl {
    Ttl::new(Duration::from_secs(seconds)).unwrap()
}

/// That many nanoseconds after `NOW`.
fn after(nanos: u64) -> Moment {
    NOW.checked_add(Duration::from_nanos(nanos)).unwrap()
}

fn held(by: u128, expiry: Moment) -> Tenure {
    Tenure::Held { grant: grant(by), holder: named("ada"), expiry }
}

fn reserved(to: &str, until: Moment) -> Tenure {
    Tenure::Reserved { to: named(to), until }
}

/// Of realm 1.
fn record(version: u64, number: u64, tenure: Tenure) -> Record {
    of_realm(1, version, number, tenure)
}

fn of_realm(bits: u128, version: u64, number: u64, tenure: Tenure) -> Record {
    let (version, epoch) = (Version::new(version), Some(epoch(number)));
    Record::try_new(realm(bits), version, epoch, tenure, Info::EMPTY).unwrap()
}

fn view(version: u64, number: u64, tenure: Tenure) -> View {
    View::new(record(version, number, tenure), NOW)
}

fn acquire(by: u128) -> Command {
    Command::Acquire { grant: grant(by), holder: named("bob"), ttl: seconds(8) }
}

#[test]
fn an_end_later_than_any_command_puts_it_is_refused_and_the_latest_one_is_not() {
    let latest = Ttl::MAX.get();
    let [at, beyond] = [0, 1].map(|more| after(u64::try_from(latest.as_nanos()).unwrap() + more));
    let too_far = Err(Refusal::EndTooFar { remaining: latest + Duration::from_nanos(1) });
    let asked = |tenure, command| step(&view(5, 3, tenure), &command);

    let still_held = Err(Refusal::Held { holder: named("ada"), remaining: latest });
    assert_eq!(asked(held(7, at), acquire(8)), still_held);
    assert_eq!(asked(held(7, beyond), acquire(8)), too_far);
    let kept = Err(Refusal::Reserved { to: named("ada"), remaining: latest });
    assert_eq!(asked(reserved("ada", at), acquire(8)), kept);
    assert_eq!(asked(reserved("ada", beyond), acquire(8)), too_far);
    let renewal = Command::Renew { grant: grant(7), ttl: seconds(8) };
    assert_eq!(asked(held(7, at), renewal), Ok(record(6, 3, held(7, at))), "the end comes no nearer");
    assert_eq!(asked(held(7, beyond), renewal), too_far);
    // Its holder, and an operator, can end it.
    for command in [Command::Release { grant: grant(7) }, Command::Evict { grant: grant(7) }] {
        assert_eq!(asked(held(7, beyond), command), Ok(record(6, 3, Tenure::Free)));
    }
}

#[test]
fn only_the_grant_in_the_record_and_only_while_it_lives_is_renewed_released_or_handed_over() {
    let commands = |by| {
        [
            Command::Renew { grant: grant(by), ttl: seconds(8) },
            Command::Release { grant: grant(by) },
            Command::HandOver { grant: grant(by), to: named("bob"), keep: seconds(8) },
        ]
    };
    let live = view(5, 3, held(7, after(1)));
    let over = [view(5, 3, held(7, NOW)), view(5, 3, held(7, after(1))).with_ended()];
    let free = [view(5, 3, Tenure::Free), view(5, 3, reserved("ada", after(1)))];
    let left = [held(7, after(8 * SECOND)), Tenure::Free, reserved("bob", after(8 * SECOND))];
    for (command, tenure) in commands(7).into_iter().zip(left) {
        assert_eq!(step(&live, &command), Ok(record(6, 3, tenure)));
        assert_eq!(over.map(|view| step(&view, &command)), [Err(Refusal::Lapsed); 2], "{command:?}");
        assert_eq!(free.map(|view| step(&view, &command)), [Err(Refusal::NotHolder); 2], "{command:?}");
    }
    for command in commands(8) {
        for view in over.into_iter().chain(free).chain([live]) {
            assert_eq!(step(&view, &command), Err(Refusal::NotHolder), "{command:?}");
        }
    }
    // An eviction asks for the grant alone.
    let evict = |by| Command::Evict { grant: grant(by) };
    for view in over.into_iter().chain([live]) {
        assert_eq!(step(&view, &evict(7)), Ok(record(6, 3, Tenure::Free)));
        assert_eq!(step(&view, &evict(8)), Err(Refusal::NotHolder));
    }
    assert_eq!(
        live.standing(),
        Standing::Live { grant: grant(7), holder: named("ada"), remaining: Duration::from_nanos(1) }
    );
    assert_eq!((live.remaining(grant(7)), live.remaining(grant(8))), (Some(Duration::from_nanos(1)), None));
}

#[test]
fn an_acquire_begins_an_epoch_above_all_that_the_store_knows_and_for_the_successor_alone() {
    let expiry = after(8 * SECOND);
    let got = Tenure::Held { grant: grant(8), holder: named("bob"), expiry };
    for tenure in [Tenure::Free, reserved("bob", after(1)), reserved("ada", NOW), held(7, NOW)] {
        assert_eq!(step(&view(5, 3, tenure), &acquire(8)), Ok(record(6, 4, got)), "{tenure:?}");
    }
    let floor = view(5, 3, Tenure::Free).with_epoch_floor(Some(epoch(9)));
    assert_eq!(step(&floor, &acquire(8)), Ok(record(6, 10, got)));
    assert_eq!(step(&view(5, 3, held(8, NOW)), &acquire(8)), Err(Refusal::GrantUsed));
    let vacant = View::new(Record::vacant(realm(1)), NOW);
    assert_eq!(step(&vacant, &acquire(8)), Ok(record(1, 1, got)));
}

#[test]
fn a_recovery_goes_a_stride_above_everything_known() {
    let recover = |bits, floor| Command::Recover { realm: realm(bits), floor };
    let lost = view(5, 3, held(7, after(1)));
    let above = |number| of_realm(2, 5 + RECOVERY_STRIDE, number + RECOVERY_STRIDE, Tenure::Free);
    assert_eq!(step(&lost, &recover(2, None)), Ok(above(3)));
    assert_eq!(step(&lost, &recover(2, Some(epoch(2)))), Ok(above(3)));
    assert_eq!(step(&lost, &recover(2, Some(epoch(4)))), Ok(above(4)));
    assert_eq!(step(&lost, &recover(1, None)), Err(Refusal::RealmUsed));
}

#[test]
fn what_a_write_may_do_to_a_record_and_what_not() {
    let (free, seven, eight) = (Tenure::Free, held(7, NOW), held(8, NOW));
    let rows = [
        (record(5, 3, free), record(6, 3, free), true, "a burn"),
        (record(5, 3, free), record(5, 3, free), false, "a version that is used twice"),
        (record(5, 3, free), record(4, 3, free), false, "a version that falls"),
        (record(5, 3, free), record(6, 4, free), false, "an epoch for nobody"),
        (record(5, 3, free), record(6, 2, free), false, "an epoch that falls"),
        (record(5, 3, free), record(6, 4, seven), true, "a tenure"),
        (record(5, 3, free), record(6, 3, seven), false, "a tenure under a used epoch"),
        (record(5, 3, seven), record(6, 3, seven), true, "a renewal"),
        (record(5, 3, seven), record(6, 4, seven), false, "a renewal under another epoch"),
        (record(5, 3, seven), record(6, 4, eight), true, "the next tenure"),
        (record(5, 3, seven), record(6, 3, eight), false, "two grants under one epoch"),
        (record(5, 3, seven), record(6, 3, free), true, "a release"),
        (record(5, 3, seven), record(6, 3, reserved("bob", NOW)), true, "a hand-over"),
        (record(5, 3, seven), of_realm(2, 6, 4, free), true, "a recovery"),
        (record(5, 3, seven), of_realm(2, 6, 3, free), false, "a recovery to a used epoch"),
        (record(5, 3, seven), of_realm(2, 6, 4, eight), false, "a new realm with somebody in it"),
        (record(5, 3, seven), of_realm(2, 5, 4, free), false, "a new realm under a used version"),
    ];
    for (before, after, may, what) in rows {
        assert_eq!(invariant(&before, &after), may, "{what}");
    }
}

#[test]
fn what_a_store_says_it_wrote_is_held_against_what_it_was_asked_to_write() {
    let before = view(5, 3, held(7, after(1)));
    let landed = |command: &Command, stored: Record| {
        Swap::prepare(&before, command).unwrap().check_landed(&View::new(stored, NOW)).is_ok()
    };
    let recover = Command::Recover { realm: realm(2), floor: None };
    let (version, number) = (5 + RECOVERY_STRIDE, 3 + RECOVERY_STRIDE);
    let recovered = |bits, version, number| landed(&recover, of_realm(bits, version, number, Tenure::Free));
    assert!(recovered(2, version, number) && recovered(2, version + 1, number + 1), "as asked, or above");
    assert!(!recovered(2, version - 1, number), "a version below the one that was asked for");
    assert!(!recovered(2, version, number - 1), "an epoch below the one that was asked for");
    assert!(!recovered(3, version, number), "another realm");

    let renew = Command::Renew { grant: grant(7), ttl: seconds(8) };
    assert!(landed(&renew, record(6, 3, held(7, after(9)))), "the store has the last word on the end");
    let other = Tenure::Held { grant: grant(7), holder: named("bob"), expiry: after(9) };
    assert!(!landed(&renew, record(6, 3, other)), "another holder");
    assert!(!landed(&renew, record(6, 3, Tenure::Free)));
    assert!(!landed(&renew, record(6, 4, held(8, after(9)))), "another grant");

    let hand_over = Command::HandOver { grant: grant(7), to: named("bob"), keep: seconds(8) };
    assert!(landed(&hand_over, record(6, 3, reserved("bob", after(9)))));
    assert!(!landed(&hand_over, record(6, 3, reserved("eve", after(9)))), "another successor");
    let release = Command::Release { grant: grant(7) };
    assert!(landed(&release, record(6, 3, Tenure::Free)));
    assert!(!landed(&release, record(5, 3, Tenure::Free)), "nothing was written");
    assert!(!landed(&release, record(6, 3, reserved("bob", after(9)))));
}

#[test]
fn a_swap_lands_on_the_record_that_it_was_made_from_and_a_renewal_only_in_time() {
    let before = view(5, 3, held(7, after(1)));
    let later = View::new(*before.record(), after(1));
    let others = [view(6, 3, held(7, after(1))), View::new(of_realm(2, 5, 3, held(7, after(1))), NOW)];
    let rows = [
        (Command::Burn, Action::Burn),
        (Command::Renew { grant: grant(7), ttl: seconds(8) }, Action::Renew),
        (Command::Release { grant: grant(7) }, Action::Release),
        (Command::HandOver { grant: grant(7), to: named("bob"), keep: seconds(8) }, Action::HandOver),
        (Command::Evict { grant: grant(7) }, Action::Evict),
        (Command::Recover { realm: realm(2), floor: None }, Action::Recover),
    ];
    for (command, action) in rows {
        let swap = Swap::prepare(&before, &command).unwrap();
        assert_eq!(
            (swap.action(), swap.expected(), swap.expected_realm()),
            (action, Version::new(5), realm(1))
        );
        assert_eq!((swap.before(), *swap.next()), (before.record(), step(&before, &command).unwrap()));
        assert!(swap.lands_on(&before), "{action:?}");
        assert_eq!(swap.lands_on(&later), action != Action::Renew, "{action:?}, and the lease is over");
        assert!(others.iter().all(|stored| !swap.lands_on(stored)), "{action:?}");
    }
    let free = view(5, 3, Tenure::Free);
    let swap = Swap::prepare(&free, &acquire(8)).unwrap();
    assert_eq!((swap.action(), swap.grant()), (Action::Acquire, Some(grant(8))));
    assert!(swap.lands_on(&free));
}

fn claim() -> Claim {
    Claim::new(ledger(), named("bob"), seconds(8))
}

const fn at(millis: u64) -> BootTime {
    BootTime::new(Duration::from_millis(millis))
}

/// What the machine asks for next.
fn asks<M: Machine>(machine: M, answer: Answer) -> M {
    match machine.answer(at(0), answer) {
        Progress::Ask(machine) => machine,
        Progress::Done(_) => panic!("it is done"),
    }
}

fn done<M: Machine>(machine: M, answer: Answer) -> M::Outcome {
    match machine.answer(at(0), answer) {
        Progress::Done(outcome) => outcome,
        Progress::Ask(_) => panic!("it asks for more"),
    }
}

/// Bob's tenure of eight seconds, asked for at zero: its deadline is a second before the end.
fn granted() -> Granted {
    let machine = asks(Acquire::new(claim(), grant(8)), Answer::Loaded(view(5, 3, Tenure::Free)));
    let Request::Swap(swap) = machine.request() else { panic!("it asks to write") };
    let landed = View::new(*swap.next(), NOW);
    let Acquired::Granted(granted) = done(machine, Answer::Landed(landed)) else { panic!("it is granted") };
    granted
}

#[test]
fn a_claim_is_refused_below_the_epoch_that_it_remembers_and_not_at_it() {
    let remembering = |bits, number| {
        Acquire::new(claim().with_known_epoch(realm(bits), epoch(number)), grant(8))
            .answer(at(0), Answer::Loaded(view(5, 3, Tenure::Free)))
    };
    let regressed = Refusal::Regressed { found: Some(epoch(3)), known: epoch(4) };
    assert_eq!(remembering(1, 4), Progress::Done(Acquired::Refused(regressed)));
    assert!(matches!(remembering(1, 3), Progress::Ask(_)), "the store is where it was");
    assert!(matches!(remembering(2, 4), Progress::Ask(_)), "epochs of two realms do not compare");
}

#[test]
fn a_tenure_is_what_was_claimed_until_a_margin_before_its_end() {
    let granted = granted();
    assert_eq!((granted.token().epoch(), granted.token().grant()), (epoch(4), grant(8)));
    assert_eq!((granted.token().realm(), granted.token().resource()), (realm(1), ledger()));
    assert_eq!((granted.holder(), granted.ttl(), granted.deadline()), (named("bob"), seconds(8), at(7_000)));
    assert_eq!(
        (granted.remaining(at(6_999)), granted.remaining(at(7_000))),
        (Duration::from_millis(1), Duration::ZERO)
    );
}

#[test]
fn a_renewal_that_is_known_at_the_deadline_comes_too_late() {
    let granted = granted();
    let got =
        |expiry| view(7, 4, Tenure::Held { grant: grant(8), holder: named("bob"), expiry: after(expiry) });
    let renewed =
        |view, sent, now| granted.renewed(&view, at(sent), at(now), seconds(8)).map(|one| one.deadline());
    let longer = granted.renewed(&got(16 * SECOND), at(6_000), at(6_001), seconds(16)).unwrap();
    assert_eq!(
        (longer.ttl(), longer.deadline()),
        (seconds(16), at(20_000)),
        "of what was asked for this time"
    );
    assert_eq!(renewed(got(8 * SECOND), 6_000, 6_999), Some(at(13_000)));
    assert_eq!(renewed(got(8 * SECOND), 6_000, 7_000), None, "the old deadline has come");
    // An end so near that with the margin it is now.
    assert_eq!(renewed(got(2 * SECOND), 5_000, 5_999), Some(at(6_000)));
    assert_eq!(renewed(got(2 * SECOND), 5_000, 6_000), None, "the new deadline has come");
    assert_eq!(renewed(view(7, 4, held(9, after(8 * SECOND))), 6_000, 6_001), None, "another's");
}

#[test]
fn a_change_that_others_come_before_each_time_ends_after_eight_rounds() {
    let there = view(5, 3, held(7, after(1)));
    let mut machine = Change::new(Command::Release { grant: grant(7) });
    assert_eq!(done(machine, Answer::Failed), Changed::Failed, "nothing was sent");
    for round in 1..=8 {
        machine = asks(machine, Answer::Loaded(there));
        assert!(matches!(machine.request(), Request::Swap(_)));
        machine = asks(machine, Answer::Conflict);
        assert!(matches!(machine.request(), Request::Load));
        assert_eq!(
            done(machine, Answer::Failed),
            Changed::Indeterminate,
            "after round {round} it may have landed"
        );
        assert_eq!(done(machine, Answer::Unknown), Changed::Indeterminate);
    }
    assert_eq!(done(machine, Answer::Loaded(there)), Changed::Contended);
}

#[test]
fn an_attempt_that_cannot_be_buried_in_eight_rounds_is_as_unknown_as_before() {
    let there = view(5, 3, Tenure::Free);
    let sent = asks(Acquire::new(claim(), grant(8)), Answer::Loaded(there));
    assert_eq!(Acquire::new(claim(), grant(8)).pending(), None, "nothing was sent that could land");
    let Acquired::Indeterminate(pending) = done(sent, Answer::Unknown) else { panic!("nobody knows") };
    assert_eq!(sent.pending(), Some(pending));
    assert_eq!((pending.grant(), pending.version(), *pending.claim()), (grant(8), Version::new(5), claim()));
    let mut machine = Resolve::new(pending);
    for _ in 0..8 {
        machine = asks(machine, Answer::Loaded(there));
        assert!(matches!(machine.request(), Request::Swap(_)));
        machine = asks(machine, Answer::Conflict);
        assert!(matches!(machine.request(), Request::Load));
    }
    assert_eq!(done(machine, Answer::Loaded(there)), Resolved::Indeterminate(pending));
    assert_eq!(machine.pending(), pending);
}

#[test]
fn where_a_record_stands_decides_what_became_of_an_attempt() {
    let sent = asks(Acquire::new(claim(), grant(8)), Answer::Loaded(view(5, 3, Tenure::Free)));
    let pending = sent.pending().unwrap();
    let resolved = |view| done(Resolve::new(pending), Answer::Loaded(view));
    let fell = Impossible::VersionFell { seen: Version::new(5), found: Version::new(4) };
    assert_eq!(resolved(view(4, 3, Tenure::Free)), Resolved::Impossible(pending, fell));
    assert_eq!(resolved(view(6, 3, Tenure::Free)), Resolved::NotGranted, "the version is another's");
    assert_eq!(resolved(view(6, 4, held(9, after(1)))), Resolved::Superseded);
    let elsewhere = View::new(of_realm(2, 1, 9, Tenure::Free), NOW);
    assert_eq!(resolved(elsewhere), Resolved::Superseded, "a new realm");
    assert!(matches!(resolved(view(6, 4, held(8, after(SECOND)))), Resolved::Granted(_)));
    assert_eq!(resolved(view(6, 4, held(8, NOW))), Resolved::Superseded, "landed, and over");

    let look = asks(sent, Answer::Conflict);
    let looked = |view| done(look, Answer::Loaded(view));
    let remaining = Duration::from_nanos(1);
    let refused = Refusal::Held { holder: named("ada"), remaining };
    assert_eq!(looked(view(6, 4, held(9, after(1)))), Acquired::Refused(refused));
    let refused = Refusal::Reserved { to: named("ada"), remaining };
    assert_eq!(looked(view(6, 3, reserved("ada", after(1)))), Acquired::Refused(refused));
    for nobody in [reserved("bob", after(1)), Tenure::Free, held(9, NOW)] {
        assert_eq!(looked(view(7, 4, nobody)), Acquired::Contended, "{nobody:?}");
    }
    assert_eq!(looked(view(5, 3, Tenure::Free)), Acquired::Indeterminate(pending), "it may land yet");
}

#[test]
fn an_answer_to_another_request_is_impossible() {
    let there = view(5, 3, Tenure::Free);
    let other = Impossible::OtherRequest;
    let load = Acquire::new(claim(), grant(8));
    let swap = asks(load, Answer::Loaded(there));
    let pending = swap.pending().unwrap();
    let look = asks(swap, Answer::Conflict);
    for machine in [load, look] {
        assert_eq!(done(machine, Answer::Conflict), Acquired::Impossible(other));
        assert_eq!(done(machine, Answer::Landed(there)), Acquired::Impossible(other));
    }
    assert_eq!(done(swap, Answer::Loaded(there)), Acquired::Impossible(other));
    let load = Change::new(Command::Burn);
    assert_eq!(done(load, Answer::Conflict), Changed::Impossible(other));
    assert_eq!(done(asks(load, Answer::Loaded(there)), Answer::Loaded(there)), Changed::Impossible(other));
    let load = Resolve::new(pending);
    assert_eq!(done(load, Answer::Conflict), Resolved::Impossible(pending, other));
    let burn = asks(load, Answer::Loaded(there));
    assert_eq!(done(burn, Answer::Loaded(there)), Resolved::Impossible(pending, other));
}

/// A store that says it wrote something else than it was asked to, or that lost what it had.
#[test]
fn what_no_correct_store_answers_is_impossible_and_an_attempt_stays_as_unknown_as_it_was() {
    let there = view(5, 3, Tenure::Free);
    let sent = asks(Acquire::new(claim(), grant(8)), Answer::Loaded(there));
    let pending = sent.pending().unwrap();
    let wrong = Answer::Landed(view(6, 3, Tenure::Free));
    assert_eq!(done(sent, wrong), Acquired::Impossible(Impossible::NotAsAsked));
    let fell = Impossible::VersionFell { seen: Version::new(5), found: Version::new(4) };
    let look = asks(sent, Answer::Conflict);
    assert_eq!(done(look, Answer::Loaded(view(4, 3, Tenure::Free))), Acquired::Impossible(fell));

    let held = view(5, 3, held(7, after(1)));
    let release = asks(Change::new(Command::Release { grant: grant(7) }), Answer::Loaded(held));
    assert_eq!(done(release, Answer::Landed(held)), Changed::Impossible(Impossible::NotAsAsked));

    let burn = asks(Resolve::new(pending), Answer::Loaded(there));
    let burned = view(6, 3, Tenure::Free);
    assert_eq!(done(burn, Answer::Landed(burned)), Resolved::NotGranted);
    assert_eq!(done(burn, Answer::Landed(there)), Resolved::Impossible(pending, Impossible::NotAsAsked));
}

#[test]
fn what_comes_out_of_a_machine_may_be_turned_into_something_else_and_a_question_stays() {
    let load = Acquire::new(claim(), grant(8));
    let failed = load.answer(at(0), Answer::Failed).map(|outcome| outcome == Acquired::Failed);
    assert_eq!(failed, Progress::Done(true));
    let asked = load.answer(at(0), Answer::Loaded(view(5, 3, Tenure::Free)));
    let Progress::Ask(machine) = asked else { panic!("it asks to write") };
    assert_eq!(asked.map(|_| ()), Progress::Ask(machine));
}

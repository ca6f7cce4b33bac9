use epoch_fence::audit::LogHead;
use epoch_fence::protocol::{Action, Moment, Tenure, Version};
use epoch_fence::{FencingToken, RealmId};

use super::*;
use crate::cast;
use crate::evidence::{Logged, Takeovers};
use crate::message::{Grant, Who};

fn epoch(number: u64) -> Epoch {
    Epoch::new(number).unwrap()
}

fn grant(bits: u128) -> GrantId {
    GrantId::from_random_bits(bits).unwrap()
}

fn head(number: u8) -> LogHead {
    LogHead::from_bytes([number; LogHead::BYTES])
}

/// The only effect of an epoch, under the grant of the same number.
fn effect(number: u64) -> Effect {
    let who = Who { holder: 0, life: 1 };
    Effect { epoch: epoch(number), grant: grant(number.into()), who, number: 1 }
}

fn begun(number: u64) -> Note {
    Note::Begun(effect(number))
}

fn done(number: u64, value: u64) -> Note {
    Note::Done { effect: effect(number), read: [value.saturating_sub(1); 2], wrote: value }
}

fn acquired(number: u64, bits: u128, expiry_millis: u64) -> Logged {
    let expiry = Moment::new(1, expiry_millis.saturating_mul(1_000_000));
    let tenure = Tenure::Held { grant: grant(bits), holder: cast::holder_id(0).unwrap(), expiry };
    let head = head(u8::try_from(number).unwrap());
    Logged { action: Action::Acquire, epoch: Some(epoch(number)), tenure, head }
}

/// So many tens of seconds, and so many more.
fn seconds(tens: u64, more: u64) -> Duration {
    Duration::from_secs(tens.saturating_mul(10).saturating_add(more))
}

/// Three tenures with an effect each; the resource was killed during the second one's first try.
fn sound() -> Evidence {
    let realm = RealmId::from_random_bits(1).unwrap();
    let token = |number: u64| FencingToken::new(realm, cast::resource(), epoch(number), grant(number.into()));
    // Each was asked for when the one before was known.
    let granted = |number: u64| {
        let (asked, heard) = (seconds(number, 0), seconds(number, 5));
        (effect(number).who, Grant { token: token(number), asked, heard })
    };
    let log = AuditLog {
        writes: vec![acquired(1, 1, 600), acquired(2, 2, 1_300), acquired(3, 3, 1_400)],
        fault: None,
        noted: vec![head(1), head(3)],
    };
    Evidence {
        log: Some(log),
        journal: vec![
            Note::Opened,
            begun(1),
            done(1, 1),
            Note::Begun(Effect { number: 7, ..effect(2) }),
            Note::Opened,
            begun(2),
            done(2, 2),
            begun(3),
            done(3, 3),
        ],
        granted: vec![granted(1), granted(2), granted(3)],
        acknowledged: vec![(effect(1), 1), (effect(3), 3)],
        ..Evidence::default()
    }
}

/// The same history, of a server: there is no log, but the parent looked at the record.
fn served() -> Evidence {
    Evidence { log: None, samples: vec![sample(1), sample(2), sample(3)], ..sound() }
}

fn sample(number: u64) -> Sample {
    Sample { version: Version::new(number), epoch: Some(epoch(number)), grant: Some(grant(number.into())) }
}

/// What is found when the sound history is spoiled.
fn found(spoil: impl FnOnce(&mut Evidence)) -> Vec<Violation> {
    found_in(sound(), spoil)
}

fn found_in(mut evidence: Evidence, spoil: impl FnOnce(&mut Evidence)) -> Vec<Violation> {
    spoil(&mut evidence);
    check(&evidence).0
}

fn writes(evidence: &mut Evidence) -> &mut Vec<Logged> {
    &mut evidence.log.as_mut().unwrap().writes
}

#[test]
fn a_sound_history_is_sound_also_where_the_resource_was_killed_in_an_effect() {
    assert_eq!(check(&sound()), Verdict::default());
    assert_eq!(check(&served()), Verdict::default());
    assert!(check(&sound()).held());
}

#[test]
fn an_effect_after_one_of_a_newer_epoch_is_found() {
    let late = Effect { number: 2, ..effect(2) };
    let stale = found(|evidence| {
        evidence.journal.extend([Note::Begun(late), Note::Done { effect: late, read: [3; 2], wrote: 4 }]);
    });
    assert_eq!(stale, [Violation::Stale { effect: late, newer: epoch(3) }]);
}

#[test]
fn an_effect_beside_another_is_found_and_so_is_the_update_that_it_loses() {
    let beside = found(|evidence| {
        evidence.journal.truncate(5);
        evidence.journal.extend([begun(2), begun(3), done(2, 2), done(3, 2)]);
        evidence.acknowledged.clear();
    });
    let torn = Violation::Torn { effect: effect(3), read: [1; 2], wrote: 2, last: 2 };
    assert_eq!(beside, [Violation::Overlap { effect: effect(3), under_way: effect(2) }, torn]);
}

#[test]
fn a_register_that_was_half_written_is_found() {
    let torn = found(|evidence| {
        evidence.journal[8] = Note::Done { effect: effect(3), read: [2, 1], wrote: 3 };
    });
    assert_eq!(torn, [Violation::Torn { effect: effect(3), read: [2, 1], wrote: 3, last: 2 }]);
    let wild = found(|evidence| {
        evidence.journal[8] = Note::Done { effect: effect(3), read: [2, 2], wrote: 9 };
        evidence.acknowledged.clear();
    });
    assert_eq!(wild, [Violation::Torn { effect: effect(3), read: [2, 2], wrote: 9, last: 2 }]);
}

#[test]
fn an_effect_that_outlives_its_process_or_comes_from_nowhere_is_found() {
    let outlived = found(|evidence| evidence.journal.insert(8, Note::Opened));
    assert_eq!(outlived, [Violation::NotBegun(effect(3))]);
}

#[test]
fn an_effect_that_is_done_twice_is_found() {
    let twice = found(|evidence| evidence.journal.extend([begun(3), done(3, 4)]));
    assert!(twice.contains(&Violation::Twice(effect(3))), "{twice:?}");
}

#[test]
fn an_acknowledged_effect_that_is_gone_or_has_another_value_is_found() {
    let gone = found(|evidence| evidence.journal.truncate(8));
    assert_eq!(gone, [Violation::Lost { effect: effect(3), value: 3 }]);
    let other = found(|evidence| evidence.acknowledged[0].1 = 8);
    assert_eq!(other, [Violation::Lost { effect: effect(1), value: 8 }]);
}

#[test]
fn an_epoch_with_two_grants_is_found_wherever_they_are_known_from() {
    let twice = |epoch_number: u64, one, other| Violation::GrantedTwice {
        epoch: epoch(epoch_number),
        grants: [grant(one), grant(other)],
    };
    let logged = found(|evidence| writes(evidence).push(acquired(3, 9, 1_500)));
    assert!(logged.contains(&twice(3, 3, 9)), "{logged:?}");
    let told = found(|evidence| {
        let (who, known) = evidence.granted[1];
        let token = FencingToken::new(known.token.realm(), cast::resource(), epoch(2), grant(9));
        evidence.granted.push((who, Grant { token, ..known }));
    });
    assert_eq!(told, [twice(2, 2, 9)]);
    let acted = found(|evidence| {
        evidence.journal[3] = Note::Begun(Effect { grant: grant(9), ..effect(2) });
    });
    assert_eq!(acted, [twice(2, 2, 9)]);
}

#[test]
fn epochs_that_do_not_rise_in_the_log_are_found() {
    let fallen = found(|evidence| writes(evidence).swap(1, 2));
    assert_eq!(fallen, [Violation::NotRising { epoch: epoch(2), before: epoch(3) }]);
}

#[test]
fn a_grant_that_is_not_in_the_log_is_found() {
    let missing = found(|evidence| writes(evidence).retain(|write| write.epoch != Some(epoch(2))));
    assert_eq!(missing, [Violation::NotLogged { epoch: epoch(2), grant: grant(2) }]);
}

#[test]
fn a_log_that_does_not_verify_or_lacks_a_noted_head_is_found() {
    let fault = found(|evidence| evidence.log.as_mut().unwrap().fault = Some("cut".to_owned()));
    assert_eq!(fault, [Violation::Log("cut".to_owned())]);
    let gone = found(|evidence| evidence.log.as_mut().unwrap().noted.push(head(9)));
    assert_eq!(gone, [Violation::HeadGone(head(9).to_string())]);
}

#[test]
fn a_refusal_that_no_correct_issuer_causes_is_found() {
    let wrong = found(|evidence| evidence.wrong.push((effect(2), "conflict".to_owned())));
    assert_eq!(wrong, [Violation::Wrong { effect: effect(2), why: "conflict".to_owned() }]);
}

#[test]
fn who_came_after_the_expiry_and_who_before_it_is_told_apart() {
    let free = Logged { action: Action::Release, tenure: Tenure::Free, ..acquired(3, 3, 0) };
    let mut evidence = sound();
    writes(&mut evidence).extend([free, acquired(4, 4, 2_000)]);
    let expected =
        Takeovers { of_a_free_resource: 2, of_a_reserved_resource: 0, after_expiry: 1, after_death: 1 };
    assert_eq!(evidence.log.unwrap().takeovers(), expected);
}

#[test]
fn an_epoch_with_two_grants_is_found_without_a_log_too() {
    let twice = [Violation::GrantedTwice { epoch: epoch(2), grants: [grant(2), grant(9)] }];
    let read = found_in(served(), |evidence| evidence.samples[1].grant = Some(grant(9)));
    assert_eq!(read, twice);
    let acted = found_in(served(), |evidence| {
        evidence.journal[3] = Note::Begun(Effect { grant: grant(9), ..effect(2) });
    });
    assert_eq!(acted, twice);
}

#[test]
fn a_grant_with_two_epochs_is_found() {
    let found = found_in(served(), |evidence| {
        evidence.samples.push(Sample { grant: Some(grant(3)), ..sample(4) });
    });
    assert_eq!(found, [Violation::TwoEpochs { grant: grant(3), epochs: [epoch(3), epoch(4)] }]);
}

#[test]
fn a_grant_that_does_not_follow_the_ones_that_were_known_is_found_and_one_beside_them_is_not() {
    let late = found(|evidence| {
        evidence.granted[1].1.asked = seconds(3, 6);
        evidence.granted[1].1.heard = seconds(3, 7);
    });
    assert_eq!(late, [Violation::OutOfOrder { epoch: epoch(2), known: epoch(3) }]);
    let beside = found(|evidence| evidence.granted[1].1.heard = seconds(3, 7));
    assert_eq!(beside, []);
}

#[test]
fn a_grant_of_a_store_that_could_not_write_is_found() {
    let from_nowhere = found_in(served(), |evidence| evidence.outages.push((seconds(1, 9), seconds(2, 6))));
    assert_eq!(from_nowhere, [Violation::FromNowhere(epoch(2))]);
    let around = found_in(served(), |evidence| evidence.outages.push((seconds(2, 1), seconds(2, 4))));
    assert_eq!(around, []);
}

#[test]
fn an_attempt_that_lands_after_it_was_said_never_to_is_found_wherever_it_shows() {
    let late = [Violation::LandedLate { epoch: epoch(2), grant: grant(2) }];
    assert_eq!(found(|evidence| evidence.never.extend([grant(2), grant(7)])), late);
    let read_only = found_in(served(), |evidence| {
        evidence.granted.clear();
        evidence.journal.clear();
        evidence.acknowledged.clear();
        evidence.never.insert(grant(2));
    });
    assert_eq!(read_only, late);
}

#[test]
fn a_record_that_goes_back_and_a_version_of_two_states_are_found() {
    let fell = |before, after| [Violation::WentBack { before, after }];
    let back = found_in(served(), |evidence| evidence.samples.push(sample(2)));
    assert_eq!(back, fell(sample(3), sample(2)));
    let lower = Sample { epoch: Some(epoch(2)), version: Version::new(4), grant: None };
    assert_eq!(found_in(served(), |evidence| evidence.samples.push(lower)), fell(sample(3), lower));
    let other = Sample { grant: None, ..sample(3) };
    assert_eq!(found_in(served(), |evidence| evidence.samples.push(other)), fell(sample(3), other));
}
